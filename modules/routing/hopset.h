/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hop sets: the hops of a candidate, by content, and what they resolve to.
 *
 * Candidates with equal hops share a hop set, so a change of an interface or of a covering
 * route is worked out once, whatever the number of routes. A set is marked when an interface
 * of its hops changes, or a candidate comes to or leaves a prefix that covers a recursive
 * hop's address (found through the tracker of that address).
 *
 * Recursion is worked out in levels. At level 0 only hops that need no other route resolve; at
 * level k a recursive hop resolves through the routes as they were at level k - 1. Each level
 * is a function of the one below only, so the outcome depends neither on the order of changes
 * nor on loops: two routes that rest on each other alone never rise from level 0. A set that
 * still changes at the last level is in a loop or deeper than BH_RECURSION_MAX; of it only the
 * hops without recursion are used.
 *
 * A recursive hop takes the longest match that has an active route, except the default route
 * (as FRR without `ip nht resolve-via-default`) and routes that use this very hop set, which
 * cannot help to resolve it. Through a group it takes the members; through a connected or
 * attached route it becomes a neighbor on that interface; through a blackhole, unreachable or
 * prohibit route it adds no member, but if nothing else is left the set becomes that; through a
 * local one it does not resolve.
 */
#ifndef BH_ROUTING_HOPSET_H
#define BH_ROUTING_HOPSET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infobase/schema.h"
#include "lib/hash/hash.h"
#include "modules/routing/key.h"

#define BH_RECURSION_MAX 4 /* recursive lookups in a chain */
#define BH_LEVELS (BH_RECURSION_MAX + 2)

struct bh_rib;
struct bh_cand;
struct bh_nh;
struct bh_hopset;

/* An address that hops resolve recursively: one in the tracker trie, as a host prefix. */
struct bh_tracker {
	struct bh_prefix host;
	TAILQ_HEAD(, bh_hop) hops;
};

struct bh_hop {
	struct bh_cfg_hop cfg;
	struct bh_hopset *set;
	struct bh_iface *iface;	    /* it leaves by this one; NULL: recursive */
	struct bh_tracker *tracker; /* of a recursive one; NULL: it can never resolve */
	TAILQ_ENTRY(bh_hop) link;   /* of the interface or tracker */
};

struct bh_hopset {
	struct bh_hnode node;
	uint8_t family; /* of the routes that use it */
	uint8_t type;	/* enum bh_nh_type: GROUP with hops, else special without */
	uint8_t n;
	bool recursive;
	bool marked;
	bool unsettled;
	uint8_t from;		     /* lowest level to work out again; valid when marked */
	TAILQ_ENTRY(bh_hopset) link; /* of the marked ones */
	TAILQ_HEAD(, bh_cand) users;
	struct bh_nh *res[BH_LEVELS]; /* by level, NULL: unresolved; only [0] if not recursive */
	struct bh_hop hop[];
};

/* The hop set of that content, made and marked if new. It lives while it has users. hops: at
 * most BH_ECMP_MAX. */
struct bh_hopset *bh_hopset_intern(struct bh_rib *rib, uint8_t family, uint8_t type,
	const struct bh_cfg_hop *hops, unsigned int n);

/* A candidate begins or ends to use it; with the last user it is freed. */
void bh_hopset_use(struct bh_hopset *h, struct bh_cand *c);
void bh_hopset_leave(struct bh_rib *rib, struct bh_hopset *h, struct bh_cand *c);

/* Marks it: work it out again from that level on. */
void bh_hopset_mark(struct bh_rib *rib, struct bh_hopset *h, unsigned int level);

/* ---- resolve.c ---- */

/* Marks the hop sets whose resolution may pass through this prefix. */
void bh_resolve_touch(struct bh_rib *rib, const struct bh_prefix *p, unsigned int level);

/* Works out the marked hop sets and marks the prefixes of those that changed. */
void bh_resolve_run(struct bh_rib *rib);

/* What the set resolves to at a level; NULL: unresolved. */
struct bh_nh *bh_hopset_at(const struct bh_hopset *h, unsigned int level);

/* What its users install; NULL: unresolved. */
struct bh_nh *bh_hopset_final(const struct bh_hopset *h);

#endif
