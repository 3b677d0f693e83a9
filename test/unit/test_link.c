/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces of the link worker, and values that its tables refuse. */
#include "test/unit/link_util.h"

START_TEST(interface_life)
{
	struct bh_cfg_interface c = cfg_if("net_null0");
	struct bh_interface rec;

	c.mtu4 = 1400;
	put_if("eth0", &c);
	ck_assert_uint_eq(env.n_orders, 1);
	ck_assert_uint_eq(env.order[0].kind, BH_PORT_ATTACH);
	ck_assert_uint_eq(env.order[0].ifindex, 1);
	ck_assert_str_eq(env.order[0].name, "eth0");
	ck_assert_str_eq(env.order[0].cfg.device, "net_null0");
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_NOT_PRESENT);
	ck_assert_uint_eq(rec.port, UINT16_MAX);

	port_event(1, true);
	ck_assert(get_if(1, &rec));
	ck_assert_str_eq(rec.name, "eth0");
	ck_assert_uint_eq(rec.oper, BH_OPER_UP);
	ck_assert_uint_eq(rec.port, 0);
	ck_assert_uint_eq(rec.mtu, 1500);
	ck_assert_uint_eq(rec.mtu4, 1400);
	ck_assert_uint_eq(rec.mtu6, 1500);
	ck_assert_uint_eq(rec.mac[5], 1);
	ck_assert_uint_eq(rec.speed, 10000);
	ck_assert_uint_gt(rec.last_change, 0);
	ck_assert_uint_eq(fwd_if(1)->flags, BH_FWD_IF_UP | BH_FWD_IF_FORWARD4 | BH_FWD_IF_IPV4 |
		BH_FWD_IF_IPV6);
	ck_assert_uint_eq(fwd_if(1)->mtu4, 1400);
	ck_assert_uint_eq(fwd_if(1)->mac[5], 1);

	port_event(1, false);
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_DOWN);
	ck_assert_uint_eq(fwd_if(1)->flags & BH_FWD_IF_UP, 0);
	port_event(1, true);

	/* Disabled: stays attached, is down; no order. */
	c.flags &= ~BH_IF_ENABLED;
	put_if("eth0", &c);
	ck_assert_uint_eq(env.n_orders, 1);
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_DOWN);
	ck_assert_uint_eq(rec.port, 0);
	ck_assert_uint_eq(fwd_if(1)->flags & BH_FWD_IF_UP, 0);
	c.flags |= BH_IF_ENABLED;
	put_if("eth0", &c);
	ck_assert_uint_ne(fwd_if(1)->flags & BH_FWD_IF_UP, 0);

	/* Settings of the device: a new order. */
	c.mtu = 9000;
	put_if("eth0", &c);
	ck_assert_uint_eq(env.n_orders, 2);
	ck_assert_uint_eq(env.order[1].kind, BH_PORT_ATTACH);
	ck_assert_uint_eq(env.order[1].cfg.mtu, 9000);
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_UP);

	del_if("eth0");
	ck_assert_uint_eq(env.n_orders, 3);
	ck_assert_uint_eq(env.order[2].kind, BH_PORT_DETACH);
	ck_assert(!get_if(1, &rec));
	ck_assert_uint_eq(fwd_if(1)->flags, 0);
}
END_TEST

START_TEST(error_text)
{
	struct bh_port_event ev = { .ifindex = 1, .port = UINT16_MAX, .error = "bind it" };
	struct bh_cfg_interface c = cfg_if("0000:03:00.0");
	struct bh_interface rec;

	put_if("eth0", &c);
	send_event(&ev);
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_NOT_PRESENT);
	ck_assert_str_eq(rec.error, "bind it");
	port_event(1, true);
	ck_assert(get_if(1, &rec));
	ck_assert_str_eq(rec.error, "");
	ck_assert_uint_eq(rec.oper, BH_OPER_UP);

	/* Without a device. */
	c.device[0] = '\0';
	memset(c.device, 0, sizeof(c.device));
	put_if("eth0", &c);
	ck_assert_uint_eq(env.order[env.n_orders - 1].kind, BH_PORT_DETACH);
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_NOT_PRESENT);
	ck_assert_str_eq(rec.error, "no device is configured");
	/* What the old port still tells is ignored. */
	port_event(1, true);
	ck_assert(get_if(1, &rec));
	ck_assert_uint_eq(rec.oper, BH_OPER_NOT_PRESENT);
	detached_event(1);
	ck_assert(get_if(1, &rec));
	/* Events beyond the table are dropped. */
	ev.ifindex = BH_IF_MAX;
	send_event(&ev);
	ev.ifindex = 0;
	send_event(&ev);
	ev.ifindex = 77;
	send_event(&ev);
	ck_assert(!get_if(77, &rec));
}
END_TEST

