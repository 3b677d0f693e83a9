/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches: every watcher's picture of the table ends as the table is, whatever happened. */
#include <stdio.h>

#include "test/unit/ib_fake.h"

#define KEYS 4096
#define FIRST 2 /* BH_ROLE_SUPERVISOR: the owner is another peer */

/* What a watcher knows. */
struct picture {
	uint32_t nh[KEYS]; /* 0: no such route */
	uint32_t tag;
	uint64_t records, synced, completes, resyncs;
	uint64_t complete_at; /* records before COMPLETE */
	uint32_t mark;	      /* RESYNC: what is not renewed until SYNCED is gone */
	uint32_t renewed[KEYS];
	bool bad;
};

static struct picture pic[FAKE_PEERS];

static void
see_put(struct picture *p, uint32_t i, const void *val)
{
	struct bh_route v;

	memcpy(&v, val, sizeof(v));
	p->nh[i] = v.nh;
	p->renewed[i] = p->mark;
}

static void
see_synced(struct picture *p)
{
	uint32_t i;

	p->synced++;
	for (i = 0; i < KEYS; i++)
		if (p->renewed[i] != p->mark)
			p->nh[i] = 0;
}

static void
see(struct picture *p, const struct bh_rec *rec, const uint8_t *data)
{
	uint32_t i = data[2] << 8 | data[3];

	switch (rec->op) {
	case BH_OP_PUT:
		p->records++;
		p->bad |= rec->len != sizeof(*rec) + 8 + sizeof(struct bh_route) || i >= KEYS;
		see_put(p, i % KEYS, data + 8);
		break;
	case BH_OP_DELETE:
		p->records++;
		p->bad |= rec->len != sizeof(*rec) + 8;
		p->nh[i % KEYS] = 0;
		break;
	case BH_OP_SYNCED:
		see_synced(p);
		break;
	case BH_OP_COMPLETE:
		p->completes++;
		p->complete_at = p->records;
		p->bad |= p->synced == 0;
		break;
	case BH_OP_RESYNC:
		p->resyncs++;
		p->mark++;
		break;
	default:
		p->bad = true;
	}
}

static void
on_event(struct fake_peer *peer, const struct bh_msg *msg)
{
	struct picture *p = peer->arg;
	const uint8_t *body = (const uint8_t *)(msg + 1);
	size_t at, len = msg->len - sizeof(*msg);
	uint8_t data[BH_KEY_MAX + BH_VAL_MAX] = { 0 };
	struct bh_rec rec;

	p->bad |= msg->tag != p->tag || msg->table != BH_T_ROUTE4 || msg->status != 0;
	for (at = 0; at + sizeof(rec) <= len; at += (rec.len + 3u) & ~3u) {
		memcpy(&rec, body + at, sizeof(rec));
		memcpy(data, body + at + sizeof(rec), rec.len - sizeof(rec));
		see(p, &rec, data);
	}
	p->bad |= at != len;
}

/* ---- the owner ---- */

static uint32_t model[KEYS];
static uint64_t sent;

static void
submit(uint8_t verb, uint32_t i, uint32_t nh)
{
	struct bh_route4_key k = { { 0, 0, i >> 8, i }, 32 };
	struct bh_route v = { .nh = nh, .proto = BH_RP_STATIC };
	uint8_t body[64];
	size_t len = fake_body(body, &k, sizeof(k), &v, sizeof(v));

	if (verb == BH_V_DELETE)
		len = sizeof(k);
	while (fake_offer(BH_ROLE_ROUTING, verb, BH_T_ROUTE4, 0, 0, body, len, 64) == -EAGAIN)
		fake_run();
	sent++;
	model[i] = verb == BH_V_ADD ? nh : 0;
}

static void
fill(uint32_t n, uint32_t nh)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		submit(BH_V_ADD, i, nh);
}

/* Waits for all before it. */
static void
owner_call(uint8_t verb)
{
	struct fake_peer *p = &fake.peer[BH_ROLE_ROUTING];

	fake_until(&p->n_seen, sent);
	p->silent = false;
	ck_assert_int_eq(fake_status(BH_ROLE_ROUTING, verb, BH_T_ROUTE4, NULL, 0), 0);
	p->silent = true;
	sent++;
}

/* ---- watchers ---- */

static int
offer_watch(unsigned int peer, uint8_t verb, uint32_t tag)
{
	unsigned int had = fake.peer[peer].n_replies;
	int status;

	while (fake_offer(peer, verb, BH_T_ROUTE4, tag, 0, NULL, 0, 64) == -EAGAIN)
		fake_run();
	fake_wait_replies(peer, had + 1);
	status = fake.peer[peer].reply[had].msg.status;
	fake.peer[peer].n_replies = had;
	return status;
}

static void
watch(unsigned int peer)
{
	memset(&pic[peer], 0, sizeof(pic[peer]));
	pic[peer].tag = 500 + peer;
	fake.peer[peer].arg = &pic[peer];
	fake.peer[peer].on_event = on_event;
	ck_assert_int_eq(offer_watch(peer, BH_V_WATCH, pic[peer].tag), 0);
}

