/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FIB internals.
 *
 * Two structures. The writer's RIB is a path-compressed binary trie of the routes (rib.c). The
 * readers' FIB is built from it: a root of 2^18 entries indexed by the first 18 bits, below it
 * nodes of stride 6 (update.c builds, lookup.c reads). Both are for either family: an address is
 * 128 bits, IPv4 in the first 32.
 *
 *   entry   32 bits: a next-hop id, or BH_FIB_CHILD and the index of a node
 *   node    64-bit map `runs` and an array of entries. The node has 64 slots; bit s of `runs` is
 *           set where slot s differs from slot s - 1, and only those have an entry, so the entry
 *           of slot s is number popcount(runs & bits 0..s) - 1. No two slots share a child.
 *
 * The direct-pointing root, the stride and the popcount index are those of Poptrie (Asai and Ohara,
 * "Poptrie: A Compressed Trie with Population Count for Fast and Scalable Software IP Routing
 * Table Lookup", SIGCOMM 2015); the merging of equal neighbours is DXR's (Zec, Rizzo, Mikuc, CCR
 * 2012). Unlike Poptrie a node carries its entries, leaves and children alike, right behind its
 * map: a small node is one cache line, and a child is replaced by one store into its parent,
 * without moving its siblings. Routes are pushed to the leaves: a lookup ends at the first entry
 * that is not a child.
 *
 * Publication. `runs` of a reachable node never changes. An update builds new nodes aside, and
 * collects the stores of entries that make them reachable (or change values in place); only when
 * nothing can fail any more are the stores done, each a 32-bit release. A subtree changes by one
 * store; if several are needed (a short prefix over many slots) each covers other addresses. Nodes
 * that went out of use are freed when a QSBR token taken after the stores has been acknowledged.
 */
#ifndef BH_LIB_FIB_FIB_PRIV_H
#define BH_LIB_FIB_FIB_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

#include "lib/fib/fib.h"

#define FIB_ROOT_BITS 18
#define FIB_ROOT_SIZE (1u << FIB_ROOT_BITS)
#define FIB_STRIDE 6
#define FIB_SLOTS (1u << FIB_STRIDE)
#define FIB_CHILD 0x80000000u	/* in an entry: a node's index follows */
#define FIB_NIL UINT32_MAX

/* Nodes live in chunks that never move; a node's index counts units of 16 bytes. */
#define FIB_UNIT 16u
#define FIB_CHUNK_SHIFT 14
#define FIB_CHUNK_UNITS (1u << FIB_CHUNK_SHIFT)
#define FIB_ORDERS 6		/* blocks of 16 << order bytes: 16 to 512 */

struct fib_node {
	uint64_t runs;
	uint32_t entry[];
};

/* A growable array of the writer's. */
struct fib_vec {
	void *data;
	uint32_t len;
	uint32_t cap;
};

/* Make room for `n` elements of `size` bytes in all. Returns 0 or -ENOMEM. */
int fib_vec_reserve(struct fib_vec *v, uint32_t n, size_t size);

/* Buddy allocator of nodes, see arena.c. */
struct fib_arena {
	uint8_t **chunk;	/* the readers' table of chunks */
	uint8_t **state;	/* per chunk and unit: order + 1 where a free block begins */
	uint32_t nchunks;
	uint32_t max_chunks;
	uint32_t fresh;		/* units given out from the start of the last chunk */
	uint32_t used;		/* units, pending ones included */
	uint32_t max_units;
	uint32_t head[FIB_ORDERS];
	int socket_id;
};

int fib_arena_init(struct fib_arena *a, uint8_t **chunk, uint32_t max_units, int socket_id);
void fib_arena_fini(struct fib_arena *a);
/* A block of 16 << order bytes in `*idx`, `used` staying within `limit`. 0, -ENOSPC, -ENOMEM. */
int fib_arena_alloc(struct fib_arena *a, unsigned int order, uint32_t limit, uint32_t *idx);
void fib_arena_free(struct fib_arena *a, uint32_t idx, unsigned int order);

static inline void *
fib_unit(uint8_t *const *chunk, uint32_t idx)
{
	return chunk[idx >> FIB_CHUNK_SHIFT] + (size_t)(idx & (FIB_CHUNK_UNITS - 1)) * FIB_UNIT;
}

static inline struct fib_node *
fib_node(uint8_t *const *chunk, uint32_t entry)
{
	return fib_unit(chunk, entry & ~FIB_CHILD);
}

/* Number of the entry of `slot`. */
static inline unsigned int
fib_rank(uint64_t runs, unsigned int slot)
{
	return __builtin_popcountll(runs << (FIB_SLOTS - 1 - slot)) - 1;
}

/* Order of the block that holds a node of `n` entries. */
static inline unsigned int
fib_node_order(unsigned int n)
{
	unsigned int bytes = sizeof(struct fib_node) + n * sizeof(uint32_t);

	return bytes <= FIB_UNIT ? 0 : 32 - __builtin_clz((bytes - 1) / FIB_UNIT);
}

