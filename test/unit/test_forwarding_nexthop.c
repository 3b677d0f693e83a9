/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops and adjacencies: ECMP, attached networks, specials, what is not resolved or down, and
 * how the tables are written. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <rte_ip.h>

#include "app/forwarding/packet.h"
#include "test/unit/fwd_util.h"

#define FLOWS 10000

/* The port that the frames came out of; one turn sends them all by the same. */
static uint16_t
port_of(unsigned int n)
{
	uint16_t port = 0;

	for (uint16_t i = 1; i <= BED_PORTS; i++) {
		unsigned int out = bed_count(i);

		if (out != 0) {
			ck_assert_uint_eq(out, n);
			port = i;
		}
	}
	ck_assert_uint_ne(port, 0);
	return port;
}

static void
flow4(struct frame *f, unsigned int i, int kind)
{
	frame_to4(f, BED_ECMP);
	switch (kind) {
	case 0: /* one client, ports in a row */
		f->b[34] = (1024 + i) >> 8;
		f->b[35] = 1024 + i;
		break;
	case 1: /* clients in a row */
		frame_hdr4(f)->src_addr = htonl(IP4(100, 64, 0, 0) + i);
		break;
	default: /* source and port in step */
		frame_hdr4(f)->src_addr = htonl(IP4(100, 64, 0, 0) + i);
		f->b[34] = i >> 8;
		f->b[35] = i;
	}
	frame_sum4(f);
}

static void
flow6(struct frame *f, unsigned int i, int kind)
{
	frame_to6(f, BED_ECMP);
	if (kind == 0) {
		f->b[54] = (1024 + i) >> 8;
		f->b[55] = 1024 + i;
	} else if (kind == 1) {
		f->b[14 + 8 + 14] = i >> 8;
		f->b[14 + 8 + 15] = i;
	} else {
		f->b[16] = i >> 8; /* the flow label */
		f->b[17] = i;
	}
}

/* 10,000 flows with similar addresses over 4 members: 20 to 30 % each; and a flow, seen a second
 * time in a burst and once more later, goes the same way. */
static void
spread(void (*make)(struct frame *, unsigned int, int), int kind)
{
	unsigned int count[BED_PORTS + 1] = { 0 };
	struct frame f;

	for (unsigned int i = 0; i < FLOWS; i++) {
		uint16_t port;

		make(&f, i, kind);
		bed_inject(&f, 1);
		bed_inject(&f, 1);
		bed_turn();
		port = port_of(2);
		count[port]++;
		if (i % 10 == 0) {
			f.b[f.len - 1] ^= 0xff; /* other payload */
			bed_inject(&f, 2);
			f.b[5] = 2;
			bed_inject(&f, 2);
			bed_turn();
			ck_assert_uint_eq(port_of(1), port);
		}
	}
	for (uint16_t i = 1; i <= BED_PORTS; i++) {
		ck_assert_uint_ge(count[i], FLOWS / 5);
		ck_assert_uint_le(count[i], FLOWS * 3 / 10);
	}
	ck_assert_uint_eq(bed.stats->fwd[0].drop[BH_DROP_ETH_WRONG_MAC], FLOWS / 10);
	bed_check_no_mbuf_lost();
}

START_TEST(ecmp_spread4)
{
	spread(flow4, _i);
}
END_TEST

START_TEST(ecmp_spread6)
{
	spread(flow6, _i);
}
END_TEST

/* Weights are repeated members. */
START_TEST(ecmp_weights)
{
	const uint16_t adj[] = { 1, 2, 2, 2 };
	unsigned int count[BED_PORTS + 1] = { 0 };
	struct frame f;

	bed_put_nh(BED_ECMP, BH_NH_GROUP, 4, adj, 0);
	for (unsigned int i = 0; i < 4000; i++) {
		flow4(&f, i, 0);
		bed_inject(&f, 1);
		bed_turn();
		count[port_of(1)]++;
	}
	ck_assert_uint_eq(count[1] + count[2], 4000);
	ck_assert_uint_ge(count[1], 800);
	ck_assert_uint_le(count[1], 1200);
}
END_TEST

START_TEST(specials)
{
	static const struct {
		uint8_t nh;
		enum bh_drop why;
	} cases[] = {
		{ BED_LOCAL, BH_DROP_PUNT_NO_STACK }, { BED_BLACKHOLE, BH_DROP_NEXTHOP_BLACKHOLE },
		{ BED_UNREACHABLE, BH_DROP_NEXTHOP_UNREACHABLE },
		{ BED_PROHIBIT, BH_DROP_NEXTHOP_PROHIBIT }, { BED_DEAD, BH_DROP_NEXTHOP_DEAD },
		{ BED_EMPTY, BH_DROP_OUT_INTERFACE_DOWN }, { BED_UNSET, BH_DROP_NEXTHOP_DEAD },
	};
	struct frame f;

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		frame_to4(&f, cases[i].nh);
		bed_expect_drop(&f, cases[i].why);
		frame_to6(&f, cases[i].nh);
		bed_expect_drop(&f, cases[i].why);
	}
}
END_TEST

