/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4: validation (RFC 1812 §5.2.2), what is ours (§5.2.3), lookup, and what may not be forwarded
 * though there is a route (§5.3.1 TTL, §5.3.4 group frames, §5.3.7 martians; RFC 3927 §2.7
 * link-local). Checks that depend on the route come behind the lookup, so that a packet to
 * ourselves may have TTL 1. Options are carried along unread.
 */
#include <rte_prefetch.h>

#include "app/forwarding/ipcount.h"
#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "lib/fib/fib.h"
#include "lib/net/prefix.h"

#define PASS BH_DROP_MAX /* "no reason to drop" */

/* Header as a whole; BH_DROP_* or PASS. */
static inline enum bh_drop
check_header(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	uint32_t room = bh_pkt_l3_room(m), hdr_len, total;

	if (unlikely(room < sizeof(*ip)))
		return BH_DROP_IP4_TRUNCATED;
	if (unlikely(ip->version_ihl >> 4 != 4))
		return BH_DROP_IP4_BAD_VERSION;
	hdr_len = (ip->version_ihl & 0xf) * 4;
	total = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(hdr_len < sizeof(*ip) || total < hdr_len || total > bh_pkt_l3_len(m)))
		return BH_DROP_IP4_BAD_LENGTH;
	if (unlikely(hdr_len > room))
		return BH_DROP_IP4_TRUNCATED;
	if (unlikely(bh_ip4_sum(ip, hdr_len) != 0xffff))
		return BH_DROP_IP4_BAD_CHECKSUM;
	return PASS;
}

static inline bool
is_group(uint32_t dst)
{
	return bh_ip4_is_multicast(dst) || dst == UINT32_MAX;
}

/* Addresses; 0.0.0.0 may ask a group (DHCP, IGMP). */
static inline enum bh_drop
check_addresses(uint32_t src, uint32_t dst)
{
	if (unlikely(bh_ip4_src_is_martian(src)) && !(src == 0 && is_group(dst)))
		return BH_DROP_IP4_MARTIAN_SOURCE;
	if (unlikely(bh_ip4_dst_is_martian(dst)) && !is_group(dst))
		return BH_DROP_IP4_MARTIAN_DESTINATION;
	return PASS;
}

/* What needs no lookup: groups, and of our own also link-local addresses. True: it was taken. */
static bool
on_link(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, uint32_t dst)
{
	bool group = is_group(dst);

	if (!group && !bh_ip4_is_link_local(dst))
		return false;
	if (group && b->origin == BH_FROM_WIRE)
		bh_ip_group(lc, b->ifindex, m, BH_IP_IN_MCAST);
	if (b->origin == BH_FROM_SELF)
		bh_send_on_link(lc, b, m, (const uint8_t *)&bh_pkt_ip4(m)->dst_addr, group);
	else if (b->origin == BH_FROM_WIRE)
		bh_punt(lc, b, m, BH_PUNT_GROUP);
	else
		bh_drop_ip(lc, b, m, BH_DROP_INJECT_BAD);
	return true;
}

/* Keeps the packets that need a lookup; their destinations in dst[]. */
static void
validate(struct bh_fwd_lcore *lc, struct bh_burst *b, uint32_t *dst)
{
	const bool own = b->origin == BH_FROM_SELF;
	unsigned int kept = 0, total;
	uint64_t octets = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		struct rte_mbuf *m = b->m[i];
		const struct rte_ipv4_hdr *ip = bh_pkt_ip4(m);
		enum bh_drop why = check_header(m, ip);

		if (likely(why == PASS))
			why = check_addresses(ip->src_addr, ip->dst_addr);
		if (unlikely(why != PASS)) {
			octets += bh_pkt_l3_len(m);
			bh_drop_ip(lc, b, m, why);
			continue;
		}
		total = rte_be_to_cpu_16(ip->total_length);
		octets += total;
		bh_pkt_trim(m, total);
		if (unlikely(is_group(ip->dst_addr) || own) && on_link(lc, b, m, ip->dst_addr))
			continue;
		dst[kept] = ip->dst_addr;
		b->m[kept++] = m;
	}
	bh_count_received(lc, b, b->n, octets);
	b->n = kept;
}

