/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet service with a real forwarding lcore, real channels and libbulkhead: frames to the
 * stack and back, and stacks that are slow, gone or hostile. A thread stands for the EAL main
 * lcore. Port 1 is the wire: what is put into `wire_in` is received.
 */
#include <arpa/inet.h>
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

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_launch.h>

#include "app/core/packet_priv.h"
#include "app/forwarding/publish.h"
#include "lib/client/packet.h"
#include "test/unit/mini_core.h"

#define MBUFS 4095
#define ETH 14
#define IF_ALL (BH_FWD_IF_UP | BH_FWD_IF_FORWARD4 | BH_FWD_IF_FORWARD6 | BH_FWD_IF_IPV4 | \
	BH_FWD_IF_IPV6)
#define MTU 9600
#define WAIT_MS 10000

static struct {
	struct bh_fwd_tables t;
	struct bh_forwarding *f;
	struct bh_packet *p;
	struct bh_service *svc;
	struct bh_bell bell;
	struct rte_mempool *pool;
	struct rte_ring *wire_in, *wire_out;
	pthread_t main;
	bool stop;
} w;

struct got {
	unsigned int n;
	struct bh_punt p;
	size_t len;
	uint8_t frame[BH_FRAME_MAX];
};

/* ---- the core ---- */

static void *
main_lcore(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&w.stop, __ATOMIC_ACQUIRE)) {
		bh_bell_announce(&w.bell);
		bh_bell_block(&w.bell, bh_packet_settle(w.p) ? 1 : 100);
	}
	return NULL;
}

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "test_packet: %s\n", what);
	exit(2);
}

static void
make_port(void)
{
	struct rte_eth_conf conf = { 0 };
	int port;

	w.wire_in = rte_ring_create("wire_in", 2048, SOCKET_ID_ANY, 0);
	w.wire_out = rte_ring_create("wire_out", 2048, SOCKET_ID_ANY, 0);
	port = rte_eth_from_rings("wire", &w.wire_in, 1, &w.wire_out, 1, 0);
	need(port >= 0 && rte_eth_dev_configure(port, 1, 1, &conf) == 0 &&
		rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, w.pool) == 0 &&
		rte_eth_tx_queue_setup(port, 0, 64, 0, NULL) == 0 &&
		rte_eth_dev_start(port) == 0 && bh_forwarding_attach(w.f, 1, port, 1, 1) == 0,
		"port");
}

static void
make_network(void)
{
	struct bh_fwd_if_copy c = { .flags = IF_ALL, .mtu = MTU, .mtu4 = MTU, .mtu6 = MTU,
		.mac = { 2, 0, 0, 0, 0, 1 } };
	struct bh_fwd_nh_copy local = { .type = BH_NH_LOCAL };
	struct bh_fwd_nh_copy group = { .type = BH_NH_GROUP, .n = 1, .adj = { 1 } };
	struct bh_adj_copy adj = { .ifindex = 1, .state = BH_ADJ_RESOLVED, .hdr_len = BH_ETH_HDR,
		.hdr = { 2, 0xff } };
	const uint8_t ours[4] = { 10, 0, 0, 1 }, theirs[4] = { 10, 0, 1, 0 };

	need(bh_fwd_if_put(&w.t, 1, &c) == 0 && bh_fwd_nh_put(&w.t, 1, &local) == 0 &&
		bh_fwd_nh_put(&w.t, 2, &group) == 0 && bh_adj_put(&w.t, 1, &adj) == 0 &&
		bh_fib_set(w.t.fib4, ours, 32, 1) == 0 && bh_fib_set(w.t.fib4, theirs, 24, 2) == 0,
		"network");
}

