/* SPDX-License-Identifier: BSD-3-Clause */
/* Schema: the rows are sound; the checks of keys and values take the good, refuse the bad. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infobase/schema.h"

static bool
key_ok(uint16_t table, const void *key)
{
	return bh_schema(table)->key_ok(key);
}

static bool
val_ok(uint16_t table, const void *val, size_t len)
{
	return bh_schema(table)->val_ok(val, len);
}

START_TEST(test_rows)
{
	uint16_t i;

	for (i = 1; i < BH_T_MAX; i++) {
		const struct bh_schema *s = bh_schema(i);

		ck_assert_ptr_nonnull(s);
		ck_assert_uint_eq(bh_schema_find(s->name), i);
		ck_assert_uint_gt(s->key_len, 0);
		ck_assert_uint_le(s->key_len, BH_KEY_MAX);
		ck_assert_uint_gt(s->val_min, 0);
		ck_assert_uint_le(s->val_min, s->val_max);
		ck_assert_uint_le(s->val_max, BH_VAL_MAX);
		ck_assert_uint_gt(s->max, 0);
		ck_assert_uint_lt(s->group, BH_GROUP_MAX);
		ck_assert_uint_ge(s->owner, BH_ROLE_SUPERVISOR);
		ck_assert_uint_lt(s->owner, BH_ROLE_MAX);
		ck_assert_str_ne(bh_kind_name(s->kind), "?");
		ck_assert_ptr_nonnull(s->published);
		ck_assert_ptr_nonnull(s->key_ok);
	}
}
END_TEST

START_TEST(test_no_row)
{
	ck_assert_ptr_null(bh_schema(0));
	ck_assert_ptr_null(bh_schema(BH_T_MAX));
	ck_assert_ptr_null(bh_schema(UINT16_MAX));
	ck_assert_uint_eq(bh_schema_find("no_such"), 0);
	ck_assert_uint_eq(bh_schema_find(""), 0);
}
END_TEST

START_TEST(test_owners)
{
	ck_assert_uint_eq(bh_schema(BH_T_CFG_ROUTE6)->owner, BH_ROLE_CONFIG);
	ck_assert_uint_eq(bh_schema(BH_T_INTERFACE)->owner, BH_ROLE_CORE);
	ck_assert_uint_eq(bh_schema(BH_T_NEIGHBOR)->owner, BH_ROLE_V6STACK);
	ck_assert_uint_eq(bh_schema(BH_T_NEXTHOP)->owner, BH_ROLE_ROUTING);
	ck_assert_uint_eq(bh_schema(BH_T_PROCESS)->owner, BH_ROLE_SUPERVISOR);
	ck_assert_uint_eq(bh_schema(BH_T_SNMP)->owner, BH_ROLE_SNMP);
}
END_TEST

START_TEST(test_names)
{
	int role;

	for (role = 0; role < BH_ROLE_MAX; role++)
		ck_assert_int_eq(bh_role_find(bh_role_name(role)), role);
	ck_assert_str_eq(bh_role_name(BH_ROLE_V6STACK), "v6stack");
	ck_assert_str_eq(bh_role_name(BH_ROLE_MAX), "?");
	ck_assert_int_eq(bh_role_find("nobody"), -ENOENT);
	ck_assert_str_eq(bh_kind_name(BH_KIND_CONFIG), "config");
	ck_assert_str_eq(bh_kind_name(0), "?");
	ck_assert_str_eq(bh_group_name(BH_GROUP_MISC), "misc");
	ck_assert_str_eq(bh_group_name(BH_GROUP_MAX), "?");
}
END_TEST

START_TEST(test_key_name)
{
	struct bh_ifname_key k = { "port0" };

	ck_assert(key_ok(BH_T_CFG_INTERFACE, &k));
	k.name[10] = 'x'; /* behind the NUL */
	ck_assert(!key_ok(BH_T_CFG_INTERFACE, &k));
	memset(k.name, 'a', sizeof(k.name)); /* no NUL */
	ck_assert(!key_ok(BH_T_CFG_INTERFACE, &k));
	memset(&k, 0, sizeof(k)); /* empty */
	ck_assert(!key_ok(BH_T_CFG_INTERFACE, &k));
	k.name[0] = '\n';
	ck_assert(!key_ok(BH_T_CFG_INTERFACE, &k));
	memset(k.name, 'a', sizeof(k.name) - 1);
	ck_assert(key_ok(BH_T_PROCESS, &k));
}
END_TEST

