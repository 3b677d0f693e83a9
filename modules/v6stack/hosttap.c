/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames are read by level-triggered epoll, few from each TAP before the next one gets its turn.
 * A TAP that somebody removed from the kernel fails for ever: it leaves epoll, and is told.
 */
#include "modules/v6stack/hosttap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "infobase/schema.h"
#include "lib/log/log.h"

#define AREA "host"
#define TURN 16 /* frames of one TAP before the next one */
#define ETH 14

struct tap {
	char name[BH_NAME_LEN];
	int fd;
	uint32_t kernel_ifindex;
	uint32_t ifindex; /* of the router; 0: unbound */
	bool unsent;	  /* `want` is newer than what the supervisor was told */
	struct bh_hostask want; /* mtu 0: nothing asked yet */
};

struct bh_hosttaps {
	const struct bh_hosttap_ops *ops;
	void *arg;
	int sup_fd, epoll;
	bool complete;
	struct bh_hosttap_stats stats;
	unsigned int n, n_unsent;
	struct tap *tap[BH_IF_MAX];
	struct tap *by_ifindex[BH_IF_MAX];
	uint8_t frame[BH_HOSTTAP_FRAME_MAX];
};

struct bh_hosttaps *
bh_hosttaps_new(const struct bh_hosttap_ops *ops, void *arg, int sup_fd)
{
	struct bh_hosttaps *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->ops = ops;
	h->arg = arg;
	h->sup_fd = sup_fd;
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll >= 0)
		return h;
	free(h);
	return NULL;
}

void
bh_hosttaps_free(struct bh_hosttaps *h)
{
	if (h == NULL)
		return;
	for (unsigned int i = 0; i < h->n; i++) {
		close(h->tap[i]->fd);
		free(h->tap[i]);
	}
	close(h->epoll);
	free(h);
}

static struct tap *
find(const struct bh_hosttaps *h, const char *name)
{
	for (unsigned int i = 0; i < h->n; i++)
		if (strncmp(h->tap[i]->name, name, BH_NAME_LEN) == 0)
			return h->tap[i];
	return NULL;
}

static struct tap *
new_tap(struct bh_hosttaps *h, const char *name)
{
	struct tap *t = h->n < BH_IF_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (t == NULL)
		return NULL;
	snprintf(t->name, sizeof(t->name), "%s", name);
	h->tap[h->n++] = t;
	return t;
}

/* The file stays open in the supervisor, and so in epoll, which must be told. */
static void
leave_epoll(const struct bh_hosttaps *h, const struct tap *t)
{
	epoll_ctl(h->epoll, EPOLL_CTL_DEL, t->fd, NULL);
}

static void
add_tap(struct bh_hosttaps *h, const char *name, uint32_t kernel_ifindex, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct tap *t = find(h, name);

	if (t != NULL) {
		leave_epoll(h, t);
		close(t->fd);
	} else {
		t = new_tap(h, name);
	}
	if (t == NULL) {
		bh_err(AREA, "no memory for the TAP of %s", name);
		close(fd);
		return;
	}
	t->fd = fd;
	t->kernel_ifindex = kernel_ifindex;
	ev.data.ptr = t;
	if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		bh_err(AREA, "TAP of %s: %s", name, strerror(errno));
}

static void
drop_tap(struct bh_hosttaps *h, const char *name)
{
	struct tap *t = find(h, name);
	unsigned int i = 0;

	if (t == NULL)
		return;
	while (h->tap[i] != t)
		i++;
	h->tap[i] = h->tap[--h->n];
	h->n_unsent -= t->unsent;
	if (t->ifindex != 0 && h->by_ifindex[t->ifindex] == t)
		h->by_ifindex[t->ifindex] = NULL;
	leave_epoll(h, t);
	close(t->fd);
	free(t);
}

bool
bh_hosttaps_take(struct bh_hosttaps *h, const char *text, int fd)
{
	char name[BH_NAME_LEN];
	uint32_t kernel_ifindex;
	int end = 0;

	if (strcmp(text, BH_HOSTASK_TAPS) == 0) {
		h->complete = true;
	} else if (strncmp(text, BH_HOSTASK_UNTAP, strlen(BH_HOSTASK_UNTAP)) == 0) {
		drop_tap(h, text + strlen(BH_HOSTASK_UNTAP));
	} else if (strncmp(text, BH_HOSTASK_TAP, strlen(BH_HOSTASK_TAP)) != 0) {
		return false;
	} else if (fd >= 0 && sscanf(text, BH_HOSTASK_TAP "%15s %u%n", name, &kernel_ifindex,
		&end) == 2 && text[end] == '\0') {
		add_tap(h, name, kernel_ifindex, fd);
		return true;
	}
	if (fd >= 0)
		close(fd);
	return true;
}

bool
bh_hosttaps_complete(const struct bh_hosttaps *h)
{
	return h->complete;
}

uint32_t
bh_hosttaps_bind(struct bh_hosttaps *h, const char *name, uint32_t ifindex)
{
	struct tap *t = find(h, name);

	if (t == NULL || ifindex >= BH_IF_MAX)
		return 0;
	if (t->ifindex != 0 && h->by_ifindex[t->ifindex] == t)
		h->by_ifindex[t->ifindex] = NULL;
	t->ifindex = ifindex;
	if (ifindex != 0)
		h->by_ifindex[ifindex] = t;
	return t->kernel_ifindex;
}

