/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/ports_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "infobase/worker.h"
#include "lib/log/log.h"

struct ports_bed bed;

int
bh_forwarding_attach(struct bh_forwarding *f, uint16_t ifindex, uint16_t port_id, uint16_t n_rxq,
	uint16_t n_txq)
{
	(void)f;
	bed.attached++;
	bed.ifindex = ifindex;
	bed.port = port_id;
	bed.rxq = n_rxq;
	bed.txq = n_txq;
	return bed.attach_ret;
}

int
bh_forwarding_detach(struct bh_forwarding *f, uint16_t ifindex)
{
	(void)f;
	bed.detached += bed.detach_ret == 0;
	bed.ifindex = ifindex;
	return bed.detach_ret;
}

void
bh_bell_ring(struct bh_bell *bell)
{
	(void)bell;
	bed.rung++;
}

void
bh_worker_wake(struct bh_worker *w)
{
	(void)w;
	bed.woken++;
}

static void
setup(void)
{
	struct bh_ports_conf conf = { .stats = bed.stats, .n_fwd = BED_N_FWD, .mbufs = BED_MBUFS,
		.socket_id = 0 };

	bed = (struct ports_bed){.stats = bed.stats};
	bed.ports = bh_ports_create(&conf);
	ck_assert_ptr_nonnull(bed.ports);
	bh_ports_set_worker(bed.ports, (struct bh_worker *)&bed);
}

static void
teardown(void)
{
	bh_ports_destroy(bed.ports);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
}

void
bed_order(uint8_t kind, uint16_t ifindex, const struct bh_cfg_interface *cfg)
{
	struct bh_port_order o = { .kind = kind, .ifindex = ifindex };

	if (cfg)
		o.cfg = *cfg;
	snprintf(o.name, sizeof(o.name), "if%u", ifindex);
	ck_assert_int_eq(bh_ports_order(bed.ports, &o), 0);
}

struct bh_cfg_interface
bed_device(const char *text)
{
	struct bh_cfg_interface cfg = { .flags = BH_IF_ENABLED };

	snprintf(cfg.device, sizeof(cfg.device), "%s", text);
	return cfg;
}

struct bh_port_event
bed_event(void)
{
	uint64_t end = rte_rdtsc() + BED_WAIT_S * rte_get_tsc_hz();
	struct bh_port_event ev;
	int timeout;
	void *obj;

	while (rte_ring_dequeue(bh_ports_events(bed.ports), &obj)) {
		if (rte_rdtsc() > end)
			ck_abort_msg("no event came");
		bh_ports_poll(bed.ports, &timeout);
	}
	ev = *(struct bh_port_event *)obj;
	rte_free(obj);
	return ev;
}

struct bh_port_event
bed_attach(uint16_t ifindex, const char *text)
{
	struct bh_cfg_interface cfg = bed_device(text);

	bed_order(BH_PORT_ATTACH, ifindex, &cfg);
	return bed_event();
}

void
bed_detach(uint16_t ifindex)
{
	struct bh_port_event ev;

	bed_order(BH_PORT_DETACH, ifindex, NULL);
	do
		ev = bed_event();
	while (!ev.detached);
	ck_assert_uint_eq(ev.ifindex, ifindex);
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
}

int
bed_main(const char *name, const TTest *const *tests, size_t n)
{
	char *argv[] = { (char *)name, (char *)"--no-huge", (char *)"--no-shconf",
		(char *)"--no-pci", (char *)"--no-telemetry", (char *)"-m", (char *)"128",
		(char *)"--lcores", (char *)"0@0", (char *)"--log-level", (char *)"critical" };
	TCase *tc = tcase_create(name);
	Suite *s = suite_create(name);
	SRunner *sr;
	int failed;

	bh_log_init(name, BH_LOG_ERR);
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return 1;
	bed.stats = calloc(1, sizeof(*bed.stats));
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	free(bed.stats);
	rte_eal_cleanup();
	return failed ? 1 : 0;
}
