/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes into the FIB; the tests play the link worker, that is its rings and nhs[]. */
#include "infobase/audit.h"
#include "test/unit/route_bed.h"

/* ---- tests ---- */

START_TEST(test_live)
{
	make_live(5);
	make_live(6);
	ck_assert_int_eq(add(0x0a000000, 8, 5), 0);
	ck_assert_uint_eq(flags(0x0a000000, 8), 0);
	ck_assert_uint_eq(lookup(0x0a010203), 5);
	ck_assert_int_eq(add(0x0a010000, 16, 6), 0);
	ck_assert_uint_eq(lookup(0x0a010203), 6);
	ck_assert_int_eq(add(0x0a010000, 16, 5), 0); /* changed */
	ck_assert_uint_eq(lookup(0x0a010203), 5);
	ck_assert_int_eq(del(0x0a010000, 16), 0);
	ck_assert_int_eq(del(0x0a000000, 8), 0);
	ck_assert_uint_eq(lookup(0x0a010203), BH_FIB_NONE);
}
END_TEST

START_TEST(test_refused)
{
	struct bh_route6_key k = { { 0x20, 1 }, 16, 0, 1 }; /* of a VRF */
	struct bh_route v = { .nh = 5, .proto = BH_RP_STATIC };
	uint8_t body[64];

	make_live(5);
	ck_assert_int_eq(add(0x0a000000, 8, 0), -EINVAL);
	ck_assert_int_eq(add(0x0a000000, 8, BH_NH_MAX), -EINVAL);
	ck_assert_int_eq(add(0x0a000001, 8, 5), -EINVAL);
	ck_assert_int_eq(add(0x0a000000, 33, 5), -EINVAL);
	fake_body(body, &k, sizeof(k), &v, sizeof(v));
	ck_assert_int_eq(call(BH_V_ADD, BH_T_ROUTE6, body, sizeof(k) + sizeof(v)), -EINVAL);
	ck_assert_uint_eq(lookup(0x0a000001), BH_FIB_NONE);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].records), 0);
}
END_TEST

