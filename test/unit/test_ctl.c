/* SPDX-License-Identifier: BSD-3-Clause */
/* bhctl's shows against a fake core: JSON shapes, joins, order, errors. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "test/unit/ctl_json.h"

START_TEST(interfaces)
{
	struct bh_stats *st = fake_stats();
	json_t *list, *v;

	st->n_fwd = 2;
	st->fwd[0].ifs[1].rx_packets = 5;
	st->fwd[1].ifs[1].rx_packets = 7;
	st->fwd[1].ifs[1].tx_bytes = 1ull << 40;
	list = run_json(bh_show_interfaces, "bhctl show interfaces", "interfaces");
	ck_assert_uint_eq(json_array_size(list), 2);
	v = json_array_get(list, 0);
	ck_assert_str_eq(str(v, "name"), "eth0");
	ck_assert_int_eq(num(v, "ifindex"), 1);
	ck_assert(is(v, "enabled") && is(v, "forwarding.ipv4") && !is(v, "forwarding.ipv6"));
	ck_assert_str_eq(str(v, "oper-status"), "up");
	ck_assert_str_eq(str(v, "mac"), "02:00:00:00:00:01");
	ck_assert_int_eq(num(v, "ipv4-mtu"), 1500);
	ck_assert_int_eq(num(v, "ipv6-mtu"), 1400);
	ck_assert_str_eq(str(v, "device"), "net_memif0,role=server");
	ck_assert_int_eq(num(v, "port"), 0);
	ck_assert_int_eq(num(v, "statistics.rx-packets"), 12);
	ck_assert_int_eq(num(v, "statistics.tx-bytes"), 1ll << 40);
	v = json_object_get(v, "addresses");
	ck_assert_uint_eq(json_array_size(v), 2);
	ck_assert_str_eq(json_string_value(json_array_get(v, 0)), "10.0.0.1/24");
	ck_assert_str_eq(json_string_value(json_array_get(v, 1)), "2001:db8::1/64");
	v = json_array_get(list, 1);
	ck_assert_str_eq(str(v, "oper-status"), "not-present");
	ck_assert(json_is_null(json_object_get(v, "port")));
	ck_assert_str_eq(str(v, "error"), "no such device");
}
END_TEST

START_TEST(interfaces_text)
{
	ck_assert_int_eq(fake_run(bh_show_interfaces, "bhctl show interfaces"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "  10.0.0.1/24\n"));
	ck_assert_ptr_nonnull(strstr(fake_out, "  2001:db8::1/64\n"));
	ck_assert_ptr_nonnull(strstr(fake_out, "\neth1: no such device\n"));
	ck_assert_ptr_null(strstr(fake_out, "eth0: "));
}
END_TEST

START_TEST(one_interface)
{
	json_t *list = run_json(bh_show_interfaces, "bhctl show interfaces eth1", "interfaces");

	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert_str_eq(str(json_array_get(list, 0), "name"), "eth1");
	ck_assert_int_eq(fake_run(bh_show_interfaces, "bhctl show interfaces eth0"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "10.0.0.1/24, 2001:db8::1/64\n"));
	ck_assert_int_eq(fake_run(bh_show_interfaces, "bhctl show interfaces eth9"), BH_CTL_FAILED);
	ck_assert_str_eq(fake_err, "bhctl: no interface 'eth9'\n");
	ck_assert_str_eq(fake_out, "");
}
END_TEST

START_TEST(addresses)
{
	struct bh_if_addr_key key = {.ifindex = 1, .family = 4, .addr = {10, 0, 0, 1}};
	struct bh_address val = {.plen = 24, .state = 2};
	json_t *list;

	fake_put(BH_T_ADDRESS, 0, &key, &val, sizeof(val));
	key.addr[3] = 9;
	fake_put(BH_T_ADDRESS, 0, &key, &val, sizeof(val));
	fake_put(BH_T_CFG_ADDRESS, 0,
		&(struct bh_cfg_address_key){.name = "eth7", .family = 4, .addr = {10, 7, 0, 1}},
		&(struct bh_cfg_address){.plen = 16}, sizeof(struct bh_cfg_address));
	list = run_json(bh_show_addresses, "bhctl show addresses", "addresses");
	ck_assert_uint_eq(json_array_size(list), 4);
	ck_assert_str_eq(str(json_array_get(list, 0), "address"), "10.0.0.1/24");
	ck_assert_str_eq(str(json_array_get(list, 0), "state"), "duplicate");
	ck_assert_str_eq(str(json_array_get(list, 1), "address"), "10.0.0.9/24");
	ck_assert_str_eq(str(json_array_get(list, 1), "origin"), "stack");
	ck_assert_str_eq(str(json_array_get(list, 2), "state"), "configured");
	ck_assert_str_eq(str(json_array_get(list, 3), "interface"), "eth7");
	ck_assert_str_eq(str(json_array_get(list, 3), "state"), "no interface");
}
END_TEST

static void
fill_counters(void)
{
	struct bh_stats *st = fake_stats();

	st->n_fwd = 2;
	st->fwd_lcore[0] = 6;
	st->fwd_lcore[1] = 7;
	st->fwd[0].drop[BH_DROP_IP4_NO_ROUTE] = 3;
	st->fwd[1].drop[BH_DROP_IP4_NO_ROUTE] = 4;
	st->fwd[1].drop[BH_DROP_TX_FULL] = 9;
	st->fwd[0].ip4_forwarded = 100;
	st->fwd[1].ip6_forwarded = 200;
	st->fwd[0].punted = 5;
	st->fwd[0].punt[BH_PUNT_TTL] = (struct bh_stats_punt){ 3, 2, 1 };
	st->fwd[1].punt[BH_PUNT_TTL].taken = 4;
	st->fwd[1].ip4_fragments = 6;
	st->stack.connected = 1;
	st->stack.inject_refused = 8;
	st->fwd[0].ifs[1].rx_packets = 11;
	st->dev[1].imissed = 12;
	st->fwd[0].ip[1][0].n[BH_IP_IN_RECEIVES] = 21;
	st->fwd[1].ip[1][0].n[BH_IP_IN_RECEIVES] = 1;
	st->fwd[1].ip[2][1].n[BH_IP_OUT_FRAG_FAILS] = 31;
	st->fwd[1].ip[0][1].n[BH_IP_OUT_NO_ROUTES] = 41;
	st->fwd[2].ip[1][0].n[BH_IP_IN_RECEIVES] = 1000;
	st->fwd[2].ip4_forwarded = 1000; /* beyond n_fwd */
}

