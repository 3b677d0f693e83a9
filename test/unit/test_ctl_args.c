/* SPDX-License-Identifier: BSD-3-Clause */
/* bhctl's command line: options, abbreviations, what may follow a subject, wrong usage. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ctl/args.h"
#include "app/ctl/core.h"

static struct bh_ctl_args args;
static char err[256];

static int
parse(const char *command)
{
	static char copy[256];
	char *argv[16];
	int argc = 0;

	err[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", command);
	for (char *w = strtok(copy, " "); w != NULL && argc < 15; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return bh_ctl_args_parse(&args, argc, argv, err, sizeof(err));
}

static void
expect_wrong(const char *command, const char *text)
{
	ck_assert_msg(parse(command) == -EINVAL, "accepted: %s", command);
	ck_assert_msg(strstr(err, text) != NULL, "'%s' said: %s", command, err);
}

START_TEST(words)
{
	static const char *const names[] = {"neighbors", "nexthops", "next"};

	ck_assert_int_eq(bh_ctl_word("nei", names, 3), 0);
	ck_assert_int_eq(bh_ctl_word("nexth", names, 3), 1);
	ck_assert_int_eq(bh_ctl_word("next", names, 3), 2); /* exact, though it begins another */
	ck_assert_int_eq(bh_ctl_word("ne", names, 3), -EEXIST);
	ck_assert_int_eq(bh_ctl_word("nexthopsx", names, 3), -ENOENT);
	ck_assert_int_eq(bh_ctl_word("", names, 3), -ENOENT);
}
END_TEST

START_TEST(orders)
{
	ck_assert_int_eq(parse("bhctl -r /x module up routing --binary /opt/new"), 0);
	ck_assert_int_eq(args.action, BH_CTL_MODULE);
	ck_assert_str_eq(args.order, "upgrade");
	ck_assert_str_eq(args.name, "routing");
	ck_assert_str_eq(args.binary, "/opt/new");
	ck_assert_str_eq(args.control, "/x/supervisor.sock");
	ck_assert_int_eq(parse("bhctl -s /y/core.sock mod restart config"), 0);
	ck_assert_str_eq(args.control, "/y/supervisor.sock");
	ck_assert_ptr_null(args.binary);
	expect_wrong("bhctl module", "restart, stop, start, upgrade, replay or renew");
	expect_wrong("bhctl module st routing", "could be stop, start");
	expect_wrong("bhctl module stop", "which NAME");
	expect_wrong("bhctl module stop a b", "too much");
	expect_wrong("bhctl module stop a --binary /x", "for upgrade");
	expect_wrong("bhctl module upgrade a --binary x", "absolute");
	expect_wrong("bhctl show tables --binary /x", "module upgrade");
}
END_TEST

START_TEST(reconcile)
{
	ck_assert_int_eq(parse("bhctl -r /x -j reconcile"), 0);
	ck_assert_int_eq(args.action, BH_CTL_RECONCILE);
	ck_assert(args.json && !args.check);
	ck_assert_str_eq(args.control, "/x/supervisor.sock");
	ck_assert_int_eq(parse("bhctl rec --check"), 0);
	ck_assert(args.check);
	expect_wrong("bhctl show routes --check", "reconcile");
	expect_wrong("bhctl module stop a --check", "reconcile");
	expect_wrong("bhctl reconcile ipv4", "too much");
	expect_wrong("bhctl -w 2 reconcile", "show");
	expect_wrong("bhctl reconcile --binary /x", "upgrade");
	ck_assert_int_eq(parse("bhctl module replay routing"), 0);
	ck_assert_str_eq(args.order, "replay");
	expect_wrong("bhctl module re routing", "could be restart, replay, renew");
}
END_TEST

