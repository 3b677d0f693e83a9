/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "test/unit/mini_contact.h"

int
mini_dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 15};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, mini.path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

void
mini_hello(int fd, uint8_t verb)
{
	struct {
		struct bh_hello hello;
		struct bh_msg msg;
	} p = {
		.hello = {BH_HELLO_MAGIC, BH_PROTO_VERSION, MINI_SERVICE_SLOW, "crowd"},
		.msg = {.len = sizeof(struct bh_msg), .verb = verb},
	};

	if (send(fd, &p, sizeof(p), MSG_NOSIGNAL) < 0)
		ck_assert_int_eq(errno, EPIPE); /* refused before it was heard */
}

int
mini_welcome(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct bh_welcome w;
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return 1;
	n = recv(fd, &w, sizeof(w), 0);
	if (n < 0 && errno == ECONNRESET)
		n = recv(fd, &w, sizeof(w), 0);
	return n == sizeof(w) ? w.status : 1;
}

int
mini_role(unsigned int proxy, uint16_t role)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[proxy], fds[0], role, 4711), 0);
	return fds[1];
}

void
mini_let_go(void)
{
	__atomic_store_n(&mini.slow.per_pass, UINT32_MAX, __ATOMIC_RELEASE);
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
}
