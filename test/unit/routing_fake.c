/* SPDX-License-Identifier: BSD-3-Clause */
#include "routing_fake.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infobase/schema_check.h"

/* ---- the base ---- */

static size_t
key_len(uint16_t table)
{
	return table == BH_T_NEXTHOP  ? sizeof(struct bh_nexthop_key)
	       : table == BH_T_FPM    ? sizeof(struct bh_ifname_key)
	       : table == BH_T_ROUTE4 || table == BH_T_FPM_ROUTE4 ? sizeof(struct bh_route4_key)
								  : sizeof(struct bh_route6_key);
}

static bool
is_fpm(uint16_t table)
{
	return table >= BH_T_FPM && table <= BH_T_FPM_ROUTE6;
}

struct fake_rec *
fake_find(struct fake *f, uint16_t table, const void *key)
{
	size_t len = key_len(table);
	struct bh_hnode *n = bh_htab_first(&f->table[table], bh_hash(0, key, len));

	for (; n != NULL; n = bh_htab_next(n))
		if (memcmp(((struct fake_rec *)n)->key, key, len) == 0)
			return (struct fake_rec *)n;
	return NULL;
}

static struct fake_rec *
rec_new(struct fake *f, uint16_t table, const void *key)
{
	struct fake_rec *r = calloc(1, sizeof(*r));

	r->key_len = key_len(table);
	memcpy(r->key, key, r->key_len);
	bh_htab_insert(&f->table[table], &r->node, bh_hash(0, key, r->key_len));
	return r;
}

static void
rec_unuse(struct fake *f, struct fake_rec *r)
{
	if (!r->stale && f->by_id[r->route.nh] != NULL)
		f->by_id[r->route.nh]->routes--;
}

static void
rec_drop(struct fake *f, uint16_t table, struct fake_rec *r)
{
	if (table == BH_T_NEXTHOP)
		f->by_id[r->id] = NULL;
	else if (!is_fpm(table))
		rec_unuse(f, r);
	bh_htab_remove(&f->table[table], &r->node);
	free(r);
}

static void
check_key(const struct bh_nexthop_key *k)
{
	static const struct bh_nh_member zero;
	unsigned int i;

	ck_assert_uint_ge(k->type, BH_NH_GROUP);
	ck_assert_uint_le(k->type, BH_NH_PROHIBIT);
	ck_assert(k->type == BH_NH_GROUP ? k->n >= 1 && k->n <= BH_ECMP_MAX
					 : k->n == (k->type == BH_NH_ATTACHED));
	for (i = 0; i < BH_ECMP_MAX; i++) {
		if (i >= k->n)
			ck_assert_mem_eq(&k->m[i], &zero, sizeof(zero));
		else
			ck_assert_uint_ge(k->m[i].weight, 1);
		if (i > 0 && i < k->n)
			ck_assert_int_lt(memcmp(&k->m[i - 1], &k->m[i], sizeof(zero)), 0);
	}
}

static int
add_nexthop(struct fake *f, const struct fake_req *q, uint32_t *id)
{
	struct fake_rec *r = fake_find(f, BH_T_NEXTHOP, q->body);

	check_key((const void *)q->body);
	if (r == NULL) {
		if (f->table[BH_T_NEXTHOP].n >= f->max_nexthops)
			return -ENOSPC;
		r = rec_new(f, BH_T_NEXTHOP, q->body);
		r->id = ++f->next_id;
		f->by_id = realloc(f->by_id, (f->next_id + 1) * sizeof(f->by_id[0]));
		f->by_id[r->id] = r;
	}
	r->stale = false;
	*id = r->id;
	return 0;
}

static int
add_route(struct fake *f, const struct fake_req *q)
{
	struct fake_rec *r = fake_find(f, q->table, q->body);
	struct bh_route val;

	memcpy(&val, q->body + key_len(q->table), sizeof(val));
	ck_assert_uint_le(val.nh, f->next_id);
	ck_assert_msg(val.nh != 0 && f->by_id[val.nh] != NULL, "route with dead next hop");
	ck_assert(!f->by_id[val.nh]->stale);
	ck_assert_uint_eq(val.flags, 0);
	if (r == NULL) {
		if (f->table[q->table].n >= f->max_routes)
			return -ENOSPC;
		r = rec_new(f, q->table, q->body);
	} else {
		rec_unuse(f, r);
	}
	r->stale = false;
	r->route = val;
	f->by_id[val.nh]->routes++;
	return 0;
}

