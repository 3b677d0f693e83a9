/* SPDX-License-Identifier: BSD-3-Clause */
/* All forwarding lcores together, as the EAL main lcore sees them; private to this folder and its
 * tests. */
#ifndef BH_FORWARDING_PRIV_H
#define BH_FORWARDING_PRIV_H

#include "app/forwarding/lcore.h"
#include "app/forwarding/pools.h"

enum bh_port_stage {
	BH_PORT_GONE,
	BH_PORT_OWNERS, /* only the lcores that have a send queue know it, and only to send */
	BH_PORT_FULL,
};

struct bh_fwd_port { /* index: ifindex */
	uint8_t stage; /* enum bh_port_stage */
	uint16_t port_id;
	uint16_t n_rxq, n_txq;
	uint8_t rx_lcore[BH_PORT_RXQ]; /* forwarding index that polls each queue */
};

struct bh_forwarding {
	unsigned int n;
	struct bh_fwd_lcore *lcore[BH_FWD_MAX];
	const struct bh_fwd_tables *tables;
	uint32_t stop;
	uint64_t token; /* of the last flip of the plans */
	struct bh_fwd_stack stack;
	struct bh_frame_pools fragments;
	struct bh_fwd_port port[BH_IF_MAX];
};

#endif
