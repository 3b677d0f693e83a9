/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/fwd_util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_udp.h>

#define ETH 14

struct bed bed;

static const uint8_t client_mac[6] = { 0x02, 0xee, 0, 0, 0, 1 };

static void
mac_make(uint8_t *mac, uint8_t second, uint16_t port)
{
	const uint8_t m[6] = { 0x02, second, 0, 0, 0, port };

	memcpy(mac, m, sizeof(m));
}

/* Lcores 0 .. 4 on the CPUs that this process has, in turn. --no-shconf: EAL takes --no-huge for
 * legacy memory, which it refuses together with --in-memory. */
static void
eal_start(void)
{
	char lcores[128] = "";
	char *argv[] = { "test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
		"-m", "160", "--lcores", lcores, "--log-level=error", NULL };
	cpu_set_t set;
	unsigned int n = 0;

	sched_getaffinity(0, sizeof(set), &set);
	while (n < 5) {
		for (int cpu = 0; cpu < CPU_SETSIZE && n < 5; cpu++) {
			if (!CPU_ISSET(cpu, &set))
				continue;
			sprintf(lcores + strlen(lcores), "%s%u@%d", n ? "," : "", n, cpu);
			n++;
		}
	}
	if (rte_eal_init(RTE_DIM(argv) - 1, argv) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(1);
	}
}

