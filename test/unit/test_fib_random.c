/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FIB against a list of routes searched from end to end: random sets, holds, replacements and deletions
 * of clustered prefixes, lengths around the borders of nodes preferred. After each change the edges of
 * the changed prefix are looked up and what follows it is asked for, from time to time the edges of all
 * routes and their order.
 */
#include <errno.h>

#include "lib/fib/fib_priv.h"
#include "test/unit/fib_util.h"

#define OPS 12000
#define MAX_LIVE 300

struct route {
	addr_t prefix;
	uint8_t plen;
	uint32_t nh; /* 0: held */
};

static const uint8_t lens4[] = { 0, 1, 7, 8, 12, 16, 17, 18, 18, 19, 22, 23, 24, 24, 25, 28, 29, 30,
	31, 32, 32 };
static const uint8_t lens6[] = { 0, 1, 3, 16, 17, 18, 19, 23, 24, 25, 29, 30, 32, 42, 47, 48, 49,
	54, 59, 60, 61, 63, 64, 65, 66, 72, 96, 125, 126, 127, 128, 128 };

static struct {
	struct bh_fib *fib;
	int family;
	struct route route[MAX_LIVE];
	unsigned int live;
	uint64_t seed;
	uint32_t hold;		/* one of so many is held */
	unsigned int refused;	/* -ENOSPC */
} t;

static uint32_t
rnd(uint32_t n)
{
	t.seed ^= t.seed << 13;
	t.seed ^= t.seed >> 7;
	t.seed ^= t.seed << 17;
	return (uint32_t)(t.seed >> 32) % n;
}

static uint32_t
reference(addr_t addr, uint8_t *plen)
{
	const struct route *best = NULL;

	for (unsigned int i = 0; i < t.live; i++) {
		const struct route *r = &t.route[i];

		if (r->nh != 0 && ((addr ^ r->prefix) & addr_mask(r->plen)) == 0 &&
				(best == NULL || r->plen > best->plen))
			best = r;
	}
	if (plen != NULL)
		*plen = best == NULL ? 0 : best->plen;
	return best == NULL ? BH_FIB_NONE : best->nh;
}

static void
check_addr(addr_t addr)
{
	uint32_t want, nh = 0;
	uint8_t b[16], want_plen, plen = 0;
	int rc;

	addr &= addr_mask(family_bits(t.family));
	want = reference(addr, &want_plen);
	ck_assert_uint_eq(fib_lookup(t.fib, t.family, addr), want);
	addr_store(addr, b);
	rc = bh_fib_lookup_prefix(t.fib, b, NULL, &plen, &nh);
	ck_assert_int_eq(rc, want == BH_FIB_NONE ? -ENOENT : 0);
	ck_assert_uint_eq(nh, want);
	ck_assert_uint_eq(plen, want_plen);
}

/* First and last address and those beside them. */
static void
check_edges(addr_t prefix, uint8_t plen)
{
	addr_t one = (addr_t)1 << (128 - family_bits(t.family));
	addr_t last = prefix | ~addr_mask(plen);

	check_addr(prefix);
	check_addr(last);
	check_addr(prefix - one);
	check_addr(last + one);
	check_addr(prefix | ((addr_t)rnd(UINT32_MAX) << 96 & ~addr_mask(plen)));
}

static struct route *
find(const struct route *r)
{
	for (unsigned int i = 0; i < t.live; i++)
		if (t.route[i].plen == r->plen && t.route[i].prefix == r->prefix)
			return &t.route[i];
	return NULL;
}

/* By address, then length. */
static int
compare(const struct route *a, const struct route *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return (a->plen > b->plen) - (a->plen < b->plen);
}

/* The first that comes after r, or r itself if `self`; NULL: none does. */
static const struct route *
follower(const struct route *r, bool self)
{
	const struct route *best = NULL;

	for (unsigned int i = 0; i < t.live; i++) {
		int c = compare(&t.route[i], r);

		if ((c > 0 || (c == 0 && self)) && (best == NULL || compare(&t.route[i], best) < 0))
			best = &t.route[i];
	}
	return best;
}

static int
next(const struct route *r, bool self, struct bh_fib_prefix *out, unsigned int max)
{
	uint8_t b[16];

	addr_store(r->prefix, b);
	return bh_fib_next(t.fib, b, r->plen, self, out, max);
}

