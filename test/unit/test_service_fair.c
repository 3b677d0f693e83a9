/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody starves: not by greedy clients, not by floods of contacts, not by one user's crowd. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "app/core/fdroom.h"
#include "app/core/proxy_priv.h"
#include "lib/client/client_priv.h"
#include "test/unit/mini_core.h"

static int
nop(struct bh_handle *h)
{
	return bh_call(h, BH_V_NOP, 0, NULL, "abc", 4, NULL, NULL);
}

/* ---- direct channels ---- */

#define GREEDY 6
#define QUEUED 400

struct answers {
	unsigned int n, bad;
	uint32_t taken; /* before the last one */
};

static void
note(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct answers *a = arg;

	(void)body;
	(void)len;
	a->n++;
	a->bad += msg->status != 0;
	a->taken = msg->aux;
}

static void
ask(struct bh_handle *h, unsigned int n, struct answers *a)
{
	while (n-- > 0)
		ck_assert_int_eq(bh_submit(h, BH_V_GET, 0, UINT32_MAX, NULL, 0, note, a), 0);
	bh_flush(h);
}

static void
finish(struct bh_handle *h)
{
	while (bh_pending(h) > 0)
		ck_assert_int_ge(bh_poll(h, 5000), 0);
	bh_close(h);
}

/* A handler takes one request a pass, greedy clients have hundreds each in their queues: one that
 * has a single request is served within some passes, whether it came first or last. */
START_TEST(greedy_clients)
{
	struct answers all = {0}, own = {0};
	struct bh_handle *h[GREEDY + 1];
	unsigned int modest = _i;
	uint32_t before;

	mini.slow.release = true;
	for (unsigned int i = 0; i <= GREEDY; i++) {
		h[i] = mini_open("fair", BH_SERVICE_PACKET);
		ck_assert_int_eq(nop(h[i]), 0);
	}
	__atomic_store_n(&mini.slow.per_pass, 0, __ATOMIC_RELEASE);
	before = mini.slow.taken_all;
	for (unsigned int i = 0; i <= GREEDY; i++)
		ask(h[i], i == modest ? 1 : QUEUED, i == modest ? &own : &all);
	usleep(50000); /* each is in the polled set, and refused */
	__atomic_store_n(&mini.slow.per_pass, 1, __ATOMIC_RELEASE);
	finish(h[modest]);
	__atomic_store_n(&mini.slow.per_pass, UINT32_MAX, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i <= GREEDY; i++)
		if (i != modest)
			finish(h[i]);
	ck_assert_uint_eq(own.n, 1);
	ck_assert_uint_eq(all.n, GREEDY * QUEUED);
	ck_assert_uint_eq(own.bad + all.bad, 0);
	ck_assert_uint_le(own.taken - before, 4 * GREEDY);
}
END_TEST

/* ---- first contacts ---- */

#define CROWD 400 /* sockets of one flood */
#define WAIT_MS 15000 /* at most, for what must come; less than a lingering socket's 30 s */

static int
dial(void)
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

/* A hello whose first request is this verb. */
static void
hello(int fd, uint8_t verb)
{
	struct {
		struct bh_hello hello;
		struct bh_msg msg;
	} p = {
		.hello = {BH_HELLO_MAGIC, BH_PROTO_VERSION, BH_SERVICE_PACKET, "crowd"},
		.msg = {.len = sizeof(struct bh_msg), .verb = verb},
	};

	if (send(fd, &p, sizeof(p), MSG_NOSIGNAL) < 0)
		ck_assert_int_eq(errno, EPIPE); /* refused before it was heard */
}

/* Status of the welcome that comes within ms; 1: none came or the socket was closed. */
static int
welcome(int fd, int ms)
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

static int
open_role(unsigned int proxy, uint16_t role)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[proxy], fds[0], role, 4711), 0);
	return fds[1];
}

/* Whether this proxy accepts newcomers; the other one does then for both. */
static void
listens(struct bh_proxy *p, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE,
		.data.u64 = BH_PROXY_LISTEN_EVENT};

	ck_assert_int_eq(epoll_ctl(p->ep, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, mini.listen_fd, &ev),
		0);
}

/* Waits until the core has read what was sent by this socket. */
static void
await_read(int fd)
{
	int unread = 1;

	for (int ms = 0; ms < WAIT_MS && unread > 0; ms++) {
		ck_assert_int_eq(ioctl(fd, SIOCOUTQ, &unread), 0);
		if (unread > 0)
			usleep(1000);
	}
	ck_assert_int_eq(unread, 0);
}

/* All relay slots of a proxy hold contacts that wait for an answer, more contacts wait for slots:
 * when one slot is free a module has it, not the crowd. The other proxy's module has room. */
