/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The info base in figures: a table alone; requests through main and a worker; dumps; watches.
 *
 * bench_tables [EAL options]; two lcores, best on two CPUs, about 64 MiB of EAL memory. The
 * service is a stand-in that copies what it is given, as a channel would, and counts it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>

#include "infobase/infobase_priv.h"

#define RECORDS 1000000u
#define WATCHERS 8

struct bh_service {
	struct bh_bell bell;
	uint64_t replies, events, event_bytes;
	uint32_t cursor;
	uint8_t copy[BH_MSG_MAX];
};

static struct bh_service svc;
static struct bh_infobase *ib;

void
bh_service_reply(struct bh_service *s, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	(void)ref;
	memcpy(s->copy, msg, msg->len);
	s->replies++;
	s->cursor = msg->aux;
	if (msg->status != 0)
		printf("a reply with status %d\n", msg->status);
}

int
bh_service_event(struct bh_service *s, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	(void)ref;
	memcpy(s->copy, msg, msg->len);
	s->events++;
	s->event_bytes += msg->len - sizeof(*msg);
	return 0;
}

struct bh_bell *
bh_service_bell(struct bh_service *s)
{
	return &s->bell;
}

static void
report(const char *what, uint64_t n, uint64_t from)
{
	double s = (double)(rte_get_tsc_cycles() - from) / rte_get_tsc_hz();

	printf("%-44s %8.2f M/s  (%lu in %.3f s)\n", what, n / s / 1e6, n, s);
}

struct record {
	struct bh_route4_key key;
	struct bh_route val;
};

/* The i-th of many records; the order of the keys is no order. */
static struct record
record_of(uint32_t i, uint32_t nh)
{
	uint32_t a = i * 2654435761u;

	return (struct record){
		{ { a >> 24, a >> 16, a >> 8, a }, 32 },
		{ .nh = nh, .proto = BH_RP_STATIC },
	};
}

/* ---- a table alone ---- */

static void
put_all(struct bh_table *t, uint32_t nh)
{
	uint32_t i;

	for (i = 0; i < RECORDS; i++) {
		struct record r = record_of(i, nh);

		if (bh_table_put(t, &r.key, &r.val, sizeof(r.val)) == NULL)
			abort();
	}
}

static void
bench_table(void)
{
	struct bh_table *t = bh_table_create(BH_T_ROUTE4);
	uint64_t from = rte_get_tsc_cycles();
	uint32_t i, found = 0;

	put_all(t, 1);
	report("table: add", RECORDS, from);
	from = rte_get_tsc_cycles();
	put_all(t, 2);
	report("table: change", RECORDS, from);
	bh_table_replay_begin(t);
	from = rte_get_tsc_cycles();
	put_all(t, 2);
	report("table: renew in a replay", RECORDS, from);
	from = rte_get_tsc_cycles();
	for (i = 0; i < RECORDS; i++) {
		struct record r = record_of(i, 0);

		found += bh_table_get(t, &r.key) != NULL;
	}
	report("table: get", found, from);
	bh_table_replay_begin(t);
	bh_table_replay_end(t);
	from = rte_get_tsc_cycles();
	while (bh_table_sweep(t, 256))
		;
	report("table: sweep", RECORDS, from);
	bh_table_destroy(t);
}

/* ---- main and a worker ---- */

static int
offer(uint32_t peer, uint8_t verb, uint32_t tag, uint32_t aux, const void *body, size_t len)
{
	const struct bh_peer_info info = {
		.ref = { peer, 1 },
		.role = verb == BH_V_ADD ? BH_ROLE_ROUTING : BH_ROLE_READER,
	};
	struct {
		struct bh_msg msg;
		uint8_t body[64];
	} m = {
		.msg = { .len = sizeof(m.msg) + len, .verb = verb, .table = BH_T_ROUTE4, .tag = tag,
			.aux = aux },
	};

	if (len > 0)
		memcpy(m.body, body, len);
	return bh_infobase_ops.request(ib, &info, &m.msg, 64);
}

/* n requests, up to `window` under way, as a client's pipeline and a service's loop make it. */
static void
pipeline(const char *what, uint8_t verb, uint32_t n, uint32_t window, uint32_t nh)
{
	uint64_t from = rte_get_tsc_cycles(), first = svc.replies;
	uint32_t i = 0, k;

	while (svc.replies - first < n) {
		for (k = 0; k < 32 && i < n && i - (svc.replies - first) < window; k++) {
			struct record r = record_of(i, nh);
			size_t len = verb == BH_V_ADD ? sizeof(r) : sizeof(r.key);

			if (offer(0, verb, i, 0, &r, len) < 0)
				break;
			i++;
		}
		bh_infobase_ops.poll(ib);
	}
	report(what, n, from);
}

static void
bench_dump(void)
{
	uint64_t from = rte_get_tsc_cycles(), replies;

	svc.cursor = 0;
	do {
		replies = svc.replies;
		offer(0, BH_V_DUMP, 0, svc.cursor, NULL, 0);
		while (svc.replies == replies)
			bh_infobase_ops.poll(ib);
	} while (svc.cursor != BH_DUMP_END);
	report("dump: records, one reply at a time", RECORDS, from);
}

static uint64_t
delivered(void)
{
	return svc.event_bytes / (sizeof(struct bh_rec) + sizeof(struct record));
}

static void
bench_watch(void)
{
	uint64_t from = rte_get_tsc_cycles(), first;
	uint32_t i;

	for (i = 0; i < WATCHERS; i++)
		offer(1 + i, BH_V_WATCH, i, 0, NULL, 0);
	while (delivered() < (uint64_t)RECORDS * WATCHERS)
		bh_infobase_ops.poll(ib);
	report("watch: first deliveries, 8 watchers", delivered(), from);
	first = delivered();
	from = rte_get_tsc_cycles();
	pipeline("watch: changes meanwhile", BH_V_ADD, RECORDS, 256, 9);
	while (bh_infobase_ops.poll(ib))
		;
	report("watch: deliveries of changes, 8 watchers", delivered() - first, from);
}

int
main(int argc, char **argv)
{
	struct bh_infobase_conf conf = { .socket_id = SOCKET_ID_ANY };
	unsigned int lcore, i;

	if (rte_eal_init(argc, argv) < 0)
		return EXIT_FAILURE;
	lcore = rte_get_next_lcore(-1, 1, 0);
	if (lcore == RTE_MAX_LCORE) {
		fprintf(stderr, "bench_infobase: two lcores are needed (-l 0,1)\n");
		return EXIT_FAILURE;
	}
	bench_table();
	for (i = 0; i < BH_GROUP_MAX; i++)
		conf.group_lcore[i] = lcore;
	ib = bh_infobase_create(&conf);
	if (ib == NULL || bh_bell_init(&svc.bell) != 0) {
		perror("bench_infobase");
		return EXIT_FAILURE;
	}
	bh_infobase_set_service(ib, &svc);
	rte_eal_remote_launch(bh_worker_main, bh_infobase_worker(ib, BH_GROUP_ROUTE4), lcore);
	pipeline("request: add, 256 under way", BH_V_ADD, RECORDS, 256, 1);
	pipeline("request: get, 256 under way", BH_V_GET, RECORDS, 256, 0);
	pipeline("request: get, 1 under way", BH_V_GET, RECORDS / 10, 1, 0);
	bench_dump();
	bench_watch();
	bh_infobase_stop(ib);
	rte_eal_mp_wait_lcore();
	bh_infobase_destroy(ib);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
