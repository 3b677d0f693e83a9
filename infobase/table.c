/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "infobase/table_priv.h"
#include "lib/log/log.h"

/* The log of a table holds the changes of about a sixteenth of its records, within bounds: what
 * a watcher may lag behind before it has to resync. */
#define LOG_BYTES_MIN (64u << 10)
#define LOG_BYTES_MAX (4u << 20)

static uint64_t
log_words(const struct bh_schema *s)
{
	uint64_t bytes = (uint64_t)s->max / 16 * (sizeof(struct bh_rec) + s->key_len + s->val_min);

	if (bytes < LOG_BYTES_MIN)
		bytes = LOG_BYTES_MIN;
	if (bytes > LOG_BYTES_MAX)
		bytes = LOG_BYTES_MAX;
	return bytes / 8;
}

struct bh_table *
bh_table_create(uint16_t id)
{
	const struct bh_schema *s = bh_schema(id);
	struct bh_table *t;
	int err;

	if (s == NULL) {
		errno = ENXIO;
		return NULL;
	}
	t = aligned_alloc(64, (sizeof(*t) + 63) / 64 * 64);
	if (t == NULL)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->schema = s;
	t->id = id;
	t->lcore = LCORE_ID_ANY;
	err = bh_store_init(&t->store, s->max);
	if (err == 0)
		err = bh_changelog_init(&t->log, log_words(s));
	if (err != 0) {
		bh_table_destroy(t);
		errno = -err;
		return NULL;
	}
	return t;
}

void
bh_table_destroy(struct bh_table *t)
{
	if (t == NULL)
		return;
	bh_store_fini(&t->store);
	bh_changelog_fini(&t->log);
	free(t);
}

void
bh_table_set_hooks(struct bh_table *t, const struct bh_table_hooks *hooks, void *ctx)
{
	t->hooks = *hooks;
	t->hooks_ctx = ctx;
}

const struct bh_schema *
bh_table_schema(const struct bh_table *t)
{
	return t->schema;
}

uint16_t
bh_table_id(const struct bh_table *t)
{
	return t->id;
}

uint32_t
bh_table_count(const struct bh_table *t)
{
	return t->store.count;
}

uint32_t
bh_table_stale(const struct bh_table *t)
{
	return t->stale;
}

bool
bh_table_is_complete(const struct bh_table *t)
{
	return t->complete;
}

/* ---- reading ---- */

static uint32_t
find(const struct bh_table *t, const void *key)
{
	uint16_t len = t->schema->key_len;

	bh_table_check_lcore(t);
	return bh_store_find(&t->store, bh_store_hash(&t->store, key, len), key, len);
}

const struct bh_record *
bh_table_get(const struct bh_table *t, const void *key)
{
	uint32_t slot = find(t, key);

	return slot == BH_SLOT_NONE ? NULL : bh_store_slot(&t->store, slot)->rec;
}

const struct bh_record *
bh_table_at(const struct bh_table *t, uint32_t slot)
{
	bh_table_check_lcore(t);
	return slot < t->store.high ? bh_store_slot(&t->store, slot)->rec : NULL;
}

const struct bh_record *
bh_table_next(const struct bh_table *t, uint32_t *slot)
{
	bh_table_check_lcore(t);
	return bh_store_next(&t->store, slot);
}

int
bh_table_next_keys(const struct bh_table *t, const void *key, bool self, void *keys, unsigned int n)
{
	bh_table_check_lcore(t);
	if (t->hooks.next == NULL)
		return -EOPNOTSUPP;
	return t->hooks.next(t->hooks_ctx, key, self, keys, n);
}

/* ---- changing ---- */

static int
check_put(struct bh_table *t, const void *key, void *val, uint16_t val_len,
	const struct bh_record *old)
{
	if (t->hooks.check == NULL)
		return 0;
	return t->hooks.check(t->hooks_ctx, key, val, val_len, old);
}

