/* SPDX-License-Identifier: BSD-3-Clause */
/* What icmp.c, icmp4.c and icmp6.c share. */
#ifndef BH_V6STACK_ICMP_PRIV_H
#define BH_V6STACK_ICMP_PRIV_H

#include "modules/v6stack/icmp.h"

#define BH_ICMP_TTL_OUT 64 /* of what we send */

/* Counts, and returns rc. */
static inline int
bh_icmp_counted(struct bh_icmp *ic, enum bh_icmp_count count, int rc)
{
	ic->count[count]++;
	return rc;
}

static inline void
bh_put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

static inline void
bh_put32(uint8_t *p, uint32_t v)
{
	bh_put16(p, v >> 16);
	bh_put16(p + 2, v & 0xffff);
}

static inline uint16_t
bh_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* Whether the frame came to a multicast or broadcast MAC. */
static inline bool
bh_icmp_to_group(const struct bh_icmp_in *in)
{
	return in->frame[0] & 1;
}

/* The Ethernet header of the answer: MACs turned round, the type kept. */
void bh_icmp_eth(uint8_t *out, const struct bh_icmp_in *in);

#endif
