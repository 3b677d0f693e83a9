/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/packet_bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_launch.h>

#include "app/forwarding/publish.h"

#define IF_ALL (BH_FWD_IF_UP | BH_FWD_IF_FORWARD4 | BH_FWD_IF_FORWARD6 | BH_FWD_IF_IPV4 | \
	BH_FWD_IF_IPV6)

struct packet_bed pb;

/* ---- the core ---- */

static void *
main_lcore(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&pb.stop, __ATOMIC_ACQUIRE)) {
		bh_bell_announce(&pb.bell);
		bh_bell_block(&pb.bell, bh_packet_settle(pb.p) ? 1 : 100);
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

	pb.wire_in = rte_ring_create("wire_in", 2048, SOCKET_ID_ANY, 0);
	pb.wire_out = rte_ring_create("wire_out", 2048, SOCKET_ID_ANY, 0);
	port = rte_eth_from_rings("wire", &pb.wire_in, 1, &pb.wire_out, 1, 0);
	need(port >= 0 && rte_eth_dev_configure(port, 1, 1, &conf) == 0 &&
		rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, pb.pool) == 0 &&
		rte_eth_tx_queue_setup(port, 0, 64, 0, NULL) == 0 &&
		rte_eth_dev_start(port) == 0 && bh_forwarding_attach(pb.f, 1, port, 1, 1) == 0,
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

	need(bh_fwd_if_put(&pb.t, 1, &c) == 0 && bh_fwd_nh_put(&pb.t, 1, &local) == 0 &&
		bh_fwd_nh_put(&pb.t, 2, &group) == 0 && bh_adj_put(&pb.t, 1, &adj) == 0 &&
		bh_fib_set(pb.t.fib4, ours, 32, 1) == 0 && bh_fib_set(pb.t.fib4, theirs, 24, 2) == 0,
		"network");
}

void
packet_up(void)
{
	struct bh_forwarding_conf conf = { .n_lcores = 1, .lcore = { MINI_LCORE + 1 },
		.socket_id = SOCKET_ID_ANY, .tables = &pb.t };
	struct bh_packet_conf pconf = { .n_fwd = 1, .main_bell = &pb.bell,
		.socket_id = SOCKET_ID_ANY };

	mini_up(0);
	conf.stats = pconf.stats = mini.stats;
	pb.pool = rte_pktmbuf_pool_create("wire", MBUFS, 0, 0, 10240, SOCKET_ID_ANY);
	need(pb.pool != NULL && bh_bell_init(&pb.bell) == 0, "pool");
	need(bh_fwd_tables_create(&pb.t, 1, SOCKET_ID_ANY) == 0, "tables");
	pb.f = pconf.fwd = bh_forwarding_create(&conf);
	need(pb.f != NULL, "forwarding");
	make_port();
	make_network();
	pb.p = bh_packet_create(&pconf);
	need(pb.p != NULL, "packet");
	pb.svc = mini_service(BH_SERVICE_PACKET, "packet", &bh_packet_ops, pb.p);
	bh_packet_set_service(pb.p, pb.svc);
	rte_eal_remote_launch(bh_service_main, pb.svc, MINI_LCORE);
	rte_eal_remote_launch(bh_forwarding_main, pb.f, MINI_LCORE + 1);
	pthread_create(&pb.main, NULL, main_lcore, NULL);
	mini_await_known(BH_SERVICE_PACKET, true);
}

void
packet_down(void)
{
	bh_service_stop(pb.svc);
	rte_eal_wait_lcore(MINI_LCORE);
	mini_await_known(BH_SERVICE_PACKET, false);
	bh_forwarding_stop(pb.f);
	rte_eal_wait_lcore(MINI_LCORE + 1);
	__atomic_store_n(&pb.stop, true, __ATOMIC_RELEASE);
	bh_bell_ring(&pb.bell);
	pthread_join(pb.main, NULL);
	need(bh_service_destroy(pb.svc) == 0, "packet is still in use");
	bh_packet_destroy(pb.p);
	bh_forwarding_destroy(pb.f);
	bh_fwd_tables_destroy(&pb.t);
	bh_bell_close(&pb.bell);
	mini_down();
}

/* ---- clients and frames ---- */

int
role_socket(uint16_t role)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
		0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[0], fd[1], role, getpid()), 0);
	return fd[0];
}

void
take(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len)
{
	struct got *g = arg;

	g->n++;
	g->p = *p;
	g->len = len;
	memcpy(g->frame, frame, len);
}

struct bh_packets *
open_stack(struct got *g, int fd)
{
	struct bh_open_args args = { .client = "stack", .role_fd = fd };
	struct bh_packets *p;

	memset(g, 0, sizeof(*g));
	p = bh_packets_open(&args, take, g);
	ck_assert_msg(p != NULL, "the stack cannot begin: %s", strerror(errno));
	return p;
}

void
await_punts(struct bh_packets *p, const struct got *g, unsigned int n)
{
	while (g->n < n)
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
}

/* IPv4 of len bytes in all, to 10.0.0.1 or 10.0.1.1. */
void
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

void
receive(const uint8_t *b, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pb.pool);

	ck_assert_ptr_nonnull(m);
	memcpy(rte_pktmbuf_append(m, len), b, len);
	ck_assert_int_eq(rte_ring_enqueue(pb.wire_in, m), 0);
}

const struct bh_stats_fwd *
fwd(void)
{
	return &mini.stats->fwd[0];
}

/* Waits until a counter is at least value. */
void
await_count(const uint64_t *counter, uint64_t value)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int n = 0; bh_read(counter) < value; n++) {
		ck_assert_msg(n < WAIT_MS, "%lu instead of %lu", bh_read(counter), value);
		nanosleep(&ms, NULL);
	}
}

struct rte_mbuf *
sent(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	struct rte_mbuf *m;

	for (int n = 0; n < WAIT_MS; n++, nanosleep(&ms, NULL))
		if (rte_ring_dequeue(pb.wire_out, (void **)&m) == 0)
			return m;
	ck_abort_msg("nothing is sent");
	return NULL;
}

/* Once nobody is connected, every mbuf comes home. */
void
await_disconnected(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int n = 0; rte_mempool_avail_count(pb.pool) != MBUFS ||
			rte_mempool_avail_count(pb.p->pools.small) != BH_FRAMES_SMALL ||
			rte_mempool_avail_count(pb.p->pools.large) != BH_FRAMES_LARGE ||
			__atomic_load_n(&pb.p->have, __ATOMIC_ACQUIRE) % 2 != 0; n++) {
		ck_assert_msg(n < WAIT_MS, "%u mbufs are lost, %u + %u of the stack's",
			MBUFS - rte_mempool_avail_count(pb.pool),
			BH_FRAMES_SMALL - rte_mempool_avail_count(pb.p->pools.small),
			BH_FRAMES_LARGE - rte_mempool_avail_count(pb.p->pools.large));
		nanosleep(&ms, NULL);
	}
	ck_assert_uint_eq(bh_read(&mini.stats->stack.connected), 0);
}

/* Forwarded frames pass whatever the stack does. */
void
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