START_TEST(index_belongs_to_name)
{
	struct bh_cfg_interface c = cfg_if("net_null0");
	struct bh_interface rec;

	put_if("a", &c);
	put_if("b", &c);
	ck_assert_uint_eq(env.order[1].ifindex, 2);
	del_if("a");
	ck_assert_uint_eq(env.order[2].kind, BH_PORT_DETACH);
	/* Back before the answer: the same index, and no ATTACH before the answer. */
	put_if("a", &c);
	ck_assert_uint_eq(env.n_orders, 3);
	ck_assert(get_if(1, &rec));
	port_event(1, true);
	ck_assert_uint_eq(fwd_if(1)->flags & BH_FWD_IF_UP, 0);
	detached_event(1);
	ck_assert_uint_eq(env.n_orders, 4);
	ck_assert_uint_eq(env.order[3].kind, BH_PORT_ATTACH);
	ck_assert_uint_eq(env.order[3].ifindex, 1);
	port_event(1, true);
	ck_assert_uint_ne(fwd_if(1)->flags & BH_FWD_IF_UP, 0);

	/* Gone: others take indices that nobody had; the name finds its own again. */
	del_if("a");
	detached_event(1);
	put_if("c", &c);
	ck_assert_uint_eq(env.order[env.n_orders - 1].ifindex, 3);
	put_if("a", &c);
	ck_assert_uint_eq(env.order[env.n_orders - 1].ifindex, 1);
}
END_TEST

START_TEST(all_indices)
{
	struct bh_cfg_interface c = cfg_if("");
	struct bh_ifname_key k;
	char name[BH_NAME_LEN];

	for (unsigned int i = 1; i < BH_IF_MAX; i++) {
		snprintf(name, sizeof(name), "e%u", i);
		put_if(name, &c);
	}
	k = ifname("one_more");
	ck_assert_ptr_null(bh_table_put(env.table[BH_T_CFG_INTERFACE], &k, &c, sizeof(c)));
	ck_assert_int_eq(errno, ENOSPC);
	del_if("e7");
	put_if("one_more", &c);
	ck_assert_uint_eq(bh_link_if_find(env.link, "one_more"), 7);
}
END_TEST

START_TEST(complete)
{
	struct bh_table *t = env.table[BH_T_INTERFACE];
	struct bh_cfg_interface c = cfg_if("net_null0"), none = cfg_if("");
	struct bh_port_event ev = { .ifindex = 2, .port = UINT16_MAX, .error = "absent" };

	put_if("a", &c);
	put_if("b", &c);
	put_if("n", &none);
	port_event(1, false);
	ck_assert(!bh_table_is_complete(t));
	bh_table_replay_end(env.table[BH_T_CFG_INTERFACE]);
	ck_assert(!bh_table_is_complete(t));
	send_event(&ev);
	ck_assert(bh_table_is_complete(t));
}
END_TEST

START_TEST(complete_when_empty)
{
	ck_assert(!bh_table_is_complete(env.table[BH_T_INTERFACE]));
	bh_table_replay_end(env.table[BH_T_CFG_INTERFACE]);
	ck_assert(bh_table_is_complete(env.table[BH_T_INTERFACE]));
}
END_TEST

START_TEST(full_order_ring)
{
	struct bh_cfg_interface c = cfg_if("net_null0");

	env.orders_full = true;
	put_if("a", &c);
	ck_assert_uint_eq(env.n_orders, 0);
	ck_assert_int_ge(chore(), 0);
	c.mtu = 2000; /* the newest state is what is ordered, once */
	put_if("a", &c);
	env.orders_full = false;
	settled();
	ck_assert_uint_eq(env.n_orders, 1);
	ck_assert_uint_eq(env.order[0].cfg.mtu, 2000);

	/* Added and deleted while nothing could be sent: nothing to detach. */
	env.orders_full = true;
	put_if("b", &c);
	del_if("b");
	env.orders_full = false;
	chore();
	ck_assert_uint_eq(env.n_orders, 1);
	/* A DETACH waits, too. */
	env.orders_full = true;
	del_if("a");
	ck_assert_int_ge(chore(), 0);
	env.orders_full = false;
	settled();
	ck_assert_uint_eq(env.order[1].kind, BH_PORT_DETACH);
}
END_TEST

START_TEST(interface_waits_for_grace)
{
	struct bh_cfg_interface c = cfg_if("net_null0");

	reader_online();
	put_if("a", &c);
	port_event(1, true);
	/* The first put took the idle copy; the second has to wait for the reader. */
	ck_assert_uint_eq(fwd_if(1)->flags & BH_FWD_IF_UP, 0);
	ck_assert_int_ge(chore(), 0);
	ck_assert_uint_eq(fwd_if(1)->flags & BH_FWD_IF_UP, 0);
	reader_quiescent();
	settled();
	ck_assert_uint_ne(fwd_if(1)->flags & BH_FWD_IF_UP, 0);
	reader_offline();
}
END_TEST

