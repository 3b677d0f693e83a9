/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extension headers of IPv6 as the destination reads them (RFC 8200 §4): which transport is
 * behind them and where, and what is wrong with them. Pure; any bytes are taken.
 */
#ifndef BH_V6STACK_IP6EXT_H
#define BH_V6STACK_IP6EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_IP6_HDR 40

enum bh_ip6_verdict {
	BH_IP6_OK,
	BH_IP6_DISCARD,	   /* silently */
	BH_IP6_BAD_HEADER, /* parameter problem code 0 */
	BH_IP6_BAD_OPTION, /* code 2; to a group only if the option's type begins with 10 */
};

struct bh_ip6_walk {
	uint8_t proto;	  /* first header that is none of the extension headers */
	uint32_t offset;  /* of it, from the IPv6 header; up to the packet's length */
	uint32_t nh_at;	  /* offset of the octet that named it */
	bool fragment;	  /* part of a packet (an atomic fragment, RFC 6946, is whole) */
	bool first;	  /* the transport's beginning is here */
	enum bh_ip6_verdict verdict; /* of the first thing that is wrong */
	uint32_t problem; /* offset of the octet in error */
};

/*
 * Walks a packet of `len` bytes, the IPv6 header first, `len` as the header says, at most 65,575.
 * Stops at what it does not know (it is the proto then) and behind a fragment header with an
 * offset. Options are read as a destination must: those that are not known are skipped,
 * discarded or a problem by the two highest bits of their type (§4.2).
 * 0, or -EBADMSG if there is no whole IPv6 header or a header is cut off.
 */
int bh_ip6_walk(const uint8_t *pkt, size_t len, struct bh_ip6_walk *w);

#endif
