/* SPDX-License-Identifier: BSD-3-Clause */
/* Zebra's routes beside the others: distances, next hops, interfaces, refusals. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fpm_bed.h"

#define IS(prefix, text) ck_assert_str_eq(fake_route(f, prefix), text)
#define REC(prefix, text) ck_assert_str_eq(fake_fpm(f, prefix), text)

START_TEST(test_beside_others)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101; ospf 10.0.1.0/24 10.0.2.2@102");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("10.0.1.0/24", "connected 0 attached@1");
	REC("10.0.1.0/24", "188 10.0.2.2@102");
	fake_do(f, "route 192.0.2.0/24 5 10.0.2.9");
	fake_run(f);
	IS("192.0.2.0/24", "static 5 10.0.2.9@2");
	fake_do(f, "-route 192.0.2.0/24; route 192.0.2.0/24 20 10.0.2.9"); /* equal: static wins */
	fake_run(f);
	IS("192.0.2.0/24", "static 20 10.0.2.9@2");
	fake_do(f, "-route 192.0.2.0/24; route 192.0.2.0/24 21 10.0.2.9");
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	bed_say(f, "-bgp 192.0.2.0/24");
	IS("192.0.2.0/24", "static 21 10.0.2.9@2");
	REC("192.0.2.0/24", "none");
	bed_say(f, "-ospf 10.0.1.0/24");
	ck_assert_uint_eq(f->r.fpm.entries.n, 0);
	ref_check(f);
	fake_free(f);
}
END_TEST

START_TEST(test_distances)
{
	struct fake *f = bed_new();

	bed_open(f);
	fake_do(f, "route 192.0.2.0/24 50 10.0.2.9");
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	bed_cfg(f, "bgp", 60);
	fake_run(f);
	IS("192.0.2.0/24", "static 50 10.0.2.9@2");
	bed_say(f, "isis 192.0.2.0/24 10.0.1.2@101");
	bed_cfg(f, "isis", 49);
	fake_run(f);
	IS("192.0.2.0/24", "fpm 49 10.0.1.2@1");
	fake_free(f);
}
END_TEST

/* Zebra's connected and kernel routes are not taken, and what was held of the prefix goes. */
START_TEST(test_ours)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "kernel 192.0.2.0/24 10.0.1.2@101; kernel 2001:db8::/32 @101; -kernel 10.0.0.0/8");
	IS("192.0.2.0/24", "none");
	ck_assert_uint_eq(f->r.fpm.status.ignored, 3);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	bed_say(f, "kernel 192.0.2.0/24 @102");
	IS("192.0.2.0/24", "none");
	REC("192.0.2.0/24", "none");
	fake_free(f);
}
END_TEST

START_TEST(test_next_hops)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 blackhole; bgp 198.51.100.0/24 unreachable;"
		"bgp 203.0.113.0/24 prohibit; bgp 192.0.3.0/24 10.0.1.2@101*3 10.0.2.2@102;"
		"bgp 192.0.4.0/24 2001:db8::5@102; bgp 192.0.5.0/24 10.0.2.7; bgp 192.0.6.0/24 @101;"
		"ospf 2001:db8:1::/48 fe80::1@101 fe80::1@102");
	IS("192.0.2.0/24", "fpm 20 blackhole");
	IS("198.51.100.0/24", "fpm 20 unreachable");
	IS("203.0.113.0/24", "fpm 20 prohibit");
	IS("192.0.3.0/24", "fpm 20 10.0.1.2@1*3 10.0.2.2@2");
	IS("192.0.4.0/24", "fpm 20 2001:db8::5@2");
	IS("192.0.5.0/24", "fpm 20 10.0.2.7@2"); /* by the connected route */
	IS("192.0.6.0/24", "fpm 20 attached@1");
	IS("2001:db8:1::/48", "fpm 110 fe80::1@1 fe80::1@2");
	REC("203.0.113.0/24", "186 prohibit");
	REC("192.0.3.0/24", "186 10.0.1.2@101*3 10.0.2.2@102");
	REC("192.0.6.0/24", "186 -@101");
	REC("2001:db8:1::/48", "188 fe80::1@101 fe80::1@102");
	fake_free(f);
}
END_TEST

