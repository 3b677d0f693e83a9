/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port manager with real vdevs (null, ring, memif) and a forwarding and link worker of this
 * test's own, which only note what they are told.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "app/core/ports_priv.h"
#include "infobase/worker.h"
#include "lib/log/log.h"
#include "lib/stats/stats.h"

#define MBUFS 4096
#define N_FWD 2
#define WAIT_S 10

static struct bh_stats *stats;
static struct bh_ports *ports;

/* What the fakes saw and how they shall answer. */
static struct {
	unsigned int attached, detached, rung, woken;
	uint16_t ifindex, port, rxq, txq;
	int attach_ret, detach_ret;
} seen;

int
bh_forwarding_attach(struct bh_forwarding *f, uint16_t ifindex, uint16_t port_id, uint16_t n_rxq,
	uint16_t n_txq)
{
	(void)f;
	seen.attached++;
	seen.ifindex = ifindex;
	seen.port = port_id;
	seen.rxq = n_rxq;
	seen.txq = n_txq;
	return seen.attach_ret;
}

int
bh_forwarding_detach(struct bh_forwarding *f, uint16_t ifindex)
{
	(void)f;
	seen.detached += seen.detach_ret == 0;
	seen.ifindex = ifindex;
	return seen.detach_ret;
}

void
bh_bell_ring(struct bh_bell *bell)
{
	(void)bell;
	seen.rung++;
}

void
bh_worker_wake(struct bh_worker *w)
{
	(void)w;
	seen.woken++;
}

static void
setup(void)
{
	struct bh_ports_conf conf = { .stats = stats, .n_fwd = N_FWD, .mbufs = MBUFS,
		.socket_id = 0 };

	memset(&seen, 0, sizeof(seen));
	ports = bh_ports_create(&conf);
	ck_assert_ptr_nonnull(ports);
	bh_ports_set_worker(ports, (struct bh_worker *)&seen);
}

static void
teardown(void)
{
	bh_ports_destroy(ports);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
}

static void
order(uint8_t kind, uint16_t ifindex, const struct bh_cfg_interface *cfg)
{
	struct bh_port_order o = { .kind = kind, .ifindex = ifindex };

	if (cfg)
		o.cfg = *cfg;
	snprintf(o.name, sizeof(o.name), "if%u", ifindex);
	ck_assert_int_eq(bh_ports_order(ports, &o), 0);
}

static struct bh_cfg_interface
device(const char *text)
{
	struct bh_cfg_interface cfg = { .flags = BH_IF_ENABLED };

	snprintf(cfg.device, sizeof(cfg.device), "%s", text);
	return cfg;
}

/* The next event, for which the manager is turned up to 10 s. */
static struct bh_port_event
event(void)
{
	uint64_t end = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();
	struct bh_port_event ev;
	int timeout;
	void *obj;

	while (rte_ring_dequeue(bh_ports_events(ports), &obj)) {
		if (rte_rdtsc() > end)
			ck_abort_msg("no event came");
		bh_ports_poll(ports, &timeout);
	}
	ev = *(struct bh_port_event *)obj;
	rte_free(obj);
	return ev;
}

static struct bh_port_event
attach(uint16_t ifindex, const char *text)
{
	struct bh_cfg_interface cfg = device(text);

	order(BH_PORT_ATTACH, ifindex, &cfg);
	return event();
}

static void
detach(uint16_t ifindex)
{
	struct bh_port_event ev;

	order(BH_PORT_DETACH, ifindex, NULL);
	do
		ev = event();
	while (!ev.detached);
	ck_assert_uint_eq(ev.ifindex, ifindex);
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
}

