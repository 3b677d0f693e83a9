/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "modules/v6stack/ratelimit.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

static struct bh_ratelimit rl;

static void
start(uint32_t rate, uint32_t burst, uint32_t peer_rate, uint32_t peer_burst)
{
	const struct bh_ratelimit_conf conf = {rate, burst, peer_rate, peer_burst};

	bh_ratelimit_init(&rl, &conf, 42);
}

static unsigned int
ask4(uint32_t net, unsigned int times, uint64_t now)
{
	const uint8_t to[4] = {net >> 16, net >> 8, net, 1};
	unsigned int passed = 0;

	for (unsigned int i = 0; i < times; i++)
		passed += bh_ratelimit_take(&rl, 4, to, now);
	return passed;
}

/* A burst at once, then one each 1/rate; never more than a burst saved. */
START_TEST(bucket)
{
	unsigned int passed = 0;

	start(1000, 1000, 10, 4);
	ck_assert_uint_eq(ask4(1, 100, SECOND), 4);
	ck_assert_uint_eq(ask4(1, 100, SECOND + 99 * MS), 0);
	ck_assert_uint_eq(ask4(1, 100, SECOND + 100 * MS), 1);
	ck_assert_uint_eq(ask4(1, 100, SECOND + 350 * MS), 2);
	ck_assert_uint_eq(ask4(1, 100, 100 * SECOND), 4);
	for (unsigned int ms = 0; ms < 10000; ms++)
		passed += ask4(1, 10, 100 * SECOND + ms * MS);
	ck_assert_uint_eq(passed, 99);
	ck_assert_uint_eq(rl.passed, 4 + 1 + 2 + 4 + 99);
	ck_assert_uint_eq(rl.over_peer, 500 + 100000 - rl.passed);
	ck_assert_uint_eq(rl.over_all, 0);
}
END_TEST

/* A flood from one prefix takes nothing from the others, and all together have a limit. */
START_TEST(shared)
{
	start(100, 20, 10, 5);
	ck_assert_uint_eq(ask4(1, 1000000, SECOND), 5);
	ck_assert_uint_eq(ask4(2, 3, SECOND), 3);
	for (uint32_t net = 3; net < 40; net++)
		ask4(net, 5, SECOND);
	ck_assert_uint_eq(rl.passed, 20);
	ck_assert_uint_eq(rl.over_peer, 1000000 - 5);
	ck_assert_uint_eq(rl.over_all, 3 + 37 * 5 - 15);
	ck_assert_uint_eq(ask4(50, 5, SECOND + 10 * MS), 1);
}
END_TEST

/* Addresses of one prefix share a bucket, other prefixes and the other family have their own. */
START_TEST(prefixes)
{
	uint8_t to[16] = {0x20, 1, 0xd, 0xb8, 0, 1};
	unsigned int passed = 0;

	start(1000000, 1000000, 10, 5);
	for (unsigned int i = 0; i < 1000; i++) {
		memcpy(to + 8, &i, sizeof(i));
		passed += bh_ratelimit_take(&rl, 6, to, SECOND);
	}
	ck_assert_uint_eq(passed, 5);
	to[7] = 1;
	ck_assert(bh_ratelimit_take(&rl, 6, to, SECOND));
	passed = 0;
	for (unsigned int i = 0; i < 256; i++) {
		const uint8_t four[4] = {192, 0, 2, i};

		passed += bh_ratelimit_take(&rl, 4, four, SECOND);
	}
	ck_assert_uint_eq(passed, 5);
}
END_TEST

START_TEST(extremes)
{
	start(0, 5, 10, 5);
	ck_assert_uint_eq(ask4(1, 10, SECOND), 0);
	start(10, 5, 0, 5);
	ck_assert_uint_eq(ask4(1, 10, SECOND), 0);
	start(10, 0, 10, 0);
	ck_assert_uint_eq(ask4(1, 10, SECOND), 1);
	start(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
	ck_assert_uint_eq(ask4(1, 100000, SECOND), 100000);
	ck_assert_uint_eq(ask4(1, 10, UINT64_MAX / 2), 10);
}
END_TEST

/* New rates hold at once. */
START_TEST(set)
{
	const struct bh_ratelimit_conf more = {1000, 1000, 1000, 100};

	start(10, 2, 10, 2);
	ck_assert_uint_eq(ask4(1, 10, SECOND), 2);
	bh_ratelimit_set(&rl, &more);
	ck_assert_uint_eq(ask4(2, 200, SECOND + SECOND), 100);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ratelimit");
	TCase *tc = tcase_create("ratelimit");
	SRunner *r;
	int failed;

	tcase_add_test(tc, bucket);
	tcase_add_test(tc, shared);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, extremes);
	tcase_add_test(tc, set);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
