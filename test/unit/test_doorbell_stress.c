/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No wake-up is lost, on the real code: the client's library against the service's peers, bells, and
 * the death of one side.
 *
 * Two threads, each on a CPU of its own, make random steps of their sides at the same moment and then
 * meet. Whoever sleeps then although there is something for it must have a byte in its pipe: a rule
 * without a clock, so that a loaded machine makes no difference and a lost wake-up is seen at once.
 *
 * Built with one of the fences taken out (doorbell.h) the program must find a lost wake-up instead.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "app/core/bell.h"
#include "test/unit/door_bed.h"

#if defined(BH_TEST_NO_FLUSH_FENCE) || defined(BH_TEST_NO_SLEEP_FENCE)
#define MUTANT true
#else
#define MUTANT false
#endif

#define ROUNDS 500000u
#define SECONDS (MUTANT ? 80 : 20) /* of one game: on a busy machine fewer rounds do */
#define MEETING 800	/* cycles of the TSC that both need to begin a round */
#define SPREAD 300	/* by which their beginnings differ, at most */
#define KILLS 100	/* of each side */
#define DEATH_MS 60000	/* a death that is not seen by then never will be */

/* ---- two threads that meet ---- */

static struct {
	void (*step[2])(void);
	const char *(*wrong)(void); /* after both steps: what is broken, or NULL */
	const char *found;
	uint32_t round;
	time_t end;
	bool stop;
	uint64_t go; /* TSC when both begin */
	int cpu[2];
	struct {
		uint64_t n __attribute__((aligned(64)));
	} met[2];
} game;

static time_t
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void
meet(unsigned int me)
{
	uint64_t n = __atomic_add_fetch(&game.met[me].n, 1, __ATOMIC_SEQ_CST);

	for (unsigned int i = 1; __atomic_load_n(&game.met[1 - me].n, __ATOMIC_SEQ_CST) < n; i++) {
		if (i % 4096 == 0)
			sched_yield();
		__builtin_ia32_pause();
	}
}

static void
judge(void)
{
	game.found = game.wrong();
	game.round++;
	game.stop = game.found != NULL || (!MUTANT && game.round == ROUNDS) ||
		(game.round % 1024 == 0 && now_s() >= game.end);
	game.go = __builtin_ia32_rdtsc() + MEETING;
}

static void
play(unsigned int me)
{
	cpu_set_t one;
	uint64_t start;

	CPU_ZERO(&one);
	CPU_SET(game.cpu[me], &one);
	ck_assert_int_eq(pthread_setaffinity_np(pthread_self(), sizeof(one), &one), 0);
	bed_seed(me + 1);
	while (!game.stop) {
		start = game.go + bed_rnd(SPREAD);
		while (__builtin_ia32_rdtsc() < start)
			;
		game.step[me]();
		meet(me);
		if (me == 0)
			judge();
		meet(me);
	}
}

static void *
second(void *arg)
{
	(void)arg;
	play(1);
	return NULL;
}

/* Rounds until one is wrong, all are done, or time is over; whether it ended as it must. */
static void
run(const char *what)
{
	pthread_t thread;

	game.met[0].n = game.met[1].n = 0;
	game.round = 0;
	game.stop = false;
	game.end = now_s() + SECONDS;
	ck_assert_int_eq(pthread_create(&thread, NULL, second, NULL), 0);
	play(0);
	pthread_join(thread, NULL);
	printf("%s: %s after %u rounds\n", what, game.found != NULL ? game.found : "no loss",
		game.round);
	fflush(stdout);
	if (!MUTANT)
		ck_assert_msg(game.found == NULL, "%s: %s", what, game.found);
	else if (game.cpu[0] != game.cpu[1])
		ck_assert_msg(game.found != NULL, "%s: a fence is missing, and nothing is lost", what);
	else
		printf("%s: not to be seen on one CPU\n", what);
}

/* ---- a channel ---- */

static bool asleep; /* the client */

static void
client_look(void)
{
	ck_assert_int_ge(bh_poll(&bed.h, 0), 0);
}

