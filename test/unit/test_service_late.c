/* SPDX-License-Identifier: BSD-3-Clause */
/* Services that come late, go and come again, as clients of two control proxies see it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "lib/client/client_priv.h"
#include "test/unit/mini_core.h"

#define PROXIES 2
#define ROUNDS 5
#define LOST 100

/* Two clients of which it is known by which proxy they come. */
static struct bh_handle *by[PROXIES];
static int role_fd[PROXIES];

static struct bh_handle *
open_by(unsigned int proxy, uint16_t service)
{
	static const uint16_t roles[PROXIES] = {BH_ROLE_ROUTING, BH_ROLE_SNMP};
	char name[BH_NAME_LEN];
	struct bh_open_args args = {name, service, -1, NULL};
	int fds[2];

	snprintf(name, sizeof(name), "by%u.%u", proxy, service);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[proxy], fds[0], roles[proxy], 1), 0);
	args.role_fd = role_fd[proxy] = fds[1];
	return bh_open(&args);
}

static void
setup(void)
{
	for (unsigned int i = 0; i < PROXIES; i++)
		by[i] = open_by(i, BH_SERVICE_ECHO);
}

static void
teardown(void)
{
	for (unsigned int i = 0; i < PROXIES; i++) {
		bh_close(by[i]);
		close(role_fd[i]);
	}
}

/* Each service is reached by each proxy, and both tell the same generation of it. */
START_TEST(each_by_each)
{
	static const uint16_t services[] = {BH_SERVICE_ECHO, MINI_SERVICE_SLOW};

	for (unsigned int s = 0; s < 2; s++) {
		uint32_t generation[PROXIES], lcore[PROXIES];

		for (unsigned int i = 0; i < PROXIES; i++) {
			struct bh_handle *h = open_by(i, services[s]);
			int fd = role_fd[i];
			const struct bh_stats_conn *c;
			char name[BH_NAME_LEN];

			snprintf(name, sizeof(name), "by%u.%u", i, services[s]);
			ck_assert_int_eq(mini_nop(h), 0);
			generation[i] = bh_connection(h)->generation;
			c = mini_conn(name, BH_CONN_DIRECT);
			ck_assert_ptr_nonnull(c);
			lcore[i] = c->proxy;
			bh_close(h);
			close(fd);
			role_fd[i] = -1;
		}
		ck_assert_uint_ne(lcore[0], lcore[1]);
		ck_assert_uint_eq(generation[0], generation[1]);
	}
}
END_TEST

/* Who asks before the service is there is told so, and later has it, on the same socket. */
START_TEST(registered_late)
{
	struct bh_handle *h = mini_open("early", BH_SERVICE_ECHO);

	mini_echo_stop();
	for (unsigned int n = 0; n < 3; n++) {
		ck_assert_int_eq(mini_nop(h), -ENOENT);
		for (unsigned int i = 0; i < PROXIES; i++)
			ck_assert_int_eq(mini_nop(by[i]), -ENOENT);
	}
	mini_echo_start();
	ck_assert_int_eq(mini_nop(h), 0);
	for (unsigned int i = 0; i < PROXIES; i++)
		ck_assert_int_eq(mini_nop(by[i]), 0);
	bh_close(h);
}
END_TEST

/* Each registration has a generation of its own, later than the last; no address survives. */
START_TEST(generations)
{
	uint32_t last = 0, channel;
	struct pollfd p = {0};

	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < PROXIES; i++)
			ck_assert_int_eq(mini_nop(by[i]), 0);
		ck_assert_uint_gt(bh_connection(by[0])->generation, last);
		last = bh_connection(by[0])->generation;
		ck_assert_uint_eq(bh_connection(by[1])->generation, last);
		channel = by[0]->w.channel;
		ck_assert_uint_ne(by[1]->w.channel, channel);
		mini_echo_stop();
		/* Both ways of hearing of it: the word in the channel, the doorbell's end. */
		ck_assert_uint_eq(__atomic_load_n(&by[0]->sh->closed, __ATOMIC_ACQUIRE), 1);
		p.fd = by[0]->wake_fd;
		ck_assert_int_eq(poll(&p, 1, 0), 1);
		ck_assert_int_ne(p.revents & POLLHUP, 0);
		mini_echo_start();
	}
}
END_TEST

