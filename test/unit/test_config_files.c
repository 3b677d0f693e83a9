/* SPDX-License-Identifier: BSD-3-Clause */
/* Every example is valid; every file of test/data/invalid is refused for its own reason. */
#include <dirent.h>
#include <errno.h>

#include "test/unit/config_fixture.h"

#define IF0 "/ietf-interfaces:interfaces/interface[name='eth0']"
#define IF1 "/ietf-interfaces:interfaces/interface[name='eth1']"
#define STATIC "/ietf-routing:routing/control-plane-protocols/control-plane-protocol" \
	"[type='ietf-routing:static'][name='static']"
#define ROUTE4 STATIC "/static-routes/ietf-ipv4-unicast-routing:ipv4/route"
#define ROUTE6 STATIC "/static-routes/ietf-ipv6-unicast-routing:ipv6/route"

static const struct {
	const char *file, *says, *path;
} invalid[] = {
	{"truncated.json", "Invalid character in JSON string", IF1},
	{"truncated.xml", "Unexpected end-of-input", "line 4"},
	{"empty.json", "the file is empty", ""},
	{"array.json", "Expected top-level JSON object", "line 1"},
	{"trailing.json", "text behind the end of the data, at offset 35", ""},
	{"nul.json", "a NUL byte at offset 34", ""},
	{"no-namespace.xml", "Missing XML namespace", "line 2"},
	{"unknown-node.json", "Node \"speed-limit\" not found", IF0},
	{"unknown-module.json", "No module named \"acme\"", "line"},
	{"unknown-type.json", "identity not found", IF0 "/type"},
	{"state-node.json", "Unexpected data state node \"oper-status\"", IF0 "/oper-status"},
	{"not-supported.json", "Node \"autoconf\" not found", IF0 "/ietf-ip:ipv6"},
	{"no-device.json", "Mandatory node \"device\"", "bulkhead:dpdk/device"},
	{"bad-address.json", "\"192.0.2.256\" does not conform", IF0 "/ietf-ip:ipv4/address"},
	{"bad-prefix.json", "\"203.0.113.0/33\" does not conform", ROUTE4 "/destination-prefix"},
	{"same-prefix.json", "Duplicate instance of \"route\"", "='203.0.113.0/24']"},
	{"same-address-twice.json", "Duplicate instance of \"address\"", "='2001:db8:0:1::1']"},
	{"dangling-interface.json", "Invalid leafref value \"eth7\"",
		ROUTE4 "[destination-prefix='203.0.113.0/24']/next-hop/outgoing-interface"},
	{"no-next-hop.json", "Mandatory choice \"next-hop-options\"", "ipv4/route/next-hop"},
	{"empty-hop.json", "neither an address nor an interface", "next-hop[index='a']"},
	{"many-hops.json", "More than 16 next hops", ROUTE4},
	{"own-next-hop.json", "Next hop 192.0.2.1 is an address of this router", ROUTE4},
	{"multicast-next-hop.json", "Next hop ff02::1 is multicast", ROUTE6},
	{"link-local-next-hop.json", "fe80::1 is link-local and needs", ROUTE6},
	{"zone-no-interface.json", "Zone \"eth9\" is no interface", ROUTE6},
	{"zone-other-interface.json", "\"eth1\" is not the outgoing interface \"eth0\"", ROUTE6},
	{"multicast-route.json", "Destination is multicast", ROUTE4},
	{"loopback-route.json", "Destination is loopback", ROUTE4},
	{"link-local-route.json", "Destination is link-local", ROUTE6},
	{"duplicate-address.json", "Address 192.0.2.1 is also on interface \"eth0\"", IF1},
	{"network-address.json", "192.0.2.0/24 is the address of its network", IF0},
	{"broadcast-address.json", "192.0.2.255/24 is the broadcast address", IF0},
	{"multicast-address.json", "224.0.0.5/24 is multicast", IF0},
	{"loopback-address.json", "::1/64 is the loopback address", IF0},
	{"unspecified-address.json", "0.0.0.0/24 is the unspecified address", IF0},
	{"anycast-address.json", "is its subnet-router anycast address", IF0},
	{"zero-length.json", "192.0.2.1/0 has no subnet", IF0},
	{"netmask-holes.json", "Netmask \"255.0.255.0\" is not contiguous", IF0},
	{"duplicate-device.json", "Device \"net_null0,size=64\" is also that", IF1},
	{"long-name.json", "must have 1 to 15 bytes", "[name='interface-number-0']"},
	{"slash-name.json", "\"eth0/1\" must be ASCII without '/'", "[name='eth0/1']"},
	{"space-name.json", "\"eth 0\" must be ASCII without '/'", "[name='eth 0']"},
	{"loopback-type.json", "softwareLoopback\" is not supported", IF0 "/type"},
	{"small-mtu.json", "IPv6 needs an MTU of 1280", IF0 "/bulkhead:dpdk/mtu"},
	{"large-ip-mtu.json", "IPv4 MTU 1600 is larger than the link's 1500", IF0},
	{"huge-ip-mtu.json", "MTU 70000 is larger than any link's", IF0 "/ietf-ip:ipv6/mtu"},
	{"multicast-mac.json", "\"01:00:5e:00:00:01\" is not unicast", IF0},
	{"neighbor-family.json", "\"2001:db8:0:1::2\" does not conform", IF0},
	{"neighbor-without-address.json", "is on an interface without an IPv4 address", IF0},
	{"neighbor-mac.json", "\"02:00:00:00:02\" is no unicast MAC address", IF0},
	{"neighbor-own.json", "Neighbor 2001:db8:0:2::1 is an address of this router", IF0},
	{"preference-zero.json", "out of the allowed range", STATIC "/bulkhead:preference"},
	{"preference-direct.json", "derived-from-or-self(rt:type, 'rt:static')", "direct"},
	{"lcore-no-main.json", "exactly one lcore with role main, it has 0", "lcores"},
	{"lcore-two-main.json", "exactly one lcore with role main, it has 2", "lcores"},
	{"lcore-no-forwarding.json", "at least one lcore with role forwarding", "lcores"},
	{"lcore-two-punt.json", "at most one lcore with role punt", "lcores"},
	{"group-no-worker.json", "must be a worker", "/bulkhead:bulkhead/tables/group[name='link']"},
	{"group-no-lcore.json", "Invalid leafref value \"77\"", "/bulkhead:bulkhead/tables/group"},
	{"eal-argument.json", "is made by the router itself", "/bulkhead:bulkhead/eal-argument"},
	{"eal-word.json", "must begin with '-'", "/bulkhead:bulkhead/eal-argument"},
	{"ra-short-lifetime.json", "300 s is shorter than max-rtr-adv-interval 600 s", IF0},
	{"ra-small-mtu.json", "Link MTU 1000 is less than IPv6's 1280", IF0},
	{"ra-link-local.json", "Prefix fe80::/64 is link-local", IF0},
	{"ra-interval.json", "Must condition", IF0},
	{"ra-preferred.json", "Must condition", IF0},
	{"fpm-multicast.json", "Address 224.0.0.1 is multicast", "/bulkhead:bulkhead/fpm/address"},
	{"fpm-settle.json", "must not be less than settle", "/bulkhead:bulkhead/fpm"},
	{"snmp-port.json", "\"tcp:192.0.2.1:70500\" is none of a socket", "agentx-address"},
	{"snmp-address.json", "\"tcp:router:705\"", "agentx-address"},
	{"module-config.json", "Module config always runs", "/bulkhead:bulkhead/modules/module"},
};

