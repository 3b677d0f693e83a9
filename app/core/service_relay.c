/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First contacts, as the service sees them.
 *
 * A contact makes the peer and its channel first, then the request is given to the handler
 * with room for BH_FIRST_MAX bytes. If the handler cannot take it (its answer may be longer,
 * or it is busy) the first reply says -EAGAIN, meaning "not taken, repeat it through the
 * channel", which the client has by then. So a contact never waits for room.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "app/core/service_priv.h"
#include "lib/log/log.h"

/* Slots of one proxy in one turn: a contact makes memory, pipes and maps, about 0.1 ms in which
 * connected clients wait. */
#define TURN_MAX 2

int
bh_relay_create(struct bh_service *svc)
{
	unsigned int n = svc->conf.n_proxies;
	ssize_t ring = rte_ring_get_memsize(BH_RELAY_RING);
	size_t block = RTE_ALIGN_CEIL(2 * ring + BH_RELAY_SLOTS * sizeof(struct bh_relay_slot), 64);
	const unsigned int flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
	char name[BH_ZONE_LEN];
	struct bh_relay *r;

	snprintf(name, sizeof(name), "bh.relay.%s", svc->name);
	svc->mz = rte_memzone_reserve_aligned(name, sizeof(*r) + n * block, svc->conf.socket, 0,
		64);
	if (svc->mz == NULL)
		return -rte_errno;
	r = svc->mz->addr;
	memset(r, 0, svc->mz->len);
	r->service = svc->conf.id;
	r->n_proxies = n;
	r->block = block;
	r->ring = ring;
	r->service_bell = &svc->bell;
	for (unsigned int i = 0; i < n; i++) {
		rte_ring_init(bh_relay_to_service(r, i), "to-service", BH_RELAY_RING, flags);
		rte_ring_init(bh_relay_to_proxy(r, i), "to-proxy", BH_RELAY_RING, flags);
	}
	svc->relay = r;
	return 0;
}

/* Gives the slot back to its proxy. The ring holds more than there are slots. */
static void
hand_back(struct bh_service *svc, unsigned int proxy, uint16_t slot)
{
	rte_ring_sp_enqueue(bh_relay_to_proxy(svc->relay, proxy), (void *)(uintptr_t)slot);
	bh_bell_ring(svc->relay->proxy_bell[proxy]);
}

void
bh_contact_refuse(struct bh_service *svc, struct bh_peer *p, int status)
{
	bh_relay_slot(svc->relay, p->proxy, p->slot)->status = status;
	p->contact = false;
	hand_back(svc, p->proxy, p->slot);
}

static void
fill_welcome(struct bh_service *svc, struct bh_peer *p, struct bh_welcome *w)
{
	memset(w, 0, sizeof(*w));
	w->service = svc->conf.id;
	w->role = p->info.role;
	w->generation = __atomic_load_n(&svc->relay->generation, __ATOMIC_RELAXED);
	w->address = (uintptr_t)p->mem.addr;
	w->channel = p->channel;
	w->size = p->mem.size;
	w->req_off = BH_CHANNEL_REQ_OFF;
	w->req_slots = BH_CHANNEL_REQ_SLOTS;
	w->rep_off = BH_CHANNEL_REP_OFF;
	w->rep_slots = BH_CHANNEL_REP_SLOTS;
	memcpy(w->zone, p->conn->zone, sizeof(w->zone));
}

void
bh_contact_answer(struct bh_service *svc, struct bh_peer *p, const struct bh_msg *msg)
{
	struct bh_relay_slot *s = bh_relay_slot(svc->relay, p->proxy, p->slot);
	struct bh_msg *first = (struct bh_msg *)s->msg;

	if (msg->len <= BH_FIRST_MAX) {
		memmove(s->msg, msg, msg->len);
	} else {
		memmove(s->msg, msg, sizeof(*msg));
		first->len = sizeof(*first);
		first->status = -EMSGSIZE;
	}
	s->status = 0;
	fill_welcome(svc, p, &s->welcome);
	for (unsigned int i = 0; i < BH_FD_STATS; i++) {
		s->fds[i] = p->passed[i];
		p->passed[i] = -1;
	}
	p->contact = false;
	if (msg->status == -EINVAL || msg->status == -EBADMSG)
		bh_count(&p->conn->bad, 1);
	bh_count(&p->conn->replies, 1);
	bh_conn_state(p, BH_CONN_DIRECT);
	hand_back(svc, p->proxy, p->slot);
}

/* Closes the peer that came by this socket, if any: each has one channel to a service. */
static void
close_socket(struct bh_service *svc, unsigned int proxy, uint16_t sock)
{
	for (unsigned int i = 0; svc->n_peers > 0 && i < BH_PEERS_MAX; i++) {
		struct bh_peer *p = &svc->peers[i];

		if (p->used && p->proxy == proxy && p->sock == sock)
			bh_peer_close(svc, p, NULL);
	}
}

