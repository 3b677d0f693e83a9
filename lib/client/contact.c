/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First contact: hello and request go to a control proxy as one datagram, the welcome brings
 * the reply and the channel. A datagram that is not our answer (of a contact that timed out)
 * is dropped with its descriptors.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/client/client_priv.h"
#include "lib/life/life.h"

struct answer {
	struct bh_welcome w;
	uint8_t reply[BH_FIRST_MAX];
} __attribute__((packed, aligned(8)));

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000;
}

void
bh_forget_socket(struct bh_handle *h)
{
	if (h->is_role || h->sock < 0)
		return;
	close(h->sock);
	h->sock = -1;
}

void
bh_disconnect(struct bh_handle *h)
{
	if (h->map == NULL)
		return;
	munmap(h->map, h->w.size);
	munmap((void *)h->stats, h->w.stats_size);
	close(h->ring_fd);
	close(h->wake_fd);
	h->map = NULL;
	h->stats = NULL;
	h->ring_fd = h->wake_fd = -1;
	h->announced = h->want_space = h->has_first = h->unfenced = false;
	h->unflushed = 0;
	bh_forget_socket(h);
}

static int
open_socket(struct bh_handle *h)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int rc;

	if (h->sock >= 0)
		return 0;
	strcpy(addr.sun_path, h->path);
	h->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (h->sock < 0)
		return -errno;
	if (connect(h->sock, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return 0;
	rc = -errno;
	bh_forget_socket(h);
	return rc;
}

static int
send_hello(struct bh_handle *h, const struct bh_msg *msg, const void *body)
{
	struct bh_hello hello = {
		.magic = BH_HELLO_MAGIC,
		.version = BH_PROTO_VERSION,
		.service = h->service,
	};
	struct iovec iov[3] = {
		{&hello, sizeof(hello)},
		{(void *)msg, sizeof(*msg)},
		{(void *)body, msg->len - sizeof(*msg)},
	};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 3};
	ssize_t n;

	memcpy(hello.client, h->client, sizeof(hello.client));
	do
		n = sendmsg(h->sock, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* Refused before it was heard: why is still to be read. */
	return n < 0 && errno != EPIPE && errno != ECONNRESET ? -errno : 0;
}

/* One datagram. Bytes, or -errno; *n_fds descriptors in fds are the caller's in either case. */
static ssize_t
receive(struct bh_handle *h, struct answer *a, int *fds, unsigned int *n_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(BH_WELCOME_FDS * sizeof(int))];
	} control;
	struct iovec iov = {a, sizeof(*a)};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n = recvmsg(h->sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *c;

	*n_fds = 0;
	/* The error comes before a welcome that the core sent when it closed the socket. */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(h->sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *n_fds * sizeof(int));
	}
	if (n == 0)
		return -ECONNRESET;
	return m.msg_flags & MSG_TRUNC ? -EPROTO : n;
}

static void
close_fds(const int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fds[i]);
}

/* Is it the answer to our request, whole and sound? 0; -EAGAIN: another's; -errno. */
static int
check_answer(const struct bh_handle *h, const struct answer *a, ssize_t n, unsigned int n_fds,
	uint32_t tag)
{
	const struct bh_welcome *w = &a->w;
	const struct bh_msg *reply = (const struct bh_msg *)a->reply;

	if (n < (ssize_t)sizeof(*w) || w->magic != BH_HELLO_MAGIC)
		return -EPROTO;
	if (w->version != BH_PROTO_VERSION)
		return -EPROTONOSUPPORT;
	if (w->status != 0)
		return w->status < 0 ? w->status : -EPROTO;
	if (n < (ssize_t)(sizeof(*w) + sizeof(*reply)) || reply->len != n - sizeof(*w))
		return -EPROTO;
	if (w->service != h->service || reply->tag != tag)
		return -EAGAIN;
	return n_fds == BH_WELCOME_FDS ? 0 : -EPROTO;
}

