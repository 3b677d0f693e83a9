/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames and messages of zebra: each attribute, and bytes that are none. */
#include <check.h>
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fpm_util.h"
#include "modules/routing/fpm_msg.h"

static uint8_t buf[FPM_FRAME] __attribute__((aligned(8)));
static struct bh_fpm_msg got[64];
static unsigned int n_got;

static void
keep(void *arg, const struct bh_fpm_msg *m)
{
	(void)arg;
	if (n_got < 64)
		got[n_got] = *m;
	n_got++;
}

static int
parse(const void *data, size_t len)
{
	n_got = 0;
	return bh_fpm_parse(data, len, keep, NULL);
}

/* The one message that these words make. */
static const struct bh_fpm_msg *
one(const char *words)
{
	ck_assert_int_eq(parse(buf, fpm_messages(buf, words, 7)), 1);
	ck_assert_uint_eq(got[0].port, 7);
	return &got[0];
}

/* The reason why a message that was made by hand is refused; -1: it is not. */
static int
reason(const struct nlmsghdr *h)
{
	ck_assert_int_eq(parse(h, h->nlmsg_len), 1);
	return got[0].refused ? got[0].reason : -1;
}

static const char *
hop_text(const struct bh_fpm_hop *h)
{
	static char text[96];
	char addr[BH_ADDR_STRLEN] = "-";

	if (h->family != 0)
		bh_addr_format(h->family, h->addr, addr, sizeof(addr));
	snprintf(text, sizeof(text), "%s@%u*%u", addr, h->ifindex, h->weight);
	return text;
}

START_TEST(test_frames)
{
	uint8_t f[16] = {1, 1, 0, 8};

	for (size_t len = 0; len < 8; len++)
		ck_assert_int_eq(bh_fpm_frame(f, len), 0);
	ck_assert_int_eq(bh_fpm_frame(f, 8), 8);
	ck_assert_int_eq(bh_fpm_frame(f, 16), 8);
	f[3] = 4;
	ck_assert_int_eq(bh_fpm_frame(f, 4), 4); /* without a message */
	f[3] = 3;
	ck_assert_int_eq(bh_fpm_frame(f, 16), -EBADMSG);
	f[2] = f[3] = 0xff;
	ck_assert_int_eq(bh_fpm_frame(f, 16), 0);
	f[0] = 2;
	ck_assert_int_eq(bh_fpm_frame(f, 1), -EBADMSG);
	f[0] = 1;
	f[1] = 2; /* protobuf */
	ck_assert_int_eq(bh_fpm_frame(f, 2), -EBADMSG);
	ck_assert_int_eq(bh_fpm_frame(f, 1), 0);
}
END_TEST

START_TEST(test_routes)
{
	const struct bh_fpm_msg *m = one("bgp 203.0.113.7/24 10.0.1.2@101");
	char text[BH_PREFIX_STRLEN];

	ck_assert(!m->refused && !m->cut && m->has_prefix && m->kind == BH_FPM_ROUTE_NEW);
	ck_assert_str_eq(bh_prefix_format(&m->prefix, text, sizeof(text)), "203.0.113.0/24");
	ck_assert_uint_eq(m->proto, 186);
	ck_assert_uint_eq(m->metric, 20);
	ck_assert_uint_eq(m->type, BH_NH_GROUP);
	ck_assert_uint_eq(m->n_hops, 1);
	ck_assert_str_eq(hop_text(&m->hop[0]), "10.0.1.2@101*1");
	m = one("ospf 2001:db8::/32 fe80::1@7");
	ck_assert_str_eq(hop_text(&m->hop[0]), "fe80::1@7*1");
	m = one("zebra-static 0.0.0.0/0 @9"); /* attached */
	ck_assert_uint_eq(m->prefix.plen, 0);
	ck_assert_str_eq(hop_text(&m->hop[0]), "-@9*1");
	m = one("bgp 10.0.0.0/8 192.0.2.1"); /* recursive */
	ck_assert_str_eq(hop_text(&m->hop[0]), "192.0.2.1@0*1");
	m = one("bgp 10.0.0.0/8 2001:db8::9@3"); /* RTA_VIA */
	ck_assert_str_eq(hop_text(&m->hop[0]), "2001:db8::9@3*1");
	m = one("bgp 10.0.0.0/8 id 12");
	ck_assert(m->id == 12 && m->n_hops == 0 && !m->refused);
	m = one("-bgp 10.0.0.0/8");
	ck_assert(m->kind == BH_FPM_ROUTE_DEL && m->has_prefix && !m->refused);
}
END_TEST