/* What follows a prefix, be it there or not, and the second one too. */
static void
check_next(const struct route *from)
{
	const bool self = rnd(2);
	struct bh_fib_prefix out[2];
	const struct route *want = follower(from, self);
	int n = next(from, self, out, 2);

	ck_assert_int_eq(n > 0, want != NULL);
	for (int i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(want);
		ck_assert_uint_eq(out[i].plen, want->plen);
		ck_assert(addr_load(t.family, out[i].addr) == want->prefix);
		want = follower(want, false);
	}
	ck_assert(n == 2 || want == NULL);
}

/* All in order, in steps of any size. */
static void
check_order(void)
{
	struct bh_fib_prefix out[BH_FIB_NEXT_MAX];
	struct route at = { 0 };
	unsigned int seen = 0, max;
	bool self = true;
	int n;

	do {
		max = 1 + rnd(BH_FIB_NEXT_MAX);
		n = next(&at, self, out, max);
		ck_assert_int_ge(n, 0);
		for (int i = 0; i < n; i++) {
			struct route r = { addr_load(t.family, out[i].addr), out[i].plen, 0 };

			ck_assert_int_gt(compare(&r, &at) + self, 0);
			ck_assert_ptr_nonnull(find(&r));
			at = r;
			self = false;
			seen++;
		}
	} while ((unsigned int)n == max);
	ck_assert_uint_eq(seen, t.live);
}

static unsigned int
n_held(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < t.live; i++)
		n += t.route[i].nh == 0;
	return n;
}

static void
check_all(void)
{
	struct bh_fib_stats s;

	for (unsigned int i = 0; i < t.live; i++)
		check_edges(t.route[i].prefix, t.route[i].plen);
	bh_fib_stats(t.fib, &s);
	ck_assert_uint_eq(s.routes, t.live - n_held());
	check_order();
}

/* One of four clusters, some bits flipped, so that prefixes nest and neighbour each other. */
static struct route
random_route(void)
{
	static const uint64_t cluster[4] = { 0x0a01020304050607, 0xc0a8fffefdfcfbfa,
		0x20010db800000000, 0xffffffffffffffff };
	const uint8_t *lens = t.family == BH_FIB_IP4 ? lens4 : lens6;
	unsigned int n = t.family == BH_FIB_IP4 ? sizeof(lens4) : sizeof(lens6);
	uint8_t plen = rnd(4) == 0 ? rnd(family_bits(t.family) + 1) : lens[rnd(n)];
	uint64_t half = cluster[rnd(4)];
	addr_t a = (addr_t)half << 64 | (half ^ 0x5555);

	for (unsigned int i = rnd(4); i > 0; i--)
		a ^= (addr_t)1 << (127 - rnd(family_bits(t.family)));
	if (plen >= 4)
		a ^= (addr_t)rnd(16) << (128 - plen);
	return (struct route){ a & addr_mask(plen), plen, 1 + rnd(rnd(8) == 0 ? 100000 : 4) };
}

static void
random_set(void)
{
	struct route r = random_route();
	struct route *old = find(&r);
	int rc;

	if (old == NULL && t.live == MAX_LIVE)
		return;
	if (rnd(t.hold) == 0)
		r.nh = 0;
	rc = r.nh == 0 ? fib_hold(t.fib, r.prefix, r.plen) :
		fib_set(t.fib, r.prefix, r.plen, r.nh);
	if (rc == 0 && old != NULL)
		old->nh = r.nh;
	else if (rc == 0)
		t.route[t.live++] = r;
	else
		t.refused++;
	ck_assert(rc == 0 || rc == -ENOSPC);
	check_edges(r.prefix, r.plen);
	check_next(&r);
}

static void
random_del(void)
{
	struct route gone = random_route();
	struct route *r = find(&gone);
	int rc;

	if (r == NULL)
		ck_assert_int_eq(fib_del(t.fib, gone.prefix, gone.plen), -ENOENT);
	if (t.live == 0)
		return;
	r = &t.route[rnd(t.live)];
	gone = *r;
	rc = fib_del(t.fib, r->prefix, r->plen);
	if (rc == 0)
		*r = t.route[--t.live];
	else
		t.refused++;
	ck_assert(rc == 0 || (rc == -ENOSPC && gone.nh != 0));
	check_edges(gone.prefix, gone.plen);
	check_next(&gone);
}

