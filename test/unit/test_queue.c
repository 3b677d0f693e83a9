/* SPDX-License-Identifier: BSD-3-Clause */
/* The queues of a channel: order, lengths, limits, and a peer that lies. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <check.h>

#include "lib/channel/queue.h"

#define N 64u

static struct bh_slot slots[N];
static uint32_t tail;
static struct bh_producer prod;
static struct bh_consumer cons;
static uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
static uint8_t body[BH_MSG_MAX];

static void
setup(void)
{
	tail = 0;
	bh_queue_format(slots, N);
	bh_producer_init(&prod, slots, N, &tail);
	bh_consumer_init(&cons, slots, N, &tail);
}

static int
put(uint32_t tag, unsigned int len)
{
	struct bh_msg m = {.len = len, .verb = BH_V_NOP, .tag = tag};

	for (unsigned int i = 0; i + sizeof(m) < len; i++)
		body[i] = tag + i;
	return bh_producer_put(&prod, &m, body);
}

/* Takes one message and checks that it is the one that put() makes. */
static void
take(uint32_t tag, unsigned int len)
{
	const struct bh_msg *m = (const struct bh_msg *)buf;
	int n = bh_consumer_peek(&cons, buf);
	bool good = n == (int)bh_slots(len) && m->len == len && m->tag == tag;

	for (unsigned int i = sizeof(*m); good && i < len; i++)
		good = buf[i] == (uint8_t)(tag + i - sizeof(*m));
	if (!good) /* Check's asserts cost a system call each */
		ck_abort_msg("message %u of %u bytes is not what was sent", tag, len);
	bh_consumer_skip(&cons, n);
	bh_consumer_release(&cons);
}

/* Every length, many laps: each message starts at another slot. */
START_TEST(every_length)
{
	for (unsigned int len = sizeof(struct bh_msg); len <= BH_MSG_MAX; len++) {
		ck_assert_int_eq(put(len, len), 0);
		take(len, len);
		ck_assert_int_eq(bh_consumer_peek(&cons, buf), 0);
		ck_assert(!bh_consumer_ready(&cons));
	}
}
END_TEST

/* Positions wrap at 2^32. */
START_TEST(positions_wrap)
{
	const uint32_t start = UINT32_MAX - 100;

	for (uint32_t i = 0; i < N; i++)
		slots[(start + i) % N].seq = start + i + 1 - N;
	prod.head = prod.tail = cons.pos = cons.released = tail = start;
	for (uint32_t i = 0; i < 300; i++) {
		ck_assert_int_eq(put(i, 16 + i), 0);
		take(i, 16 + i);
	}
}
END_TEST

START_TEST(full)
{
	for (uint32_t i = 0; i < N; i++)
		ck_assert_int_eq(put(i, 20), 0);
	ck_assert_int_eq(put(99, 20), -EAGAIN);
	ck_assert_int_eq(bh_producer_room(&prod, 1), 0);
	for (uint32_t i = 0; i < 3; i++)
		take(i, 20);
	ck_assert_int_eq(put(N, 61 + 60 + 60), -EAGAIN); /* needs 4 */
	ck_assert_int_eq(bh_producer_room(&prod, 4), 3);
	ck_assert_int_eq(put(N, 121), 0);
	for (uint32_t i = 3; i < N; i++)
		take(i, 20);
	take(N, 121);
	ck_assert_int_eq(bh_consumer_peek(&cons, buf), 0);
}
END_TEST

START_TEST(bad_lengths)
{
	uint16_t bad[] = {0, 1, 15, BH_MSG_MAX + 1, UINT16_MAX};

	ck_assert_int_eq(put(1, 15), -EMSGSIZE);
	ck_assert_int_eq(put(1, BH_MSG_MAX + 1), -EMSGSIZE);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup();
		ck_assert_int_eq(put(1, 30), 0);
		memcpy(slots[0].data, &bad[i], 2);
		ck_assert_int_eq(bh_consumer_peek(&cons, buf), -EBADMSG);
	}
}
END_TEST

/* A message whose later slots are missing is left alone until they are there. */
START_TEST(missing_later_slots)
{
	uint32_t seq;

	ck_assert_int_eq(put(5, 180), 0);
	seq = slots[2].seq;
	slots[2].seq = seq - N;
	ck_assert_int_eq(bh_consumer_peek(&cons, buf), 0);
	ck_assert_int_eq(bh_consumer_peek(&cons, buf), 0);
	slots[2].seq = seq;
	take(5, 180);
}
END_TEST