static bool
agrees(const struct picture *p)
{
	return memcmp(p->nh, model, sizeof(model)) == 0;
}

/* The last change of all: who has it, in the right epoch of his picture, has everything. */
static void
settle(unsigned int from, unsigned int to)
{
	uint32_t nh = 1000000 + random() % 1000000;
	unsigned int i;

	submit(BH_V_ADD, KEYS - 1, nh);
	for (i = from; i < to; i++) {
		struct picture *p = &pic[i];

		while (p->nh[KEYS - 1] != nh || p->synced <= p->mark)
			fake_until(&fake.peer[i].n_events, fake.peer[i].n_events + 1);
		ck_assert(!p->bad);
		ck_assert(agrees(p));
	}
}

static void
setup(void)
{
	memset(model, 0, sizeof(model));
	memset(pic, 0, sizeof(pic));
	srandom(5);
	fake_start();
	fake.peer[BH_ROLE_ROUTING].silent = true;
	sent = 0;
}

START_TEST(test_sync_and_follow)
{
	struct picture *p = &pic[FIRST];

	fill(1000, 7);
	watch(FIRST);
	fake_until(&p->synced, 1);
	ck_assert(agrees(p));
	ck_assert_uint_eq(p->records, 1000); /* packed */
	ck_assert_uint_le(fake.peer[FIRST].n_events, 1000 / 40);
	ck_assert_uint_eq(p->completes, 0);
	submit(BH_V_ADD, 3, 9);
	submit(BH_V_DELETE, 4, 0);
	fake_until(&p->records, 1002);
	ck_assert(agrees(p));
	ck_assert(!p->bad);
	ck_assert_uint_eq(p->resyncs, 0);
	ck_assert_uint_eq(ib->stats->table[BH_T_ROUTE4].watchers, 1);
}
END_TEST

START_TEST(test_empty_table)
{
	watch(FIRST);
	fake_until(&pic[FIRST].synced, 1);
	ck_assert_uint_eq(pic[FIRST].records, 0);
	ck_assert_uint_eq(fake.peer[FIRST].n_events, 1);
	ck_assert_int_eq(bh_infobase_ops.timeout(ib), -1);
}
END_TEST

/* COMPLETE comes once: after SYNCED to who came later, at its place in the changes to others. */
START_TEST(test_complete)
{
	watch(FIRST);
	fill(100, 1);
	owner_call(BH_V_REPLAY_BEGIN);
	fill(50, 1);
	submit(BH_V_ADD, 200, 2);
	owner_call(BH_V_REPLAY_END);
	fake_until(&pic[FIRST].completes, 1);
	ck_assert_uint_eq(pic[FIRST].complete_at, 101); /* after the replay, before the sweep */
	memset(&model[50], 0, 50 * sizeof(model[0]));
	fake_until(&pic[FIRST].records, 151);
	ck_assert(agrees(&pic[FIRST]));
	watch(FIRST + 1);
	fake_until(&pic[FIRST + 1].completes, 1);
	ck_assert_uint_eq(pic[FIRST + 1].synced, 1);
	owner_call(BH_V_REPLAY_BEGIN);
	owner_call(BH_V_REPLAY_END);
	memset(model, 0, sizeof(model));
	settle(FIRST, FIRST + 2);
	ck_assert_uint_eq(pic[FIRST].completes, 1);
	ck_assert_uint_eq(pic[FIRST + 1].completes, 1);
}
END_TEST

START_TEST(test_begin_and_end)
{
	const struct fake_msg *m;
	uint64_t events;

	watch(FIRST);
	ck_assert_int_eq(offer_watch(FIRST, BH_V_WATCH, 500 + FIRST), -EEXIST);
	m = fake_call(FIRST, BH_V_UNWATCH, BH_T_ROUTE4, 7, NULL, 0);
	ck_assert_int_eq(m->msg.status, -ENOENT);
	ck_assert_uint_eq(m->msg.aux, 0); /* a refusal says nothing else */
	fake_until(&pic[FIRST].synced, 1);
	ck_assert_int_eq(offer_watch(FIRST, BH_V_UNWATCH, 9), -ENOENT);
	ck_assert_int_eq(offer_watch(FIRST + 1, BH_V_UNWATCH, 500 + FIRST), -ENOENT);
	ck_assert_int_eq(offer_watch(FIRST, BH_V_UNWATCH, 500 + FIRST), 0);
	events = fake.peer[FIRST].n_events;
	watch(FIRST + 1);
	fill(10, 3);
	settle(FIRST + 1, FIRST + 2);
	ck_assert_uint_eq(fake.peer[FIRST].n_events, events);
	fake.peer[FIRST + 1].gone = true;
	bh_infobase_ops.gone(ib, fake.peer[FIRST + 1].info.ref);
	ck_assert_uint_eq(ib->stats->table[BH_T_ROUTE4].watchers, 0);
	ck_assert_uint_eq(ib->watches.used, 0);
}
END_TEST

