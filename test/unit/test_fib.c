/* SPDX-License-Identifier: BSD-3-Clause */
/* FIB: edge cases, one by one. */
#include <errno.h>
#include <stdio.h>

#include "test/unit/fib_util.h"

static struct bh_fib *fib;
static int family;

static void
make(int fam, uint32_t max_routes, uint32_t max_nodes)
{
	struct bh_fib_conf conf = {
		.name = "test",
		.family = fam,
		.max_routes = max_routes,
		.max_nodes = max_nodes,
		.socket_id = SOCKET_ID_ANY,
	};

	family = fam;
	fib = bh_fib_create(&conf);
	ck_assert_ptr_nonnull(fib);
}

static void
setup4(void)
{
	make(BH_FIB_IP4, 100000, 0);
}

static void
setup6(void)
{
	make(BH_FIB_IP6, 100000, 0);
}

static void
teardown(void)
{
	bh_fib_destroy(fib);
	fib = NULL;
}

/* A test may want another FIB than its fixture's. */
static void
remake(int fam, uint32_t max_routes, uint32_t max_nodes)
{
	teardown();
	make(fam, max_routes, max_nodes);
}

static int
set(const char *prefix, uint8_t plen, uint32_t nh)
{
	return fib_set(fib, addr_of(prefix), plen, nh);
}

static int
del(const char *prefix, uint8_t plen)
{
	return fib_del(fib, addr_of(prefix), plen);
}

static uint32_t
get(const char *addr)
{
	return fib_lookup(fib, family, addr_of(addr));
}

#define expect(addr, nh) ck_assert_msg(get(addr) == (nh), "%s: %u, not %u", addr, get(addr), \
	(uint32_t)(nh))

static void
expect_empty(void)
{
	struct bh_fib_stats s;

	bh_fib_stats(fib, &s);
	ck_assert_uint_eq(s.routes, 0);
	ck_assert_uint_eq(s.nodes, 0);
	ck_assert_uint_eq(s.leaves, 0);
	ck_assert_uint_eq(s.node_bytes, 0);
	ck_assert_uint_eq(s.pending, 0);
}

START_TEST(create_rejects)
{
	struct bh_fib_conf good = { .name = "x", .family = BH_FIB_IP4, .max_routes = 1 };
	struct bh_fib_conf c;

	c = good;
	c.name = NULL;
	ck_assert_ptr_null(bh_fib_create(&c));
	ck_assert_int_eq(errno, EINVAL);
	c = good;
	c.family = 5;
	ck_assert_ptr_null(bh_fib_create(&c));
	c = good;
	c.max_routes = 0;
	ck_assert_ptr_null(bh_fib_create(&c));
	c.max_routes = (1u << 28) + 1;
	ck_assert_ptr_null(bh_fib_create(&c));
	bh_fib_destroy(NULL);
}
END_TEST

START_TEST(empty)
{
	expect("0.0.0.0", BH_FIB_NONE);
	expect("255.255.255.255", BH_FIB_NONE);
	expect_empty();
	ck_assert_int_eq(bh_fib_reclaim(fib), 0);
}
END_TEST

START_TEST(rejects4)
{
	ck_assert_int_eq(set("10.0.0.0", 33, 1), -EINVAL);
	ck_assert_int_eq(set("10.0.0.1", 24, 1), -EINVAL);
	ck_assert_int_eq(set("128.0.0.0", 0, 1), -EINVAL);
	ck_assert_int_eq(set("10.0.0.0", 24, 0), -EINVAL);
	ck_assert_int_eq(set("10.0.0.0", 24, BH_FIB_NH_MAX + 1), -EINVAL);
	ck_assert_int_eq(del("10.0.0.0", 33), -EINVAL);
	ck_assert_int_eq(del("10.0.0.1", 24), -EINVAL);
	ck_assert_int_eq(del("10.0.0.0", 24), -ENOENT);
	ck_assert_int_eq(set("10.0.0.0", 24, BH_FIB_NH_MAX), 0);
	expect("10.0.0.255", BH_FIB_NH_MAX);
	ck_assert_int_eq(del("10.0.0.0", 25), -ENOENT);
	ck_assert_int_eq(del("10.0.0.0", 23), -ENOENT);
	ck_assert_int_eq(del("0.0.0.0", 0), -ENOENT);
	ck_assert_int_eq(del("10.0.0.0", 24), 0);
	ck_assert_int_eq(del("10.0.0.0", 24), -ENOENT);
	expect_empty();
}
END_TEST

