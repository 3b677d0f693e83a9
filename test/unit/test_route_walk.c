/* SPDX-License-Identifier: BSD-3-Clause */
/* The ordered walk of a route table (BH_V_NEXT): beside a sorted model, while routes change, at its
 * edges. Routes that wait for their next hop are in it like the others. */
#include "test/unit/route_bed.h"

static int
compare_prefixes(const void *a, const void *b)
{
	const struct prefix *p = a, *q = b;

	if (p->addr != q->addr)
		return p->addr < q->addr ? -1 : 1;
	return p->plen - q->plen;
}

/* The model's routes in order, each once; their number. */
static unsigned int
sort_model(struct prefix *to)
{
	unsigned int i, n = 0, kept = 0;

	for (i = 0; i < PREFIXES; i++)
		if (model[i] != 0)
			to[n++] = prefix_of(i);
	qsort(to, n, sizeof(*to), compare_prefixes);
	for (i = 0; i < n; i++)
		if (kept == 0 || compare_prefixes(&to[kept - 1], &to[i]) != 0)
			to[kept++] = to[i];
	return kept;
}

struct walk {
	struct bh_route4_key at;
	bool self;
	unsigned int n;
	struct prefix *seen;
};

/* One step of at most `count` records; false: the last. */
static bool
walk_step(struct walk *w, uint16_t count)
{
	const uint32_t aux = count | (w->self ? BH_NEXT_SELF : 0);
	const struct fake_msg *m = fake_call(BH_ROLE_READER, BH_V_NEXT, BH_T_ROUTE4, aux, &w->at,
		sizeof(w->at));
	size_t left = m->msg.len - sizeof(m->msg), len = sizeof(struct bh_rec) + sizeof(w->at) +
		sizeof(struct bh_route);
	const uint8_t *rec = m->body;

	ck_assert_int_eq(m->msg.status, 0);
	ck_assert(m->msg.aux == 0 || m->msg.aux == BH_DUMP_END);
	ck_assert_uint_eq(left % len, 0);
	ck_assert_uint_le(left / len, count);
	ck_assert(left > 0 || m->msg.aux == BH_DUMP_END);
	for (; left > 0; left -= len, rec += len) {
		memcpy(&w->at, rec + sizeof(struct bh_rec), sizeof(w->at));
		w->seen[w->n++] = (struct prefix){ (uint32_t)w->at.addr[0] << 24 |
			w->at.addr[1] << 16 | w->at.addr[2] << 8 | w->at.addr[3], w->at.plen };
		ck_assert_uint_le(w->n, PREFIXES);
		w->self = false;
	}
	return m->msg.aux == 0;
}

/* A walk of any steps is the model in order, waiting routes too. */
static void
check_walk(void)
{
	static struct prefix want[PREFIXES], seen[PREFIXES];
	struct walk w = { .self = true, .seen = seen };
	unsigned int i, n = sort_model(want);

	while (walk_step(&w, random() % 2 ? 1 + random() % 9 : 65535))
		;
	ck_assert_uint_eq(w.n, n);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(compare_prefixes(&want[i], &seen[i]), 0);
}

/* Random changes of routes, and ids that become live in between. */
START_TEST(test_random)
{
	uint32_t step, nh;

	memset(model, 0, sizeof(model));
	for (step = 0; step < 20000; step++) {
		struct prefix p = prefix_of(random() % PREFIXES);

		nh = random() % 3 ? 1 + random() % IDS : 0;
		submit(nh != 0 ? BH_V_ADD : BH_V_DELETE, p, nh);
		set_model(p, nh);
		if (step % 1000 == 0)
			make_live(1 + step / 1000);
		fake_run();
		if (step % 500 == 0) {
			drain();
			check_walk();
		}
	}
	drain();
	check_walk();
}
END_TEST

/* Routes come and go during a walk: those that are there all the time come once each, in order. */
START_TEST(test_walk_changes)
{
	static struct prefix seen[PREFIXES];
	struct walk w = { .self = true, .seen = seen };
	unsigned int i, stay = 0;
	bool more = true;

	make_live(5);
	for (i = 0; i < 200; i++) /* 10.i.0.0/16: every second one stays; half of all wait */
		submit(BH_V_ADD, (struct prefix){ 0x0a000000 | i << 16, 16 }, i % 4 < 2 ? 5 : 6);
	drain();
	for (i = 0; more; i++) {
		more = walk_step(&w, 3);
		submit(i % 3 ? BH_V_DELETE : BH_V_ADD, (struct prefix){
			0x0a010000 | (random() % 100) << 17, 16 }, 5 + random() % 2);
		drain();
	}
	for (i = 0; i < w.n; i++) {
		ck_assert(i == 0 || compare_prefixes(&seen[i - 1], &seen[i]) < 0);
		stay += (seen[i].addr & 0x10000) == 0;
	}
	ck_assert_uint_eq(stay, 100);
}
END_TEST

/* Keys that no route has, the ends, and another vrf. */
START_TEST(test_walk_edges)
{
	struct prefix seen[4];
	struct walk w = { .at = { { 10 }, 8, 0, 0 }, .seen = seen };

	make_live(5);
	ck_assert(!walk_step(&w, 1)); /* nothing at all */
	ck_assert_int_eq(add(0x0a000000, 8, 5), 0);
	ck_assert_int_eq(add(0x0a000000, 9, 6), 0);
	ck_assert_int_eq(add(0xffffffff, 32, 5), 0);
	ck_assert(walk_step(&w, 1));
	ck_assert_uint_eq(seen[0].plen, 9);
	w = (struct walk){ .at = { { 10 }, 8, 0, 0 }, .self = true, .seen = seen };
	ck_assert(walk_step(&w, 1));
	ck_assert_uint_eq(seen[0].plen, 8);
	w = (struct walk){ .at = { { 10 }, 8, 0, 7 }, .self = true, .seen = seen };
	ck_assert(walk_step(&w, 1)); /* behind the one of vrf 0 */
	ck_assert_uint_eq(seen[0].plen, 9);
	w = (struct walk){ .at = { { 10, 64 }, 10, 0, 0 }, .self = true, .seen = seen };
	ck_assert(!walk_step(&w, 4));
	ck_assert_uint_eq(w.n, 1);
	ck_assert_uint_eq(seen[0].addr, 0xffffffff);
	w.n = 0;
	ck_assert(!walk_step(&w, 4)); /* behind the last */
	ck_assert_uint_eq(w.n, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("route_walk");
	TCase *tc = tcase_create("walk");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_random);
	tcase_add_test(tc, test_walk_changes);
	tcase_add_test(tc, test_walk_edges);
	suite_add_tcase(suite, tc);
	return fake_suite(suite);
}
