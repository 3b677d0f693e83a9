/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the next hop that the lookup gave to the adjacency that the packet leaves by: a member of a
 * group by the flow, or the destination itself on an attached network. The specials of RFC 8349
 * end here. An interface that is down is told before a neighbor that is not known.
 */
#include <string.h>

#include <rte_hash.h>
#include <rte_prefetch.h>

#include "app/forwarding/flow.h"
#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "lib/net/prefix.h"

static inline bool
is_up(const struct bh_fwd_lcore *lc, uint16_t ifindex)
{
	return bh_fwd_if_get(&lc->tables->ifs[ifindex])->flags & BH_FWD_IF_UP;
}

static inline uint32_t
flow_hash(const struct bh_fwd_lcore *lc, const struct bh_burst *b, const struct rte_mbuf *m)
{
	return b->family == BH_IP4 ? bh_flow_hash4(m, lc->flow_seed) :
		bh_flow_hash6(m, lc->flow_seed);
}

uint32_t
bh_find_attached(const struct bh_fwd_lcore *lc, uint16_t ifindex, uint8_t family,
	const uint8_t *addr)
{
	struct bh_fwd_attached_key key = { .ifindex = ifindex, .family = family };
	void *adj;

	memcpy(key.addr, addr, family == BH_IP4 ? 4 : 16);
	return rte_hash_lookup_data(lc->tables->attached, &key, &adj) < 0 ? 0 : (uintptr_t)adj;
}

/* Adjacency of the destination on an attached network; 0: not known, the packet was taken. */
static uint32_t
find_neighbor(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	uint16_t ifindex)
{
	const uint8_t *dst = b->family == BH_IP4 ? (const uint8_t *)&bh_pkt_ip4(m)->dst_addr :
		bh_pkt_ip6(m)->dst_addr;
	uint32_t adj = bh_find_attached(lc, ifindex, b->family, dst);

	if (unlikely(adj == 0))
		bh_punt_resolve(lc, b, m, ifindex, b->family, dst);
	return adj;
}

static enum bh_drop
special_reason(const struct bh_fwd_nh_copy *hop)
{
	switch (hop->type) {
	case BH_NH_BLACKHOLE:
		return BH_DROP_NEXTHOP_BLACKHOLE;
	case BH_NH_UNREACHABLE:
		return BH_DROP_NEXTHOP_UNREACHABLE;
	case BH_NH_PROHIBIT:
		return BH_DROP_NEXTHOP_PROHIBIT;
	case BH_NH_GROUP: /* without live members */
	case BH_NH_ATTACHED:
		return BH_DROP_OUT_INTERFACE_DOWN;
	default:
		return BH_DROP_NEXTHOP_DEAD;
	}
}

/* The packet ends at a special next hop, or where there is no way out. */
static void
end(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	const struct bh_fwd_nh_copy *hop)
{
	enum bh_drop why = special_reason(hop);

	if (why == BH_DROP_NEXTHOP_UNREACHABLE)
		bh_deny(lc, b, m, why, BH_PUNT_UNREACHABLE);
	else if (why == BH_DROP_NEXTHOP_PROHIBIT)
		bh_deny(lc, b, m, why, BH_PUNT_PROHIBIT);
	else
		bh_drop_ip(lc, b, m, why);
}

/* Index of the adjacency for one packet; 0: the packet was taken. */
static inline uint32_t
choose(struct bh_fwd_lcore *lc, const struct bh_burst *b, unsigned int i)
{
	const struct bh_fwd_nh_copy *hop = b->hop[i];
	struct rte_mbuf *m = b->m[i];

	if (likely(hop->type == BH_NH_GROUP && hop->n == 1))
		return hop->adj[0];
	if (likely(hop->type == BH_NH_GROUP && hop->n > 1))
		return hop->adj[bh_flow_pick(flow_hash(lc, b, m), hop->n)];
	if (likely(hop->type == BH_NH_ATTACHED && is_up(lc, hop->ifindex)))
		return find_neighbor(lc, b, m, hop->ifindex);
	end(lc, b, m, hop);
	return 0;
}

void
bh_nexthop(struct bh_fwd_lcore *lc, struct bh_burst *b)
{
	const struct bh_adj *adjs = lc->tables->adjs;
	uint32_t index[BH_BURST];
	unsigned int n = 0, kept = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		index[n] = choose(lc, b, i);
		if (likely(index[n] != 0)) {
			rte_prefetch0(&adjs[index[n]]);
			b->m[n++] = b->m[i];
		}
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct bh_adj_copy *adj = bh_adj_get(&adjs[index[i]]);

		if (unlikely(!is_up(lc, adj->ifindex))) {
			bh_drop_ip(lc, b, b->m[i], BH_DROP_OUT_INTERFACE_DOWN);
		} else if (unlikely(adj->state != BH_ADJ_RESOLVED)) {
			bh_punt_resolve(lc, b, b->m[i], adj->ifindex, adj->family, adj->hop);
		} else {
			b->adj[kept] = adj;
			b->m[kept++] = b->m[i];
		}
	}
	b->n = kept;
}