START_TEST(test_ip6)
{
	struct bh_route6_key k = { { 0x20, 1, 0xd, 0xb8 }, 32 };
	struct bh_route v = { .nh = 7, .proto = BH_RP_STATIC };
	uint8_t body[64], dst[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

	fake_body(body, &k, sizeof(k), &v, sizeof(v));
	ck_assert_int_eq(call(BH_V_ADD, BH_T_ROUTE6, body, sizeof(k) + sizeof(v)), 0);
	ck_assert_uint_eq(lookup6(dst), BH_FIB_NONE);
	make_live(7);
	while (lookup6(dst) != 7)
		sched_yield();
	ck_assert_int_eq(call(BH_V_DELETE, BH_T_ROUTE6, &k, sizeof(k)), 0);
	ck_assert_uint_eq(lookup6(dst), BH_FIB_NONE);
}
END_TEST

START_TEST(test_unresolved)
{
	make_live(5);
	ck_assert_int_eq(add(0x0a000000, 8, 9), 0);
	ck_assert_uint_eq(flags(0x0a000000, 8), BH_ROUTE_UNRESOLVED);
	ck_assert_uint_eq(lookup(0x0a000001), BH_FIB_NONE);
	ck_assert_int_eq(add(0x0b000000, 8, 5), 0);
	ck_assert_int_eq(add(0x0b000000, 8, 9), 0); /* from a live id to one that is not */
	ck_assert_uint_eq(lookup(0x0b000001), BH_FIB_NONE);
	ck_assert_int_eq(add(0x0c000000, 8, 9), 0);
	ck_assert_int_eq(del(0x0c000000, 8), 0); /* gone before it was ever published */
	make_live(9);
	wait_lookup(0x0a000001, 9);
	wait_lookup(0x0b000001, 9);
	ck_assert_uint_eq(lookup(0x0c000001), BH_FIB_NONE);
	ck_assert_uint_eq(flags(0x0a000000, 8), 0);
	ck_assert_uint_eq(flags(0x0b000000, 8), 0);
}
END_TEST

/* Many wait: all are published, and requests are answered meanwhile. A stale route that is
 * published stays stale. */
START_TEST(test_many_unresolved)
{
	uint32_t i;

	for (i = 0; i < 20000; i++)
		submit(BH_V_ADD, (struct prefix){ i << 8, 24 }, 30 + i % 2);
	ck_assert_int_eq(call(BH_V_REPLAY_BEGIN, BH_T_ROUTE4, NULL, 0), 0);
	make_live(30);
	make_live(31);
	ck_assert_int_eq(add(0xf0000000, 8, 30), 0);
	for (i = 0; i < 20000; i++)
		wait_lookup(i << 8 | 1, 30 + i % 2);
	ck_assert_int_eq(call(BH_V_REPLAY_END, BH_T_ROUTE4, NULL, 0), 0);
	fake_until(&ib->stats->table[BH_T_ROUTE4].swept, 20000);
	for (i = 0; i < 20000; i++)
		ck_assert_uint_eq(lookup(i << 8 | 1), BH_FIB_NONE);
	ck_assert_uint_eq(lookup(0xf0000001), 30);
}
END_TEST

START_TEST(test_retire)
{
	make_live(5);
	make_live(6);
	ck_assert_int_eq(add(0x0a000000, 8, 5), 0);
	ck_assert_int_eq(add(0x0b000000, 8, 5), 0);
	retire(5);
	ck_assert_uint_eq(wait_answer(1), 5); /* route6 has none */
	ck_assert_uint_eq(lookup(0x0a000001), 5); /* a dead next hop: forwarding counts the drop */
	ck_assert_int_eq(del(0x0a000000, 8), 0);
	ck_assert_int_eq(add(0x0c000000, 8, 5), 0); /* refers to it, but stays out */
	ck_assert_uint_eq(flags(0x0c000000, 8), BH_ROUTE_UNRESOLVED);
	ck_assert_int_eq(add(0x0b000000, 8, 6), 0);
	ck_assert_uint_eq(take_answer(0), 0); /* not yet */
	ck_assert_int_eq(del(0x0c000000, 8), 0);
	ck_assert_uint_eq(wait_answer(0), 5);
	ck_assert_uint_eq(take_answer(0), 0); /* once */
	retire(6);
	publish(6, BH_NH_GROUP); /* its content was added again: it lives on */
	tell(6, BH_NH_MSG_LIVE);
	ck_assert_uint_eq(wait_answer(1), 6);
	ck_assert_int_eq(add(0x0d000000, 8, 6), 0);
	ck_assert_int_eq(del(0x0b000000, 8), 0);
	ck_assert_int_eq(del(0x0d000000, 8), 0);
	ck_assert_uint_eq(take_answer(0), 0); /* the retirement is forgotten */
	retire(6);
	ck_assert_uint_eq(wait_answer(0), 6);
}
END_TEST

/* What the FIB has no room for is refused, and what waits is published when there is room. */
START_TEST(test_full)
{
	uint32_t i;

	start(100);
	make_live(5);
	ck_assert_int_eq(add(0xf0000000, 8, 8), 0); /* waits */
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(add(i << 8, 24, 5), 0);
	ck_assert_int_eq(add(100 << 8, 24, 5), -ENOSPC);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].records), 101);
	make_live(8);
	ck_assert_uint_eq(flags(0xf0000000, 8), BH_ROUTE_UNRESOLVED);
	ck_assert_int_eq(del(0, 24), 0);
	wait_lookup(0xf0000001, 8);
	teardown();
}
END_TEST

/* ---- BH_V_AUDIT ---- */

/* One turn; its status, and what it said. */
static int
audit(unsigned int peer, uint32_t flags, uint32_t *cursor, struct bh_audit *sum,
	struct bh_audit_diff *first)
{
	struct bh_audit_ask ask = { flags };
	const struct fake_msg *m;

	m = fake_call(peer, BH_V_AUDIT, BH_T_ROUTE4, *cursor, &ask, sizeof(ask));
	if (m->msg.status != 0)
		return m->msg.status;
	memcpy(sum, m->body, sizeof(*sum));
	ck_assert_uint_eq(m->msg.len, sizeof(m->msg) + sizeof(*sum) +
		sum->differing * sizeof(*first));
	if (sum->differing > 0)
		memcpy(first, m->body + sizeof(*sum), sizeof(*first));
	*cursor = m->msg.aux;
	return 0;
}