/* Tells the log and the hook of a change that was made. */
static void
tell(struct bh_table *t, const void *key, const struct bh_record *rec, const void *old_val,
	uint16_t old_len)
{
	struct bh_rec entry = {
		.op = rec != NULL ? BH_OP_PUT : BH_OP_DELETE,
		.flags = rec != NULL && bh_table_is_stale(t, rec) ? BH_REC_STALE : 0,
		.gen = t->gen,
		.epoch = rec != NULL ? rec->epoch : t->epoch,
	};
	const struct bh_schema *s = t->schema;

	bh_changelog_write(&t->log, &entry, key, s->key_len,
		rec != NULL ? bh_record_val(rec, s) : NULL, rec != NULL ? rec->val_len : 0);
	if (t->hooks.changed != NULL)
		t->hooks.changed(t->hooks_ctx, key, rec, old_val, old_len);
}

static struct bh_record *
record_new(const struct bh_schema *s, const void *key, uint16_t val_len)
{
	struct bh_record *rec = malloc(sizeof(*rec) + s->key_len + val_len);

	if (rec == NULL)
		return NULL;
	memset(rec, 0, sizeof(*rec));
	rec->val_len = val_len;
	memcpy(rec->data, key, s->key_len);
	return rec;
}

/* All that can fail comes first, the check last: what it did for a record (a route in the FIB)
 * need never be undone. */
static struct bh_record *
put_new(struct bh_table *t, uint32_t hash, const void *key, void *val, uint16_t val_len)
{
	struct bh_record *rec;
	int err = bh_store_reserve(&t->store);

	if (err != 0) {
		errno = -err;
		return NULL;
	}
	rec = record_new(t->schema, key, val_len);
	if (rec == NULL)
		return NULL;
	err = check_put(t, key, val, val_len, NULL);
	if (err != 0) {
		free(rec);
		errno = -err;
		return NULL;
	}
	memcpy(rec->data + t->schema->key_len, val, val_len);
	rec->slot = bh_store_insert(&t->store, hash, rec);
	rec->gen = ++t->gen;
	rec->epoch = t->epoch;
	if (t->schema->flags & BH_F_LPM)
		bh_table_count_plen(t, key, 1);
	tell(t, rec->data, rec, NULL, 0);
	return rec;
}

/* Replaces the value of rec by one that differs; next: where it goes if the length changes. */
static struct bh_record *
replace(struct bh_table *t, struct bh_record *rec, struct bh_record *next, const void *val,
	uint16_t val_len)
{
	const struct bh_schema *s = t->schema;
	uint64_t old[(BH_VAL_MAX + 7) / 8];
	uint16_t old_len = rec->val_len;

	memcpy(old, bh_record_val(rec, s), old_len);
	if (next != NULL) {
		next->slot = rec->slot;
		next->epoch = rec->epoch;
		bh_store_slot(&t->store, rec->slot)->rec = next;
		free(rec);
		rec = next;
	}
	memcpy(rec->data + s->key_len, val, val_len);
	rec->gen = ++t->gen;
	tell(t, rec->data, rec, old, old_len);
	return rec;
}

static void
renew(struct bh_table *t, struct bh_record *rec)
{
	if (bh_table_is_stale(t, rec))
		t->stale--;
	rec->epoch = t->epoch;
}

/* amend: by the core itself, without check and new epoch. */
static struct bh_record *
put_old(struct bh_table *t, struct bh_record *rec, void *val, uint16_t val_len, bool amend)
{
	struct bh_record *next = NULL;
	int err;

	if (val_len != rec->val_len) {
		next = record_new(t->schema, rec->data, val_len);
		if (next == NULL)
			return NULL;
	}
	err = amend ? 0 : check_put(t, rec->data, val, val_len, rec);
	if (err != 0) {
		free(next);
		errno = -err;
		return NULL;
	}
	if (!amend)
		renew(t, rec);
	if (next == NULL && memcmp(bh_record_val(rec, t->schema), val, val_len) == 0)
		return rec;
	return replace(t, rec, next, val, val_len);
}

