/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that lie, stop, die or crowd: the core and the other clients go on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "lib/client/client_priv.h"
#include "test/unit/mini_core.h"

static struct bh_handle *good; /* a client that must always be served */

static void
setup(void)
{
	good = mini_open("good", BH_SERVICE_ECHO);
	ck_assert_int_eq(mini_nop(good), 0);
}

static void
teardown(void)
{
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mini_nop(good), 0);
	bh_close(good);
}

/* ---- raw first contacts ---- */

struct packet {
	struct bh_hello hello;
	struct bh_msg msg;
	uint8_t body[4096];
} __attribute__((packed));

static struct packet
packet(void)
{
	return (struct packet){
		.hello = {BH_HELLO_MAGIC, BH_PROTO_VERSION, BH_SERVICE_ECHO, "raw"},
		.msg = {.len = sizeof(struct bh_msg), .verb = BH_V_NOP},
	};
}

#define HELLO_LEN (sizeof(struct bh_hello) + sizeof(struct bh_msg))

static int
raw_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 5};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, mini.path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* Status of the welcome that comes; 1: end of file; 2: none came in time. Descriptors are lost. */
static int
raw_status(int fd)
{
	struct bh_welcome w;
	ssize_t n = recv(fd, &w, sizeof(w), 0);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 1;
	return n == sizeof(w) ? w.status : 2;
}

static int
raw_try(const struct packet *p, size_t len)
{
	int fd = raw_connect(), status;

	ck_assert_int_eq(send(fd, p, len, MSG_NOSIGNAL), (ssize_t)len);
	status = raw_status(fd);
	close(fd);
	return status;
}

START_TEST(bad_hellos)
{
	struct packet p = packet();

	ck_assert_int_eq(raw_try(&p, HELLO_LEN), 0);
	ck_assert_int_eq(raw_try(&p, 0), 1);
	ck_assert_int_eq(raw_try(&p, 1), -EPROTO);
	ck_assert_int_eq(raw_try(&p, sizeof(p.hello) - 1), -EPROTO);
	ck_assert_int_eq(raw_try(&p, sizeof(p.hello)), -EBADMSG);
	ck_assert_int_eq(raw_try(&p, HELLO_LEN - 1), -EBADMSG);
	ck_assert_int_eq(raw_try(&p, HELLO_LEN + 1), -EBADMSG);
	p.msg.len = 0;
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -EBADMSG);
	p.msg.len = 3000;
	ck_assert_int_eq(raw_try(&p, sizeof(p.hello) + 3000), -EMSGSIZE);
	p = packet();
	p.hello.magic++;
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -EPROTO);
	p = packet();
	p.hello.version = 9;
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -EPROTONOSUPPORT);
	p = packet();
	p.hello.service = BH_SERVICE_MAX;
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -ENOENT);
	p.hello.service = 0;
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -ENOENT);
	p = packet();
	p.hello.client[0] = '\0';
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -EINVAL);
	memset(p.hello.client, 'x', sizeof(p.hello.client));
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -EINVAL);
	strcpy(p.hello.client, "a\nb");
	ck_assert_int_eq(raw_try(&p, HELLO_LEN), -EINVAL);
}
END_TEST

/* A bad hello does not end the socket; contacts on one socket replace each other. */
START_TEST(several_hellos)
{
	struct packet p = packet();
	int fd = raw_connect();

	for (int i = 0; i < 300; i++) {
		p.hello.version = i % 3 == 0 ? 7 : BH_PROTO_VERSION;
		p.hello.service = i % 2 == 0 ? BH_SERVICE_ECHO : MINI_SERVICE_SLOW;
		ck_assert_int_eq(send(fd, &p, HELLO_LEN, MSG_NOSIGNAL), HELLO_LEN);
		ck_assert_int_eq(raw_status(fd), i % 3 == 0 ? -EPROTONOSUPPORT : 0);
	}
	close(fd);
	ck_assert_ptr_nonnull(mini_conn("raw", BH_CONN_CLOSED));
}
END_TEST

