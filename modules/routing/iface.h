/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interfaces as routing sees them: known by name from the configuration, by ifindex from the
 * `interface` table; either may come first. Names live as long as the module.
 */
#ifndef BH_ROUTING_IFACE_H
#define BH_ROUTING_IFACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infobase/schema.h"
#include "lib/hash/hash.h"

struct bh_hop;
struct bh_addr_set;

struct bh_iface {
	struct bh_hnode node;
	char name[BH_NAME_LEN];
	uint32_t ifindex; /* 0: not in the interface table */
	uint32_t flags;	  /* BH_IF_* */
	bool up;
	bool marked;  /* for mark and sweep of the interface table */
	bool changed; /* on the list of changed ones */
	TAILQ_ENTRY(bh_iface) link;
	TAILQ_HEAD(, bh_hop) hops; /* hops that leave by it */
	struct bh_addr_set *addrs; /* owned by addrs.c; NULL: no address */
};

struct bh_ifaces {
	struct bh_htab by_name;
	struct bh_iface *by_index[BH_IF_MAX];
	TAILQ_HEAD(, bh_iface) changed; /* since the last commit */
};

void bh_ifaces_init(struct bh_ifaces *t);
void bh_ifaces_fini(struct bh_ifaces *t);

/* The interface of that name, made if unknown. name: NUL-padded or NUL-terminated. */
struct bh_iface *bh_iface_named(struct bh_ifaces *t, const char name[BH_NAME_LEN]);

/* Records of the interface table. An ifindex out of range is ignored. */
void bh_iface_put(struct bh_ifaces *t, uint32_t ifindex, const struct bh_interface *rec);
void bh_iface_delete(struct bh_ifaces *t, uint32_t ifindex);

/* Mark and sweep: begin, put what is there, end deletes the others. */
void bh_ifaces_resync(struct bh_ifaces *t);
void bh_ifaces_synced(struct bh_ifaces *t);

/* Puts it on the list of changed ones. */
void bh_iface_changed(struct bh_ifaces *t, struct bh_iface *i);

/* Can packets of that family leave by it? Up, and the family enabled (RFC 8344). */
bool bh_iface_usable(const struct bh_iface *i, uint8_t family);

#endif
