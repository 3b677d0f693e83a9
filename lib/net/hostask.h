/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What v6stack asks of the supervisor for one TAP: the whole of what the kernel is to know about
 * the interface. v6stack has no privilege to tell the kernel, and must not have it: the
 * supervisor, which made the TAP, checks each word and makes the kernel equal to it. A request
 * says all there is to say, so it may be sent twice, in any order, by any start of v6stack.
 *
 * One datagram on the supervision socket, cut behind the last address. The way back has the
 * descriptors, one a datagram: BH_HOSTASK_TAP "<name> <kernel ifindex>", then BH_HOSTASK_TAPS; later
 * TAPs come as they are made, and BH_HOSTASK_UNTAP "<name>" says which one is of no use any more.
 */
#ifndef BH_LIB_NET_HOSTASK_H
#define BH_LIB_NET_HOSTASK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/channel/msg.h"

#define BH_HOSTASK_TAP "TAP "
#define BH_HOSTASK_TAPS "TAPS"
#define BH_HOSTASK_UNTAP "UNTAP "
#define BH_HOSTASK_MAGIC "HOSTASK" /* 8 bytes with its NUL */
#define BH_HOSTASK_ADDRS 256	 /* of one interface; more are for the router only */
#define BH_HOSTASK_MTU_MAX 9702

#define BH_HOSTASK_UP 0x1	/* administratively */
#define BH_HOSTASK_CARRIER 0x2	/* the port has a link */
#define BH_HOSTASK_DEFAULT4 0x4	/* the kernel's last resort leads over it */
#define BH_HOSTASK_DEFAULT6 0x8
#define BH_HOSTASK_FLAGS 0xf

struct bh_hostask_addr {
	uint8_t family; /* 4 or 6 */
	uint8_t plen;
	uint8_t pad[2];
	uint8_t addr[16]; /* IPv4 in the first 4, the rest 0 */
};

struct bh_hostask {
	char magic[8];
	char name[BH_NAME_LEN]; /* of the router's interface */
	uint32_t flags;		/* BH_HOSTASK_* */
	uint16_t mtu;
	uint16_t n;		/* addresses */
	uint8_t mac[6];
	uint8_t pad[2];
	struct bh_hostask_addr addr[BH_HOSTASK_ADDRS];
};

#define BH_HOSTASK_LEN(n)                                                                           \
	(offsetof(struct bh_hostask, addr) + (n) * sizeof(struct bh_hostask_addr))

/* Everything but addresses, which are added to it: no flag, no address. */
void bh_hostask_init(struct bh_hostask *h, const char *name, const uint8_t mac[6], uint16_t mtu);

/* 0; -ENOSPC: BH_HOSTASK_ADDRS are there; -EINVAL: none that an interface can have. */
int bh_hostask_add(struct bh_hostask *h, uint8_t family, const void *addr, uint8_t plen);

/*
 * Takes a datagram that a process sent: its length, magic, name, flags, MTU, MAC and each address
 * are checked; two of the same address are refused. 0 with *h filled, or -EBADMSG, -EINVAL.
 */
int bh_hostask_read(struct bh_hostask *h, const void *msg, size_t len);

#endif
