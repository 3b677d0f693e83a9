/* SPDX-License-Identifier: BSD-3-Clause */
/* What is installed for what is configured: tables of cases, each line a change and its outcome. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "routing_fake.h"

struct step {
	const char *words;	/* changes, before the looks */
	const char *look[5][2]; /* prefix, route */
};

struct rib_case {
	const char *name;
	struct step step[8];
};

#define TWO_IFS \
	"if 1 eth1 up; if 2 eth2 up; addr eth1 10.0.1.1/24; addr eth2 10.0.2.1/24;" \
	"addr eth1 2001:db8:1::1/64; addr eth2 2001:db8:2::1/64;"

static const struct rib_case cases[] = {
	{ "connected and local", {
		{ TWO_IFS, { { "10.0.1.0/24", "connected 0 attached@1" },
			{ "10.0.1.1/32", "local 0 receive" },
			{ "2001:db8:2::/64", "connected 0 attached@2" },
			{ "2001:db8:2::1/128", "local 0 receive" } } },
		{ "if 1 eth1 down", { { "10.0.1.0/24", "none" }, { "10.0.1.1/32", "none" },
			{ "10.0.2.0/24", "connected 0 attached@2" } } },
		{ "if 1 eth1 up", { { "10.0.1.0/24", "connected 0 attached@1" },
			{ "10.0.1.1/32", "local 0 receive" } } },
		{ "-addr eth1 10.0.1.1/24", { { "10.0.1.0/24", "none" },
			{ "10.0.1.1/32", "none" } } },
		{ "-if 2", { { "10.0.2.0/24", "none" } } } } },
	{ "an address changes its length, a second one shares the prefix", {
		{ TWO_IFS "addr eth1 10.0.1.9/24", { { "10.0.1.0/24", "connected 0 attached@1" },
			{ "10.0.1.9/32", "local 0 receive" } } },
		{ "addr eth1 10.0.1.1/16", { { "10.0.0.0/16", "connected 0 attached@1" },
			{ "10.0.1.0/24", "connected 0 attached@1" } } },
		{ "-addr eth1 10.0.1.9/24", { { "10.0.1.0/24", "none" },
			{ "10.0.0.0/16", "connected 0 attached@1" } } },
		{ "addr eth1 10.0.1.1/32", { { "10.0.1.1/32", "local 0 receive" },
			{ "10.0.0.0/16", "none" } } } } },
	{ "one prefix on two interfaces: the lower ifindex", {
		{ "if 2 eth2 up; addr eth2 10.0.1.2/24", {
			{ "10.0.1.0/24", "connected 0 attached@2" } } },
		{ "if 1 eth1 up; addr eth1 10.0.1.1/24", {
			{ "10.0.1.0/24", "connected 0 attached@1" } } },
		{ "if 1 eth1 down", { { "10.0.1.0/24", "connected 0 attached@2" } } } } },
	{ "an interface comes back under another ifindex, or another name under the same", {
		{ TWO_IFS "route 192.0.2.0/24 5 10.0.1.2@eth1", {
			{ "192.0.2.0/24", "static 5 10.0.1.2@1" } } },
		{ "-if 1; if 7 eth1 up", { { "10.0.1.0/24", "connected 0 attached@7" },
			{ "192.0.2.0/24", "static 5 10.0.1.2@7" } } },
		{ "if 7 eth9 up", { { "10.0.1.0/24", "none" }, { "192.0.2.0/24", "none" } } } } },
	{ "a family that is disabled", {
		{ "if 1 eth1 up nov4; addr eth1 10.0.1.1/24; addr eth1 2001:db8:1::1/64;"
		  "route 192.0.2.0/24 5 10.0.1.2@eth1; route 198.51.100.0/24 5 fe80::2@eth1", {
			{ "10.0.1.0/24", "none" }, { "192.0.2.0/24", "none" },
			{ "198.51.100.0/24", "static 5 fe80::2@1" },
			{ "2001:db8:1::/64", "connected 0 attached@1" } } },
		{ "if 1 eth1 up nov6", { { "10.0.1.0/24", "connected 0 attached@1" },
			{ "192.0.2.0/24", "static 5 10.0.1.2@1" }, { "198.51.100.0/24", "none" } } } } },
	{ "what the stack says of addresses", {
		{ TWO_IFS "stack 1 10.0.1.1/24 tentative; stack 2 10.0.2.1/24 ok", {
			{ "10.0.1.0/24", "none" }, { "10.0.1.1/32", "none" },
			{ "10.0.2.1/32", "local 0 receive" } } },
		{ "stack 1 10.0.1.1/24 ok; stack 2 10.0.2.1/24 dup", {
			{ "10.0.1.0/24", "connected 0 attached@1" }, { "10.0.2.0/24", "none" } } },
		{ "-stack 2 10.0.2.1/24", { { "10.0.2.0/24", "connected 0 attached@2" } } },
		{ "stack 1 2001:db8:a::5/64 ok; stack 1 fe80::5/64 ok", {
			{ "2001:db8:a::/64", "connected 0 attached@1" },
			{ "fe80::/64", "none" }, { "fe80::5/128", "local 0 receive" } } },
		{ "-stack 1 2001:db8:a::5/64; -stack 1 10.0.1.1/24", {
			{ "2001:db8:a::/64", "none" }, { "10.0.1.0/24", "connected 0 attached@1" } } } } },
	{ "preference, ties, special next hops", {
		{ TWO_IFS "route 192.0.2.0/24 10 10.0.1.2; route 192.0.2.0/24#1 5 blackhole", {
			{ "192.0.2.0/24", "static 5 blackhole" } } },
		{ "route 192.0.2.0/24#1 20 blackhole", { { "192.0.2.0/24", "static 10 10.0.1.2@1" } } },
		{ "route 192.0.2.0/24#1 10 prohibit", { { "192.0.2.0/24", "static 10 10.0.1.2@1" } } },
		{ "if 1 eth1 down", { { "192.0.2.0/24", "static 10 prohibit" } } },
		{ "-route 192.0.2.0/24#1; route 198.51.100.0/24 1 unreachable", {
			{ "192.0.2.0/24", "none" }, { "198.51.100.0/24", "static 1 unreachable" } } },
		{ "route 198.51.100.0/24 1 receive; route 10.0.2.0/24 1 blackhole;"
		  "route 10.0.2.1/32 0 blackhole", {
			{ "198.51.100.0/24", "static 1 receive" },
			{ "10.0.2.0/24", "connected 0 attached@2" },
			{ "10.0.2.1/32", "local 0 receive" } } } } },
	{ "hops with interface", {
		{ TWO_IFS "route 192.0.2.0/24 5 172.16.0.1@eth2; route 198.51.100.0/24 5 @eth1;"
		  "route 203.0.113.0/24 5 10.0.1.2@eth9", {
			{ "192.0.2.0/24", "static 5 172.16.0.1@2" }, /* on that link, whatever */
			{ "198.51.100.0/24", "static 5 attached@1" },
			{ "203.0.113.0/24", "none" } } },
		{ "if 9 eth9 up", { { "203.0.113.0/24", "static 5 10.0.1.2@9" } } },
		{ "if 1 eth1 down; if 2 eth2 down", { { "192.0.2.0/24", "none" },
			{ "198.51.100.0/24", "none" } } } } },
	{ "a link-local gateway needs an interface", {
		{ TWO_IFS "route 2001:db8:f::/48 5 fe80::1; route fe80::/10 5 @eth1;"
		  "route 2001:db8:e::/48 5 fe80::1@eth2", {
			{ "2001:db8:f::/48", "none" },
			{ "2001:db8:e::/48", "static 5 fe80::1@2" } } } } },
	{ "IPv4 through IPv6, never the reverse", {
		{ TWO_IFS "route 192.0.2.0/24 5 2001:db8:1::2; route 198.51.100.0/24 5 192.0.2.1;"
		  "route 2001:db8:f::/48 5 10.0.1.2; route 2001:db8:e::/48 5 10.0.1.2@eth1", {
			{ "192.0.2.0/24", "static 5 2001:db8:1::2@1" },
			{ "198.51.100.0/24", "static 5 2001:db8:1::2@1" },
			{ "2001:db8:f::/48", "none" }, { "2001:db8:e::/48", "none" } } } } },
	{ "recursion follows the longest match", {
		{ TWO_IFS "route 192.0.2.0/24 5 172.16.1.1; route 172.16.0.0/16 5 10.0.1.2", {
			{ "192.0.2.0/24", "static 5 10.0.1.2@1" } } },
		{ "route 172.16.1.0/24 5 10.0.2.2@eth2", { { "192.0.2.0/24", "static 5 10.0.2.2@2" } } },
		{ "route 172.16.1.1/32 5 @eth1", { { "192.0.2.0/24", "static 5 172.16.1.1@1" } } },
		{ "-route 172.16.1.1/32; if 2 eth2 down", {
			{ "192.0.2.0/24", "static 5 10.0.1.2@1" } } },
		{ "route 172.16.0.0/16#1 1 10.0.1.7", { { "192.0.2.0/24", "static 5 10.0.1.7@1" } } },
		{ "-route 172.16.0.0/16; -route 172.16.0.0/16#1", { { "192.0.2.0/24", "none" } } } } },
	{ "not through the default route, not through an own address", {
		{ TWO_IFS "route 0.0.0.0/0 5 10.0.1.2; route 192.0.2.0/24 5 172.16.1.1;"
		  "route 198.51.100.0/24 5 10.0.2.1; route ::/0 5 2001:db8:1::2;"
		  "route 2001:db8:f::/48 5 2001:db8:e::1", {
			{ "0.0.0.0/0", "static 5 10.0.1.2@1" }, { "192.0.2.0/24", "none" },
			{ "198.51.100.0/24", "none" }, { "::/0", "static 5 2001:db8:1::2@1" },
			{ "2001:db8:f::/48", "none" } } } } },
	{ "through special routes", {
		{ TWO_IFS "route 192.0.2.1/32 5 blackhole; route 192.0.2.2/32 5 prohibit;"
		  "route 198.51.100.0/24 5 192.0.2.1; route 203.0.113.0/24 5 192.0.2.2 192.0.2.1;"
		  "route 100.64.0.0/10 5 192.0.2.1 10.0.1.2", {
			{ "198.51.100.0/24", "static 5 blackhole" },
			{ "203.0.113.0/24", "static 5 blackhole" },
			{ "100.64.0.0/10", "static 5 10.0.1.2@1" } } },
		{ "route 192.0.2.0/24 5 receive; -route 192.0.2.1/32", {
			{ "198.51.100.0/24", "none" }, { "203.0.113.0/24", "static 5 prohibit" } } } } },
	{ "a route is not resolved through itself", {
		{ TWO_IFS "route 172.16.0.0/16 5 172.16.0.1", { { "172.16.0.0/16", "none" } } },
		{ "route 172.16.0.0/15 5 @eth1", { { "172.16.0.0/16", "static 5 172.16.0.1@1" } } },
		{ "route 172.16.0.0/24 5 172.16.0.1", { /* same hop, longer: no help either */
			{ "172.16.0.0/24", "static 5 172.16.0.1@1" },
			{ "172.16.0.0/16", "static 5 172.16.0.1@1" } } },
		{ "-route 172.16.0.0/15", { { "172.16.0.0/16", "none" }, { "172.16.0.0/24", "none" } } } } },
	{ "two routes that rest on each other", {
		{ TWO_IFS "route 172.16.0.0/16 5 172.17.0.1; route 172.17.0.0/16 5 172.16.0.1;"
		  "route 192.0.2.0/24 5 172.16.5.5", {
			{ "172.16.0.0/16", "none" }, { "172.17.0.0/16", "none" },
			{ "192.0.2.0/24", "none" } } },
		/* Ground below both: each would take the other's gateway for ever. */
		{ "route 172.16.0.0/12 5 @eth1", { { "172.16.0.0/16", "none" },
			{ "172.17.0.0/16", "none" }, { "172.16.0.0/12", "static 5 attached@1" } } },
		{ "route 172.17.0.0/16 5 10.0.2.2", { { "172.16.0.0/16", "static 5 10.0.2.2@2" },
			{ "192.0.2.0/24", "static 5 10.0.2.2@2" } } } } },
	{ "a loop of three, with a hop beside it that needs no recursion", {
		{ TWO_IFS "route 172.16.0.0/16 5 172.17.0.1 10.0.1.2@eth1; route 172.17.0.0/16 5 172.18.0.1;"
		  "route 172.18.0.0/16 5 172.16.0.1", {
			{ "172.16.0.0/16", "static 5 10.0.1.2@1" },
			{ "172.17.0.0/16", "static 5 10.0.1.2@1" },
			{ "172.18.0.0/16", "static 5 10.0.1.2@1" } } },
		{ "if 1 eth1 down", { { "172.16.0.0/16", "none" }, { "172.17.0.0/16", "none" },
			{ "172.18.0.0/16", "none" } } } } },
	{ "depth: four lookups, not five", {
		{ TWO_IFS "route 172.16.1.0/24 5 10.0.1.2; route 172.16.2.0/24 5 172.16.1.1;"
		  "route 172.16.3.0/24 5 172.16.2.1; route 172.16.4.0/24 5 172.16.3.1;"
		  "route 172.16.5.0/24 5 172.16.4.1; route 172.16.6.0/24 5 172.16.5.1", {
			{ "172.16.1.0/24", "static 5 10.0.1.2@1" },
			{ "172.16.4.0/24", "static 5 10.0.1.2@1" },
			{ "172.16.5.0/24", "none" }, { "172.16.6.0/24", "none" } } },
		{ "route 172.16.1.0/24 5 10.0.1.2@eth1", {
			{ "172.16.5.0/24", "static 5 10.0.1.2@1" }, { "172.16.6.0/24", "none" } } } } },
	{ "ECMP: union, order, weights, members that are down", {
		{ TWO_IFS "route 192.0.2.0/24 5 10.0.2.2*3 10.0.1.2", {
			{ "192.0.2.0/24", "static 5 10.0.1.2@1 10.0.2.2@2*3" } } },
		{ "route 192.0.2.0/24 5 10.0.1.2 10.0.1.2@eth1 10.0.2.2", { /* two hops, one adjacency */
			{ "192.0.2.0/24", "static 5 10.0.1.2@1*2 10.0.2.2@2" } } },
		{ "if 2 eth2 down", { { "192.0.2.0/24", "static 5 10.0.1.2@1" } } },
		{ "if 1 eth1 down", { { "192.0.2.0/24", "none" } } },
		{ "if 1 eth1 up; if 2 eth2 up; route 172.16.0.0/16 5 10.0.1.7 10.0.2.7;"
		  "route 192.0.2.0/24 5 172.16.0.1*2 10.0.1.7 @eth2", {
			{ "192.0.2.0/24", "static 5 10.0.1.7@1*3 10.0.2.7@2*2" } } },
		{ "route 192.0.2.0/24 5 @eth2 @eth1", { { "192.0.2.0/24", "static 5 attached@1" } } } } },
	{ "ECMP: at most 16 members", {
		{ TWO_IFS "route 172.16.0.0/16 5 10.0.1.20 10.0.1.21 10.0.1.22 10.0.1.23 10.0.1.24 "
		  "10.0.1.25 10.0.1.26 10.0.1.27 10.0.1.28 10.0.1.29 10.0.1.30 10.0.1.31;"
		  "route 172.17.0.0/16 5 10.0.1.40 10.0.1.41 10.0.1.42 10.0.1.43 10.0.1.44 10.0.1.45;"
		  "route 192.0.2.0/24 5 172.17.0.1 172.16.0.1", {
			{ "192.0.2.0/24", "static 5 10.0.1.20@1 10.0.1.21@1 10.0.1.22@1 10.0.1.23@1 "
			  "10.0.1.24@1 10.0.1.25@1 10.0.1.26@1 10.0.1.27@1 10.0.1.28@1 10.0.1.29@1 "
			  "10.0.1.30@1 10.0.1.31@1 10.0.1.40@1 10.0.1.41@1 10.0.1.42@1 10.0.1.43@1" } } } } },
};

