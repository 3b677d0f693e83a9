/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inetCidrRouteTable beside a sorted list of all its rows: any name, a row's own, part of one, or
 * none that a row can have, is answered with the first row behind it. The test is the core: a walk
 * of an array.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"
#include "modules/snmp/route_index.h"

#define ROUTES 400
#define ROWS (ROUTES * 4)
#define IDS 40

static struct route {
	struct bh_route_place p;
	struct bh_route v;
} routes[ROUTES];
static unsigned int n_routes, asked; /* of the core */
static bool core_fails;
static uint64_t clock_now = 1000000;
static struct bh_snmp_model s;
static struct bh_index row_index[ROWS];
static unsigned int n_rows;

/* ---- the core ---- */

static int
compare_routes(const void *a, const void *b)
{
	return bh_route_compare(&((const struct route *)a)->p, &((const struct route *)b)->p);
}

const struct bh_welcome *
bh_connection(const struct bh_handle *h)
{
	static const struct bh_welcome w = {.address = 77};

	(void)h;
	return core_fails ? NULL : &w;
}

static void
give(const struct route *r, uint16_t table, bh_change_fn fn, void *arg)
{
	struct bh_route4_key k4 = {.plen = r->p.plen};
	struct bh_route6_key k6 = {.plen = r->p.plen};
	struct bh_change c = {.table = table, .op = BH_OP_PUT, .val = &r->v, .val_len = sizeof(r->v)};

	memcpy(k4.addr, r->p.addr, sizeof(k4.addr));
	memcpy(k6.addr, r->p.addr, sizeof(k6.addr));
	c.key = r->p.family == 4 ? (const void *)&k4 : &k6;
	fn(arg, &c);
}

int
bh_next(struct bh_handle *h, uint16_t table, const void *key, bool self, uint16_t max,
	bh_change_fn fn, void *arg, bool *end)
{
	struct bh_route_place at = {.family = table == BH_T_ROUTE4 ? 4 : 6, .self = self};
	unsigned int len = at.family == 4 ? 4 : 16, i, given = 0;

	(void)h;
	asked++;
	ck_assert(bh_schema(table)->key_ok(key)); /* no bits behind its length */
	memcpy(at.addr, key, len);
	at.plen = ((const uint8_t *)key)[len];
	for (i = 0; i < n_routes && given < max; i++) {
		int c = bh_route_compare(&routes[i].p, &at);

		if (routes[i].p.family != at.family || c < 0 || (c == 0 && !self))
			continue;
		give(&routes[i], table, fn, arg);
		given++;
	}
	*end = given < max;
	return 0;
}

/* ---- what there is ---- */

static uint64_t
uptime(void *ctx)
{
	(void)ctx;
	return 5000;
}

static uint64_t
now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static const struct bh_snmp_ops ops = {uptime, now};

static void
put_nexthop(uint32_t id, const struct bh_nexthop_key *k)
{
	struct bh_nexthop v = {.id = id};
	struct bh_change c = {.table = BH_T_NEXTHOP, .op = BH_OP_PUT, .key = k, .val = &v};

	bh_mirror_change(&s.mirror[BH_MIRROR_NEXTHOP], &c);
}

static void
make_nexthops(void)
{
	for (uint32_t id = 1; id < IDS; id++) { /* the last id is unknown */
		struct bh_nexthop_key k = {.type = 1 + id % 6};

		k.n = k.type == BH_NH_GROUP ? 1 + random() % 3 : k.type == BH_NH_ATTACHED;
		k.pad[0] = id; /* no two the same */
		for (unsigned int i = 0; i < k.n; i++) {
			k.m[i] = (struct bh_nh_member){.ifindex = 1 + random() % 3, .weight = 1};
			if (k.type != BH_NH_GROUP)
				continue;
			k.m[i].family = random() % 2 ? 4 : 6;
			k.m[i].addr[0] = random() % 3 ? 10 : k.m[i].family == 4 ? 169 : 0xfe;
			k.m[i].addr[1] = random() % 3 ? 254 : 0x80;
			k.m[i].addr[3] = random() % 3;
		}
		put_nexthop(id, &k);
	}
}

static void
random_route(struct route *r)
{
	unsigned int len, plen;

	*r = (struct route){.p.family = random() % 2 ? 4 : 6};
	len = r->p.family == 4 ? 4 : 16;
	r->p.plen = plen = random() % (len * 8 + 1);
	for (unsigned int i = 0; i < len; i++)
		r->p.addr[i] = random() % 3 == 0 ? 255 : random() % 3;
	for (unsigned int i = plen; i < len * 8; i++)
		r->p.addr[i / 8] &= ~(0x80 >> i % 8);
	r->v = (struct bh_route){.nh = 1 + random() % IDS, .proto = BH_RP_STATIC};
}

