/* SPDX-License-Identifier: BSD-3-Clause */
/* The change log of a table: what is in it, who falls behind, a reader that races the writer. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/table_util.h"

START_TEST(test_log)
{
	uint64_t pos = 0, buf[64];
	const struct bh_rec *r = (const void *)buf;
	unsigned int n;
	bool mark;

	put(1, 5);
	put(1, 6);
	del(1);
	bh_table_replay_end(t);
	put(2, 7);
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, 80, &n, &mark), 72);
	ck_assert_uint_eq(n, 2); /* a third does not fit */
	ck_assert_uint_eq(r->op, BH_OP_PUT);
	ck_assert_uint_eq(r->gen, 1);
	ck_assert_uint_eq(r->len, sizeof(*r) + 8 + sizeof(struct bh_route));
	r = (const void *)((const uint8_t *)buf + 36);
	ck_assert_uint_eq(r->gen, 2);
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark), 20);
	r = (const void *)buf;
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(r->op, BH_OP_DELETE);
	ck_assert_uint_eq(r->len, sizeof(*r) + 8);
	ck_assert(!mark);
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark), 0);
	ck_assert(mark);
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark), 36);
	ck_assert_uint_eq(n, 1);
	ck_assert(!mark);
	ck_assert_uint_eq(pos, bh_changelog_head(&t->log));
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark), 0);
	ck_assert(!mark);
}
END_TEST

START_TEST(test_log_overtaken)
{
	uint64_t pos = 0, kept, buf[64];
	unsigned int n;
	bool mark;
	uint32_t i;

	for (i = 0; bh_changelog_head(&t->log) <= t->log.size; i++)
		put(i, 1);
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark), -ESTALE);
	ck_assert_uint_eq(pos, 0);
	kept = pos = bh_changelog_head(&t->log);
	put(i, 1);
	ck_assert_int_eq(bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark), 36);
	ck_assert_uint_gt(pos, kept);
}
END_TEST

struct racer {
	bool stop;
	uint64_t read, stale;
	bool bad;
};

/* Follows the log; every entry that it is given must be whole: metric == ~nh, nh as the key. */
static void
check_entries(struct racer *r, const uint8_t *p, int len)
{
	struct bh_route4_key k;
	struct bh_route v;
	struct bh_rec rec;
	int at;

	for (at = 0; at < len; at += sizeof(rec) + sizeof(k) + sizeof(v)) {
		memcpy(&rec, p + at, sizeof(rec));
		memcpy(&k, p + at + sizeof(rec), sizeof(k));
		memcpy(&v, p + at + sizeof(rec) + sizeof(k), sizeof(v));
		if (rec.op != BH_OP_PUT || v.metric != ~v.nh || k.addr[3] != (v.nh & 0xff))
			r->bad = true;
	}
}

static void *
race_reader(void *arg)
{
	struct racer *r = arg;
	uint64_t pos = 0, buf[256];
	unsigned int n;
	bool mark;
	int len;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		len = bh_changelog_read(&t->log, &pos, buf, sizeof(buf), &n, &mark);
		if (len == -ESTALE) {
			__atomic_fetch_add(&r->stale, 1, __ATOMIC_RELAXED);
			pos = bh_changelog_head(&t->log);
			continue;
		}
		check_entries(r, (const uint8_t *)buf, len);
		__atomic_fetch_add(&r->read, n, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A writer that laps its reader again and again: what the reader keeps is never torn. The log is
 * made small to be lapped often. */
START_TEST(test_log_race)
{
	struct racer r = { 0 };
	pthread_t thread;
	uint32_t i;

	bh_changelog_fini(&t->log);
	ck_assert_int_eq(bh_changelog_init(&t->log, 512), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, race_reader, &r), 0);
	for (i = 1; i < 30000000; i++) {
		struct bh_route4_key k = key_of(i & 0xff);
		struct bh_route v = { .nh = i, .metric = ~i };

		ck_assert_ptr_nonnull(bh_table_put(t, &k, &v, sizeof(v)));
		if (i % 1024 == 0 && i > 500000 &&
			__atomic_load_n(&r.read, __ATOMIC_RELAXED) > 10000 &&
			__atomic_load_n(&r.stale, __ATOMIC_RELAXED) > 10)
			break;
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	ck_assert(!r.bad);
	ck_assert_uint_gt(r.read, 10000);
	ck_assert_uint_gt(r.stale, 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("changelog");
	TCase *tc = tcase_create("changelog");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_log);
	tcase_add_test(tc, test_log_overtaken);
	tcase_add_test(tc, test_log_race);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
