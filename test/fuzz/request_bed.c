/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_malloc.h>

#include "lib/log/log.h"
#include "test/fuzz/request_bed.h"

#define LOG_WORDS 512 /* so short that watchers fall behind */

struct bed bed;

static const unsigned int group_lcore[BH_GROUP_MAX] = { 1, 2, 3, 1 };

/* ---- made once ---- */

static struct rte_ring *
make_ring(const char *name, unsigned int size)
{
	struct rte_ring *r = rte_ring_create(name, size, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ);

	FUZZ_CHECK(r != NULL);
	return r;
}

static void
shorten_logs(void)
{
	for (unsigned int t = 1; t < BH_T_MAX; t++) {
		bh_changelog_fini(&bed.ib->tables[t]->log);
		FUZZ_CHECK(bh_changelog_init(&bed.ib->tables[t]->log, LOG_WORDS) == 0);
	}
}

static void
name_peers(void)
{
	for (unsigned int i = 0; i < PEERS; i++) {
		struct peer *p = &bed.svc.peer[i];

		p->info.ref = (struct bh_peer_ref){ i, 1 };
		p->info.role = i < BH_ROLE_CORE ? i : BH_ROLE_READER;
		p->event_room = -1;
	}
}

void
bed_create(void)
{
	struct bh_infobase_conf conf = { .socket_id = SOCKET_ID_ANY };
	struct bh_link_conf link = { .tables = &bed.fwd, .links = &bed.links };

	bh_log_init("fuzz_request", 0);
	fuzz_eal_start("640");
	memcpy(conf.group_lcore, group_lcore, sizeof(group_lcore));
	bed.ib = bh_infobase_create(&conf);
	FUZZ_CHECK(bed.ib != NULL);
	shorten_logs();
	FUZZ_CHECK(bh_bell_init(&bed.svc.bell) == 0);
	name_peers();
	bh_infobase_set_service(bed.ib, &bed.svc);
	for (unsigned int i = 0; i < bed.ib->n_workers; i++)
		bed.ib->workers[i]->stats = &bed.ib->stats->lcore[i + 1];
	FUZZ_CHECK(bh_fwd_tables_create(&bed.fwd, 1, SOCKET_ID_ANY) == 0);
	bed.events = make_ring("events", 1024);
	bed.links.to_route[0] = make_ring("to4", 64);
	bed.links.to_route[1] = make_ring("to6", 64);
	bed.links.to_link[0] = make_ring("from4", 64);
	bed.links.to_link[1] = make_ring("from6", 64);
	link.ib = bed.ib;
	bed.link = bh_link_create(&link);
	bed.rp[0] = bh_route_publish_create(bed.ib, 4, &bed.fwd, &bed.links);
	bed.rp[1] = bh_route_publish_create(bed.ib, 6, &bed.fwd, &bed.links);
	FUZZ_CHECK(bed.link != NULL && bed.rp[0] != NULL && bed.rp[1] != NULL);
	FUZZ_CHECK(rte_rcu_qsbr_thread_register(bed.fwd.qsbr, 0) == 0);
}

/* ---- the service ---- */

static struct peer *
peer_of(struct bh_service *svc, struct bh_peer_ref ref)
{
	FUZZ_CHECK(ref.index < PEERS);
	return svc->peer[ref.index].info.ref.gen == ref.gen ? &svc->peer[ref.index] : NULL;
}

/* Each request has one reply, within its slots, and one table's come in order. */
static void
check_reply(const struct expected *e, const struct bh_msg *msg)
{
	FUZZ_CHECK(e->tag == msg->tag && e->verb == msg->verb);
	FUZZ_CHECK(msg->len >= sizeof(*msg) && msg->len <= BH_MSG_MAX);
	FUZZ_CHECK((msg->len + BH_IB_SLOT - 1u) / BH_IB_SLOT <= e->slots);
	FUZZ_CHECK(msg->verb == BH_V_NOP || msg->status <= 0);
	if (msg->verb == BH_V_NOP || msg->status == 0)
		return;
	FUZZ_CHECK(msg->len == sizeof(*msg) && msg->aux == 0);
}

void
bh_service_reply(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	struct peer *p = peer_of(svc, ref);

	if (p == NULL)
		return;
	if (p->now.slots != 0) { /* within request() */
		FUZZ_CHECK(!p->now_answered);
		check_reply(&p->now, msg);
		p->now_answered = true;
		return;
	}
	FUZZ_CHECK(msg->table < BH_T_MAX && p->head[msg->table] != p->tail[msg->table]);
	check_reply(&p->wait[msg->table][p->head[msg->table]++ % UNDER_WAY], msg);
	check_records(msg);
	check_audit(msg);
}

