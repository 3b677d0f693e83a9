/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link worker's part alone: real tables and real published tables, one forwarding reader whose
 * quiescent states the test reports itself, a port manager and route workers of the test's own.
 */
#ifndef BH_TEST_LINK_UTIL_H
#define BH_TEST_LINK_UTIL_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_malloc.h>

#include "infobase/link_priv.h"
#include "lib/log/log.h"

#define ROUTE_RING 1024

static struct {
	struct bh_table *table[BH_T_MAX];
	struct bh_fwd_tables fwd;
	struct bh_nh_links links;
	struct bh_link *link;
	struct rte_ring *events;
	void (*handle[3])(void *ctx, void *obj); /* events, answers of route4, of route6 */
	void *handle_ctx[3];
	int (*chore)(void *ctx);
	void *chore_ctx;
	struct bh_port_order order[64];
	unsigned int n_inputs, n_orders, woken;
	bool orders_full;
} env;

/* ---- what the link worker calls ---- */

struct bh_table *
bh_infobase_table(struct bh_infobase *ib, uint16_t table)
{
	(void)ib;
	return env.table[table];
}

struct bh_worker *
bh_infobase_worker(struct bh_infobase *ib, enum bh_group group)
{
	(void)ib;
	return (struct bh_worker *)&env.table[group];
}

int
bh_worker_add_input(struct bh_worker *w, struct rte_ring *ring, void (*handle)(void *, void *),
	void *ctx)
{
	(void)w;
	(void)ring;
	env.handle[env.n_inputs] = handle;
	env.handle_ctx[env.n_inputs++] = ctx;
	return 0;
}

int
bh_worker_add_chore(struct bh_worker *w, int (*chore)(void *), void *ctx)
{
	(void)w;
	env.chore = chore;
	env.chore_ctx = ctx;
	return 0;
}

void
bh_worker_wake(struct bh_worker *w)
{
	(void)w;
	env.woken++;
}

int
bh_ports_order(struct bh_ports *p, const struct bh_port_order *order)
{
	(void)p;
	if (env.orders_full)
		return -EAGAIN;
	ck_assert_uint_lt(env.n_orders, RTE_DIM(env.order));
	env.order[env.n_orders++] = *order;
	return 0;
}

struct rte_ring *
bh_ports_events(struct bh_ports *p)
{
	(void)p;
	return env.events;
}

/* ---- life ---- */

static inline struct rte_ring *
ring(const char *name)
{
	struct rte_ring *r = rte_ring_create(name, ROUTE_RING, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);

	ck_assert_ptr_nonnull(r);
	return r;
}

static inline void
env_setup(void)
{
	static const uint16_t tables[] = { BH_T_CFG_INTERFACE, BH_T_CFG_ADDRESS, BH_T_CFG_NEIGHBOR,
		BH_T_INTERFACE, BH_T_HOSTIF, BH_T_ADDRESS, BH_T_NEIGHBOR, BH_T_NEXTHOP };
	struct bh_link_conf conf = { .tables = &env.fwd, .links = &env.links };

	memset(&env, 0, sizeof(env));
	for (size_t i = 0; i < RTE_DIM(tables); i++) {
		env.table[tables[i]] = bh_table_create(tables[i]);
		ck_assert_ptr_nonnull(env.table[tables[i]]);
	}
	ck_assert_int_eq(bh_fwd_tables_create(&env.fwd, 1, 0), 0);
	env.events = ring("events");
	env.links.to_route[0] = ring("to4");
	env.links.to_route[1] = ring("to6");
	env.links.to_link[0] = ring("from4");
	env.links.to_link[1] = ring("from6");
	env.link = bh_link_create(&conf);
	ck_assert_ptr_nonnull(env.link);
	ck_assert_uint_eq(env.n_inputs, 3);
}

static inline void
env_teardown(void)
{
	bh_link_destroy(env.link);
	for (unsigned int i = 0; i < BH_T_MAX; i++)
		bh_table_destroy(env.table[i]);
	for (unsigned int w = 0; w < 2; w++) {
		rte_ring_free(env.links.to_route[w]);
		rte_ring_free(env.links.to_link[w]);
	}
	rte_ring_free(env.events);
	bh_fwd_tables_destroy(&env.fwd);
}

