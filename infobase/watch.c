/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watches: main's way from change logs to watchers.
 *
 * A watch takes its place in the log when its first chunk of the table is made, by the worker and
 * so at one moment. Then it goes chunk by chunk, and between two chunks it follows the log as far
 * as the table was when the last chunk was made: what it is sent never runs ahead of a chunk
 * that is still to come, so an older record cannot follow a newer one's deletion, and a long
 * dump of a busy table does not fall behind its log. When all chunks are sent and the log is
 * followed up to the last one, the watcher has the table as it was at that moment: SYNCED.
 *
 * One event a watch and pass, the same piece of log being read once for all watches at that
 * place. An event without room is tried again, less and less often; nothing is kept for it:
 * a chunk is given back and made again later. So a watcher that does not read costs little,
 * and in the end falls behind the log and starts again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "infobase/infobase_priv.h"

#define EVENT_BYTES (32 * BH_IB_SLOT)
#define EVENTS_MAX 128	    /* steps a pass */
#define WATCHES_PEER 32	    /* of one peer */
#define WATCHES_READERS (BH_IB_WATCHES / 4 * 3) /* the rest is kept for roles */
#define BACKOFF_MIN_US 20
#define BACKOFF_MAX_US 4000
#define NEVER UINT64_MAX    /* no head of a log */

int
bh_watches_init(struct bh_watches *ws)
{
	unsigned int i;

	ws->all = calloc(BH_IB_WATCHES, sizeof(*ws->all));
	for (i = 0; i < BH_T_MAX; i++)
		ws->quiet[i] = NEVER;
	return ws->all == NULL ? -ENOMEM : 0;
}

void
bh_watches_fini(struct bh_watches *ws)
{
	free(ws->all);
}

/* ---- begin and end ---- */

static bool
same_peer(const struct bh_watch *w, struct bh_peer_ref peer)
{
	return w->state != BH_WATCH_FREE && w->peer.index == peer.index && w->peer.gen == peer.gen;
}

static struct bh_watch *
find(struct bh_watches *ws, const struct bh_ib_request *r)
{
	uint32_t i;

	for (i = 0; i < ws->high; i++) {
		struct bh_watch *w = &ws->all[i];

		if (same_peer(w, r->peer) && w->table == r->msg.table && w->tag == r->msg.tag)
			return w;
	}
	return NULL;
}

/* A free entry for this peer, or NULL. */
static struct bh_watch *
entry_for(struct bh_watches *ws, const struct bh_ib_request *r)
{
	uint32_t i, of_peer = 0, max = BH_IB_WATCHES;
	struct bh_watch *entry = NULL;

	if (r->role <= BH_ROLE_ADMIN)
		max = WATCHES_READERS;
	for (i = 0; i < ws->high; i++) {
		if (entry == NULL && ws->all[i].state == BH_WATCH_FREE)
			entry = &ws->all[i];
		of_peer += same_peer(&ws->all[i], r->peer);
	}
	if (ws->used >= max || of_peer >= WATCHES_PEER)
		return NULL;
	return entry != NULL ? entry : &ws->all[ws->high++];
}

static void
count(struct bh_infobase *ib, uint16_t table, int by)
{
	struct bh_watches *ws = &ib->watches;

	ws->n[table] += by;
	ws->used += by;
	ws->quiet[table] = NEVER;
	__atomic_store_n(&ib->stats->table[table].watchers, ws->n[table], __ATOMIC_RELAXED);
}

int
bh_watch_begin(struct bh_infobase *ib, const struct bh_ib_request *r)
{
	struct bh_watches *ws = &ib->watches;
	struct bh_watch *w;

	if (find(ws, r) != NULL)
		return -EEXIST;
	w = entry_for(ws, r);
	if (w == NULL)
		return -ENOSPC;
	*w = (struct bh_watch){
		.peer = r->peer,
		.gen = w->gen + 1,
		.tag = r->msg.tag,
		.table = r->msg.table,
		.state = BH_WATCH_DUMP,
	};
	count(ib, w->table, 1);
	return 0;
}

static void
end(struct bh_infobase *ib, struct bh_watch *w)
{
	struct bh_watches *ws = &ib->watches;

	w->state = BH_WATCH_FREE;
	count(ib, w->table, -1);
	/* A crowd that is gone costs later passes nothing. */
	while (ws->high > 0 && ws->all[ws->high - 1].state == BH_WATCH_FREE)
		ws->high--;
}

