/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Peers of a service: how their requests are taken and their answers put.
 *
 * A request is taken only when the slots of its answer are kept; `kept` is the sum of the
 * table `pending`, found by tag. Tags are the client's: if it uses one twice, its answers may
 * get each other's slots, which is its own loss; the sum stays right. Events never touch what
 * is kept.
 */
#include <errno.h>
#include <string.h>

#include "app/core/service_priv.h"

#define TURN_MAX 64 /* requests of one peer in one turn */

static struct bh_peer *
peer_find(struct bh_service *svc, struct bh_peer_ref ref)
{
	struct bh_peer *p;

	if (ref.index >= BH_PEERS_MAX)
		return NULL;
	p = &svc->peers[ref.index];
	return p->used && !p->corrupt && p->info.ref.gen == ref.gen ? p : NULL;
}

static void
spoil(struct bh_service *svc, struct bh_peer *p)
{
	if (!p->corrupt)
		svc->n_corrupt++;
	p->corrupt = true;
}

static void
touch(struct bh_service *svc, struct bh_peer *p)
{
	if (p->touched)
		return;
	p->touched = true;
	svc->touched[svc->n_touched++] = p->info.ref.index;
}

/* ---- what is kept ----
 *
 * Open addressing with linear probing, entries of a cluster in the order of their homes (Celis,
 * "Robin Hood Hashing", 1986): tags mostly count up, so a cluster is as long as there are requests
 * under way, but nearly each entry is at home, where looking and closing a gap end. */

/* How far from its home an entry with this tag is at i. */
static inline unsigned int
away(unsigned int i, uint32_t tag)
{
	return (i - tag) % BH_PEER_PENDING;
}

static void
pending_add(struct bh_peer *p, uint32_t tag, unsigned int slots)
{
	struct bh_pending e = {.tag = tag, .slots = slots}, other;
	unsigned int i = tag % BH_PEER_PENDING;

	for (; p->pending[i].slots != 0; i = (i + 1) % BH_PEER_PENDING) {
		if (away(i, p->pending[i].tag) >= away(i, e.tag))
			continue;
		other = p->pending[i];
		p->pending[i] = e;
		e = other;
	}
	p->pending[i] = e;
	p->n_pending++;
	p->kept += slots;
}

/* Frees entry i: those behind it come nearer, up to one that is at home. */
static void
pending_remove(struct bh_peer *p, unsigned int i)
{
	unsigned int j = (i + 1) % BH_PEER_PENDING;

	while (p->pending[j].slots != 0 && away(j, p->pending[j].tag) > 0) {
		p->pending[i] = p->pending[j];
		i = j;
		j = (j + 1) % BH_PEER_PENDING;
	}
	p->pending[i].slots = 0;
}

/* Slots kept for the request with this tag, which is answered now; 0: none such. */
static unsigned int
pending_take(struct bh_peer *p, uint32_t tag)
{
	unsigned int slots, i = tag % BH_PEER_PENDING;

	while (p->pending[i].slots != 0 && p->pending[i].tag != tag)
		i = (i + 1) % BH_PEER_PENDING;
	slots = p->pending[i].slots;
	if (slots == 0)
		return 0;
	pending_remove(p, i);
	p->n_pending--;
	p->kept -= slots;
	return slots;
}

/* Reply slots that are free and not kept, up to at least a longest message's if there are. */
static inline unsigned int
room(struct bh_service *svc, struct bh_peer *p)
{
	int n = bh_producer_room(&p->rep, p->kept + BH_MSG_SLOTS);

	if (n < 0)
		spoil(svc, p);
	return n > (int)p->kept ? n - p->kept : 0;
}

/* ---- answers ---- */

static inline void
send_reply(struct bh_service *svc, struct bh_peer *p, const struct bh_msg *msg)
{
	struct bh_msg brief;
	unsigned int n_room;

	n_room = room(svc, p);
	if (p->corrupt)
		return;
	if (bh_slots(msg->len) > n_room) {
		/* A client that uses a tag twice brings it about. */
		bh_log_limited(&svc->log_answer, BH_LOG_WARNING, svc->name,
			"an answer of %u bytes to %s (pid %u) does not fit what was kept",
			msg->len, p->info.client, p->info.pid);
		brief = *msg;
		brief.len = sizeof(brief);
		brief.status = -EMSGSIZE;
		msg = &brief;
	}
	if (bh_producer_put(&p->rep, msg, msg + 1) < 0)
		return;
	if (msg->status == -EINVAL || msg->status == -EBADMSG)
		bh_count(&p->conn->bad, 1);
	p->n_replies++;
	touch(svc, p);
}

