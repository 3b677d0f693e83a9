/* SPDX-License-Identifier: BSD-3-Clause */
/* Header arithmetic alone: checksums against RFC 1071 computed anew, and the flow hash. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>

#include "app/forwarding/flow.h"
#include "app/forwarding/packet.h"
#include "test/unit/fwd_util.h"

/*
 * All 65,536 checksum values, a header for each: a hop by difference gives what a sum anew gives.
 * Also when a sender wrote 0xffff, the other zero of ones' complement.
 */
START_TEST(checksum_by_difference)
{
	bool seen[65536] = { false };
	struct frame f, g;
	unsigned int n = 0;

	frame_to4(&f, 2);
	for (unsigned int id = 0; id < 65536; id++) {
		frame_hdr4(&f)->packet_id = id;
		frame_sum4(&f);
		g = f;
		ck_assert_uint_eq(bh_ip4_sum(frame_hdr4(&g), 20), 0xffff);
		bh_ip4_hop(frame_hdr4(&g));
		n += !seen[frame_hdr4(&f)->hdr_checksum];
		seen[frame_hdr4(&f)->hdr_checksum] = true;
		f.b[22]--;
		frame_sum4(&f);
		ck_assert_mem_eq(f.b, g.b, 34);
		f.b[22]++;
	}
	ck_assert_uint_eq(n, 65535); /* 0xffff is none: the header is not all zero */
}
END_TEST

START_TEST(checksum_other_zero)
{
	struct frame f;

	frame_to4(&f, 2);
	for (unsigned int id = 0; id < 65536; id++) {
		frame_hdr4(&f)->packet_id = id;
		frame_sum4(&f);
		if (frame_hdr4(&f)->hdr_checksum == 0)
			break;
	}
	ck_assert_uint_eq(frame_hdr4(&f)->hdr_checksum, 0);
	frame_hdr4(&f)->hdr_checksum = 0xffff;
	ck_assert_uint_eq(bh_ip4_sum(frame_hdr4(&f), 20), 0xffff);
	bh_ip4_hop(frame_hdr4(&f));
	ck_assert_uint_eq(bh_ip4_sum(frame_hdr4(&f), 20), 0xffff);
}
END_TEST

/* Random headers of all lengths: the sum agrees with the plain one, also after 1 to 254 hops. */
START_TEST(checksum_random)
{
	struct frame f;

	srandom(1);
	for (unsigned int run = 0; run < 20000; run++) {
		frame_to4(&f, 2);
		for (unsigned int i = 15; i < 14 + 60; i++)
			f.b[i] = random();
		f.b[14] = 0x45 + run % 11;
		f.b[22] = 255;
		frame_sum4(&f);
		for (unsigned int hops = random() % 255; hops > 0; hops--)
			bh_ip4_hop(frame_hdr4(&f));
		ck_assert_uint_eq(bh_ip4_sum(frame_hdr4(&f), (0x5 + run % 11) * 4), 0xffff);
		f.b[15] ^= 1 + random() % 255;
		ck_assert_uint_ne(bh_ip4_sum(frame_hdr4(&f), (0x5 + run % 11) * 4), 0xffff);
	}
}
END_TEST

/* The packet lies in memory of exactly its size: the sanitizer tells a byte read too many. */
static uint32_t
hash_of(const struct frame *f)
{
	struct rte_mbuf m = { .data_len = f->len, .pkt_len = f->len, .nb_segs = 1 };
	uint32_t h;

	m.buf_addr = malloc(f->len);
	ck_assert_ptr_nonnull(m.buf_addr);
	memcpy(m.buf_addr, f->b, f->len);
	h = f->b[12] == 8 ? bh_flow_hash4(&m, 1) : bh_flow_hash6(&m, 1);
	free(m.buf_addr);
	return h;
}

/* Each field of the 5-tuple counts, nothing else does. */
START_TEST(flow4_fields)
{
	struct frame f, g;
	uint32_t h;

	frame_to4(&f, 2);
	h = hash_of(&f);
	for (unsigned int i = 14; i < f.len; i++) {
		bool counts = i == 23 || (i >= 26 && i < 38);

		g = f;
		g.b[i] ^= 0x10;
		if (i == 14 || i == 20 || i == 21) /* version, fragment */
			continue;
		ck_assert_msg((hash_of(&g) != h) == counts, "byte %u", i);
	}
}
END_TEST

/* All fragments of a datagram and its ports: one way. */
START_TEST(flow4_fragments)
{
	struct frame f, g;

	frame_to4(&f, 2);
	frame_hdr4(&f)->fragment_offset = htons(0x2000);
	g = f;
	frame_hdr4(&g)->fragment_offset = htons(0x2010);
	memset(g.b + 34, 0x77, 8);
	ck_assert_uint_eq(hash_of(&f), hash_of(&g));
	frame_hdr4(&g)->fragment_offset = htons(0x0020); /* the last one */
	ck_assert_uint_eq(hash_of(&f), hash_of(&g));
	frame_hdr4(&g)->fragment_offset = htons(0x4000); /* not a fragment: ports count */
	ck_assert_uint_ne(hash_of(&f), hash_of(&g));
}
END_TEST

