/* SPDX-License-Identifier: BSD-3-Clause */
/* The info base whole: every verb, good and bad, by each role. */
#include "infobase/request.h"
#include "test/unit/ib_routes.h"

/* ---- verbs ---- */

START_TEST(test_modify)
{
	const struct fake_msg *m;
	struct bh_route4_key k = key_of(5);
	struct bh_route v = { .nh = 8, .proto = BH_RP_STATIC };
	uint8_t body[64];
	size_t len = fake_body(body, &k, sizeof(k), &v, sizeof(v));

	ck_assert_int_eq(fake_status(BH_ROLE_ROUTING, BH_V_CHANGE, BH_T_ROUTE4, body, len),
		-ENOENT);
	ck_assert_int_eq(add(5, 7), 0);
	ck_assert_uint_eq(get(5), 7);
	m = fake_call(BH_ROLE_ROUTING, BH_V_CHANGE, BH_T_ROUTE4, 0, body, len);
	ck_assert_int_eq(m->msg.status, 0);
	ck_assert_uint_eq(m->msg.aux, 2); /* generation */
	ck_assert_uint_eq(m->msg.len, sizeof(m->msg));
	ck_assert_uint_eq(get(5), 8);
	ck_assert_int_eq(del(5), 0);
	ck_assert_int_eq(del(5), -ENOENT);
	ck_assert_uint_eq(get(5), 0);
}
END_TEST

START_TEST(test_nop)
{
	const struct fake_msg *m = fake_call(READER, BH_V_NOP, 0, 77, "hello", 5);

	ck_assert_int_eq(m->msg.status, 0);
	ck_assert_uint_eq(m->msg.aux, 77);
	ck_assert_uint_eq(m->msg.len, sizeof(m->msg) + 5);
	ck_assert_int_eq(memcmp(m->body, "hello", 5), 0);
	ck_assert_int_eq(fake_offer(READER, BH_V_NOP, 0, 1, 0, m, 200, 3), -EAGAIN);
	ck_assert_int_eq(fake_offer(READER, BH_V_NOP, 0, 1, 0, m, 200, 4), 4);
}
END_TEST

START_TEST(test_lookup)
{
	struct bh_route4_key k = { { 10 }, 8 };
	struct bh_route v = { .nh = 3, .proto = BH_RP_STATIC };
	uint8_t body[64];
	size_t len = fake_body(body, &k, sizeof(k), &v, sizeof(v));

	ck_assert_int_eq(fake_status(BH_ROLE_ROUTING, BH_V_ADD, BH_T_ROUTE4, body, len), 0);
	ck_assert_int_eq(add(0x0a000001, 4), 0);
	k = key_of(0x0a000001);
	ck_assert_uint_eq(nh_in(fake_call(READER, BH_V_LOOKUP, BH_T_ROUTE4, 0, &k, sizeof(k))), 4);
	k = key_of(0x0a000002);
	k.plen = 77; /* ignored, as host bits are */
	ck_assert_uint_eq(nh_in(fake_call(READER, BH_V_LOOKUP, BH_T_ROUTE4, 0, &k, sizeof(k))), 3);
	k = key_of(0x0b000002);
	ck_assert_int_eq(fake_status(READER, BH_V_LOOKUP, BH_T_ROUTE4, &k, sizeof(k)), -ENOENT);
	ck_assert_int_eq(fake_status(READER, BH_V_LOOKUP, BH_T_SNMP, body, 32), -EOPNOTSUPP);
}
END_TEST

/* A table without an order; what cannot be asked. */
START_TEST(test_next)
{
	struct bh_route4_key k = key_of(1);
	const uint32_t bad[] = { 0, BH_NEXT_SELF, 1 | BH_NEXT_SELF << 1, BH_DUMP_END };
	struct bh_route4_key host = { { 10, 1 }, 8 };
	const uint8_t name[32] = "a name";
	unsigned int i;

	ck_assert_int_eq(fake_call(READER, BH_V_NEXT, BH_T_ROUTE4, 1, &k, sizeof(k))->msg.status,
		-EOPNOTSUPP);
	ck_assert_int_eq(fake_call(READER, BH_V_NEXT, BH_T_SNMP, 1, name, sizeof(name))->msg.status, -EOPNOTSUPP);
	ck_assert_int_eq(fake_call(READER, BH_V_NEXT, BH_T_ROUTE4, 1, &k, 7)->msg.status, -EMSGSIZE);
	ck_assert_int_eq(fake_call(READER, BH_V_NEXT, BH_T_ROUTE4, 1, &host, 8)->msg.status, -EINVAL);
	for (i = 0; i < RTE_DIM(bad); i++)
		ck_assert_int_eq(fake_call(READER, BH_V_NEXT, BH_T_ROUTE4, bad[i], &k,
			sizeof(k))->msg.status, -EINVAL);
	/* it asks for no more room than its count needs, a whole record at least */
	ck_assert_int_eq(fake_offer(READER, BH_V_NEXT, BH_T_ROUTE4, 1, 1, &k, sizeof(k), 64), 1);
	ck_assert_int_eq(fake_offer(READER, BH_V_NEXT, BH_T_ROUTE4, 1, 9, &k, sizeof(k), 64), 6);
	ck_assert_int_eq(fake_offer(READER, BH_V_NEXT, BH_T_ROUTE4, 1, 9, &k, sizeof(k), 2), 2);
	ck_assert_int_eq(fake_offer(READER, BH_V_NEXT, BH_T_ROUTE4, 1, 65535, &k, sizeof(k), 64), 64);
	ck_assert_int_eq(fake_offer(READER, BH_V_NEXT, BH_T_ROUTE4, 1, 1, &k, sizeof(k), 0), -EAGAIN);
	fake_wait_replies(READER, fake.peer[READER].n_replies + 4);
	fake.peer[READER].n_replies = 0;
}
END_TEST

