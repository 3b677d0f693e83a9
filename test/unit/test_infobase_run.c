/* SPDX-License-Identifier: BSD-3-Clause */
/* The info base at work: order of answers, room, dumps and replays, the worker's loop, noise. */
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "test/unit/ib_routes.h"

/* A flood of writes by one who may not: told by name and pid, in a few lines. */
START_TEST(test_not_owner_logged)
{
	struct bh_route4_key k = key_of(7);
	int saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	unsigned int i, lines = 0;
	char line[256];

	strcpy(fake.peer[READER].info.client, "intruder");
	fake.peer[READER].info.pid = 4711;
	ck_assert_ptr_nonnull(file);
	dup2(fileno(file), STDERR_FILENO);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(fake_status(READER, BH_V_DELETE, BH_T_ROUTE4, &k, sizeof(k)), -EPERM);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		ck_assert_ptr_nonnull(strstr(line, "intruder (pid 4711, uid 0) may not write table "
			"route4: verb 4 is refused"));
		lines++;
	}
	fclose(file);
	ck_assert_uint_ge(lines, 1);
	ck_assert_uint_le(lines, 2 * BH_LOG_BURST);
	ck_assert_uint_eq(ib->stats->table[BH_T_ROUTE4].refused, 1000);
}
END_TEST

/* ---- order and room ---- */

/* Good and bad requests about one table, in a row: answers in the same row. */
START_TEST(test_order)
{
	const struct fake_peer *p = &fake.peer[BH_ROLE_ROUTING];
	struct bh_route4_key k = key_of(1);
	uint32_t tag;

	for (tag = 0; tag < 2000; tag += 4) {
		submit(BH_V_ADD, tag % 64, tag + 1, tag);
		while (fake_offer(BH_ROLE_ROUTING, BH_V_GET, BH_T_ROUTE4, tag + 1, 0, &k, 3, 64) ==
			-EAGAIN)
			fake_run();
		submit(BH_V_DELETE, tag % 64, 0, tag + 2);
		submit(99, 0, 0, tag + 3);
		fake_run();
	}
	fake_wait_replies(BH_ROLE_ROUTING, 2000);
	for (tag = 0; tag < 2000; tag++) {
		const int want[] = { 0, -EMSGSIZE, 0, -EOPNOTSUPP };

		ck_assert_uint_eq(p->reply[tag].msg.tag, tag);
		ck_assert_int_eq(p->reply[tag].msg.status, want[tag % 4]);
	}
	ck_assert_uint_eq(ib->stats->table[BH_T_ROUTE4].requests, 2000);
	ck_assert_uint_eq(ib->stats->table[BH_T_ROUTE4].refused, 1000);
}
END_TEST

/* The end of a replay is answered when nothing stale is left; who asks meanwhile waits behind. */
START_TEST(test_end_waits_for_sweep)
{
	const struct fake_peer *p = &fake.peer[BH_ROLE_ROUTING];
	const unsigned int n = 20000;
	uint32_t i;

	for (i = 0; i < n; i++)
		submit(BH_V_ADD, i, 1, i);
	fake_wait_replies(BH_ROLE_ROUTING, n);
	ck_assert_int_gt(fake_offer(BH_ROLE_ROUTING, BH_V_REPLAY_BEGIN, BH_T_ROUTE4, n, 0, NULL, 0,
		64), 0);
	submit(BH_V_ADD, 7, 2, n + 1);
	for (i = 2; i < 6; i++) {
		uint8_t verb = i % 2 == 0 ? BH_V_REPLAY_END : BH_V_DUMP;

		ck_assert_int_gt(fake_offer(BH_ROLE_ROUTING, verb, BH_T_ROUTE4, n + i, 0, NULL, 0,
			64), 0);
	}
	fake_wait_replies(BH_ROLE_ROUTING, n + 6);
	for (i = 0; i < n + 6; i++) {
		ck_assert_uint_eq(p->reply[i].msg.tag, i);
		ck_assert_int_eq(p->reply[i].msg.status, 0);
	}
	for (i = n + 3; i < n + 6; i += 2) { /* the one that was renewed, and no stale one */
		ck_assert_uint_eq(p->reply[i].msg.aux, BH_DUMP_END);
		ck_assert_uint_eq(p->reply[i].msg.len, sizeof(struct bh_msg) +
			sizeof(struct bh_rec) + sizeof(struct bh_route4_key) +
			sizeof(struct bh_route));
	}
	ck_assert_uint_eq(ib->stats->table[BH_T_ROUTE4].swept, n - 1);
}
END_TEST

