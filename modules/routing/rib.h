/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RIB: for each prefix its candidates, best first, and what is to be installed.
 *
 * The best candidate is the first that resolves, in order of preference, protocol (local,
 * connected, then by number), metric, instance. What a candidate resolves to hangs on its
 * hop set, not on the candidate: see hopset.h.
 *
 * Changes only mark; bh_rib_commit() resolves the marked hop sets, selects anew for the
 * marked prefixes and hands the outcome to the output.
 */
#ifndef BH_ROUTING_RIB_H
#define BH_ROUTING_RIB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "modules/routing/hopset.h"
#include "modules/routing/iface.h"
#include "modules/routing/nexthops.h"
#include "modules/routing/output.h"
#include "modules/routing/key.h"
#include "modules/routing/source.h"
#include "modules/routing/trie.h"

struct bh_cand {
	struct bh_cand *next; /* of the prefix, in order of choice */
	struct bh_rib_route *route;
	struct bh_hopset *hopset;
	TAILQ_ENTRY(bh_cand) user; /* of the hop set */
	const struct bh_source *source;
	uint32_t epoch;
	uint32_t instance;
	struct bh_out_attr attr;
};

struct bh_rib_route {
	struct bh_out_route out;
	struct bh_prefix prefix;
	bool dirty;
	struct bh_cand *cands;
	TAILQ_ENTRY(bh_rib_route) link; /* of the marked ones */
};

struct bh_rib {
	struct bh_trie routes[2];   /* struct bh_rib_route; by bh_family_index() */
	struct bh_trie trackers[2]; /* struct bh_tracker */
	struct bh_htab hopsets;
	struct bh_nh_table nhs;
	struct bh_ifaces *ifaces;
	struct bh_output *out;
	TAILQ_HEAD(, bh_rib_route) dirty;
	TAILQ_HEAD(, bh_hopset) dirty_sets;
	uint32_t unsettled; /* hop sets in a loop of recursion, or beyond its depth */
};

void bh_rib_init(struct bh_rib *rib, struct bh_ifaces *ifaces, struct bh_output *out);
/* Frees everything; the output is gone or quiet. */
void bh_rib_fini(struct bh_rib *rib);

/* Another info base: all that was told the one before is to be told again. */
void bh_rib_restart(struct bh_rib *rib);

/* Marks a prefix: its choice may change. */
void bh_rib_mark(struct bh_rib *rib, struct bh_rib_route *r);

/* Takes up what changed of interfaces and candidates; returns how many prefixes were looked
 * at. */
unsigned int bh_rib_commit(struct bh_rib *rib);

/* The candidate that a prefix has at a level of resolution (hopset.h), or NULL. */
const struct bh_cand *bh_rib_active(const struct bh_rib_route *r, unsigned int level);

#endif
