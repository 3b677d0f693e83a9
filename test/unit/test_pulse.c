/* SPDX-License-Identifier: BSD-3-Clause */
/* Heartbeats: of processes by their life pages, of lcores by their turns. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "app/supervisor/child.h"
#include "app/supervisor/corebeat.h"
#include "app/supervisor/procfs.h"
#include "test/unit/life_util.h"

static const struct bh_pulse_limits limits = {.spin_ns = 1000, .sleeps = 5};

static enum bh_pulse_verdict
judge(struct bh_pulse *p, uint64_t turns, uint64_t cpu, char state)
{
	struct bh_pulse_look look = {.turns = turns, .cpu_ns = cpu, .state = state};

	return bh_pulse_judge(p, &look, &limits);
}

START_TEST(starved_is_not_hung)
{
	struct bh_pulse p = {0};

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(judge(&p, 7, 5000 + i / 2, 'R'), BH_PULSE_WELL);
	ck_assert_int_eq(judge(&p, 7, 6000, 'R'), BH_PULSE_SPINS);
	ck_assert_int_eq(judge(&p, 8, 7000, 'R'), BH_PULSE_WELL);
	ck_assert_int_eq(judge(&p, 8, 7999, 'R'), BH_PULSE_WELL);
	ck_assert_int_eq(judge(&p, 8, 8000, 'R'), BH_PULSE_SPINS);
}
END_TEST

START_TEST(sleeper_is_hung_after_some_looks)
{
	struct bh_pulse p = {0};

	judge(&p, 1, 0, 'S');
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(judge(&p, 1, 0, i & 1 ? 'S' : 'D'), BH_PULSE_WELL);
	ck_assert_int_eq(judge(&p, 1, 0, 't'), BH_PULSE_TRACED);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(judge(&p, 1, 0, 'S'), BH_PULSE_WELL);
	ck_assert_int_eq(judge(&p, 1, 0, 'S'), BH_PULSE_BLOCKED);
	ck_assert_int_eq(judge(&p, 2, 0, 'S'), BH_PULSE_WELL);
	ck_assert_int_eq(judge(&p, 2, 0, 'T'), BH_PULSE_STOPPED);
}
END_TEST

static void
spins(struct bh_life *l)
{
	for (;;)
		__atomic_load_n(&l->beats, __ATOMIC_RELAXED);
}

static void
is_busy(struct bh_life *l)
{
	bh_life_busy(BH_LIFE_BUSY_MS);
	spins(l);
}

static void
lies(struct bh_life *l)
{
	l->busy_until = UINT64_MAX;
	spins(l);
}

/* A process by its page: looks until it has used cpu_ns more. The last verdict. */
static enum bh_pulse_verdict
look_until(pid_t pid, const struct bh_life *page, uint64_t cpu_ns)
{
	enum bh_pulse_verdict v;
	struct bh_pulse p = {0};
	uint64_t end;

	while (__atomic_load_n(&page->busy_until, __ATOMIC_ACQUIRE) == 0 && cpu_ns == 0)
		;
	end = bh_procfs_cpu_ns(pid) + cpu_ns;
	do
		v = bh_pulse_check(&p, page, pid);
	while (v == BH_PULSE_WELL && bh_procfs_cpu_ns(pid) < end);
	return v;
}

START_TEST(busy_is_told_from_hung)
{
	static void (*const ways[])(struct bh_life *) = {spins, is_busy, lies};
	int page = bh_lives_page(), told = 0, slot = bh_lives_watch(lives, page, on_end, &told);
	const struct bh_life *l = bh_lives_at(lives, slot);
	pid_t pid = process(page, ways[_i]);

	while (_i > 0 && __atomic_load_n(&l->busy_until, __ATOMIC_ACQUIRE) == 0)
		;
	ck_assert_int_eq(look_until(pid, l, 200000000), _i == 1 ? BH_PULSE_WELL : BH_PULSE_SPINS);
	end(pid);
	bh_lives_forget(lives, slot);
	close(page);
}
END_TEST

