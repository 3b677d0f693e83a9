/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of the fast path, to the stack: by the lcore's own bounded ring to the punt lcore. A stack
 * that is dead, slow or absent costs a counter.
 *
 * Policing: a token bucket for each reason and forwarding lcore, so that a flood of one kind
 * neither fills the ring nor takes the stack's CPU from the others. What is to the router itself
 * is mostly TCP that slows down by itself, and gets much; that alone leaves an eighth of the ring
 * to the rest. A denied error costs its packet's sender nothing but the news (RFC 1812 §4.3.2.8, RFC
 * 4443 §2.4 f want the rate limited); v6stack limits again what it sends.
 *
 * What goes along with a frame lies in its mbuf: in hash.usr all that every frame has, in a dynamic
 * field the way out and the next hop.
 */
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>

#include "app/forwarding/ipcount.h"
#include "app/forwarding/lcore.h"
#include "lib/net/prefix.h"

#define OWN_BIT (1u << 31)
#define FAMILY_SHIFT 24
#define RING_PART_KEPT 8 /* of the ring, for all but LOCAL */

struct way { /* the dynamic field */
	uint16_t out_ifindex;
	uint16_t mtu;
	uint8_t hop[16];
};

static int way_offset = -1;

static const struct {
	uint32_t rate;	/* packets a second */
	uint32_t burst; /* packets */
} limits[BH_PUNT_REASONS] = {
	[BH_PUNT_ARP] = { 2000, 256 },
	[BH_PUNT_LOCAL] = { 200000, 4096 },
	[BH_PUNT_GROUP] = { 10000, 512 },
	[BH_PUNT_LINK] = { 10000, 512 },
	[BH_PUNT_RESOLVE] = { 10000, 512 },
	[BH_PUNT_TTL] = { 2000, 128 },
	[BH_PUNT_TOO_BIG] = { 2000, 128 },
	[BH_PUNT_NO_ROUTE] = { 1000, 64 },
	[BH_PUNT_UNREACHABLE] = { 1000, 64 },
	[BH_PUNT_PROHIBIT] = { 1000, 64 },
	[BH_PUNT_REDIRECT] = { 1000, 64 },
};

int
bh_punt_init(void)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "bh_punt_way",
		.size = sizeof(struct way),
		.align = __alignof__(struct way),
	};

	way_offset = rte_mbuf_dynfield_register(&field);
	return way_offset < 0 ? -rte_errno : 0;
}

void
bh_punt_police_init(struct bh_fwd_lcore *lc)
{
	for (unsigned int i = 0; i < BH_PUNT_REASONS; i++) {
		struct bh_police *p = &lc->police[i];

		p->cost = rte_get_tsc_hz() / limits[i].rate;
		p->credit = p->most = p->cost * limits[i].burst;
		p->last = rte_rdtsc();
	}
}

/* The clock is read once a turn. */
static bool
may_pass(struct bh_fwd_lcore *lc, struct bh_police *p)
{
	if (lc->punt_tsc == 0)
		lc->punt_tsc = rte_rdtsc();
	p->credit = RTE_MIN(p->credit + (lc->punt_tsc - p->last), p->most);
	p->last = lc->punt_tsc;
	if (p->credit < p->cost)
		return false;
	p->credit -= p->cost;
	return true;
}

static struct way *
way(const struct rte_mbuf *m)
{
	return RTE_MBUF_DYNFIELD(m, way_offset, struct way *);
}

/* Whether the ring has room, in so far as the reason may fill it. */
static bool
has_room(const struct rte_ring *ring, enum bh_punt_reason reason)
{
	unsigned int kept = rte_ring_get_capacity(ring) / RING_PART_KEPT;

	return rte_ring_free_count(ring) > (reason == BH_PUNT_LOCAL ? kept : 0);
}

