/* SPDX-License-Identifier: BSD-3-Clause */
/* The FIB's control side: life, routes, reference counts, figures. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_debug.h>
#include <rte_malloc.h>

#include "lib/fib/fib_priv.h"

#define MAX_ROUTES (1u << 28)
#define MAX_UNITS (1ull << 30)
#define MIN_UNITS 256ull
#define BASE_UNITS 4096u
#define UNITS_PER_64B 4u
#define RECLAIM_EVERY 64u	/* updates */

/* One writer: debug builds assert that updates do not overlap. */
static void
enter(struct fib_writer *w)
{
#ifdef BH_DEBUG
	if (__atomic_exchange_n(&w->busy, 1, __ATOMIC_ACQUIRE) != 0)
		rte_panic("FIB %s has two writers\n", w->name);
#else
	RTE_SET_USED(w);
#endif
}

static void
leave(struct fib_writer *w)
{
#ifdef BH_DEBUG
	__atomic_store_n(&w->busy, 0, __ATOMIC_RELEASE);
#else
	RTE_SET_USED(w);
#endif
}

static struct fib_key
key_load(const struct bh_fib *fib, const void *addr)
{
	uint64_t a[2] = { 0, 0 };

	memcpy(a, addr, fib->max_plen / 8);
	return (struct fib_key){ be64toh(a[0]), be64toh(a[1]) };
}

static void
key_store(const struct bh_fib *fib, struct fib_key key, void *addr)
{
	const uint64_t be[2] = { htobe64(key.hi), htobe64(key.lo) };

	memcpy(addr, be, fib->max_plen / 8);
}

/* Check a prefix and take it in. */
static int
key_parse(const struct bh_fib *fib, const void *prefix, uint8_t plen, struct fib_key *key)
{
	unsigned __int128 v;

	if (plen > fib->max_plen)
		return -EINVAL;
	*key = key_load(fib, prefix);
	v = (unsigned __int128)key->hi << 64 | key->lo;
	return plen < 128 && v << plen != 0 ? -EINVAL : 0;
}

/*
 * Worst case of a route: a node of its own on each level below the root, 64 bytes each. Memory is
 * taken on demand, so a generous ceiling costs 8 bytes of chunk table a chunk.
 */
static uint32_t
units_wanted(const struct bh_fib_conf *conf)
{
	unsigned int levels = conf->family == BH_FIB_IP4 ? 4 : 19;
	uint64_t units = (uint64_t)conf->max_nodes * UNITS_PER_64B;

	if (units == 0)
		units = BASE_UNITS + (uint64_t)conf->max_routes * levels * UNITS_PER_64B;
	units = RTE_MIN(units, MAX_UNITS);
	return RTE_MAX(units, MIN_UNITS);
}

static struct fib_writer *
writer_create(const struct bh_fib_conf *conf, struct bh_fib *fib, uint32_t units)
{
	struct fib_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	if (fib_arena_init(&w->arena, fib->chunk, units, conf->socket_id) < 0) {
		free(w);
		return NULL;
	}
	rib_init(&w->rib);
	w->qsbr = conf->qsbr;
	w->reserve = units / 16;
	w->max_routes = conf->max_routes;
	memccpy(w->name, conf->name, '\0', sizeof(w->name) - 1);
	return w;
}

struct bh_fib *
bh_fib_create(const struct bh_fib_conf *conf)
{
	struct bh_fib *fib = NULL;
	uint32_t units;

	if (conf == NULL || conf->name == NULL || conf->max_routes == 0 ||
			conf->max_routes > MAX_ROUTES ||
			(conf->family != BH_FIB_IP4 && conf->family != BH_FIB_IP6)) {
		errno = EINVAL;
		return NULL;
	}
	units = units_wanted(conf);
	fib = rte_zmalloc_socket("bh_fib", sizeof(*fib) + sizeof(fib->chunk[0]) *
		((units + FIB_CHUNK_UNITS - 1) >> FIB_CHUNK_SHIFT),
		RTE_CACHE_LINE_SIZE, conf->socket_id);
	if (fib == NULL)
		goto fail;
	fib->family = conf->family;
	fib->max_plen = conf->family == BH_FIB_IP4 ? 32 : 128;
	fib->root = rte_zmalloc_socket("bh_fib_root", FIB_ROOT_SIZE * sizeof(*fib->root),
		RTE_CACHE_LINE_SIZE, conf->socket_id);
	fib->w = writer_create(conf, fib, units);
	if (fib->root == NULL || fib->w == NULL)
		goto fail;
	return fib;
fail:
	bh_fib_destroy(fib);
	errno = ENOMEM;
	return NULL;
}

