/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP (RFC 792) as a router has to send it (RFC 1812 §4.3): the IPv4 side of icmp.h, whose
 * functions choose by the frame's type; results and errors as there.
 */
#ifndef BH_V6STACK_ICMP4_H
#define BH_V6STACK_ICMP4_H

#include "modules/v6stack/icmp.h"

/* Quotes as much as 576 bytes hold (RFC 1812 §4.3.2.3); precedence 6 (§4.3.2.5). */
int bh_icmp4_error(struct bh_icmp *ic, const struct bh_icmp_in *in, enum bh_icmp_why why,
	uint32_t value, uint8_t *out, size_t size);

/* TOS and data are the request's (RFC 792, RFC 1812 §4.3.3.6). Requests to broadcast and
 * multicast addresses are not answered. */
int bh_icmp4_echo(struct bh_icmp *ic, const struct bh_icmp_in *in, uint8_t *out, size_t size);

#endif
