/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside the packet service: packet.c (life, who is connected), packet_out.c (punted frames),
 * packet_in.c (injected ones). All of it is the punt lcore's but what is marked. */
#ifndef BH_CORE_PACKET_PRIV_H
#define BH_CORE_PACKET_PRIV_H

#include <rte_ring.h>

#include "app/core/packet.h"
#include "app/forwarding/pools.h"
#include "lib/channel/packet.h"
#include "lib/log/limit.h"

#define BH_PUNT_RING 1024  /* frames of one forwarding lcore that wait for the punt lcore */
#define BH_INJECT_RING 512 /* frames that wait for one forwarding lcore */
#define BH_PACKET_BURST 32

/* A frame that is handed to the stack in parts. */
struct bh_packet_out {
	struct rte_mbuf *m[BH_PACKET_BURST];
	unsigned int n, at;   /* taken from a ring; the one under way */
	uint16_t offset;      /* of it, bytes sent */
	unsigned int next;    /* forwarding lcore whose turn it is */
	unsigned int wait_ms; /* the channel was full: until the next look; 0: it was not */
};

/* A frame that comes in parts. */
struct bh_packet_in {
	struct rte_mbuf *m; /* NULL: none is under way */
	struct bh_inject_to to;
	uint16_t whole;
};

struct bh_packet {
	struct bh_packet_conf conf;
	struct bh_service *svc;
	struct bh_stats_stack *stats;
	struct bh_fwd_stack stack;
	struct bh_frame_pools pools;
	/* How often a stack came or left: odd, frames are to flow. Counted, so that a stack that
	 * begins while main takes away its predecessor is not told of the predecessor's frames. */
	uint32_t want; /* atomic: written here, read by main */
	uint32_t have; /* atomic: written by main: the want that is in force */
	bool unsettled; /* main's: the last change failed, lcores may have one state or the other */
	bool owned;    /* a stack has begun */
	bool answered; /* and knows it */
	struct bh_peer_ref owner;
	struct bh_msg begin; /* its request */
	struct bh_log_limit log_role;
	struct bh_packet_out out;
	struct bh_packet_in in;
};

/* ---- packet_out.c ---- */

/* Hands frames to the stack while there are some and its channel has room, up to a bound. True when
 * the lcore should not sleep yet. */
bool bh_packet_out_run(struct bh_packet *p);

/* Empties the punt rings: nobody wants the frames. True when there were some. */
bool bh_packet_out_discard(struct bh_packet *p);

/* Forgets the frames under way. */
void bh_packet_out_reset(struct bh_packet *p);

/* ---- packet_in.c ---- */

/* One BH_V_INJECT request of the stack. 0: taken, -EAGAIN, -EINVAL. */
int bh_packet_in_take(struct bh_packet *p, const struct bh_msg *msg);

void bh_packet_in_reset(struct bh_packet *p);

#endif
