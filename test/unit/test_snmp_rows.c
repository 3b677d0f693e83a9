/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows in order, mirrors of tables, addresses and the stream of a master. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/net/sockaddr.h"
#include "modules/snmp/agentx.h"
#include "test/unit/snmp_fake.h"

#define ROUNDS 20000
#define SPAN 4 /* few values and lengths, so that indexes meet */

static struct bh_index
random_index(unsigned int *seed)
{
	struct bh_index x = {0};

	for (unsigned int n = rand_r(seed) % 5; n > 0; n--)
		bh_index_add(&x, rand_r(seed) % SPAN * 0x55555555u);
	return x;
}

/* The place of x in a sorted list of n, or where it would be. */
static unsigned int
place(const struct bh_index *list, unsigned int n, const struct bh_index *x)
{
	unsigned int i = 0;

	while (i < n && bh_index_compare(&list[i], x) < 0)
		i++;
	return i;
}

static void
check_against(const struct bh_rows *rows, const struct bh_index *list, unsigned int n,
	const struct bh_index *x)
{
	unsigned int i = place(list, n, x);
	bool there = i < n && bh_index_compare(&list[i], x) == 0;
	struct bh_index at;
	const void *row = bh_rows_next(rows, x, &at);

	ck_assert((bh_rows_find(rows, x) != NULL) == there);
	i += there;
	ck_assert((row != NULL) == (i < n));
	if (row != NULL)
		ck_assert_int_eq(bh_index_compare(&at, &list[i]), 0);
	ck_assert_uint_eq(rows->n, n);
}

START_TEST(test_rows)
{
	static struct bh_index list[1024];
	unsigned int seed = 1, n = 0;
	struct bh_rows rows;

	bh_rows_init(&rows, 12);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct bh_index x = random_index(&seed);
		unsigned int i = place(list, n, &x);
		bool there = i < n && bh_index_compare(&list[i], &x) == 0;

		if (rand_r(&seed) % 2 == 0) {
			uint8_t *data = bh_rows_add(&rows, &x);

			ck_assert_uint_eq((uintptr_t)data % 8, 0);
			ck_assert_uint_eq(data[11], there ? 7 : 0);
			data[11] = 7;
			if (!there) {
				memmove(&list[i + 1], &list[i], (n++ - i) * sizeof(list[0]));
				list[i] = x;
			}
		} else {
			bh_rows_delete(&rows, &x);
			if (there)
				memmove(&list[i], &list[i + 1], (--n - i) * sizeof(list[0]));
		}
		x = random_index(&seed);
		check_against(&rows, list, n, &x);
	}
	bh_rows_fini(&rows);
	ck_assert_ptr_null(bh_rows_next(&rows, NULL, NULL));
}
END_TEST

/* RFC 2578 §7.7: sub-identifier by sub-identifier, what is shorter first. */
START_TEST(test_order)
{
	static const struct bh_index up[] = {{0}, {1, {0}}, {2, {0, 9}}, {1, {1}}, {3, {1, 0, 0}},
		{2, {1, 1}}, {1, {UINT32_MAX}}};

	for (unsigned int i = 0; i < sizeof(up) / sizeof(up[0]); i++)
		for (unsigned int k = 0; k < sizeof(up) / sizeof(up[0]); k++)
			ck_assert_int_eq(bh_index_compare(&up[i], &up[k]), (i > k) - (i < k));
}
END_TEST

START_TEST(test_indexes)
{
	struct bh_index x = {0};

	bh_index_octets(&x, "ab", 2, true);
	bh_index_octets(&x, "c", 1, false);
	bh_index_address(&x, 4, (const uint8_t[]){192, 0, 2, 1});
	ck_assert_uint_eq(x.n, 10);
	ck_assert(memcmp(x.id, (uint32_t[]){2, 'a', 'b', 'c', 1, 4, 192, 0, 2, 1}, 40) == 0);
	for (unsigned int i = 0; i < 10; i++)
		bh_index_address(&x, 6, (const uint8_t[16]){0x20});
	ck_assert_uint_eq(x.n, BH_INDEX_MAX); /* and not more */
}
END_TEST

/* ---- mirrors ---- */