/* A changed route is a delete and a new one in a frame: nothing is deleted in between. */
START_TEST(test_replaced_without_gap)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	bed_say(f, "-bgp 192.0.2.0/24; bgp 192.0.2.0/24 10.0.2.2@102");
	IS("192.0.2.0/24", "fpm 20 10.0.2.2@2");
	bed_say(f, "-bgp 192.0.2.0/24; ospf 192.0.2.0/24 10.0.2.2@102");
	IS("192.0.2.0/24", "fpm 110 10.0.2.2@2");
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_DELETE], 0);
	ck_assert_uint_eq(f->n_verb[BH_T_FPM_ROUTE4][BH_V_DELETE], 0);
	fake_free(f);
}
END_TEST

START_TEST(test_groups)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 id 9"); /* not told yet */
	IS("192.0.2.0/24", "none");
	REC("192.0.2.0/24", "none");
	ck_assert_uint_eq(f->r.fpm.status.held, 1);
	bed_say(f, "group 9 1*2 2"); /* before its members */
	IS("192.0.2.0/24", "none");
	bed_say(f, "nh 2 10.0.2.2@102");
	IS("192.0.2.0/24", "fpm 20 10.0.2.2@2");
	bed_say(f, "nh 1 10.0.1.2@101; bgp 198.51.100.0/24 id 9; bgp 203.0.113.0/24 id 1");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1*2 10.0.2.2@2");
	IS("198.51.100.0/24", "fpm 20 10.0.1.2@1*2 10.0.2.2@2");
	REC("198.51.100.0/24", "186 10.0.1.2@101*2 10.0.2.2@102");
	bed_say(f, "nh 1 10.0.1.9@101"); /* all of its routes and groups */
	IS("192.0.2.0/24", "fpm 20 10.0.1.9@1*2 10.0.2.2@2");
	IS("203.0.113.0/24", "fpm 20 10.0.1.9@1");
	REC("203.0.113.0/24", "186 10.0.1.9@101");
	bed_say(f, "-nh 2");
	IS("192.0.2.0/24", "fpm 20 10.0.1.9@1");
	bed_say(f, "nh 2 blackhole; -nh 1"); /* routes of an id that is gone are held */
	IS("192.0.2.0/24", "fpm 20 blackhole");
	IS("203.0.113.0/24", "none");
	REC("203.0.113.0/24", "none");
	bed_say(f, "nh 9 10.0.2.3@102"); /* no group any more */
	IS("192.0.2.0/24", "fpm 20 10.0.2.3@2");
	bed_say(f, "group 9 10; group 10 9; bgp 192.0.2.0/24 id 9"); /* of each other */
	IS("192.0.2.0/24", "none");
	bed_say(f, "-bgp 192.0.2.0/24; -bgp 198.51.100.0/24; -bgp 203.0.113.0/24; -nh 9; -nh 10; -nh 2");
	ck_assert_uint_eq(f->r.fpm.nhgs.by_id.n, 0);
	ck_assert_uint_eq(f->r.fpm.entries.n, 0);
	fake_free(f);
}
END_TEST

/* Many routes by one id change at once: one request each. */
START_TEST(test_group_of_many)
{
	struct fake *f = bed_new();
	char words[64];
	unsigned int before;

	bed_open(f);
	bed_take(f, "nh 1 10.0.1.2@101; nh 2 10.0.2.2@102; group 3 1 2", ZEBRA);
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(words, sizeof(words), "bgp 20.%u.%u.0/24 id 3", i / 256, i % 256);
		bed_take(f, words, ZEBRA);
	}
	fake_run(f);
	before = f->n_verb[BH_T_ROUTE4][BH_V_ADD];
	for (unsigned int i = 0; i < 100; i++) {
		bed_take(f, "group 3 1", ZEBRA);
		bed_take(f, "nh 1 10.0.1.7@101; group 3 2; nh 2 10.0.2.7@102", ZEBRA);
	}
	fake_run(f);
	bed_check(f);
	IS("20.0.7.0/24", "fpm 20 10.0.2.7@2");
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_ADD], before + 1000);
	ck_assert_uint_eq(f->r.fpm.nhgs.told, 3);
	fake_free(f);
}
END_TEST

