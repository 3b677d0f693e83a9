/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How main and workers work together.
 *
 * A request of a client becomes an object of a fixed pool, which only main takes from and gives
 * back to. Main hangs it on the request ring of its table; the table's worker writes the reply
 * into the same object and hangs that on its result ring, which has room for the whole pool:
 * a worker never waits for main. Without an object or room main takes no request. A request that
 * is refused goes the same way, so that one client's answers about one table keep their order.
 *
 * Watches use the same way: their chunks of a dump are requests without a client.
 */
#ifndef BH_INFOBASE_PRIV_H
#define BH_INFOBASE_PRIV_H

#include <rte_ring.h>

#include "app/core/bell.h"
#include "infobase/infobase.h"
#include "infobase/table_priv.h"
#include "lib/log/limit.h"
#include "lib/stats/stats.h"

#define BH_IB_POOL 2048	   /* request objects */
#define BH_IB_KEPT 256	   /* of them that readers leave to the modules */
#define BH_IB_GATHER 256   /* requests or results that are worth a bell while more come */
#define BH_IB_RING 512	   /* requests of one table under way */
#define BH_IB_BURST 32	   /* requests that a worker carries out together */
#define BH_IB_SLOT 60	   /* bytes of a message that a slot of the channel carries */
#define BH_IB_WATCHES 4096
#define BH_IB_NO_WATCH UINT32_MAX
#define BH_WORKER_INPUTS 8
#define BH_WORKER_CHORES 8

struct bh_ib_request {
	struct bh_peer_ref peer;
	uint32_t watch, watch_gen; /* whose chunk it is, or BH_IB_NO_WATCH: a client's */
	uint16_t role;
	uint16_t room;	   /* bytes that the reply may have, header included */
	int16_t refused;   /* -errno: the worker only hands it on */
	bool complete;	   /* chunk: the table was complete */
	uint64_t log_pos;  /* chunk: head of the change log when it was made */
	struct bh_msg msg; /* the request, then the reply; its body follows */
	uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];
} __attribute__((aligned(64)));

struct bh_worker_input {
	struct rte_ring *ring;
	void (*handle)(void *ctx, void *obj);
	void *ctx;
};

struct bh_worker_chore {
	int (*run)(void *ctx);
	void *ctx;
};

struct bh_worker_table {
	struct bh_table *table;
	struct rte_ring *requests;
	struct bh_stats_table *stats;
	uint64_t seen_log; /* head of its log when main was last told */
	/* Taken and not answered: an end of replay whose sweep goes on, and what came after it. */
	struct bh_ib_request *held[BH_IB_BURST];
	unsigned int n_held;
};

struct bh_worker {
	struct bh_infobase *ib;
	unsigned int lcore;
	bool stop; /* accessed atomically */
	unsigned int n_tables, n_inputs, n_chores;
	struct bh_worker_table tables[BH_T_MAX];
	struct bh_worker_input inputs[BH_WORKER_INPUTS];
	struct bh_worker_chore chores[BH_WORKER_CHORES];
	struct rte_ring *results;
	unsigned int unrung; /* requests done since main was last told */
	uint64_t next_look; /* TSC: at replays that do not end */
	struct bh_stats_lcore *stats;
	struct bh_bell bell;
};

enum bh_watch_state {
	BH_WATCH_FREE,
	BH_WATCH_DUMP,	  /* wants the next chunk of the table */
	BH_WATCH_CHUNK,	  /* waits for it */
	BH_WATCH_CATCHUP, /* has all of the table; follows the log up to where the last chunk was */
	BH_WATCH_FOLLOW,
	BH_WATCH_RESYNC,  /* fell behind: has to be told */
};

