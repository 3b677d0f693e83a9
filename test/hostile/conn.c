/* SPDX-License-Identifier: BSD-3-Clause */
/* A client's side of the protocol by hand: any step can be left out, spoilt or repeated. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/hostile/hostile.h"

#define TRIES 200
#define WELCOME_MS 5000

void
conn_blank(struct conn *c)
{
	memset(c, 0, sizeof(*c));
	c->sock = -1;
	for (unsigned int i = 0; i < BH_WELCOME_FDS; i++)
		c->fd[i] = -1;
}

int
conn_dial(struct conn *c, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	c->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->sock < 0)
		return -errno;
	return connect(c->sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
}

int
conn_hello(struct conn *c, const char *client)
{
	struct {
		struct bh_hello hello;
		struct bh_msg msg;
	} first = {
		.hello = {BH_HELLO_MAGIC, BH_PROTO_VERSION, BH_SERVICE_INFOBASE, ""},
		.msg = {.len = sizeof(struct bh_msg), .verb = BH_V_NOP},
	};

	strncpy(first.hello.client, client, BH_NAME_LEN - 1);
	return send(c->sock, &first, sizeof(first), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void
keep_fds(struct conn *c, struct msghdr *m)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);
	int fds[BH_WELCOME_FDS];
	unsigned int n;

	if (h == NULL || h->cmsg_type != SCM_RIGHTS)
		return;
	n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(h), n * sizeof(int));
	for (unsigned int i = 0; i < n; i++) {
		if (c->fd[i] >= 0)
			close(c->fd[i]);
		c->fd[i] = fds[i];
	}
}

int
conn_welcome(struct conn *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->sock, .events = POLLIN};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(BH_WELCOME_FDS * sizeof(int))];
	} control;
	uint8_t reply[BH_FIRST_MAX];
	struct iovec iov[2] = {{&c->w, sizeof(c->w)}, {reply, sizeof(reply)}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	ssize_t n;

	if (poll(&p, 1, timeout_ms) == 0)
		return -ETIMEDOUT;
	n = recvmsg(c->sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0 && errno == ECONNRESET) /* said before what was sent ahead of it */
		n = recvmsg(c->sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	keep_fds(c, &m);
	return c->w.status;
}

int
conn_map(struct conn *c)
{
	c->map = mmap(NULL, c->w.size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd[BH_FD_CHANNEL], 0);
	if (c->map == MAP_FAILED) {
		c->map = NULL;
		return -errno;
	}
	c->sh = (struct bh_channel_shared *)c->map;
	bh_producer_init(&c->req, (struct bh_slot *)(c->map + c->w.req_off), c->w.req_slots,
		&c->sh->req_tail);
	bh_consumer_init(&c->rep, (struct bh_slot *)(c->map + c->w.rep_off), c->w.rep_slots,
		&c->sh->rep_tail);
	return 0;
}

int
conn_open(struct conn *c, const char *path, const char *client)
{
	int rc = -EAGAIN;

	for (unsigned int i = 0; i < TRIES && going(); i++) {
		conn_blank(c);
		rc = conn_dial(c, path);
		if (rc == 0)
			rc = conn_hello(c, client);
		if (rc == 0 || rc == -EPIPE)
			rc = conn_welcome(c, WELCOME_MS);
		if (rc == 0)
			rc = conn_map(c);
		if (rc == 0)
			return 0;
		conn_close(c);
		usleep(1000);
	}
	return rc;
}

void
conn_close(struct conn *c)
{
	if (c->map != NULL)
		munmap(c->map, c->w.size);
	for (unsigned int i = 0; i < BH_WELCOME_FDS; i++)
		if (c->fd[i] >= 0)
			close(c->fd[i]);
	if (c->sock >= 0)
		close(c->sock);
	conn_blank(c);
}

int
conn_put(struct conn *c, uint8_t verb, uint16_t table, const void *body, size_t len)
{
	struct bh_msg msg = {.len = sizeof(msg) + len, .verb = verb, .table = table,
		.tag = rnd_below(4096)};

	return bh_producer_put(&c->req, &msg, body);
}

void
conn_ring(struct conn *c)
{
	ssize_t n = write(c->fd[BH_FD_RING_CORE], "", 1);

	(void)n; /* full or closed: as good */
}

bool
conn_ended(struct conn *c)
{
	struct pollfd p = {.fd = c->fd[BH_FD_WAKE_ME]};

	return poll(&p, 1, 0) > 0 && p.revents != 0;
}
