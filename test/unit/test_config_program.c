/* SPDX-License-Identifier: BSD-3-Clause */
/* The program bulkhead-config as its users see it: exit codes, stdout, stderr. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/boot/boot.h"

#define EXAMPLES BH_SOURCE_ROOT "/config/examples/"
#define INVALID BH_SOURCE_ROOT "/test/data/invalid/"

static char out[BH_BOOT_TEXT_MAX];
static struct bh_boot boot;

/* Runs the program with arguments by a shell; its exit code. `out`: what it wrote. */
static int
run(const char *args)
{
	char command[2048];
	size_t len;
	FILE *p;

	snprintf(command, sizeof(command), "%s %s", BH_CONFIG_PROGRAM, args);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	len = fread(out, 1, sizeof(out) - 1, p);
	out[len] = '\0';
	len = (size_t)pclose(p);
	ck_assert(WIFEXITED((int)len));
	return WEXITSTATUS((int)len);
}

START_TEST(test_check)
{
	ck_assert_int_eq(run("--check " EXAMPLES "two-ports.json 2>&1"), 0);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(test_boot)
{
	char err[256];

	ck_assert_int_eq(run("--boot " EXAMPLES "two-ports.xml"), 0);
	ck_assert_msg(bh_boot_parse(out, strlen(out), &boot, err, sizeof(err)) == 0, "%s", err);
	ck_assert_uint_eq(boot.memory, 256);
	ck_assert_uint_eq(boot.n_interfaces, 2);
	ck_assert_str_eq(boot.modules[0].program, "bulkhead-config");
	ck_assert_str_eq(boot.modules[1].program, "bulkhead-routing");
}
END_TEST

START_TEST(test_tables)
{
	unsigned int lines = 0;

	ck_assert_int_eq(run("--tables " EXAMPLES "ecmp.json"), 0);
	for (const char *p = out; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	ck_assert_uint_eq(lines, 5 + 10 + 8 + 1 + 1);
	ck_assert_int_eq(strncmp(out, "{\"table\":\"cfg_interface\",\"name\":\"eth0\",", 39), 0);
}
END_TEST

START_TEST(test_invalid)
{
	ck_assert_int_eq(run("--check " INVALID "duplicate-address.json 2>&1 >/dev/null"), 2);
	ck_assert_str_eq(out, "bulkhead-config: " INVALID "duplicate-address.json: "
		"Address 192.0.2.1 is also on interface \"eth0\". (path: /ietf-interfaces:interfaces"
		"/interface[name='eth1']/ietf-ip:ipv4/address[ip='192.0.2.1'])\n");
	ck_assert_int_eq(run("--boot " INVALID "dangling-interface.json 2>/dev/null"), 2);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(run("--tables " INVALID "truncated.xml 2>/dev/null"), 2);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(run("--run " INVALID "truncated.json 2>/dev/null"), 2);
}
END_TEST

START_TEST(test_unreadable)
{
	ck_assert_int_eq(run("--check /nonexistent/a.json 2>&1"), 3);
	ck_assert_str_eq(out, "bulkhead-config: /nonexistent/a.json: cannot read: "
		"No such file or directory\n");
	ck_assert_int_eq(run("--check / 2>/dev/null"), 3);
}
END_TEST

/* A folder with a module that is too old hides nothing: the newest revision is taken. But one
 * that is broken is told. */
START_TEST(test_yang_path)
{
	char dir[] = "/tmp/bh-yang-XXXXXX", file[64], args[256];
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/ietf-interfaces@2030-01-01.yang", dir);
	f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fputs("module ietf-interfaces { broken", f);
	fclose(f);
	snprintf(args, sizeof(args), "-p %s --check " EXAMPLES "two-ports.json 2>&1", dir);
	ck_assert_int_eq(run(args), 4);
	ck_assert_ptr_nonnull(strstr(out, "ietf-interfaces is missing or broken: "
		"apt install libyuma-base"));
	unlink(file);
	ck_assert_int_eq(run(args), 0);
	rmdir(dir);
}
END_TEST

START_TEST(test_usage)
{
	ck_assert_int_eq(run("2>&1"), 1);
	ck_assert_ptr_nonnull(strstr(out, "usage: bulkhead-config"));
	ck_assert_int_eq(run("--check a --boot b 2>/dev/null"), 1);
	ck_assert_int_eq(run("--check a b 2>/dev/null"), 1);
	ck_assert_int_eq(run("--frobnicate 2>/dev/null"), 1);
	ck_assert_int_eq(run("--help"), 0);
	ck_assert_ptr_nonnull(strstr(out, "--tables FILE"));
	ck_assert_int_eq(run("--version"), 0);
	ck_assert_str_eq(out, "bulkhead-config " BH_VERSION "\n");
}
END_TEST

START_TEST(test_full_disk)
{
	ck_assert_int_eq(run("--tables " EXAMPLES "ecmp.json 2>/dev/null >/dev/full"), 1);
	ck_assert_int_eq(run("--boot " EXAMPLES "ecmp.json 2>/dev/null >/dev/full"), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bulkhead-config");
	TCase *tc = tcase_create("program");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_check);
	tcase_add_test(tc, test_boot);
	tcase_add_test(tc, test_tables);
	tcase_add_test(tc, test_invalid);
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_yang_path);
	tcase_add_test(tc, test_usage);
	tcase_add_test(tc, test_full_disk);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
