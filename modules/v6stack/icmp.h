/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP and ICMPv6 of a router: echo replies and errors, made from the frame that gave rise to
 * them. No state but the rate limit and counts, no call of the system: what is to be known of
 * the router comes by callbacks. One thread.
 *
 * Frames are whole: Ethernet header without VLAN tag first. What is made is a frame too: its
 * destination MAC is the asker's, its source MAC the one that was asked (zero if that was a
 * group), so that it can be injected as routed or, to a link-local address, leave by the
 * interface as it is.
 */
#ifndef BH_V6STACK_ICMP_H
#define BH_V6STACK_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules/v6stack/ratelimit.h"

#define BH_ICMP_ETH 14	       /* Ethernet header */
#define BH_ICMP_ERROR_MAX 1294 /* longest error: IPv6's least MTU and the Ethernet header */

/* Why a packet is not delivered. */
enum bh_icmp_why {
	BH_ICMP_TTL,	      /* TTL or hop limit ran out */
	BH_ICMP_NO_ROUTE,
	BH_ICMP_UNREACHABLE,  /* the route says so (RFC 8349 special-next-hop) */
	BH_ICMP_NO_NEIGHBOR,  /* no ARP or ND answer */
	BH_ICMP_PROHIBIT,     /* the route says so */
	BH_ICMP_TOO_BIG,      /* value: MTU of the way out */
	BH_ICMP_NO_PORT,      /* to us: nobody listens (UDP) */
	BH_ICMP_NO_PROTOCOL,  /* to us: no such transport */
	BH_ICMP_BAD_HEADER,   /* value: offset of the octet in the packet; IPv6 code 0 */
	BH_ICMP_BAD_OPTION,   /* IPv6 code 2, value: offset of the option type */
	BH_ICMP_WHYS,
};

enum bh_icmp_count {
	BH_ICMP_N_ECHO,		/* replies made */
	BH_ICMP_N_ERROR,	/* errors made */
	BH_ICMP_N_LIMITED,	/* not made: rate limit */
	BH_ICMP_N_FORBIDDEN,	/* not made: must never be answered */
	BH_ICMP_N_BAD,		/* not made: malformed or bad checksum */
	BH_ICMP_N_NO_SOURCE,	/* not made: no address of ours to send from */
	BH_ICMP_N_COUNTS,
};

/* Name of a count, as users read it. */
const char *bh_icmp_count_name(unsigned int count);

struct bh_icmp_ops {
	/*
	 * Source of an answer to `dst` about a packet that came in by `ifindex`: an address of
	 * ours, for example of that interface (RFC 1812 §4.3.2.4, RFC 4443 §2.2(b)); link-local only
	 * to a link-local `dst`. Family 4 or 6; IPv4 takes 4 bytes. False: there is none.
	 */
	bool (*source)(void *arg, uint8_t family, uint32_t ifindex, const uint8_t *dst,
		uint8_t *src);
	/* Whether it is a unicast address of ours (tentative ones are not). */
	bool (*is_local)(void *arg, uint8_t family, const uint8_t *addr);
	/* Whether it is the broadcast address of a subnet of ours; 255.255.255.255 is known. */
	bool (*is_broadcast4)(void *arg, const uint8_t *addr);
};

struct bh_icmp {
	const struct bh_icmp_ops *ops;
	void *arg;
	struct bh_ratelimit *limit;
	uint16_t ip_id;	/* of the next IPv4 packet made */
	uint64_t count[BH_ICMP_N_COUNTS];
};

/* The frame that something is said about; its lengths are checked, nothing else is presumed. */
struct bh_icmp_in {
	const uint8_t *frame;
	size_t len;
	uint32_t ifindex; /* it came in by */
	uint64_t now;	  /* CLOCK_MONOTONIC, ns */
};

void bh_icmp_init(struct bh_icmp *ic, const struct bh_icmp_ops *ops, void *arg,
	struct bh_ratelimit *limit);

/*
 * Makes the error about a frame, of either family, in out[0 .. size). Its length (at most
 * BH_ICMP_ERROR_MAX), or
 *   -EBADMSG        the frame is no whole IP packet
 *   -EPERM          it must not be answered (RFC 1812 §4.3.2.7, RFC 4443 §2.4(e)), or its
 *                   family has no such error
 *   -EADDRNOTAVAIL  no source address
 *   -EBUSY          the rate limit
 *   -EMSGSIZE       no room in out
 * all but the last counted.
 */
int bh_icmp_error(struct bh_icmp *ic, const struct bh_icmp_in *in, enum bh_icmp_why why,
	uint32_t value, uint8_t *out, size_t size);

/*
 * Answers an echo request to an address of ours, of either family. The reply's length, errors as
 * above (-EMSGSIZE: a reply is as long as its request), or
 *   -ENOENT  it is no echo request, or one for a whole IP stack: a fragment, or with options
 */
int bh_icmp_echo(struct bh_icmp *ic, const struct bh_icmp_in *in, uint8_t *out, size_t size);

#endif