static inline int
link_main(Suite *s)
{
	char *argv[] = { (char *)"test_link", (char *)"--no-huge", (char *)"--no-shconf",
		(char *)"--no-pci", (char *)"--no-telemetry", (char *)"-m", (char *)"512",
		(char *)"--lcores", (char *)"0@0", (char *)"--log-level", (char *)"critical" };
	SRunner *sr = srunner_create(s);
	int failed;

	bh_log_init("test_link", BH_LOG_ERR);
	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		return 1;
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	rte_eal_cleanup();
	return failed ? 1 : 0;
}

/* ---- the forwarding reader: while it is online and silent, no grace period ends ---- */

static inline void
reader_online(void)
{
	ck_assert_int_eq(rte_rcu_qsbr_thread_register(env.fwd.qsbr, 0), 0);
	rte_rcu_qsbr_thread_online(env.fwd.qsbr, 0);
}

static inline void
reader_quiescent(void)
{
	rte_rcu_qsbr_quiescent(env.fwd.qsbr, 0);
}

static inline void
reader_offline(void)
{
	rte_rcu_qsbr_thread_offline(env.fwd.qsbr, 0);
	rte_rcu_qsbr_thread_unregister(env.fwd.qsbr, 0);
}

static inline int
chore(void)
{
	return env.chore(env.chore_ctx);
}

/* Nothing waits any more, after the few turns that a chain of releases takes. */
static inline void
settled(void)
{
	int turns = 0;

	while (chore() != -1)
		ck_assert_int_lt(++turns, 4);
}

/* ---- interfaces ---- */

static inline struct bh_ifname_key
ifname(const char *name)
{
	struct bh_ifname_key k = { "" };

	memcpy(k.name, name, strlen(name));
	return k;
}

static inline struct bh_cfg_interface
cfg_if(const char *device)
{
	struct bh_cfg_interface c = { .flags = BH_IF_ENABLED | BH_IF_IPV4 | BH_IF_IPV6 |
		BH_IF_FORWARD4 };

	snprintf(c.device, sizeof(c.device), "%s", device);
	return c;
}

static inline void
put_if(const char *name, const struct bh_cfg_interface *c)
{
	struct bh_ifname_key k = ifname(name);

	ck_assert_ptr_nonnull(bh_table_put(env.table[BH_T_CFG_INTERFACE], &k, c, sizeof(*c)));
}

static inline void
del_if(const char *name)
{
	struct bh_ifname_key k = ifname(name);

	ck_assert_int_eq(bh_table_del(env.table[BH_T_CFG_INTERFACE], &k), 0);
}

static inline void
send_event(const struct bh_port_event *ev)
{
	struct bh_port_event *copy = rte_malloc("event", sizeof(*copy), 0);

	ck_assert_ptr_nonnull(copy);
	*copy = *ev;
	env.handle[0](env.handle_ctx[0], copy);
}

/* The port manager tells of a port whose MAC address ends in the ifindex. */
static inline void
port_event(uint16_t ifindex, bool up)
{
	struct bh_port_event ev = { .ifindex = ifindex, .port = ifindex - 1, .link = up,
		.mac = { 2, 0, 0, 0, 1, (uint8_t)ifindex }, .mtu = 1500, .max_mtu = 9000,
		.rx_queues = 1, .tx_queues = 1, .speed = 10000 };

	send_event(&ev);
}

static inline void
detached_event(uint16_t ifindex)
{
	struct bh_port_event ev = { .ifindex = ifindex, .port = UINT16_MAX, .detached = 1 };

	send_event(&ev);
}

static inline bool
get_if(uint32_t ifindex, struct bh_interface *out)
{
	struct bh_ifindex_key k = { ifindex };
	const struct bh_record *rec = bh_table_get(env.table[BH_T_INTERFACE], &k);

	if (rec)
		memcpy(out, bh_record_val(rec, bh_schema(BH_T_INTERFACE)), sizeof(*out));
	return rec != NULL;
}

