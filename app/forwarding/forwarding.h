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
 *
 * Counters. ip4_forwarded and ip6_forwarded count packets that passed all checks and were taken
 * for sending; tx_full and handoff_full are drops of those, counted at the interface they were to
 * leave by (tx_drops), every other drop at the one they came in by (rx_drops). tx_packets and
 * tx_bytes are what a port's queue took, counted by the lcore that has the queue. A packet that
 * leaves in fragments counts once as forwarded and as fragmented, and each fragment as sent.
 *
 * The stack. What is not for the fast path goes to v6stack, if it is connected, policed by reason
 * (punt.c), and what v6stack sends comes back by rings of its own (inject.c).
 */
#ifndef BH_FORWARDING_H
#define BH_FORWARDING_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "app/forwarding/tables.h"
#include "lib/channel/packet.h"
#include "lib/stats/stats.h"

#define BH_FWD_MAX BH_STATS_FWD
#define BH_BURST 32

struct bh_bell;
struct bh_forwarding;
struct rte_ring;

struct bh_forwarding_conf {
	unsigned int n_lcores;
	unsigned int lcore[BH_FWD_MAX]; /* lcore ids, in forwarding-index order */
	int socket_id;
	const struct bh_fwd_tables *tables;
	struct bh_stats *stats;
};

/* EAL main lcore, at start. NULL and errno (EINVAL, ENOMEM). Tables and stats stay the caller's
 * and outlive it; stats' n_fwd and fwd_lcore are set. */
struct bh_forwarding *bh_forwarding_create(const struct bh_forwarding_conf *conf);
/* EAL main lcore, when all forwarding lcores have returned. NULL is allowed. */
void bh_forwarding_destroy(struct bh_forwarding *f);

/* Body of a forwarding lcore; finds its index by rte_lcore_id(). arg: struct bh_forwarding *. */
int bh_forwarding_main(void *arg);
void bh_forwarding_stop(struct bh_forwarding *f); /* any lcore: asks all to return */

/*
 * The port is started: forwarding lcores begin to poll and send. Every receive queue goes to
 * the lcore that has the fewest. EAL main lcore (port manager) only. Returns 0; -EINVAL (ifindex
 * or queues out of range: 1 to 64 each way); -EEXIST; -ENOSPC (an lcore's list is full);
 * -ETIMEDOUT: a hung lcore; the port counts as attached and must be detached before it is stopped.
 */
int bh_forwarding_attach(struct bh_forwarding *f, uint16_t ifindex, uint16_t port_id,
	uint16_t n_rxq, uint16_t n_txq);

/*
 * Takes the port out; returns when no forwarding lcore uses it any more, what was on its way
 * between lcores sent. EAL main lcore only. Returns 0; -EINVAL; -ENOENT; -ETIMEDOUT: a hung lcore
 * (waited for a second); the port must not be stopped, the call may be repeated.
 */
int bh_forwarding_detach(struct bh_forwarding *f, uint16_t ifindex);

/*
 * The stack, as the punt lcore connects it. punt[i] is forwarding lcore i's own, SP/SC, its consumer
 * the punt lcore, which finds in bh_punt_read() what came with a frame; inject[i] the way back, its
 * consumer forwarding lcore i, frames flat and marked by bh_inject_mark(). The bell is rung at most
 * every 100 us while something was punted. All of it is the caller's.
 */
struct bh_fwd_stack {
	struct rte_ring *punt[BH_FWD_MAX];
	struct rte_ring *inject[BH_FWD_MAX];
	struct bh_bell *bell; /* NULL: none, tests turn by hand */
};

/* NULL disconnects: once 0 was returned, no forwarding lcore touches the rings any more. EAL main
 * lcore only. 0 or -ETIMEDOUT: a hung lcore; call again. */
int bh_forwarding_set_stack(struct bh_forwarding *f, const struct bh_fwd_stack *stack);

/* What came with a punted frame. Any lcore that owns it. */
void bh_punt_read(const struct rte_mbuf *m, struct bh_punt *p);

static inline void
bh_inject_mark(struct rte_mbuf *m, enum bh_inject how, uint16_t ifindex)
{
	m->hash.usr = (uint32_t)how << 16 | ifindex;
}

#endif
