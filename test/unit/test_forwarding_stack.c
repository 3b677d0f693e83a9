/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding lcores and the protocol stack: what is punted and with what, policing, and what
 * comes back. */
#include <arpa/inet.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ip.h>

#include "test/unit/fwd_util.h"

#define ETH 14
#define RING 64

static struct bh_fwd_stack stack;

static struct rte_ring *
make_ring(const char *name)
{
	struct rte_ring *r = rte_ring_create(name, RING, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);

	ck_assert_ptr_nonnull(r);
	return r;
}

static void
setup(void)
{
	bed_setup();
	stack.punt[0] = make_ring("t_punt");
	stack.inject[0] = make_ring("t_inject");
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, &stack), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, NULL), 0);
	ck_assert_uint_eq(rte_ring_count(stack.punt[0]), 0);
	rte_ring_free(stack.punt[0]);
	rte_ring_free(stack.inject[0]);
	bed_teardown();
}

/* The next punted frame, which is `in` as it was. */
static struct bh_punt
expect_punt(const struct frame *in, enum bh_punt_reason why)
{
	struct rte_mbuf *m;
	struct bh_punt p;

	ck_assert_int_eq(rte_ring_sc_dequeue(stack.punt[0], (void **)&m), 0);
	bh_punt_read(m, &p);
	ck_assert_uint_eq(p.reason, why);
	ck_assert_uint_eq(m->pkt_len, in->len);
	ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), in->b, in->len);
	rte_pktmbuf_free(m);
	ck_assert_uint_eq(rte_ring_count(stack.punt[0]), 0);
	return p;
}

/* From port 1's wire: punted, and counted as `drop` (BH_DROP_MAX: none). */
static struct bh_punt
punted(const struct frame *in, enum bh_punt_reason why, enum bh_drop drop)
{
	struct bh_punt p;

	bed_inject(in, 1);
	ck_assert_uint_eq(bed_turn(), 1);
	bed_check_drops(drop, drop == BH_DROP_MAX ? 0 : 1);
	p = expect_punt(in, why);
	ck_assert_uint_eq(p.ifindex, 1);
	ck_assert_uint_eq(p.flags, 0);
	bed_check_no_mbuf_lost();
	return p;
}

/* ---- reasons ---- */

START_TEST(plain_reasons)
{
	struct frame f;

	frame_to4(&f, BED_LOCAL);
	punted(&f, BH_PUNT_LOCAL, BH_DROP_MAX);
	frame_to6(&f, BED_LOCAL);
	punted(&f, BH_PUNT_LOCAL, BH_DROP_MAX);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(224, 0, 0, 5), 10);
	punted(&f, BH_PUNT_GROUP, BH_DROP_MAX);
	frame_ip6(&f, "fe80::1", "ff02::1", 10);
	punted(&f, BH_PUNT_GROUP, BH_DROP_MAX);
	frame_ip6(&f, "fe80::1", "fe80::2", 10);
	punted(&f, BH_PUNT_LINK, BH_DROP_MAX);
	frame_to4(&f, 1);
	f.b[13] = 6;
	punted(&f, BH_PUNT_ARP, BH_DROP_MAX);
	ck_assert_uint_eq(bed.stats->fwd[0].punted, 6);
	ck_assert_uint_eq(bed.stats->fwd[0].punt[BH_PUNT_LOCAL].taken, 2);
}
END_TEST

static void
check_error(enum bed_nh nh, enum bh_punt_reason why, enum bh_drop drop4, enum bh_drop drop6)
{
	struct frame f;
	struct bh_punt p;

	frame_to4(&f, nh);
	p = punted(&f, why, drop4);
	ck_assert_uint_eq(p.out_ifindex, 0);
	frame_to6(&f, nh);
	punted(&f, why, drop6);
}

START_TEST(errors_count_as_drops_too)
{
	struct frame f;

	check_error(BED_UNREACHABLE, BH_PUNT_UNREACHABLE, BH_DROP_NEXTHOP_UNREACHABLE,
		BH_DROP_NEXTHOP_UNREACHABLE);
	check_error(BED_PROHIBIT, BH_PUNT_PROHIBIT, BH_DROP_NEXTHOP_PROHIBIT,
		BH_DROP_NEXTHOP_PROHIBIT);
	check_error(200, BH_PUNT_NO_ROUTE, BH_DROP_IP4_NO_ROUTE, BH_DROP_IP6_NO_ROUTE);
	frame_to4(&f, 2);
	frame_hdr4(&f)->time_to_live = 1;
	frame_sum4(&f);
	punted(&f, BH_PUNT_TTL, BH_DROP_IP4_TTL_EXPIRED);
	frame_to6(&f, 2);
	frame_hdr6(&f)->hop_limits = 1;
	punted(&f, BH_PUNT_TTL, BH_DROP_IP6_HOP_LIMIT_EXPIRED);
	frame_to4(&f, BED_BLACKHOLE);
	bed_expect_drop(&f, BH_DROP_NEXTHOP_BLACKHOLE); /* silent, RFC 8349 */
	/* Without a stack they are the same drops. */
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, NULL), 0);
	frame_to4(&f, BED_UNREACHABLE);
	bed_expect_drop(&f, BH_DROP_NEXTHOP_UNREACHABLE);
	frame_to4(&f, BED_ATTACHED);
	bed_expect_drop(&f, BH_DROP_NEIGHBOR_UNRESOLVED);
}
END_TEST

