/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbors and adjacencies of the link worker. */
#include "test/unit/link_util.h"

/* Addresses: 10.0.ifindex.host. */

static void
put_static(const char *name, uint8_t net, uint8_t host, uint8_t mac)
{
	struct bh_cfg_neighbor_key k = { .family = 4, .addr = { 10, 0, net, host } };
	struct bh_cfg_neighbor v = { .mac = { 2, 1, 0, 0, 0, mac } };
	struct bh_table *t = env.table[BH_T_CFG_NEIGHBOR];

	memcpy(k.name, name, strlen(name));
	if (mac)
		ck_assert_ptr_nonnull(bh_table_put(t, &k, &v, sizeof(v)));
	else
		ck_assert_int_eq(bh_table_del(t, &k), 0);
}

static void
put_dynamic(uint32_t ifindex, uint8_t host, uint8_t mac, uint8_t state)
{
	struct bh_if_addr_key k = { .ifindex = ifindex, .family = 4,
		.addr = { 10, 0, ifindex, host } };
	struct bh_neighbor v = { .mac = { 2, 2, 0, 0, 0, mac }, .state = state };

	if (mac)
		ck_assert_ptr_nonnull(bh_table_put(env.table[BH_T_NEIGHBOR], &k, &v, sizeof(v)));
	else
		ck_assert_int_eq(bh_table_del(env.table[BH_T_NEIGHBOR], &k), 0);
}

/* Adjacency of the attached neighbor, or 0. */
static uint16_t
attached(uint32_t ifindex, uint8_t host)
{
	struct bh_fwd_attached_key k = { .ifindex = ifindex, .family = 4,
		.addr = { 10, 0, ifindex, host } };
	void *adj;

	return rte_hash_lookup_data(env.fwd.attached, &k, &adj) < 0 ? 0 : (uintptr_t)adj;
}

static const struct bh_adj_copy *
adj(uint16_t a)
{
	return bh_adj_get(&env.fwd.adjs[a]);
}

START_TEST(static_before_interface)
{
	uint16_t a;

	put_static("e1", 1, 5, 55);
	put_static("nosuch", 1, 5, 55);
	ck_assert_uint_eq(attached(1, 5), 0);
	interfaces_up(1);
	a = attached(1, 5);
	ck_assert_uint_ne(a, 0);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_RESOLVED);
	ck_assert_uint_eq(adj(a)->ifindex, 1);
	ck_assert_uint_eq(adj(a)->hdr_len, BH_ETH_HDR);
	ck_assert_uint_eq(adj(a)->hdr[1], 1);
	ck_assert_uint_eq(adj(a)->hdr[5], 55);
	ck_assert_mem_eq(adj(a)->hdr + 6, fwd_if(1)->mac, 6);
	/* The interface goes: so does the neighbor; it comes back with it. */
	del_if("e1");
	ck_assert_uint_eq(attached(1, 5), 0);
	detached_event(1);
	interfaces_up(1);
	ck_assert_uint_ne(attached(1, 5), 0);
}
END_TEST

START_TEST(static_first)
{
	uint16_t a;

	interfaces_up(1);
	put_dynamic(1, 5, 22, 1);
	a = attached(1, 5);
	ck_assert_uint_ne(a, 0);
	ck_assert_uint_eq(adj(a)->hdr[5], 22);
	put_static("e1", 1, 5, 11);
	ck_assert_uint_eq(attached(1, 5), a);
	ck_assert_uint_eq(adj(a)->hdr[1], 1);
	ck_assert_uint_eq(adj(a)->hdr[5], 11);
	put_dynamic(1, 5, 33, 1);
	ck_assert_uint_eq(adj(a)->hdr[5], 11);
	put_static("e1", 1, 5, 0);
	ck_assert_uint_eq(attached(1, 5), a);
	ck_assert_uint_eq(adj(a)->hdr[1], 2);
	ck_assert_uint_eq(adj(a)->hdr[5], 33);
	/* Incomplete: a record, but no neighbor. */
	put_dynamic(1, 5, 33, 0);
	ck_assert_uint_eq(attached(1, 5), 0);
	put_dynamic(1, 5, 0, 0);
}
END_TEST

START_TEST(dynamic_before_interface)
{
	put_dynamic(1, 9, 44, 1);
	ck_assert_uint_eq(attached(1, 9), 0);
	interfaces_up(1);
	ck_assert_uint_ne(attached(1, 9), 0);
}
END_TEST

START_TEST(mac_change_rewrites)
{
	struct bh_port_event ev = { .ifindex = 1, .port = 0, .link = 1, .mtu = 1500,
		.mac = { 2, 9, 9, 9, 9, 9 } };
	struct bh_port_event gone = { .ifindex = 1, .port = UINT16_MAX, .error = "gone" };
	uint16_t a;

	interfaces_up(2);
	put_static("e1", 1, 5, 55);
	a = attached(1, 5);
	send_event(&ev);
	ck_assert_mem_eq(adj(a)->hdr + 6, ev.mac, 6);
	/* No port: the neighbor is known, but there is no source address. */
	send_event(&gone);
	ck_assert_uint_eq(attached(1, 5), a);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_UNRESOLVED);
	send_event(&ev);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_RESOLVED);
}
END_TEST

