/* SPDX-License-Identifier: BSD-3-Clause */
/* bhctl's shows of routes, next hops and neighbors against a fake core; long lists. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "test/unit/ctl_json.h"

START_TEST(routes)
{
	static const char *const order[] = {
		"10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32", "192.0.2.0/24", "2001:db8:1::/48",
	};
	json_t *list = run_json(bh_show_routes, "bhctl show routes", "routes"), *v, *hops;

	ck_assert_uint_eq(json_array_size(list), 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(str(json_array_get(list, i), "prefix"), order[i]);
	v = json_array_get(list, 0); /* its next hop is not there */
	ck_assert(!is(v, "active"));
	ck_assert_str_eq(str(v, "type"), "unknown");
	ck_assert_uint_eq(json_array_size(json_object_get(v, "next-hops")), 0);
	v = json_array_get(list, 1);
	ck_assert_str_eq(str(v, "protocol"), "connected");
	ck_assert_str_eq(str(v, "type"), "attached");
	hops = json_object_get(v, "next-hops");
	ck_assert(json_is_null(json_object_get(json_array_get(hops, 0), "address")));
	v = json_array_get(list, 3);
	ck_assert(is(v, "active") && !is(v, "stale"));
	ck_assert_int_eq(num(v, "next-hop-id"), 3);
	ck_assert_int_eq(num(v, "preference"), 5);
	hops = json_object_get(v, "next-hops");
	ck_assert_uint_eq(json_array_size(hops), 2);
	ck_assert_str_eq(str(json_array_get(hops, 1), "interface"), "eth1");
	ck_assert_str_eq(str(json_array_get(hops, 1), "address"), "10.0.1.2");
	ck_assert_int_eq(num(json_array_get(hops, 1), "weight"), 2);
	ck_assert(is(json_array_get(list, 4), "stale"));
}
END_TEST

static void
expect_routes(const char *command, size_t n, const char *first)
{
	json_t *list = run_json(bh_show_routes, command, "routes");

	ck_assert_msg(json_array_size(list) == n, "%s: %zu", command, json_array_size(list));
	ck_assert_str_eq(str(json_array_get(list, 0), "prefix"), first);
}

START_TEST(some_routes)
{
	expect_routes("bhctl show routes ipv4", 4, "10.0.0.0/8");
	expect_routes("bhctl show routes ipv6", 1, "2001:db8:1::/48");
	expect_routes("bhctl show routes 10.0.0.0/24", 1, "10.0.0.0/24");
	expect_routes("bhctl show routes 10.0.0.0/24 longer", 2, "10.0.0.0/24");
	expect_routes("bhctl show routes 0.0.0.0/0 longer", 4, "10.0.0.0/8");
	expect_routes("bhctl show routes lookup 10.0.0.1", 1, "10.0.0.1/32");
	expect_routes("bhctl show routes lookup 10.9.0.1", 1, "10.0.0.0/8");
	expect_routes("bhctl show routes lookup 2001:db8:1::9", 1, "2001:db8:1::/48");
	ck_assert_int_eq(fake_run(bh_show_routes, "bhctl show routes lookup 11.0.0.1"),
		BH_CTL_FAILED);
	ck_assert_str_eq(fake_err, "bhctl: no route to 11.0.0.1\n");
	ck_assert_int_eq(fake_run(bh_show_routes, "bhctl show routes 11.0.0.0/8"), BH_CTL_FAILED);
	ck_assert_str_eq(fake_err, "bhctl: no route for 11.0.0.0/8\n");
}
END_TEST

START_TEST(routes_text)
{
	ck_assert_int_eq(fake_run(bh_show_routes, "bhctl show routes 192.0.2.0/24"), 0);
	ck_assert_str_eq(fake_out,
		"Prefix        Protocol  Pref/Met  Type     Next hop  Interface  Weight  State\n"
		"192.0.2.0/24  static    5/0       unicast  10.0.0.2  eth0            1  active\n"
		"                                           10.0.1.2  eth1            2\n");
}
END_TEST