static void
up(void)
{
	struct bh_forwarding_conf conf = { .n_lcores = 1, .lcore = { MINI_LCORE + 1 },
		.socket_id = SOCKET_ID_ANY, .tables = &w.t };
	struct bh_packet_conf pconf = { .n_fwd = 1, .main_bell = &w.bell,
		.socket_id = SOCKET_ID_ANY };

	mini_up(0);
	conf.stats = pconf.stats = mini.stats;
	w.pool = rte_pktmbuf_pool_create("wire", MBUFS, 0, 0, 10240, SOCKET_ID_ANY);
	need(w.pool != NULL && bh_bell_init(&w.bell) == 0, "pool");
	need(bh_fwd_tables_create(&w.t, 1, SOCKET_ID_ANY) == 0, "tables");
	w.f = pconf.fwd = bh_forwarding_create(&conf);
	need(w.f != NULL, "forwarding");
	make_port();
	make_network();
	w.p = bh_packet_create(&pconf);
	need(w.p != NULL, "packet");
	w.svc = mini_service(BH_SERVICE_PACKET, "packet", &bh_packet_ops, w.p);
	bh_packet_set_service(w.p, w.svc);
	rte_eal_remote_launch(bh_service_main, w.svc, MINI_LCORE);
	rte_eal_remote_launch(bh_forwarding_main, w.f, MINI_LCORE + 1);
	pthread_create(&w.main, NULL, main_lcore, NULL);
	mini_await_known(BH_SERVICE_PACKET, true);
}

static void
down(void)
{
	bh_service_stop(w.svc);
	rte_eal_wait_lcore(MINI_LCORE);
	mini_await_known(BH_SERVICE_PACKET, false);
	bh_forwarding_stop(w.f);
	rte_eal_wait_lcore(MINI_LCORE + 1);
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	bh_bell_ring(&w.bell);
	pthread_join(w.main, NULL);
	need(bh_service_destroy(w.svc) == 0, "packet is still in use");
	bh_packet_destroy(w.p);
	bh_forwarding_destroy(w.f);
	bh_fwd_tables_destroy(&w.t);
	bh_bell_close(&w.bell);
	mini_down();
}

/* ---- clients and frames ---- */

static int
role_socket(uint16_t role)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
		0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[0], fd[1], role, getpid()), 0);
	return fd[0];
}

static void
take(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len)
{
	struct got *g = arg;

	g->n++;
	g->p = *p;
	g->len = len;
	memcpy(g->frame, frame, len);
}

static struct bh_packets *
open_stack(struct got *g, int fd)
{
	struct bh_open_args args = { .client = "stack", .role_fd = fd };
	struct bh_packets *p;

	memset(g, 0, sizeof(*g));
	p = bh_packets_open(&args, take, g);
	ck_assert_msg(p != NULL, "the stack cannot begin: %s", strerror(errno));
	return p;
}

static void
await_punts(struct bh_packets *p, const struct got *g, unsigned int n)
{
	while (g->n < n)
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
}

/* IPv4 of len bytes in all, to 10.0.0.1 or 10.0.1.1. */
static void
make_frame(uint8_t *b, size_t len, uint8_t net)
{
	struct rte_ipv4_hdr ip = { .version_ihl = 0x45, .time_to_live = 64, .next_proto_id = 17,
		.total_length = htons(len - ETH), .src_addr = htonl(0xc0000201),
		.dst_addr = htonl(0x0a000001 + (net << 8)) };

	for (size_t i = 0; i < len; i++)
		b[i] = i * 7;
	memcpy(b, "\x02\0\0\0\0\x01\x02\xee\0\0\0\x01\x08\0", ETH);
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(b + ETH, &ip, sizeof(ip));
}

static void
receive(const uint8_t *b, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w.pool);

	ck_assert_ptr_nonnull(m);
	memcpy(rte_pktmbuf_append(m, len), b, len);
	ck_assert_int_eq(rte_ring_enqueue(w.wire_in, m), 0);
}

static const struct bh_stats_fwd *
fwd(void)
{
	return &mini.stats->fwd[0];
}

/* Waits until a counter is at least value. */
static void
await_count(const uint64_t *counter, uint64_t value)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int n = 0; bh_read(counter) < value; n++) {
		ck_assert_msg(n < WAIT_MS, "%lu instead of %lu", bh_read(counter), value);
		nanosleep(&ms, NULL);
	}
}

