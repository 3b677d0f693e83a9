/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses, the source of connected and local routes.
 *
 * An address counts when its interface is usable for the family and the address is valid:
 * configured (`cfg_address`) and not marked tentative or duplicate by the stack (`address`),
 * or known to the stack alone (autoconfigured) and preferred. Without a record of the stack a
 * configured address is valid at once. Of a link-local address only the host route is made:
 * its prefix means nothing outside its link.
 */
#ifndef BH_ROUTING_ADDRS_H
#define BH_ROUTING_ADDRS_H

#include <stdint.h>

#include "modules/routing/rib.h"

struct bh_addrs {
	struct bh_ifaces *ifaces;
	struct bh_source connected, local;
	struct bh_stack_addr *stack[BH_IF_MAX]; /* records of `address`, by ifindex */
};

void bh_addrs_init(struct bh_addrs *a, struct bh_ifaces *ifaces, struct bh_rib *rib);
void bh_addrs_fini(struct bh_addrs *a);

/* Records of cfg_address. */
void bh_addrs_cfg_put(struct bh_addrs *a, const struct bh_cfg_address_key *key, uint8_t plen);
void bh_addrs_cfg_delete(struct bh_addrs *a, const struct bh_cfg_address_key *key);
/* Mark and sweep of cfg_address. */
void bh_addrs_cfg_resync(struct bh_addrs *a);
void bh_addrs_cfg_synced(struct bh_addrs *a);

/* Records of address. */
void bh_addrs_stack_put(
	struct bh_addrs *a, const struct bh_if_addr_key *key, const struct bh_address *val);
void bh_addrs_stack_delete(struct bh_addrs *a, const struct bh_if_addr_key *key);
void bh_addrs_stack_resync(struct bh_addrs *a);
void bh_addrs_stack_synced(struct bh_addrs *a);

/* Offers and takes back the routes of changed interfaces; before bh_rib_commit(). */
void bh_addrs_commit(struct bh_addrs *a);

#endif
