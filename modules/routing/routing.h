/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routing module without its process: changes of tables in, requests out through struct
 * bh_out_ops. Knows no socket and no clock, so a test can be its info base.
 *
 *	interface ──────► iface ─┐                       ┌─► nexthop
 *	cfg_address, ───► addrs ─┤ source.h              │
 *	address                  ├────────► rib ► output ┼─► route4
 *	cfg_route4, ────► statics┤  hopset, resolve      └─► route6
 *	cfg_route6               │
 *	cfg_fpm, hostif, zebra ─► fpm ─► fpm_route4, fpm_route6, fpm
 *
 * Order of life: init; a watch on each table of bh_routing_table() with bh_routing_change() as
 * its callback; after each poll bh_routing_commit(), which does nothing before all inputs are
 * there, then computes, replays, says ready, and from then on follows the changes.
 *
 * After the core's death bh_routing_restart() and new watches: what is known stays in use. As soon
 * as interfaces and addresses are whole again (an ifindex may mean another one) the routes of before
 * are replayed; the replay ends when the static routes have come too.
 */
#ifndef BH_ROUTING_H
#define BH_ROUTING_H

#include "modules/routing/addrs.h"
#include "modules/routing/fpm.h"
#include "modules/routing/output.h"
#include "modules/routing/rib.h"

struct bh_routing;

/* One table that is watched. */
struct bh_input {
	struct bh_routing *r;
	const struct bh_input_ops *ops;
	bool synced, complete;
	bool dumped;  /* the whole table came since it was last marked */
	bool marked;  /* what does not come again is to be swept */
	bool was_complete; /* in the core before: it will be again */
};

#define BH_ROUTING_INPUTS 7
#define BH_ROUTING_BASE 4 /* of them: interface, cfg_address, address, hostif */

struct bh_routing {
	struct bh_ifaces ifaces;
	struct bh_rib rib;
	struct bh_addrs addrs;
	struct bh_source static4, static6;
	struct bh_fpm fpm; /* its `now` is set by whoever calls */
	struct bh_output out;
	struct bh_input input[BH_ROUTING_INPUTS];
	bool changed; /* since the last commit */
	bool computed; /* all inputs were there once */
	bool heir;     /* may not write */
	bool recovers; /* the info base holds what a predecessor said, whole: serves once computed */
	bool again;    /* all is to be replayed on the present connection */
};

void bh_routing_init(struct bh_routing *r, const struct bh_out_ops *ops, void *ctx);
void bh_routing_fini(struct bh_routing *r);

/* Table of an input: 0 .. BH_ROUTING_INPUTS - 1. */
uint16_t bh_routing_table(const struct bh_routing *r, unsigned int input);

/* A bh_change_fn; arg: struct bh_input *. */
void bh_routing_change(void *arg, const struct bh_change *c);

/* Takes up all changes since the last call and sends what can be sent. 0, or a fatal -errno. */
int bh_routing_commit(struct bh_routing *r);

/* An heir is the owner now. What its predecessor held of zebra is recovered anew. */
void bh_routing_promote(struct bh_routing *r);

/* Zebra may connect: what was there before is known, and the tables are ours to write. */
bool bh_routing_is_open(const struct bh_routing *r);

/* The core was restarted. The watches have ended (BH_CHANGE_ENDED); new ones follow. */
void bh_routing_restart(struct bh_routing *r);

/* Replays all on the present connection: next hops, routes, ends of replay. It begins with one of
 * the next commits, when what is under way was answered; until then no other change is sent. */
void bh_routing_replay(struct bh_routing *r);
/* Whether a replay was asked for, or is going on. */
bool bh_routing_replays(const struct bh_routing *r);

/* ---- statics.c: the source of static routes ---- */

/* Records of cfg_route4 and cfg_route6; key: struct bh_cfg_route4_key or bh_cfg_route6_key.
 * -EINVAL: a record that does not parse. */
int bh_static_put(
	struct bh_source *s, uint8_t family, const void *key, const void *val, size_t len);
int bh_static_delete(struct bh_source *s, uint8_t family, const void *key);

/* ---- inputs.c ---- */

void bh_inputs_init(struct bh_routing *r);
/* All are there: synced, and complete where the table has an owner that replays. */
bool bh_inputs_ready(const struct bh_routing *r);
/* Those are that tell what an ifindex means and which addresses are ours. */
bool bh_inputs_based(const struct bh_routing *r);

#endif
