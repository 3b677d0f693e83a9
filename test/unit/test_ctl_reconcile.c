/* SPDX-License-Identifier: BSD-3-Clause */
/* bhctl reconcile: what zebra sent beside what the tables hold, with faults put in one by one. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ctl/reconcile.h"
#include "test/unit/ctl_fake.h"

#define KERNEL 70 /* the kernel's ifindex of interface n is KERNEL + n */
#define BGP 9	  /* zebra's number */

static struct bh_reconcile_tables t;
static struct bh_diffs ds;

static void
add(struct bh_recs *r, const void *key, const void *val, size_t len)
{
	ck_assert_int_eq(bh_recs_add(r, 0, key, val, len), 0);
}

static void
interface(uint32_t ifindex, uint8_t oper)
{
	struct bh_ifindex_key k = {ifindex};
	struct bh_interface v = {.oper = oper};
	struct bh_hostif h = {KERNEL + ifindex};

	add(&t.interface, &k, &v, sizeof(v));
	add(&t.hostif, &k, &h, sizeof(h));
}

static void
nexthop(uint32_t id, uint8_t type, uint32_t ifindex, uint8_t host)
{
	struct bh_nexthop_key k = {.type = type};
	struct bh_nexthop v = {.id = id};

	if (ifindex != 0) {
		k.n = 1;
		k.m[0] = (struct bh_nh_member){.ifindex = ifindex, .family = host != 0 ? 4 : 0,
			.weight = 1, .addr = {host != 0 ? 10 : 0, 0, 0, host}};
	}
	add(&t.nexthop, &k, &v, sizeof(v));
}

static struct bh_route4_key
key_of(uint8_t net)
{
	return (struct bh_route4_key){.addr = {net}, .plen = 8};
}

/* Zebra's route to net/8 by a host on an interface; 0: without interface. */
static void
sent(uint8_t net, uint32_t kernel, uint8_t host)
{
	struct bh_route4_key k = key_of(net);
	struct bh_fpm_route v = {.proto = BGP, .type = BH_NH_GROUP, .n = 1};

	v.hop[0] = (struct bh_fpm_hop){.ifindex = kernel, .family = host != 0 ? 4 : 0, .weight = 1,
		.addr = {host != 0 ? 10 : 0, 0, 0, host}};
	add(&t.fpm[0], &k, &v, offsetof(struct bh_fpm_route, hop) + sizeof(v.hop[0]));
}

static void
held(uint8_t net, uint8_t proto, uint8_t sub, uint16_t preference, uint32_t nh)
{
	struct bh_route4_key k = key_of(net);
	struct bh_route v = {.nh = nh, .proto = proto, .sub = sub, .preference = preference};

	add(&t.route[0], &k, &v, sizeof(v));
}

static void
setup(void)
{
	struct bh_cfg_fpm cfg = {.family = 4, .port = 2620};
	struct bh_ifname_key k = {"fpm"};

	bh_reconcile_tables_init(&t);
	memset(&ds, 0, sizeof(ds));
	memset(cfg.distance, 20, sizeof(cfg.distance));
	add(&t.cfg_fpm, &k, &cfg, sizeof(cfg));
	interface(1, BH_OPER_UP);
	interface(2, BH_OPER_DOWN);
	nexthop(5, BH_NH_GROUP, 1, 9);
	nexthop(6, BH_NH_GROUP, 1, 8);
	nexthop(7, BH_NH_BLACKHOLE, 0, 0);
	nexthop(8, BH_NH_ATTACHED, 1, 0);
}

static void
teardown(void)
{
	bh_diffs_free(&ds);
	bh_reconcile_tables_free(&t);
}

static void
expect(size_t n)
{
	bh_diffs_free(&ds);
	ck_assert_int_eq(bh_reconcile_compare(&t, &ds), 0);
	ck_assert_uint_eq(ds.n, n);
	ck_assert_uint_eq(ds.kept, n);
}

static void
expect_one(uint8_t net, unsigned int what)
{
	expect(1);
	ck_assert_uint_eq(ds.d[0].prefix.addr[0], net);
	ck_assert_uint_eq(ds.d[0].prefix.plen, 8);
	ck_assert_msg(ds.d[0].what == what, "%s", bh_diff_text(ds.d[0].what));
	ck_assert_str_ne(bh_diff_text(what), "unknown");
}

