/* SPDX-License-Identifier: BSD-3-Clause */
/* From YANG to records and boot record; devices; the replay towards a core that is a fake. */
#include <errno.h>

#include "infobase/schema_check.h"
#include "test/unit/config_fixture.h"

#define IF(name, more) "{\"name\":\"" name "\",\"type\":\"iana-if-type:ethernetCsmacd\"" more "}"
#define IFS(list) "\"ietf-interfaces:interfaces\":{\"interface\":[" list "]}"
#define PROTO(name, more) "{\"type\":\"ietf-routing:static\",\"name\":\"" name "\"" more "}"
#define ROUTING(list) "\"ietf-routing:routing\":{\"control-plane-protocols\":" \
	"{\"control-plane-protocol\":[" list "]}}"
#define V4(list) "\"static-routes\":{\"ietf-ipv4-unicast-routing:ipv4\":{\"route\":[" list "]}}"
#define V6(list) "\"static-routes\":{\"ietf-ipv6-unicast-routing:ipv6\":{\"route\":[" list "]}}"
#define TO(prefix, nh) "{\"destination-prefix\":\"" prefix "\",\"next-hop\":{" nh "}}"
#define RA(leaves) "\"ietf-ipv6-unicast-routing:ipv6-router-advertisements\":{" leaves "}"
#define TWO IFS(IF("eth0", "") "," IF("eth1", ""))

/* The nth record of a table. */
static struct bh_record
record(uint16_t table, unsigned int nth)
{
	struct bh_record rec;
	size_t off = 0;

	while (bh_records_next(&model.records, &off, &rec))
		if (rec.table == table && nth-- == 0)
			return rec;
	ck_abort_msg("no such record of table %u", table);
	return rec;
}

static void
load(const char *text)
{
	ck_assert_msg(load_text(text) == 0, "%s", messages);
}

START_TEST(test_interface)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x0a};
	const struct bh_cfg_interface *c;
	struct bh_record rec;

	load("{" IFS(IF("eth0", ",\"description\":\"line\\none\","
		"\"bulkhead:dpdk\":{\"device\":\"net_null0\",\"mtu\":9000,"
		"\"mac-address\":\"02:00:00:00:00:0A\",\"rx-queues\":2,\"tx-queues\":3,"
		"\"rx-descriptors\":256,\"tx-descriptors\":512},"
		"\"ietf-ip:ipv4\":{\"forwarding\":true,\"mtu\":1400},"
		"\"ietf-ip:ipv6\":{\"mtu\":1300}") ","
		IF("eth1", ",\"enabled\":false,\"ietf-ip:ipv4\":{\"enabled\":false,"
		"\"forwarding\":true,\"address\":[{\"ip\":\"10.0.0.1\",\"prefix-length\":8}]}")) "}");
	rec = record(BH_T_CFG_INTERFACE, 0);
	c = rec.val;
	ck_assert_uint_eq(rec.key_len, sizeof(struct bh_ifname_key));
	ck_assert_uint_eq(rec.val_len, sizeof(*c));
	ck_assert_str_eq(rec.key, "eth0");
	ck_assert_uint_eq(c->flags, BH_IF_ENABLED | BH_IF_IPV4 | BH_IF_FORWARD4 | BH_IF_IPV6);
	ck_assert_uint_eq(c->mtu, 9000);
	ck_assert_uint_eq(c->mtu4, 1400);
	ck_assert_uint_eq(c->mtu6, 1300);
	ck_assert_uint_eq(c->rx_queues, 2);
	ck_assert_uint_eq(c->tx_queues, 3);
	ck_assert_uint_eq(c->rx_desc, 256);
	ck_assert_uint_eq(c->tx_desc, 512);
	ck_assert_mem_eq(c->mac, mac, 6);
	ck_assert_str_eq(c->device, "net_null0");
	ck_assert_str_eq(c->description, "line one");
	c = record(BH_T_CFG_INTERFACE, 1).val;
	ck_assert_uint_eq(c->flags, 0);
	ck_assert_str_eq(c->device, "");
	ck_assert_uint_eq(model.records.n, 2);	/* no address of a disabled family */
	ck_assert_uint_eq(boot.n_interfaces, 1); /* one has no device */
}
END_TEST

