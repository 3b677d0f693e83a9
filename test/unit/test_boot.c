/* SPDX-License-Identifier: BSD-3-Clause */
/* The boot record: what is read, what is refused, and that print and parse agree. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boot/boot.h"

static struct bh_boot boot, again;
static char err[256];

static const char good[] = "bulkhead-boot 1\n"
			   "memory 512\n"
			   "hugepages yes\n"
			   "mbufs 32768\n"
			   "kernel-vdev no\n"
			   "host-stack yes\n"
			   "eal --log-level=lib.eal:debug\n"
			   "lcore 0 0 main\n"
			   "lcore 1 0 control-proxy\n"
			   "lcore 2 0 service-proxy\n"
			   "lcore 3 0 infobase\n"
			   "lcore 4 0 worker\n"
			   "lcore 5 0 worker\n"
			   "lcore 6 0 punt\n"
			   "lcore 7 1 forwarding\n"
			   "group link 4\n"
			   "group route4 5\n"
			   "group route6 5\n"
			   "group misc 4\n"
			   "interface eth0 net_memif0,role=server,id=0\n"
			   "control-cpu 0\n"
			   "module config yes bulkhead-config --run /etc/a%20b%25.json\n"
			   "module routing no bulkhead-routing\n"
			   "end\n";

static int
parse(const char *text)
{
	err[0] = '\0';
	return bh_boot_parse(text, strlen(text), &boot, err, sizeof(err));
}

/* `good` with the first `from` replaced. */
static char *
with(const char *from, const char *to)
{
	static char text[BH_BOOT_TEXT_MAX];
	const char *at = strstr(good, from);

	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return text;
}

static void
print_and_read(const struct bh_boot *from, struct bh_boot *to)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_int_eq(bh_boot_print(out, from), 0);
	fclose(out);
	ck_assert_msg(bh_boot_parse(text, len, to, err, sizeof(err)) == 0, "%s", err);
	free(text);
}

START_TEST(test_good)
{
	ck_assert_msg(parse(good) == 0, "%s", err);
	ck_assert_uint_eq(boot.memory, 512);
	ck_assert(boot.hugepages && !boot.kernel_vdev && boot.host_stack);
	ck_assert_uint_eq(boot.mbufs, 32768);
	ck_assert_uint_eq(boot.n_eal, 1);
	ck_assert_uint_eq(boot.n_lcores, 8);
	ck_assert_uint_eq(boot.lcores[7].cpu, 1);
	ck_assert_uint_eq(boot.lcores[7].role, BH_LCORE_FORWARDING);
	ck_assert_uint_eq(boot.group_lcore[BH_GROUP_ROUTE6], 5);
	ck_assert_str_eq(boot.interfaces[0].device, "net_memif0,role=server,id=0");
	ck_assert_uint_eq(boot.n_modules, 2);
	ck_assert_uint_eq(boot.modules[0].n_args, 2);
	ck_assert_str_eq(boot.modules[0].args[1], "/etc/a b%.json");
	ck_assert(boot.modules[0].enabled && !boot.modules[1].enabled);
}
END_TEST

START_TEST(test_round_trip)
{
	ck_assert_int_eq(parse(good), 0);
	strcpy(boot.modules[1].program, "/opt/my \n%41\x7f\xc3\xa4");
	print_and_read(&boot, &again);
	ck_assert_mem_eq(&boot, &again, sizeof(boot));
}
END_TEST

