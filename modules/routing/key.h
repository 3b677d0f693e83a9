/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes of either family as they are kept in tries and written as keys of route tables. */
#ifndef BH_ROUTING_KEY_H
#define BH_ROUTING_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/net/prefix.h"

/* Index of the family in arrays of two: 0 for IPv4, 1 for IPv6. */
static inline unsigned int
bh_family_index(uint8_t family)
{
	return family == BH_IP6;
}

/* Sets p to addr/plen without host bits. addr: 4 or 16 bytes by family. 0, or -EINVAL: no such
 * family or length. */
int bh_key_prefix(struct bh_prefix *p, uint8_t family, const void *addr, uint8_t plen);

/* Writes the key of `route4` or `route6` (VRF 0) into key, room for 20 bytes. Returns its
 * size. */
size_t bh_key_route(const struct bh_prefix *p, void *key);

#endif
