/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one forwarding lcore holds, and the stages that a burst passes; private to this folder
 * and its tests.
 *
 *     rx -> classify -> ip4 | ip6 -> nexthop -> rewrite -> tx
 *              |            |           |                  |
 *              +---------- punt / drop (counted) ----------+
 *
 * A stage is one function over a burst; it keeps the packets that go on, in order, and has
 * dropped or punted the others when it returns: a packet belongs to exactly one place.
 *
 * Grace. An lcore reports a quiescent state between turns only, when its send buffers are empty:
 * pointers to published entries and the plan hold during a turn. A burst reads each selector
 * once where a decision must be consistent (the in interface, the next hop).
 *
 * The plan tells an lcore which queues are its own. It has two copies and a selector like any
 * published entry; its writer is the EAL main lcore (queues.c).
 */
#ifndef BH_FORWARDING_LCORE_H
#define BH_FORWARDING_LCORE_H

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "app/forwarding/forwarding.h"
#include "app/forwarding/tables.h"
#include "lib/channel/packet.h"
#include "lib/net/prefix.h"
#include "lib/stats/stats.h"

#define BH_PLAN_RXQ 1024     /* receive queues of one lcore */
#define BH_PORT_RXQ 64	     /* receive queues of one port */
#define BH_HANDOFF_RING 1024 /* packets on their way from one lcore to another */
#define BH_FRAGS_MAX 256     /* of one packet */

struct bh_fwd_rxq {
	uint16_t port_id;
	uint16_t queue;
	uint16_t ifindex;
};

enum bh_fwd_out_mode { BH_OUT_NONE, BH_OUT_OWN, BH_OUT_HANDOFF };

struct bh_fwd_out { /* how this lcore sends by an interface */
	uint8_t mode;	/* enum bh_fwd_out_mode */
	uint8_t target; /* HANDOFF: forwarding index of the lcore that sends */
	uint16_t port_id;
	uint16_t queue;
};

struct bh_fwd_plan {
	uint32_t n_rx;
	uint32_t sources; /* bit i: forwarding lcore i hands packets over to this one */
	struct rte_ring *punt;	/* NULL: no stack is connected */
	struct rte_ring *inject; /* the same */
	struct bh_bell *bell;	/* of the punt lcore */
	struct bh_fwd_rxq rx[BH_PLAN_RXQ];
	struct bh_fwd_out out[BH_IF_MAX];
};

/* What may be in a send buffer. */
#define BH_TX_IP4 0x1
#define BH_TX_IP6 0x2
#define BH_TX_ANY 0x4

struct bh_tx_buffer {
	uint16_t n;
	uint8_t listed;	  /* it stands in tx_list */
	uint8_t families; /* BH_TX_*, of what was taken in this turn */
	struct rte_mbuf *m[BH_BURST];
};

struct bh_police { /* a token bucket; all in TSC ticks */
	uint64_t cost;	 /* of a packet */
	uint64_t most;	 /* credit that can gather */
	uint64_t credit;
	uint64_t last;
};

struct bh_fwd_lcore {
	/* Set at creation, then only read. */
	unsigned int index; /* forwarding index and QSBR thread id */
	unsigned int lcore_id;
	uint32_t flow_seed;
	const struct bh_fwd_tables *tables;
	struct bh_stats_fwd *stats;
	struct bh_stats_lcore *lcore_stats;
	struct rte_ring *to[BH_FWD_MAX];   /* handoff; this lcore is the producer */
	struct rte_ring *from[BH_FWD_MAX]; /* this lcore is the consumer */
	uint64_t spin_tsc;		   /* idle turns go on that long before the first nap */
	uint64_t ring_tsc;		   /* between two rings of the punt lcore's bell */
	const struct bh_frame_pools *fragments;

	/* Its own. */
	const struct bh_fwd_plan *now; /* of this turn */
	uint64_t last_work;	       /* TSC */
	uint64_t last_ring;	       /* TSC */
	uint64_t punt_tsc;	       /* of this turn, for policing; 0: not read yet */
	bool ring_due;		       /* something was punted since */
	struct bh_police police[BH_PUNT_REASONS];
	uint32_t nap_us;
	uint32_t busy; /* in a turn; debug builds only */
	unsigned int n_tx_list;
	uint16_t tx_list[BH_IF_MAX]; /* interfaces whose buffer was used in this turn */
	struct bh_tx_buffer tx[BH_IF_MAX];

	/* Written by the EAL main lcore. */
	uint32_t plan_sel __rte_cache_aligned;
	struct bh_fwd_plan plan[2];
} __rte_cache_aligned;

enum bh_origin {
	BH_FROM_WIRE,
	BH_FROM_SELF, /* injected as ROUTED: the router's own */
	BH_FROM_HELD, /* injected as HELD: from a wire, some time ago */
};

struct bh_burst {
	uint16_t n;
	uint16_t ifindex; /* it came in by; 0 FROM_SELF */
	uint16_t via;	  /* ifindex, or what a frame FROM_SELF was injected with */
	uint8_t origin;	  /* enum bh_origin */
	uint8_t family;	  /* BH_IP4 or BH_IP6, behind classify */
	const struct bh_fwd_if_copy *in;
	struct rte_mbuf *m[BH_BURST];
	const struct bh_fwd_nh_copy *hop[BH_BURST]; /* behind the lookup */
	const struct bh_adj_copy *adj[BH_BURST];    /* behind nexthop */
};

/* One pass: receive, forward, send. Returns the packets taken. Its own lcore only, which must be
 * online in the tables' QSBR. */
unsigned int bh_fwd_turn(struct bh_fwd_lcore *lc);

