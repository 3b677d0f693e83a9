/* SPDX-License-Identifier: BSD-3-Clause */
/* How many lines a flood of events makes, and that none is lost uncounted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "lib/log/limit.h"

/* One event a ms for 100 s: the burst, then a line a second; every event is told or counted. */
START_TEST(flood)
{
	struct bh_log_limit limit = {0};
	uint32_t left_out, lines = 0, told = 0;

	for (uint64_t ms = 5; ms < 100005; ms++)
		if (bh_log_allowed(&limit, ms, &left_out)) {
			lines++;
			told += 1 + left_out;
		}
	ck_assert_uint_ge(lines, 100);
	ck_assert_uint_le(lines, 100 + BH_LOG_BURST);
	ck_assert_uint_eq(told + limit.left_out, 100000);
}
END_TEST

/* What comes seldom is never left out, and a pause gives the burst back. */
START_TEST(seldom)
{
	struct bh_log_limit limit = {0};
	uint32_t left_out;

	for (uint64_t i = 0; i < 100; i++) {
		ck_assert(bh_log_allowed(&limit, i * BH_LOG_EVERY_MS, &left_out));
		ck_assert_uint_eq(left_out, 0);
	}
	for (unsigned int round = 1; round < 4; round++) {
		uint64_t now = round * 1000000;

		for (unsigned int i = 0; i < BH_LOG_BURST; i++)
			ck_assert(bh_log_allowed(&limit, now, &left_out));
		ck_assert_uint_eq(left_out, 0);
		ck_assert(!bh_log_allowed(&limit, now, &left_out));
		ck_assert(bh_log_allowed(&limit, now + BH_LOG_EVERY_MS, &left_out));
		ck_assert_uint_eq(left_out, 1);
	}
}
END_TEST

/* What stands in the log after so many events, all within the time of one. */
static const char *
logged(unsigned int events)
{
	static char text[8192];
	struct bh_log_limit limit = {0};
	int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	size_t n;

	dup2(fileno(file), STDERR_FILENO);
	for (unsigned int i = 0; i < events; i++)
		bh_log_limited(&limit, BH_LOG_WARNING, "area", "event %u", i);
	limit.at_ms = 0; /* long ago */
	bh_log_limited(&limit, BH_LOG_WARNING, "area", "last");
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

START_TEST(lines)
{
	const char *text;

	ck_assert_str_eq(logged(1), "unit: area: event 0\nunit: area: last\n");
	text = logged(BH_LOG_BURST + 90);
	ck_assert_ptr_nonnull(strstr(text, "unit: area: event 7\n"));
	ck_assert_ptr_null(strstr(text, "event 8"));
	ck_assert_ptr_nonnull(strstr(text, "unit: area: last (and 90 more such events)\n"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");
	SRunner *sr = srunner_create(s);
	int failed;

	bh_log_init("unit", BH_LOG_NOTICE);
	unsetenv("JOURNAL_STREAM");
	tcase_add_test(tc, flood);
	tcase_add_test(tc, seldom);
	tcase_add_test(tc, lines);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