struct told {
	unsigned int n, reset;
};

static void
note(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct told *t = arg;

	(void)body;
	(void)len;
	t->n++;
	t->reset += msg->status == -ECONNRESET;
}

/* Requests left in an old channel are each told once that the connection is reset; then the
 * next one goes by the proxy to the new registration. _i 1: it is there before the client looks. */
START_TEST(old_address)
{
	struct bh_handle *h = mini_open("old", BH_SERVICE_ECHO);
	uint32_t before, closed = 0;
	struct told told = {0};
	uint64_t address;

	ck_assert_int_eq(mini_nop(h), 0);
	before = bh_connection(h)->generation;
	address = bh_connection(h)->address;
	for (int n = 0; n < MINI_WAIT_MS && __atomic_load_n(h->ringer.word, __ATOMIC_ACQUIRE) == 0; n++)
		usleep(1000);
	/* The service sleeps on this channel: what is not rung for stays there. */
	ck_assert_uint_ne(__atomic_load_n(h->ringer.word, __ATOMIC_ACQUIRE), 0);
	for (unsigned int i = 0; i < LOST; i++)
		ck_assert_int_eq(bh_submit(h, BH_V_NOP, 0, 0, NULL, 0, note, &told), 0);
	mini_echo_stop();
	if (_i == 1)
		mini_echo_start();
	ck_assert_int_eq(bh_submit(h, BH_V_NOP, 0, 0, NULL, 0, note, &told), -ECONNRESET);
	ck_assert_uint_eq(told.n, 0);
	ck_assert_int_eq(bh_poll(h, MINI_WAIT_MS), -ECONNRESET);
	ck_assert_uint_eq(told.n, LOST);
	ck_assert_uint_eq(told.reset, LOST);
	ck_assert_ptr_null(bh_connection(h));
	if (_i == 0) {
		ck_assert_int_eq(mini_nop(h), -ENOENT);
		mini_echo_start();
	}
	ck_assert_int_eq(mini_nop(h), 0);
	ck_assert_uint_gt(bh_connection(h)->generation, before);
	ck_assert_uint_ne(bh_connection(h)->address, 0);
	ck_assert_uint_eq(told.n, LOST);
	for (unsigned int i = 0; i < BH_STATS_CONNS; i++) {
		const struct bh_stats_conn *c = &mini.stats->conn[i];

		if (c->generation != before || c->address != address)
			continue;
		ck_assert_uint_eq(__atomic_load_n(&c->state, __ATOMIC_ACQUIRE), BH_CONN_CLOSED);
		closed++;
	}
	ck_assert_uint_ge(closed, 1);
	bh_close(h);
}
END_TEST

/* A service that goes and comes under clients that never stop: each call is answered rightly or
 * fails as gone, and none hangs. */
START_TEST(under_load)
{
	unsigned int ok = 0, gone = 0;
	struct bh_handle *h[8];

	for (unsigned int i = 0; i < 8; i++)
		h[i] = mini_open("load", BH_SERVICE_ECHO);
	for (unsigned int round = 0; round < 10; round++) {
		for (unsigned int n = 0; n < 200; n++) {
			int rc = mini_nop(h[n % 8]);

			ck_assert(rc == 0 || rc == -ENOENT || rc == -ECONNRESET);
			ok += rc == 0;
			gone += rc != 0;
		}
		mini_echo_stop();
		for (unsigned int i = 0; i < 8; i++) {
			int rc = mini_nop(h[i]);

			ck_assert(rc == -ENOENT || rc == -ECONNRESET);
			gone++;
		}
		mini_echo_start();
	}
	ck_assert_uint_eq(ok, 2000);
	ck_assert_uint_eq(gone, 80);
	for (unsigned int i = 0; i < 8; i++)
		bh_close(h[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_late");
	TCase *tc = tcase_create("service_late");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_by_each);
	tcase_add_test(tc, registered_late);
	tcase_add_test(tc, generations);
	tcase_add_loop_test(tc, old_address, 0, 2);
	tcase_add_test(tc, under_load);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(0);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
