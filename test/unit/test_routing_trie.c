/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/routing/trie.h"

#define N 400

static struct bh_prefix all[N];
static bool in[N];

static struct bh_prefix
prefix(const char *text)
{
	struct bh_prefix p;

	ck_assert_int_eq(bh_prefix_parse(text, &p), 0);
	return p;
}

static void
insert(struct bh_trie *t, struct bh_prefix *p)
{
	void **slot = bh_trie_insert(t, p->addr, p->plen);

	*slot = p;
}

START_TEST(test_cover_and_walk)
{
	struct bh_prefix p[] = { prefix("::/0"), prefix("2001:db8::/32"), prefix("2001:db8:1::/48"),
		prefix("2001:db8:2::/48"), prefix("2001:db8:1::1/128") };
	struct bh_trie t = { 0 };
	void *out[BH_TRIE_DEPTH];

	for (int i = 4; i >= 0; i--)
		insert(&t, &p[i]);
	ck_assert_uint_eq(t.n, 5);
	ck_assert_uint_eq(bh_trie_cover(&t, p[4].addr, 128, out), 4);
	ck_assert_ptr_eq(out[0], &p[0]);
	ck_assert_ptr_eq(out[1], &p[1]);
	ck_assert_ptr_eq(out[2], &p[2]);
	ck_assert_ptr_eq(out[3], &p[4]);
	ck_assert_uint_eq(bh_trie_cover(&t, p[4].addr, 47, out), 2);
	ck_assert_ptr_null(bh_trie_find(&t, p[4].addr, 64));
	ck_assert_ptr_null(bh_trie_remove(&t, p[4].addr, 46)); /* a joint carries nothing */
	ck_assert_ptr_eq(bh_trie_remove(&t, p[1].addr, 32), &p[1]);
	ck_assert_ptr_eq(bh_trie_find(&t, p[3].addr, 48), &p[3]);
	bh_trie_fini(&t);
}
END_TEST

/* Every other address bit pattern lies near the others, so that branches are deep. */
static void
random_prefixes(uint8_t family, unsigned int *seed)
{
	unsigned int bits = bh_addr_bits(family), i, k;

	for (i = 0; i < N; i++) {
		uint8_t addr[16] = { 0 };
		bool twin;

		do {
			for (k = 0; k < bits / 8; k++)
				addr[k] = rand_r(seed) % 4 == 0 ? rand_r(seed) : 0x55;
			bh_prefix_make(&all[i], family, addr, rand_r(seed) % (bits + 1));
			bh_prefix_mask(&all[i]);
			for (k = 0, twin = false; k < i; k++)
				twin |= bh_prefix_cmp(&all[k], &all[i]) == 0;
		} while (twin);
		in[i] = false;
	}
}

static void
count(void *arg, void *data)
{
	const struct bh_prefix *p = data;

	ck_assert(in[p - all]);
	++*(unsigned int *)arg;
}

static void
check_all(const struct bh_trie *t, const struct bh_prefix *at)
{
	unsigned int n = 0, covers = 0, below = 0, total = 0, walked = 0, i;
	void *out[BH_TRIE_DEPTH];

	n = bh_trie_cover(t, at->addr, at->plen, out);
	for (i = 0; i < N; i++) {
		ck_assert_ptr_eq(bh_trie_find(t, all[i].addr, all[i].plen), in[i] ? &all[i] : NULL);
		total += in[i];
		covers += in[i] && bh_prefix_covers(&all[i], at);
		below += in[i] && bh_prefix_covers(at, &all[i]);
	}
	ck_assert_uint_eq(t->n, total);
	ck_assert_uint_eq(n, covers);
	for (i = 0; i < n; i++) {
		ck_assert(bh_prefix_covers(out[i], at));
		if (i > 0)
			ck_assert_uint_lt(((struct bh_prefix *)out[i - 1])->plen,
				((struct bh_prefix *)out[i])->plen);
	}
	bh_trie_walk(t, at->addr, at->plen, count, &walked);
	ck_assert_uint_eq(walked, below);
}

START_TEST(test_random)
{
	uint8_t family = _i == 0 ? 4 : 6;
	struct bh_trie t = { 0 };
	unsigned int seed = 7, k, i;

	random_prefixes(family, &seed);
	for (k = 0; k < 4000; k++) {
		i = rand_r(&seed) % N;
		if (in[i])
			ck_assert_ptr_eq(bh_trie_remove(&t, all[i].addr, all[i].plen), &all[i]);
		else
			insert(&t, &all[i]);
		in[i] = !in[i];
		if (k % 10 == 0)
			check_all(&t, &all[rand_r(&seed) % N]);
	}
	for (i = 0; i < N; i++)
		if (in[i])
			bh_trie_remove(&t, all[i].addr, all[i].plen);
	ck_assert_ptr_null(t.root);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routing_trie");
	TCase *tc = tcase_create("trie");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_cover_and_walk);
	tcase_add_loop_test(tc, test_random, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
