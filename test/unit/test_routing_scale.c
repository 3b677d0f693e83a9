/* SPDX-License-Identifier: BSD-3-Clause */
/* 100,000 IPv4 and 20,000 IPv6 static routes: replayed, moved, withdrawn; prints CPU times. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "routing_fake.h"

#define N4 100000
#define N6 20000
#define WINDOW 512
#define CPU_MAX 20.0 /* s; far above what it takes, for slow and sanitized builds */

/* A base that only answers: ids by count, in order, WINDOW under way. */
static struct {
	bh_reply_fn cb;
	void *arg;
	struct bh_msg msg;
	uint32_t id;
} window[WINDOW];
static unsigned int head, tail;
static unsigned int n_routes, n_nexthops, n_ready;
static uint32_t next_id;

static int
sink_submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	(void)ctx;
	(void)aux;
	(void)body;
	(void)len;
	if (head - tail == WINDOW)
		return -EAGAIN;
	window[head % WINDOW].cb = cb;
	window[head % WINDOW].arg = arg;
	window[head % WINDOW].msg = (struct bh_msg){ .verb = verb, .table = table };
	window[head % WINDOW].id = table == BH_T_NEXTHOP && verb == BH_V_ADD ? ++next_id : 0;
	head++;
	n_routes += table != BH_T_NEXTHOP && (verb == BH_V_ADD || verb == BH_V_DELETE);
	n_nexthops += table == BH_T_NEXTHOP && verb == BH_V_ADD;
	return 0;
}

static void
sink_ready(void *ctx)
{
	(void)ctx;
	n_ready++;
}

static void
sink_run(struct fake *f)
{
	do {
		for (; tail != head; tail++)
			window[tail % WINDOW].cb(window[tail % WINDOW].arg,
				&window[tail % WINDOW].msg, &window[tail % WINDOW].id, 4);
		ck_assert_int_eq(bh_routing_commit(&f->r), 0);
	} while (head != tail);
	ck_assert(bh_output_idle(&f->r.out));
}

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
phase(struct fake *f, const char *what, double start)
{
	double t;

	sink_run(f);
	t = cpu() - start;
	printf("%-32s %.3f s CPU, %u route requests, %u next hops added\n", what, t, n_routes,
		n_nexthops);
	fflush(stdout);
	ck_assert(t < CPU_MAX);
	n_routes = n_nexthops = 0;
}

static void
put_routes(struct fake *f, const struct bh_cfg_route *rec, unsigned int gateways)
{
	const size_t len = offsetof(struct bh_cfg_route, hop) + rec->n * sizeof(rec->hop[0]);
	struct bh_cfg_route r = *rec;
	unsigned int i;

	for (i = 0; i < N4; i++) {
		struct bh_cfg_route4_key k = { .plen = 24 };
		uint32_t a = htonl(0x14000000 + (i << 8));

		memcpy(k.addr, &a, 4);
		r.hop[0].addr[3] = 2 + i % gateways;
		fake_change(f, BH_T_CFG_ROUTE4, BH_OP_PUT, &k, &r, len);
	}
	for (i = 0; i < N6; i++) {
		struct bh_cfg_route6_key k = { .addr = { 0x20, 1, 0xd, 0xb8, i >> 8, i }, .plen = 48 };
		struct bh_cfg_route via = { .type = BH_NH_GROUP, .n = 1, .preference = 5 };

		strcpy(via.hop[0].name, "eth1");
		via.hop[0].family = 6;
		via.hop[0].addr[0] = 0xfe;
		via.hop[0].addr[1] = 0x80;
		via.hop[0].addr[15] = 2 + i % gateways;
		fake_change(f, BH_T_CFG_ROUTE6, BH_OP_PUT, &k, &via, len);
	}
}

START_TEST(test_scale)
{
	static const struct bh_out_ops ops = { sink_submit, sink_ready };
	struct bh_cfg_route rec = { .type = BH_NH_GROUP, .n = 1, .preference = 5 };
	struct fake *f = fake_new();
	double start = cpu();

	f->r.out.ops = &ops;
	fake_do(f, "if 1 eth1 up; addr eth1 10.0.1.1/24; if 2 eth2 up; addr eth2 10.0.2.1/24");
	/* IPv4 recursive through 172.16.0.x, itself through 10.0.1.2. */
	fake_do(f, "route 172.16.0.0/16 5 10.0.1.2");
	rec.hop[0].family = 4;
	memcpy(rec.hop[0].addr, "\xac\x10\0", 3);
	put_routes(f, &rec, _i == 0 ? 1 : 200);
	fake_inputs_ready(f);
	phase(f, "replay", start);
	ck_assert_uint_eq(n_ready, 1);
	ck_assert_uint_eq(f->r.rib.routes[0].n, N4 + 5);
	start = cpu();
	fake_do(f, "route 172.16.0.0/16 5 10.0.2.2");
	phase(f, "a covering route moves", start);
	start = cpu();
	fake_do(f, "route 198.51.100.0/24 5 10.0.2.2");
	sink_run(f);
	ck_assert_uint_eq(n_routes, 1);
	phase(f, "one route more", start);
	start = cpu();
	fake_do(f, "if 2 eth2 down; if 1 eth1 down");
	sink_run(f);
	ck_assert_uint_eq(n_routes, N4 + N6 + 6);
	phase(f, "both interfaces down", start);
	start = cpu();
	fake_do(f, "if 2 eth2 up; if 1 eth1 up");
	sink_run(f);
	ck_assert_uint_eq(n_routes, N4 + N6 + 6);
	phase(f, "both interfaces up", start);
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing_scale");
	TCase *tc = tcase_create("scale");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_scale, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
