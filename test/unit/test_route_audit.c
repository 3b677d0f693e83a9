/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of routes and its FIB, which the test makes disagree. */
#include "infobase/audit.h"
#include "infobase/route_audit.h"
#include "lib/fib/fib_priv.h"
#include "test/unit/ib_fake.h"

static struct bh_route_audited of;
static unsigned int addr_len;
static struct bh_audit sum;
static unsigned int turns;
static struct bh_audit_diff diffs[4096];

static void
start(int family)
{
	struct bh_fib_conf conf = { .name = "test", .family = family, .max_routes = 100000,
		.socket_id = SOCKET_ID_ANY };

	addr_len = family == 4 ? 4 : 16;
	of.table = bh_table_create(family == 4 ? BH_T_ROUTE4 : BH_T_ROUTE6);
	of.fib = bh_fib_create(&conf);
	ck_assert_ptr_nonnull(of.table);
	ck_assert_ptr_nonnull(of.fib);
}

static void
stop(void)
{
	bh_fib_destroy(of.fib);
	bh_table_destroy(of.table);
}

/* A key: the first four bytes of the address, of either family. */
static uint8_t *
key_of(uint32_t addr, uint8_t plen)
{
	static uint8_t key[sizeof(struct bh_route6_key)];

	memset(key, 0, sizeof(key));
	addr = __builtin_bswap32(addr);
	memcpy(key, &addr, sizeof(addr));
	key[addr_len] = plen;
	return key;
}

static void
record(uint32_t addr, uint8_t plen, uint32_t nh, bool waits)
{
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC,
		.flags = waits ? BH_ROUTE_UNRESOLVED : 0 };

	ck_assert_ptr_nonnull(bh_table_put(of.table, key_of(addr, plen), &v, sizeof(v)));
}

static void
fib_set(uint32_t addr, uint8_t plen, uint32_t nh)
{
	ck_assert_int_eq(bh_fib_set(of.fib, key_of(addr, plen), plen, nh), 0);
}

static void
both(uint32_t addr, uint8_t plen, uint32_t nh)
{
	record(addr, plen, nh, false);
	fib_set(addr, plen, nh);
}

/* All turns of a walk; the number of differences. */
static unsigned int
walk(bool repair, unsigned int most)
{
	struct bh_audit_turn turn = { .repair = repair, .most = most };
	unsigned int i, n = 0;

	memset(&sum, 0, sizeof(sum));
	for (turns = 0; turn.cursor != BH_DUMP_END; turns++) {
		ck_assert_uint_lt(turns, 10000);
		turn.n = 0;
		memset(&turn.sum, 0, sizeof(turn.sum));
		bh_route_audit(&of, &turn);
		ck_assert_uint_le(turn.n, most);
		ck_assert_uint_eq(turn.n, turn.sum.differing);
		ck_assert_uint_le(turn.sum.checked, BH_AUDIT_BUDGET);
		for (i = 0; i < turn.n; i++)
			diffs[n++] = turn.diff[i];
		sum.checked += turn.sum.checked;
		sum.waiting += turn.sum.waiting;
		sum.differing += turn.sum.differing;
		sum.repaired += turn.sum.repaired;
		sum.published = turn.sum.published;
	}
	return n;
}

static const struct bh_audit_diff *
diff_of(unsigned int n, uint32_t addr, uint8_t plen)
{
	for (unsigned int i = 0; i < n; i++)
		if (memcmp(diffs[i].addr, key_of(addr, plen), addr_len) == 0 &&
			diffs[i].plen == plen)
			return &diffs[i];
	ck_abort_msg("%08x/%u is not among the %u differences", addr, plen, n);
}

static void
expect(unsigned int n, uint32_t addr, uint8_t plen, uint8_t what, uint32_t wanted, uint32_t found)
{
	const struct bh_audit_diff *d = diff_of(n, addr, plen);

	ck_assert_uint_eq(d->what, what);
	ck_assert_uint_eq(d->wanted, wanted);
	ck_assert_uint_eq(d->found, found);
}

static uint32_t
lookup(uint32_t addr)
{
	const uint8_t *key = key_of(addr, 0);
	uint32_t four;

	if (addr_len == 16)
		return bh_fib_lookup6(of.fib, key);
	memcpy(&four, key, sizeof(four));
	return bh_fib_lookup4(of.fib, four);
}

/* Behind the writer's back: what readers find at this address and around it. */
static void
spoil(uint32_t addr, uint32_t entry)
{
	of.fib->root[addr >> (32 - FIB_ROOT_BITS)] = entry;
}

/* ---- tests ---- */

START_TEST(test_agree)
{
	start(_i);
	ck_assert_uint_eq(walk(false, 8), 0); /* nothing in it */
	both(0, 0, 1);
	both(0x0a000000, 8, 2);
	both(0x0a010000, 16, 3);
	both(0x0a010200, 24, 4);
	record(0x0b000000, 8, 9, true);
	ck_assert_uint_eq(walk(false, 8), 0);
	ck_assert_uint_eq(sum.checked, 9); /* 5 records, 4 prefixes of the FIB */
	ck_assert_uint_eq(sum.waiting, 1);
	ck_assert_uint_eq(sum.published, 4);
	stop();
}
END_TEST

