/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FIB in figures: lookups and updates a second, memory, and rte_lpm beside it.
 *
 * bench_fib [EAL options]; one lcore, about 200 MiB of EAL memory. Prefix lengths are spread about
 * as in a full Internet table of 2024 (58 % /24 or /48). "hit" looks up addresses under random
 * routes, "any" uniformly random ones. Updates report to a QSBR variable as in the router.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lpm.h>
#include <rte_rcu_qsbr.h>

#include "lib/fib/fib.h"

#define BURST 32
#define PROBES (1u << 20)
#define PASSES 8
#define LPM_ROUTES 100000

struct route {
	uint8_t addr[16];
	uint8_t plen;
};

static struct route *routes;
static uint32_t probe4[PROBES];
static uint8_t probe6[PROBES][16];
static struct rte_rcu_qsbr *qsbr;
static uint64_t seed = 0x9e3779b97f4a7c15;
static uint32_t sink;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static double
seconds(uint64_t from)
{
	return (double)(rte_get_tsc_cycles() - from) / rte_get_tsc_hz();
}

/* A length for one route of a full table: per mille of the table up to and with each length. */
static uint8_t
random_plen(int family)
{
	static const struct { uint16_t upto; uint8_t plen4, plen6; } dist[] = {
		{ 580, 24, 48 }, { 690, 23, 44 }, { 810, 22, 40 }, { 860, 21, 36 },
		{ 905, 20, 32 }, { 930, 19, 29 }, { 945, 18, 47 }, { 955, 17, 46 },
		{ 968, 16, 33 }, { 980, 28, 64 }, { 990, 30, 56 }, { 1000, 32, 128 },
	};
	uint32_t r = rnd() % 1000;
	unsigned int i = 0;

	while (r >= dist[i].upto)
		i++;
	return family == BH_FIB_IP4 ? dist[i].plen4 : dist[i].plen6;
}

static void
mask(struct route *r, unsigned int len)
{
	for (unsigned int i = r->plen; i < len * 8; i++)
		r->addr[i / 8] &= ~(0x80 >> i % 8);
}

static void
random_addr(uint8_t *addr)
{
	uint64_t v[2] = { rnd(), rnd() };

	memcpy(addr, v, sizeof(v));
}

/* IPv4 in 1/8 to 223/8; IPv6 in 128 blocks of /16 in 2000::/5. */
static void
make_routes(int family, uint32_t n)
{
	routes = realloc(routes, n * sizeof(*routes));
	for (uint32_t i = 0; i < n; i++) {
		struct route *r = &routes[i];

		random_addr(r->addr);
		r->plen = random_plen(family);
		if (family == BH_FIB_IP4) {
			r->addr[0] = 1 + r->addr[0] % 223;
		} else {
			r->addr[0] = 0x20 | (r->addr[0] & 7);
			r->addr[1] &= 0x0f;
		}
		mask(r, family == BH_FIB_IP4 ? 4 : 16);
	}
}

static void
make_probes(uint32_t n, bool hit)
{
	for (uint32_t i = 0; i < PROBES; i++) {
		const struct route *r = &routes[rnd() % n];
		uint8_t a[16];

		random_addr(a);
		for (unsigned int b = 0; hit && b < r->plen; b++)
			a[b / 8] = (a[b / 8] & ~(0x80 >> b % 8)) |
				(r->addr[b / 8] & 0x80 >> b % 8);
		memcpy(&probe4[i], a, sizeof(probe4[i]));
		memcpy(probe6[i], a, sizeof(probe6[i]));
	}
}

static void
bulk_pass(const struct bh_fib *fib, int family)
{
	const uint8_t *dst[BURST];
	uint32_t nh[BURST];

	for (uint32_t i = 0; i < PROBES; i += BURST) {
		if (family == BH_FIB_IP4) {
			bh_fib_lookup_bulk4(fib, &probe4[i], nh, BURST);
		} else {
			for (unsigned int j = 0; j < BURST; j++)
				dst[j] = probe6[i + j];
			bh_fib_lookup_bulk6(fib, dst, nh, BURST);
		}
		sink += nh[0];
	}
}