static const struct {
	const char *from, *to, *says;
} bad[] = {
	{"bulkhead-boot 1", "bulkhead-boot 2", "version 2"},
	{"bulkhead-boot", "bulkhead-boat", "no boot record"},
	{"end\n", "", "no end"},
	{"end\n", "end", "no newline"},
	{"end\n", "end\nmbufs 1\n", "behind the end"},
	{"mbufs 32768\n", "", "no line mbufs"},
	{"mbufs 32768", "mbufs 32768\nmbufs 1024", "mbufs is there twice"},
	{"mbufs 32768", "mbufs -1", "no number"},
	{"mbufs 32768", "mbufs 1x10", "no number"},
	{"mbufs 32768", "mbufs 010", "leading zero"},
	{"mbufs 32768", "mbufs 0", "out of range"},
	{"mbufs 32768", "mbufs 99999999999999999999999", "is more than"},
	{"mbufs 32768", "mbufs  32768", "empty field"},
	{"mbufs 32768", "mbufs 32768 ", "empty field"},
	{"mbufs 32768", "mbufs 32768 1", "wrong number of fields"},
	{"mbufs 32768", "mbufs", "wrong number of fields"},
	{"mbufs 32768", "mbufs\t32768", "bad character"},
	{"mbufs 32768", "", "empty field"},
	{"hugepages yes", "hugepages maybe", "neither yes nor no"},
	{"eal --", "eal %4", "bad character or encoding"},
	{"eal --", "eal %zz", "bad character or encoding"},
	{"eal --", "eal %00", "bad character or encoding"},
	{"eal --", "eal %41", "bad character or encoding"},
	{"lcore 0 0 main", "lcore 0 0 captain", "no role"},
	{"lcore 0 0 main", "lcore 128 0 main", "is more than 127"},
	{"lcore 0 0 main", "lcore 0 1024 main", "is more than 1023"},
	{"lcore 0 0 main", "lcore 1 0 main", "lcore 1 is there twice"},
	{"lcore 0 0 main\n", "", "exactly one lcore with role main, it has 0"},
	{"1 0 control-proxy", "1 0 main", "exactly one lcore with role main, it has 2"},
	{"1 0 control-proxy", "1 0 forwarding", "at least one lcore with role control-proxy"},
	{"lcore 3 0 infobase\n", "", "exactly one lcore with role infobase"},
	{"7 1 forwarding", "7 1 worker", "at least one lcore with role forwarding"},
	{"lcore 5 0 worker", "lcore 5 0 punt", "at most one lcore with role punt"},
	{"group link 4", "group link 7", "lcore 7, which is no worker"},
	{"group link 4", "group link 99", "lcore 99, which is no worker"},
	{"group link 4\n", "", "no line for group link"},
	{"group link 4", "group misc 4", "group misc is there twice"},
	{"group link 4", "group chain 4", "no group 'chain'"},
	{"eth0", "e/0", "bad name of interface"},
	{"eth0", "sixteen-letters!", "longer than 15"},
	{"control-cpu 0\n", "control-cpu 0\ncontrol-cpu 0\n", "control-cpu 0 is there twice"},
	{"control-cpu 0\n", "", "no control-cpu"},
	{"module routing", "module config", "module config is there twice"},
	{"bulkhead-routing", "../bulkhead-routing", "must be a name or an absolute path"},
	{"bulkhead-routing", "x 1 2 3 4 5 6 7 8 9", "more than 12 fields"},
	{"control-cpu", "controlcpu", "unknown item"},
};

START_TEST(test_bad)
{
	ck_assert_int_eq(parse(with(bad[_i].from, bad[_i].to)), -EINVAL);
	ck_assert_msg(strstr(err, bad[_i].says) != NULL, "'%s' does not say '%s'", err,
		bad[_i].says);
}
END_TEST

START_TEST(test_empty_and_long)
{
	static char text[BH_BOOT_TEXT_MAX + 1];

	ck_assert_int_eq(parse(""), -EINVAL);
	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(bh_boot_parse(text, sizeof(text), &boot, err, sizeof(err)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "too long"));
	text[sizeof(text) - 2] = '\n';
	ck_assert_int_eq(bh_boot_parse(text, sizeof(text) - 1, &boot, err, sizeof(err)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "longer than"));
}
END_TEST