START_TEST(test_differences)
{
	unsigned int n;

	start(_i);
	both(0x0a000000, 8, 2);
	record(0x0b000000, 8, 3, false);
	both(0x0c000000, 8, 4);
	fib_set(0x0c000000, 8, 5);
	fib_set(0x0d000000, 8, 6);
	record(0x0e000000, 8, 7, true);
	fib_set(0x0e000000, 8, 7);
	for (int repair = 0; repair < 2; repair++) {
		n = walk(repair, 8);
		ck_assert_uint_eq(n, 4);
		ck_assert_uint_eq(sum.repaired, repair ? 4 : 0);
		expect(n, 0x0b000000, 8, BH_AUDIT_MISSING, 3, 0);
		expect(n, 0x0c000000, 8, BH_AUDIT_OTHER_HOP, 4, 5);
		expect(n, 0x0d000000, 8, BH_AUDIT_SURPLUS, 0, 6);
		expect(n, 0x0e000000, 8, BH_AUDIT_SURPLUS, 0, 7);
	}
	ck_assert_uint_eq(walk(false, 8), 0);
	ck_assert_uint_eq(lookup(0x0b000001), 3);
	ck_assert_uint_eq(lookup(0x0c000001), 4);
	ck_assert_uint_eq(lookup(0x0d000001), BH_FIB_NONE);
	ck_assert_uint_eq(lookup(0x0e000001), BH_FIB_NONE);
	ck_assert_uint_eq(bh_fib_count(of.fib), 3);
	stop();
}
END_TEST

/* The routes are right, what readers walk is not: told of each route that is found wrongly, made
 * anew of each. */
START_TEST(test_lookups)
{
	unsigned int n;

	start(_i);
	both(0x0a000000, 8, 2);
	both(0x0a000000, 24, 3);
	both(0x0b000000, 18, 4);
	spoil(0x0a000000, 77); /* where nodes were, there is an id */
	spoil(0x0b000000, BH_FIB_NONE);
	n = walk(false, 8);
	ck_assert_uint_eq(n, 3);
	expect(n, 0x0a000000, 8, BH_AUDIT_LOOKUP, 2, 2);
	expect(n, 0x0a000000, 24, BH_AUDIT_LOOKUP, 3, 3);
	expect(n, 0x0b000000, 18, BH_AUDIT_LOOKUP, 4, 4);
	walk(true, 8);
	ck_assert_uint_eq(walk(false, 8), 0);
	ck_assert_uint_eq(lookup(0x0a000001), 3);
	ck_assert_uint_eq(lookup(0x0a000101), 2);
	ck_assert_uint_eq(lookup(0x0b000001), 4);
	stop();
}
END_TEST

/* Many differences in little room, many records: all are told, in bounded turns. */
START_TEST(test_bounds)
{
	unsigned int i, n;

	start(_i);
	for (i = 0; i < 3000; i++) {
		if (i % 3 == 0)
			both(i << 12, 20, 1 + i);
		else if (i % 3 == 1)
			record(i << 12, 20, 1 + i, false);
		else
			fib_set(i << 12, 20, 1 + i);
	}
	n = walk(false, 3);
	ck_assert_uint_eq(n, 2000);
	ck_assert_uint_ge(turns, 667);
	for (i = 0; i < 3000; i++)
		if (i % 3 != 0)
			expect(n, i << 12, 20, i % 3 == 1 ? BH_AUDIT_MISSING : BH_AUDIT_SURPLUS,
				i % 3 == 1 ? 1 + i : 0, i % 3 == 1 ? 0 : 1 + i);
	ck_assert_uint_eq(walk(true, 64), 2000);
	ck_assert_uint_eq(sum.repaired, 2000);
	ck_assert_uint_eq(walk(false, 64), 0);
	ck_assert_uint_eq(sum.published, bh_table_count(of.table));
	stop();
}
END_TEST

/* Whatever cursor somebody sends, a turn ends, and so does a walk. */
START_TEST(test_cursors)
{
	static const uint32_t cursors[] = { 1, 4095, 4096, 0x7fffffff, 0x80000000, 0x80000001,
		0xfffffffe, 0xffffffff };
	struct bh_audit_turn turn;

	start(4);
	both(0x0a000000, 8, 2);
	for (unsigned int i = 0; i < RTE_DIM(cursors); i++) {
		turn = (struct bh_audit_turn){ .cursor = cursors[i], .most = 1 };
		bh_route_audit(&of, &turn);
		ck_assert_uint_eq(turn.n, 0);
		ck_assert_uint_eq(turn.cursor, BH_DUMP_END);
	}
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("route_audit");
	TCase *tc = tcase_create("audit");

	tcase_add_loop_test(tc, test_cursors, 0, 1);
	for (int family = 4; family <= 6; family += 2) {
		tcase_add_loop_test(tc, test_agree, family, family + 1);
		tcase_add_loop_test(tc, test_differences, family, family + 1);
		tcase_add_loop_test(tc, test_lookups, family, family + 1);
		tcase_add_loop_test(tc, test_bounds, family, family + 1);
	}
	suite_add_tcase(suite, tc);
	return fake_suite(suite);
}