static void
lookup(struct bh_fwd_lcore *lc, struct bh_burst *b, const uint32_t *dst)
{
	const struct bh_fwd_nh *nhs = lc->tables->nhs;
	uint32_t nh[BH_BURST];

	bh_fib_lookup_bulk4(lc->tables->fib4, dst, nh, b->n);
	for (unsigned int i = 0; i < b->n; i++) {
		rte_prefetch0(&nhs[nh[i]]);
		rte_prefetch0(&nhs[nh[i]].sel);
	}
	for (unsigned int i = 0; i < b->n; i++)
		b->hop[i] = bh_fwd_nh_get(&nhs[nh[i]]);
}

/* Why this packet, not to us, may not go on; PASS if it may. */
static inline enum bh_drop
check_transit(const struct bh_burst *b, const struct rte_mbuf *m, uint8_t type, bool route,
	bool own)
{
	const struct rte_ipv4_hdr *ip = bh_pkt_ip4(m);

	if (unlikely(own))
		return route ? PASS : BH_DROP_IP4_NO_ROUTE;
	if (unlikely(!(b->in->flags & BH_FWD_IF_FORWARD4)))
		return BH_DROP_FORWARDING_DISABLED;
	if (unlikely(bh_ip4_is_link_local(ip->src_addr)))
		return BH_DROP_IP4_MARTIAN_SOURCE;
	if (unlikely(bh_ip4_is_link_local(ip->dst_addr)))
		return BH_DROP_IP4_MARTIAN_DESTINATION;
	if (unlikely(!route))
		return BH_DROP_IP4_NO_ROUTE;
	if (unlikely(type != BH_NH_GROUP && type != BH_NH_ATTACHED))
		return PASS;
	if (unlikely(bh_pkt_is_group_frame(m)))
		return BH_DROP_ETH_WRONG_MAC;
	if (unlikely(ip->time_to_live <= 1))
		return BH_DROP_IP4_TTL_EXPIRED;
	return PASS;
}

static void
stop(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, enum bh_drop why)
{
	if (why == BH_DROP_IP4_TTL_EXPIRED)
		bh_deny(lc, b, m, why, BH_PUNT_TTL);
	else if (why == BH_DROP_IP4_NO_ROUTE)
		bh_deny(lc, b, m, why, BH_PUNT_NO_ROUTE);
	else
		bh_drop_ip(lc, b, m, why);
}

static void
transit(struct bh_fwd_lcore *lc, struct bh_burst *b)
{
	const struct bh_fwd_nh_copy *none = lc->tables->nhs[BH_FIB_NONE].copy;
	const bool own = b->origin == BH_FROM_SELF;
	unsigned int kept = 0, unrouted = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		uint8_t type = b->hop[i]->type;
		enum bh_drop why;

		if (unlikely(type == BH_NH_LOCAL)) {
			bh_punt(lc, b, b->m[i], BH_PUNT_LOCAL);
			continue;
		}
		why = check_transit(b, b->m[i], type, b->hop[i] != none, own);
		if (unlikely(why != PASS)) {
			unrouted += why == BH_DROP_IP4_NO_ROUTE;
			stop(lc, b, b->m[i], why);
			continue;
		}
		b->hop[kept] = b->hop[i];
		b->m[kept++] = b->m[i];
	}
	bh_count_transit(lc, b, kept + unrouted);
	b->n = kept;
}

/* The family is not enabled on the interface. */
static void
disabled(struct bh_fwd_lcore *lc, const struct bh_burst *b)
{
	uint64_t octets = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		octets += bh_pkt_l3_len(b->m[i]);
		bh_drop_ip(lc, b, b->m[i], BH_DROP_FAMILY_DISABLED);
	}
	bh_count_received(lc, b, b->n, octets);
}

void
bh_ip4_input(struct bh_fwd_lcore *lc, struct bh_burst *b)
{
	uint32_t dst[BH_BURST];

	if (unlikely(!(b->in->flags & BH_FWD_IF_IPV4) && b->origin != BH_FROM_SELF)) {
		disabled(lc, b);
		return;
	}
	validate(lc, b, dst);
	lookup(lc, b, dst);
	transit(lc, b);
	bh_nexthop(lc, b);
	bh_rewrite4(lc, b);
}
