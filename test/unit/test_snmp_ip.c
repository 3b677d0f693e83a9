/* SPDX-License-Identifier: BSD-3-Clause */
/* IP-MIB: rows of several sources in one order, indexes with zones, counters. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/snmp/mibs.h"
#include "test/unit/snmp_fake.h"

static struct snmp_fake *f;

static void
setup(void)
{
	f = snmp_fake_new();
	snmp_fake_interface(f, 3, "eth3", BH_OPER_UP);
	snmp_fake_interface(f, 5, "a", BH_OPER_UP); /* by its name the first */
	snmp_fake_interface(f, 9, "eth9", BH_OPER_DOWN);
}

static void
teardown(void)
{
	snmp_fake_free(f);
}

static const struct bh_mib_table *
table_of(const char *name)
{
	for (unsigned int i = 0; bh_snmp_mibs[i] != NULL; i++)
		for (unsigned int k = 0; k < bh_snmp_mibs[i]->n_tables; k++)
			if (strcmp(bh_snmp_mibs[i]->tables[k].name, name) == 0)
				return &bh_snmp_mibs[i]->tables[k];
	ck_abort_msg("no table %s", name);
	return NULL;
}

static struct bh_oid
name_of(const struct bh_mib_table *t, uint32_t column, const struct bh_index *x)
{
	struct bh_oid name = {.n = t->root_len};

	memcpy(name.id, t->root, t->root_len * sizeof(name.id[0]));
	name.id[name.n++] = 1;
	name.id[name.n++] = column;
	for (uint32_t i = 0; i < x->n; i++)
		name.id[name.n++] = x->id[i];
	return name;
}

static int
get(const char *table, uint32_t column, struct bh_index x, struct bh_value *v)
{
	struct bh_oid name = name_of(table_of(table), column, &x);

	memset(v, 0, sizeof(*v));
	return bh_mib_get(&f->s, table_of(table), &name, v);
}

static int32_t
integer(const char *table, uint32_t column, struct bh_index x)
{
	struct bh_value v;

	ck_assert_int_eq(get(table, column, x, &v), 0);
	return v.type == BH_VALUE_INTEGER ? v.integer : (int32_t)v.number;
}

/* Indexes of a column, in order; their number. */
static unsigned int
walk(const char *table, uint32_t column, struct bh_index *to, unsigned int max)
{
	const struct bh_mib_table *t = table_of(table);
	struct bh_index none = {0};
	struct bh_oid name = name_of(t, column, &none);
	struct bh_value v;
	unsigned int n = 0;

	while (bh_mib_next(&f->s, t, &name, &v) == 0 && name.id[t->root_len + 1] == column) {
		ck_assert_uint_lt(n, max);
		to[n].n = 0;
		for (uint32_t i = t->root_len + 2; i < name.n; i++)
			bh_index_add(&to[n], name.id[i]);
		ck_assert(n == 0 || bh_index_compare(&to[n - 1], &to[n]) < 0);
		n++;
		ck_assert_int_eq(bh_mib_get(&f->s, t, &name, &v), 0);
	}
	return n;
}

static void
parse(const char *text, uint8_t *family, uint8_t *addr)
{
	int found = bh_addr_parse(text, addr);

	ck_assert_int_ne(found, 0);
	*family = (uint8_t)found;
}

static void
put_address(uint32_t ifindex, const char *text, uint8_t state)
{
	struct bh_if_addr_key k = {.ifindex = ifindex};
	struct bh_address v = {.plen = 24, .state = state};

	parse(text, &k.family, k.addr);
	snmp_fake_change(f, BH_T_ADDRESS, BH_OP_PUT, &k, &v);
}

static void
configure_address(const char *name, const char *text)
{
	struct bh_cfg_address_key k = {""};
	struct bh_cfg_address v = {.plen = 24};

	strncpy(k.name, name, sizeof(k.name) - 1);
	parse(text, &k.family, k.addr);
	snmp_fake_change(f, BH_T_CFG_ADDRESS, BH_OP_PUT, &k, &v);
}

static void
find_neighbor(uint32_t ifindex, const char *text, uint8_t state)
{
	struct bh_if_addr_key k = {.ifindex = ifindex};
	struct bh_neighbor v = {.mac = {2, 0, 0, 0, 0, 1}, .state = state};

	parse(text, &k.family, k.addr);
	snmp_fake_change(f, BH_T_NEIGHBOR, BH_OP_PUT, &k, &v);
}

static void
configure_neighbor(const char *name, const char *text)
{
	struct bh_cfg_neighbor_key k = {""};
	struct bh_cfg_neighbor v = {.mac = {2, 0, 0, 0, 0, 2}};

	strncpy(k.name, name, sizeof(k.name) - 1);
	parse(text, &k.family, k.addr);
	snmp_fake_change(f, BH_T_CFG_NEIGHBOR, BH_OP_PUT, &k, &v);
}