START_TEST(bad_devices)
{
	static const struct {
		const char *device, *text;
	} t[] = {
		{ "net_nosuch0", "no such driver" },
		{ "bus=pci", "not a PCI address" },
		{ "crypto_null0", "not a PCI address" },
		{ "ffff:1f:1f.7", "no such PCI device" },
		{ "net_memif9,role=nonsense", "see role=" },
		{ "net_af_packet9", "net_af_packet9: " },
		{ "net_af_packet9,iface=bhnosuch0", "net_af_packet9: " },
	};

	for (size_t i = 0; i < RTE_DIM(t); i++) {
		struct bh_port_event ev = attach(i + 1, t[i].device);

		ck_assert_uint_eq(ev.ifindex, i + 1);
		ck_assert_uint_eq(ev.port, BH_PORT_NONE);
		ck_assert(!ev.detached);
		ck_assert_msg(strstr(ev.error, t[i].text) != NULL, "%s: %s", t[i].device, ev.error);
		detach(i + 1);
	}
	ck_assert_uint_eq(seen.attached, 0);
	/* Out of range: ignored, and nothing breaks. */
	order(BH_PORT_ATTACH, 0, NULL);
	order(BH_PORT_ATTACH, BH_IF_MAX, NULL);
	ck_assert_uint_ne(attach(1, "net_null0").port, BH_PORT_NONE);
}
END_TEST

START_TEST(life)
{
	struct bh_cfg_interface cfg = device("net_null0");
	struct bh_port_event ev = attach(7, "net_null0");
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	uint8_t own[6];

	memcpy(own, ev.mac, 6);
	ck_assert_uint_eq(ev.ifindex, 7);
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(ev.link, 1);
	ck_assert_uint_eq(ev.mtu, 1500);
	ck_assert_uint_eq(ev.rx_queues, N_FWD);
	ck_assert_uint_eq(ev.tx_queues, N_FWD);
	ck_assert_uint_eq(seen.attached, 1);
	ck_assert_uint_eq(seen.port, ev.port);
	ck_assert_uint_eq(seen.rxq, N_FWD);
	ck_assert_uint_gt(seen.rung, 0);
	ck_assert_uint_gt(seen.woken, 0);

	/* Settings of no device do not touch it. */
	snprintf(cfg.description, sizeof(cfg.description), "x");
	cfg.flags = 0;
	order(BH_PORT_ATTACH, 7, &cfg);
	ev = event();
	ck_assert_uint_eq(ev.link, 1);
	ck_assert_uint_eq(seen.attached, 1);
	ck_assert_uint_eq(seen.detached, 0);

	/* Others start it again: queues, MTU (with larger buffers), MAC. */
	cfg.rx_queues = 3;
	cfg.mtu = 9000;
	memcpy(cfg.mac, mac, 6);
	order(BH_PORT_ATTACH, 7, &cfg);
	ev = event();
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(ev.mtu, 9000);
	ck_assert_uint_eq(ev.rx_queues, 3);
	ck_assert_mem_eq(ev.mac, mac, 6);
	ck_assert_uint_eq(seen.attached, 2);
	ck_assert_uint_eq(seen.detached, 1);

	/* Without a configured MAC address the device has its own again. */
	memset(cfg.mac, 0, 6);
	order(BH_PORT_ATTACH, 7, &cfg);
	ev = event();
	ck_assert_mem_eq(ev.mac, own, 6);

	/* Another device under the same interface. */
	cfg = device("net_ring0");
	order(BH_PORT_ATTACH, 7, &cfg);
	ev = event();
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 1);
	ck_assert(!rte_is_zero_ether_addr((struct rte_ether_addr *)ev.mac));
	detach(7);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
}
END_TEST

START_TEST(limits)
{
	struct bh_cfg_interface cfg = device("net_null0");
	struct bh_port_event ev;

	cfg.mtu = 20000;
	order(BH_PORT_ATTACH, 1, &cfg);
	ev = event();
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "mtu 20000"));
	cfg = device("net_ring0");
	cfg.rx_queues = 64;
	order(BH_PORT_ATTACH, 1, &cfg);
	ev = event();
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "queues: the device has 16"));
	cfg.rx_queues = 1;
	order(BH_PORT_ATTACH, 1, &cfg);
	ev = event();
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(ev.rx_queues, 1);
}
END_TEST