static const struct bh_record *
put(struct bh_table *t, const void *key, const void *val, uint16_t val_len, bool amend)
{
	const struct bh_schema *s = t->schema;
	uint64_t copy[(BH_VAL_MAX + 7) / 8];
	uint32_t hash, slot;

	bh_table_check_lcore(t);
	if (val_len < s->val_min || val_len > s->val_max) {
		errno = EINVAL;
		return NULL;
	}
	memcpy(copy, val, val_len);
	hash = bh_store_hash(&t->store, key, s->key_len);
	slot = bh_store_find(&t->store, hash, key, s->key_len);
	if (slot != BH_SLOT_NONE)
		return put_old(t, bh_store_slot(&t->store, slot)->rec, copy, val_len, amend);
	if (amend) {
		errno = ENOENT;
		return NULL;
	}
	return put_new(t, hash, key, copy, val_len);
}

const struct bh_record *
bh_table_put(struct bh_table *t, const void *key, const void *val, uint16_t val_len)
{
	return put(t, key, val, val_len, false);
}

const struct bh_record *
bh_table_amend(struct bh_table *t, const void *key, const void *val, uint16_t val_len)
{
	return put(t, key, val, val_len, true);
}

static int
delete(struct bh_table *t, struct bh_record *rec)
{
	const struct bh_schema *s = t->schema;
	int err = 0;

	if (t->hooks.check_delete != NULL)
		err = t->hooks.check_delete(t->hooks_ctx, rec);
	if (err != 0)
		return err;
	bh_store_remove(&t->store, rec->slot);
	if (bh_table_is_stale(t, rec))
		t->stale--;
	if (s->flags & BH_F_LPM)
		bh_table_count_plen(t, rec->data, -1);
	t->gen++;
	tell(t, rec->data, NULL, bh_record_val(rec, s), rec->val_len);
	free(rec);
	return 0;
}

int
bh_table_del(struct bh_table *t, const void *key)
{
	uint32_t slot = find(t, key);

	return slot == BH_SLOT_NONE ? -ENOENT : delete(t, bh_store_slot(&t->store, slot)->rec);
}

/* ---- replay ---- */

uint32_t
bh_table_replay_begin(struct bh_table *t)
{
	bh_table_check_lcore(t);
	t->epoch++;
	t->stale = t->store.count;
	t->sweeping = t->alarmed = false;
	t->replay_since = rte_rdtsc();
	return t->epoch;
}

void
bh_table_replay_end(struct bh_table *t)
{
	struct bh_rec mark = { .op = BH_OP_COMPLETE, .gen = t->gen, .epoch = t->epoch };

	bh_table_check_lcore(t);
	if (!t->complete)
		bh_changelog_write(&t->log, &mark, NULL, 0, NULL, 0);
	t->complete = true;
	t->replay_since = 0;
	if (t->alarmed)
		bh_notice("replay", "%s: the replay has ended after all", t->schema->name);
	t->sweeping = t->stale > 0;
	t->sweep_at = 0;
	if (t->hooks.complete != NULL)
		t->hooks.complete(t->hooks_ctx);
}

bool
bh_table_is_sweeping(const struct bh_table *t)
{
	return t->sweeping;
}

void
bh_table_look(struct bh_table *t, uint64_t now, uint64_t limit)
{
	if (t->replay_since == 0 || t->alarmed || (int64_t)(now - t->replay_since) < (int64_t)limit)
		return;
	t->alarmed = true;
	bh_err("alarm", "%s: the replay of %s has not ended for %d s; %u stale records stay in use",
		t->schema->name, bh_role_name(t->schema->owner), BH_REPLAY_ALARM_S, t->stale);
}

bool
bh_table_sweep(struct bh_table *t, unsigned int budget)
{
	struct bh_record *rec = NULL;

	bh_table_check_lcore(t);
	for (; t->sweeping && budget > 0; budget--) {
		rec = t->stale > 0 ? bh_store_next(&t->store, &t->sweep_at) : NULL;
		if (rec == NULL)
			t->sweeping = false;
		else if (bh_table_is_stale(t, rec) && delete(t, rec) == 0)
			t->swept++;
	}
	return t->sweeping;
}