/* Splits a burst from an interface that is up; all of it is taken. */
void bh_classify(struct bh_fwd_lcore *lc, const struct bh_burst *rx, struct bh_burst *ip4,
	struct bh_burst *ip6);

/* Checks, looks up and forwards bursts of one family; all of it is taken. */
void bh_ip4_input(struct bh_fwd_lcore *lc, struct bh_burst *b);
void bh_ip6_input(struct bh_fwd_lcore *lc, struct bh_burst *b);

/* Next hops to adjacencies that are resolved and whose interface is up. */
void bh_nexthop(struct bh_fwd_lcore *lc, struct bh_burst *b);

/* MTU, TTL or hop limit, Ethernet header, send. */
void bh_rewrite4(struct bh_fwd_lcore *lc, struct bh_burst *b);
void bh_rewrite6(struct bh_fwd_lcore *lc, struct bh_burst *b);

/* Sends or hands over what gathered for one interface. */
void bh_tx_send(struct bh_fwd_lcore *lc, uint16_t ifindex);
/* Sends or hands over all that was taken. */
void bh_tx_flush(struct bh_fwd_lcore *lc);
/* Takes what other lcores handed over. Returns the number. */
unsigned int bh_tx_handed(struct bh_fwd_lcore *lc);

/* Splits what the stack injected, all with the same ifindex, and sends it on its way. */
unsigned int bh_injected(struct bh_fwd_lcore *lc);

/* Sends a packet FROM_SELF to a group or a neighbor on the link of b->via (dst: its address), the
 * MACs made or looked up. */
void bh_send_on_link(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	const uint8_t *dst, bool group);

/* Adjacency of an address on an attached network; 0: not known. */
uint32_t bh_find_attached(const struct bh_fwd_lcore *lc, uint16_t ifindex, uint8_t family,
	const uint8_t *addr);

/* Sends a packet that is longer than the MTU of the way out, and may be cut, in fragments. It went
 * through the hop already. False: it was dropped. */
bool bh_fragment4(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	const struct bh_adj_copy *adj, uint16_t mtu);

/*
 * Take a frame for the stack. It goes whole, as received but for trimming, to the lcore's punt
 * ring, with what bh_punt_read() tells. bh_punt: for reasons before BH_PUNT_TTL; without a stack it
 * is dropped as neighbor_unresolved (RESOLVE) or punt_no_stack, else, if need be, as
 * punt_policed or punt_full. bh_deny: the packet cannot be forwarded and is counted as a drop
 * in any case; the stack is told if there is one and it may.
 */
void bh_punt(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_punt_reason reason);
void bh_punt_resolve(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	uint16_t out_ifindex, uint8_t family, const uint8_t *hop);
void bh_deny(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_drop why, enum bh_punt_reason reason);
void bh_deny_too_big(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_drop why, uint16_t out_ifindex, uint16_t mtu);

/* Once, before the lcores run: room in mbufs for what goes along. 0 or -errno. */
int bh_punt_init(void);
/* Full buckets for the policing of one lcore. */
void bh_punt_police_init(struct bh_fwd_lcore *lc);

static inline uint64_t *
bh_ip_counters(const struct bh_fwd_lcore *lc, uint8_t family, uint16_t ifindex)
{
	return lc->stats->ip[ifindex][family == BH_IP6].n;
}

/* Tells what bh_tx() is about to be given for an interface: before the first frame. */
static inline void
bh_tx_mark(struct bh_fwd_lcore *lc, uint16_t ifindex, uint8_t families)
{
	lc->tx[ifindex].families |= families;
}

/* Takes a frame for sending by an interface. */
static inline void
bh_tx(struct bh_fwd_lcore *lc, uint16_t ifindex, struct rte_mbuf *m)
{
	struct bh_tx_buffer *buf = &lc->tx[ifindex];

	if (unlikely(!buf->listed)) {
		buf->listed = 1;
		lc->tx_list[lc->n_tx_list++] = ifindex;
	}
	buf->m[buf->n++] = m;
	if (unlikely(buf->n == BH_BURST))
		bh_tx_send(lc, ifindex);
}

/* Drops a packet that came in by an interface. */
static inline void
bh_drop_rx(struct bh_fwd_lcore *lc, uint16_t ifindex, struct rte_mbuf *m, enum bh_drop why)
{
	bh_count(&lc->stats->drop[why], 1);
	bh_count(&lc->stats->ifs[ifindex].rx_drops, 1);
	rte_pktmbuf_free(m);
}

/* Drops frames that were to leave by an interface. */
void bh_drop_tx(struct bh_fwd_lcore *lc, uint16_t ifindex, struct rte_mbuf **m, unsigned int n,
	enum bh_drop why);
/* Drops an IP packet of a burst, which is counted as RFC 4293 wants it, too. */
void bh_drop_ip(struct bh_fwd_lcore *lc, const struct bh_burst *b, struct rte_mbuf *m,
	enum bh_drop why);
/* The counting alone. */
void bh_ip_dropped(struct bh_fwd_lcore *lc, const struct bh_burst *b, const struct rte_mbuf *m,
	enum bh_drop why);
/* A packet to a group came in, or leaves: in and out are BH_IP_IN_MCAST or BH_IP_OUT_MCAST. */
void bh_ip_group(struct bh_fwd_lcore *lc, uint16_t ifindex, const struct rte_mbuf *m,
	enum bh_ip_counter mcast);
/* The stack's own frame leaves as it is. */
void bh_ip_raw(struct bh_fwd_lcore *lc, uint16_t ifindex, const struct rte_mbuf *m);

#endif
