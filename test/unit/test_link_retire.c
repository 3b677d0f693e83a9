/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops of the link worker: retirement, and return from it. */
#include "test/unit/link_util.h"

#define RETURNS 50

START_TEST(live_only_when_published)
{
	struct bh_nexthop_key a = group_key(), b = group_key();
	uint32_t id;

	add_member(&a, 1, 1, 1);
	add_member(&b, 1, 2, 1);
	interfaces_up(1);
	id = put_nh(&a, NULL);
	expect_both(id, BH_NH_MSG_LIVE);
	reader_online();
	del_nh(&a);
	expect_both(id, BH_NH_MSG_RETIRE);
	/* Back at once: the dead copy is fresh, the group has to wait, and so has LIVE. */
	ck_assert_uint_eq(put_nh(&a, NULL), id);
	ck_assert_uint_eq(fwd_nh(id)->type, BH_FWD_NH_DEAD);
	expect_silence();
	chore();
	expect_silence();
	reader_quiescent();
	settled();
	ck_assert(fwd_has(id, 1));
	expect_both(id, BH_NH_MSG_LIVE);
	reader_offline();
}
END_TEST

/* _i: which route worker answers first. */
START_TEST(retire)
{
	struct bh_nexthop_key a = group_key(), b = group_key();
	uint32_t id;

	add_member(&a, 1, 1, 1);
	add_member(&b, 1, 2, 1);
	interfaces_up(1);
	id = put_nh(&a, NULL);
	expect_both(id, BH_NH_MSG_LIVE);
	reader_online();
	del_nh(&a);
	ck_assert_uint_eq(fwd_nh(id)->type, BH_FWD_NH_DEAD);
	expect_both(id, BH_NH_MSG_RETIRE);
	answer(_i, id);
	reader_quiescent();
	chore();
	ck_assert_uint_ne(put_nh(&b, NULL), id); /* one answer is not enough */
	answer(!_i, id);
	ck_assert_int_ge(chore(), 0);
	b.m[0].addr[3] = 3;
	ck_assert_uint_ne(put_nh(&b, NULL), id); /* nor are two before the grace period */
	reader_quiescent();
	chore();
	b.m[0].addr[3] = 4;
	ck_assert_uint_eq(put_nh(&b, NULL), id);
	reader_offline();
	settled();
}
END_TEST

/* A content that returns keeps its id: before an answer, between them, in the grace period. */
START_TEST(return_while_retiring)
{
	struct bh_nexthop_key a = group_key(), b = group_key();
	uint32_t id;

	add_member(&a, 1, 1, 1);
	add_member(&b, 1, 2, 1);
	interfaces_up(1);
	id = put_nh(&a, NULL);
	expect_both(id, BH_NH_MSG_LIVE);
	reader_online();
	del_nh(&a);
	expect_both(id, BH_NH_MSG_RETIRE);
	for (int i = 0; i < _i; i++)
		answer(i, id);
	reader_quiescent();
	ck_assert_uint_eq(put_nh(&a, NULL), id);
	ck_assert(fwd_has(id, 1));
	expect_both(id, BH_NH_MSG_LIVE);
	/* Late answers to the forgotten question change nothing. */
	for (int i = _i; i < 2; i++)
		answer(i, id);
	reader_quiescent();
	settled();
	ck_assert_uint_ne(put_nh(&b, NULL), id);
	ck_assert(fwd_has(id, 1));
	reader_offline();
}
END_TEST

/* A route that finds it dead waits for LIVE, also when RETIRE never fitted in the ring. */
START_TEST(return_before_retire_is_sent)
{
	struct bh_nexthop_key a = group_key();
	uint32_t id;
	void *msg;

	add_member(&a, 1, 1, 1);
	interfaces_up(1);
	id = put_nh(&a, NULL);
	expect_both(id, BH_NH_MSG_LIVE);
	while (rte_ring_enqueue(env.links.to_route[0], bh_nh_msg(99, BH_NH_MSG_LIVE, 0)) == 0)
		;
	del_nh(&a);
	ck_assert_uint_eq(fwd_nh(id)->type, BH_FWD_NH_DEAD);
	expect_msg(1, id, BH_NH_MSG_RETIRE);
	while (rte_ring_dequeue(env.links.to_route[0], &msg) == 0)
		;
	ck_assert_uint_eq(put_nh(&a, NULL), id);
	settled();
	ck_assert(fwd_has(id, 1));
	expect_both(id, BH_NH_MSG_LIVE);
	expect_silence();
}
END_TEST