static void
sort_routes(unsigned int n)
{
	qsort(routes, n, sizeof(routes[0]), compare_routes);
	n_routes = 0;
	for (unsigned int i = 0; i < n; i++)
		if (n_routes == 0 || compare_routes(&routes[n_routes - 1], &routes[i]) != 0)
			routes[n_routes++] = routes[i];
}

static int
compare_rows(const void *a, const void *b)
{
	return bh_index_compare(a, b);
}

/* All rows, from what there is, in another way than the MIB's. */
static void
list_rows(void)
{
	unsigned int kept = 0;

	n_rows = 0;
	for (unsigned int i = 0; i < n_routes; i++) {
		const struct bh_snmp_nh *nh = bh_nexthops_get(&s.nexthops, routes[i].v.nh);
		bool group = nh != NULL && nh->type == BH_NH_GROUP;

		for (unsigned int k = 0; k < (group ? nh->n : 1u); k++)
			bh_route_index(&routes[i].p, group ? &nh->m[k] : NULL, &row_index[n_rows++]);
	}
	qsort(row_index, n_rows, sizeof(row_index[0]), compare_rows);
	for (unsigned int i = 0; i < n_rows; i++)
		if (kept == 0 || bh_index_compare(&row_index[kept - 1], &row_index[i]) != 0)
			row_index[kept++] = row_index[i];
	ck_assert_uint_eq(kept, n_rows); /* no row twice */
}

static void
setup(void)
{
	srandom(11);
	core_fails = false;
	asked = 0;
	ck_assert_int_eq(bh_snmp_init(&s, &ops, NULL), 0);
	s.h = (struct bh_handle *)&s; /* only looked at by the functions above */
	make_nexthops();
	for (unsigned int i = 0; i < ROUTES; i++)
		random_route(&routes[i]);
	sort_routes(ROUTES);
	list_rows();
}

static void
teardown(void)
{
	bh_snmp_fini(&s);
}

/* ---- asking ---- */

static const struct bh_mib_table *
table(void)
{
	return &bh_ip_forward_mib.tables[1];
}

/* root.1.column.x */
static struct bh_oid
name_of(uint32_t column, const struct bh_index *x)
{
	struct bh_oid name = {.n = table()->root_len};

	memcpy(name.id, table()->root, name.n * sizeof(name.id[0]));
	name.id[name.n++] = 1;
	name.id[name.n++] = column;
	for (uint32_t i = 0; i < x->n; i++)
		name.id[name.n++] = x->id[i];
	return name;
}

static struct bh_index
index_of(const struct bh_oid *name)
{
	struct bh_index x = {0};

	for (uint32_t i = table()->root_len + 2; i < name->n; i++)
		bh_index_add(&x, name->id[i]);
	return x;
}

static const struct bh_index *
row_behind(const struct bh_index *x)
{
	for (unsigned int i = 0; i < n_rows; i++)
		if (bh_index_compare(&row_index[i], x) > 0)
			return &row_index[i];
	return NULL;
}

/* GETNEXT and GET of a name in the last column: as the list says. */
static void
check_name(const struct bh_index *x)
{
	struct bh_oid name = name_of(17, x);
	const struct bh_index *want = row_behind(x);
	struct bh_value v;
	struct bh_index got;

	ck_assert_int_eq(bh_mib_get(&s, table(), &name, &v),
		bsearch(x, row_index, n_rows, sizeof(*x), compare_rows) != NULL ? 0 : -ENOENT);
	ck_assert_int_eq(bh_mib_next(&s, table(), &name, &v), want == NULL ? -ENOENT : 0);
	ck_assert(!s.unavailable);
	if (want == NULL)
		return;
	got = index_of(&name);
	ck_assert_int_eq(bh_index_compare(&got, want), 0);
}

static void
spoil(struct bh_index *x)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 4, 16, 32, 128, 129, 254, 255, 256, UINT32_MAX};

	switch (random() % 3) {
	case 0:
		x->n = random() % (x->n + 1);
		break;
	case 1:
		if (x->n > 0)
			x->id[random() % x->n] = odd[random() % (sizeof(odd) / sizeof(odd[0]))];
		break;
	default:
		if (x->n > 0)
			x->id[random() % x->n] += random() % 3 - 1;
	}
}

