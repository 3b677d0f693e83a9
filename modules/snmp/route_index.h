/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The index of inetCidrRouteTable (RFC 4292): InetAddressType, InetAddress and prefix length of the
 * destination, policy, InetAddressType and InetAddress of the next hop. Its order is that of the
 * info base's walk (BH_V_NEXT), so any index is a place in the walk. Pure.
 */
#ifndef BH_SNMP_ROUTE_INDEX_H
#define BH_SNMP_ROUTE_INDEX_H

#include "infobase/schema.h"
#include "modules/snmp/rows.h"

/* A place in the walk: before the route of this prefix, or (!self) behind it. */
struct bh_route_place {
	uint8_t family; /* 4, then 6 */
	uint8_t plen;
	bool self;
	uint8_t addr[16];
};

/* < 0, 0, > 0 as prefix a stands before, at or behind b. */
int bh_route_compare(const struct bh_route_place *a, const struct bh_route_place *b);

/* The index of a route's row; hop: the member of its next hop, NULL: no gateway. */
void bh_route_index(const struct bh_route_place *prefix, const struct bh_nh_member *hop,
	struct bh_index *x);

/* The first prefix that has rows at or behind x, whatever x is: an index that no row can have, part
 * of one, or nothing. false: no prefix has. The place is one that the core takes: no bits behind its
 * length. */
bool bh_route_seek(const struct bh_index *x, struct bh_route_place *place);

/* Behind all of a family; false: that was the last. */
bool bh_route_next_family(struct bh_route_place *place);

#endif
