/* SPDX-License-Identifier: BSD-3-Clause */
/* The info base's main: takes requests, hands them to workers, sends results. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "infobase/audit.h"
#include "infobase/infobase_priv.h"
#include "infobase/request.h"
#include "lib/channel/copy.h"

#define RESULTS_MAX 128 /* of one worker a pass */

/* ---- making ---- */

static int
make_table(struct bh_infobase *ib, uint16_t id, struct bh_worker *w)
{
	char name[RTE_RING_NAMESIZE];

	ib->tables[id] = bh_table_create(id);
	if (ib->tables[id] == NULL)
		return -errno;
	snprintf(name, sizeof(name), "ib.req.%s", bh_schema(id)->name);
	ib->requests[id] = rte_ring_create(name, BH_IB_RING, ib->conf.socket_id,
		RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (ib->requests[id] == NULL)
		return -ENOMEM;
	bh_worker_add_table(w, ib->tables[id], ib->requests[id], &ib->stats->table[id]);
	return 0;
}

/* The worker of this lcore, made if it is the first group there. */
static struct bh_worker *
worker_on(struct bh_infobase *ib, unsigned int lcore)
{
	unsigned int i;

	for (i = 0; i < ib->n_workers; i++)
		if (ib->workers[i]->lcore == lcore)
			return ib->workers[i];
	ib->workers[i] = bh_worker_create(ib, lcore);
	if (ib->workers[i] != NULL)
		ib->n_workers++;
	return ib->workers[i];
}

static int
make_workers(struct bh_infobase *ib)
{
	unsigned int i;

	for (i = 0; i < BH_GROUP_MAX; i++) {
		if (ib->conf.group_lcore[i] >= BH_STATS_LCORES)
			return -EINVAL;
		ib->by_group[i] = worker_on(ib, ib->conf.group_lcore[i]);
		if (ib->by_group[i] == NULL)
			return -errno;
	}
	return 0;
}

static int
make_tables(struct bh_infobase *ib)
{
	uint16_t id;
	int err;

	for (id = 1; id < BH_T_MAX; id++) {
		err = make_table(ib, id, ib->by_group[bh_schema(id)->group]);
		if (err != 0)
			return err;
	}
	return 0;
}

/* The objects are touched by main and all workers with each request: huge pages spare them TLB
 * misses, and they are taken once. */
static int
make_objects(struct bh_infobase *ib, enum bh_ib_size size, uint32_t n, size_t bytes)
{
	struct bh_ib_objects *o = &ib->objects[size];
	uint32_t i;

	o->mem = rte_zmalloc_socket("ib.objects", n * bytes, 64, ib->conf.socket_id);
	o->free = calloc(n, sizeof(struct bh_ib_request *));
	if (o->mem == NULL || o->free == NULL)
		return -ENOMEM;
	o->n = n;
	for (i = 0; i < n; i++) {
		struct bh_ib_request *r = RTE_PTR_ADD(o->mem, i * bytes);

		r->size = size;
		bh_ib_give(ib, r);
	}
	return 0;
}

static int
make_pool(struct bh_infobase *ib)
{
	const size_t small = BH_IB_BYTES(BH_IB_SHORT), big = BH_IB_BYTES(BH_MSG_MAX);
	int err;

	_Static_assert(BH_IB_BYTES(BH_IB_SHORT) / 64 % 2 == 1, "an odd number of lines");
	_Static_assert(BH_IB_BYTES(BH_MSG_MAX) / 64 % 2 == 1, "an odd number of lines");
	err = make_objects(ib, BH_IB_IS_SHORT, BH_IB_SHORTS, small);
	return err == 0 ? make_objects(ib, BH_IB_IS_LONG, BH_IB_LONGS, big) : err;
}

static int
make_all(struct bh_infobase *ib)
{
	int err;

	ib->tsc_us = rte_get_tsc_hz() / 1000000;
	ib->stats = ib->conf.stats;
	if (ib->stats == NULL)
		ib->stats = ib->own_stats = rte_zmalloc("ib.stats", sizeof(*ib->stats), 64);
	if (ib->stats == NULL)
		return -ENOMEM;
	err = make_workers(ib);
	if (err == 0)
		err = make_tables(ib);
	if (err == 0)
		err = make_pool(ib);
	return err == 0 ? bh_watches_init(&ib->watches) : err;
}

struct bh_infobase *
bh_infobase_create(const struct bh_infobase_conf *conf)
{
	struct bh_infobase *ib = calloc(1, sizeof(*ib));
	int err;

	if (ib == NULL)
		return NULL;
	ib->conf = *conf;
	err = make_all(ib);
	if (err != 0) {
		bh_infobase_destroy(ib);
		errno = -err;
		return NULL;
	}
	return ib;
}

void
bh_infobase_destroy(struct bh_infobase *ib)
{
	unsigned int i;

	if (ib == NULL)
		return;
	for (i = 0; i < BH_T_MAX; i++) {
		bh_table_destroy(ib->tables[i]);
		rte_ring_free(ib->requests[i]);
	}
	for (i = 0; i < ib->n_workers; i++)
		bh_worker_destroy(ib->workers[i]);
	bh_watches_fini(&ib->watches);
	for (i = 0; i < BH_IB_SIZES; i++) {
		rte_free(ib->objects[i].mem);
		free(ib->objects[i].free);
	}
	rte_free(ib->own_stats);
	free(ib);
}

struct bh_table *
bh_infobase_table(struct bh_infobase *ib, uint16_t table)
{
	return table < BH_T_MAX ? ib->tables[table] : NULL;
}

struct bh_worker *
bh_infobase_worker(struct bh_infobase *ib, enum bh_group group)
{
	return ib->by_group[group];
}

void
bh_infobase_set_service(struct bh_infobase *ib, struct bh_service *svc)
{
	ib->svc = svc;
}

void
bh_infobase_stop(struct bh_infobase *ib)
{
	unsigned int i;

	for (i = 0; i < ib->n_workers; i++) {
		__atomic_store_n(&ib->workers[i]->stop, true, __ATOMIC_RELEASE);
		bh_worker_wake(ib->workers[i]);
	}
}

/* ---- requests ---- */

struct bh_ib_request *
bh_ib_take(struct bh_infobase *ib, size_t bytes, bool keep)
{
	struct bh_ib_objects *o = &ib->objects[bytes > BH_IB_SHORT];

	return o->n_free > (keep ? o->n / BH_IB_KEPT : 0) ? o->free[--o->n_free] : NULL;
}

void
bh_ib_give(struct bh_infobase *ib, struct bh_ib_request *r)
{
	struct bh_ib_objects *o = &ib->objects[r->size];

	o->free[o->n_free++] = r;
}

bool
bh_ib_enqueue(struct bh_infobase *ib, struct bh_ib_request *r)
{
	if (rte_ring_sp_enqueue(ib->requests[r->msg.table], r) != 0)
		return false;
	ib->wake[bh_schema(r->msg.table)->group] = true;
	return true;
}

static unsigned int
slots_of(size_t bytes)
{
	return (bytes + BH_IB_SLOT - 1) / BH_IB_SLOT;
}

/* Slots that the reply may need. */
static unsigned int
reply_slots(const struct bh_schema *s, const struct bh_msg *msg, unsigned int room)
{
	size_t record = sizeof(struct bh_rec) + s->key_len + s->val_max;
	size_t all = BH_MSG_MAX;
	unsigned int most, least = slots_of(sizeof(*msg) + record);

	if (msg->verb == BH_V_AUDIT)
		least = slots_of(sizeof(*msg) + sizeof(struct bh_audit) + sizeof(struct bh_audit_diff));
	switch (msg->verb) {
	case BH_V_GET:
	case BH_V_LOOKUP:
		return least;
	case BH_V_NEXT:
		all = sizeof(*msg) + (msg->aux & BH_NEXT_COUNT) * RTE_ALIGN_CEIL(record, 4);
		/* fallthrough */
	case BH_V_AUDIT:
	case BH_V_DUMP:
	case BH_V_RECOVER:
		most = slots_of(RTE_MIN(all, (size_t)BH_MSG_MAX));
		return room < least ? least : RTE_MIN(room, most);
	default:
		return 1;
	}
}

/* Only a table's owner writes it; who else tried is told. */
static void
log_not_owner(struct bh_infobase *ib, const struct bh_peer_info *peer, const struct bh_msg *msg)
{
	bh_log_limited(&ib->log_owner, BH_LOG_WARNING, "infobase",
		"%s (pid %u, uid %u) may not write table %s: verb %u is refused", peer->client,
		peer->pid, peer->uid, bh_schema(msg->table)->name, msg->verb);
}

/* What concerns no table is answered at once. */
static int
answer_now(struct bh_infobase *ib, const struct bh_peer_info *peer, const struct bh_msg *msg,
	int status)
{
	struct bh_msg reply = *msg;

	if (status == 0) {
		bh_service_reply(ib->svc, peer->ref, msg);
		return slots_of(msg->len);
	}
	reply.len = sizeof(reply);
	reply.status = status;
	reply.aux = 0;
	bh_service_reply(ib->svc, peer->ref, &reply);
	return 1;
}

/* Fills r; the body of a refused request is not looked at any more. */
static void
fill(struct bh_ib_request *r, const struct bh_peer_info *peer, const struct bh_msg *msg,
	int status, unsigned int slots)
{
	r->peer = peer->ref;
	r->role = peer->role;
	r->watch = BH_IB_NO_WATCH;
	r->room = slots * BH_IB_SLOT;
	r->refused = status;
	bh_copy_header(&r->msg, msg);
	if (status == 0)
		bh_copy_short(r->body, msg + 1, msg->len - sizeof(*msg));
}

static int
request(void *ctx, const struct bh_peer_info *peer, const struct bh_msg *msg, unsigned int room)
{
	struct bh_infobase *ib = ctx;
	const struct bh_schema *s = bh_schema(msg->table);
	int status = bh_ib_check_request(peer->role, peer->heir, msg, msg + 1);
	struct bh_ib_request *r;
	unsigned int slots;
	size_t bytes;

	if (msg->verb == BH_V_NOP || s == NULL) {
		slots = status == 0 ? slots_of(msg->len) : 1;
		return slots > room ? -EAGAIN : answer_now(ib, peer, msg, status);
	}
	slots = status == 0 ? reply_slots(s, msg, room) : 1;
	if (slots > room)
		return -EAGAIN;
	bytes = RTE_MAX(slots * BH_IB_SLOT, status == 0 ? msg->len : sizeof(*msg));
	r = bh_ib_take(ib, bytes, peer->role <= BH_ROLE_ADMIN);
	if (r == NULL)
		return -EAGAIN;
	fill(r, peer, msg, status, slots);
	if (!bh_ib_enqueue(ib, r)) {
		bh_ib_give(ib, r);
		return -EAGAIN;
	}
	ib->taken++;
	bh_count(&ib->stats->table[msg->table].requests, 1);
	if (status == -EPERM)
		log_not_owner(ib, peer, msg);
	return slots;
}

static void
gone(void *ctx, struct bh_peer_ref ref)
{
	bh_watch_gone(ctx, ref);
}

/* ---- results ---- */

static void
finish(struct bh_infobase *ib, struct bh_ib_request *r)
{
	if (r->watch != BH_IB_NO_WATCH) {
		bh_watch_chunk(ib, r);
		bh_ib_give(ib, r);
		return;
	}
	if (r->msg.status == 0 && r->msg.verb == BH_V_WATCH)
		r->msg.status = bh_watch_begin(ib, r);
	else if (r->msg.status == 0 && r->msg.verb == BH_V_UNWATCH)
		r->msg.status = bh_watch_end(ib, r);
	if (r->msg.status != 0) {
		r->msg.aux = 0;
		bh_count(&ib->stats->table[r->msg.table].refused, 1);
	}
	bh_service_reply(ib->svc, r->peer, &r->msg);
	bh_ib_give(ib, r);
}

static bool
poll_results(struct bh_infobase *ib, struct bh_worker *w)
{
	struct bh_ib_request *r[RESULTS_MAX];
	unsigned int i, n = rte_ring_sc_dequeue_burst(w->results, (void **)r, RESULTS_MAX, NULL);

	for (i = 0; i < n; i++) {
		if (i + 1 < n)
			__builtin_prefetch(&r[i + 1]->msg);
		finish(ib, r[i]);
	}
	return n > 0;
}

/*
 * One bell a group, however many requests it was given. While requests still come it waits, up to a
 * bound: a worker on this CPU would else take it away for each few of them. Before main sleeps a
 * pass without requests rings.
 */
static bool
wake_workers(struct bh_infobase *ib)
{
	bool any = false, more = ib->taken > 0;
	unsigned int i;

	ib->unrung += ib->taken;
	ib->taken = 0;
	if (more && ib->unrung < BH_IB_GATHER)
		return true;
	ib->unrung = 0;
	for (i = 0; i < BH_GROUP_MAX; i++) {
		if (!ib->wake[i])
			continue;
		ib->wake[i] = false;
		any = true;
		bh_worker_wake(ib->by_group[i]);
	}
	return any;
}

static bool
poll(void *ctx)
{
	struct bh_infobase *ib = ctx;
	unsigned int i;
	bool busy = false;

	for (i = 0; i < ib->n_workers; i++)
		busy |= poll_results(ib, ib->workers[i]);
	busy |= bh_watches_run(ib);
	busy |= wake_workers(ib);
	return busy;
}

/* Results and log entries ring the bell; room for an event does not. */
static int
timeout(void *ctx)
{
	const struct bh_infobase *ib = ctx;

	if (ib->watches.again)
		return 0;
	return ib->watches.blocked ? 1 : -1;
}

const struct bh_service_ops bh_infobase_ops = {
	.request = request,
	.gone = gone,
	.poll = poll,
	.timeout = timeout,
};
