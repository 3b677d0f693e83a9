/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/net/prefix.h"

static struct bh_prefix
prefix(const char *text)
{
	struct bh_prefix p;

	ck_assert_msg(bh_prefix_parse(text, &p) == 0, "%s", text);
	return p;
}

static const struct {
	const char *in;
	const char *out;	/* NULL: rejected */
	bool host_bits;
} texts[] = {
	{ "10.1.2.0/24", "10.1.2.0/24", false },
	{ "10.1.2.3/24", "10.1.2.3/24", true },
	{ "10.1.2.3", "10.1.2.3/32", false },
	{ "0.0.0.0/0", "0.0.0.0/0", false },
	{ "128.0.0.0/0", "128.0.0.0/0", true },
	{ "255.255.255.255/32", "255.255.255.255/32", false },
	{ "192.0.2.1/31", "192.0.2.1/31", true },
	{ "::/0", "::/0", false },
	{ "2001:DB8:0:0::/64", "2001:db8::/64", false },
	{ "2001:db8::1", "2001:db8::1/128", false },
	{ "2001:db8::1/127", "2001:db8::1/127", true },
	{ "2001:db8::/0", "2001:db8::/0", true },
	{ "::ffff:192.0.2.1/128", "::ffff:192.0.2.1/128", false },
	{ "", NULL, false },
	{ "/24", NULL, false },
	{ "10.1.2.0/", NULL, false },
	{ "10.1.2.0/33", NULL, false },
	{ "10.1.2.0/-1", NULL, false },
	{ "10.1.2.0/+1", NULL, false },
	{ "10.1.2.0/ 1", NULL, false },
	{ "10.1.2.0/024", NULL, false },
	{ "10.1.2.0/24x", NULL, false },
	{ "10.1.2.0/4294967320", NULL, false },
	{ "10.1.2.0/24/24", NULL, false },
	{ "10.1.2/24", NULL, false },
	{ "10.1.2.256/24", NULL, false },
	{ " 10.1.2.0/24", NULL, false },
	{ "::/129", NULL, false },
	{ "::/256", NULL, false },
	{ "1:2:3:4:5:6:7:8:9/64", NULL, false },
	{ "fe80::1%eth0/64", NULL, false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255.255.255/64", NULL, false },
};

START_TEST(parse_and_format)
{
	struct bh_prefix p, untouched = { .family = 99 };
	char buf[BH_PREFIX_STRLEN];

	p = untouched;
	if (texts[_i].out == NULL) {
		ck_assert_int_eq(bh_prefix_parse(texts[_i].in, &p), -EINVAL);
		ck_assert_mem_eq(&p, &untouched, sizeof(p));
		return;
	}
	ck_assert_int_eq(bh_prefix_parse(texts[_i].in, &p), 0);
	ck_assert_str_eq(bh_prefix_format(&p, buf, sizeof(buf)), texts[_i].out);
	untouched = p;
	bh_prefix_mask(&p);
	ck_assert((memcmp(p.addr, untouched.addr, sizeof(p.addr)) != 0) == texts[_i].host_bits);
}
END_TEST

START_TEST(format_fails)
{
	struct bh_prefix p = prefix("192.0.2.1/32");
	char buf[BH_PREFIX_STRLEN];

	ck_assert_ptr_null(bh_prefix_format(&p, buf, strlen("192.0.2.1/32")));
	ck_assert_ptr_nonnull(bh_prefix_format(&p, buf, strlen("192.0.2.1/32") + 1));
	p = prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	ck_assert_ptr_nonnull(bh_prefix_format(&p, buf, sizeof(buf)));
	p.family = 5;
	ck_assert_ptr_null(bh_prefix_format(&p, buf, sizeof(buf)));
}
END_TEST

START_TEST(make)
{
	struct bh_prefix p;

	ck_assert_int_eq(bh_prefix_make(&p, BH_IP4, "\x0a\x00\x00\x01", 24), 0);
	ck_assert_int_eq(p.plen, 24);
	ck_assert_mem_eq(p.addr, "\x0a\x00\x00\x01\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert_int_eq(bh_prefix_make(&p, BH_IP4, "\x0a\x00\x00\x01", 33), -EINVAL);
	ck_assert_int_eq(bh_prefix_make(&p, 5, "\x0a\x00\x00\x01", 1), -EINVAL);
}
END_TEST

START_TEST(mask_every_length)
{
	for (unsigned int plen = 0; plen <= 128; plen++) {
		struct bh_prefix p = { .family = BH_IP6, .plen = plen };

		memset(p.addr, 0xff, sizeof(p.addr));
		bh_prefix_mask(&p);
		for (unsigned int i = 0; i < 128; i++)
			ck_assert_int_eq(p.addr[i / 8] >> (7 - i % 8) & 1, i < plen);
	}
}
END_TEST

START_TEST(covering)
{
	struct bh_prefix p20 = prefix("10.1.16.0/20"), p24 = prefix("10.1.31.0/24");
	struct bh_prefix out = prefix("10.1.32.0/24"), all = prefix("0.0.0.0/0");
	struct bh_prefix six = prefix("::/0");

	ck_assert(bh_prefix_covers(&p20, &p24));
	ck_assert(!bh_prefix_covers(&p24, &p20));
	ck_assert(bh_prefix_covers(&p20, &p20));
	ck_assert(!bh_prefix_covers(&p20, &out));
	ck_assert(bh_prefix_covers(&all, &out));
	ck_assert(!bh_prefix_covers(&six, &out));
	ck_assert(bh_addr_match("\xff", "\x00", 0));
	ck_assert(bh_addr_match("\xf0", "\xf8", 4));
	ck_assert(!bh_addr_match("\xf0", "\xf8", 5));
}
END_TEST

START_TEST(ordering)
{
	static const char *const sorted[] = { "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9",
		"10.0.1.0/24", "11.0.0.0/8", "::/0", "::/1", "2001:db8::/32" };
	const int n = sizeof(sorted) / sizeof(sorted[0]);

	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++) {
			struct bh_prefix a = prefix(sorted[i]), b = prefix(sorted[j]);
			int c = bh_prefix_cmp(&a, &b);

			ck_assert_int_eq((c > 0) - (c < 0), (i > j) - (i < j));
		}
	}
}
END_TEST

