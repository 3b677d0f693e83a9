/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FIB: longest prefix match for the fast path, IPv4 and IPv6.
 *
 * One writer, any number of lock-free readers. Values are next-hop ids, 24 bits; 0 means "no
 * route". fib_priv.h tells how it is made.
 *
 * Threads. "Writer" below is the one thread (the worker lcore of the table) that may call that
 * function on a FIB; the role may be handed over, but two writers may never overlap. "Reader" is
 * any thread that is registered and online in the FIB's QSBR variable and reports a quiescent
 * state only between lookups.
 */
#ifndef BH_LIB_FIB_FIB_H
#define BH_LIB_FIB_FIB_H

#include <stdbool.h>
#include <stdint.h>

struct rte_rcu_qsbr;
struct bh_fib;

#define BH_FIB_NONE 0		/* lookup result: no route */
#define BH_FIB_NH_MAX 0xffffff	/* greatest next-hop id */

enum bh_fib_family {
	BH_FIB_IP4 = 4,
	BH_FIB_IP6 = 6,
};

struct bh_fib_conf {
	const char *name;	/* for messages; copied */
	int family;		/* enum bh_fib_family */
	uint32_t max_routes;	/* 1 to 2^28 */
	uint32_t max_nodes;	/* ceiling of node memory in 64 bytes; 0: from max_routes */
	int socket_id;		/* NUMA node of the readers' memory, or SOCKET_ID_ANY */
	struct rte_rcu_qsbr *qsbr; /* readers; must outlive the FIB. NULL: frees are immediate */
};

struct bh_fib_stats {
	uint32_t routes;
	uint32_t nodes;		/* live nodes, those in their grace period left out */
	uint32_t leaves;	/* entries of live nodes that are not references to nodes */
	uint32_t pending;	/* nodes that wait for the end of their grace period */
	uint64_t node_bytes;	/* taken by nodes, pending ones included */
	uint64_t fast_bytes;	/* memory that readers may touch: root, chunks, chunk table */
	uint64_t rib_bytes;	/* the writer's own memory: routes, reference counts, queues */
};

/*
 * Make an empty FIB. EAL must be up. Node memory is taken from the EAL heap in chunks of 256 KiB
 * as routes need it and given back by bh_fib_destroy() only.
 * Returns NULL with errno EINVAL (bad configuration) or ENOMEM.
 */
struct bh_fib *bh_fib_create(const struct bh_fib_conf *conf);

/* Free a FIB that no reader can reach any more (the caller has waited). NULL is allowed. */
void bh_fib_destroy(struct bh_fib *fib);

/*
 * Writer: add a route or replace its next hop. `prefix` is 4 or 16 bytes in network order.
 * Readers see, for each address, the old answer or the new one, and for addresses whose answer
 * does not change that answer all the time.
 * Returns 0; -EINVAL (length, host bits set, nh 0 or too great); -ENOSPC (max_routes or node
 * memory used up; if stats.pending is not 0 it may pass after a grace period); -ENOMEM (the EAL
 * heap or the process is out of memory). On error the FIB is unchanged.
 */
int bh_fib_set(struct bh_fib *fib, const void *prefix, uint8_t plen, uint32_t nh);

/*
 * Writer: keep the prefix without a route: readers do not see it, lookups do not find it, but
 * bh_fib_next() tells of it. One with a route loses it. bh_fib_set() gives it one (again),
 * bh_fib_del() ends it. Returns 0; -EINVAL; -ENOMEM; for one with a route what bh_fib_del() may
 * return. On error the FIB is unchanged.
 */
int bh_fib_hold(struct bh_fib *fib, const void *prefix, uint8_t plen);

/*
 * Writer: delete a route, or a prefix that is held, which cannot fail. Returns 0; -EINVAL; -ENOENT.
 * A deletion may have to split a node: a
 * sixteenth of the node memory is kept for that, out of bh_fib_set()'s reach. Should even that be
 * used up: -ENOSPC or -ENOMEM, the FIB unchanged, the route still there.
 */
int bh_fib_del(struct bh_fib *fib, const void *prefix, uint8_t plen);

/* Writer: next hop of exactly this route. Returns 0; -EINVAL; -ENOENT. `nh` may be NULL. */
int bh_fib_lookup_exact(const struct bh_fib *fib, const void *prefix, uint8_t plen, uint32_t *nh);

/*
 * Writer: the longest route that covers `addr`: its prefix (4 or 16 bytes), length and next hop.
 * Each result pointer may be NULL. Returns 0 or -ENOENT.
 */
int bh_fib_lookup_prefix(const struct bh_fib *fib, const void *addr, void *prefix, uint8_t *plen,
	uint32_t *nh);

struct bh_fib_prefix {
	uint8_t addr[16]; /* IPv4: the first 4, the rest 0 */
	uint8_t plen;
};

/*
 * Writer: prefixes with a route and held ones, in order: by address, byte by byte, then by length.
 * Those that come after this prefix, with `self` from it on if it is one of them; up to `max` in
 * `out`. The prefix need not be there, but must have no bits behind its length. The cost is that
 * of one lookup and of less than two steps a prefix. Returns how many, fewer than `max`: there are
 * no more; or -EINVAL.
 */
#define BH_FIB_NEXT_MAX 64
int bh_fib_next(const struct bh_fib *fib, const void *prefix, uint8_t plen, bool self,
	struct bh_fib_prefix *out, unsigned int max);
/* ---- the writer's own check (audit.c): is what readers find what the routes say? ---- */

/* Writer: number of routes. */
uint32_t bh_fib_count(const struct bh_fib *fib);

/*
 * Writer: the route at a place, 0 and on, in no order; a route keeps its place while it lives.
 * `prefix` has room for 4 or 16 bytes. Returns 0; -ENOENT: there is none; -ERANGE: nor at any
 * later place.
 */
int bh_fib_at(const struct bh_fib *fib, uint32_t place, void *prefix, uint8_t *plen,
	uint32_t *nh);

/* Writer: whether lookups of the first and the last address of the prefix find what the routes
 * say of these. */
bool bh_fib_agrees(const struct bh_fib *fib, const void *prefix, uint8_t plen);

/* Writer: make anew what readers see of this route where it is the longest match. As bh_fib_set();
 * -ENOENT. */
int bh_fib_renew(struct bh_fib *fib, const void *prefix, uint8_t plen);

/*
 * Writer: free nodes whose grace period has ended, a bounded number a call. Never waits. To be
 * called once a housekeeping turn; updates call it now and then too.
 * Returns the number of nodes that still wait.
 */
uint32_t bh_fib_reclaim(struct bh_fib *fib);

/* Writer: figures of the FIB. Walks all nodes: for a person, not for a packet. */
void bh_fib_stats(const struct bh_fib *fib, struct bh_fib_stats *stats);

/* Reader: next hop of one address (IPv4 in network order), BH_FIB_NONE if there is no route. */
uint32_t bh_fib_lookup4(const struct bh_fib *fib, uint32_t dst_be);
uint32_t bh_fib_lookup6(const struct bh_fib *fib, const uint8_t *dst);

/*
 * Reader: next hops of `n` addresses; wait-free. IPv4 addresses in network order; IPv6 ones by
 * pointer (any alignment), so that they may stay in the packets. The family must be the FIB's.
 */
void bh_fib_lookup_bulk4(const struct bh_fib *fib, const uint32_t *dst_be, uint32_t *nh,
	unsigned int n);
void bh_fib_lookup_bulk6(const struct bh_fib *fib, const uint8_t *const *dst, uint32_t *nh,
	unsigned int n);

#endif