/* An ids' owner: what the link worker's hook does, in little. */
static int
assign_id(void *ctx, const void *key, void *val, uint16_t len, const struct bh_record *old)
{
	const struct bh_schema *s = bh_schema(BH_T_NEXTHOP);
	struct bh_nexthop v = { 0 };

	(void)key;
	if (old != NULL)
		memcpy(&v, bh_record_val(old, s), sizeof(v));
	else
		v.id = ++*(uint32_t *)ctx;
	memcpy(val, &v, len);
	return 0;
}

START_TEST(test_assigned_id)
{
	static uint32_t last;
	const struct bh_table_hooks hooks = { .check = assign_id };
	struct bh_nexthop_key k = { .type = BH_NH_LOCAL };
	struct bh_nexthop v = { 0 };
	uint8_t body[sizeof(k) + sizeof(v)];
	const struct fake_msg *m;
	uint32_t id[3];
	int i;

	fake_setup();
	last = 40;
	bh_table_set_hooks(bh_infobase_table(ib, BH_T_NEXTHOP), &hooks, &last);
	fake_launch();
	for (i = 0; i < 3; i++) {
		k.type = i == 2 ? BH_NH_BLACKHOLE : BH_NH_LOCAL;
		fake_body(body, &k, sizeof(k), &v, sizeof(v));
		m = fake_call(BH_ROLE_ROUTING, BH_V_ADD, BH_T_NEXTHOP, 0, body, sizeof(body));
		ck_assert_int_eq(m->msg.status, 0);
		ck_assert_uint_eq(m->msg.len, sizeof(m->msg) + 4);
		memcpy(&id[i], m->body, 4);
	}
	ck_assert_uint_eq(id[0], 41);
	ck_assert_uint_eq(id[1], 41); /* the same content */
	ck_assert_uint_eq(id[2], 42);
	fake_stop();
}
END_TEST

/* ---- refusals ---- */

START_TEST(test_bad_verb_and_table)
{
	const uint8_t bad[] = { 0, BH_V_EVENT, BH_V_MAX, 255 };
	struct bh_route4_key k = key_of(1);
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		ck_assert_int_eq(fake_status(READER, bad[i], BH_T_ROUTE4, &k, sizeof(k)),
			-EOPNOTSUPP);
		ck_assert_int_eq(fake_status(READER, bad[i], 0, NULL, 0), -EOPNOTSUPP);
	}
	ck_assert_int_eq(fake_status(READER, BH_V_GET, 0, &k, sizeof(k)), -ENXIO);
	ck_assert_int_eq(fake_status(READER, BH_V_DUMP, BH_T_MAX, NULL, 0), -ENXIO);
	ck_assert_int_eq(fake_status(READER, BH_V_WATCH, UINT16_MAX, NULL, 0), -ENXIO);
}
END_TEST

START_TEST(test_bad_length)
{
	uint8_t body[BH_MSG_MAX] = { 0 };
	const struct bh_schema *s;
	uint16_t t;
	uint8_t v;

	for (t = 1; t < BH_T_MAX; t++) {
		s = bh_schema(t);
		ck_assert_int_eq(fake_status(s->owner, BH_V_ADD, t, body,
			s->key_len + s->val_min - 1), -EMSGSIZE);
		ck_assert_int_eq(fake_status(s->owner, BH_V_CHANGE, t, body,
			s->key_len + s->val_max + 1), -EMSGSIZE);
		ck_assert_int_eq(fake_status(s->owner, BH_V_DELETE, t, body, s->key_len + 1),
			-EMSGSIZE);
		ck_assert_int_eq(fake_status(READER, BH_V_GET, t, body, s->key_len - 1), -EMSGSIZE);
		for (v = BH_V_DUMP; v < BH_V_EVENT; v++)
			if (v != BH_V_LOOKUP)
				ck_assert_int_eq(fake_status(s->owner, v, t, body, 1), -EMSGSIZE);
	}
	ck_assert_int_eq(fake_status(READER, BH_V_LOOKUP, BH_T_ROUTE6, body, 19), -EMSGSIZE);
}
END_TEST