START_TEST(too_big)
{
	struct bh_punt p;
	struct frame f;

	bed_put_if(2, BED_IF_ALL, 1280);
	frame_ip6(&f, "2001:db8:ffff::1", "2001:db8:2::9", 1300);
	p = punted(&f, BH_PUNT_TOO_BIG, BH_DROP_IP6_TOO_BIG);
	ck_assert_uint_eq(p.out_ifindex, 2);
	ck_assert_uint_eq(p.mtu, 1280);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(10, 0, 2, 9), 1300);
	frame_hdr4(&f)->fragment_offset = htons(0x4000);
	frame_sum4(&f);
	p = punted(&f, BH_PUNT_TOO_BIG, BH_DROP_IP4_MTU_EXCEEDED);
	ck_assert_uint_eq(p.mtu, 1280);
}
END_TEST

/* What misses its neighbor tells which: the destination on an attached network, else the next hop. */
START_TEST(resolve)
{
	struct bh_adj_copy c = { .ifindex = 3, .state = BH_ADJ_UNRESOLVED, .family = 6,
		.hop = { 0x20, 1, [15] = 7 } };
	const uint8_t dst[4] = { 10, 0, BED_ATTACHED, 9 };
	struct bh_punt p;
	struct frame f;

	frame_to4(&f, BED_ATTACHED);
	p = punted(&f, BH_PUNT_RESOLVE, BH_DROP_MAX);
	ck_assert_uint_eq(p.out_ifindex, 2);
	ck_assert_uint_eq(p.family, 4);
	ck_assert_mem_eq(p.hop, dst, 4);
	frame_to6(&f, BED_ATTACHED);
	p = punted(&f, BH_PUNT_RESOLVE, BH_DROP_MAX);
	ck_assert_uint_eq(p.family, 6);
	ck_assert_mem_eq(p.hop, frame_hdr6(&f)->dst_addr, 16);
	ck_assert_int_eq(bh_adj_put(&bed.t, 3, &c), 0);
	frame_to4(&f, 3);
	p = punted(&f, BH_PUNT_RESOLVE, BH_DROP_MAX);
	ck_assert_uint_eq(p.out_ifindex, 3);
	ck_assert_uint_eq(p.family, 6); /* RFC 8950 */
	ck_assert_mem_eq(p.hop, c.hop, 16);
}
END_TEST

/* ---- policing ---- */

static unsigned int
drain(void)
{
	struct rte_mbuf *m;
	unsigned int n = 0;

	for (; rte_ring_sc_dequeue(stack.punt[0], (void **)&m) == 0; n++)
		rte_pktmbuf_free(m);
	return n;
}

START_TEST(policed)
{
	struct bh_police *p = &bed.f->lcore[0]->police[BH_PUNT_NO_ROUTE];
	const struct bh_stats_punt *s = &bed.stats->fwd[0].punt[BH_PUNT_NO_ROUTE];
	struct frame f;

	frame_to4(&f, 200);
	p->cost = rte_get_tsc_hz() * 3600; /* nothing comes back within this test */
	p->credit = p->most = 3 * p->cost;
	for (int i = 0; i < 10; i++)
		bed_inject(&f, 1);
	bed_turn();
	ck_assert_uint_eq(drain(), 3);
	ck_assert_uint_eq(s->taken, 3);
	ck_assert_uint_eq(s->policed, 7);
	bed_check_drops(BH_DROP_IP4_NO_ROUTE, 10);
	/* Other reasons have their own. */
	p = &bed.f->lcore[0]->police[BH_PUNT_LOCAL];
	p->cost = rte_get_tsc_hz() * 3600;
	p->credit = p->most = 2 * p->cost;
	frame_to4(&f, BED_LOCAL);
	for (int i = 0; i < 5; i++)
		bed_inject(&f, 1);
	bed_turn();
	ck_assert_uint_eq(drain(), 2);
	bed_check_drops(BH_DROP_PUNT_POLICED, 3);
	/* An hour's credit is one packet. */
	p->last -= p->cost + 1;
	bed_inject(&f, 1);
	bed_inject(&f, 1);
	bed_turn();
	ck_assert_uint_eq(drain(), 1);
	bed_check_drops(BH_DROP_PUNT_POLICED, 1);
	bed_check_no_mbuf_lost();
}
END_TEST

