/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending. Frames gather in a buffer for each interface and leave when it is full and at the end
 * of the turn, so that no buffer holds anything at a quiescent state. A queue that does not take
 * all of them drops the rest at once: the router does not wait for a slow link. An lcore without a
 * queue of the port passes its frames to the one that has it; the interface, and what its buffer
 * held, go along in hash.usr.
 */
#include <rte_ethdev.h>

#include "app/forwarding/lcore.h"
#include "app/forwarding/packet.h"
#include "lib/net/prefix.h"

static uint64_t
total_bytes(struct rte_mbuf **m, unsigned int n)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < n; i++)
		bytes += m[i]->pkt_len;
	return bytes;
}

/* IP packets among frames that are about to be sent. */
struct tally {
	uint32_t n[2]; /* IPv4, IPv6 */
	uint64_t bytes[2];
};

static void
tally(struct tally *t, struct rte_mbuf **m, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint8_t family = bh_pkt_family(m[i]);

		if (family == 0)
			continue;
		t->n[family == BH_IP6]++;
		t->bytes[family == BH_IP6] += m[i]->pkt_len;
	}
}

static void
count_transmits(struct bh_fwd_lcore *lc, uint16_t ifindex, uint8_t family, uint64_t n,
	uint64_t bytes)
{
	uint64_t *c = bh_ip_counters(lc, family, ifindex);

	bh_count(&c[BH_IP_OUT_TRANSMITS], n);
	bh_count(&c[BH_IP_OUT_OCTETS], bytes - n * BH_ETH_HDR);
}

/* What is in the buffer is looked at only if it may be of both kinds: sent frames are gone, so that
 * is done before, and what was not sent is taken off again. */
static void
send_own(struct bh_fwd_lcore *lc, const struct bh_fwd_out *out, uint16_t ifindex,
	struct bh_tx_buffer *buf)
{
	const bool mixed = buf->families != BH_TX_IP4 && buf->families != BH_TX_IP6;
	struct bh_stats_if *stats = &lc->stats->ifs[ifindex];
	uint64_t bytes = total_bytes(buf->m, buf->n);
	struct tally all = { 0 }, left = { 0 };
	uint16_t sent;

	if (unlikely(mixed))
		tally(&all, buf->m, buf->n);
	sent = rte_eth_tx_burst(out->port_id, out->queue, buf->m, buf->n);
	if (unlikely(sent < buf->n)) {
		bytes -= total_bytes(&buf->m[sent], buf->n - sent);
		if (mixed)
			tally(&left, &buf->m[sent], buf->n - sent);
		bh_drop_tx(lc, ifindex, &buf->m[sent], buf->n - sent, BH_DROP_TX_FULL);
	}
	bh_count(&stats->tx_packets, sent);
	bh_count(&stats->tx_bytes, bytes);
	if (likely(!mixed))
		count_transmits(lc, ifindex, buf->families == BH_TX_IP4 ? BH_IP4 : BH_IP6, sent,
			bytes);
	for (unsigned int i = 0; mixed && i < 2; i++)
		count_transmits(lc, ifindex, i == 0 ? BH_IP4 : BH_IP6, all.n[i] - left.n[i],
			all.bytes[i] - left.bytes[i]);
}

static void
hand_over(struct bh_fwd_lcore *lc, const struct bh_fwd_out *out, uint16_t ifindex,
	struct bh_tx_buffer *buf)
{
	unsigned int sent;

	for (unsigned int i = 0; i < buf->n; i++)
		buf->m[i]->hash.usr = (uint32_t)buf->families << 16 | ifindex;
	sent = rte_ring_sp_enqueue_burst(lc->to[out->target], (void **)buf->m, buf->n, NULL);
	if (unlikely(sent < buf->n))
		bh_drop_tx(lc, ifindex, &buf->m[sent], buf->n - sent, BH_DROP_HANDOFF_FULL);
}

void
bh_tx_send(struct bh_fwd_lcore *lc, uint16_t ifindex)
{
	const struct bh_fwd_out *out = &lc->now->out[ifindex];
	struct bh_tx_buffer *buf = &lc->tx[ifindex];

	if (buf->n == 0)
		return;
	if (likely(out->mode == BH_OUT_OWN))
		send_own(lc, out, ifindex, buf);
	else if (out->mode == BH_OUT_HANDOFF)
		hand_over(lc, out, ifindex, buf);
	else
		bh_drop_tx(lc, ifindex, buf->m, buf->n, BH_DROP_OUT_INTERFACE_DOWN);
	buf->n = 0;
}

void
bh_tx_flush(struct bh_fwd_lcore *lc)
{
	for (unsigned int i = 0; i < lc->n_tx_list; i++) {
		bh_tx_send(lc, lc->tx_list[i]);
		lc->tx[lc->tx_list[i]].listed = lc->tx[lc->tx_list[i]].families = 0;
	}
	lc->n_tx_list = 0;
}

/* All that lay in the ring when the turn began is taken: detaching a port relies on it. */
static unsigned int
drain(struct bh_fwd_lcore *lc, struct rte_ring *ring)
{
	unsigned int left = rte_ring_count(ring), taken = 0, n;
	struct rte_mbuf *m[BH_BURST];

	while (taken < left) {
		n = rte_ring_sc_dequeue_burst(ring, (void **)m, BH_BURST, NULL);
		if (n == 0)
			break;
		for (unsigned int i = 0; i < n; i++) {
			bh_tx_mark(lc, m[i]->hash.usr & 0xffff, m[i]->hash.usr >> 16);
			bh_tx(lc, m[i]->hash.usr & 0xffff, m[i]);
		}
		taken += n;
	}
	return taken;
}

unsigned int
bh_tx_handed(struct bh_fwd_lcore *lc)
{
	unsigned int taken = 0;

	for (uint32_t left = lc->now->sources; left != 0; left &= left - 1)
		taken += drain(lc, lc->from[__builtin_ctz(left)]);
	return taken;
}
