/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet: is the frame for us, and what is in it. Frames to a group MAC pass here; that a
 * unicast packet in one is not forwarded (RFC 1812 §5.3.4) is known only behind the lookup.
 */
#include <string.h>

#include <rte_ether.h>
#include <rte_prefetch.h>

#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "lib/net/prefix.h"

#define AHEAD 8 /* packets whose first line is on its way */

/* A MAC in the low 48 bits; 8 bytes are read. */
static inline uint64_t
mac48(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v & RTE_LE64(0xffffffffffff);
}

static inline void
take(struct bh_burst *b, struct rte_mbuf *m)
{
	b->m[b->n++] = m;
}

static inline void
classify_one(struct bh_fwd_lcore *lc, uint16_t ifindex, uint64_t mac, struct rte_mbuf *m,
	struct bh_burst *ip4, struct bh_burst *ip6)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	if (unlikely(m->data_len < sizeof(*eth)))
		bh_drop_rx(lc, ifindex, m, BH_DROP_ETH_TRUNCATED);
	else if (unlikely(mac48(eth) != mac && !bh_pkt_is_group_frame(m)))
		bh_drop_rx(lc, ifindex, m, BH_DROP_ETH_WRONG_MAC);
	else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		take(ip4, m);
	else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		take(ip6, m);
	else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		bh_punt(lc, ip4, m, BH_PUNT_ARP);
	else
		bh_drop_rx(lc, ifindex, m, BH_DROP_ETH_UNKNOWN_TYPE);
}

static void
prepare(struct bh_burst *b, const struct bh_burst *rx, uint8_t family)
{
	b->n = 0;
	b->ifindex = b->via = rx->ifindex;
	b->origin = BH_FROM_WIRE;
	b->in = rx->in;
	b->family = family;
}

void
bh_classify(struct bh_fwd_lcore *lc, const struct bh_burst *rx, struct bh_burst *ip4,
	struct bh_burst *ip6)
{
	uint64_t mac = mac48(rx->in->mac); /* `pad` follows it */
	unsigned int n = rx->n;

	prepare(ip4, rx, BH_IP4);
	prepare(ip6, rx, BH_IP6);
	for (unsigned int i = 0; i < n && i < AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(rx->m[i], void *));
	for (unsigned int i = 0; i < n; i++) {
		if (i + AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(rx->m[i + AHEAD], void *));
		classify_one(lc, rx->ifindex, mac, rx->m[i], ip4, ip6);
	}
}
