/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told, once, to whom, and what of it a successor knows. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/snmp/notify.h"
#include "test/unit/snmp_fake.h"

#define SAVED 64

static struct {
	bool away;	   /* there is no master */
	unsigned int room; /* so many records more are taken */
	char told[512];
	unsigned int n;	   /* records in the table */
	struct bh_snmp_key key[SAVED];
	struct bh_snmp val[SAVED];
} world;

static struct snmp_fake *fake;
static struct bh_notify notify;

/* "linkDown 1=2 ..." : the last number of each name and its value, if that is a number. */
static int
world_send(void *ctx, const struct bh_oid *trap, const struct bh_varbind *vars, unsigned int n)
{
	static const char *const links[] = {[3] = "linkDown", [4] = "linkUp"};
	static const char *const modules[] = {[1] = "moduleDown", [2] = "moduleUp"};
	uint32_t which = trap->id[trap->n - 1];
	size_t at = strlen(world.told);

	(void)ctx;
	if (world.away)
		return -ENOTCONN;
	ck_assert_uint_eq(trap->n, 10);
	at += snprintf(world.told + at, sizeof(world.told) - at, "%s",
		trap->id[4] == 6 ? links[which] : modules[which]);
	for (unsigned int i = 0; i < n; i++)
		if (vars[i].value.type == BH_VALUE_INTEGER)
			at += snprintf(world.told + at, sizeof(world.told) - at, " %d",
				vars[i].value.integer);
	snprintf(world.told + at, sizeof(world.told) - at, ";");
	return 0;
}

static int
world_save(void *ctx, const struct bh_snmp_key *key, const struct bh_snmp *val)
{
	unsigned int i = 0;

	(void)ctx;
	if (world.room == 0)
		return -EAGAIN;
	world.room--;
	while (i < world.n && memcmp(&world.key[i], key, sizeof(*key)) != 0)
		i++;
	if (val == NULL) {
		ck_assert_uint_lt(i, world.n);
		world.n--;
		world.key[i] = world.key[world.n];
		world.val[i] = world.val[world.n];
		return 0;
	}
	ck_assert_uint_lt(i, SAVED);
	ck_assert(bh_schema(BH_T_SNMP)->key_ok(key));
	world.key[i] = *key;
	world.val[i] = *val;
	world.n += i == world.n;
	return 0;
}

static const struct bh_notify_ops world_ops = {world_send, world_save};

static void
begin(void)
{
	fake = snmp_fake_new();
	bh_notify_init(&notify, &fake->s, &world_ops, NULL);
	for (unsigned int i = 0; i < world.n; i++)
		bh_notify_recover(&notify, &world.key[i], &world.val[i]);
}

static void
end(void)
{
	bh_notify_fini(&notify);
	snmp_fake_free(fake);
}

static void
setup(void)
{
	memset(&world, 0, sizeof(world));
	world.room = UINT32_MAX;
	begin();
	snmp_fake_interface(fake, 1, "p1", BH_OPER_UP);
	snmp_fake_process(fake, "routing", BH_PROC_READY, 0);
	snmp_fake_complete(fake);
	ck_assert(bh_notify_look(&notify, true));
	ck_assert_str_eq(world.told, ""); /* how things are at first is no news */
}

static void
look(const char *told)
{
	world.told[0] = '\0';
	ck_assert(bh_notify_look(&notify, true));
	ck_assert_str_eq(world.told, told);
	world.told[0] = '\0';
	bh_notify_look(&notify, true); /* nothing is told twice */
	ck_assert_str_eq(world.told, "");
}

START_TEST(test_links)
{
	snmp_fake_interface(fake, 1, "p1", BH_OPER_DOWN);
	look("linkDown 1 1 2;");
	snmp_fake_interface(fake, 1, "p1", BH_OPER_NOT_PRESENT);
	look("");
	snmp_fake_interface(fake, 1, "p1", BH_OPER_DOWN);
	look("");
	snmp_fake_interface(fake, 1, "p1", BH_OPER_UP);
	look("linkUp 1 1 1;");
	snmp_fake_interface(fake, 2, "p2", BH_OPER_UP);
	look("");
}
END_TEST