START_TEST(test_specials)
{
	ck_assert_uint_eq(one("bgp 10.0.0.0/8 blackhole")->type, BH_NH_BLACKHOLE);
	ck_assert_uint_eq(one("bgp 10.0.0.0/8 unreachable")->type, BH_NH_UNREACHABLE);
	ck_assert_uint_eq(one("bgp 10.0.0.0/8 prohibit")->type, BH_NH_PROHIBIT);
	ck_assert_uint_eq(got[0].n_hops, 0);
	ck_assert_uint_eq(one("nh 3 blackhole")->type, BH_NH_BLACKHOLE);
}
END_TEST

START_TEST(test_multipath)
{
	const struct bh_fpm_msg *m =
		one("bgp 10.0.0.0/8 10.0.1.2@101*3 10.0.2.2@102 @103*256 2001:db8::1@104");
	char words[512] = "bgp 10.0.0.0/8";

	ck_assert(!m->refused);
	ck_assert_uint_eq(m->n_hops, 4);
	ck_assert_str_eq(hop_text(&m->hop[0]), "10.0.1.2@101*3");
	ck_assert_str_eq(hop_text(&m->hop[1]), "10.0.2.2@102*1");
	ck_assert_str_eq(hop_text(&m->hop[2]), "-@103*255");
	ck_assert_str_eq(hop_text(&m->hop[3]), "2001:db8::1@104*1");
	for (int i = 0; i < BH_ECMP_MAX + 1; i++)
		sprintf(words + strlen(words), " 10.0.1.%d@101", i + 1);
	m = one(words);
	ck_assert(!m->refused && m->cut);
	ck_assert_uint_eq(m->n_hops, BH_ECMP_MAX);
}
END_TEST

START_TEST(test_next_hops)
{
	const struct bh_fpm_msg *m = one("nh 5 10.0.1.2@101");
	char words[512] = "group 6";

	ck_assert(m->kind == BH_FPM_NHG_NEW && m->id == 5 && m->n_hops == 1 && m->n_members == 0);
	ck_assert_str_eq(hop_text(&m->hop[0]), "10.0.1.2@101*1");
	m = one("nh 5 fe80::1@101");
	ck_assert_str_eq(hop_text(&m->hop[0]), "fe80::1@101*1");
	m = one("nh 5 @101");
	ck_assert_str_eq(hop_text(&m->hop[0]), "-@101*1");
	m = one("group 6 5*2 7 8*256");
	ck_assert_uint_eq(m->n_members, 3);
	ck_assert(m->member[0].id == 5 && m->member[0].weight == 2);
	ck_assert(m->member[1].id == 7 && m->member[1].weight == 1);
	ck_assert(m->member[2].id == 8 && m->member[2].weight == 255);
	m = one("-nh 5");
	ck_assert(m->kind == BH_FPM_NHG_DEL && m->id == 5 && !m->refused);
	for (int i = 0; i < BH_ECMP_MAX + 1; i++)
		sprintf(words + strlen(words), " %d", 10 + i);
	m = one(words);
	ck_assert(m->cut && m->n_members == BH_ECMP_MAX);
	ck_assert(one("group 6 6")->refused); /* of itself */
	ck_assert_uint_eq(got[0].reason, BH_FPM_GROUP);
}
END_TEST