static unsigned int
count(const struct snmp_fake *f, unsigned int mirror)
{
	struct bh_index x;
	unsigned int n = 0;

	for (const void *row = bh_rows_next(&f->s.mirror[mirror].rows, NULL, &x); row != NULL;
		row = bh_rows_next(&f->s.mirror[mirror].rows, &x, &x))
		n++;
	return n;
}

START_TEST(test_mirror_follows)
{
	struct snmp_fake *f = snmp_fake_new();
	struct bh_ifindex_key key = {7};

	snmp_fake_interface(f, 7, "p7", BH_OPER_UP);
	snmp_fake_interface(f, 3, "p3", BH_OPER_UP);
	ck_assert(!bh_snmp_synced(&f->s) && !bh_snmp_complete(&f->s));
	snmp_fake_complete(f);
	ck_assert(bh_snmp_synced(&f->s) && bh_snmp_complete(&f->s));
	ck_assert_uint_eq(count(f, BH_MIRROR_INTERFACE), 2);
	ck_assert_str_eq(bh_snmp_interface(&f->s, 7)->name, "p7");
	snmp_fake_interface(f, 7, "q7", BH_OPER_DOWN);
	ck_assert_str_eq(bh_snmp_interface(&f->s, 7)->name, "q7");
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_DELETE, &key, NULL);
	ck_assert_ptr_null(bh_snmp_interface(&f->s, 7));
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_DELETE, &key, NULL);
	ck_assert_uint_eq(count(f, BH_MIRROR_INTERFACE), 1);
	snmp_fake_free(f);
}
END_TEST

/* What a resync does not renew is swept, at its end and not before. */
START_TEST(test_mirror_resync)
{
	struct snmp_fake *f = snmp_fake_new();

	snmp_fake_interface(f, 1, "p1", BH_OPER_UP);
	snmp_fake_interface(f, 2, "p2", BH_OPER_UP);
	snmp_fake_complete(f);
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_RESYNC, NULL, NULL);
	snmp_fake_interface(f, 2, "p2", BH_OPER_UP);
	ck_assert_uint_eq(count(f, BH_MIRROR_INTERFACE), 2);
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_SYNCED, NULL, NULL);
	ck_assert_uint_eq(count(f, BH_MIRROR_INTERFACE), 1);
	ck_assert_ptr_null(bh_snmp_interface(&f->s, 1));
	snmp_fake_free(f);
}
END_TEST

/* Another core: interfaces stay until they are complete there, sockets until they are synced. */
START_TEST(test_mirror_of_next_core)
{
	struct snmp_fake *f = snmp_fake_new();

	snmp_fake_interface(f, 1, "p1", BH_OPER_UP);
	snmp_fake_interface(f, 2, "p2", BH_OPER_UP);
	snmp_fake_socket(f, BH_T_UDP, 4, "192.0.2.1", 53, NULL, 0, 0, 7);
	snmp_fake_complete(f);
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		bh_mirror_begin(&f->s.mirror[i]);
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_SYNCED, NULL, NULL);
	snmp_fake_change(f, BH_T_UDP, BH_OP_SYNCED, NULL, NULL);
	ck_assert_uint_eq(count(f, BH_MIRROR_INTERFACE), 2);
	ck_assert_uint_eq(count(f, BH_MIRROR_UDP), 0);
	snmp_fake_interface(f, 1, "p1", BH_OPER_UP);
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_COMPLETE, NULL, NULL);
	ck_assert_uint_eq(count(f, BH_MIRROR_INTERFACE), 1);
	snmp_fake_free(f);
}
END_TEST

/* A listener, what it accepted, and a socket that begins to listen. */
START_TEST(test_mirror_of_sockets)
{
	struct snmp_fake *f = snmp_fake_new();
	enum { ESTABLISHED = 1, CLOSED = 7, LISTEN = 10 };

	snmp_fake_socket(f, BH_T_TCP, 4, "192.0.2.1", 179, NULL, 0, 0, CLOSED);
	ck_assert_uint_eq(count(f, BH_MIRROR_TCP), 1);
	snmp_fake_socket(f, BH_T_TCP, 4, "192.0.2.1", 179, NULL, 0, 0, LISTEN);
	ck_assert_uint_eq(count(f, BH_MIRROR_TCP), 0);
	ck_assert_uint_eq(count(f, BH_MIRROR_TCP_LISTEN), 1);
	snmp_fake_socket(f, BH_T_TCP, 4, "192.0.2.1", 179, "192.0.2.9", 4000, 0, ESTABLISHED);
	ck_assert_uint_eq(count(f, BH_MIRROR_TCP), 1);
	ck_assert_uint_eq(count(f, BH_MIRROR_TCP_LISTEN), 1);
	snmp_fake_free(f);
}
END_TEST

