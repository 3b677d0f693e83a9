/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets of a namespace of their own, as an unprivileged process sees them; and odd answers. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/v6stack/sockdiag.h"

#define WAIT_MS 20000
#define MAX 4096
enum { ESTABLISHED = 1, CLOSE = 7, LISTEN = 10 };

/* The tables as they were told. */
struct told {
	struct bh_sockdiag *sd;
	unsigned int n, adds, dels, rounds;
	unsigned int refuse; /* so many calls, with -EAGAIN */
	struct {
		uint16_t table;
		struct bh_sock_row row;
	} sock[MAX];
};

static struct told told;

static int
find(uint16_t table, const struct bh_sock_key *key)
{
	for (unsigned int i = 0; i < told.n; i++)
		if (told.sock[i].table == table &&
			memcmp(&told.sock[i].row.key, key, sizeof(*key)) == 0)
			return i;
	return -1;
}

static int
on_add(void *arg, uint16_t table, const struct bh_sock_row *row)
{
	int i = find(table, &row->key);

	ck_assert_ptr_eq(arg, &told);
	if (told.refuse > 0) {
		told.refuse--;
		return -EAGAIN;
	}
	told.adds++;
	if (i < 0) {
		ck_assert_uint_lt(told.n, MAX);
		i = told.n++;
	} else {
		ck_assert_mem_ne(&told.sock[i].row.val, &row->val, sizeof(row->val));
	}
	told.sock[i].table = table;
	told.sock[i].row = *row;
	return 0;
}

static int
on_del(void *arg, uint16_t table, const struct bh_sock_key *key)
{
	int i = find(table, key);

	(void)arg;
	if (told.refuse > 0) {
		told.refuse--;
		return -EAGAIN;
	}
	ck_assert_int_ge(i, 0);
	told.dels++;
	told.sock[i] = told.sock[--told.n];
	return 0;
}

static void
on_done(void *arg)
{
	(void)arg;
	told.rounds++;
}

static void
start(void)
{
	static const struct bh_sockdiag_ops ops = {on_add, on_del, on_done};
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		ck_assert_msg(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "%s", strerror(errno));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
	if (getuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	memset(&told, 0, sizeof(told));
	told.sd = bh_sockdiag_open(&ops, &told);
	ck_assert_ptr_nonnull(told.sd);
}

static void
run_round(void)
{
	unsigned int before = told.rounds;
	struct pollfd pfd = {bh_sockdiag_fd(told.sd), POLLIN, 0};
	int rc;

	ck_assert_int_eq(bh_sockdiag_start(told.sd), 0);
	ck_assert_int_eq(bh_sockdiag_start(told.sd), -EBUSY);
	for (unsigned int i = 0; told.rounds == before; i++) {
		ck_assert_uint_lt(i, 1000000);
		rc = bh_sockdiag_poll(told.sd, 3);
		ck_assert_int_ge(rc, 0);
		if (rc == 0 && told.rounds == before && told.refuse == 0)
			ck_assert_int_ge(poll(&pfd, 1, 10), 0);
	}
	ck_assert_uint_eq(bh_sockdiag_stats(told.sd)->broken, 0);
	ck_assert_uint_eq(bh_sockdiag_stats(told.sd)->odd, 0);
}

static int
open_sock(int family, int type, const char *addr, uint16_t *port, int shared)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(*port)};
	struct sockaddr *a = family == AF_INET ? (void *)&a4 : (void *)&a6;
	socklen_t len = family == AF_INET ? sizeof(a4) : sizeof(a6);
	int fd = socket(family, type, 0);

	inet_pton(family, addr, family == AF_INET ? (void *)&a4.sin_addr : (void *)&a6.sin6_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof(shared));
	ck_assert_int_eq(bind(fd, a, len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, a, &len), 0);
	*port = ntohs(family == AF_INET ? a4.sin_port : a6.sin6_port);
	return fd;
}

static int
connect_to(int family, const char *addr, uint16_t port, uint16_t *own)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr *a = family == AF_INET ? (void *)&a4 : (void *)&a6;
	socklen_t len = family == AF_INET ? sizeof(a4) : sizeof(a6);
	int fd = socket(family, SOCK_STREAM, 0);

	inet_pton(family, addr, family == AF_INET ? (void *)&a4.sin_addr : (void *)&a6.sin6_addr);
	ck_assert_int_eq(connect(fd, a, len), 0);
	ck_assert_int_eq(getsockname(fd, a, &len), 0);
	*own = ntohs(family == AF_INET ? a4.sin_port : a6.sin6_port);
	return fd;
}

