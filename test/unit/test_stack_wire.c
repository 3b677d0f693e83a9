/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames built and taken apart; timers. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/timer.h"
#include "modules/v6stack/wire.h"

static const uint8_t mac[6] = {0x02, 0x00, 0x5e, 0x10, 0x20, 0x30};
static struct bh_frame f;

static void
solicit(void)
{
	struct nd_neighbor_solicit *ns;
	uint8_t src[16], group[16];

	bh_addr_parse("2001:db8::1", src);
	bh_ip6_solicited_node(src, group);
	ns = bh_frame_icmp6(&f, mac, NULL, src, group, false, sizeof(*ns));
	ns->nd_ns_type = ND_NEIGHBOR_SOLICIT;
	bh_frame_opt_lladdr(&f, ND_OPT_SOURCE_LINKADDR, mac);
	bh_frame_icmp6_end(&f);
}

START_TEST(addresses)
{
	uint8_t addr[16], want[16], group[16], m[6];

	bh_ip6_link_local(mac, addr);
	bh_addr_parse("fe80::5eff:fe10:2030", want);
	ck_assert_mem_eq(addr, want, 16);
	bh_ip6_solicited_node(addr, group);
	bh_addr_parse("ff02::1:ff10:2030", want);
	ck_assert_mem_eq(group, want, 16);
	bh_ip6_group_mac(group, m);
	ck_assert_mem_eq(m, "\x33\x33\xff\x10\x20\x30", 6);
	ck_assert(bh_mac_is_host(mac) && !bh_mac_is_host(bh_mac_broadcast));
	ck_assert(!bh_mac_is_host((const uint8_t[6]){0}));
}
END_TEST