/* What the words cannot say, message by message. */
START_TEST(test_refused_routes)
{
	static const uint8_t a4[4] = {10, 0, 1, 2}, none[16];
	struct nlmsghdr *h;
	struct rtmsg *r;

#define ROUTE fpm_begin_route(buf, RTM_NEWROUTE, "10.0.0.0/8", 186, RTN_UNICAST)
	ck_assert_int_eq(reason(ROUTE), BH_FPM_NO_HOP);
	h = ROUTE;
	mnl_attr_put(h, RTA_GATEWAY, 4, a4);
	ck_assert_int_eq(reason(h), -1);
	mnl_attr_put_u16(h, RTA_ENCAP_TYPE, 1);
	ck_assert_int_eq(reason(h), BH_FPM_ENCAP);
	ck_assert(got[0].has_prefix); /* what was held of it goes */
	h = ROUTE;
	mnl_attr_put(h, RTA_GATEWAY, 4, a4);
	mnl_attr_put_u32(h, 61, 1);
	ck_assert_int_eq(reason(h), BH_FPM_ATTRIBUTE);
	h = ROUTE;
	mnl_attr_put(h, RTA_GATEWAY, 4, a4);
	mnl_attr_put_u32(h, 1000, 1);
	ck_assert_int_eq(reason(h), BH_FPM_ATTRIBUTE);
	h = ROUTE;
	mnl_attr_put(h, RTA_GATEWAY, 5, none);
	ck_assert_int_eq(reason(h), BH_FPM_HOP);
	h = ROUTE;
	mnl_attr_put(h, RTA_GATEWAY, 4, none);
	ck_assert_int_eq(reason(h), BH_FPM_HOP);
	h = ROUTE;
	mnl_attr_put(h, RTA_VIA, 3, none);
	ck_assert_int_eq(reason(h), BH_FPM_HOP);
	h = ROUTE;
	mnl_attr_put(h, RTA_OIF, 3, none);
	ck_assert_int_eq(reason(h), BH_FPM_LENGTH);
	h = ROUTE;
	mnl_attr_put(h, RTA_MULTIPATH, 0, NULL);
	ck_assert_int_eq(reason(h), BH_FPM_NO_HOP);
	h = ROUTE;
	mnl_attr_put_u32(h, RTA_TABLE, 1000);
	ck_assert_int_eq(reason(h), BH_FPM_TABLE);
	ck_assert(!got[0].has_prefix); /* it is another one */
	h = ROUTE;
	mnl_attr_put(h, RTA_SRC, 4, a4);
	ck_assert_int_eq(reason(h), BH_FPM_SOURCE);
	h = fpm_begin_route(buf, RTM_NEWROUTE, "10.0.0.0/8", 186, RTN_MULTICAST);
	ck_assert_int_eq(reason(h), BH_FPM_TYPE);
	h = ROUTE;
	r = mnl_nlmsg_get_payload(h);
	r->rtm_family = AF_UNIX;
	ck_assert_int_eq(reason(h), BH_FPM_FAMILY);
	h = ROUTE;
	r->rtm_dst_len = 33;
	ck_assert_int_eq(reason(h), BH_FPM_PREFIX);
	h = ROUTE;
	r->rtm_family = AF_INET6; /* the address is one of IPv4 */
	ck_assert_int_eq(reason(h), BH_FPM_PREFIX);
	h = fpm_begin_route(buf, RTM_NEWROUTE, "2001:db8::/32", 186, RTN_UNICAST);
	mnl_attr_put(h, RTA_VIA, 6, (uint8_t[]){AF_INET, 0, 10, 0, 1, 2});
	ck_assert_int_eq(reason(h), BH_FPM_HOP);
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWNEIGH;
	ck_assert_int_eq(reason(h), BH_FPM_MESSAGE);
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWROUTE;
	ck_assert_int_eq(reason(h), BH_FPM_LENGTH);
}
END_TEST

START_TEST(test_refused_next_hops)
{
	static const uint8_t a4[4] = {10, 0, 1, 2};
	struct nlmsghdr *h;

	ck_assert_int_eq(reason(fpm_begin_nh(buf, RTM_NEWNEXTHOP, 0, AF_INET)), BH_FPM_GROUP);
	ck_assert_int_eq(reason(fpm_begin_nh(buf, RTM_DELNEXTHOP, 0, AF_INET)), BH_FPM_GROUP);
	ck_assert_int_eq(reason(fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_INET)), BH_FPM_NO_HOP);
	ck_assert_uint_eq(got[0].id, 5);
	h = fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_UNSPEC);
	mnl_attr_put(h, NHA_GATEWAY, 4, a4);
	ck_assert_int_eq(reason(h), BH_FPM_FAMILY);
	h = fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_INET6);
	mnl_attr_put(h, NHA_GATEWAY, 4, a4);
	ck_assert_int_eq(reason(h), BH_FPM_HOP);
	h = fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_INET);
	mnl_attr_put(h, NHA_ENCAP, 0, NULL);
	ck_assert_int_eq(reason(h), BH_FPM_ENCAP);
	h = fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_INET);
	mnl_attr_put(h, NHA_FDB, 0, NULL);
	ck_assert_int_eq(reason(h), BH_FPM_ATTRIBUTE);
	h = fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_INET);
	mnl_attr_put(h, NHA_GROUP, 0, NULL);
	ck_assert_int_eq(reason(h), BH_FPM_GROUP);
	h = fpm_begin_nh(buf, RTM_NEWNEXTHOP, 5, AF_INET);
	mnl_attr_put(h, NHA_GROUP, 12, (uint8_t[12]){1});
	ck_assert_int_eq(reason(h), BH_FPM_GROUP);
}
END_TEST

