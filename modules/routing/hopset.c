/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/hopset.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "modules/routing/rib.h"

/* Same content, same bytes: nothing behind the name, no address in a hop without family. */
static void
hop_normalize(struct bh_cfg_hop *to, const struct bh_cfg_hop *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->name, from->name, strnlen(from->name, sizeof(to->name) - 1));
	to->family = from->family;
	to->weight = from->weight != 0 ? from->weight : 1;
	if (from->family != 0)
		memcpy(to->addr, from->addr, from->family == 4 ? 4 : 16);
}

static int
hop_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_cfg_hop));
}

static bool
hopset_same(const struct bh_hopset *h, uint8_t family, uint8_t type, const struct bh_cfg_hop *hops,
	unsigned int n)
{
	unsigned int i;

	if (h->family != family || h->type != type || h->n != n)
		return false;
	for (i = 0; i < n; i++)
		if (memcmp(&h->hop[i].cfg, &hops[i], sizeof(hops[i])) != 0)
			return false;
	return true;
}

static struct bh_tracker *
tracker_get(struct bh_rib *rib, uint8_t family, const uint8_t addr[16])
{
	struct bh_tracker *t;
	struct bh_prefix p;
	void **slot;

	if (bh_key_prefix(&p, family, addr, bh_addr_bits(family)) < 0)
		return NULL;
	slot = bh_trie_insert(&rib->trackers[bh_family_index(family)], p.addr, p.plen);
	if (*slot != NULL)
		return *slot;
	t = bh_must_calloc(1, sizeof(*t));
	t->host = p;
	TAILQ_INIT(&t->hops);
	*slot = t;
	return t;
}

/* Ties the hop to what it depends on. An IPv6 route through an IPv4 gateway, and a link-local
 * gateway without interface, depend on nothing: they never resolve. */
static void
hop_bind(struct bh_rib *rib, struct bh_hopset *h, struct bh_hop *hop)
{
	hop->set = h;
	if (h->family == 6 && hop->cfg.family == 4)
		return;
	if (hop->cfg.name[0] != '\0') {
		hop->iface = bh_iface_named(rib->ifaces, hop->cfg.name);
		TAILQ_INSERT_TAIL(&hop->iface->hops, hop, link);
		return;
	}
	if (hop->cfg.family == 6 && bh_ip6_is_link_local(hop->cfg.addr))
		return;
	hop->tracker = tracker_get(rib, hop->cfg.family, hop->cfg.addr);
	if (hop->tracker != NULL) {
		TAILQ_INSERT_TAIL(&hop->tracker->hops, hop, link);
		h->recursive = true;
	}
}

static void
hop_unbind(struct bh_rib *rib, struct bh_hop *hop)
{
	struct bh_tracker *t = hop->tracker;

	if (hop->iface != NULL)
		TAILQ_REMOVE(&hop->iface->hops, hop, link);
	if (t == NULL)
		return;
	TAILQ_REMOVE(&t->hops, hop, link);
	if (!TAILQ_EMPTY(&t->hops))
		return;
	bh_trie_remove(&rib->trackers[bh_family_index(t->host.family)], t->host.addr, t->host.plen);
	free(t);
}

static struct bh_hopset *
hopset_new(struct bh_rib *rib, uint8_t family, uint8_t type, const struct bh_cfg_hop *hops,
	unsigned int n)
{
	struct bh_hopset *h = bh_must_calloc(1, sizeof(*h) + n * sizeof(h->hop[0]));
	unsigned int i;

	h->family = family;
	h->type = type;
	h->n = n;
	TAILQ_INIT(&h->users);
	for (i = 0; i < n; i++) {
		h->hop[i].cfg = hops[i];
		hop_bind(rib, h, &h->hop[i]);
	}
	return h;
}

struct bh_hopset *
bh_hopset_intern(struct bh_rib *rib, uint8_t family, uint8_t type, const struct bh_cfg_hop *hops,
	unsigned int n)
{
	uint8_t head[3] = {family, type, n};
	struct bh_cfg_hop norm[BH_ECMP_MAX];
	struct bh_hnode *node;
	struct bh_hopset *h;
	uint32_t hash;
	unsigned int i;

	for (i = 0; i < n; i++)
		hop_normalize(&norm[i], &hops[i]);
	if (n > 1)
		qsort(norm, n, sizeof(norm[0]), hop_cmp);
	hash = bh_hash(bh_hash(0, head, sizeof(head)), norm, n * sizeof(norm[0]));
	for (node = bh_htab_first(&rib->hopsets, hash); node; node = bh_htab_next(node)) {
		h = bh_container_of(node, struct bh_hopset, node);
		if (hopset_same(h, family, type, norm, n))
			return h;
	}
	h = hopset_new(rib, family, type, norm, n);
	bh_htab_insert(&rib->hopsets, &h->node, hash);
	bh_hopset_mark(rib, h, 0);
	return h;
}

void
bh_hopset_mark(struct bh_rib *rib, struct bh_hopset *h, unsigned int level)
{
	if (h->marked) {
		if (level < h->from)
			h->from = level;
		return;
	}
	h->marked = true;
	h->from = level;
	TAILQ_INSERT_TAIL(&rib->dirty_sets, h, link);
}

void
bh_hopset_use(struct bh_hopset *h, struct bh_cand *c)
{
	c->hopset = h;
	TAILQ_INSERT_TAIL(&h->users, c, user);
}

static void
hopset_free(struct bh_rib *rib, struct bh_hopset *h)
{
	unsigned int i;

	if (h->marked)
		TAILQ_REMOVE(&rib->dirty_sets, h, link);
	rib->unsettled -= h->unsettled;
	for (i = 0; i < h->n; i++)
		hop_unbind(rib, &h->hop[i]);
	for (i = 0; i < BH_LEVELS; i++)
		bh_nh_unref(h->res[i]);
	bh_htab_remove(&rib->hopsets, &h->node);
	free(h);
}

void
bh_hopset_leave(struct bh_rib *rib, struct bh_hopset *h, struct bh_cand *c)
{
	TAILQ_REMOVE(&h->users, c, user);
	c->hopset = NULL;
	if (TAILQ_EMPTY(&h->users))
		hopset_free(rib, h);
}