static void
single_pass(const struct bh_fib *fib, int family)
{
	for (uint32_t i = 0; i < PROBES; i++)
		sink += family == BH_FIB_IP4 ? bh_fib_lookup4(fib, probe4[i]) :
			bh_fib_lookup6(fib, probe6[i]);
}

static double
rate(void (*pass)(const struct bh_fib *, int), const struct bh_fib *fib, int family)
{
	uint64_t from = rte_get_tsc_cycles();

	for (unsigned int i = 0; i < PASSES; i++)
		pass(fib, family);
	return (double)PASSES * PROBES / seconds(from) / 1e6;
}

static void
bench_lookups(const struct bh_fib *fib, int family, const char *what)
{
	double bulk = rate(bulk_pass, fib, family);
	double single = rate(single_pass, fib, family);

	printf("  lookups, %s: bulk of %d %.1f M/s, single %.1f M/s\n", what, BURST, bulk, single);
}

static struct bh_fib *
make_fib(int family, uint32_t n)
{
	struct bh_fib_conf conf = { .name = "bench", .family = family, .max_routes = n + 10,
		.socket_id = SOCKET_ID_ANY, .qsbr = qsbr };
	struct bh_fib *fib = bh_fib_create(&conf);

	if (fib == NULL)
		rte_exit(EXIT_FAILURE, "no memory for a FIB\n");
	return fib;
}

static void
print_stats(const struct bh_fib *fib)
{
	struct bh_fib_stats s;

	bh_fib_stats(fib, &s);
	printf("  %u routes, %u nodes, %u leaves; nodes %.1f MiB, readers' memory %.1f MiB, "
		"writer's %.1f MiB\n", s.routes, s.nodes, s.leaves, s.node_bytes / 1048576.0,
		s.fast_bytes / 1048576.0, s.rib_bytes / 1048576.0);
}

static void
check(int rc)
{
	if (rc < 0)
		rte_exit(EXIT_FAILURE, "update: %s\n", strerror(-rc));
}

