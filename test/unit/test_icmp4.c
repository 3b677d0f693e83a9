/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "modules/v6stack/icmp4.h"
#include "test/unit/icmp_util.h"

#define UDP 17
#define ICMP 1
#define IP(f) ((f).b + ETH)

/* What holds for each packet made: lengths, checksums, MACs. */
static const uint8_t *
check_made(const uint8_t *out, int len)
{
	const uint8_t *ip = out + ETH;

	ck_assert_int_ge(len, ETH + 28);
	ck_assert_mem_eq(out, host_mac, 6);
	ck_assert_mem_eq(out + 6, router_mac, 6);
	ck_assert_uint_eq(out[12] << 8 | out[13], 0x0800);
	ck_assert_uint_eq(ip[0], 0x45);
	ck_assert_int_eq(ip[2] << 8 | ip[3], len - ETH);
	ck_assert_uint_eq(ip[9], ICMP);
	ck_assert_uint_eq(bh_cksum_fold(bh_cksum_add(0, ip, 20)), 0);
	ck_assert_uint_eq(bh_cksum_fold(bh_cksum_add(0, ip + 20, len - ETH - 20)), 0);
	return ip;
}

static const struct {
	enum bh_icmp_why why;
	uint32_t value;
	uint8_t type, code, rest[4];
} kinds[] = {
	{BH_ICMP_TTL, 9, 11, 0, {0}},
	{BH_ICMP_NO_ROUTE, 9, 3, 0, {0}},
	{BH_ICMP_UNREACHABLE, 9, 3, 1, {0}},
	{BH_ICMP_NO_NEIGHBOR, 9, 3, 1, {0}},
	{BH_ICMP_PROHIBIT, 9, 3, 13, {0}},
	{BH_ICMP_TOO_BIG, 1400, 3, 4, {0, 0, 0x05, 0x78}},
	{BH_ICMP_TOO_BIG, 100000, 3, 4, {0, 0, 0xff, 0xff}},
	{BH_ICMP_NO_PORT, 9, 3, 3, {0}},
	{BH_ICMP_NO_PROTOCOL, 9, 3, 2, {0}},
	{BH_ICMP_BAD_HEADER, 20, 12, 0, {20, 0, 0, 0}},
};

START_TEST(errors)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	const uint8_t *ip;

	world_init(&w);
	frame4(&f, "192.0.2.7", "198.51.100.9", UDP, 100);
	in = frame_in(&f);
	ip = check_made(out, bh_icmp_error(&w.ic, &in, kinds[_i].why, kinds[_i].value, out,
		sizeof(out)));
	ck_assert_uint_eq(ip[1], 0xc0);
	ck_assert_uint_eq(ip[8], 64);
	ck_addr(AF_INET, ip + 12, "10.0.3.1");
	ck_addr(AF_INET, ip + 16, "192.0.2.7");
	ck_assert_uint_eq(ip[20], kinds[_i].type);
	ck_assert_uint_eq(ip[21], kinds[_i].code);
	ck_assert_mem_eq(ip + 24, kinds[_i].rest, 4);
	ck_assert_int_eq(ip[2] << 8 | ip[3], 28 + 100);
	ck_assert_mem_eq(ip + 28, IP(f), 100);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_ERROR], 1);
}
END_TEST

/* 576 bytes at most; padding of the frame is no part of the packet. */
START_TEST(quotes)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	frame4(&f, "192.0.2.7", "198.51.100.9", UDP, 1500);
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)), ETH + 576);
	check_made(out, ETH + 576);
	ck_assert_mem_eq(out + ETH + 28, IP(f), 576 - 28);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, ETH + 575), -EMSGSIZE);
	frame4(&f, "192.0.2.7", "198.51.100.9", UDP, 28);
	f.len = 60;
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)), ETH + 56);
}
END_TEST

/* A packet to an address of ours is answered from that one; none without an address. */
START_TEST(sources)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	frame4(&f, "192.0.2.7", "10.0.8.1", UDP, 60);
	in = frame_in(&f);
	check_made(out, bh_icmp_error(&w.ic, &in, BH_ICMP_NO_PORT, 0, out, sizeof(out)));
	ck_addr(AF_INET, out + ETH + 12, "10.0.8.1");
	frame4(&f, "192.0.2.7", "198.51.100.9", UDP, 60);
	w.no_source = true;
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)),
		-EADDRNOTAVAIL);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_NO_SOURCE], 1);
}
END_TEST

