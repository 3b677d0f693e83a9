/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMPv6 (RFC 4443): the IPv6 side of icmp.h, whose functions choose by the frame's type; results
 * and errors as there.
 */
#ifndef BH_V6STACK_ICMP6_H
#define BH_V6STACK_ICMP6_H

#include "modules/v6stack/icmp.h"

/* Quotes as much as 1,280 bytes hold (RFC 4443 §2.4(c)). */
int bh_icmp6_error(struct bh_icmp *ic, const struct bh_icmp_in *in, enum bh_icmp_why why,
	uint32_t value, uint8_t *out, size_t size);

/* Requests to multicast groups are answered too, from the interface's address, within the
 * rate limit (RFC 4443 §4.2). */
int bh_icmp6_echo(struct bh_icmp *ic, const struct bh_icmp_in *in, uint8_t *out, size_t size);

#endif