#define N_INVALID (sizeof(invalid) / sizeof(invalid[0]))

START_TEST(test_invalid)
{
	char file[512];
	const char *path;

	snprintf(file, sizeof(file), "%s/test/data/invalid/%s", BH_SOURCE_ROOT, invalid[_i].file);
	ck_assert_int_eq(load_file(file), -EINVAL);
	ck_assert_msg(strstr(messages, invalid[_i].says) != NULL, "%s: no '%s' in: %s",
		invalid[_i].file, invalid[_i].says, messages);
	path = strrchr(messages, '(');
	ck_assert_msg(strstr(path != NULL ? path : "", invalid[_i].path) != NULL ||
		strstr(messages, invalid[_i].path) != NULL, "%s: no path '%s' in: %s",
		invalid[_i].file, invalid[_i].path, messages);
	ck_assert_msg(strncmp(messages, "bulkhead-config: ", 17) == 0 &&
		strstr(messages, file) == messages + 17, "%s", messages);
	ck_assert_msg(strchr(messages, '\n') == messages + strlen(messages) - 1,
		"more than one line for one fault: %s", messages);
	bh_model_free(&model);
}
END_TEST

static unsigned int
count_files(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	unsigned int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

START_TEST(test_no_file_forgotten)
{
	ck_assert_uint_eq(count_files(BH_SOURCE_ROOT "/test/data/invalid"), N_INVALID);
}
END_TEST

START_TEST(test_examples)
{
	static const char *const names[] = {"two-ports.json", "two-ports.xml", "vfio.json",
		"kernel-hosts.json", "ecmp.json", "hosts.json", "snmp-hosts.json"};
	char file[512];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(file, sizeof(file), "%s/config/examples/%s", BH_SOURCE_ROOT, names[i]);
		ck_assert_msg(load_file(file) == 0, "%s", messages);
		ck_assert_str_eq(messages, "");
		ck_assert_uint_ge(boot.n_interfaces, 2);
		ck_assert(boot.kernel_vdev == (strstr(names[i], "hosts.json") != NULL));
		bh_model_free(&model);
	}
	ck_assert_uint_eq(count_files(BH_SOURCE_ROOT "/config/examples"),
		sizeof(names) / sizeof(names[0]));
}
END_TEST

