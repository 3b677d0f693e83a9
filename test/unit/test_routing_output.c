/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of the info base, and in which order: replay, building, taking down, refusals. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routing_fake.h"

#define NET \
	"if 1 eth1 up; if 2 eth2 up; addr eth1 10.0.1.1/24; addr eth2 10.0.2.1/24;" \
	"route 192.0.2.0/24 5 10.0.1.2; route 2001:db8::/32 5 fe80::1@eth1;"

static unsigned int
sent(const struct fake *f, uint16_t table, uint8_t verb)
{
	return f->n_verb[table][verb];
}

/* Place of the n-th such request in the order of answers; the end if there is none. */
static unsigned int
place(const struct fake *f, uint16_t table, uint8_t verb, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < f->n_log; i++)
		if (f->log[i].table == table && f->log[i].verb == verb && n-- == 0)
			break;
	return i;
}

static void
forget_counts(struct fake *f)
{
	memset(f->n_verb, 0, sizeof(f->n_verb));
	f->n_log = 0;
}

START_TEST(test_nothing_before_inputs)
{
	static const uint16_t complete[] = { BH_T_INTERFACE, BH_T_CFG_ADDRESS, BH_T_CFG_ROUTE4,
		BH_T_CFG_ROUTE6, BH_T_CFG_FPM };
	struct fake *f = fake_new();
	int i;

	fake_do(f, NET);
	fake_run(f);
	for (i = 0; i < BH_ROUTING_INPUTS; i++)
		fake_change(f, bh_routing_table(&f->r, i), BH_OP_SYNCED, NULL, NULL, 0);
	for (i = 0; i < 5; i++) {
		fake_run(f);
		ck_assert_uint_eq(f->n_log, 0);
		ck_assert_uint_eq(f->n_ready, 0);
		fake_change(f, complete[i], BH_OP_COMPLETE, NULL, NULL, 0);
	}
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ref_check(f);
	fake_free(f);
}
END_TEST

START_TEST(test_address_must_be_synced)
{
	struct fake *f = fake_new();
	int i;

	fake_do(f, NET "stack 1 10.0.1.1/24 dup");
	for (i = 0; i < BH_ROUTING_INPUTS; i++) {
		if (bh_routing_table(&f->r, i) == BH_T_ADDRESS)
			continue;
		fake_change(f, bh_routing_table(&f->r, i), BH_OP_SYNCED, NULL, NULL, 0);
		fake_change(f, bh_routing_table(&f->r, i), BH_OP_COMPLETE, NULL, NULL, 0);
	}
	fake_run(f);
	ck_assert_uint_eq(f->n_log, 0);
	fake_change(f, BH_T_ADDRESS, BH_OP_SYNCED, NULL, NULL, 0);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ck_assert_str_eq(fake_route(f, "10.0.1.1/32"), "none");
	fake_free(f);
}
END_TEST

START_TEST(test_empty_replay)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ck_assert_uint_eq(f->n_log, 6);
	fake_free(f);
}
END_TEST

/* The base outlives the module: a second life under the same base finds the same ids, changes
 * nothing that is still so, and what the first life left too much is swept. */
START_TEST(test_second_life)
{
	struct fake *f = fake_new();
	struct bh_htab tables[BH_T_MAX];
	struct fake *g = fake_new();
	uint32_t n_ids;

	fake_inputs_ready(f);
	fake_do(f, NET "route 198.51.100.0/24 5 10.0.2.2");
	fake_run(f);
	n_ids = f->next_id;
	memcpy(tables, f->table, sizeof(tables));
	memset(f->table, 0, sizeof(f->table));
	memcpy(g->table, tables, sizeof(tables));
	g->by_id = f->by_id;
	g->next_id = n_ids;
	f->by_id = NULL;
	f->next_id = 0;
	fake_do(g, NET);
	fake_inputs_ready(g);
	g->seed = _i + 1;
	fake_run(g);
	ck_assert_uint_eq(g->n_ready, 1);
	ck_assert_uint_eq(g->next_id, n_ids);
	ck_assert_uint_eq(sent(g, BH_T_ROUTE4, BH_V_DELETE), 0);
	ck_assert_uint_eq(sent(g, BH_T_NEXTHOP, BH_V_DELETE), 0);
	ck_assert_str_eq(fake_route(g, "198.51.100.0/24"), "none");
	ref_check(g);
	fake_free(g);
	fake_free(f);
}
END_TEST