int
bh_service_event(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	struct peer *p = peer_of(svc, ref);

	if (p == NULL)
		return -ENOTCONN;
	if (p->now.slots != 0 || p->event_room == 0)
		return -EAGAIN;
	if (p->event_room > 0)
		p->event_room--;
	FUZZ_CHECK(msg->verb == BH_V_EVENT && msg->len > sizeof(*msg) && msg->len <= BH_MSG_MAX);
	check_records(msg);
	return 0;
}

struct bh_bell *
bh_service_bell(struct bh_service *svc)
{
	return &svc->bell;
}

/* ---- the port manager ---- */

int
bh_ports_order(struct bh_ports *p, const struct bh_port_order *order)
{
	(void)p;
	if (bed.n_orders == ORDERS)
		return -EAGAIN;
	FUZZ_CHECK(order->ifindex > 0 && order->ifindex < BH_IF_MAX && order->name[0] != '\0');
	bed.order[bed.n_orders++] = *order;
	return 0;
}

struct rte_ring *
bh_ports_events(struct bh_ports *p)
{
	(void)p;
	return bed.events;
}

static void
send_event(const struct bh_port_event *ev)
{
	struct bh_port_event *copy = rte_malloc("event", sizeof(*copy), 0);

	FUZZ_CHECK(copy != NULL);
	*copy = *ev;
	if (rte_ring_enqueue(bed.events, copy) != 0)
		rte_free(copy);
}

void
bed_port_event(uint16_t ifindex, uint8_t how)
{
	struct bh_port_event ev = { .ifindex = ifindex, .port = UINT16_MAX };

	if (!bed.present[ifindex])
		return;
	if (how & 1)
		ev = (struct bh_port_event){ .ifindex = ifindex, .port = ifindex,
			.link = how >> 1 & 1, .mac = { 2, 0, 0, 0, how >> 4, ifindex },
			.mtu = 1500, .max_mtu = 9000, .rx_queues = 1, .tx_queues = 1 };
	else
		memset(ev.error, 'x', how & 0x10 ? sizeof(ev.error) : 5);
	send_event(&ev);
}

void
bed_answer_order(uint8_t how)
{
	struct bh_port_order o = bed.order[0];
	struct bh_port_event gone = { .ifindex = o.ifindex, .port = UINT16_MAX, .detached = 1 };

	if (bed.n_orders == 0)
		return;
	memmove(bed.order, bed.order + 1, --bed.n_orders * sizeof(o));
	bed.present[o.ifindex] = o.kind == BH_PORT_ATTACH;
	if (o.kind == BH_PORT_ATTACH)
		bed_port_event(o.ifindex, how);
	else
		send_event(&gone);
}

/* ---- steps ---- */

static uint32_t
objects_free(void)
{
	return bed.ib->objects[BH_IB_IS_SHORT].n_free + bed.ib->objects[BH_IB_IS_LONG].n_free;
}

void
bed_request(unsigned int peer, const struct bh_msg *msg)
{
	struct peer *p = &bed.svc.peer[peer];
	unsigned int room = 64; /* slots: that of a whole message */
	uint32_t had = objects_free();
	uint16_t t = msg->table;
	int rc;

	p->now = (struct expected){ msg->tag, room, msg->verb };
	p->now_answered = false;
	rc = bh_infobase_ops.request(bed.ib, &p->info, msg, room);
	p->now.slots = 0;
	FUZZ_CHECK(rc == -EAGAIN || (rc > 0 && rc <= (int)room));
	if (rc < 0 || p->now_answered) {
		FUZZ_CHECK(objects_free() == had && !(rc < 0 && p->now_answered));
		return;
	}
	FUZZ_CHECK(t < BH_T_MAX && p->tail[t] - p->head[t] < UNDER_WAY);
	p->wait[t][p->tail[t]++ % UNDER_WAY] = (struct expected){ msg->tag, rc, msg->verb };
}

void
bed_peer_gone(unsigned int peer)
{
	struct peer *p = &bed.svc.peer[peer];

	bh_infobase_ops.gone(bed.ib, p->info.ref);
	p->info.ref.gen++;
	memcpy(p->head, p->tail, sizeof(p->head));
	p->event_room = -1;
}

bool
bed_turn(unsigned int worker)
{
	int timeout;
	bool busy = bh_worker_turn(bed.ib->workers[worker % bed.ib->n_workers], &timeout);

	return busy || timeout >= 0;
}