/* The heir that came by this socket, if it did, is the owner from now on. */
static void
make_owner(struct bh_service *svc, unsigned int proxy, const struct bh_relay_slot *s)
{
	for (unsigned int i = 0; i < BH_PEERS_MAX; i++) {
		struct bh_peer *p = &svc->peers[i];

		if (!p->used || p->proxy != proxy || p->sock != s->sock)
			continue;
		p->info.heir = false;
		p->role_epoch = s->role_epoch;
		bh_conn_epoch(p);
	}
}

/* A role's first contact of a new epoch, or an heir's promotion, ends all its peers of earlier
 * ones, heirs excepted: these wait for their turn. */
static int
enter_epoch(struct bh_service *svc, const struct bh_relay_slot *s)
{
	if (s->role < BH_ROLE_SUPERVISOR || s->heir)
		return 0;
	if (s->role >= BH_ROLE_MAX)
		return -EINVAL;
	if ((int32_t)(s->role_epoch - svc->role_epoch[s->role]) < 0)
		return -ESTALE;
	for (unsigned int i = 0; i < BH_PEERS_MAX; i++) {
		struct bh_peer *p = &svc->peers[i];

		if (p->used && p->info.role == s->role && !p->info.heir &&
			p->role_epoch != s->role_epoch)
			bh_peer_close(svc, p, "its successor is here");
	}
	svc->role_epoch[s->role] = s->role_epoch;
	return 0;
}

/* Before anything more is taken from the predecessor: its channel ends here, its socket is refused
 * by its epoch. */
static void
promote(struct bh_service *svc, unsigned int proxy, uint16_t slot)
{
	struct bh_relay_slot *s = bh_relay_slot(svc->relay, proxy, slot);

	s->status = enter_epoch(svc, s);
	if (s->status == 0)
		make_owner(svc, proxy, s);
	hand_back(svc, proxy, slot);
}

static void
take_contact(struct bh_service *svc, unsigned int proxy, uint16_t slot)
{
	struct bh_relay_slot *s = bh_relay_slot(svc->relay, proxy, slot);
	uint8_t buf[BH_FIRST_MAX] __attribute__((aligned(8)));
	struct bh_msg *msg = (struct bh_msg *)buf;
	struct bh_peer *p;
	int rc = enter_epoch(svc, s);

	close_socket(svc, proxy, s->sock);
	if (rc == 0)
		rc = bh_peer_open(svc, proxy, slot, &p);
	if (rc < 0) {
		s->status = rc;
		hand_back(svc, proxy, slot);
		return;
	}
	__atomic_fetch_add(&svc->conf.stats->relays, 1, __ATOMIC_RELAXED);
	bh_count(&p->conn->proxied, 1);
	bh_count(&svc->stats->handled, 1);
	bh_peer_poll(svc, p);
	memcpy(buf, s->msg, ((struct bh_msg *)s->msg)->len);
	rc = bh_request_check(msg);
	if (rc == 0)
		rc = bh_request_give(svc, p, msg, BH_FIRST_SLOTS);
	if (rc < 0) {
		msg->len = sizeof(*msg);
		msg->status = rc;
		bh_contact_answer(svc, p, msg);
	}
}

static bool
serve_proxy(struct bh_service *svc, unsigned int proxy)
{
	struct rte_ring *ring = bh_relay_to_service(svc->relay, proxy);
	void *obj[TURN_MAX];
	unsigned int n = rte_ring_sc_dequeue_burst(ring, obj, TURN_MAX, NULL);

	for (unsigned int i = 0; i < n; i++) {
		uint16_t slot = (uintptr_t)obj[i];
		struct bh_relay_slot *s = bh_relay_slot(svc->relay, proxy, slot);

		if (s->kind == BH_RELAY_CONTACT) {
			take_contact(svc, proxy, slot);
		} else if (s->kind == BH_RELAY_PROMOTE) {
			promote(svc, proxy, slot);
		} else {
			close_socket(svc, proxy, s->sock);
			hand_back(svc, proxy, slot);
		}
	}
	return n > 0;
}

bool
bh_relays_serve(struct bh_service *svc)
{
	bool busy = false;

	for (unsigned int i = 0; i < svc->conf.n_proxies; i++)
		busy |= serve_proxy(svc, i);
	return busy;
}

bool
bh_relays_ready(struct bh_service *svc)
{
	for (unsigned int i = 0; i < svc->conf.n_proxies; i++)
		if (!rte_ring_empty(bh_relay_to_service(svc->relay, i)))
			return true;
	return false;
}
