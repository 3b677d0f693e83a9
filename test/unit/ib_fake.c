/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>

#include "test/unit/ib_fake.h"

struct bh_service fake;
struct bh_infobase *ib;
static bool launched;

static void
eal_init(void)
{
	bool two = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	char *argv[] = {
		"test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "96",
		"--log-level", "error", "--lcores", two ? "0@0,1@1,2@1,3@0" : "0@0,1@0,2@0,3@0",
	};

	if (rte_eal_init(RTE_DIM(argv), argv) < 0)
		abort();
}

int
fake_suite(Suite *suite)
{
	SRunner *sr = srunner_create(suite);
	int failed;

	eal_init();
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void
fake_setup(void)
{
	struct bh_infobase_conf conf = {
		.group_lcore = { 1, 2, 3, 1 },
		.socket_id = SOCKET_ID_ANY,
	};
	unsigned int i;

	memset(&fake, 0, sizeof(fake));
	ck_assert_int_eq(bh_bell_init(&fake.bell), 0);
	for (i = 0; i < FAKE_PEERS; i++) {
		fake.peer[i].info.ref = (struct bh_peer_ref){ i, 100 + i };
		fake.peer[i].info.role = i < BH_ROLE_MAX ? i : BH_ROLE_READER;
		fake.peer[i].event_room = -1;
	}
	ib = bh_infobase_create(&conf);
	ck_assert_ptr_nonnull(ib);
	bh_infobase_set_service(ib, &fake);
}

void
fake_launch(void)
{
	unsigned int i;

	for (i = 0; i < ib->n_workers; i++)
		ck_assert_int_eq(rte_eal_remote_launch(bh_worker_main, ib->workers[i],
			ib->workers[i]->lcore), 0);
	launched = true;
}

void
fake_start(void)
{
	fake_setup();
	fake_launch();
}

void
fake_stop(void)
{
	unsigned int i;

	bh_infobase_stop(ib);
	if (launched)
		rte_eal_mp_wait_lcore();
	launched = false;
	bh_infobase_destroy(ib);
	ib = NULL;
	for (i = 0; i < FAKE_PEERS; i++)
		free(fake.peer[i].reply);
	bh_bell_close(&fake.bell);
}

/* ---- what the info base calls ---- */

static struct fake_peer *
peer_of(struct bh_service *svc, struct bh_peer_ref ref)
{
	struct fake_peer *p;

	if (ref.index >= FAKE_PEERS)
		return NULL;
	p = &svc->peer[ref.index];
	return p->gone || p->info.ref.gen != ref.gen ? NULL : p;
}

void
bh_service_reply(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	struct fake_peer *p = peer_of(svc, ref);

	if (p == NULL)
		return;
	p->n_seen++;
	if (p->silent)
		return;
	if (p->n_replies == p->cap_replies) {
		p->cap_replies = p->cap_replies * 2 + 16;
		p->reply = realloc(p->reply, p->cap_replies * sizeof(*p->reply));
	}
	ck_assert_uint_ge(msg->len, sizeof(*msg));
	ck_assert_uint_le(msg->len, BH_MSG_MAX);
	memcpy(&p->reply[p->n_replies++], msg, msg->len);
}

int
bh_service_event(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	struct fake_peer *p = peer_of(svc, ref);

	if (p == NULL)
		return -ENOTCONN;
	if (p->event_room == 0) {
		p->n_refused++;
		return -EAGAIN;
	}
	if (p->event_room > 0)
		p->event_room--;
	p->n_events++;
	ck_assert_uint_eq(msg->verb, BH_V_EVENT);
	if (p->on_event != NULL)
		p->on_event(p, msg);
	return 0;
}

struct bh_bell *
bh_service_bell(struct bh_service *svc)
{
	return &svc->bell;
}

/* ---- what tests call ---- */

int
fake_offer(unsigned int peer, uint8_t verb, uint16_t table, uint32_t tag, uint32_t aux,
	const void *body, size_t len, unsigned int room)
{
	struct fake_msg m = {
		.msg = { .len = sizeof(m.msg) + len, .verb = verb, .table = table, .tag = tag,
			.aux = aux },
	};

	if (len > 0)
		memcpy(m.body, body, len);
	return bh_infobase_ops.request(ib, &fake.peer[peer].info, &m.msg, room);
}

/* One pass as a service does it: work, or sleep with the bell at most max_ms. */
static void
pass(int max_ms)
{
	int ms;

	if (bh_infobase_ops.poll(ib))
		return;
	ms = bh_infobase_ops.timeout(ib);
	if (ms == 0)
		return;
	bh_bell_announce(&fake.bell);
	if (bh_infobase_ops.poll(ib))
		bh_bell_awake(&fake.bell);
	else
		bh_bell_block(&fake.bell, ms < 0 || ms > max_ms ? max_ms : ms);
}

void
fake_run(void)
{
	while (bh_infobase_ops.poll(ib))
		;
}

static uint64_t
deadline(void)
{
	return rte_get_tsc_cycles() + 10 * rte_get_tsc_hz();
}

void
fake_until(const uint64_t *what, uint64_t want)
{
	uint64_t end = deadline();

	while (__atomic_load_n(what, __ATOMIC_RELAXED) < want) {
		pass(10000);
		ck_assert_msg(rte_get_tsc_cycles() < end, "%lu of %lu", *what, want);
	}
}

void
fake_watch_word(const uint64_t *what, uint64_t want)
{
	uint64_t end = deadline();

	while (__atomic_load_n(what, __ATOMIC_RELAXED) < want) {
		sched_yield();
		ck_assert_msg(rte_get_tsc_cycles() < end, "%lu of %lu", *what, want);
	}
}

void
fake_wait_replies(unsigned int peer, unsigned int n)
{
	uint64_t end = deadline();

	while (fake.peer[peer].n_replies < n) {
		pass(10000);
		ck_assert_msg(rte_get_tsc_cycles() < end, "%u of %u replies",
			fake.peer[peer].n_replies, n);
	}
}

const struct fake_msg *
fake_call(unsigned int peer, uint8_t verb, uint16_t table, uint32_t aux, const void *body,
	size_t len)
{
	static uint32_t tag = 1000;
	struct fake_peer *p = &fake.peer[peer];
	unsigned int had = p->n_replies;
	const struct fake_msg *m;

	tag++;
	while (fake_offer(peer, verb, table, tag, aux, body, len, 64) == -EAGAIN)
		pass(1);
	fake_wait_replies(peer, had + 1);
	m = &p->reply[had];
	ck_assert_uint_eq(m->msg.tag, tag);
	ck_assert_uint_eq(m->msg.verb, verb);
	ck_assert_uint_eq(m->msg.table, table);
	p->n_replies = had;
	return m;
}

int
fake_status(unsigned int peer, uint8_t verb, uint16_t table, const void *body, size_t len)
{
	return fake_call(peer, verb, table, 0, body, len)->msg.status;
}

size_t
fake_body(void *body, const void *key, size_t key_len, const void *val, size_t val_len)
{
	memcpy(body, key, key_len);
	memcpy((uint8_t *)body + key_len, val, val_len);
	return key_len + val_len;
}
