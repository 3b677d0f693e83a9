/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects by name and in order, and what their values are made of. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modules/snmp/mibs.h"
#include "test/unit/snmp_fake.h"

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

/* root.1.column.index of a table; column 0: the root alone. */
static struct bh_oid
name_of(const struct bh_mib_table *t, uint32_t column, const struct bh_index *x)
{
	struct bh_oid name = {.n = t->root_len};

	memcpy(name.id, t->root, t->root_len * sizeof(name.id[0]));
	if (column != 0) {
		name.id[name.n++] = 1;
		name.id[name.n++] = column;
	}
	for (uint32_t i = 0; i < x->n; i++)
		name.id[name.n++] = x->id[i];
	return name;
}

static int
get(struct snmp_fake *f, const char *table, uint32_t column, struct bh_index x, struct bh_value *v)
{
	const struct bh_mib_table *t = table_of(table);
	struct bh_oid name = name_of(t, column, &x);

	return bh_mib_get(&f->s, t, &name, v);
}

static int
compare(const struct bh_oid *a, const struct bh_oid *b)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		if (a->id[i] != b->id[i])
			return a->id[i] < b->id[i] ? -1 : 1;
	return (a->n > b->n) - (a->n < b->n);
}

/* How many objects a walk of a table finds; each is behind the one before, and can be got. */
static unsigned int
walk(struct snmp_fake *f, const struct bh_mib_table *t)
{
	static const struct bh_index none;
	struct bh_oid name = name_of(t, 0, &none), before = name;
	struct bh_value v;
	unsigned int n = 0;

	for (; bh_mib_next(&f->s, t, &name, &v) == 0; n++, before = name) {
		ck_assert_int_gt(compare(&name, &before), 0);
		ck_assert_int_eq(bh_mib_get(&f->s, t, &name, &v), 0);
		ck_assert_uint_lt(n, 10000);
	}
	return n;
}

static struct snmp_fake *
filled(void)
{
	struct snmp_fake *f = snmp_fake_new();

	f->stats.n_fwd = 2;
	f->stats.started = 9980;
	f->stats.table[BH_T_ROUTE4].used = f->stats.table[BH_T_UDP].used = 1;
	f->stats.table[BH_T_ROUTE4].records = UINT64_C(1) << 40;
	f->stats.lcore[0].used = f->stats.lcore[31].used = 1;
	f->stats.fwd[0].ifs[2].rx_bytes = UINT32_MAX;
	f->stats.fwd[1].ifs[2].rx_bytes = 5;
	f->stats.fwd[1].drop[BH_DROP_TX_FULL] = 3;
	f->stats.dev[2].imissed = 7;
	f->stats.dev[2].rx_nombuf = 1;
	snmp_fake_interface(f, 2, "p2", BH_OPER_UP);
	snmp_fake_interface(f, 200, "p200", BH_OPER_NOT_PRESENT);
	snmp_fake_process(f, "core", BH_PROC_READY, 0);
	snmp_fake_process(f, "routing", BH_PROC_EXITED, 77);
	snmp_fake_socket(f, BH_T_TCP, 4, NULL, 22, NULL, 0, 0, 10);
	snmp_fake_socket(f, BH_T_TCP, 4, NULL, 22, NULL, 0, 5, 10); /* bound to an interface */
	snmp_fake_socket(f, BH_T_TCP, 4, NULL, 23, NULL, 0, 0, 10);
	snmp_fake_socket(f, BH_T_TCP, 6, "2001:db8::1", 179, "2001:db8::2", 4000, 0, 1);
	snmp_fake_socket(f, BH_T_TCP, 4, "192.0.2.1", 179, "192.0.2.2", 4000, 0, 11);
	snmp_fake_socket(f, BH_T_UDP, 4, NULL, 67, NULL, 0, 3, 7);
	snmp_fake_socket(f, BH_T_UDP, 4, NULL, 67, NULL, 0, 4, 7);
	snmp_fake_complete(f);
	return f;
}

START_TEST(test_walks)
{
	static const struct {
		const char *table;
		unsigned int objects;
	} want[] = {{"ifNumber", 1}, {"ifTable", 34}, {"ifXTable", 20}, {"ifTableLastChange", 1},
		{"tcpConnectionTable", 4}, {"tcpListenerTable", 2}, {"udpEndpointTable", 2},
		{"bhCoreStarted", 1}, {"bhModuleTable", 20}, {"bhTableTable", 26}, {"bhLcoreTable", 14},
		{"bhDropTable", BH_DROP_MAX}};
	struct snmp_fake *f = filled();

	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		ck_assert_msg(walk(f, table_of(want[i].table)) == want[i].objects, "%s",
			want[i].table);
	snmp_fake_free(f);
}
END_TEST

