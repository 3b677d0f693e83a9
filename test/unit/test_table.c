/* SPDX-License-Identifier: BSD-3-Clause */
/* A table alone: against a model, growth, hooks, replay and sweep, lookup. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "test/unit/table_util.h"

static const struct bh_record *
get(uint32_t i)
{
	struct bh_route4_key k = key_of(i);

	return bh_table_get(t, &k);
}

static uint32_t
nh_of(const struct bh_record *rec)
{
	struct bh_route v;

	memcpy(&v, bh_record_val(rec, bh_table_schema(t)), sizeof(v));
	return v.nh;
}

START_TEST(test_create)
{
	errno = 0;
	ck_assert_ptr_null(bh_table_create(BH_T_MAX));
	ck_assert_int_eq(errno, ENXIO);
	ck_assert_uint_eq(bh_table_id(t), BH_T_ROUTE4);
	ck_assert_uint_eq(bh_table_count(t), 0);
	ck_assert(!bh_table_is_complete(t));
}
END_TEST

START_TEST(test_lengths)
{
	struct bh_route4_key k = key_of(1);
	struct bh_route v = { .nh = 1 };

	errno = 0;
	ck_assert_ptr_null(bh_table_put(t, &k, &v, sizeof(v) - 1));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_uint_eq(bh_table_count(t), 0);
}
END_TEST

START_TEST(test_same_value)
{
	const struct bh_record *rec = put(1, 5);
	uint64_t head = bh_changelog_head(&t->log);
	uint32_t gen = rec->gen;

	ck_assert_ptr_eq(put(1, 5), rec);
	ck_assert_uint_eq(rec->gen, gen);
	ck_assert_uint_eq(bh_changelog_head(&t->log), head);
	ck_assert_ptr_eq(put(1, 6), rec); /* in place */
	ck_assert_uint_eq(rec->gen, gen + 1);
	ck_assert_uint_gt(bh_changelog_head(&t->log), head);
	ck_assert_uint_eq(bh_table_count(t), 1);
}
END_TEST

#define MODEL 5000

/* 150,000 random steps beside an array that says what must be there. */
START_TEST(test_random)
{
	static uint32_t model[MODEL], slot[MODEL];
	uint32_t count = 0, i, step, at, seen;
	const struct bh_record *rec;

	srandom(7);
	for (step = 0; step < 150000; step++) {
		i = random() % MODEL;
		if (random() % 5 < 3) {
			uint32_t nh = 1 + random() % 9;

			rec = put(i, nh);
			ck_assert_ptr_nonnull(rec);
			count += model[i] == 0;
			if (model[i] != 0)
				ck_assert_uint_eq(rec->slot, slot[i]);
			slot[i] = rec->slot;
			model[i] = nh;
		} else {
			ck_assert_int_eq(del(i), model[i] != 0 ? 0 : -ENOENT);
			count -= model[i] != 0;
			model[i] = 0;
		}
		i = random() % MODEL;
		rec = get(i);
		ck_assert_uint_eq(rec != NULL ? nh_of(rec) : 0, model[i]);
	}
	ck_assert_uint_eq(bh_table_count(t), count);
	for (at = 0, seen = 0; (rec = bh_table_next(t, &at)) != NULL; seen++)
		ck_assert_uint_eq(rec->slot, at - 1);
	ck_assert_uint_eq(seen, count);
}
END_TEST

#define MANY 150000

START_TEST(test_growth)
{
	const struct bh_record **rec = calloc(MANY, sizeof(*rec));
	uint32_t i, at;

	for (i = 0; i < MANY; i++) {
		rec[i] = put(i * 2654435761u, i + 1);
		ck_assert_ptr_nonnull(rec[i]);
	}
	ck_assert_uint_eq(bh_table_count(t), MANY);
	for (i = 0; i < MANY; i++) { /* where they were, and what they were */
		ck_assert_ptr_eq(get(i * 2654435761u), rec[i]);
		ck_assert_uint_eq(nh_of(rec[i]), i + 1);
		ck_assert_ptr_eq(bh_table_at(t, rec[i]->slot), rec[i]);
	}
	for (i = 0; i < MANY - 1; i++)
		ck_assert_int_eq(del(i * 2654435761u), 0);
	at = 0;
	ck_assert_ptr_eq(bh_table_next(t, &at), rec[MANY - 1]);
	ck_assert_ptr_null(bh_table_next(t, &at));
	ck_assert_uint_eq(t->plen_count[32], 1);
	free(rec);
}
END_TEST

