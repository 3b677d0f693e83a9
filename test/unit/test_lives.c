/* SPDX-License-Identifier: BSD-3-Clause */
/* Life pages: ends that are told, pages of hostile processes, heartbeats. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "app/supervisor/child.h"
#include "app/supervisor/corebeat.h"
#include "app/supervisor/lives.h"
#include "app/supervisor/procfs.h"

static struct event_base *base;
static struct bh_lives *lives;
static unsigned int ends;   /* told */
static uint64_t seen;

static void
on_end(void *arg, uint64_t seen_ns)
{
	*(int *)arg += 1;
	ends++;
	seen = seen_ns;
}

static void
setup(void)
{
	base = event_base_new();
	lives = bh_lives_open(base);
	ck_assert_ptr_nonnull(lives);
	ends = 0;
}

static void
teardown(void)
{
	bh_lives_close(lives);
	event_base_free(base);
}

/* Runs fn in a process with this page, which has begun when we return. Its pid. */
static pid_t
process(int page, void (*fn)(struct bh_life *))
{
	char num[16], byte;
	struct bh_life *l;
	int go[2];
	pid_t pid;

	ck_assert_int_eq(pipe(go), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(num, sizeof(num), "%d", page);
		setenv("BH_LIFE_FD", num, 1);
		l = mmap(NULL, BH_LIFE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
		if (bh_life_begin() < 0 || l == MAP_FAILED || write(go[1], "x", 1) < 0)
			_exit(99);
		fn(l);
		_exit(0);
	}
	close(go[1]);
	ck_assert_int_eq(read(go[0], &byte, 1), 1);
	close(go[0]);
	return pid;
}

static void
sleeps(struct bh_life *l)
{
	(void)l;
	for (;;)
		pause();
}

/* Runs the loop until an end is told; the test's own time bounds it. */
static void
until_told(unsigned int n)
{
	while (ends < n)
		event_base_loop(base, EVLOOP_ONCE);
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(kill_is_told)
{
	int page = bh_lives_page(), told = 0, slot;
	uint64_t before;
	pid_t pid;

	ck_assert_int_ge(page, 0);
	slot = bh_lives_watch(lives, page, on_end, &told);
	ck_assert_int_ge(slot, 0);
	pid = process(page, sleeps);
	ck_assert_uint_eq(bh_lives_at(lives, slot)->beats, 1);
	before = bh_now_ns();
	kill(pid, SIGKILL);
	until_told(1);
	ck_assert_int_eq(told, 1);
	ck_assert_uint_gt(seen, before);
	ck_assert_uint_lt(seen, bh_now_ns());
	bh_lives_forget(lives, slot);
	waitpid(pid, NULL, 0);
	close(page);
}
END_TEST

static void
leaves_by_exec(struct bh_life *l)
{
	(void)l;
	execl("/bin/sleep", "sleep", "1000", NULL);
}

static void *
other_thread(void *l)
{
	sleeps(l);
	return NULL;
}

static void
main_thread_ends(struct bh_life *l)
{
	pthread_t t;

	pthread_create(&t, NULL, other_thread, l);
	pthread_exit(NULL);
}

/* What is no end of the process but one of the module. */
START_TEST(lost_owner_is_told)
{
	static void (*const ways[])(struct bh_life *) = {leaves_by_exec, main_thread_ends};
	int page = bh_lives_page(), told = 0, slot;
	pid_t pid = process(page, ways[_i]);

	slot = bh_lives_watch(lives, page, on_end, &told); /* begun before it is watched */
	until_told(1);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	bh_lives_forget(lives, slot);
	end(pid);
	close(page);
}
END_TEST

/* Other owners are told while this page is what it is. */
static void
check_others(void)
{
	int page = bh_lives_page(), told = 0, slot = bh_lives_watch(lives, page, on_end, &told);
	pid_t pid = process(page, sleeps);

	end(pid);
	while (!told)
		event_base_loop(base, EVLOOP_ONCE);
	bh_lives_forget(lives, slot);
	close(page);
}

static void
never_locks(struct bh_life *l)
{
	memset(l, 0, sizeof(*l));
	sleeps(l);
}

static void
fills_page(struct bh_life *l)
{
	memset(l, 0xa5, BH_LIFE_SIZE);
	sleeps(l);
}

static void
changes_word(struct bh_life *l)
{
	uint32_t *word = (uint32_t *)&l->mutex;

	for (uint32_t n = 0;; n++) {
		__atomic_store_n(word, n & ~FUTEX_OWNER_DIED, __ATOMIC_RELAXED);
		syscall(SYS_futex, word, FUTEX_WAKE, 100, NULL, NULL, 0);
	}
}

static void
punches_hole(struct bh_life *l)
{
	int fd = atoi(getenv("BH_LIFE_FD"));

	(void)l;
	if (ftruncate(fd, 0) == 0) /* sealed */
		_exit(1);
	for (;;)
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BH_LIFE_SIZE) < 0)
			_exit(2);
}

