/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "modules/v6stack/icmp6.h"
#include "modules/v6stack/ip6ext.h"
#include "test/unit/icmp_util.h"

#define UDP 17
#define ICMP6 58
#define IP(f) ((f).b + ETH)

static const char *const host = "2001:db8:9::7", *const far = "2001:db8:8::9";

static uint16_t
sum6(const uint8_t *ip, size_t at, size_t len)
{
	uint64_t sum = bh_cksum_pseudo6(ip + 8, ip + 24, len - at, ICMP6);

	return bh_cksum_fold(bh_cksum_add(sum, ip + at, len - at));
}

static const uint8_t *
check_made(const uint8_t *out, int len)
{
	const uint8_t *ip = out + ETH;

	ck_assert_int_ge(len, ETH + 48);
	ck_assert_mem_eq(out, host_mac, 6);
	ck_assert_uint_eq(out[12] << 8 | out[13], 0x86dd);
	ck_assert_uint_eq(ip[0] >> 4, 6);
	ck_assert_int_eq(ip[4] << 8 | ip[5], len - ETH - 40);
	ck_assert_uint_eq(ip[6], ICMP6);
	ck_assert_uint_eq(ip[7], 64);
	ck_assert_uint_eq(sum6(ip, 40, len - ETH), 0);
	return ip;
}

static const struct {
	enum bh_icmp_why why;
	uint32_t value;
	uint8_t type, code;
	uint32_t rest;
} kinds[] = {
	{BH_ICMP_TTL, 9, 3, 0, 0},	  {BH_ICMP_NO_ROUTE, 9, 1, 0, 0},
	{BH_ICMP_UNREACHABLE, 9, 1, 6, 0}, {BH_ICMP_NO_NEIGHBOR, 9, 1, 3, 0},
	{BH_ICMP_PROHIBIT, 9, 1, 1, 0},	  {BH_ICMP_TOO_BIG, 1400, 2, 0, 1400},
	{BH_ICMP_NO_PORT, 9, 1, 4, 0},	  {BH_ICMP_NO_PROTOCOL, 9, 4, 1, 6},
	{BH_ICMP_BAD_HEADER, 42, 4, 0, 42}, {BH_ICMP_BAD_OPTION, 42, 4, 2, 42},
};

START_TEST(errors)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	const uint8_t *ip;
	uint32_t rest;

	world_init(&w);
	frame6(&f, host, far, UDP, 100);
	in = frame_in(&f);
	ip = check_made(out, bh_icmp_error(&w.ic, &in, kinds[_i].why, kinds[_i].value, out,
		sizeof(out)));
	ck_assert_uint_eq(ip[0], 0x60);
	ck_assert_mem_eq(out + 6, router_mac, 6);
	ck_addr(AF_INET6, ip + 8, "2001:db8:3::1");
	ck_addr(AF_INET6, ip + 24, host);
	ck_assert_uint_eq(ip[40], kinds[_i].type);
	ck_assert_uint_eq(ip[41], kinds[_i].code);
	memcpy(&rest, ip + 44, 4);
	ck_assert_uint_eq(ntohl(rest), kinds[_i].rest);
	ck_assert_int_eq(ip[4] << 8 | ip[5], 8 + 100);
	ck_assert_mem_eq(ip + 48, IP(f), 100);
}
END_TEST

START_TEST(quotes)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	frame6(&f, host, far, UDP, 1500);
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TOO_BIG, 1280, out, sizeof(out)),
		BH_ICMP_ERROR_MAX);
	check_made(out, BH_ICMP_ERROR_MAX);
	ck_assert_mem_eq(out + ETH + 48, IP(f), 1280 - 48);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, BH_ICMP_ERROR_MAX - 1),
		-EMSGSIZE);
	frame6(&f, "fe80::9", far, UDP, 60); /* to a link-local address, from one */
	in = frame_in(&f);
	check_made(out, bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)));
	ck_addr(AF_INET6, out + ETH + 8, "fe80::1");
	frame6(&f, host, "2001:db8:5::1", UDP, 60); /* asked by an address of ours */
	check_made(out, bh_icmp_error(&w.ic, &in, BH_ICMP_NO_PORT, 0, out, sizeof(out)));
	ck_addr(AF_INET6, out + ETH + 8, "2001:db8:5::1");
}
END_TEST