void
bh_fib_destroy(struct bh_fib *fib)
{
	struct fib_writer *w;

	if (fib == NULL)
		return;
	w = fib->w;
	if (w != NULL) {
		fib_arena_fini(&w->arena);
		rib_fini(&w->rib);
		free(w->stores.data);
		free(w->made.data);
		free(w->stale.data);
		free(w->pending.data);
		free(w);
	}
	rte_free(fib->root);
	rte_free(fib);
}

/* fib_update(), a second time if memory that has passed its grace period may help. */
static int
update(struct bh_fib *fib, uint32_t idx, uint32_t inherit, uint32_t limit)
{
	struct fib_writer *w = fib->w;
	int rc = fib_update(fib, idx, inherit, limit);

	if (rc < 0 && fib_pending_count(w) != 0 && fib_reclaim(w, UINT32_MAX) != 0)
		rc = fib_update(fib, idx, inherit, limit);
	if (++w->since_reclaim >= RECLAIM_EVERY)
		bh_fib_reclaim(fib);
	return rc;
}

static int
route_set(struct bh_fib *fib, struct fib_key key, uint8_t plen, uint32_t nh)
{
	struct fib_writer *w = fib->w;
	uint32_t idx, inherit, old;
	int rc;

	rc = rib_insert(&w->rib, key, plen, &idx, &inherit);
	if (rc < 0)
		return rc;
	old = w->rib.node[idx].nh;
	if (old == nh)
		return 0;
	rc = -ENOSPC;
	if (old != 0 || w->routes < w->max_routes) {
		w->rib.node[idx].nh = nh;
		rc = update(fib, idx, inherit, w->arena.max_units - w->reserve);
	}
	if (rc < 0) {
		w->rib.node[idx].nh = old;
		rib_prune(&w->rib, key, plen);
		return rc;
	}
	w->rib.node[idx].held = false;
	w->routes += old == 0;
	return 0;
}

/* Takes the route of RIB node `idx` away from the readers. */
static int
withdraw(struct bh_fib *fib, uint32_t idx, uint32_t inherit)
{
	struct fib_writer *w = fib->w;
	uint32_t old = w->rib.node[idx].nh;
	int rc;

	w->rib.node[idx].nh = 0;
	rc = update(fib, idx, inherit, w->arena.max_units);
	if (rc < 0)
		w->rib.node[idx].nh = old;
	else
		w->routes--;
	return rc;
}

static int
route_del(struct bh_fib *fib, struct fib_key key, uint8_t plen)
{
	struct fib_writer *w = fib->w;
	struct rib_node *n;
	uint32_t idx, inherit;
	int rc;

	idx = rib_find(&w->rib, key, plen, &inherit);
	if (idx == FIB_NIL)
		return -ENOENT;
	n = &w->rib.node[idx];
	if (n->nh == 0 && !n->held)
		return -ENOENT;
	rc = n->nh != 0 ? withdraw(fib, idx, inherit) : 0;
	if (rc < 0)
		return rc;
	n->held = false;
	rib_prune(&w->rib, key, plen);
	return 0;
}

static int
route_hold(struct bh_fib *fib, struct fib_key key, uint8_t plen)
{
	struct rib *rib = &fib->w->rib;
	uint32_t idx, inherit;
	int rc = rib_insert(rib, key, plen, &idx, &inherit);

	if (rc == 0 && rib->node[idx].nh != 0)
		rc = withdraw(fib, idx, inherit);
	if (rc < 0)
		return rc;
	rib->node[idx].held = true;
	return 0;
}

int
bh_fib_renew(struct bh_fib *fib, const void *prefix, uint8_t plen)
{
	struct fib_writer *w = fib->w;
	uint32_t idx, inherit;
	struct fib_key key;
	int rc;

	rc = key_parse(fib, prefix, plen, &key);
	if (rc < 0)
		return rc;
	idx = rib_find(&w->rib, key, plen, &inherit);
	if (idx == FIB_NIL || w->rib.node[idx].nh == 0)
		return -ENOENT;
	enter(w);
	rc = update(fib, idx, inherit, w->arena.max_units);
	leave(w);
	return rc;
}

int
bh_fib_set(struct bh_fib *fib, const void *prefix, uint8_t plen, uint32_t nh)
{
	struct fib_key key;
	int rc;

	rc = key_parse(fib, prefix, plen, &key);
	if (rc < 0 || nh == BH_FIB_NONE || nh > BH_FIB_NH_MAX)
		return -EINVAL;
	enter(fib->w);
	rc = route_set(fib, key, plen, nh);
	leave(fib->w);
	return rc;
}

