/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet and IPv4 through the whole fast path: what goes on unchanged but for one hop, and the
 * one counter of each frame that does not. */
#include <arpa/inet.h>
#include <string.h>

#include <rte_ip.h>

#include "app/forwarding/packet.h"
#include "test/unit/fwd_util.h"

#define SRC IP4(192, 0, 2, 1)

START_TEST(forward_sizes)
{
	static const unsigned int payload[] = { 0, 1, 18, 22, 552, 1472 };
	struct frame f;

	for (unsigned int i = 0; i < RTE_DIM(payload); i++) {
		frame_ip4(&f, SRC, IP4(10, 0, 2, 9), payload[i]);
		bed_expect_hop(&f, 2);
	}
	ck_assert_uint_eq(bed.stats->fwd[0].ip4_forwarded, RTE_DIM(payload));
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[1].rx_packets, RTE_DIM(payload));
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[2].tx_packets, RTE_DIM(payload));
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[2].tx_bytes, 6 * 42 + 1 + 18 + 22 + 552 + 1472);
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[1].rx_bytes, bed.stats->fwd[0].ifs[2].tx_bytes);
}
END_TEST

/* Out by the interface that it came in by: allowed. */
START_TEST(forward_hairpin)
{
	struct frame f;

	frame_to4(&f, 1);
	bed_expect_hop(&f, 1);
}
END_TEST

START_TEST(forward_options)
{
	struct frame f;

	for (unsigned int words = 1; words <= 10; words++) {
		frame_to4(&f, 3);
		memmove(f.b + 34 + words * 4, f.b + 34, f.len - 34);
		memset(f.b + 34, 1, words * 4); /* no-operation options */
		f.len += words * 4;
		frame_hdr4(&f)->version_ihl = 0x45 + words;
		frame_hdr4(&f)->total_length = htons(f.len - 14);
		frame_sum4(&f);
		bed_expect_hop(&f, 3);
		f.b[34] ^= 0xff; /* the sum covers options too */
		bed_expect_drop(&f, BH_DROP_IP4_BAD_CHECKSUM);
	}
}
END_TEST

START_TEST(padding_is_cut)
{
	struct frame in, out;

	frame_ip4(&in, SRC, IP4(10, 0, 2, 9), 3);
	out = in;
	frame_hop(&out, 2);
	memset(in.b + in.len, 0x5a, 64);
	in.len += 15;
	bed_expect_out(&in, 2, &out);
}
END_TEST

/* A frame in segments, with padding in the last, middle and all later ones. */
START_TEST(segments)
{
	static const unsigned int seg[] = { 34, 40, 100, 200 };
	struct frame f, out;
	struct rte_mbuf *m;
	uint8_t copy[4096];

	for (unsigned int i = 0; i < RTE_DIM(seg); i++) {
		frame_ip4(&f, SRC, IP4(10, 0, 2, 9), 300);
		out = f;
		frame_hop(&out, 2);
		f.len += 500;
		bed_inject_seg(&f, 1, 0, seg[i]);
		ck_assert_uint_eq(bed_turn(), 1);
		bed_check_drops(BH_DROP_MAX, 0);
		m = bed_take(2, 0);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq(m->pkt_len, out.len);
		ck_assert_int_eq(rte_mbuf_check(m, 1, &(const char *){ NULL }), 0);
		ck_assert_mem_eq(rte_pktmbuf_read(m, 0, out.len, copy), out.b, out.len);
		rte_pktmbuf_free(m);
		bed_check_no_mbuf_lost();
	}
}
END_TEST

START_TEST(segment_too_short)
{
	struct frame f;

	frame_to4(&f, 2);
	bed_inject_seg(&f, 1, 0, 13);
	bed_turn();
	bed_check_drops(BH_DROP_ETH_TRUNCATED, 1);
	bed_inject_seg(&f, 1, 0, 33);
	bed_turn();
	bed_check_drops(BH_DROP_IP4_TRUNCATED, 1);
	memmove(f.b + 38, f.b + 34, f.len - 34);
	f.len += 4;
	frame_hdr4(&f)->version_ihl = 0x46;
	frame_hdr4(&f)->total_length = htons(f.len - 14);
	frame_sum4(&f);
	bed_inject_seg(&f, 1, 0, 36); /* options in the second segment */
	bed_turn();
	bed_check_drops(BH_DROP_IP4_TRUNCATED, 1);
	bed_check_no_mbuf_lost();
}
END_TEST

