/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/fpm_nhg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

/* ---- sets ---- */

static bool
set_is(const struct bh_fpm_set *s, uint8_t type, const struct bh_fpm_hop *hops, unsigned int n)
{
	return s->type == type && s->n == n &&
		(n == 0 || memcmp(s->hop, hops, n * sizeof(hops[0])) == 0);
}

struct bh_fpm_set *
bh_fpm_set_intern(
	struct bh_fpm_nhgs *t, uint8_t type, const struct bh_fpm_hop *hops, unsigned int n)
{
	uint8_t head[2] = {type, (uint8_t)n};
	uint32_t hash = bh_hash(bh_hash(0, head, sizeof(head)), hops, n * sizeof(hops[0]));
	struct bh_hnode *node;
	struct bh_fpm_set *s;

	for (node = bh_htab_first(&t->sets, hash); node != NULL; node = bh_htab_next(node)) {
		s = bh_container_of(node, struct bh_fpm_set, node);
		if (set_is(s, type, hops, n))
			return s;
	}
	if (t->sets.n >= BH_FPM_SET_MAX)
		return NULL;
	s = bh_must_calloc(1, sizeof(*s) + n * (sizeof(s->hop[0]) + sizeof(s->cfg[0])));
	s->type = type;
	s->n = (uint8_t)n;
	s->cfg = (void *)&s->hop[n];
	if (n > 0)
		memcpy(s->hop, hops, n * sizeof(hops[0]));
	TAILQ_INIT(&s->users);
	bh_htab_insert(&t->sets, &s->node, hash);
	return s;
}

void
bh_fpm_set_release(struct bh_fpm_nhgs *t, struct bh_fpm_set *s)
{
	if (s == NULL || s->refs > 0 || !TAILQ_EMPTY(&s->users))
		return;
	bh_htab_remove(&t->sets, &s->node);
	free(s);
}

/* ---- ids ---- */

void
bh_fpm_nhgs_init(struct bh_fpm_nhgs *t)
{
	memset(t, 0, sizeof(*t));
	TAILQ_INIT(&t->all);
	TAILQ_INIT(&t->marked);
}

static uint32_t
id_hash(uint32_t id)
{
	return bh_hash(0, &id, sizeof(id));
}

static struct bh_fpm_nhg *
nhg_find(struct bh_fpm_nhgs *t, uint32_t id)
{
	struct bh_hnode *n = bh_htab_first(&t->by_id, id_hash(id));

	while (n != NULL && bh_container_of(n, struct bh_fpm_nhg, node)->id != id)
		n = bh_htab_next(n);
	return n != NULL ? bh_container_of(n, struct bh_fpm_nhg, node) : NULL;
}

struct bh_fpm_nhg *
bh_fpm_nhg_named(struct bh_fpm_nhgs *t, uint32_t id)
{
	struct bh_fpm_nhg *g = nhg_find(t, id);

	if (g != NULL || t->by_id.n >= BH_FPM_NHG_MAX)
		return g;
	g = bh_must_calloc(1, sizeof(*g));
	g->id = id;
	LIST_INIT(&g->groups);
	TAILQ_INIT(&g->users);
	bh_htab_insert(&t->by_id, &g->node, id_hash(id));
	TAILQ_INSERT_TAIL(&t->all, g, all);
	return g;
}

static void
nhg_mark(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g)
{
	if (g->marked)
		return;
	g->marked = true;
	TAILQ_INSERT_TAIL(&t->marked, g, mark);
}

/* Its groups once a commit: one that it joins later is marked by itself. */
static void
nhg_changed(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g)
{
	struct bh_fpm_link *l;

	nhg_mark(t, g);
	if (g->spread)
		return;
	g->spread = true;
	LIST_FOREACH(l, &g->groups, of_member)
	nhg_mark(t, l->group);
}

static void
nhg_set(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g, struct bh_fpm_set *s)
{
	struct bh_fpm_set *old = g->set;

	if (s != NULL)
		s->refs++;
	g->set = s;
	if (old != NULL) {
		old->refs--;
		bh_fpm_set_release(t, old);
	}
}

/* Takes it out of the groups' lists of its members. */
static void
nhg_leave_members(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g)
{
	while (g->n_members > 0) {
		struct bh_fpm_link *l = &g->link[--g->n_members];

		LIST_REMOVE(l, of_member);
		bh_fpm_nhg_release(t, l->member);
	}
}

static void
nhg_unname(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g)
{
	bh_htab_remove(&t->by_id, &g->node);
	TAILQ_REMOVE(&t->all, g, all);
}