START_TEST(test_bad_message)
{
	struct bh_msg m = { .len = sizeof(m) - 1, .verb = BH_V_DUMP, .table = BH_T_UDP };

	ck_assert_int_eq(bh_ib_check_request(0, false, &m, NULL), -EMSGSIZE);
	m.len = BH_MSG_MAX + 1;
	ck_assert_int_eq(bh_ib_check_request(0, false, &m, NULL), -EMSGSIZE);
	m.len = sizeof(m);
	ck_assert_int_eq(bh_ib_check_request(0, false, &m, NULL), 0);
	m.flags = 1;
	ck_assert_int_eq(bh_ib_check_request(0, false, &m, NULL), -EINVAL);
	m.verb = BH_V_NOP;
	ck_assert_int_eq(bh_ib_check_request(0, false, &m, NULL), -EINVAL);
}
END_TEST

/* An heir reads and recovers as the owner does, and does nothing else that is the owner's. */
START_TEST(test_heir)
{
	struct bh_msg m = { .len = sizeof(m), .table = BH_T_ROUTE4 };

	for (m.verb = BH_V_DUMP; m.verb < BH_V_EVENT; m.verb++) {
		bool begins = m.verb == BH_V_REPLAY_BEGIN || m.verb == BH_V_REPLAY_END;

		if (m.verb == BH_V_LOOKUP)
			continue;
		ck_assert_int_eq(bh_ib_check_request(BH_ROLE_ROUTING, true, &m, NULL),
			begins ? -EPERM : 0);
		ck_assert_int_eq(bh_ib_check_request(BH_ROLE_ROUTING, false, &m, NULL), 0);
	}
	for (m.verb = BH_V_ADD; m.verb <= BH_V_DELETE; m.verb++)
		ck_assert_int_eq(bh_ib_check_request(BH_ROLE_ROUTING, true, &m, NULL), -EPERM);
	m.verb = BH_V_RECOVER;
	ck_assert_int_eq(bh_ib_check_request(BH_ROLE_CONFIG, true, &m, NULL), -EPERM);
}
END_TEST

START_TEST(test_bad_key_and_value)
{
	struct bh_route4_key k = { { 10, 1 }, 8 }; /* host bits */
	struct bh_ifname_key name;
	struct bh_route v = { .nh = 1 }; /* no protocol */
	uint8_t body[64];
	size_t len = fake_body(body, &k, sizeof(k), &v, sizeof(v));

	ck_assert_int_eq(fake_status(READER, BH_V_GET, BH_T_ROUTE4, &k, sizeof(k)), -EINVAL);
	ck_assert_int_eq(fake_status(BH_ROLE_ROUTING, BH_V_ADD, BH_T_ROUTE4, body, len), -EINVAL);
	k.plen = 16;
	len = fake_body(body, &k, sizeof(k), &v, sizeof(v));
	ck_assert_int_eq(fake_status(BH_ROLE_ROUTING, BH_V_ADD, BH_T_ROUTE4, body, len), -EINVAL);
	memset(&name, 'n', sizeof(name)); /* without its NUL */
	ck_assert_int_eq(fake_status(READER, BH_V_GET, BH_T_PROCESS, &name, sizeof(name)), -EINVAL);
}
END_TEST

/* Each table, each role, each verb that is the owner's. */
START_TEST(test_owners)
{
	const uint8_t verbs[] = { BH_V_ADD, BH_V_CHANGE, BH_V_DELETE, BH_V_RECOVER,
		BH_V_REPLAY_BEGIN, BH_V_REPLAY_END };
	uint8_t body[BH_KEY_MAX + BH_VAL_MAX] = { 0 };
	const struct bh_schema *s;
	unsigned int role, i;
	uint16_t t;
	int status;

	for (t = 1; t < BH_T_MAX; t++) {
		s = bh_schema(t);
		for (role = 0; role < BH_ROLE_MAX; role++) {
			for (i = 0; i < RTE_DIM(verbs); i++) {
				status = fake_status(role, verbs[i], t, body,
					i < 2 ? s->key_len + s->val_max : i == 2 ? s->key_len : 0);
				ck_assert_msg((status == -EPERM) == (role != s->owner),
					"%s: %s, verb %u: %d", s->name, bh_role_name(role),
					verbs[i], status);
			}
		}
		ck_assert_int_eq(fake_status(READER, BH_V_DUMP, t, NULL, 0), 0);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("infobase");
	TCase *tc = tcase_create("running"), *own = tcase_create("own start");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, fake_start, fake_stop);
	tcase_add_test(tc, test_modify);
	tcase_add_test(tc, test_nop);
	tcase_add_test(tc, test_lookup);
	tcase_add_test(tc, test_next);
	tcase_add_test(tc, test_bad_verb_and_table);
	tcase_add_test(tc, test_bad_length);
	tcase_add_test(tc, test_bad_message);
	tcase_add_test(tc, test_heir);
	tcase_add_test(tc, test_bad_key_and_value);
	tcase_add_test(tc, test_owners);
	tcase_add_test(own, test_assigned_id);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, own);
	return fake_suite(suite);
}
