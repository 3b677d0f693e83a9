/* SPDX-License-Identifier: BSD-3-Clause */
/* Life pages: ends that are told, pages of hostile processes. */
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
#include "app/supervisor/lives.h"
#include "test/unit/life_util.h"

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
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