/* No worker runs: a table's list fills, then the readers' part of the pool is empty, then all of
 * it; nothing is lost by that. */
START_TEST(test_exhaustion)
{
	unsigned int taken[BH_T_MAX] = { 0 }, total = 0, i;
	uint16_t t;

	fake_setup();
	for (t = 1; t < BH_T_MAX; t++) {
		while (fake_offer(READER, BH_V_DUMP, t, total, 0, NULL, 0, 64) != -EAGAIN) {
			taken[t]++;
			total++;
		}
	}
	ck_assert_uint_eq(taken[1], BH_IB_RING - 1);
	ck_assert_uint_eq(total, BH_IB_POOL - BH_IB_KEPT);
	for (i = 0; fake_offer(BH_ROLE_ROUTING, BH_V_DUMP, BH_T_SNMP, i, 0, NULL, 0, 64) > 0;)
		i++;
	ck_assert_uint_eq(i, BH_IB_KEPT);
	ck_assert_uint_eq(ib->n_free, 0);
	/* Whatever it is, it has to wait; what needs no object has not. */
	ck_assert_int_eq(fake_offer(READER, BH_V_GET, BH_T_UDP, 1, 0, NULL, 0, 64), -EAGAIN);
	ck_assert_int_eq(fake_status(READER, BH_V_NOP, 0, NULL, 0), 0);
	fake_launch();
	fake_wait_replies(READER, total);
	fake_wait_replies(BH_ROLE_ROUTING, BH_IB_KEPT);
	ck_assert_uint_eq(fake.peer[READER].n_replies, total);
	ck_assert_uint_eq(ib->n_free, BH_IB_POOL);
	ck_assert_int_eq(fake_status(READER, BH_V_DUMP, BH_T_UDP, NULL, 0), 0);
	fake_stop();
}
END_TEST

START_TEST(test_room)
{
	struct bh_route4_key k = key_of(1);
	const struct fake_peer *p = &fake.peer[READER];
	uint32_t i;

	for (i = 0; i < 300; i++)
		submit(BH_V_ADD, i, 1, i);
	fake_wait_replies(BH_ROLE_ROUTING, 300);
	ck_assert_int_eq(fake_offer(READER, BH_V_GET, BH_T_ROUTE4, 1, 0, &k, sizeof(k), 0),
		-EAGAIN);
	ck_assert_int_eq(fake_offer(READER, BH_V_GET, BH_T_ROUTE4, 1, 0, &k, sizeof(k), 1), 1);
	ck_assert_int_eq(fake_offer(READER, BH_V_DUMP, BH_T_ROUTE4, 2, 0, NULL, 0, 10), 10);
	ck_assert_int_eq(fake_offer(READER, BH_V_DUMP, BH_T_ROUTE4, 3, 0, NULL, 0, 500), 64);
	ck_assert_int_eq(fake_offer(READER, BH_V_DUMP, BH_T_CFG_ROUTE4, 4, 0, NULL, 0, 5), -EAGAIN);
	fake_wait_replies(READER, 3);
	ck_assert_uint_eq(p->reply[1].msg.len, 16 + (600 - 16) / 36 * 36);
	ck_assert_uint_eq(p->reply[1].msg.aux, (600 - 16) / 36);
	ck_assert_uint_eq(p->reply[2].msg.len, 16 + (BH_MSG_MAX - 16) / 36 * 36);
}
END_TEST

/* ---- dump ---- */

#define DUMPED 3000

