/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The info base through libbulkhead: a client process, a core process with main and one worker.
 *
 * `_1cpu`: client, main and worker share one CPU, all block. Otherwise main and worker share one,
 * the client has the other: the plan of a machine with two CPUs. `_apart`: the worker shares the
 * client's CPU instead. References as in bench_calls.
 *
 * bench_infobase [watch | add | get | dump | idle]; get and dump need the records of add.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client/bulkhead.h"
#include "lib/stats/stats.h"
#include "test/bench/core_proc.h"
#include "test/bench/ib_proc.h"
#include "test/bench/peer.h"
#include "test/bench/report.h"

#define CORE_CPU 0
#define CLIENT_CPU 1
#define ROUNDS 21
#define ROUND_MS 20
#define WINDOW 500u
#define RECORDS 1000000u
#define ADDS 25000u    /* of one round */
#define GETS 20000u    /* of one batch */
#define WATCHERS 8
#define WATCHED 20000u /* records that change in one round */
#define IDLE_S 10
#define TRIPS 64

static struct ib_proc core;
static struct bh_handle *owner;

static void
fail(const char *what)
{
	fprintf(stderr, "bench_infobase: %s\n", what);
	exit(1);
}

static bool scattered;

/* The ith of 2^24 distinct /24: in order, as a routing process replays its table, or scattered. */
static struct bh_route4_key
key_of(uint32_t i)
{
	uint32_t be = htonl((scattered ? i * 2654435761u & 0xffffff : i + 0x100000) << 8);
	struct bh_route4_key k = {.plen = 24};

	memcpy(k.addr, &be, sizeof(be));
	return k;
}

static void
done(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)body;
	(void)len;
	if (msg->status != 0)
		fail(strerror(-msg->status));
	++*(uint32_t *)arg;
}

/* Requests for records first .. first + n - 1, WINDOW under way. metric: of added routes. */
static void
many(uint8_t verb, uint32_t first, uint32_t n, uint32_t metric)
{
	struct {
		struct bh_route4_key key;
		struct bh_route val;
	} req = {.val = {.nh = IB_NEXTHOP, .proto = BH_RP_STATIC, .metric = metric}};
	size_t len = verb == BH_V_ADD ? sizeof(req) : sizeof(req.key);
	uint32_t sent = 0, got = 0;

	while (got < n) {
		while (sent < n && sent - got < WINDOW) {
			req.key = key_of(first + sent);
			if (bh_submit(owner, verb, BH_T_ROUTE4, 0, &req, len, done, &got) != 0)
				break;
			sent++;
		}
		if (bh_poll(owner, -1) < 0)
			fail("the connection was lost");
	}
}

static double
rate_of(uint32_t n, uint64_t start)
{
	return n * 1e9 / (report_now_ns() - start);
}

/* ---- watches ---- */

static void
seen(void *arg, const struct bh_change *c)
{
	if (c->op == BH_OP_PUT)
		++*(uint64_t *)arg;
	else if (c->op == BH_OP_RESYNC)
		fail("a watcher fell behind");
}

/* All watchers are one process: what each has, it has by its own channel. */
static void
wait_watchers(struct bh_handle **h, const uint64_t *n, uint64_t want)
{
	bool all;

	do {
		all = true;
		for (unsigned int i = 0; i < WATCHERS; i++) {
			if (n[i] < want && bh_poll(h[i], 0) < 0)
				fail("a watcher was lost");
			all &= n[i] >= want;
		}
	} while (!all);
}

static void
watch_rate(void)
{
	struct report_rounds r = {0};
	struct bh_handle *h[WATCHERS];
	uint64_t n[WATCHERS] = {0};

	report_progress("%u watchers", WATCHERS);
	for (unsigned int i = 0; i < WATCHERS; i++) {
		h[i] = ib_open_reader(&core);
		if (bh_watch(h[i], BH_T_ROUTE4, seen, &n[i]) != 0)
			fail("a watch");
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t start = report_now_ns();

		many(BH_V_ADD, 0, WATCHED, i + 1);
		wait_watchers(h, n, (i + 1) * (uint64_t)WATCHED);
		report_round(&r, rate_of(WATCHED * WATCHERS, start), 0);
	}
	report_target("watch_rate", "1/s", &r, 1e6);
	for (unsigned int i = 0; i < WATCHERS; i++)
		bh_close(h[i]);
}

/* ---- adding, reading ---- */

/* us from the answer to the last of a round's adds until the FIB has it. */
static double
published_us(uint32_t last)
{
	struct bh_route4_key k = key_of(last);
	uint64_t start = report_now_ns();
	uint32_t addr;

	memcpy(&addr, k.addr, sizeof(addr));
	while (ib_fib_lookup(&core, addr) != IB_NEXTHOP)
		if (report_now_ns() - start > 10000000000)
			fail("a route is not published");
	return (report_now_ns() - start) / 1e3;
}

static void
add_throughput(void)
{
	struct report_rounds rate = {0}, published = {0}, other = {0}, apart = {0};

	report_progress("%u routes", RECORDS);
	for (uint32_t at = 0; at < RECORDS; at += ADDS) {
		uint64_t start = report_now_ns();

		many(BH_V_ADD, at, ADDS, 10000);
		report_round(&rate, rate_of(ADDS, start), 0);
		report_round(&published, published_us(at + ADDS - 1), 0);
	}
	report_target("add_throughput", "1/s", &rate, 1e6);
	report_target("add_published", "us", &published, 10000);
	scattered = true;
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t start = report_now_ns();

		many(BH_V_ADD, i * ADDS, ADDS, 10001);
		report_round(&other, rate_of(ADDS, start), 0);
	}
	scattered = false;
	report_rounds("add_throughput_scattered", "1/s", &other, NULL);
	ib_pin_worker(&core, CLIENT_CPU);
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t start = report_now_ns();

		many(BH_V_ADD, RECORDS + i * ADDS, ADDS, 10000);
		report_round(&apart, rate_of(ADDS, start), 0);
	}
	ib_pin_worker(&core, CORE_CPU);
	report_rounds("add_throughput_apart", "1/s", &apart, NULL);
}

