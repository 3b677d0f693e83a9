/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Router advertisements (RFC 4861 §6.2), by the leaves of ietf-ipv6-router-advertisements
 * (RFC 8349). They are sent where they are configured while the interface is up and its
 * link-local address is preferred. Prefixes are those of the interface's addresses, with the
 * default lifetimes, changed and completed by the configured list.
 */
#ifndef BH_V6STACK_RA_H
#define BH_V6STACK_RA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infobase/schema.h"
#include "modules/v6stack/timer.h"

#define BH_RA_INITIAL 3		   /* MAX_INITIAL_RTR_ADVERTISEMENTS */
#define BH_RA_INITIAL_MS 16000	   /* MAX_INITIAL_RTR_ADVERT_INTERVAL */
#define BH_RA_DELAY_MS 500	   /* MAX_RA_DELAY_TIME */
#define BH_RA_MIN_DELAY_MS 3000	   /* MIN_DELAY_BETWEEN_RAS */
#define BH_RA_VALID_S 2592000	   /* AdvValidLifetime */
#define BH_RA_PREFERRED_S 604800   /* AdvPreferredLifetime */

struct bh_stack;
struct bh_netif;
struct bh_ra_prefix;
TAILQ_HEAD(bh_ra_prefixes, bh_ra_prefix);

struct bh_ra { /* of an interface */
	struct bh_cfg_ra cfg; /* zero: not configured */
	bool marked;
	struct bh_ra_prefixes prefixes;
	bool active;
	uint8_t sent;	  /* of the initial ones */
	uint64_t last;	  /* ms, of the last one; 0: none */
	struct bh_timer timer;
};

void bh_ra_init(struct bh_ra *ra);
void bh_ra_fini(struct bh_stack *s, struct bh_netif *i);

/* Records of cfg_ra and cfg_ra_prefix; cfg NULL: deleted. Mark and sweep of each. */
void bh_ra_cfg(struct bh_stack *s, const char *name, const struct bh_cfg_ra *cfg);
void bh_ra_cfg_prefix(struct bh_stack *s, const struct bh_cfg_ra_prefix_key *k,
	const struct bh_cfg_ra_prefix *cfg);
void bh_ra_mark(struct bh_stack *s);
void bh_ra_sweep(struct bh_stack *s);
void bh_ra_prefixes_mark(struct bh_stack *s);
void bh_ra_prefixes_sweep(struct bh_stack *s);

/* Begins, goes on or ends, by what the interface is by now. */
void bh_ra_settle(struct bh_stack *s, struct bh_netif *i);
/* A host asked. */
void bh_ra_solicited(struct bh_stack *s, struct bh_netif *i);

#endif
