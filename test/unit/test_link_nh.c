/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops of the link worker: ids and groups. */
#include "test/unit/link_util.h"

START_TEST(spread)
{
	static const struct {
		uint8_t n, weight[BH_ECMP_MAX], share[BH_ECMP_MAX];
	} t[] = {
		{ 1, { 7 }, { 1 } },
		{ 3, { 5, 5, 5 }, { 1, 1, 1 } },
		{ 2, { 1, 3 }, { 1, 3 } },
		{ 2, { 10, 20 }, { 1, 2 } },
		{ 2, { 255, 1 }, { 15, 1 } },
		{ 2, { 100, 101 }, { 8, 8 } },
		{ 3, { 60, 30, 11 }, { 9, 5, 2 } },
		{ 16, { 255, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
			{ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } },
	};
	uint16_t value[BH_ECMP_MAX], entry[BH_ECMP_MAX + 1];

	for (unsigned int i = 0; i < BH_ECMP_MAX; i++)
		value[i] = i;
	for (size_t i = 0; i < RTE_DIM(t); i++) {
		unsigned int got[BH_ECMP_MAX] = { 0 }, used;

		used = bh_link_spread(value, t[i].weight, t[i].n, entry);
		ck_assert_uint_le(used, BH_ECMP_MAX);
		for (unsigned int e = 0; e < used; e++)
			got[entry[e]]++;
		for (unsigned int m = 0; m < t[i].n; m++)
			ck_assert_msg(got[m] == t[i].share[m], "case %zu member %u: %u", i, m,
				got[m]);
	}
	ck_assert_uint_eq(bh_link_spread(value, t[0].weight, 0, entry), 0);
}
END_TEST

START_TEST(ids)
{
	struct bh_nexthop_key a = group_key(), b = group_key();
	uint32_t n_live;

	add_member(&a, 1, 1, 1);
	add_member(&b, 1, 2, 1);
	/* The interface is unknown yet: stored, an id, no live member. */
	ck_assert_uint_eq(put_nh(&a, &n_live), 1);
	ck_assert_uint_eq(n_live, 0);
	ck_assert(fwd_has(1, 0));
	ck_assert_uint_eq(put_nh(&b, NULL), 2);
	expect_both(1, BH_NH_MSG_LIVE);
	expect_both(2, BH_NH_MSG_LIVE);
	ck_assert_uint_eq(put_nh(&a, NULL), 1);
	/* Replay: the same content, the same id, nothing else happens. */
	bh_table_replay_begin(env.table[BH_T_NEXTHOP]);
	ck_assert_uint_eq(put_nh(&b, NULL), 2);
	ck_assert_uint_eq(put_nh(&a, NULL), 1);
	bh_table_replay_end(env.table[BH_T_NEXTHOP]);
	expect_silence();
	interfaces_up(1);
	ck_assert_uint_eq(n_live_of(&a), 1);
	ck_assert(fwd_has(1, 1));
	expect_silence();
}
END_TEST

START_TEST(types)
{
	static const uint8_t special[] = { BH_NH_LOCAL, BH_NH_BLACKHOLE, BH_NH_UNREACHABLE,
		BH_NH_PROHIBIT };
	struct bh_nexthop_key k = group_key();
	uint32_t id;

	interfaces_up(3);
	for (size_t i = 0; i < RTE_DIM(special); i++) {
		k.type = special[i];
		id = put_nh(&k, NULL);
		ck_assert_uint_eq(fwd_nh(id)->type, special[i]);
		ck_assert_uint_eq(fwd_nh(id)->n, 0);
	}
	k.type = BH_NH_ATTACHED;
	k.n = 1;
	k.m[0].ifindex = 3;
	k.m[0].weight = 1;
	id = put_nh(&k, NULL);
	ck_assert_uint_eq(fwd_nh(id)->type, BH_NH_ATTACHED);
	ck_assert_uint_eq(fwd_nh(id)->ifindex, 3);
	ck_assert_uint_eq(n_live_of(&k), 1);
	port_event(3, false);
	ck_assert_uint_eq(n_live_of(&k), 0);
	ck_assert_uint_eq(env.link->adj_top, 0);
}
END_TEST

START_TEST(bad_keys)
{
	struct bh_nexthop_key good = group_key(), k;

	add_member(&good, 1, 1, 1);
	add_member(&good, 2, 1, 1);
	ck_assert_uint_ne(put_nh(&good, NULL), 0);
#define BAD(statement) do { k = good; statement; ck_assert_uint_eq(put_nh(&k, NULL), 0); \
	ck_assert_int_eq(errno, EINVAL); } while (0)
	BAD(k.type = 0);
	BAD(k.type = BH_NH_PROHIBIT + 1);
	BAD(k.type = BH_FWD_NH_DEAD);
	BAD(k.type = BH_NH_ATTACHED);
	BAD(k.type = BH_NH_BLACKHOLE);
	BAD(k.n = 0);
	BAD(k.n = 1); /* the second one is not zero */
	BAD(k.n = 3);
	BAD(k.n = BH_ECMP_MAX + 1);
	BAD(k.pad[1] = 1);
	BAD(k.m[0].weight = 0);
	BAD(k.m[0].ifindex = 0);
	BAD(k.m[1].ifindex = BH_IF_MAX);
	BAD(k.m[0].family = 5);
	BAD(k.m[0].family = 0);
	BAD(k.m[0].pad[0] = 1);
	BAD(k.m[0].addr[4] = 1); /* behind an IPv4 address */
	BAD(k.m[1] = k.m[0]);
	BAD(k.m[0] = good.m[1]; k.m[1] = good.m[0]);
	BAD(k.m[5].weight = 1);
#undef BAD
}
END_TEST