START_TEST(test_addresses)
{
	struct bh_index x[8];
	struct bh_value v;

	put_address(3, "10.0.0.1", BH_ADDR_PREFERRED);
	put_address(5, "10.0.0.1", BH_ADDR_DUPLICATE); /* by two interfaces: one row */
	put_address(3, "fe80::1", BH_ADDR_PREFERRED);
	put_address(5, "fe80::1", BH_ADDR_TENTATIVE); /* two links, two rows */
	put_address(3, "2001:db8::1", BH_ADDR_PREFERRED);
	configure_address("eth3", "10.0.0.1");
	configure_address("a", "fe80::1");
	ck_assert_uint_eq(walk("ipAddressTable", 3, x, 8), 4);
	ck_assert_uint_eq(x[0].n, 6);
	ck_assert_uint_eq(x[1].id[0], 2);
	ck_assert_uint_eq(x[2].id[0], 4); /* ipv6z, of 20 octets, the last four the zone */
	ck_assert_uint_eq(x[2].id[1], 20);
	ck_assert_uint_eq(x[2].id[21], 3);
	ck_assert_uint_eq(x[3].id[21], 5);
	ck_assert_int_eq(integer("ipAddressTable", 3, x[0]), 3);
	ck_assert_int_eq(integer("ipAddressTable", 6, x[0]), 2); /* manual */
	ck_assert_int_eq(integer("ipAddressTable", 7, x[0]), 1);
	ck_assert_int_eq(integer("ipAddressTable", 6, x[2]), 5); /* linklayer */
	ck_assert_int_eq(integer("ipAddressTable", 6, x[3]), 2);
	ck_assert_int_eq(integer("ipAddressTable", 7, x[3]), 6); /* tentative */
	ck_assert_int_eq(get("ipAddressTable", 5, x[0], &v), 0);
	ck_assert_uint_eq(v.oid.n, 2);
	ck_assert_int_eq(get("ipAddressTable", 8, x[0], &v), -ENXIO); /* not known: no column */
	ck_assert_int_eq(get("ipv6InterfaceTable", 3, (struct bh_index){1, {5}}, &v), 0);
	ck_assert_mem_eq(v.octets, "\0\0\0\0\0\0\0\1", 8);
	ck_assert_int_eq(get("ipv6InterfaceTable", 3, (struct bh_index){1, {9}}, &v), -ENOENT);
}
END_TEST

/* Two sources, one order: that of ifIndex, not of names; what is configured hides what was found. */
START_TEST(test_neighbors)
{
	struct bh_index x[16], exact;
	struct bh_value v;

	find_neighbor(5, "10.0.0.7", BH_NUD_STALE);
	find_neighbor(3, "10.0.0.7", BH_NUD_REACHABLE);
	find_neighbor(3, "fe80::7", BH_NUD_PROBE);
	find_neighbor(9, "10.0.0.7", BH_NUD_INCOMPLETE);
	configure_neighbor("eth3", "10.0.0.7"); /* hides */
	configure_neighbor("eth3", "10.0.0.9");
	configure_neighbor("a", "10.0.0.6");
	configure_neighbor("a", "2001:db8::6");
	configure_neighbor("eth", "10.0.0.1"); /* there is no such interface */
	configure_neighbor("eth99", "10.0.0.1");
	ck_assert_uint_eq(walk("ipNetToPhysicalTable", 6, x, 16), 7);
	ck_assert_uint_eq(x[0].id[0], 3);
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 6, x[0]), 4); /* static */
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 7, x[0]), 1);
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 6, x[1]), 4);
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 7, x[2]), 4); /* fe80::7: probe */
	ck_assert_uint_eq(x[3].id[0], 5);
	ck_assert_uint_eq(x[3].id[6], 6);
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 6, x[4]), 3); /* dynamic */
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 7, x[4]), 2);
	ck_assert_int_eq(integer("ipNetToPhysicalTable", 7, x[6]), 7); /* incomplete: no address */
	ck_assert_int_eq(get("ipNetToPhysicalTable", 4, x[6], &v), 0);
	ck_assert_uint_eq(v.len, 0);
	exact = x[0];
	exact.n--;
	ck_assert_int_eq(get("ipNetToPhysicalTable", 6, exact, &v), -ENOENT);
	ck_assert_int_eq(get("ipNetToPhysicalTable", 6, (struct bh_index){0}, &v), -ENOENT);
}
END_TEST