static void
wrecks_mutex(struct bh_life *l)
{
	/* Kind: of priority protection; list: wild pointers. A lock of ours would follow them. */
	memset((char *)&l->mutex + 16, 0x77, sizeof(l->mutex) - 16);
	sleeps(l);
}

/* The thread goes on, and stops when it must (teardown); the hostile process lives until we end it. */
START_TEST(hostile_page_harms_nobody)
{
	static void (*const ways[])(struct bh_life *) = {
		never_locks, fills_page, changes_word, punches_hole, wrecks_mutex};
	int page = bh_lives_page(), told = 0, slot = bh_lives_watch(lives, page, on_end, &told);
	pid_t pid = process(page, ways[_i]);

	for (int i = 0; i < 20; i++)
		check_others();
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	end(pid);
	check_others();
	bh_lives_forget(lives, slot);
	close(page);
}
END_TEST

START_TEST(other_memory_is_refused)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING), null = open("/dev/null", O_RDWR);
	int told = 0;

	ck_assert_int_eq(ftruncate(fd, BH_LIFE_SIZE), 0);
	ck_assert_int_eq(bh_lives_watch(lives, fd, on_end, &told), -EINVAL); /* not sealed */
	ck_assert_int_eq(bh_lives_watch(lives, null, on_end, &told), -EINVAL);
	ck_assert_int_eq(bh_lives_watch(lives, -1, on_end, &told), -EINVAL);
	close(fd);
	close(null);
}
END_TEST

/* Slots come back: more pages than there are, one after the other. */
START_TEST(slots_are_used_again)
{
	int page = bh_lives_page(), told = 0, slot[BH_LIVES_MAX];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < BH_LIVES_MAX; i++) {
			do /* freed by the thread */
				slot[i] = bh_lives_watch(lives, page, on_end, &told);
			while (slot[i] == -ENOSPC && round > 0);
			ck_assert_int_ge(slot[i], 0);
		}
		if (round == 0)
			ck_assert_int_eq(bh_lives_watch(lives, page, on_end, &told), -ENOSPC);
		for (int i = 0; i < BH_LIVES_MAX; i++)
			bh_lives_forget(lives, slot[i]);
	}
	ck_assert_int_eq(told, 0);
	close(page);
}
END_TEST

/* Median of what it takes to see a kill: printed, not judged. */
START_TEST(detection_is_fast)
{
	enum { KILLS = 101 };
	uint64_t took[KILLS];

	for (int i = 0; i < KILLS; i++) {
		int page = bh_lives_page(), told = 0, at = i;
		int slot = bh_lives_watch(lives, page, on_end, &told);
		pid_t pid = process(page, sleeps);
		uint64_t t0 = bh_now_ns();

		kill(pid, SIGKILL);
		until_told(i + 1);
		for (t0 = seen - t0; at > 0 && took[at - 1] > t0; at--)
			took[at] = took[at - 1];
		took[at] = t0;
		waitpid(pid, NULL, 0);
		bh_lives_forget(lives, slot);
		close(page);
	}
	printf("exit seen after %.0f us (median of %d), %.0f us at most\n", took[KILLS / 2] / 1e3,
		KILLS, took[KILLS - 1] / 1e3);
}
END_TEST

/* ---- heartbeats ---- */

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
	Suite *s = suite_create("lives");
	TCase *tc = tcase_create("lives");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 40);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, kill_is_told);
	tcase_add_loop_test(tc, lost_owner_is_told, 0, 2);
	tcase_add_loop_test(tc, hostile_page_harms_nobody, 0, 5);
	tcase_add_test(tc, other_memory_is_refused);
	tcase_add_test(tc, slots_are_used_again);
	tcase_add_test(tc, detection_is_fast);
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
