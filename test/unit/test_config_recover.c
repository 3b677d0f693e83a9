/* SPDX-License-Identifier: BSD-3-Clause */
/* Replay and recovery of the configuration, against a core that keeps what it is told. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

#define RECORDS 40
#define ROOM 256
#define MANY 1000000

/* What a table of the core holds, stale or not: a record is known by its table and key. */
static struct {
	uint16_t table;
	uint8_t epoch;
	uint8_t key[16];
	uint32_t val;
	struct bh_source source; /* the value, of cfg_source */
} held[ROOM];
static unsigned int n_held, steps, die_at, refuse;
static uint8_t epoch[64];
static char told[4096];

/* Each step may be the last: the process dies before it is done. */
static int
step(char what, uint16_t table)
{
	size_t n = strlen(told);

	if (n < sizeof(told) - 8)
		sprintf(told + n, "%c%u ", what, table);
	return ++steps == die_at ? -ECONNRESET : 0;
}

static int
core_begin(void *core, uint16_t table)
{
	int rc = step('b', table);

	(void)core;
	epoch[table] += rc == 0;
	return rc;
}

static unsigned int
find(uint16_t table, const void *key)
{
	unsigned int i = 0;

	while (i < n_held && (held[i].table != table ||
		memcmp(held[i].key, key, sizeof(held[i].key)) != 0))
		i++;
	return i;
}

static unsigned int
any_of(uint16_t table)
{
	unsigned int i = 0;

	while (held[i].table != table)
		ck_assert_uint_lt(++i, n_held);
	return i;
}

static int
core_add(void *core, const struct bh_record *rec)
{
	uint8_t key[16] = {0};
	int rc = step('a', rec->table);
	unsigned int i;

	(void)core;
	if (rc < 0 || (refuse != 0 && rec->table == refuse))
		return rc;
	memcpy(key, rec->key, rec->key_len < 16 ? rec->key_len : 16);
	i = find(rec->table, key);
	ck_assert_uint_lt(i, ROOM);
	n_held += i == n_held;
	held[i].table = rec->table;
	held[i].epoch = epoch[rec->table];
	memcpy(held[i].key, key, sizeof(key));
	if (rec->table == BH_T_CFG_SOURCE)
		memcpy(&held[i].source, rec->val, sizeof(held[i].source));
	else
		memcpy(&held[i].val, rec->val, sizeof(held[i].val));
	return 0;
}

static int
core_wait(void *core)
{
	int rc = step('w', 0);

	(void)core;
	return rc < 0 ? rc : refuse != 0;
}

static void
drop(unsigned int i)
{
	held[i] = held[--n_held];
}

static int
core_end(void *core, uint16_t table)
{
	int rc = step('e', table);

	(void)core;
	for (unsigned int i = 0; rc == 0 && i < n_held;)
		if (held[i].table == table && held[i].epoch != epoch[table])
			drop(i);
		else
			i++;
	return rc;
}

static int
core_del(void *core, uint16_t table, const void *key)
{
	int rc = step('d', table);
	unsigned int i = find(table, key);

	(void)core;
	if (rc == 0 && i == n_held)
		return -ENOENT;
	if (rc == 0)
		drop(i);
	return rc;
}

static int
core_source(void *core, struct bh_source *s)
{
	static const uint8_t key[16] = "file";
	unsigned int i = find(BH_T_CFG_SOURCE, key);

	(void)core;
	if (i == n_held)
		return -ENOENT;
	*s = held[i].source;
	return 0;
}

static int
core_recover(void *core, uint16_t table, struct bh_records *r)
{
	(void)core;
	for (unsigned int i = 0; i < n_held; i++)
		if (held[i].table == table)
			bh_records_add(r, table, held[i].key, 16, &held[i].val, 4);
	return 0;
}

static const struct bh_core_ops ops = {core_begin, core_add, core_wait, core_end, core_del,
	core_source, core_recover};