enum { PLAIN, GROUP_MAC, FRAGMENT, FRAGMENT_ICMP, BEHIND_OPTIONS };

static const struct {
	const char *src, *dst;
	enum bh_icmp_why why;
	uint8_t type; /* of ICMPv6; 0: UDP */
	int how;
	bool answered;
} silents[] = {
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 0, PLAIN, true},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 0, GROUP_MAC, false},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TOO_BIG, 0, GROUP_MAC, true},
	{"2001:db8:9::7", "ff0e::9", BH_ICMP_TTL, 0, PLAIN, false},
	{"2001:db8:9::7", "ff0e::9", BH_ICMP_NO_PROTOCOL, 0, PLAIN, false},
	{"2001:db8:9::7", "ff0e::9", BH_ICMP_TOO_BIG, 0, PLAIN, true},
	{"2001:db8:9::7", "ff0e::9", BH_ICMP_TOO_BIG, 1, PLAIN, false},
	{"::", "2001:db8:8::9", BH_ICMP_TTL, 0, PLAIN, false},
	{"::1", "2001:db8:8::9", BH_ICMP_TTL, 0, PLAIN, false},
	{"ff02::1", "2001:db8:8::9", BH_ICMP_TTL, 0, PLAIN, false},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 128, PLAIN, true},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 129, PLAIN, true},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 1, PLAIN, false},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 127, PLAIN, false},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 137, PLAIN, false},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 3, BEHIND_OPTIONS, false},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TTL, 128, BEHIND_OPTIONS, true},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TOO_BIG, 0, FRAGMENT, true},
	{"2001:db8:9::7", "2001:db8:8::9", BH_ICMP_TOO_BIG, 0, FRAGMENT_ICMP, false},
};

/* RFC 4443 §2.4(e). */
START_TEST(never_answered)
{
	uint8_t out[BH_ICMP_ERROR_MAX], type = silents[_i].type, nh = type != 0 ? ICMP6 : UDP;
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	int rc;

	world_init(&w);
	frame6(&f, silents[_i].src, silents[_i].dst, nh, 80);
	IP(f)[40] = type;
	switch (silents[_i].how) {
	case GROUP_MAC:
		f.b[0] |= 1;
		break;
	case FRAGMENT:
	case FRAGMENT_ICMP:
		IP(f)[6] = 44;
		memset(IP(f) + 40, 0, 8);
		IP(f)[40] = silents[_i].how == FRAGMENT ? UDP : ICMP6;
		IP(f)[43] = 8; /* offset 1 */
		break;
	case BEHIND_OPTIONS:
		IP(f)[6] = 60;
		memset(IP(f) + 40, 0, 8);
		IP(f)[40] = nh;
		IP(f)[48] = type;
		break;
	default:
		break;
	}
	in = frame_in(&f);
	rc = bh_icmp_error(&w.ic, &in, silents[_i].why, 1280, out, sizeof(out));
	if (silents[_i].answered)
		check_made(out, rc);
	else
		ck_assert_int_eq(rc, -EPERM);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_FORBIDDEN], !silents[_i].answered);
}
END_TEST

/* To a group only an option whose type begins with 10 is told of. */
START_TEST(option_to_group)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	frame6(&f, host, "ff02::1", UDP, 80);
	f.b[0] = 0x33;
	in = frame_in(&f);
	IP(f)[42] = 0x9e;
	ck_assert_int_gt(bh_icmp_error(&w.ic, &in, BH_ICMP_BAD_OPTION, 42, out, sizeof(out)), 0);
	IP(f)[42] = 0xde;
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_BAD_OPTION, 42, out, sizeof(out)),
		-EPERM);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_BAD_OPTION, 9999, out, sizeof(out)),
		-EPERM);
}
END_TEST

START_TEST(malformed)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	for (int i = 0; i < 4; i++) {
		frame6(&f, host, far, UDP, 60);
		switch (i) {
		case 0: IP(f)[0] = 0x40; break;
		case 1: IP(f)[5] = 21; break;
		case 2: f.len = ETH + 39; break;
		default: IP(f)[6] = 0; IP(f)[41] = 3; break; /* 32 bytes of options in 20 */
		}
		in = frame_in(&f);
		ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)),
			-EBADMSG);
	}
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_BAD], 4);
}
END_TEST