static const struct {
	const char *addr;
	bool src;	/* martian as a source */
	bool dst;	/* and as a destination */
} martians[] = {
	{ "0.0.0.0", true, true },
	{ "0.255.255.255", true, true },
	{ "1.0.0.0", false, false },
	{ "10.0.0.1", false, false },
	{ "126.255.255.255", false, false },
	{ "127.0.0.1", true, true },
	{ "127.255.255.255", true, true },
	{ "128.0.0.0", false, false },
	{ "192.0.2.1", false, false },
	{ "198.18.0.1", false, false },
	{ "223.255.255.255", false, false },
	{ "224.0.0.1", true, false },
	{ "239.255.255.255", true, false },
	{ "240.0.0.0", true, true },
	{ "255.255.255.255", true, true },
	{ "::", true, true },
	{ "::1", true, true },
	{ "::2", false, false },
	{ "1::1", false, false },
	{ "::ffff:10.0.0.1", true, true },
	{ "::fffe:10.0.0.1", false, false },
	{ "2001:db8::1", false, false },
	{ "fe80::1", false, false },
	{ "ff02::1", true, false },
	{ "ff0e::1", true, false },
	{ "feff::1", false, false },
};

START_TEST(martian)
{
	uint8_t a[16];
	uint32_t be;

	if (bh_addr_parse(martians[_i].addr, a) == BH_IP6) {
		ck_assert(bh_ip6_src_is_martian(a) == martians[_i].src);
		ck_assert(bh_ip6_dst_is_martian(a) == martians[_i].dst);
		return;
	}
	memcpy(&be, a, sizeof(be));
	ck_assert(bh_ip4_src_is_martian(be) == martians[_i].src);
	ck_assert(bh_ip4_dst_is_martian(be) == martians[_i].dst);
}
END_TEST

START_TEST(special)
{
	uint8_t a[16];

	ck_assert(bh_ip4_is_multicast(inet_addr("224.0.0.0")));
	ck_assert(bh_ip4_is_multicast(inet_addr("239.255.255.255")));
	ck_assert(!bh_ip4_is_multicast(inet_addr("223.255.255.255")));
	ck_assert(!bh_ip4_is_multicast(inet_addr("240.0.0.0")));
	ck_assert(bh_ip4_is_link_local(inet_addr("169.254.0.1")));
	ck_assert(bh_ip4_is_link_local(inet_addr("169.254.255.255")));
	ck_assert(!bh_ip4_is_link_local(inet_addr("169.253.255.255")));
	ck_assert(!bh_ip4_is_link_local(inet_addr("169.255.0.0")));
	ck_assert_int_eq(bh_addr_parse("fe80::1", a), BH_IP6);
	ck_assert(bh_ip6_is_link_local(a));
	ck_assert_int_eq(bh_addr_parse("febf::1", a), BH_IP6);
	ck_assert(bh_ip6_is_link_local(a));
	ck_assert_int_eq(bh_addr_parse("fec0::1", a), BH_IP6);
	ck_assert(!bh_ip6_is_link_local(a));
	ck_assert_int_eq(bh_addr_parse("192.0.2.1", a), BH_IP4);
	ck_assert_mem_eq(a + 4, "\0\0\0\0\0\0\0\0\0\0\0", 12);
	ck_assert_int_eq(bh_addr_parse("nowhere", a), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("prefix");
	TCase *c = tcase_create("prefix");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(c, parse_and_format, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(c, format_fails);
	tcase_add_test(c, make);
	tcase_add_test(c, mask_every_length);
	tcase_add_test(c, covering);
	tcase_add_test(c, ordering);
	tcase_add_loop_test(c, martian, 0, sizeof(martians) / sizeof(martians[0]));
	tcase_add_test(c, special);
	suite_add_tcase(s, c);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
