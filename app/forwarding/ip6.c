/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6: validation (RFC 8200 §3), lookup, and what may not be forwarded though there is a route
 * (hop limit, frames to a group MAC, link-local sources, RFC 4291 §2.5.6). A link-local source is
 * fine in a packet to ourselves. Extension headers are for the destination: they are carried
 * along, and read by the flow hash only.
 */
#include <rte_prefetch.h>

#include "app/forwarding/ipcount.h"
#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "lib/fib/fib.h"
#include "lib/net/prefix.h"

#define PASS BH_DROP_MAX /* "no reason to drop" */

static inline enum bh_drop
check_header(const struct rte_mbuf *m, const struct rte_ipv6_hdr *ip)
{
	if (unlikely(bh_pkt_l3_room(m) < sizeof(*ip)))
		return BH_DROP_IP6_TRUNCATED;
	if (unlikely((ip->vtc_flow & RTE_BE32(0xf0000000)) != RTE_BE32(0x60000000)))
		return BH_DROP_IP6_BAD_VERSION;
	if (unlikely(rte_be_to_cpu_16(ip->payload_len) > bh_pkt_l3_len(m) - sizeof(*ip)))
		return BH_DROP_IP6_BAD_LENGTH;
	return PASS;
}

static inline bool
is_unspecified(const uint8_t *addr)
{
	static const uint8_t none[16];

	return memcmp(addr, none, sizeof(none)) == 0;
}

/* Addresses; the unspecified one may ask a group (duplicate address detection, MLD). */
static inline enum bh_drop
check_addresses(const uint8_t *src, const uint8_t *dst)
{
	if (unlikely(bh_ip6_src_is_martian(src)) &&
			!(bh_ip6_is_multicast(dst) && is_unspecified(src)))
		return BH_DROP_IP6_MARTIAN_SOURCE;
	if (unlikely(bh_ip6_dst_is_martian(dst)))
		return BH_DROP_IP6_MARTIAN_DESTINATION;
	return PASS;
}

/* What needs no lookup: groups and link-local addresses. True: it was taken. */
static inline bool
on_link(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, const uint8_t *dst)
{
	bool group = bh_ip6_is_multicast(dst);

	if (likely(!group && !bh_ip6_is_link_local(dst)))
		return false;
	if (group && b->origin == BH_FROM_WIRE)
		bh_ip_group(lc, b->ifindex, m, BH_IP_IN_MCAST);
	if (b->origin == BH_FROM_SELF)
		bh_send_on_link(lc, b, m, dst, group);
	else if (b->origin == BH_FROM_WIRE)
		bh_punt(lc, b, m, group ? BH_PUNT_GROUP : BH_PUNT_LINK);
	else
		bh_drop_ip(lc, b, m, BH_DROP_INJECT_BAD);
	return true;
}

/* Keeps the packets that need a lookup; their destinations in dst[]. */
static void
validate(struct bh_fwd_lcore *lc, struct bh_burst *b, const uint8_t **dst)
{
	unsigned int kept = 0, total;
	uint64_t octets = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		struct rte_mbuf *m = b->m[i];
		const struct rte_ipv6_hdr *ip = bh_pkt_ip6(m);
		enum bh_drop why = check_header(m, ip);

		if (likely(why == PASS))
			why = check_addresses(ip->src_addr, ip->dst_addr);
		if (unlikely(why != PASS)) {
			octets += bh_pkt_l3_len(m);
			bh_drop_ip(lc, b, m, why);
			continue;
		}
		total = rte_be_to_cpu_16(ip->payload_len) + sizeof(*ip);
		octets += total;
		bh_pkt_trim(m, total);
		if (unlikely(on_link(lc, b, m, ip->dst_addr)))
			continue;
		dst[kept] = ip->dst_addr;
		b->m[kept++] = m;
	}
	bh_count_received(lc, b, b->n, octets);
	b->n = kept;
}

static void
lookup(struct bh_fwd_lcore *lc, struct bh_burst *b, const uint8_t *const *dst)
{
	const struct bh_fwd_nh *nhs = lc->tables->nhs;
	uint32_t nh[BH_BURST];

	bh_fib_lookup_bulk6(lc->tables->fib6, dst, nh, b->n);
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
	const struct rte_ipv6_hdr *ip = bh_pkt_ip6(m);

	if (unlikely(own))
		return route ? PASS : BH_DROP_IP6_NO_ROUTE;
	if (unlikely(!(b->in->flags & BH_FWD_IF_FORWARD6)))
		return BH_DROP_FORWARDING_DISABLED;
	if (unlikely(bh_ip6_is_link_local(ip->src_addr)))
		return BH_DROP_IP6_MARTIAN_SOURCE;
	if (unlikely(!route))
		return BH_DROP_IP6_NO_ROUTE;
	if (unlikely(type != BH_NH_GROUP && type != BH_NH_ATTACHED))
		return PASS;
	if (unlikely(bh_pkt_is_group_frame(m)))
		return BH_DROP_ETH_WRONG_MAC;
	if (unlikely(ip->hop_limits <= 1))
		return BH_DROP_IP6_HOP_LIMIT_EXPIRED;
	return PASS;
}

static void
stop(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, enum bh_drop why)
{
	if (why == BH_DROP_IP6_HOP_LIMIT_EXPIRED)
		bh_deny(lc, b, m, why, BH_PUNT_TTL);
	else if (why == BH_DROP_IP6_NO_ROUTE)
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
			unrouted += why == BH_DROP_IP6_NO_ROUTE;
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
bh_ip6_input(struct bh_fwd_lcore *lc, struct bh_burst *b)
{
	const uint8_t *dst[BH_BURST];

	if (unlikely(!(b->in->flags & BH_FWD_IF_IPV6) && b->origin != BH_FROM_SELF)) {
		disabled(lc, b);
		return;
	}
	validate(lc, b, dst);
	lookup(lc, b, dst);
	transit(lc, b);
	bh_nexthop(lc, b);
	bh_rewrite6(lc, b);
}
