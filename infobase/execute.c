/* SPDX-License-Identifier: BSD-3-Clause */
/* The verbs, as a table's worker carries them out. Requests were checked by main. */
#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_prefetch.h>

#include "infobase/audit.h"
#include "infobase/infobase_priv.h"

static inline size_t
align4(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static size_t
record_size(const struct bh_table *t, const struct bh_record *rec)
{
	return sizeof(struct bh_rec) + t->schema->key_len + rec->val_len;
}

/* Writes rec as one of a reply's records; its length without padding. */
static size_t
write_record(const struct bh_table *t, const struct bh_record *rec, uint8_t *to)
{
	size_t data = t->schema->key_len + rec->val_len;
	struct bh_rec head = {
		.len = sizeof(head) + data,
		.op = BH_OP_PUT,
		.flags = bh_table_is_stale(t, rec) ? BH_REC_STALE : 0,
		.gen = rec->gen,
		.epoch = rec->epoch,
	};

	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), rec->data, data);
	return sizeof(head) + data;
}

static int
put(struct bh_table *t, struct bh_ib_request *r, size_t len)
{
	const struct bh_schema *s = t->schema;
	const struct bh_record *rec;

	if (r->msg.verb == BH_V_CHANGE && bh_table_get(t, r->body) == NULL)
		return -ENOENT;
	rec = bh_table_put(t, r->body, r->body + s->key_len, len - s->key_len);
	if (rec == NULL)
		return -errno;
	r->msg.aux = rec->gen;
	if (s->flags & BH_F_ASSIGNS_ID) {
		memcpy(r->body, bh_record_val(rec, s), sizeof(uint32_t));
		r->msg.len += sizeof(uint32_t);
	}
	return 0;
}

static int
give(struct bh_table *t, struct bh_ib_request *r, const struct bh_record *rec)
{
	if (rec == NULL)
		return -ENOENT;
	r->msg.len += write_record(t, rec, r->body);
	r->msg.aux = rec->gen;
	return 0;
}

/* Records from the cursor on, as many as there is room for. */
static int
dump(struct bh_table *t, struct bh_ib_request *r)
{
	uint32_t at = r->msg.aux, next = at;
	const struct bh_record *rec;
	size_t used = 0, len, room = r->room - sizeof(r->msg);

	while ((rec = bh_table_next(t, &next)) != NULL) {
		len = align4(record_size(t, rec));
		if (used + len > room)
			break;
		memset(r->body + used + len - 4, 0, 4);
		write_record(t, rec, r->body + used);
		used += len;
		at = next;
	}
	r->msg.len += used;
	r->msg.aux = rec == NULL ? BH_DUMP_END : at;
	r->log_pos = bh_changelog_head(&t->log);
	r->complete = t->complete;
	return 0;
}

/* Asks for the memory of the records with these keys, as bh_ib_prefetch() does. */
static void
prefetch_keys(const struct bh_table *t, const uint8_t *keys, unsigned int n)
{
	uint32_t hash[BH_TABLE_NEXT_MAX];
	unsigned int i;

	for (i = 0; i < n; i++) {
		hash[i] = bh_store_hash(&t->store, keys + i * t->schema->key_len, t->schema->key_len);
		bh_store_prefetch_bucket(&t->store, hash[i]);
	}
	for (i = 0; i < n; i++)
		bh_store_prefetch_slot(&t->store, hash[i]);
	for (i = 0; i < n; i++)
		bh_store_prefetch_record(&t->store, hash[i]);
}

/* Appends the records of these keys to the reply. */
static int
append(const struct bh_table *t, struct bh_ib_request *r, const uint8_t *keys, unsigned int n,
	size_t *used)
{
	const struct bh_record *rec;
	unsigned int i;
	size_t len;

	prefetch_keys(t, keys, n);
	for (i = 0; i < n; i++) {
		rec = bh_table_get(t, keys + i * t->schema->key_len);
		if (rec == NULL)
			return -EIO; /* order and records differ */
		len = align4(record_size(t, rec));
		memset(r->body + *used + len - 4, 0, 4);
		write_record(t, rec, r->body + *used);
		*used += len;
	}
	return 0;
}

