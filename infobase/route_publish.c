/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes into the FIB. The checks are the last thing that can refuse a change of the table, so
 * they are where the FIB is changed: a route that the FIB has no room for is refused with what
 * the FIB said, and what is stored without BH_ROUTE_UNRESOLVED is in the FIB.
 *
 * The FIB's writer keeps its prefixes in order; so that it can tell the order of all records, those of
 * waiting routes are held in it, unseen by packets.
 *
 * Routes whose id is not live wait in a list per id, linked by slots. When the id becomes live
 * they are published a bounded number a turn. References of an id are counted for waiting routes
 * too: the link worker frees an id when neither route table knows it any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "app/forwarding/tables.h"
#include "infobase/route_audit.h"
#include "infobase/route_publish.h"
#include "lib/log/log.h"

#define PUBLISH_BUDGET 128 /* waiting routes a turn */
#define FULL_MS 100	   /* until a FIB without room is tried again */
#define RECLAIM_MS 1
#define NONE 0		   /* end of a list; links are slots + 1 */

struct waiting { /* index: slot */
	uint32_t prev, next;
};

struct bh_route_publish {
	struct bh_table *table;
	struct bh_fib *fib;
	const struct bh_fwd_tables *tables;
	struct bh_worker *link;
	struct rte_ring *answers;
	unsigned int addr_len;
	bool full;	   /* the FIB had no room for a waiting route */
	bool unanswered;   /* some retired id could not be answered yet */
	struct waiting *waiting;
	uint32_t n_live, live_at; /* ids that became live, whose routes still wait: a ring */
	uint32_t live[BH_NH_MAX];
	bool is_queued[BH_NH_MAX];
	bool is_retired[BH_NH_MAX];
	uint32_t number[BH_NH_MAX]; /* of the retirement */
	uint32_t head[BH_NH_MAX]; /* waiting routes of an id */
	uint32_t refs[BH_NH_MAX]; /* routes of an id */
};

static struct bh_route
route_of(const void *val)
{
	struct bh_route v;

	memcpy(&v, val, sizeof(v));
	return v;
}

static struct bh_route
stored_route(const struct bh_route_publish *rp, const struct bh_record *rec)
{
	return route_of(bh_record_val(rec, bh_table_schema(rp->table)));
}

static bool
waits(const struct bh_route *v)
{
	return v->flags & BH_ROUTE_UNRESOLVED;
}

static uint8_t
plen_of(const struct bh_route_publish *rp, const void *key)
{
	return ((const uint8_t *)key)[rp->addr_len];
}

static uint16_t
vrf_of(const struct bh_route_publish *rp, const void *key)
{
	uint16_t vrf;

	memcpy(&vrf, (const uint8_t *)key + rp->addr_len + 2, sizeof(vrf));
	return vrf;
}

/* As published. Should it change at this moment, the link worker's message is still to come. */
static bool
is_live(const struct bh_route_publish *rp, uint32_t id)
{
	const struct bh_fwd_nh_copy *nh = bh_fwd_nh_get(&rp->tables->nhs[id]);
	uint8_t type = __atomic_load_n(&nh->type, __ATOMIC_RELAXED);

	return type != 0 && type != BH_FWD_NH_DEAD;
}

/* ---- waiting routes and references ---- */

static void
wait_begin(struct bh_route_publish *rp, uint32_t slot, uint32_t id)
{
	struct waiting *w = &rp->waiting[slot];

	*w = (struct waiting){ .prev = NONE, .next = rp->head[id] };
	if (w->next != NONE)
		rp->waiting[w->next - 1].prev = slot + 1;
	rp->head[id] = slot + 1;
}

static void
wait_end(struct bh_route_publish *rp, uint32_t slot, uint32_t id)
{
	struct waiting *w = &rp->waiting[slot];

	if (w->prev == NONE)
		rp->head[id] = w->next;
	else
		rp->waiting[w->prev - 1].next = w->next;
	if (w->next != NONE)
		rp->waiting[w->next - 1].prev = w->prev;
}

static void
answer(struct bh_route_publish *rp, uint32_t id)
{
	if (rte_ring_sp_enqueue(rp->answers, bh_nh_msg(id, BH_NH_MSG_RETIRE, rp->number[id])) != 0) {
		rp->unanswered = true;
		return;
	}
	rp->is_retired[id] = false;
	bh_worker_wake(rp->link);
}