static void
start(int family, uint32_t max_nodes, uint64_t seed)
{
	struct bh_fib_conf conf = { .name = "random", .family = family, .max_routes = MAX_LIVE,
		.max_nodes = max_nodes, .socket_id = SOCKET_ID_ANY };

	memset(&t, 0, sizeof(t));
	t.family = family;
	t.seed = seed;
	t.hold = max_nodes == 0 ? 4 : 20; /* held ones need no nodes */
	t.fib = bh_fib_create(&conf);
	ck_assert_ptr_nonnull(t.fib);
}

/* Grow and shrink in turns. */
static void
churn(void)
{
	for (unsigned int i = 0; i < OPS; i++) {
		if (rnd(8) < (i / 1000 % 2 == 0 ? 6 : 2))
			random_set();
		else
			random_del();
		if (i % 500 == 0)
			check_all();
	}
	check_all();
}

static void
finish(void)
{
	struct bh_fib_stats s;

	for (unsigned int i = t.live; i > 0; i--)
		if (fib_del(t.fib, t.route[i - 1].prefix, t.route[i - 1].plen) == 0)
			t.route[i - 1] = t.route[--t.live];
	while (t.live > 0) { /* room came back with the others */
		ck_assert_int_eq(fib_del(t.fib, t.route[0].prefix, t.route[0].plen), 0);
		t.route[0] = t.route[--t.live];
	}
	bh_fib_stats(t.fib, &s);
	ck_assert_uint_eq(s.routes, 0);
	ck_assert_uint_eq(s.nodes, 0);
	ck_assert_uint_eq(s.node_bytes, 0);
	bh_fib_destroy(t.fib);
}

START_TEST(roomy)
{
	start(_i & 1 ? BH_FIB_IP6 : BH_FIB_IP4, 0, 0x9e3779b97f4a7c15 + _i);
	churn();
	ck_assert_uint_eq(t.refused, 0);
	finish();
}
END_TEST

/* So little memory that many changes fail half-way: nothing of them may be seen. */
START_TEST(tight)
{
	start(_i & 1 ? BH_FIB_IP6 : BH_FIB_IP4, _i & 1 ? 300 : 64, 0xd1b54a32d192ed03 + _i);
	churn();
	ck_assert_uint_gt(t.refused, OPS / 100);
	finish();
}
END_TEST

#define RIB_OPS 200000

/* A prefix near the last one, or anywhere. */
static struct fib_key
near_key(struct fib_key last, uint8_t plen)
{
	unsigned int at = rnd(24);
	uint64_t hi = last.hi + (1ull << (40 + at));

	if (rnd(8) == 0)
		hi = (uint64_t)rnd(1u << 24) << 40;
	return (struct fib_key){ hi & ~0ull << (64 - plen), 0 };
}

/* The writer's trie alone: an insertion begins on the last one's way, a search at the root; both
 * find the same, whatever was inserted, changed and taken out in between. */
START_TEST(way)
{
	struct fib_key key = { 0, 0 };
	uint32_t idx, inherit, other;
	struct rib rib;
	uint8_t plen;

	t.seed = 0x853c49e6748fea9b;
	rib_init(&rib);
	for (unsigned int i = 0; i < RIB_OPS; i++) {
		plen = 8 + rnd(17);
		key = near_key(key, plen);
		ck_assert_int_eq(rib_insert(&rib, key, plen, &idx, &inherit), 0);
		ck_assert_uint_eq(rib_find(&rib, key, plen, &other), idx);
		ck_assert_uint_eq(inherit, other);
		rib.node[idx].nh = rnd(5); /* 0: refused */
		if (rib.node[idx].nh == 0)
			rib_prune(&rib, key, plen);
	}
	rib_fini(&rib);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fib_random");
	TCase *c = tcase_create("random");

	tcase_set_timeout(c, 30);
	tcase_add_loop_test(c, roomy, 0, 4);
	tcase_add_loop_test(c, tight, 0, 2);
	tcase_add_test(c, way);
	suite_add_tcase(s, c);
	return run_suite(s);
}
