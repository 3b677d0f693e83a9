/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modules/routing/alloc.h"

static struct bh_rib_route *
route_of(const struct bh_out_route *r)
{
	return bh_container_of(r, struct bh_rib_route, out);
}

static const struct bh_prefix *
route_prefix(const struct bh_out_route *r)
{
	return &route_of(r)->prefix;
}

static struct bh_trie *
rib_trie(struct bh_rib *rib, uint8_t family)
{
	return &rib->routes[bh_family_index(family)];
}

/* Frees a prefix that has no candidate and that the info base knows no more. */
static void
rib_forget(struct bh_rib *rib, struct bh_rib_route *r)
{
	if (r->cands != NULL || r->dirty || r->out.on != NULL || !bh_output_is_gone(&r->out))
		return;
	bh_trie_remove(rib_trie(rib, r->prefix.family), r->prefix.addr, r->prefix.plen);
	free(r);
}

static void
rib_gone(void *arg, struct bh_out_route *r)
{
	rib_forget(arg, route_of(r));
}

void
bh_rib_init(struct bh_rib *rib, struct bh_ifaces *ifaces, struct bh_output *out)
{
	memset(rib, 0, sizeof(*rib));
	rib->ifaces = ifaces;
	rib->out = out;
	TAILQ_INIT(&rib->dirty);
	TAILQ_INIT(&rib->dirty_sets);
	out->prefix = route_prefix;
	out->gone = rib_gone;
	out->gone_arg = rib;
}

/* ---- candidates ---- */

/* Local before connected, the others by number. */
static unsigned int
proto_rank(uint8_t proto)
{
	return proto == BH_RP_LOCAL ? 0 : proto;
}

/* Does a come before b? */
static bool
cand_before(const struct bh_cand *a, const struct bh_cand *b)
{
	if (a->attr.preference != b->attr.preference)
		return a->attr.preference < b->attr.preference;
	if (a->attr.proto != b->attr.proto)
		return proto_rank(a->attr.proto) < proto_rank(b->attr.proto);
	if (a->attr.metric != b->attr.metric)
		return a->attr.metric < b->attr.metric;
	return a->instance < b->instance;
}

static struct bh_cand **
cand_find(struct bh_rib_route *r, const struct bh_source *s, uint32_t instance)
{
	struct bh_cand **pp = &r->cands;

	while (*pp != NULL && ((*pp)->source != s || (*pp)->instance != instance))
		pp = &(*pp)->next;
	return pp;
}

static void
cand_insert(struct bh_rib_route *r, struct bh_cand *c)
{
	struct bh_cand **pp = &r->cands;

	while (*pp != NULL && !cand_before(c, *pp))
		pp = &(*pp)->next;
	c->next = *pp;
	*pp = c;
}

/* The prefix's candidates are no more what they were. */
static void
cands_changed(struct bh_rib *rib, struct bh_rib_route *r)
{
	bh_rib_mark(rib, r);
	bh_resolve_touch(rib, &r->prefix, 1);
}

static void
cand_drop(struct bh_rib *rib, struct bh_cand **pp)
{
	struct bh_cand *c = *pp;

	*pp = c->next;
	cands_changed(rib, c->route);
	bh_hopset_leave(rib, c->hopset, c);
	free(c);
}

static struct bh_rib_route *
route_get(struct bh_rib *rib, const struct bh_prefix *p)
{
	void **slot = bh_trie_insert(rib_trie(rib, p->family), p->addr, p->plen);
	struct bh_rib_route *r = *slot;

	if (r == NULL) {
		*slot = r = bh_must_calloc(1, sizeof(*r));
		r->prefix = *p;
	}
	return r;
}

/* ---- source.h ---- */

void
bh_source_init(struct bh_source *s, struct bh_rib *rib, uint8_t proto)
{
	s->rib = rib;
	s->proto = proto;
	s->epoch = 1;
}

static bool
source_route_ok(const struct bh_source_route *r)
{
	if (r->type < BH_NH_GROUP || r->type > BH_NH_PROHIBIT || r->type == BH_NH_ATTACHED)
		return false;
	return r->type == BH_NH_GROUP ? r->n <= BH_ECMP_MAX : r->n == 0;
}

static bool
cand_is(const struct bh_cand *c, const struct bh_hopset *h, const struct bh_source_route *in)
{
	return c->hopset == h && c->attr.preference == in->preference &&
	       c->attr.metric == in->metric && c->attr.sub == in->sub;
}

static struct bh_cand *
cand_new(struct bh_source *s, struct bh_rib_route *r, const struct bh_source_route *in)
{
	struct bh_cand *c = bh_must_calloc(1, sizeof(*c));

	c->route = r;
	c->source = s;
	c->epoch = s->epoch;
	c->instance = in->instance;
	c->attr = (struct bh_out_attr){s->proto, in->sub, in->preference, in->metric};
	return c;
}