START_TEST(subjects)
{
	static const struct {
		const char *command;
		enum bh_ctl_subject subject;
	} cases[] = {
		{"bhctl show interfaces", BH_SHOW_INTERFACES}, {"bhctl sh int", BH_SHOW_INTERFACES},
		{"bhctl s r", BH_SHOW_ROUTES},		       {"bhctl sh cou", BH_SHOW_COUNTERS},
		{"bhctl sh con", BH_SHOW_CONNECTIONS},	       {"bhctl sh l", BH_SHOW_LCORES},
		{"bhctl sh t", BH_SHOW_TABLES},		       {"bhctl sh p", BH_SHOW_PROCESSES},
		{"bhctl sh nei", BH_SHOW_NEIGHBORS},	       {"bhctl sh nex", BH_SHOW_NEXTHOPS},
		{"bhctl sh f", BH_SHOW_FPM}, {"bhctl sh a", BH_SHOW_ADDRESSES},	       {"bhctl sh v", BH_SHOW_VERSION},
		{"bhctl sh so u", BH_SHOW_SOCKETS},	       {"bhctl sh s", BH_SHOW_SOCKETS},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(parse(cases[i].command) == 0, "%s: %s", cases[i].command, err);
		ck_assert_int_eq(args.action, BH_CTL_SHOW);
		ck_assert_int_eq(args.subject, cases[i].subject);
	}
	expect_wrong("bhctl sh ne", "could be neighbors, nexthops");
	expect_wrong("bhctl sh co", "could be connections, counters");
	expect_wrong("bhctl show flows", "unknown subject 'flows': one of addresses, ");
	expect_wrong("bhctl sh so sctp", "unknown protocol 'sctp': one of tcp, udp");
	expect_wrong("bhctl clear counters", "unknown command 'clear'");
}
END_TEST

START_TEST(options)
{
	setenv("BULKHEAD_RUNDIR", "/tmp/there", 1);
	ck_assert_int_eq(parse("bhctl show tables"), 0);
	ck_assert_str_eq(args.socket, "/tmp/there/core.sock");
	ck_assert(!args.json);
	ck_assert_uint_eq(args.repeat, 0);
	ck_assert_int_eq(parse("bhctl show tables -j -r /tmp/else -w 5"), 0);
	ck_assert_str_eq(args.socket, "/tmp/else/core.sock");
	ck_assert(args.json);
	ck_assert_uint_eq(args.repeat, 5);
	ck_assert_int_eq(parse("bhctl -r /tmp/else --socket /tmp/s show tables"), 0);
	ck_assert_str_eq(args.socket, "/tmp/s");
	unsetenv("BULKHEAD_RUNDIR");
	ck_assert_int_eq(parse("bhctl show tables"), 0);
	ck_assert_str_eq(args.socket, "/run/bulkhead/core.sock");
}
END_TEST

START_TEST(actions)
{
	ck_assert_int_eq(parse("bhctl show"), 0);
	ck_assert_int_eq(args.action, BH_CTL_LIST);
	ck_assert_int_eq(parse("bhctl help"), 0);
	ck_assert_int_eq(args.action, BH_CTL_HELP);
	ck_assert_int_eq(parse("bhctl -h"), 0);
	ck_assert_int_eq(args.action, BH_CTL_HELP);
	ck_assert_int_eq(parse("bhctl --version"), 0);
	ck_assert_int_eq(args.action, BH_CTL_VERSION);
}
END_TEST

START_TEST(wrong_options)
{
	char command[256];

	expect_wrong("bhctl", "nothing to do");
	expect_wrong("bhctl -x show tables", "unknown option -x");
	expect_wrong("bhctl --nonsense show tables", "unknown option --nonsense");
	expect_wrong("bhctl show tables -r", "a value is missing");
	expect_wrong("bhctl -w 0 show tables", "no number of seconds");
	expect_wrong("bhctl -w 5x show tables", "no number of seconds");
	expect_wrong("bhctl -w -5 show tables", "no number of seconds");
	snprintf(command, sizeof(command), "bhctl -s /%0107d show tables", 0);
	expect_wrong(command, "longer than 107");
	snprintf(command, sizeof(command), "bhctl -s /%0106d show tables", 0);
	ck_assert_int_eq(parse(command), 0);
	expect_wrong("bhctl show tables now", "'now' is too much");
	expect_wrong("bhctl show interfaces eth0 eth1", "'eth1' is too much");
}
END_TEST

START_TEST(names)
{
	ck_assert_int_eq(parse("bhctl show interfaces"), 0);
	ck_assert_ptr_null(args.name);
	ck_assert_int_eq(parse("bhctl show interfaces eth0"), 0);
	ck_assert_str_eq(args.name, "eth0");
	ck_assert_int_eq(parse("bhctl show counters drops"), 0);
	ck_assert_str_eq(args.name, "drops");
}
END_TEST