START_TEST(test_unknown_interface)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@105; bgp 198.51.100.0/24 10.0.1.2@101 10.0.3.2@105");
	IS("192.0.2.0/24", "none");
	IS("198.51.100.0/24", "fpm 20 10.0.1.2@1"); /* by those that are known */
	ck_assert_uint_eq(f->r.fpm.status.held, 1);
	REC("192.0.2.0/24", "186 10.0.1.2@105");
	fake_do(f, "if 3 eth3 up; addr eth3 10.0.3.1/24");
	fake_run(f);
	IS("192.0.2.0/24", "none");
	bed_tap(f, 3, 105);
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@3");
	IS("198.51.100.0/24", "fpm 20 10.0.1.2@1 10.0.3.2@3");
	bed_tap(f, 3, 0);
	fake_run(f);
	IS("192.0.2.0/24", "none");
	bed_tap(f, 2, 105); /* the TAP is another's now */
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@2");
	fake_do(f, "if 2 eth2 down");
	fake_run(f);
	IS("192.0.2.0/24", "none");
	ck_assert_uint_eq(f->r.fpm.status.held, 0); /* offered, and not to be resolved */
	bed_check(f);
	fake_free(f);
}
END_TEST

/* The interface table before or after hostif; a resync of hostif that lacks one. */
START_TEST(test_hostif_resync)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101; bgp 198.51.100.0/24 10.0.2.2@102");
	fake_change(f, BH_T_HOSTIF, BH_OP_RESYNC, NULL, NULL, 0);
	bed_tap(f, 1, 101);
	fake_run(f);
	IS("198.51.100.0/24", "fpm 20 10.0.2.2@2");
	fake_change(f, BH_T_HOSTIF, BH_OP_COMPLETE, NULL, NULL, 0);
	fake_change(f, BH_T_HOSTIF, BH_OP_SYNCED, NULL, NULL, 0);
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("198.51.100.0/24", "none");
	fake_do(f, "-if 1");
	fake_run(f);
	IS("192.0.2.0/24", "none");
	fake_do(f, "if 1 eth9 up; addr eth9 10.0.1.1/24");
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	fake_free(f);
}
END_TEST

/* A route that cannot be taken leaves nothing in its place. */
START_TEST(test_refused)
{
	static uint8_t frame[256] __attribute__((aligned(8)));
	struct fake *f = bed_new();
	struct nlmsghdr *h;

	bed_open(f);
	bed_say(f, "bgp 10.0.0.0/8 10.0.1.2@101");
	h = fpm_begin_route(frame + 4, 24, "10.0.0.0/8", 186, 1); /* without a next hop */
	fpm_head(frame, h->nlmsg_len);
	ck_assert_int_eq(bh_fpm_take(&f->r.fpm, frame, h->nlmsg_len + 4), 0);
	fake_run(f);
	bed_check(f);
	IS("10.0.0.0/8", "none");
	ck_assert_uint_eq(f->r.fpm.status.refused[BH_FPM_NO_HOP], 1);
	h->nlmsg_len = 15;
	ck_assert_int_lt(bh_fpm_take(&f->r.fpm, frame, 64), 0);
	fake_free(f);
}
END_TEST

/* The info base takes no more: nothing is lost, and it is offered again. */
START_TEST(test_full)
{
	struct fake *f = bed_new();

	bed_open(f);
	f->max_routes = f->table[BH_T_ROUTE4].n;
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	IS("192.0.2.0/24", "none");
	f->max_routes = UINT32_MAX;
	bed_say(f, "bgp 198.51.100.0/24 10.0.1.2@101");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	bed_say(f, "-bgp 192.0.2.0/24; -bgp 198.51.100.0/24");
	ref_check(f);
	fake_free(f);
}
END_TEST

