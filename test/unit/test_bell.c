/* SPDX-License-Identifier: BSD-3-Clause */
/* Bells inside the core and doorbells of channels: no wake-up is lost, none blocks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <check.h>

#include "app/core/bell.h"
#include "lib/channel/doorbell.h"

#define ROUNDS 50000u
#define LOST_MS 60000 /* a sleep of this length means a lost wake-up */

/* Two threads hand a number to and fro; each sleeps until it is its turn. */
struct table_tennis {
	struct bh_bell bell[2];
	uint32_t ball;
	bool lost;
};

static void
play(struct table_tennis *t, unsigned int me)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&t->ball, __ATOMIC_ACQUIRE) % 2 != me) {
			bh_bell_announce(&t->bell[me]);
			if (__atomic_load_n(&t->ball, __ATOMIC_ACQUIRE) % 2 == me)
				bh_bell_awake(&t->bell[me]);
			else if (!bh_bell_block(&t->bell[me], LOST_MS))
				t->lost = true;
			if (t->lost)
				return;
		}
		__atomic_store_n(&t->ball, t->ball + 1, __ATOMIC_RELEASE);
		bh_bell_ring(&t->bell[1 - me]);
	}
}

static void *
second_player(void *arg)
{
	play(arg, 1);
	return NULL;
}

START_TEST(no_lost_wakeup)
{
	struct table_tennis t = {0};
	pthread_t thread;

	ck_assert_int_eq(bh_bell_init(&t.bell[0]), 0);
	ck_assert_int_eq(bh_bell_init(&t.bell[1]), 0);
	pthread_create(&thread, NULL, second_player, &t);
	play(&t, 0);
	pthread_join(thread, NULL);
	ck_assert(!t.lost);
	ck_assert_uint_eq(t.ball, 2 * ROUNDS);
	ck_assert_uint_gt(t.bell[0].sleeps + t.bell[1].sleeps, 0);
	bh_bell_close(&t.bell[0]);
	bh_bell_close(&t.bell[1]);
}
END_TEST

START_TEST(quiet_unless_asleep)
{
	struct bh_bell b;

	ck_assert_int_eq(bh_bell_init(&b), 0);
	for (int i = 0; i < 100; i++)
		bh_bell_ring(&b);
	bh_bell_announce(&b);
	ck_assert(!bh_bell_block(&b, 0)); /* rings before the announcement do not count */
	bh_bell_announce(&b);
	bh_bell_ring(&b);
	bh_bell_ring(&b);
	ck_assert(bh_bell_block(&b, LOST_MS));
	ck_assert_uint_eq(b.sleeps, 2);
	ck_assert_uint_eq(b.wakes, 1);
	bh_bell_announce(&b);
	ck_assert(!bh_bell_block(&b, 0)); /* one ring wakes once */
	bh_bell_close(&b);
}
END_TEST

/* A ringer that took the word and was held up before its write: the sleeper awakes by itself, sleeps
 * again, and the late write ends that sleep. It is a ring, not a time that passed, and is read once. */
START_TEST(late_write_wakes)
{
	const uint64_t one = 1;
	struct bh_bell b;

	ck_assert_int_eq(bh_bell_init(&b), 0);
	bh_bell_announce(&b);
	ck_assert_uint_eq(__atomic_exchange_n(&b.asleep, 0, __ATOMIC_ACQ_REL), 1);
	bh_bell_awake(&b);
	ck_assert_uint_eq(b.owed, 1);
	bh_bell_announce(&b);
	ck_assert_int_eq(write(b.fd, &one, sizeof(one)), sizeof(one));
	ck_assert(bh_bell_block(&b, LOST_MS));
	ck_assert_uint_eq(b.owed, 0);
	bh_bell_announce(&b);
	ck_assert(!bh_bell_block(&b, 0));
	bh_bell_close(&b);
}
END_TEST

/* The same game over the doorbells of a channel. */
struct side {
	struct bh_sleeper sleeper;
	struct bh_ringer ringer;
	int my_end, their_end;
};