START_TEST(link_down_takes_member_out)
{
	struct bh_nexthop_key k = group_key(), other = group_key();
	uint32_t id, id2;
	uint16_t first;

	add_member(&k, 1, 1, 1);
	add_member(&k, 2, 1, 3);
	add_member(&other, 3, 1, 1);
	interfaces_up(3);
	id = put_nh(&k, NULL);
	id2 = put_nh(&other, NULL);
	ck_assert(fwd_has(id, 4));
	first = fwd_nh(id)->adj[0];
	ck_assert_uint_eq(fwd_nh(id)->adj[1], fwd_nh(id)->adj[3]);
	ck_assert_uint_ne(fwd_nh(id)->adj[1], first);
	ck_assert_uint_eq(n_live_of(&k), 2);

	port_event(2, false);
	ck_assert(fwd_has(id, 1));
	ck_assert_uint_eq(fwd_nh(id)->adj[0], first);
	ck_assert_uint_eq(n_live_of(&k), 1);
	ck_assert(fwd_has(id2, 1));
	port_event(1, false);
	ck_assert(fwd_has(id, 0));
	ck_assert_uint_eq(n_live_of(&k), 0);
	port_event(2, true);
	ck_assert(fwd_has(id, 1));
	ck_assert_uint_ne(fwd_nh(id)->adj[0], first);
	port_event(1, true);
	ck_assert(fwd_has(id, 4));
	del_if("e1");
	ck_assert(fwd_has(id, 1));
	ck_assert_uint_eq(n_live_of(&k), 1);
}
END_TEST

START_TEST(group_waits_for_grace)
{
	struct bh_nexthop_key k = group_key();
	uint32_t id;

	add_member(&k, 1, 1, 1);
	interfaces_up(1);
	reader_online();
	id = put_nh(&k, NULL);
	expect_both(id, BH_NH_MSG_LIVE);
	port_event(1, false);
	/* The idle copy may still be read: the group is late, the record is not. */
	ck_assert(fwd_has(id, 1));
	ck_assert_uint_eq(n_live_of(&k), 0);
	ck_assert_int_ge(chore(), 0);
	reader_quiescent();
	settled();
	ck_assert(fwd_has(id, 0));
	reader_offline();
}
END_TEST

START_TEST(all_ids)
{
	struct bh_nexthop_key k;
	void *msg;

	for (uint32_t i = 1; i < BH_NH_MAX; i++) {
		k = group_key();
		add_member(&k, 1, i & 0xff, 1);
		k.m[0].addr[1] = i >> 8;
		ck_assert_uint_eq(put_nh(&k, NULL), i);
		for (int w = 0; w < 2; w++)
			rte_ring_dequeue(env.links.to_route[w], &msg);
	}
	k.type = BH_NH_GROUP;
	add_member(&k, 2, 1, 1);
	ck_assert_uint_eq(put_nh(&k, NULL), 0);
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

int
main(void)
{
	TCase *groups = tcase_create("groups");
	Suite *s = suite_create("link_nh");

	tcase_add_checked_fixture(groups, env_setup, env_teardown);
	tcase_add_test(groups, spread);
	tcase_add_test(groups, ids);
	tcase_add_test(groups, types);
	tcase_add_test(groups, bad_keys);
	tcase_add_test(groups, link_down_takes_member_out);
	tcase_add_test(groups, group_waits_for_grace);
	tcase_add_test(groups, all_ids);
	suite_add_tcase(s, groups);
	return link_main(s);
}
