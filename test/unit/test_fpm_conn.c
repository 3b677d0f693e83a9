/* SPDX-License-Identifier: BSD-3-Clause */
/* Zebra's connection: pieces of frames, backpressure, ends; the listener. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fpm_bed.h"
#include "lib/module/module.h"
#include "modules/routing/fpm_conn.h"

#define IS(prefix, text) ck_assert_str_eq(fake_route(f, prefix), text)

static struct fake *f;
static struct bh_fpm_conn conn;
static struct event_base *base;
static int ends[2]; /* zebra's, and what the module got */

/* A port that nobody has, told by the kernel. */
static uint16_t
free_port(int *fd, int family)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = family == AF_INET ? sizeof(a4) : sizeof(a6);
	struct sockaddr *a = family == AF_INET ? (void *)&a4 : (void *)&a6;

	*fd = socket(family, SOCK_STREAM, 0);
	ck_assert_int_ge(*fd, 0);
	ck_assert_int_eq(bind(*fd, a, len), 0);
	ck_assert_int_eq(getsockname(*fd, a, &len), 0);
	return ntohs(family == AF_INET ? a4.sin_port : a6.sin6_port);
}

static void
listen_at(int family, uint16_t port)
{
	struct bh_cfg_fpm cfg = f->r.fpm.cfg;

	cfg.family = family == AF_INET ? 4 : 6;
	cfg.port = port;
	memset(cfg.addr, 0, sizeof(cfg.addr));
	if (family == AF_INET)
		memcpy(cfg.addr, (uint8_t[]){127, 0, 0, 1}, 4);
	else
		cfg.addr[15] = 1;
	bh_fpm_cfg_put(&f->r.fpm, &cfg);
}

static void
adopt(void)
{
	static const uint8_t addr[16] = {0};

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(bh_fpm_conn_adopt(&conn, ends[1], 0, addr, 0), 0);
}

static void
setup(void)
{
	uint16_t port;
	int held;

	f = bed_new();
	port = free_port(&held, AF_INET);
	close(held);
	listen_at(AF_INET, port); /* not where a router of this machine may listen */
	base = event_base_new();
	bh_fpm_conn_init(&conn, base, &f->r.fpm);
}

static void
teardown(void)
{
	bh_fpm_conn_fini(&conn);
	event_base_free(base);
	fake_free(f);
}

