/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 through the whole fast path. */
#include <arpa/inet.h>
#include <string.h>

#include <rte_ip.h>

#include "test/unit/fwd_util.h"

#define SRC "2001:db8:ffff::1"

START_TEST(forward_sizes)
{
	static const unsigned int payload[] = { 0, 1, 532, 1452 };
	struct frame f;

	for (unsigned int i = 0; i < RTE_DIM(payload); i++) {
		frame_ip6(&f, SRC, "2001:db8:2::9", payload[i]);
		bed_expect_hop(&f, 2);
	}
	ck_assert_uint_eq(bed.stats->fwd[0].ip6_forwarded, RTE_DIM(payload));
	ck_assert_uint_eq(bed.stats->fwd[0].ip4_forwarded, 0);
}
END_TEST

/* Puts `len` bytes of extension headers `ext` before the UDP header. */
static void
insert_ext(struct frame *f, uint8_t first, const void *ext, unsigned int len)
{
	memmove(f->b + 54 + len, f->b + 54, f->len - 54);
	memcpy(f->b + 54, ext, len);
	f->len += len;
	frame_hdr6(f)->proto = first;
	frame_hdr6(f)->payload_len = htons(f->len - 54);
}

/* Extension headers are carried along unread, whatever is in them; also on the way through ECMP. */
START_TEST(extension_headers)
{
	static const uint8_t ext[] = { 43, 0, 1, 4, 0, 0, 0, 0, /* hop-by-hop: PadN */
		60, 0, 4, 0, 0, 0, 0, 0,			/* routing */
		17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }; /* destination options */
	static const uint8_t beyond[] = { 60, 255, 1, 4, 0, 0, 0, 0 };
	struct frame f;

	frame_to6(&f, 3);
	insert_ext(&f, 0, ext, sizeof(ext));
	bed_expect_hop(&f, 3);
	frame_to6(&f, 3);
	insert_ext(&f, 0, beyond, sizeof(beyond)); /* longer than the packet */
	bed_expect_hop(&f, 3);
	frame_to6(&f, BED_ECMP);
	insert_ext(&f, 0, beyond, sizeof(beyond));
	bed_inject(&f, 1);
	bed_turn();
	bed_check_drops(BH_DROP_MAX, 0);
	ck_assert_uint_eq(bed_count(1) + bed_count(2) + bed_count(3) + bed_count(4), 1);
}
END_TEST

START_TEST(padding_is_cut)
{
	struct frame in, out;

	frame_ip6(&in, SRC, "2001:db8:2::9", 3);
	out = in;
	frame_hop(&out, 2);
	memset(in.b + in.len, 0x5a, 64);
	in.len += 9;
	bed_expect_out(&in, 2, &out);
	in.len = out.len + 14; /* a header and no payload, RFC 8200 4.7 */
	frame_hdr6(&in)->payload_len = 0;
	frame_hdr6(&in)->proto = IPPROTO_NONE;
	out = in;
	out.len = 54;
	frame_hop(&out, 2);
	bed_expect_out(&in, 2, &out);
}
END_TEST

START_TEST(header)
{
	struct frame f, g;

	frame_to6(&f, 2);
	for (unsigned int v = 0; v < 16; v++) {
		g = f;
		g.b[14] = v << 4;
		if (v != 6)
			bed_expect_drop(&g, BH_DROP_IP6_BAD_VERSION);
	}
	for (unsigned int len = 14; len < 54; len++) {
		g = f;
		g.len = len;
		bed_expect_drop(&g, BH_DROP_IP6_TRUNCATED);
	}
	for (unsigned int len = 54; len < f.len; len += 7) {
		g = f;
		g.len = len;
		bed_expect_drop(&g, BH_DROP_IP6_BAD_LENGTH);
	}
	bed_inject_seg(&f, 1, 0, 53);
	bed_turn();
	bed_check_drops(BH_DROP_IP6_TRUNCATED, 1);
	bed_inject_seg(&f, 1, 0, 54);
	bed_turn();
	bed_check_drops(BH_DROP_MAX, 0);
	ck_assert_uint_eq(bed_count(2), 1);
	bed_check_no_mbuf_lost();
}
END_TEST

