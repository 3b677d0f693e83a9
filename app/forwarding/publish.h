/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writing side of the published tables but for the FIBs. Every function here belongs to
 * the one writer, the link worker (before the launch of the lcores: to the EAL main lcore);
 * debug builds assert that calls do not overlap. None of them waits.
 *
 * An entry has two copies. Putting fills the idle one and flips the selector, which starts a
 * grace period; until it is over the other copy may still be read, and a further put with other
 * content returns -EAGAIN: the caller tries again from a chore. With forwarding lcores at work a
 * grace period lasts some microseconds, and no time while they sleep or are not yet started.
 */
#ifndef BH_FORWARDING_PUBLISH_H
#define BH_FORWARDING_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "app/forwarding/tables.h"

/*
 * Publish an entry; the copy is the caller's. Content equal to what is published is nothing to
 * do. Returns 0; -EAGAIN (see above); -EINVAL:
 *   interface: ifindex 0 or too great, an unknown flag, or up with an MTU of 0 (all three
 *       are effective values, in bytes behind the Ethernet header);
 *   adjacency: index 0 or too great, an unknown state, an interface out of range, or resolved with
 *       hdr_len other than BH_ETH_HDR;
 *   next hop: id 0 or too great, an unknown type, n > BH_ECMP_MAX, an adjacency or interface
 *       index out of range.
 * An all-zero copy takes an entry out. Entries that it refers to need not exist yet: a packet that
 * gets there is punted or dropped and counted.
 */
int bh_fwd_if_put(struct bh_fwd_tables *t, uint32_t ifindex, const struct bh_fwd_if_copy *c);
int bh_adj_put(struct bh_fwd_tables *t, uint32_t adj, const struct bh_adj_copy *c);
int bh_fwd_nh_put(struct bh_fwd_tables *t, uint32_t id, const struct bh_fwd_nh_copy *c);

/*
 * Attached neighbors: address -> adjacency. Put adds a key or changes its adjacency. Key padding
 * must be 0. Returns 0; -EINVAL (adjacency, interface or family out of range); -ENOSPC (no room, it
 * may pass after a grace period); del: -ENOENT.
 */
int bh_fwd_attached_put(struct bh_fwd_tables *t, const struct bh_fwd_attached_key *key,
	uint32_t adj);
int bh_fwd_attached_del(struct bh_fwd_tables *t, const struct bh_fwd_attached_key *key);

/*
 * Grace periods of the forwarding lcores, for indices that are to be used again: take a token once
 * nothing published refers to the index any more; when the token is over, no forwarding lcore
 * holds it. Tokens of one qsbr are ordered in time: if a later one is over, so is an earlier one.
 */
uint64_t bh_fwd_grace_start(struct bh_fwd_tables *t);
bool bh_fwd_grace_over(struct bh_fwd_tables *t, uint64_t token);

#endif