int
bh_watch_end(struct bh_infobase *ib, const struct bh_ib_request *r)
{
	struct bh_watch *w = find(&ib->watches, r);

	if (w == NULL)
		return -ENOENT;
	end(ib, w);
	return 0;
}

void
bh_watch_gone(struct bh_infobase *ib, struct bh_peer_ref peer)
{
	struct bh_watches *ws = &ib->watches;
	uint32_t i;

	for (i = 0; i < ws->high; i++)
		if (same_peer(&ws->all[i], peer))
			end(ib, &ws->all[i]);
}

/* ---- events ---- */

/* Sends msg as an event of w. True when it is on its way; else w backs off or has ended. */
static bool
send(struct bh_infobase *ib, struct bh_watch *w, struct bh_msg *msg)
{
	int err;

	msg->verb = BH_V_EVENT;
	msg->flags = 0;
	msg->table = w->table;
	msg->status = 0;
	msg->tag = w->tag;
	msg->aux = 0;
	err = bh_service_event(ib->svc, w->peer, msg);
	if (err == 0) {
		w->backoff_us = 0;
		return true;
	}
	if (err != -EAGAIN) {
		end(ib, w);
		return false;
	}
	w->backoff_us = w->backoff_us == 0 ? BACKOFF_MIN_US : w->backoff_us * 2;
	if (w->backoff_us > BACKOFF_MAX_US)
		w->backoff_us = BACKOFF_MAX_US;
	w->retry_at = rte_rdtsc() + w->backoff_us * ib->tsc_us;
	return false;
}

static bool
send_mark(struct bh_infobase *ib, struct bh_watch *w, enum bh_op op)
{
	struct {
		struct bh_msg msg;
		struct bh_rec rec;
	} ev = {
		.msg.len = sizeof(ev),
		.rec = { .len = sizeof(ev.rec), .op = op },
	};

	return send(ib, w, &ev.msg);
}

void
bh_watch_chunk(struct bh_infobase *ib, struct bh_ib_request *r)
{
	struct bh_watch *w = &ib->watches.all[r->watch];
	uint32_t next = r->msg.aux;

	if (w->state != BH_WATCH_CHUNK || w->gen != r->watch_gen)
		return;
	ib->watches.quiet[w->table] = NEVER;
	w->state = BH_WATCH_DUMP;
	if (r->msg.len > sizeof(r->msg) && !send(ib, w, &r->msg))
		return;
	if (!w->placed) {
		w->placed = true;
		w->pos = r->log_pos;
		w->complete = r->complete;
	}
	w->until = r->log_pos;
	w->cursor = next;
	if (next == BH_DUMP_END)
		w->state = BH_WATCH_CATCHUP;
}

/* ---- steps ---- */

static bool
ask_chunk(struct bh_infobase *ib, struct bh_watch *w)
{
	struct bh_ib_request *r = bh_ib_take(ib, EVENT_BYTES, true);

	if (r == NULL)
		return false;
	r->watch = w - ib->watches.all;
	r->watch_gen = w->gen;
	r->room = EVENT_BYTES;
	r->refused = 0;
	r->msg = (struct bh_msg){
		.len = sizeof(r->msg),
		.verb = BH_V_DUMP,
		.table = w->table,
		.aux = w->cursor,
	};
	if (!bh_ib_enqueue(ib, r)) {
		bh_ib_give(ib, r);
		return false;
	}
	w->state = BH_WATCH_CHUNK;
	return true;
}

/* Reads the piece of the log at w's place, unless that is the one that was read last. */
static int
read_piece(struct bh_infobase *ib, const struct bh_watch *w)
{
	struct bh_watches *ws = &ib->watches;
	int len;

	if (ws->piece.table == w->table && ws->piece.from == w->pos &&
		ws->piece.to != ws->piece.from)
		return 0;
	ws->piece.table = w->table;
	ws->piece.from = ws->piece.to = w->pos;
	len = bh_changelog_read(&ib->tables[w->table]->log, &ws->piece.to, ws->piece.ev.body,
		EVENT_BYTES - sizeof(ws->piece.ev.msg), &ws->piece.n, &ws->piece.mark);
	if (len < 0)
		return len;
	ws->piece.ev.msg.len = sizeof(ws->piece.ev.msg) + len;
	return 0;
}