/* While the workers run: a fault is found, told, repaired by the worker, and only admins may ask. */
START_TEST(test_audit)
{
	const uint8_t twelve[] = { 12, 0, 0, 0 };
	struct bh_audit_diff d = { 0 };
	struct bh_audit sum;
	uint32_t cursor = 0, none = 0;

	make_live(5);
	ck_assert_int_eq(add(0x0a000000, 8, 5), 0);
	ck_assert_int_eq(add(0x0b000000, 8, 9), 0); /* waits */
	drain();
	ck_assert_int_eq(audit(BH_ROLE_READER, 0, &none, &sum, &d), -EPERM);
	ck_assert_int_eq(audit(BH_ROLE_CONFIG, BH_AUDIT_REPAIR, &none, &sum, &d), -EPERM);
	ck_assert_int_eq(audit(BH_ROLE_ADMIN, 2, &none, &sum, &d), -EINVAL);
	ck_assert_int_eq(fake_status(BH_ROLE_ADMIN, BH_V_AUDIT, BH_T_ROUTE4, &none, 3), -EMSGSIZE);
	ck_assert_int_eq(fake_status(BH_ROLE_ADMIN, BH_V_AUDIT, BH_T_UDP, &none, 4), -EOPNOTSUPP);
	ck_assert_int_eq(audit(BH_ROLE_ADMIN, 0, &cursor, &sum, &d), 0);
	ck_assert_uint_eq(cursor, BH_DUMP_END);
	ck_assert_uint_eq(sum.records, 2);
	ck_assert_uint_eq(sum.published, 1);
	ck_assert_uint_eq(sum.waiting, 1);
	ck_assert_uint_eq(sum.differing, 0);
	/* Behind the back of a worker that rests. */
	ck_assert_int_eq(bh_fib_set(tables.fib4, twelve, 8, 6), 0);
	for (int repair = 0; repair < 2; repair++) {
		cursor = 0;
		ck_assert_int_eq(audit(BH_ROLE_ADMIN, repair, &cursor, &sum, &d), 0);
		ck_assert_uint_eq(sum.differing, 1);
		ck_assert_uint_eq(d.what, BH_AUDIT_SURPLUS);
		ck_assert_uint_eq(d.repaired, repair);
	}
	ck_assert_uint_eq(lookup(0x0c000001), BH_FIB_NONE);
}
END_TEST

/* What the FIB should say: the longest of the model's routes whose id is live. */
static uint32_t
expected(const bool *live, uint32_t addr)
{
	uint32_t i, best = 0;
	int plen = -1;

	for (i = 0; i < PREFIXES; i++) {
		struct prefix p = prefix_of(i);

		if (model[i] == 0 || !live[model[i]] || p.plen <= plen ||
			(addr ^ p.addr) >> (32 - p.plen) != 0)
			continue;
		plen = p.plen;
		best = model[i];
	}
	return best;
}

/* Random changes of routes, with ids that become live in between: FIB and table agree. */
START_TEST(test_random)
{
	bool live[IDS + 1] = { 0 };
	uint32_t step, i, id;

	memset(model, 0, sizeof(model));
	for (step = 0; step < 20000; step++) {
		struct prefix p = prefix_of(random() % PREFIXES);
		uint32_t nh = random() % 3 ? 1 + random() % IDS : 0;

		submit(nh != 0 ? BH_V_ADD : BH_V_DELETE, p, nh);
		set_model(p, nh);
		id = 1 + random() % IDS;
		if (step % 1000 == 0 && !live[id]) {
			live[id] = true;
			make_live(id);
		}
		fake_run();
	}
	drain();
	for (i = 0; i < 2 * PREFIXES; i++) {
		uint32_t addr = prefix_of(i / 2).addr ^ (i % 2 ? 0x55 : 0);

		wait_lookup(addr, expected(live, addr));
	}
	for (id = 1; id <= IDS; id++)
		retire(id);
	for (i = 0; i < PREFIXES; i++)
		submit(BH_V_DELETE, prefix_of(i), 0);
	drain();
	for (i = 0; i < 2 * IDS; i++) /* nothing refers to any of them */
		ck_assert_uint_ne(wait_answer(i % 2), 0);
	ck_assert_uint_eq(take_answer(0), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("route_publish");
	TCase *tc = tcase_create("routes"), *own = tcase_create("own start");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_live);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_ip6);
	tcase_add_test(tc, test_unresolved);
	tcase_add_test(tc, test_many_unresolved);
	tcase_add_test(tc, test_retire);
	tcase_add_test(tc, test_audit);
	tcase_add_test(tc, test_random);
	tcase_add_test(own, test_full);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, own);
	return fake_suite(suite);
}
