/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames between the core and the protocol stack: the service BH_SERVICE_PACKET, which only the
 * role v6stack may use, by one process at a time.
 *
 * After BH_V_PACKET_BEGIN the core sends BH_V_PUNT messages (tag 0, no answer) and takes
 * BH_V_INJECT requests, each of which is answered with an empty reply. A frame that does not fit
 * one message comes in several, in order and with no other frame's between them: aux says where
 * the part begins and how long the whole is. In front of the first part's bytes, and not counted
 * in aux, stands a struct bh_punt or a struct bh_inject_to.
 *
 * BH_V_PACKET_BEGIN is answered once frames flow: 0; -EPERM: another role; -EBUSY: another process
 * of the role has begun and is still connected, or who asks is an heir that is not promoted. BH_V_INJECT is answered 0 once the frame, or a
 * part that is not the last, was taken; -EINVAL: it makes no sense (and is counted); -EPERM: who
 * asks has not begun. What becomes of a frame later is told by the counters of bh.stats.
 */
#ifndef BH_CHANNEL_PACKET_H
#define BH_CHANNEL_PACKET_H

#include <stdint.h>

#include "lib/channel/msg.h"

#define BH_FRAME_MAX 9728 /* bytes of a frame, Ethernet header included, no FCS */
#define BH_FRAME_MIN 14

/*
 * Why a frame leaves the fast path for the stack. The core polices by it. The reasons from
 * BH_PUNT_TTL on tell of a packet that cannot be forwarded: it is counted as dropped under its
 * name whether or not the stack is told of it.
 */
enum bh_punt_reason {
	BH_PUNT_ARP,
	BH_PUNT_LOCAL,	     /* to an address of ours */
	BH_PUNT_GROUP,	     /* to a multicast or the limited broadcast address */
	BH_PUNT_LINK,	     /* to a link-local address */
	BH_PUNT_RESOLVE,     /* the link address of its next hop is not known: to be held, resolved
				and injected back */
	BH_PUNT_TTL,	     /* TTL or hop limit ran out: ICMP time exceeded */
	BH_PUNT_TOO_BIG,     /* longer than the MTU of the way out, and IPv6 or DF */
	BH_PUNT_NO_ROUTE,
	BH_PUNT_UNREACHABLE, /* the route says so */
	BH_PUNT_PROHIBIT,
	BH_PUNT_REDIRECT,    /* reserved: not sent */
	BH_PUNT_REASONS
};

/* flags of a punted frame */
#define BH_PUNT_OWN 0x1 /* not from a wire: the stack injected it as ROUTED; if it waited for its
			   neighbor it goes back as ROUTED, everything else as HELD */

/* What comes before a frame. 32 bytes. */
struct bh_punt {
	uint32_t ifindex;     /* it came in by; OWN: what it was injected with */
	uint32_t out_ifindex; /* RESOLVE, TOO_BIG: the way out; else 0 */
	uint8_t reason;	      /* enum bh_punt_reason */
	uint8_t family;	      /* of hop: 0, 4, 6 */
	uint16_t mtu;	      /* TOO_BIG: of the way out, in bytes behind the Ethernet header */
	uint8_t hop[16];      /* RESOLVE: whose link address is missing (IPv4: first 4 bytes) */
	uint8_t flags;	      /* BH_PUNT_* flags */
	uint8_t pad[3];
};

enum bh_inject {
	BH_INJECT_ROUTED,   /* a packet of the router itself: through the lookup, no hop counted, its
			       MACs of no meaning; to a group or a link-local address: by ifindex,
			       which is else only told back in punts (0: none) */
	BH_INJECT_RESOLVED, /* the frame leaves by ifindex as it is */
	BH_INJECT_HELD,	    /* a punted frame that waited (RESOLVE) goes on where it was stopped: as if
			       it came in by ifindex just now; a hop is counted */
	BH_INJECT_MODES
};

/* What comes before a frame that is injected. 8 bytes. */
struct bh_inject_to {
	uint32_t ifindex;
	uint8_t how; /* enum bh_inject */
	uint8_t pad[3];
};

/* aux of BH_V_PUNT and BH_V_INJECT */
static inline uint32_t
bh_part(uint16_t offset, uint16_t whole)
{
	return (uint32_t)offset << 16 | whole;
}

static inline uint16_t
bh_part_offset(uint32_t aux)
{
	return aux >> 16;
}

static inline uint16_t
bh_part_whole(uint32_t aux)
{
	return aux & 0xffff;
}

#endif