static inline const struct bh_fwd_if_copy *
fwd_if(uint32_t ifindex)
{
	return bh_fwd_if_get(&env.fwd.ifs[ifindex]);
}

/* n interfaces e1 ..., up, with indices 1 ... */
static inline void
interfaces_up(unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++) {
		struct bh_cfg_interface c;
		char name[BH_NAME_LEN];

		snprintf(name, sizeof(name), "net_null%u", i);
		c = cfg_if(name);
		snprintf(name, sizeof(name), "e%u", i);
		put_if(name, &c);
		port_event(i, true);
		ck_assert_uint_ne(fwd_if(i)->flags & BH_FWD_IF_UP, 0);
	}
}

/* ---- next hops ---- */

static inline struct bh_nexthop_key
group_key(void)
{
	struct bh_nexthop_key k;

	memset(&k, 0, sizeof(k));
	k.type = BH_NH_GROUP;
	return k;
}

/* Adds 10.0.ifindex.host on that interface. */
static inline void
add_member(struct bh_nexthop_key *k, uint32_t ifindex, uint8_t host, uint8_t weight)
{
	struct bh_nh_member *m = &k->m[k->n++];

	m->ifindex = ifindex;
	m->family = 4;
	m->weight = weight;
	m->addr[0] = 10;
	m->addr[2] = ifindex;
	m->addr[3] = host;
}

static inline uint32_t
put_nh(const struct bh_nexthop_key *k, uint32_t *n_live)
{
	struct bh_nexthop v = { 0 };
	const struct bh_record *rec = bh_table_put(env.table[BH_T_NEXTHOP], k, &v, sizeof(v));

	if (!rec)
		return 0;
	memcpy(&v, bh_record_val(rec, bh_schema(BH_T_NEXTHOP)), sizeof(v));
	if (n_live)
		*n_live = v.n_live;
	return v.id;
}

static inline uint32_t
n_live_of(const struct bh_nexthop_key *k)
{
	const struct bh_record *rec = bh_table_get(env.table[BH_T_NEXTHOP], k);
	struct bh_nexthop v;

	ck_assert_ptr_nonnull(rec);
	memcpy(&v, bh_record_val(rec, bh_schema(BH_T_NEXTHOP)), sizeof(v));
	return v.n_live;
}

static inline void
del_nh(const struct bh_nexthop_key *k)
{
	ck_assert_int_eq(bh_table_del(env.table[BH_T_NEXTHOP], k), 0);
}

static inline const struct bh_fwd_nh_copy *
fwd_nh(uint32_t id)
{
	return bh_fwd_nh_get(&env.fwd.nhs[id]);
}

static inline bool
fwd_has(uint32_t id, unsigned int n)
{
	return fwd_nh(id)->type == BH_NH_GROUP && fwd_nh(id)->n == n;
}

/* Of the last RETIRE that each route worker took. */
static uint32_t last_retire[2];

/* The next message to route worker w, which must be this one. */
static inline void
expect_msg(unsigned int w, uint32_t id, enum bh_nh_msg_kind kind)
{
	void *msg;

	ck_assert_int_eq(rte_ring_dequeue(env.links.to_route[w], &msg), 0);
	ck_assert_uint_eq(bh_nh_msg_id(msg), id);
	ck_assert_int_eq(bh_nh_msg_kind(msg), kind);
	if (kind == BH_NH_MSG_RETIRE)
		last_retire[w] = bh_nh_msg_number(msg);
}

static inline void
expect_both(uint32_t id, enum bh_nh_msg_kind kind)
{
	expect_msg(0, id, kind);
	expect_msg(1, id, kind);
}

static inline void
expect_silence(void)
{
	ck_assert_uint_eq(rte_ring_count(env.links.to_route[0]), 0);
	ck_assert_uint_eq(rte_ring_count(env.links.to_route[1]), 0);
}

static inline void
answer_to(unsigned int w, uint32_t id, uint32_t number)
{
	env.handle[1 + w](env.handle_ctx[1 + w], bh_nh_msg(id, BH_NH_MSG_RETIRE, number));
}

static inline void
answer(unsigned int w, uint32_t id)
{
	answer_to(w, id, last_retire[w]);
}

#endif