/* What is no fault: routes in any order, better ones of others, next hops that cannot be used. */
START_TEST(test_agree)
{
	expect(0);
	sent(30, KERNEL + 1, 9);
	held(20, BH_RP_FPM, BGP, 20, 6);
	held(30, BH_RP_FPM, BGP, 20, 5);
	sent(20, KERNEL + 1, 8);
	sent(40, KERNEL + 1, 0); /* attached */
	held(40, BH_RP_FPM, BGP, 20, 8);
	sent(50, KERNEL + 2, 9);    /* its interface is down */
	sent(51, 999, 9);	    /* nobody knows it */
	sent(52, 0, 9);		    /* to be resolved, and is not */
	sent(53, 0, 9);		    /* resolved through another route */
	held(53, BH_RP_FPM, BGP, 20, 6);
	sent(60, KERNEL + 1, 9);
	held(60, BH_RP_STATIC, 0, 5, 7);
	held(70, BH_RP_CONNECTED, 0, 0, 8);
	expect(0);
}
END_TEST

START_TEST(test_absent)
{
	sent(20, KERNEL + 1, 9);
	expect_one(20, BH_DIFF_ABSENT);
}
END_TEST

START_TEST(test_untold)
{
	held(20, BH_RP_FPM, BGP, 20, 5);
	expect_one(20, BH_DIFF_UNTOLD);
}
END_TEST

START_TEST(test_other_hops)
{
	sent(20, KERNEL + 1, 9);
	held(20, BH_RP_FPM, BGP, 20, 6);
	expect_one(20, BH_DIFF_OTHER_HOPS);
}
END_TEST

START_TEST(test_other_type)
{
	sent(20, KERNEL + 1, 9);
	held(20, BH_RP_FPM, BGP, 20, 7);
	expect_one(20, BH_DIFF_OTHER_HOPS);
}
END_TEST

START_TEST(test_other_daemon)
{
	sent(20, KERNEL + 1, 9);
	held(20, BH_RP_FPM, BGP + 1, 20, 5);
	expect_one(20, BH_DIFF_OTHER_HOPS);
}
END_TEST

START_TEST(test_worse)
{
	sent(20, KERNEL + 1, 9);
	held(20, BH_RP_STATIC, 0, 21, 7);
	expect_one(20, BH_DIFF_WORSE);
}
END_TEST

START_TEST(test_no_nexthop)
{
	held(20, BH_RP_STATIC, 0, 1, 99);
	expect_one(20, BH_DIFF_NO_NEXTHOP);
	sent(30, KERNEL + 1, 9);
	held(30, BH_RP_FPM, BGP, 20, BH_NH_MAX);
	expect(2);
	ck_assert_uint_eq(ds.d[1].what, BH_DIFF_NO_NEXTHOP);
}
END_TEST

/* Only what is there twice is told. */
START_TEST(test_common)
{
	struct bh_diffs a = {0}, b = {0};

	for (unsigned int i = 0; i < 20; i++) {
		struct bh_diff d = {.prefix = {.family = 4, .addr = {i}, .plen = 8},
			.what = BH_DIFF_ABSENT};

		if (i % 2 == 0)
			ck_assert_int_eq(bh_diffs_add(&a, &d), 0);
		d.what += i % 4 == 2;
		if (i % 3 != 0)
			ck_assert_int_eq(bh_diffs_add(&b, &d), 0);
	}
	bh_diffs_keep_common(&a, &b);
	ck_assert_uint_eq(a.n, 3); /* 4, 8, 16 */
	ck_assert_uint_eq(a.kept, 3);
	ck_assert_uint_eq(a.d[2].prefix.addr[0], 16);
	bh_diffs_free(&a);
	bh_diffs_free(&b);
}
END_TEST

/* More than are kept are counted. */
START_TEST(test_many)
{
	for (unsigned int i = 0; i < BH_DIFFS_KEPT + 10; i++) {
		struct bh_route4_key k = {.addr = {i >> 8, i, 1}, .plen = 24};
		struct bh_route v = {.nh = 5, .proto = BH_RP_FPM, .sub = BGP};

		add(&t.route[0], &k, &v, sizeof(v));
	}
	ck_assert_int_eq(bh_reconcile_compare(&t, &ds), 0);
	ck_assert_uint_eq(ds.n, BH_DIFFS_KEPT + 10);
	ck_assert_uint_eq(ds.kept, BH_DIFFS_KEPT);
}
END_TEST

/* ---- the command ---- */

static int
run(const char *command)
{
	return fake_run(bh_ctl_reconcile, command);
}