/* Takes a prefix out of what readers see, one way or the other. */
static int
take_out(struct bh_fib *fib, const void *prefix, uint8_t plen,
	int (*how)(struct bh_fib *fib, struct fib_key key, uint8_t plen))
{
	struct fib_key key;
	int rc;

	rc = key_parse(fib, prefix, plen, &key);
	if (rc < 0)
		return rc;
	enter(fib->w);
	rc = how(fib, key, plen);
	leave(fib->w);
	return rc;
}

int
bh_fib_del(struct bh_fib *fib, const void *prefix, uint8_t plen)
{
	return take_out(fib, prefix, plen, route_del);
}

int
bh_fib_hold(struct bh_fib *fib, const void *prefix, uint8_t plen)
{
	return take_out(fib, prefix, plen, route_hold);
}

int
bh_fib_lookup_exact(const struct bh_fib *fib, const void *prefix, uint8_t plen, uint32_t *nh)
{
	const struct rib *rib = &fib->w->rib;
	struct fib_key key;
	uint32_t idx;
	int rc;

	rc = key_parse(fib, prefix, plen, &key);
	if (rc < 0)
		return rc;
	idx = rib_find(rib, key, plen, NULL);
	if (idx == FIB_NIL || rib->node[idx].nh == 0)
		return -ENOENT;
	if (nh != NULL)
		*nh = rib->node[idx].nh;
	return 0;
}

int
bh_fib_lookup_prefix(const struct bh_fib *fib, const void *addr, void *prefix, uint8_t *plen,
	uint32_t *nh)
{
	const struct rib_node *n;
	uint32_t idx;

	idx = rib_match(&fib->w->rib, key_load(fib, addr), fib->max_plen);
	if (idx == FIB_NIL)
		return -ENOENT;
	n = &fib->w->rib.node[idx];
	if (prefix != NULL)
		key_store(fib, n->key, prefix);
	if (plen != NULL)
		*plen = n->plen;
	if (nh != NULL)
		*nh = n->nh;
	return 0;
}

int
bh_fib_next(const struct bh_fib *fib, const void *prefix, uint8_t plen, bool self,
	struct bh_fib_prefix *out, unsigned int max)
{
	const struct rib *rib = &fib->w->rib;
	uint32_t idx[BH_FIB_NEXT_MAX];
	struct fib_key key;
	unsigned int n;
	int rc = key_parse(fib, prefix, plen, &key);

	if (rc < 0 || max > BH_FIB_NEXT_MAX)
		return -EINVAL;
	n = rib_next(rib, key, plen, self, idx, max);
	for (unsigned int i = 0; i < n; i++) {
		out[i] = (struct bh_fib_prefix){ .plen = rib->node[idx[i]].plen };
		key_store(fib, rib->node[idx[i]].key, out[i].addr);
	}
	return n;
}

static void
count_tree(const struct bh_fib *fib, uint32_t entry, struct bh_fib_stats *stats)
{
	const struct fib_node *node = fib_node(fib->chunk, entry);
	unsigned int n = __builtin_popcountll(node->runs);

	stats->nodes++;
	for (unsigned int i = 0; i < n; i++) {
		if (node->entry[i] & FIB_CHILD)
			count_tree(fib, node->entry[i], stats);
		else
			stats->leaves++;
	}
}

void
bh_fib_stats(const struct bh_fib *fib, struct bh_fib_stats *stats)
{
	const struct fib_writer *w = fib->w;
	const struct fib_arena *a = &w->arena;

	*stats = (struct bh_fib_stats){
		.routes = w->routes,
		.pending = fib_pending_count(w),
		.node_bytes = (uint64_t)a->used * FIB_UNIT,
		.fast_bytes = FIB_ROOT_SIZE * sizeof(*fib->root) + sizeof(*fib) +
			a->max_chunks * sizeof(fib->chunk[0]) +
			(uint64_t)a->nchunks * FIB_CHUNK_UNITS * FIB_UNIT,
		.rib_bytes = sizeof(*w) + w->rib.cap * sizeof(struct rib_node) +
			(uint64_t)a->nchunks * FIB_CHUNK_UNITS +
			a->max_chunks * sizeof(*a->state) +
			w->stores.cap * sizeof(struct fib_store) +
			(w->made.cap + w->stale.cap) * sizeof(uint32_t) +
			w->pending.cap * sizeof(struct fib_pending),
	};
	for (uint32_t i = 0; i < FIB_ROOT_SIZE; i++)
		if (fib->root[i] & FIB_CHILD)
			count_tree(fib, fib->root[i], stats);
}