START_TEST(rejects6)
{
	ck_assert_int_eq(set("::", 129, 1), -EINVAL);
	ck_assert_int_eq(set("::1", 127, 1), -EINVAL);
	ck_assert_int_eq(set("2001:db8::1", 64, 1), -EINVAL);
	ck_assert_int_eq(set("2001:db8:0:0:8000::", 64, 1), -EINVAL);
	ck_assert_int_eq(set("8000::", 0, 1), -EINVAL);
	expect_empty();
}
END_TEST

START_TEST(default_and_host4)
{
	ck_assert_int_eq(set("0.0.0.0", 0, 1), 0);
	expect("0.0.0.0", 1);
	expect("255.255.255.255", 1);
	ck_assert_int_eq(set("255.255.255.255", 32, 2), 0);
	ck_assert_int_eq(set("0.0.0.0", 32, 3), 0);
	expect("0.0.0.0", 3);
	expect("0.0.0.1", 1);
	expect("255.255.255.254", 1);
	expect("255.255.255.255", 2);
	ck_assert_int_eq(del("0.0.0.0", 0), 0);
	expect("0.0.0.1", BH_FIB_NONE);
	expect("255.255.255.255", 2);
	ck_assert_int_eq(del("255.255.255.255", 32), 0);
	ck_assert_int_eq(del("0.0.0.0", 32), 0);
	expect_empty();
}
END_TEST

