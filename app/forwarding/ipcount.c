/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is counted for packets that do not simply pass: RFC 4293's errors and discards, groups, and
 * the stack's own. A reason of a drop counts in one of them, at the interface by which the packet came
 * in; one of the router's own that finds no way counts as discarded, or without a route, at none
 * (ifindex 0). What did not fit the way out is counted where that is known, at the way out.
 */
#include "app/forwarding/ipcount.h"
#include "app/forwarding/packet.h"

#define NOT_HERE BH_IP_COUNTERS

static enum bh_ip_counter
in_counter(enum bh_drop why)
{
	switch (why) {
	case BH_DROP_IP4_BAD_VERSION:
	case BH_DROP_IP4_BAD_LENGTH:
	case BH_DROP_IP4_BAD_CHECKSUM:
	case BH_DROP_IP4_TTL_EXPIRED:
	case BH_DROP_IP6_BAD_VERSION:
	case BH_DROP_IP6_HOP_LIMIT_EXPIRED:
		return BH_IP_IN_HDR_ERRORS;
	case BH_DROP_IP4_TRUNCATED:
	case BH_DROP_IP6_TRUNCATED:
	case BH_DROP_IP6_BAD_LENGTH:
		return BH_IP_IN_TRUNCATED;
	case BH_DROP_IP4_MARTIAN_SOURCE:
	case BH_DROP_IP4_MARTIAN_DESTINATION:
	case BH_DROP_IP6_MARTIAN_SOURCE:
	case BH_DROP_IP6_MARTIAN_DESTINATION:
	case BH_DROP_FORWARDING_DISABLED:
		return BH_IP_IN_ADDR_ERRORS;
	case BH_DROP_IP4_NO_ROUTE:
	case BH_DROP_IP6_NO_ROUTE:
	case BH_DROP_NEXTHOP_DEAD:
	case BH_DROP_NEXTHOP_UNREACHABLE:
	case BH_DROP_OUT_INTERFACE_DOWN:
		return BH_IP_IN_NO_ROUTES;
	case BH_DROP_IP4_MTU_EXCEEDED:
	case BH_DROP_IP4_FRAGMENT_FAILED:
	case BH_DROP_IP6_TOO_BIG:
		return NOT_HERE;
	default:
		return BH_IP_IN_DISCARDS;
	}
}

/* IPv4 tells by one reason of a header that makes no sense and of a packet that lacks its end. */
static bool
lacks_its_end(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = bh_pkt_ip4(m);
	unsigned int hdr_len = (ip->version_ihl & 0xf) * 4;
	unsigned int total = rte_be_to_cpu_16(ip->total_length);

	return hdr_len >= sizeof(*ip) && total >= hdr_len && total > bh_pkt_l3_len(m);
}

static void
count_own(struct bh_fwd_lcore *lc, uint8_t family, enum bh_ip_counter counter)
{
	uint64_t *c = bh_ip_counters(lc, family, 0);

	bh_count(&c[BH_IP_OUT_REQUESTS], 1);
	bh_count(&c[counter == BH_IP_IN_NO_ROUTES ? BH_IP_OUT_NO_ROUTES : BH_IP_OUT_DISCARDS], 1);
}

void
bh_ip_dropped(struct bh_fwd_lcore *lc, const struct bh_burst *b, const struct rte_mbuf *m,
	enum bh_drop why)
{
	enum bh_ip_counter counter = in_counter(why);

	if (why == BH_DROP_IP4_BAD_LENGTH && lacks_its_end(m))
		counter = BH_IP_IN_TRUNCATED;
	if (counter == NOT_HERE)
		return;
	if (b->origin == BH_FROM_SELF)
		count_own(lc, b->family, counter);
	else
		bh_count(&bh_ip_counters(lc, b->family, b->ifindex)[counter], 1);
}

void
bh_drop_ip(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, enum bh_drop why)
{
	bh_ip_dropped(lc, b, m, why);
	bh_drop_rx(lc, b->ifindex, m, why);
}

void
bh_drop_tx(struct bh_fwd_lcore *lc, uint16_t ifindex, struct rte_mbuf **m, unsigned int n,
	enum bh_drop why)
{
	for (unsigned int i = 0; i < n; i++) {
		uint8_t family = bh_pkt_family(m[i]);

		if (family != 0)
			bh_count(&bh_ip_counters(lc, family, ifindex)[BH_IP_OUT_DISCARDS], 1);
	}
	bh_count(&lc->stats->drop[why], n);
	bh_count(&lc->stats->ifs[ifindex].tx_drops, n);
	rte_pktmbuf_free_bulk(m, n);
}

/* To 255.255.255.255; whether an address is a network's broadcast only its neighbors know. */
static bool
is_broadcast(const struct rte_mbuf *m, uint8_t family)
{
	return family == BH_IP4 && bh_pkt_ip4(m)->dst_addr == UINT32_MAX;
}

void
bh_ip_group(struct bh_fwd_lcore *lc, uint16_t ifindex, const struct rte_mbuf *m,
	enum bh_ip_counter mcast)
{
	uint8_t family = bh_pkt_family(m);
	uint64_t *c = bh_ip_counters(lc, family, ifindex);

	if (is_broadcast(m, family)) {
		bh_count(&c[mcast == BH_IP_IN_MCAST ? BH_IP_IN_BCAST : BH_IP_OUT_BCAST], 1);
		return;
	}
	bh_count(&c[mcast], 1);
	bh_count(&c[mcast + 1], bh_pkt_l3_len(m)); /* the octets stand behind */
}

static bool
has_header(const struct rte_mbuf *m, uint8_t family)
{
	return bh_pkt_l3_room(m) >= (family == BH_IP4 ? sizeof(struct rte_ipv4_hdr) :
		sizeof(struct rte_ipv6_hdr));
}

static bool
is_multicast(const struct rte_mbuf *m, uint8_t family)
{
	return family == BH_IP4 ? bh_ip4_is_multicast(bh_pkt_ip4(m)->dst_addr) :
		bh_ip6_is_multicast(bh_pkt_ip6(m)->dst_addr);
}

void
bh_ip_raw(struct bh_fwd_lcore *lc, uint16_t ifindex, const struct rte_mbuf *m)
{
	uint8_t family = bh_pkt_family(m);

	if (family == 0)
		return;
	bh_count(&bh_ip_counters(lc, family, ifindex)[BH_IP_OUT_REQUESTS], 1);
	if (has_header(m, family) && (is_multicast(m, family) || is_broadcast(m, family)))
		bh_ip_group(lc, ifindex, m, BH_IP_OUT_MCAST);
}