static void
echo_request(struct frame *f, const char *src, const char *dst, size_t len)
{
	uint16_t sum;

	frame6(f, src, dst, ICMP6, len);
	IP(*f)[0] = 0x6b; /* traffic class 0xb9, a flow label */
	IP(*f)[1] = 0x91;
	IP(*f)[40] = 128;
	memset(IP(*f) + 41, 0, 3);
	sum = sum6(IP(*f), 40, len);
	memcpy(IP(*f) + 42, &sum, 2);
}

START_TEST(echo)
{
	uint8_t out[2048];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	const uint8_t *ip;

	world_init(&w);
	for (size_t len = 48; len < 1501; len += 67) {
		echo_request(&f, host, "2001:db8:5::1", len);
		in = frame_in(&f);
		ip = check_made(out, bh_icmp_echo(&w.ic, &in, out, sizeof(out)));
		ck_assert_uint_eq(ip[4] << 8 | ip[5], len - 40);
		ck_assert_uint_eq(ip[0] << 8 | ip[1], 0x6b80);
		ck_addr(AF_INET6, ip + 8, "2001:db8:5::1");
		ck_addr(AF_INET6, ip + 24, host);
		ck_assert_uint_eq(ip[40], 129);
		ck_assert_mem_eq(ip + 44, IP(f) + 44, len - 44);
	}
	echo_request(&f, "fe80::9", "ff02::1", 64);
	f.b[0] = 0x33;
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), ETH + 64);
	ck_addr(AF_INET6, out + ETH + 8, "fe80::1");
	ck_assert_uint_eq(out[6], 0);
}
END_TEST

START_TEST(echo_refused)
{
	uint8_t out[2048];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	echo_request(&f, host, "2001:db8:5::2", 64);
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -EPERM);
	echo_request(&f, "::", "2001:db8:5::1", 64);
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -EPERM);
	echo_request(&f, host, "2001:db8:5::1", 64);
	f.b[0] = 0x33; /* a group's frame with a unicast packet */
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -EPERM);
	echo_request(&f, host, "2001:db8:5::1", 64);
	IP(f)[60]++;
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -EBADMSG);
	echo_request(&f, host, "2001:db8:5::1", 64);
	IP(f)[40] = 129;
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -ENOENT);
	IP(f)[6] = 44;
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -ENOENT);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_ECHO], 0);
}
END_TEST

/* ---- extension headers ---- */

