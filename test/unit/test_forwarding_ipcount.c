/* SPDX-License-Identifier: BSD-3-Clause */
/* What RFC 4293 wants counted: each kind of packet moves just the counters that it should. */
#include <arpa/inet.h>
#include <string.h>

#include <rte_ip.h>

#include "test/unit/fwd_util.h"

#define ETH 14
#define LEN4 128 /* of frame_to4(), from the IP header on */
#define LEN6 148
#define RING 64

static struct bh_fwd_stack stack;
static struct bh_stats_ip seen[BED_PORTS + 1][2]; /* what is accounted for */

static void
setup(void)
{
	bed_setup();
	memset(seen, 0, sizeof(seen));
	stack.punt[0] = rte_ring_create("t_punt", RING, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	stack.inject[0] = rte_ring_create("t_inject", RING, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, &stack), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, NULL), 0);
	rte_ring_free(stack.punt[0]);
	rte_ring_free(stack.inject[0]);
	bed_teardown();
}

/* ---- what is expected ---- */

static void
plus(unsigned int family, uint16_t port, enum bh_ip_counter counter, uint64_t n)
{
	seen[port][family == 6].n[counter] += n;
}

/* All sums are what was expected, and nothing else moved. */
static void
check(void)
{
	struct bh_stats_ip sum, all;

	for (unsigned int family = 4; family <= 6; family += 2) {
		bh_ip_total(bed.stats, family, BH_IP_ALL, &all);
		for (uint16_t p = 0; p <= BED_PORTS; p++) {
			bh_ip_total(bed.stats, family, p, &sum);
			for (unsigned int i = 0; i < BH_IP_COUNTERS; i++) {
				ck_assert_msg(sum.n[i] == seen[p][family == 6].n[i],
					"IPv%u, port %u: %s is %lu, not %lu", family, p,
					bh_ip_counter_name(i), sum.n[i], seen[p][family == 6].n[i]);
				all.n[i] -= sum.n[i];
			}
		}
		for (unsigned int i = 0; i < BH_IP_COUNTERS; i++)
			ck_assert_uint_eq(all.n[i], 0);
	}
}

static void
received(unsigned int family, uint64_t n, uint64_t octets)
{
	plus(family, 1, BH_IP_IN_RECEIVES, n);
	plus(family, 1, BH_IP_IN_OCTETS, octets);
}

static void
sent(unsigned int family, uint16_t port, uint64_t n, uint64_t octets)
{
	plus(family, port, BH_IP_OUT_TRANSMITS, n);
	plus(family, port, BH_IP_OUT_OCTETS, octets);
}

static void
forwarded(unsigned int family, uint16_t port, uint64_t n)
{
	plus(family, 1, BH_IP_IN_FORWARDED, n);
	plus(family, port, BH_IP_OUT_FORWARDED, n);
}

static void
clear(void)
{
	struct rte_mbuf *m;

	while (rte_ring_sc_dequeue(stack.punt[0], (void **)&m) == 0)
		rte_pktmbuf_free(m);
	for (uint16_t p = 1; p <= BED_PORTS; p++)
		bed_count(p);
	bed_check_no_mbuf_lost();
}

/* One frame in by port 1, `len` long as IP counts; then its other counters are checked. */
static void
one(const struct frame *f, unsigned int family, unsigned int len)
{
	bed_inject(f, 1);
	bed_turn();
	received(family, 1, len);
	check();
	clear();
}

static void
counts(const struct frame *f, unsigned int family, unsigned int len, enum bh_ip_counter counter)
{
	plus(family, 1, counter, 1);
	one(f, family, len);
}

/* ---- forwarding ---- */

START_TEST(forwards)
{
	struct frame f;

	frame_to4(&f, 2);
	f.len += 20; /* padding of the link: no part of the packet */
	forwarded(4, 2, 1);
	sent(4, 2, 1, LEN4);
	one(&f, 4, LEN4);
	frame_to6(&f, 3);
	forwarded(6, 3, 1);
	sent(6, 3, 1, LEN6);
	one(&f, 6, LEN6);
}
END_TEST