/* Records behind the key, in order, as many as are wanted and there is room for. */
static int
next(struct bh_table *t, struct bh_ib_request *r)
{
	const struct bh_schema *s = t->schema;
	uint8_t keys[BH_TABLE_NEXT_MAX * sizeof(struct bh_route6_key)];
	uint8_t at[sizeof(struct bh_route6_key)];
	size_t used = 0, most = align4(sizeof(struct bh_rec) + s->key_len + s->val_max);
	uint32_t left = RTE_MIN(r->msg.aux & BH_NEXT_COUNT, (r->room - sizeof(r->msg)) / most);
	bool self = r->msg.aux & BH_NEXT_SELF;
	unsigned int ask;
	int n, err;

	memcpy(at, r->body, s->key_len);
	r->msg.aux = 0;
	for (; left > 0; left -= n) {
		ask = RTE_MIN(left, (uint32_t)BH_TABLE_NEXT_MAX);
		n = bh_table_next_keys(t, at, self, keys, ask);
		if (n < 0)
			return n;
		err = append(t, r, keys, n, &used);
		if (err != 0)
			return err;
		if ((unsigned int)n < ask) {
			r->msg.aux = BH_DUMP_END;
			break;
		}
		memcpy(at, keys + (n - 1) * s->key_len, s->key_len);
		self = false;
	}
	r->msg.len += used;
	return 0;
}

/* One turn of the hook, and what it found. Any room that main gives is enough for one difference. */
static int
audit(struct bh_table *t, struct bh_ib_request *r)
{
	size_t room = r->room - sizeof(r->msg) - sizeof(struct bh_audit);
	struct bh_audit_turn turn = {
		.cursor = r->msg.aux,
		.most = RTE_MIN(room / sizeof(turn.diff[0]), (size_t)BH_AUDIT_DIFFS),
	};
	struct bh_audit_ask ask;

	if (t->hooks.audit == NULL)
		return -EOPNOTSUPP;
	memcpy(&ask, r->body, sizeof(ask));
	turn.repair = ask.flags & BH_AUDIT_REPAIR;
	t->hooks.audit(t->hooks_ctx, &turn);
	turn.sum.records = t->store.count;
	memcpy(r->body, &turn.sum, sizeof(turn.sum));
	memcpy(r->body + sizeof(turn.sum), turn.diff, turn.n * sizeof(turn.diff[0]));
	r->msg.len += sizeof(turn.sum) + turn.n * sizeof(turn.diff[0]);
	r->msg.aux = turn.cursor;
	return 0;
}

static int
execute(struct bh_table *t, struct bh_ib_request *r, size_t len)
{
	switch (r->msg.verb) {
	case BH_V_ADD:
	case BH_V_CHANGE:
		return put(t, r, len);
	case BH_V_DELETE:
		return bh_table_del(t, r->body);
	case BH_V_GET:
		return give(t, r, bh_table_get(t, r->body));
	case BH_V_LOOKUP:
		return give(t, r, bh_table_lookup(t, r->body));
	case BH_V_DUMP:
	case BH_V_RECOVER:
		return dump(t, r);
	case BH_V_NEXT:
		return next(t, r);
	case BH_V_AUDIT:
		return audit(t, r);
	case BH_V_REPLAY_BEGIN:
		r->msg.aux = bh_table_replay_begin(t);
		return 0;
	case BH_V_REPLAY_END:
		bh_table_replay_end(t);
		return 0;
	default: /* WATCH, UNWATCH: main's, when they come back */
		return 0;
	}
}

/* Whether the worker looks up the key that the body begins with. */
static bool
has_key(const struct bh_ib_request *r)
{
	switch (r->msg.verb) {
	case BH_V_ADD:
	case BH_V_CHANGE:
	case BH_V_DELETE:
	case BH_V_GET:
		return r->refused == 0;
	default:
		return false;
	}
}

/*
 * A lookup is three lines that lie anywhere: bucket, slot, record, each found by the one before. One
 * request alone waits for each; of a burst all buckets come at once, then all slots, then records.
 */
void
bh_ib_prefetch(const struct bh_table *t, struct bh_ib_request *const *r, unsigned int n)
{
	uint32_t hash[BH_IB_BURST];
	unsigned int i, k = 0;

	for (i = 0; i < n; i++)
		rte_prefetch0(&r[i]->msg);
	for (i = 0; i < n; i++) {
		if (!has_key(r[i]))
			continue;
		hash[k] = bh_store_hash(&t->store, r[i]->body, t->schema->key_len);
		bh_store_prefetch_bucket(&t->store, hash[k++]);
	}
	for (i = 0; i < k; i++)
		bh_store_prefetch_slot(&t->store, hash[i]);
	for (i = 0; i < k; i++)
		bh_store_prefetch_record(&t->store, hash[i]);
}

void
bh_ib_execute(struct bh_table *t, struct bh_ib_request *r)
{
	size_t len = r->msg.len - sizeof(r->msg);

	r->msg.len = sizeof(r->msg);
	r->msg.status = r->refused != 0 ? r->refused : execute(t, r, len);
	if (r->msg.status != 0) {
		r->msg.len = sizeof(r->msg);
		r->msg.aux = 0;
	}
}
