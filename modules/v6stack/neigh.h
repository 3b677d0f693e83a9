/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The neighbor cache of both families and its state machine (RFC 4861 §7.3).
 *
 * Use. The core does not tell which adjacency carries packets, so a neighbor counts as used as
 * long as it answers: one that is STALE goes on to DELAY by itself and is then probed by unicast.
 * It costs three small frames a neighbor in half a minute, of which a token bucket lets only
 * BH_PROBES_PER_S through, and keeps what hosts say of one another fresh without a counter on the
 * fast path. A neighbor that does not answer is deleted: the next packet to it asks anew.
 *
 * Limits (RFC 6583). New resolutions have a rate and, while INCOMPLETE, a number on each interface;
 * where they are used up the oldest INCOMPLETE one goes, never one that is known. Hosts that
 * speak to us are learnt without any of this. Known ones beyond their limit push out the one that
 * was confirmed longest ago. Only known ones are in the table `neighbor`.
 *
 * Static neighbors (cfg_neighbor) win: nothing is resolved for their addresses, and what is said
 * of them is not heard.
 */
#ifndef BH_V6STACK_NEIGH_H
#define BH_V6STACK_NEIGH_H

#include "modules/v6stack/netif.h"

#define BH_NEIGH_INCOMPLETE 256 /* of an interface */
#define BH_NEIGH_KNOWN 8192	/* of an interface */
#define BH_NEIGH_ALL 32768
#define BH_NEIGH_NEW_PER_S 500	/* resolutions of an interface */
#define BH_NEIGH_NEW_BURST 250
#define BH_PROBES_PER_S 1000

#define BH_NUD_RETRANS_MS 1000	    /* RetransTimer */
#define BH_NUD_TRIES 3		    /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
#define BH_NUD_REACHABLE_MS 30000   /* ReachableTime: times 0.5 to 1.5 */
#define BH_NUD_STALE_MS 5000	    /* until it counts as used; times 0.5 to 1.5 */
#define BH_NUD_DELAY_MS 5000	    /* DELAY_FIRST_PROBE_TIME */

#define BH_HOLD_EACH 4	 /* frames held for a neighbor */
#define BH_HOLD_ALL 1024 /* in all */
#define BH_HOLD_AGAIN_MS 4 /* the core has the neighbor but has not published it yet */

struct bh_punt;
struct bh_held; /* a frame that waits */
STAILQ_HEAD(bh_held_list, bh_held);

struct bh_neigh {
	struct bh_hnode node;
	TAILQ_ENTRY(bh_neigh) link; /* incomplete or known of its interface */
	struct bh_netif *on;
	uint8_t family;
	uint8_t state; /* enum bh_nud_state */
	bool router;
	uint8_t tries;
	uint8_t mac[6];
	uint8_t addr[16];
	uint64_t confirmed; /* ms */
	struct bh_timer timer, again;
	struct bh_held_list held;
	unsigned int n_held;
};

struct bh_neigh *bh_neigh_find(struct bh_stack *s, const struct bh_netif *i, uint8_t family,
	const uint8_t addr[16]);

/* A new one, not yet published: the caller gives it a state by a bh_nud_ function at once. NULL:
 * it is static, or there is no room. */
struct bh_neigh *bh_neigh_make(struct bh_stack *s, struct bh_netif *i, uint8_t family,
	const uint8_t addr[16]);
void bh_neigh_free(struct bh_stack *s, struct bh_neigh *n);

/* All of an interface (family 0: of both). */
void bh_neighs_flush(struct bh_stack *s, struct bh_netif *i, uint8_t family);
/* What is known is doubtful: it is probed soon. */
void bh_neighs_verify(struct bh_stack *s, struct bh_netif *i);
/* Brings the table to what is known. */
void bh_neigh_publish(struct bh_stack *s, const struct bh_neigh *n);
/* Moves it to the list of its state, at the young end. */
void bh_neigh_file(struct bh_neigh *n, uint8_t state);

/* MAC of a neighbor, static or known; NULL. */
const uint8_t *bh_neigh_mac(struct bh_stack *s, const struct bh_netif *i, uint8_t family,
	const uint8_t addr[16]);

/* ---- static ones ---- */

void bh_static_put(struct bh_stack *s, const struct bh_cfg_neighbor_key *k, const uint8_t mac[6]);
void bh_static_delete(struct bh_stack *s, const struct bh_cfg_neighbor_key *k);
void bh_statics_mark(struct bh_stack *s);
void bh_statics_sweep(struct bh_stack *s);
void bh_statics_fini(struct bh_stack *s);
const uint8_t *bh_static_mac(struct bh_stack *s, const struct bh_netif *i, uint8_t family,
	const uint8_t addr[16]);

/* ---- nud.c ---- */

/* A packet waits for it: asks, if nobody does. False: no more may be asked now, it was freed. */
bool bh_nud_resolve(struct bh_stack *s, struct bh_neigh *n);
/* It answered us, with this MAC: REACHABLE. */
void bh_nud_confirm(struct bh_stack *s, struct bh_neigh *n, const uint8_t mac[6]);
/* It or somebody said it has this MAC: STALE if that is new. */
void bh_nud_learn(struct bh_stack *s, struct bh_neigh *n, const uint8_t mac[6]);
/* From the record that a predecessor left: as it was, and probed soon. */
void bh_nud_recover(struct bh_stack *s, struct bh_neigh *n, const struct bh_neighbor *rec);
/* To a state other than INCOMPLETE, with its timer. */
void bh_nud_set(struct bh_stack *s, struct bh_neigh *n, uint8_t state);

/* ---- hold.c ---- */

/* Keeps a frame until the neighbor is known; the oldest goes when there are too many. */
void bh_hold_put(struct bh_stack *s, struct bh_neigh *n, const struct bh_punt *p,
	const uint8_t *frame, size_t len);
/* The core has the neighbor: all go on where they were stopped. */
void bh_hold_release(struct bh_stack *s, struct bh_neigh *n);
/* Releases them a little later. */
void bh_hold_again(struct bh_stack *s, struct bh_neigh *n);
/* The neighbor does not answer: each sender is told, if tell. */
void bh_hold_fail(struct bh_stack *s, struct bh_neigh *n, bool tell);

#endif