START_TEST(modules_first)
{
	static int crowd[CROWD];
	int role[2];

	mini.slow.release = false;
	listens(mini.proxy[1], false);
	for (unsigned int i = 0; i < CROWD; i++) {
		crowd[i] = dial();
		ck_assert_int_ge(crowd[i], 0);
		hello(crowd[i], BH_V_GET);
	}
	for (unsigned int i = 0; i < CROWD; i++)
		await_read(crowd[i]);
	ck_assert(mini_await(&mini.slow.held_now, BH_RELAY_SLOTS));
	for (unsigned int i = 0; i < 2; i++) {
		role[i] = open_role(i, i == 0 ? BH_ROLE_ROUTING : BH_ROLE_SNMP);
		hello(role[i], BH_V_NOP);
	}
	ck_assert_int_eq(welcome(role[1], WAIT_MS), 0);
	await_read(role[0]);
	ck_assert_int_eq(welcome(role[0], 0), 1);
	__atomic_store_n(&mini.slow.release_some, 1, __ATOMIC_RELEASE);
	ck_assert_int_eq(welcome(role[0], WAIT_MS), 0);
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < CROWD; i++)
		ck_assert_int_eq(welcome(crowd[i], WAIT_MS), 0);
	listens(mini.proxy[1], true);
	for (unsigned int i = 0; i < CROWD; i++)
		close(crowd[i]);
	for (unsigned int i = 0; i < 2; i++)
		close(role[i]);
}
END_TEST

/* ---- descriptors ---- */

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
	int sock = dial(), status;
	pid_t pid;

	hello(sock, BH_V_GET);
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
		role = open_role(i % 2, BH_ROLE_V6STACK);
		hello(role, BH_V_NOP);
		ck_assert_int_eq(welcome(role, WAIT_MS), 0);
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
	struct bh_open_args args = {"module", BH_SERVICE_PACKET, -1, NULL};
	unsigned int n = 0;
	int rc, fd = dup(STDERR_FILENO);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	low = lim;
	low.rlim_cur = fd + 2 * BH_FDS_SOCKETS; /* the crowd and the core are one process here */
	close(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	do {
		h[n] = mini_open("crowd", BH_SERVICE_PACKET);
		rc = nop(h[n]);
	} while (rc == 0 && ++n < CROWD);
	ck_assert_int_eq(rc, -EMFILE);
	ck_assert_uint_gt(n, 10);
	for (unsigned int i = 0; i < 4; i++) {
		args.role_fd = open_role(i % 2, BH_ROLE_SUPERVISOR + i);
		module[i] = bh_open(&args);
		ck_assert_int_eq(nop(module[i]), 0);
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

/* ---- users ---- */

struct crowd {
	pid_t pid;
	int end; /* closed: the crowd leaves */
	unsigned int ok, over_quota, other;
};

static void
be_crowd(uid_t uid, unsigned int n, int out, int end)
{
	struct crowd c = {0};
	char byte;

	if (setgid(uid) < 0 || setuid(uid) < 0)
		_exit(1);
	while (n-- > 0) {
		struct bh_handle *h = mini_open("crowd", BH_SERVICE_PACKET);
		int rc = nop(h);

		if (rc == 0) {
			c.ok++; /* and stays connected */
			continue;
		}
		bh_close(h);
		c.over_quota += rc == -EDQUOT;
		c.other += rc != -EDQUOT;
	}
	if (write(out, &c, sizeof(c)) != sizeof(c) || read(end, &byte, 1) != 0)
		_exit(1);
	_exit(0);
}

/* n contacts by a process of this user, which keeps what it got. */
static struct crowd
crowd_of(uid_t uid, unsigned int n)
{
	struct crowd c = {0};
	int result[2], end[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(result, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(end, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(end[1]);
		be_crowd(uid, n, result[1], end[0]);
	}
	close(result[1]);
	close(end[0]);
	ck_assert_int_eq(read(result[0], &c, sizeof(c)), sizeof(c));
	close(result[0]);
	c.pid = pid;
	c.end = end[1];
	return c;
}

static void
crowd_end(struct crowd *c)
{
	int status;

	close(c->end);
	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	ck_assert_int_eq(status, 0);
}

/* One user's crowd takes what a user may have and no more: other users and admins have room. */
START_TEST(one_user)
{
	struct crowd first, second;
	struct bh_handle *h;

	if (getuid() != 0)
		return; /* needs to become two other users */
	ck_assert_int_eq(chmod(mini.dir, 0711), 0);
	ck_assert_int_eq(chmod(mini.path, 0666), 0);
	first = crowd_of(65534, 500);
	ck_assert_uint_eq(first.ok, BH_PEERS_USER);
	ck_assert_uint_eq(first.over_quota, 500 - BH_PEERS_USER);
	second = crowd_of(65533, BH_PEERS_USER / 2);
	ck_assert_uint_eq(second.ok, BH_PEERS_USER / 2);
	h = mini_open("admin", BH_SERVICE_PACKET);
	ck_assert_int_eq(nop(h), 0);
	bh_close(h);
	crowd_end(&second); /* holds a copy of what the first waits for */
	crowd_end(&first);
}
END_TEST

/* What a test that failed has held back does not wait for the next one. */
static void
let_go(void)
{
	__atomic_store_n(&mini.slow.per_pass, UINT32_MAX, __ATOMIC_RELEASE);
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
}

int
main(void)
{
	Suite *s = suite_create("service_fair");
	TCase *tc = tcase_create("service_fair");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, let_go);
	tcase_add_loop_test(tc, greedy_clients, 0, GREEDY + 1);
	tcase_add_test(tc, modules_first);
	tcase_add_test(tc, one_user);
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