/* A header that ends in the packet's last byte: what lies behind is not read. */
START_TEST(flow_short)
{
	struct frame f, g;

	frame_to4(&f, 2);
	f.len = 14 + 20 + 3;
	g = f;
	memset(g.b + 34, 0xff, 8);
	ck_assert_uint_eq(hash_of(&f), hash_of(&g));
	frame_hdr4(&f)->next_proto_id = IPPROTO_ICMP;
	ck_assert_uint_ne(hash_of(&f), hash_of(&g));
	frame_to6(&f, 2);
	f.len = 54 + 3;
	g = f;
	memset(g.b + 54, 0xff, 8);
	ck_assert_uint_eq(hash_of(&f), hash_of(&g));
}
END_TEST

START_TEST(flow6_fields)
{
	struct frame f, g;
	uint32_t h;

	frame_to6(&f, 2);
	h = hash_of(&f);
	for (unsigned int i = 15; i < f.len; i++) {
		bool counts = (i >= 15 && i < 18) || i == 20 || (i >= 22 && i < 58);

		g = f;
		g.b[i] ^= i == 15 ? 0x01 : 0x10;
		ck_assert_msg((hash_of(&g) != h) == counts, "byte %u", i);
	}
	g = f;
	g.b[15] ^= 0xf0; /* traffic class */
	g.b[14] ^= 0x0f;
	ck_assert_uint_eq(hash_of(&g), h);
}
END_TEST

static void
insert(struct frame *f, uint8_t first, const uint8_t *ext, unsigned int len, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++) {
		memmove(f->b + 54 + len, f->b + 54, f->len - 54);
		memcpy(f->b + 54, ext, len);
		f->b[54] = f->b[20];
		f->b[20] = first;
		f->len += len;
	}
}

/* Ports are found behind up to 8 headers, not behind more, never behind a fragment header. */
START_TEST(flow6_walk)
{
	static const struct {
		uint8_t proto;
		uint8_t ext[16];
		unsigned int len, times;
		bool ports;
	} cases[] = {
		{ 0, { 0, 0 }, 8, 1, true }, { 60, { 0, 0 }, 8, 8, true },
		{ 60, { 0, 0 }, 8, 9, false }, { 43, { 0, 1 }, 16, 3, true },
		{ 51, { 0, 1 }, 12, 2, true }, { 135, { 0, 0 }, 8, 1, true },
		{ 60, { 0, 40 }, 8, 1, false }, { 44, { 0, 0, 0, 0, 9 }, 8, 1, true },
		{ 44, { 0, 0, 0, 1 }, 8, 1, false }, { 44, { 0, 0, 0, 8 }, 8, 1, false },
		{ 44, { 0, 0, 0x10, 1 }, 8, 1, false }, { 59, { 0, 0 }, 8, 1, false },
	};
	struct frame f, g;

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		frame_to6(&f, 2);
		insert(&f, cases[i].proto, cases[i].ext, cases[i].len, cases[i].times);
		g = f;
		g.b[54 + cases[i].len * cases[i].times + 1] ^= 1; /* the source port */
		ck_assert_msg((hash_of(&f) != hash_of(&g)) == cases[i].ports, "case %u", i);
	}
}
END_TEST

/* Walks over arbitrary headers end, and within the packet. */
START_TEST(flow6_random)
{
	struct frame f;
	uint32_t sum = 0;

	srandom(2);
	for (unsigned int run = 0; run < 50000; run++) {
		static const uint8_t protos[] = { 0, 43, 44, 51, 60, 135, 139, 140, 6, 17 };

		frame_to6(&f, 2);
		f.len = 54 + random() % 80;
		for (unsigned int i = 54; i < f.len; i++)
			f.b[i] = i % 8 == 6 ? protos[random() % RTE_DIM(protos)] : random() % 3;
		f.b[20] = protos[random() % RTE_DIM(protos)];
		sum |= hash_of(&f);
	}
	ck_assert_uint_eq(sum, UINT32_MAX);
}
END_TEST

START_TEST(pick_is_in_range)
{
	for (unsigned int n = 1; n <= BH_ECMP_MAX; n++) {
		ck_assert_uint_eq(bh_flow_pick(0, n), 0);
		ck_assert_uint_eq(bh_flow_pick(UINT32_MAX, n), n - 1);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: packets");
	TCase *tc = tcase_create("packet");

	tcase_add_test(tc, checksum_by_difference);
	tcase_add_test(tc, checksum_other_zero);
	tcase_add_test(tc, checksum_random);
	tcase_add_test(tc, flow4_fields);
	tcase_add_test(tc, flow4_fragments);
	tcase_add_test(tc, flow_short);
	tcase_add_test(tc, flow6_fields);
	tcase_add_test(tc, flow6_walk);
	tcase_add_test(tc, flow6_random);
	tcase_add_test(tc, pick_is_in_range);
	suite_add_tcase(s, tc);
	return bed_run(s);
}
