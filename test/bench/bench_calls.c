/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls to the echo service: first contact, round trip of one slot, pipelined calls a second.
 * bench_calls apart: client and service on a CPU each, both poll; bench_calls together: both on
 * one CPU, both sleep and ring.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/unit/mini_core.h"

#define CALLS 200000u
#define PIPELINED 2000000u
#define CONTACTS 200u
#define ECHO_LCORE 4

static uint32_t took[CALLS];

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static void
pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set) < 0)
		perror("affinity");
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
print_sorted(const char *what, unsigned int n)
{
	qsort(took, n, sizeof(took[0]), by_value);
	printf("%-28s p50 %7u ns  p99 %7u ns  p99.9 %7u ns\n", what, took[n / 2],
		took[n / 100 * 99], took[(uint64_t)n * 999 / 1000]);
}

static void
nop(struct bh_handle *h)
{
	uint8_t body[40] = {0}, back[40];
	size_t len = sizeof(back);

	if (bh_call(h, BH_V_NOP, 0, NULL, body, sizeof(body), back, &len) != 0) {
		fprintf(stderr, "a call failed\n");
		exit(1);
	}
}

static void
first_contacts(void)
{
	for (unsigned int i = 0; i < CONTACTS; i++) {
		struct bh_handle *h = mini_open("contact", BH_SERVICE_ECHO);
		uint64_t start = now_ns();

		nop(h);
		took[i] = now_ns() - start;
		bh_close(h);
	}
	print_sorted("first contact", CONTACTS);
}

static void
round_trips(struct bh_handle *h, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t start = now_ns();

		nop(h);
		took[i] = now_ns() - start;
	}
	print_sorted("round trip, one slot", n);
}

static void
done(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)msg;
	(void)body;
	(void)len;
	++*(unsigned int *)arg;
}

static void
pipelined(struct bh_handle *h)
{
	unsigned int sent = 0, got = 0;
	uint64_t start = now_ns(), ns;
	uint8_t body[40] = {0};

	while (got < PIPELINED) {
		while (sent < PIPELINED && bh_pending(h) < 256 &&
			bh_submit(h, BH_V_NOP, 0, 0, body, sizeof(body), done, &got) == 0)
			sent++;
		if (bh_poll(h, -1) < 0) {
			fprintf(stderr, "the connection was lost\n");
			exit(1);
		}
	}
	ns = now_ns() - start;
	printf("%-28s %.2f M calls/s (%.0f ns each)\n", "pipelined, 256 under way",
		PIPELINED * 1e3 / ns, (double)ns / PIPELINED);
}

int
main(int argc, char **argv)
{
	bool together = argc > 1 && strcmp(argv[1], "together") == 0;
	struct bh_handle *h;

	mini_up(together ? 0 : 1000);
	pin(mini.stats->lcore[ECHO_LCORE].tid, 0);
	if (together)
		pin(0, 0);
	/* A handle that is opened with several CPUs allowed spins before it sleeps. */
	h = mini_open("bench", BH_SERVICE_ECHO);
	if (!together)
		pin(0, 1);
	nop(h);
	round_trips(h, together ? CALLS / 4 : CALLS);
	pipelined(h);
	bh_close(h);
	first_contacts();
	mini_down();
	return 0;
}