START_TEST(test_modules)
{
	snmp_fake_process(fake, "routing", BH_PROC_EXITED, 5);
	look("moduleDown 3 -1 9 2;");
	snmp_fake_process(fake, "routing", BH_PROC_STARTING, 5);
	look("");
	snmp_fake_process(fake, "routing", BH_PROC_READY, 5);
	look("moduleUp 2;");
	snmp_fake_process(fake, "routing", BH_PROC_READY, 6); /* it was too quick to be seen */
	look("moduleDown 2 -1 9 2;moduleUp 2;");
	snmp_fake_process(fake, "snmp", BH_PROC_STARTING, 0);
	look("");
	snmp_fake_process(fake, "snmp", BH_PROC_READY, 0);
	look("");
}
END_TEST

/* Without a master nothing is queued: when it is back it hears how things are. */
START_TEST(test_no_master)
{
	world.away = true;
	snmp_fake_interface(fake, 1, "p1", BH_OPER_DOWN);
	look("");
	snmp_fake_interface(fake, 1, "p1", BH_OPER_UP);
	look("");
	snmp_fake_interface(fake, 1, "p1", BH_OPER_DOWN);
	snmp_fake_process(fake, "routing", BH_PROC_READY, 9);
	look("");
	world.away = false;
	look("linkDown 1 1 2;moduleDown 2 -1 9 2;moduleUp 2;");
}
END_TEST

/* Switched off, what happens is not told later either. */
START_TEST(test_quiet)
{
	snmp_fake_interface(fake, 1, "p1", BH_OPER_DOWN);
	snmp_fake_process(fake, "routing", BH_PROC_READY, 9);
	bh_notify_look(&notify, false);
	ck_assert_str_eq(world.told, "");
	look("");
	snmp_fake_interface(fake, 1, "p1", BH_OPER_UP);
	look("linkUp 1 1 1;");
}
END_TEST

/* The process dies; a link, a module and ifTable change while it is dead. */
START_TEST(test_successor)
{
	uint64_t changed = fake->s.if_table_change;

	snmp_fake_process(fake, "routing", BH_PROC_EXITED, 5);
	look("moduleDown 3 -1 9 2;");
	end();
	begin();
	fake->now += 1000;
	snmp_fake_interface(fake, 1, "p1", BH_OPER_DOWN);
	snmp_fake_process(fake, "routing", BH_PROC_READY, 5);
	snmp_fake_complete(fake);
	ck_assert_uint_ne(fake->s.if_table_change, changed);
	look("linkDown 1 1 2;moduleUp 2;");
	ck_assert_uint_eq(fake->s.if_table_change, changed); /* it has the rows that it had */
	end();
	begin();
	fake->now += 1000;
	snmp_fake_interface(fake, 2, "p2", BH_OPER_UP);
	snmp_fake_complete(fake);
	look("");
	ck_assert_uint_ne(fake->s.if_table_change, changed);
}
END_TEST

/* What is gone is forgotten, in the table too; a full channel loses nothing. */
START_TEST(test_saved)
{
	struct bh_ifindex_key key = {1};

	ck_assert_uint_eq(world.n, 3); /* link, module, ifTable */
	snmp_fake_change(fake, BH_T_INTERFACE, BH_OP_DELETE, &key, NULL);
	world.room = 0;
	ck_assert(!bh_notify_look(&notify, true));
	ck_assert_uint_eq(world.n, 3);
	world.room = UINT32_MAX;
	ck_assert(bh_notify_look(&notify, true));
	ck_assert_uint_eq(world.n, 2);
	world.n = 0; /* another core */
	bh_notify_unsaved(&notify);
	ck_assert(bh_notify_look(&notify, true));
	ck_assert_uint_eq(world.n, 2);
}
END_TEST

/* Records that none of us wrote are left out. */
START_TEST(test_odd_records)
{
	struct bh_snmp_key key = {"link 1"};
	struct bh_snmp val;

	for (unsigned int byte = 0; byte < 256; byte++) {
		memset(&val, byte, sizeof(val));
		snprintf(key.name, sizeof(key.name), "%s", byte % 2 ? "link 1" : "odd");
		bh_notify_recover(&notify, &key, &val);
	}
	look("");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("snmp notify");
	TCase *tc = tcase_create("notify");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, end);
	tcase_add_test(tc, test_links);
	tcase_add_test(tc, test_modules);
	tcase_add_test(tc, test_no_master);
	tcase_add_test(tc, test_quiet);
	tcase_add_test(tc, test_successor);
	tcase_add_test(tc, test_saved);
	tcase_add_test(tc, test_odd_records);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