/* 63 bytes of description, cut before a character that does not fit. */
START_TEST(test_long_description)
{
	char text[512];

	snprintf(text, sizeof(text), "{%s%0*d%s}",
		"\"ietf-interfaces:interfaces\":{\"interface\":[{\"name\":\"eth0\",\"type\":"
		"\"iana-if-type:ethernetCsmacd\",\"description\":\"", 62, 0,
		"\xc3\xa4\xc3\xa4\"}]}");
	load(text);
	ck_assert_uint_eq(strlen(((const struct bh_cfg_interface *)
		record(BH_T_CFG_INTERFACE, 0).val)->description), 62);
}
END_TEST

START_TEST(test_addresses)
{
	const struct bh_cfg_address_key *k;
	struct bh_record rec;

	load("{" IFS(IF("eth0", ",\"ietf-ip:ipv4\":{\"address\":["
		"{\"ip\":\"10.0.0.1\",\"netmask\":\"255.255.254.0\"},"
		"{\"ip\":\"10.2.0.0\",\"prefix-length\":31},"
		"{\"ip\":\"10.3.0.255\",\"prefix-length\":32}],"
		"\"neighbor\":[{\"ip\":\"10.0.0.2\",\"link-layer-address\":\"02:00:00:00:00:02\"}]},"
		"\"ietf-ip:ipv6\":{\"address\":[{\"ip\":\"fe80::1\",\"prefix-length\":64},"
		"{\"ip\":\"2001:db8::\",\"prefix-length\":127}],\"neighbor\":[{\"ip\":"
		"\"fe80::2\",\"link-layer-address\":\"02:00:00:00:00:02\"}]}") ","
		IF("eth1", ",\"ietf-ip:ipv6\":{\"address\":[{\"ip\":\"fe80::1\","
		"\"prefix-length\":64}]}")) "}");
	rec = record(BH_T_CFG_ADDRESS, 0);
	k = rec.key;
	ck_assert_uint_eq(rec.key_len, sizeof(*k));
	ck_assert_str_eq(k->name, "eth0");
	ck_assert_uint_eq(k->family, 4);
	ck_assert_mem_eq(k->addr, "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert_uint_eq(((const struct bh_cfg_address *)rec.val)->plen, 23);
	ck_assert_uint_eq(model.addresses.n, 6);
	rec = record(BH_T_CFG_NEIGHBOR, 0);
	ck_assert_mem_eq(((const struct bh_cfg_neighbor *)rec.val)->mac, "\2\0\0\0\0\2", 6);
	rec = record(BH_T_CFG_NEIGHBOR, 1);
	ck_assert_uint_eq(((const struct bh_cfg_neighbor_key *)rec.key)->family, 6);
}
END_TEST

START_TEST(test_route_forms)
{
	const struct bh_cfg_route *v;
	struct bh_record rec;

	load("{" TWO "," ROUTING(PROTO("s", "," V4(
		TO("10.1.2.3/8", "\"next-hop-address\":\"192.0.2.1\"") ","
		TO("11.0.0.0/8", "\"outgoing-interface\":\"eth1\"") ","
		TO("12.0.0.0/8", "\"outgoing-interface\":\"eth1\","
				 "\"next-hop-address\":\"192.0.2.2\""))) ","
		PROTO("t", "," V6(TO("2001:db8::/32", "\"next-hop-address\":\"fe80::1%eth1\"")))) "}");
	rec = record(BH_T_CFG_ROUTE4, 0); /* host bits are masked */
	v = rec.val;
	ck_assert_mem_eq(rec.key, "\x0a\0\0\0\x08\0\0\0", 8);
	ck_assert_uint_eq(rec.val_len, offsetof(struct bh_cfg_route, hop) + sizeof(v->hop[0]));
	ck_assert(v->type == BH_NH_GROUP && v->n == 1 && v->preference == 1);
	ck_assert(v->hop[0].family == 4 && v->hop[0].name[0] == '\0' && v->hop[0].weight == 1);
	v = record(BH_T_CFG_ROUTE4, 1).val;
	ck_assert(v->hop[0].family == 0 && strcmp(v->hop[0].name, "eth1") == 0);
	v = record(BH_T_CFG_ROUTE4, 2).val;
	ck_assert(v->hop[0].family == 4 && strcmp(v->hop[0].name, "eth1") == 0);
	ck_assert_mem_eq(v->hop[0].addr, "\xc0\0\2\2\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	rec = record(BH_T_CFG_ROUTE6, 0);
	v = rec.val;
	ck_assert_uint_eq(((const struct bh_cfg_route6_key *)rec.key)->instance, 1);
	ck_assert(v->hop[0].family == 6 && strcmp(v->hop[0].name, "eth1") == 0);
}
END_TEST

START_TEST(test_specials)
{
	static const uint8_t types[] = {BH_NH_BLACKHOLE, BH_NH_UNREACHABLE, BH_NH_PROHIBIT,
		BH_NH_LOCAL};

	load("{" ROUTING(PROTO("s", "," V4(
		TO("10.0.0.0/8", "\"special-next-hop\":\"blackhole\"") ","
		TO("11.0.0.0/8", "\"special-next-hop\":\"unreachable\"") ","
		TO("12.0.0.0/8", "\"special-next-hop\":\"prohibit\"") ","
		TO("13.0.0.0/8", "\"special-next-hop\":\"receive\"")))) "}");
	for (unsigned int i = 0; i < 4; i++) {
		struct bh_record rec = record(BH_T_CFG_ROUTE4, i);
		const struct bh_cfg_route *v = rec.val;

		ck_assert_uint_eq(v->type, types[i]);
		ck_assert_uint_eq(v->n, 0);
		ck_assert_uint_eq(rec.val_len, offsetof(struct bh_cfg_route, hop));
	}
}
END_TEST

#define HOP(i, a) "{\"index\":\"" i "\",\"next-hop-address\":\"" a "\"}"

/* The order of hops in the file does not matter, nor does one that is there twice. */
START_TEST(test_hops_sorted)
{
	struct bh_record a, b;

	load("{" ROUTING(PROTO("s", "," V4(TO("10.0.0.0/8", "\"next-hop-list\":{\"next-hop\":["
		HOP("x", "192.0.2.3") "," HOP("y", "192.0.2.1") "," HOP("z", "192.0.2.3") "]}")
		"," TO("11.0.0.0/8", "\"next-hop-list\":{\"next-hop\":["
		HOP("1", "192.0.2.1") "," HOP("2", "192.0.2.3") "]}")))) "}");
	a = record(BH_T_CFG_ROUTE4, 0);
	b = record(BH_T_CFG_ROUTE4, 1);
	ck_assert_uint_eq(((const struct bh_cfg_route *)a.val)->n, 2);
	ck_assert_uint_eq(a.val_len, b.val_len);
	ck_assert_mem_eq(a.val, b.val, a.val_len);
}
END_TEST

/* Instances are numbered by name, whatever their order, and have their own preference. */
START_TEST(test_instances)
{
	const struct bh_cfg_route4_key *k;
	const struct bh_cfg_route *v;

	load("{" ROUTING(
		PROTO("b", ",\"bulkhead:preference\":20,"
			V4(TO("10.0.0.0/8", "\"special-next-hop\":\"blackhole\""))) ","
		"{\"type\":\"ietf-routing:direct\",\"name\":\"aa\"},"
		PROTO("a", "," V4(TO("10.0.0.0/8", "\"special-next-hop\":\"prohibit\"")))) "}");
	k = record(BH_T_CFG_ROUTE4, 0).key;
	v = record(BH_T_CFG_ROUTE4, 0).val;
	ck_assert(k->instance == 0 && v->preference == 1 && v->type == BH_NH_PROHIBIT);
	k = record(BH_T_CFG_ROUTE4, 1).key;
	v = record(BH_T_CFG_ROUTE4, 1).val;
	ck_assert(k->instance == 1 && v->preference == 20 && v->type == BH_NH_BLACKHOLE);
}
END_TEST

START_TEST(test_boot_defaults)
{
	load("{" TWO "}");
	ck_assert_uint_eq(boot.memory, 512);
	ck_assert(boot.hugepages && !boot.kernel_vdev && boot.host_stack);
	ck_assert_uint_eq(boot.mbufs, 32768);
	ck_assert_uint_eq(boot.n_lcores, 8 + 3);
	ck_assert_uint_eq(boot.n_control_cpus, 1);
	ck_assert_uint_eq(boot.control_cpus[0], 0);
	ck_assert_uint_eq(boot.n_modules, 2);
	ck_assert_str_eq(boot.modules[0].name, "config");
	ck_assert_uint_eq(boot.modules[0].n_args, 0);
	ck_assert_str_eq(boot.modules[1].program, "bulkhead-routing");
	ck_assert(boot.modules[1].enabled);
}
END_TEST

START_TEST(test_boot_modules)
{
	load("{\"bulkhead:bulkhead\":{\"memory\":{\"size\":128,\"hugepages\":false,\"mbufs\":4096},"
		"\"eal-argument\":[\"--log-level=lib.eal:debug\"],"
		"\"modules\":{\"module\":[{\"name\":\"v6stack\",\"argument\":[\"a b\",\"c\"]},"
		"{\"name\":\"routing\",\"enabled\":false,\"program\":\"/opt/r\"},"
		"{\"name\":\"snmp\"}]},\"host-stack\":{\"enabled\":false},\"control-cpu\":[3,1]}}");
	ck_assert_uint_eq(boot.memory, 128);
	ck_assert(!boot.hugepages && !boot.host_stack);
	ck_assert_str_eq(boot.eal[0], "--log-level=lib.eal:debug");
	ck_assert_uint_eq(boot.n_modules, 4);
	ck_assert_str_eq(boot.modules[1].name, "v6stack");
	ck_assert_str_eq(boot.modules[1].program, "bulkhead-v6stack");
	ck_assert_str_eq(boot.modules[1].args[0], "a b");
	ck_assert(!boot.modules[2].enabled);
	ck_assert_str_eq(boot.modules[2].program, "/opt/r");
	ck_assert_uint_eq(boot.n_control_cpus, 2);
}
END_TEST

static const struct {
	const char *a, *b;
	bool same;
} devices[] = {
	{"0000:03:00.0", "03:00.0", true},
	{"0000:03:00.A", "pci:0000:03:00.a,x=1", true},
	{"0000:03:00.0", "0000:03:00.1", false},
	{"0001:03:00.0", "0000:03:00.0", false},
	{"net_null0", "net_null0,size=64", true},
	{"net_null1", "net_null10", false},
	{"net_af_packet0,iface=a", "net_af_packet1,iface=a", true},
	{"net_af_packet0,iface=a", "net_af_packet1,iface=ab", false},
	{"net_af_packet0,qpairs=1,iface=a", "net_af_packet1,iface=a,qpairs=1", true},
	{"net_af_packet0,iface=a", "net_tap0,iface=a", false},
	{"net_memif0,id=1", "net_memif1,id=1", true},
	{"net_memif0,id=1", "net_memif1,id=1,role=server", false},
	{"net_memif0,id=1,role=master", "net_memif1,id=1,role=server", true},
	{"net_memif0,id=1,socket=/a", "net_memif1,id=1,socket=/b", false},
	{"net_memif0", "net_memif1,id=0", true},
};

START_TEST(test_devices)
{
	ck_assert_msg(bh_device_same(devices[_i].a, devices[_i].b) == devices[_i].same, "%s and %s",
		devices[_i].a, devices[_i].b);
	ck_assert(bh_device_same(devices[_i].b, devices[_i].a) == devices[_i].same);
}
END_TEST

START_TEST(test_kernel_devices)
{
	ck_assert(bh_device_is_kernel("net_tap0"));
	ck_assert(bh_device_is_kernel("net_af_packet3,iface=eth0"));
	ck_assert(bh_device_is_kernel("net_af_xdp,iface=eth0"));
	ck_assert(bh_device_is_kernel("net_pcap0,iface=eth0"));
	ck_assert(bh_device_is_kernel("net_virtio_user0,path=/dev/vhost-net"));
	ck_assert(!bh_device_is_kernel("net_pcap0,rx_pcap=a.pcap"));
	ck_assert(!bh_device_is_kernel("net_virtio_user0,path=/tmp/sock"));
	ck_assert(!bh_device_is_kernel("net_memif0"));
	ck_assert(!bh_device_is_kernel("0000:03:00.0"));
}
END_TEST

START_TEST(test_records)
{
	struct bh_records r = {0};
	struct bh_record rec;
	size_t off = 0;
	uint32_t i;

	for (i = 0; i < 20000; i++)
		bh_records_add(&r, (uint16_t)(i % 7), &i, 3, "vwxyz", i % 6);
	for (i = 0; bh_records_next(&r, &off, &rec); i++) {
		ck_assert(rec.table == i % 7 && rec.key_len == 3 && rec.val_len == i % 6);
		ck_assert_mem_eq(rec.key, &i, 3);
		ck_assert_mem_eq(rec.val, "vwxyz", i % 6);
	}
	ck_assert_uint_eq(i, 20000);
	bh_records_free(&r);
}
END_TEST

/* Advertisements: what is configured, what the router fills in, and none where none are sent. */
START_TEST(test_advertisements)
{
	const struct bh_cfg_ra_prefix_key *k;
	const struct bh_cfg_ra_prefix *p;
	const struct bh_cfg_ra *ra;

	load("{" IFS(IF("eth0", ",\"ietf-ip:ipv6\":{" RA("\"send-advertisements\":true,"
		"\"managed-flag\":true,\"prefix-list\":{\"prefix\":["
		"{\"prefix-spec\":\"2001:db8::/64\",\"no-advertise\":[null]},"
		"{\"prefix-spec\":\"2001:db8:1::/64\",\"valid-lifetime\":4294967295,"
		"\"autonomous-flag\":false}]}") "}") ","
		IF("eth1", ",\"ietf-ip:ipv6\":{" RA("\"send-advertisements\":true,"
		"\"max-rtr-adv-interval\":4,\"cur-hop-limit\":0,\"default-lifetime\":0,"
		"\"retrans-timer\":7") "}") ","
		IF("eth2", ",\"ietf-ip:ipv6\":{" RA("\"managed-flag\":true") "}")) "}");
	ra = record(BH_T_CFG_RA, 0).val;
	ck_assert_str_eq(record(BH_T_CFG_RA, 0).key, "eth0");
	ck_assert_uint_eq(ra->flags, BH_RA_SEND | BH_RA_MANAGED);
	ck_assert_uint_eq(ra->max_interval, 600);
	ck_assert_uint_eq(ra->min_interval, 198);
	ck_assert_uint_eq(ra->lifetime, 1800);
	ck_assert_uint_eq(ra->hop_limit, 64);
	ra = record(BH_T_CFG_RA, 1).val;
	ck_assert_uint_eq(ra->min_interval, 3);
	ck_assert_uint_eq(ra->lifetime, 0);
	ck_assert_uint_eq(ra->hop_limit, 0);
	ck_assert_uint_eq(ra->retrans, 7);
	ck_assert_uint_eq(model.records.n, 3 + 2 + 2);
	p = record(BH_T_CFG_RA_PREFIX, 0).val;
	ck_assert_uint_eq(p->flags, BH_RA_PREFIX_NONE);
	k = record(BH_T_CFG_RA_PREFIX, 1).key;
	p = record(BH_T_CFG_RA_PREFIX, 1).val;
	ck_assert_uint_eq(k->plen, 64);
	ck_assert_uint_eq(k->addr[5], 1);
	ck_assert_uint_eq(p->flags, BH_RA_PREFIX_ON_LINK);
	ck_assert_uint_eq(p->valid, UINT32_MAX);
	ck_assert_uint_eq(p->preferred, 604800);
	ck_assert(bh_key_cfg_ra_prefix(k) && bh_val_cfg_ra_prefix(p, sizeof(*p)));
	ck_assert(bh_val_cfg_ra(ra, sizeof(*ra)));
}
END_TEST

/* FPM: usual values, those that are given, and none without the container. */
START_TEST(test_fpm)
{
	static const uint8_t loopback[16] = {127, 0, 0, 1}, six[16] = {[15] = 1};
	const struct bh_cfg_fpm *v;

	load("{\"bulkhead:bulkhead\":{\"fpm\":{}}}");
	ck_assert_str_eq(record(BH_T_CFG_FPM, 0).key, "fpm");
	v = record(BH_T_CFG_FPM, 0).val;
	ck_assert_uint_eq(record(BH_T_CFG_FPM, 0).val_len, sizeof(*v));
	ck_assert(v->family == 4 && v->port == 2620 && v->settle == 2 && v->replay_limit == 60);
	ck_assert_mem_eq(v->addr, loopback, 16);
	ck_assert(v->distance[186] == 20 && v->distance[188] == 110 && v->distance[187] == 115);
	ck_assert(v->distance[189] == 120 && v->distance[192] == 90 && v->distance[42] == 100);
	ck_assert(v->distance[196] == 1 && v->distance[200] == 254);
	ck_assert(bh_val_cfg_fpm(v, sizeof(*v)));
	bh_model_free(&model);
	load("{\"bulkhead:bulkhead\":{\"fpm\":{\"address\":\"::1\",\"port\":2621,\"settle\":5,"
		"\"replay-limit\":5,\"protocol\":[{\"name\":\"bgp\",\"distance\":200},"
		"{\"name\":\"zebra-static\",\"distance\":255}]}}}");
	v = record(BH_T_CFG_FPM, 0).val;
	ck_assert(v->family == 6 && v->port == 2621 && v->settle == 5 && v->replay_limit == 5);
	ck_assert_mem_eq(v->addr, six, 16);
	ck_assert(v->distance[186] == 200 && v->distance[196] == 255 && v->distance[188] == 110);
	bh_model_free(&model);
	load("{" TWO "}");
	ck_assert_uint_eq(model.records.n, 2);
}
END_TEST

/* What the SNMP subagent is to do; without a word of it, no record. */
START_TEST(test_snmp)
{
	const struct bh_cfg_snmp *v;

	load("{" IFS(IF("eth0", "")) ",\"bulkhead:bulkhead\":{\"snmp\":{\"context\":\"c\"}}}");
	v = record(BH_T_CFG_SNMP, 0).val;
	ck_assert_str_eq(record(BH_T_CFG_SNMP, 0).key, BH_CFG_SNMP_NAME);
	ck_assert_str_eq(v->address, BH_SNMP_ADDRESS);
	ck_assert_str_eq(v->context, "c");
	ck_assert(v->mibs == BH_SNMP_ALL && v->flags == BH_SNMP_NOTIFY);
	ck_assert(bh_val_cfg_snmp(v, sizeof(*v)));
	bh_model_free(&model);
	load("{" IFS(IF("eth0", "")) ",\"bulkhead:bulkhead\":{\"snmp\":{\"notifications\":false,"
		"\"agentx-address\":\"tcp:[2001:db8::1]:705\",\"register\":[\"udp-mib\",\"if-mib\"]}}}");
	v = record(BH_T_CFG_SNMP, 0).val;
	ck_assert_str_eq(v->address, "tcp:[2001:db8::1]:705");
	ck_assert(v->mibs == (BH_SNMP_IF | BH_SNMP_UDP) && v->flags == 0);
	bh_model_free(&model);
	load("{" IFS(IF("eth0", "")) ",\"bulkhead:bulkhead\":{\"memory\":{\"size\":128}}}");
	ck_assert_uint_eq(model.records.n, 1);
}
END_TEST

START_TEST(test_print)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	load("{" IFS(IF("eth0", ",\"description\":\"a \\\"b\\\" \\\\\"")) ","
		ROUTING(PROTO("s", "," V6(TO("2001:db8::/32", "\"outgoing-interface\":\"eth0\","
		"\"next-hop-address\":\"fe80::1\"")))) "}");
	bh_records_print(&model.records, out);
	fclose(out);
	ck_assert_uint_eq(bh_schema_find("cfg_route6"), BH_T_CFG_ROUTE6);
	ck_assert_ptr_nonnull(strstr(text, "\"description\":\"a \\\"b\\\" \\\\\"}\n"));
	ck_assert_ptr_nonnull(strstr(text,
		"{\"table\":\"cfg_route6\",\"prefix\":\"2001:db8::/32\",\"instance\":0,"
		"\"preference\":1,\"type\":\"group\",\"hops\":[{\"weight\":1,"
		"\"interface\":\"eth0\",\"address\":\"fe80::1\"}]}\n"));
	free(text);
}
END_TEST

static void
free_model(void)
{
	bh_model_free(&model);
}

int
main(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("map");

	tcase_add_unchecked_fixture(tc, open_yang, close_yang);
	tcase_add_checked_fixture(tc, NULL, free_model);
	tcase_add_test(tc, test_interface);
	tcase_add_test(tc, test_long_description);
	tcase_add_test(tc, test_addresses);
	tcase_add_test(tc, test_route_forms);
	tcase_add_test(tc, test_specials);
	tcase_add_test(tc, test_hops_sorted);
	tcase_add_test(tc, test_instances);
	tcase_add_test(tc, test_boot_defaults);
	tcase_add_test(tc, test_boot_modules);
	tcase_add_loop_test(tc, test_devices, 0, sizeof(devices) / sizeof(devices[0]));
	tcase_add_test(tc, test_kernel_devices);
	tcase_add_test(tc, test_records);
	tcase_add_test(tc, test_advertisements);
	tcase_add_test(tc, test_fpm);
	tcase_add_test(tc, test_snmp);
	tcase_add_test(tc, test_print);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
