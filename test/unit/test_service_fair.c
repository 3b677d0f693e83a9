/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody starves: not by greedy clients, not by floods of contacts, not by one user's crowd. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "app/core/proxy_priv.h"
#include "app/core/service_priv.h"
#include "test/unit/mini_contact.h"

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
		ck_assert_int_ge(bh_poll(h, MINI_WAIT_MS), 0);
	bh_close(h);
}

/* Until so many peers are in the polled set of the service, and refused. */
static void
await_refused(unsigned int want)
{
	unsigned int n = 0;

	for (int ms = 0; ms < MINI_WAIT_MS && n != want; ms++) {
		n = 0;
		for (unsigned int i = 0; i < BH_PEERS_MAX; i++)
			n += *(volatile bool *)&mini.slow.svc->peers[i].refused;
		usleep(1000);
	}
	ck_assert_uint_eq(n, want);
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
		h[i] = mini_open("fair", MINI_SERVICE_SLOW);
		ck_assert_int_eq(mini_nop(h[i]), 0);
	}
	__atomic_store_n(&mini.slow.per_pass, 0, __ATOMIC_RELEASE);
	before = mini.slow.taken_all;
	for (unsigned int i = 0; i <= GREEDY; i++)
		ask(h[i], i == modest ? 1 : QUEUED, i == modest ? &own : &all);
	await_refused(GREEDY + 1);
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

	for (int ms = 0; ms < MINI_CONTACT_MS && unread > 0; ms++) {
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
		crowd[i] = mini_dial();
		ck_assert_int_ge(crowd[i], 0);
		mini_hello(crowd[i], BH_V_GET);
	}
	for (unsigned int i = 0; i < CROWD; i++)
		await_read(crowd[i]);
	ck_assert(mini_await(&mini.slow.held_now, BH_RELAY_SLOTS));
	for (unsigned int i = 0; i < 2; i++) {
		role[i] = mini_role(i, i == 0 ? BH_ROLE_ROUTING : BH_ROLE_SNMP);
		mini_hello(role[i], BH_V_NOP);
	}
	ck_assert_int_eq(mini_welcome(role[1], MINI_CONTACT_MS), 0);
	await_read(role[0]);
	ck_assert_int_eq(mini_welcome(role[0], 0), 1);
	__atomic_store_n(&mini.slow.release_some, 1, __ATOMIC_RELEASE);
	ck_assert_int_eq(mini_welcome(role[0], MINI_CONTACT_MS), 0);
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < CROWD; i++)
		ck_assert_int_eq(mini_welcome(crowd[i], MINI_CONTACT_MS), 0);
	listens(mini.proxy[1], true);
	for (unsigned int i = 0; i < CROWD; i++)
		close(crowd[i]);
	for (unsigned int i = 0; i < 2; i++)
		close(role[i]);
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
		struct bh_handle *h = mini_open("crowd", MINI_SERVICE_SLOW);
		int rc = mini_nop(h);

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
	h = mini_open("admin", MINI_SERVICE_SLOW);
	ck_assert_int_eq(mini_nop(h), 0);
	bh_close(h);
	crowd_end(&second); /* holds a copy of what the first waits for */
	crowd_end(&first);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_fair");
	TCase *tc = tcase_create("service_fair");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, mini_let_go);
	tcase_add_loop_test(tc, greedy_clients, 0, GREEDY + 1);
	tcase_add_test(tc, modules_first);
	tcase_add_test(tc, one_user);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(0);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