struct silent {
	const char *src, *dst;
	uint8_t proto, type;	/* of ICMP */
	uint16_t frag;
	bool group_mac;
	bool answered;
};

static const struct silent silents[] = {
	{"192.0.2.7", "198.51.100.9", UDP, .answered = true},
	{"192.0.2.7", "198.51.100.9", UDP, .frag = 0x2000, .answered = true}, /* first fragment */
	{"192.0.2.7", "198.51.100.9", UDP, .frag = 0x2001},
	{"192.0.2.7", "198.51.100.9", UDP, .frag = 0x00ff},
	{"192.0.2.7", "198.51.100.9", UDP, .group_mac = true},
	{"192.0.2.7", "224.0.0.5", UDP},
	{"192.0.2.7", "255.255.255.255", UDP},
	{"192.0.2.7", "10.0.3.255", UDP},
	{"0.0.0.0", "198.51.100.9", UDP},
	{"0.1.2.3", "198.51.100.9", UDP},
	{"127.0.0.1", "198.51.100.9", UDP},
	{"224.0.0.1", "198.51.100.9", UDP},
	{"240.0.0.1", "198.51.100.9", UDP},
	{"255.255.255.255", "198.51.100.9", UDP},
	{"10.0.3.255", "198.51.100.9", UDP},
	{"169.254.1.1", "198.51.100.9", UDP},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 0, .answered = true},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 8, .answered = true},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 13, .answered = true},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 3},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 4},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 5},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 11},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 12},
	{"192.0.2.7", "198.51.100.9", ICMP, .type = 200},
};

/* RFC 1812 §4.3.2.7. */
START_TEST(never_answered)
{
	const struct silent *s = &silents[_i];
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	int rc;

	world_init(&w);
	frame4(&f, s->src, s->dst, s->proto, 60);
	IP(f)[20] = s->type;
	IP(f)[6] = s->frag >> 8;
	IP(f)[7] = s->frag & 0xff;
	resum4(&f);
	if (s->group_mac)
		memset(f.b, 0xff, 6);
	in = frame_in(&f);
	rc = bh_icmp_error(&w.ic, &in, BH_ICMP_NO_ROUTE, 0, out, sizeof(out));
	if (s->answered)
		check_made(out, rc);
	else
		ck_assert_int_eq(rc, -EPERM);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_FORBIDDEN], !s->answered);
}
END_TEST

/* An ICMP packet cut before its type may be an error. */
START_TEST(icmp_without_type)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	frame4(&f, "192.0.2.7", "198.51.100.9", ICMP, 20);
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)), -EPERM);
}
END_TEST

START_TEST(malformed)
{
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	for (int i = 0; i < 6; i++) {
		frame4(&f, "192.0.2.7", "198.51.100.9", UDP, 60);
		switch (i) {
		case 0: IP(f)[0] = 0x65; break;
		case 1: IP(f)[0] = 0x44; break;
		case 2: IP(f)[0] = 0x4f; IP(f)[3] = 59; break;
		case 3: IP(f)[3] = 61; break;
		case 4: f.len = ETH + 19; break;
		default: break;
		}
		resum4(&f);
		if (i == 5)
			IP(f)[10]++;
		in = frame_in(&f);
		ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)),
			-EBADMSG);
	}
	in.len = 5;
	ck_assert_int_eq(bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out)), -EBADMSG);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_BAD], 7);
}
END_TEST

START_TEST(limited)
{
	const struct bh_ratelimit_conf conf = {.rate = 10, .burst = 5, .peer_rate = 10,
		.peer_burst = 3};
	uint8_t out[BH_ICMP_ERROR_MAX];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	int made = 0;

	world_init(&w);
	bh_ratelimit_set(&w.limit, &conf);
	frame4(&f, "192.0.2.7", "198.51.100.9", UDP, 60);
	in = frame_in(&f);
	for (int i = 0; i < 100; i++) {
		int rc = bh_icmp_error(&w.ic, &in, BH_ICMP_TTL, 0, out, sizeof(out));

		ck_assert(rc > 0 || rc == -EBUSY);
		made += rc > 0;
	}
	ck_assert_int_eq(made, 3);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_LIMITED], 97);
}
END_TEST