START_TEST(test_key_address)
{
	struct bh_cfg_address_key k = { "p", 4, { 0 }, { 10, 0, 0, 1 } };
	struct bh_if_addr_key i = { 7, 6, { 0 }, { 0xfe, 0x80, [15] = 1 } };

	ck_assert(key_ok(BH_T_CFG_ADDRESS, &k));
	k.addr[15] = 1; /* IPv4 is 4 bytes */
	ck_assert(!key_ok(BH_T_CFG_ADDRESS, &k));
	k.family = 6;
	ck_assert(key_ok(BH_T_CFG_NEIGHBOR, &k));
	k.pad[1] = 1;
	ck_assert(!key_ok(BH_T_CFG_NEIGHBOR, &k));
	ck_assert(key_ok(BH_T_NEIGHBOR, &i));
	i.family = 5;
	ck_assert(!key_ok(BH_T_NEIGHBOR, &i));
	i.family = 6;
	i.ifindex = BH_IF_MAX;
	ck_assert(!key_ok(BH_T_ADDRESS, &i));
	i.ifindex = 0;
	ck_assert(!key_ok(BH_T_ADDRESS, &i));
	ck_assert(!key_ok(BH_T_HOSTIF, &i.ifindex));
}
END_TEST

START_TEST(test_key_prefix)
{
	struct bh_route4_key k = { { 10, 1, 2, 0 }, 24 };
	struct bh_route6_key k6 = { { 0x20, 1, 0xd, 0xb8 }, 32 };

	ck_assert(key_ok(BH_T_ROUTE4, &k));
	k.plen = 23;
	ck_assert(key_ok(BH_T_ROUTE4, &k));
	k.plen = 22; /* host bits */
	ck_assert(!key_ok(BH_T_ROUTE4, &k));
	k.plen = 33;
	ck_assert(!key_ok(BH_T_CFG_ROUTE4, &k));
	k = (struct bh_route4_key){ { 0 }, 0 };
	ck_assert(key_ok(BH_T_ROUTE4, &k));
	k.pad = 1;
	ck_assert(!key_ok(BH_T_ROUTE4, &k));
	ck_assert(key_ok(BH_T_ROUTE6, &k6));
	k6.plen = 28;
	ck_assert(!key_ok(BH_T_ROUTE6, &k6));
	k6.plen = 129;
	ck_assert(!key_ok(BH_T_ROUTE6, &k6));
	k6.plen = 128;
	ck_assert(key_ok(BH_T_CFG_ROUTE6, &k6));
}
END_TEST

START_TEST(test_key_nexthop)
{
	struct bh_nexthop_key k = { BH_NH_GROUP, 2 }, good;
	uint8_t type;

	k.m[0] = (struct bh_nh_member){ 1, 4, 1, { 0 }, { 10, 0, 0, 1 } };
	k.m[1] = (struct bh_nh_member){ 1, 4, 1, { 0 }, { 10, 0, 0, 2 } };
	good = k;
	ck_assert(key_ok(BH_T_NEXTHOP, &k));
	k.m[1] = k.m[0]; /* repeated */
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	k.m[1].addr[3] = 0; /* not sorted */
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	k = good;
	k.n = 1; /* an unused member that is not zero */
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	k.n = BH_ECMP_MAX + 1;
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	k = good;
	k.m[1].weight = 0;
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	memset(&k, 0, sizeof(k));
	for (type = BH_NH_LOCAL; type <= BH_NH_PROHIBIT; type++) {
		k.type = type;
		ck_assert(key_ok(BH_T_NEXTHOP, &k));
	}
	k.type = BH_NH_PROHIBIT + 1;
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	k.type = BH_NH_GROUP;
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
	k = (struct bh_nexthop_key){ BH_NH_ATTACHED, 1 };
	k.m[0] = (struct bh_nh_member){ 3, 0, 1 };
	ck_assert(key_ok(BH_T_NEXTHOP, &k));
	k.m[0].family = 4;
	ck_assert(!key_ok(BH_T_NEXTHOP, &k));
}
END_TEST

