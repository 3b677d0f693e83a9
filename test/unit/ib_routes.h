/* SPDX-License-Identifier: BSD-3-Clause */
/* route4 as tests of the info base use it: without publication, one record a number. */
#ifndef TEST_IB_ROUTES_H
#define TEST_IB_ROUTES_H

#include "test/unit/ib_fake.h"

#define READER BH_ROLE_MAX /* a peer that is nobody's owner */

static inline struct bh_route4_key
key_of(uint32_t i)
{
	return (struct bh_route4_key){ { i >> 24, i >> 16, i >> 8, i }, 32 };
}

static inline int
add(uint32_t i, uint32_t nh)
{
	struct bh_route4_key k = key_of(i);
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC };
	uint8_t body[64];

	return fake_status(BH_ROLE_ROUTING, BH_V_ADD, BH_T_ROUTE4, body,
		fake_body(body, &k, sizeof(k), &v, sizeof(v)));
}

static inline int
del(uint32_t i)
{
	struct bh_route4_key k = key_of(i);

	return fake_status(BH_ROLE_ROUTING, BH_V_DELETE, BH_T_ROUTE4, &k, sizeof(k));
}

/* Without waiting: tag and aux as given. Retried until it is taken. */
static inline void
submit(uint8_t verb, uint32_t i, uint32_t nh, uint32_t tag)
{
	struct bh_route4_key k = key_of(i);
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC };
	uint8_t body[64];
	size_t len = fake_body(body, &k, sizeof(k), &v, sizeof(v));

	if (verb == BH_V_DELETE)
		len = sizeof(k);
	while (fake_offer(BH_ROLE_ROUTING, verb, BH_T_ROUTE4, tag, 0, body, len, 64) == -EAGAIN)
		fake_run();
}

/* nh of a record in a reply; 0: none came. */
static inline uint32_t
nh_in(const struct fake_msg *m)
{
	const size_t at = sizeof(struct bh_rec) + sizeof(struct bh_route4_key);
	struct bh_route v;

	if (m->msg.status != 0)
		return 0;
	ck_assert_uint_eq(m->msg.len, sizeof(m->msg) + at + sizeof(v));
	memcpy(&v, m->body + at, sizeof(v));
	return v.nh;
}

static inline uint32_t
get(uint32_t i)
{
	struct bh_route4_key k = key_of(i);

	return nh_in(fake_call(READER, BH_V_GET, BH_T_ROUTE4, 0, &k, sizeof(k)));
}

#endif
