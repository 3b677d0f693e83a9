/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports with real vdevs (null, ring, memif): their life, their settings, their counters. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "test/unit/ports_bed.h"

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
		struct bh_port_event ev = bed_attach(i + 1, t[i].device);

		ck_assert_uint_eq(ev.ifindex, i + 1);
		ck_assert_uint_eq(ev.port, BH_PORT_NONE);
		ck_assert(!ev.detached);
		ck_assert_msg(strstr(ev.error, t[i].text) != NULL, "%s: %s", t[i].device, ev.error);
		bed_detach(i + 1);
	}
	ck_assert_uint_eq(bed.attached, 0);
	/* Out of range: ignored, and nothing breaks. */
	bed_order(BH_PORT_ATTACH, 0, NULL);
	bed_order(BH_PORT_ATTACH, BH_IF_MAX, NULL);
	ck_assert_uint_ne(bed_attach(1, "net_null0").port, BH_PORT_NONE);
}
END_TEST

START_TEST(life)
{
	struct bh_cfg_interface cfg = bed_device("net_null0");
	struct bh_port_event ev = bed_attach(7, "net_null0");
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	uint8_t own[6];

	memcpy(own, ev.mac, 6);
	ck_assert_uint_eq(ev.ifindex, 7);
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(ev.link, 1);
	ck_assert_uint_eq(ev.mtu, 1500);
	ck_assert_uint_eq(ev.rx_queues, BED_N_FWD);
	ck_assert_uint_eq(ev.tx_queues, BED_N_FWD);
	ck_assert_uint_eq(bed.attached, 1);
	ck_assert_uint_eq(bed.port, ev.port);
	ck_assert_uint_eq(bed.rxq, BED_N_FWD);
	ck_assert_uint_gt(bed.rung, 0);
	ck_assert_uint_gt(bed.woken, 0);

	/* Settings of no device do not touch it. */
	snprintf(cfg.description, sizeof(cfg.description), "x");
	cfg.flags = 0;
	bed_order(BH_PORT_ATTACH, 7, &cfg);
	ev = bed_event();
	ck_assert_uint_eq(ev.link, 1);
	ck_assert_uint_eq(bed.attached, 1);
	ck_assert_uint_eq(bed.detached, 0);

	/* Others start it again: queues, MTU (with larger buffers), MAC. */
	cfg.rx_queues = 3;
	cfg.mtu = 9000;
	memcpy(cfg.mac, mac, 6);
	bed_order(BH_PORT_ATTACH, 7, &cfg);
	ev = bed_event();
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(ev.mtu, 9000);
	ck_assert_uint_eq(ev.rx_queues, 3);
	ck_assert_mem_eq(ev.mac, mac, 6);
	ck_assert_uint_eq(bed.attached, 2);
	ck_assert_uint_eq(bed.detached, 1);

	/* Without a configured MAC address the device has its own again. */
	memset(cfg.mac, 0, 6);
	bed_order(BH_PORT_ATTACH, 7, &cfg);
	ev = bed_event();
	ck_assert_mem_eq(ev.mac, own, 6);

	/* Another device under the same interface. */
	cfg = bed_device("net_ring0");
	bed_order(BH_PORT_ATTACH, 7, &cfg);
	ev = bed_event();
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 1);
	ck_assert(!rte_is_zero_ether_addr((struct rte_ether_addr *)ev.mac));
	bed_detach(7);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
}
END_TEST

START_TEST(limits)
{
	struct bh_cfg_interface cfg = bed_device("net_null0");
	struct bh_port_event ev;

	cfg.mtu = 20000;
	bed_order(BH_PORT_ATTACH, 1, &cfg);
	ev = bed_event();
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "mtu 20000"));
	cfg = bed_device("net_ring0");
	cfg.rx_queues = 64;
	bed_order(BH_PORT_ATTACH, 1, &cfg);
	ev = bed_event();
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "queues: the device has 16"));
	cfg.rx_queues = 1;
	bed_order(BH_PORT_ATTACH, 1, &cfg);
	ev = bed_event();
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_eq(ev.rx_queues, 1);
}
END_TEST

START_TEST(one_device_twice)
{
	struct bh_port_event ev = bed_attach(1, "net_null0");

	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
	ev = bed_attach(2, "net_null0");
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "used by interface if1"));
	/* Free again: the second one takes it by itself. */
	bed_detach(1);
	ev = bed_event();
	ck_assert_uint_eq(ev.ifindex, 2);
	ck_assert_str_eq(ev.error, "");
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
}
END_TEST

START_TEST(counters)
{
	struct rte_mbuf *m = NULL;
	struct bh_port_event ev = bed_attach(3, "net_ring0");
	uint64_t end = rte_rdtsc() + BED_WAIT_S * rte_get_tsc_hz();
	int timeout;

	ck_assert_str_eq(ev.error, "");
	m = rte_pktmbuf_alloc(bed.ports->pool);
	ck_assert_ptr_nonnull(m);
	rte_pktmbuf_append(m, 64);
	ck_assert_uint_eq(rte_eth_tx_burst(ev.port, 0, &m, 1), 1);
	while (bh_read(&bed.stats->dev[3].opackets) == 0) {
		if (rte_rdtsc() > end)
			ck_abort_msg("counters were not read");
		bh_ports_poll(bed.ports, &timeout);
		if (timeout < 0 || timeout > 101)
			ck_abort_msg("timeout %d", timeout);
	}
	ck_assert_uint_eq(bh_read(&bed.stats->dev[3].opackets), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(ev.port, 0, &m, 1), 1);
	rte_pktmbuf_free(m);
	bed_detach(3);
	ck_assert_uint_eq(bh_read(&bed.stats->dev[3].opackets), 0);
	bh_ports_poll(bed.ports, &timeout);
	ck_assert_int_eq(timeout, -1);
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
#define NULL_LEAK (2 * BED_N_FWD)

START_TEST(attach_again)
{
	unsigned int fds = 0, allocs = 0, port = 0;

	for (int i = 0; i < 21; i++) {
		struct bh_port_event ev = bed_attach(1, "net_null0");

		ck_assert_str_eq(ev.error, "");
		ck_assert_str_eq(bed_attach(2, "net_null1,copy=1").error, "");
		bed_detach(1);
		bed_detach(2);
		if (i == 0) {
			fds = open_fds();
			allocs = allocations();
			port = ev.port;
		}
		ck_assert_uint_eq(ev.port, port);
	}
	ck_assert_uint_eq(open_fds(), fds);
	ck_assert_uint_le(allocations(), allocs + 20 * 2 * NULL_LEAK);
	ck_assert_uint_eq(rte_mempool_avail_count(bed.ports->pool), BED_MBUFS);
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
	ev = bed_attach(2, client);
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "nobody listens"));
	ev = bed_attach(1, server);
	ck_assert_str_eq(ev.error, "");
	for (int up = 0; up != 3;) {
		ev = bed_event();
		up |= ev.link ? ev.ifindex : 0;
	}
	bed_detach(1);
	do
		ev = bed_event();
	while (ev.ifindex != 2 || ev.link);
	ev = bed_attach(1, server);
	while (ev.ifindex != 2 || !ev.link)
		ev = bed_event();
	bed_detach(2);
	bed_detach(1);
	ck_assert_int_eq(rmdir(sdir), 0);
}
END_TEST

int
main(void)
{
	const TTest *tests[] = {
		bad_devices, life, limits, one_device_twice, attach_again, memif_peers,
		counters,
	};

	return bed_main("ports", tests, RTE_DIM(tests));
}
