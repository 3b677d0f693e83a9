/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/bell.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
bh_bell_init(struct bh_bell *bell)
{
	memset(bell, 0, sizeof(*bell));
	bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return bell->fd < 0 ? -errno : 0;
}

void
bh_bell_close(struct bh_bell *bell)
{
	if (bell->fd >= 0)
		close(bell->fd);
	bell->fd = -1;
}

void
bh_bell_ring(struct bh_bell *bell)
{
	uint64_t one = 1;
	ssize_t n;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&bell->asleep, __ATOMIC_RELAXED))
		return;
	/* Several may ring at once: one of them writes. */
	if (!__atomic_exchange_n(&bell->asleep, 0, __ATOMIC_ACQ_REL))
		return;
	do
		n = write(bell->fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

void
bh_bell_announce(struct bh_bell *bell)
{
	__atomic_store_n(&bell->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* True when somebody had rung. */
static bool
drain(struct bh_bell *bell)
{
	uint64_t count;
	ssize_t n;

	__atomic_store_n(&bell->asleep, 0, __ATOMIC_RELAXED);
	do
		n = read(bell->fd, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
	return n == sizeof(count);
}

bool
bh_bell_block(struct bh_bell *bell, int timeout_ms)
{
	struct pollfd p = {.fd = bell->fd, .events = POLLIN};

	bell->sleeps++;
	poll(&p, 1, timeout_ms);
	if (!drain(bell))
		return false;
	bell->wakes++;
	return true;
}

void
bh_bell_awake(struct bh_bell *bell)
{
	drain(bell);
}
