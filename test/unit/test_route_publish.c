/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes into the FIB; the tests play the link worker, that is its rings and nhs[]. */
#include <sched.h>

#include "app/forwarding/tables.h"
#include "infobase/audit.h"
#include "infobase/route_publish.h"
#include "test/unit/ib_fake.h"

static struct bh_fwd_tables tables;
static struct bh_nh_links links;
static struct bh_route_publish *rp[2];
static uint64_t sent; /* requests of the owner */

static struct rte_ring *
ring(const char *name, int i)
{
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *r;

	snprintf(full, sizeof(full), "test.%s%d", name, i);
	r = rte_ring_create(full, BH_NH_LINKS_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	ck_assert_ptr_nonnull(r);
	return r;
}

static struct bh_fib *
fib(int family, uint32_t max_routes)
{
	struct bh_fib_conf conf = {
		.name = "test",
		.family = family,
		.max_routes = max_routes,
		.socket_id = SOCKET_ID_ANY,
		.qsbr = tables.qsbr,
	};
	struct bh_fib *f = bh_fib_create(&conf);

	ck_assert_ptr_nonnull(f);
	return f;
}

static void
start(uint32_t routes)
{
	int i;

	sent = 0;
	srandom(3);
	fake_setup();
	fake.peer[BH_ROLE_ROUTING].silent = true;
	tables.nhs = calloc(BH_NH_MAX, sizeof(*tables.nhs));
	tables.qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(1));
	ck_assert_int_eq(rte_rcu_qsbr_init(tables.qsbr, 1), 0);
	ck_assert_int_eq(rte_rcu_qsbr_thread_register(tables.qsbr, 0), 0);
	tables.fib4 = fib(4, routes);
	tables.fib6 = fib(6, routes);
	for (i = 0; i < 2; i++) {
		links.to_route[i] = ring("to_route", i);
		links.to_link[i] = ring("to_link", i);
		rp[i] = bh_route_publish_create(ib, i == 0 ? 4 : 6, &tables, &links);
		ck_assert_ptr_nonnull(rp[i]);
	}
	fake_launch();
}

static void
setup(void)
{
	start(100000);
}

static void
teardown(void)
{
	int i;

	fake_stop();
	for (i = 0; i < 2; i++) {
		bh_route_publish_destroy(rp[i]);
		rte_ring_free(links.to_route[i]);
		rte_ring_free(links.to_link[i]);
	}
	bh_fib_destroy(tables.fib4);
	bh_fib_destroy(tables.fib6);
	free(tables.nhs);
	free(tables.qsbr);
}

/* ---- the link worker's part ---- */

static void
publish(uint32_t id, uint8_t type)
{
	__atomic_store_n(&tables.nhs[id].copy[0].type, type, __ATOMIC_RELEASE);
}

static uint32_t retirements;

static void
tell(uint32_t id, enum bh_nh_msg_kind kind)
{
	uint32_t number = kind == BH_NH_MSG_RETIRE ? ++retirements : 0;
	int i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(rte_ring_sp_enqueue(links.to_route[i],
			bh_nh_msg(id, kind, number)), 0);
		bh_worker_wake(bh_infobase_worker(ib, i == 0 ? BH_GROUP_ROUTE4 : BH_GROUP_ROUTE6));
	}
}

static void
make_live(uint32_t id)
{
	publish(id, BH_NH_GROUP);
	tell(id, BH_NH_MSG_LIVE);
}

static void
retire(uint32_t id)
{
	publish(id, BH_FWD_NH_DEAD);
	tell(id, BH_NH_MSG_RETIRE);
}

/* The next answer of route worker i; 0: there is none. */
static uint32_t
take_answer(int i)
{
	void *msg;

	if (rte_ring_sc_dequeue(links.to_link[i], &msg) != 0)
		return 0;
	ck_assert_int_eq(bh_nh_msg_kind(msg), BH_NH_MSG_RETIRE);
	ck_assert_uint_gt(bh_nh_msg_number(msg), 0);
	ck_assert_uint_le(bh_nh_msg_number(msg), retirements);
	return bh_nh_msg_id(msg);
}

static uint32_t
wait_answer(int i)
{
	while (rte_ring_empty(links.to_link[i]))
		sched_yield();
	return take_answer(i);
}