START_TEST(nexthops)
{
	json_t *list = run_json(bh_show_nexthops, "bhctl show nexthops", "nexthops");

	ck_assert_uint_eq(json_array_size(list), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(num(json_array_get(list, i), "id"), i + 1);
	ck_assert_str_eq(str(json_array_get(list, 2), "type"), "unicast");
	ck_assert_int_eq(num(json_array_get(list, 2), "live"), 2);
}
END_TEST

START_TEST(neighbors)
{
	struct bh_cfg_neighbor_key ck = {.name = "eth0", .family = 4, .addr = {10, 0, 0, 2}};
	struct bh_cfg_neighbor cv = {.mac = {2, 0, 0, 0, 0, 0x22}};
	struct bh_if_addr_key k = {.ifindex = 1, .family = 4, .addr = {10, 0, 0, 2}};
	struct bh_neighbor v = {.mac = {2, 0, 0, 0, 0, 0x33}, .state = 2, .age = 70};
	json_t *list;

	fake_put(BH_T_CFG_NEIGHBOR, 0, &ck, &cv, sizeof(cv));
	fake_put(BH_T_NEIGHBOR, 0, &k, &v, sizeof(v)); /* hidden by the static one */
	k.addr[3] = 3;
	fake_put(BH_T_NEIGHBOR, 0, &k, &v, sizeof(v));
	v.state = 0;
	k.addr[3] = 4;
	fake_put(BH_T_NEIGHBOR, 0, &k, &v, sizeof(v));
	list = run_json(bh_show_neighbors, "bhctl show neighbors", "neighbors");
	ck_assert_uint_eq(json_array_size(list), 3);
	ck_assert_str_eq(str(json_array_get(list, 0), "origin"), "static");
	ck_assert_str_eq(str(json_array_get(list, 0), "mac"), "02:00:00:00:00:22");
	ck_assert_str_eq(str(json_array_get(list, 1), "origin"), "dynamic");
	ck_assert_str_eq(str(json_array_get(list, 1), "mac"), "02:00:00:00:00:33");
	ck_assert_int_eq(num(json_array_get(list, 1), "age"), 70);
	ck_assert_str_eq(str(json_array_get(list, 2), "state"), "incomplete");
	ck_assert(json_is_null(json_object_get(json_array_get(list, 2), "mac")));
}
END_TEST

START_TEST(fpm)
{
	struct bh_fpm_status s = {.state = BH_FPM_REPLAYING, .peer_family = 4, .peer_port = 4000,
		.peer = {127, 0, 0, 1}, .since = (uint64_t)time(NULL) - 75, .routes4 = 7, .stale = 2,
		.refused = {[BH_FPM_ENCAP] = 3}, .error = "it\nbroke", .error_time = 1,
		.lag_ms = 12};
	struct bh_route4_key k = {.addr = {20}, .plen = 8};
	struct bh_route r = {.nh = 3, .proto = BH_RP_FPM, .sub = 188, .preference = 110};
	struct bh_ifname_key key = {"fpm"};
	json_t *v = run_json(bh_show_fpm, "bhctl show fpm", "fpm");

	ck_assert(json_is_null(v));
	ck_assert_int_eq(fake_run(bh_show_fpm, "bhctl show fpm"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "not configured"));
	fake_put(BH_T_FPM, 0, &key, &s, sizeof(s));
	v = run_json(bh_show_fpm, "bhctl show fpm", "fpm");
	ck_assert_str_eq(str(v, "state"), "replaying");
	ck_assert_str_eq(str(v, "peer.address"), "127.0.0.1");
	ck_assert_int_eq(num(v, "peer.port"), 4000);
	ck_assert_int_eq(num(v, "ipv4-routes"), 7);
	ck_assert_int_eq(num(v, "stale"), 2);
	ck_assert_int_eq(num(v, "lag-ms"), 12);
	ck_assert_int_eq(num(v, "refused.encapsulation"), 3);
	ck_assert_int_eq(num(v, "refused.too_many"), 0);
	ck_assert_int_eq(num(v, "last-error.time"), 1);
	ck_assert_int_eq(fake_run(bh_show_fpm, "bhctl show fpm"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "1m 15s ago"));
	ck_assert_ptr_nonnull(strstr(fake_out, "encapsulation: "));
	ck_assert_ptr_null(strstr(fake_out, "too_many"));
	ck_assert_ptr_nonnull(strstr(fake_out, "it?broke"));
	fake_put(BH_T_ROUTE4, 0, &k, &r, sizeof(r));
	v = json_array_get(run_json(bh_show_routes, "bhctl show routes 20.0.0.0/8", "routes"), 0);
	ck_assert_str_eq(str(v, "protocol"), "ospf");
	ck_assert_str_eq(str(v, "source"), "fpm");
}
END_TEST

START_TEST(many_routes)
{
	struct bh_route val = {.nh = 3, .proto = BH_RP_STATIC, .preference = 5};
	json_t *list;

	for (uint32_t i = 100000; i-- > 0;) {
		struct bh_route4_key k = {.addr = {20 + (i >> 16), i >> 8, i, 0}, .plen = 24};

		fake_put(BH_T_ROUTE4, 0, &k, &val, sizeof(val));
	}
	for (uint32_t i = 20000; i-- > 0;) {
		struct bh_route6_key k = {.addr = {0x20, 1, 0xd, 0xb9, i >> 8, i}, .plen = 48};

		fake_put(BH_T_ROUTE6, 0, &k, &val, sizeof(val));
	}
	list = run_json(bh_show_routes, "bhctl show routes", "routes");
	ck_assert_uint_eq(json_array_size(list), 120005);
	ck_assert_str_eq(str(json_array_get(list, 3), "prefix"), "20.0.0.0/24");
	ck_assert_str_eq(str(json_array_get(list, 100002), "prefix"), "21.134.159.0/24");
	ck_assert_str_eq(str(json_array_get(list, 120004), "prefix"), "2001:db9:4e1f::/48");
}
END_TEST

int
main(void)
{
	const TTest *tests[] = {
		routes, some_routes, routes_text, nexthops, neighbors, fpm, many_routes,
	};

	return run_shows("ctl routes", tests, sizeof(tests) / sizeof(tests[0]));
}
