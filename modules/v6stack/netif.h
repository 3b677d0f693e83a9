/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interfaces and their addresses.
 *
 * An interface is known by name from the configuration and by ifindex from the table `interface`;
 * either may come first, and names live as long as the module. Its addresses are the configured
 * ones (cfg_address) and, with IPv6 and without a configured link-local one, a link-local address
 * made from the MAC by modified EUI-64: a router's own must be the same after every start, and
 * predictable. An address is active while its interface is known and the family enabled; then it is
 * in the table `address` with its state, goes through duplicate address detection (dad.c) and is
 * in its solicited-node group (mld.h).
 */
#ifndef BH_V6STACK_NETIF_H
#define BH_V6STACK_NETIF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infobase/schema.h"
#include "lib/hash/hash.h"
#include "modules/v6stack/mld.h"
#include "modules/v6stack/ra.h"
#include "modules/v6stack/timer.h"
#include "modules/v6stack/wire.h"

struct bh_stack;
struct bh_netif;
struct bh_neigh;
TAILQ_HEAD(bh_neigh_list, bh_neigh);

/* Duplicate address detection of one address. */
struct bh_dad {
	struct bh_timer timer;
	uint8_t step;	    /* probes sent, then announcements */
	uint8_t nonce[BH_NONCE_LEN];
	uint64_t defended;  /* ms; 0: never */
};

struct bh_ifaddr {
	TAILQ_ENTRY(bh_ifaddr) link;
	struct bh_netif *on;
	uint8_t family, plen;
	uint8_t state;	    /* enum bh_addr_state */
	uint8_t addr[16];
	bool configured;    /* by cfg_address */
	bool automatic;	    /* the link-local one that we make */
	bool marked;	    /* for mark and sweep of cfg_address */
	bool active;
	struct bh_dad dad;
};

TAILQ_HEAD(bh_ifaddr_list, bh_ifaddr);

struct bh_netif {
	struct bh_hnode node;
	TAILQ_ENTRY(bh_netif) link;
	char name[BH_NAME_LEN];
	uint32_t ifindex;   /* 0: not in the table */
	uint32_t flags;	    /* BH_IF_* */
	bool up, marked;
	uint8_t mac[6];
	uint16_t mtu, mtu6;
	struct bh_ifaddr_list addrs;
	struct bh_mld mld;
	struct bh_ra ra;
	/* neigh.h: oldest first. */
	struct bh_neigh_list incomplete, known;
	unsigned int n_incomplete, n_known;
	uint64_t tokens_at; /* of new resolutions */
	uint32_t tokens;
};

TAILQ_HEAD(bh_netif_list, bh_netif);

/* The interface of that name, made if unknown. */
struct bh_netif *bh_netif_named(struct bh_stack *s, const char name[BH_NAME_LEN]);
/* By ifindex; NULL: none. Any number. */
struct bh_netif *bh_netif_get(struct bh_stack *s, uint32_t ifindex);
void bh_netifs_fini(struct bh_stack *s);

/* Records of `interface`; mark and sweep of it. */
void bh_netif_put(struct bh_stack *s, uint32_t ifindex, const struct bh_interface *rec);
void bh_netif_delete(struct bh_stack *s, uint32_t ifindex);
void bh_netifs_mark(struct bh_stack *s);
void bh_netifs_sweep(struct bh_stack *s);

/* Brings the addresses, groups and advertisements of an interface to what they must be by now. */
void bh_netif_settle(struct bh_stack *s, struct bh_netif *i);
static inline bool
bh_netif_has(const struct bh_netif *i, uint8_t family)
{
	return i->ifindex != 0 && (i->flags & (family == 4 ? BH_IF_IPV4 : BH_IF_IPV6)) != 0;
}

/* Sends a frame as it is, if the interface is up. */
void bh_netif_send(struct bh_stack *s, struct bh_netif *i, const struct bh_frame *f);

/* ---- ifaddr.c ---- */

/* Records of `cfg_address`; mark and sweep. */
void bh_ifaddr_cfg_put(struct bh_stack *s, const struct bh_cfg_address_key *k, uint8_t plen);
void bh_ifaddr_cfg_delete(struct bh_stack *s, const struct bh_cfg_address_key *k);
void bh_ifaddrs_mark(struct bh_stack *s);
void bh_ifaddrs_sweep(struct bh_stack *s);
/* Starts and stops addresses; frees those that nobody wants. */
void bh_ifaddrs_settle(struct bh_stack *s, struct bh_netif *i);

/* The active address of an interface, in any state, or NULL. addr: 16 bytes, or 4 of IPv4. */
struct bh_ifaddr *bh_ifaddr_find(const struct bh_netif *i, uint8_t family, const uint8_t *addr);
/* Is it a valid (preferred) address of any interface, or for a link-local one of this one? */
bool bh_ifaddr_is_ours(struct bh_stack *s, struct bh_netif *i, uint8_t family,
	const uint8_t *addr);
/* A preferred address to speak to dst from (RFC 6724 in small: the same subnet, then the same
 * scope, then any); NULL: none. */
const struct bh_ifaddr *bh_ifaddr_source(const struct bh_netif *i, uint8_t family,
	const uint8_t *dst);
/* The preferred link-local address, or NULL. */
const struct bh_ifaddr *bh_ifaddr_link_local(const struct bh_netif *i);
/* Lies addr in the subnet of an active address? Link-local ones do with IPv6. */
bool bh_ifaddr_on_link(const struct bh_netif *i, uint8_t family, const uint8_t *addr);
/* The info base has its record as it is. */
bool bh_ifaddr_is_stored(struct bh_stack *s, const struct bh_ifaddr *a);
/* Changes the state, publishes it. */
void bh_ifaddr_set_state(struct bh_stack *s, struct bh_ifaddr *a, uint8_t state);

/* ---- dad.c ---- */

/*
 * IPv6 by RFC 4862 §5.4: after a random delay of up to 1 s one solicitation from ::, with a nonce
 * (RFC 7527) so that one's own, looped back, is no conflict; 1 s later the address is preferred
 * and announced. IPv4 by RFC 5227 §2.1.1 with shorter times (below): a router's links are not
 * bridged over slow ports, and nothing is forwarded before.
 *
 * While the link is down the address waits. When the link comes back a preferred address is
 * checked again while it stays in use, since the cable may lead elsewhere.
 */
#define BH_DAD_DELAY_MS 1000
#define BH_DAD_WAIT_MS 1000
#define BH_ACD_PROBES 3
#define BH_ACD_PROBE_MS 200 /* to twice that between probes */
#define BH_ACD_WAIT_MS 300
#define BH_ACD_ANNOUNCES 2
#define BH_ACD_ANNOUNCE_MS 2000
#define BH_ACD_DEFEND_MS 10000

void bh_dad_start(struct bh_stack *s, struct bh_ifaddr *a);
void bh_dad_stop(struct bh_stack *s, struct bh_ifaddr *a);
/* Tells the link who has the address now. */
void bh_dad_announce(struct bh_stack *s, struct bh_ifaddr *a);
/* Somebody with this MAC uses the address, or (probing) also wants it. */
void bh_dad_conflict(struct bh_stack *s, struct bh_ifaddr *a, const uint8_t mac[6],
	bool probing);

#endif
