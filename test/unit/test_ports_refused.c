/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports when forwarding does not take them or does not let go, and when rings are full. */
#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

#include "test/unit/ports_bed.h"

START_TEST(forwarding_refuses)
{
	struct bh_port_event ev;
	int timeout;

	bed.attach_ret = -ENOSPC;
	ev = bed_attach(1, "net_null0");
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "forwarding does not take it"));
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
	bed.attach_ret = 0;
	ev = bed_attach(1, "net_null0");
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);

	/* A hung lcore: the port is neither stopped nor answered for until it lets go. */
	bed.detach_ret = -ETIMEDOUT;
	bed_order(BH_PORT_DETACH, 1, NULL);
	ck_assert(bh_ports_poll(bed.ports, &timeout));
	ck_assert_uint_eq(rte_ring_count(bh_ports_events(bed.ports)), 0);
	ck_assert(bed.ports->port[1].started);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 1);
	bed.detach_ret = 0;
	ev = bed_event();
	ck_assert(ev.detached);
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 0);
}
END_TEST

/* A hung lcore may poll the port all the same: it is detached before it is started anew. */
START_TEST(attach_times_out)
{
	struct bh_port_event ev;

	bed.attach_ret = -ETIMEDOUT;
	ev = bed_attach(1, "net_null0");
	ck_assert_uint_eq(ev.port, BH_PORT_NONE);
	ck_assert_ptr_nonnull(strstr(ev.error, "forwarding does not take it"));
	ck_assert_uint_eq(rte_eth_dev_count_avail(), 1);
	ck_assert_uint_eq(bed.detached, 0);
	bed.attach_ret = 0;
	ev = bed_event(); /* of the next try, a second later */
	ck_assert_uint_ne(ev.port, BH_PORT_NONE);
	ck_assert_uint_eq(bed.detached, 1);
	ck_assert_uint_eq(bed.attached, 2);
	bed_detach(1);
	ck_assert_uint_eq(bed.detached, 2);
}
END_TEST

START_TEST(full_event_ring)
{
	struct bh_cfg_interface cfg = bed_device("net_null0");
	unsigned int size = rte_ring_get_capacity(bh_ports_events(bed.ports)), n = 0;
	struct bh_port_event ev;
	int timeout;

	for (unsigned int i = 0; i < size + 5; i++) {
		bed_order(BH_PORT_ATTACH, 1, &cfg);
		ck_assert(bh_ports_poll(bed.ports, &timeout));
	}
	ck_assert_uint_eq(rte_ring_count(bh_ports_events(bed.ports)), size);
	bed_order(BH_PORT_DETACH, 1, NULL);
	bh_ports_poll(bed.ports, &timeout);
	do {
		ev = bed_event();
		n++;
	} while (!ev.detached);
	ck_assert_uint_eq(n, size + 1);
}
END_TEST

START_TEST(full_order_ring)
{
	struct bh_port_order o = { .kind = BH_PORT_DETACH, .ifindex = 1 };
	unsigned int n = 0;

	while (!bh_ports_order(bed.ports, &o))
		n++;
	ck_assert_uint_eq(n, rte_ring_get_capacity(bed.ports->orders));
	ck_assert_int_eq(bh_ports_order(bed.ports, &o), -EAGAIN);
	bed_event();
	ck_assert_int_eq(bh_ports_order(bed.ports, &o), 0);
}
END_TEST

int
main(void)
{
	const TTest *tests[] = {
		forwarding_refuses, attach_times_out, full_event_ring, full_order_ring,
	};

	return bed_main("ports refused", tests, RTE_DIM(tests));
}