void
bh_fpm_nhg_release(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g)
{
	if (g->told || !TAILQ_EMPTY(&g->users) || !LIST_EMPTY(&g->groups))
		return;
	if (g->marked)
		TAILQ_REMOVE(&t->marked, g, mark);
	if (!g->gone)
		nhg_unname(t, g);
	nhg_set(t, g, NULL);
	free(g);
}

static void
nhg_untell(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g)
{
	nhg_leave_members(t, g);
	t->told -= g->told;
	g->told = false;
	nhg_changed(t, g);
}

static int
nhg_tell_members(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g, const struct bh_fpm_msg *m)
{
	for (unsigned int i = 0; i < m->n_members; i++) {
		struct bh_fpm_nhg *member = bh_fpm_nhg_named(t, m->member[i].id);
		struct bh_fpm_link *l = &g->link[i];

		if (member == NULL)
			return -ENOSPC;
		*l = (struct bh_fpm_link){.group = g, .member = member,
			.weight = m->member[i].weight};
		LIST_INSERT_HEAD(&member->groups, l, of_member);
		g->n_members++;
	}
	return 0;
}

int
bh_fpm_nhg_put(struct bh_fpm_nhgs *t, const struct bh_fpm_msg *m)
{
	struct bh_fpm_nhg *g = bh_fpm_nhg_named(t, m->id);
	int rc;

	if (g == NULL)
		return -ENOSPC;
	nhg_untell(t, g);
	g->type = m->type;
	if (m->n_hops > 0)
		g->hop = m->hop[0];
	rc = m->refused ? -EINVAL : nhg_tell_members(t, g, m);
	if (rc < 0) {
		nhg_leave_members(t, g);
		bh_fpm_nhg_release(t, g);
		return rc;
	}
	g->told = true;
	t->told++;
	return 0;
}

void
bh_fpm_nhg_delete(struct bh_fpm_nhgs *t, uint32_t id)
{
	struct bh_fpm_nhg *g = nhg_find(t, id);

	if (g == NULL)
		return;
	nhg_untell(t, g);
	bh_fpm_nhg_release(t, g);
}

void
bh_fpm_nhgs_forget(struct bh_fpm_nhgs *t)
{
	struct bh_fpm_nhg *g;

	while ((g = TAILQ_FIRST(&t->all)) != NULL) {
		nhg_unname(t, g);
		g->gone = true;
		g->told = false;
		nhg_leave_members(t, g);
		bh_fpm_nhg_release(t, g);
	}
	t->told = 0;
}

/* ---- what an id stands for ---- */

static struct bh_fpm_set *
group_set(struct bh_fpm_nhgs *t, const struct bh_fpm_nhg *g)
{
	struct bh_fpm_hop hops[BH_ECMP_MAX];
	unsigned int n = 0;
	uint8_t special = 0;

	for (unsigned int i = 0; i < g->n_members; i++) {
		const struct bh_fpm_nhg *m = g->link[i].member;

		if (!m->told || m->n_members > 0)
			continue;
		if (m->type != BH_NH_GROUP) {
			special = m->type;
			continue;
		}
		hops[n] = m->hop;
		hops[n++].weight = g->link[i].weight;
	}
	if (n > 0)
		return bh_fpm_set_intern(t, BH_NH_GROUP, hops, n);
	return special != 0 ? bh_fpm_set_intern(t, special, NULL, 0) : NULL;
}

static struct bh_fpm_set *
nhg_resolve(struct bh_fpm_nhgs *t, const struct bh_fpm_nhg *g)
{
	if (!g->told)
		return NULL;
	if (g->n_members > 0)
		return group_set(t, g);
	return bh_fpm_set_intern(t, g->type, &g->hop, g->type == BH_NH_GROUP ? 1 : 0);
}

void
bh_fpm_nhgs_commit(struct bh_fpm_nhgs *t, void (*fn)(void *arg, struct bh_fpm_nhg *g), void *arg)
{
	struct bh_fpm_nhg *g;
	struct bh_fpm_set *s;

	while ((g = TAILQ_FIRST(&t->marked)) != NULL) {
		TAILQ_REMOVE(&t->marked, g, mark);
		g->marked = g->spread = false;
		if (g->gone)
			continue;
		s = nhg_resolve(t, g);
		if (s == g->set)
			continue;
		nhg_set(t, g, s);
		if (fn != NULL)
			fn(arg, g);
	}
}

void
bh_fpm_nhgs_fini(struct bh_fpm_nhgs *t)
{
	bh_fpm_nhgs_forget(t);
	bh_htab_fini(&t->by_id);
	bh_htab_fini(&t->sets); /* empty: nobody uses one */
}
