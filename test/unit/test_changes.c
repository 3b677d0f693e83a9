/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's record parser: what the info base sends, and what it never should. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "lib/client/bulkhead.h"

static uint8_t body[BH_MSG_MAX];
static size_t len;

struct seen {
	unsigned int n;
	struct bh_change last;
	struct bh_route4_key key;
	struct bh_route val;
};

static void
see(void *arg, const struct bh_change *c)
{
	struct seen *s = arg;

	s->n++;
	s->last = *c;
	if (c->key != NULL)
		s->key = *(const struct bh_route4_key *)c->key;
	if (c->val != NULL)
		s->val = *(const struct bh_route *)c->val;
}

static void
add(uint8_t op, size_t key_len, size_t val_len)
{
	struct bh_rec rec = {sizeof(rec) + key_len + val_len, op, BH_REC_STALE, 7, 9};

	memcpy(body + len, &rec, sizeof(rec));
	memset(body + len + sizeof(rec), 0x11, key_len);
	memset(body + len + sizeof(rec) + key_len, 0x22, val_len);
	len += (rec.len + 3) & ~3;
}

static int
parse(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	return bh_changes(BH_T_ROUTE4, body, len, see, s);
}

static void
setup(void)
{
	len = 0;
	memset(body, 0, sizeof(body));
}

#define KEY sizeof(struct bh_route4_key)
#define VAL sizeof(struct bh_route)

START_TEST(all_kinds)
{
	struct seen s;

	ck_assert_int_eq(parse(&s), 0);
	ck_assert_uint_eq(s.n, 0);
	add(BH_OP_PUT, KEY, VAL);
	add(BH_OP_SYNCED, 0, 0);
	add(BH_OP_DELETE, KEY, 0);
	add(BH_OP_COMPLETE, 0, 0);
	add(BH_OP_RESYNC, 0, 0);
	add(BH_OP_PUT, KEY, VAL);
	ck_assert_int_eq(parse(&s), 0);
	ck_assert_uint_eq(s.n, 6);
	ck_assert_uint_eq(s.last.table, BH_T_ROUTE4);
	ck_assert_uint_eq(s.last.gen, 7);
	ck_assert_uint_eq(s.last.epoch, 9);
	ck_assert_uint_eq(s.last.flags, BH_REC_STALE);
	ck_assert_uint_eq(s.last.val_len, VAL);
	ck_assert_uint_eq(s.key.plen, 0x11);
	ck_assert_uint_eq(s.val.nh, 0x22222222);
}
END_TEST

/* A value that ends in an array is zero behind its end. */
static void
see_route(void *arg, const struct bh_change *c)
{
	const struct bh_cfg_route *r = c->val;

	*(unsigned int *)arg = c->val_len;
	for (unsigned int i = 0; i < BH_ECMP_MAX; i++)
		ck_assert_uint_eq(r->hop[i].weight, i < 1 ? 0x22 : 0);
}

START_TEST(short_values)
{
	const struct bh_schema *sc = bh_schema(BH_T_CFG_ROUTE4);
	size_t val = offsetof(struct bh_cfg_route, hop) + sizeof(struct bh_cfg_hop);
	unsigned int got = 0;

	add(BH_OP_PUT, sc->key_len, val);
	ck_assert_int_eq(bh_changes(BH_T_CFG_ROUTE4, body, len, see_route, &got), 0);
	ck_assert_uint_eq(got, val);
}
END_TEST

/* Nothing is told of a body of which any part is bad. */
START_TEST(bad_bodies)
{
	struct bh_rec *second;
	struct seen s;
	size_t first;
	bool whole;

	ck_assert_int_eq(bh_changes(0, body, 0, see, &s), -EINVAL);
	ck_assert_int_eq(bh_changes(BH_T_MAX, body, 0, see, &s), -EINVAL);
	add(BH_OP_PUT, KEY, VAL);
	first = len;
	second = (struct bh_rec *)(body + len);
	for (size_t cut = 1; cut < sizeof(*second); cut++) {
		len = first + cut;
		ck_assert_int_eq(parse(&s), -EBADMSG);
		ck_assert_uint_eq(s.n, 0);
	}
	for (unsigned int l = 0; l < 200; l++) {
		len = first;
		add(BH_OP_PUT, KEY, VAL);
		second->len = l;
		whole = l == sizeof(*second) + KEY + VAL;
		ck_assert_int_eq(parse(&s), whole ? 0 : -EBADMSG);
		ck_assert_uint_eq(s.n, whole ? 2 : 0);
	}
	for (unsigned int op = 0; op < 256; op++) {
		len = first;
		add(op, KEY, VAL);
		ck_assert_int_eq(parse(&s), op == BH_OP_PUT ? 0 : -EBADMSG);
	}
}
END_TEST

static void
see_bytes(void *arg, const struct bh_change *c)
{
	const struct bh_schema *sc = bh_schema(c->table);

	for (size_t i = 0; c->key != NULL && i < sc->key_len; i++)
		*(unsigned int *)arg += ((const uint8_t *)c->key)[i];
	for (size_t i = 0; c->val != NULL && i < sc->val_max; i++)
		*(unsigned int *)arg += ((const uint8_t *)c->val)[i];
}

/* Bytes at random: no crash, no read beyond the end (of a buffer of exactly that size). */
START_TEST(garbage)
{
	unsigned int sum = 0;

	srand(3);
	for (int i = 0; i < 20000; i++) {
		size_t n = rand() % 200;
		uint8_t *p = malloc(n + 1);
		uint16_t table = 1 + rand() % (BH_T_MAX - 1);
		int rc;

		for (size_t k = 0; k < n; k++)
			p[k] = rand() % 4 ? rand() % 40 : rand();
		rc = bh_changes(table, p + 1, n > 0 ? n - 1 : 0, see_bytes, &sum);
		if (rc != 0 && rc != -EBADMSG)
			ck_abort_msg("returned %d", rc);
		free(p);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("changes");
	TCase *tc = tcase_create("changes");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, all_kinds);
	tcase_add_test(tc, short_values);
	tcase_add_test(tc, bad_bodies);
	tcase_add_test(tc, garbage);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
