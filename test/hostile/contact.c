/* SPDX-License-Identifier: BSD-3-Clause */
/* First contacts that are silent, broken, loaded with descriptors, too many, or endless. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/hostile/hostile.h"

#define PASSED 253 /* descriptors that one datagram may carry */
#define CROWD_MAX 4096
#define LISTENERS 64

static void
unblock(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* A datagram of any length, sound as far as `sound` bytes go. */
static void
send_garbage(int fd)
{
	static uint8_t buf[1 << 18];
	struct bh_hello hello = {BH_HELLO_MAGIC, BH_PROTO_VERSION, BH_SERVICE_INFOBASE, "garbage"};
	size_t len = rnd_below(8) ? rnd_below(1200) : rnd_below(sizeof(buf));

	for (size_t i = 0; i < sizeof(hello) + 64; i++)
		buf[i] = rnd();
	memcpy(buf, &hello, rnd_below(sizeof(hello) + 1));
	send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A listener that takes nothing, open until LISTENERS more were made. */
static void
new_listener(struct sockaddr_in *addr)
{
	static int fds[LISTENERS];
	static unsigned int next;
	socklen_t len = sizeof(*addr);
	int *fd = &fds[next++ % LISTENERS], small = 4096;

	if (*fd > 0)
		close(*fd);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*addr = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(*fd, (struct sockaddr *)addr, len) == 0 && listen(*fd, 1) == 0)
		getsockname(*fd, (struct sockaddr *)addr, &len);
}

/* A TCP socket whose last close waits for data that nobody takes. -1: no network. */
static int
lingering_socket(const struct sockaddr_in *addr)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 30};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[65536] = {0};

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	while (send(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	return fd;
}

/* A hello with n copies of fd behind it. True when the kernel let it pass. */
static bool
send_fds(int sock, int fd, unsigned int n)
{
	struct {
		struct bh_hello hello;
		struct bh_msg msg;
	} first = {
		.hello = {BH_HELLO_MAGIC, BH_PROTO_VERSION, BH_SERVICE_INFOBASE, "passer"},
		.msg = {.len = sizeof(struct bh_msg), .verb = BH_V_NOP},
	};
	struct iovec iov = {&first, sizeof(first)};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(PASSED * sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (unsigned int i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

/* A lingering socket in the queue of ours, made by a process that ends at once: its own closing does
 * not wait, so whoever has the last copy has to. */
static bool
plant_lingering(struct conn *c)
{
	struct sockaddr_in addr;
	int status = 1;
	pid_t pid;

	new_listener(&addr);
	pid = fork();
	if (pid == 0) {
		int fd = lingering_socket(&addr);

		conn_hello(c, "lingerer");
		_exit(fd < 0 || !send_fds(c->sock, fd, 1));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* The kinds of half-open contact, in turn. Sockets stay open until the place is needed. */
static void
half_open(struct conn *c, unsigned int kind, uint64_t *passed)
{
	unsigned int n = 1 + rnd_below(20);

	switch (kind % 7) {
	case 0: /* silent */
		break;
	case 1:
		while (n-- > 0)
			send_garbage(c->sock);
		break;
	case 2: /* welcomes unread */
		unblock(c->sock);
		while (n-- > 0 && conn_hello(c, "unread") == 0)
			;
		break;
	case 3:
		while (n-- > 0)
			*passed += send_fds(c->sock, c->sock, 1 + rnd_below(PASSED));
		break;
	case 4: /* shut for writing, for reading, with a hello and without */
		if (n & 1)
			conn_hello(c, "shut");
		shutdown(c->sock, n & 2 ? SHUT_RD : SHUT_WR);
		break;
	case 5: /* left at once */
		conn_hello(c, "left");
		conn_close(c);
		break;
	default: /* whoever closes the last copy may have to wait */
		*passed += plant_lingering(c);
		conn_close(c);
	}
}

int
mode_halfopen(const struct options *o)
{
	static struct conn all[CROWD_MAX];
	unsigned int width = o->width < CROWD_MAX ? o->width : CROWD_MAX;
	uint64_t n = 0, refused = 0, passed = 0;

	for (unsigned int i = 0; i < width; i++)
		conn_blank(&all[i]);
	while (going() && (o->count == 0 || n < o->count)) {
		struct conn *c = &all[n % width];

		conn_close(c);
		if (conn_dial(c, o->socket) == 0)
			half_open(c, n, &passed);
		else
			refused++;
		n++;
	}
	printf("{\"mode\":\"halfopen\",\"contacts\":%lu,\"refused\":%lu,\"passed-fds\":%lu}\n", n,
		refused, passed);
	return 0;
}

int
mode_flood(const struct options *o)
{
	static struct conn all[CROWD_MAX];
	uint64_t opened = 0, welcomed = 0;
	unsigned int n = 0;

	for (unsigned int i = 0; i < CROWD_MAX; i++)
		conn_blank(&all[i]);
	while (going()) {
		struct conn *c = &all[n++ % CROWD_MAX];

		conn_close(c);
		if (conn_dial(c, o->socket) < 0) {
			usleep(1000);
			continue;
		}
		opened++;
		if (n % 2)
			continue;
		conn_hello(c, "flood");
		if (n % 8 == 0)
			welcomed += conn_welcome(c, 100) == 0;
	}
	printf("{\"mode\":\"flood\",\"opened\":%lu,\"welcomed\":%lu}\n", opened, welcomed);
	return 0;
}

/* Each hello on the same socket makes a new channel in the place of the last one. */
int
mode_contact(const struct options *o)
{
	uint64_t n = 0, refused = 0;
	struct conn c;

	while (going() && conn_open(&c, o->socket, "contact") == 0) {
		while (going() && conn_hello(&c, "contact") == 0 && conn_welcome(&c, 5000) == 0)
			n++;
		refused++;
		conn_close(&c);
	}
	printf("{\"mode\":\"contact\",\"contacts\":%lu,\"ended\":%lu}\n", n, refused);
	return 0;
}