START_TEST(test_full)
{
	struct bh_ifindex_key k = { 0 };
	struct bh_hostif v = { 1 };
	struct bh_table *small = bh_table_create(BH_T_HOSTIF);
	uint32_t max = bh_table_schema(small)->max;

	for (k.ifindex = 1; k.ifindex <= max; k.ifindex++)
		ck_assert_ptr_nonnull(bh_table_put(small, &k, &v, sizeof(v)));
	errno = 0;
	ck_assert_ptr_null(bh_table_put(small, &k, &v, sizeof(v)));
	ck_assert_int_eq(errno, ENOSPC);
	k.ifindex = 3;
	ck_assert_int_eq(bh_table_del(small, &k), 0);
	k.ifindex = max + 1;
	ck_assert_ptr_nonnull(bh_table_put(small, &k, &v, sizeof(v)));
	bh_table_destroy(small);
}
END_TEST

START_TEST(test_value_length_changes)
{
	struct bh_table *c = bh_table_create(BH_T_CFG_ROUTE4);
	struct bh_cfg_route4_key k = { { 10 }, 8, 0, 0 };
	struct bh_cfg_route v = { .type = BH_NH_GROUP };
	uint16_t head = offsetof(struct bh_cfg_route, hop), len;
	const struct bh_record *rec;
	uint32_t slot = 0, n;

	for (n = 1; n <= BH_ECMP_MAX; n++) {
		v.n = n;
		v.hop[n - 1].addr[0] = n;
		len = head + n * sizeof(v.hop[0]);
		rec = bh_table_put(c, &k, &v, len);
		ck_assert_ptr_nonnull(rec);
		ck_assert_uint_eq(rec->val_len, len);
		ck_assert_uint_eq(rec->slot, slot);
		ck_assert_int_eq(memcmp(bh_record_val(rec, bh_table_schema(c)), &v, len), 0);
		ck_assert_ptr_eq(bh_table_get(c, &k), rec);
	}
	ck_assert_uint_eq(bh_table_count(c), 1);
	bh_table_destroy(c);
}
END_TEST

/* ---- hooks ---- */

struct seen {
	int refuse;	   /* what the checks return */
	unsigned int checks, changes, deletes, completes;
	uint32_t old_nh, new_nh;
};

static int
hook_check(void *ctx, const void *key, void *val, uint16_t val_len, const struct bh_record *old)
{
	struct seen *s = ctx;
	struct bh_route v;

	(void)key;
	(void)old;
	s->checks++;
	memcpy(&v, val, val_len);
	v.metric = 77;
	memcpy(val, &v, val_len);
	return s->refuse;
}

static int
hook_check_delete(void *ctx, const struct bh_record *old)
{
	(void)old;
	return ((struct seen *)ctx)->refuse;
}

static void
hook_changed(void *ctx, const void *key, const struct bh_record *rec, const void *old_val,
	uint16_t old_len)
{
	struct seen *s = ctx;
	struct bh_route v = { 0 };

	(void)key;
	s->changes++;
	s->deletes += rec == NULL;
	if (old_val != NULL)
		memcpy(&v, old_val, old_len);
	s->old_nh = v.nh;
	s->new_nh = rec != NULL ? nh_of(rec) : 0;
}

static void
hook_complete(void *ctx)
{
	((struct seen *)ctx)->completes++;
}

static const struct bh_table_hooks hooks = {
	.check = hook_check,
	.check_delete = hook_check_delete,
	.changed = hook_changed,
	.complete = hook_complete,
};