static void
port_create(uint16_t i)
{
	struct rte_eth_conf conf = { 0 };
	char name[32];
	int rc;

	for (unsigned int q = 0; q < BED_QUEUES; q++) {
		snprintf(name, sizeof(name), "in_%u_%u", i, q);
		bed.in[i][q] = rte_ring_create(name, BED_RING, SOCKET_ID_ANY, RING_F_EXACT_SZ);
		snprintf(name, sizeof(name), "out_%u_%u", i, q);
		bed.out[i][q] = rte_ring_create(name, BED_RING, SOCKET_ID_ANY, RING_F_EXACT_SZ);
	}
	snprintf(name, sizeof(name), "bed%u", i);
	rc = rte_eth_from_rings(name, bed.in[i], BED_QUEUES, bed.out[i], BED_QUEUES, 0);
	if (rc < 0)
		exit(1);
	bed.port[i] = rc;
	rc = rte_eth_dev_configure(bed.port[i], BED_QUEUES, BED_QUEUES, &conf);
	for (unsigned int q = 0; q < BED_QUEUES && rc == 0; q++) {
		rc = rte_eth_rx_queue_setup(bed.port[i], q, 64, 0, NULL, bed.pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(bed.port[i], q, 64, 0, NULL);
	}
	if (rc != 0 || rte_eth_dev_start(bed.port[i]) != 0)
		exit(1);
}

int
bed_run(Suite *suite)
{
	SRunner *sr = srunner_create(suite);
	int failed;

	eal_start();
	bed.pool = rte_pktmbuf_pool_create("bed", BED_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
		SOCKET_ID_ANY);
	if (bed.pool == NULL)
		return 1;
	for (uint16_t i = 1; i <= BED_PORTS; i++)
		port_create(i);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	for (uint16_t i = 1; i <= BED_PORTS; i++) {
		rte_eth_dev_stop(bed.port[i]);
		rte_eth_dev_close(bed.port[i]);
	}
	rte_eal_cleanup();
	return failed != 0;
}

void
bed_put_if(uint16_t i, uint16_t flags, uint16_t mtu)
{
	struct bh_fwd_if_copy c = { .flags = flags, .mtu = mtu, .mtu4 = mtu, .mtu6 = mtu };

	mac_make(c.mac, 0, i);
	ck_assert_int_eq(bh_fwd_if_put(&bed.t, i, &c), 0);
}

void
bed_put_adj(uint16_t adj, uint16_t ifindex, uint8_t state)
{
	struct bh_adj_copy c = { .ifindex = ifindex, .state = state };

	if (state == BH_ADJ_RESOLVED) {
		c.hdr_len = BH_ETH_HDR;
		mac_make(c.hdr, 0xff, ifindex);
		mac_make(c.hdr + 6, 0, ifindex);
	}
	ck_assert_int_eq(bh_adj_put(&bed.t, adj, &c), 0);
}

void
bed_put_nh(uint32_t id, uint8_t type, uint8_t n, const uint16_t *adj, uint16_t ifindex)
{
	struct bh_fwd_nh_copy c = { .type = type, .n = n, .ifindex = ifindex };

	if (n != 0)
		memcpy(c.adj, adj, n * sizeof(*adj));
	ck_assert_int_eq(bh_fwd_nh_put(&bed.t, id, &c), 0);
}

static void
put_routes(void)
{
	for (uint32_t id = 1; id < BED_NH_MAX; id++) {
		uint8_t p4[4] = { 10, 0, id, 0 }, p6[16] = { 0x20, 1, 0x0d, 0xb8, 0, id };

		ck_assert_int_eq(bh_fib_set(bed.t.fib4, p4, 24, id), 0);
		ck_assert_int_eq(bh_fib_set(bed.t.fib6, p6, 48, id), 0);
	}
}

static void
put_network(void)
{
	const uint16_t all[] = { 1, 2, 3, 4 };

	for (uint16_t i = 1; i <= BED_PORTS; i++) {
		bed_put_if(i, BED_IF_ALL, BED_MTU);
		bed_put_adj(i, i, BH_ADJ_RESOLVED);
		bed_put_nh(i, BH_NH_GROUP, 1, &all[i - 1], 0);
	}
	bed_put_nh(BED_ECMP, BH_NH_GROUP, 4, all, 0);
	bed_put_nh(BED_ATTACHED, BH_NH_ATTACHED, 0, NULL, 2);
	bed_put_nh(BED_LOCAL, BH_NH_LOCAL, 0, NULL, 0);
	bed_put_nh(BED_BLACKHOLE, BH_NH_BLACKHOLE, 0, NULL, 0);
	bed_put_nh(BED_UNREACHABLE, BH_NH_UNREACHABLE, 0, NULL, 0);
	bed_put_nh(BED_PROHIBIT, BH_NH_PROHIBIT, 0, NULL, 0);
	bed_put_nh(BED_DEAD, BH_FWD_NH_DEAD, 0, NULL, 0);
	bed_put_nh(BED_EMPTY, BH_NH_GROUP, 0, NULL, 0);
	put_routes();
}

void
bed_create(unsigned int n, unsigned int first)
{
	struct bh_forwarding_conf conf = { .n_lcores = n, .socket_id = SOCKET_ID_ANY,
		.tables = &bed.t };

	ck_assert_int_eq(bh_fwd_tables_create(&bed.t, n, SOCKET_ID_ANY), 0);
	bed.stats = aligned_alloc(64, sizeof(*bed.stats));
	ck_assert_ptr_nonnull(bed.stats);
	memset(bed.stats, 0, sizeof(*bed.stats));
	memset(bed.drops, 0, sizeof(bed.drops));
	conf.stats = bed.stats;
	for (unsigned int i = 0; i < n; i++)
		conf.lcore[i] = first + i;
	bed.f = bh_forwarding_create(&conf);
	ck_assert_ptr_nonnull(bed.f);
	put_network();
}

void
bed_setup(void)
{
	bed_create(1, rte_get_main_lcore());
	for (uint16_t i = 1; i <= BED_PORTS; i++)
		ck_assert_int_eq(bh_forwarding_attach(bed.f, i, bed.port[i], 1, 1), 0);
}

void
bed_teardown(void)
{
	struct rte_mbuf *m;

	bh_forwarding_destroy(bed.f);
	bh_fwd_tables_destroy(&bed.t);
	free(bed.stats);
	for (uint16_t i = 1; i <= BED_PORTS; i++) {
		for (uint16_t q = 0; q < BED_QUEUES; q++) {
			while (rte_ring_dequeue(bed.in[i][q], (void **)&m) == 0)
				rte_pktmbuf_free(m);
			while ((m = bed_take(i, q)) != NULL)
				rte_pktmbuf_free(m);
		}
	}
	ck_assert_uint_eq(rte_mempool_avail_count(bed.pool), BED_MBUFS);
}

static uint8_t *
frame_eth(struct frame *f, uint16_t type)
{
	memset(f, 0, sizeof(*f));
	mac_make(f->b, 0, 1);
	memcpy(f->b + 6, client_mac, 6);
	f->b[12] = type >> 8;
	f->b[13] = type;
	return f->b + ETH;
}

static void
put_udp(uint8_t *p, unsigned int payload)
{
	struct rte_udp_hdr udp = { htons(1000), htons(2000), htons(8 + payload), htons(0x1234) };

	memcpy(p, &udp, sizeof(udp));
	for (unsigned int i = 0; i < payload; i++)
		p[8 + i] = i;
}

struct rte_ipv4_hdr *
frame_hdr4(struct frame *f)
{
	return (struct rte_ipv4_hdr *)(f->b + ETH);
}

struct rte_ipv6_hdr *
frame_hdr6(struct frame *f)
{
	return (struct rte_ipv6_hdr *)(f->b + ETH);
}

void
frame_sum4(struct frame *f)
{
	unsigned int len = (f->b[ETH] & 0xf) * 4;
	uint32_t sum = 0;

	f->b[ETH + 10] = f->b[ETH + 11] = 0;
	for (unsigned int i = 0; i < len; i += 2)
		sum += f->b[ETH + i] << 8 | f->b[ETH + i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum;
	f->b[ETH + 10] = sum >> 8;
	f->b[ETH + 11] = sum;
}

void
frame_ip4(struct frame *f, uint32_t src, uint32_t dst, unsigned int payload)
{
	struct rte_ipv4_hdr ip = { .version_ihl = 0x45, .time_to_live = 64,
		.next_proto_id = IPPROTO_UDP, .total_length = htons(28 + payload),
		.packet_id = htons(7), .src_addr = htonl(src), .dst_addr = htonl(dst) };
	uint8_t *p = frame_eth(f, 0x0800);

	memcpy(p, &ip, sizeof(ip));
	put_udp(p + sizeof(ip), payload);
	f->len = ETH + 28 + payload;
	frame_sum4(f);
}

void
frame_ip6(struct frame *f, const char *src, const char *dst, unsigned int payload)
{
	struct rte_ipv6_hdr ip = { .vtc_flow = htonl(0x60012345), .payload_len = htons(8 + payload),
		.proto = IPPROTO_UDP, .hop_limits = 64 };
	uint8_t *p = frame_eth(f, 0x86dd);

	ck_assert_int_eq(inet_pton(AF_INET6, src, ip.src_addr), 1);
	ck_assert_int_eq(inet_pton(AF_INET6, dst, ip.dst_addr), 1);
	memcpy(p, &ip, sizeof(ip));
	put_udp(p + sizeof(ip), payload);
	f->len = ETH + 48 + payload;
}

void
frame_to4(struct frame *f, uint8_t nh)
{
	frame_ip4(f, IP4(192, 0, 2, 1), IP4(10, 0, nh, 9), 100);
}

void
frame_to6(struct frame *f, uint8_t nh)
{
	char dst[64];

	snprintf(dst, sizeof(dst), "2001:db8:%x::9", nh);
	frame_ip6(f, "2001:db8:ffff::1", dst, 100);
}

void
frame_hop(struct frame *f, uint16_t port)
{
	mac_make(f->b, 0xff, port);
	mac_make(f->b + 6, 0, port);
	if (f->b[12] == 0x08) {
		f->b[ETH + 8]--;
		frame_sum4(f);
	} else {
		f->b[ETH + 7]--;
	}
}

static struct rte_mbuf *
segment(const uint8_t *b, unsigned int len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);

	ck_assert_ptr_nonnull(m);
	memcpy(rte_pktmbuf_append(m, len), b, len);
	return m;
}

void
bed_inject_seg(const struct frame *f, uint16_t port, uint16_t queue, unsigned int seg)
{
	unsigned int first = seg == 0 || seg > f->len ? f->len : seg, len;
	struct rte_mbuf *m = segment(f->b, first);

	for (unsigned int off = first; off < f->len; off += len) {
		len = RTE_MIN(seg, f->len - off);
		ck_assert_int_eq(rte_pktmbuf_chain(m, segment(f->b + off, len)), 0);
	}
	ck_assert_int_eq(rte_ring_enqueue(bed.in[port][queue], m), 0);
}

void
bed_inject(const struct frame *f, uint16_t port)
{
	bed_inject_seg(f, port, 0, 0);
}

unsigned int
bed_turn_of(unsigned int index)
{
	struct rte_rcu_qsbr *v = bed.t.qsbr;
	unsigned int n;

	rte_rcu_qsbr_thread_register(v, index);
	rte_rcu_qsbr_thread_online(v, index);
	n = bh_fwd_turn(bed.f->lcore[index]);
	rte_rcu_qsbr_thread_offline(v, index);
	return n;
}

unsigned int
bed_turn(void)
{
	return bed_turn_of(0);
}

struct rte_mbuf *
bed_take(uint16_t port, uint16_t queue)
{
	struct rte_mbuf *m;

	return rte_ring_dequeue(bed.out[port][queue], (void **)&m) == 0 ? m : NULL;
}

unsigned int
bed_count(uint16_t port)
{
	struct rte_mbuf *m;
	unsigned int n = 0;

	for (; (m = bed_take(port, 0)) != NULL; n++)
		rte_pktmbuf_free(m);
	return n;
}

void
bed_check_drops(enum bh_drop why, uint64_t n)
{
	for (unsigned int d = 0; d < BH_DROP_MAX; d++) {
		uint64_t sum = 0;

		for (unsigned int i = 0; i < bed.f->n; i++)
			sum += bh_read(&bed.stats->fwd[i].drop[d]);
		ck_assert_msg(sum - bed.drops[d] == (d == why ? n : 0), "%s: %lu, expected %s: %lu",
			bh_drop_name(d), sum - bed.drops[d], why < BH_DROP_MAX ? bh_drop_name(why) :
			"no drop", n);
		bed.drops[d] = sum;
	}
}

void
bed_check_no_mbuf_lost(void)
{
	ck_assert_uint_eq(rte_mempool_avail_count(bed.pool), BED_MBUFS);
}

static void
check_nothing_sent(void)
{
	for (uint16_t i = 1; i <= BED_PORTS; i++)
		ck_assert_uint_eq(bed_count(i), 0);
}

void
bed_expect_out(const struct frame *in, uint16_t port, const struct frame *out)
{
	struct rte_mbuf *m;
	uint8_t copy[4096];
	const void *data;

	bed_inject(in, 1);
	ck_assert_uint_eq(bed_turn(), 1);
	bed_check_drops(BH_DROP_MAX, 0);
	m = bed_take(port, 0);
	ck_assert_msg(m != NULL, "no frame from port %u", port);
	ck_assert_uint_eq(m->pkt_len, out->len);
	data = rte_pktmbuf_read(m, 0, out->len, copy);
	ck_assert_mem_eq(data, out->b, out->len);
	rte_pktmbuf_free(m);
	check_nothing_sent();
	bed_check_no_mbuf_lost();
}

void
bed_expect_hop(const struct frame *in, uint16_t port)
{
	struct frame out = *in;

	frame_hop(&out, port);
	bed_expect_out(in, port, &out);
}

void
bed_expect_drop(const struct frame *in, enum bh_drop why)
{
	const struct bh_stats_if *stats = &bed.stats->fwd[0].ifs[1];
	uint64_t drops = bh_read(&stats->rx_drops);

	bed_inject(in, 1);
	ck_assert_uint_eq(bed_turn(), 1);
	bed_check_drops(why, 1);
	ck_assert_uint_eq(bh_read(&stats->rx_drops) - drops, 1);
	check_nothing_sent();
	bed_check_no_mbuf_lost();
}
