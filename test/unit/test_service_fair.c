/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody starves: not by greedy clients, not by floods of contacts, not by one user's crowd. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "lib/client/client_priv.h"
#include "test/unit/mini_core.h"

static int
nop(struct bh_handle *h)
{
	return bh_call(h, BH_V_NOP, 0, NULL, "abc", 4, NULL, NULL);
}

/* ---- direct channels ---- */

#define GREEDY 6
#define QUEUED 400

struct answers {
	unsigned int n, bad;
	uint32_t taken; /* before the last one */
};

static void
note(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct answers *a = arg;

	(void)body;
	(void)len;
	a->n++;
	a->bad += msg->status != 0;
	a->taken = msg->aux;
}

static void
ask(struct bh_handle *h, unsigned int n, struct answers *a)
{
	while (n-- > 0)
		ck_assert_int_eq(bh_submit(h, BH_V_GET, 0, UINT32_MAX, NULL, 0, note, a), 0);
	bh_flush(h);
}

static void
finish(struct bh_handle *h)
{
	while (bh_pending(h) > 0)
		ck_assert_int_ge(bh_poll(h, 5000), 0);
	bh_close(h);
}

/* A handler takes one request a pass, greedy clients have hundreds each in their queues: one that
 * has a single request is served within some passes, whether it came first or last. */
START_TEST(greedy_clients)
{
	struct answers all = {0}, own = {0};
	struct bh_handle *h[GREEDY + 1];
	unsigned int modest = _i;
	uint32_t before;

	mini.slow.release = true;
	for (unsigned int i = 0; i <= GREEDY; i++) {
		h[i] = mini_open("fair", BH_SERVICE_PACKET);
		ck_assert_int_eq(nop(h[i]), 0);
	}
	__atomic_store_n(&mini.slow.per_pass, 0, __ATOMIC_RELEASE);
	before = mini.slow.taken_all;
	for (unsigned int i = 0; i <= GREEDY; i++)
		ask(h[i], i == modest ? 1 : QUEUED, i == modest ? &own : &all);
	usleep(50000); /* each is in the polled set, and refused */
	__atomic_store_n(&mini.slow.per_pass, 1, __ATOMIC_RELEASE);
	finish(h[modest]);
	__atomic_store_n(&mini.slow.per_pass, UINT32_MAX, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i <= GREEDY; i++)
		if (i != modest)
			finish(h[i]);
	ck_assert_uint_eq(own.n, 1);
	ck_assert_uint_eq(all.n, GREEDY * QUEUED);
	ck_assert_uint_eq(own.bad + all.bad, 0);
	ck_assert_uint_le(own.taken - before, 4 * GREEDY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_fair");
	TCase *tc = tcase_create("service_fair");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, greedy_clients, 0, GREEDY + 1);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(0);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