static struct rte_mbuf *
sent(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	struct rte_mbuf *m;

	for (int n = 0; n < WAIT_MS; n++, nanosleep(&ms, NULL))
		if (rte_ring_dequeue(w.wire_out, (void **)&m) == 0)
			return m;
	ck_abort_msg("nothing is sent");
	return NULL;
}

/* Once nobody is connected, every mbuf comes home. */
static void
await_disconnected(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int n = 0; rte_mempool_avail_count(w.pool) != MBUFS ||
			rte_mempool_avail_count(w.p->pools.small) != BH_FRAMES_SMALL ||
			rte_mempool_avail_count(w.p->pools.large) != BH_FRAMES_LARGE ||
			__atomic_load_n(&w.p->have, __ATOMIC_ACQUIRE) != 0; n++) {
		ck_assert_msg(n < WAIT_MS, "%u mbufs are lost, %u + %u of the stack's",
			MBUFS - rte_mempool_avail_count(w.pool),
			BH_FRAMES_SMALL - rte_mempool_avail_count(w.p->pools.small),
			BH_FRAMES_LARGE - rte_mempool_avail_count(w.p->pools.large));
		nanosleep(&ms, NULL);
	}
	ck_assert_uint_eq(bh_read(&mini.stats->stack.connected), 0);
}

/* ---- tests ---- */

START_TEST(only_the_stack)
{
	struct bh_open_args args = { .client = "other", .role_fd = -1, .socket = mini.path };
	struct got g;
	int fd = role_socket(BH_ROLE_ROUTING);

	ck_assert_ptr_null(bh_packets_open(&args, take, &g));
	ck_assert_int_eq(errno, EPERM);
	args.role_fd = fd;
	ck_assert_ptr_null(bh_packets_open(&args, take, &g));
	ck_assert_int_eq(errno, EPERM);
	close(fd);
	ck_assert_uint_eq(bh_read(&mini.stats->stack.connected), 0);
}
END_TEST