START_TEST(test_key_others)
{
	struct bh_sock_key k = { 4, { 0 }, 0, 80, 1024, { 127, 0, 0, 1 }, { 127, 0, 0, 1 } };
	struct bh_snmp_key s = { "engineBoots" };

	ck_assert(key_ok(BH_T_TCP, &k));
	k.raddr[9] = 1;
	ck_assert(!key_ok(BH_T_UDP, &k));
	ck_assert(key_ok(BH_T_SNMP, &s));
	memset(s.name, 'x', sizeof(s.name));
	ck_assert(!key_ok(BH_T_SNMP, &s));
}
END_TEST

START_TEST(test_val_cfg_route)
{
	struct bh_cfg_route v = { .type = BH_NH_GROUP, .n = 1, .preference = 5 };
	size_t head = offsetof(struct bh_cfg_route, hop);

	v.hop[0] = (struct bh_cfg_hop){ "", 4, 1, { 0 }, { 10, 0, 0, 9 } };
	ck_assert(val_ok(BH_T_CFG_ROUTE4, &v, head + sizeof(v.hop[0])));
	ck_assert(!val_ok(BH_T_CFG_ROUTE4, &v, head));
	ck_assert(!val_ok(BH_T_CFG_ROUTE4, &v, sizeof(v)));
	v.hop[0].family = 0; /* attached, but to what? */
	memset(v.hop[0].addr, 0, 16);
	ck_assert(!val_ok(BH_T_CFG_ROUTE4, &v, head + sizeof(v.hop[0])));
	strcpy(v.hop[0].name, "port1");
	ck_assert(val_ok(BH_T_CFG_ROUTE4, &v, head + sizeof(v.hop[0])));
	v.n = BH_ECMP_MAX + 1;
	ck_assert(!val_ok(BH_T_CFG_ROUTE4, &v, sizeof(v)));
	v.n = 0;
	ck_assert(!val_ok(BH_T_CFG_ROUTE4, &v, head));
	v.type = BH_NH_BLACKHOLE;
	ck_assert(val_ok(BH_T_CFG_ROUTE4, &v, head));
}
END_TEST

START_TEST(test_val_others)
{
	struct bh_cfg_interface c = { .device = "0000:01:00.0" };
	struct bh_route r = { .nh = 1, .proto = BH_RP_STATIC };
	struct bh_process p = { .state = BH_PROC_READY };
	struct bh_address a = { .plen = 64, .state = 2 };
	struct bh_cfg_address ca = { .plen = 129 };

	ck_assert(val_ok(BH_T_CFG_INTERFACE, &c, sizeof(c)));
	memset(c.device, 'x', sizeof(c.device));
	ck_assert(!val_ok(BH_T_CFG_INTERFACE, &c, sizeof(c)));
	ck_assert(val_ok(BH_T_ROUTE4, &r, sizeof(r)));
	r.flags = BH_ROUTE_UNRESOLVED;
	ck_assert(!val_ok(BH_T_ROUTE4, &r, sizeof(r)));
	r = (struct bh_route){ .nh = 1 };
	ck_assert(!val_ok(BH_T_ROUTE6, &r, sizeof(r)));
	ck_assert(val_ok(BH_T_PROCESS, &p, sizeof(p)));
	p.how = BH_HOW_MAX;
	ck_assert(!val_ok(BH_T_PROCESS, &p, sizeof(p)));
	p.how = BH_HOW_ORDER;
	p.flags = BH_PROC_ADOPTED << 1;
	ck_assert(!val_ok(BH_T_PROCESS, &p, sizeof(p)));
	p.flags = BH_PROC_ADOPTED;
	ck_assert(val_ok(BH_T_PROCESS, &p, sizeof(p)));
	p.state = 0;
	ck_assert(!val_ok(BH_T_PROCESS, &p, sizeof(p)));
	ck_assert(val_ok(BH_T_ADDRESS, &a, sizeof(a)));
	a.state = 3;
	ck_assert(!val_ok(BH_T_ADDRESS, &a, sizeof(a)));
	ck_assert(!val_ok(BH_T_CFG_ADDRESS, &ca, sizeof(ca)));
}
END_TEST