START_TEST(sockets)
{
	struct bh_sock_key listen = {.family = 4, .lport = 22}, conn = {.family = 4, .lport = 22,
		.rport = 50000, .laddr = {10, 0, 0, 1}, .raddr = {10, 0, 0, 9}};
	struct bh_sock_key udp = {.family = 6, .ifindex = 77, .lport = 546, .laddr = {0xfe, 0x80}};
	struct bh_sock v = {.state = 10, .uid = 0, .inode = 12};
	struct bh_ifindex_key k = {1};
	struct bh_hostif host = {77};
	json_t *list;

	fake_router();
	fake_put(BH_T_HOSTIF, 0, &k, &host, sizeof(host));
	v.state = 1;
	fake_put(BH_T_TCP, 0, &conn, &v, sizeof(v));
	v.state = 10;
	fake_put(BH_T_TCP, 0, &listen, &v, sizeof(v));
	v = (struct bh_sock){.state = 7, .uid = 100, .inode = 5000000000};
	fake_put(BH_T_UDP, 0, &udp, &v, sizeof(v));
	list = run_json(bh_show_sockets, "bhctl show sockets", "sockets");
	ck_assert_uint_eq(json_array_size(list), 3);
	ck_assert_str_eq(str(json_array_get(list, 0), "state"), "listen");
	ck_assert_str_eq(str(json_array_get(list, 0), "local-address"), "0.0.0.0");
	ck_assert(json_is_null(json_object_get(json_array_get(list, 0), "remote-port")));
	ck_assert_str_eq(str(json_array_get(list, 1), "state"), "established");
	ck_assert_str_eq(str(json_array_get(list, 1), "remote-address"), "10.0.0.9");
	ck_assert_int_eq(num(json_array_get(list, 1), "remote-port"), 50000);
	ck_assert_str_eq(str(json_array_get(list, 2), "protocol"), "udp");
	ck_assert_str_eq(str(json_array_get(list, 2), "state"), "open");
	ck_assert_str_eq(str(json_array_get(list, 2), "interface"), "eth0");
	ck_assert_int_eq(num(json_array_get(list, 2), "inode"), 5000000000);
	list = run_json(bh_show_sockets, "bhctl show sockets udp", "sockets");
	ck_assert_uint_eq(json_array_size(list), 1);
	list = run_json(bh_show_sockets, "bhctl show sockets t", "sockets");
	ck_assert_uint_eq(json_array_size(list), 2);
}
END_TEST

