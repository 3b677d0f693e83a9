/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of the fast path, to the stack: by the lcore's own bounded ring to the punt lcore. A stack
 * that is dead, slow or absent costs a counter.
 */
#include "app/forwarding/lcore.h"

void
bh_punt(struct bh_fwd_lcore *lc, uint16_t ifindex, struct rte_mbuf *m, enum bh_punt_reason reason)
{
	struct rte_ring *ring = lc->now->punt;

	if (ring == NULL) {
		bh_drop_rx(lc, ifindex, m, reason == BH_PUNT_RESOLVE ?
			BH_DROP_NEIGHBOR_UNRESOLVED : BH_DROP_PUNT_NO_STACK);
		return;
	}
	m->hash.usr = (uint32_t)reason << 16 | ifindex;
	if (rte_ring_sp_enqueue(ring, m) < 0)
		bh_drop_rx(lc, ifindex, m, BH_DROP_PUNT_FULL);
	else
		bh_count(&lc->stats->punted, 1);
}
