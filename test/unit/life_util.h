/* SPDX-License-Identifier: BSD-3-Clause */
/* A process with a life page, for tests of those who look at it. */
#ifndef TEST_LIFE_UTIL_H
#define TEST_LIFE_UTIL_H

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "app/supervisor/lives.h"
#include "lib/life/life.h"

static struct event_base *base;
static struct bh_lives *lives;
static unsigned int ends;   /* told */
static uint64_t seen;

static inline void
on_end(void *arg, uint64_t seen_ns)
{
	*(int *)arg += 1;
	ends++;
	seen = seen_ns;
}

static inline void
setup(void)
{
	base = event_base_new();
	lives = bh_lives_open(base);
	ck_assert_ptr_nonnull(lives);
	ends = 0;
}

static inline void
teardown(void)
{
	bh_lives_close(lives);
	event_base_free(base);
}

/* Runs fn in a process with this page, which has begun when we return. Its pid. */
static inline pid_t
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

static inline void
sleeps(struct bh_life *l)
{
	(void)l;
	for (;;)
		pause();
}

/* Runs the loop until an end is told; the test's own time bounds it. */
static inline void
until_told(unsigned int n)
{
	while (ends < n)
		event_base_loop(base, EVLOOP_ONCE);
}

static inline void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

#endif
