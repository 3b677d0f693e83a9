/* SPDX-License-Identifier: BSD-3-Clause */
/* Routing dies, the core dies, anything happens: what of zebra's routes is kept. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fpm_bed.h"

#define IS(prefix, text) ck_assert_str_eq(fake_route(f, prefix), text)
#define REC(prefix, text) ck_assert_str_eq(fake_fpm(f, prefix), text)

/* ---- routing dies ---- */

/* The next life of the module; inputs come as before. */
static struct fake *
next_life(struct fake *old)
{
	struct fake *f = fake_successor(old);

	fake_free(old);
	f->r.fpm.now = 500;
	for (int i = 0; i < BH_ROUTING_INPUTS; i++) /* what the model knows */
		fake_resync(f, bh_routing_table(&f->r, i));
	bed_tap(f, 1, 101);
	bed_tap(f, 2, 102);
	return f;
}

/* The successor has zebra's routes before zebra has told them again, and takes none away; one that
 * was withdrawn meanwhile is swept when zebra has told the others. */
START_TEST(test_recovered)
{
	struct fake *f = next_life(bed_connected());

	f->seed = _i + 1;
	bed_cfg(f, NULL, 0);
	fake_inputs_ready(f);
	fake_run(f);
	bed_check(f);
	ck_assert(f->ended[BH_T_ROUTE4] && f->ended[BH_T_NEXTHOP] && f->ended[BH_T_FPM_ROUTE4] &&
		f->ended[BH_T_FPM]);
	ck_assert_uint_eq(f->r.fpm.entries.n, 4);
	ck_assert_uint_eq(bed_stale(f), 4);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("2001:db8::/32", "fpm 110 fe80::1@2");
	REC("203.0.113.0/24", "188 10.0.1.3@101");
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_DELETE], 0);
	bed_wait(f, FPM_LIMIT * 2000);
	ck_assert_uint_eq(bed_stale(f), 4);
	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101; ospf 2001:db8::/32 fe80::1@102");
	bed_wait(f, FPM_SETTLE * 1000);
	ck_assert_uint_eq(f->r.fpm.entries.n, 2);
	IS("203.0.113.0/24", "none");
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	fake_free(f);
}
END_TEST

/* Its predecessor's zebra is known by its port id: it need not tell of each protocol. */
START_TEST(test_recovered_zebra)
{
	struct fake *f = bed_connected();

	bed_wait(f, BH_FPM_STATUS_MS);
	bed_wait(f, BH_FPM_STATUS_MS);
	f = next_life(f);
	bed_cfg(f, NULL, 0);
	fake_inputs_ready(f);
	fake_run(f);
	bed_open(f);
	bed_say(f, "bgp 192.0.2.0/24 10.0.1.2@101");
	bed_wait(f, FPM_SETTLE * 1000);
	ck_assert_uint_eq(f->r.fpm.entries.n, 1);
	fake_free(f);
}
END_TEST

/* The configuration has no FPM any more. */
START_TEST(test_recovered_but_off)
{
	struct fake *f = next_life(bed_connected());

	fake_inputs_ready(f);
	fake_run(f);
	bed_check(f);
	ck_assert_uint_eq(f->r.fpm.entries.n, 0);
	IS("192.0.2.0/24", "none");
	REC("192.0.2.0/24", "none");
	ref_check(f);
	fake_free(f);
}
END_TEST

/* It dies at any moment of its replay, and again. */
START_TEST(test_dies_at_any_moment)
{
	struct fake *f = bed_connected();

	for (int life = 0; life < 4; life++) {
		f = next_life(f);
		f->seed = life * 100 + _i + 1;
		for (int t = 0; t < BH_T_MAX; t++) /* requests under way went with it */
			f->began[t] = f->ended[t] = false;
		bed_cfg(f, NULL, 0);
		fake_inputs_ready(f);
		for (int n = 0; n < _i * 2; n++) {
			ck_assert_int_eq(bh_routing_commit(&f->r), 0);
			fake_step(f);
		}
		IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	}
	fake_run(f);
	bed_check(f);
	ck_assert_uint_eq(f->r.fpm.entries.n, 4);
	IS("203.0.113.0/24", "fpm 110 10.0.1.3@1");
	fake_free(f);
}
END_TEST