/* Packets behind their 40 bytes: next header, then bytes. */
static const struct {
	const char *dst;
	uint8_t nh;
	uint8_t b[40];
	uint8_t len;
	int rc;
	uint8_t proto;
	uint32_t offset, nh_at;
	enum bh_ip6_verdict verdict;
	uint32_t problem;
	bool fragment, later;
} walks[] = {
	{"::9", UDP, {0}, 8, 0, UDP, 40, 6},
	{"::9", UDP, {0}, 0, 0, UDP, 40, 6},
	{"::9", 59, {0}, 0, 0, 59, 40, 6},
	{"::9", 0, {UDP, 0, 5, 2, 0, 0, 1, 0}, 8, 0, UDP, 48, 40},		/* router alert */
	{"::9", 0, {60, 0, 0, 0, 0, 0, 0, 0, UDP, 0, 1, 4}, 16, 0, UDP, 56, 48}, /* Pad1, PadN */
	{"::9", 0, {UDP, 0, 0x1e, 4}, 8, 0, UDP, 48, 40},			/* 00: skip */
	{"::9", 0, {UDP, 0, 0x5e, 4}, 8, 0, UDP, 48, 40, BH_IP6_DISCARD, 42},	/* 01 */
	{"::9", 60, {UDP, 0, 0x9e, 4}, 8, 0, UDP, 48, 40, BH_IP6_BAD_OPTION, 42}, /* 10 */
	{"::9", 60, {UDP, 0, 1, 0, 0xde, 2}, 8, 0, UDP, 48, 40, BH_IP6_BAD_OPTION, 44}, /* 11 */
	{"ff02::1", 60, {UDP, 0, 0xde, 4}, 8, 0, UDP, 48, 40, BH_IP6_DISCARD, 42},
	{"ff02::1", 60, {UDP, 0, 0x9e, 4}, 8, 0, UDP, 48, 40, BH_IP6_BAD_OPTION, 42},
	{"::9", 60, {UDP, 0, 1, 5}, 8, 0, UDP, 48, 40, BH_IP6_DISCARD, 42},	/* too long */
	{"::9", 60, {UDP, 0, 1, 3, 0, 0, 0, 1}, 8, 0, UDP, 48, 40, BH_IP6_DISCARD, 47},
	{"::9", 43, {UDP, 0, 0, 0}, 8, 0, UDP, 48, 40},
	{"::9", 43, {UDP, 0, 0, 1}, 8, 0, UDP, 48, 40, BH_IP6_BAD_HEADER, 42},
	{"::9", 60, {0, 0, 1, 4}, 16, 0, 0, 48, 40},	/* hop-by-hop not first: unknown */
	{"::9", 51, {UDP, 4}, 24, 0, UDP, 64, 40},
	{"::9", 44, {UDP, 0, 0, 1}, 8, 0, UDP, 48, 40, .fragment = true},
	{"::9", 44, {UDP, 0, 0, 0}, 8, 0, UDP, 48, 40},	/* atomic */
	{"::9", 44, {60, 0, 0, 8, 0, 0, 0, 0, UDP, 9}, 16, 0, 60, 48, 40, .fragment = true,
		.later = true},
	{"::9", 60, {UDP, 1}, 8, -EBADMSG},
	{"::9", 60, {UDP}, 1, -EBADMSG},
	{"::9", 44, {UDP}, 7, -EBADMSG},
	{"::9", 51, {UDP, 5}, 24, -EBADMSG},
};

START_TEST(extension_headers)
{
	struct bh_ip6_walk w;
	uint8_t *pkt = malloc(40 + walks[_i].len); /* its end is the heap's */

	memset(pkt, 0, 40);
	pkt[6] = walks[_i].nh;
	ck_assert_int_eq(inet_pton(AF_INET6, walks[_i].dst, pkt + 24), 1);
	memcpy(pkt + 40, walks[_i].b, walks[_i].len);
	ck_assert_int_eq(bh_ip6_walk(pkt, 40 + walks[_i].len, &w), walks[_i].rc);
	free(pkt);
	if (walks[_i].rc < 0)
		return;
	ck_assert_uint_eq(w.proto, walks[_i].proto);
	ck_assert_uint_eq(w.offset, walks[_i].offset);
	ck_assert_uint_eq(w.nh_at, walks[_i].nh_at);
	ck_assert_int_eq(w.verdict, walks[_i].verdict);
	ck_assert_uint_eq(w.problem, walks[_i].problem);
	ck_assert_int_eq(w.fragment, walks[_i].fragment);
	ck_assert_int_eq(w.first, !walks[_i].later);
}
END_TEST

START_TEST(too_short)
{
	struct bh_ip6_walk w;
	uint8_t pkt[40] = {0};

	ck_assert_int_eq(bh_ip6_walk(pkt, 39, &w), -EBADMSG);
	ck_assert_int_eq(bh_ip6_walk(pkt, 65576, &w), -EBADMSG);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("icmp6");
	TCase *tc = tcase_create("error");
	SRunner *r;
	int failed;

	tcase_add_loop_test(tc, errors, 0, N(kinds));
	tcase_add_test(tc, quotes);
	tcase_add_loop_test(tc, never_answered, 0, N(silents));
	tcase_add_test(tc, option_to_group);
	tcase_add_test(tc, malformed);
	suite_add_tcase(s, tc);
	tc = tcase_create("echo");
	tcase_add_test(tc, echo);
	tcase_add_test(tc, echo_refused);
	suite_add_tcase(s, tc);
	tc = tcase_create("extension headers");
	tcase_add_loop_test(tc, extension_headers, 0, N(walks));
	tcase_add_test(tc, too_short);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