START_TEST(corrupt_sequence)
{
	uint32_t bad[] = {0, 2, N, N + 1, UINT32_MAX, 0x80000000};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup();
		slots[0].seq = bad[i];
		ck_assert_int_eq(bh_consumer_peek(&cons, buf), -EBADMSG);
		setup();
		ck_assert_int_eq(put(1, 100), 0);
		slots[1].seq = bad[i] == 2 ? 3 : bad[i];
		ck_assert_int_eq(bh_consumer_peek(&cons, buf), -EBADMSG);
	}
}
END_TEST

/* The consumer's position may neither go back nor pass the producer's. */
START_TEST(corrupt_position)
{
	for (uint32_t i = 0; i < N; i++)
		ck_assert_int_eq(put(i, 20), 0);
	tail = N + 1;
	ck_assert_int_eq(bh_producer_room(&prod, 1), -EBADMSG);
	ck_assert_int_eq(put(N, 20), -EBADMSG);
	tail = UINT32_MAX;
	ck_assert_int_eq(put(N, 20), -EBADMSG);
	tail = 10;
	ck_assert_int_eq(bh_producer_room(&prod, 1), 10);
	for (uint32_t i = 0; i < 10; i++)
		ck_assert_int_eq(put(i, 20), 0);
	tail = 9;
	ck_assert_int_eq(put(N, 20), -EBADMSG);
}
END_TEST

/* What the producer changes after the copy does not matter; what it writes at random is
 * refused or is a message of a sound length. */
START_TEST(random_garbage)
{
	const struct bh_msg *m = (const struct bh_msg *)buf;

	int taken = 0;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		int n;

		for (unsigned int i = 0; i < N; i++) {
			slots[i].seq = cons.pos + ((i - cons.pos) % N) + 1;
			if (rand() % 8 == 0)
				slots[i].seq = rand();
			slots[i].data[0] = rand();
			slots[i].data[1] = rand() % 17;
		}
		n = bh_consumer_peek(&cons, buf);
		if (n == 0 || n == -EBADMSG)
			continue;
		if (n != (int)bh_slots(m->len) || m->len < sizeof(*m) || m->len > BH_MSG_MAX)
			ck_abort_msg("peek returned %d for a length of %u", n, m->len);
		bh_consumer_skip(&cons, n);
		taken++;
	}
	ck_assert_int_gt(taken, 0);
}
END_TEST

#define STRESS 300000u
#define STRESS_S 20 /* on a busy machine, where each yield takes time slices of others, fewer do */

static uint32_t total; /* atomic: messages of the producer, UINT32_MAX until it has ended */

static void *
producer_thread(void *arg)
{
	time_t end = time(NULL) + STRESS_S;
	uint32_t i = 0;

	(void)arg;
	while (i < STRESS && time(NULL) < end)
		if (put(i, 16 + (i * 2654435761u >> 16) % 300) == 0)
			i++;
		else
			sched_yield();
	__atomic_store_n(&total, i, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(two_threads)
{
	pthread_t t;

	__atomic_store_n(&total, UINT32_MAX, __ATOMIC_RELEASE);
	pthread_create(&t, NULL, producer_thread, NULL);
	for (uint32_t i = 0; i < __atomic_load_n(&total, __ATOMIC_ACQUIRE);) {
		if (!bh_consumer_ready(&cons)) {
			sched_yield();
			continue;
		}
		take(i, 16 + (i * 2654435761u >> 16) % 300);
		i++;
	}
	pthread_join(t, NULL);
	ck_assert_int_eq(bh_consumer_peek(&cons, buf), 0);
	ck_assert_int_eq(bh_producer_room(&prod, N), N);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue");
	TCase *tc = tcase_create("queue");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, every_length);
	tcase_add_test(tc, positions_wrap);
	tcase_add_test(tc, full);
	tcase_add_test(tc, bad_lengths);
	tcase_add_test(tc, missing_later_slots);
	tcase_add_test(tc, corrupt_sequence);
	tcase_add_test(tc, corrupt_position);
	tcase_add_test(tc, random_garbage);
	tcase_add_test(tc, two_threads);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