#define RICH \
	"bgp 203.0.113.0/24 10.0.1.2@101*3 2001:db8::1@102; -ospf 2001:db8::/32; nh 5 fe80::1@101;" \
	"group 6 5*2 7; bgp 10.0.0.0/8 id 6; zebra-static 10.0.0.0/8 unreachable; -nh 5"

/* The same bytes in memory of their own, so that ASan sees a byte too far. */
static int
parse_copy(const uint8_t *from, size_t len, size_t shift)
{
	uint8_t *copy = malloc(len + shift + (len + shift == 0));
	int rc;

	memcpy(copy + shift, from, len);
	rc = parse(copy + shift, len);
	free(copy);
	return rc;
}

START_TEST(test_cut_anywhere)
{
	size_t len = fpm_messages(buf, RICH, 7);
	unsigned int most = 0;

	ck_assert_int_eq(parse(buf, len), 7);
	for (size_t n = 0; n < len; n++) {
		int rc = parse_copy(buf, n, 0);

		ck_assert(rc == -EBADMSG || (rc >= 0 && rc == (int)n_got));
		ck_assert_uint_ge(n_got, most);
		most = n_got;
	}
	for (size_t shift = 1; shift < 4; shift++) { /* of any alignment */
		ck_assert_int_eq(parse_copy(buf, len, shift), 7);
		for (unsigned int i = 0; i < 7; i++)
			ck_assert(!got[i].refused);
	}
}
END_TEST

/* Each two bytes that may be a length, with values that no length has, or some other one has. */
START_TEST(test_wrong_lengths)
{
	static const uint16_t values[] = {0, 1, 3, 4, 5, 8, 15, 16, 17, 0x7fff, 0x8000, 0xfffc, 0xffff};
	uint8_t work[2048] __attribute__((aligned(8)));
	size_t len = fpm_messages(buf, RICH, 7);

	ck_assert_uint_lt(len, sizeof(work));
	for (size_t at = 0; at + 2 <= len; at += 2) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			memcpy(work, buf, len);
			memcpy(work + at, &values[v], 2);
			parse_copy(work, len, 0);
			ck_assert_uint_le(n_got, 7 + len / 16);
			for (unsigned int i = 0; i < n_got && i < 64; i++)
				ck_assert(got[i].n_hops <= BH_ECMP_MAX &&
					got[i].n_members <= BH_ECMP_MAX);
		}
	}
}
END_TEST

START_TEST(test_corrupt)
{
	struct nlmsghdr *h = (void *)buf;
	size_t len = fpm_messages(buf, "-bgp 10.0.0.0/8; -bgp 11.0.0.0/8", 7);
	size_t first = h->nlmsg_len;

	h = (void *)(buf + first);
	h->nlmsg_len = 15;
	ck_assert_int_eq(parse(buf, len), -EBADMSG);
	ck_assert_uint_eq(n_got, 1); /* the one before counts */
	h->nlmsg_len = UINT32_MAX;
	ck_assert_int_eq(parse(buf, len), -EBADMSG);
	ck_assert_int_eq(parse(buf, first + 3), -EBADMSG);
	ck_assert_int_eq(parse(buf, 0), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fpm messages");
	TCase *tc = tcase_create("msg");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_frames);
	tcase_add_test(tc, test_routes);
	tcase_add_test(tc, test_specials);
	tcase_add_test(tc, test_multipath);
	tcase_add_test(tc, test_next_hops);
	tcase_add_test(tc, test_refused_routes);
	tcase_add_test(tc, test_refused_next_hops);
	tcase_add_test(tc, test_cut_anywhere);
	tcase_add_test(tc, test_wrong_lengths);
	tcase_add_test(tc, test_corrupt);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
