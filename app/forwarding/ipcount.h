/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counting as RFC 4293 wants it, on the fast path: once a burst, into one cache line for each
 * interface and IP version that it touches (struct bh_stats_ip). Errors are in ipcount.c.
 */
#ifndef BH_FORWARDING_IPCOUNT_H
#define BH_FORWARDING_IPCOUNT_H

#include "app/forwarding/lcore.h"
#include "lib/net/prefix.h"

/* A burst came in, whatever becomes of it. What the stack injects did not, or did so before. */
static inline void
bh_count_received(struct bh_fwd_lcore *lc, const struct bh_burst *b, unsigned int n,
	uint64_t octets)
{
	uint64_t *c = bh_ip_counters(lc, b->family, b->ifindex);

	if (unlikely(b->origin != BH_FROM_WIRE))
		return;
	bh_count(&c[BH_IP_IN_RECEIVES], n);
	bh_count(&c[BH_IP_IN_OCTETS], octets);
}

/* For so many of a burst a route was looked for. */
static inline void
bh_count_transit(struct bh_fwd_lcore *lc, const struct bh_burst *b, unsigned int n)
{
	if (likely(b->origin == BH_FROM_WIRE))
		bh_count(&bh_ip_counters(lc, b->family, b->ifindex)[BH_IP_IN_FORWARDED], n);
}

static inline void
bh_count_delivered(struct bh_fwd_lcore *lc, const struct bh_burst *b)
{
	if (b->origin == BH_FROM_WIRE)
		bh_count(&bh_ip_counters(lc, b->family, b->ifindex)[BH_IP_IN_DELIVERS], 1);
	else if (b->origin == BH_FROM_SELF) /* to itself */
		bh_count(&bh_ip_counters(lc, b->family, 0)[BH_IP_OUT_REQUESTS], 1);
}

/* Packets of a burst one behind the other that leave by one interface. */
struct bh_out_run {
	uint16_t ifindex;
	uint16_t n;
};

static inline void
bh_count_out_end(struct bh_fwd_lcore *lc, const struct bh_burst *b, const struct bh_out_run *run)
{
	const bool own = b->origin == BH_FROM_SELF;
	uint64_t *c = bh_ip_counters(lc, b->family, run->ifindex);

	if (run->n != 0)
		bh_count(&c[unlikely(own) ? BH_IP_OUT_REQUESTS : BH_IP_OUT_FORWARDED], run->n);
}

/* A packet is to leave by an interface: before it is given to bh_tx(). */
static inline void
bh_count_out(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct bh_out_run *run,
	uint16_t ifindex)
{
	if (unlikely(ifindex != run->ifindex)) {
		bh_count_out_end(lc, b, run);
		run->ifindex = ifindex;
		run->n = 0;
		bh_tx_mark(lc, ifindex, b->family == BH_IP4 ? BH_TX_IP4 : BH_TX_IP6);
	}
	run->n++;
}

#endif
