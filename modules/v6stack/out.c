/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "lib/log/limit.h"

struct bh_out_rec {
	struct bh_hnode node;
	TAILQ_ENTRY(bh_out_rec) link;
	struct bh_out *out;
	uint16_t table;
	uint8_t under_way; /* verb, or 0 */
	bool queued, want, held, refused;
	uint8_t key[BH_OUT_KEY_MAX] __attribute__((aligned(8)));
	uint8_t val[BH_OUT_VAL_MAX], sent[BH_OUT_VAL_MAX];
};

static const uint16_t tables[] = {BH_T_ADDRESS, BH_T_NEIGHBOR, BH_T_HOSTIF, BH_T_TCP, BH_T_UDP};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

void
bh_out_init(struct bh_out *o, const struct bh_out_ops *ops, void *ctx, bh_out_stored_fn stored,
	void *stored_arg)
{
	memset(o, 0, sizeof(*o));
	o->ops = ops;
	o->ctx = ctx;
	o->stored = stored;
	o->stored_arg = stored_arg;
	TAILQ_INIT(&o->todo);
}

void
bh_out_fini(struct bh_out *o)
{
	struct bh_hnode *n;

	while ((n = bh_htab_any(&o->recs)) != NULL) {
		bh_htab_remove(&o->recs, n);
		free(bh_container_of(n, struct bh_out_rec, node));
	}
	bh_htab_fini(&o->recs);
}

static uint32_t
hash_of(uint16_t table, const void *key)
{
	return bh_hash(bh_hash(0, &table, sizeof(table)), key, bh_schema(table)->key_len);
}

static struct bh_out_rec *
find(const struct bh_out *o, uint16_t table, const void *key)
{
	struct bh_hnode *n = bh_htab_first(&o->recs, hash_of(table, key));

	for (; n != NULL; n = bh_htab_next(n)) {
		struct bh_out_rec *r = bh_container_of(n, struct bh_out_rec, node);

		if (r->table == table && memcmp(r->key, key, bh_schema(table)->key_len) == 0)
			return r;
	}
	return NULL;
}

static void
queue(struct bh_out_rec *r)
{
	if (r->queued)
		return;
	r->queued = true;
	TAILQ_INSERT_TAIL(&r->out->todo, r, link);
}

void
bh_out_put(struct bh_out *o, uint16_t table, const void *key, const void *val)
{
	struct bh_out_rec *r = find(o, table, key);

	if (r == NULL) {
		r = bh_must_calloc(1, sizeof(*r));
		r->out = o;
		r->table = table;
		memcpy(r->key, key, bh_schema(table)->key_len);
		bh_htab_insert(&o->recs, &r->node, hash_of(table, key));
	}
	r->want = true;
	r->refused = false;
	memcpy(r->val, val, bh_schema(table)->val_max);
	queue(r);
}

void
bh_out_del(struct bh_out *o, uint16_t table, const void *key)
{
	struct bh_out_rec *r = find(o, table, key);

	if (r == NULL)
		return;
	r->want = false;
	queue(r);
}

bool
bh_out_is_stored(const struct bh_out *o, uint16_t table, const void *key)
{
	const struct bh_out_rec *r = find(o, table, key);

	return r != NULL && r->want && r->held && r->under_way == 0 &&
	       memcmp(r->val, r->sent, sizeof(r->val)) == 0;
}

static void
refuse(struct bh_out_rec *r, int status)
{
	static struct bh_log_limit limit;

	r->out->n_refused++;
	r->refused = true;
	bh_log_limited(&limit, BH_LOG_WARNING, "out", "a record of %s is refused: %s",
		bh_schema(r->table)->name, strerror(-status));
}

static void
replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_out_rec *r = arg;
	struct bh_out *o = r->out;
	uint8_t verb = r->under_way;

	(void)body;
	(void)len;
	o->under_way--;
	r->under_way = 0;
	if (msg->status == -ECONNRESET) {
		o->error = -ECONNRESET;
		return;
	}
	if (verb == BH_V_DELETE && (msg->status == 0 || msg->status == -ENOENT))
		r->held = false;
	else if (msg->status == 0)
		r->held = true;
	else
		refuse(r, msg->status);
	queue(r);
	if (verb == BH_V_ADD && r->want)
		o->stored(o->stored_arg, r->table, r->key, msg->status);
}

