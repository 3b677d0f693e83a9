/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for frames that the router makes itself: fragments, and what the stack injects. Each
 * frame is flat, since ports are not asked to send chains, and from a pool apart, so that neither
 * takes a receive queue's buffers.
 */
#ifndef BH_FORWARDING_POOLS_H
#define BH_FORWARDING_POOLS_H

#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

struct bh_frame_pools {
	struct rte_mempool *small; /* frames of up to BH_FRAME_SMALL bytes */
	struct rte_mempool *large; /* of up to BH_FRAME_MAX */
};

#define BH_FRAME_SMALL 2048
#define BH_FRAMES_SMALL 2047 /* frames of the pools */
#define BH_FRAMES_LARGE 255

/* EAL main lcore. name: at most 16 characters. 0 or -errno, nothing is left then. */
int bh_frame_pools_create(struct bh_frame_pools *p, const char *name, int socket_id);
/* When every frame is back. */
void bh_frame_pools_destroy(struct bh_frame_pools *p);

/* The pool for frames of len bytes. */
static inline struct rte_mempool *
bh_frame_pool(const struct bh_frame_pools *p, uint32_t len)
{
	return len <= BH_FRAME_SMALL ? p->small : p->large;
}

#endif
