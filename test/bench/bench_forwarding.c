/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One forwarding lcore, run by hand on ring ports: ns a packet for IPv4 and IPv6 with 1 and 100,000
 * routes, 64-byte frames, 16 next hops. In the same run, with the same frames and rings:
 *
 *     io    receive and send, nothing between: what the harness costs
 *     lpm   io and what an l3fwd does: version and TTL looked at, rte_lpm in bulk, MACs, TTL,
 *           checksum by difference; no validation of lengths, checksum or addresses, no counters
 *
 * And what a stack costs: the same with a stack connected, and with every second packet one to the
 * router itself, without a stack and with one that is stopped: nobody empties its ring.
 *
 * "net" is the cost beyond io. Each figure is the best of several rounds. Arguments go to EAL;
 * without any: --no-huge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_lcore.h>
#include <rte_lpm.h>
#include <rte_random.h>

#include "app/forwarding/forwarding_priv.h"
#include "app/forwarding/packet.h"
#include "app/forwarding/publish.h"

#define FRAMES 8192 /* destinations in a round, in turn */
#define ROUNDS 40
#define HOPS 16
#define LOCAL (HOPS + 1) /* next hop of 192.0.2.1 */
#define PAYLOAD 22

static const uint8_t mac_in[6] = { 2, 0, 0, 0, 0, 1 }, mac_out[6] = { 2, 0, 0, 0, 0, 2 };

static struct {
	struct bh_fwd_tables t;
	struct bh_stats *stats;
	struct bh_forwarding *f;
	struct rte_lpm *lpm;
	struct rte_mempool *pool;
	struct rte_ring *in, *out;
	uint16_t port_in, port_out;
	struct rte_mbuf *frame[FRAMES];
	struct bh_adj_copy adj[HOPS + 1];
} b;

static void
die(const char *what)
{
	fprintf(stderr, "bench_forwarding: %s\n", what);
	exit(1);
}

static uint16_t
make_port(const char *name, struct rte_ring *rx, struct rte_ring *tx)
{
	struct rte_eth_conf conf = { 0 };
	int port = rte_eth_from_rings(name, &rx, 1, &tx, 1, 0);

	if (port < 0 || rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
			rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, b.pool) != 0 ||
			rte_eth_tx_queue_setup(port, 0, 64, 0, NULL) != 0 ||
			rte_eth_dev_start(port) != 0)
		die("no ring port");
	return port;
}

static struct rte_ring *
make_ring(const char *name)
{
	struct rte_ring *r = rte_ring_create(name, 1024, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ);

	if (r == NULL)
		die("no ring");
	return r;
}

static void
make_router(void)
{
	struct bh_forwarding_conf conf = { .n_lcores = 1, .lcore = { rte_get_main_lcore() },
		.socket_id = SOCKET_ID_ANY, .tables = &b.t };
	struct bh_fwd_if_copy ifc = { .flags = 0x1f, .mtu = 1500, .mtu4 = 1500, .mtu6 = 1500 };

	b.stats = aligned_alloc(64, sizeof(*b.stats));
	memset(b.stats, 0, sizeof(*b.stats));
	conf.stats = b.stats;
	if (bh_fwd_tables_create(&b.t, 1, SOCKET_ID_ANY) < 0)
		die("no tables");
	b.f = bh_forwarding_create(&conf);
	if (b.f == NULL)
		die("no forwarding");
	memcpy(ifc.mac, mac_in, 6);
	bh_fwd_if_put(&b.t, 1, &ifc);
	memcpy(ifc.mac, mac_out, 6);
	bh_fwd_if_put(&b.t, 2, &ifc);
	for (uint16_t i = 1; i <= HOPS; i++) {
		struct bh_fwd_nh_copy nh = { .type = BH_NH_GROUP, .n = 1, .adj = { i } };

		b.adj[i] = (struct bh_adj_copy){ .ifindex = 2, .state = BH_ADJ_RESOLVED,
			.hdr_len = BH_ETH_HDR, .hdr = { 2, 0xff, 0, 0, 0, i, 2, 0, 0, 0, 0, 2 } };
		if (bh_adj_put(&b.t, i, &b.adj[i]) < 0 || bh_fwd_nh_put(&b.t, i, &nh) < 0)
			die("no next hop");
	}
	if (bh_forwarding_attach(b.f, 1, b.port_in, 1, 1) < 0 ||
			bh_forwarding_attach(b.f, 2, b.port_out, 1, 1) < 0)
		die("ports do not attach");
}

