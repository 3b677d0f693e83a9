/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FPM, the source of zebra's routes: what zebra sent, by prefix, offered to the RIB (source.h) with
 * the distance of its protocol. Knows no socket and no clock: fpm_conn.h brings both.
 *
 * FPM tells no end of a replay, and zebra remembers nothing of what it sent. So each connection is
 * an epoch: what an earlier one brought is stale, in use, and swept when the replay is over:
 *
 *  - of a protocol, when a route of it came and none of any came for `settle`. A zebra that was
 *    started anew gets its routes back from one daemon after the other: the first that is done
 *    must not cost the others theirs. A zebra that has been there before (its netlink port id
 *    tells) has all of them at once, so there any route will do;
 *  - of all, `replay-limit` after the connection;
 *  - never while nobody is connected.
 *
 * While a zebra that came back replays, what it takes back is stale too, no more, and a route whose
 * next-hop id says nothing keeps its next hops: one that was started anew takes the routes of before
 * over from the kernel, and may take them, or their ids, back and tell them again within moments,
 * when their daemon comes. What stays taken back is swept with the rest.
 *
 * Each prefix is also a record of fpm_route4 or fpm_route6, written before the route that comes of
 * it (fpm_rec.c): a restarted module recovers them as stale before it replays its own tables, so
 * that forwarding sees nothing of its death.
 *
 * Connected and kernel routes of zebra are not taken: those are ours to know. But the prefix is
 * then theirs in zebra, so what was held of it goes; the same where a route is refused.
 */
#ifndef BH_ROUTING_FPM_H
#define BH_ROUTING_FPM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "modules/routing/fpm_nhg.h"
#include "modules/routing/rib.h"

#define BH_FPM_BACKLOG 16384 /* changes under way or to be sent above which nothing is read */
#define BH_FPM_PUMP 1024     /* records sent a turn, before routes */
#define BH_FPM_SWEEP 4096    /* stale routes taken back a turn */
#define BH_FPM_STATUS_MS 250 /* between two records of the table `fpm` */

/* What zebra sent of a prefix. */
struct bh_fpm_entry {
	struct bh_hnode node;
	TAILQ_ENTRY(bh_fpm_entry) age; /* of its protocol, last told at the end */
	TAILQ_ENTRY(bh_fpm_entry) of_set, of_nhg;
	TAILQ_ENTRY(bh_fpm_entry) out; /* of dirty ones, or of those under way */
	struct bh_fpm *fpm;
	struct bh_fpm_set *set;	       /* NULL: its id is not told */
	struct bh_fpm_nhg *nhg;	       /* NULL: it has hops of its own */
	uint64_t since;		       /* ms; of its change that is not yet answered */
	uint32_t epoch, metric;
	struct bh_prefix prefix;
	uint8_t proto;
	bool offered;	   /* the RIB has it */
	bool gone;	   /* only its record is left to be deleted */
	bool dirty;	   /* the record is to be written or deleted */
	bool recorded;	   /* the info base has a record */
	uint8_t under_way; /* verb of the record's request, or 0 */
};

struct bh_fpm_slot { /* of a protocol */
	struct bh_fpm_entries entries;
	bool began; /* a route of it came in this epoch */
};

enum bh_fpm_step { BH_FPM_IDLE, BH_FPM_BEGIN, BH_FPM_ROUTES, BH_FPM_END, BH_FPM_DONE };
enum bh_fpm_recovery { BH_FPM_UNRECOVERED, BH_FPM_RECOVERING, BH_FPM_RECOVERED };

struct bh_fpm {
	struct bh_source source;
	struct bh_ifaces *ifaces;
	struct bh_output *out;
	struct bh_htab entries;
	struct bh_fpm_nhgs nhgs;
	struct bh_fpm_slot slot[256];
	uint64_t now; /* ms of a clock that does not go back; whoever calls keeps it right */

	struct bh_cfg_fpm cfg;
	bool configured, cfg_marked;
	uint32_t host[BH_IF_MAX]; /* the kernel's ifindex of ours; 0: none */
	bool host_marked[BH_IF_MAX];
	bool changed; /* since the last commit */
	bool remap;   /* interfaces may be others */
	bool reoffer; /* all, as distances may be */

