/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port manager: everything that ethdev does slowly (probe, configure, start, stop, link
 * state, device counters), on the EAL main lcore, so that neither the info base nor forwarding
 * ever waits for a device. The link worker orders by a ring and is answered by a ring.
 *
 * Orders carry the whole wanted state of a port. One that is overtaken by a newer one is done
 * anyway, in order.
 */
#ifndef BH_CORE_PORTS_H
#define BH_CORE_PORTS_H

#include <stdint.h>

#include <rte_ring.h>

#include "app/core/bell.h"
#include "app/forwarding/forwarding.h"
#include "infobase/infobase.h"

enum bh_port_order_kind {
	BH_PORT_ATTACH, /* probe the device, configure, start; a change of settings re-starts it */
	BH_PORT_DETACH, /* take out of forwarding, stop, close, remove the device */
};

struct bh_port_order { /* link worker -> port manager */
	uint8_t kind;
	uint16_t ifindex;
	struct bh_cfg_interface cfg;
	char name[BH_NAME_LEN];
};

struct bh_port_event { /* port manager -> link worker */
	uint16_t ifindex;
	uint16_t port;	     /* UINT16_MAX: not present */
	uint8_t link;	     /* 1 up */
	uint8_t detached;    /* answer to DETACH: the ifindex may be used again */
	uint8_t mac[6];
	uint16_t mtu, max_mtu;
	uint16_t rx_queues, tx_queues;
	uint32_t speed;
	char error[96];	     /* with UINT16_MAX: what is wrong and what to do */
};

struct bh_ports;

struct bh_ports_conf {
	struct bh_forwarding *fwd;
	struct bh_stats *stats;
	unsigned int n_fwd;
	uint32_t mbufs;
	int socket_id;
	struct bh_bell *bell; /* of the main lcore: rung with each order */
};

struct bh_ports *bh_ports_create(const struct bh_ports_conf *conf); /* NULL and errno */

/* Stops and closes every port. EAL main lcore, after forwarding has stopped or detached. */
void bh_ports_destroy(struct bh_ports *p);

/* Main lcore's turn: takes orders, polls link states (every 100 ms) and device counters (every
 * second). True when there was work; ms until the next turn is due in *timeout. */
bool bh_ports_poll(struct bh_ports *p, int *timeout);

/* Link worker: hands over an order (copied). -EAGAIN: the ring is full, try next turn. */
int bh_ports_order(struct bh_ports *p, const struct bh_port_order *order);

/* Ring of struct bh_port_event * (freed by the consumer with rte_free), consumer: the link
 * worker; the manager wakes `w` after each. Set before launch. */
struct rte_ring *bh_ports_events(struct bh_ports *p);
void bh_ports_set_worker(struct bh_ports *p, struct bh_worker *w);

#endif