START_TEST(ethernet)
{
	struct frame f, g;

	frame_to4(&f, 2);
	g = f;
	g.len = 13;
	bed_expect_drop(&g, BH_DROP_ETH_TRUNCATED);
	g.len = 14;
	bed_expect_drop(&g, BH_DROP_IP4_TRUNCATED);
	g = f;
	g.b[5] = 2; /* another station's */
	bed_expect_drop(&g, BH_DROP_ETH_WRONG_MAC);
	g = f;
	g.b[0] = 0;
	bed_expect_drop(&g, BH_DROP_ETH_WRONG_MAC);
	g = f;
	memcpy(g.b + 12, "\x81\x00", 2); /* VLAN */
	bed_expect_drop(&g, BH_DROP_ETH_UNKNOWN_TYPE);
	memcpy(g.b + 12, "\x00\x26", 2); /* an 802.3 length */
	bed_expect_drop(&g, BH_DROP_ETH_UNKNOWN_TYPE);
	memcpy(g.b + 12, "\x08\x06", 2); /* ARP */
	bed_expect_drop(&g, BH_DROP_PUNT_NO_STACK);
	memset(g.b, 0xff, 6);
	bed_expect_drop(&g, BH_DROP_PUNT_NO_STACK);
}
END_TEST

/* RFC 1812 5.3.4: what came as a broadcast is not forwarded as a unicast. */
START_TEST(group_frame)
{
	struct frame f;

	frame_to4(&f, 2);
	memset(f.b, 0xff, 6);
	bed_expect_drop(&f, BH_DROP_ETH_WRONG_MAC);
	memcpy(f.b, "\x01\x00\x5e\x00\x00\x05", 6);
	bed_expect_drop(&f, BH_DROP_ETH_WRONG_MAC);
	frame_ip4(&f, SRC, IP4(224, 0, 0, 5), 10);
	memcpy(f.b, "\x01\x00\x5e\x00\x00\x05", 6);
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
}
END_TEST

START_TEST(version_and_length)
{
	struct frame f, g;

	frame_to4(&f, 2);
	for (unsigned int v = 0; v < 16; v++) {
		g = f;
		frame_hdr4(&g)->version_ihl = v << 4 | 5;
		frame_sum4(&g);
		if (v != 4)
			bed_expect_drop(&g, BH_DROP_IP4_BAD_VERSION);
	}
	for (unsigned int ihl = 0; ihl < 5; ihl++) {
		g = f;
		frame_hdr4(&g)->version_ihl = 0x40 | ihl;
		bed_expect_drop(&g, BH_DROP_IP4_BAD_LENGTH);
	}
	for (unsigned int len = 14; len < 34; len++) {
		g = f;
		g.len = len;
		bed_expect_drop(&g, BH_DROP_IP4_TRUNCATED);
	}
}
END_TEST

START_TEST(total_length)
{
	struct frame f;

	frame_to4(&f, 2);
	frame_hdr4(&f)->total_length = htons(f.len - 14 + 1);
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_IP4_BAD_LENGTH);
	frame_hdr4(&f)->total_length = htons(19);
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_IP4_BAD_LENGTH);
	frame_hdr4(&f)->total_length = htons(0xffff);
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_IP4_BAD_LENGTH);
	frame_hdr4(&f)->version_ihl = 0x46;
	frame_hdr4(&f)->total_length = htons(23);
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_IP4_BAD_LENGTH);
	frame_to4(&f, 2);
	frame_hdr4(&f)->version_ihl = 0x4f; /* a header longer than the frame */
	frame_hdr4(&f)->total_length = htons(40);
	f.len = 54;
	bed_expect_drop(&f, BH_DROP_IP4_BAD_LENGTH);
}
END_TEST