START_TEST(adjacency_freed_after_grace)
{
	uint16_t a, b;

	interfaces_up(1);
	put_dynamic(1, 5, 55, 1);
	a = attached(1, 5);
	reader_online();
	put_dynamic(1, 5, 0, 0);
	ck_assert_uint_eq(attached(1, 5), 0);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_UNRESOLVED);
	ck_assert_int_ge(chore(), 0);
	/* In its grace period the index is nobody else's ... */
	put_dynamic(1, 6, 66, 1);
	b = attached(1, 6);
	ck_assert_uint_ne(b, 0);
	ck_assert_uint_ne(b, a);
	/* ... but the same neighbor finds it again. */
	put_dynamic(1, 5, 77, 1);
	reader_quiescent();
	settled();
	ck_assert_uint_eq(attached(1, 5), a);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_RESOLVED);
	ck_assert_uint_eq(adj(a)->hdr[5], 77);
	reader_offline();
	put_dynamic(1, 5, 0, 0);
	settled();
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_FREE);
	put_dynamic(1, 7, 77, 1);
	ck_assert_uint_eq(attached(1, 7), a);
}
END_TEST

/* Also when its entry says the same before and after, because the port has no address. */
START_TEST(unresolved_freed_after_grace)
{
	struct bh_port_event gone = { .ifindex = 1, .port = UINT16_MAX };
	uint16_t a;

	interfaces_up(1);
	send_event(&gone);
	put_dynamic(1, 5, 55, 1);
	a = attached(1, 5);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_UNRESOLVED);
	reader_online();
	put_dynamic(1, 5, 0, 0);
	ck_assert_uint_eq(attached(1, 5), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ge(chore(), 0);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_UNRESOLVED);
	reader_quiescent();
	settled();
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_FREE);
	reader_offline();
}
END_TEST

START_TEST(adjacency_waits_for_grace)
{
	uint16_t a;

	interfaces_up(1);
	reader_online();
	put_dynamic(1, 5, 1, 1);
	a = attached(1, 5);
	for (uint8_t mac = 2; mac < 6; mac++) {
		put_dynamic(1, 5, mac, 1);
		ck_assert_uint_eq(adj(a)->hdr[5], mac - 1);
		ck_assert_int_ge(chore(), 0);
		reader_quiescent();
		settled();
		ck_assert_uint_eq(adj(a)->hdr[5], mac);
	}
	reader_offline();
}
END_TEST

START_TEST(next_hop_keeps_adjacency)
{
	struct bh_nexthop_key k = group_key();
	uint16_t a;
	uint32_t id;

	add_member(&k, 1, 5, 1);
	interfaces_up(1);
	id = put_nh(&k, NULL);
	a = fwd_nh(id)->adj[0];
	ck_assert_uint_ne(a, 0);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_UNRESOLVED);
	ck_assert_uint_eq(adj(a)->family, k.m[0].family); /* whom the stack is to ask for */
	ck_assert_mem_eq(adj(a)->hop, k.m[0].addr, 16);
	ck_assert_uint_eq(attached(1, 5), 0);
	/* The neighbor fills it, leaves it, without a touch of the next hop. */
	put_dynamic(1, 5, 55, 1);
	ck_assert_uint_eq(attached(1, 5), a);
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_RESOLVED);
	put_dynamic(1, 5, 0, 0);
	settled();
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_UNRESOLVED);
	ck_assert_uint_eq(fwd_nh(id)->adj[0], a);
	/* Both go: it is free. */
	expect_both(id, BH_NH_MSG_LIVE);
	del_nh(&k);
	expect_both(id, BH_NH_MSG_RETIRE);
	answer(0, id);
	answer(1, id);
	settled();
	ck_assert_uint_eq(adj(a)->state, BH_ADJ_FREE);
}
END_TEST

int
main(void)
{
	TCase *neighbors = tcase_create("neighbors");
	Suite *s = suite_create("link_adj");

	tcase_add_checked_fixture(neighbors, env_setup, env_teardown);
	tcase_add_test(neighbors, static_before_interface);
	tcase_add_test(neighbors, static_first);
	tcase_add_test(neighbors, dynamic_before_interface);
	tcase_add_test(neighbors, mac_change_rewrites);
	tcase_add_test(neighbors, adjacency_freed_after_grace);
	tcase_add_test(neighbors, unresolved_freed_after_grace);
	tcase_add_test(neighbors, adjacency_waits_for_grace);
	tcase_add_test(neighbors, next_hop_keeps_adjacency);
	suite_add_tcase(s, neighbors);
	return link_main(s);
}
