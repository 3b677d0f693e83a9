/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/forwarding/flow.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "app/forwarding/packet.h"

#define IP4_FRAGMENT 0x3fff	/* more fragments, offset */
#define IP6_FRAGMENT 0xfff9	/* offset, more fragments */
#define IP6_FLOW_LABEL 0x000fffff
#define PROTO_HIP 139
#define PROTO_SHIM6 140

/* Bijective mix of all bits into all bits: xor-shifts and odd multipliers. */
static inline uint32_t
mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x7feb352d;
	h ^= h >> 15;
	h *= 0x846ca68b;
	return h ^ h >> 16;
}

static inline uint64_t
load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline bool
has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
		proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

/* Both ports, at `off` behind the Ethernet header; 0 when they are not in the first segment. */
static inline uint32_t
ports(const struct rte_mbuf *m, uint32_t off)
{
	uint32_t v;

	if (off + sizeof(v) > bh_pkt_l3_room(m))
		return 0;
	memcpy(&v, rte_pktmbuf_mtod_offset(m, const char *, BH_ETH_HDR + off), sizeof(v));
	return v;
}

uint32_t
bh_flow_hash4(const struct rte_mbuf *m, uint32_t seed)
{
	const struct rte_ipv4_hdr *ip = bh_pkt_ip4(m);
	uint64_t tail = (uint64_t)ip->next_proto_id << 32;
	uint32_t h;

	if (has_ports(ip->next_proto_id) &&
			(ip->fragment_offset & RTE_BE16(IP4_FRAGMENT)) == 0)
		tail |= ports(m, (ip->version_ihl & 0xf) * 4);
	h = rte_hash_crc_8byte(load64(&ip->src_addr), seed);
	return mix(rte_hash_crc_8byte(tail, h));
}

/* Bytes of an extension header that more headers follow; 0: what follows is no such header. */
static uint32_t
ext_len(uint8_t proto, const uint8_t *p)
{
	switch (proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return (p[1] + 1) * 8;
	case IPPROTO_AH:
		return (p[1] + 2) * 4;
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static bool
is_fragment(uint8_t proto, const uint8_t *p)
{
	return proto == IPPROTO_FRAGMENT && ((p[2] << 8 | p[3]) & IP6_FRAGMENT) != 0;
}

/*
 * Walks to the upper-layer header (RFC 8200 §4.1), at most BH_FLOW_EXT_MAX headers and within
 * the first segment. Returns the protocol where it ended and in *l4 the ports, or 0.
 */
static uint8_t
walk(const struct rte_mbuf *m, uint32_t *l4)
{
	uint32_t room = bh_pkt_l3_room(m), off = sizeof(struct rte_ipv6_hdr), len;
	uint8_t proto = bh_pkt_ip6(m)->proto;
	const uint8_t *p;

	*l4 = 0;
	for (int i = 0; i < BH_FLOW_EXT_MAX && !has_ports(proto) && off + 8 <= room; i++) {
		p = rte_pktmbuf_mtod_offset(m, const uint8_t *, BH_ETH_HDR + off);
		len = ext_len(proto, p);
		if (len == 0)
			return proto;
		if (is_fragment(proto, p))
			return p[0];
		proto = p[0];
		off += len;
	}
	if (has_ports(proto))
		*l4 = ports(m, off);
	return proto;
}

uint32_t
bh_flow_hash6(const struct rte_mbuf *m, uint32_t seed)
{
	const struct rte_ipv6_hdr *ip = bh_pkt_ip6(m);
	uint32_t l4, h, label = ip->vtc_flow & RTE_BE32(IP6_FLOW_LABEL);
	uint8_t proto = walk(m, &l4);

	h = rte_hash_crc_8byte(load64(ip->src_addr), seed);
	h = rte_hash_crc_8byte(load64(ip->src_addr + 8), h);
	h = rte_hash_crc_8byte(load64(ip->dst_addr), h);
	h = rte_hash_crc_8byte(load64(ip->dst_addr + 8), h);
	h = rte_hash_crc_8byte((uint64_t)label << 32 | proto, h);
	return mix(rte_hash_crc_4byte(l4, h));
}