/* Both families and several ways out in one turn, in any order. */
START_TEST(mixed)
{
	struct frame f;

	for (unsigned int i = 0; i < 60; i++) {
		unsigned int family = i % 3 == 0 ? 6 : 4;
		uint16_t port = 2 + i * 7 % 5 % 2;

		if (family == 4)
			frame_to4(&f, port);
		else
			frame_to6(&f, port);
		bed_inject(&f, 1);
		received(family, 1, family == 4 ? LEN4 : LEN6);
		forwarded(family, port, 1);
		sent(family, port, 1, family == 4 ? LEN4 : LEN6);
	}
	while (bed_turn() > 0)
		;
	check();
	clear();
}
END_TEST

/* A device that takes no more: what it took was transmitted, the rest discarded. */
START_TEST(tx_full)
{
	struct frame f4, f6;
	unsigned int n = BED_RING + 40;

	frame_to4(&f4, 2);
	frame_to6(&f6, 2);
	for (unsigned int i = 0; i < n; i += 20) { /* 10 of each a turn */
		for (unsigned int k = 0; k < 20; k++)
			bed_inject(k % 2 ? &f6 : &f4, 1);
		bed_turn();
	}
	n = (n + 19) / 20 * 20;
	for (unsigned int family = 4; family <= 6; family += 2) {
		received(family, n / 2, n / 2 * (family == 4 ? LEN4 : LEN6));
		forwarded(family, 2, n / 2);
	}
	/* IPv4 goes first in a turn */
	sent(4, 2, BED_RING / 2 + 2, (BED_RING / 2 + 2) * LEN4);
	sent(6, 2, BED_RING / 2 - 2, (BED_RING / 2 - 2) * LEN6);
	plus(4, 2, BH_IP_OUT_DISCARDS, n / 2 - BED_RING / 2 - 2);
	plus(6, 2, BH_IP_OUT_DISCARDS, n / 2 - BED_RING / 2 + 2);
	check();
	clear();
}
END_TEST

START_TEST(fragments)
{
	struct frame f;

	bed_put_if(2, BED_IF_ALL, 600);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(10, 0, 2, 9), 1000); /* 1,028 bytes: 596 and 452 */
	forwarded(4, 2, 1);
	plus(4, 2, BH_IP_OUT_FRAG_OKS, 1);
	plus(4, 2, BH_IP_OUT_FRAG_CREATES, 2);
	sent(4, 2, 2, 1048);
	one(&f, 4, 1028);
	frame_hdr4(&f)->fragment_offset = htons(0x4000);
	frame_sum4(&f);
	forwarded(4, 2, 1);
	plus(4, 2, BH_IP_OUT_FRAG_FAILS, 1);
	one(&f, 4, 1028);
	frame_ip6(&f, "2001:db8:ffff::1", "2001:db8:2::9", 1000);
	forwarded(6, 2, 1);
	plus(6, 2, BH_IP_OUT_FRAG_FAILS, 1);
	one(&f, 6, 1048);
}
END_TEST

/* ---- errors ---- */

START_TEST(header_errors)
{
	struct frame f;

	frame_to4(&f, 2);
	frame_hdr4(&f)->hdr_checksum ^= 1;
	counts(&f, 4, LEN4, BH_IP_IN_HDR_ERRORS);
	frame_to4(&f, 2);
	f.b[ETH] = 0x55;
	counts(&f, 4, LEN4, BH_IP_IN_HDR_ERRORS);
	frame_to4(&f, 2);
	frame_hdr4(&f)->total_length = htons(19);
	counts(&f, 4, LEN4, BH_IP_IN_HDR_ERRORS);
	frame_to4(&f, 2);
	frame_hdr4(&f)->time_to_live = 1;
	frame_sum4(&f);
	counts(&f, 4, LEN4, BH_IP_IN_HDR_ERRORS);
	frame_to6(&f, 2);
	f.b[ETH] = 0x40;
	counts(&f, 6, LEN6, BH_IP_IN_HDR_ERRORS);
	frame_to6(&f, 2);
	frame_hdr6(&f)->hop_limits = 1;
	counts(&f, 6, LEN6, BH_IP_IN_HDR_ERRORS);
}
END_TEST