/* Who sends descriptors along is refused; they are closed, not kept by the core. */
START_TEST(passed_descriptors)
{
	struct packet p = packet();
	struct iovec iov = {&p, HELLO_LEN};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = raw_connect(), fds[2];
	char byte;

	ck_assert_int_eq(pipe(fds), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fds[1], sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &m, 0), HELLO_LEN);
	close(fds[1]);
	if (recv(fd, NULL, 0, MSG_PEEK) < 0)
		ck_assert_int_eq(errno, ECONNRESET); /* said before what was sent ahead of it */
	ck_assert_int_eq(raw_status(fd), -EPERM);
	ck_assert_int_eq(read(fds[0], &byte, 1), 0); /* ours was the last writer */
	close(fds[0]);
	close(fd);
}
END_TEST

/* Sends hellos for ever and reads no welcome. */
START_TEST(never_reads_welcomes)
{
	struct packet p = packet();
	int fd = raw_connect();
	struct pollfd pfd = {.fd = fd};
	ssize_t n = 0;

	for (int i = 0; i < 5000 && n >= 0; i++)
		n = send(fd, &p, HELLO_LEN, MSG_NOSIGNAL);
	ck_assert_int_lt(n, 0); /* the core has closed it */
	ck_assert_int_eq(poll(&pfd, 1, MINI_WAIT_MS), 1);
	close(fd);
}
END_TEST

/* ---- crowds ---- */

#define CROWD (2 * BH_PROXY_SOCKETS + 200)

static int crowd[CROWD];

/* Sockets that say nothing fill all places: who comes later still gets one. */
START_TEST(half_open)
{
	struct bh_handle *h;
	int n;

	for (n = 0; n < CROWD; n++)
		crowd[n] = raw_connect();
	usleep(1100 * 1000); /* what is silent for a second may lose its place */
	for (int i = 0; i < 50; i++) {
		h = mini_open("late", BH_SERVICE_ECHO);
		ck_assert_int_eq(mini_nop(h), 0);
		bh_close(h);
	}
	while (n-- > 0)
		close(crowd[n]);
}
END_TEST

/* More clients than there are peers: refused by name, and room again when they leave. */
START_TEST(too_many)
{
	static struct bh_handle *h[BH_PEERS_MAX + 10];
	unsigned int n = 0, ok;
	int rc;

	do {
		h[n] = mini_open("crowd", BH_SERVICE_ECHO);
		rc = mini_nop(h[n]);
	} while (rc == 0 && ++n < BH_PEERS_MAX + 10);
	ck_assert(rc == -ENOSPC || rc == -EMFILE);
	ck_assert_uint_ge(n, BH_PEERS_MAX / 2);
	for (ok = 0; ok < n; ok++)
		ck_assert_int_eq(mini_nop(h[ok]), 0);
	for (unsigned int i = 0; i <= n; i++)
		bh_close(h[i]);
	h[0] = mini_open("after", BH_SERVICE_ECHO);
	for (int i = 0; i < 1000 && (rc = mini_nop(h[0])) != 0; i++)
		usleep(1000);
	ck_assert_int_eq(rc, 0);
	bh_close(h[0]);
}
END_TEST

/* ---- channels ---- */

static void
count_one(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)msg;
	(void)body;
	(void)len;
	++*(unsigned int *)arg;
}

/* One who never polls fills its own queues only; when it polls it gets all. */
START_TEST(never_polls)
{
	struct bh_handle *h = mini_open("deaf", BH_SERVICE_ECHO);
	unsigned int sent = 0, got = 0;
	uint8_t body[600] = {0};
	int idle = 0, rc;

	ck_assert_int_eq(mini_nop(h), 0);
	while (idle < 200 && sent < BH_CALLS_MAX) {
		rc = bh_submit(h, BH_V_NOP, 0, 0, body, sizeof(body), count_one, &got);
		sent += rc == 0;
		idle = rc == 0 ? 0 : idle + 1;
		if (rc != 0)
			ck_assert_int_eq(rc, -EAGAIN);
		ck_assert_int_eq(mini_nop(good), 0);
	}
	/* 1024 reply slots and 512 of requests, 11 each */
	ck_assert_uint_gt(sent, 100);
	ck_assert_uint_lt(sent, 160);
	ck_assert_uint_eq(got, 0);
	for (idle = 0; bh_pending(h) > 0; idle += rc == 0) {
		rc = bh_poll(h, MINI_WAIT_MS);
		ck_assert_int_ge(rc, 0);
		ck_assert_int_le(idle, 1); /* 0 once: there is room again */
	}
	ck_assert_uint_eq(got, sent);
	ck_assert_int_eq(mini_nop(h), 0);
	bh_close(h);
}
END_TEST