static void
get_throughput(void)
{
	struct report_rounds sock = {0}, r = {0}, apart = {0};

	report_progress("pipelined gets");
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t start = report_now_ns();
		double rate;

		many(BH_V_GET, i * 1000 % (RECORDS - GETS), GETS, 0);
		rate = rate_of(GETS, start);
		report_round(&sock, rate, peer_measure(PEER_SOCKET_MANY, ROUND_MS));
		report_round(&r, rate, 0);
	}
	report_rounds("get_throughput", "1/s", &sock, "pipelined_seqpacket_socket");
	report_target("get_throughput_target", "1/s", &r, 2e6);
	ib_pin_worker(&core, CLIENT_CPU);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t start = report_now_ns();

		many(BH_V_GET, i * 1000 % (RECORDS - GETS), GETS, 0);
		report_round(&apart, rate_of(GETS, start), 0);
	}
	ib_pin_worker(&core, CORE_CPU);
	report_rounds("get_throughput_apart", "1/s", &apart, NULL);
}

/* The handle is opened on one CPU only: it does not spin. */
static void
get_rtt(const char *name)
{
	struct bh_handle *h = ib_open_reader(&core);
	struct report_rounds r = {0};
	double ns[256];

	report_progress("%s", name);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t end = report_now_ns() + ROUND_MS * UINT64_C(1000000);
		unsigned int n = 0;

		do {
			uint64_t start = report_now_ns();

			for (uint32_t k = 0; k < TRIPS; k++) {
				struct bh_route4_key key = key_of(k * 5003);
				struct bh_route val;
				size_t len = sizeof(val);

				if (bh_get(h, BH_T_ROUTE4, &key, &val, &len) != 0)
					fail("a get");
			}
			ns[n++] = (double)(report_now_ns() - start) / TRIPS;
		} while (report_now_ns() < end && n < 256);
		report_round(&r, report_median(ns, n), peer_measure(PEER_PIPE, ROUND_MS));
	}
	report_rounds(name, "ns", &r, "pipe");
	bh_close(h);
}

static void
count_record(void *arg, const struct bh_change *c)
{
	(void)c;
	++*(uint32_t *)arg;
}

static void
dump_rate(void)
{
	struct report_rounds rate = {0}, s = {0};

	report_progress("dumps of %u records", RECORDS);
	for (unsigned int i = 0; i < 5; i++) {
		uint64_t start = report_now_ns();
		uint32_t n = 0;

		if (bh_dump(owner, BH_V_DUMP, BH_T_ROUTE4, count_record, &n) != 0 || n < RECORDS)
			fail("a dump");
		report_round(&rate, rate_of(n, start), 0);
		report_round(&s, (report_now_ns() - start) / 1e9, 0);
	}
	report_target("dump_rate", "1/s", &rate, 1e6);
	report_target("dump_time", "s", &s, 1);
}

/* Percent of a CPU that worker and main take while clients are connected and silent. */
static void
idle_cpu(void)
{
	const struct bh_stats *stats = bh_stats_map(owner, NULL);
	int worker = stats->lcore[IB_LCORE_WORKER].tid, ib_main = stats->lcore[IB_LCORE_MAIN].tid;
	struct report_rounds w = {0}, m = {0};
	uint64_t at, ns[2];

	report_progress("idle for %u s", IDLE_S);
	sleep(1);
	at = report_now_ns();
	ns[0] = cpu_ns(worker);
	ns[1] = cpu_ns(ib_main);
	sleep(IDLE_S);
	at = report_now_ns() - at;
	report_round(&w, (cpu_ns(worker) - ns[0]) * 100.0 / at, 0);
	report_round(&m, (cpu_ns(ib_main) - ns[1]) * 100.0 / at, 0);
	report_target("idle_cpu", "%", &w, 1);
	report_target("idle_cpu_main", "%", &m, 1);
}

static bool
wanted(const char *only, const char *part)
{
	return only == NULL || strcmp(only, part) == 0;
}

static void
get_rtts(void)
{
	get_rtt("get_rtt_2cpu");
	ib_pin(&core, CLIENT_CPU);
	peer_pin(CLIENT_CPU);
	get_rtt("get_rtt_1cpu");
	ib_pin(&core, CORE_CPU);
	peer_pin(CORE_CPU);
}

int
main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;

	report_begin("infobase");
	peer_start(CORE_CPU);
	ib_start(&core, CORE_CPU);
	/* A handle that is opened with several CPUs allowed spins before it sleeps. */
	owner = ib_open_owner(&core);
	pin_self(CLIENT_CPU);
	if (wanted(only, "watch"))
		watch_rate();
	if (only == NULL || strcmp(only, "watch") != 0)
		add_throughput();
	if (wanted(only, "get")) {
		get_throughput();
		get_rtts();
	}
	if (wanted(only, "dump"))
		dump_rate();
	if (wanted(only, "idle"))
		idle_cpu();
	bh_close(owner);
	ib_stop(&core);
	peer_stop();
	report_end();
	return 0;
}