/* JSON and XML of one configuration make the same records. */
START_TEST(test_json_is_xml)
{
	struct bh_records json;

	ck_assert_int_eq(load_file(BH_SOURCE_ROOT "/config/examples/two-ports.json"), 0);
	json = model.records;
	memset(&model.records, 0, sizeof(model.records));
	bh_model_free(&model);
	ck_assert_int_eq(load_file(BH_SOURCE_ROOT "/config/examples/two-ports.xml"), 0);
	ck_assert_uint_eq(json.n, 2 + 4 + 4 + 3 + 3);
	ck_assert_uint_eq(json.len, model.records.len);
	ck_assert_mem_eq(json.data, model.records.data, json.len);
	bh_records_free(&json);
	bh_model_free(&model);
}
END_TEST

START_TEST(test_unreadable)
{
	ck_assert_int_eq(load_file(BH_SOURCE_ROOT "/config/examples/none.json"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(messages, "cannot read: No such file"));
	ck_assert_int_eq(load_file(BH_SOURCE_ROOT "/config/examples"), -EISDIR);
}
END_TEST

/* Every prefix of a file is read or refused. */
START_TEST(test_cut)
{
	static char text[65536];
	FILE *f = fopen(_i == 0 ? BH_SOURCE_ROOT "/config/examples/two-ports.json"
				: BH_SOURCE_ROOT "/config/examples/two-ports.xml", "r");
	size_t len;

	ck_assert_ptr_nonnull(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	while (len > 0 && (text[len - 1] == '\n'))
		len--;
	for (len -= 1; len > 29; len -= 29) {
		text[len] = '\0';
		if (load_text(text) == 0)
			ck_assert_int_eq(text[len - 1], '>'); /* whole top-level elements */
		bh_model_free(&model);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config files");
	TCase *tc = tcase_create("files");

	tcase_add_unchecked_fixture(tc, open_yang, close_yang);
	tcase_add_loop_test(tc, test_invalid, 0, N_INVALID);
	tcase_add_test(tc, test_no_file_forgotten);
	tcase_add_test(tc, test_examples);
	tcase_add_test(tc, test_json_is_xml);
	tcase_add_test(tc, test_unreadable);
	tcase_add_loop_test(tc, test_cut, 0, 2);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
