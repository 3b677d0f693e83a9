/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow hash for ECMP: addresses, protocol, ports; the flow label in IPv6 (RFC 6438). CRC32C
 * over the fields, which is linear, then a finalizer that is not, so that the high bits that choose
 * a member depend on all bits even when addresses are near one another. The seed keeps routers in a
 * row from making the same choice.
 *
 * Ports are read only from unfragmented packets, so that all fragments of a datagram take one
 * way, and only when they lie in the first segment.
 */
#ifndef BH_FORWARDING_FLOW_H
#define BH_FORWARDING_FLOW_H

#include <stdint.h>

#include <rte_mbuf.h>

#define BH_FLOW_EXT_MAX 8 /* IPv6 extension headers that are looked behind */

/* Hash of a packet whose header was checked. Pure; any lcore. */
uint32_t bh_flow_hash4(const struct rte_mbuf *m, uint32_t seed);
uint32_t bh_flow_hash6(const struct rte_mbuf *m, uint32_t seed);

/* Member of `n` for a hash, by its high bits. */
static inline unsigned int
bh_flow_pick(uint32_t hash, unsigned int n)
{
	return ((uint64_t)hash * n) >> 32;
}

#endif