/* Each case stepwise, and its last outcome again when all changes come at once. */
START_TEST(test_case)
{
	const struct rib_case *c = &cases[_i];
	struct fake *f = fake_new(), *once = fake_new();
	const struct step *s;

	fake_inputs_ready(f);
	for (s = c->step; s->words != NULL; s++) {
		fake_do(f, s->words);
		fake_run(f);
		for (int k = 0; k < 5 && s->look[k][0] != NULL; k++)
			ck_assert_msg(strcmp(fake_route(f, s->look[k][0]), s->look[k][1]) == 0,
				"%s, step %d: %s is \"%s\", not \"%s\"", c->name,
				(int)(s - c->step), s->look[k][0], fake_route(f, s->look[k][0]),
				s->look[k][1]);
		ref_check(f);
		fake_do(once, s->words);
	}
	fake_inputs_ready(once);
	fake_run(once);
	ref_check(once);
	fake_free(once);
	fake_free(f);
}
END_TEST

/* A record that does not parse removes what it was to replace, and nothing else. */
START_TEST(test_malformed_static)
{
	struct bh_cfg_route4_key key = { .addr = { 192, 0, 2 }, .plen = 24 };
	struct bh_cfg_route bad = { .type = BH_NH_GROUP, .n = 17 };
	struct fake *f = fake_new();
	const size_t head = offsetof(struct bh_cfg_route, hop);

	fake_inputs_ready(f);
	fake_do(f, TWO_IFS "route 192.0.2.0/24 5 10.0.1.2; route 198.51.100.0/24 5 10.0.1.2");
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &key, &bad, head);
	bad.n = 1; /* hop cut off */
	key.addr[2] = 3;
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &key, &bad, head);
	bad.type = BH_NH_ATTACHED; /* not a type of a configured route */
	bad.n = 0;
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &key, &bad, head);
	bad.type = 99;
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &key, &bad, head);
	bad.type = BH_NH_GROUP;
	bad.n = 1; /* neither address nor interface */
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &key, &bad, sizeof(bad));
	key.plen = 33;
	bad.type = BH_NH_BLACKHOLE;
	bad.n = 0;
	fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &key, &bad, head);
	fake_run(f);
	ck_assert_str_eq(fake_route(f, "192.0.2.0/24"), "none");
	ck_assert_str_eq(fake_route(f, "192.0.3.0/24"), "none");
	ck_assert_str_eq(fake_route(f, "198.51.100.0/24"), "static 5 10.0.1.2@1");
	ck_assert_uint_eq(f->table[BH_T_ROUTE4].n, 5);
	fake_free(f);
}
END_TEST