/* RFC 1071 §3's example, and an odd length. */
START_TEST(sums)
{
	ck_assert_uint_eq(bh_sum16(0, "\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8), 0xddf2);
	ck_assert_uint_eq(bh_sum16(0, "\x01\x02\x03", 3), 0x0102 + 0x0300);
	ck_assert_uint_eq(bh_sum16(0xffff, "\x00\x01", 2), 1);
}
END_TEST

START_TEST(icmp6_round_trip)
{
	struct bh_pkt6 p;
	struct bh_nd_opts o;

	solicit();
	ck_assert_int_eq(bh_pkt6_parse(f.data, f.len, &p), 0);
	ck_assert_uint_eq(p.proto, IPPROTO_ICMPV6);
	ck_assert_uint_eq(p.l4_len, 32);
	ck_assert(bh_pkt6_icmp_sound(&p));
	ck_assert_int_eq(bh_nd_opts_parse(p.l4 + 24, p.l4_len - 24, &o), 0);
	ck_assert_mem_eq(o.source, mac, 6);
	ck_assert_ptr_null(o.target);
	f.data[60] ^= 1;
	ck_assert(!bh_pkt6_icmp_sound(&p));
}
END_TEST

/* No length of a frame or of a header makes the parser read behind its end: the copy ends there. */
START_TEST(cut_anywhere)
{
	struct bh_pkt6 p;

	solicit();
	for (size_t n = 0; n < f.len; n++) {
		uint8_t *room = malloc(n + 8);

		ck_assert_ptr_nonnull(room);
		memcpy(room + 2, f.data, n);
		ck_assert_int_eq(bh_pkt6_parse(room + 2, n, &p), -EBADMSG);
		ck_assert_ptr_null(bh_arp_parse(room + 2, n));
		free(room);
	}
	f.data[14] = 0x40; /* version 4 */
	ck_assert_int_eq(bh_pkt6_parse(f.data, f.len, &p), -EBADMSG);
}
END_TEST

START_TEST(router_alert)
{
	struct bh_pkt6 p;

	bh_frame_icmp6(&f, mac, NULL, bh_ip6_any, bh_ip6_all_mld, true, 8);
	bh_frame_icmp6_end(&f);
	ck_assert_int_eq(bh_pkt6_parse(f.data, f.len, &p), 0);
	ck_assert(p.router_alert && bh_pkt6_icmp_sound(&p));
	f.data[56] = 1; /* PadN instead */
	ck_assert_int_eq(bh_pkt6_parse(f.data, f.len, &p), 0);
	ck_assert(!p.router_alert);
	f.data[55] = 200; /* longer than the packet */
	ck_assert_int_eq(bh_pkt6_parse(f.data, f.len, &p), -EBADMSG);
}
END_TEST

START_TEST(options)
{
	static const uint8_t none[8] = {1, 0}, past[8] = {1, 2}, one[1] = {1};
	static const uint8_t unknown[16] = {200, 1, [8] = 2, [9] = 1, [10] = 7};
	static const uint8_t longer[16] = {1, 2, 9};
	struct bh_nd_opts o;

	ck_assert_int_eq(bh_nd_opts_parse(none, 8, &o), -EBADMSG);
	ck_assert_int_eq(bh_nd_opts_parse(past, 8, &o), -EBADMSG);
	ck_assert_int_eq(bh_nd_opts_parse(one, 1, &o), -EBADMSG);
	ck_assert_int_eq(bh_nd_opts_parse(NULL, 0, &o), 0);
	ck_assert_int_eq(bh_nd_opts_parse(unknown, 16, &o), 0);
	ck_assert_uint_eq(o.target[0], 7);
	ck_assert_int_eq(bh_nd_opts_parse(longer, 16, &o), 0);
	ck_assert_ptr_null(o.source); /* no Ethernet address */
}
END_TEST

START_TEST(arp)
{
	static const uint8_t ip[4] = {10, 0, 0, 1};
	const struct ether_arp *a;

	bh_frame_arp(&f, ARPOP_REQUEST, bh_mac_broadcast, mac, ip, mac, ip);
	a = bh_arp_parse(f.data, f.len);
	ck_assert_ptr_nonnull(a);
	ck_assert_mem_eq(a->arp_sha, mac, 6);
	ck_assert_uint_eq(ntohs(a->arp_op), ARPOP_REQUEST);
	for (int at = 14; at < 22; at++) { /* each field of the head */
		f.data[at] ^= 0x40;
		ck_assert_ptr_null(bh_arp_parse(f.data, f.len));
		f.data[at] ^= 0x40;
	}
	f.data[22] |= 1; /* a group as sender */
	ck_assert_ptr_null(bh_arp_parse(f.data, f.len));
}
END_TEST

/* ---- timers ---- */

static unsigned int fired;
static struct bh_timers wheel;
static struct bh_timer many[1000];

static void
on_fire(void *arg, struct bh_timer *t)
{
	ck_assert_ptr_eq(arg, &fired);
	ck_assert(!t->set);
	ck_assert_uint_ge(wheel.now, t->due);
	fired++;
}

static void
on_fire_again(void *arg, struct bh_timer *t)
{
	(void)arg;
	fired++;
	bh_timer_set(&wheel, t, 0, on_fire_again);
	bh_timer_cancel(&wheel, &many[1]);
}

START_TEST(timers_in_time)
{
	uint64_t now = 5, next;
	unsigned int seen = 0;

	fired = 0;
	bh_timers_init(&wheel, now, &fired);
	for (unsigned int i = 0; i < 1000; i++) /* up to some turns of the wheel */
		bh_timer_set(&wheel, &many[i], i * 61, on_fire);
	while ((next = bh_timers_next(&wheel)) != UINT64_MAX) {
		ck_assert_uint_le(next, 5 + seen * 61); /* never told too late */
		now = next > now ? next : now + 1;
		bh_timers_run(&wheel, now);
		while (seen < 1000 && 5 + seen * 61 <= now)
			seen++;
		ck_assert_uint_eq(fired, seen);
	}
	ck_assert_uint_eq(seen, 1000);
}
END_TEST

START_TEST(timers_change)
{
	fired = 0;
	bh_timers_init(&wheel, 1000, &fired);
	memset(many, 0, sizeof(many));
	bh_timer_set(&wheel, &many[0], 10, on_fire_again);
	bh_timer_set(&wheel, &many[1], 10, on_fire_again);
	bh_timer_set(&wheel, &many[2], 10, on_fire);
	bh_timer_set(&wheel, &many[2], 100000, on_fire); /* moved */
	bh_timers_run(&wheel, 1010);
	ck_assert_uint_ge(fired, 1); /* one may have cancelled the other */
	fired = 0;
	bh_timers_run(&wheel, 1010);
	ck_assert_uint_eq(fired, 1); /* set for now: in the next run */
	bh_timer_cancel(&wheel, &many[0]);
	bh_timers_run(&wheel, 900000); /* a long sleep */
	ck_assert_uint_eq(wheel.n, 0);
	bh_timers_run(&wheel, 5); /* never back */
	ck_assert_uint_eq(wheel.now, 900000);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("wire");
	Suite *s = suite_create("stack_wire");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, addresses);
	tcase_add_test(tc, sums);
	tcase_add_test(tc, icmp6_round_trip);
	tcase_add_test(tc, cut_anywhere);
	tcase_add_test(tc, router_alert);
	tcase_add_test(tc, options);
	tcase_add_test(tc, arp);
	tcase_add_test(tc, timers_in_time);
	tcase_add_test(tc, timers_change);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
