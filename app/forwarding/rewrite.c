/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last step before sending: does it fit the outgoing link, one hop less, new MACs. The
 * Ethernet type stays, so that IPv4 may go by a neighbor that IPv6 resolved (RFC 8950).
 */
#include <string.h>

#include <rte_ether.h>

#include "app/forwarding/ipcount.h"
#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"

static inline const struct bh_fwd_if_copy *
out_if(const struct bh_fwd_lcore *lc, const struct bh_adj_copy *adj)
{
	return bh_fwd_if_get(&lc->tables->ifs[adj->ifindex]);
}

static inline void
set_macs(struct rte_mbuf *m, const struct bh_adj_copy *adj)
{
	memcpy(rte_pktmbuf_mtod(m, void *), adj->hdr, 2 * RTE_ETHER_ADDR_LEN);
}

/* Too long for the link: in fragments, unless its source forbids it (RFC 791, RFC 1191 §4). */
static unsigned int
too_long4(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	const struct bh_adj_copy *adj)
{
	uint16_t mtu = out_if(lc, adj)->mtu4;

	if (bh_pkt_ip4(m)->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)) {
		bh_deny_too_big(lc, b, m, BH_DROP_IP4_MTU_EXCEEDED, adj->ifindex, mtu);
		return 0;
	}
	if (b->origin != BH_FROM_SELF)
		bh_ip4_hop(bh_pkt_ip4(m));
	set_macs(m, adj);
	return bh_fragment4(lc, b, m, adj, mtu);
}

void
bh_rewrite4(struct bh_fwd_lcore *lc, struct bh_burst *b)
{
	const bool own = b->origin == BH_FROM_SELF;
	struct bh_out_run run = { 0 };
	unsigned int sent = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		const struct bh_adj_copy *adj = b->adj[i];
		struct rte_mbuf *m = b->m[i];

		bh_count_out(lc, b, &run, adj->ifindex);
		if (unlikely(bh_pkt_l3_len(m) > out_if(lc, adj)->mtu4)) {
			sent += too_long4(lc, b, m, adj);
			continue;
		}
		if (likely(!own))
			bh_ip4_hop(bh_pkt_ip4(m));
		set_macs(m, adj);
		bh_tx(lc, adj->ifindex, m);
		sent++;
	}
	bh_count_out_end(lc, b, &run);
	if (likely(!own))
		bh_count(&lc->stats->ip4_forwarded, sent);
}

void
bh_rewrite6(struct bh_fwd_lcore *lc, struct bh_burst *b)
{
	const bool own = b->origin == BH_FROM_SELF;
	struct bh_out_run run = { 0 };
	unsigned int sent = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		const struct bh_adj_copy *adj = b->adj[i];
		uint16_t mtu = out_if(lc, adj)->mtu6;
		struct rte_mbuf *m = b->m[i];

		bh_count_out(lc, b, &run, adj->ifindex);
		if (unlikely(bh_pkt_l3_len(m) > mtu)) {
			bh_deny_too_big(lc, b, m, BH_DROP_IP6_TOO_BIG, adj->ifindex, mtu);
			continue;
		}
		if (likely(!own))
			bh_pkt_ip6(m)->hop_limits--;
		set_macs(m, adj);
		bh_tx(lc, adj->ifindex, m);
		sent++;
	}
	bh_count_out_end(lc, b, &run);
	if (likely(!own))
		bh_count(&lc->stats->ip6_forwarded, sent);
}