START_TEST(unresolved)
{
	struct frame f;

	bed_put_adj(2, 2, BH_ADJ_UNRESOLVED);
	frame_to4(&f, 2);
	bed_expect_drop(&f, BH_DROP_NEIGHBOR_UNRESOLVED);
	frame_to6(&f, 2);
	bed_expect_drop(&f, BH_DROP_NEIGHBOR_UNRESOLVED);
	bed_put_if(2, BED_IF_ALL & ~BH_FWD_IF_UP, BED_MTU);
	bed_expect_drop(&f, BH_DROP_OUT_INTERFACE_DOWN);
	bed_put_if(2, BED_IF_ALL, BED_MTU);
	bed_put_adj(2, 2, BH_ADJ_RESOLVED);
	bed_expect_hop(&f, 2);
}
END_TEST

START_TEST(out_interface_down)
{
	struct frame f;

	frame_to4(&f, 2);
	bed_put_if(2, BED_IF_ALL & ~BH_FWD_IF_UP, BED_MTU);
	bed_expect_drop(&f, BH_DROP_OUT_INTERFACE_DOWN);
	bed_put_if(2, BED_IF_ALL, BED_MTU);
	bed_expect_hop(&f, 2);
	frame_to4(&f, BED_ATTACHED);
	bed_put_if(2, BED_IF_ALL & ~BH_FWD_IF_UP, BED_MTU);
	bed_expect_drop(&f, BH_DROP_OUT_INTERFACE_DOWN);
}
END_TEST

/* The destination is a neighbor itself: looked up by interface, family and address. */
START_TEST(attached)
{
	struct bh_fwd_attached_key k4 = { .ifindex = 2, .family = 4,
		.addr = { 10, 0, BED_ATTACHED, 9 } };
	struct bh_fwd_attached_key k6 = { .ifindex = 2, .family = 6,
		.addr = { 0x20, 1, 0x0d, 0xb8, 0, BED_ATTACHED, [15] = 9 } };
	struct frame f4, f6;

	frame_to4(&f4, BED_ATTACHED);
	frame_to6(&f6, BED_ATTACHED);
	bed_expect_drop(&f4, BH_DROP_NEIGHBOR_UNRESOLVED);
	bed_expect_drop(&f6, BH_DROP_NEIGHBOR_UNRESOLVED);
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &k4, 2), 0);
	bed_expect_hop(&f4, 2);
	bed_expect_drop(&f6, BH_DROP_NEIGHBOR_UNRESOLVED);
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &k6, 2), 0);
	bed_expect_hop(&f6, 2);
	k4.ifindex = 3; /* the same address elsewhere does not count */
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &k4, 3), 0);
	bed_expect_hop(&f4, 2);
	k4.ifindex = 2;
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &k4, 100), 0);
	bed_put_adj(100, 2, BH_ADJ_UNRESOLVED);
	bed_expect_drop(&f4, BH_DROP_NEIGHBOR_UNRESOLVED);
	ck_assert_int_eq(bh_fwd_attached_del(&bed.t, &k4), 0);
	ck_assert_int_eq(bh_fwd_attached_del(&bed.t, &k4), -ENOENT);
	bed_expect_drop(&f4, BH_DROP_NEIGHBOR_UNRESOLVED);
	bed_expect_hop(&f6, 2);
}
END_TEST

/* As many attached neighbors as there are adjacencies find room, twice. */
START_TEST(attached_full)
{
	struct bh_fwd_attached_key key = { .ifindex = 2, .family = 4 };
	unsigned int n = BH_ADJ_MAX - 1;

	for (unsigned int round = 0; round < 2; round++) {
		for (uint32_t i = 1; i <= n; i++) {
			memcpy(key.addr, &(uint32_t){ i << 8 | round }, 4);
			ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &key, i), 0);
		}
		for (uint32_t i = 1; i <= n; i++) {
			memcpy(key.addr, &(uint32_t){ i << 8 | round }, 4);
			ck_assert_int_eq(bh_fwd_attached_del(&bed.t, &key), 0);
		}
	}
}
END_TEST

