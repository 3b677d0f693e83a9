/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending. Frames gather in a buffer for each interface and leave when it is full and at the end
 * of the turn, so that no buffer holds anything at a quiescent state. A queue that does not take
 * all of them drops the rest at once: the router does not wait for a slow link. An lcore without a
 * queue of the port passes its frames to the one that has it; the interface goes along in
 * hash.usr.
 */
#include <rte_ethdev.h>

#include "app/forwarding/lcore.h"

static uint64_t
total_bytes(struct rte_mbuf **m, unsigned int n)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < n; i++)
		bytes += m[i]->pkt_len;
	return bytes;
}

static void
send_own(struct bh_fwd_lcore *lc, const struct bh_fwd_out *out, uint16_t ifindex,
	struct bh_tx_buffer *buf)
{
	struct bh_stats_if *stats = &lc->stats->ifs[ifindex];
	uint64_t bytes = total_bytes(buf->m, buf->n);
	uint16_t sent = rte_eth_tx_burst(out->port_id, out->queue, buf->m, buf->n);

	if (unlikely(sent < buf->n)) {
		bytes -= total_bytes(&buf->m[sent], buf->n - sent);
		bh_drop_tx(lc, ifindex, &buf->m[sent], buf->n - sent, BH_DROP_TX_FULL);
	}
	bh_count(&stats->tx_packets, sent);
	bh_count(&stats->tx_bytes, bytes);
}

static void
hand_over(struct bh_fwd_lcore *lc, const struct bh_fwd_out *out, uint16_t ifindex,
	struct bh_tx_buffer *buf)
{
	unsigned int sent;

	for (unsigned int i = 0; i < buf->n; i++)
		buf->m[i]->hash.usr = ifindex;
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
		lc->tx[lc->tx_list[i]].listed = 0;
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
		for (unsigned int i = 0; i < n; i++)
			bh_tx(lc, m[i]->hash.usr, m[i]);
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