/* A configuration: its digest is its number, and so are its values. */
static void
make(struct bh_records *r, struct bh_source *s, uint32_t number)
{
	*r = (struct bh_records){0};
	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t key[4] = {i + number % 2};

		bh_records_add(r, bh_config_tables[i * BH_CONFIG_TABLES / RECORDS], key, 16,
			&number, 4);
	}
	*s = (struct bh_source){number, 7, r->n};
}

static int
apply(uint32_t number, bool same)
{
	struct bh_source s;
	struct bh_records r;
	int rc;

	make(&r, &s, number);
	steps = 0;
	told[0] = '\0';
	rc = bh_apply(&r, &s, same, &ops, NULL);
	bh_records_free(&r);
	return rc;
}

/* Recovers what a file with this digest (0: any) says; which configuration it is, or -errno. */
static int
recover(uint64_t digest)
{
	struct bh_source s = {.digest = digest};
	struct bh_records r = {0};
	struct bh_record rec;
	uint32_t number = 0;
	size_t off = 0;
	int rc = bh_recover(&ops, NULL, &s, &r);

	ck_assert_uint_eq(r.n, rc == 0 ? RECORDS : 0);
	while (rc == 0 && bh_records_next(&r, &off, &rec)) {
		ck_assert(number == 0 || memcmp(&number, rec.val, 4) == 0);
		memcpy(&number, rec.val, 4);
	}
	bh_records_free(&r);
	if (rc == 0)
		ck_assert(s.digest == number && s.fixed == 7 && s.records == RECORDS);
	return rc < 0 ? rc : (int)number;
}

static void
setup(void)
{
	n_held = die_at = refuse = 0;
	memset(epoch, 0, sizeof(epoch));
}

START_TEST(order)
{
	char want[96];

	ck_assert_int_eq(apply(1, false), 0);
	snprintf(want, sizeof(want), "d%u b1 b2 b3 b19 b20 b%u b%u b4 b5 a1 ", BH_T_CFG_SOURCE,
		BH_T_CFG_SNMP, BH_T_CFG_FPM);
	ck_assert_int_eq(strncmp(told, want, strlen(want)), 0);
	snprintf(want, sizeof(want), "a5 w0 e5 e4 e%u e%u e20 e19 e3 e2 e1 b%u a%u w0 e%u ", BH_T_CFG_FPM,
		BH_T_CFG_SNMP, BH_T_CFG_SOURCE, BH_T_CFG_SOURCE, BH_T_CFG_SOURCE);
	ck_assert_str_eq(told + strlen(told) - strlen(want), want);
	ck_assert_int_eq(apply(1, true), 0);
	ck_assert_int_eq(strncmp(told, "b1 b2 b3 b19 b20 ", 17), 0); /* nothing is forgotten first */
}
END_TEST

START_TEST(recovered)
{
	ck_assert_int_eq(recover(1), -ENOENT);
	ck_assert_int_eq(apply(1, false), 0);
	ck_assert_int_eq(recover(1), 1);
	ck_assert_int_eq(recover(0), 1);
	ck_assert_int_eq(recover(2), -ESTALE);
	ck_assert_int_eq(apply(2, false), 0);
	ck_assert_int_eq(recover(1), -ESTALE);
	ck_assert_int_eq(recover(2), 2);
	drop(any_of(BH_T_CFG_ROUTE4));
	ck_assert_int_eq(recover(2), -EBADMSG);
}
END_TEST

/* A module that dies at any step of a replay leaves what is recovered rightly or not at all. */
START_TEST(died)
{
	unsigned int last;

	ck_assert_int_eq(apply(1, false), 0);
	last = steps;
	for (unsigned int n = 1; n <= last; n++) {
		uint32_t next = n % 2 + 2;
		int rc;

		die_at = n;
		ck_assert_int_eq(apply(next, false), -ECONNRESET);
		rc = recover(0);
		ck_assert(rc == -ENOENT || rc == (int)next || (n == 1 && rc == 1));
		die_at = 0;
		ck_assert_int_eq(apply(next, false), 0);
		ck_assert_int_eq(recover(0), next);
	}
}
END_TEST