START_TEST(truncated)
{
	struct frame f;

	frame_to4(&f, 2);
	f.len = ETH + 100;
	counts(&f, 4, 100, BH_IP_IN_TRUNCATED);
	f.len = ETH + 10;
	counts(&f, 4, 10, BH_IP_IN_TRUNCATED);
	frame_to6(&f, 2);
	f.len = ETH + 100;
	counts(&f, 6, 100, BH_IP_IN_TRUNCATED);
}
END_TEST

START_TEST(address_errors_and_discards)
{
	struct frame f;

	frame_ip4(&f, IP4(127, 0, 0, 1), IP4(10, 0, 2, 9), 100);
	counts(&f, 4, LEN4, BH_IP_IN_ADDR_ERRORS);
	frame_ip6(&f, "ff02::1", "2001:db8:2::9", 100);
	counts(&f, 6, LEN6, BH_IP_IN_ADDR_ERRORS);
	bed_put_if(1, BED_IF_ALL & ~(BH_FWD_IF_FORWARD4 | BH_FWD_IF_IPV6), BED_MTU);
	frame_to4(&f, 2);
	counts(&f, 4, LEN4, BH_IP_IN_ADDR_ERRORS);
	frame_to6(&f, 2);
	counts(&f, 6, LEN6, BH_IP_IN_DISCARDS);
}
END_TEST

START_TEST(no_way)
{
	struct frame f;

	frame_to4(&f, 200);
	plus(4, 1, BH_IP_IN_FORWARDED, 1);
	counts(&f, 4, LEN4, BH_IP_IN_NO_ROUTES);
	frame_to6(&f, BED_UNREACHABLE);
	plus(6, 1, BH_IP_IN_FORWARDED, 1);
	counts(&f, 6, LEN6, BH_IP_IN_NO_ROUTES);
	frame_to4(&f, BED_BLACKHOLE);
	plus(4, 1, BH_IP_IN_FORWARDED, 1);
	counts(&f, 4, LEN4, BH_IP_IN_DISCARDS);
	bed_put_if(3, BED_IF_ALL & ~BH_FWD_IF_UP, BED_MTU);
	frame_to6(&f, 3);
	plus(6, 1, BH_IP_IN_FORWARDED, 1);
	counts(&f, 6, LEN6, BH_IP_IN_NO_ROUTES);
}
END_TEST

/* ---- to the router and from it ---- */

START_TEST(delivers)
{
	struct frame f;

	frame_to4(&f, BED_LOCAL);
	counts(&f, 4, LEN4, BH_IP_IN_DELIVERS);
	frame_ip6(&f, "fe80::1", "ff02::1", 100);
	plus(6, 1, BH_IP_IN_MCAST, 1);
	plus(6, 1, BH_IP_IN_MCAST_OCTETS, LEN6);
	counts(&f, 6, LEN6, BH_IP_IN_DELIVERS);
	frame_ip4(&f, 0, 0xffffffff, 100);
	plus(4, 1, BH_IP_IN_BCAST, 1);
	counts(&f, 4, LEN4, BH_IP_IN_DELIVERS);
	frame_to4(&f, 1);
	f.b[13] = 6; /* ARP is no IP */
	bed_inject(&f, 1);
	bed_turn();
	check();
	clear();
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, NULL), 0);
	frame_to6(&f, BED_LOCAL);
	counts(&f, 6, LEN6, BH_IP_IN_DISCARDS);
	f.b[12] = 8;
	f.b[13] = 6; /* nor without a stack */
	bed_inject(&f, 1);
	bed_turn();
	check();
	clear();
}
END_TEST