/* Dumps while the table changes: what lives all the time comes exactly once. */
START_TEST(test_dump_concurrent)
{
	static unsigned int seen[2 * DUMPED];
	const struct fake_msg *m;
	struct bh_rec rec;
	struct bh_route4_key k;
	uint32_t i, cursor = 0, at, rounds = 0;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 2 * DUMPED; i++)
		submit(BH_V_ADD, i, 1, i);
	fake_wait_replies(BH_ROLE_ROUTING, 2 * DUMPED);
	do {
		for (i = 0; i < 40; i++) { /* odd ones come and go */
			uint32_t odd = (random() % DUMPED) * 2 + 1;

			submit(random() % 2 ? BH_V_ADD : BH_V_DELETE, odd, 2, i);
		}
		m = fake_call(READER, BH_V_DUMP, BH_T_ROUTE4, cursor, NULL, 0);
		ck_assert_int_eq(m->msg.status, 0);
		for (at = 0; at < m->msg.len - sizeof(m->msg); at += (rec.len + 3u) & ~3u) {
			memcpy(&rec, m->body + at, sizeof(rec));
			memcpy(&k, m->body + at + sizeof(rec), sizeof(k));
			ck_assert_uint_eq(rec.op, BH_OP_PUT);
			seen[k.addr[2] << 8 | k.addr[3]]++;
		}
		cursor = m->msg.aux;
		ck_assert_uint_lt(++rounds, 10000);
	} while (cursor != BH_DUMP_END);
	for (i = 0; i < 2 * DUMPED; i += 2)
		ck_assert_uint_eq(seen[i], 1);
	m = fake_call(READER, BH_V_DUMP, BH_T_ROUTE4, UINT32_MAX - 1, NULL, 0);
	ck_assert_uint_eq(m->msg.aux, BH_DUMP_END);
}
END_TEST

/* ---- replay ---- */

START_TEST(test_replay)
{
	const struct fake_msg *m;
	struct bh_rec rec;
	uint32_t i;

	for (i = 0; i < 2000; i++)
		submit(BH_V_ADD, i, 1, i);
	fake_wait_replies(BH_ROLE_ROUTING, 2000);
	m = fake_call(BH_ROLE_ROUTING, BH_V_REPLAY_BEGIN, BH_T_ROUTE4, 0, NULL, 0);
	ck_assert_int_eq(m->msg.status, 0);
	ck_assert_uint_eq(m->msg.aux, 1);
	ck_assert_uint_eq(get(1999), 1); /* the owner is away: data still answers */
	m = fake_call(BH_ROLE_ROUTING, BH_V_RECOVER, BH_T_ROUTE4, 0, NULL, 0);
	memcpy(&rec, m->body, sizeof(rec));
	ck_assert_uint_eq(rec.flags, BH_REC_STALE);
	ck_assert_uint_eq(rec.epoch, 0);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(add(i, 1 + i % 2), 0);
	m = fake_call(READER, BH_V_DUMP, BH_T_ROUTE4, 0, NULL, 0);
	memcpy(&rec, m->body, sizeof(rec));
	ck_assert_uint_eq(rec.flags, 0);
	ck_assert_uint_eq(rec.epoch, 1);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].complete), 0);
	ck_assert_int_eq(fake_status(BH_ROLE_ROUTING, BH_V_REPLAY_END, BH_T_ROUTE4, NULL, 0), 0);
	fake_until(&ib->stats->table[BH_T_ROUTE4].swept, 1000);
	for (i = 0; i < 2000; i++)
		ck_assert_uint_eq(get(i), i < 1000 ? 1 + i % 2 : 0);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].records), 1000);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].stale), 0);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].complete), 1);
	ck_assert_uint_eq(bh_read(&ib->stats->table[BH_T_ROUTE4].epoch), 1);
}
END_TEST

/* ---- worker ---- */

static void
input(void *ctx, void *obj)
{
	__atomic_fetch_add((uint64_t *)ctx, (uintptr_t)obj, __ATOMIC_RELAXED);
}

static int
chore(void *ctx)
{
	__atomic_fetch_add((uint64_t *)ctx, 1, __ATOMIC_RELAXED);
	return 1; /* ms */
}

