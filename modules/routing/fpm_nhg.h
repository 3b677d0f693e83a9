/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops as zebra tells them. A route has them in itself, or names a next-hop id; either way
 * what it uses in the end is a hop set, by content: routes with equal hops share one, so that the
 * kernel's ifindexes are looked up once a set, and a route's hops take one pointer.
 *
 *	entry (a prefix) ──► set ◄── nhg (an id): one hop, or members by id
 *
 * Ids are of one zebra: when its connection ends they are forgotten, and what used them keeps the
 * set that it had. Groups come before or after their members; a group of groups adds nothing.
 * Changes only mark; bh_fpm_nhgs_commit() works them out, once however many came.
 */
#ifndef BH_ROUTING_FPM_NHG_H
#define BH_ROUTING_FPM_NHG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "infobase/schema.h"
#include "lib/hash/hash.h"
#include "modules/routing/fpm_msg.h"

#define BH_FPM_NHG_MAX 65536 /* ids that are told or named */
#define BH_FPM_SET_MAX 65536 /* different hop sets; the info base holds fewer next hops */

struct bh_fpm_entry;
TAILQ_HEAD(bh_fpm_entries, bh_fpm_entry);

struct bh_fpm_set {
	struct bh_hnode node;
	struct bh_fpm_entries users;
	uint32_t refs; /* of ids */
	uint8_t type;  /* enum bh_nh_type: GROUP with hops, else special without */
	uint8_t n;
	uint8_t n_cfg; /* hops on interfaces that are known */
	bool mapped;   /* n_cfg and cfg are right */
	struct bh_cfg_hop *cfg;
	struct bh_fpm_hop hop[];
};

struct bh_fpm_nhg;

struct bh_fpm_link {
	LIST_ENTRY(bh_fpm_link) of_member;
	struct bh_fpm_nhg *group, *member;
	uint8_t weight;
};

struct bh_fpm_nhg {
	struct bh_hnode node;
	uint32_t id;
	bool told; /* else only named: by a route or group */
	bool gone; /* its zebra is: no more found by id */
	bool marked;
	bool spread; /* the groups that it is in are marked too */
	uint8_t type; /* of one that is no group */
	uint8_t n_members;
	struct bh_fpm_hop hop;
	struct bh_fpm_link link[BH_ECMP_MAX];
	LIST_HEAD(, bh_fpm_link) groups; /* that it is a member of */
	TAILQ_ENTRY(bh_fpm_nhg) mark, all;
	struct bh_fpm_entries users;
	struct bh_fpm_set *set; /* NULL: unresolved */
};

TAILQ_HEAD(bh_fpm_nhg_list, bh_fpm_nhg);

struct bh_fpm_nhgs {
	struct bh_htab by_id, sets;
	struct bh_fpm_nhg_list all; /* that are in by_id */
	struct bh_fpm_nhg_list marked;
	uint32_t told;
};

void bh_fpm_nhgs_init(struct bh_fpm_nhgs *t);
/* No entry uses any more. */
void bh_fpm_nhgs_fini(struct bh_fpm_nhgs *t);

/* RTM_NEWNEXTHOP; a refused message takes what the id was. -ENOSPC: too many. */
int bh_fpm_nhg_put(struct bh_fpm_nhgs *t, const struct bh_fpm_msg *m);
void bh_fpm_nhg_delete(struct bh_fpm_nhgs *t, uint32_t id);
/* The id, made if it is new; NULL: too many. It lives while it is told or used. */
struct bh_fpm_nhg *bh_fpm_nhg_named(struct bh_fpm_nhgs *t, uint32_t id);
/* Frees it if nobody tells or uses it. */
void bh_fpm_nhg_release(struct bh_fpm_nhgs *t, struct bh_fpm_nhg *g);

/* The connection has ended. */
void bh_fpm_nhgs_forget(struct bh_fpm_nhgs *t);

/* Works out what changed; fn (may be NULL) is called for each id whose set is another now. */
void bh_fpm_nhgs_commit(struct bh_fpm_nhgs *t, void (*fn)(void *arg, struct bh_fpm_nhg *g),
	void *arg);

/* The set of that content, made if new; NULL: too many. n at most BH_ECMP_MAX. It lives while
 * entries use it, or until bh_fpm_set_release(). */
struct bh_fpm_set *bh_fpm_set_intern(
	struct bh_fpm_nhgs *t, uint8_t type, const struct bh_fpm_hop *hops, unsigned int n);
void bh_fpm_set_release(struct bh_fpm_nhgs *t, struct bh_fpm_set *s);

#endif
