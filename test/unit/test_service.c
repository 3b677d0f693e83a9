/* SPDX-License-Identifier: BSD-3-Clause */
/* First contact, direct calls, reconnects and roles against a whole small core. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include <rte_memzone.h>

#include "lib/client/client_priv.h"
#include "test/unit/mini_core.h"

static int
nop(struct bh_handle *h, uint32_t value)
{
	uint32_t back = 0;
	size_t len = sizeof(back);
	int rc = bh_call(h, BH_V_NOP, 0, NULL, &value, sizeof(value), &back, &len);

	if (rc == 0)
		ck_assert_uint_eq(back, value);
	return rc;
}

START_TEST(first_proxied_rest_direct)
{
	struct bh_handle *h = mini_open("first", BH_SERVICE_ECHO);
	const struct bh_stats_conn *c;
	const struct bh_welcome *w;
	const struct bh_stats *stats;
	size_t size;

	ck_assert_ptr_nonnull(h);
	ck_assert_ptr_null(bh_connection(h));
	for (uint32_t i = 0; i < 1001; i++)
		ck_assert_int_eq(nop(h, i), 0);
	w = bh_connection(h);
	ck_assert_ptr_nonnull(w);
	c = mini_conn("first", BH_CONN_DIRECT);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(bh_read(&c->proxied), 1);
	ck_assert_uint_eq(bh_read(&c->direct), 1000);
	ck_assert_uint_eq(bh_read(&c->replies), 1001);
	ck_assert_uint_eq(c->pid, getpid());
	ck_assert_uint_eq(c->role, getuid() == 0 || getuid() == geteuid() ?
		BH_ROLE_ADMIN : BH_ROLE_READER);
	ck_assert_str_eq(c->zone, w->zone);
	ck_assert_uint_eq(c->address, w->address);
	ck_assert_uint_eq(c->generation, w->generation);
	ck_assert_ptr_eq(rte_memzone_lookup(w->zone)->addr, (void *)(uintptr_t)w->address);
	stats = bh_stats_map(h, &size);
	ck_assert_uint_eq(size, sizeof(*stats));
	ck_assert_uint_eq(stats->magic, BH_STATS_MAGIC);
	bh_close(h);
	ck_assert_ptr_nonnull(mini_conn("first", BH_CONN_CLOSED));
}
END_TEST

struct counted {
	unsigned int n, bad;
	uint32_t next;
};

static void
count_echo(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct counted *c = arg;
	const uint8_t *b = body;

	if (msg->status != 0 || msg->aux != c->next)
		c->bad++;
	for (size_t i = 0; i < len; i++)
		if (b[i] != (uint8_t)(msg->aux + i))
			c->bad++;
	c->next++;
	c->n++;
}

/* Many under way at once, of all lengths, in order. */
START_TEST(pipelined)
{
	struct bh_handle *h = mini_open("pipe", BH_SERVICE_ECHO);
	struct counted c = {0};
	uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];

	for (uint32_t i = 0; i < 20000; i++) {
		size_t len = i % 97 == 0 ? sizeof(body) - i % 61 : i * 7 % 200;
		int rc;

		for (size_t k = 0; k < len; k++)
			body[k] = i + k;
		while ((rc = bh_submit(h, BH_V_NOP, 0, i, body, len, count_echo, &c)) == -EAGAIN)
			ck_assert_int_ge(bh_poll(h, -1), 0);
		ck_assert_int_eq(rc, 0);
	}
	while (bh_pending(h) > 0)
		ck_assert_int_ge(bh_poll(h, MINI_WAIT_MS), 0);
	ck_assert_uint_eq(c.n, 20000);
	ck_assert_uint_eq(c.bad, 0);
	bh_close(h);
}
END_TEST

/* What is too long for a first contact goes through the channel after a NOP. */
START_TEST(long_first_request)
{
	struct bh_handle *h = mini_open("long", BH_SERVICE_ECHO);
	uint8_t out[3000], in[3000];
	size_t len = sizeof(in);

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = i * 13;
	ck_assert_int_eq(bh_call(h, BH_V_NOP, 0, NULL, out, sizeof(out), in, &len), 0);
	ck_assert_uint_eq(len, sizeof(out));
	ck_assert_mem_eq(in, out, sizeof(out));
	len = 10;
	ck_assert_int_eq(bh_call(h, BH_V_NOP, 0, NULL, out, 100, in, &len), -EMSGSIZE);
	ck_assert_uint_eq(len, 100);
	bh_close(h);
}
END_TEST