/* One that dies while it says the same again leaves all as it was. */
START_TEST(died_same)
{
	unsigned int last;

	ck_assert_int_eq(apply(1, false), 0);
	ck_assert_int_eq(apply(1, true), 0);
	last = steps;
	for (die_at = 1; die_at <= last; die_at++) {
		ck_assert_int_eq(apply(1, true), -ECONNRESET);
		ck_assert_int_eq(recover(1), 1);
	}
}
END_TEST

/* Tables that do not hold all of the file are not taken for it. */
START_TEST(refused)
{
	refuse = BH_T_CFG_ROUTE4;
	ck_assert_int_eq(apply(1, false), 0);
	ck_assert_int_eq(recover(1), -ENOENT);
	refuse = 0;
	ck_assert_int_eq(apply(1, false), 0);
	ck_assert_int_eq(recover(1), 1);
	refuse = BH_T_CFG_ROUTE4;
	ck_assert_int_eq(apply(1, true), 0);
	ck_assert_int_eq(recover(1), -ENOENT);
}
END_TEST

/* Whatever the pieces, the digest is that of the whole; each byte and the length count. */
START_TEST(digest)
{
	static uint8_t data[1000], copy[1001];
	struct bh_digest d;
	uint64_t whole;

	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + (i >> 8);
	bh_digest_begin(&d);
	bh_digest_add(&d, data, sizeof(data));
	whole = bh_digest_end(&d);
	for (unsigned int piece = 1; piece < 40; piece++) {
		bh_digest_begin(&d);
		for (unsigned int i = 0; i < sizeof(data); i += piece)
			bh_digest_add(&d, data + i, i + piece < sizeof(data) ? piece : sizeof(data) - i);
		ck_assert_uint_eq(bh_digest_end(&d), whole);
	}
	for (unsigned int i = 0; i < sizeof(data); i++) {
		memcpy(copy, data, sizeof(data));
		copy[i] ^= 1;
		bh_digest_begin(&d);
		bh_digest_add(&d, copy, sizeof(data));
		ck_assert_uint_ne(bh_digest_end(&d), whole);
	}
	memcpy(copy, data, sizeof(data));
	copy[sizeof(data)] = 0;
	bh_digest_begin(&d);
	bh_digest_add(&d, copy, sizeof(copy));
	ck_assert_uint_ne(bh_digest_end(&d), whole);
}
END_TEST

START_TEST(digest_of_file)
{
	char name[] = "/tmp/bh-digest-XXXXXX";
	uint64_t first, again;
	int fd = mkstemp(name), pipe_fd[2];

	ck_assert_int_ge(fd, 0);
	unlink(name);
	for (unsigned int i = 0; i < MANY / 100; i++)
		ck_assert_int_eq(dprintf(fd, "%099u\n", i), 100);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(bh_digest_file(fd, &first), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0); /* to be read by others */
	ck_assert_int_eq(bh_digest_file(fd, &again), 0);
	ck_assert_uint_eq(first, again);
	ck_assert_int_eq(pwrite(fd, "x", 1, MANY / 2), 1);
	ck_assert_int_eq(bh_digest_file(fd, &again), 0);
	ck_assert_uint_ne(first, again);
	close(fd);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	ck_assert_int_eq(bh_digest_file(pipe_fd[0], &again), -ENOTSUP); /* would be gone then */
	ck_assert_int_eq(bh_digest_file(-1, &again), -ENOTSUP);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config recover");
	TCase *tc = tcase_create("recover");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, order);
	tcase_add_test(tc, recovered);
	tcase_add_test(tc, died);
	tcase_add_test(tc, died_same);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, digest);
	tcase_add_test(tc, digest_of_file);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
