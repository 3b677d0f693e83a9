/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the stack into the fast path. What comes was made by another process: it is checked like a
 * frame from a wire, its interface and length too, and refused frames count as inject_bad.
 *
 * ROUTED, a packet of the router itself: validated, looked up and sent like any other, but that no
 * hop is counted, no forwarding has to be allowed and its MACs mean nothing. To a group or a
 * link-local address it leaves by the interface that came with it (RFC 1112 §6.4, RFC 2464 §7).
 * HELD: a packet from a wire that waited for its neighbor, on its way again. RESOLVED: a frame that
 * is sent as it is.
 */
#include <string.h>

#include <rte_ether.h>

#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "lib/net/prefix.h"

static bool
is_up(const struct bh_fwd_lcore *lc, uint16_t ifindex)
{
	return ifindex != 0 &&
		(bh_fwd_if_get(&lc->tables->ifs[ifindex])->flags & BH_FWD_IF_UP);
}

/* MAC of a group: RFC 1112 §6.4, RFC 2464 §7, or the broadcast. */
static void
group_mac(uint8_t *mac, uint8_t family, const uint8_t *dst)
{
	if (family == BH_IP6) {
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, dst + 12, 4);
	} else if (dst[0] == 0xff) {
		memset(mac, 0xff, RTE_ETHER_ADDR_LEN);
	} else {
		mac[0] = 0x01;
		mac[1] = 0x00;
		mac[2] = 0x5e;
		mac[3] = dst[1] & 0x7f;
		memcpy(mac + 4, dst + 2, 2);
	}
}

static void
make_group_adj(const struct bh_fwd_lcore *lc, const struct bh_burst *b, const uint8_t *dst,
	struct bh_adj_copy *adj)
{
	memset(adj, 0, sizeof(*adj));
	adj->ifindex = b->via;
	adj->state = BH_ADJ_RESOLVED;
	adj->hdr_len = BH_ETH_HDR;
	group_mac(adj->hdr, b->family, dst);
	memcpy(adj->hdr + RTE_ETHER_ADDR_LEN, bh_fwd_if_get(&lc->tables->ifs[b->via])->mac,
		RTE_ETHER_ADDR_LEN);
}

/* Its adjacency in the burst, or the packet was taken. */
static bool
find_adj(struct bh_fwd_lcore *lc, struct bh_burst *b, const uint8_t *dst)
{
	uint32_t index = bh_find_attached(lc, b->via, b->family, dst);

	b->adj[0] = index == 0 ? NULL : bh_adj_get(&lc->tables->adjs[index]);
	if (b->adj[0] != NULL && b->adj[0]->state == BH_ADJ_RESOLVED)
		return true;
	bh_punt_resolve(lc, b, b->m[0], b->via, b->family, dst);
	return false;
}

void
bh_send_on_link(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	const uint8_t *dst, bool group)
{
	struct bh_burst one = { .n = 1, .via = b->via, .origin = b->origin, .family = b->family,
		.in = b->in, .m = { m } };
	struct bh_adj_copy adj;

	if (!is_up(lc, b->via)) {
		bh_drop_ip(lc, b, m, BH_DROP_OUT_INTERFACE_DOWN);
		return;
	}
	if (group) {
		make_group_adj(lc, b, dst, &adj);
		bh_ip_group(lc, b->via, m, BH_IP_OUT_MCAST);
		one.adj[0] = &adj;
	} else if (!find_adj(lc, &one, dst)) {
		return;
	}
	if (b->family == BH_IP4)
		bh_rewrite4(lc, &one);
	else
		bh_rewrite6(lc, &one);
}

static void
send_resolved(struct bh_fwd_lcore *lc, uint16_t ifindex, struct rte_mbuf *m)
{
	bh_ip_raw(lc, ifindex, m);
	bh_tx_mark(lc, ifindex, BH_TX_ANY);
	if (!is_up(lc, ifindex))
		bh_drop_tx(lc, ifindex, &m, 1, BH_DROP_OUT_INTERFACE_DOWN);
	else if (bh_pkt_l3_len(m) > bh_fwd_if_get(&lc->tables->ifs[ifindex])->mtu)
		bh_drop_tx(lc, ifindex, &m, 1, BH_DROP_INJECT_BAD);
	else
		bh_tx(lc, ifindex, m);
}

static void
prepare(const struct bh_fwd_lcore *lc, struct bh_burst *b, uint8_t family, uint8_t origin,
	uint16_t ifindex)
{
	b->n = 0;
	b->origin = origin;
	b->family = family;
	b->ifindex = origin == BH_FROM_SELF ? 0 : ifindex;
	b->via = ifindex;
	b->in = bh_fwd_if_get(&lc->tables->ifs[ifindex]);
}

static void
route(struct bh_fwd_lcore *lc, uint8_t origin, uint16_t ifindex, struct rte_mbuf **m,
	unsigned int n)
{
	struct bh_burst ip4, ip6;

	prepare(lc, &ip4, BH_IP4, origin, ifindex);
	prepare(lc, &ip6, BH_IP6, origin, ifindex);
	for (unsigned int i = 0; i < n; i++) {
		const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *);

		if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
			ip4.m[ip4.n++] = m[i];
		else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
			ip6.m[ip6.n++] = m[i];
		else
			bh_drop_rx(lc, ip4.ifindex, m[i], BH_DROP_INJECT_BAD);
	}
	if (ip4.n != 0)
		bh_ip4_input(lc, &ip4);
	if (ip6.n != 0)
		bh_ip6_input(lc, &ip6);
}

/* Frames with the same mark. */
static void
take(struct bh_fwd_lcore *lc, struct rte_mbuf **m, unsigned int n)
{
	enum bh_inject how = m[0]->hash.usr >> 16;
	uint16_t ifindex = m[0]->hash.usr & 0xffff;

	if (how == BH_INJECT_RESOLVED) {
		for (unsigned int i = 0; i < n; i++)
			send_resolved(lc, ifindex, m[i]);
		return;
	}
	route(lc, how == BH_INJECT_HELD ? BH_FROM_HELD : BH_FROM_SELF, ifindex, m, n);
}

unsigned int
bh_injected(struct bh_fwd_lcore *lc)
{
	struct rte_mbuf *m[BH_BURST];
	unsigned int n = rte_ring_sc_dequeue_burst(lc->now->inject, (void **)m, BH_BURST, NULL);

	for (unsigned int i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && m[next]->hash.usr == m[i]->hash.usr; next++)
			;
		take(lc, &m[i], next - i);
	}
	bh_count(&lc->stats->injected, n);
	return n;
}
