/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPT_NS 200000
#define WAKER SIGURG /* whose default is to do nothing */

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void
nothing(int number)
{
	(void)number;
}

/* Interrupts the calling thread every INTERRUPT_NS, or no more. */
static void
interrupts(timer_t timer, bool on)
{
	struct timespec t = {.tv_nsec = on ? INTERRUPT_NS : 0};

	timer_settime(timer, 0, &(struct itimerspec){t, t}, NULL);
}

static int
make_timer(timer_t *timer)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WAKER};
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, WAKER);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	ev.sigev_notify_thread_id = gettid();
	return timer_create(CLOCK_MONOTONIC, &ev, timer);
}

static void *
run(void *arg)
{
	struct bh_reaper *r = arg;
	bool timed;
	timer_t timer;
	int fds[64];
	ssize_t n;

	timed = make_timer(&timer) == 0;
	while ((n = read(r->out, fds, sizeof(fds))) != 0) {
		if (n < 0)
			continue; /* interrupted */
		if (timed)
			interrupts(timer, true);
		for (unsigned int i = 0; i < n / sizeof(int); i++) {
			close(fds[i]);
			__atomic_fetch_sub(&r->waiting, 1, __ATOMIC_RELAXED);
		}
		if (timed)
			interrupts(timer, false);
	}
	if (timed)
		timer_delete(timer);
	return NULL;
}

int
bh_reaper_start(struct bh_reaper *r)
{
	/* Without SA_RESTART: what waits is to come back. */
	struct sigaction act = {.sa_handler = nothing};
	int fds[2], rc;

	r->in = r->out = -1;
	if (sigaction(WAKER, &act, NULL) < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r->out = fds[0];
	r->in = fds[1];
	fcntl(r->in, F_SETFL, O_NONBLOCK);
	rc = pthread_create(&r->thread, NULL, run, r);
	if (rc == 0) {
		pthread_setname_np(r->thread, "reaper");
		return 0;
	}
	close(r->in);
	close(r->out);
	r->in = r->out = -1;
	return -rc;
}

void
bh_reap(struct bh_reaper *r, int fd)
{
	__atomic_fetch_add(&r->waiting, 1, __ATOMIC_RELAXED);
	if (write(r->in, &fd, sizeof(fd)) == sizeof(fd))
		return;
	__atomic_fetch_sub(&r->waiting, 1, __ATOMIC_RELAXED);
	close(fd);
}

void
bh_reaper_stop(struct bh_reaper *r)
{
	if (r->in < 0)
		return;
	close(r->in);
	pthread_join(r->thread, NULL);
	close(r->out);
	r->in = r->out = -1;
}