START_TEST(counters)
{
	json_t *drops, *v;

	fill_counters();
	drops = run_json(bh_show_counters, "bhctl show counters", "drops");
	ck_assert_uint_eq(json_object_size(drops), BH_DROP_MAX);
	ck_assert_int_eq(num(drops, "ip4_no_route"), 7);
	ck_assert_int_eq(num(drops, "tx_full"), 9);
	ck_assert_int_eq(num(drops, "ip4_bad_checksum"), 0);
	ck_assert_int_eq(num(doc, "forwarded.ipv4"), 100);
	ck_assert_int_eq(num(doc, "forwarded.ipv6"), 200);
	ck_assert_int_eq(num(doc, "punted"), 5);
	ck_assert_int_eq(num(doc, "ip4-fragmented.fragments"), 6);
	ck_assert(json_is_true(json_object_get(json_object_get(doc, "stack"), "connected")));
	ck_assert_int_eq(num(doc, "stack.inject-refused"), 8);
	ck_assert_int_eq(num(doc, "stack.punt.ttl.taken"), 7);
	ck_assert_int_eq(num(doc, "stack.punt.ttl.policed"), 2);
	ck_assert_int_eq(num(doc, "stack.punt.arp.taken"), 0);
	ck_assert_int_eq(num(doc, "interfaces.eth0.rx-packets"), 11);
	ck_assert_int_eq(num(doc, "devices.eth0.imissed"), 12);
	ck_assert_int_eq(num(doc, "devices.eth1.imissed"), 0);
	ck_assert_uint_eq(json_object_size(json_object_get(doc, "ip")), BH_IP_COUNTERS);
	ck_assert_int_eq(num(doc, "ip.in-receives.ipv4"), 22);
	ck_assert_int_eq(num(doc, "ip.in-receives.ipv6"), 0);
	ck_assert_int_eq(num(doc, "ip.out-fragment-failed.ipv6"), 31);
	ck_assert_int_eq(num(doc, "ip.out-no-routes.ipv6"), 41);
	ck_assert_int_eq(num(doc, "interfaces.eth0.ip.in-receives.ipv4"), 22);
	ck_assert_int_eq(num(doc, "interfaces.eth0.ip.out-no-routes.ipv6"), 0);
	v = json_array_get(json_object_get(doc, "lcores"), 1);
	ck_assert_int_eq(num(v, "lcore"), 7);
	ck_assert_uint_eq(json_object_size(json_object_get(v, "drops")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(doc, "lcores")), 2);
}
END_TEST

START_TEST(some_counters)
{
	json_t *v;

	fill_counters();
	v = run_json(bh_show_counters, "bhctl show counters drops", "drops");
	ck_assert_uint_eq(json_object_size(v), BH_DROP_MAX);
	ck_assert_ptr_null(json_object_get(doc, "interfaces"));
	v = run_json(bh_show_counters, "bhctl show counters tx_full", "drops");
	ck_assert_uint_eq(json_object_size(v), 1);
	ck_assert_int_eq(num(v, "tx_full"), 9);
	v = json_object_get(doc, "lcores");
	ck_assert_uint_eq(json_object_size(json_object_get(json_array_get(v, 0), "drops")), 0);
	v = run_json(bh_show_counters, "bhctl show counters eth0", "interfaces");
	ck_assert_uint_eq(json_object_size(v), 1);
	v = run_json(bh_show_counters, "bhctl show counters ip", "ip");
	ck_assert_int_eq(num(v, "in-receives.ipv4"), 22);
	ck_assert_ptr_null(json_object_get(doc, "drops"));
	ck_assert_int_eq(fake_run(bh_show_counters, "bhctl show counters ip"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "in-receives"));
	ck_assert_ptr_null(strstr(fake_out, "in-broadcast"));
	ck_assert_int_eq(fake_run(bh_show_counters, "bhctl show counters eth9"), BH_CTL_FAILED);
	ck_assert_str_eq(fake_err, "bhctl: 'eth9' is neither an interface nor a reason of drops, nor 'ip'\n");
	ck_assert_int_eq(fake_run(bh_show_counters, "bhctl show counters drops"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "ip4_no_route           7\n"));
	ck_assert_ptr_null(strstr(fake_out, "ip4_bad_checksum"));
}
END_TEST