START_TEST(sources)
{
	static const char *const martian[] = { "::", "::1", "ff02::1", "ff0e::1234",
		"::ffff:192.0.2.1", "fe80::1", "febf:ffff::1" };
	static const char *const good[] = { "::2", "fec0::1", "fc00::1", "fe7f::1", "2000::" };
	struct frame f;

	for (unsigned int i = 0; i < RTE_DIM(martian); i++) {
		frame_ip6(&f, martian[i], "2001:db8:2::9", 10);
		bed_expect_drop(&f, BH_DROP_IP6_MARTIAN_SOURCE);
	}
	for (unsigned int i = 0; i < RTE_DIM(good); i++) {
		frame_ip6(&f, good[i], "2001:db8:2::9", 10);
		bed_expect_hop(&f, 2);
	}
	frame_ip6(&f, "::", "ff02::1:ff00:1", 24); /* duplicate address detection */
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
	frame_ip6(&f, "::1", "ff02::1", 24);
	bed_expect_drop(&f, BH_DROP_IP6_MARTIAN_SOURCE);
	frame_to6(&f, BED_LOCAL); /* a neighbor asks our global address */
	inet_pton(AF_INET6, "fe80::1", frame_hdr6(&f)->src_addr);
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
}
END_TEST

START_TEST(destinations)
{
	static const char *const martian[] = { "::", "::1", "::ffff:10.0.2.9" };
	static const char *const punted[] = { "ff02::1", "ff0e::1", "fe80::1", "febf::1" };
	const uint8_t any[16] = { 0 };
	struct frame f;

	ck_assert_int_eq(bh_fib_set(bed.t.fib6, any, 0, 2), 0);
	for (unsigned int i = 0; i < RTE_DIM(martian); i++) {
		frame_ip6(&f, SRC, martian[i], 10);
		bed_expect_drop(&f, BH_DROP_IP6_MARTIAN_DESTINATION);
	}
	for (unsigned int i = 0; i < RTE_DIM(punted); i++) {
		frame_ip6(&f, SRC, punted[i], 10);
		bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
	}
	frame_ip6(&f, SRC, "2a00::1", 10);
	bed_expect_hop(&f, 2);
	ck_assert_int_eq(bh_fib_del(bed.t.fib6, any, 0), 0);
	bed_expect_drop(&f, BH_DROP_IP6_NO_ROUTE);
}
END_TEST

START_TEST(hop_limit)
{
	struct frame f;

	for (unsigned int hops = 0; hops < 256; hops++) {
		frame_to6(&f, 2);
		frame_hdr6(&f)->hop_limits = hops;
		if (hops <= 1)
			bed_expect_drop(&f, BH_DROP_IP6_HOP_LIMIT_EXPIRED);
		else
			bed_expect_hop(&f, 2);
	}
	frame_to6(&f, BED_LOCAL);
	frame_hdr6(&f)->hop_limits = 1;
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
}
END_TEST

START_TEST(mtu)
{
	struct frame f;

	bed_put_if(2, BED_IF_ALL, 1280);
	frame_ip6(&f, SRC, "2001:db8:2::9", 1280 - 48);
	bed_expect_hop(&f, 2);
	frame_ip6(&f, SRC, "2001:db8:2::9", 1281 - 48);
	bed_expect_drop(&f, BH_DROP_IP6_TOO_BIG);
}
END_TEST

START_TEST(interface_flags)
{
	struct frame f, local;

	frame_to6(&f, 2);
	frame_to6(&local, BED_LOCAL);
	bed_put_if(1, BED_IF_ALL & ~BH_FWD_IF_FORWARD6, BED_MTU);
	bed_expect_drop(&f, BH_DROP_FORWARDING_DISABLED);
	bed_expect_drop(&local, BH_DROP_PUNT_NO_STACK);
	bed_put_if(1, BED_IF_ALL & ~BH_FWD_IF_IPV6, BED_MTU);
	bed_expect_drop(&f, BH_DROP_FAMILY_DISABLED);
	bed_put_if(1, BED_IF_ALL & ~(BH_FWD_IF_FORWARD4 | BH_FWD_IF_IPV4), BED_MTU);
	bed_expect_hop(&f, 2);
}
END_TEST

START_TEST(group_frame)
{
	struct frame f;

	frame_to6(&f, 2);
	memcpy(f.b, "\x33\x33\x00\x00\x00\x01", 6);
	bed_expect_drop(&f, BH_DROP_ETH_WRONG_MAC);
	frame_ip6(&f, "fe80::1", "ff02::1", 10);
	memcpy(f.b, "\x33\x33\x00\x00\x00\x01", 6);
	bed_expect_drop(&f, BH_DROP_PUNT_NO_STACK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: IPv6");
	TCase *tc = tcase_create("ip6");

	tcase_add_checked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_test(tc, forward_sizes);
	tcase_add_test(tc, extension_headers);
	tcase_add_test(tc, padding_is_cut);
	tcase_add_test(tc, header);
	tcase_add_test(tc, sources);
	tcase_add_test(tc, destinations);
	tcase_add_test(tc, hop_limit);
	tcase_add_test(tc, mtu);
	tcase_add_test(tc, interface_flags);
	tcase_add_test(tc, group_frame);
	suite_add_tcase(s, tc);
	return bed_run(s);
}