/* RFC 8950: the type of the frame is the packet's, whatever resolved the neighbor. */
START_TEST(ip4_by_any_adjacency)
{
	struct bh_adj_copy c = { .ifindex = 2, .state = BH_ADJ_RESOLVED, .hdr_len = BH_ETH_HDR };
	struct frame f;

	memcpy(c.hdr, "\x02\xff\0\0\0\x02\x02\0\0\0\0\x02\x86\xdd", 14);
	ck_assert_int_eq(bh_adj_put(&bed.t, 2, &c), 0);
	frame_to4(&f, 2);
	bed_expect_hop(&f, 2);
	frame_to6(&f, 2);
	bed_expect_hop(&f, 2);
}
END_TEST

/* The idle copy waits for its grace period, other entries do not wait for it. */
START_TEST(publish_grace)
{
	struct bh_fwd_nh_copy a = { .type = BH_NH_BLACKHOLE }, b = { .type = BH_NH_PROHIBIT };
	uint64_t token;

	rte_rcu_qsbr_thread_register(bed.t.qsbr, 0);
	rte_rcu_qsbr_thread_online(bed.t.qsbr, 0);
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 20, &a), 0);
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 20, &a), 0); /* the same again is no change */
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 20, &b), -EAGAIN);
	ck_assert_uint_eq(bh_fwd_nh_get(&bed.t.nhs[20])->type, BH_NH_BLACKHOLE);
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 21, &b), 0);
	token = bh_fwd_grace_start(&bed.t);
	ck_assert(!bh_fwd_grace_over(&bed.t, token));
	rte_rcu_qsbr_quiescent(bed.t.qsbr, 0);
	ck_assert(bh_fwd_grace_over(&bed.t, token));
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 20, &b), 0);
	ck_assert_uint_eq(bh_fwd_nh_get(&bed.t.nhs[20])->type, BH_NH_PROHIBIT);
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 20, &a), -EAGAIN);
	rte_rcu_qsbr_thread_offline(bed.t.qsbr, 0); /* asleep: nobody to wait for */
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 20, &a), 0);
}
END_TEST

START_TEST(publish_refuses)
{
	struct bh_fwd_if_copy ifc = { .flags = BH_FWD_IF_UP, .mtu = 1500, .mtu4 = 1500 };
	struct bh_adj_copy adj = { .ifindex = 1, .state = BH_ADJ_RESOLVED, .hdr_len = 18 };
	struct bh_fwd_nh_copy nh = { .type = BH_NH_GROUP, .n = BH_ECMP_MAX + 1 };
	struct bh_fwd_attached_key key = { .ifindex = 1, .family = 5 };

	ck_assert_int_eq(bh_fwd_if_put(&bed.t, 1, &ifc), -EINVAL);
	ifc.mtu6 = 1500;
	ck_assert_int_eq(bh_fwd_if_put(&bed.t, 0, &ifc), -EINVAL);
	ck_assert_int_eq(bh_fwd_if_put(&bed.t, BH_IF_MAX, &ifc), -EINVAL);
	ifc.flags = 0x8000;
	ck_assert_int_eq(bh_fwd_if_put(&bed.t, 1, &ifc), -EINVAL);
	ck_assert_int_eq(bh_adj_put(&bed.t, 1, &adj), -EINVAL);
	adj.hdr_len = BH_ETH_HDR;
	ck_assert_int_eq(bh_adj_put(&bed.t, 0, &adj), -EINVAL);
	ck_assert_int_eq(bh_adj_put(&bed.t, BH_ADJ_MAX, &adj), -EINVAL);
	adj.ifindex = BH_IF_MAX;
	ck_assert_int_eq(bh_adj_put(&bed.t, 1, &adj), -EINVAL);
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 30, &nh), -EINVAL);
	nh.n = 1;
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 0, &nh), -EINVAL);
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, BH_NH_MAX, &nh), -EINVAL);
	nh.type = BH_NH_PROHIBIT + 1;
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, 30, &nh), -EINVAL);
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &key, 1), -EINVAL);
	key.family = 4;
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &key, 0), -EINVAL);
	ck_assert_int_eq(bh_fwd_attached_put(&bed.t, &key, BH_ADJ_MAX), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: next hops");
	TCase *tc = tcase_create("nexthop");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_loop_test(tc, ecmp_spread4, 0, 3);
	tcase_add_loop_test(tc, ecmp_spread6, 0, 3);
	tcase_add_test(tc, ecmp_weights);
	tcase_add_test(tc, specials);
	tcase_add_test(tc, unresolved);
	tcase_add_test(tc, out_interface_down);
	tcase_add_test(tc, attached);
	tcase_add_test(tc, attached_full);
	tcase_add_test(tc, ip4_by_any_adjacency);
	tcase_add_test(tc, publish_grace);
	tcase_add_test(tc, publish_refuses);
	suite_add_tcase(s, tc);
	return bed_run(s);
}
