/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: those that a crowd leaves to the core, and too few of them. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "app/core/fdroom.h"
#include "lib/client/client_priv.h"
#include "test/unit/mini_contact.h"

#define CROWD 400

static int
listener(struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)addr, len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

/* A TCP socket whose last close waits 30 s for data that its listener never takes. */
static int
lingering(const struct sockaddr_in *addr)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 30};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[65536] = {0};

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
		_exit(1);
	while (send(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	return fd;
}

static void
pass(int sock, int fd)
{
	struct iovec iov = {"x", 1};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(sock, &m, 0) != 1)
		_exit(1);
}

/* Leaves a descriptor in the queue of a socket whose contact is under way, so that the core has
 * its only copy. By a process that ends: whose own closing does not wait. */
static int
plant(const struct sockaddr_in *addr)
{
	int sock = mini_dial(), status;
	pid_t pid;

	mini_hello(sock, BH_V_GET);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pass(sock, lingering(addr));
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	return sock;
}

/* Half of them are left to the core in a socket that is closed, half in a datagram that it reads.
 * Both proxies go on at once. */
START_TEST(lingering_descriptors)
{
	int listeners[8], sock[8];
	struct sockaddr_in addr;
	int role;

	mini.slow.release = false;
	for (unsigned int i = 0; i < 8; i++) {
		listeners[i] = listener(&addr);
		sock[i] = plant(&addr);
	}
	for (unsigned int i = 0; i < 8; i += 2)
		close(sock[i]);
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < 8; i++) {
		role = mini_role(i % 2, BH_ROLE_V6STACK);
		mini_hello(role, BH_V_NOP);
		ck_assert_int_eq(mini_welcome(role, MINI_CONTACT_MS), 0);
		close(role);
	}
	for (unsigned int i = 0; i < 8; i++) {
		close(listeners[i]);
		if (i % 2)
			close(sock[i]);
	}
}
END_TEST

/* Where the limit of descriptors is low a crowd does not get the last ones: modules have room. */
START_TEST(few_descriptors)
{
	struct rlimit lim, low;
	struct bh_handle *h[CROWD], *module[4];
	struct bh_open_args args = {"module", MINI_SERVICE_SLOW, -1, NULL};
	unsigned int n = 0;
	int rc, fd = dup(STDERR_FILENO);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	low = lim;
	low.rlim_cur = fd + 2 * BH_FDS_SOCKETS; /* the crowd and the core are one process here */
	close(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	do {
		h[n] = mini_open("crowd", MINI_SERVICE_SLOW);
		rc = mini_nop(h[n]);
	} while (rc == 0 && ++n < CROWD);
	ck_assert_int_eq(rc, -EMFILE);
	ck_assert_uint_gt(n, 10);
	for (unsigned int i = 0; i < 4; i++) {
		args.role_fd = mini_role(i % 2, BH_ROLE_SUPERVISOR + i);
		module[i] = bh_open(&args);
		ck_assert_int_eq(mini_nop(module[i]), 0);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	for (unsigned int i = 0; i <= n; i++)
		bh_close(h[i]);
	for (unsigned int i = 0; i < 4; i++) {
		fd = module[i]->sock;
		bh_close(module[i]);
		close(fd);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_fds");
	TCase *tc = tcase_create("service_fds");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, mini_let_go);
	tcase_add_test(tc, lingering_descriptors);
	tcase_add_test(tc, few_descriptors);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(0);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