	uint32_t epoch;
	bool connected, replaying;
	bool began; /* a route came in this epoch */
	bool same;  /* it is the zebra of before */
	bool again; /* when it connected, routes of before were held */
	bool kept;  /* next hops were left as they are, though their id says nothing */
	uint32_t zebra_before;
	uint64_t connected_at, last_at; /* ms */

	/* fpm_rec.c, fpm_recover.c */
	struct bh_fpm_entries dirty, sent;
	uint32_t n_dirty, n_sent;
	uint8_t step;	  /* enum bh_fpm_step: of the replay of our tables */
	uint8_t marks;	  /* sent in this step */
	uint8_t marks_under_way;
	uint8_t recovery; /* enum bh_fpm_recovery */
	uint8_t recover_at;
	bool recover_anew; /* the answer that comes is of an earlier recovery */
	uint32_t cursor;
	struct bh_log_limit limit; /* of refusals that are logged */
	bool status_sent; /* under way */
	bool told_any;	  /* there is a record of the state, which is `told` */
	uint64_t status_at;
	struct bh_fpm_status status, told;
};

void bh_fpm_init(struct bh_fpm *f, struct bh_rib *rib, struct bh_ifaces *ifaces,
	struct bh_output *out);
/* Before bh_rib_fini(). */
void bh_fpm_fini(struct bh_fpm *f);

/* ---- tables that it reads ---- */

/* cfg_fpm. Without its record nothing is held. */
void bh_fpm_cfg_put(struct bh_fpm *f, const struct bh_cfg_fpm *cfg);
void bh_fpm_cfg_delete(struct bh_fpm *f);
void bh_fpm_cfg_resync(struct bh_fpm *f);
void bh_fpm_cfg_synced(struct bh_fpm *f);

/* hostif. */
void bh_fpm_host_put(struct bh_fpm *f, uint32_t ifindex, uint32_t host_ifindex);
void bh_fpm_host_delete(struct bh_fpm *f, uint32_t ifindex);
void bh_fpm_host_resync(struct bh_fpm *f);
void bh_fpm_host_synced(struct bh_fpm *f);

/* ---- the connection ---- */

/* Zebra is connected: another epoch. */
void bh_fpm_open(struct bh_fpm *f, uint8_t family, const uint8_t addr[16], uint16_t port);
/* It is no more. error: why, for people; NULL: it left. */
void bh_fpm_close(struct bh_fpm *f, const char *error);
/* A frame of len bytes. -EBADMSG: corrupt; the connection is to be closed. */
int bh_fpm_take(struct bh_fpm *f, const uint8_t *frame, size_t len);
/* There is something to be read that is left for now: zebra is not quiet. */
void bh_fpm_waits(struct bh_fpm *f);
/* So many changes are on their way that no more are to be read. */
bool bh_fpm_is_busy(const struct bh_fpm *f);

/* The state that people see, and the last error, which stays if it is NULL. */
void bh_fpm_state(struct bh_fpm *f, uint8_t state, const char *error);

/* Sweeps what is due, so much a call, and ends the replay; true: there is more, call soon. */
bool bh_fpm_sweep(struct bh_fpm *f);

/* Works out what changed of groups, interfaces and distances; before bh_rib_commit(). */
void bh_fpm_commit(struct bh_fpm *f);

/* ---- records: fpm_rec.c, fpm_recover.c ---- */

/* What a predecessor held; to be called until it is there. 0 or a fatal -errno of submit. */
int bh_fpm_recover(struct bh_fpm *f);
/* Again, from nothing: of a predecessor that went on meanwhile. */
void bh_fpm_recover_again(struct bh_fpm *f);

/* Sends records, once the output's replay has begun; 0 or a fatal -errno. */
int bh_fpm_pump(struct bh_fpm *f);
/* All was answered. */
bool bh_fpm_is_idle(const struct bh_fpm *f);

/* Another info base, which knows nothing. */
void bh_fpm_restart(struct bh_fpm *f);

#endif