static void
refused(uint16_t table, const void *key, const void *val, uint16_t len)
{
	errno = 0;
	ck_assert_ptr_null(bh_table_put(env.table[table], key, val, len));
	ck_assert_int_eq(errno, EINVAL);
}

START_TEST(bad_interfaces)
{
	const struct bh_cfg_interface good = cfg_if("net_null0");
	static const char *const names[] = { "", "a/b", "a\nb", "\x80", "0123456789abcdef" };
	struct bh_ifname_key k = ifname("a");
	struct bh_cfg_interface c;

	for (size_t i = 0; i < RTE_DIM(names); i++) {
		struct bh_ifname_key bad = ifname(names[i]);

		refused(BH_T_CFG_INTERFACE, &bad, &good, sizeof(good));
	}
#define BAD(field, value) do { c = good; c.field = (value); \
	refused(BH_T_CFG_INTERFACE, &k, &c, sizeof(c)); } while (0)
	BAD(flags, 0x100);
	BAD(mtu, 67);
	BAD(mtu4, 67);
	BAD(mtu6, 1279);
	BAD(vrf, 1);
	BAD(rx_queues, 65);
	BAD(tx_queues, 65);
	BAD(rx_desc, 32769);
	BAD(tx_desc, 65535);
	BAD(mac[0], 1);
	BAD(device[3], '\t');
#undef BAD
	c = good;
	memset(c.device, 'x', sizeof(c.device));
	refused(BH_T_CFG_INTERFACE, &k, &c, sizeof(c));
	c = good;
	memset(c.description, 'x', sizeof(c.description));
	refused(BH_T_CFG_INTERFACE, &k, &c, sizeof(c));
	ck_assert_uint_eq(env.n_orders, 0);
}
END_TEST

START_TEST(other_checks)
{
	struct bh_cfg_address_key ck = { .name = "a", .family = 4, .addr = { 10, 0, 0, 1 } };
	struct bh_cfg_neighbor_key nk = { .name = "a", .family = 4, .addr = { 10, 0, 0, 1 } };
	struct bh_if_addr_key ak = { .ifindex = 1, .family = 6, .addr = { 0xfe, 0x80 } };
	struct bh_ifindex_key hk = { 1 };
	struct bh_cfg_address ca = { .plen = 32 };
	struct bh_cfg_neighbor cn = { .mac = { 2, 0, 0, 0, 0, 1 } };
	struct bh_neighbor n = { .mac = { 2, 0, 0, 0, 0, 1 }, .state = 1 };
	struct bh_address a = { .plen = 128, .state = 2 };
	struct bh_hostif h = { 5 };

	ck_assert_ptr_nonnull(bh_table_put(env.table[BH_T_CFG_ADDRESS], &ck, &ca, sizeof(ca)));
	ca.plen = 33;
	refused(BH_T_CFG_ADDRESS, &ck, &ca, sizeof(ca));
	ck_assert_ptr_nonnull(bh_table_put(env.table[BH_T_ADDRESS], &ak, &a, sizeof(a)));
	a.state = 3;
	refused(BH_T_ADDRESS, &ak, &a, sizeof(a));
	a.state = 0;
	ak.family = 4;
	refused(BH_T_ADDRESS, &ak, &a, sizeof(a));
	ck_assert_ptr_nonnull(bh_table_put(env.table[BH_T_HOSTIF], &hk, &h, sizeof(h)));
	h.host_ifindex = 0;
	refused(BH_T_HOSTIF, &hk, &h, sizeof(h));
	cn.mac[0] = 1;
	refused(BH_T_CFG_NEIGHBOR, &nk, &cn, sizeof(cn));
	memset(cn.mac, 0, 6);
	refused(BH_T_CFG_NEIGHBOR, &nk, &cn, sizeof(cn));
	n.mac[0] = 0x33;
	refused(BH_T_NEIGHBOR, &ak, &n, sizeof(n));
	n.state = 0;
	ck_assert_ptr_nonnull(bh_table_put(env.table[BH_T_NEIGHBOR], &ak, &n, sizeof(n)));
	ak.ifindex = BH_IF_MAX;
	refused(BH_T_NEIGHBOR, &ak, &n, sizeof(n));
}
END_TEST

int
main(void)
{
	TCase *interfaces = tcase_create("interfaces");
	Suite *s = suite_create("link");

	tcase_add_checked_fixture(interfaces, env_setup, env_teardown);
	tcase_add_test(interfaces, interface_life);
	tcase_add_test(interfaces, error_text);
	tcase_add_test(interfaces, index_belongs_to_name);
	tcase_add_test(interfaces, all_indices);
	tcase_add_test(interfaces, complete);
	tcase_add_test(interfaces, complete_when_empty);
	tcase_add_test(interfaces, full_order_ring);
	tcase_add_test(interfaces, interface_waits_for_grace);
	tcase_add_test(interfaces, bad_interfaces);
	tcase_add_test(interfaces, other_checks);
	suite_add_tcase(s, interfaces);
	return link_main(s);
}
