/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/fpm_priv.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

void
bh_fpm_init(struct bh_fpm *f, struct bh_rib *rib, struct bh_ifaces *ifaces, struct bh_output *out)
{
	memset(f, 0, sizeof(*f));
	bh_source_init(&f->source, rib, BH_RP_FPM);
	f->ifaces = ifaces;
	f->out = out;
	bh_fpm_nhgs_init(&f->nhgs);
	for (unsigned int i = 0; i < 256; i++)
		TAILQ_INIT(&f->slot[i].entries);
	TAILQ_INIT(&f->dirty);
	TAILQ_INIT(&f->sent);
	f->epoch = 1;
	f->status.state = BH_FPM_LISTENING;
}

/* ---- entries ---- */

static uint32_t
prefix_hash(const struct bh_prefix *p)
{
	return bh_hash(0, p, sizeof(*p));
}

struct bh_fpm_entry *
bh_fpm_find(struct bh_fpm *f, const struct bh_prefix *p)
{
	struct bh_hnode *n = bh_htab_first(&f->entries, prefix_hash(p));
	struct bh_fpm_entry *e;

	for (; n != NULL; n = bh_htab_next(n)) {
		e = bh_container_of(n, struct bh_fpm_entry, node);
		if (memcmp(&e->prefix, p, sizeof(*p)) == 0)
			return e;
	}
	return NULL;
}

struct bh_fpm_entry *
bh_fpm_get(struct bh_fpm *f, const struct bh_prefix *p)
{
	struct bh_fpm_entry *e = bh_fpm_find(f, p);

	if (e != NULL)
		return e;
	e = bh_must_calloc(1, sizeof(*e));
	e->fpm = f;
	e->prefix = *p;
	e->gone = true;
	bh_htab_insert(&f->entries, &e->node, prefix_hash(p));
	return e;
}

uint32_t *
bh_fpm_count(struct bh_fpm *f, uint8_t family)
{
	return family == BH_IP4 ? &f->status.routes4 : &f->status.routes6;
}

void
bh_fpm_use_set(struct bh_fpm *f, struct bh_fpm_entry *e, struct bh_fpm_set *s)
{
	struct bh_fpm_set *old = e->set;

	if (s == old)
		return;
	if (old != NULL)
		TAILQ_REMOVE(&old->users, e, of_set);
	e->set = s;
	if (s != NULL)
		TAILQ_INSERT_TAIL(&s->users, e, of_set);
	bh_fpm_set_release(&f->nhgs, old);
}

void
bh_fpm_use_nhg(struct bh_fpm *f, struct bh_fpm_entry *e, struct bh_fpm_nhg *g)
{
	struct bh_fpm_nhg *old = e->nhg;

	if (g == old)
		return;
	if (old != NULL)
		TAILQ_REMOVE(&old->users, e, of_nhg);
	e->nhg = g;
	if (g != NULL)
		TAILQ_INSERT_TAIL(&g->users, e, of_nhg);
	if (old != NULL)
		bh_fpm_nhg_release(&f->nhgs, old);
}

/* ---- interfaces ---- */

/* Ours by the kernel's ifindex, or NULL. */
static const struct bh_iface *
iface_of(const struct bh_fpm *f, uint32_t host)
{
	for (uint32_t k = 1; k < BH_IF_MAX; k++)
		if (f->host[k] == host)
			return f->ifaces->by_index[k];
	return NULL;
}

/* The hops as the RIB takes them, without those on interfaces that are not known (yet). True: they
 * are not what they were. */
