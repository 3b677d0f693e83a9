/* SPDX-License-Identifier: BSD-3-Clause */
/* The core dies under the routing module; a module that is an heir; one that recovers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "routing_fake.h"

#define NET \
	"if 1 eth1 up; if 2 eth2 up; addr eth1 10.0.1.1/24; addr eth2 10.0.2.1/24;" \
	"route 192.0.2.0/24 5 10.0.1.2; route 198.51.100.0/24 5 10.0.1.2 10.0.2.2;" \
	"route 2001:db8::/32 5 fe80::1@eth1; route 203.0.113.0/24 5 blackhole;"

/* The tables come again: those that the others rest on, and the static routes. */
static void
come_base(struct fake *f)
{
	static const uint16_t base[] = {BH_T_INTERFACE, BH_T_CFG_ADDRESS, BH_T_ADDRESS, BH_T_HOSTIF};

	for (int i = 0; i < 4; i++)
		fake_resync(f, base[i]);
	fake_change(f, BH_T_INTERFACE, BH_OP_COMPLETE, NULL, NULL, 0);
	fake_change(f, BH_T_CFG_ADDRESS, BH_OP_COMPLETE, NULL, NULL, 0);
}

static void
come_statics(struct fake *f)
{
	fake_resync(f, BH_T_CFG_ROUTE4);
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_COMPLETE, NULL, NULL, 0);
	fake_resync(f, BH_T_CFG_ROUTE6);
	fake_change(f, BH_T_CFG_ROUTE6, BH_OP_COMPLETE, NULL, NULL, 0);
	fake_resync(f, BH_T_CFG_FPM);
	fake_change(f, BH_T_CFG_FPM, BH_OP_COMPLETE, NULL, NULL, 0);
}

static struct fake *
running(void)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_do(f, NET);
	fake_run(f);
	return f;
}

/* Routes of before are there as soon as interfaces are whole; the replay ends when all is. */
START_TEST(test_core_restarted)
{
	struct fake *f = running();

	fake_restart(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_log, 0);
	fake_resync(f, BH_T_INTERFACE); /* empty, or not whole: an ifindex may mean another one */
	fake_resync(f, BH_T_CFG_ADDRESS);
	fake_resync(f, BH_T_ADDRESS);
	fake_run(f);
	ck_assert_uint_eq(f->n_log, 0);
	come_base(f);
	fake_run(f);
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "static 5 10.0.1.2@1");
	ref_check(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ck_assert(!f->ended[BH_T_ROUTE4] && !f->ended[BH_T_NEXTHOP]);
	come_statics(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 2);
	ck_assert(f->ended[BH_T_ROUTE4] && f->ended[BH_T_ROUTE6] && f->ended[BH_T_NEXTHOP]);
	ref_check(f);
	fake_do(f, "route 192.0.2.0/24 5 10.0.2.9; -route 203.0.113.0/24; if 1 eth1 down");
	fake_run(f);
	ref_check(f);
	fake_free(f);
}
END_TEST

/* A table that is empty at first sweeps nothing away before its owner says that it is whole. */
START_TEST(test_empty_at_first)
{
	struct fake *f = running();

	fake_restart(f);
	come_base(f);
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_SYNCED, NULL, NULL, 0);
	fake_change(f, BH_T_CFG_ROUTE6, BH_OP_SYNCED, NULL, NULL, 0);
	fake_run(f);
	ref_check(f);
	ck_assert(!f->ended[BH_T_ROUTE4]);
	come_statics(f);
	fake_run(f);
	ref_check(f);
	ck_assert(f->ended[BH_T_NEXTHOP]);
	fake_free(f);
}
END_TEST

/* Asked to replay on the connection that there is: all is said anew, under the same ids, changes
 * meanwhile are not lost, and what the info base holds beyond it is swept. */
START_TEST(test_replay_on_order)
{
	struct fake *f = running();
	unsigned int before, step;

	for (step = 0; step < 40; step += 3) {
		before = f->n_verb[BH_T_ROUTE4][BH_V_REPLAY_END];
		fake_do(f, "route 192.0.2.0/24 5 10.0.2.9; -route 203.0.113.0/24");
		bh_routing_commit(&f->r);
		bh_routing_replay(&f->r);
		ck_assert(bh_routing_replays(&f->r));
		for (unsigned int i = 0; i < step; i++) {
			bh_routing_commit(&f->r);
			fake_step(f);
		}
		fake_do(f, "route 192.0.2.0/24 5 10.0.1.2; route 203.0.113.0/24 5 blackhole;"
			"route 198.18.0.0/15 5 10.0.1.7; -route 198.18.0.0/15");
		fake_run(f);
		ck_assert(!bh_routing_replays(&f->r));
		ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_REPLAY_END], before + 1);
		ck_assert_uint_eq(f->n_ready, 1); /* it served all the time */
		ref_check(f);
	}
	fake_free(f);
}
END_TEST

