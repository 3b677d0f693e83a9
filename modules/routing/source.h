/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a source of routes (addresses, static configuration, later FPM) tells the RIB. A
 * source knows nothing of next hops and outputs: it offers candidates and takes them back. A
 * candidate is known by source, prefix and instance.
 *
 * A source that starts over calls bh_source_resync(), offers all that it still has, then
 * bh_source_synced(): candidates not offered again are dropped, the others never left.
 * Nothing is seen outside before bh_rib_commit().
 */
#ifndef BH_ROUTING_SOURCE_H
#define BH_ROUTING_SOURCE_H

#include <stdint.h>

#include "infobase/schema.h"
#include "modules/routing/key.h"

struct bh_rib;

struct bh_source {
	struct bh_rib *rib;
	uint8_t proto;	/* enum bh_route_proto */
	uint32_t epoch; /* candidates of another epoch are stale */
};

/* One candidate as offered; hops are copied. */
struct bh_source_route {
	struct bh_prefix prefix;
	uint32_t instance;   /* tells candidates of one source and prefix apart; lower wins a tie */
	uint16_t preference; /* administrative distance, lower wins */
	uint8_t sub;
	uint8_t type;	 /* enum bh_nh_type: GROUP with hops, else special without */
	uint32_t metric; /* lower wins among equal preference and protocol */
	uint8_t n;
	const struct bh_cfg_hop *hops;
};

void bh_source_init(struct bh_source *s, struct bh_rib *rib, uint8_t proto);

/* Offers or replaces a candidate. -EINVAL: more than BH_ECMP_MAX hops, or no such type. */
int bh_source_add(struct bh_source *s, const struct bh_source_route *r);

/* Takes a candidate back; -ENOENT. */
int bh_source_delete(struct bh_source *s, const struct bh_prefix *p, uint32_t instance);

void bh_source_resync(struct bh_source *s);
void bh_source_synced(struct bh_source *s);

#endif
