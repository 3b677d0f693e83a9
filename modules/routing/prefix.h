/* SPDX-License-Identifier: BSD-3-Clause */
/* A prefix of either family, and how it is written as the key of a route table. */
#ifndef BH_ROUTING_PREFIX_H
#define BH_ROUTING_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_PREFIX_STRLEN 56

struct bh_prefix {
	uint8_t addr[16]; /* network order; IPv4 in the first 4; bits behind plen zero */
	uint8_t plen;
	uint8_t family; /* 4 or 6 */
};

/* Bits of an address of that family. */
static inline uint8_t
bh_family_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

/* Index of the family in arrays of two: 0 for IPv4, 1 for IPv6. */
static inline unsigned int
bh_family_index(uint8_t family)
{
	return family == 6;
}

/* Sets p to addr/plen; bits of addr behind plen are cleared. addr: 4 or 16 bytes by family.
 * -EINVAL: no such family or length. */
int bh_prefix_set(struct bh_prefix *p, uint8_t family, const void *addr, uint8_t plen);

/* fe80::/10: means something only together with an interface (RFC 4291, 2.5.6). */
bool bh_addr_is_link_local6(const uint8_t addr[16]);

/* Writes the key of `route4` or `route6` (VRF 0) into key, room for 20 bytes. Returns its
 * size. */
size_t bh_prefix_key(const struct bh_prefix *p, void *key);

/* Text of it, for logs. Returns buf. */
const char *bh_prefix_str(const struct bh_prefix *p, char buf[BH_PREFIX_STRLEN]);

#endif