/* The answer is due: its slots are no longer kept. False: nobody waits for it. */
static bool
settle(struct bh_service *svc, struct bh_peer *p, uint32_t tag)
{
	if (p->n_pending > 0 && pending_take(p, tag) != 0)
		return true;
	if (svc->cur != p || svc->cur_answered || tag != svc->cur_tag)
		return false;
	svc->cur_answered = true;
	return true;
}

void
bh_service_reply(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	struct bh_peer *p = peer_find(svc, ref);

	if (p == NULL)
		return;
	if (p->contact) {
		if (svc->cur == p)
			svc->cur_answered = true;
		bh_contact_answer(svc, p, msg);
		return;
	}
	if (!settle(svc, p, msg->tag)) {
		bh_log_limited(&svc->log_answer, BH_LOG_ERR, svc->name,
			"an answer to %s that nobody waits for", p->info.client);
		return;
	}
	send_reply(svc, p, msg);
	if (p->short_room)
		bh_peer_poll(svc, p);
}

int
bh_service_event(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	struct bh_peer *p = peer_find(svc, ref);

	if (p == NULL)
		return -ENOTCONN;
	/* The answer of the request in the handler's hands has no slots kept yet. */
	if (svc->cur == p && !svc->cur_answered)
		return -EAGAIN;
	if (bh_slots(msg->len) > room(svc, p))
		return -EAGAIN;
	if (p->corrupt || bh_producer_put(&p->rep, msg, msg + 1) < 0)
		return -ENOTCONN;
	bh_count(&p->conn->events, 1);
	touch(svc, p);
	return 0;
}

/* ---- requests ---- */

int
bh_request_check(const struct bh_msg *msg)
{
	if (msg->verb == 0 || msg->verb >= BH_V_MAX || msg->verb == BH_V_EVENT ||
		msg->verb == BH_V_PUNT)
		return -EINVAL;
	return msg->flags != 0 || msg->status != 0 ? -EINVAL : 0;
}

/* What is kept for a handler that asked for n of n_room slots. */
static unsigned int
kept_for(unsigned int n, unsigned int n_room)
{
	if (n == 0)
		return 1;
	return n < n_room ? n : n_room;
}

int
bh_request_give(struct bh_service *svc, struct bh_peer *p, const struct bh_msg *msg,
	unsigned int n_room)
{
	int n;

	svc->cur = p;
	svc->cur_tag = msg->tag;
	svc->cur_answered = false;
	n = svc->conf.ops->request(svc->conf.ctx, &p->info, msg, n_room);
	svc->cur = NULL;
	if (svc->cur_answered)
		return 1;
	if (n < 0)
		return n;
	if (!p->contact)
		pending_add(p, msg->tag, kept_for(n, n_room));
	return 1;
}

/* One request that was copied to msg. False: it stays in the queue. */
static inline bool
take(struct bh_service *svc, struct bh_peer *p, struct bh_msg *msg)
{
	unsigned int n = p->n_pending < BH_PEER_PENDING_MAX ? room(svc, p) : 0;
	int rc = -EAGAIN;

	if (p->corrupt)
		return false;
	if (n > 0) {
		rc = bh_request_check(msg);
		if (rc == 0)
			rc = bh_request_give(svc, p, msg, n);
	}
	if (rc == -EAGAIN) {
		p->short_room = n < BH_MSG_SLOTS;
		p->refused = !p->short_room;
		p->offered = n;
		return false;
	}
	if (rc < 0) {
		msg->len = sizeof(*msg);
		msg->status = rc;
		send_reply(svc, p, msg);
	}
	return true;
}

/* Tells the client how far its requests are taken: when that is worth the line that moves, or, with
 * `all`, whatever there is to tell. True when it was told something. */
static bool
release(struct bh_service *svc, struct bh_peer *p, bool all)
{
	uint32_t n = p->req.pos - p->req.released;

	if (n == 0 || (!all && n < BH_CHANNEL_REQ_SLOTS / 8))
		return false;
	bh_consumer_release(&p->req);
	touch(svc, p);
	return true;
}

