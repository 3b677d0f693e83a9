/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port manager with real vdevs (null, ring, memif) and a forwarding and link worker of this
 * bed's own, which only note what they are told.
 */
#ifndef TEST_PORTS_BED_H
#define TEST_PORTS_BED_H

#include <check.h>

#include "app/core/ports_priv.h"
#include "lib/stats/stats.h"

#define BED_MBUFS 4096
#define BED_N_FWD 2
#define BED_WAIT_S 10

/* What the fakes saw and how they shall answer; anew for each test, but for the statistics. */
struct ports_bed {
	struct bh_stats *stats;
	struct bh_ports *ports;
	unsigned int attached, detached, rung, woken;
	uint16_t ifindex, port, rxq, txq;
	int attach_ret, detach_ret;
};

extern struct ports_bed bed;

/* An order to the manager. cfg may be NULL. */
void bed_order(uint8_t kind, uint16_t ifindex, const struct bh_cfg_interface *cfg);
/* The settings of an enabled interface with this device. */
struct bh_cfg_interface bed_device(const char *text);
/* The next event, for which the manager is turned up to 10 s. */
struct bh_port_event bed_event(void);
/* Both orders with what follows; a device is detached when it is told. */
struct bh_port_event bed_attach(uint16_t ifindex, const char *text);
void bed_detach(uint16_t ifindex);

/* EAL, the tests, each with a manager of its own, in this process. The exit status. */
int bed_main(const char *name, const TTest *const *tests, size_t n);

#endif