/* A record of the tables of FPM, which the schema takes. */
static int
add_fpm(struct fake *f, const struct fake_req *q)
{
	size_t len = key_len(q->table), val_len = q->len - len;
	struct fake_rec *r = fake_find(f, q->table, q->body);

	ck_assert(q->len > len && val_len <= BH_VAL_MAX);
	if (q->table == BH_T_FPM)
		ck_assert(bh_val_fpm_status(q->body + len, val_len));
	else
		ck_assert(bh_val_fpm_route(q->body + len, val_len));
	if (r == NULL && f->table[q->table].n >= f->max_routes)
		return -ENOSPC;
	if (r == NULL)
		r = rec_new(f, q->table, q->body);
	r->stale = false;
	r->val_len = val_len;
	memcpy(r->val, q->body + len, val_len);
	return 0;
}

static int delete (struct fake *f, const struct fake_req *q)
{
	struct fake_rec *r = fake_find(f, q->table, q->body);

	ck_assert_ptr_nonnull(r);
	if (q->table == BH_T_NEXTHOP)
		ck_assert_msg(r->routes == 0, "next hop deleted under its routes");
	rec_drop(f, q->table, r);
	return 0;
}

/* fn for each record of a table; it may drop the record. */
static void
each_rec(struct fake *f, uint16_t table, void (*fn)(struct fake *, uint16_t, struct fake_rec *))
{
	struct bh_htab *t = &f->table[table];
	struct bh_hnode *n, *next;

	for (uint32_t b = 0; t->bucket != NULL && b <= t->mask; b++) {
		for (n = t->bucket[b]; n != NULL; n = next) {
			next = n->next;
			fn(f, table, (struct fake_rec *)n);
		}
	}
}

static void
make_stale(struct fake *f, uint16_t table, struct fake_rec *r)
{
	if (table != BH_T_NEXTHOP && !is_fpm(table))
		rec_unuse(f, r);
	r->stale = true;
}

static void
sweep(struct fake *f, uint16_t table, struct fake_rec *r)
{
	if (r->stale)
		rec_drop(f, table, r);
}

static void
replay_begin(struct fake *f, uint16_t table)
{
	ck_assert(!f->began[table] || f->ended[table]);
	f->began[table] = true;
	f->ended[table] = false;
	each_rec(f, table, make_stale);
}

static void
replay_end(struct fake *f, uint16_t table)
{
	ck_assert(f->began[table] && !f->ended[table]);
	if (table == BH_T_NEXTHOP)
		ck_assert(f->ended[BH_T_ROUTE4] && f->ended[BH_T_ROUTE6]);
	f->ended[table] = true;
	each_rec(f, table, sweep);
}

static int
answer(struct fake *f, const struct fake_req *q, uint32_t *id)
{
	ck_assert(q->verb == BH_V_REPLAY_BEGIN || q->verb == BH_V_RECOVER || f->began[q->table]);
	switch (q->verb) {
	case BH_V_ADD:
		if (is_fpm(q->table))
			return add_fpm(f, q);
		return q->table == BH_T_NEXTHOP ? add_nexthop(f, q, id) : add_route(f, q);
	case BH_V_DELETE:
		return delete (f, q);
	case BH_V_REPLAY_BEGIN:
		replay_begin(f, q->table);
		return 0;
	case BH_V_REPLAY_END:
		replay_end(f, q->table);
		return 0;
	}
	ck_abort_msg("verb %u", q->verb);
	return -EINVAL;
}

static int
fake_submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct fake *f = ctx;
	struct fake_req *q;

	ck_assert(table == BH_T_NEXTHOP || table == BH_T_ROUTE4 || table == BH_T_ROUTE6 ||
		is_fpm(table));
	if (f->pending >= f->max_pending || (f->random_again && rand_r(&f->seed) % 4 == 0))
		return -EAGAIN;
	q = calloc(1, sizeof(*q) + len);
	q->verb = verb;
	q->table = table;
	q->len = len;
	q->aux = aux;
	q->cb = cb;
	q->arg = arg;
	if (len > 0)
		memcpy(q->body, body, len);
	TAILQ_INSERT_TAIL(&f->queue[table], q, link);
	f->pending++;
	return 0;
}

/* Some records from the cursor on, as a reply has them; the cursor counts records. */
static size_t
recover(struct fake *f, const struct fake_req *q, struct bh_msg *msg, uint8_t *body)
{
	struct bh_htab *t = &f->table[q->table];
	uint32_t at = 0, taken = 0;
	struct bh_rec head = {.op = BH_OP_PUT};
	size_t len = 0;

	msg->aux = BH_DUMP_END;
	for (uint32_t b = 0; t->bucket != NULL && b <= t->mask; b++) {
		for (struct bh_hnode *n = t->bucket[b]; n != NULL; n = n->next, at++) {
			struct fake_rec *r = (struct fake_rec *)n;

			if (at < q->aux)
				continue;
			if (taken == 3) {
				msg->aux = at;
				return len;
			}
			head.len = sizeof(head) + r->key_len + r->val_len;
			memcpy(body + len, &head, sizeof(head));
			memcpy(body + len + sizeof(head), r->key, r->key_len);
			memcpy(body + len + sizeof(head) + r->key_len, r->val, r->val_len);
			len += (head.len + 3) / 4 * 4;
			taken++;
		}
	}
	return len;
}