START_TEST(every_length_arrives)
{
	static const size_t lens[] = { 34, 60, 1514, 3791, 3792, 3793, 7615, 7616, 7617, 9014, 9614 };
	int fd = role_socket(BH_ROLE_V6STACK);
	uint8_t b[BH_FRAME_MAX];
	struct bh_packets *p;
	static struct got g;

	p = open_stack(&g, fd);
	ck_assert_uint_eq(bh_read(&mini.stats->stack.connected), 1);
	for (unsigned int i = 0; i < RTE_DIM(lens); i++) {
		make_frame(b, lens[i], 0);
		receive(b, lens[i]);
		await_punts(p, &g, i + 1);
		ck_assert_uint_eq(g.len, lens[i]);
		ck_assert_mem_eq(g.frame, b, lens[i]);
		ck_assert_uint_eq(g.p.reason, BH_PUNT_LOCAL);
		ck_assert_uint_eq(g.p.ifindex, 1);
	}
	make_frame(b, 60, 9); /* no route */
	receive(b, 60);
	await_punts(p, &g, RTE_DIM(lens) + 1);
	ck_assert_uint_eq(g.p.reason, BH_PUNT_NO_ROUTE);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

/* The punt lcore sleeps while nothing comes and a frame wakes it; so does the client. */
START_TEST(event_loop)
{
	const struct bh_stats_lcore *lcore = &mini.stats->lcore[MINI_LCORE];
	int fd = role_socket(BH_ROLE_V6STACK);
	uint8_t b[60];
	struct bh_packets *p;
	static struct got g;

	p = open_stack(&g, fd);
	make_frame(b, sizeof(b), 0);
	for (unsigned int i = 1; i <= 5; i++) {
		struct pollfd pfd = { .fd = bh_packets_fd(p), .events = POLLIN };
		uint64_t sleeps = bh_read(&lcore->sleeps);

		while (bh_packets_prepare_wait(p) == false)
			bh_packets_poll(p, 0);
		await_count(&lcore->sleeps, sleeps > 0 ? sleeps : 1);
		receive(b, sizeof(b));
		while (g.n < i) {
			ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
			ck_assert_int_ge(bh_packets_poll(p, 0), 0);
			if (g.n < i)
				bh_packets_prepare_wait(p);
		}
	}
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

START_TEST(inject_every_length)
{
	static const size_t lens[] = { 34, 60, 1514, 3815, 3816, 3817, 7640, 7641, 9014, 9614 };
	int fd = role_socket(BH_ROLE_V6STACK);
	uint8_t b[BH_FRAME_MAX];
	struct bh_packets *p;
	struct rte_mbuf *m;
	static struct got g;

	p = open_stack(&g, fd);
	for (unsigned int i = 0; i < RTE_DIM(lens); i++) {
		make_frame(b, lens[i], 1);
		ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_RESOLVED, 1, b, lens[i]), 0);
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
		m = sent();
		ck_assert_uint_eq(m->pkt_len, lens[i]);
		ck_assert_uint_eq(m->nb_segs, 1);
		ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), b, lens[i]);
		rte_pktmbuf_free(m);
	}
	make_frame(b, 60, 1);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, 60), 0);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_HELD, 1, b, 60), 0);
	ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
	m = sent();
	ck_assert_uint_eq(rte_pktmbuf_mtod(m, uint8_t *)[ETH + 8], 64);
	rte_pktmbuf_free(m);
	m = sent();
	ck_assert_uint_eq(rte_pktmbuf_mtod(m, uint8_t *)[ETH + 8], 63);
	rte_pktmbuf_free(m);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, 13), -EMSGSIZE);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, BH_FRAME_MAX + 1), -EMSGSIZE);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_MODES, 1, b, 60), -EINVAL);
	ck_assert_uint_eq(bh_packets_refused(p), 0);
	/* The interface is the core's to judge. */
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_RESOLVED, 0, b, 60), 0);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_RESOLVED, 100000, b, 60), 0);
	while (bh_packets_pending(p) > 0)
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
	ck_assert_uint_eq(bh_packets_refused(p), 2);
	ck_assert_uint_eq(bh_read(&mini.stats->stack.inject_refused), 2);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