int
bh_source_add(struct bh_source *s, const struct bh_source_route *in)
{
	struct bh_rib *rib = s->rib;
	struct bh_rib_route *r;
	struct bh_cand **pp, *c;
	struct bh_hopset *h;

	if (!source_route_ok(in))
		return -EINVAL;
	r = route_get(rib, &in->prefix);
	h = bh_hopset_intern(rib, in->prefix.family, in->type, in->hops, in->n);
	pp = cand_find(r, s, in->instance);
	if (*pp != NULL && cand_is(*pp, h, in)) {
		(*pp)->epoch = s->epoch;
		return 0;
	}
	c = cand_new(s, r, in);
	bh_hopset_use(h, c);
	if (*pp != NULL)
		cand_drop(rib, pp);
	cand_insert(r, c);
	cands_changed(rib, r);
	return 0;
}

int
bh_source_delete(struct bh_source *s, const struct bh_prefix *p, uint32_t instance)
{
	struct bh_rib_route *r = bh_trie_find(rib_trie(s->rib, p->family), p->addr, p->plen);
	struct bh_cand **pp;

	if (r == NULL || *(pp = cand_find(r, s, instance)) == NULL)
		return -ENOENT;
	cand_drop(s->rib, pp);
	return 0;
}

void
bh_source_resync(struct bh_source *s)
{
	s->epoch++;
}

/* A prefix stays in the trie until the commit, so the walk may drop its candidates. */
static void
sweep_route(void *arg, void *data)
{
	struct bh_rib_route *r = data;
	struct bh_source *s = arg;
	struct bh_cand **pp = &r->cands;

	while (*pp != NULL) {
		if ((*pp)->source == s && (*pp)->epoch != s->epoch)
			cand_drop(s->rib, pp);
		else
			pp = &(*pp)->next;
	}
}

void
bh_source_synced(struct bh_source *s)
{
	static const uint8_t any[16];

	bh_trie_walk(&s->rib->routes[0], any, 0, sweep_route, s);
	bh_trie_walk(&s->rib->routes[1], any, 0, sweep_route, s);
}

/* ---- choice ---- */

void
bh_rib_mark(struct bh_rib *rib, struct bh_rib_route *r)
{
	if (r->dirty)
		return;
	r->dirty = true;
	TAILQ_INSERT_TAIL(&rib->dirty, r, link);
}

const struct bh_cand *
bh_rib_active(const struct bh_rib_route *r, unsigned int level)
{
	const struct bh_cand *c = r->cands;

	while (c != NULL && bh_hopset_at(c->hopset, level) == NULL)
		c = c->next;
	return c;
}

static void
rib_select(struct bh_rib *rib, struct bh_rib_route *r)
{
	const struct bh_cand *c = r->cands;

	while (c != NULL && bh_hopset_final(c->hopset) == NULL)
		c = c->next;
	if (c != NULL)
		bh_output_set(rib->out, &r->out, bh_hopset_final(c->hopset), &c->attr);
	else
		bh_output_set(rib->out, &r->out, NULL, NULL);
}

static void
rib_take_ifaces(struct bh_rib *rib)
{
	struct bh_iface *i;
	struct bh_hop *hop;

	while ((i = TAILQ_FIRST(&rib->ifaces->changed)) != NULL) {
		TAILQ_REMOVE(&rib->ifaces->changed, i, link);
		i->changed = false;
		TAILQ_FOREACH(hop, &i->hops, link)
		bh_hopset_mark(rib, hop->set, 0);
	}
}

unsigned int
bh_rib_commit(struct bh_rib *rib)
{
	struct bh_rib_route *r;
	unsigned int n = 0;

	rib_take_ifaces(rib);
	bh_resolve_run(rib);
	while ((r = TAILQ_FIRST(&rib->dirty)) != NULL) {
		TAILQ_REMOVE(&rib->dirty, r, link);
		r->dirty = false;
		rib_select(rib, r);
		rib_forget(rib, r);
		n++;
	}
	return n;
}

/* ---- another info base ---- */

static void
forget_route(void *arg, void *data)
{
	struct bh_rib_route *r = data;

	bh_output_forget(arg, &r->out);
}

void
bh_rib_restart(struct bh_rib *rib)
{
	static const uint8_t any[16];

	bh_output_restart(rib->out, &rib->nhs);
	for (int f = 0; f < 2; f++)
		bh_trie_walk(&rib->routes[f], any, 0, forget_route, rib->out);
}

/* ---- end ---- */

static void
free_route(void *arg, void *data)
{
	struct bh_rib_route *r = data;

	r->dirty = true; /* so that it is not put on the list of marked ones again */
	while (r->cands != NULL)
		cand_drop(arg, &r->cands);
	bh_nh_unref(r->out.want);
	bh_nh_unref(r->out.sent);
	bh_nh_unref(r->out.held);
	free(r);
}

void
bh_rib_fini(struct bh_rib *rib)
{
	static const uint8_t any[16];

	for (int f = 0; f < 2; f++)
		bh_trie_walk(&rib->routes[f], any, 0, free_route, rib);
	for (int f = 0; f < 2; f++)
		bh_trie_fini(&rib->routes[f]);
	bh_htab_fini(&rib->hopsets);
	bh_trie_fini(&rib->trackers[0]);
	bh_trie_fini(&rib->trackers[1]);
	bh_nh_table_fini(&rib->nhs);
}