/* What is to us may not fill the ring; the rest may. */
START_TEST(ring_full)
{
	struct frame f;

	frame_to4(&f, BED_LOCAL);
	for (int i = 0; i < RING + 10; i++)
		bed_inject(&f, 1);
	while (bed_turn() > 0)
		;
	ck_assert_uint_eq(rte_ring_count(stack.punt[0]), RING - RING / 8);
	bed_check_drops(BH_DROP_PUNT_FULL, 10 + RING / 8);
	f.b[13] = 6; /* ARP */
	for (int i = 0; i < RING; i++)
		bed_inject(&f, 1);
	while (bed_turn() > 0)
		;
	bed_check_drops(BH_DROP_PUNT_FULL, RING - RING / 8);
	ck_assert_uint_eq(drain(), RING);
	bed_check_no_mbuf_lost();
}
END_TEST

/* ---- injection ---- */

static void
inject(const struct frame *f, enum bh_inject how, uint16_t ifindex)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);

	ck_assert_ptr_nonnull(m);
	memcpy(rte_pktmbuf_append(m, f->len), f->b, f->len);
	bh_inject_mark(m, how, ifindex);
	ck_assert_int_eq(rte_ring_sp_enqueue(stack.inject[0], m), 0);
	ck_assert_uint_eq(bed_turn(), 1);
}

static void
expect_sent(uint16_t port, const struct frame *out)
{
	struct rte_mbuf *m = bed_take(port, 0);

	ck_assert_msg(m != NULL, "nothing was sent by port %u", port);
	ck_assert_uint_eq(m->pkt_len, out->len);
	ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), out->b, out->len);
	rte_pktmbuf_free(m);
	bed_check_drops(BH_DROP_MAX, 0);
	bed_check_no_mbuf_lost();
}

static void
set_macs(struct frame *f, const char *dst, uint16_t port)
{
	const uint8_t src[6] = { 2, 0, 0, 0, 0, port };

	memcpy(f->b, dst, 6);
	memcpy(f->b + 6, src, 6);
}

START_TEST(inject_routed)
{
	struct frame f, out;

	frame_to4(&f, 2);
	frame_hdr4(&f)->time_to_live = 1; /* traceroute on the box */
	frame_sum4(&f);
	memset(f.b, 0, 12);
	out = f;
	set_macs(&out, "\x02\xff\0\0\0\x02", 2);
	inject(&f, BH_INJECT_ROUTED, 0);
	expect_sent(2, &out);
	frame_to6(&f, 3);
	out = f;
	set_macs(&out, "\x02\xff\0\0\0\x03", 3);
	bed_put_if(1, BH_FWD_IF_UP, BED_MTU); /* forwards nothing: it does not matter */
	inject(&f, BH_INJECT_ROUTED, 1);
	expect_sent(3, &out);
	ck_assert_uint_eq(bed.stats->fwd[0].injected, 2);
	ck_assert_uint_eq(bed.stats->fwd[0].ip4_forwarded + bed.stats->fwd[0].ip6_forwarded, 0);
}
END_TEST

START_TEST(inject_on_link)
{
	struct bh_fwd_attached_key key = { .ifindex = 3, .family = 6,
		.addr = { 0xfe, 0x80, [15] = 9 } };
	struct frame f, out;

	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(224, 129, 2, 3), 10);
	out = f;
	set_macs(&out, "\x01\0\x5e\x01\x02\x03", 4);
	inject(&f, BH_INJECT_ROUTED, 4);
	expect_sent(4, &out);
	frame_ip4(&f, 0, 0xffffffff, 10);
	out = f;
	set_macs(&out, "\xff\xff\xff\xff\xff\xff", 4);
	inject(&f, BH_INJECT_ROUTED, 4);
	expect_sent(4, &out);
	frame_ip6(&f, "fe80::1", "ff02::1:ff00:9", 10);
	out = f;
	set_macs(&out, "\x33\x33\xff\0\0\x09", 2);
	inject(&f, BH_INJECT_ROUTED, 2);
	expect_sent(2, &out);
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &key, 3), 0);
	frame_ip6(&f, "fe80::1", "fe80::9", 10);
	out = f;
	set_macs(&out, "\x02\xff\0\0\0\x03", 3);
	inject(&f, BH_INJECT_ROUTED, 3);
	expect_sent(3, &out);
	inject(&f, BH_INJECT_ROUTED, 0); /* by which? */
	bed_check_drops(BH_DROP_OUT_INTERFACE_DOWN, 1);
	bed_put_if(3, BED_IF_ALL & ~BH_FWD_IF_UP, BED_MTU);
	inject(&f, BH_INJECT_ROUTED, 3);
	bed_check_drops(BH_DROP_OUT_INTERFACE_DOWN, 1);
	bed_check_no_mbuf_lost();
}
END_TEST