static struct {
	uint32_t word[2];
	uint32_t ball;
	bool lost;
	struct side side[2];
} door;

static void
door_play(unsigned int me)
{
	struct side *s = &door.side[me];
	struct pollfd p = {.fd = s->my_end, .events = POLLIN};

	for (uint32_t i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&door.ball, __ATOMIC_ACQUIRE) % 2 != me) {
			bh_sleep_announce(&s->sleeper, BH_SLEEP_WORK);
			if (__atomic_load_n(&door.ball, __ATOMIC_ACQUIRE) % 2 != me &&
				poll(&p, 1, LOST_MS) == 0)
				door.lost = true;
			bh_sleep_end(&s->sleeper);
			bh_ring_drain(s->my_end);
			if (door.lost)
				return;
		}
		__atomic_store_n(&door.ball, door.ball + 1, __ATOMIC_RELEASE);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (bh_ring_due(&s->ringer, BH_SLEEP_WORK))
			bh_ring(s->their_end);
	}
}

static void *
second_side(void *arg)
{
	(void)arg;
	door_play(1);
	return NULL;
}

static void
make_door(void)
{
	for (int i = 0; i < 2; i++) {
		int fds[2];

		ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
		door.word[i] = 0;
		door.side[i].sleeper = (struct bh_sleeper){.word = &door.word[i]};
		door.side[1 - i].ringer = (struct bh_ringer){.word = &door.word[i]};
		door.side[i].my_end = fds[0];
		door.side[1 - i].their_end = fds[1];
	}
	door.ball = 0;
}

START_TEST(doorbell_no_lost_wakeup)
{
	pthread_t thread;

	make_door();
	pthread_create(&thread, NULL, second_side, NULL);
	door_play(0);
	pthread_join(thread, NULL);
	ck_assert(!door.lost);
	ck_assert_uint_eq(door.ball, 2 * ROUNDS);
}
END_TEST

/* One ring a sleep, only for what it waits for; a full or closed pipe is no trouble. */
START_TEST(doorbell_rules)
{
	struct side *a = &door.side[0], *b = &door.side[1];
	int i;

	make_door();
	ck_assert(!bh_ring_due(&b->ringer, BH_SLEEP_WORK));
	bh_sleep_announce(&a->sleeper, BH_SLEEP_SPACE);
	ck_assert(!bh_ring_due(&b->ringer, BH_SLEEP_WORK));
	ck_assert(bh_ring_due(&b->ringer, BH_SLEEP_SPACE));
	ck_assert(!bh_ring_due(&b->ringer, BH_SLEEP_SPACE));
	bh_sleep_end(&a->sleeper);
	ck_assert(!bh_ring_due(&b->ringer, BH_SLEEP_SPACE));
	bh_sleep_announce(&a->sleeper, BH_SLEEP_SPACE | BH_SLEEP_WORK);
	ck_assert(bh_ring_due(&b->ringer, BH_SLEEP_WORK));
	for (i = 0; i < 70000; i++) /* more than a pipe holds */
		ck_assert_int_eq(bh_ring(b->their_end), 0);
	ck_assert_int_gt(bh_ring_drain(a->my_end), 0);
	close(a->my_end);
	ck_assert_int_eq(bh_ring_nosignal(b->their_end), -EPIPE); /* SIGPIPE would end the test */
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(bh_ring(b->their_end), -EPIPE);
	ck_assert_int_eq(bh_ring_drain(b->my_end), 0);
	close(a->their_end);
	ck_assert_int_eq(bh_ring_drain(b->my_end), -EPIPE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bell");
	TCase *tc = tcase_create("bell");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 170);
	tcase_add_test(tc, no_lost_wakeup);
	tcase_add_test(tc, quiet_unless_asleep);
	tcase_add_test(tc, late_write_wakes);
	tcase_add_test(tc, doorbell_no_lost_wakeup);
	tcase_add_test(tc, doorbell_rules);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