/* Interfaces get other indices, and the configuration is another one by then. */
START_TEST(test_other_world)
{
	struct fake *f = running();
	struct model_if one;

	fake_restart(f);
	one = f->m.ifs[1];
	f->m.ifs[1] = f->m.ifs[2];
	f->m.ifs[2] = one;
	come_base(f);
	fake_run(f);
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "static 5 10.0.1.2@2");
	ref_check(f);
	fake_do(f, "-route 198.51.100.0/24; route 192.0.2.0/25 5 10.0.2.7");
	come_statics(f);
	fake_run(f);
	ref_check(f);
	ck_assert_str_eq(fake_route(f, "198.51.100.0/24"), "none");
	fake_free(f);
}
END_TEST

/* The core dies at any moment of a replay, and again while the next one replays. */
START_TEST(test_at_any_moment)
{
	struct fake *f = fake_new();

	f->seed = _i + 1;
	fake_inputs_ready(f);
	fake_do(f, NET);
	for (int life = 0; life < 6; life++) {
		for (int n = 0; n < _i; n++) {
			ck_assert_int_eq(bh_routing_commit(&f->r), 0);
			fake_step(f);
		}
		fake_restart(f);
		if (life % 2 == 1)
			fake_do(f, life % 3 == 0 ? "-route 192.0.2.0/24" : "route 192.0.2.0/24 7 10.0.2.3");
		come_base(f);
		if (life % 3 != 2)
			come_statics(f);
	}
	come_statics(f);
	fake_run(f);
	ck_assert(f->ended[BH_T_NEXTHOP]);
	ref_check(f);
	fake_free(f);
}
END_TEST

/* The stack's addresses were whole before: they are waited for, else its routes would go. */
START_TEST(test_stack_is_waited_for)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_change(f, BH_T_ADDRESS, BH_OP_COMPLETE, NULL, NULL, 0);
	fake_do(f, NET "stack 1 10.9.9.9/24 ok");
	fake_run(f);
	fake_restart(f);
	come_base(f);
	come_statics(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_log, 0);
	fake_change(f, BH_T_ADDRESS, BH_OP_COMPLETE, NULL, NULL, 0);
	fake_run(f);
	ref_check(f);
	ck_assert_uint_eq(f->n_ready, 2);
	fake_free(f);
}
END_TEST

/* An heir computes, says that it could, and writes nothing before it is the owner. */
START_TEST(test_heir)
{
	struct fake *f = fake_new();

	f->r.heir = true;
	fake_inputs_ready(f);
	fake_do(f, NET);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	fake_do(f, "route 192.0.2.0/24 5 10.0.2.9");
	fake_run(f);
	ck_assert_uint_eq(f->n_log, 0);
	ck_assert_uint_eq(f->n_ready, 1);
	bh_routing_promote(&f->r);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 2);
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "static 5 10.0.2.9@2");
	ref_check(f);
	fake_free(f);
}
END_TEST

/* Who finds its predecessor's routes whole serves before it has said them again; once. */
START_TEST(test_recovers)
{
	struct fake *f = fake_new();

	f->r.recovers = true;
	fake_do(f, NET);
	ck_assert_int_eq(bh_routing_commit(&f->r), 0);
	ck_assert_uint_eq(f->n_ready, 0); /* not before it knows them itself */
	fake_inputs_ready(f);
	ck_assert_int_eq(bh_routing_commit(&f->r), 0);
	ck_assert_uint_eq(f->n_ready, 1);
	ck_assert_uint_eq(f->n_log, 0);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ref_check(f);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing restart");
	TCase *tc = tcase_create("restart");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_core_restarted);
	tcase_add_test(tc, test_empty_at_first);
	tcase_add_test(tc, test_replay_on_order);
	tcase_add_test(tc, test_other_world);
	tcase_add_loop_test(tc, test_at_any_moment, 0, 40);
	tcase_add_test(tc, test_stack_is_waited_for);
	tcase_add_test(tc, test_heir);
	tcase_add_test(tc, test_recovers);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