/* An heir knows what its predecessor held at the moment of the hand-over, not before. */
START_TEST(test_heir)
{
	struct fake *f = next_life(bed_connected());
	struct bh_fpm_route v = {.proto = 186, .type = BH_NH_BLACKHOLE};
	struct bh_route4_key key = {.addr = {192, 0, 2, 0}, .plen = 24};
	struct bh_hnode *n;

	f->r.heir = true;
	bed_cfg(f, NULL, 0);
	fake_inputs_ready(f);
	fake_run(f);
	ck_assert_uint_eq(f->n_ready, 1);
	ck_assert_uint_eq(f->r.fpm.entries.n, 4);
	ck_assert(!bh_routing_is_open(&f->r));
	n = bh_htab_first(&f->table[BH_T_FPM_ROUTE4], bh_hash(0, &key, sizeof(key)));
	ck_assert_ptr_nonnull(n); /* its predecessor goes on */
	memcpy(((struct fake_rec *)n)->val, &v, 8);
	((struct fake_rec *)n)->val_len = 8;
	bh_routing_promote(&f->r);
	fake_run(f);
	bed_check(f);
	ck_assert(bh_routing_is_open(&f->r));
	ck_assert_uint_eq(f->n_ready, 2);
	IS("192.0.2.0/24", "fpm 20 blackhole");
	IS("203.0.113.0/24", "fpm 110 10.0.1.3@1");
	fake_free(f);
}
END_TEST

/* It is promoted before it knows all. */
START_TEST(test_recovery_begins_anew)
{
	struct fake *f = next_life(bed_connected());

	bed_cfg(f, NULL, 0);
	fake_inputs_ready(f);
	for (int n = 0; n < _i; n++) {
		ck_assert_int_eq(bh_routing_commit(&f->r), 0);
		if (n % 2)
			fake_step(f);
	}
	if (f->r.fpm.recovery == BH_FPM_RECOVERED) {
		fake_free(f);
		return;
	}
	bh_routing_promote(&f->r);
	fake_run(f);
	bed_check(f);
	ck_assert_uint_eq(f->r.fpm.entries.n, 4);
	IS("2001:db8::/32", "fpm 110 fe80::1@2");
	fake_free(f);
}
END_TEST

/* ---- the core dies ---- */

static void
come_back(struct fake *f)
{
	fake_restart(f);
	for (int i = 0; i < BH_ROUTING_INPUTS; i++) {
		if (bh_routing_table(&f->r, i) == BH_T_HOSTIF) {
			fake_change(f, BH_T_HOSTIF, BH_OP_RESYNC, NULL, NULL, 0);
			bed_tap(f, 1, 101);
			bed_tap(f, 2, 102);
		} else if (bh_routing_table(&f->r, i) == BH_T_CFG_FPM) {
			bed_cfg(f, NULL, 0);
		} else {
			fake_resync(f, bh_routing_table(&f->r, i));
		}
	}
	fake_inputs_ready(f);
}

START_TEST(test_core_restarted)
{
	struct fake *f = bed_connected();

	bed_take(f, "bgp 10.0.0.0/8 10.0.1.2@101; -ospf 203.0.113.0/24", ZEBRA);
	for (int i = 0; i < _i; i++) { /* at any moment of these changes */
		ck_assert_int_eq(bh_routing_commit(&f->r), 0);
		fake_step(f);
	}
	come_back(f);
	bed_take(f, "bgp 11.0.0.0/8 10.0.1.2@101", ZEBRA); /* zebra goes on meanwhile */
	fake_run(f);
	bed_check(f);
	ck_assert(f->ended[BH_T_FPM_ROUTE4] && f->ended[BH_T_FPM_ROUTE6] && f->ended[BH_T_FPM]);
	ck_assert_uint_eq(bed_stale(f), 0);
	IS("192.0.2.0/24", "fpm 20 10.0.1.2@1");
	IS("10.0.0.0/8", "fpm 20 10.0.1.2@1");
	IS("11.0.0.0/8", "fpm 20 10.0.1.2@1");
	IS("203.0.113.0/24", "none");
	REC("203.0.113.0/24", "none");
	REC("2001:db8::/32", "188 fe80::1@102");
	fake_free(f);
}
END_TEST

/* ---- anything ---- */

#define PREFIXES 12
#define IDS 5

struct world {
	char route[PREFIXES][64]; /* what follows the prefix; "": none */
	char id[IDS][64];
};

static const char *
random_hop(unsigned int *seed)
{
	static const char *const hops[] = {"10.0.1.2@101", "10.0.2.2@102",
		"10.0.1.2@101*2 10.0.2.2@102", "blackhole", "10.0.1.9@105", "@102", "10.0.2.77"};

	return hops[rand_r(seed) % 7];
}

static void
tell_route(struct fake *f, const struct world *w, unsigned int i)
{
	char words[128];

	snprintf(words, sizeof(words), "%s%s 20.%u.0.0/16 %s", w->route[i][0] ? "" : "-",
		i % 2 ? "bgp" : "ospf", i, w->route[i]);
	bed_take(f, words, ZEBRA);
}