static struct tap *
of_ifindex(const struct bh_hosttaps *h, uint32_t ifindex)
{
	return ifindex < BH_IF_MAX ? h->by_ifindex[ifindex] : NULL;
}

uint32_t
bh_hosttaps_kernel(const struct bh_hosttaps *h, uint32_t ifindex)
{
	const struct tap *t = of_ifindex(h, ifindex);

	return t != NULL ? t->kernel_ifindex : 0;
}

/* ---- to the supervisor ---- */

static int
send_want(struct bh_hosttaps *h, struct tap *t)
{
	if (send(h->sup_fd, &t->want, BH_HOSTASK_LEN(t->want.n), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == ENOBUFS ? -EAGAIN : -errno;
	t->unsent = false;
	h->n_unsent--;
	return 0;
}

int
bh_hosttaps_want(struct bh_hosttaps *h, const struct bh_hostask *want)
{
	struct tap *t = find(h, want->name);

	if (t == NULL)
		return -ENODEV;
	if (t->want.mtu != 0 && !t->unsent && memcmp(&t->want, want, BH_HOSTASK_LEN(want->n)) == 0)
		return 0;
	memcpy(&t->want, want, BH_HOSTASK_LEN(want->n));
	h->n_unsent += !t->unsent;
	t->unsent = true;
	return send_want(h, t);
}

int
bh_hosttaps_link(struct bh_hosttaps *h, int sup_fd)
{
	h->sup_fd = sup_fd;
	h->n_unsent = 0;
	for (unsigned int i = 0; i < h->n; i++) {
		h->tap[i]->unsent = h->tap[i]->want.mtu != 0;
		h->n_unsent += h->tap[i]->unsent;
	}
	return bh_hosttaps_flush(h);
}

int
bh_hosttaps_flush(struct bh_hosttaps *h)
{
	int rc = 0;

	for (unsigned int i = 0; i < h->n && rc == 0 && h->n_unsent > 0; i++)
		if (h->tap[i]->unsent)
			rc = send_want(h, h->tap[i]);
	return rc;
}

/* ---- frames ---- */

int
bh_hosttaps_fd(const struct bh_hosttaps *h)
{
	return h->epoll;
}

static void
lost(struct bh_hosttaps *h, struct tap *t)
{
	bh_warn(AREA, "TAP of %s: %s: the kernel has this port no more until bulkhead starts again",
		t->name, strerror(errno));
	leave_epoll(h, t);
}

static void
hand_over(struct bh_hosttaps *h, const struct tap *t, size_t len)
{
	if (len == sizeof(h->frame)) {
		h->stats.too_long++;
	} else if (t->ifindex == 0 || len < ETH) {
		h->stats.unbound++;
	} else {
		h->stats.from_kernel++;
		h->ops->frame(h->arg, t->ifindex, h->frame, len);
	}
}

/* At most `budget` frames of one TAP; the number. */
static unsigned int
read_tap(struct bh_hosttaps *h, struct tap *t, unsigned int budget)
{
	unsigned int done = 0;
	ssize_t n;

	while (done < budget) {
		n = read(t->fd, h->frame, sizeof(h->frame));
		if (n <= 0) {
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				lost(h, t);
			break;
		}
		hand_over(h, t, n);
		done++;
	}
	return done;
}

int
bh_hosttaps_poll(struct bh_hosttaps *h, unsigned int budget)
{
	struct epoll_event ev[32];
	unsigned int done = 0, before;
	int n;

	do {
		before = done;
		n = epoll_wait(h->epoll, ev, sizeof(ev) / sizeof(ev[0]), 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && done < budget; i++)
			done += read_tap(h, ev[i].data.ptr,
				budget - done < TURN ? budget - done : TURN);
	} while (done < budget && done > before);
	return done;
}

static int
write_failed(struct bh_hosttaps *h, int err)
{
	if (err == EAGAIN || err == ENOBUFS) {
		h->stats.full++;
		return -EAGAIN;
	}
	h->stats.refused++;
	return err == EMSGSIZE || err == EINVAL ? -EMSGSIZE : -EIO;
}

int
bh_hosttaps_write(struct bh_hosttaps *h, uint32_t ifindex, const void *frame, size_t len)
{
	struct tap *t = of_ifindex(h, ifindex);
	const uint8_t *p = frame;
	struct iovec iov[2];

	if (t == NULL || t->want.mtu == 0) { /* nothing is known of it yet */
		h->stats.refused++;
		return -ENODEV;
	}
	if (len < ETH || len >= BH_HOSTTAP_FRAME_MAX)
		return write_failed(h, EMSGSIZE);
	iov[0] = (struct iovec){p[0] & 1 ? (void *)p : t->want.mac, 6};
	iov[1] = (struct iovec){(void *)(p + 6), len - 6};
	if (writev(t->fd, iov, 2) < 0)
		return write_failed(h, errno);
	h->stats.to_kernel++;
	return 0;
}

const struct bh_hosttap_stats *
bh_hosttaps_stats(const struct bh_hosttaps *h)
{
	return &h->stats;
}
