/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 fragmentation of a packet on its way (RFC 791 §3.2, RFC 1812 §5.2.6). rte_ip_frag cuts it and
 * copies the options that belong into every fragment; the Ethernet header and the checksum are made
 * here. Fragments come from a pool of their own and are flat.
 */
#define ALLOW_EXPERIMENTAL_API /* rte_ipv4_fragment_copy_nonseg_packet() */

#include <string.h>

#include <rte_ip_frag.h>

#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "app/forwarding/pools.h"

/* The fragments of m, which begins with its IP header meanwhile. Their number or -errno. */
static int
cut(const struct bh_fwd_lcore *lc, struct rte_mbuf *m, uint16_t mtu, struct rte_mbuf **out)
{
	struct rte_mempool *pool = bh_frame_pool(lc->fragments, mtu + BH_ETH_HDR);
	int n;

	rte_pktmbuf_adj(m, BH_ETH_HDR);
	n = rte_ipv4_fragment_copy_nonseg_packet(m, out, BH_FRAGS_MAX, mtu, pool);
	rte_pktmbuf_prepend(m, BH_ETH_HDR);
	return n;
}

static void
finish(struct rte_mbuf *frag, const void *eth)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(frag, struct rte_ipv4_hdr *);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = ~bh_ip4_sum(ip, (ip->version_ihl & 0xf) * 4);
	memcpy(rte_pktmbuf_prepend(frag, BH_ETH_HDR), eth, BH_ETH_HDR);
}

bool
bh_fragment4(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	const struct bh_adj_copy *adj, uint16_t mtu)
{
	struct rte_mbuf *frags[BH_FRAGS_MAX];
	uint64_t *c = bh_ip_counters(lc, BH_IP4, adj->ifindex);
	int n = cut(lc, m, mtu, frags);

	if (n <= 0) {
		bh_count(&c[BH_IP_OUT_FRAG_FAILS], 1);
		bh_drop_rx(lc, b->ifindex, m, BH_DROP_IP4_FRAGMENT_FAILED);
		return false;
	}
	for (int i = 0; i < n; i++) {
		finish(frags[i], rte_pktmbuf_mtod(m, void *));
		bh_tx(lc, adj->ifindex, frags[i]);
	}
	rte_pktmbuf_free(m);
	bh_count(&lc->stats->ip4_fragmented, 1);
	bh_count(&lc->stats->ip4_fragments, n);
	bh_count(&c[BH_IP_OUT_FRAG_OKS], 1);
	bh_count(&c[BH_IP_OUT_FRAG_CREATES], n);
	return true;
}