START_TEST(test_advertisements)
{
	struct bh_ifname_key k = {"eth9"};
	struct bh_cfg_ra ra = {.flags = BH_RA_SEND | BH_RA_OTHER, .hop_limit = 64, .lifetime = 1800,
		.max_interval = 600, .min_interval = 200, .mtu = 1500, .reachable = 7, .retrans = 8};
	struct bh_index x[4];

	snmp_fake_change(f, BH_T_CFG_RA, BH_OP_PUT, &k, &ra);
	strcpy(k.name, "gone");
	snmp_fake_change(f, BH_T_CFG_RA, BH_OP_PUT, &k, &ra);
	ck_assert_uint_eq(walk("ipv6RouterAdvertTable", 2, x, 4), 1);
	ck_assert_uint_eq(x[0].id[0], 9);
	ck_assert_int_eq(integer("ipv6RouterAdvertTable", 2, x[0]), 1);
	ck_assert_int_eq(integer("ipv6RouterAdvertTable", 5, x[0]), 2);
	ck_assert_int_eq(integer("ipv6RouterAdvertTable", 6, x[0]), 1);
	ck_assert_int_eq(integer("ipv6RouterAdvertTable", 8, x[0]), 7);
	ck_assert_int_eq(integer("ipv6RouterAdvertTable", 11, x[0]), 1800);
}
END_TEST

START_TEST(test_counters)
{
	struct bh_index x[16], v4 = {1, {1}}, if4 = {2, {1, 3}}, if6 = {2, {2, 3}};
	struct bh_value v;

	f->stats.n_fwd = 2;
	f->stats.fwd[0].ip[3][0].n[BH_IP_IN_RECEIVES] = 0x1fffffff0;
	f->stats.fwd[1].ip[3][0].n[BH_IP_IN_RECEIVES] = 0x20;
	f->stats.fwd[1].ip[0][0].n[BH_IP_OUT_NO_ROUTES] = 4;
	f->stats.fwd[1].ip[3][1].n[BH_IP_OUT_FRAG_OKS] = 5;
	f->stats.fwd[0].ip[3][1].n[BH_IP_OUT_FRAG_FAILS] = 6;
	ck_assert_uint_eq(walk("ipSystemStatsTable", 4, x, 16), 2);
	ck_assert_uint_eq(walk("ipIfStatsTable", 4, x, 16), 6);
	ck_assert_uint_eq(x[0].id[1], 3);
	ck_assert_uint_eq(x[3].id[0], 2);
	ck_assert_int_eq(get("ipIfStatsTable", 4, if4, &v), 0);
	ck_assert(v.type == BH_VALUE_COUNTER64 && v.number == 0x200000010);
	ck_assert_int_eq(get("ipIfStatsTable", 3, if4, &v), 0);
	ck_assert(v.type == BH_VALUE_COUNTER32 && v.number == 0x10);
	ck_assert_int_eq(get("ipSystemStatsTable", 22, v4, &v), 0);
	ck_assert_uint_eq(v.number, 4);
	ck_assert_int_eq(get("ipIfStatsTable", 22, if4, &v), -ENXIO); /* there is none of interfaces */
	ck_assert_int_eq(get("ipIfStatsTable", 26, if6, &v), 0);
	ck_assert_uint_eq(v.number, 11);
	ck_assert_int_eq(get("ipSystemStatsTable", 10, v4, &v), -ENXIO); /* not known */
	ck_assert_int_eq(get("ipSystemStatsTable", 4, (struct bh_index){1, {3}}, &v), -ENOENT);
	ck_assert_int_eq(get("ipIfStatsTable", 4, (struct bh_index){2, {0, 3}}, &v), -ENOENT);
	ck_assert_int_eq(get("ipIfStatsTable", 4, (struct bh_index){1, {1}}, &v), -ENOENT);
	f->s.stats = NULL;
	ck_assert_int_eq(get("ipSystemStatsTable", 4, v4, &v), -ENOENT);
}
END_TEST

START_TEST(test_forwarding)
{
	struct bh_ifindex_key k = {3};
	struct bh_interface i = {.name = "eth3", .flags = BH_IF_FORWARD6 | BH_IF_IPV6};
	struct bh_index if3 = {1, {3}};
	struct bh_oid zero = {8, {1, 3, 6, 1, 2, 1, 4, 1}};
	struct bh_value v;

	zero.id[zero.n++] = 0;
	ck_assert_int_eq(bh_mib_get(&f->s, table_of("ipForwarding"), &zero, &v), 0);
	ck_assert_int_eq(v.integer, 2);
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_PUT, &k, &i);
	zero.id[7] = 25;
	ck_assert_int_eq(bh_mib_get(&f->s, table_of("ipv6IpForwarding"), &zero, &v), 0);
	ck_assert_int_eq(v.integer, 1);
	ck_assert_int_eq(integer("ipv4InterfaceTable", 3, if3), 2);
	ck_assert_int_eq(integer("ipv6InterfaceTable", 5, if3), 1);
	ck_assert_int_eq(integer("ipv6InterfaceTable", 8, if3), 1);
	ck_assert_int_eq(integer("ipv6InterfaceTable", 8, (struct bh_index){1, {5}}), 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snmp_ip");
	TCase *tc = tcase_create("IP-MIB");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_addresses);
	tcase_add_test(tc, test_neighbors);
	tcase_add_test(tc, test_advertisements);
	tcase_add_test(tc, test_counters);
	tcase_add_test(tc, test_forwarding);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