static void
unref(struct bh_route_publish *rp, uint32_t id)
{
	if (--rp->refs[id] == 0 && rp->is_retired[id])
		answer(rp, id);
}

/* ---- hooks ---- */

static int
valid(const struct bh_route_publish *rp, const void *key, uint32_t id)
{
	if (vrf_of(rp, key) != 0 || id == 0 || id >= BH_NH_MAX)
		return -EINVAL;
	return bh_table_schema(rp->table)->key_ok(key) ? 0 : -EINVAL;
}

static int
check(void *ctx, const void *key, void *val, uint16_t val_len, const struct bh_record *old)
{
	struct bh_route_publish *rp = ctx;
	struct bh_route v = route_of(val), o = { .flags = BH_ROUTE_UNRESOLVED };
	int err = valid(rp, key, v.nh);
	bool live;

	if (err != 0)
		return err;
	if (old != NULL)
		o = stored_route(rp, old);
	live = is_live(rp, v.nh);
	if (live && (waits(&o) || o.nh != v.nh))
		err = bh_fib_set(rp->fib, key, plen_of(rp, key), v.nh);
	else if (!live && (old == NULL || !waits(&o)))
		err = bh_fib_hold(rp->fib, key, plen_of(rp, key));
	v.flags = live ? 0 : BH_ROUTE_UNRESOLVED;
	memcpy(val, &v, val_len);
	return err;
}

/* The record's slot is known here and not afterwards: its waiting ends here. */
static int
check_delete(void *ctx, const struct bh_record *old)
{
	struct bh_route_publish *rp = ctx;
	struct bh_route o = stored_route(rp, old);
	const void *key = bh_record_key(old);
	int err = bh_fib_del(rp->fib, key, plen_of(rp, key));

	if (err == 0 && waits(&o))
		wait_end(rp, old->slot, o.nh);
	return err;
}

static void
changed(void *ctx, const void *key, const struct bh_record *rec, const void *old_val,
	uint16_t old_len)
{
	struct bh_route_publish *rp = ctx;
	struct bh_route v, o;

	(void)key;
	(void)old_len;
	if (old_val != NULL) {
		o = route_of(old_val);
		if (rec != NULL && waits(&o))
			wait_end(rp, rec->slot, o.nh);
	}
	if (rec != NULL) {
		v = stored_route(rp, rec);
		rp->refs[v.nh]++;
		if (waits(&v))
			wait_begin(rp, rec->slot, v.nh);
	}
	if (old_val != NULL)
		unref(rp, o.nh);
}

static void
key_of(const struct bh_route_publish *rp, const struct bh_fib_prefix *p, uint8_t *key)
{
	memset(key, 0, bh_table_schema(rp->table)->key_len);
	memcpy(key, p->addr, rp->addr_len);
	key[rp->addr_len] = p->plen;
}

/* All records are of vrf 0, so one of another vrf comes behind that of its prefix. */
static unsigned int
next(void *ctx, const void *key, bool self, void *keys, unsigned int n)
{
	const struct bh_route_publish *rp = ctx;
	struct bh_fib_prefix p[BH_TABLE_NEXT_MAX];
	int found;

	self = self && vrf_of(rp, key) == 0;
	found = bh_fib_next(rp->fib, key, plen_of(rp, key), self, p, RTE_MIN(n, RTE_DIM(p)));
	for (int i = 0; i < found; i++)
		key_of(rp, &p[i], (uint8_t *)keys + i * bh_table_schema(rp->table)->key_len);
	return found < 0 ? 0 : found;
}

static void
audit(void *ctx, struct bh_audit_turn *turn)
{
	const struct bh_route_publish *rp = ctx;
	struct bh_route_audited of = { rp->table, rp->fib };

	bh_route_audit(&of, turn);
}

/* ---- messages of the link worker ---- */

static void
handle(void *ctx, void *obj)
{
	struct bh_route_publish *rp = ctx;
	uint32_t id = bh_nh_msg_id(obj);

	if (id == 0 || id >= BH_NH_MAX)
		return;
	if (bh_nh_msg_kind(obj) == BH_NH_MSG_RETIRE) {
		rp->is_retired[id] = true;
		rp->number[id] = bh_nh_msg_number(obj);
		if (rp->refs[id] == 0)
			answer(rp, id);
		return;
	}
	rp->is_retired[id] = false;
	if (rp->head[id] == NONE || rp->is_queued[id])
		return;
	rp->is_queued[id] = true;
	rp->live[(rp->live_at + rp->n_live++) % BH_NH_MAX] = id;
}