START_TEST(test_resync)
{
	static const char *const gone[] = { "10.0.1.0/24", "192.0.2.0/24", "2001:db8:f::/48" };
	struct fake *f = fake_new();
	unsigned int before;

	fake_inputs_ready(f);
	fake_do(f, TWO_IFS "stack 1 10.0.1.1/24 ok; route 192.0.2.0/24 5 10.0.2.2;"
			"route 198.51.100.0/24 5 10.0.2.2; route 2001:db8:f::/48 5 fe80::1@eth2");
	fake_run(f);
	before = f->n_verb[BH_T_ROUTE4][BH_V_ADD] + f->n_verb[BH_T_ROUTE4][BH_V_DELETE];
	/* The same again changes nothing. */
	for (int i = 0; i < BH_ROUTING_INPUTS; i++)
		fake_resync(f, bh_routing_table(&f->r, i));
	fake_run(f);
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_ADD] + f->n_verb[BH_T_ROUTE4][BH_V_DELETE],
		before);
	/* Deletes that were missed while behind. */
	f->m.stat[0] = f->m.stat[1]; /* only 198.51.100.0/24 is left */
	f->m.n_stat = 1;
	fake_resync(f, BH_T_CFG_ROUTE4);
	fake_resync(f, BH_T_CFG_ROUTE6);
	f->m.addr[0] = f->m.addr[--f->m.n_addr];
	fake_resync(f, BH_T_CFG_ADDRESS);
	f->m.n_stack = 0;
	fake_resync(f, BH_T_ADDRESS);
	fake_run(f);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(fake_route(f, gone[i]), "none");
	ref_check(f);
	f->m.ifs[2].there = false;
	fake_resync(f, BH_T_INTERFACE);
	fake_run(f);
	ck_assert_str_eq(fake_route(f, "10.0.2.0/24"), "none");
	ref_check(f);
	fake_free(f);
}
END_TEST

/* Between RESYNC and SYNCED nothing is withdrawn. */
START_TEST(test_resync_has_no_gap)
{
	struct fake *f = fake_new();

	fake_inputs_ready(f);
	fake_do(f, TWO_IFS "route 192.0.2.0/24 5 10.0.2.2");
	fake_run(f);
	for (int i = 0; i < BH_ROUTING_INPUTS; i++)
		fake_change(f, bh_routing_table(&f->r, i), BH_OP_RESYNC, NULL, NULL, 0);
	fake_run(f);
	ref_check(f);
	ck_assert_uint_eq(f->n_verb[BH_T_ROUTE4][BH_V_DELETE], 0);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing_rib");
	TCase *tc = tcase_create("rib");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, test_case, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, test_malformed_static);
	tcase_add_test(tc, test_resync);
	tcase_add_test(tc, test_resync_has_no_gap);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