static bool
set_map(const struct bh_fpm *f, struct bh_fpm_set *s)
{
	struct bh_cfg_hop cfg[BH_ECMP_MAX] = {0};
	unsigned int n = 0;
	bool changed;

	for (unsigned int i = 0; i < s->n; i++) {
		const struct bh_fpm_hop *h = &s->hop[i];
		const struct bh_iface *iface = h->ifindex != 0 ? iface_of(f, h->ifindex) : NULL;

		if (h->ifindex != 0 && iface == NULL)
			continue;
		if (iface != NULL)
			memcpy(cfg[n].name, iface->name, sizeof(cfg[n].name));
		cfg[n].family = h->family;
		cfg[n].weight = h->weight;
		memcpy(cfg[n++].addr, h->addr, sizeof(h->addr));
	}
	changed = n != s->n_cfg || memcmp(cfg, s->cfg, n * sizeof(cfg[0])) != 0;
	s->n_cfg = (uint8_t)n;
	s->mapped = true;
	memcpy(s->cfg, cfg, n * sizeof(cfg[0]));
	return changed;
}

/* ---- offers ---- */

static void
entry_offered(struct bh_fpm *f, struct bh_fpm_entry *e, bool offered)
{
	f->status.held += e->offered - offered;
	e->offered = offered;
}

void
bh_fpm_offer(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	struct bh_fpm_set *s = e->set;
	struct bh_source_route r = {.prefix = e->prefix, .sub = e->proto, .metric = e->metric};

	if (s != NULL && !s->mapped)
		set_map(f, s);
	if (f->configured && s != NULL && (s->type != BH_NH_GROUP || s->n_cfg > 0)) {
		r.preference = f->cfg.distance[e->proto];
		r.type = s->type;
		r.n = s->n_cfg;
		r.hops = s->cfg;
		entry_offered(f, e, bh_source_add(&f->source, &r) == 0);
	} else if (e->offered) {
		bh_source_delete(&f->source, &e->prefix, 0);
		entry_offered(f, e, false);
	}
}

void
bh_fpm_touch(struct bh_fpm *f, struct bh_fpm_entry *e, uint8_t proto, uint32_t epoch)
{
	if (e->gone) {
		e->gone = false;
		(*bh_fpm_count(f, e->prefix.family))++;
		f->status.held++;
		f->status.stale++;
	} else {
		TAILQ_REMOVE(&f->slot[e->proto].entries, e, age);
		f->status.stale += e->epoch == f->epoch;
	}
	e->proto = proto;
	e->epoch = epoch;
	f->status.stale -= epoch == f->epoch;
	TAILQ_INSERT_TAIL(&f->slot[proto].entries, e, age);
}

bool
bh_fpm_keeps(const struct bh_fpm *f)
{
	return f->replaying && f->again;
}

void
bh_fpm_unsay(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	struct bh_fpm_entries *all = &f->slot[e->proto].entries;

	f->status.stale += e->epoch == f->epoch;
	e->epoch = f->epoch - 1;
	TAILQ_REMOVE(all, e, age);
	TAILQ_INSERT_HEAD(all, e, age); /* where the sweep begins */
}

static void
entry_drop(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	if (e->offered)
		bh_source_delete(&f->source, &e->prefix, 0);
	entry_offered(f, e, false);
	bh_fpm_use_nhg(f, e, NULL);
	bh_fpm_use_set(f, e, NULL);
	TAILQ_REMOVE(&f->slot[e->proto].entries, e, age);
	f->status.held--;
	f->status.stale -= e->epoch != f->epoch;
	(*bh_fpm_count(f, e->prefix.family))--;
	e->gone = true;
}

void
bh_fpm_delete(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	entry_drop(f, e);
	bh_fpm_mark(f, e);
	bh_fpm_forget(f, e);
}

void
bh_fpm_forget(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	if (!e->gone || e->dirty || e->under_way != 0)
		return;
	bh_htab_remove(&f->entries, &e->node);
	free(e);
}

/* fn may free the entry. */
static void
each_entry(struct bh_fpm *f, void (*fn)(struct bh_fpm *f, struct bh_fpm_entry *e))
{
	struct bh_fpm_entry *e, *next;

	for (unsigned int i = 0; i < 256; i++) {
		for (e = TAILQ_FIRST(&f->slot[i].entries); e != NULL; e = next) {
			next = TAILQ_NEXT(e, age);
			fn(f, e);
		}
	}
}