/* No more than so many changes are on their way at a time, if who reads asks. */
START_TEST(test_backlog)
{
	struct fake *f = bed_new();
	char words[64];
	unsigned int i;

	bed_open(f);
	f->max_pending = 0;
	for (i = 0; !bh_fpm_is_busy(&f->r.fpm); i++) {
		ck_assert_uint_le(i, BH_FPM_BACKLOG);
		snprintf(words, sizeof(words), "bgp 20.%u.%u.0/24 10.0.1.2@101", i / 256, i % 256);
		bed_take(f, words, ZEBRA);
		if (i % 1000 == 0)
			ck_assert_int_eq(bh_routing_commit(&f->r), 0);
	}
	ck_assert_uint_ge(i, BH_FPM_BACKLOG / 2);
	f->r.fpm.now += 5000;
	f->max_pending = 1000;
	fake_run(f);
	ck_assert(!bh_fpm_is_busy(&f->r.fpm));
	bed_check(f);
	fake_free(f);
}
END_TEST

/* Next hops without end. */
START_TEST(test_too_many_sets)
{
	struct fake *f = bed_new();
	const unsigned int more = 10;
	char words[64];

	bed_open(f);
	for (unsigned int i = 0; i < BH_FPM_SET_MAX + more; i++) {
		snprintf(words, sizeof(words), "bgp 20.%u.%u.%u/32 10.9.%u.%u@101", i >> 16, i >> 8 & 255,
			i & 255, i >> 8 & 255, i & 255);
		snprintf(words + strlen(words), sizeof(words) - strlen(words), i >> 16 ? "*2" : "*1");
		bed_take(f, words, ZEBRA);
	}
	ck_assert_uint_eq(f->r.fpm.nhgs.sets.n, BH_FPM_SET_MAX);
	ck_assert_uint_eq(f->r.fpm.status.refused[BH_FPM_LIMIT], more);
	ck_assert_uint_eq(f->r.fpm.entries.n, BH_FPM_SET_MAX);
	fake_free(f);
}
END_TEST

START_TEST(test_status)
{
	struct bh_fpm_status s;
	struct bh_ifname_key key = {"fpm"};
	struct bh_hnode *n;
	struct fake *f = bed_new();

	bed_open(f);
	bed_take(f, "bgp 192.0.2.0/24 10.0.1.2@101; bgp 2001:db8::/32 fe80::1@109; kernel 10.0.0.0/8 @1",
		ZEBRA);
	f->max_pending = 0; /* nothing can be sent: the lag grows */
	f->r.fpm.now += 700;
	ck_assert_int_eq(bh_routing_commit(&f->r), 0);
	f->max_pending = 1000;
	fake_run(f);
	bed_wait(f, 300);
	n = bh_htab_any(&f->table[BH_T_FPM]);
	ck_assert_ptr_nonnull(n);
	ck_assert_mem_eq(((struct fake_rec *)n)->key, &key, sizeof(key));
	memcpy(&s, ((struct fake_rec *)n)->val, sizeof(s));
	ck_assert(s.state == BH_FPM_REPLAYING && s.peer_family == 4 && s.peer_port == 40000);
	ck_assert(s.routes4 == 1 && s.routes6 == 1 && s.held == 1 && s.stale == 0 && s.ignored == 1);
	ck_assert(s.added == 2 && s.messages == 3 && s.connections == 1 && s.zebra == ZEBRA);
	bh_fpm_close(&f->r.fpm, "it broke");
	bed_wait(f, 300);
	memcpy(&s, ((struct fake_rec *)bh_htab_any(&f->table[BH_T_FPM]))->val, sizeof(s));
	ck_assert(s.state == BH_FPM_LISTENING && s.stale == 2 && s.zebra == ZEBRA);
	ck_assert_str_eq(s.error, "it broke");
	fake_change(f, BH_T_CFG_FPM, BH_OP_DELETE, &key, NULL, 0);
	bed_wait(f, 300);
	ck_assert_ptr_null(bh_htab_any(&f->table[BH_T_FPM]));
	IS("192.0.2.0/24", "none");
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fpm");
	TCase *tc = tcase_create("routes");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_beside_others);
	tcase_add_test(tc, test_distances);
	tcase_add_test(tc, test_ours);
	tcase_add_test(tc, test_next_hops);
	tcase_add_test(tc, test_replaced_without_gap);
	tcase_add_test(tc, test_groups);
	tcase_add_test(tc, test_group_of_many);
	tcase_add_test(tc, test_unknown_interface);
	tcase_add_test(tc, test_hostif_resync);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_backlog);
	tcase_add_test(tc, test_too_many_sets);
	tcase_add_test(tc, test_status);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
