/* SPDX-License-Identifier: BSD-3-Clause */
/* Arithmetic on headers: pure, inline, for any thread that owns the packet. */
#ifndef BH_FORWARDING_PACKET_H
#define BH_FORWARDING_PACKET_H

#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "app/forwarding/tables.h"

static inline struct rte_ipv4_hdr *
bh_pkt_ip4(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, BH_ETH_HDR);
}

static inline struct rte_ipv6_hdr *
bh_pkt_ip6(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv6_hdr *, BH_ETH_HDR);
}

/* By the Ethernet type; 0: not IP. The frame has a whole Ethernet header. */
static inline uint8_t
bh_pkt_family(const struct rte_mbuf *m)
{
	uint16_t type;

	memcpy(&type, rte_pktmbuf_mtod(m, const uint8_t *) + BH_ETH_HDR - sizeof(type), sizeof(type));
	return type == RTE_BE16(0x0800) ? 4 : type == RTE_BE16(0x86dd) ? 6 : 0;
}

/* Bytes behind the Ethernet header: of the packet, and of its first segment. */
static inline uint32_t
bh_pkt_l3_len(const struct rte_mbuf *m)
{
	return m->pkt_len - BH_ETH_HDR;
}

static inline uint32_t
bh_pkt_l3_room(const struct rte_mbuf *m)
{
	return (uint32_t)m->data_len - BH_ETH_HDR;
}

/* Whether the frame came to a multicast or broadcast MAC. */
static inline bool
bh_pkt_is_group_frame(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod(m, const uint8_t *) & 1;
}

static inline uint64_t
bh_load32(const void *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Ones' complement sum of a header of `len` bytes, a multiple of 4 from 20; 0xffff when its
 * checksum is right (RFC 1071). */
static inline uint16_t
bh_ip4_sum(const void *hdr, unsigned int len)
{
	const uint8_t *p = hdr;
	uint64_t sum = bh_load32(p) + bh_load32(p + 4) + bh_load32(p + 8) + bh_load32(p + 12) +
		bh_load32(p + 16);

	for (unsigned int i = 20; unlikely(i < len); i += 4)
		sum += bh_load32(p + i);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * One hop: TTL - 1 and the checksum by difference (RFC 1624 eqn. 3; the word with the TTL falls
 * by 0x0100, so the complement's sum grows by it, the carry added back).
 */
static inline void
bh_ip4_hop(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = (uint32_t)ip->hdr_checksum + RTE_BE16(0x0100);

	ip->hdr_checksum = sum + (sum >= 0xffff);
	ip->time_to_live--;
}

/* The same for a chain of segments: those behind the end are freed. */
static inline void
bh_pkt_cut_chain(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *seg = m;
	uint32_t keep = len;

	for (m->nb_segs = 1; seg->data_len < keep && seg->next != NULL; m->nb_segs++) {
		keep -= seg->data_len;
		seg = seg->next;
	}
	seg->data_len = keep;
	m->pkt_len = len;
	rte_pktmbuf_free(seg->next);
	seg->next = NULL;
}

/* Cuts Ethernet padding: `len` bytes behind the Ethernet header stay, at most as many as are. */
static inline void
bh_pkt_trim(struct rte_mbuf *m, uint32_t len)
{
	if (likely(bh_pkt_l3_len(m) == len))
		return;
	if (unlikely(m->nb_segs > 1)) {
		bh_pkt_cut_chain(m, len + BH_ETH_HDR);
		return;
	}
	m->data_len = len + BH_ETH_HDR;
	m->pkt_len = m->data_len;
}

#endif