/* ---- the owner's part ---- */

struct prefix {
	uint32_t addr;
	uint8_t plen;
};

static size_t
request4(uint8_t *body, struct prefix p, uint32_t nh)
{
	struct bh_route4_key k = { { p.addr >> 24, p.addr >> 16, p.addr >> 8, p.addr }, p.plen };
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC };

	return fake_body(body, &k, sizeof(k), &v, sizeof(v));
}

static void
submit(uint8_t verb, struct prefix p, uint32_t nh)
{
	uint8_t body[64];
	size_t len = request4(body, p, nh);

	if (verb == BH_V_DELETE)
		len = sizeof(struct bh_route4_key);
	while (fake_offer(BH_ROLE_ROUTING, verb, BH_T_ROUTE4, 0, 0, body, len, 64) == -EAGAIN)
		fake_run();
	sent++;
}

static void
drain(void)
{
	fake_until(&fake.peer[BH_ROLE_ROUTING].n_seen, sent);
}

static int
call(uint8_t verb, uint16_t table, const void *body, size_t len)
{
	int status;

	drain();
	fake.peer[BH_ROLE_ROUTING].silent = false;
	status = fake_status(BH_ROLE_ROUTING, verb, table, body, len);
	fake.peer[BH_ROLE_ROUTING].silent = true;
	sent++;
	return status;
}

static int
add(uint32_t addr, uint8_t plen, uint32_t nh)
{
	uint8_t body[64];

	return call(BH_V_ADD, BH_T_ROUTE4, body,
		request4(body, (struct prefix){ addr, plen }, nh));
}

static int
del(uint32_t addr, uint8_t plen)
{
	uint8_t body[64];

	request4(body, (struct prefix){ addr, plen }, 0);
	return call(BH_V_DELETE, BH_T_ROUTE4, body, sizeof(struct bh_route4_key));
}

/* Flags of a route as a reader sees them. */
static uint32_t
flags(uint32_t addr, uint8_t plen)
{
	const struct fake_msg *m;
	struct bh_route v;
	uint8_t body[64];

	request4(body, (struct prefix){ addr, plen }, 0);
	m = fake_call(BH_ROLE_READER, BH_V_GET, BH_T_ROUTE4, 0, body, sizeof(struct bh_route4_key));
	ck_assert_int_eq(m->msg.status, 0);
	memcpy(&v, m->body + sizeof(struct bh_rec) + sizeof(struct bh_route4_key), sizeof(v));
	return v.flags;
}

/* As a forwarding lcore: online while it reads. */
static uint32_t
lookup(uint32_t addr)
{
	uint32_t nh;

	rte_rcu_qsbr_thread_online(tables.qsbr, 0);
	nh = bh_fib_lookup4(tables.fib4, __builtin_bswap32(addr));
	rte_rcu_qsbr_thread_offline(tables.qsbr, 0);
	return nh;
}

static uint32_t
lookup6(const uint8_t *dst)
{
	uint32_t nh;

	rte_rcu_qsbr_thread_online(tables.qsbr, 0);
	nh = bh_fib_lookup6(tables.fib6, dst);
	rte_rcu_qsbr_thread_offline(tables.qsbr, 0);
	return nh;
}

static void
wait_lookup(uint32_t addr, uint32_t nh)
{
	while (lookup(addr) != nh)
		sched_yield();
}

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

#define PREFIXES 600
#define IDS 20

static uint32_t model[PREFIXES]; /* the next hop of each; 0: no route */

/* Nested prefixes of 10.0.0.0/8: the i-th of 100 blocks, each with 6 lengths. */
static struct prefix
prefix_of(uint32_t i)
{
	static const uint8_t plens[] = { 12, 16, 20, 24, 28, 32 };
	uint8_t plen = plens[i % 6];

	return (struct prefix){ (0x0a000000 | (i / 6) << 17) & (0xffffffffu << (32 - plen)), plen };
}

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

/* The same prefix may come from several blocks: the model knows it once. */
static void
set_model(struct prefix p, uint32_t nh)
{
	uint32_t i;

	for (i = 0; i < PREFIXES; i++)
		if (prefix_of(i).addr == p.addr && prefix_of(i).plen == p.plen)
			model[i] = nh;
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