/* Events wait for room besides what is kept for answers, and all come. */
START_TEST(events_wait)
{
	struct bh_handle *h = mini_open("watcher", MINI_SERVICE_SLOW);
	const struct bh_stats_conn *c;

	ck_assert_int_eq(mini_nop(h), 0);
	ck_assert_int_eq(bh_submit(h, BH_V_WATCH, 0, 5000, NULL, 0, NULL, NULL), 0);
	bh_flush(h);
	c = mini_conn("watcher", BH_CONN_DIRECT);
	ck_assert_ptr_nonnull(c);
	ck_assert(mini_await((const uint32_t *)&c->events, 1000)); /* little end */
	ck_assert_uint_lt(bh_read(&c->events), 1025);
	while (bh_read(&c->events) < 5000 || bh_consumer_ready(&h->rep))
		ck_assert_int_gt(bh_poll(h, MINI_WAIT_MS), 0);
	ck_assert_int_eq(mini_nop(h), 0);
	bh_close(h);
}
END_TEST

/* Each kind of damage ends this channel and no other. */
START_TEST(corrupt_channels)
{
	struct bh_handle *h = mini_open("liar", BH_SERVICE_ECHO);
	struct bh_slot *s;

	for (int kind = 0; kind < 5; kind++) {
		ck_assert_int_eq(mini_nop(h), 0);
		ck_assert_int_eq(mini_nop(h), 0);
		s = &h->req.slots[h->req.head & h->req.mask];
		switch (kind) {
		case 0: /* a sequence of nowhere */
			__atomic_store_n(&s->seq, h->req.head + 77, __ATOMIC_RELEASE);
			break;
		case 1: /* a length of 0 */
			memset(s->data, 0, sizeof(s->data));
			__atomic_store_n(&s->seq, h->req.head + 1, __ATOMIC_RELEASE);
			break;
		case 2: /* the longest length there is */
			memset(s->data, 0xff, sizeof(s->data));
			__atomic_store_n(&s->seq, h->req.head + 1, __ATOMIC_RELEASE);
			break;
		case 3: /* more replies consumed than sent */
			h->sh->rep_tail += 5000;
			bh_submit(h, BH_V_NOP, 0, 0, NULL, 0, NULL, NULL);
			break;
		default: /* all of it */
			memset(h->map, 0xa5, h->w.size);
		}
		bh_ring_nosignal(h->ring_fd);
		if (kind == 3) /* seen when it needs the room: the core asks at a full queue */
			for (int i = 0; i < 5000 && h->map != NULL; i++)
				if (bh_submit(h, BH_V_NOP, 0, 0, NULL, 0, NULL, NULL) == -EAGAIN)
					usleep(100);
		ck_assert_int_eq(mini_nop(good), 0);
		while (bh_poll(h, 100) != -ECONNRESET)
			;
	}
	bh_close(h);
}
END_TEST

/* A message whose later slots never come neither keeps the core awake nor is taken. */
START_TEST(missing_slots)
{
	struct bh_handle *h = mini_open("half", BH_SERVICE_ECHO);
	struct bh_msg msg = {.len = 200, .verb = BH_V_NOP};
	const struct bh_stats_lcore *l = &mini.stats->lcore[4];
	uint64_t turns = 0;
	struct bh_slot *s;
	int looks = 0;

	ck_assert_int_eq(mini_nop(h), 0);
	s = &h->req.slots[h->req.head & h->req.mask];
	memcpy(s->data, &msg, sizeof(msg));
	__atomic_store_n(&s->seq, h->req.head + 1, __ATOMIC_RELEASE);
	bh_ring_nosignal(h->ring_fd);
	ck_assert_int_eq(mini_nop(good), 0);
	do { /* it comes to rest */
		ck_assert_int_lt(looks++, MINI_WAIT_MS / 100);
		turns = bh_read(&l->turns);
		usleep(100000);
	} while (bh_read(&l->turns) - turns >= 10);
	bh_close(h);
}
END_TEST