bool
bed_main(void)
{
	return bh_infobase_ops.poll(bed.ib) || bh_infobase_ops.timeout(bed.ib) >= 0;
}

void
bed_reader(bool online)
{
	if (bed.reader && online)
		rte_rcu_qsbr_quiescent(bed.fwd.qsbr, 0);
	else if (online)
		rte_rcu_qsbr_thread_online(bed.fwd.qsbr, 0);
	else if (bed.reader)
		rte_rcu_qsbr_thread_offline(bed.fwd.qsbr, 0);
	bed.reader = online;
}

/* ---- the end of an input ---- */

void
bed_settle(void)
{
	bool busy = true;

	for (unsigned int i = 0; i < PEERS; i++)
		bed.svc.peer[i].event_room = -1;
	bed_reader(false);
	for (unsigned int n = 0; busy; n++) {
		FUZZ_CHECK(n < TURNS_MAX);
		for (uint32_t i = 0; i < bed.ib->watches.high; i++)
			bed.ib->watches.all[i].retry_at = 0;
		busy = bed.n_orders > 0;
		bed_answer_order(3);
		for (unsigned int w = 0; w < bed.ib->n_workers; w++)
			busy |= bed_turn(w);
		busy |= bed_main();
	}
	for (unsigned int i = 0; i < PEERS; i++)
		for (unsigned int t = 0; t < BH_T_MAX; t++)
			FUZZ_CHECK(bed.svc.peer[i].head[t] == bed.svc.peer[i].tail[t]);
	FUZZ_CHECK(objects_free() == BH_IB_SHORTS + BH_IB_LONGS);
}

static void
delete_all(struct bh_table *t)
{
	const struct bh_record *rec;
	uint8_t key[BH_KEY_MAX];
	uint32_t slot = 0;

	while ((rec = bh_table_next(t, &slot)) != NULL) {
		memcpy(key, bh_record_key(rec), t->schema->key_len);
		FUZZ_CHECK(bh_table_del(t, key) == 0);
		FUZZ_CHECK(bh_table_get(t, key) == NULL);
	}
}

static void
renew_table(struct bh_table *t)
{
	if (t->store.high > 0) {
		bh_store_fini(&t->store);
		FUZZ_CHECK(bh_store_init(&t->store, t->schema->max) == 0);
	}
	memset(t->store.seed, 0, sizeof(t->store.seed)); /* the same chains each time */
	t->complete = t->sweeping = false;
	t->gen = t->epoch = t->stale = t->sweep_at = 0;
	t->log.head = t->log.limit = 0;
	bed.ib->stats->table[t->id] = (struct bh_stats_table){ .used = 1 };
}

static void
renew_watches(struct bh_watches *ws)
{
	memset(ws->all, 0, ws->high * sizeof(*ws->all));
	memset(ws->quiet, 0xff, sizeof(ws->quiet));
	memset(&ws->piece, 0, offsetof(typeof(ws->piece), ev));
	ws->high = ws->at = 0;
}

static void
renew_link(struct bh_link *l)
{
	memset(l->ifs, 0, sizeof(l->ifs));
	for (unsigned int i = 0; i < BH_IF_MAX; i++)
		l->ifs[i].ev.port = UINT16_MAX;
	l->cfg_complete = l->complete = false;
	for (uint32_t id = 1; id <= l->nh_top; id++)
		memset(&l->nhs[id], 0, sizeof(l->nhs[id]));
	l->adj_first = l->nh_first = 1;
	l->adj_top = l->nh_top = 0;
}

void
bed_reset(void)
{
	for (unsigned int i = 0; i < PEERS; i++)
		bed_peer_gone(i);
	/* From routes down to interfaces; the core's own table empties itself. */
	for (unsigned int t = BH_T_MAX - 1; t > 0; t--)
		if (t != BH_T_INTERFACE)
			delete_all(bed.ib->tables[t]);
	bed_settle();
	check_empty();
	for (unsigned int t = 1; t < BH_T_MAX; t++)
		renew_table(bed.ib->tables[t]);
	for (unsigned int w = 0; w < bed.ib->n_workers; w++)
		for (unsigned int i = 0; i < bed.ib->workers[w]->n_tables; i++)
			bed.ib->workers[w]->tables[i].seen_log = 0;
	renew_watches(&bed.ib->watches);
	renew_link(bed.link);
	memset(bed.present, 0, sizeof(bed.present));
}