START_TEST(routes)
{
	ck_assert_int_eq(parse("bhctl show routes"), 0);
	ck_assert(args.family == 0 && !args.have_prefix && !args.longer && !args.lookup);
	ck_assert_int_eq(parse("bhctl show routes ipv6"), 0);
	ck_assert_uint_eq(args.family, BH_IP6);
	ck_assert_int_eq(parse("bhctl sh rou ipv4 10.0.0.0/8 lon"), 0);
	ck_assert(args.have_prefix && args.longer);
	ck_assert_uint_eq(args.prefix.plen, 8);
	ck_assert_int_eq(parse("bhctl show routes 2001:db8::/32"), 0);
	ck_assert(args.have_prefix && !args.longer);
	ck_assert_uint_eq(args.prefix.family, BH_IP6);
	ck_assert_int_eq(parse("bhctl show routes 10.0.0.1"), 0);
	ck_assert_uint_eq(args.prefix.plen, 32);
	ck_assert_int_eq(parse("bhctl show routes lookup 10.0.0.1"), 0);
	ck_assert(args.lookup && !args.have_prefix);
	ck_assert_uint_eq(args.prefix.addr[3], 1);
	ck_assert_int_eq(parse("bhctl show routes ipv6 lookup ::1"), 0);
	ck_assert(args.lookup);
}
END_TEST

START_TEST(wrong_routes)
{
	expect_wrong("bhctl show routes nonsense", "is no prefix");
	expect_wrong("bhctl show routes 10.0.0.0/33", "is no prefix");
	expect_wrong("bhctl show routes 10.0.0.1/24", "has host bits: 10.0.0.0/24 is meant?");
	expect_wrong("bhctl show routes ipv6 10.0.0.0/24", "not of the family");
	expect_wrong("bhctl show routes ipv6 lookup 10.0.0.1", "not of the family");
	expect_wrong("bhctl show routes longer", "'longer' cannot stand here");
	expect_wrong("bhctl show routes lo", "could be longer, lookup");
	expect_wrong("bhctl show routes lookup", "which ADDRESS?");
	expect_wrong("bhctl show routes lookup 10.0.0.0/8", "is no IPv4 or IPv6 address");
	expect_wrong("bhctl show routes ipv4 ipv6", "'ipv6' cannot stand here");
	expect_wrong("bhctl show routes 10.0.0.0/8 lookup 10.0.0.1", "'lookup' cannot stand here");
	expect_wrong("bhctl show routes 10.0.0.0/8 11.0.0.0/8", "'11.0.0.0/8' is too much");
	expect_wrong("bhctl show routes lookup 10.0.0.1 longer", "'longer' cannot stand here");
}
END_TEST

START_TEST(contact_errors)
{
	static const struct {
		int rc, code;
		const char *text;
	} cases[] = {
		{-ENOENT, BH_CTL_UNREACHABLE, "no core answers at /s: is bulkhead running?"},
		{-ECONNREFUSED, BH_CTL_UNREACHABLE, "no core answers at /s"},
		{-ECONNRESET, BH_CTL_UNREACHABLE, "closed the connection"},
		{-EACCES, BH_CTL_PERMISSION, "/s: permission denied: "},
		{-EPERM, BH_CTL_PERMISSION, "/s: permission denied: "},
		{-ETIMEDOUT, BH_CTL_UNREACHABLE, "the core at /s does not answer"},
		{-EPROTONOSUPPORT, BH_CTL_UNREACHABLE, "of another version"},
		{-ENOSPC, BH_CTL_UNREACHABLE, "No space left"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(bh_ctl_contact_error(cases[i].rc, "/s", NULL, err, sizeof(err)),
			cases[i].code);
		ck_assert_msg(strstr(err, cases[i].text) != NULL, "%s", err);
	}
	bh_ctl_contact_error(-EACCES, "/s", "wheel", err, sizeof(err));
	ck_assert_msg(strstr(err, "usermod -a -G wheel USER") != NULL, "%s", err);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ctl_args");
	TCase *tc = tcase_create("args");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, words);
	tcase_add_test(tc, orders);
	tcase_add_test(tc, reconcile);
	tcase_add_test(tc, subjects);
	tcase_add_test(tc, options);
	tcase_add_test(tc, actions);
	tcase_add_test(tc, wrong_options);
	tcase_add_test(tc, names);
	tcase_add_test(tc, routes);
	tcase_add_test(tc, wrong_routes);
	tcase_add_test(tc, contact_errors);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
