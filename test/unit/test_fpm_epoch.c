/* SPDX-License-Identifier: BSD-3-Clause */
/* Zebra goes and comes: what is stale, what is swept, what is kept. */
#include <check.h>
#include <stdlib.h>

#include "fpm_bed.h"

#define IS(prefix, text) ck_assert_str_eq(fake_route(f, prefix), text)
#define REC(prefix, text) ck_assert_str_eq(fake_fpm(f, prefix), text)

/* Nothing is swept while nobody is connected, however long. */
START_TEST(test_never_while_disconnected)
{
	struct fake *f = bed_connected();

	bh_fpm_close(&f->r.fpm, NULL);
	ck_assert_uint_eq(bed_stale(f), 4);
	bed_wait(f, FPM_LIMIT * 5000);
	ck_assert_uint_eq(bed_stale(f), 4);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_DELETE], 0);
	fake_free(f);
}
END_TEST

/* The same zebra has all its routes: what it does not tell by the first pause is gone. */
START_TEST(test_same_zebra)
{
	struct fake *f = bed_connected();

	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	bed_wait(f, FPM_SETTLE * 1000); /* quiet, but no route came yet */
	ck_assert_uint_eq(bed_stale(f), 4);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	ck_assert_uint_eq(bed_stale(f), 3);
	bed_wait(f, FPM_SETTLE * 1000 - 1);
	ck_assert_uint_eq(bed_stale(f), 3);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101"); /* not quiet yet */
	bed_wait(f, FPM_SETTLE * 1000 - 1);
	ck_assert_uint_eq(bed_stale(f), 3);
	IS("203.0.113.0/24", "fpm 110 10.0.1.3@1");
	bed_wait(f, 1);
	ck_assert_uint_eq(f->r.fpm.entries.n, 1);
	ck_assert_uint_eq(f->r.fpm.status.swept, 3);
	IS("203.0.113.0/24", "none");
	REC("203.0.113.0/24", "none");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_ADD], 2 + 3 + 2); /* nothing was said twice */
	fake_free(f);
}
END_TEST

/* Another one gets its routes back daemon by daemon: each protocol waits for its own. */
START_TEST(test_another_zebra)
{
	struct fake *f = bed_connected();

	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	bed_take(f, "bgp 192.0.2.0/24 10.0.1.9@101", ZEBRA + 1);
	bed_wait(f, FPM_SETTLE * 1000);
	ck_assert_uint_eq(bed_stale(f), 2);
	IS("192.0.2.0/24", "fpm 20 10.0.1.9@1");
	IS("198.51.100.0/24", "none");
	IS("203.0.113.0/24", "fpm 110 10.0.1.3@1");
	IS("2001:db8::/32", "fpm 110 fe80::1@2");
	bed_wait(f, (FPM_LIMIT - FPM_SETTLE) * 1000 - 1);
	ck_assert_uint_eq(bed_stale(f), 2);
	bed_wait(f, 1);
	ck_assert_uint_eq(f->r.fpm.entries.n, 1);
	ck_assert(!f->r.fpm.replaying);
	fake_free(f);
}
END_TEST

/* Without a pause it is over at the limit; without any route too. */
START_TEST(test_limit)
{
	struct fake *f = bed_connected();

	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	for (int s = 0; s < FPM_LIMIT; s++) {
		ck_assert_uint_ge(bed_stale(f), 2);
		bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101; bgp 198.51.100.0/24 10.0.2.2@102");
		bed_wait(f, 1000);
	}
	ck_assert_uint_eq(bed_stale(f), 0);
	IS("203.0.113.0/24", "none");
	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	bed_wait(f, FPM_LIMIT * 1000 - 1);
	ck_assert_uint_eq(f->r.fpm.entries.n, 2);
	bed_wait(f, 1);
	ck_assert_uint_eq(f->r.fpm.entries.n, 0);
	fake_free(f);
}
END_TEST

/* What is left unread is no pause. */
START_TEST(test_waiting_is_not_quiet)
{
	struct fake *f = bed_connected();

	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	for (int i = 0; i < 10; i++) {
		bh_fpm_waits(&f->r.fpm);
		bed_wait(f, 1900);
	}
	ck_assert_uint_eq(bed_stale(f), 3);
	bed_wait(f, 100);
	ck_assert_uint_eq(bed_stale(f), 0);
	fake_free(f);
}
END_TEST

/* Ids are those of one zebra: the next one's 5 is another next hop. */
START_TEST(test_ids_end_with_the_connection)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, "nh 5 10.0.1.2@101; nh 6 10.0.1.3@101; group 7 5 6; bgp 192.0.2.0/24 id 5;"
		"bgp 198.51.100.0/24 id 7");
	bh_fpm_close(&f->r.fpm, NULL);
	ck_assert_uint_eq(f->r.fpm.nhgs.by_id.n, 0);
	bed_open(f);
	bed_say(f, "nh 5 10.0.2.2@102; nh 7 10.0.2.3@102");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("198.51.100.0/24", "fpm 20 10.0.1.2@1 10.0.1.3@1");
	bed_say(f, "bgp 192.0.2.0/24 id 5; bgp 198.51.100.0/24 id 5");
	IS("192.0.2.0/24", "fpm 20 10.0.2.2@2");
	ck_assert_uint_eq(bed_stale(f), 0);
	bed_check(f);
	fake_free(f);
}
END_TEST

/* Many are swept in many turns. */
START_TEST(test_sweep_in_turns)
{
	struct fake *f = bed_new();
	char words[64];
	unsigned int turns = 1;

	bed_open(f);
	for (unsigned int i = 0; i < 3 * BH_FPM_SWEEP; i++) {
		snprintf(words, sizeof(words), "bgp 20.%u.%u.0/24 10.0.1.2@101", i / 256, i % 256);
		bed_take(f, words, ZEBRA);
		if (i % 1000 == 0)
			fake_run(f);
	}
	bed_say(f, "bgp 10.0.0.0/8 10.0.1.2@101");
	bh_fpm_close(&f->r.fpm, NULL);
	bed_open(f);
	bed_say(f, "bgp 10.0.0.0/8 10.0.1.2@101");
	f->r.fpm.now += FPM_SETTLE * 1000;
	while (bh_fpm_sweep(&f->r.fpm)) {
		ck_assert_uint_eq(bed_stale(f), (3 - turns) * BH_FPM_SWEEP);
		fake_run(f);
		turns++;
	}
	ck_assert_uint_ge(turns, 3);
	bed_wait(f, 1);
	ck_assert_uint_eq(f->r.fpm.entries.n, 1);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fpm epochs");
	TCase *tc = tcase_create("epochs");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_never_while_disconnected);
	tcase_add_test(tc, test_same_zebra);
	tcase_add_test(tc, test_another_zebra);
	tcase_add_test(tc, test_limit);
	tcase_add_test(tc, test_waiting_is_not_quiet);
	tcase_add_test(tc, test_ids_end_with_the_connection);
	tcase_add_test(tc, test_sweep_in_turns);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