/* One turn as main.c does it, the info base aside. */
static void
turn(bool may)
{
	f->r.fpm.now = bh_module_now();
	bh_fpm_conn_turn(&conn, may);
	ck_assert_int_eq(bh_routing_commit(&f->r), 0);
	event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void
send_all(const void *data, size_t len)
{
	ck_assert_int_eq(send(ends[0], data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static bool
is_at_end(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

START_TEST(test_pieces)
{
	static uint8_t stream[4096] __attribute__((aligned(8)));
	size_t len = 0, step = (size_t)_i;

	len += fpm_frame(stream, "bgp 192.0.2.0/24 10.0.1.2@101; nh 7 10.0.2.2@102", ZEBRA);
	len += fpm_frame(stream + len, "bgp 198.51.100.0/24 id 7", ZEBRA);
	fpm_head(stream + len, 0); /* a frame without messages */
	len += 4;
	len += fpm_frame(stream + len, "-bgp 192.0.2.0/24; ospf 2001:db8::/32 fe80::1@101", ZEBRA);
	adopt();
	for (size_t at = 0; at < len; at += step) {
		send_all(stream + at, at + step < len ? step : len - at);
		turn(true);
	}
	fake_run(f);
	ck_assert_uint_eq(conn.have, 0);
	ck_assert_uint_eq(f->r.fpm.status.messages, 5);
	IS("192.0.2.0/24", "none");
	IS("198.51.100.0/24", "fpm 20 10.0.2.2@2");
	IS("2001:db8::/32", "fpm 110 fe80::1@1");
	close(ends[0]);
}
END_TEST

START_TEST(test_corrupt)
{
	static uint8_t stream[4096] __attribute__((aligned(8)));
	size_t len = fpm_frame(stream, "bgp 192.0.2.0/24 10.0.1.2@101", ZEBRA);

	adopt();
	memcpy(stream + len, "GET / HTTP/1.1\r\n", 16);
	send_all(stream, len + 16);
	turn(true);
	fake_run(f);
	ck_assert_int_eq(conn.fd, -1);
	ck_assert(is_at_end(ends[0]));
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1"); /* what came before holds, as stale */
	ck_assert_uint_eq(f->r.fpm.status.stale, 1);
	ck_assert_uint_eq(f->r.fpm.status.state, BH_FPM_LISTENING);
	ck_assert_str_ne(f->r.fpm.status.error, "");
	close(ends[0]);
	adopt();
	send_all(stream, len);
	turn(true);
	ck_assert_uint_eq(f->r.fpm.status.stale, 0);
	ck_assert_uint_eq(f->r.fpm.status.connections, 2);
	close(ends[0]);
	turn(true);
	ck_assert_int_eq(conn.fd, -1);
	ck_assert_uint_eq(f->r.fpm.status.stale, 1);
}
END_TEST

/* Another connection takes the place of the first, with nothing of its half frame. */
START_TEST(test_replaced)
{
	static uint8_t stream[4096] __attribute__((aligned(8)));
	size_t len = fpm_frame(stream, "bgp 192.0.2.0/24 10.0.1.2@101", ZEBRA);
	int first;

	adopt();
	first = ends[0];
	send_all(stream, len - 3);
	turn(true);
	ck_assert_uint_eq(conn.have, len - 3);
	adopt();
	ck_assert(is_at_end(first));
	send_all(stream, len);
	turn(true);
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	ck_assert_uint_eq(f->r.fpm.status.connections, 2);
	close(first);
	close(ends[0]);
}
END_TEST

/* Many routes, whose peer never waits; what it could not send yet. */
static size_t
flood(uint8_t *frame, unsigned int *next, unsigned int n)
{
	char words[64];
	size_t len, sent = 0;

	for (; *next < n; (*next)++) {
		snprintf(words, sizeof(words), "bgp 20.%u.%u.0/24 10.0.1.2@101", *next / 256, *next % 256);
		len = fpm_frame(frame, words, ZEBRA);
		if (send(ends[0], frame, len, MSG_NOSIGNAL) != (ssize_t)len)
			break; /* a stream socket of the kernel takes such a short one whole or not */
		sent += len;
	}
	return sent;
}

/* The info base does not answer: no more is read than may be on its way, until it does. */
START_TEST(test_backpressure)
{
	static uint8_t frame[FPM_FRAME] __attribute__((aligned(8)));
	const unsigned int many = 3 * BH_FPM_BACKLOG;
	unsigned int next = 0, quiet = 0;

	adopt();
	f->max_pending = 0;
	while (quiet < 10) {
		quiet = flood(frame, &next, many) > 0 ? 0 : quiet + 1;
		turn(true);
	}
	ck_assert(conn.paused);
	ck_assert_uint_lt(next, many);
	ck_assert_uint_le(f->r.fpm.entries.n, BH_FPM_BACKLOG + sizeof(conn.buf) / 60);
	f->max_pending = 1000;
	for (int i = 0; i < 10000 && f->r.fpm.entries.n < many; i++) {
		flood(frame, &next, many);
		turn(true);
		fake_run(f);
	}
	ck_assert_uint_eq(f->r.fpm.entries.n, many);
	ck_assert(!conn.paused);
	bed_check(f);
	close(ends[0]);
}
END_TEST

/* A peer that sends without end leaves the loop its turns. */
START_TEST(test_bounded_turn)
{
	static uint8_t frame[FPM_FRAME] __attribute__((aligned(8)));
	int room = 4 << 20;
	uint64_t before;
	size_t len = fpm_frame(frame, "-bgp 192.0.2.0/24", ZEBRA);

	adopt();
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	for (unsigned int n = 0; n < 100; n++) {
		while (send(ends[0], frame, len, MSG_NOSIGNAL) == (ssize_t)len)
			;
		before = f->r.fpm.status.bytes;
		turn(true);
		ck_assert_uint_gt(f->r.fpm.status.bytes, before);
		ck_assert_uint_le(f->r.fpm.status.bytes - before, BH_FPM_READ + sizeof(conn.buf));
	}
	close(ends[0]);
}
END_TEST

/* ---- the listener ---- */

/* A connection to that port, or -1. */
static int
call(int family, uint16_t port)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback,
		.sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(family, SOCK_STREAM, 0);

	if (family == AF_INET ? connect(fd, (void *)&a4, sizeof(a4)) == 0
			      : connect(fd, (void *)&a6, sizeof(a6)) == 0)
		return fd;
	close(fd);
	return -1;
}

START_TEST(test_listener)
{
	static const int families[] = {AF_INET, AF_INET6};
	uint8_t frame[256] __attribute__((aligned(8)));
	int family = families[_i], held, fd, other;
	uint16_t port = free_port(&held, family), next;

	close(held);
	listen_at(family, port);
	turn(false); /* what its predecessor held is not known yet */
	ck_assert_int_eq(call(family, port), -1);
	turn(true);
	fd = call(family, port);
	ck_assert_int_ge(fd, 0);
	turn(true);
	ck_assert_int_ge(conn.fd, 0);
	ck_assert_uint_eq(f->r.fpm.status.peer_family, family == AF_INET ? 4 : 6);
	ck_assert_uint_ne(f->r.fpm.status.peer_port, 0);
	ends[0] = fd;
	send_all(frame, fpm_frame(frame, "bgp 192.0.2.0/24 10.0.1.2@101", ZEBRA));
	for (int i = 0; i < 1000 && f->r.fpm.entries.n == 0; i++)
		turn(true);
	fake_run(f);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	next = free_port(&held, family);
	close(held);
	listen_at(family, next); /* elsewhere: the connection ends too */
	turn(true);
	ck_assert(is_at_end(fd));
	ck_assert_int_eq(call(family, port), -1);
	other = call(family, next);
	ck_assert_int_ge(other, 0);
	turn(true);
	ck_assert_uint_eq(f->r.fpm.status.stale, 1);
	bh_fpm_cfg_delete(&f->r.fpm);
	f->r.changed = true;
	turn(true);
	fake_run(f);
	ck_assert(is_at_end(other));
	ck_assert_int_eq(call(family, next), -1);
	IS("192.0.2.0/24", "none");
	close(fd);
	close(other);
}
END_TEST

/* Somebody else has the port: that is told, and tried again. */
START_TEST(test_port_in_use)
{
	int held, fd = -1;
	uint16_t port = free_port(&held, AF_INET);

	ck_assert_int_eq(listen(held, 1), 0);
	listen_at(AF_INET, port);
	turn(true);
	ck_assert_uint_eq(f->r.fpm.status.state, BH_FPM_FAILED);
	ck_assert_ptr_nonnull(strstr(f->r.fpm.status.error, "in use"));
	close(held);
	turn(true);
	ck_assert_int_eq(call(AF_INET, port), -1); /* not at each turn */
	conn.retry_at = 0;
	turn(true);
	ck_assert_uint_eq(f->r.fpm.status.state, BH_FPM_LISTENING);
	fd = call(AF_INET, port);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

/* An heir may listen beside its predecessor. */
START_TEST(test_two_listen)
{
	struct bh_fpm_conn heir;
	int held;
	uint16_t port = free_port(&held, AF_INET);

	close(held);
	listen_at(AF_INET, port);
	turn(true);
	bh_fpm_conn_init(&heir, base, &f->r.fpm);
	bh_fpm_conn_turn(&heir, true);
	ck_assert_int_ge(conn.listen_fd, 0);
	ck_assert_int_ge(heir.listen_fd, 0);
	bh_fpm_conn_fini(&heir);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fpm connection");
	TCase *tc = tcase_create("conn");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_pieces, 1, 40);
	tcase_add_test(tc, test_corrupt);
	tcase_add_test(tc, test_replaced);
	tcase_add_test(tc, test_backpressure);
	tcase_add_test(tc, test_bounded_turn);
	tcase_add_loop_test(tc, test_listener, 0, 2);
	tcase_add_test(tc, test_port_in_use);
	tcase_add_test(tc, test_two_listen);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
