/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FIB with readers at work. Two readers look up addresses whose longest route never changes, while
 * the writer changes shorter, longer and neighbouring routes around them in little memory, so that
 * freed nodes are used again at once: a hole, a torn update or a node freed too early gives a wrong
 * answer. And one thread alone: what a reader may still see is not freed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <rte_rcu_qsbr.h>

#include "test/unit/fib_util.h"

#define READERS 2
#define STABLE 64
#define BURST 32
#define MS 1000		/* a run */
#define MS_LIMIT 10000	/* on a loaded machine */
#define CHANGES 1000	/* at least */

static struct {
	struct bh_fib *fib;
	struct rte_rcu_qsbr *qsbr;
	int family;
	unsigned int stable_len;
	addr_t stable[STABLE];	/* its route has stable_len bits and next hop 1000 + i */
	int stop;
	uint64_t lookups[READERS];
	uint64_t wrong[READERS];
} t;

static void
start(int family, uint32_t max_nodes)
{
	struct bh_fib_conf conf = { .name = "rcu", .family = family, .max_routes = 10000,
		.max_nodes = max_nodes, .socket_id = SOCKET_ID_ANY };
	size_t size = rte_rcu_qsbr_get_memsize(READERS);

	memset(&t, 0, sizeof(t));
	t.family = family;
	t.stable_len = family == BH_FIB_IP4 ? 26 : 62;
	t.qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	ck_assert_ptr_nonnull(t.qsbr);
	ck_assert_int_eq(rte_rcu_qsbr_init(t.qsbr, READERS), 0);
	conf.qsbr = t.qsbr;
	t.fib = bh_fib_create(&conf);
	ck_assert_ptr_nonnull(t.fib);
}

static void
finish(void)
{
	bh_fib_destroy(t.fib);
	free(t.qsbr);
}

static uint32_t
rnd(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 32) % n;
}

static void
lookup_burst(const addr_t *addr, uint32_t *nh)
{
	uint8_t b[BURST][16];
	const uint8_t *dst6[BURST];
	uint32_t dst4[BURST];

	for (unsigned int i = 0; i < BURST; i++) {
		addr_store(addr[i], b[i]);
		memcpy(&dst4[i], b[i], sizeof(dst4[i]));
		dst6[i] = b[i];
	}
	if (t.family == BH_FIB_IP4)
		bh_fib_lookup_bulk4(t.fib, dst4, nh, BURST);
	else
		bh_fib_lookup_bulk6(t.fib, dst6, nh, BURST);
}

static void *
reader(void *arg)
{
	unsigned int id = (unsigned int)(uintptr_t)arg;
	uint64_t seed = 88172645463325252 + id;
	uint32_t want[BURST], nh[BURST];
	addr_t addr[BURST];

	rte_rcu_qsbr_thread_register(t.qsbr, id);
	rte_rcu_qsbr_thread_online(t.qsbr, id);
	while (!__atomic_load_n(&t.stop, __ATOMIC_RELAXED)) {
		for (unsigned int i = 0; i < BURST; i++) {
			uint32_t s = rnd(&seed, STABLE);

			addr[i] = t.stable[s];
			want[i] = 1000 + s;
		}
		lookup_burst(addr, nh);
		for (unsigned int i = 0; i < BURST; i++) {
			t.wrong[id] += nh[i] != want[i];
			t.wrong[id] += fib_lookup(t.fib, t.family, addr[i]) != want[i];
		}
		t.lookups[id] += 2 * BURST;
		rte_rcu_qsbr_quiescent(t.qsbr, id);
	}
	rte_rcu_qsbr_thread_offline(t.qsbr, id);
	rte_rcu_qsbr_thread_unregister(t.qsbr, id);
	return NULL;
}

/* Stable routes lie close together: eight to a /20 or /56, so their nodes are shared. */
static void
add_stable(void)
{
	addr_t base = t.family == BH_FIB_IP4 ? addr_of("10.0.0.0") : addr_of("2001:db8::");
	unsigned int wide = t.stable_len - 6;

	for (unsigned int i = 0; i < STABLE; i++) {
		addr_t p = base | (addr_t)(i / 8 * 37) << (128 - wide) |
			(addr_t)(i % 8 * 5) << (128 - t.stable_len);

		t.stable[i] = p | (addr_t)5 << (128 - t.stable_len - 6);
		ck_assert_int_eq(fib_set(t.fib, p, t.stable_len, 1000 + i), 0);
	}
}