START_TEST(test_replay_order)
{
	struct fake *f = fake_new();
	unsigned int end4, end6, begin, i;

	f->seed = _i + 1;
	fake_do(f, NET);
	fake_inputs_ready(f);
	fake_run(f);
	begin = place(f, BH_T_NEXTHOP, BH_V_REPLAY_BEGIN, 0);
	end4 = place(f, BH_T_ROUTE4, BH_V_REPLAY_END, 0);
	end6 = place(f, BH_T_ROUTE6, BH_V_REPLAY_END, 0);
	ck_assert_uint_lt(begin, place(f, BH_T_NEXTHOP, BH_V_ADD, 0));
	ck_assert_uint_lt(end4, f->n_log - 1);
	ck_assert_uint_lt(end6, f->n_log - 1);
	ck_assert_uint_eq(place(f, BH_T_NEXTHOP, BH_V_REPLAY_END, 0), f->n_log - 1);
	for (i = 0; i < f->n_log; i++)
		if (f->log[i].verb == BH_V_ADD)
			ck_assert(i < end4 && i < end6);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_ADD), 5);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE6, BH_V_ADD), 1);
	ck_assert_uint_eq(sent(f, BH_T_NEXTHOP, BH_V_ADD), 5);
	fake_free(f);
}
END_TEST

/* Changes come in while the replay is under way, at every point of it. */
START_TEST(test_change_during_replay)
{
	struct fake *f = fake_new();
	int i;

	f->seed = _i * 7 + 1;
	fake_do(f, NET);
	fake_inputs_ready(f);
	for (i = 0; i < _i; i++) {
		ck_assert_int_eq(bh_routing_commit(&f->r), 0);
		fake_step(f);
	}
	fake_do(f, "if 1 eth1 down; -route 192.0.2.0/24; route 203.0.113.0/24 5 10.0.2.9");
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ref_check(f);
	fake_free(f);
}
END_TEST

START_TEST(test_sharing_and_release)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_do(f, "if 1 eth1 up; addr eth1 10.0.1.1/24");
	fake_run(f);
	forget_counts(f);
	fake_do(f, "route 192.0.2.0/24 5 10.0.1.2; route 198.51.100.0/24 5 10.0.1.2@eth1;"
		   "route 203.0.113.0/24 7 192.0.2.9");
	fake_run(f);
	ck_assert_uint_eq(sent(f, BH_T_NEXTHOP, BH_V_ADD), 1); /* three ways to one content */
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_ADD), 3);
	ck_assert_uint_lt(place(f, BH_T_NEXTHOP, BH_V_ADD, 0), place(f, BH_T_ROUTE4, BH_V_ADD, 0));
	forget_counts(f);
	fake_do(f, "-route 192.0.2.0/24");
	fake_run(f);
	ck_assert_uint_eq(sent(f, BH_T_NEXTHOP, BH_V_DELETE), 0);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_DELETE), 2); /* 203.0.113/24 hung on it */
	fake_do(f, "-route 198.51.100.0/24");
	fake_run(f);
	ck_assert_uint_eq(sent(f, BH_T_NEXTHOP, BH_V_DELETE), 1);
	ck_assert_uint_gt(place(f, BH_T_NEXTHOP, BH_V_DELETE, 0),
		place(f, BH_T_ROUTE4, BH_V_DELETE, 2));
	ref_check(f);
	fake_free(f);
}
END_TEST

/* A route that changes is replaced by one ADD; the old next hop goes after it. */
START_TEST(test_change_is_one_add)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_do(f, NET);
	fake_run(f);
	forget_counts(f);
	fake_do(f, "route 192.0.2.0/24 5 10.0.2.2");
	fake_run(f);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_ADD), 1);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_DELETE), 0);
	ck_assert_uint_lt(place(f, BH_T_NEXTHOP, BH_V_ADD, 0), place(f, BH_T_ROUTE4, BH_V_ADD, 0));
	ck_assert_uint_lt(place(f, BH_T_ROUTE4, BH_V_ADD, 0),
		place(f, BH_T_NEXTHOP, BH_V_DELETE, 0));
	forget_counts(f);
	fake_do(f, "route 192.0.2.0/24 6 10.0.2.2"); /* the preference alone */
	fake_run(f);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_ADD), 1);
	ck_assert_uint_eq(f->n_log, 1);
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "static 6 10.0.2.2@2");
	fake_free(f);
}
END_TEST

/* Only what hangs on the change is sent. */
START_TEST(test_only_affected)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_do(f, NET "route 198.51.100.0/24 5 10.0.2.2; route 203.0.113.0/24 5 198.51.100.9");
	fake_run(f);
	forget_counts(f);
	fake_do(f, "if 1 eth1 down");
	fake_run(f);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_DELETE), 3); /* connected, local, 192.0.2/24 */
	ck_assert_uint_eq(sent(f, BH_T_ROUTE4, BH_V_ADD), 0);
	ck_assert_uint_eq(sent(f, BH_T_ROUTE6, BH_V_DELETE), 1);
	forget_counts(f);
	fake_do(f, "if 1 eth1 up; if 1 eth1 down"); /* nothing in the end: nothing sent */
	fake_run(f);
	ck_assert_uint_eq(f->n_log, 0);
	fake_free(f);
}
END_TEST