START_TEST(errors_are_answers)
{
	struct bh_handle *h = mini_open("errors", BH_SERVICE_ECHO);
	const struct bh_stats_conn *c;

	ck_assert_int_eq(bh_call(h, BH_V_ADD, 1, NULL, "x", 1, NULL, NULL), -EOPNOTSUPP);
	ck_assert_int_eq(bh_call(h, BH_V_ADD, 1, NULL, "x", 1, NULL, NULL), -EOPNOTSUPP);
	ck_assert_int_eq(bh_call(h, 0, 0, NULL, NULL, 0, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bh_call(h, BH_V_EVENT, 0, NULL, NULL, 0, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bh_call(h, 200, 0, NULL, NULL, 0, NULL, NULL), -EINVAL);
	ck_assert_int_eq(nop(h, 7), 0);
	c = mini_conn("errors", BH_CONN_DIRECT);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(bh_read(&c->bad), 2);
	bh_close(h);
	h = mini_open("nobody", BH_SERVICE_INFOBASE);
	ck_assert_int_eq(nop(h, 7), -ENOENT);
	ck_assert_int_eq(nop(h, 7), -ENOENT);
	bh_close(h);
}
END_TEST

static void
note_order(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct counted *c = arg;

	(void)body;
	(void)len;
	c->n++;
	c->bad += msg->status != 0 || msg->aux != --c->next;
}

/* Answers that come later and out of order find their requests. */
START_TEST(delayed_answers)
{
	struct bh_handle *h = mini_open("delayed", MINI_SERVICE_SLOW);
	struct counted c = {.next = 200};

	mini.slow.release = false;
	ck_assert_int_eq(nop(h, 1), 0);
	for (uint32_t i = 0; i < 200; i++)
		ck_assert_int_eq(bh_submit(h, BH_V_GET, 0, i, NULL, 0, note_order, &c), 0);
	bh_flush(h);
	ck_assert(mini_await(&mini.slow.held_now, 200));
	ck_assert_int_eq(bh_poll(h, 0), 0);
	ck_assert_int_eq(nop(h, 2), 0); /* others overtake */
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	while (bh_pending(h) > 0)
		ck_assert_int_gt(bh_poll(h, MINI_WAIT_MS), 0);
	ck_assert_uint_eq(c.n, 200);
	ck_assert_uint_eq(c.bad, 0);
	bh_close(h);
}
END_TEST

#define TAGS 240

/* Neighbours; some that differ by the size of the service's table; around its end; one many times. */
static uint32_t
strange_tag(uint32_t i)
{
	const uint32_t tag[] = {5000 + i, 5003 + 1024 * i, 1020 + i % 8 + 2048 * i, 42};

	return tag[i / 2 % 4];
}

static void
put_tags(struct bh_handle *h, uint32_t from, uint32_t to, unsigned int *owed)
{
	struct bh_msg msg = {.len = sizeof(msg), .verb = BH_V_GET};

	for (; from < to; from++) {
		msg.tag = strange_tag(from);
		for (uint32_t i = 0; i < TAGS; i++)
			if (strange_tag(i) == msg.tag) {
				owed[i]++; /* of the first with this tag */
				break;
			}
		ck_assert_int_eq(bh_producer_put(&h->req, &msg, NULL), 0);
	}
	h->unflushed = 1;
	bh_flush(h);
}

static void
take_tags(struct bh_handle *h, uint32_t n, unsigned int *owed)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
	const struct bh_msg *msg = (const struct bh_msg *)buf;
	uint32_t i, looks = 0;

	while (n > 0) {
		int slots = bh_consumer_peek(&h->rep, buf);

		ck_assert_int_ge(slots, 0);
		if (slots == 0) {
			ck_assert_uint_lt(++looks, 60000);
			usleep(1000);
			continue;
		}
		bh_consumer_skip(&h->rep, slots);
		for (i = 0; i < TAGS && strange_tag(i) != msg->tag; i++)
			;
		ck_assert_uint_lt(i, TAGS);
		ck_assert_int_eq(msg->status, 0);
		ck_assert_uint_gt(owed[i]--, 0);
		n--;
	}
}

/* Tags are the client's: whatever it makes up, each request is answered once and no more. */
START_TEST(strange_tags)
{
	struct bh_handle *h = mini_open("tags", MINI_SERVICE_SLOW);
	unsigned int owed[TAGS] = {0};

	__atomic_store_n(&mini.slow.release, false, __ATOMIC_RELEASE);
	ck_assert_int_eq(nop(h, 1), 0);
	put_tags(h, 0, 160, owed);
	ck_assert(mini_await(&mini.slow.held_now, 160));
	__atomic_store_n(&mini.slow.release_some, 100, __ATOMIC_RELEASE);
	take_tags(h, 100, owed);
	put_tags(h, 160, TAGS, owed);
	ck_assert(mini_await(&mini.slow.held_now, TAGS - 100));
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	bh_ring_nosignal(h->ring_fd);
	take_tags(h, TAGS - 100, owed);
	for (uint32_t i = 0; i < TAGS; i++)
		ck_assert_uint_eq(owed[i], 0);
	ck_assert_int_eq(nop(h, 2), 0);
	bh_close(h);
}
END_TEST

/* A first request that is answered late: contact waits, then all is as ever. */
static void *
release_later(void *arg)
{
	(void)arg;
	if (mini_await(&mini.slow.held_now, 1))
		__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(delayed_first_answer)
{
	struct bh_handle *h = mini_open("late", MINI_SERVICE_SLOW);
	pthread_t t;

	mini.slow.release = false;
	pthread_create(&t, NULL, release_later, NULL);
	ck_assert_int_eq(bh_call(h, BH_V_GET, 0, NULL, NULL, 0, NULL, NULL), 0);
	pthread_join(t, NULL);
	ck_assert_int_eq(nop(h, 3), 0);
	bh_close(h);
}
END_TEST

START_TEST(reregistered)
{
	struct bh_handle *h = mini_open("again", BH_SERVICE_ECHO);
	struct bh_handle *idle = mini_open("idle", BH_SERVICE_ECHO);
	uint32_t before;

	ck_assert_int_eq(nop(h, 1), 0);
	ck_assert_int_eq(nop(idle, 1), 0);
	before = bh_connection(h)->generation;
	mini_echo_stop();
	ck_assert_int_eq(nop(h, 2), -ENOENT);
	mini_echo_start();
	ck_assert_int_eq(nop(h, 3), 0);
	ck_assert_uint_gt(bh_connection(h)->generation, before);
	ck_assert_int_eq(bh_poll(idle, MINI_WAIT_MS), -ECONNRESET);
	ck_assert_int_eq(nop(idle, 4), 0);
	bh_close(h);
	bh_close(idle);
}
END_TEST

static void
keep_status(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)body;
	(void)len;
	*(int *)arg = msg->status;
}

static void
keep_end(void *arg, const struct bh_change *c)
{
	if (c->op == BH_OP_RESYNC && c->flags == BH_CHANGE_ENDED && c->table == BH_T_ROUTE4)
		++*(int *)arg;
}

/* Requests and watches of a connection that ends are told once, and nothing new goes before. */
START_TEST(lost_requests_are_told)
{
	struct bh_handle *h = mini_open("lost", MINI_SERVICE_SLOW);
	int status = 1, ended = 0;

	mini.slow.release = false;
	ck_assert_int_eq(bh_watch(h, BH_T_ROUTE4, keep_end, &ended), 0);
	ck_assert_int_eq(bh_submit(h, BH_V_GET, 0, 0, NULL, 0, keep_status, &status), 0);
	bh_flush(h);
	ck_assert(mini_await(&mini.slow.held_now, 1));
	memset(h->map, 0xff, h->w.size); /* so the core closes it */
	bh_ring_nosignal(h->ring_fd);
	ck_assert_ptr_nonnull(mini_conn("lost", BH_CONN_CLOSED));
	ck_assert_int_eq(bh_submit(h, BH_V_NOP, 0, 0, NULL, 0, NULL, NULL), -ECONNRESET);
	ck_assert_int_eq(status, 1);
	ck_assert_int_eq(bh_poll(h, MINI_WAIT_MS), -ECONNRESET);
	ck_assert_int_eq(status, -ECONNRESET);
	ck_assert_int_eq(ended, 1);
	ck_assert_uint_eq(bh_pending(h), 0);
	ck_assert_int_eq(nop(h, 1), 0);
	ck_assert_int_eq(bh_poll(h, 0), 0);
	ck_assert_int_eq(ended, 1);
	bh_close(h);
}
END_TEST

/* A process with an event loop of its own. */
START_TEST(event_loop)
{
	struct bh_handle *h = mini_open("loop", MINI_SERVICE_SLOW);
	struct pollfd p = {.events = POLLIN};
	int status, n;

	ck_assert_int_eq(bh_fd(h), -1);
	ck_assert_int_eq(nop(h, 1), 0);
	p.fd = bh_fd(h);
	for (int i = 0; i < 100; i++) {
		status = 1;
		mini.slow.release = false;
		ck_assert_int_eq(bh_submit(h, BH_V_GET, 0, 0, NULL, 0, keep_status, &status), 0);
		ck_assert(bh_prepare_wait(h));
		__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
		do { /* a ring may be late, of a sleep before */
			ck_assert_int_eq(poll(&p, 1, MINI_WAIT_MS), 1);
			n = bh_poll(h, 0);
		} while (n == 0 && bh_prepare_wait(h));
		if (n == 0)
			n = bh_poll(h, 0);
		ck_assert_int_eq(n, 1);
		ck_assert_int_eq(status, 0);
	}
	bh_close(h);
}
END_TEST

static struct bh_handle *
open_role(unsigned int proxy, uint16_t role, const char *client)
{
	struct bh_open_args args = {client, BH_SERVICE_ECHO, -1, NULL};
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[proxy], fds[0], role, 4711), 0);
	args.role_fd = fds[1];
	return bh_open(&args);
}

