/* SPDX-License-Identifier: BSD-3-Clause */
/* One table of IPv4 routes for a test: the fixture, and records by number. */
#ifndef TEST_TABLE_UTIL_H
#define TEST_TABLE_UTIL_H

#include <check.h>

#include "infobase/table_priv.h"

static struct bh_table *t;

static void
setup(void)
{
	t = bh_table_create(BH_T_ROUTE4);
	ck_assert_ptr_nonnull(t);
}

static void
teardown(void)
{
	bh_table_destroy(t);
	t = NULL;
}

/* The i-th of many distinct /32 keys. */
static struct bh_route4_key
key_of(uint32_t i)
{
	return (struct bh_route4_key){ { i >> 24, i >> 16, i >> 8, i }, 32 };
}

static const struct bh_record *
put(uint32_t i, uint32_t nh)
{
	struct bh_route4_key k = key_of(i);
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC };

	return bh_table_put(t, &k, &v, sizeof(v));
}

static int
del(uint32_t i)
{
	struct bh_route4_key k = key_of(i);

	return bh_table_del(t, &k);
}

#endif