static void
tell_id(struct fake *f, const struct world *w, unsigned int i)
{
	char words[128];

	snprintf(words, sizeof(words), "%s %u %s",
		!w->id[i][0] ? "-nh" : i < 3 ? "nh" : "group", i + 1, w->id[i]);
	bed_take(f, words, ZEBRA);
}

static void
random_change(struct fake *f, struct world *w)
{
	unsigned int i = rand_r(&f->seed) % PREFIXES, what = rand_r(&f->seed) % 8;

	if (what < 3) {
		snprintf(w->route[i], sizeof(w->route[i]), "%s", random_hop(&f->seed));
		tell_route(f, w, i);
	} else if (what < 5) {
		snprintf(w->route[i], sizeof(w->route[i]), "id %u", 1 + rand_r(&f->seed) % IDS);
		tell_route(f, w, i);
	} else if (what == 5) {
		w->route[i][0] = '\0';
		tell_route(f, w, i);
	} else {
		i = rand_r(&f->seed) % IDS;
		snprintf(w->id[i], sizeof(w->id[i]), i < 3 ? "10.0.%u.%u@%u" : "%u*%u %u",
			i < 3 ? 1 + rand_r(&f->seed) % 2 : 1, i < 3 ? 2 : 1 + rand_r(&f->seed) % 3,
			i < 3 ? 101 + rand_r(&f->seed) % 2 : 2 + rand_r(&f->seed) % 2);
		if (rand_r(&f->seed) % 4 == 0)
			w->id[i][0] = '\0';
		tell_id(f, w, i);
	}
}

static void
reconnect(struct fake *f, const struct world *w)
{
	bh_fpm_close(&f->r.fpm, "at random");
	if (rand_r(&f->seed) % 2)
		fake_run(f);
	bed_open(f);
	for (unsigned int i = 0; i < IDS; i++)
		if (w->id[i][0])
			tell_id(f, w, i);
	for (unsigned int i = 0; i < PREFIXES; i++)
		if (w->route[i][0])
			tell_route(f, w, i);
}

/* After any changes the outcome is what a module says that was told only the end of them. */
static void
compare(struct fake *f, const struct world *w)
{
	struct fake *g = bed_new();
	char prefix[32], text[FAKE_TEXT];

	bed_open(g);
	for (unsigned int i = 0; i < IDS; i++)
		if (w->id[i][0])
			tell_id(g, w, i);
	for (unsigned int i = 0; i < PREFIXES; i++)
		if (w->route[i][0])
			tell_route(g, w, i);
	fake_run(g);
	for (unsigned int i = 0; i < PREFIXES; i++) {
		snprintf(prefix, sizeof(prefix), "20.%u.0.0/16", i);
		strcpy(text, fake_route(g, prefix));
		ck_assert_msg(strcmp(fake_route(f, prefix), text) == 0, "%s: %s instead of %s",
			prefix, fake_route(f, prefix), text);
		strcpy(text, fake_fpm(g, prefix));
		ck_assert_str_eq(fake_fpm(f, prefix), text);
	}
	fake_free(g);
}

START_TEST(test_random)
{
	struct fake *f = bed_new();
	struct world w = {0};

	f->seed = _i + 1;
	f->random_again = _i % 2;
	bed_open(f);
	for (int round = 0; round < 40; round++) {
		for (int n = rand_r(&f->seed) % 30; n > 0; n--) {
			random_change(f, &w);
			if (rand_r(&f->seed) % 3 == 0)
				ck_assert_int_eq(bh_routing_commit(&f->r), 0);
			if (rand_r(&f->seed) % 2 == 0)
				fake_step(f);
		}
		if (round % 4 == 1)
			come_back(f);
		if (round % 3 == 2)
			reconnect(f, &w);
		fake_run(f);
		if (round % 3 == 2)
			bed_wait(f, FPM_SETTLE * 1000);
		if (bed_stale(f) == 0)
			compare(f, &w);
		bed_check(f);
	}
	bed_wait(f, FPM_LIMIT * 1000);
	compare(f, &w);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fpm lives");
	TCase *tc = tcase_create("lives");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_recovered, 0, 5);
	tcase_add_test(tc, test_recovered_zebra);
	tcase_add_test(tc, test_recovered_but_off);
	tcase_add_loop_test(tc, test_dies_at_any_moment, 0, 30);
	tcase_add_test(tc, test_heir);
	tcase_add_loop_test(tc, test_recovery_begins_anew, 0, 9);
	tcase_add_loop_test(tc, test_core_restarted, 0, 12);
	tcase_add_loop_test(tc, test_random, 0, 20);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
