/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libbulkhead: how a process uses the services of the core.
 *
 * bh_open() opens nothing yet: the first call goes through a control proxy (first contact),
 * whose reply brings the channel; every later call goes straight into shared memory. Before
 * each call the connection is checked: is it there, is it of the service's present
 * generation, does the core live? If not, the next call goes through the proxy again
 * (bh_call returns -ECONNRESET once for requests that were under way and lost).
 *
 * A request that does the first contact waits for its answer, at most 5 s (-ETIMEDOUT); no
 * other submit waits. A handle is used by one thread; callbacks may use it too, but not close
 * it. Nothing here needs DPDK.
 */
#ifndef BULKHEAD_H
#define BULKHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infobase/schema.h"
#include "lib/channel/msg.h"

struct bh_handle;

/* Where a process finds the core: role_fd >= 0 is a role socket (inherited), else the
 * listening socket `socket` (NULL: $BULKHEAD_RUNDIR/core.sock, /run/bulkhead/core.sock). */
struct bh_open_args {
	const char *client; /* name shown in `bhctl show connections` */
	uint16_t service;   /* BH_SERVICE_INFOBASE ... */
	int role_fd;
	const char *socket;
};

struct bh_handle *bh_open(const struct bh_open_args *args); /* NULL and errno */
void bh_close(struct bh_handle *h);

/* Fills args from the environment a supervised module gets (BH_ROLE_FD, BULKHEAD_RUNDIR). */
void bh_open_args_env(struct bh_open_args *args, const char *client);

/* A reply or event as handed to callbacks: msg and body are the process's own copy, valid
 * during the callback. */
typedef void (*bh_reply_fn)(void *arg, const struct bh_msg *msg, const void *body, size_t len);

/*
 * Submits a request without waiting; cb is called from bh_poll() with its reply (status
 * -ECONNRESET if the core went away before it came). Requests are published to the core by
 * bh_flush(), bh_poll() or when the queue is half full. -EAGAIN: no room, poll first.
 * -ECONNRESET: the connection ended and bh_poll() has not yet told who had requests or watches
 * there. -errno of the first contact: -ENOENT (no such service yet), -ECONNREFUSED (no core),
 * -ECONNRESET (the core left; a role socket is then of no more use).
 */
int bh_submit(struct bh_handle *h, uint8_t verb, uint16_t table, uint32_t aux, const void *body,
	size_t len, bh_reply_fn cb, void *arg);
int bh_flush(struct bh_handle *h);

/* Handles what has come: replies, events. wait_ms: 0 looks once, -1 waits until something
 * came, or a submit that found no room would find some. Returns how many messages were
 * handled, or -errno (-ECONNRESET: the connection has ended; requests under way were answered
 * with that status, watches have ended, told by BH_OP_RESYNC with BH_CHANGE_ENDED. The next
 * request connects anew). */
int bh_poll(struct bh_handle *h, int wait_ms);

/* Number of requests without reply. */
unsigned int bh_pending(const struct bh_handle *h);

/* For event loops: readable when bh_poll() has something to do, now and then without cause.
 * bh_prepare_wait() must be called before each wait: announces sleep; false when there is
 * already work (then bh_poll(h, 0) before the next try). -1 before
 * first contact; changes with a reconnect. */
int bh_fd(const struct bh_handle *h);
bool bh_prepare_wait(struct bh_handle *h);

/* One request and its reply; waits. *rep_len: room in, bytes out. Returns the reply's status,
 * or -errno (-EMSGSIZE: rep was too small, *rep_len is what it takes). aux (may be NULL): the
 * request's in, the reply's out. */
int bh_call(struct bh_handle *h, uint8_t verb, uint16_t table, uint32_t *aux, const void *req,
	size_t req_len, void *rep, size_t *rep_len);

/* ---- the info base ---- */

/* key and val by the schema. id (may be NULL): what the table assigned. Waits. */
int bh_add(struct bh_handle *h, uint16_t table, const void *key, const void *val, size_t val_len,
	uint32_t *id);
int bh_delete(struct bh_handle *h, uint16_t table, const void *key);
/* Fills val up to *val_len; -ENOENT. */
int bh_get(struct bh_handle *h, uint16_t table, const void *key, void *val, size_t *val_len);
/* Longest match of an address key; key_out and val filled. */
int bh_lookup(struct bh_handle *h, uint16_t table, const void *key, void *key_out, void *val,
	size_t *val_len);

/* One record or mark. op: enum bh_op; key and val are NULL for marks, val NULL for DELETE. */
#define BH_CHANGE_ENDED 0x80 /* flag with BH_OP_RESYNC: the watch itself has ended, watch anew */

/* key and val are aligned to 8 bytes and valid during the call; val is zero from val_len up to
 * the schema's val_max. */