START_TEST(test_worker)
{
	const struct bh_stats_table *st;
	struct rte_ring *ring = rte_ring_create("test.in", 64, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ);
	uint64_t sum = 0, calls = 0, wakes;
	struct bh_worker *w;
	uintptr_t i;

	fake_setup();
	st = &ib->stats->table[BH_T_ROUTE6];
	w = bh_infobase_worker(ib, BH_GROUP_ROUTE6);
	ck_assert_int_eq(bh_worker_add_input(w, ring, input, &sum), 0);
	ck_assert_int_eq(bh_worker_add_chore(bh_infobase_worker(ib, BH_GROUP_ROUTE4), chore,
		&calls), 0);
	fake_launch();
	for (i = 1; i <= 10; i++) { /* each wakes it, or finds it awake */
		ck_assert_int_eq(rte_ring_sp_enqueue(ring, (void *)i), 0);
		bh_worker_wake(w);
	}
	fake_watch_word(&sum, 55);
	ck_assert_uint_eq(sum, 55);
	fake_watch_word(&calls, 5);
	while (__atomic_load_n(&w->bell.asleep, __ATOMIC_RELAXED) == 0)
		sched_yield();
	wakes = bh_read(&st->worker_wakes);
	ck_assert_int_eq(fake_status(READER, BH_V_DUMP, BH_T_ROUTE6, NULL, 0), 0);
	fake_watch_word(&st->worker_wakes, wakes + 1);
	ck_assert_uint_gt(bh_read(&st->worker_sleeps), 0);
	ck_assert_uint_eq(st->lcore, 3);
	ck_assert_uint_eq(ib->stats->lcore[3].used, 1);
	ck_assert_uint_gt(bh_read(&ib->stats->lcore[3].heartbeat), 0);
	ck_assert_uint_eq(bh_read(&ib->stats->lcore[3].handled), 1);
	fake_stop();
	rte_ring_free(ring);
}
END_TEST

START_TEST(test_worker_limits)
{
	struct bh_worker *w;
	int i;

	fake_setup();
	w = bh_infobase_worker(ib, BH_GROUP_LINK);
	ck_assert_ptr_eq(w, bh_infobase_worker(ib, BH_GROUP_MISC)); /* one lcore, one worker */
	for (i = 0; i < BH_WORKER_CHORES; i++)
		ck_assert_int_eq(bh_worker_add_chore(w, chore, NULL), 0);
	ck_assert_int_eq(bh_worker_add_chore(w, chore, NULL), -ENOSPC);
	for (i = 0; i < BH_WORKER_INPUTS; i++)
		ck_assert_int_eq(bh_worker_add_input(w, NULL, input, NULL), 0);
	ck_assert_int_eq(bh_worker_add_input(w, NULL, input, NULL), -ENOSPC);
	fake_stop();
}
END_TEST

/* ---- noise ---- */

static size_t
random_body(uint16_t table, uint8_t *body)
{
	const struct bh_schema *s = bh_schema(table);
	size_t i, len = random() % 200;

	if (s != NULL && random() % 4 != 0) { /* lengths that are right, more often */
		const size_t lens[] = { 0, s->key_len, s->key_len + s->val_min,
			s->key_len + s->val_max };

		len = lens[random() % 4];
	}
	for (i = 0; i < len; i++)
		body[i] = random() % 3 ? 0 : random() % 3 ? random() % 8 : random();
	return len;
}

/* Random requests of every role: each has exactly one reply, nothing else happens. */
START_TEST(test_noise)
{
	uint8_t body[BH_MSG_MAX];
	unsigned int peer, i, sent[FAKE_PEERS] = { 0 };
	uint16_t table;
	size_t len;
	int rc;

	srandom(11);
	for (i = 0; i < 60000; i++) {
		peer = random() % FAKE_PEERS;
		table = random() % (BH_T_MAX + 1);
		len = random_body(table, body);
		rc = fake_offer(peer, random() % (BH_V_MAX + 2), table, sent[peer], random(), body,
			len, 64);
		if (rc != -EAGAIN) {
			ck_assert_int_gt(rc, 0);
			sent[peer]++;
		}
		if (rc == -EAGAIN || i % 16 == 0)
			fake_run();
	}
	for (peer = 0; peer < FAKE_PEERS; peer++)
		fake_wait_replies(peer, sent[peer]);
	ck_assert_int_eq(add(1, 1), 0);
	for (peer = 0; peer < FAKE_PEERS; peer++)
		ck_assert_uint_eq(fake.peer[peer].n_replies, sent[peer]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("infobase_run");
	TCase *tc = tcase_create("running"), *own = tcase_create("own start");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, fake_start, fake_stop);
	tcase_add_test(tc, test_not_owner_logged);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_end_waits_for_sweep);
	tcase_add_test(tc, test_room);
	tcase_add_test(tc, test_dump_concurrent);
	tcase_add_test(tc, test_replay);
	tcase_add_test(tc, test_noise);
	tcase_add_test(own, test_exhaustion);
	tcase_add_test(own, test_worker);
	tcase_add_test(own, test_worker_limits);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, own);
	return fake_suite(suite);
}
