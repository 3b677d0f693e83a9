/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bed for the route workers: the info base with publication into FIBs, and the link worker played by
 * the test, that is its rings and nhs[]; what the owner asks, and a model of nested prefixes. Of one
 * test program each.
 */
#ifndef TEST_ROUTE_BED_H
#define TEST_ROUTE_BED_H

#include <sched.h>

#include "app/forwarding/tables.h"
#include "infobase/route_publish.h"
#include "test/unit/ib_fake.h"

static struct bh_fwd_tables tables;
static struct bh_nh_links links;
static struct bh_route_publish *rp[2];
static uint64_t sent; /* requests of the owner */

static inline struct rte_ring *
ring(const char *name, int i)
{
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *r;

	snprintf(full, sizeof(full), "test.%s%d", name, i);
	r = rte_ring_create(full, BH_NH_LINKS_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	ck_assert_ptr_nonnull(r);
	return r;
}

static inline struct bh_fib *
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

static inline void
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

static inline void
setup(void)
{
	start(100000);
}

static inline void
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

static inline void
publish(uint32_t id, uint8_t type)
{
	__atomic_store_n(&tables.nhs[id].copy[0].type, type, __ATOMIC_RELEASE);
}

static uint32_t retirements;

static inline void
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

static inline void
make_live(uint32_t id)
{
	publish(id, BH_NH_GROUP);
	tell(id, BH_NH_MSG_LIVE);
}

static inline void
retire(uint32_t id)
{
	publish(id, BH_FWD_NH_DEAD);
	tell(id, BH_NH_MSG_RETIRE);
}

/* The next answer of route worker i; 0: there is none. */
static inline uint32_t
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

static inline uint32_t
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

static inline size_t
request4(uint8_t *body, struct prefix p, uint32_t nh)
{
	struct bh_route4_key k = { { p.addr >> 24, p.addr >> 16, p.addr >> 8, p.addr }, p.plen };
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC };

	return fake_body(body, &k, sizeof(k), &v, sizeof(v));
}

static inline void
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

static inline void
drain(void)
{
	fake_until(&fake.peer[BH_ROLE_ROUTING].n_seen, sent);
}

static inline int
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

static inline int
add(uint32_t addr, uint8_t plen, uint32_t nh)
{
	uint8_t body[64];

	return call(BH_V_ADD, BH_T_ROUTE4, body,
		request4(body, (struct prefix){ addr, plen }, nh));
}

static inline int
del(uint32_t addr, uint8_t plen)
{
	uint8_t body[64];

	request4(body, (struct prefix){ addr, plen }, 0);
	return call(BH_V_DELETE, BH_T_ROUTE4, body, sizeof(struct bh_route4_key));
}

/* Flags of a route as a reader sees them. */
static inline uint32_t
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
static inline uint32_t
lookup(uint32_t addr)
{
	uint32_t nh;

	rte_rcu_qsbr_thread_online(tables.qsbr, 0);
	nh = bh_fib_lookup4(tables.fib4, __builtin_bswap32(addr));
	rte_rcu_qsbr_thread_offline(tables.qsbr, 0);
	return nh;
}

static inline uint32_t
lookup6(const uint8_t *dst)
{
	uint32_t nh;

	rte_rcu_qsbr_thread_online(tables.qsbr, 0);
	nh = bh_fib_lookup6(tables.fib6, dst);
	rte_rcu_qsbr_thread_offline(tables.qsbr, 0);
	return nh;
}

static inline void
wait_lookup(uint32_t addr, uint32_t nh)
{
	while (lookup(addr) != nh)
		sched_yield();
}

/* ---- the model ---- */

#define PREFIXES 600
#define IDS 20

static uint32_t model[PREFIXES]; /* the next hop of each; 0: no route */

/* Nested prefixes of 10.0.0.0/8: the i-th of 100 blocks, each with 6 lengths. */
static inline struct prefix
prefix_of(uint32_t i)
{
	static const uint8_t plens[] = { 12, 16, 20, 24, 28, 32 };
	uint8_t plen = plens[i % 6];

	return (struct prefix){ (0x0a000000 | (i / 6) << 17) & (0xffffffffu << (32 - plen)), plen };
}

/* The same prefix may come from several blocks: the model knows it once. */
static inline void
set_model(struct prefix p, uint32_t nh)
{
	uint32_t i;

	for (i = 0; i < PREFIXES; i++)
		if (prefix_of(i).addr == p.addr && prefix_of(i).plen == p.plen)
			model[i] = nh;
}

#endif