START_TEST(connections)
{
	struct bh_stats_conn *c = &fake_stats()->conn[3];
	json_t *list, *v;

	*c = (struct bh_stats_conn){
		.seq = 8, .state = BH_CONN_DIRECT, .client = "routing", .zone = "bh.1.3",
		.service = BH_SERVICE_INFOBASE, .role = BH_ROLE_ROUTING, .pid = 77, .proxy = 2,
		.channel = 3, .address = 0x7f0012345000, .generation = 1, .proxied = 1,
		.direct = 120000, .replies = 120001, .since = 1700000000,
	};
	fake_stats()->conn[4] = *c;
	fake_stats()->conn[4].seq = 9; /* being written all the time: left out */
	list = run_json(bh_show_connections, "bhctl show connections", "connections");
	ck_assert_uint_eq(json_array_size(list), 1);
	v = json_array_get(list, 0);
	ck_assert_str_eq(str(v, "client"), "routing");
	ck_assert_str_eq(str(v, "role"), "routing");
	ck_assert_str_eq(str(v, "service"), "infobase");
	ck_assert_str_eq(str(v, "state"), "direct");
	ck_assert_str_eq(str(v, "address"), "0x7f0012345000");
	ck_assert_str_eq(str(v, "first-request"), "proxied");
	ck_assert_int_eq(num(v, "proxy-lcore"), 2);
	ck_assert_int_eq(num(v, "proxied"), 1);
	ck_assert_int_eq(num(v, "direct"), 120000);
	ck_assert_int_eq(fake_run(bh_show_connections, "bhctl show connections"), 0);
	ck_assert_ptr_nonnull(strstr(fake_out, "proxied by 2"));
}
END_TEST

START_TEST(tables)
{
	struct bh_stats_table *t = &fake_stats()->table[BH_T_ROUTE4];
	json_t *list, *v;

	*t = (struct bh_stats_table){
		.used = 1, .lcore = 5, .requests = 10, .refused = 1, .records = 4, .complete = 1,
		.worker_sleeps = 20, .worker_wakes = 19,
	};
	list = run_json(bh_show_tables, "bhctl show tables", "tables");
	ck_assert_uint_eq(json_array_size(list), 1);
	v = json_array_get(list, 0);
	ck_assert_str_eq(str(v, "name"), "route4");
	ck_assert_str_eq(str(v, "owner"), "routing");
	ck_assert_str_eq(str(v, "kind"), "state");
	ck_assert_str_eq(str(v, "group"), "route4");
	ck_assert_int_eq(num(v, "worker-lcore"), 5);
	ck_assert_int_eq(num(v, "records"), 4);
	ck_assert(is(v, "complete"));
	ck_assert_int_eq(num(v, "worker-sleeps"), 20);
	ck_assert_int_eq(num(v, "worker-wakes"), 19);
}
END_TEST

START_TEST(lcores)
{
	struct bh_stats *st = fake_stats();
	json_t *list;

	st->tsc_hz = 1000000;
	st->lcore[4] = (struct bh_stats_lcore){
		.used = 1, .cpu = 1, .role = "worker", .turns = 9, .heartbeat = 5000,
	};
	list = bh_json_lcores(st, 6500);
	ck_assert_uint_eq(json_array_size(list), 1);
	ck_assert_int_eq(num(json_array_get(list, 0), "lcore"), 4);
	ck_assert_double_eq_tol(
		json_real_value(json_object_get(json_array_get(list, 0), "last-turn-ms")), 1.5, 1e-9);
	json_decref(list);
	ck_assert_str_eq(str(json_array_get(run_json(bh_show_lcores, "bhctl show lcores",
		"lcores"), 0), "role"), "worker");
}
END_TEST

