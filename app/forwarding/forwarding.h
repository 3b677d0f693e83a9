/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The forwarding lcores: receive, classify, validate, look up, rewrite, send; run to completion
 * over bursts. They read the published tables (tables.h) and their own lists of queues, own
 * their counters, and wait for nobody.
 *
 * Receive queues are spread over the forwarding lcores by the port manager. A port has one
 * send queue per forwarding lcore where the device allows; where it has fewer, queue q
 * belongs to forwarding lcore q, and lcores without a queue hand their packets over by an
 * SP/SC ring to lcore (own index % queues), which sends them.
 */
#ifndef BH_FORWARDING_H
#define BH_FORWARDING_H

#include <stdbool.h>
#include <stdint.h>

#include "app/forwarding/tables.h"
#include "lib/stats/stats.h"

#define BH_FWD_MAX BH_STATS_FWD
#define BH_BURST 32

struct bh_forwarding;

struct bh_forwarding_conf {
	unsigned int n_lcores;
	unsigned int lcore[BH_FWD_MAX]; /* lcore ids, in forwarding-index order */
	int socket_id;
	const struct bh_fwd_tables *tables;
	struct bh_stats *stats;
};

/* EAL main lcore, at start. NULL and errno. */
struct bh_forwarding *bh_forwarding_create(const struct bh_forwarding_conf *conf);
void bh_forwarding_destroy(struct bh_forwarding *f);

/* Body of a forwarding lcore; finds its index by rte_lcore_id(). arg: struct bh_forwarding *. */
int bh_forwarding_main(void *arg);
void bh_forwarding_stop(struct bh_forwarding *f); /* any lcore: asks all to return */

/* The port is started: forwarding lcores begin to poll and send. EAL main lcore (port
 * manager) only. 0 or -errno. */
int bh_forwarding_attach(struct bh_forwarding *f, uint16_t ifindex, uint16_t port_id,
	uint16_t n_rxq, uint16_t n_txq);
/* Takes the port out; returns when no forwarding lcore uses it any more (bounded: a hung
 * lcore gives -ETIMEDOUT, and the port must not be stopped). EAL main lcore only. */
int bh_forwarding_detach(struct bh_forwarding *f, uint16_t ifindex);

#endif
