/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "modules/routing/rib.h"

/* What the hops of a set have brought so far. */
struct gather {
	struct bh_nh_member m[BH_ECMP_MAX * BH_ECMP_MAX];
	unsigned int n;
	uint32_t attached; /* lowest ifindex of hops without address; 0: none */
	uint8_t special;   /* lowest special type passed through; 0: none */
};

static void
gather_member(struct gather *g, uint32_t ifindex, const struct bh_cfg_hop *cfg)
{
	struct bh_nh_member *m = &g->m[g->n++];

	memset(m, 0, sizeof(*m));
	m->ifindex = ifindex;
	m->family = cfg->family;
	m->weight = cfg->weight;
	memcpy(m->addr, cfg->addr, sizeof(m->addr));
}

/* A hop with an interface: resolved there and nowhere else. */
static void
gather_direct(struct gather *g, const struct bh_hopset *h, const struct bh_hop *hop)
{
	uint8_t family = hop->cfg.family != 0 ? hop->cfg.family : h->family;

	if (!bh_iface_usable(hop->iface, family))
		return;
	if (hop->cfg.family != 0)
		gather_member(g, hop->iface->ifindex, &hop->cfg);
	else if (g->attached == 0 || hop->iface->ifindex < g->attached)
		g->attached = hop->iface->ifindex;
}

/* A recursive hop through a route that resolves to nh; members take the weight of the hop. */
static void
gather_through(struct gather *g, const struct bh_hop *hop, const struct bh_nh *nh)
{
	unsigned int i;

	switch (nh->key.type) {
	case BH_NH_GROUP:
		for (i = 0; i < nh->key.n; i++) {
			g->m[g->n] = nh->key.m[i];
			g->m[g->n++].weight = hop->cfg.weight;
		}
		break;
	case BH_NH_ATTACHED:
		gather_member(g, nh->key.m[0].ifindex, &hop->cfg);
		break;
	case BH_NH_LOCAL:
		break;
	default:
		if (g->special == 0 || nh->key.type < g->special)
			g->special = nh->key.type;
		break;
	}
}

static void
gather_recursive(struct gather *g, const struct bh_rib *rib, const struct bh_hopset *h,
	const struct bh_hop *hop, unsigned int level)
{
	const struct bh_prefix *host = &hop->tracker->host;
	const struct bh_rib_route *r;
	const struct bh_cand *c;
	void *cover[BH_TRIE_DEPTH];
	unsigned int n;

	n = bh_trie_cover(
		&rib->routes[bh_family_index(host->family)], host->addr, host->plen, cover);
	while (n-- > 0) {
		r = cover[n];
		if (r->prefix.plen == 0)
			return;
		c = bh_rib_active(r, level);
		if (c == NULL || c->hopset == h)
			continue;
		gather_through(g, hop, bh_hopset_at(c->hopset, level));
		return;
	}
}

/* A new reference to what was gathered, or NULL. Hops without address cannot be members of a
 * group: they count only when there are no others, and then the lowest interface. */
static struct bh_nh *
gather_nh(struct gather *g, struct bh_nh_table *nhs)
{
	struct bh_nexthop_key key = {0};

	if (g->n > 0) {
		bh_nh_key_canon(&key, g->m, g->n);
	} else if (g->attached != 0) {
		key.type = BH_NH_ATTACHED;
		key.n = 1;
		key.m[0].ifindex = g->attached;
		key.m[0].weight = 1;
	} else if (g->special != 0) {
		key.type = g->special;
	} else {
		return NULL;
	}
	return bh_nh_intern(nhs, &key);
}

static struct bh_nh *
resolve(struct bh_rib *rib, const struct bh_hopset *h, unsigned int level)
{
	struct gather g;
	unsigned int i;

	g.n = 0;
	g.attached = 0;
	g.special = h->type == BH_NH_GROUP ? 0 : h->type;
	for (i = 0; i < h->n; i++) {
		if (h->hop[i].iface != NULL)
			gather_direct(&g, h, &h->hop[i]);
		else if (h->hop[i].tracker != NULL && level > 0)
			gather_recursive(&g, rib, h, &h->hop[i], level - 1);
	}
	return gather_nh(&g, &rib->nhs);
}

struct touch {
	struct bh_rib *rib;
	unsigned int level;
};

static void
touch_tracker(void *arg, void *data)
{
	const struct bh_tracker *t = data;
	struct touch *touch = arg;
	struct bh_hop *hop;

	TAILQ_FOREACH(hop, &t->hops, link)
	bh_hopset_mark(touch->rib, hop->set, touch->level);
}

void
bh_resolve_touch(struct bh_rib *rib, const struct bh_prefix *p, unsigned int level)
{
	struct touch touch = {rib, level};

	if (p->plen > 0)
		bh_trie_walk(&rib->trackers[bh_family_index(p->family)], p->addr, p->plen,
			touch_tracker, &touch);
}

static void
resolve_level(struct bh_rib *rib, struct bh_hopset *h, unsigned int level)
{
	struct bh_nh *nh = resolve(rib, h, level);
	struct bh_cand *c;

	if (nh == h->res[level]) {
		bh_nh_unref(nh);
		return;
	}
	bh_nh_unref(h->res[level]);
	h->res[level] = nh;
	TAILQ_FOREACH(c, &h->users, user)
	{
		bh_rib_mark(rib, c->route);
		if (level + 1 < BH_LEVELS)
			bh_resolve_touch(rib, &c->route->prefix, level + 1);
	}
}

static void
resolve_done(struct bh_rib *rib, struct bh_hopset *h)
{
	bool unsettled = h->recursive && h->res[BH_LEVELS - 1] != h->res[BH_LEVELS - 2];

	rib->unsettled += unsettled - h->unsettled;
	h->unsettled = unsettled;
	h->marked = false;
	TAILQ_REMOVE(&rib->dirty_sets, h, link);
}

void
bh_resolve_run(struct bh_rib *rib)
{
	struct bh_hopset *h;
	unsigned int level;

	for (level = 0; level < BH_LEVELS; level++)
		TAILQ_FOREACH(h, &rib->dirty_sets, link)
	if (h->from <= level && (level == 0 || h->recursive))
		resolve_level(rib, h, level);
	while ((h = TAILQ_FIRST(&rib->dirty_sets)) != NULL)
		resolve_done(rib, h);
}

struct bh_nh *
bh_hopset_at(const struct bh_hopset *h, unsigned int level)
{
	return h->res[h->recursive ? level : 0];
}

struct bh_nh *
bh_hopset_final(const struct bh_hopset *h)
{
	return bh_hopset_at(h, h->unsettled ? 0 : BH_LEVELS - 1);
}
