/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The output: what the tables of the stack shall hold, brought there. A record has at most one
 * request under way; a change that comes meanwhile is sent after the reply. Nothing is waited
 * for. What the info base refuses is logged, told to the stack and not offered again until it
 * changes.
 *
 * The replay (DESIGN, "replay, not read-back"): begin of all tables, all records, and when nothing
 * is under way the end of all. After the loss of the core bh_out_restart() forgets what it held.
 */
#ifndef BH_V6STACK_OUT_H
#define BH_V6STACK_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/client/bulkhead.h"
#include "lib/hash/hash.h"

#define BH_OUT_KEY_MAX sizeof(struct bh_sock_key)
#define BH_OUT_VAL_MAX 16

struct bh_out_ops {
	/* bh_submit() of libbulkhead. */
	int (*submit)(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body,
		size_t len, bh_reply_fn cb, void *arg);
	/* The replay has ended. */
	void (*ready)(void *ctx);
};

/* A record was stored (0) or refused (-errno). */
typedef void (*bh_out_stored_fn)(void *arg, uint16_t table, const void *key, int status);

struct bh_out_rec;
TAILQ_HEAD(bh_out_list, bh_out_rec);

enum bh_out_state { BH_OUT_IDLE, BH_OUT_BEGIN, BH_OUT_RECORDS, BH_OUT_END, BH_OUT_DONE };

struct bh_out {
	const struct bh_out_ops *ops;
	void *ctx;
	bh_out_stored_fn stored;
	void *stored_arg;
	struct bh_htab recs;
	struct bh_out_list todo;
	uint8_t state;	    /* enum bh_out_state */
	uint8_t marks;	    /* sent in this state */
	uint32_t under_way; /* requests without reply */
	uint64_t n_refused;
	int error; /* fatal: a replay was refused, or -ECONNRESET */
};

void bh_out_init(struct bh_out *o, const struct bh_out_ops *ops, void *ctx,
	bh_out_stored_fn stored, void *stored_arg);
void bh_out_fini(struct bh_out *o);

/* Wants a record, or none. key and val have the lengths of the schema and are copied. */
void bh_out_put(struct bh_out *o, uint16_t table, const void *key, const void *val);
void bh_out_del(struct bh_out *o, uint16_t table, const void *key);
/* The info base holds what was put last. */
bool bh_out_is_stored(const struct bh_out *o, uint16_t table, const void *key);

/* Begins the replay; before it nothing is sent. */
void bh_out_start(struct bh_out *o);
/* The core is another: all requests were answered by -ECONNRESET. bh_out_start() follows. */
void bh_out_restart(struct bh_out *o);

/* Sends what can be sent. 0, or a fatal -errno. */
int bh_out_pump(struct bh_out *o);

#endif
