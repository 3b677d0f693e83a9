/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service's entries in bh.stats. All services share conn[]: an entry is claimed by an atomic
 * exchange of its state and is then written by one lcore. Closed ones stay to be shown until
 * no free one is left.
 */
#include <string.h>
#include <time.h>

#include "app/core/service_priv.h"

static bool
claim(struct bh_stats_conn *conn, uint32_t from)
{
	return __atomic_load_n(&conn->state, __ATOMIC_RELAXED) == from &&
		__atomic_compare_exchange_n(&conn->state, &from, BH_CONN_CONTACT, false,
			__ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static struct bh_stats_conn *
find(struct bh_service *svc)
{
	struct bh_stats_conn *conn = svc->conf.stats->conn;

	for (unsigned int i = 0; i < BH_STATS_CONNS; i++)
		if (claim(&conn[i], BH_CONN_FREE))
			return &conn[i];
	for (unsigned int i = 0; i < BH_STATS_CONNS; i++) {
		svc->conn_hint = (svc->conn_hint + 1) % BH_STATS_CONNS;
		if (claim(&conn[svc->conn_hint], BH_CONN_CLOSED))
			return &conn[svc->conn_hint];
	}
	return NULL;
}

void
bh_conn_open(struct bh_service *svc, struct bh_peer *p)
{
	struct bh_stats_conn *c = find(svc);
	const size_t counters = offsetof(struct bh_stats_conn, proxied);

	p->conn = c != NULL ? c : &p->no_conn;
	c = p->conn;
	bh_stats_write_begin(&c->seq);
	memcpy(c->client, p->info.client, sizeof(c->client));
	memcpy(c->zone, p->mem.mz->name, sizeof(c->zone));
	c->zone[sizeof(c->zone) - 1] = '\0';
	c->service = svc->conf.id;
	c->role = p->info.role;
	c->pid = p->info.pid;
	c->uid = p->info.uid;
	c->proxy = bh_relay_slot(svc->relay, p->proxy, p->slot)->lcore;
	c->channel = p->channel;
	c->address = (uintptr_t)p->mem.addr;
	c->generation = __atomic_load_n(&svc->relay->generation, __ATOMIC_RELAXED);
	c->epoch = p->role_epoch;
	memset((char *)c + counters, 0, offsetof(struct bh_stats_conn, since) - counters);
	c->since = time(NULL);
	bh_stats_write_end(&c->seq);
}

void
bh_conn_state(struct bh_peer *p, enum bh_conn_state state)
{
	struct bh_stats_conn *c = p->conn;

	bh_stats_write_begin(&c->seq);
	__atomic_store_n(&c->state, state, __ATOMIC_RELAXED);
	bh_stats_write_end(&c->seq);
	if (state == BH_CONN_CLOSED)
		p->conn = &p->no_conn;
}

void
bh_conn_epoch(struct bh_peer *p)
{
	struct bh_stats_conn *c = p->conn;

	bh_stats_write_begin(&c->seq);
	c->epoch = p->role_epoch;
	bh_stats_write_end(&c->seq);
}
