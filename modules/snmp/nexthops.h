/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The next hops by their ids, as the routes name them, their members in the order in which a route
 * MIB lists them. Kept by the changes of the mirror of `nexthop`. One thread.
 */
#ifndef BH_SNMP_NEXTHOPS_H
#define BH_SNMP_NEXTHOPS_H

#include "infobase/schema.h"
#include "modules/snmp/rows.h"

struct bh_snmp_nh {
	uint64_t digest; /* of its key */
	uint8_t type;	 /* enum bh_nh_type */
	uint8_t n;	 /* members; of several with the same address on a link of the same scope one */
	struct bh_nh_member m[];
};

struct bh_nexthops {
	struct bh_snmp_nh *by_id[BH_NH_MAX];
};

/* A record is new (was NULL), changed or gone (is NULL). 0 or -ENOMEM: then it is not known. */
int bh_nexthops_change(struct bh_nexthops *n, const struct bh_nexthop_key *key,
	const struct bh_nexthop *was, const struct bh_nexthop *is);
/* NULL: not known. Lives until the next change. */
const struct bh_snmp_nh *bh_nexthops_get(const struct bh_nexthops *n, uint32_t id);
void bh_nexthops_fini(struct bh_nexthops *n);

/* The index of a record in its mirror: a digest of 64 bits. */
void bh_nexthops_index(const struct bh_nexthop_key *key, struct bh_index *x);

/* InetAddressType and InetAddress with the zone where it takes one: of link-local addresses the
 * interface (RFC 4001 §3). */
void bh_index_scoped(struct bh_index *x, uint8_t family, const uint8_t *addr, uint32_t ifindex);

#endif