/*
 * Route i of n: 4 of 5 have the full 24 (IPv6: 48) bits, the others up to 8 fewer. A single route
 * is the default route. `p` is 16 bytes, zeroed behind the prefix.
 */
static uint8_t
make_route(int family, unsigned int n, uint8_t *p)
{
	unsigned int full = family == BH_FIB_IP4 ? 24 : 48, len = n == 1 ? 0 : full;
	uint64_t r = rte_rand();

	memset(p, 0, 16);
	if (n == 1)
		return 0;
	if (r % 5 == 0)
		len -= 1 + (r >> 8) % 8;
	for (unsigned int i = 0; i < full / 8; i++)
		p[i] = r >> (16 + 8 * i);
	p[0] = family == BH_FIB_IP4 ? 1 + p[0] % 120 : 0x20;
	p[len / 8] &= ~(0xff >> len % 8);
	if (len / 8 + 1 < full / 8)
		memset(p + len / 8 + 1, 0, full / 8 - len / 8 - 1);
	return len;
}

/* Fills the FIB (and rte_lpm); some destinations, each in one of the routes, into dst[]. */
static void
make_routes(int family, unsigned int n, uint8_t (*dst)[16])
{
	struct bh_fib *fib = family == BH_FIB_IP4 ? b.t.fib4 : b.t.fib6;
	uint8_t p[16];

	for (unsigned int i = 0; i < n; i++) {
		uint8_t len = make_route(family, n, p);
		uint32_t nh = 1 + i % HOPS, ip4;

		if (bh_fib_set(fib, p, len, nh) < 0)
			die("no room for a route");
		memcpy(&ip4, p, sizeof(ip4));
		if (family == BH_FIB_IP4 && len > 0 &&
				rte_lpm_add(b.lpm, rte_be_to_cpu_32(ip4), len, nh) < 0)
			die("no room in rte_lpm");
		if (i == n - 1 || rte_rand() % n < FRAMES)
			memcpy(dst[i % FRAMES], p, 16);
	}
	for (unsigned int i = 0; i < FRAMES; i++) {
		if (dst[i][0] == 0)
			memcpy(dst[i], family == BH_FIB_IP4 ? "\x09\x09\x09" : "\x20\x09\x09", 3);
		dst[i][family == BH_FIB_IP4 ? 3 : 15] = 1 + i % 250;
	}
}

static void
make_frame(int family, const uint8_t *dst, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr ip4 = { .version_ihl = 0x45, .time_to_live = 64, .next_proto_id = 17,
		.total_length = RTE_BE16(20 + 8 + PAYLOAD), .src_addr = RTE_BE32(0xc0000201) };
	struct rte_ipv6_hdr ip6 = { .vtc_flow = RTE_BE32(0x60000000), .proto = 17,
		.payload_len = RTE_BE16(8), .hop_limits = 64, .src_addr = { 0x20, 1, 0x0d, 0xb8 } };
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	m->data_len = m->pkt_len = 14 + 20 + 8 + PAYLOAD;
	memset(p, 0, m->data_len);
	memcpy(p, mac_in, 6);
	p[12] = family == BH_FIB_IP4 ? 0x08 : 0x86;
	p[13] = family == BH_FIB_IP4 ? 0x00 : 0xdd;
	if (family == BH_FIB_IP4) {
		memcpy(&ip4.dst_addr, dst, 4);
		ip4.hdr_checksum = rte_ipv4_cksum(&ip4);
		memcpy(p + 14, &ip4, sizeof(ip4));
	} else {
		memcpy(ip6.dst_addr, dst, 16);
		memcpy(p + 14, &ip6, sizeof(ip6));
	}
}