START_TEST(test_val_fpm)
{
	struct bh_cfg_fpm c = { .family = 4, .port = 2620, .settle = 2, .replay_limit = 60 };
	struct bh_fpm_status s = { .state = BH_FPM_CONNECTED };
	struct bh_fpm_route r = { .proto = 186, .type = BH_NH_GROUP, .n = 1 };
	size_t head = offsetof(struct bh_fpm_route, hop), len = head + sizeof(r.hop[0]);

	ck_assert(!val_ok(BH_T_CFG_FPM, &c, sizeof(c))); /* distances of 0 */
	memset(c.distance, 1, sizeof(c.distance));
	ck_assert(val_ok(BH_T_CFG_FPM, &c, sizeof(c)));
	c.addr[5] = 1;
	ck_assert(!val_ok(BH_T_CFG_FPM, &c, sizeof(c)));
	c.family = 6;
	ck_assert(val_ok(BH_T_CFG_FPM, &c, sizeof(c)));
	c.settle = 61;
	ck_assert(!val_ok(BH_T_CFG_FPM, &c, sizeof(c)));

	ck_assert(val_ok(BH_T_FPM, &s, sizeof(s)));
	s.peer[0] = 127; /* of no family */
	ck_assert(!val_ok(BH_T_FPM, &s, sizeof(s)));
	s.peer_family = 4;
	ck_assert(val_ok(BH_T_FPM, &s, sizeof(s)));
	s.error[3] = 'x'; /* behind the end of the text */
	ck_assert(!val_ok(BH_T_FPM, &s, sizeof(s)));
	s.error[3] = 0;
	s.state = BH_FPM_CONNECTED + 1;
	ck_assert(!val_ok(BH_T_FPM, &s, sizeof(s)));

	r.hop[0] = (struct bh_fpm_hop){ 7, 4, 1, { 0 }, { 10, 0, 0, 1 } };
	ck_assert(val_ok(BH_T_FPM_ROUTE4, &r, len));
	ck_assert(!val_ok(BH_T_FPM_ROUTE4, &r, head));
	ck_assert(!val_ok(BH_T_FPM_ROUTE4, &r, sizeof(r)));
	r.hop[0].weight = 0;
	ck_assert(!val_ok(BH_T_FPM_ROUTE6, &r, len));
	r.hop[0] = (struct bh_fpm_hop){ 0, 0, 1 }; /* nowhere */
	ck_assert(!val_ok(BH_T_FPM_ROUTE4, &r, len));
	r.hop[0].ifindex = 7;
	ck_assert(val_ok(BH_T_FPM_ROUTE4, &r, len));
	r.type = BH_NH_BLACKHOLE;
	ck_assert(!val_ok(BH_T_FPM_ROUTE4, &r, len));
	r.n = 0;
	ck_assert(val_ok(BH_T_FPM_ROUTE4, &r, head));
	r.type = BH_NH_LOCAL;
	ck_assert(!val_ok(BH_T_FPM_ROUTE4, &r, head));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("schema");
	TCase *tc = tcase_create("schema");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_rows);
	tcase_add_test(tc, test_no_row);
	tcase_add_test(tc, test_owners);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_key_name);
	tcase_add_test(tc, test_key_address);
	tcase_add_test(tc, test_key_prefix);
	tcase_add_test(tc, test_key_nexthop);
	tcase_add_test(tc, test_key_others);
	tcase_add_test(tc, test_val_cfg_route);
	tcase_add_test(tc, test_val_others);
	tcase_add_test(tc, test_val_fpm);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
