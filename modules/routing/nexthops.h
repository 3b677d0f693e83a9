/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops by content: what routes resolve to. Equal content is one object, so 100,000 routes
 * through one gateway share one, and comparing two resolutions is comparing two pointers. As
 * the `nexthop` table is keyed by the same content, the object lasts from life to life of the
 * module under the same id.
 */
#ifndef BH_ROUTING_NEXTHOPS_H
#define BH_ROUTING_NEXTHOPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infobase/schema.h"
#include "modules/routing/hash.h"

struct bh_output;

/* Where a next hop stands in the info base. */
enum bh_nh_state {
	BH_NH_ABSENT,
	BH_NH_ADDING, /* asked for, id not told yet */
	BH_NH_LIVE,   /* there, under `id` */
	BH_NH_DELETING,
	BH_NH_REFUSED, /* the info base did not take it */
};

TAILQ_HEAD(bh_out_list, bh_out_route);

struct bh_nh {
	struct bh_hnode node;
	struct bh_nh_table *table;
	uint32_t refs;	   /* all holders */
	uint32_t out_refs; /* of these, routes that want it or that the info base may hold */
	uint32_t id;
	uint8_t state; /* enum bh_nh_state */
	bool queued;   /* on output's list of next hops to see to */
	struct bh_output *out;
	TAILQ_ENTRY(bh_nh) link;
	struct bh_out_list waiters; /* routes that wait for its id, or for its deletion to end */
	struct bh_nexthop_key key;
};

struct bh_nh_table {
	struct bh_htab tab;
};

/* The next hop of this content, with one more reference, the caller's. key: canonical
 * (bh_nh_key_canon()), unused members zero. */
struct bh_nh *bh_nh_intern(struct bh_nh_table *t, const struct bh_nexthop_key *key);

struct bh_nh *bh_nh_ref(struct bh_nh *nh);
/* Gives a reference back; NULL is nothing. The last frees it. */
void bh_nh_unref(struct bh_nh *nh);

/*
 * Makes the GROUP of n members canonical: sorted bytewise, members of equal interface and
 * address joined (weights add up, at most 255), cut to the first BH_ECMP_MAX, the weight of a
 * single one 1. m is reordered.
 */
void bh_nh_key_canon(struct bh_nexthop_key *key, struct bh_nh_member *m, unsigned int n);

/* Calls fn for every next hop, which it may not free nor add to. */
void bh_nh_walk(struct bh_nh_table *t, void (*fn)(void *arg, struct bh_nh *nh), void *arg);

/* Frees the table and what is left in it (requests may still refer to some). */
void bh_nh_table_fini(struct bh_nh_table *t);

#endif