static bool
queue_fits(const struct bh_welcome *w, uint32_t off, uint32_t slots)
{
	return slots >= BH_MSG_SLOTS && (slots & (slots - 1)) == 0 && off % 64 == 0 &&
		off >= sizeof(struct bh_channel_shared) && off <= w->size &&
		slots <= (w->size - off) / sizeof(struct bh_slot);
}

static int
map_channel(struct bh_handle *h, const struct bh_welcome *w, const int *fds)
{
	struct stat chan, stats;
	void *map;

	if (!queue_fits(w, w->req_off, w->req_slots) || !queue_fits(w, w->rep_off, w->rep_slots))
		return -EPROTO;
	if (fstat(fds[BH_FD_CHANNEL], &chan) < 0 || chan.st_size < w->size ||
		fstat(fds[BH_FD_STATS], &stats) < 0 || stats.st_size < w->stats_size)
		return -EPROTO;
	map = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[BH_FD_CHANNEL], 0);
	if (map == MAP_FAILED)
		return -errno;
	h->stats = mmap(NULL, w->stats_size, PROT_READ, MAP_SHARED, fds[BH_FD_STATS], 0);
	if (h->stats == MAP_FAILED) {
		h->stats = NULL;
		munmap(map, w->size);
		return -ENOMEM;
	}
	h->map = map;
	return 0;
}

/* The channel is ours; what descriptors it no longer needs are closed. */
static int
connected(struct bh_handle *h, const struct answer *a, const int *fds)
{
	const struct bh_welcome *w = &a->w;
	int rc = map_channel(h, w, fds);
	uint8_t *base = h->map;

	if (rc < 0) {
		close_fds(fds, BH_WELCOME_FDS);
		return rc;
	}
	close(fds[BH_FD_CHANNEL]);
	close(fds[BH_FD_STATS]);
	h->ring_fd = fds[BH_FD_RING_CORE];
	h->wake_fd = fds[BH_FD_WAKE_ME];
	h->w = *w;
	h->w.zone[BH_ZONE_LEN - 1] = '\0';
	h->sh = h->map;
	bh_producer_init(&h->req, (struct bh_slot *)(base + w->req_off), w->req_slots,
		&h->sh->req_tail);
	bh_consumer_init(&h->rep, (struct bh_slot *)(base + w->rep_off), w->rep_slots,
		&h->sh->rep_tail);
	h->sleeper = (struct bh_sleeper){.word = &h->sh->client_sleep};
	h->ringer = (struct bh_ringer){.word = &h->sh->core_sleep};
	memcpy(h->first, a->reply, ((const struct bh_msg *)a->reply)->len);
	h->has_first = true;
	return 0;
}

/* Waits for the answer to the request with this tag. */
static int
await(struct bh_handle *h, uint32_t tag)
{
	uint64_t end = now_ms() + BH_CONTACT_MS;
	int fds[BH_WELCOME_FDS + 4], rc, left;
	struct answer a;
	unsigned int n_fds;
	ssize_t n;

	while ((left = end - now_ms()) > 0) {
		struct pollfd p = {.fd = h->sock, .events = POLLIN};

		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return -errno;
		n = receive(h, &a, fds, &n_fds);
		if (n == -EAGAIN || n == -EINTR)
			continue;
		rc = n < 0 ? (int)n : check_answer(h, &a, n, n_fds, tag);
		if (rc == 0)
			return connected(h, &a, fds);
		close_fds(fds, n_fds);
		if (rc != -EAGAIN)
			return rc;
	}
	return -ETIMEDOUT;
}

int
bh_contact(struct bh_handle *h, const struct bh_msg *msg, const void *body)
{
	int rc;

	bh_life_busy(2 * BH_CONTACT_MS);
	rc = open_socket(h);
	if (rc == 0)
		rc = send_hello(h, msg, body);
	if (rc == 0)
		rc = await(h, msg->tag);
	if (rc < 0)
		bh_forget_socket(h);
	bh_life_beat();
	return rc;
}