/* The row of a socket, or NULL. */
static const struct bh_sock *
row(uint16_t table, uint8_t family, const char *laddr, uint16_t lport, const char *raddr,
	uint16_t rport)
{
	struct bh_sock_key key = {.family = family, .lport = lport, .rport = rport};
	int af = family == 4 ? AF_INET : AF_INET6, i;

	inet_pton(af, laddr, key.laddr);
	inet_pton(af, raddr, key.raddr);
	i = find(table, &key);
	return i < 0 ? NULL : &told.sock[i].row.val;
}

#define ck_state(r, want)                                                                          \
	do {                                                                                       \
		const struct bh_sock *r_ = (r);                                                    \
		ck_assert_ptr_nonnull(r_);                                                         \
		ck_assert_uint_eq(r_->state, want);                                                \
		ck_assert_uint_eq(r_->uid, getuid());                                              \
	} while (0)

START_TEST(sockets)
{
	uint16_t p4 = 0, p6 = 0, u4 = 0, u6 = 0, c4, c6, mapped;
	int l4, l6, d4, d6, k4, k6, m;

	start();
	run_round();
	ck_assert_uint_eq(told.n, 0);
	l4 = open_sock(AF_INET, SOCK_STREAM, "127.0.0.1", &p4, 0);
	l6 = open_sock(AF_INET6, SOCK_STREAM, "::", &p6, 0);
	d4 = open_sock(AF_INET, SOCK_DGRAM, "0.0.0.0", &u4, 0);
	d6 = open_sock(AF_INET6, SOCK_DGRAM, "::1", &u6, 0);
	k4 = connect_to(AF_INET, "127.0.0.1", p4, &c4);
	k6 = connect_to(AF_INET6, "::1", p6, &c6);
	m = connect_to(AF_INET6, "::ffff:127.0.0.1", p6, &mapped);
	run_round();
	ck_state(row(BH_T_TCP, 4, "127.0.0.1", p4, "0.0.0.0", 0), LISTEN);
	ck_state(row(BH_T_TCP, 6, "::", p6, "::", 0), LISTEN);
	ck_state(row(BH_T_TCP, 4, "127.0.0.1", c4, "127.0.0.1", p4), ESTABLISHED);
	ck_assert_uint_ne(row(BH_T_TCP, 4, "127.0.0.1", c4, "127.0.0.1", p4)->inode, 0);
	ck_assert_ptr_nonnull(row(BH_T_TCP, 4, "127.0.0.1", p4, "127.0.0.1", c4));
	ck_state(row(BH_T_TCP, 6, "::1", c6, "::1", p6), ESTABLISHED);
	ck_state(row(BH_T_TCP, 4, "127.0.0.1", mapped, "127.0.0.1", p6), ESTABLISHED);
	ck_state(row(BH_T_UDP, 4, "0.0.0.0", u4, "0.0.0.0", 0), CLOSE);
	ck_state(row(BH_T_UDP, 6, "::1", u6, "::", 0), CLOSE);
	ck_assert_uint_eq(told.n, 2 + 6 + 2);
	ck_assert_uint_eq(told.adds, told.n);
	run_round(); /* nothing new */
	ck_assert_uint_eq(told.adds, told.n);
	close(d4);
	close(l4);
	run_round();
	ck_assert_ptr_null(row(BH_T_UDP, 4, "0.0.0.0", u4, "0.0.0.0", 0));
	ck_assert_ptr_null(row(BH_T_TCP, 4, "127.0.0.1", p4, "0.0.0.0", 0));
	ck_assert_ptr_nonnull(row(BH_T_UDP, 6, "::1", u6, "::", 0));
	ck_assert_uint_ge(told.dels, 2);
	bh_sockdiag_forget(told.sd); /* all is told again */
	told.n = told.adds = 0;
	run_round();
	ck_assert_uint_eq(told.adds, told.n);
	ck_state(row(BH_T_TCP, 6, "::", p6, "::", 0), LISTEN);
	bh_sockdiag_close(told.sd);
	close(l6);
	close(d6);
	close(k4);
	close(k6);
	close(m);
}
END_TEST