/* A change back while the first is under way, with answers held at each point. */
START_TEST(test_flap_under_way)
{
	struct fake *f = fake_new();
	int i;

	f->seed = _i + 3;
	fake_inputs_ready(f);
	fake_do(f, NET);
	fake_run(f);
	for (i = 0; i < 40; i++) {
		fake_do(f, i % 2 ? "if 1 eth1 up" : "if 1 eth1 down");
		ck_assert_int_eq(bh_routing_commit(&f->r), 0);
		for (int k = 0; k < _i; k++)
			fake_step(f);
	}
	fake_run(f);
	ref_check(f);
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "static 5 10.0.1.2@1");
	fake_free(f);
}
END_TEST

START_TEST(test_queue_full)
{
	struct fake *f = fake_new();
	char words[80];
	int i;

	f->max_pending = 3;
	f->random_again = true;
	fake_do(f, NET);
	for (i = 0; i < 200; i++) {
		snprintf(words, sizeof(words), "route 100.64.%d.0/24 5 10.0.1.%d", i, i % 9 + 2);
		fake_do(f, words);
	}
	fake_inputs_ready(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ref_check(f);
	fake_do(f, "if 1 eth1 down");
	fake_run(f);
	ref_check(f);
	fake_free(f);
}
END_TEST

/* Refused next hops and routes do not hold up the replay, and come with the next change. */
START_TEST(test_refused)
{
	struct fake *f = fake_new();

	f->max_nexthops = _i == 0 ? 3 : UINT32_MAX;
	f->max_routes = _i == 0 ? UINT32_MAX : 4;
	fake_do(f, NET "route 198.51.100.0/24 5 10.0.2.2; route 203.0.113.0/24 5 blackhole;");
	fake_inputs_ready(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ck_assert_uint_gt(f->r.out.n_refused, 0);
	ck_assert_uint_lt(f->table[BH_T_ROUTE4].n, 7);
	f->max_nexthops = f->max_routes = UINT32_MAX;
	fake_do(f, "route 203.0.113.0/24 6 blackhole");
	fake_run(f);
	ref_check(f);
	ck_assert_uint_eq(f->table[BH_T_ROUTE4].n, 7);
	fake_free(f);
}
END_TEST

/* A refused route that is wanted no more leaves nothing behind. */
START_TEST(test_refused_then_withdrawn)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_do(f, NET);
	fake_run(f);
	f->max_nexthops = f->table[BH_T_NEXTHOP].n;
	fake_do(f, "route 198.51.100.0/24 5 10.0.2.2; route 192.0.2.0/24 5 10.0.2.2");
	fake_run(f);
	ck_assert_str_eq(fake_route(f, "198.51.100.0/24"), "none");
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "static 5 10.0.1.2@1"); /* the old one */
	fake_do(f, "-route 198.51.100.0/24; -route 192.0.2.0/24");
	fake_run(f);
	ref_check(f);
	ck_assert_uint_eq(f->r.rib.routes[0].n, f->table[BH_T_ROUTE4].n);
	fake_free(f);
}
END_TEST

static int
gone_submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct bh_msg msg = { .verb = verb, .table = table, .status = *(int *)ctx };

	(void)aux;
	(void)body;
	(void)len;
	if (msg.status == 0)
		return -ECONNRESET;
	cb(arg, &msg, NULL, 0);
	return 0;
}

static void
gone_ready(void *ctx)
{
	(void)ctx;
	ck_abort_msg("ready without a replay");
}

/* The connection is lost, at submit or by the replies; or the replay is refused. */
START_TEST(test_fatal)
{
	static const struct bh_out_ops ops = { gone_submit, gone_ready };
	int status[] = { 0, -ECONNRESET, -EPERM };
	struct fake *f = fake_new();

	f->r.out.ops = &ops;
	f->r.out.ctx = &status[_i];
	fake_do(f, NET);
	fake_inputs_ready(f);
	ck_assert_int_eq(bh_routing_commit(&f->r), status[_i] == -EPERM ? -EPERM : -ECONNRESET);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing_output");
	TCase *tc = tcase_create("output");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_nothing_before_inputs);
	tcase_add_test(tc, test_address_must_be_synced);
	tcase_add_test(tc, test_empty_replay);
	tcase_add_loop_test(tc, test_second_life, 0, 5);
	tcase_add_loop_test(tc, test_replay_order, 0, 10);
	tcase_add_loop_test(tc, test_change_during_replay, 0, 30);
	tcase_add_test(tc, test_sharing_and_release);
	tcase_add_test(tc, test_change_is_one_add);
	tcase_add_test(tc, test_only_affected);
	tcase_add_loop_test(tc, test_flap_under_way, 0, 8);
	tcase_add_test(tc, test_queue_full);
	tcase_add_loop_test(tc, test_refused, 0, 2);
	tcase_add_test(tc, test_refused_then_withdrawn);
	tcase_add_loop_test(tc, test_fatal, 0, 3);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