/* Without a core there are no counters, and nothing is made up for them. */
START_TEST(test_no_stats)
{
	struct snmp_fake *f = filled();
	struct bh_value v;

	f->s.stats = NULL;
	ck_assert_uint_eq(walk(f, table_of("ifTable")), 18);
	ck_assert_uint_eq(walk(f, table_of("bhTableTable")), 0);
	ck_assert_uint_eq(walk(f, table_of("bhDropTable")), 0);
	ck_assert_int_eq(get(f, "ifTable", 10, (struct bh_index){1, {2}}, &v), -ENOENT);
	ck_assert_int_eq(get(f, "ifTable", 2, (struct bh_index){1, {2}}, &v), 0);
	snmp_fake_free(f);
}
END_TEST

START_TEST(test_values)
{
	struct snmp_fake *f = filled();
	struct bh_index two = {1, {2}}, last = {1, {200}};
	struct bh_value v;

	ck_assert_int_eq(get(f, "ifTable", 10, two, &v), 0); /* 32 bits: the lower half */
	ck_assert(v.type == BH_VALUE_COUNTER32 && v.number == 4);
	ck_assert_int_eq(get(f, "ifXTable", 6, two, &v), 0);
	ck_assert(v.type == BH_VALUE_COUNTER64 && v.number == UINT64_C(0x100000004));
	ck_assert_int_eq(get(f, "ifTable", 13, two, &v), 0);
	ck_assert_uint_eq(v.number, 8);
	ck_assert_int_eq(get(f, "ifTable", 5, two, &v), 0); /* 10 Gbit/s: the largest */
	ck_assert(v.type == BH_VALUE_UNSIGNED && v.number == UINT32_MAX);
	ck_assert_int_eq(get(f, "ifTable", 8, last, &v), 0);
	ck_assert_int_eq(v.integer, 6);
	ck_assert_int_eq(get(f, "ifTable", 9, two, &v), 0); /* 10 s ago, of 50 s */
	ck_assert(v.type == BH_VALUE_TICKS && v.number == 4000);
	f->uptime = 500; /* the agent is younger than the change */
	ck_assert_int_eq(get(f, "ifTable", 9, two, &v), 0);
	ck_assert_uint_eq(v.number, 0);
	ck_assert_int_eq(get(f, "bhTableTable", 7, (struct bh_index){1, {BH_T_ROUTE4}}, &v), 0);
	ck_assert_uint_eq(v.number, UINT32_MAX);
	ck_assert_int_eq(get(f, "bhDropTable", 2,
		(struct bh_index){8, {7, 't', 'x', '_', 'f', 'u', 'l', 'l'}}, &v), 0);
	ck_assert_uint_eq(v.number, 3);
	ck_assert_int_eq(get(f, "bhModuleTable", 6,
		(struct bh_index){8, {7, 'r', 'o', 'u', 't', 'i', 'n', 'g'}}, &v), 0);
	ck_assert_int_eq(v.integer, 9);
	snmp_fake_free(f);
}
END_TEST

START_TEST(test_date)
{
	static const uint8_t want[] = {0x07, 0xea, 11, 24, 12, 5, 9, 0, '+', 0, 0}, zero[11];
	struct bh_value v;

	bh_value_date(&v, 1795521909); /* 2026-11-24 12:05:09 UTC */
	ck_assert(v.len == sizeof(want) && memcmp(v.octets, want, sizeof(want)) == 0);
	bh_value_date(&v, 0);
	ck_assert(v.len == sizeof(zero) && memcmp(v.octets, zero, sizeof(zero)) == 0);
}
END_TEST

START_TEST(test_absent)
{
	struct snmp_fake *f = filled();
	struct bh_value v;
	struct bh_index deep = {.n = BH_INDEX_MAX};

	ck_assert_int_eq(get(f, "ifTable", 99, (struct bh_index){1, {2}}, &v), -ENXIO);
	ck_assert_int_eq(get(f, "ifTable", 12, (struct bh_index){1, {2}}, &v), -ENXIO);
	ck_assert_int_eq(get(f, "ifTable", 0, (struct bh_index){0}, &v), -ENXIO);
	ck_assert_int_eq(get(f, "ifTable", 1, (struct bh_index){1, {3}}, &v), -ENOENT);
	ck_assert_int_eq(get(f, "ifTable", 1, (struct bh_index){0}, &v), -ENOENT);
	ck_assert_int_eq(get(f, "ifTable", 1, (struct bh_index){2, {2, 0}}, &v), -ENOENT);
	ck_assert_int_eq(get(f, "ifTable", 1, deep, &v), -ENOENT);
	ck_assert_int_eq(get(f, "bhTableTable", 2, (struct bh_index){1, {UINT32_MAX}}, &v), -ENOENT);
	ck_assert_int_eq(get(f, "bhTableTable", 2, (struct bh_index){1, {65536 + BH_T_UDP}}, &v),
		-ENOENT);
	ck_assert_int_eq(get(f, "ifNumber", 0, (struct bh_index){1, {1}}, &v), -ENOENT);
	ck_assert_int_eq(get(f, "ifNumber", 0, (struct bh_index){1, {0}}, &v), 0);
	snmp_fake_free(f);
}
END_TEST