/* An answer to an older question proves nothing, however often the content returned. */
START_TEST(late_answer)
{
	struct bh_nexthop_key a = group_key(), b = group_key();
	uint32_t id, first;

	add_member(&a, 1, 1, 1);
	add_member(&b, 1, 2, 1);
	id = put_nh(&a, NULL);
	expect_both(id, BH_NH_MSG_LIVE);
	del_nh(&a);
	expect_both(id, BH_NH_MSG_RETIRE);
	first = last_retire[0];
	for (int n = 0; n < RETURNS; n++) {
		ck_assert_uint_eq(put_nh(&a, NULL), id);
		expect_both(id, BH_NH_MSG_LIVE);
		del_nh(&a);
		expect_both(id, BH_NH_MSG_RETIRE);
		ck_assert_uint_ne(last_retire[0], first);
	}
	answer_to(0, id, first);
	answer_to(1, id, first);
	answer(0, id);
	answer_to(1, id, last_retire[1] - 1);
	settled();
	expect_silence(); /* one question, one answer */
	ck_assert_uint_eq(put_nh(&b, NULL), id + 1);
	expect_both(id + 1, BH_NH_MSG_LIVE);
	answer(1, id);
	settled();
	expect_silence();
	b.m[0].addr[3] = 9;
	ck_assert_uint_eq(put_nh(&b, NULL), id);
	/* Answers that nobody asked for, of ids that nobody has. */
	answer(0, 0);
	answer(1, BH_NH_MAX);
	answer(1, UINT32_MAX);
	ck_assert_uint_eq(fwd_nh(id)->type, BH_NH_GROUP);
}
END_TEST

START_TEST(full_route_ring)
{
	struct bh_nexthop_key a = group_key();
	uint32_t id, n = 0;
	void *msg;

	add_member(&a, 1, 1, 1);
	while (!rte_ring_enqueue(env.links.to_route[1], bh_nh_msg(9999, BH_NH_MSG_LIVE, 0)))
		n++;
	id = put_nh(&a, NULL);
	expect_msg(0, id, BH_NH_MSG_LIVE);
	ck_assert_int_ge(chore(), 0);
	ck_assert_uint_eq(rte_ring_count(env.links.to_route[0]), 0); /* told once */
	/* Deleted meanwhile: the one who heard nothing is asked to retire all the same. */
	del_nh(&a);
	expect_msg(0, id, BH_NH_MSG_RETIRE);
	answer(0, id);
	while (n--)
		ck_assert_int_eq(rte_ring_dequeue(env.links.to_route[1], &msg), 0);
	settled();
	expect_msg(1, id, BH_NH_MSG_RETIRE);
	expect_silence();
	answer(1, id);
	settled();
	ck_assert_uint_eq(env.link->nhs[id].state, BH_LNH_FREE);
}
END_TEST

/* Two route workers with random delays. */

#define CONTENTS 12
#define ROUNDS 200000

static struct {
	bool added;	     /* a record exists */
	uint32_t id;
	uint32_t routes[2];  /* routes of each worker that mean this content */
} content[CONTENTS];

static struct {
	bool pending[BH_NH_MAX]; /* RETIRE taken, not answered */
	uint32_t number[BH_NH_MAX];
} router[2];

static struct bh_nexthop_key
content_key(unsigned int c)
{
	struct bh_nexthop_key k = group_key();

	add_member(&k, 1, c + 1, 1);
	return k;
}

static uint32_t
routes_by(unsigned int w, uint32_t id)
{
	uint32_t n = 0;

	for (unsigned int c = 0; c < CONTENTS; c++)
		n += content[c].id == id ? content[c].routes[w] : 0;
	return n;
}