/* Puts the frame into the ring, or says why not; BH_DROP_MAX: it is there. */
static enum bh_drop
put(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_punt_reason reason, uint8_t family)
{
	struct bh_stats_punt *stats = &lc->stats->punt[reason];

	if (!has_room(lc->now->punt, reason)) {
		bh_count(&stats->full, 1);
		return BH_DROP_PUNT_FULL;
	}
	if (!may_pass(lc, &lc->police[reason])) {
		bh_count(&stats->policed, 1);
		return BH_DROP_PUNT_POLICED;
	}
	m->hash.usr = (b->origin == BH_FROM_SELF ? OWN_BIT : 0) |
		(uint32_t)family << FAMILY_SHIFT | (uint32_t)reason << 16 | b->via;
	rte_ring_sp_enqueue(lc->now->punt, m); /* by its one producer: there is room */
	bh_count(&stats->taken, 1);
	bh_count(&lc->stats->punted, 1);
	lc->ring_due = true;
	return BH_DROP_MAX;
}

static void
drop(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_punt_reason reason, enum bh_drop why)
{
	if (reason == BH_PUNT_ARP) /* its burst is not one of ARP */
		bh_drop_rx(lc, b->ifindex, m, why);
	else
		bh_drop_ip(lc, b, m, why);
}

/* A frame whose way is noted, if it has one. */
static void
punt(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_punt_reason reason, uint8_t family)
{
	enum bh_drop why = put(lc, b, m, reason, family);

	if (why != BH_DROP_MAX)
		drop(lc, b, m, reason, why);
	else if (reason >= BH_PUNT_LOCAL && reason <= BH_PUNT_LINK)
		bh_count_delivered(lc, b);
}

void
bh_punt(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_punt_reason reason)
{
	if (lc->now->punt == NULL) {
		drop(lc, b, m, reason, BH_DROP_PUNT_NO_STACK);
		return;
	}
	memset(way(m), 0, sizeof(struct way));
	punt(lc, b, m, reason, 0);
}

void
bh_punt_resolve(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	uint16_t out_ifindex, uint8_t family, const uint8_t *hop)
{
	struct way *w = way(m);

	if (lc->now->punt == NULL) {
		bh_drop_ip(lc, b, m, BH_DROP_NEIGHBOR_UNRESOLVED);
		return;
	}
	memset(w, 0, sizeof(*w));
	w->out_ifindex = out_ifindex;
	memcpy(w->hop, hop, family == BH_IP4 ? 4 : sizeof(w->hop));
	punt(lc, b, m, BH_PUNT_RESOLVE, family);
}

static void
deny(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, enum bh_drop why,
	enum bh_punt_reason reason, const struct way *w)
{
	bh_count(&lc->stats->drop[why], 1);
	bh_count(&lc->stats->ifs[b->ifindex].rx_drops, 1);
	bh_ip_dropped(lc, b, m, why);
	if (lc->now->punt != NULL) {
		*way(m) = *w;
		if (put(lc, b, m, reason, 0) == BH_DROP_MAX)
			return;
	}
	rte_pktmbuf_free(m);
}

void
bh_deny(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m, enum bh_drop why,
	enum bh_punt_reason reason)
{
	static const struct way none;

	deny(lc, b, m, why, reason, &none);
}

void
bh_deny_too_big(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_drop why, uint16_t out_ifindex, uint16_t mtu)
{
	const struct way w = { .out_ifindex = out_ifindex, .mtu = mtu };

	bh_count(&bh_ip_counters(lc, b->family, out_ifindex)[BH_IP_OUT_FRAG_FAILS], 1);
	deny(lc, b, m, why, BH_PUNT_TOO_BIG, &w);
}

void
bh_punt_read(const struct rte_mbuf *m, struct bh_punt *p)
{
	const struct way *w = way(m);

	memset(p, 0, sizeof(*p));
	p->ifindex = m->hash.usr & 0xffff;
	p->reason = m->hash.usr >> 16;
	p->family = m->hash.usr >> FAMILY_SHIFT & 0x7f;
	p->flags = m->hash.usr & OWN_BIT ? BH_PUNT_OWN : 0;
	p->out_ifindex = w->out_ifindex;
	p->mtu = w->mtu;
	memcpy(p->hop, w->hop, sizeof(p->hop));
}