START_TEST(test_hooks)
{
	struct seen s = { .refuse = -EXDEV };
	struct bh_route v;

	bh_table_set_hooks(t, &hooks, &s);
	errno = 0;
	ck_assert_ptr_null(put(1, 5));
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_uint_eq(bh_table_count(t), 0);
	s.refuse = 0;
	memcpy(&v, bh_record_val(put(1, 5), bh_table_schema(t)), sizeof(v));
	ck_assert_uint_eq(v.metric, 77); /* the check's own hand */
	ck_assert_uint_eq(s.changes, 1);
	put(1, 5);
	ck_assert_uint_eq(s.changes, 1);
	put(1, 6);
	ck_assert_uint_eq(s.changes, 2);
	ck_assert_uint_eq(s.old_nh, 5);
	ck_assert_uint_eq(s.new_nh, 6);
	s.refuse = -EBUSY;
	ck_assert_int_eq(del(1), -EBUSY);
	ck_assert_ptr_nonnull(get(1));
	s.refuse = 0;
	ck_assert_int_eq(del(1), 0);
	ck_assert_uint_eq(s.deletes, 1);
	ck_assert_uint_eq(s.old_nh, 6);
}
END_TEST

START_TEST(test_amend)
{
	struct seen s = { 0 };
	struct bh_route4_key k = key_of(1);
	struct bh_route v = { .nh = 9 };

	bh_table_set_hooks(t, &hooks, &s);
	errno = 0;
	ck_assert_ptr_null(bh_table_amend(t, &k, &v, sizeof(v)));
	ck_assert_int_eq(errno, ENOENT);
	put(1, 5);
	bh_table_replay_begin(t);
	s.checks = 0;
	ck_assert_uint_eq(nh_of(bh_table_amend(t, &k, &v, sizeof(v))), 9);
	ck_assert_uint_eq(s.checks, 0);
	ck_assert_uint_eq(s.changes, 2);
	ck_assert_uint_eq(bh_table_stale(t), 1); /* still its old owner's */
}
END_TEST

/* ---- replay ---- */

START_TEST(test_replay)
{
	struct seen s = { 0 };
	uint32_t i, gen, turns;

	bh_table_set_hooks(t, &hooks, &s);
	for (i = 0; i < 1000; i++)
		put(i, 1);
	gen = t->gen;
	ck_assert_uint_eq(bh_table_replay_begin(t), 1);
	ck_assert_uint_eq(bh_table_stale(t), 1000);
	for (i = 0; i < 1000; i += 2) /* half of it comes again, as it was */
		put(i, 1);
	ck_assert_uint_eq(t->gen, gen);
	ck_assert_uint_eq(bh_table_stale(t), 500);
	ck_assert(!bh_table_sweep(t, 100)); /* not before the end */
	ck_assert_uint_eq(bh_table_count(t), 1000);
	ck_assert(!bh_table_is_complete(t));
	bh_table_replay_end(t);
	ck_assert(bh_table_is_complete(t));
	ck_assert_uint_eq(s.completes, 1);
	for (turns = 1; bh_table_sweep(t, 100); turns++)
		ck_assert_uint_ge(bh_table_count(t), 1000 - turns * 100);
	ck_assert_uint_ge(turns, 5);
	ck_assert_uint_eq(bh_table_count(t), 500);
	ck_assert_uint_eq(bh_table_stale(t), 0);
	ck_assert_uint_eq(s.deletes, 500);
	ck_assert_uint_eq(t->swept, 500);
	for (i = 0; i < 1000; i++)
		ck_assert(!!get(i) == (i % 2 == 0));
}
END_TEST

/* A second owner's begin stops the sweep for the first: nothing that it may renew is lost. */
START_TEST(test_replay_again)
{
	uint32_t i;

	for (i = 0; i < 100; i++)
		put(i, 1);
	bh_table_replay_begin(t);
	bh_table_replay_end(t);
	bh_table_sweep(t, 10);
	ck_assert_uint_eq(bh_table_replay_begin(t), 2);
	ck_assert(!bh_table_sweep(t, 1000));
	ck_assert_uint_eq(bh_table_count(t), 90);
	ck_assert_uint_eq(bh_table_stale(t), 90);
}
END_TEST

/* ---- longest prefix ---- */

