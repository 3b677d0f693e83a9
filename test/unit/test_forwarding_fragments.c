/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 packets that leave in fragments: put together again they are what came, options are where
 * RFC 791 wants them, and every checksum is right. */
#include <arpa/inet.h>
#include <string.h>

#include <rte_ip.h>

#include "app/forwarding/packet.h"
#include "test/unit/fwd_util.h"

#define ETH 14

static void
teardown(void)
{
	ck_assert_uint_eq(rte_mempool_avail_count(bed.f->fragments.small), BH_FRAMES_SMALL);
	ck_assert_uint_eq(rte_mempool_avail_count(bed.f->fragments.large), BH_FRAMES_LARGE);
	bed_teardown();
}

/* Options of 12 bytes: one that every fragment has (loose source route), one of the first only
 * (record route), padding. */
static void
add_options(struct frame *f)
{
	static const uint8_t options[12] = { 0x83, 3, 4, 7, 7, 8, 0, 0, 0, 0, 1, 0 };
	struct rte_ipv4_hdr *ip = frame_hdr4(f);

	memmove(f->b + ETH + 32, f->b + ETH + 20, f->len - ETH - 20);
	memcpy(f->b + ETH + 20, options, sizeof(options));
	f->len += sizeof(options);
	ip->version_ihl = 0x48;
	ip->total_length = htons(ntohs(ip->total_length) + sizeof(options));
	frame_sum4(f);
}

static bool
has_option(const uint8_t *ip, uint8_t kind)
{
	unsigned int end = (ip[0] & 0xf) * 4;

	for (unsigned int i = 20; i < end && ip[i] != 0; i += ip[i] == 1 ? 1 : ip[i + 1])
		if (ip[i] == kind)
			return true;
	return false;
}

static bool
sum_is_right(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < (ip[0] & 0xfu) * 4; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* One fragment of the datagram `in`: put into its place. Returns whether it is the last. */
static bool
take_fragment(const struct rte_mbuf *m, const struct frame *in, uint16_t mtu, bool options,
	uint8_t *whole, unsigned int *have)
{
	const uint8_t *b = rte_pktmbuf_mtod(m, const uint8_t *), *ip = b + ETH;
	const struct rte_ipv4_hdr *h = (const struct rte_ipv4_hdr *)ip;
	unsigned int hlen = (ip[0] & 0xf) * 4, off = (ntohs(h->fragment_offset) & 0x1fff) * 8;
	unsigned int len = ntohs(h->total_length) - hlen;

	ck_assert_uint_eq(m->nb_segs, 1);
	ck_assert_uint_le(m->pkt_len - ETH, mtu);
	ck_assert_uint_eq(m->pkt_len - ETH, len + hlen);
	ck_assert_mem_eq(b, "\x02\xff\0\0\0\x02\x02\0\0\0\0\x02\x08", 13);
	ck_assert(sum_is_right(ip));
	ck_assert_uint_eq(h->time_to_live, in->b[ETH + 8] - 1);
	ck_assert_uint_eq(h->packet_id, ((const struct rte_ipv4_hdr *)(in->b + ETH))->packet_id);
	ck_assert_mem_eq(ip + 12, in->b + ETH + 12, 8);
	ck_assert(has_option(ip, 0x83) == options);
	ck_assert(has_option(ip, 7) == (options && off == 0));
	memcpy(whole + off, ip + hlen, len);
	*have += len;
	return !(h->fragment_offset & htons(0x2000));
}

static void
check_fragments(unsigned int payload, uint16_t mtu, bool options, unsigned int seg)
{
	unsigned int have = 0, n = 0, last = 0, hlen = options ? 32 : 20;
	uint64_t made = bh_read(&bed.stats->fwd[0].ip4_fragments);
	uint8_t whole[4096];
	struct rte_mbuf *m;
	struct frame f;

	bed_put_if(2, BED_IF_ALL, mtu);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(10, 0, 2, 9), payload);
	if (options)
		add_options(&f);
	bed_inject_seg(&f, 1, 0, seg);
	bed_turn();
	bed_check_drops(BH_DROP_MAX, 0);
	for (; (m = bed_take(2, 0)) != NULL; n++) {
		last += take_fragment(m, &f, mtu, options, whole, &have);
		rte_pktmbuf_free(m);
	}
	ck_assert_uint_gt(n, 1);
	ck_assert_uint_eq(last, 1);
	ck_assert_uint_eq(have, f.len - ETH - hlen);
	ck_assert_mem_eq(whole, f.b + ETH + hlen, have);
	ck_assert_uint_eq(bh_read(&bed.stats->fwd[0].ip4_fragments) - made, n);
	bed_check_no_mbuf_lost();
}

START_TEST(fragments)
{
	static const uint16_t mtus[] = { 68, 576, 1006, 1280, 1400 };

	for (unsigned int i = 0; i < RTE_DIM(mtus); i++)
		for (unsigned int payload = 1373; payload < 1500; payload += 13)
			for (int options = 0; options < 2; options++)
				check_fragments(payload, mtus[i], options, 0);
	check_fragments(1400, 600, true, 500);
	ck_assert_uint_eq(bed.stats->fwd[0].ip4_forwarded, bed.stats->fwd[0].ip4_fragmented);
}
END_TEST

/* Into pieces that are themselves large, and a fragment that is cut again. */
START_TEST(fragments_large)
{
	struct rte_mbuf *m;
	struct frame f;

	check_fragments(3900, 3000, false, 2000);
	check_fragments(3900, 2100, true, 2000);
	bed_put_if(2, BED_IF_ALL, 576);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(10, 0, 2, 9), 992);
	frame_hdr4(&f)->fragment_offset = htons(0x2000 | 125);
	frame_sum4(&f);
	bed_inject(&f, 1);
	bed_turn();
	for (unsigned int off = 125; off < 125 + 125; off += 69) {
		m = bed_take(2, 0);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq(ntohs(bh_pkt_ip4(m)->fragment_offset), 0x2000 | off);
		rte_pktmbuf_free(m);
	}
	ck_assert_ptr_null(bed_take(2, 0));
	bed_check_no_mbuf_lost();
}
END_TEST

/* No memory for fragments: one drop, nothing is sent. */
START_TEST(fragments_without_memory)
{
	struct rte_mempool *pool = bed.f->fragments.small;
	static struct rte_mbuf *all[BH_FRAMES_SMALL];
	struct frame f;

	ck_assert_int_eq(rte_pktmbuf_alloc_bulk(pool, all, BH_FRAMES_SMALL - 1), 0);
	bed_put_if(2, BED_IF_ALL, 576);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(10, 0, 2, 9), 1400);
	bed_expect_drop(&f, BH_DROP_IP4_FRAGMENT_FAILED);
	rte_pktmbuf_free_bulk(all, BH_FRAMES_SMALL - 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: fragments");
	TCase *tc = tcase_create("fragments");

	tcase_add_checked_fixture(tc, bed_setup, teardown);
	tcase_add_test(tc, fragments);
	tcase_add_test(tc, fragments_large);
	tcase_add_test(tc, fragments_without_memory);
	suite_add_tcase(s, tc);
	return bed_run(s);
}
