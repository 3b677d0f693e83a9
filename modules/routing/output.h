/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The output: brings the tables `nexthop`, `route4`, `route6` to what the RIB wants, many
 * requests under way at a time, none waited for.
 *
 * Order across tables is had only through replies. Building: next hop added, its id told, then
 * routes with that id. Taking down: routes replaced or deleted, their replies in, then the
 * next hop. So a next hop counts the routes that want it or that the info base may hold with
 * it (out_refs), and a route has one request under way at most; a change that comes meanwhile is
 * sent after the reply. A changed route is one ADD that replaces.
 *
 * What the info base refuses is counted and offered again at the next change.
 *
 * The replay (DESIGN, "replay, not read-back"): begin of nexthop, route4, route6; all of it; when
 * nothing is under way, end of the two route tables; after their replies end of nexthop, as
 * stale routes need their ids until they are swept.
 */
#ifndef BH_ROUTING_OUTPUT_H
#define BH_ROUTING_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/client/bulkhead.h"
#include "lib/log/limit.h"
#include "modules/routing/nexthops.h"

struct bh_prefix;

/* What the output does: bh_submit() of libbulkhead with ctx for the handle, or a test's. */
struct bh_out_ops {
	int (*submit)(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body,
		size_t len, bh_reply_fn cb, void *arg);
	/* The module serves: the replay has ended, or what it says is known and the info base holds
	 * what its predecessor said. */
	void (*ready)(void *ctx);
};

struct bh_out_attr {
	uint8_t proto; /* enum bh_route_proto */
	uint8_t sub;
	uint16_t preference;
	uint32_t metric;
};

/* The output's part of a route; embedded in it. */
struct bh_out_route {
	TAILQ_ENTRY(bh_out_route) link;
	struct bh_out_list *on; /* the list it is on, or NULL */
	struct bh_output *out;
	struct bh_nh *want; /* NULL: not to be installed */
	struct bh_nh *sent; /* of the request under way */
	struct bh_nh *held; /* what the info base holds; NULL: nothing */
	struct bh_out_attr want_attr, sent_attr, held_attr;
	uint8_t under_way; /* verb, or 0 */
};

enum bh_replay_state {
	BH_REPLAY_IDLE, /* not begun: nothing is sent */
	BH_REPLAY_BEGIN,
	BH_REPLAY_ROUTES,
	BH_REPLAY_END_ROUTES,
	BH_REPLAY_END_NEXTHOP,
	BH_REPLAY_DONE,
};

struct bh_output {
	const struct bh_out_ops *ops;
	void *ctx;
	/* Prefix of a route, and: it is wanted and held no more. Set by the RIB. */
	const struct bh_prefix *(*prefix)(const struct bh_out_route *r);
	void (*gone)(void *arg, struct bh_out_route *r);
	void *gone_arg;
	struct bh_out_list routes;    /* to be seen to */
	uint32_t n_routes;	      /* of them */
	struct bh_out_list refused;   /* for the next change */
	TAILQ_HEAD(, bh_nh) nexthops; /* to be seen to */
	uint8_t replay;		      /* enum bh_replay_state */
	uint8_t marks;		      /* replay marks sent in this state */
	bool hold_end;		      /* the inputs are not whole yet: the replay may not end */
	bool told;		      /* ready was said of this connection */
	uint32_t under_way;	      /* requests without reply */
	int error;		      /* first fatal one: the connection, or a replay refused */
	uint64_t n_sent, n_refused;
	struct bh_log_limit limit; /* of refusals that are logged */
};

void bh_output_init(struct bh_output *o, const struct bh_out_ops *ops, void *ctx);

/* What is wanted of a route; nh NULL: not installed. */
void bh_output_set(struct bh_output *o, struct bh_out_route *r, struct bh_nh *nh,
	const struct bh_out_attr *attr);

/* Begins the replay (replay.c); once a connection. */
void bh_output_start(struct bh_output *o);

/* Another info base, which knows nothing: nothing is under way, no next hop has an id. Then
 * bh_output_forget() for each route that there is. What is wanted stays so. */
void bh_output_restart(struct bh_output *o, struct bh_nh_table *nhs);
void bh_output_forget(struct bh_output *o, struct bh_out_route *r);

/* Says ready, once a connection. */
void bh_output_ready(struct bh_output *o);

/* Offers again what was refused; call when something changed. */
void bh_output_retry(struct bh_output *o);

/* Sends what can be sent, until -EAGAIN of submit. Call after each poll and commit. 0, or a fatal
 * -errno: the connection is gone or the replay is refused. */
int bh_output_pump(struct bh_output *o);

/* Submits a request and counts it under way; 0, -EAGAIN, or what becomes o->error. */
int bh_output_submit(struct bh_output *o, uint8_t verb, uint16_t table, const void *body,
	size_t len, bh_reply_fn cb, void *arg);
/* To be called by cb first: counts the reply; false if it tells only that the core is gone. */
bool bh_output_replied(struct bh_output *o, const struct bh_msg *msg);

/* Replay marks that are due (replay.c); 0 or -errno of submit. */
int bh_replay_step(struct bh_output *o);

/* Nothing to send and nothing under way. */
bool bh_output_idle(const struct bh_output *o);

/* The route is unknown to the info base and not wanted: it may be freed. */
bool bh_output_is_gone(const struct bh_out_route *r);

#endif
