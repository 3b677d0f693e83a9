/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random changes of everything, in batches, with answers in random order; after each batch the
 * base must hold what the naive reference says. Few prefixes near each other, and gateways
 * inside them, so that recursion, loops and covering routes are the rule.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routing_fake.h"

static unsigned int seed;

static unsigned int
rnd(unsigned int n)
{
	return rand_r(&seed) % n;
}

static void
word_if(char *w)
{
	unsigned int k = rnd(3) + 1;

	if (rnd(8) == 0)
		sprintf(w, "-if %u", k);
	else
		sprintf(w, "if %u eth%u %s%s", k, k, rnd(3) ? "up" : "down",
			rnd(8) ? "" : rnd(2) ? " nov4" : " nov6");
}

static void
word_addr(char *w)
{
	const char *minus = rnd(3) ? "" : "-";
	unsigned int k = rnd(3) + 1;

	if (rnd(3) != 0)
		sprintf(w, "%saddr eth%u 10.0.%u.%u/%u", minus, k, rnd(4), rnd(2) + 1,
			rnd(4) ? 24 : rnd(2) ? 32 : 22);
	else
		sprintf(w, "%saddr eth%u 2001:db8:%u::1/%u", minus, k, rnd(3), rnd(2) ? 64 : 48);
}

static void
word_stack(char *w)
{
	static const char *const state[] = { "ok", "dup", "tentative" };

	if (rnd(3) == 0)
		sprintf(w, "-stack %u 10.0.%u.%u/24", rnd(3) + 1, rnd(4), rnd(2) + 1);
	else
		sprintf(w, "stack %u 10.0.%u.%u/24 %s", rnd(3) + 1, rnd(4), rnd(2) + 1,
			state[rnd(3)]);
}

static char *
word_hop(char *w)
{
	switch (rnd(10)) {
	case 0:
		return w + sprintf(w, " @eth%u", rnd(3) + 1);
	case 1:
		return w + sprintf(w, " fe80::%u@eth%u", rnd(2) + 1, rnd(3) + 1);
	case 2:
	case 3:
		return w + sprintf(w, " 2001:db8:%u::%u%s", rnd(3), rnd(3) + 1, rnd(4) ? "" : "*3");
	case 4:
		return w + sprintf(w, " 10.0.%u.%u@eth%u", rnd(4), rnd(3) + 1, rnd(3) + 1);
	default:
		return w + sprintf(w, " 10.%u.%u.%u%s", rnd(3), rnd(4), rnd(3) + 1,
			rnd(4) ? "" : "*2");
	}
}

static void
word_route(char *w)
{
	static const char *const special[] = { "blackhole", "unreachable", "prohibit", "receive" };
	static const unsigned int len4[] = { 0, 8, 15, 16, 22, 24, 32 };
	char prefix[64];
	unsigned int n;

	if (rnd(5) != 0)
		sprintf(prefix, "10.%u.%u.%u/%u", rnd(3), rnd(4), rnd(4), len4[rnd(7)]);
	else
		sprintf(prefix, "2001:db8:%u::%u/%u", rnd(3), rnd(2), rnd(2) ? 48 : 32 + rnd(97));
	if (rnd(4) == 0) {
		sprintf(w, "-route %s#%u", prefix, rnd(2));
		return;
	}
	w += sprintf(w, "route %s#%u %u", prefix, rnd(2), rnd(3));
	if (rnd(8) == 0) {
		sprintf(w, " %s", special[rnd(4)]);
		return;
	}
	for (n = rnd(3) ? 1 : rnd(4) + 1; n > 0; n--)
		w = word_hop(w);
}

static void
change(struct fake *f)
{
	char w[512];

	switch (rnd(12)) {
	case 0:
		word_if(w);
		break;
	case 1:
	case 2:
		word_addr(w);
		break;
	case 3:
		word_stack(w);
		break;
	default:
		word_route(w);
		break;
	}
	fake_do(f, w);
}

/* Drops static routes at random, unseen by the module, until it is told to resync. */
static void
missed_deletes(struct fake *f)
{
	unsigned int i;

	for (i = 0; i < f->m.n_stat;) {
		if (rnd(4) == 0)
			f->m.stat[i] = f->m.stat[--f->m.n_stat];
		else
			i++;
	}
	fake_resync(f, BH_T_CFG_ROUTE4);
	fake_resync(f, BH_T_CFG_ROUTE6);
}

static void
batch(struct fake *f)
{
	unsigned int n;

	if (rnd(50) == 0)
		missed_deletes(f);
	if (rnd(30) == 0)
		fake_resync(f, bh_routing_table(&f->r, rnd(BH_ROUTING_INPUTS)));
	for (n = rnd(6) + 1; n > 0; n--) {
		if (f->m.n_stat > 100 || f->m.n_addr > 30 || f->m.n_stack > 30)
			return;
		change(f);
		/* Some changes meet requests under way. */
		if (rnd(2) == 0) {
			ck_assert_int_eq(bh_routing_commit(&f->r), 0);
			for (unsigned int k = rnd(4); k > 0; k--)
				fake_step(f);
		}
	}
}

static void
shrink(struct fake *f)
{
	while (f->m.n_stat > 60)
		f->m.n_stat--;
	fake_resync(f, BH_T_CFG_ROUTE4);
	fake_resync(f, BH_T_CFG_ROUTE6);
}

START_TEST(test_random)
{
	struct fake *f = fake_new();
	unsigned int k, resolved = 0, unsettled = 0;

	seed = _i + 1;
	f->seed = _i + 100;
	f->max_pending = _i % 2 ? 1000 : 4;
	f->random_again = _i % 3 == 0;
	fake_do(f, "if 1 eth1 up; if 2 eth2 up; if 3 eth3 up");
	fake_inputs_ready(f);
	for (k = 0; k < 300; k++) {
		batch(f);
		fake_run(f);
		ref_check(f);
		resolved += f->table[BH_T_ROUTE4].n;
		unsettled += f->r.rib.unsettled;
		if (f->m.n_stat > 100)
			shrink(f);
	}
	/* The changes are of the kind that they should be. */
	ck_assert_uint_gt(resolved / k, 5);
	ck_assert_uint_gt(unsettled, 0);
	f->m.n_stat = f->m.n_addr = f->m.n_stack = 0;
	for (int i = 0; i < BH_ROUTING_INPUTS; i++)
		fake_resync(f, bh_routing_table(&f->r, i));
	fake_run(f);
	ref_check(f);
	ck_assert_uint_eq(f->table[BH_T_NEXTHOP].n, 0);
	ck_assert_uint_eq(f->r.rib.nhs.tab.n, 0);
	ck_assert_uint_eq(f->r.rib.hopsets.n, 0);
	ck_assert_uint_eq(f->r.rib.routes[0].n + f->r.rib.routes[1].n, 0);
	ck_assert_uint_eq(f->r.rib.trackers[0].n + f->r.rib.trackers[1].n, 0);
	ck_assert_uint_eq(f->r.rib.unsettled, 0);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing_random");
	TCase *tc = tcase_create("random");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_random, 0, 8);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