static void
echo_request(struct frame *f, const char *src, const char *dst, size_t len)
{
	uint16_t sum;

	frame4(f, src, dst, ICMP, len);
	IP(*f)[1] = 0xb9; /* a DSCP, and ECT(1) */
	IP(*f)[20] = 8;
	memset(IP(*f) + 21, 0, 3);
	sum = bh_cksum_fold(bh_cksum_add(0, IP(*f) + 20, len - 20));
	memcpy(IP(*f) + 22, &sum, 2);
	resum4(f);
}

START_TEST(echo)
{
	uint8_t out[2048];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;
	const uint8_t *ip;

	world_init(&w);
	for (size_t len = 28; len < 1501; len += 67) {
		echo_request(&f, "192.0.2.7", "10.0.5.1", len);
		in = frame_in(&f);
		ip = check_made(out, bh_icmp_echo(&w.ic, &in, out, sizeof(out)));
		ck_assert_uint_eq(ip[2] << 8 | ip[3], len);
		ck_assert_uint_eq(ip[1], 0xb8);
		ck_addr(AF_INET, ip + 12, "10.0.5.1");
		ck_addr(AF_INET, ip + 16, "192.0.2.7");
		ck_assert_uint_eq(ip[20], 0);
		ck_assert_uint_eq(ip[21], 0);
		ck_assert_mem_eq(ip + 24, IP(f) + 24, len - 24);
		ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, ETH + len - 1), -EMSGSIZE);
	}
}
END_TEST

/* What is not ours to answer: another stack's, or nobody's. */
START_TEST(echo_refused)
{
	static const struct {
		const char *src, *dst;
		int rc;
	} who[] = {
		{"192.0.2.7", "10.0.5.2", -EPERM},     {"192.0.2.7", "10.0.5.255", -EPERM},
		{"192.0.2.7", "224.0.0.1", -EPERM},    {"0.0.0.0", "10.0.5.1", -EPERM},
		{"10.0.5.255", "10.0.5.1", -EPERM},    {"127.0.0.1", "10.0.5.1", -EPERM},
	};
	uint8_t out[2048];
	struct frame f;
	struct world w;
	struct bh_icmp_in in;

	world_init(&w);
	for (unsigned int i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
		echo_request(&f, who[i].src, who[i].dst, 84);
		in = frame_in(&f);
		ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), who[i].rc);
	}
	echo_request(&f, "192.0.2.7", "10.0.5.1", 84);
	IP(f)[6] = 0x20; /* a fragment */
	resum4(&f);
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -ENOENT);
	echo_request(&f, "192.0.2.7", "10.0.5.1", 84);
	IP(f)[50]++;
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -EBADMSG);
	frame4(&f, "192.0.2.7", "10.0.5.1", UDP, 84);
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -ENOENT);
	frame4(&f, "192.0.2.7", "10.0.5.1", ICMP, 84); /* a reply, to the kernel's ping */
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -ENOENT);
	frame_eth(&f, 0x0806);
	f.len = 60;
	in = frame_in(&f);
	ck_assert_int_eq(bh_icmp_echo(&w.ic, &in, out, sizeof(out)), -ENOENT);
	ck_assert_uint_eq(w.ic.count[BH_ICMP_N_ECHO], 0);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("icmp4");
	TCase *tc = tcase_create("error");
	SRunner *r;
	int failed;

	tcase_add_loop_test(tc, errors, 0, N(kinds));
	tcase_add_test(tc, quotes);
	tcase_add_test(tc, sources);
	tcase_add_loop_test(tc, never_answered, 0, N(silents));
	tcase_add_test(tc, icmp_without_type);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, limited);
	suite_add_tcase(s, tc);
	tc = tcase_create("echo");
	tcase_add_test(tc, echo);
	tcase_add_test(tc, echo_refused);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