/* ---- addresses ---- */

START_TEST(test_addresses)
{
	static const char *const bad[] = {"", "unix:", "unix:relative", "tcp:", "tcp:1.2.3.4",
		"tcp:1.2.3.4:", "tcp:1.2.3.4:0", "tcp:1.2.3.4:65536", "tcp:1.2.3.4:70x", "tcp:host:1",
		"tcp:[::1]", "tcp:[::1:1", "tcp::::1:1", "tcp:[1.2.3.4]:1", "udp:1.2.3.4:1", "tcp:]:1",
		"tcp:[:1", "tcp:111111111111111111111111111111111111111111111111111:1"};
	char path[200] = "unix:/";
	struct sockaddr_storage to;
	socklen_t len;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(bh_sockaddr_parse(bad[i], &to, &len) == -EINVAL, "%s", bad[i]);
	memset(path + 6, 'x', 107);
	ck_assert_int_eq(bh_sockaddr_parse(path, &to, &len), -EINVAL);
	path[112] = '\0'; /* with its NUL it just fits */
	ck_assert_int_eq(bh_sockaddr_parse(path, &to, &len), 0);
	ck_assert_int_eq(to.ss_family, AF_UNIX);
	ck_assert_str_eq(((struct sockaddr_un *)&to)->sun_path, path + 5);
	ck_assert_int_eq(bh_sockaddr_parse("tcp:192.0.2.1:705", &to, &len), 0);
	ck_assert_int_eq(to.ss_family, AF_INET);
	ck_assert_uint_eq(((struct sockaddr_in *)&to)->sin_port, htons(705));
	ck_assert_uint_eq(len, sizeof(struct sockaddr_in));
	ck_assert_int_eq(bh_sockaddr_parse("tcp:[2001:db8::1]:705", &to, &len), 0);
	ck_assert_int_eq(to.ss_family, AF_INET6);
	ck_assert_uint_eq(((struct sockaddr_in6 *)&to)->sin6_addr.s6_addr[15], 1);
}
END_TEST

/* ---- the stream ---- */

START_TEST(test_duplicates)
{
	uint8_t pdu[28] = {1, 18, 0, 0}, two[64];

	pdu[16] = 8;	/* payload, low byte first */
	pdu[24] = 7;	/* 263 = 0x107 */
	pdu[25] = 1;
	ck_assert_uint_eq(bh_agentx_duplicates(pdu, sizeof(pdu)), 1);
	for (size_t len = 0; len < sizeof(pdu); len++)
		ck_assert_uint_eq(bh_agentx_duplicates(pdu, len), 0);
	memcpy(two, pdu, 28);
	pdu[2] = 0x10;	/* network order */
	pdu[16] = 0;
	pdu[19] = 8;
	pdu[24] = 1;
	pdu[25] = 7;
	memcpy(two + 28, pdu, 28);
	ck_assert_uint_eq(bh_agentx_duplicates(two, 56), 2);
	two[24] = 6; /* another error */
	ck_assert_uint_eq(bh_agentx_duplicates(two, 56), 1);
	two[1] = 4; /* another PDU */
	ck_assert_uint_eq(bh_agentx_duplicates(two, 56), 1);
	memset(two + 16, 0xff, 4);
	ck_assert_uint_eq(bh_agentx_duplicates(two, 56), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("snmp rows");
	TCase *tc = tcase_create("rows");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_rows);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_indexes);
	tcase_add_test(tc, test_mirror_follows);
	tcase_add_test(tc, test_mirror_resync);
	tcase_add_test(tc, test_mirror_of_next_core);
	tcase_add_test(tc, test_mirror_of_sockets);
	tcase_add_test(tc, test_addresses);
	tcase_add_test(tc, test_duplicates);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