/* From any name, between any two, to the first object behind it. */
START_TEST(test_next_from_anywhere)
{
	const struct bh_mib_table *t = table_of("ifTable");
	struct snmp_fake *f = filled();
	static const struct {
		struct bh_oid from;
		uint32_t column, ifindex; /* 0: none */
	} steps[] = {
		{{0}, 1, 2},
		{{9, {BH_MIB_2, 2, 1, 99}}, 1, 2},
		{{9, {BH_MIB_2, 2, 2, 0}}, 1, 2},
		{{10, {BH_MIB_2, 2, 2, 1, 0}}, 1, 2},
		{{11, {BH_MIB_2, 2, 2, 1, 1, 2}}, 1, 200},
		{{12, {BH_MIB_2, 2, 2, 1, 1, 2, 0}}, 1, 200},
		{{11, {BH_MIB_2, 2, 2, 1, 1, 200}}, 2, 2},
		{{10, {BH_MIB_2, 2, 2, 1, 11}}, 11, 2},
		{{11, {BH_MIB_2, 2, 2, 1, 11, UINT32_MAX}}, 13, 2}, /* there is no column 12 */
		{{10, {BH_MIB_2, 2, 2, 1, 12}}, 13, 2},
		{{11, {BH_MIB_2, 2, 2, 1, 20, 199}}, 20, 200},
		{{11, {BH_MIB_2, 2, 2, 1, 20, 200}}, 0, 0},
		{{10, {BH_MIB_2, 2, 2, 1, UINT32_MAX}}, 0, 0},
		{{9, {BH_MIB_2, 2, 2, 2}}, 0, 0},
	};

	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct bh_oid name = steps[i].from;
		struct bh_value v;
		int rc = bh_mib_next(&f->s, t, &name, &v);

		ck_assert_msg(rc == (steps[i].column != 0 ? 0 : -ENOENT), "step %u", i);
		if (rc == 0)
			ck_assert_msg(name.n == 11 && name.id[9] == steps[i].column &&
				name.id[10] == steps[i].ifindex, "step %u", i);
	}
	snmp_fake_free(f);
}
END_TEST

/* RFC 4022: two listeners that differ in what they are bound to are one row. */
START_TEST(test_hidden)
{
	const struct bh_mib_table *t = table_of("tcpListenerTable");
	struct bh_index x = {7, {1, 4, 0, 0, 0, 0, 22}};
	struct snmp_fake *f = filled();
	struct bh_oid name;
	struct bh_value v;

	ck_assert_int_eq(get(f, "tcpListenerTable", 4, x, &v), 0);
	bh_index_add(&x, 5);
	ck_assert_int_eq(get(f, "tcpListenerTable", 4, x, &v), -ENOENT);
	x = (struct bh_index){14, {1, 4, 192, 0, 2, 1, 179, 1, 4, 192, 0, 2, 2, 4000}};
	ck_assert_int_eq(get(f, "tcpConnectionTable", 7, x, &v), 0);
	ck_assert_int_eq(v.integer, 10); /* closing */
	/* From what is behind its index, though not behind what is hidden of it. */
	x = (struct bh_index){9, {1, 4, 0, 0, 0, 0, 22, 0, 7}};
	name = name_of(t, 4, &x);
	ck_assert_int_eq(bh_mib_next(&f->s, t, &name, &v), 0);
	ck_assert_uint_eq(name.id[name.n - 1], 23);
	snmp_fake_free(f);
}
END_TEST

START_TEST(test_config)
{
	struct snmp_fake *f = snmp_fake_new();
	struct bh_ifname_key key = {BH_CFG_SNMP_NAME};
	struct bh_cfg_snmp cfg = {.mibs = BH_SNMP_TCP, .address = "tcp:127.0.0.1:705", .context = "c"};
	struct bh_cfg_snmp seen;

	bh_snmp_config(&f->s, &seen);
	ck_assert(seen.mibs == BH_SNMP_ALL && seen.flags == BH_SNMP_NOTIFY);
	ck_assert_str_eq(seen.address, "unix:/var/agentx/master");
	ck_assert(bh_schema(BH_T_CFG_SNMP)->val_ok(&seen, sizeof(seen)));
	snmp_fake_change(f, BH_T_CFG_SNMP, BH_OP_PUT, &key, &cfg);
	ck_assert(f->s.config_changed);
	bh_snmp_config(&f->s, &seen);
	ck_assert(memcmp(&seen, &cfg, sizeof(cfg)) == 0);
	snmp_fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("snmp mib");
	TCase *tc = tcase_create("mib");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_walks);
	tcase_add_test(tc, test_no_stats);
	tcase_add_test(tc, test_values);
	tcase_add_test(tc, test_date);
	tcase_add_test(tc, test_absent);
	tcase_add_test(tc, test_next_from_anywhere);
	tcase_add_test(tc, test_hidden);
	tcase_add_test(tc, test_config);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