/* One piece of the log. True when the watch moved. */
static bool
follow(struct bh_infobase *ib, struct bh_watch *w)
{
	struct bh_watches *ws = &ib->watches;

	if (read_piece(ib, w) != 0) {
		w->state = BH_WATCH_RESYNC;
		return true;
	}
	if (ws->piece.to == w->pos)
		return false;
	if (ws->piece.mark)
		w->complete = true;
	else if (!send(ib, w, &ws->piece.ev.msg))
		return false;
	w->pos = ws->piece.to;
	return true;
}

static bool
step_resync(struct bh_infobase *ib, struct bh_watch *w)
{
	if (!send_mark(ib, w, BH_OP_RESYNC))
		return false;
	w->state = BH_WATCH_DUMP;
	w->placed = false;
	w->cursor = 0;
	return true;
}

static bool
step_synced(struct bh_infobase *ib, struct bh_watch *w)
{
	if (!send_mark(ib, w, BH_OP_SYNCED))
		return false;
	w->state = BH_WATCH_FOLLOW;
	return true;
}

static bool
step_complete(struct bh_infobase *ib, struct bh_watch *w)
{
	w->told = send_mark(ib, w, BH_OP_COMPLETE);
	return w->told;
}

static bool
step(struct bh_infobase *ib, struct bh_watch *w)
{
	switch (w->state) {
	case BH_WATCH_RESYNC:
		return step_resync(ib, w);
	case BH_WATCH_DUMP:
		return w->placed && w->pos < w->until ? follow(ib, w) : ask_chunk(ib, w);
	case BH_WATCH_CATCHUP:
		return w->pos < w->until ? follow(ib, w) : step_synced(ib, w);
	case BH_WATCH_FOLLOW:
		return w->complete && !w->told ? step_complete(ib, w) : follow(ib, w);
	default:
		return false;
	}
}

static bool
waits_for_room(const struct bh_watch *w)
{
	return w->state != BH_WATCH_FREE && w->backoff_us != 0;
}

/* Whether nothing is to be done for w before its log goes beyond head or a chunk comes. */
static bool
at_rest(const struct bh_watch *w, uint64_t head)
{
	if (waits_for_room(w))
		return false;
	return w->state == BH_WATCH_FREE || w->state == BH_WATCH_CHUNK ||
		(w->state == BH_WATCH_FOLLOW && w->pos >= head && w->told >= w->complete);
}

/* Heads of the watched logs. False when there is nothing new in any of them. */
static bool
look(const struct bh_infobase *ib, uint64_t *head)
{
	const struct bh_watches *ws = &ib->watches;
	bool news = false;
	uint16_t t;

	for (t = 1; t < BH_T_MAX; t++) {
		if (ws->n[t] == 0)
			continue;
		head[t] = bh_changelog_head(&ib->tables[t]->log);
		news |= head[t] != ws->quiet[t];
	}
	return news;
}

/* Up to EVENTS_MAX steps of watches from ws->at on; restless: tables with more to do. */
static unsigned int
round_trip(struct bh_infobase *ib, const uint64_t *head, bool *restless)
{
	struct bh_watches *ws = &ib->watches;
	uint64_t now = rte_rdtsc();
	unsigned int steps = 0;
	uint32_t i, high = ws->high;

	/* One that ends may take the end of the list with it: the rest comes in the next pass. */
	for (i = 0; i < high && ws->high == high && steps < EVENTS_MAX; i++) {
		struct bh_watch *w = &ws->all[ws->at++ % high];

		if (w->state == BH_WATCH_FREE || ws->quiet[w->table] == head[w->table])
			continue;
		if (!waits_for_room(w) || now >= w->retry_at)
			steps += step(ib, w);
		ws->blocked |= waits_for_room(w);
		restless[w->table] |= !at_rest(w, head[w->table]);
	}
	ws->again = i < high;
	return steps;
}

bool
bh_watches_run(struct bh_infobase *ib)
{
	struct bh_watches *ws = &ib->watches;
	uint64_t head[BH_T_MAX] = { 0 };
	bool restless[BH_T_MAX] = { 0 };
	unsigned int steps;
	uint16_t t;

	ws->blocked = ws->again = false;
	if (ws->used == 0 || !look(ib, head))
		return false;
	steps = round_trip(ib, head, restless);
	for (t = 1; t < BH_T_MAX; t++)
		ws->quiet[t] = restless[t] || ws->again ? NEVER : head[t];
	return steps > 0 || ws->again;
}