/* Set or delete a route near a stable one that is not the longest for any stable address. */
static int
disturb(uint64_t *seed)
{
	unsigned int bits = family_bits(t.family);
	addr_t a = t.stable[rnd(seed, STABLE)];
	unsigned int plen = rnd(seed, 4) == 0 ? rnd(seed, t.stable_len) :
		t.stable_len - 8 + rnd(seed, bits - t.stable_len + 9);

	if (plen > 0)
		a ^= (addr_t)(1 + rnd(seed, 63)) << (128 - RTE_MIN(plen, t.stable_len + 6));
	a &= addr_mask(plen);
	for (unsigned int i = 0; i < STABLE; i++)
		if (plen >= t.stable_len && ((a ^ t.stable[i]) & addr_mask(plen)) == 0)
			return 0;
	if (rnd(seed, 2) == 0)
		return fib_set(t.fib, a, plen, 1 + rnd(seed, 8));
	return fib_del(t.fib, a, plen);
}

static int64_t
elapsed_ms(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

START_TEST(readers_at_work)
{
	uint64_t seed = 0x2545f4914f6cdd1d, changes = 0;
	pthread_t thread[READERS];
	struct timespec from;

	start(_i == 0 ? BH_FIB_IP4 : BH_FIB_IP6, _i == 0 ? 2000 : 8000);
	add_stable();
	for (uintptr_t i = 0; i < READERS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, reader, (void *)i), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (elapsed_ms(&from) < (changes < CHANGES ? MS_LIMIT : MS)) {
		for (unsigned int i = 0; i < 100; i++)
			changes += disturb(&seed) == 0;
		bh_fib_reclaim(t.fib);
	}
	__atomic_store_n(&t.stop, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < READERS; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_uint_gt(t.lookups[i], 0);
		ck_assert_uint_eq(t.wrong[i], 0);
	}
	ck_assert_uint_ge(changes, CHANGES);
	ck_assert_uint_eq(bh_fib_reclaim(t.fib), 0);
	printf("IPv%d: %lu changes, %lu and %lu lookups\n", t.family, changes, t.lookups[0],
		t.lookups[1]);
	finish();
}
END_TEST

/* The reader is this thread too: it is online and says when it is quiescent. */
START_TEST(grace_period)
{
	struct bh_fib_stats s;
	uint64_t bytes;

	start(BH_FIB_IP4, 0);
	rte_rcu_qsbr_thread_register(t.qsbr, 0);
	rte_rcu_qsbr_thread_online(t.qsbr, 0);
	ck_assert_int_eq(fib_set(t.fib, addr_of("10.0.0.1"), 32, 1), 0);
	bh_fib_stats(t.fib, &s);
	bytes = s.node_bytes;
	ck_assert_uint_eq(s.pending, 0);
	ck_assert_int_eq(fib_del(t.fib, addr_of("10.0.0.1"), 32), 0);
	bh_fib_stats(t.fib, &s);
	ck_assert_uint_eq(s.nodes, 0);
	ck_assert_uint_eq(s.pending, 3);
	ck_assert_uint_eq(s.node_bytes, bytes);
	ck_assert_uint_eq(bh_fib_reclaim(t.fib), 3);
	rte_rcu_qsbr_quiescent(t.qsbr, 0);
	ck_assert_uint_eq(bh_fib_reclaim(t.fib), 0);
	bh_fib_stats(t.fib, &s);
	ck_assert_uint_eq(s.node_bytes, 0);
	rte_rcu_qsbr_thread_offline(t.qsbr, 0);
	rte_rcu_qsbr_thread_unregister(t.qsbr, 0);
	finish();
}
END_TEST

/* A reader that never is quiescent: changes end in -ENOSPC, not in a wait; then all goes on. */
START_TEST(stuck_reader)
{
	uint32_t nh = 1;
	int rc;

	start(BH_FIB_IP4, 64);
	rte_rcu_qsbr_thread_register(t.qsbr, 0);
	rte_rcu_qsbr_thread_online(t.qsbr, 0);
	do {
		rc = fib_set(t.fib, addr_of("10.0.0.1") + ((addr_t)nh << 96), 32, nh);
	} while (rc == 0 && nh++ < 1000);
	ck_assert_int_eq(rc, -ENOSPC);
	ck_assert_uint_gt(nh, 4);
	ck_assert_uint_gt(bh_fib_reclaim(t.fib), 0);
	for (uint32_t i = 1; i < nh; i++)
		ck_assert_uint_eq(fib_lookup(t.fib, BH_FIB_IP4,
			addr_of("10.0.0.1") + ((addr_t)i << 96)), i);
	rte_rcu_qsbr_quiescent(t.qsbr, 0);
	ck_assert_int_eq(fib_set(t.fib, addr_of("10.0.0.1") + ((addr_t)nh << 96), 32, nh), 0);
	rte_rcu_qsbr_thread_offline(t.qsbr, 0);
	rte_rcu_qsbr_thread_unregister(t.qsbr, 0);
	finish();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fib_rcu");
	TCase *c = tcase_create("rcu");

	tcase_set_timeout(c, 30);
	tcase_add_test(c, grace_period);
	tcase_add_test(c, stuck_reader);
	tcase_add_loop_test(c, readers_at_work, 0, 2);
	suite_add_tcase(s, c);
	return run_suite(s);
}