START_TEST(default_and_host6)
{
	const char *last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

	ck_assert_int_eq(set("::", 0, 1), 0);
	ck_assert_int_eq(set(last, 128, 2), 0);
	ck_assert_int_eq(set("2001:db8::1", 128, 3), 0);
	expect(last, 2);
	expect("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 1);
	expect("2001:db8::", 1);
	expect("2001:db8::1", 3);
	expect("2001:db8::2", 1);
	ck_assert_int_eq(del("::", 0), 0);
	expect("2001:db8::2", BH_FIB_NONE);
	expect("2001:db8::1", 3);
	ck_assert_int_eq(del("2001:db8::1", 128), 0);
	ck_assert_int_eq(del(last, 128), 0);
	expect_empty();
}
END_TEST

/* A route of each length over one address, put in and taken out in four orders. */
static void
nested(unsigned int bits, addr_t addr, int up_in, int up_out)
{
	for (unsigned int i = 0; i <= bits; i++) {
		unsigned int l = up_in ? i : bits - i;

		ck_assert_int_eq(fib_set(fib, addr & addr_mask(l), l, l + 1), 0);
		ck_assert_uint_eq(fib_lookup(fib, family, addr), up_in ? l + 1 : bits + 1);
	}
	for (unsigned int l = 1; l <= bits; l++) /* one bit off: the length before it */
		ck_assert_uint_eq(fib_lookup(fib, family, addr ^ (addr_t)1 << (128 - l)), l);
	for (unsigned int i = 0; i <= bits; i++) {
		unsigned int l = up_out ? i : bits - i;

		ck_assert_uint_eq(fib_lookup(fib, family, addr), up_out ? bits + 1 : l + 1);
		ck_assert_int_eq(fib_del(fib, addr & addr_mask(l), l), 0);
	}
	expect_empty();
}

START_TEST(nested4)
{
	nested(32, addr_of("172.21.203.117"), _i & 1, _i >> 1);
}
END_TEST

START_TEST(nested6)
{
	nested(128, addr_of("2a0b:c5e1:9f03:77d2:5a5a:a5a5:1234:8765"), _i & 1, _i >> 1);
}
END_TEST

START_TEST(replacement)
{
	struct bh_fib_stats before, after;

	ck_assert_int_eq(set("10.1.2.0", 24, 1), 0);
	ck_assert_int_eq(set("10.1.2.128", 25, 2), 0);
	bh_fib_stats(fib, &before);
	ck_assert_int_eq(set("10.1.2.0", 24, 3), 0);
	expect("10.1.2.127", 3);
	expect("10.1.2.128", 2);
	ck_assert_int_eq(set("10.1.2.0", 24, 3), 0);
	ck_assert_int_eq(set("10.1.2.0", 24, 2), 0); /* merges with its neighbour */
	expect("10.1.2.127", 2);
	ck_assert_int_eq(set("10.1.2.0", 24, 1), 0); /* and parts again */
	expect("10.1.2.127", 1);
	expect("10.1.2.128", 2);
	bh_fib_stats(fib, &after);
	ck_assert_uint_eq(before.routes, after.routes);
	ck_assert_uint_eq(before.nodes, after.nodes);
	ck_assert_uint_eq(before.leaves, after.leaves);
}
END_TEST

/* Routes that do not change an answer make no node. */
START_TEST(merging)
{
	struct bh_fib_stats s;

	ck_assert_int_eq(set("10.0.0.0", 8, 1), 0);
	ck_assert_int_eq(set("10.2.3.4", 32, 1), 0);
	ck_assert_int_eq(set("10.2.3.0", 24, 1), 0);
	bh_fib_stats(fib, &s);
	ck_assert_uint_eq(s.routes, 3);
	ck_assert_uint_eq(s.nodes, 0);
	ck_assert_int_eq(set("10.0.0.0", 8, 2), 0);
	expect("10.2.3.4", 1);
	expect("10.2.3.5", 1);
	expect("10.2.4.0", 2);
	ck_assert_int_eq(del("10.2.3.0", 24), 0);
	expect("10.2.3.4", 1);
	expect("10.2.3.5", 2);
}
END_TEST

START_TEST(control_lookups)
{
	uint8_t addr[16], prefix[4] = { 0 };
	uint8_t plen = 0;
	uint32_t nh = 0;

	ck_assert_int_eq(set("10.0.0.0", 8, 1), 0);
	ck_assert_int_eq(set("10.4.0.0", 14, 2), 0);
	ck_assert_int_eq(set("10.8.0.0", 14, 3), 0); /* a branching point at /12 */
	addr_store(addr_of("10.5.6.7"), addr);
	ck_assert_int_eq(bh_fib_lookup_prefix(fib, addr, prefix, &plen, &nh), 0);
	ck_assert_uint_eq(plen, 14);
	ck_assert_uint_eq(nh, 2);
	ck_assert_mem_eq(prefix, "\x0a\x04\x00\x00", 4);
	addr_store(addr_of("10.0.6.7"), addr);
	ck_assert_int_eq(bh_fib_lookup_prefix(fib, addr, NULL, &plen, NULL), 0);
	ck_assert_uint_eq(plen, 8);
	addr_store(addr_of("11.0.0.0"), addr);
	ck_assert_int_eq(bh_fib_lookup_prefix(fib, addr, prefix, &plen, &nh), -ENOENT);
	ck_assert_int_eq(bh_fib_lookup_exact(fib, prefix, 14, &nh), 0);
	ck_assert_uint_eq(nh, 2);
	ck_assert_int_eq(bh_fib_lookup_exact(fib, prefix, 15, &nh), -ENOENT);
	ck_assert_int_eq(bh_fib_lookup_exact(fib, prefix, 13, &nh), -EINVAL);
	addr_store(addr_of("10.0.0.0"), addr);
	ck_assert_int_eq(bh_fib_lookup_exact(fib, addr, 12, NULL), -ENOENT);
	ck_assert_int_eq(bh_fib_lookup_exact(fib, addr, 8, NULL), 0);
}
END_TEST

START_TEST(no_route_left)
{
	remake(BH_FIB_IP4, 2, 0);
	ck_assert_int_eq(set("10.0.0.0", 8, 1), 0);
	ck_assert_int_eq(set("10.0.0.0", 9, 2), 0);
	ck_assert_int_eq(set("10.64.0.0", 10, 3), -ENOSPC);
	expect("10.64.0.0", 2);
	ck_assert_int_eq(set("10.0.0.0", 9, 4), 0);
	expect("10.64.0.0", 4);
	ck_assert_int_eq(del("10.0.0.0", 8), 0);
	ck_assert_int_eq(set("10.64.0.0", 10, 3), 0);
	expect("10.64.0.0", 3);
}
END_TEST

/* Host routes until node memory is full: those before stay, all can go, the room comes back. */
START_TEST(no_node_left)
{
	unsigned int n = 0, again = 0;

	remake(_i == 0 ? BH_FIB_IP4 : BH_FIB_IP6, 100000, 64);
	while (fib_set(fib, (addr_t)n << 110 | (addr_t)1 << 96, family_bits(family), n + 1) == 0)
		n++;
	ck_assert_uint_gt(n, _i == 0 ? 20 : 5);
	ck_assert_uint_lt(n, 1000);
	ck_assert_int_eq(fib_set(fib, (addr_t)n << 110 | (addr_t)1 << 96, family_bits(family), 9),
		-ENOSPC);
	for (unsigned int i = 0; i <= n; i++)
		ck_assert_uint_eq(fib_lookup(fib, family, (addr_t)i << 110 | (addr_t)1 << 96),
			i < n ? i + 1 : BH_FIB_NONE);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_int_eq(fib_del(fib, (addr_t)i << 110 | (addr_t)1 << 96,
			family_bits(family)), 0);
	expect_empty();
	while (fib_set(fib, (addr_t)again << 110 | (addr_t)1 << 96, family_bits(family), 1) == 0)
		again++;
	ck_assert_uint_eq(again, n);
}
END_TEST

/* Every burst size up to two groups and a rest, from unaligned memory for IPv6. */
START_TEST(bulk4)
{
	uint32_t dst[40], nh[41];

	ck_assert_int_eq(set("10.0.0.0", 8, 1), 0);
	ck_assert_int_eq(set("10.0.0.128", 25, 2), 0);
	ck_assert_int_eq(set("10.0.0.133", 32, 3), 0);
	for (unsigned int n = 0; n <= 40; n++) {
		for (unsigned int i = 0; i < n; i++)
			dst[i] = htonl(i % 5 == 4 ? 0x0b000000 : 0x0a000000 + i * 7 % 256);
		nh[n] = 99;
		bh_fib_lookup_bulk4(fib, dst, nh, n);
		for (unsigned int i = 0; i < n; i++)
			ck_assert_uint_eq(nh[i], bh_fib_lookup4(fib, dst[i]));
		ck_assert_uint_eq(nh[n], 99);
	}
	expect("10.0.0.133", 3);
}
END_TEST

START_TEST(bulk6)
{
	uint8_t packet[40][17];
	const uint8_t *dst[40];
	uint32_t nh[41];

	ck_assert_int_eq(set("2001:db8::", 32, 1), 0);
	ck_assert_int_eq(set("2001:db8::", 121, 2), 0);
	ck_assert_int_eq(set("2001:db8::21", 128, 3), 0);
	for (unsigned int n = 0; n <= 40; n++) {
		for (unsigned int i = 0; i < n; i++) {
			dst[i] = packet[i] + 1;
			addr_store(addr_of(i % 5 == 4 ? "2002::" : "2001:db8::") + i * 11 % 256,
				packet[i] + 1);
		}
		nh[n] = 99;
		bh_fib_lookup_bulk6(fib, dst, nh, n);
		for (unsigned int i = 0; i < n; i++)
			ck_assert_uint_eq(nh[i], i % 5 == 4 ? BH_FIB_NONE : i * 11 % 256 == 0x21 ?
				3 : i * 11 % 256 < 128 ? 2 : 1);
		ck_assert_uint_eq(nh[n], 99);
	}
}
END_TEST

/* Enough nodes for several chunks; the figures add up and all of it comes back. */
START_TEST(many_chunks)
{
	struct bh_fib_stats s;

	for (uint32_t i = 0; i < 40000; i++)
		ck_assert_int_eq(fib_set(fib, (addr_t)(i * 2654435761u & ~0u << 4) << 96, 28,
			i % 1000 + 1), 0);
	bh_fib_stats(fib, &s);
	ck_assert_uint_eq(s.routes, 40000);
	ck_assert_uint_gt(s.node_bytes, 4 * 256 * 1024);
	ck_assert_uint_ge(s.fast_bytes, s.node_bytes);
	ck_assert_uint_ge(s.node_bytes, s.nodes * 12 + s.leaves * 4);
	for (uint32_t i = 0; i < 40000; i++) {
		uint32_t addr = (i * 2654435761u & ~0u << 4) + i % 16;

		ck_assert_uint_eq(bh_fib_lookup4(fib, htonl(addr)), i % 1000 + 1);
	}
	for (uint32_t i = 0; i < 40000; i++)
		ck_assert_int_eq(fib_del(fib, (addr_t)(i * 2654435761u & ~0u << 4) << 96, 28), 0);
	expect_empty();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fib");
	TCase *ip4 = tcase_create("ip4");
	TCase *ip6 = tcase_create("ip6");

	tcase_add_checked_fixture(ip4, setup4, teardown);
	tcase_add_test(ip4, create_rejects);
	tcase_add_test(ip4, empty);
	tcase_add_test(ip4, rejects4);
	tcase_add_test(ip4, default_and_host4);
	tcase_add_loop_test(ip4, nested4, 0, 4);
	tcase_add_test(ip4, replacement);
	tcase_add_test(ip4, merging);
	tcase_add_test(ip4, control_lookups);
	tcase_add_test(ip4, no_route_left);
	tcase_add_loop_test(ip4, no_node_left, 0, 2);
	tcase_add_test(ip4, bulk4);
	tcase_add_test(ip4, many_chunks);
	tcase_add_checked_fixture(ip6, setup6, teardown);
	tcase_add_test(ip6, rejects6);
	tcase_add_test(ip6, default_and_host6);
	tcase_add_loop_test(ip6, nested6, 0, 4);
	tcase_add_test(ip6, bulk6);
	suite_add_tcase(s, ip4);
	suite_add_tcase(s, ip6);
	return run_suite(s);
}