/* An lcore of a core: a thread that turns, spins or sleeps as it is told. */
static struct bh_stats_lcore *lcore;
static int lcore_does; /* 0 turns, 1 spins, 2 sleeps, 3 returns */

static void *
lcore_main(void *arg)
{
	int does;

	(void)arg;
	lcore->tid = gettid();
	while ((does = __atomic_load_n(&lcore_does, __ATOMIC_RELAXED)) != 3) {
		if (does == 0)
			bh_count(&lcore->turns, 1);
		if (does != 1)
			usleep(100);
	}
	return NULL;
}

START_TEST(hung_lcore_is_found)
{
	static const struct bh_pulse_limits short_ones = {.spin_ns = 20000000, .sleeps = 1000},
		no_spin = {.spin_ns = UINT64_MAX, .sleeps = 10};
	static const enum bh_pulse_verdict want[] = {BH_PULSE_WELL, BH_PULSE_SPINS, BH_PULSE_BLOCKED};
	struct bh_stats *st = calloc(1, sizeof(*st));
	struct bh_corebeat *cb = calloc(1, sizeof(*cb));
	const struct bh_pulse_limits *lim = _i == 2 ? &no_spin : &short_ones;
	enum bh_pulse_verdict v = BH_PULSE_WELL;
	unsigned int which = 0;
	pthread_t t;

	lcore = &st->lcore[3];
	lcore->used = st->lcore[4].used = 1; /* 4 has not come up */
	lcore_does = 0;
	pthread_create(&t, NULL, lcore_main, NULL);
	while (bh_read(&lcore->turns) < 2)
		;
	ck_assert_int_eq(bh_corebeat_check(cb, st, getpid(), lim, &which), BH_PULSE_WELL);
	__atomic_store_n(&lcore_does, _i, __ATOMIC_RELAXED);
	for (int i = 0; v == BH_PULSE_WELL && (_i > 0 || i < 200); i++) {
		uint64_t turns = bh_read(&lcore->turns);

		while (_i == 0 && bh_read(&lcore->turns) == turns)
			;
		v = bh_corebeat_check(cb, st, getpid(), lim, &which);
	}
	ck_assert_int_eq(v, want[_i]);
	ck_assert(_i == 0 || which == 3);
	__atomic_store_n(&lcore_does, 3, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	free(cb);
	free(st);
}
END_TEST

START_TEST(main_lcore_has_more_time)
{
	ck_assert_uint_gt(bh_corebeat_limits("main")->spin_ns,
		bh_corebeat_limits("worker")->spin_ns);
	ck_assert_uint_gt(bh_corebeat_limits("worker")->sleeps * BH_COREBEAT_MS, 2000);
}
END_TEST

START_TEST(procfs_tells)
{
	int page = bh_lives_page();
	pid_t pid = process(page, sleeps);
	int pidfd = bh_pidfd_open(pid), status;

	ck_assert_int_ge(pidfd, 0);
	ck_assert_uint_ne(bh_procfs_start(pid), 0);
	ck_assert_uint_ne(bh_procfs_start(getpid()), 0);
	ck_assert_uint_ne(bh_procfs_thread_cpu_ns(getpid(), getpid()), 0);
	kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert_int_eq(bh_procfs_state(pid, 0), 'T');
	ck_assert_int_eq(bh_procfs_state(pid, pid), 'T');
	ck_assert_int_eq(bh_pidfd_kill(pidfd, SIGKILL), 0);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(bh_procfs_state(pid, 0), 0);
	ck_assert_uint_eq(bh_procfs_start(pid), 0);
	ck_assert_int_eq(bh_pidfd_kill(pidfd, SIGKILL), -ESRCH);
	close(pidfd);
	close(page);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pulse");
	TCase *tc = tcase_create("pulse");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 40);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, starved_is_not_hung);
	tcase_add_test(tc, sleeper_is_hung_after_some_looks);
	tcase_add_loop_test(tc, busy_is_told_from_hung, 0, 3);
	tcase_add_loop_test(tc, hung_lcore_is_found, 0, 3);
	tcase_add_test(tc, main_lcore_has_more_time);
	tcase_add_test(tc, procfs_tells);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