START_TEST(one_device_twice)
{
	struct bh_port_event ev = attach(1, "net_null0");

	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
	ev = attach(2, "net_null0");
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "used by interface if1"));
	/* Free again: the second one takes it by itself. */
	detach(1);
	ev = event();
	ck_assert_uint_eq(ev.ifindex, 2);
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
}
END_TEST

START_TEST(forwarding_refuses)
{
	struct bh_port_event ev;
	int timeout;

	seen.attach_ret = -ENOSPC;
	ev = attach(1, "net_null0");
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "forwarding does not take it"));
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
	seen.attach_ret = 0;
	ev = attach(1, "net_null0");
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);

	/* A hung lcore: the port is neither stopped nor answered for until it lets go. */
	seen.detach_ret = -ETIMEDOUT;
	order(BH_PORT_DETACH, 1, NULL);
	ck_assert(bh_ports_poll(ports, &timeout));
	ck_assert_uint_eq(rte_ring_count(bh_ports_events(ports)), 0);
	ck_assert(ports->port[1].started);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 1);
	seen.detach_ret = 0;
	ev = event();
	ck_assert(ev.detached);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
}
END_TEST

/* A hung lcore may poll the port all the same: it is detached before it is started anew. */
START_TEST(attach_times_out)
{
	struct bh_port_event ev;

	seen.attach_ret = -ETIMEDOUT;
	ev = attach(1, "net_null0");
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "forwarding does not take it"));
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 1);
	ck_assert_uint_eq(seen.detached, 0);
	seen.attach_ret = 0;
	ev = event(); /* of the next try, a second later */
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
	ck_assert_uint_eq(seen.detached, 1);
	ck_assert_uint_eq(seen.attached, 2);
	detach(1);
	ck_assert_uint_eq(seen.detached, 2);
}
END_TEST

START_TEST(full_event_ring)
{
	struct bh_cfg_interface cfg = device("net_null0");
	unsigned int size = rte_ring_get_capacity(bh_ports_events(ports)), n = 0;
	struct bh_port_event ev;
	int timeout;

	for (unsigned int i = 0; i < size + 5; i++) {
		order(BH_PORT_ATTACH, 1, &cfg);
		ck_assert(bh_ports_poll(ports, &timeout));
	}
	ck_assert_uint_eq(rte_ring_count(bh_ports_events(ports)), size);
	order(BH_PORT_DETACH, 1, NULL);
	bh_ports_poll(ports, &timeout);
	do {
		ev = event();
		n++;
	} while (!ev.detached);
	ck_assert_uint_eq(n, size + 1);
}
END_TEST

START_TEST(full_order_ring)
{
	struct bh_port_order o = { .kind = BH_PORT_DETACH, .ifindex = 1 };
	unsigned int n = 0;

	while (!bh_ports_order(ports, &o))
		n++;
	ck_assert_uint_eq(n, rte_ring_get_capacity(ports->orders));
	ck_assert_int_eq(bh_ports_order(ports, &o), -EAGAIN);
	event();
	ck_assert_int_eq(bh_ports_order(ports, &o), 0);
}
END_TEST

static unsigned int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static unsigned int
allocations(void)
{
	struct rte_malloc_socket_stats st;

	ck_assert_int_eq(rte_malloc_get_socket_stats(0, &st), 0);
	return st.alloc_count;
}

/* net_null leaves one small allocation a queue behind when it is closed, net_memif and net_ring
 * more: so the sum of heap allocations may grow by that and nothing else. */
#define NULL_LEAK (2 * N_FWD)

START_TEST(attach_again)
{
	unsigned int fds = 0, allocs = 0, port = 0;

	for (int i = 0; i < 21; i++) {
		struct bh_port_event ev = attach(1, "net_null0");

		ck_assert_str_eq(ev.error, "");
		ck_assert_str_eq(attach(2, "net_null1,copy=1").error, "");
		detach(1);
		detach(2);
		if (i == 0) {
			fds = open_fds();
			allocs = allocations();
			port = ev.port;
		}
		ck_assert_uint_eq(ev.port, port);
	}
	ck_assert_uint_eq(open_fds(), fds);
	ck_assert_uint_le(allocations(), allocs + 20 * 2 * NULL_LEAK);
	ck_assert_uint_eq(rte_mempool_avail_count(ports->pool), MBUFS);
}
END_TEST