START_TEST(test_any_name)
{
	for (unsigned int i = 0; i < 20000; i++) {
		struct bh_index x = row_index[random() % n_rows];

		for (unsigned int k = random() % 3; k > 0; k--)
			spoil(&x);
		clock_now += random() % 2 ? 0 : 1000; /* read before, or not */
		check_name(&x);
	}
}
END_TEST

/* A walk of a column comes to every row, and asks the core once for many. */
START_TEST(test_walk)
{
	struct bh_index x = {0};
	struct bh_oid name = name_of(7, &x);
	struct bh_value v;

	for (unsigned int i = 0; i < n_rows; i++) {
		ck_assert_int_eq(bh_mib_next(&s, table(), &name, &v), 0);
		ck_assert_uint_eq(name.id[table()->root_len + 1], 7);
		x = index_of(&name);
		ck_assert_int_eq(bh_index_compare(&x, &row_index[i]), 0);
	}
	ck_assert_int_eq(bh_mib_next(&s, table(), &name, &v), 0); /* the first of the next column */
	ck_assert_uint_eq(name.id[table()->root_len + 1], 8);
	x = index_of(&name);
	ck_assert_int_eq(bh_index_compare(&x, &row_index[0]), 0);
	ck_assert_uint_le(asked, n_routes / 32 + 6);
}
END_TEST

/* Routes go while a walk is under way: what stays comes once, in order. */
START_TEST(test_walk_changes)
{
	bool stays[ROWS] = {0};
	struct bh_index x = {0}, last = {0};
	struct bh_oid name = name_of(17, &x);
	unsigned int seen = 0, staying = 0;
	struct bh_value v;

	for (unsigned int i = 0; i < n_rows; i++) {
		stays[i] = row_index[i].id[row_index[i].id[1] + 2] % 2 == 0; /* even lengths */
		staying += stays[i];
	}
	while (bh_mib_next(&s, table(), &name, &v) == 0) {
		const struct bh_index *row;

		x = index_of(&name);
		ck_assert_int_gt(bh_index_compare(&x, &last), 0);
		last = x;
		row = bsearch(&x, row_index, n_rows, sizeof(x), compare_rows);
		ck_assert_ptr_nonnull(row);
		seen += stays[row - row_index];
		clock_now += 15;
		for (unsigned int k = random() % n_routes, i = 0; i < 2 && k < n_routes; i++)
			if (routes[k].p.plen % 2 == 1) {
				memmove(&routes[k], &routes[k + 1],
					(n_routes - k - 1) * sizeof(routes[0]));
				n_routes--;
			}
	}
	ck_assert_uint_eq(seen, staying);
	ck_assert_uint_lt(n_routes, ROUTES * 9 / 10);
}
END_TEST

/* What was read before is not told for long. */
START_TEST(test_fresh)
{
	struct bh_oid name = name_of(17, &row_index[0]);
	struct bh_value v;

	ck_assert_int_eq(bh_mib_get(&s, table(), &name, &v), 0);
	ck_assert_uint_eq(asked, 1);
	ck_assert_int_eq(bh_mib_get(&s, table(), &name, &v), 0);
	ck_assert_uint_eq(asked, 1);
	n_routes = 0;
	clock_now += 100;
	ck_assert_int_eq(bh_mib_get(&s, table(), &name, &v), -ENOENT);
	ck_assert(!s.unavailable);
}
END_TEST

/* Without the core a walk has no end, but an error. */
START_TEST(test_no_core)
{
	struct bh_index x = {0};
	struct bh_oid name = name_of(7, &x);
	struct bh_value v;

	ck_assert_int_eq(bh_mib_next(&s, table(), &name, &v), 0);
	core_fails = true;
	ck_assert_int_eq(bh_mib_next(&s, table(), &name, &v), -ENOENT);
	ck_assert(s.unavailable);
	s.unavailable = core_fails = false;
	s.h = NULL;
	ck_assert_int_eq(bh_mib_get(&s, table(), &name, &v), -ENOENT);
	ck_assert(s.unavailable);
}
END_TEST

/* ---- values ---- */

static int32_t
get_integer(uint32_t column, const struct bh_index *x)
{
	struct bh_oid name = name_of(column, x);
	struct bh_value v = {0};

	ck_assert_int_eq(bh_mib_get(&s, table(), &name, &v), 0);
	ck_assert(column == 11 ? v.type == BH_VALUE_UNSIGNED : v.type == BH_VALUE_INTEGER);
	return v.integer;
}

