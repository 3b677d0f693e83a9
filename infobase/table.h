/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One table in memory: records in slots that do not move while they live, a hash from key to
 * slot, a change log. Only the worker lcore that maintains the table calls these functions
 * (debug builds assert it), but for the readers of the log.
 *
 * Every change goes through bh_table_put() or bh_table_del(), whoever asked: a client's verb,
 * the sweep after a replay, or the link worker's own hands. They bump the generation, write
 * the change log and call the table's `changed` hook, which publishes to forwarding.
 */
#ifndef BH_INFOBASE_TABLE_H
#define BH_INFOBASE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "infobase/schema.h"

struct bh_table;
struct bh_audit_turn;

/* One record; stays where it is until it is deleted or its value changes in length. The value
 * stands right behind the key, 4 bytes aligned at least: copy it out if it has wider members. */
struct bh_record {
	uint32_t slot;
	uint32_t gen;
	uint32_t epoch;
	uint16_t val_len;
	uint16_t flags; /* BH_REC_STALE is derived: epoch != the table's epoch */
	uint8_t data[]; /* key, then value */
};

/*
 * What a table means beyond storage: checks before, publication after. All optional, all
 * called on the table's worker. Pointers are valid during the call.
 */
struct bh_table_hooks {
	/* May the record be stored? val may be changed in place (id assigned, flags set);
	 * old: the present record or NULL. 0 or -errno, which the requester gets. It is the
	 * last thing that can refuse: after 0 the change happens (or val equals the old one). */
	int (*check)(void *ctx, const void *key, void *val, uint16_t val_len,
		const struct bh_record *old);
	/* May it be deleted? 0, and then it is, or -errno. */
	int (*check_delete)(void *ctx, const struct bh_record *old);
	/* After the change. rec: the record as stored, or NULL when deleted; old_val: the
	 * value before (old_len bytes), or NULL when new. */
	void (*changed)(void *ctx, const void *key, const struct bh_record *rec,
		const void *old_val, uint16_t old_len);
	/* Keys of the records that come after this one in the table's order, with `self` from it on:
	 * up to n, of the schema's length, one behind the other. Fewer than n: there are no more. */
	unsigned int (*next)(void *ctx, const void *key, bool self, void *keys, unsigned int n);
	/* BH_V_AUDIT: compares some records with what is published; moves turn->cursor on. */
	void (*audit)(void *ctx, struct bh_audit_turn *turn);
	/* Owner's end-of-replay was seen (at BH_V_REPLAY_END, before the sweep). */
	void (*complete)(void *ctx);
};

struct bh_table *bh_table_create(uint16_t id); /* NULL and errno */
void bh_table_destroy(struct bh_table *t);

/* Binds hooks; before the worker runs. A hook may change other tables of its worker, not this. */
void bh_table_set_hooks(struct bh_table *t, const struct bh_table_hooks *hooks, void *ctx);

const struct bh_schema *bh_table_schema(const struct bh_table *t);
uint16_t bh_table_id(const struct bh_table *t);
uint32_t bh_table_count(const struct bh_table *t);
uint32_t bh_table_stale(const struct bh_table *t);
bool bh_table_is_complete(const struct bh_table *t);

/* Stores a record under the table's present epoch. Same value: only the epoch is renewed, no
 * generation, no log entry, no hook. Returns the record, or NULL and errno: what the check
 * hook said, ENOSPC (schema's max), ENOMEM, EINVAL (lengths). */
const struct bh_record *bh_table_put(struct bh_table *t, const void *key, const void *val,
	uint16_t val_len);

/* The core's own change of a record, on nobody's behalf: as bh_table_put() but for a record that
 * exists, whose epoch stays what it is, and without the check hook. NULL and errno: ENOENT,
 * EINVAL, ENOMEM. */
const struct bh_record *bh_table_amend(struct bh_table *t, const void *key, const void *val,
	uint16_t val_len);

/* 0, -ENOENT, or what check_delete said. */
int bh_table_del(struct bh_table *t, const void *key);

const struct bh_record *bh_table_get(const struct bh_table *t, const void *key);
/* Longest match of the address in key (struct bh_route4_key or bh_route6_key; plen ignored) in
 * a table with BH_F_LPM; NULL: none. */
const struct bh_record *bh_table_lookup(const struct bh_table *t, const void *key);
/* As the hook `next` does, up to BH_TABLE_NEXT_MAX keys. -EOPNOTSUPP: the table is not kept in
 * order. */
#define BH_TABLE_NEXT_MAX 32
int bh_table_next_keys(const struct bh_table *t, const void *key, bool self, void *keys,
	unsigned int n);
/* Record in this slot, or NULL. */
const struct bh_record *bh_table_at(const struct bh_table *t, uint32_t slot);
/* Record in the first used slot >= *slot, and *slot set behind it; NULL at the end. */
const struct bh_record *bh_table_next(const struct bh_table *t, uint32_t *slot);

static inline const void *
bh_record_key(const struct bh_record *r)
{
	return r->data;
}

static inline const void *
bh_record_val(const struct bh_record *r, const struct bh_schema *s)
{
	return r->data + s->key_len;
}

/* A new owner's replay begins: epoch + 1, every record stale. Returns the epoch. */
uint32_t bh_table_replay_begin(struct bh_table *t);
/* The replay ended: table complete, what is stale will be swept by bh_table_sweep(). */
void bh_table_replay_end(struct bh_table *t);
/* Sweeps up to budget slots of stale records; true while some may remain. */
bool bh_table_sweep(struct bh_table *t, unsigned int budget);
bool bh_table_is_sweeping(const struct bh_table *t);

#define BH_REPLAY_ALARM_S 60
/* Raises the alarm, once a replay, when it lasts longer than limit. now, limit: TSC. */
void bh_table_look(struct bh_table *t, uint64_t now, uint64_t limit);

#endif
