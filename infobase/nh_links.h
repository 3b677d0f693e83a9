/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only reference between workers: route -> next-hop id. The link worker tells both route
 * workers when an id becomes live and when it is to be retired; each answers a retirement
 * when no route of its own uses the id any more. Messages are words, not pointers: below
 * (id << 1) | kind, never 0 since id 0 is never used; above the number of the retirement, which
 * its answer repeats.
 *
 * A retired id whose content is added again before it is free lives on under the same id
 * (LIVE); a route worker that has a retirement pending for it then forgets it. The id is free
 * for other content after both answers and a grace period of the forwarding lcores.
 */
#ifndef BH_INFOBASE_NH_LINKS_H
#define BH_INFOBASE_NH_LINKS_H

#include <stdint.h>

#include <rte_ring.h>

enum bh_nh_msg_kind { BH_NH_MSG_LIVE, BH_NH_MSG_RETIRE };

#define BH_NH_LINKS_RING 65536

_Static_assert(sizeof(void *) == 8, "a message is a word of 64 bits");

struct bh_nh_links {
	struct rte_ring *to_route[2];  /* 0: route4's worker, 1: route6's; producer: link worker */
	struct rte_ring *to_link[2];   /* answers: the retired id, kind RETIRE; consumer: link worker */
};

/* number: of the retirement; 0 in LIVE. */
static inline void *
bh_nh_msg(uint32_t id, enum bh_nh_msg_kind kind, uint32_t number)
{
	return (void *)((uintptr_t)number << 32 | (uintptr_t)(id << 1) | kind);
}

static inline uint32_t
bh_nh_msg_number(const void *msg)
{
	return (uintptr_t)msg >> 32;
}

static inline uint32_t
bh_nh_msg_id(const void *msg)
{
	return (uint32_t)(uintptr_t)msg >> 1;
}

static inline enum bh_nh_msg_kind
bh_nh_msg_kind(const void *msg)
{
	return (uintptr_t)msg & 1;
}

#endif