/* Several datagrams a dump, rows of one key, and a receiver without room now and then. */
START_TEST(many)
{
	enum { N = 900 };
	static int fd[N];
	uint16_t port;

	start();
	for (unsigned int i = 0; i < N; i++) {
		port = 0;
		fd[i] = i % 2 ? open_sock(AF_INET, SOCK_DGRAM, "127.0.0.1", &port, 0) :
			open_sock(AF_INET6, SOCK_DGRAM, "::1", &port, 0);
	}
	port = 0;
	open_sock(AF_INET, SOCK_DGRAM, "127.0.0.2", &port, 1);
	open_sock(AF_INET, SOCK_DGRAM, "127.0.0.2", &port, 1);
	told.refuse = 50;
	run_round();
	ck_assert_uint_eq(told.refuse, 0);
	ck_assert_uint_eq(told.n, N + 1);
	for (unsigned int i = 0; i < N; i += 3)
		close(fd[i]);
	told.refuse = 50;
	run_round();
	ck_assert_uint_eq(told.n, N - N / 3 + 1);
	ck_assert_uint_eq(told.dels, N / 3);
	ck_assert_uint_eq(told.adds, N + 1);
	run_round();
	ck_assert_uint_eq(told.adds, N + 1);
	bh_sockdiag_close(told.sd);
}
END_TEST

/* ---- odd answers ---- */

struct answer {
	struct nlmsghdr h;
	struct inet_diag_msg d;
};

static unsigned int rows;

static void
count_row(void *arg, const struct bh_sock_row *r)
{
	(void)arg;
	(void)r;
	rows++;
}

static struct answer
message(uint16_t type)
{
	struct answer a = {.h = {.nlmsg_len = sizeof(a), .nlmsg_type = type, .nlmsg_seq = 7},
		.d = {.idiag_family = AF_INET, .idiag_state = 1}};

	return a;
}

static enum bh_sockdiag_end
parse(const void *buf, size_t len, uint64_t *odd)
{
	void *copy = calloc(1, len > 0 ? len : 1); /* its end is the heap's */
	enum bh_sockdiag_end end;

	memcpy(copy, buf, len);
	rows = 0;
	*odd = 0;
	end = bh_sockdiag_parse(copy, len, 7, count_row, NULL, odd);
	free(copy);
	return end;
}

START_TEST(answers)
{
	struct answer a[3] = {message(SOCK_DIAG_BY_FAMILY), message(SOCK_DIAG_BY_FAMILY),
		message(NLMSG_DONE)};
	uint64_t odd;

	ck_assert_int_eq(parse(a, 0, &odd), BH_SOCKDIAG_MORE);
	ck_assert_int_eq(parse(a, 2 * sizeof(a[0]), &odd), BH_SOCKDIAG_MORE);
	ck_assert_uint_eq(rows, 2);
	ck_assert_int_eq(parse(a, sizeof(a), &odd), BH_SOCKDIAG_DONE);
	a[0].h.nlmsg_seq = 6; /* of another request */
	a[1].d.idiag_family = AF_UNIX;
	ck_assert_int_eq(parse(a, sizeof(a), &odd), BH_SOCKDIAG_DONE);
	ck_assert_uint_eq(rows, 0);
	ck_assert_uint_eq(odd, 1);
	a[0].h.nlmsg_seq = 7;
	a[0].h.nlmsg_flags = NLM_F_DUMP_INTR;
	ck_assert_int_eq(parse(a, sizeof(a), &odd), BH_SOCKDIAG_BROKEN);
	a[0] = message(NLMSG_ERROR);
	ck_assert_int_eq(parse(a, sizeof(a), &odd), BH_SOCKDIAG_BROKEN);
	a[0] = message(SOCK_DIAG_BY_FAMILY);
	a[0].h.nlmsg_len = sizeof(a[0].h) + 8; /* too short for a socket; the rest is no message */
	ck_assert_int_eq(parse(a, sizeof(a), &odd), BH_SOCKDIAG_BROKEN);
	ck_assert_uint_eq(odd, 1);
	a[0].h.nlmsg_len = UINT32_MAX - 15;
	ck_assert_int_eq(parse(a, sizeof(a), &odd), BH_SOCKDIAG_BROKEN);
	for (size_t len = 1; len < sizeof(a[0]); len++) {
		a[0].h.nlmsg_len = len;
		parse(a, sizeof(a), &odd);
		a[0].h.nlmsg_len = sizeof(a[0]);
		ck_assert_int_eq(parse(a, len, &odd), BH_SOCKDIAG_BROKEN);
		ck_assert_uint_eq(rows, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sockdiag");
	TCase *tc = tcase_create("sockdiag");
	SRunner *r;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, sockets);
	tcase_add_test(tc, many);
	tcase_add_test(tc, answers);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