/* As it was before the router: the same work in all modes. */
static inline void
restore(int family, struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = bh_pkt_ip4(m);
	uint32_t sum;

	memcpy(rte_pktmbuf_mtod(m, void *), mac_in, 6);
	if (family == BH_FIB_IP6) {
		bh_pkt_ip6(m)->hop_limits = 64;
	} else if (ip->time_to_live != 64) {
		ip->time_to_live = 64;
		sum = ip->hdr_checksum + RTE_BE16(0xfeff);
		ip->hdr_checksum = sum + (sum >> 16);
	}
}

static void
run_io(void)
{
	struct rte_mbuf *m[BH_BURST];
	uint16_t n = rte_eth_rx_burst(b.port_in, 0, m, BH_BURST);

	rte_eth_tx_burst(b.port_out, 0, m, n);
}

static void
run_lpm(void)
{
	struct rte_mbuf *m[BH_BURST];
	uint32_t ip[BH_BURST], nh[BH_BURST];
	uint16_t n = rte_eth_rx_burst(b.port_in, 0, m, BH_BURST);

	for (uint16_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	for (uint16_t i = 0; i < n; i++)
		ip[i] = rte_be_to_cpu_32(bh_pkt_ip4(m[i])->dst_addr);
	rte_lpm_lookup_bulk(b.lpm, ip, nh, n);
	for (uint16_t i = 0; i < n; i++) {
		struct rte_ipv4_hdr *h = bh_pkt_ip4(m[i]);
		uint32_t hop = nh[i] & RTE_LPM_LOOKUP_SUCCESS ? nh[i] & 0xffffff : 1;

		if (h->version_ihl >> 4 == 4 && h->time_to_live > 1)
			bh_ip4_hop(h);
		memcpy(rte_pktmbuf_mtod(m[i], void *), b.adj[hop].hdr, 12);
	}
	rte_eth_tx_burst(b.port_out, 0, m, n);
}

static void
run_router(void)
{
	bh_fwd_turn(b.f->lcore[0]);
}

/* ns a packet over all frames once; every frame must come out. */
static double
round_of(void (*run)(void), int family)
{
	struct rte_mbuf *m[BH_BURST];
	uint64_t begin = rte_rdtsc();

	for (unsigned int i = 0; i < FRAMES; i += BH_BURST) {
		rte_ring_sp_enqueue_bulk(b.in, (void **)&b.frame[i], BH_BURST, NULL);
		run();
		if (rte_ring_sc_dequeue_burst(b.out, (void **)m, BH_BURST, NULL) != BH_BURST)
			die("frames were lost");
		for (unsigned int j = 0; j < BH_BURST; j++)
			restore(family, b.frame[i + j]);
	}
	return (rte_rdtsc() - begin) * 1e9 / rte_get_tsc_hz() / FRAMES;
}

static double
best_of(void (*run)(void), int family)
{
	double best = 1e9;

	for (unsigned int i = 0; i < ROUNDS; i++)
		best = RTE_MIN(best, round_of(run, family));
	return best;
}

static void
measure(int family, unsigned int n)
{
	static uint8_t dst[FRAMES][16];
	double io, lpm, router;

	memset(dst, 0, sizeof(dst));
	make_routes(family, n, dst);
	for (unsigned int i = 0; i < FRAMES; i++)
		make_frame(family, dst[i], b.frame[i]);
	io = best_of(run_io, family);
	router = best_of(run_router, family);
	printf("ip%d %6u routes: io %5.1f ns, router %5.1f ns (net %5.1f), %5.2f Mpps", family, n,
		io, router, router - io, 1e3 / router);
	if (family == BH_FIB_IP4) {
		lpm = best_of(run_lpm, family);
		printf("; lpm %5.1f ns (net %5.1f), %5.2f Mpps", lpm, lpm - io, 1e3 / lpm);
	}
	printf("\n");
}

/* ---- a stack ---- */

/* ns a packet that is forwarded, every second one being to the router. Those are dropped, so that
 * each needs one more reference. */
static double
flood_round(void)
{
	struct rte_mbuf *m[BH_BURST];
	uint64_t begin = rte_rdtsc();

	for (unsigned int i = 0; i < FRAMES; i += BH_BURST) {
		for (unsigned int j = 1; j < BH_BURST; j += 2)
			rte_mbuf_refcnt_update(b.frame[i + j], 1);
		rte_ring_sp_enqueue_bulk(b.in, (void **)&b.frame[i], BH_BURST, NULL);
		run_router();
		if (rte_ring_sc_dequeue_burst(b.out, (void **)m, BH_BURST, NULL) != BH_BURST / 2)
			die("frames were lost in a flood");
		for (unsigned int j = 0; j < BH_BURST; j += 2)
			restore(BH_FIB_IP4, b.frame[i + j]);
	}
	return (rte_rdtsc() - begin) * 1e9 / rte_get_tsc_hz() / (FRAMES / 2);
}

static double
best_flood(void)
{
	double best = 1e9;

	for (unsigned int i = 0; i < ROUNDS; i++)
		best = RTE_MIN(best, flood_round());
	return best;
}

static void
make_flood(void)
{
	static const uint8_t ours[4] = { 192, 0, 2, 1 }, theirs[4] = { 9, 9, 9, 1 };
	struct bh_fwd_nh_copy nh = { .type = BH_NH_LOCAL };

	if (bh_fwd_nh_put(&b.t, LOCAL, &nh) < 0 || bh_fib_set(b.t.fib4, ours, 32, LOCAL) < 0)
		die("no local route");
	for (unsigned int i = 0; i < FRAMES; i++)
		make_frame(BH_FIB_IP4, i % 2 ? ours : theirs, b.frame[i]);
}

static void
measure_stack(void)
{
	struct bh_fwd_stack stack = { .punt[0] = make_ring("punt"), .inject[0] = make_ring("inject") };
	double alone, connected, flood, stopped;
	struct rte_mbuf *m;

	for (unsigned int i = 0; i < FRAMES; i++)
		make_frame(BH_FIB_IP4, (const uint8_t[]){ 9, 9, 9, 1 }, b.frame[i]);
	alone = best_of(run_router, BH_FIB_IP4);
	bh_forwarding_set_stack(b.f, &stack);
	connected = best_of(run_router, BH_FIB_IP4);
	bh_forwarding_set_stack(b.f, NULL);
	make_flood();
	flood = best_flood();
	bh_forwarding_set_stack(b.f, &stack);
	stopped = best_flood();
	bh_forwarding_set_stack(b.f, NULL);
	while (rte_ring_sc_dequeue(stack.punt[0], (void **)&m) == 0)
		rte_pktmbuf_free(m);
	printf("stack: none %5.1f ns, connected %5.1f ns (x%.2f); flooded: none %5.1f ns, "
		"stopped %5.1f ns a forwarded packet (x%.2f)\n", alone, connected,
		connected / alone, flood, stopped, stopped / flood);
}

int
main(int argc, char **argv)
{
	char *def[] = { argv[0], "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "512", "--log-level=error", "-l", "0", NULL };
	struct rte_lpm_config conf = { .max_rules = 1 << 18, .number_tbl8s = 256 };

	if (rte_eal_init(argc > 1 ? argc : (int)RTE_DIM(def) - 1, argc > 1 ? argv : def) < 0)
		die("EAL does not start");
	b.pool = rte_pktmbuf_pool_create("bench", FRAMES + 511, 0, 0, 512, SOCKET_ID_ANY);
	b.lpm = rte_lpm_create("bench", SOCKET_ID_ANY, &conf);
	if (b.pool == NULL || b.lpm == NULL || rte_pktmbuf_alloc_bulk(b.pool, b.frame, FRAMES) != 0)
		die("no memory");
	b.in = make_ring("in");
	b.out = make_ring("out");
	b.port_in = make_port("bench_in", b.in, b.in);
	b.port_out = make_port("bench_out", make_ring("idle"), b.out);
	make_router();
	measure(BH_FIB_IP4, 1);
	measure_stack(); /* by the default route */
	measure(BH_FIB_IP4, 100000);
	measure(BH_FIB_IP6, 1);
	measure(BH_FIB_IP6, 100000);
	rte_eal_cleanup();
	return 0;
}
