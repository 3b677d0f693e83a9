/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/net/hostask.h"
#include "lib/net/prefix.h"

static const uint8_t mac[6] = {2, 0xbb, 0, 0, 0, 7};

static void
add(struct bh_hostask *h, const char *prefix)
{
	struct bh_prefix p;

	ck_assert_int_eq(bh_prefix_parse(prefix, &p), 0);
	ck_assert_int_eq(bh_hostask_add(h, p.family, p.addr, p.plen), 0);
}

START_TEST(requests)
{
	static const char *const bad[] = {"127.0.0.1/8", "224.0.0.1/4", "0.0.0.0/32", "::/64",
		"::1/128", "ff02::1/64", "255.255.255.255/32"};
	struct bh_hostask h, read;
	struct bh_prefix p;
	uint8_t *raw = (uint8_t *)&h;
	size_t len;

	bh_hostask_init(&h, "p0", mac, 1500);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bh_prefix_parse(bad[i], &p);
		ck_assert_int_eq(bh_hostask_add(&h, p.family, p.addr, p.plen), -EINVAL);
	}
	add(&h, "10.0.0.1/24");
	add(&h, "fe80::1/64");
	bh_prefix_parse("10.0.0.1/25", &p);
	ck_assert_int_eq(bh_hostask_add(&h, p.family, p.addr, p.plen), -EINVAL);
	ck_assert_int_eq(bh_hostask_add(&h, 5, p.addr, 1), -EINVAL);
	len = BH_HOSTASK_LEN(2);
	ck_assert_int_eq(bh_hostask_read(&read, &h, len), 0);
	ck_assert_mem_eq(&read, &h, len);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(bh_hostask_read(&read, &h, cut), -EBADMSG);
	ck_assert_int_eq(bh_hostask_read(&read, &h, len + 20), -EBADMSG);
	for (unsigned int i = 0; i < 20000; i++) { /* any two bytes changed: taken or refused */
		struct bh_hostask keep = h;

		raw[rand() % len] = rand();
		raw[rand() % len] = rand();
		if (bh_hostask_read(&read, &h, len) == 0)
			ck_assert(read.n == 2 && read.mtu >= 68 && read.name[15] == '\0');
		h = keep;
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hostask");
	TCase *tc = tcase_create("hostask");
	SRunner *r;
	int failed;

	tcase_add_test(tc, requests);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