struct bh_watch {
	struct bh_peer_ref peer;
	uint32_t gen;	 /* of this entry: a chunk for its predecessor is dropped */
	uint32_t tag;
	uint16_t table;
	uint8_t state;	 /* enum bh_watch_state */
	bool placed;	 /* pos is its place in the log */
	bool complete;	 /* the table is, as of pos */
	bool told;	 /* ... and the watcher was told */
	uint32_t cursor; /* of the dump */
	uint32_t backoff_us; /* 0: had room */
	uint64_t pos;
	uint64_t until;	 /* CATCHUP: SYNCED comes there */
	uint64_t retry_at; /* TSC */
};

struct bh_watches {
	struct bh_watch *all; /* BH_IB_WATCHES */
	uint32_t n[BH_T_MAX]; /* per table */
	uint64_t quiet[BH_T_MAX]; /* head of the log at which all of its watches rested */
	uint32_t used, high;  /* in use; entries ever used */
	uint32_t at;	      /* where the next pass begins */
	bool blocked;	      /* some event waits for room */
	bool again;	      /* a pass ended with more to do */
	/* The last piece of a log that was read: watches at the same place share it. */
	struct {
		uint16_t table;
		bool mark;
		unsigned int n;
		uint64_t from, to;
		struct {
			struct bh_msg msg;
			uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];
		} ev;
	} piece;
};

struct bh_infobase {
	struct bh_infobase_conf conf;
	struct bh_stats *stats, *own_stats;
	struct bh_service *svc;
	struct bh_table *tables[BH_T_MAX];
	struct rte_ring *requests[BH_T_MAX];
	struct bh_worker *workers[BH_GROUP_MAX]; /* distinct ones */
	unsigned int n_workers;
	bool wake[BH_GROUP_MAX]; /* main: groups that were given requests */
	unsigned int taken, unrung; /* requests of this pass; since workers were last woken */
	struct bh_worker *by_group[BH_GROUP_MAX];
	struct bh_ib_request *pool;
	uint32_t n_free;
	struct bh_ib_request *free[BH_IB_POOL]; /* a stack: what was used last is warm */
	uint64_t tsc_us;
	struct bh_log_limit log_owner; /* writers that are not the owner */
	struct bh_watches watches;
};

/* ---- worker ---- */

struct bh_worker *bh_worker_create(struct bh_infobase *ib, unsigned int lcore);
void bh_worker_destroy(struct bh_worker *w);
void bh_worker_add_table(struct bh_worker *w, struct bh_table *t, struct rte_ring *requests,
	struct bh_stats_table *stats);
/* One pass: requests, inputs, sweeps, chores. True when there was work; *timeout: ms until some
 * chore wants to be called again, -1: none does. The worker's lcore only, w->stats set. */
bool bh_worker_turn(struct bh_worker *w, int *timeout);
/* Carries out one request and makes its reply in place. The table's worker only. */
void bh_ib_execute(struct bh_table *t, struct bh_ib_request *r);

/* ---- main ---- */

/* An object, or NULL. */
struct bh_ib_request *bh_ib_take(struct bh_infobase *ib);
void bh_ib_give(struct bh_infobase *ib, struct bh_ib_request *r);
/* Hangs r on its table's list; the worker is woken at the next pass. False: no room, r stays the
 * caller's. */
bool bh_ib_enqueue(struct bh_infobase *ib, struct bh_ib_request *r);

int bh_watches_init(struct bh_watches *ws);
void bh_watches_fini(struct bh_watches *ws);
/* WATCH and UNWATCH of a client, when their turn has come: the status of the reply. */
int bh_watch_begin(struct bh_infobase *ib, const struct bh_ib_request *r);
int bh_watch_end(struct bh_infobase *ib, const struct bh_ib_request *r);
void bh_watch_gone(struct bh_infobase *ib, struct bh_peer_ref peer);
/* A chunk of the table came back for a watch. r stays the caller's. */
void bh_watch_chunk(struct bh_infobase *ib, struct bh_ib_request *r);
/* Moves watches on, a bounded number of events. True when something was done. */
bool bh_watches_run(struct bh_infobase *ib);

#endif