static void
inject(const struct frame *f, enum bh_inject how, uint16_t ifindex)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);

	ck_assert_ptr_nonnull(m);
	memcpy(rte_pktmbuf_append(m, f->len), f->b, f->len);
	bh_inject_mark(m, how, ifindex);
	ck_assert_int_eq(rte_ring_sp_enqueue(stack.inject[0], m), 0);
	ck_assert_uint_eq(bed_turn(), 1);
	check();
	clear();
}

START_TEST(own)
{
	struct frame f;

	frame_to4(&f, 2);
	plus(4, 2, BH_IP_OUT_REQUESTS, 1);
	sent(4, 2, 1, LEN4);
	inject(&f, BH_INJECT_ROUTED, 0);
	frame_ip6(&f, "fe80::1", "ff02::1", 100);
	plus(6, 3, BH_IP_OUT_REQUESTS, 1);
	plus(6, 3, BH_IP_OUT_MCAST, 1);
	plus(6, 3, BH_IP_OUT_MCAST_OCTETS, LEN6);
	sent(6, 3, 1, LEN6);
	inject(&f, BH_INJECT_ROUTED, 3);
	plus(6, 3, BH_IP_OUT_REQUESTS, 1);
	plus(6, 3, BH_IP_OUT_MCAST, 1);
	plus(6, 3, BH_IP_OUT_MCAST_OCTETS, LEN6);
	sent(6, 3, 1, LEN6);
	inject(&f, BH_INJECT_RESOLVED, 3);
	frame_to4(&f, 200);
	plus(4, 0, BH_IP_OUT_REQUESTS, 1);
	plus(4, 0, BH_IP_OUT_NO_ROUTES, 1);
	inject(&f, BH_INJECT_ROUTED, 0);
	frame_to6(&f, BED_BLACKHOLE);
	plus(6, 0, BH_IP_OUT_REQUESTS, 1);
	plus(6, 0, BH_IP_OUT_DISCARDS, 1);
	inject(&f, BH_INJECT_ROUTED, 0);
	frame_to4(&f, BED_LOCAL);
	plus(4, 0, BH_IP_OUT_REQUESTS, 1);
	inject(&f, BH_INJECT_ROUTED, 0);
	f.b[13] = 6; /* ARP of the stack */
	inject(&f, BH_INJECT_RESOLVED, 2);
}
END_TEST

/* A packet that waits for its neighbor came in once. */
START_TEST(held)
{
	struct frame f;

	frame_to4(&f, BED_ATTACHED);
	plus(4, 1, BH_IP_IN_FORWARDED, 1);
	one(&f, 4, LEN4);
	frame_to4(&f, 2);
	plus(4, 2, BH_IP_OUT_FORWARDED, 1);
	sent(4, 2, 1, LEN4);
	inject(&f, BH_INJECT_HELD, 1);
}
END_TEST

/* Of what nobody tells the family is looked at. */
START_TEST(unmarked)
{
	struct bh_fwd_lcore *lc = bed.f->lcore[0];
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
	struct frame f;

	frame_to6(&f, 2);
	memcpy(rte_pktmbuf_append(m, f.len), f.b, f.len);
	bh_tx_mark(lc, 2, BH_TX_ANY);
	bh_tx(lc, 2, m);
	bed_turn();
	sent(6, 2, 1, LEN6);
	check();
	clear();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding_ipcount");
	TCase *c = tcase_create("counters");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, forwards);
	tcase_add_test(c, mixed);
	tcase_add_test(c, tx_full);
	tcase_add_test(c, fragments);
	tcase_add_test(c, header_errors);
	tcase_add_test(c, truncated);
	tcase_add_test(c, address_errors_and_discards);
	tcase_add_test(c, no_way);
	tcase_add_test(c, delivers);
	tcase_add_test(c, own);
	tcase_add_test(c, held);
	tcase_add_test(c, unmarked);
	suite_add_tcase(s, c);
	return bed_run(s);
}