static void
one_route(uint32_t nh, uint8_t proto, uint8_t sub, uint32_t flags)
{
	routes[0] = (struct route){.p = {.family = 4, .plen = 8, .addr = {10}},
		.v = {.nh = nh, .proto = proto, .sub = sub, .metric = 3000000000, .flags = flags}};
	n_routes = 1;
	clock_now += 1000;
}

START_TEST(test_values)
{
	struct bh_nexthop_key k = {.type = BH_NH_GROUP, .n = 3, .m = {
		{.ifindex = 2, .family = 6, .weight = 1, .addr = {0xfe, 0x80, [15] = 1}},
		{.ifindex = 3, .family = 4, .weight = 1, .addr = {192, 0, 2, 1}},
		{.ifindex = 4, .family = 4, .weight = 1, .addr = {192, 0, 2, 1}}}};
	struct bh_index first = {0}, second = {0}, none = {0};

	put_nexthop(100, &k);
	one_route(100, BH_RP_FPM, 186, BH_ROUTE_UNRESOLVED);
	bh_route_index(&routes[0].p, &k.m[1], &first);
	bh_route_index(&routes[0].p, &k.m[0], &second);
	bh_route_index(&routes[0].p, NULL, &none);
	list_rows();
	ck_assert_uint_eq(n_rows, 2); /* a gateway by two interfaces is one row */
	ck_assert_int_eq(bh_index_compare(&row_index[0], &first), 0);
	ck_assert_int_eq(bh_index_compare(&row_index[1], &second), 0);
	ck_assert_uint_eq(second.id[second.n - 1], 2); /* its zone */
	ck_assert_uint_eq(second.id[second.n - 22], 4); /* ipv6z */
	ck_assert_int_eq(get_integer(7, &second), 2);
	ck_assert_int_eq(get_integer(7, &first), 3);
	ck_assert_int_eq(get_integer(8, &first), 4); /* remote */
	ck_assert_int_eq(get_integer(9, &first), 14); /* bgp */
	ck_assert_int_eq(get_integer(12, &first), INT32_MAX);
	ck_assert_int_eq(get_integer(13, &first), -1);
	ck_assert_int_eq(get_integer(17, &first), 2); /* not in service */
	k = (struct bh_nexthop_key){.type = BH_NH_ATTACHED, .n = 1, .m = {{.ifindex = 9, .weight = 1}}};
	put_nexthop(100, &k);
	one_route(100, BH_RP_CONNECTED, 0, 0);
	ck_assert_int_eq(get_integer(7, &none), 9);
	ck_assert_int_eq(get_integer(8, &none), 3); /* local */
	ck_assert_int_eq(get_integer(9, &none), 2);
	ck_assert_int_eq(get_integer(17, &none), 1);
	one_route(5000, BH_RP_STATIC, 0, 0); /* not known */
	ck_assert_int_eq(get_integer(7, &none), 0);
	ck_assert_int_eq(get_integer(8, &none), 1);
	ck_assert_int_eq(get_integer(9, &none), 3);
}
END_TEST

/* Ids of another core: what is gone does not take with it what has its id by now. */
START_TEST(test_nexthop_ids)
{
	struct bh_nexthop_key a = {.type = BH_NH_BLACKHOLE, .pad = {200}}, b = {.type = BH_NH_PROHIBIT,
		.pad = {201}};
	struct bh_change gone = {.table = BH_T_NEXTHOP, .op = BH_OP_DELETE, .key = &a};

	put_nexthop(300, &a);
	put_nexthop(300, &b);
	ck_assert_uint_eq(bh_nexthops_get(&s.nexthops, 300)->type, BH_NH_PROHIBIT);
	bh_mirror_change(&s.mirror[BH_MIRROR_NEXTHOP], &gone);
	ck_assert_uint_eq(bh_nexthops_get(&s.nexthops, 300)->type, BH_NH_PROHIBIT);
	put_nexthop(301, &b);
	ck_assert_ptr_null(bh_nexthops_get(&s.nexthops, 300));
	ck_assert_uint_eq(bh_nexthops_get(&s.nexthops, 301)->type, BH_NH_PROHIBIT);
	ck_assert_ptr_null(bh_nexthops_get(&s.nexthops, BH_NH_MAX + 5));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snmp_routes");
	TCase *tc = tcase_create("routes");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_any_name);
	tcase_add_test(tc, test_walk);
	tcase_add_test(tc, test_walk_changes);
	tcase_add_test(tc, test_fresh);
	tcase_add_test(tc, test_no_core);
	tcase_add_test(tc, test_values);
	tcase_add_test(tc, test_nexthop_ids);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