static void
close_role(struct bh_handle *h, int fd)
{
	bh_close(h);
	close(fd);
}

/* proxies 0, 0: the old socket is closed; 0, 1: it stays and is refused as stale. */
START_TEST(role_replaced)
{
	struct bh_handle *old = open_role(0, BH_ROLE_ROUTING, "old"), *new;
	const struct bh_stats_conn *c;
	int rc;

	ck_assert_int_eq(nop(old, 1), 0);
	ck_assert_uint_eq(bh_connection(old)->role, BH_ROLE_ROUTING);
	c = mini_conn("old", BH_CONN_DIRECT);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->pid, 4711);
	new = open_role(_i, BH_ROLE_ROUTING, "new");
	ck_assert_int_eq(nop(new, 2), 0);
	ck_assert_int_eq(bh_poll(old, MINI_WAIT_MS), -ECONNRESET);
	rc = nop(old, 3);
	ck_assert_int_eq(rc, _i == 0 ? -ECONNRESET : -ESTALE);
	ck_assert_int_eq(nop(new, 4), 0);
	ck_assert_ptr_nonnull(mini_conn("new", BH_CONN_DIRECT));
	close_role(old, -1);
	close_role(new, -1);
}
END_TEST

static void *
client_thread(void *arg)
{
	struct bh_handle *h = mini_open("thread", BH_SERVICE_ECHO);

	for (uint32_t i = 0; i < 3000; i++)
		if (nop(h, i) != 0)
			*(int *)arg = 1;
	bh_close(h);
	return NULL;
}

/* More clients at once than CPUs: every sleep is woken. */
START_TEST(many_threads)
{
	pthread_t t[6];
	int bad[6] = {0};

	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, client_thread, &bad[i]);
	for (int i = 0; i < 6; i++) {
		pthread_join(t[i], NULL);
		ck_assert_int_eq(bad[i], 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service");
	TCase *tc = tcase_create("service");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, first_proxied_rest_direct);
	tcase_add_test(tc, pipelined);
	tcase_add_test(tc, long_first_request);
	tcase_add_test(tc, errors_are_answers);
	tcase_add_test(tc, delayed_answers);
	tcase_add_test(tc, strange_tags);
	tcase_add_test(tc, delayed_first_answer);
	tcase_add_test(tc, reregistered);
	tcase_add_test(tc, lost_requests_are_told);
	tcase_add_test(tc, event_loop);
	tcase_add_loop_test(tc, role_replaced, 0, 2);
	tcase_add_test(tc, many_threads);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(getenv("BH_TEST_POLL_US") != NULL ? atoi(getenv("BH_TEST_POLL_US")) : 1000);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