static void
mark_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_out *o = arg;

	(void)body;
	(void)len;
	o->under_way--;
	if (msg->status == 0 || o->error != 0)
		return;
	o->error = msg->status;
	if (msg->status != -ECONNRESET)
		bh_err("out", "replay mark refused: %s", strerror(-msg->status));
}

static int
submit(struct bh_out *o, uint8_t verb, uint16_t table, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	int rc = o->ops->submit(o->ctx, verb, table, 0, body, len, cb, arg);

	if (rc == 0)
		o->under_way++;
	else if (rc != -EAGAIN)
		o->error = rc;
	return rc;
}

static int
send_record(struct bh_out_rec *r, uint8_t verb)
{
	const struct bh_schema *s = bh_schema(r->table);
	uint8_t body[BH_OUT_KEY_MAX + BH_OUT_VAL_MAX];
	size_t len = s->key_len;
	int rc;

	memcpy(body, r->key, s->key_len);
	if (verb == BH_V_ADD) {
		memcpy(body + len, r->val, s->val_max);
		len += s->val_max;
	}
	rc = submit(r->out, verb, r->table, body, len, replied, r);
	if (rc == 0) {
		r->under_way = verb;
		memcpy(r->sent, r->val, sizeof(r->sent));
	}
	return rc;
}

/* Does what the record needs by now; it leaves the list unless there is no room. */
static int
see_to(struct bh_out *o, struct bh_out_rec *r)
{
	bool same = memcmp(r->val, r->sent, sizeof(r->val)) == 0;
	int rc = 0;

	if (r->under_way == 0 && r->want && !r->refused && (!r->held || !same))
		rc = send_record(r, BH_V_ADD);
	else if (r->under_way == 0 && !r->want && r->held)
		rc = send_record(r, BH_V_DELETE);
	if (rc < 0)
		return rc;
	TAILQ_REMOVE(&o->todo, r, link);
	r->queued = false;
	if (r->under_way != 0 || r->want || r->held)
		return 0;
	bh_htab_remove(&o->recs, &r->node);
	free(r);
	return 0;
}

static int
send_marks(struct bh_out *o, uint8_t verb)
{
	int rc;

	for (; o->marks < N_TABLES; o->marks++) {
		rc = submit(o, verb, tables[o->marks], NULL, 0, mark_replied, o);
		if (rc < 0)
			return rc;
	}
	if (o->under_way > 0)
		return -EAGAIN;
	o->state++;
	o->marks = 0;
	return 0;
}

static int
send_records(struct bh_out *o)
{
	struct bh_out_rec *r;
	int rc;

	while ((r = TAILQ_FIRST(&o->todo)) != NULL) {
		rc = see_to(o, r);
		if (rc < 0)
			return rc;
	}
	if (o->state == BH_OUT_RECORDS && o->under_way == 0)
		o->state = BH_OUT_END;
	return 0;
}

static int
step(struct bh_out *o)
{
	int rc;

	if (o->state == BH_OUT_BEGIN) {
		rc = send_marks(o, BH_V_REPLAY_BEGIN);
		if (rc < 0)
			return rc;
	}
	if (o->state != BH_OUT_END) {
		rc = send_records(o);
		if (rc < 0)
			return rc;
	}
	if (o->state != BH_OUT_END)
		return 0;
	rc = send_marks(o, BH_V_REPLAY_END);
	if (rc == 0)
		o->ops->ready(o->ctx);
	return rc;
}

void
bh_out_start(struct bh_out *o)
{
	if (o->state == BH_OUT_IDLE)
		o->state = BH_OUT_BEGIN;
}

void
bh_out_restart(struct bh_out *o)
{
	struct bh_hnode *n;

	o->state = BH_OUT_IDLE;
	o->marks = 0;
	o->error = 0;
	o->under_way = 0;
	for (uint32_t b = 0; o->recs.bucket != NULL && b <= o->recs.mask; b++) {
		for (n = o->recs.bucket[b]; n != NULL; n = n->next) {
			struct bh_out_rec *r = bh_container_of(n, struct bh_out_rec, node);

			r->held = r->refused = false;
			r->under_way = 0;
			queue(r);
		}
	}
}

int
bh_out_pump(struct bh_out *o)
{
	int rc = 0;

	if (o->state != BH_OUT_IDLE && o->error == 0)
		rc = step(o);
	return o->error != 0 ? o->error : rc == -EAGAIN ? 0 : rc;
}