/* Too many of everything that may repeat. */
START_TEST(test_too_many)
{
	static const char *const lines[] = {"eal -v\n", "lcore 1 1 forwarding\n",
		"interface a b\n", "control-cpu 1\n", "module m yes p\n"};
	static char text[BH_BOOT_TEXT_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "bulkhead-boot 1\n");

	for (unsigned int i = 0; i <= BH_IF_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", lines[_i]);
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_msg(strstr(err, "more than") != NULL, "%s", err);
}
END_TEST

/* Any prefix and any changed byte is read or refused, and what is read prints the same. */
START_TEST(test_mutations)
{
	unsigned int read = 0;
	char text[sizeof(good)];

	for (size_t len = 0; len < sizeof(good) - 1; len++)
		ck_assert_int_eq(bh_boot_parse(good, len, &boot, err, sizeof(err)), -EINVAL);
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (unsigned int c = 0; c < 256; c += 5) {
			memcpy(text, good, sizeof(good));
			text[at] = (char)c;
			if (bh_boot_parse(text, sizeof(good) - 1, &boot, err, sizeof(err)) != 0)
				continue;
			print_and_read(&boot, &again);
			ck_assert_mem_eq(&boot, &again, sizeof(boot));
			read++;
		}
	}
	ck_assert_uint_gt(read, 0);
}
END_TEST

static unsigned int
count_role(uint32_t role)
{
	unsigned int n = 0;

	while (bh_boot_lcore(&boot, role, n) != NULL)
		n++;
	return n;
}

START_TEST(test_default_plan)
{
	static const unsigned int n_cpus[] = {1, 2, 3, 8, 100};
	unsigned int n = n_cpus[_i], forwarding = n == 1 ? 1 : n - 1;
	uint32_t cpus[100];

	for (unsigned int i = 0; i < n; i++)
		cpus[i] = 10 + i;
	memset(&boot, 0, sizeof(boot));
	boot.memory = boot.mbufs = boot.n_control_cpus = 1;
	bh_boot_default_plan(&boot, cpus, n);
	ck_assert_msg(bh_boot_check(&boot, err, sizeof(err)) == 0, "%s", err);
	ck_assert_uint_eq(count_role(BH_LCORE_FORWARDING), forwarding < 24 ? forwarding : 24);
	for (unsigned int i = 0; i < boot.n_lcores; i++) {
		const struct bh_boot_lcore *l = &boot.lcores[i];

		if (n > 1 && l->role == BH_LCORE_FORWARDING)
			ck_assert_uint_ne(l->cpu, 10);
		else
			ck_assert_uint_eq(l->cpu, 10);
	}
	ck_assert_uint_eq(boot.group_lcore[BH_GROUP_LINK], boot.group_lcore[BH_GROUP_MISC]);
	ck_assert_uint_ne(boot.group_lcore[BH_GROUP_ROUTE4], boot.group_lcore[BH_GROUP_ROUTE6]);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(bh_lcore_role_name(BH_LCORE_SERVICE_PROXY), "service-proxy");
	ck_assert_ptr_null(bh_lcore_role_name(BH_LCORE_ROLES));
	for (unsigned int g = 0; g < BH_GROUP_MAX; g++)
		ck_assert_str_eq(bh_boot_group_name(g), bh_group_name(g));
	ck_assert_int_eq(parse(good), 0);
	ck_assert_uint_eq(bh_boot_lcore(&boot, BH_LCORE_WORKER, 1)->id, 5);
	ck_assert_ptr_null(bh_boot_lcore(&boot, BH_LCORE_WORKER, 2));
}
END_TEST

START_TEST(test_full_disk)
{
	FILE *out = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(parse(good), 0);
	ck_assert_int_eq(bh_boot_print(out, &boot), -EIO);
	fclose(out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("boot");
	TCase *tc = tcase_create("record");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_good);
	tcase_add_test(tc, test_round_trip);
	tcase_add_loop_test(tc, test_bad, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, test_empty_and_long);
	tcase_add_loop_test(tc, test_too_many, 0, 5);
	tcase_add_test(tc, test_mutations);
	tcase_add_loop_test(tc, test_default_plan, 0, 5);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_full_disk);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