static void
bench_updates(struct bh_fib *fib, uint32_t n)
{
	uint64_t from = rte_get_tsc_cycles();
	uint32_t i, churn = RTE_MIN(n, 200000u);

	for (i = 0; i < n; i++) {
		check(bh_fib_set(fib, routes[i].addr, routes[i].plen, 1 + i % 500));
		if (i % 32 == 0)
			rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	printf("  set of new routes: %.0f k/s\n", n / seconds(from) / 1e3);
	from = rte_get_tsc_cycles();
	for (i = 0; i < churn; i++) {
		const struct route *r = &routes[rnd() % n];

		bh_fib_del(fib, r->addr, r->plen);
		check(bh_fib_set(fib, r->addr, r->plen, 1 + i % 500));
		if (i % 32 == 0)
			rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	printf("  deletion and set of a random route: %.0f k pairs/s\n",
		churn / seconds(from) / 1e3);
}

static void
time_change(struct bh_fib *fib, const char *what, const uint8_t *prefix, uint8_t plen)
{
	double t[3];

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t from = rte_get_tsc_cycles();

		check(i < 2 ? bh_fib_set(fib, prefix, plen, 777 + i) :
			bh_fib_del(fib, prefix, plen));
		t[i] = seconds(from) * 1e3;
		rte_rcu_qsbr_quiescent(qsbr, 0);
		while (bh_fib_reclaim(fib) != 0)
			rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	printf("  %s: set %.2f ms, other next hop %.2f ms, deletion %.2f ms\n", what, t[0], t[1],
		t[2]);
}

static void
bench_family(int family, uint32_t n)
{
	struct bh_fib *fib = make_fib(family, n);
	uint8_t zero[16] = { 0 };

	printf("IPv%d, %u random routes\n", family, n);
	make_routes(family, n);
	bench_updates(fib, n);
	print_stats(fib);
	make_probes(n, true);
	bench_lookups(fib, family, "hit");
	make_probes(n, false);
	bench_lookups(fib, family, "any");
	time_change(fib, "default route", zero, 0);
	bh_fib_destroy(fib);
}

/* 10/8 with all 65,536 /24 of it and 34,464 /28 in them. */
static void
bench_cover(void)
{
	const uint8_t ten[4] = { 10 };
	struct bh_fib *fib = make_fib(BH_FIB_IP4, 100001);

	printf("IPv4, 10/8 over 100,000 longer routes\n");
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t be = i < 65536 ? htobe32(10u << 24 | i << 8) :
			htobe32(10u << 24 | (i - 65536) << 8 | 0x40);

		check(bh_fib_set(fib, &be, i < 65536 ? 24 : 28, 1 + i % 500));
		rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	time_change(fib, "nothing left to cover", ten, 8);
	for (uint32_t i = 0; i < 65536; i += 2) {
		uint32_t be = htobe32(10u << 24 | i << 8);

		check(bh_fib_del(fib, &be, 24));
		rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	time_change(fib, "every other /24 to cover", ten, 8);
	bh_fib_destroy(fib);
}

static void
bench_lpm(uint32_t n)
{
	struct rte_lpm_config conf = { .max_rules = n, .number_tbl8s = 16384 };
	struct rte_lpm *lpm = rte_lpm_create("bench", SOCKET_ID_ANY, &conf);
	uint32_t nh[BURST], host[BURST], failed = 0;
	uint64_t from;

	if (lpm == NULL) {
		printf("rte_lpm: no memory\n");
		return;
	}
	printf("rte_lpm, %u random IPv4 routes\n", n);
	make_routes(BH_FIB_IP4, n);
	from = rte_get_tsc_cycles();
	for (uint32_t i = 0; i < n; i++) {
		uint32_t be;

		memcpy(&be, routes[i].addr, sizeof(be));
		failed += rte_lpm_add(lpm, be32toh(be), routes[i].plen, 1 + i % 500) < 0;
	}
	printf("  set of new routes: %.0f k/s (%u failed)\n", n / seconds(from) / 1e3, failed);
	make_probes(n, true);
	from = rte_get_tsc_cycles();
	for (uint32_t i = 0; i < PROBES * PASSES; i += BURST) {
		for (unsigned int j = 0; j < BURST; j++)
			host[j] = be32toh(probe4[(i + j) % PROBES]);
		rte_lpm_lookup_bulk(lpm, host, nh, BURST);
		sink += nh[0];
	}
	printf("  lookups, hit: bulk of %d %.1f M/s\n", BURST,
		(double)PASSES * PROBES / seconds(from) / 1e6);
	rte_lpm_free(lpm);
}

int
main(int argc, char **argv)
{
	if (rte_eal_init(argc, argv) < 0)
		return EXIT_FAILURE;
	qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, rte_rcu_qsbr_get_memsize(1));
	if (qsbr == NULL || rte_rcu_qsbr_init(qsbr, 1) != 0)
		rte_exit(EXIT_FAILURE, "no memory\n");
	rte_rcu_qsbr_thread_register(qsbr, 0);
	rte_rcu_qsbr_thread_online(qsbr, 0);
	bench_family(BH_FIB_IP4, 100000);
	bench_family(BH_FIB_IP4, 1000000);
	bench_family(BH_FIB_IP6, 20000);
	bench_family(BH_FIB_IP6, 200000);
	bench_cover();
	bench_lpm(LPM_ROUTES);
	free(routes);
	free(qsbr);
	rte_eal_cleanup();
	return sink == 0xdeadbeef; /* the lookups' results are used */
}