/* Any one bit of the header wrong is caught, by the sum or by an earlier check. */
START_TEST(checksum)
{
	struct frame f;

	for (unsigned int bit = 8; bit < 160; bit++) {
		frame_to4(&f, 2);
		f.b[14 + bit / 8] ^= 1 << bit % 8;
		if (bit / 8 == 2 || bit / 8 == 3) /* the total length, made longer or shorter */
			continue;
		bed_expect_drop(&f, BH_DROP_IP4_BAD_CHECKSUM);
	}
}
END_TEST

START_TEST(martian_source)
{
	static const uint32_t src[] = { 0, IP4(0, 1, 2, 3), IP4(127, 0, 0, 1),
		IP4(127, 255, 255, 255), IP4(224, 0, 0, 1), IP4(239, 1, 1, 1),
		IP4(240, 0, 0, 1), IP4(255, 255, 255, 255), IP4(169, 254, 1, 1) };
	static const uint32_t good[] = { IP4(1, 0, 0, 0), IP4(126, 255, 255, 255),
		IP4(128, 0, 0, 0), IP4(223, 255, 255, 255), IP4(169, 255, 0, 0) };
	struct frame f;

	for (unsigned int i = 0; i < RTE_DIM(src); i++) {
		frame_ip4(&f, src[i], IP4(10, 0, 2, 9), 10);
		bed_expect_drop(&f, BH_DROP_IP4_MARTIAN_SOURCE);
	}
	for (unsigned int i = 0; i < RTE_DIM(good); i++) {
		frame_ip4(&f, good[i], IP4(10, 0, 2, 9), 10);
		bed_expect_hop(&f, 2);
	}
	frame_ip4(&f, 0, IP4(255, 255, 255, 255), 10); /* DHCP */
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
	frame_ip4(&f, IP4(127, 0, 0, 1), IP4(224, 0, 0, 1), 10);
	bed_expect_drop(&f, BH_DROP_IP4_MARTIAN_SOURCE);
	frame_ip4(&f, IP4(169, 254, 1, 1), IP4(10, 0, BED_LOCAL, 1), 10);
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
}
END_TEST

START_TEST(destinations)
{
	static const uint32_t martian[] = { 0, IP4(0, 9, 9, 9), IP4(127, 0, 0, 1),
		IP4(240, 0, 0, 1), IP4(255, 255, 255, 254), IP4(169, 254, 9, 9) };
	static const uint32_t group[] = { IP4(224, 0, 0, 1), IP4(239, 255, 255, 255),
		IP4(255, 255, 255, 255) };
	const uint8_t any[4] = { 0 };
	struct frame f;

	ck_assert_int_eq(bh_fib_set(bed.t.fib4, any, 0, 2), 0);
	for (unsigned int i = 0; i < RTE_DIM(martian); i++) {
		frame_ip4(&f, SRC, martian[i], 10);
		bed_expect_drop(&f, BH_DROP_IP4_MARTIAN_DESTINATION);
	}
	for (unsigned int i = 0; i < RTE_DIM(group); i++) {
		frame_ip4(&f, SRC, group[i], 10);
		bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
	}
	frame_ip4(&f, SRC, IP4(8, 8, 8, 8), 10);
	bed_expect_hop(&f, 2);
	ck_assert_int_eq(bh_fib_del(bed.t.fib4, any, 0), 0);
	bed_expect_drop(&f, BH_DROP_IP4_NO_ROUTE);
}
END_TEST

START_TEST(time_to_live)
{
	struct frame f;

	for (unsigned int ttl = 0; ttl < 256; ttl++) {
		frame_to4(&f, 2);
		frame_hdr4(&f)->time_to_live = ttl;
		frame_sum4(&f);
		if (ttl <= 1)
			bed_expect_drop(&f, BH_DROP_IP4_TTL_EXPIRED);
		else
			bed_expect_hop(&f, 2);
	}
	frame_to4(&f, BED_LOCAL); /* to ourselves: any TTL will do */
	frame_hdr4(&f)->time_to_live = 1;
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
	frame_ip4(&f, SRC, IP4(11, 0, 0, 1), 10);
	frame_hdr4(&f)->time_to_live = 1;
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_IP4_NO_ROUTE);
}
END_TEST