/* Rings without end: its bell is taken off, yet what it asks is answered. */
START_TEST(endless_ringing)
{
	struct bh_handle *h = mini_open("ringer", BH_SERVICE_ECHO);
	const struct bh_stats_lcore *l = &mini.stats->lcore[4];
	uint64_t wakes;
	int looks = 0;

	ck_assert_int_eq(mini_nop(h), 0);
	for (int i = 0; i < 20000; i++)
		bh_ring_nosignal(h->ring_fd);
	do { /* at first it still hears the bell */
		ck_assert_int_lt(looks++, 500);
		wakes = bh_read(&l->wakes);
		for (int round = 0; round < 200; round++) {
			bh_ring_nosignal(h->ring_fd);
			usleep(100);
		}
	} while (bh_read(&l->wakes) - wakes >= 20);
	ck_assert_int_eq(mini_nop(good), 0);
	ck_assert_int_eq(mini_nop(h), 0);
	ck_assert_int_eq(mini_nop(h), 0);
	bh_close(h);
}
END_TEST

/* Its end of the bell closed: the peer goes; the core gets no signal. */
START_TEST(closed_ends)
{
	struct bh_handle *h = mini_open("closer", BH_SERVICE_ECHO);
	int fd;

	ck_assert_int_eq(mini_nop(h), 0);
	fd = h->wake_fd;
	bh_prepare_wait(h);
	ck_assert_int_eq(dup2(h->sock, fd), fd); /* closes the pipe's end, keeps the number */
	ck_assert_int_eq(bh_submit(h, BH_V_NOP, 0, 0, NULL, 0, NULL, NULL), 0);
	bh_flush(h);
	ck_assert_int_eq(mini_nop(good), 0);
	ck_assert_int_eq(dup2(h->sock, h->ring_fd), h->ring_fd);
	ck_assert_ptr_nonnull(mini_conn("closer", BH_CONN_CLOSED));
	bh_close(h);
}
END_TEST

/* ---- death ---- */

static pid_t
child(void)
{
	pid_t pid = fork();
	struct bh_handle *h;

	if (pid != 0)
		return pid;
	h = mini_open("victim", MINI_SERVICE_SLOW);
	while (mini_nop(h) == 0)
		bh_submit(h, BH_V_GET, 0, 0, NULL, 0, NULL, NULL);
	_exit(1);
}

START_TEST(killed_clients)
{
	uint32_t gone = __atomic_load_n(&mini.slow.gone, __ATOMIC_ACQUIRE);

	mini.slow.release = true;
	for (uint32_t i = 1; i <= 10; i++) {
		pid_t pid = child();

		ck_assert_int_gt(pid, 0);
		ck_assert_ptr_nonnull(mini_conn("victim", BH_CONN_DIRECT));
		ck_assert_int_eq(mini_nop(good), 0);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert(mini_await(&mini.slow.gone, gone + i));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_hostile");
	TCase *tc = tcase_create("service_hostile");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bad_hellos);
	tcase_add_test(tc, several_hellos);
	tcase_add_test(tc, passed_descriptors);
	tcase_add_test(tc, never_reads_welcomes);
	tcase_add_test(tc, half_open);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, never_polls);
	tcase_add_test(tc, events_wait);
	tcase_add_test(tc, corrupt_channels);
	tcase_add_test(tc, missing_slots);
	tcase_add_test(tc, endless_ringing);
	tcase_add_test(tc, closed_ends);
	tcase_add_test(tc, killed_clients);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(getenv("BH_TEST_POLL_US") != NULL ? atoi(getenv("BH_TEST_POLL_US")) : 0);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