static uint32_t
word(const uint32_t *w)
{
	return __atomic_load_n(w, __ATOMIC_RELAXED);
}

static void
client_step(void)
{
	if (asleep && !bed_readable(bed.h.wake_fd) && bed_rnd(64) != 0)
		return;
	asleep = false;
	switch (bed_rnd(4)) {
	case 0:
		client_look();
		break;
	case 1:
		asleep = bh_prepare_wait(&bed.h);
		break;
	default:
		/* As after a look that found something: the word is in this CPU's cache, and what
		 * is published is not. */
		(void)*(const volatile uint32_t *)bed.h.ringer.word;
		bed_submit(bed_rnd(256) == 0 ? 2 * BED_SLOTS : 1 + bed_rnd(2));
		if (bed_rnd(2) == 0)
			bed_pause();
		bh_flush(&bed.h);
	}
}

static void
service_step(void)
{
	struct bh_peer *p = bed_peer();

	p->idle_rings = 0;
	if (!p->polled && bed_readable(p->ring_fd))
		bh_peer_rung(&bed.svc, p);
	if (!p->polled && bed.n_held == 0)
		return;
	if (bed_rnd(2) == 0)
		bed_answer(1 + bed_rnd(4));
	if (p->polled && !bh_peer_serve(&bed.svc, p) && !p->refused && bed_rnd(4) != 0)
		bh_peer_park(&bed.svc, p);
	bed_pause();
	bh_peers_flush(&bed.svc);
}

/* The client sleeps: for an answer, or for room after a submit that found none. */
static bool
client_missed(void)
{
	const struct bh_handle *h = &bed.h;
	bool space = h->req.head - word(h->req.shared_tail) == 0;

	return asleep && (bh_consumer_ready(&h->rep) || (h->want_slots != 0 && space)) &&
		!bed_readable(h->wake_fd);
}

/* The service has left off polling: until a request comes, or room for answers. */
static bool
service_missed(void)
{
	const struct bh_peer *p = bed_peer();
	const struct bh_handle *h = &bed.h;
	uint32_t room = BED_SLOTS - (p->rep.head - word(p->rep.shared_tail)) - p->kept;
	bool due;

	if (p->short_room)
		due = room > p->offered && !h->unfenced && h->rep.released == h->rep.pos;
	else
		due = bh_consumer_ready(&p->req) && h->unflushed == 0;
	return !p->polled && due && !bed_readable(p->ring_fd);
}

static const char *
channel_wrong(void)
{
	if (client_missed())
		return "the client's wake-up is lost";
	return service_missed() ? "the service's wake-up is lost" : NULL;
}

/* What is under way comes to its end by the rules alone. */
static void
settle(void)
{
	for (unsigned int i = 0; i < 100000 && bed.got < bed.sent; i++) {
		service_step();
		if (!asleep || bed_readable(bed.h.wake_fd))
			client_look();
		asleep = bh_prepare_wait(&bed.h);
	}
	ck_assert_uint_eq(bed.got, bed.sent);
}

START_TEST(channel)
{
	bed_open();
	bed.later = _i == 1;
	asleep = false;
	game.step[0] = client_step;
	game.step[1] = service_step;
	game.wrong = channel_wrong;
	run(bed.later ? "channel, late answers" : "channel");
	if (!MUTANT)
		settle();
	bed_close();
}
END_TEST

/* ---- a bell ---- */

static struct {
	struct bh_bell bell;
	uint32_t given __attribute__((aligned(64)));
	uint32_t taken __attribute__((aligned(64)));
	bool asleep;
} room;

static void
ringer_step(void)
{
	if (bed_rnd(4) == 0)
		return;
	__atomic_store_n(&room.given, room.given + 1, __ATOMIC_RELEASE);
	bh_bell_ring(&room.bell);
}