/* More than the queue holds: told by -EAGAIN, and nothing is lost. */
START_TEST(inject_many)
{
	int fd = role_socket(BH_ROLE_V6STACK);
	unsigned int put = 0, out = 0, refusals = 0;
	uint8_t b[1514];
	struct bh_packets *p;
	struct rte_mbuf *m;
	static struct got g;
	int rc;

	p = open_stack(&g, fd);
	make_frame(b, sizeof(b), 1);
	while (out < 5000) {
		rc = put < 5000 ? bh_packets_inject(p, BH_INJECT_RESOLVED, 1, b, sizeof(b)) : -EAGAIN;
		put += rc == 0;
		if (rc == -EAGAIN) {
			refusals++;
			ck_assert_int_ge(bh_packets_poll(p, bh_packets_pending(p) > 0 ? 100 : 0), 0);
		} else {
			ck_assert_int_eq(rc, 0);
		}
		for (; rte_ring_dequeue(w.wire_out, (void **)&m) == 0; out++)
			rte_pktmbuf_free(m);
	}
	ck_assert_uint_gt(refusals, 0);
	ck_assert_uint_eq(out, 5000);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

static void
raw(struct bh_handle *h, uint32_t aux, const void *body, size_t len, int status)
{
	ck_assert_int_eq(bh_call(h, BH_V_INJECT, 0, &aux, body, len, NULL, NULL), status);
}

START_TEST(hostile_injection)
{
	struct bh_open_args args = { .client = "hostile", .service = BH_SERVICE_PACKET };
	int fd = role_socket(BH_ROLE_V6STACK);
	struct {
		struct bh_inject_to to;
		uint8_t b[100];
	} body = { .to = { .ifindex = 1, .how = BH_INJECT_RESOLVED } };
	struct bh_handle *h;
	struct rte_mbuf *m;

	make_frame(body.b, sizeof(body.b), 1);
	args.role_fd = fd;
	h = bh_open(&args);
	ck_assert_ptr_nonnull(h);
	raw(h, bh_part(0, 100), &body, sizeof(body), -EPERM); /* not begun */
	ck_assert_int_eq(bh_call(h, BH_V_PUNT, 0, NULL, NULL, 0, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bh_call(h, BH_V_PACKET_BEGIN, 0, NULL, "x", 1, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bh_call(h, BH_V_PACKET_BEGIN, 0, NULL, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(bh_call(h, BH_V_PACKET_BEGIN, 0, NULL, NULL, 0, NULL, NULL), -EALREADY);
	raw(h, bh_part(0, 99), &body, sizeof(body), -EINVAL);
	raw(h, bh_part(0, 13), &body, 21, -EINVAL);
	raw(h, bh_part(0, BH_FRAME_MAX + 1), &body, sizeof(body), -EINVAL);
	raw(h, bh_part(0, 100), &body, 8, -EINVAL);
	raw(h, bh_part(0, 100), &body, 3, -EINVAL);
	raw(h, bh_part(50, 100), body.b, 50, -EINVAL); /* no first part */
	raw(h, bh_part(0, 100), &body, 58, 0);
	raw(h, bh_part(40, 100), body.b, 60, -EINVAL); /* in the middle of it */
	raw(h, bh_part(50, 100), body.b, 50, -EINVAL); /* it is gone */
	raw(h, bh_part(0, 100), &body, 58, 0);
	raw(h, bh_part(50, 90), body.b + 50, 40, -EINVAL);
	raw(h, bh_part(0, 100), &body, 58, 0);
	raw(h, bh_part(50, 100), body.b + 50, 50, 0); /* at last a good one */
	m = sent();
	ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), body.b, 100);
	rte_pktmbuf_free(m);
	body.to.how = BH_INJECT_MODES;
	raw(h, bh_part(0, 100), &body, sizeof(body), -EINVAL);
	body.to = (struct bh_inject_to){ .ifindex = 1, .pad = { 0, 1 } };
	raw(h, bh_part(0, 100), &body, sizeof(body), -EINVAL);
	body.to = (struct bh_inject_to){ .ifindex = BH_IF_MAX };
	raw(h, bh_part(0, 100), &body, sizeof(body), -EINVAL);
	body.to = (struct bh_inject_to){ .ifindex = 1, .how = BH_INJECT_RESOLVED };
	raw(h, bh_part(0, 100), &body, 58, 0); /* left unfinished */
	bh_close(h);
	close(fd);
	await_disconnected();
}
END_TEST

/* Forwarded frames pass whatever the stack does. */
static void
check_forwarding(void)
{
	uint8_t b[60];
	struct rte_mbuf *m;

	make_frame(b, sizeof(b), 1);
	receive(b, sizeof(b));
	m = sent();
	ck_assert_uint_eq(m->pkt_len, sizeof(b));
	rte_pktmbuf_free(m);
}

/* What does not fit is dropped and counted; what is left comes when the stack wakes up. */
START_TEST(stack_that_never_polls)
{
	uint64_t full = bh_read(&fwd()->drop[BH_DROP_PUNT_FULL]);
	uint64_t taken = bh_read(&fwd()->punt[BH_PUNT_LOCAL].taken);
	uint64_t policed = bh_read(&fwd()->drop[BH_DROP_PUNT_POLICED]);
	int fd = role_socket(BH_ROLE_V6STACK);
	unsigned int flood = 0;
	uint8_t b[1514];
	struct bh_packets *p;
	static struct got g;

	p = open_stack(&g, fd);
	make_frame(b, sizeof(b), 0);
	for (; bh_read(&fwd()->drop[BH_DROP_PUNT_FULL]) == full; flood++) {
		ck_assert_uint_lt(flood, 100000);
		receive(b, sizeof(b));
		while (rte_ring_count(w.wire_in) > 1000)
			sched_yield();
	}
	check_forwarding(); /* behind the flood */
	taken = bh_read(&fwd()->punt[BH_PUNT_LOCAL].taken) - taken;
	ck_assert_uint_ge(taken, BH_PUNT_RING - BH_PUNT_RING / 8);
	ck_assert_uint_eq(taken + bh_read(&fwd()->drop[BH_DROP_PUNT_FULL]) - full +
		bh_read(&fwd()->drop[BH_DROP_PUNT_POLICED]) - policed, flood);
	await_punts(p, &g, taken);
	ck_assert_uint_eq(g.n, taken);
	ck_assert_mem_eq(g.frame, b, sizeof(b));
	/* And once more, left in the rings. */
	for (unsigned int i = 0; i < 1500; i++)
		receive(b, sizeof(b));
	check_forwarding();
	bh_packets_close(p);
	close(fd);
	await_disconnected();
	check_forwarding();
}
END_TEST

/* Killed with frames in its channel and rings: the next one begins, no mbuf is lost. */
START_TEST(stack_killed)
{
	uint8_t b[1514];
	struct bh_packets *p;
	static struct got g;
	int fd, status, up_fd[2];
	pid_t pid;
	char c;

	for (int round = 0; round < 3; round++) {
		fd = role_socket(BH_ROLE_V6STACK);
		ck_assert_int_eq(pipe(up_fd), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			p = open_stack(&g, fd);
			make_frame(b, sizeof(b), 1);
			bh_packets_inject(p, BH_INJECT_RESOLVED, 1, b, sizeof(b));
			bh_packets_poll(p, 0);
			if (write(up_fd[1], "u", 1) == 1)
				pause();
			_exit(1);
		}
		close(fd);
		close(up_fd[1]);
		ck_assert_int_eq(read(up_fd[0], &c, 1), 1);
		close(up_fd[0]);
		make_frame(b, sizeof(b), 0);
		for (unsigned int i = 0; i < 1500; i++)
			receive(b, sizeof(b));
		rte_pktmbuf_free(sent());
		check_forwarding();
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		check_forwarding();
		if (round < 2)
			await_disconnected();
	}
	/* A successor may come before its predecessor's end was noticed. */
	fd = role_socket(BH_ROLE_V6STACK);
	p = open_stack(&g, fd);
	make_frame(b, 100, 0);
	receive(b, 100);
	while (g.len != 100) /* behind those that lay there */
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

/* A predecessor that lives is cut off by its successor's role socket, and is told. */
START_TEST(stack_succeeded)
{
	int fd = role_socket(BH_ROLE_V6STACK), fd2;
	struct bh_packets *p, *q;
	static struct got g, g2;
	uint8_t b[60];

	p = open_stack(&g, fd);
	fd2 = role_socket(BH_ROLE_V6STACK);
	q = open_stack(&g2, fd2);
	ck_assert_int_eq(bh_packets_poll(p, WAIT_MS), -ECONNRESET);
	make_frame(b, sizeof(b), 0);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, sizeof(b)), -ECONNRESET);
	receive(b, sizeof(b));
	await_punts(q, &g2, 1);
	bh_packets_close(p);
	bh_packets_close(q);
	close(fd);
	close(fd2);
	await_disconnected();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("packet service");
	TCase *tc = tcase_create("packet");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_test(tc, only_the_stack);
	tcase_add_test(tc, every_length_arrives);
	tcase_add_test(tc, event_loop);
	tcase_add_test(tc, inject_every_length);
	tcase_add_test(tc, inject_many);
	tcase_add_test(tc, hostile_injection);
	tcase_add_test(tc, stack_that_never_polls);
	tcase_add_test(tc, stack_killed);
	tcase_add_test(tc, stack_succeeded);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	up();
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	if (failed == 0)
		down();
	return failed != 0;
}
