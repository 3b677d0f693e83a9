/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/channel/doorbell.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

void
bh_sleep_announce(struct bh_sleeper *s, uint32_t reasons)
{
	s->ticket += 4;
	__atomic_store_n(s->word, s->ticket | reasons, __ATOMIC_RELAXED);
	bh_fence_sleep();
}

void
bh_sleep_end(struct bh_sleeper *s)
{
	__atomic_store_n(s->word, 0, __ATOMIC_RELAXED);
}

bool
bh_ring_due(struct bh_ringer *r, uint32_t reasons)
{
	uint32_t word = __atomic_load_n(r->word, __ATOMIC_RELAXED);

	if (!(word & reasons) || word == r->rung)
		return false;
	r->rung = word;
	return true;
}

int
bh_ring(int fd)
{
	ssize_t n;

	do
		n = write(fd, "", 1);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EPIPE ? -EPIPE : 0;
}

/* Linux 6.18 can be told not to raise it. 1: an older kernel, nothing was written. */
static int
ring_flagged(int fd)
{
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif
	static bool unknown; /* a race only asks the kernel again */
	struct iovec iov = {"", 1};
	ssize_t n;

	if (__atomic_load_n(&unknown, __ATOMIC_RELAXED))
		return 1;
	do
		n = pwritev2(fd, &iov, 1, -1, RWF_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS)) {
		__atomic_store_n(&unknown, true, __ATOMIC_RELAXED);
		return 1;
	}
	return n < 0 && errno == EPIPE ? -EPIPE : 0;
}

int
bh_ring_nosignal(int fd)
{
	struct timespec none = {0};
	sigset_t pipe_set, old, pending;
	bool was_pending;
	int rc = ring_flagged(fd);

	if (rc <= 0)
		return rc;
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	rc = bh_ring(fd);
	if (rc == -EPIPE && !was_pending)
		sigtimedwait(&pipe_set, NULL, &none);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int
bh_ring_drain(int fd)
{
	char buf[512];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -EPIPE;
	return n < 0 ? 0 : n;
}