static void
put_prefix(uint32_t addr, uint8_t plen, uint32_t nh)
{
	struct bh_route4_key k = key_of(addr);
	struct bh_route v = { .nh = nh };

	k.plen = plen;
	ck_assert_ptr_nonnull(bh_table_put(t, &k, &v, sizeof(v)));
}

static uint32_t
lookup(uint32_t addr)
{
	struct bh_route4_key k = key_of(addr);
	const struct bh_record *rec;

	k.plen = random() % 200; /* ignored */
	rec = bh_table_lookup(t, &k);
	return rec != NULL ? nh_of(rec) : 0;
}

START_TEST(test_lookup)
{
	ck_assert_uint_eq(lookup(0x0a010203), 0);
	put_prefix(0x0a000000, 8, 1);
	put_prefix(0x0a010000, 16, 2);
	put_prefix(0x0a010200, 23, 3);
	put_prefix(0x0a010203, 32, 4);
	ck_assert_uint_eq(lookup(0x0a010203), 4);
	ck_assert_uint_eq(lookup(0x0a0103ff), 3);
	ck_assert_uint_eq(lookup(0x0a010400), 2);
	ck_assert_uint_eq(lookup(0x0a020000), 1);
	ck_assert_uint_eq(lookup(0x0b000000), 0);
	put_prefix(0, 0, 5);
	ck_assert_uint_eq(lookup(0x0b000000), 5);
	ck_assert_int_eq(del(0x0a010203), 0);
	ck_assert_uint_eq(lookup(0x0a010203), 3);
}
END_TEST

START_TEST(test_lookup6)
{
	struct bh_table *t6 = bh_table_create(BH_T_ROUTE6);
	struct bh_route6_key k = { { 0x20, 1, 0xd, 0xb8 }, 32 };
	struct bh_route v = { .nh = 1 };
	const struct bh_record *rec;

	bh_table_put(t6, &k, &v, sizeof(v));
	k.addr[15] = 9;
	k.plen = 128;
	rec = bh_table_put(t6, &k, &v, sizeof(v));
	ck_assert_ptr_eq(bh_table_lookup(t6, &k), rec);
	k.addr[15] = 8;
	ck_assert_uint_eq(((const uint8_t *)bh_record_key(bh_table_lookup(t6, &k)))[16], 32);
	k.vrf = 1;
	ck_assert_ptr_null(bh_table_lookup(t6, &k));
	bh_table_destroy(t6);
}
END_TEST

/* A replay that does not end is told once; the next one is looked at anew. */
START_TEST(test_endless_replay)
{
	struct bh_table *u = bh_table_create(BH_T_USER);
	const uint64_t limit = 1000000;
	uint64_t now = rte_rdtsc();

	ck_assert_ptr_nonnull(u);
	bh_table_look(u, now + 1000 * limit, limit); /* none has begun */
	ck_assert(!u->alarmed);
	bh_table_replay_begin(u);
	bh_table_look(u, u->replay_since - 1, limit); /* another lcore's clock */
	bh_table_look(u, u->replay_since + limit - 1, limit);
	ck_assert(!u->alarmed);
	bh_table_look(u, u->replay_since + limit, limit);
	ck_assert(u->alarmed);
	bh_table_replay_begin(u);
	ck_assert(!u->alarmed);
	bh_table_replay_end(u);
	bh_table_look(u, now + 1000 * limit, limit);
	ck_assert(!u->alarmed);
	ck_assert_uint_eq(u->replay_since, 0);
	bh_table_destroy(u);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_create);
	tcase_add_test(tc, test_lengths);
	tcase_add_test(tc, test_same_value);
	tcase_add_test(tc, test_random);
	tcase_add_test(tc, test_growth);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_value_length_changes);
	tcase_add_test(tc, test_hooks);
	tcase_add_test(tc, test_amend);
	tcase_add_test(tc, test_replay);
	tcase_add_test(tc, test_replay_again);
	tcase_add_test(tc, test_lookup);
	tcase_add_test(tc, test_lookup6);
	tcase_add_test(tc, test_endless_replay);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