/* Publishes one waiting route. 0 or what the FIB said. */
static int
publish(struct bh_route_publish *rp, uint32_t slot)
{
	const struct bh_record *rec = bh_table_at(rp->table, slot);
	const void *key = bh_record_key(rec);
	struct bh_route v = stored_route(rp, rec);
	int err = bh_fib_set(rp->fib, key, plen_of(rp, key), v.nh);

	if (err != 0)
		return err;
	v.flags &= ~BH_ROUTE_UNRESOLVED;
	bh_table_amend(rp->table, key, &v, sizeof(v));
	return 0;
}

static void
dequeue(struct bh_route_publish *rp)
{
	rp->is_queued[rp->live[rp->live_at]] = false;
	rp->live_at = (rp->live_at + 1) % BH_NH_MAX;
	rp->n_live--;
}

static void
publish_waiting(struct bh_route_publish *rp)
{
	unsigned int budget;
	bool was_full = rp->full;
	uint32_t id;
	int err;

	rp->full = false;
	for (budget = PUBLISH_BUDGET; budget > 0 && rp->n_live > 0; budget--) {
		id = rp->live[rp->live_at];
		if (rp->head[id] == NONE || !is_live(rp, id)) {
			dequeue(rp);
			continue;
		}
		err = publish(rp, rp->head[id] - 1);
		if (err == 0)
			continue;
		rp->full = true;
		if (!was_full)
			bh_warn("infobase", "%s: routes wait for room in the FIB: %s",
				bh_table_schema(rp->table)->name, strerror(-err));
		return;
	}
}

static void
answer_again(struct bh_route_publish *rp)
{
	uint32_t id;

	rp->unanswered = false;
	for (id = 1; id < BH_NH_MAX; id++)
		if (rp->is_retired[id] && rp->refs[id] == 0)
			answer(rp, id);
}

static int
chore(void *ctx)
{
	struct bh_route_publish *rp = ctx;

	if (rp->unanswered)
		answer_again(rp);
	if (rp->n_live > 0)
		publish_waiting(rp);
	if (rp->n_live > 0 && !rp->full)
		return 0;
	if (bh_fib_reclaim(rp->fib) > 0 || rp->unanswered)
		return RECLAIM_MS;
	return rp->n_live > 0 ? FULL_MS : -1;
}

struct bh_route_publish *
bh_route_publish_create(struct bh_infobase *ib, int family, struct bh_fwd_tables *tables,
	struct bh_nh_links *links)
{
	static const struct bh_table_hooks hooks = {
		.check = check,
		.check_delete = check_delete,
		.changed = changed,
		.next = next,
		.audit = audit,
	};
	unsigned int i = family == 4 ? 0 : 1;
	struct bh_worker *w = bh_infobase_worker(ib, i == 0 ? BH_GROUP_ROUTE4 : BH_GROUP_ROUTE6);
	struct bh_route_publish *rp = calloc(1, sizeof(*rp));
	int err;

	if (rp == NULL)
		return NULL;
	rp->table = bh_infobase_table(ib, i == 0 ? BH_T_ROUTE4 : BH_T_ROUTE6);
	rp->fib = i == 0 ? tables->fib4 : tables->fib6;
	rp->tables = tables;
	rp->link = bh_infobase_worker(ib, BH_GROUP_LINK);
	rp->answers = links->to_link[i];
	rp->addr_len = i == 0 ? 4 : 16;
	/* For every slot that may ever be: pages that are not touched are not there. */
	rp->waiting = calloc(bh_table_schema(rp->table)->max, sizeof(*rp->waiting));
	err = rp->waiting == NULL ? -ENOMEM : 0;
	if (err == 0)
		err = bh_worker_add_input(w, links->to_route[i], handle, rp);
	if (err == 0)
		err = bh_worker_add_chore(w, chore, rp);
	if (err != 0) {
		bh_route_publish_destroy(rp);
		errno = -err;
		return NULL;
	}
	bh_table_set_hooks(rp->table, &hooks, rp);
	return rp;
}

void
bh_route_publish_destroy(struct bh_route_publish *rp)
{
	if (rp == NULL)
		return;
	free(rp->waiting);
	free(rp);
}