static json_int_t
number(const char *path)
{
	json_t *v = json_loads(fake_out, 0, NULL);
	json_int_t n = json_integer_value(bh_json_at(v, path));

	ck_assert_ptr_nonnull(v);
	json_decref(v);
	return n;
}

START_TEST(test_nothing_differs)
{
	fake_reset();
	ck_assert_int_eq(run("bhctl -r /nowhere reconcile"), BH_CTL_OK);
	ck_assert_ptr_nonnull(strstr(fake_out, "0 differences, 0 left"));
	ck_assert_int_eq(run("bhctl -r /nowhere -j reconcile --check"), BH_CTL_OK);
	ck_assert_int_eq(number("reconcile.ipv6.checked"), 7);
	ck_assert_int_eq(number("reconcile.differing"), 0);
}
END_TEST

/* Of the FIB: told, repaired unless --check, in any number of turns; the exit status tells. */
START_TEST(test_fib_differs)
{
	fake_reset();
	fake_audit(BH_T_ROUTE4, 3, true, false);
	fake_audit(BH_T_ROUTE6, 1, false, false);
	ck_assert_int_eq(run("bhctl -r /nowhere reconcile --check"), BH_CTL_FAILED);
	ck_assert_ptr_nonnull(strstr(fake_out, "2.0.0.0/8: missing in the FIB\n"));
	ck_assert_ptr_nonnull(strstr(fake_out, "4 differences, 4 left"));
	ck_assert_int_eq(run("bhctl -r /nowhere reconcile"), BH_CTL_FAILED);
	ck_assert_ptr_nonnull(strstr(fake_out, "3.0.0.0/8: missing in the FIB: repaired\n"));
	ck_assert_ptr_nonnull(strstr(fake_out, "100::/8: missing in the FIB: not repaired\n"));
	ck_assert_int_eq(run("bhctl -r /nowhere -j reconcile"), BH_CTL_FAILED);
	ck_assert_int_eq(number("reconcile.ipv4.checked"), 21);
	ck_assert_int_eq(number("reconcile.ipv4.repaired"), 3);
	ck_assert_int_eq(number("reconcile.differing"), 4);
	ck_assert_int_eq(number("reconcile.left"), 1);
}
END_TEST

/* Of the tables: without a supervisor nobody repairs it, which is told. */
START_TEST(test_tables_differ)
{
	struct bh_route4_key k = key_of(20);
	struct bh_route v = {.nh = 5, .proto = BH_RP_FPM, .sub = BGP};

	fake_reset();
	fake_put(BH_T_ROUTE4, 0, &k, &v, sizeof(v));
	ck_assert_int_eq(run("bhctl -r /nowhere reconcile"), BH_CTL_FAILED);
	ck_assert_ptr_nonnull(strstr(fake_out, "20.0.0.0/8: installed, not sent by zebra: not"));
	ck_assert_ptr_nonnull(strstr(fake_out, "20.0.0.0/8: its next hop does not exist: not"));
	ck_assert_ptr_nonnull(strstr(fake_out, "repair: replay routing: No such file"));
	ck_assert_ptr_nonnull(strstr(fake_out, "2 differences, 2 left"));
}
END_TEST

START_TEST(test_refused)
{
	fake_reset();
	fake_fail_table(BH_T_ROUTE6, -EPERM);
	ck_assert_int_eq(run("bhctl -r /nowhere reconcile"), BH_CTL_PERMISSION);
	fake_reset();
	fake_audit(BH_T_ROUTE4, 1, true, true);
	ck_assert_int_eq(run("bhctl -r /nowhere reconcile"), BH_CTL_FAILED);
	ck_assert_ptr_nonnull(strstr(fake_err, "route4"));
	ck_assert_str_eq(fake_out, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_reconcile");
	TCase *tc = tcase_create("compare");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_agree);
	tcase_add_test(tc, test_absent);
	tcase_add_test(tc, test_untold);
	tcase_add_test(tc, test_other_hops);
	tcase_add_test(tc, test_other_type);
	tcase_add_test(tc, test_other_daemon);
	tcase_add_test(tc, test_worse);
	tcase_add_test(tc, test_no_nexthop);
	tcase_add_test(tc, test_common);
	tcase_add_test(tc, test_many);
	suite_add_tcase(suite, tc);
	tc = tcase_create("command");
	tcase_add_test(tc, test_nothing_differs);
	tcase_add_test(tc, test_fib_differs);
	tcase_add_test(tc, test_tables_differ);
	tcase_add_test(tc, test_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