#define SOCKET ",socket-abstract=no,socket="

/* A memif server and its client (of another path to the socket: net_memif keeps one role a path in
 * a process): the client waits for the server, loses it, finds it again. */
START_TEST(memif_peers)
{
	char sdir[] = "/tmp/bh_test_ports.XXXXXX", server[160], client[160];
	struct bh_port_event ev;

	ck_assert_ptr_nonnull(mkdtemp(sdir));
	snprintf(server, sizeof(server), "net_memif0,role=server" SOCKET "%s/s", sdir);
	snprintf(client, sizeof(client), "net_memif1,role=client" SOCKET "%s/./s", sdir);
	ev = attach(2, client);
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "nobody listens"));
	ev = attach(1, server);
	ck_assert_str_eq(ev.error, "");
	for (int up = 0; up != 3;) {
		ev = event();
		up |= ev.link ? ev.ifindex : 0;
	}
	detach(1);
	do
		ev = event();
	while (ev.ifindex != 2 || ev.link);
	ev = attach(1, server);
	while (ev.ifindex != 2 || !ev.link)
		ev = event();
	detach(2);
	detach(1);
	ck_assert_int_eq(rmdir(sdir), 0);
}
END_TEST

START_TEST(counters)
{
	struct rte_mbuf *m = NULL;
	struct bh_port_event ev = attach(3, "net_ring0");
	uint64_t end = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();
	int timeout;

	ck_assert_str_eq(ev.error, "");
	m = rte_pktmbuf_alloc(ports->pool);
	ck_assert_ptr_nonnull(m);
	rte_pktmbuf_append(m, 64);
	ck_assert_uint_eq(rte_eth_tx_burst(ev.port, 0, &m, 1), 1);
	while (bh_read(&stats->dev[3].opackets) == 0) {
		if (rte_rdtsc() > end)
			ck_abort_msg("counters were not read");
		bh_ports_poll(ports, &timeout);
		if (timeout < 0 || timeout > 101)
			ck_abort_msg("timeout %d", timeout);
	}
	ck_assert_uint_eq(bh_read(&stats->dev[3].opackets), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(ev.port, 0, &m, 1), 1);
	rte_pktmbuf_free(m);
	detach(3);
	ck_assert_uint_eq(bh_read(&stats->dev[3].opackets), 0);
	bh_ports_poll(ports, &timeout);
	ck_assert_int_eq(timeout, -1);
}
END_TEST

int
main(void)
{
	char *argv[] = { (char *)"test_ports", (char *)"--no-huge", (char *)"--no-shconf",
		(char *)"--no-pci", (char *)"--no-telemetry", (char *)"-m", (char *)"128",
		(char *)"--lcores", (char *)"0@0", (char *)"--log-level", (char *)"critical" };
	TCase *life_cycle = tcase_create("life");
	Suite *s = suite_create("ports");
	SRunner *sr;
	int failed;

	bh_log_init("test_ports", BH_LOG_ERR);
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return 1;
	stats = calloc(1, sizeof(*stats));
	tcase_set_timeout(life_cycle, 30);
	tcase_add_checked_fixture(life_cycle, setup, teardown);
	tcase_add_test(life_cycle, bad_devices);
	tcase_add_test(life_cycle, life);
	tcase_add_test(life_cycle, limits);
	tcase_add_test(life_cycle, one_device_twice);
	tcase_add_test(life_cycle, forwarding_refuses);
	tcase_add_test(life_cycle, attach_times_out);
	tcase_add_test(life_cycle, full_event_ring);
	tcase_add_test(life_cycle, full_order_ring);
	tcase_add_test(life_cycle, attach_again);
	tcase_add_test(life_cycle, memif_peers);
	tcase_add_test(life_cycle, counters);
	suite_add_tcase(s, life_cycle);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	free(stats);
	rte_eal_cleanup();
	return failed ? 1 : 0;
}