struct bh_change {
	uint16_t table;
	uint8_t op;
	uint8_t flags; /* BH_REC_*, BH_CHANGE_ENDED */
	uint32_t gen, epoch;
	const void *key;
	const void *val;
	size_t val_len;
};
typedef void (*bh_change_fn)(void *arg, const struct bh_change *c);

/* All records, one call of fn each; waits. verb: BH_V_DUMP or BH_V_RECOVER. */
int bh_dump(struct bh_handle *h, uint8_t verb, uint16_t table, bh_change_fn fn, void *arg);

/*
 * Records of a route table in order (address byte by byte, prefix length, vrf): up to max of those
 * that come after key, with `self` from it on; fn is called for each. Waits for one answer, so they
 * may be fewer than max; *end (may be NULL): no more come after them. A walk keeps nothing in the
 * core: its next call begins at the last key, whatever changed meanwhile. Without waiting: bh_submit()
 * of BH_V_NEXT, its aux made with BH_NEXT_SELF, and bh_changes().
 */
int bh_next(struct bh_handle *h, uint16_t table, const void *key, bool self, uint16_t max,
	bh_change_fn fn, void *arg, bool *end);

/* Waits for the answer, then follows the table from bh_poll(): its records, SYNCED, changes.
 * COMPLETE comes once the owner's replay has ended (after SYNCED if it was so already). */
int bh_watch(struct bh_handle *h, uint16_t table, bh_change_fn fn, void *arg);

int bh_replay_begin(struct bh_handle *h, uint16_t table, uint32_t *epoch);
int bh_replay_end(struct bh_handle *h, uint16_t table);

/* Splits the body of a DUMP reply or EVENT into changes. -EBADMSG when it does not parse: fn is
 * not called at all then. */
int bh_changes(uint16_t table, const void *body, size_t len, bh_change_fn fn, void *arg);

/* The read-only map of bh.stats (lib/stats/stats.h); NULL before first contact. */
const void *bh_stats_map(const struct bh_handle *h, size_t *size);

/* The welcome of the present connection (address, generation, zone, role), NULL if none. */
const struct bh_welcome *bh_connection(const struct bh_handle *h);

/* ---- supervised modules ---- */

/* Takes up the link to the supervisor (BH_SUPERVISOR_FD, BH_HEIR of the environment) and begins the
 * life page (lib/life/life.h): from READY on, a loop that does not call bh_life_beat() every
 * BH_LIFE_BEAT_MS is taken for hung. A supervisor whose life page is of another version is done
 * without. Once, by the main thread, before the sandbox. 0, also without a supervisor, or -errno. */
int bh_supervised_begin(void);

/* Tells the supervisor that the module serves; an heir: that it has recovered and may take over.
 * Again after each replay to a core that was restarted. Without a supervisor: 0. */
int bh_ready(void);

/* True for a module that was started as heir until it was told TAKE: it may read, recover and
 * watch; what else it asks for in its own tables is -EPERM. */
bool bh_supervised_heir(void);

/* For event loops: readable when the supervisor has said something. -1: there is none, or none
 * any more. */
int bh_supervised_fd(void);

enum bh_word_kind {
	BH_WORD_NONE,
	BH_WORD_ROLE,  /* fd: a role socket; the core was restarted: bh_reopen_role(), replay, READY */
	BH_WORD_TAKE,  /* an heir is the owner now: replay, READY */
	BH_WORD_LEAVE, /* the heir took over: end with status 0 */
	BH_WORD_REPLAY, /* a person wants the module's tables replayed, then bh_word_done() */
	BH_WORD_RENEW, /* ... whatever the module learns from others learnt anew: bh_word_done() */
	BH_WORD_GONE,  /* the supervisor is; the module goes on */
	BH_WORD_OTHER, /* of this module alone, by its text; fd, if not -1, is the caller's */
};

struct bh_word {
	int fd;
	char text[48];
};

/* The next word of the supervisor, never waiting. A descriptor that comes with one is the
 * caller's. */
enum bh_word_kind bh_supervised_take(struct bh_word *w);

/* Tells the supervisor that what BH_WORD_REPLAY or BH_WORD_RENEW asked for is done. Without a
 * supervisor: 0. -EINVAL: another word; -errno. */
int bh_word_done(enum bh_word_kind kind);

/* fd is the link from now on: of a supervisor that adopted us. The one before is closed. */
int bh_supervised_link(int fd);

/* The handle of a role goes on by another role socket, which stays the caller's (other handles may
 * use it too); the one before is of no more use. Its connection ends: requests under way are
 * answered -ECONNRESET, watches end, both during the call. The next request connects anew.
 * -EINVAL: not the handle of a role. */
int bh_reopen_role(struct bh_handle *h, int fd);

#endif