START_TEST(mtu)
{
	struct frame f;

	bed_put_if(2, BED_IF_ALL, 600);
	frame_ip4(&f, SRC, IP4(10, 0, 2, 9), 600 - 28);
	bed_expect_hop(&f, 2);
	frame_ip4(&f, SRC, IP4(10, 0, 2, 9), 601 - 28);
	bed_inject(&f, 1);
	bed_turn();
	ck_assert_uint_eq(bed_count(2), 2); /* fragments: test_forwarding_stack */
	frame_hdr4(&f)->fragment_offset = htons(RTE_IPV4_HDR_DF_FLAG);
	frame_sum4(&f);
	bed_expect_drop(&f, BH_DROP_IP4_MTU_EXCEEDED);
	frame_ip4(&f, SRC, IP4(10, 0, 2, 9), 600 - 28);
	f.len += 20; /* padding does not count */
	bed_inject(&f, 1);
	bed_turn();
	ck_assert_uint_eq(bed_count(2), 1);
}
END_TEST

START_TEST(interface_flags)
{
	struct frame f, local;

	frame_to4(&f, 2);
	frame_to4(&local, BED_LOCAL);
	bed_put_if(1, BED_IF_ALL & ~BH_FWD_IF_FORWARD4, BED_MTU);
	bed_expect_drop(&f, BH_DROP_FORWARDING_DISABLED);
	bed_expect_drop(&local, BH_DROP_PUNT_NO_STACK);
	bed_put_if(1, BED_IF_ALL & ~BH_FWD_IF_IPV4, BED_MTU);
	bed_expect_drop(&f, BH_DROP_FAMILY_DISABLED);
	bed_expect_drop(&local, BH_DROP_FAMILY_DISABLED);
	bed_put_if(1, BED_IF_ALL & ~(BH_FWD_IF_FORWARD6 | BH_FWD_IF_IPV6), BED_MTU);
	bed_expect_hop(&f, 2);
	bed_put_if(1, BED_IF_ALL & ~BH_FWD_IF_UP, BED_MTU);
	bed_expect_drop(&f, BH_DROP_INTERFACE_DOWN);
}
END_TEST

/* A burst of all sorts: each packet its own fate, the good ones in order. */
START_TEST(mixed_burst)
{
	struct frame f;
	struct rte_mbuf *m;

	for (unsigned int i = 0; i < 32; i++) {
		frame_to4(&f, i % 4 == 1 ? BED_BLACKHOLE : i % 4 == 2 ? BED_PROHIBIT : 2);
		frame_hdr4(&f)->packet_id = htons(i);
		frame_hdr4(&f)->time_to_live = i % 4 == 3 ? 1 : 9;
		frame_sum4(&f);
		bed_inject(&f, 1);
	}
	ck_assert_uint_eq(bed_turn(), 32);
	for (unsigned int i = 0; i < 32; i += 4) {
		m = bed_take(2, 0);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq(bh_pkt_ip4(m)->packet_id, htons(i));
		rte_pktmbuf_free(m);
	}
	ck_assert_uint_eq(bed.stats->fwd[0].drop[BH_DROP_NEXTHOP_BLACKHOLE], 8);
	ck_assert_uint_eq(bed.stats->fwd[0].drop[BH_DROP_NEXTHOP_PROHIBIT], 8);
	ck_assert_uint_eq(bed.stats->fwd[0].drop[BH_DROP_IP4_TTL_EXPIRED], 8);
	bed_check_no_mbuf_lost();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: Ethernet and IPv4");
	TCase *tc = tcase_create("ip4");

	tcase_add_checked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_test(tc, forward_sizes);
	tcase_add_test(tc, forward_hairpin);
	tcase_add_test(tc, forward_options);
	tcase_add_test(tc, padding_is_cut);
	tcase_add_test(tc, segments);
	tcase_add_test(tc, segment_too_short);
	tcase_add_test(tc, ethernet);
	tcase_add_test(tc, group_frame);
	tcase_add_test(tc, version_and_length);
	tcase_add_test(tc, total_length);
	tcase_add_test(tc, checksum);
	tcase_add_test(tc, martian_source);
	tcase_add_test(tc, destinations);
	tcase_add_test(tc, time_to_live);
	tcase_add_test(tc, mtu);
	tcase_add_test(tc, interface_flags);
	tcase_add_test(tc, mixed_burst);
	suite_add_tcase(s, tc);
	return bed_run(s);
}