bool
fake_step(struct fake *f)
{
	static const uint16_t tables[] = {BH_T_NEXTHOP, BH_T_ROUTE4, BH_T_ROUTE6, BH_T_FPM,
		BH_T_FPM_ROUTE4, BH_T_FPM_ROUTE6};
	static uint8_t body[BH_MSG_MAX];
	struct bh_msg msg = {0};
	struct fake_req *q;
	uint32_t id = 0;
	uint16_t t;

	if (f->pending == 0)
		return false;
	do {
		t = tables[rand_r(&f->seed) % 6];
	} while ((q = TAILQ_FIRST(&f->queue[t])) == NULL);
	TAILQ_REMOVE(&f->queue[t], q, link);
	f->pending--;
	f->n_verb[t][q->verb]++;
	if (f->n_log < FAKE_LOG && !is_fpm(t)) {
		f->log[f->n_log].verb = q->verb;
		f->log[f->n_log++].table = t;
	}
	if (q->verb == BH_V_RECOVER) {
		q->cb(q->arg, &msg, body, recover(f, q, &msg, body));
	} else {
		msg.status = answer(f, q, &id);
		q->cb(q->arg, &msg, &id, id != 0 ? sizeof(id) : 0);
	}
	free(q);
	return true;
}

static void
fake_ready(void *ctx)
{
	struct fake *f = ctx;

	ck_assert(f->ended[BH_T_NEXTHOP] || f->r.heir || f->r.recovers);
	f->n_ready++;
}

static const struct bh_out_ops fake_ops = {fake_submit, fake_ready};

void
fake_run(struct fake *f)
{
	bool stepped;

	do {
		ck_assert_int_eq(bh_routing_commit(&f->r), 0);
		stepped = fake_step(f);
		while (stepped && rand_r(&f->seed) % 8 != 0 && fake_step(f))
			;
	} while (stepped || f->pending > 0 || !bh_fpm_is_idle(&f->r.fpm) ||
		 (f->r.out.replay != BH_REPLAY_IDLE &&
			 ((f->r.out.replay != BH_REPLAY_DONE && !f->r.out.hold_end) ||
				 !bh_output_idle(&f->r.out))));
}

void
fake_restart(struct fake *f)
{
	struct bh_msg msg = {.status = -ECONNRESET};
	struct bh_change ended = {.op = BH_OP_RESYNC, .flags = BH_CHANGE_ENDED};
	struct fake_req *q;

	for (int t = 0; t < BH_T_MAX; t++) {
		while ((q = TAILQ_FIRST(&f->queue[t])) != NULL) {
			TAILQ_REMOVE(&f->queue[t], q, link);
			q->cb(q->arg, &msg, NULL, 0);
			free(q);
		}
		each_rec(f, t, make_stale);
		each_rec(f, t, sweep);
		f->began[t] = f->ended[t] = false;
	}
	f->pending = f->n_log = 0;
	for (int i = 0; i < BH_ROUTING_INPUTS; i++)
		bh_routing_change(&f->r.input[i], &ended);
	bh_routing_restart(&f->r);
}

struct fake *
fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));

	for (int t = 0; t < BH_T_MAX; t++)
		TAILQ_INIT(&f->queue[t]);
	f->max_pending = 1000;
	f->max_nexthops = f->max_routes = UINT32_MAX;
	f->seed = 1;
	bh_routing_init(&f->r, &fake_ops, f);
	f->r.fpm.recovery = BH_FPM_RECOVERED; /* there was nothing */
	return f;
}

struct fake *
fake_successor(struct fake *old)
{
	struct fake *f = fake_new();

	memcpy(f->table, old->table, sizeof(f->table));
	memset(old->table, 0, sizeof(old->table));
	f->by_id = old->by_id;
	f->next_id = old->next_id;
	f->m = old->m;
	old->by_id = NULL;
	old->next_id = 0;
	f->r.fpm.recovery = BH_FPM_UNRECOVERED;
	return f;
}

void
fake_free(struct fake *f)
{
	struct fake_req *q;

	bh_routing_fini(&f->r);
	for (int t = 0; t < BH_T_MAX; t++) {
		while ((q = TAILQ_FIRST(&f->queue[t])) != NULL) {
			TAILQ_REMOVE(&f->queue[t], q, link);
			free(q);
		}
		each_rec(f, t, make_stale);
		each_rec(f, t, sweep);
		bh_htab_fini(&f->table[t]);
	}
	free(f->by_id);
	free(f);
}