/* A peer that left without a word: found when an event is sent. */
START_TEST(test_not_connected)
{
	watch(FIRST);
	fake_until(&pic[FIRST].synced, 1);
	fake.peer[FIRST].gone = true;
	fill(1, 1);
	fake_until(&fake.peer[BH_ROLE_ROUTING].n_seen, 1);
	while (ib->watches.used > 0)
		fake_run();
	ck_assert_int_eq(bh_infobase_ops.timeout(ib), -1);
}
END_TEST

/* Those at the end of the list leave it, and the list its end, within a pass: the others miss nothing. */
START_TEST(test_end_within_a_pass)
{
	const unsigned int peers[] = { FIRST, FIRST + 1, BH_ROLE_SNMP, BH_ROLE_USER };
	unsigned int i;

	for (i = 0; i < RTE_DIM(peers); i++) {
		watch(peers[i]);
		fake_until(&pic[peers[i]].synced, 1);
	}
	fake.peer[BH_ROLE_SNMP].gone = fake.peer[BH_ROLE_USER].gone = true;
	ib->watches.at = 2; /* the next pass begins with them */
	settle(FIRST, FIRST + 2);
	ck_assert_uint_eq(ib->watches.used, 2);
}
END_TEST

START_TEST(test_limit)
{
	unsigned int i;

	fake.peer[BH_ROLE_READER].event_room = 0;
	for (i = 0; i < 32; i++)
		ck_assert_int_eq(offer_watch(BH_ROLE_READER, BH_V_WATCH, i), 0);
	ck_assert_int_eq(offer_watch(BH_ROLE_READER, BH_V_WATCH, i), -ENOSPC);
	watch(FIRST); /* another is not hindered */
	fake_until(&pic[FIRST].synced, 1);
	ck_assert_int_gt(bh_infobase_ops.timeout(ib), 0);
	ck_assert_uint_ge(ib->objects[BH_IB_IS_LONG].n_free, BH_IB_LONGS - 32);
}
END_TEST

/* One watcher has no room at all, falls behind the log, is told, and has the table again. */
START_TEST(test_resync)
{
	struct picture *slow = &pic[FIRST], *fast = &pic[FIRST + 1];
	uint64_t size = ib->tables[BH_T_ROUTE4]->log.size;
	uint32_t round;

	fill(KEYS, 1);
	watch(FIRST);
	watch(FIRST + 1);
	fake_until(&slow->synced, 1);
	fake_until(&fast->synced, 1);
	fake.peer[FIRST].event_room = 0;
	for (round = 2; bh_changelog_head(&ib->tables[BH_T_ROUTE4]->log) < 2 * size; round++)
		fill(KEYS, round);
	for (round = 0; round < KEYS; round += 3)
		submit(BH_V_DELETE, round, 0);
	settle(FIRST + 1, FIRST + 2);
	ck_assert_uint_eq(fast->resyncs, 0);
	ck_assert_uint_gt(fake.peer[FIRST].n_refused, 0);
	fake.peer[FIRST].event_room = -1;
	fake_until(&slow->synced, 2);
	ck_assert_uint_eq(slow->resyncs, 1);
	settle(FIRST, FIRST + 2);
}
END_TEST

/* Eight watchers that come and go, with little room now and then, while the table changes. */
START_TEST(test_random)
{
	const unsigned int end = FIRST + 8;
	uint32_t step, i;
	unsigned int p;

	fill(KEYS / 2, 1);
	for (p = FIRST; p < end; p++)
		if (p != BH_ROLE_ROUTING)
			watch(p);
	for (step = 0; step < 200000; step++) {
		i = random() % (KEYS - 1);
		submit(random() % 3 ? BH_V_ADD : BH_V_DELETE, i, 1 + random() % 100);
		if (step % 8 == 0)
			fake_run();
		if (step % 64 == 0) {
			p = FIRST + random() % 8;
			fake.peer[p].event_room = random() % 3 ? -1 : random() % 4;
		}
		if (step % 5000 == 0 && p != BH_ROLE_ROUTING) {
			ck_assert_int_eq(offer_watch(p, BH_V_UNWATCH, 500 + p), 0);
			watch(p);
		}
	}
	for (p = FIRST; p < end; p++)
		fake.peer[p].event_room = -1;
	settle(FIRST, BH_ROLE_ROUTING);
	settle(BH_ROLE_ROUTING + 1, end);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("watch");
	TCase *tc = tcase_create("watch");

	tcase_add_checked_fixture(tc, setup, fake_stop);
	tcase_add_test(tc, test_sync_and_follow);
	tcase_add_test(tc, test_empty_table);
	tcase_add_test(tc, test_complete);
	tcase_add_test(tc, test_begin_and_end);
	tcase_add_test(tc, test_not_connected);
	tcase_add_test(tc, test_end_within_a_pass);
	tcase_add_test(tc, test_limit);
	tcase_add_test(tc, test_resync);
	tcase_add_test(tc, test_random);
	suite_add_tcase(suite, tc);
	return fake_suite(suite);
}