START_TEST(processes)
{
	struct bh_ifname_key k = {.name = "routing"};
	struct bh_process p = {
		.pid = 5, .state = BH_PROC_READY, .restarts = 1, .last_exit = W_EXITCODE(0, 9),
		.started = 1000, .recovery_us = 12345, .how = BH_HOW_HANG, .detect_us = 70500,
		.seen_ns = 99, .flags = BH_PROC_ADOPTED,
	};
	struct bh_recs recs;
	json_t *list, *v;

	fake_put(BH_T_PROCESS, 0, &k, &p, sizeof(p));
	snprintf(k.name, sizeof(k.name), "core");
	p = (struct bh_process){.state = BH_PROC_HELD, .last_exit = -1};
	fake_put(BH_T_PROCESS, 0, &k, &p, sizeof(p));
	list = run_json(bh_show_processes, "bhctl show processes", "processes");
	v = json_array_get(list, 0);
	ck_assert_str_eq(str(v, "name"), "core");
	ck_assert_str_eq(str(v, "state"), "held");
	ck_assert_str_eq(str(v, "last-exit"), "none");
	ck_assert(json_is_null(json_object_get(v, "uptime-s")));
	ck_assert(json_is_null(json_object_get(v, "recovery-ms")));
	ck_assert(json_is_null(json_object_get(v, "detection-ms")));
	ck_assert(json_is_true(json_object_get(v, "held")));
	ck_assert(json_is_false(json_object_get(v, "adopted")));
	ck_assert_str_eq(str(v, "ended-by"), "none");
	v = json_array_get(list, 1);
	ck_assert_str_eq(str(v, "last-exit"), "killed by signal 9 (Killed)");
	ck_assert_double_eq_tol(json_real_value(json_object_get(v, "recovery-ms")), 12.345, 1e-9);
	ck_assert_int_eq(num(v, "restarts"), 1);
	ck_assert_str_eq(str(v, "ended-by"), "hang");
	ck_assert_double_eq_tol(json_real_value(json_object_get(v, "detection-ms")), 70.5, 1e-9);
	ck_assert_int_eq(num(v, "end-seen-ns"), 99);
	ck_assert(json_is_false(json_object_get(v, "held")));
	ck_assert(json_is_true(json_object_get(v, "adopted")));

	bh_recs_init(&recs, sizeof(k), sizeof(p));
	p.pid = 5;
	p.started = 1000;
	ck_assert_int_eq(bh_recs_add(&recs, 0, &k, &p, sizeof(p)), 0);
	list = bh_json_processes(&recs, 1060);
	ck_assert_int_eq(num(json_array_get(list, 0), "uptime-s"), 60);
	json_decref(list);
	bh_recs_free(&recs);
}
END_TEST

START_TEST(version)
{
	fake_stats()->core_pid = 42;
	ck_assert_str_eq(str(run_json(bh_show_version, "bhctl show version", "version"), "bhctl"),
		BH_VERSION);
	ck_assert_int_eq(num(doc, "version.core-pid"), 42);
}
END_TEST

START_TEST(errors)
{
	fake_fail_contact(-ECONNREFUSED);
	ck_assert_int_eq(fake_run(bh_show_tables, "bhctl -r /x show tables"), BH_CTL_UNREACHABLE);
	ck_assert_str_eq(fake_err,
		"bhctl: no core answers at /x/core.sock: is bulkhead running?\n");
	fake_fail_contact(0);
	fake_fail_table(BH_T_ROUTE4, -EPERM);
	ck_assert_int_eq(fake_run(bh_show_routes, "bhctl show routes"), BH_CTL_PERMISSION);
	ck_assert_str_eq(fake_err, "bhctl: table route4: Operation not permitted\n");
	ck_assert_str_eq(fake_out, "");
	fake_fail_table(BH_T_ROUTE4, -ECONNRESET);
	ck_assert_int_eq(fake_run(bh_show_routes, "bhctl show routes"), BH_CTL_UNREACHABLE);
	fake_fail_table(BH_T_ROUTE4, -EIO);
	ck_assert_int_eq(fake_run(bh_show_routes, "bhctl show routes 10.0.0.0/8"), BH_CTL_FAILED);
	fake_stats()->version++;
	ck_assert_int_eq(fake_run(bh_show_tables, "bhctl show tables"), BH_CTL_FAILED);
	ck_assert_ptr_nonnull(strstr(fake_err, "of different versions"));
}
END_TEST

int
main(void)
{
	const TTest *tests[] = {
		interfaces, interfaces_text, one_interface, addresses, sockets, counters,
		some_counters, connections, tables, lcores, processes, version, errors,
	};

	return run_shows("ctl", tests, sizeof(tests) / sizeof(tests[0]));
}
