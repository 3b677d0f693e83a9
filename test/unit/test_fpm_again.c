/* SPDX-License-Identifier: BSD-3-Clause */
/* A zebra that came back: what it takes back while it replays, and what it says of next-hop ids. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fpm_bed.h"

#define IS(prefix, text) ck_assert_str_eq(fake_route(f, prefix), text)

/* What another zebra takes back while it replays stays in use until the replay is over, unless it is
 * told again; what a first one takes back, and after the replay, goes at once. */
START_TEST(test_taken_back_while_replaying)
{
	struct fake *f = bed_new();
	unsigned int deleted;

	bed_open(f);
	bed_say(f, BED_ROUTES);
	bed_say(f, "-bgp 198.51.100.0/24");
	ck_assert(f->r.fpm.replaying);
	IS("198.51.100.0/24", "none");
	bed_say(f, BED_ROUTES);
	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	deleted = f->n_verb[BH_T_ROUTE4][BH_V_DELETE];
	bed_take(f, BED_ROUTES, ZEBRA + 1);
	bed_take(f, "-bgp 192.0.2.0/24; -bgp 198.51.100.0/24", ZEBRA + 1);
	bed_wait(f, FPM_SETTLE * 1000 - 1);
	ck_assert_uint_eq(bed_stale(f), 2);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("198.51.100.0/24", "fpm 20 10.0.2.2@2");
	bed_take(f, "bgp 192.0.2.0/24 10.0.1.9@101", ZEBRA + 1);
	bed_wait(f, FPM_SETTLE * 1000);
	ck_assert_uint_eq(bed_stale(f), 0);
	IS("192.0.2.0/24", "fpm 20 10.0.1.9@1");
	IS("198.51.100.0/24", "none");
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_DELETE], deleted + 1);
	ck_assert(!f->r.fpm.replaying);
	bed_take(f, "-bgp 192.0.2.0/24", ZEBRA + 1);
	bed_wait(f, 1);
	IS("192.0.2.0/24", "none");
	bed_check(f);
	fake_free(f);
}
END_TEST

/* A route whose id another zebra does not tell yet, or takes back, keeps its next hops until the replay
 * is over, and no longer. */
START_TEST(test_ids_while_replaying)
{
	struct fake *f = bed_connected();

	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	bed_take(f, "nh 7 10.0.1.9@101; bgp 192.0.2.0/24 id 8; bgp 198.51.100.0/24 id 7", ZEBRA + 1);
	bed_wait(f, 1);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("198.51.100.0/24", "fpm 20 10.0.1.9@1");
	bed_take(f, "-nh 7", ZEBRA + 1);
	bed_wait(f, 1);
	IS("198.51.100.0/24", "fpm 20 10.0.1.9@1");
	bed_take(f, "nh 8 10.0.2.5@102", ZEBRA + 1);
	bed_wait(f, 1);
	IS("192.0.2.0/24", "fpm 20 10.0.2.5@2");
	bed_wait(f, FPM_LIMIT * 1000);
	ck_assert(!f->r.fpm.replaying);
	IS("192.0.2.0/24", "fpm 20 10.0.2.5@2");
	IS("198.51.100.0/24", "none");
	bed_take(f, "-nh 8", ZEBRA + 1); /* after the replay: at once */
	bed_wait(f, 1);
	IS("192.0.2.0/24", "none");
	bed_check(f);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fpm again");
	TCase *tc = tcase_create("replay");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_taken_back_while_replaying);
	tcase_add_test(tc, test_ids_while_replaying);
	suite_add_tcase(suite, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