/* Our own packets are told back as such. */
START_TEST(inject_routed_punts)
{
	struct bh_punt p;
	struct frame f;

	frame_ip6(&f, "fe80::1", "fe80::77", 10);
	inject(&f, BH_INJECT_ROUTED, 3);
	p = expect_punt(&f, BH_PUNT_RESOLVE);
	ck_assert_uint_eq(p.ifindex, 3);
	ck_assert_uint_eq(p.out_ifindex, 3);
	ck_assert_uint_eq(p.flags, BH_PUNT_OWN);
	ck_assert_mem_eq(p.hop, frame_hdr6(&f)->dst_addr, 16);
	frame_to4(&f, BED_ATTACHED);
	inject(&f, BH_INJECT_ROUTED, 0);
	p = expect_punt(&f, BH_PUNT_RESOLVE);
	ck_assert_uint_eq(p.ifindex, 0);
	ck_assert_uint_eq(p.out_ifindex, 2);
	ck_assert_uint_eq(p.flags, BH_PUNT_OWN);
	bed_check_drops(BH_DROP_MAX, 0);
	frame_to4(&f, 200);
	inject(&f, BH_INJECT_ROUTED, 1);
	p = expect_punt(&f, BH_PUNT_NO_ROUTE);
	ck_assert_uint_eq(p.flags, BH_PUNT_OWN);
	bed_check_drops(BH_DROP_IP4_NO_ROUTE, 1);
	frame_to4(&f, BED_LOCAL);
	inject(&f, BH_INJECT_ROUTED, 1);
	p = expect_punt(&f, BH_PUNT_LOCAL);
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[1].rx_drops, 0); /* it did not come in there */
	bed_check_no_mbuf_lost();
}
END_TEST

START_TEST(inject_held)
{
	struct frame f, out;

	frame_to4(&f, 2);
	out = f;
	frame_hop(&out, 2);
	inject(&f, BH_INJECT_HELD, 1);
	expect_sent(2, &out);
	ck_assert_uint_eq(bed.stats->fwd[0].ip4_forwarded, 1);
	frame_hdr4(&f)->time_to_live = 1;
	frame_sum4(&f);
	inject(&f, BH_INJECT_HELD, 1);
	ck_assert_uint_eq(expect_punt(&f, BH_PUNT_TTL).flags, 0);
	bed_check_drops(BH_DROP_IP4_TTL_EXPIRED, 1);
	frame_ip6(&f, "2001:db8:ffff::1", "fe80::9", 10); /* never had to wait */
	inject(&f, BH_INJECT_HELD, 1);
	bed_check_drops(BH_DROP_INJECT_BAD, 1);
	bed_check_no_mbuf_lost();
}
END_TEST

START_TEST(inject_resolved)
{
	struct frame f;

	frame_to4(&f, 2);
	f.b[12] = 0x08;
	f.b[13] = 0x06;
	inject(&f, BH_INJECT_RESOLVED, 4);
	expect_sent(4, &f);
	f.len = ETH + BED_MTU + 1;
	inject(&f, BH_INJECT_RESOLVED, 4);
	bed_check_drops(BH_DROP_INJECT_BAD, 1);
	bed_put_if(4, 0, 0);
	inject(&f, BH_INJECT_RESOLVED, 4);
	bed_check_drops(BH_DROP_OUT_INTERFACE_DOWN, 1);
	inject(&f, BH_INJECT_RESOLVED, 200);
	bed_check_drops(BH_DROP_OUT_INTERFACE_DOWN, 1);
	inject(&f, BH_INJECT_ROUTED, 1); /* not IP */
	bed_check_drops(BH_DROP_INJECT_BAD, 1);
	bed_check_no_mbuf_lost();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: the stack");
	TCase *tc = tcase_create("punt");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, plain_reasons);
	tcase_add_test(tc, errors_count_as_drops_too);
	tcase_add_test(tc, too_big);
	tcase_add_test(tc, resolve);
	tcase_add_test(tc, policed);
	tcase_add_test(tc, ring_full);
	suite_add_tcase(s, tc);
	tc = tcase_create("inject");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, inject_routed);
	tcase_add_test(tc, inject_on_link);
	tcase_add_test(tc, inject_routed_punts);
	tcase_add_test(tc, inject_held);
	tcase_add_test(tc, inject_resolved);
	suite_add_tcase(s, tc);
	return bed_run(s);
}