static void
sleeper_step(void)
{
	uint32_t given;

	if (room.asleep) {
		if (!bed_readable(room.bell.fd) && bed_rnd(64) != 0)
			return;
		bh_bell_block(&room.bell, 0);
		room.asleep = false;
		room.taken = __atomic_load_n(&room.given, __ATOMIC_ACQUIRE);
		return;
	}
	room.taken = __atomic_load_n(&room.given, __ATOMIC_ACQUIRE);
	bed_pause();
	bh_bell_announce(&room.bell);
	given = __atomic_load_n(&room.given, __ATOMIC_ACQUIRE);
	room.asleep = given == room.taken;
	if (!room.asleep)
		bh_bell_awake(&room.bell);
}

static const char *
bell_wrong(void)
{
	return room.asleep && room.given != room.taken && !bed_readable(room.bell.fd) ?
		"the sleeper's wake-up is lost" : NULL;
}

START_TEST(bell)
{
	memset(&room, 0, sizeof(room));
	ck_assert_int_eq(bh_bell_init(&room.bell), 0);
	game.step[0] = ringer_step;
	game.step[1] = sleeper_step;
	game.wrong = bell_wrong;
	run("bell");
	bh_bell_close(&room.bell);
}
END_TEST

/* ---- death ---- */

/* Serves until the client is gone, which is not for ever; kills it after so many turns. */
static void
serve(pid_t victim, uint32_t turns)
{
	struct bh_peer *p = bed_peer();

	while (!bed.left) {
		struct pollfd ring = {.fd = p->ring_fd, .events = POLLIN};

		if (victim > 0 && turns-- == 0)
			kill(victim, SIGKILL);
		bed_need(poll(&ring, 1, p->polled || bed.n_held > 0 ? 0 : DEATH_MS) >= 0, "poll");
		bed_need(ring.revents != 0 || p->polled || bed.n_held > 0 || turns < 1u << 31,
			"a death that is seen");
		p->idle_rings = 0;
		if (ring.revents != 0)
			bh_peer_rung(&bed.svc, p);
		if (bed.left)
			return;
		bed_answer(1);
		if (p->polled && !bh_peer_serve(&bed.svc, p))
			bh_peer_park(&bed.svc, p);
		bh_peers_flush(&bed.svc);
	}
}

/* Asks for ever, waiting whenever it has to; -errno of the end. */
static int
ask(pid_t victim, uint32_t turns)
{
	int rc = 0;

	while (rc >= 0) {
		if (victim > 0 && turns-- == 0)
			kill(victim, SIGKILL);
		bed_submit(bed_rnd(8));
		rc = bh_poll(&bed.h, bh_pending(&bed.h) > 0 && bed_rnd(2) ? DEATH_MS : 0);
	}
	return rc;
}

static pid_t
child(bool is_client)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	/* No ck_assert from here on: see bed_need(). */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (is_client) {
		bed_is_client();
		ask(0, 0);
	} else {
		bed_is_service();
		serve(0, 0);
	}
	_exit(0);
}

/* _i: who is killed, 0 the client, 1 the service. */
START_TEST(death)
{
	signal(SIGPIPE, SIG_IGN);
	bed_seed(_i + 1);
	for (unsigned int i = 0; i < KILLS; i++) {
		uint32_t turns = bed_rnd(500);
		int status;
		pid_t pid;

		bed_open();
		bed.later = i % 2 == 1;
		pid = child(_i == 0);
		if (_i == 0) {
			bed_is_service();
			serve(pid, turns);
		} else {
			bed_is_client();
			ck_assert_int_eq(ask(pid, turns), -ECONNRESET);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		bed_close();
	}
}
END_TEST

static void
find_cpus(void)
{
	cpu_set_t set;
	int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		exit(1);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			game.cpu[n++] = cpu;
	if (n == 1)
		game.cpu[1] = game.cpu[0];
}

int
main(void)
{
	Suite *s = suite_create("doorbell_stress");
	TCase *tc = tcase_create("doorbell_stress");
	SRunner *sr = srunner_create(s);
	int failed;

	find_cpus();
	tcase_set_timeout(tc, 170);
	tcase_add_loop_test(tc, channel, MUTANT ? 1 : 0, 2);
	tcase_add_test(tc, bell);
	if (!MUTANT)
		tcase_add_loop_test(tc, death, 0, 2);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