/* An address or prefix, the first bit being the most significant of `hi`. */
struct fib_key {
	uint64_t hi;
	uint64_t lo;
};

/* `n` bits (1 to 32) from bit `at` (0 to 127); bits past the end are 0. */
static inline uint32_t
fib_key_bits(struct fib_key k, unsigned int at, unsigned int n)
{
	unsigned __int128 v = (unsigned __int128)k.hi << 64 | k.lo;

	return (uint32_t)((v << at) >> (128 - n));
}

/* The writer's routes, see rib.c. Nodes are named by index: the array may move. */
struct rib_node {
	struct fib_key key;
	uint32_t child[2];
	uint32_t nh;		/* 0: readers see no route */
	uint8_t plen;
	bool held;		/* nh 0, but no mere branching point: a prefix that is kept */
};

/* A node above the last inserted one, and the next hop that what is below it inherits. */
struct rib_step {
	uint32_t idx;
	uint32_t inherit;
};

struct rib {
	struct rib_node *node;
	uint32_t cap;
	uint32_t len;		/* nodes ever used */
	uint32_t free;		/* list through child[0] */
	uint32_t root;
	uint32_t depth;		/* steps to the last inserted node, which is not one of them */
	struct fib_key last;	/* its prefix */
	struct rib_step path[128];
};

/* `nh` of a node is changed only after its rib_insert() or before its rib_prune(). */
void rib_init(struct rib *rib);
void rib_fini(struct rib *rib);
/*
 * The node of exactly this prefix, made with nh 0 if there is none, in `*idx`; `*inherit` gets the
 * next hop of the longest route that is shorter and covers it. Returns 0 or -ENOMEM.
 */
int rib_insert(struct rib *rib, struct fib_key key, uint8_t plen, uint32_t *idx, uint32_t *inherit);
/* The same without making it: FIB_NIL if there is none. `inherit` may be NULL. */
uint32_t rib_find(const struct rib *rib, struct fib_key key, uint8_t plen, uint32_t *inherit);
/* Longest route that covers `key`, at most `max` bits long; FIB_NIL if there is none. */
uint32_t rib_match(const struct rib *rib, struct fib_key key, uint8_t max);
/* Take out the node of this prefix, whose nh is 0, unless it is held or branches. */
void rib_prune(struct rib *rib, struct fib_key key, uint8_t plen);
/*
 * Nodes with a route and held ones from this prefix on (itself: if `self`), by address and then
 * length: up to `max`. Returns how many; fewer than `max`: there are no more.
 */
unsigned int rib_next(const struct rib *rib, struct fib_key key, uint8_t plen, bool self,
	uint32_t *idx, unsigned int max);

/* Stores that publish an update: `n` entries from `where` on get `value`. */
struct fib_store {
	uint32_t *where;
	uint32_t n;
	uint32_t value;
};

struct fib_pending {
	uint64_t token;
	uint32_t idx;
};

/* What only the writer touches. */
struct fib_writer {
	struct rib rib;
	struct fib_arena arena;
	struct rte_rcu_qsbr *qsbr;
	uint32_t reserve;		/* units that only deletions may take */
	uint32_t routes;
	uint32_t max_routes;
	/* The update under way. */
	uint32_t subject;		/* RIB node that changes */
	uint32_t limit;			/* of arena.used */
	int err;			/* first failure: nothing will be published */
	struct fib_vec stores;		/* struct fib_store */
	struct fib_vec made;		/* uint32_t, nodes to free if it fails */
	struct fib_vec stale;		/* uint32_t, nodes to retire if it succeeds */
	/* Nodes in their grace period, oldest first, from `pending_head` on. */
	struct fib_vec pending;		/* struct fib_pending */
	uint32_t pending_head;
	uint32_t since_reclaim;		/* updates */
	int busy;			/* debug builds: an update is under way */
	char name[32];
};

/* The readers' part; read-only to them, and changed only by create. */
struct bh_fib {
	uint32_t *root;
	struct fib_writer *w;
	uint8_t family;
	uint8_t max_plen;
	uint8_t *chunk[];
} __rte_cache_aligned;

/*
 * Rebuild what the RIB node `idx` covers, its next hop having changed; `inherit` is rib_insert()'s.
 * Allocations keep arena.used within `limit`. Returns 0, or an error with nothing published.
 */
int fib_update(struct bh_fib *fib, uint32_t idx, uint32_t inherit, uint32_t limit);

/* Grace periods, reclaim.c. Room for `n` more is made first, so that retiring cannot fail. */
int fib_retire_reserve(struct fib_writer *w, uint32_t n);
void fib_retire(struct fib_writer *w, const uint32_t *idx, uint32_t n);
/* Free at most `max` nodes whose grace period has ended; returns how many it freed. */
uint32_t fib_reclaim(struct fib_writer *w, uint32_t max);
/* Give a node that no reader sees back to the arena. */
void fib_node_free(struct fib_writer *w, uint32_t idx);

static inline uint32_t
fib_pending_count(const struct fib_writer *w)
{
	return w->pending.len - w->pending_head;
}

#endif
