/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listener side of MLDv2 (RFC 3810) for the router's own groups: the solicited-node group of
 * each address, and all routers where it forwards. All nodes is never reported (§6). Changes are
 * reported at once and once more (robustness 2), queries are answered after the random delay.
 * Reports are of version 2 alone: switches that snoop take them whatever the querier speaks.
 */
#ifndef BH_V6STACK_MLD_H
#define BH_V6STACK_MLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "modules/v6stack/timer.h"

#define BH_MLD_ROBUSTNESS 2
#define BH_MLD_AGAIN_MS 1000 /* unsolicited report interval, at most */

struct bh_stack;
struct bh_netif;
struct bh_ifaddr;
struct bh_pkt6;
struct bh_mld_group;
TAILQ_HEAD(bh_mld_list, bh_mld_group);

struct bh_mld { /* of an interface */
	struct bh_mld_list groups;
	struct bh_timer change, query;
	bool routers; /* member of all routers */
};

void bh_mld_init(struct bh_mld *m);
void bh_mld_fini(struct bh_stack *s, struct bh_netif *i);

/* An address became active or is no more. */
void bh_mld_address(struct bh_stack *s, struct bh_netif *i, const struct bh_ifaddr *a, bool on);
/* All routers, by the flags of the interface. */
void bh_mld_settle(struct bh_stack *s, struct bh_netif *i);
/* The link came up: all groups are reported anew. */
void bh_mld_up(struct bh_stack *s, struct bh_netif *i);
/* A query (ICMPv6 type 130) that came in by i; hostile but for its lengths and checksum. */
void bh_mld_query(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p);

#endif