bool
bh_peer_serve(struct bh_service *svc, struct bh_peer *p)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
	unsigned int took = 0;
	int n = 0;

	p->short_room = p->refused = false;
	bh_consumer_batch_begin(&p->req);
	while (took < TURN_MAX && !p->corrupt) {
		n = bh_consumer_peek(&p->req, buf);
		if (n <= 0 || !take(svc, p, (struct bh_msg *)buf))
			break;
		bh_consumer_skip(&p->req, n);
		bh_consumer_batch_next(&p->req, took++);
	}
	bh_consumer_batch_end(&p->req, took);
	if (n < 0)
		spoil(svc, p);
	release(svc, p, took == 0);
	if (took == 0)
		return false;
	touch(svc, p);
	bh_count(&p->conn->direct, took);
	bh_count(&svc->stats->handled, took);
	svc->unflushed += took;
	p->active = svc->now;
	p->idle_rings = 0;
	return true;
}

/* ---- awake and asleep ---- */

void
bh_peer_poll(struct bh_service *svc, struct bh_peer *p)
{
	if (p->polled)
		return;
	bh_sleep_end(&p->sleeper);
	p->polled = true;
	p->active = svc->now;
	svc->polled[svc->n_polled++] = p->info.ref.index;
}

void
bh_peer_unpoll(struct bh_service *svc, struct bh_peer *p)
{
	unsigned int i = 0;

	if (!p->polled)
		return;
	while (svc->polled[i] != p->info.ref.index)
		i++;
	svc->polled[i] = svc->polled[--svc->n_polled];
	p->polled = false;
}

void
bh_peer_park(struct bh_service *svc, struct bh_peer *p)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
	bool work;

	if (!p->timed)
		bh_sleep_announce(&p->sleeper, p->short_room ? BH_SLEEP_SPACE : BH_SLEEP_WORK);
	if (p->short_room)
		work = p->n_pending < BH_PEER_PENDING_MAX && room(svc, p) > p->offered;
	else
		work = bh_consumer_peek(&p->req, buf) != 0;
	if (work)
		bh_sleep_end(&p->sleeper);
	else
		bh_peer_unpoll(svc, p);
}

void
bh_peer_rung(struct bh_service *svc, struct bh_peer *p)
{
	if (bh_ring_drain(p->ring_fd) == -EPIPE) {
		bh_peer_close(svc, p, NULL);
		return;
	}
	bh_peer_poll(svc, p);
	if (++p->idle_rings <= BH_IDLE_RINGS)
		return;
	bh_log_limited(&svc->log_ringer, BH_LOG_WARNING, svc->name,
		"%s (pid %u) rings without end: its doorbell is taken off", p->info.client,
		p->info.pid);
	epoll_ctl(svc->ep, EPOLL_CTL_DEL, p->ring_fd, NULL);
	p->timed = true;
	svc->n_timed++;
}

void
bh_peer_timer(struct bh_service *svc, struct bh_peer *p)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = p->info.ref.index};

	if (bh_ring_drain(p->ring_fd) == -EPIPE) {
		bh_peer_close(svc, p, NULL);
		return;
	}
	if (!bh_peer_serve(svc, p) || epoll_ctl(svc->ep, EPOLL_CTL_ADD, p->ring_fd, &ev) < 0)
		return;
	p->timed = false;
	svc->n_timed--;
	bh_peer_poll(svc, p);
}

void
bh_peers_flush(struct bh_service *svc)
{
	if (svc->n_touched > 0)
		bh_fence_flush();
	while (svc->n_touched > 0) {
		struct bh_peer *p = &svc->peers[svc->touched[--svc->n_touched]];

		p->touched = false;
		if (!p->used)
			continue;
		bh_count(&p->conn->replies, p->n_replies);
		p->n_replies = 0;
		if (!bh_ring_due(&p->ringer, BH_SLEEP_WORK | BH_SLEEP_SPACE))
			continue;
		bh_count(&p->conn->rung, 1);
		bh_ring(p->wake_fd); /* a closed end is told by the socket */
	}
	for (unsigned int i = 0; svc->n_corrupt > 0 && i < BH_PEERS_MAX; i++)
		if (svc->peers[i].used && svc->peers[i].corrupt)
			bh_peer_close(svc, &svc->peers[i], "its channel is corrupt");
}