static void
router_answers(unsigned int w, uint32_t id)
{
	void *msg = bh_nh_msg(id, BH_NH_MSG_RETIRE, router[w].number[id]);

	ck_assert_int_eq(rte_ring_enqueue(env.links.to_link[w], msg), 0);
	router[w].pending[id] = false;
}

static void
router_takes(unsigned int w)
{
	uint32_t id;
	void *msg;

	if (rte_ring_dequeue(env.links.to_route[w], &msg))
		return;
	id = bh_nh_msg_id(msg);
	router[w].pending[id] = bh_nh_msg_kind(msg) == BH_NH_MSG_RETIRE;
	router[w].number[id] = bh_nh_msg_number(msg);
	if (router[w].pending[id] && !routes_by(w, id))
		router_answers(w, id);
}

static void
random_step(unsigned int what, unsigned int c, unsigned int w)
{
	struct bh_nexthop_key k = content_key(c);
	void *msg;

	switch (what) {
	case 0:
		if (content[c].added)
			break;
		content[c].added = true;
		/* The id of a content with routes must not have changed hands. */
		if (content[c].routes[0] || content[c].routes[1]) {
			ck_assert_uint_eq(put_nh(&k, NULL), content[c].id);
			break;
		}
		content[c].id = put_nh(&k, NULL);
		for (unsigned int o = 0; o < CONTENTS; o++)
			if (o != c && content[o].id == content[c].id)
				ck_assert_msg(!content[o].routes[0] && !content[o].routes[1] &&
					!content[o].added, "id %u of two", content[c].id);
		break;
	case 1:
		if (content[c].added)
			del_nh(&k);
		content[c].added = false;
		break;
	case 2: /* a route is added; only to a next hop that exists */
		content[c].routes[w] += content[c].added;
		break;
	case 3:
		if (!content[c].routes[w])
			break;
		content[c].routes[w]--;
		if (router[w].pending[content[c].id] && !routes_by(w, content[c].id))
			router_answers(w, content[c].id);
		break;
	case 4:
		if (!rte_ring_dequeue(env.links.to_link[w], &msg))
			env.handle[1 + w](env.handle_ctx[1 + w], msg);
		break;
	case 5:
		router_takes(w);
		break;
	case 6:
		reader_quiescent();
		break;
	default:
		chore();
	}
}

START_TEST(random_retirement)
{
	unsigned int seed = 1 + _i, freed = 0;

	memset(content, 0, sizeof(content));
	memset(router, 0, sizeof(router));
	interfaces_up(1);
	reader_online();
	for (int r = 0; r < ROUNDS; r++)
		random_step(rand_r(&seed) % 8, rand_r(&seed) % CONTENTS, rand_r(&seed) % 2);
	/* Everything goes: every id gets free in the end. */
	for (unsigned int c = 0; c < CONTENTS; c++) {
		random_step(1, c, 0);
		for (unsigned int w = 0; w < 2; w++)
			while (content[c].routes[w])
				random_step(3, c, w);
	}
	for (int r = 0; r < ROUNDS && freed < env.link->nh_top; r++) {
		random_step(4 + rand_r(&seed) % 4, 0, rand_r(&seed) % 2);
		freed = 0;
		for (uint32_t id = 1; id <= env.link->nh_top; id++)
			freed += env.link->nhs[id].state == BH_LNH_FREE;
	}
	ck_assert_uint_eq(freed, env.link->nh_top);
	ck_assert_uint_gt(freed, 0);
	reader_offline();
}
END_TEST

int
main(void)
{
	TCase *retirement = tcase_create("retirement");
	Suite *s = suite_create("link_retire");

	tcase_add_checked_fixture(retirement, env_setup, env_teardown);
	tcase_set_timeout(retirement, 60);
	tcase_add_test(retirement, live_only_when_published);
	tcase_add_loop_test(retirement, retire, 0, 2);
	tcase_add_loop_test(retirement, return_while_retiring, 0, 3);
	tcase_add_test(retirement, return_before_retire_is_sent);
	tcase_add_test(retirement, late_answer);
	tcase_add_test(retirement, full_route_ring);
	tcase_add_loop_test(retirement, random_retirement, 0, 4);
	suite_add_tcase(s, retirement);
	return link_main(s);
}