static void
drop_silently(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	entry_drop(f, e);
	bh_fpm_forget(f, e);
}

void
bh_fpm_drop_all(struct bh_fpm *f)
{
	each_entry(f, drop_silently);
}

void
bh_fpm_put(struct bh_fpm *f, const struct bh_prefix *p, const struct bh_fpm_route *r)
{
	struct bh_fpm_entry *e = bh_fpm_get(f, p);

	bh_fpm_touch(f, e, r->proto, 0);
	e->metric = r->metric;
	e->recorded = true;
	bh_fpm_use_set(f, e, bh_fpm_set_intern(&f->nhgs, r->type, r->hop, r->n));
	bh_fpm_offer(f, e);
}

unsigned int
bh_fpm_sweep_slot(struct bh_fpm *f, uint8_t proto, unsigned int budget)
{
	struct bh_fpm_entry *e;
	unsigned int n = 0;

	while (n < budget && (e = TAILQ_FIRST(&f->slot[proto].entries)) != NULL &&
		e->epoch != f->epoch) {
		bh_fpm_delete(f, e);
		n++;
	}
	f->changed |= n > 0;
	return n;
}

/* ---- changes that many entries share ---- */

static void
nhg_is_another(void *arg, struct bh_fpm_nhg *g)
{
	struct bh_fpm *f = arg;
	struct bh_fpm_entry *e;

	if (g->set == NULL && bh_fpm_keeps(f)) {
		f->kept = true;
		return;
	}
	TAILQ_FOREACH(e, &g->users, of_nhg)
	{
		bh_fpm_use_set(f, e, g->set);
		bh_fpm_offer(f, e);
		bh_fpm_mark(f, e);
	}
}

/* The replay is over: next hops that were left are what their id says. */
static void
entry_catch_up(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	if (e->nhg == NULL || e->set == e->nhg->set)
		return;
	bh_fpm_use_set(f, e, e->nhg->set);
	bh_fpm_offer(f, e);
	bh_fpm_mark(f, e);
}

static void
remap(struct bh_fpm *f)
{
	struct bh_htab *t = &f->nhgs.sets;
	struct bh_fpm_entry *e;
	struct bh_fpm_set *s;

	for (uint32_t i = 0; t->bucket != NULL && i <= t->mask; i++) {
		for (struct bh_hnode *n = t->bucket[i]; n != NULL; n = n->next) {
			s = bh_container_of(n, struct bh_fpm_set, node);
			if (!set_map(f, s))
				continue;
			TAILQ_FOREACH(e, &s->users, of_set)
			bh_fpm_offer(f, e);
		}
	}
}

void
bh_fpm_commit(struct bh_fpm *f)
{
	bh_fpm_nhgs_commit(&f->nhgs, nhg_is_another, f);
	if (f->kept && !bh_fpm_keeps(f)) {
		f->kept = false;
		each_entry(f, entry_catch_up);
	}
	if (f->remap)
		remap(f);
	if (f->reoffer)
		each_entry(f, f->configured ? bh_fpm_offer : bh_fpm_delete);
	f->remap = f->reoffer = f->changed = false;
}

void
bh_fpm_fini(struct bh_fpm *f)
{
	struct bh_hnode *n, *next;

	bh_fpm_drop_all(f);
	for (uint32_t i = 0; f->entries.bucket != NULL && i <= f->entries.mask; i++) {
		for (n = f->entries.bucket[i]; n != NULL; n = next) { /* with requests under way */
			next = n->next;
			free(bh_container_of(n, struct bh_fpm_entry, node));
		}
	}
	bh_htab_fini(&f->entries);
	bh_fpm_nhgs_fini(&f->nhgs);
}
