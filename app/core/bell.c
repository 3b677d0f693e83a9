/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/bell.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/channel/doorbell.h"

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

	bh_fence_flush();
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
	bell->announced = true;
	__atomic_store_n(&bell->asleep, 1, __ATOMIC_RELAXED);
	bh_fence_sleep();
}

/*
 * Ends an announced sleep; true when somebody had rung. Who rings takes the word before it writes,
 * and writes 1: while the word still stands there is nothing to read, else one write is owed, which
 * may come a little later.
 */
static bool
end_sleep(struct bh_bell *bell)
{
	uint64_t count;
	bool rung;
	ssize_t n;

	if (!bell->announced)
		return false;
	bell->announced = false;
	rung = __atomic_exchange_n(&bell->asleep, 0, __ATOMIC_ACQ_REL) == 0;
	bell->owed += rung;
	if (bell->owed == 0)
		return rung;
	do
		n = read(bell->fd, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(count))
		bell->owed -= count;
	return rung;
}

bool
bh_bell_block(struct bh_bell *bell, int timeout_ms)
{
	struct pollfd p = {.fd = bell->fd, .events = POLLIN};

	bool woken;

	bell->sleeps++;
	woken = poll(&p, 1, timeout_ms) > 0;
	woken |= end_sleep(bell);
	bell->wakes += woken;
	return woken;
}

void
bh_bell_awake(struct bh_bell *bell)
{
	end_sleep(bell);
}
