/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/packet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "app/core/packet_priv.h"
#include "lib/channel/queue.h"
#include "lib/log/log.h"

#define AREA "packet"

/* ---- life ---- */

static struct rte_ring *
make_ring(const char *way, unsigned int lcore, unsigned int n, int socket_id)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "bh.%s.%u", way, lcore);
	return rte_ring_create(name, n, socket_id, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

static int
make_rings(struct bh_packet *p)
{
	for (unsigned int i = 0; i < p->conf.n_fwd; i++) {
		p->stack.punt[i] = make_ring("punt", i, BH_PUNT_RING, p->conf.socket_id);
		p->stack.inject[i] = make_ring("inject", i, BH_INJECT_RING, p->conf.socket_id);
		if (p->stack.punt[i] == NULL || p->stack.inject[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct bh_packet *
bh_packet_create(const struct bh_packet_conf *conf)
{
	struct bh_packet *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return NULL;
	p->conf = *conf;
	p->stats = &conf->stats->stack;
	rc = conf->n_fwd == 0 || conf->n_fwd > BH_FWD_MAX ? -EINVAL : make_rings(p);
	if (rc == 0)
		rc = bh_frame_pools_create(&p->pools, "bh_inject", conf->socket_id);
	if (rc < 0) {
		bh_packet_destroy(p);
		errno = -rc;
		return NULL;
	}
	return p;
}

void
bh_packet_set_service(struct bh_packet *p, struct bh_service *svc)
{
	p->svc = svc;
	p->stack.bell = bh_service_bell(svc);
}

static void
free_ring(struct rte_ring *ring)
{
	void *m;

	while (ring != NULL && rte_ring_sc_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void
bh_packet_destroy(struct bh_packet *p)
{
	if (p == NULL)
		return;
	bh_packet_out_reset(p);
	bh_packet_in_reset(p);
	for (unsigned int i = 0; i < BH_FWD_MAX; i++) {
		free_ring(p->stack.punt[i]);
		free_ring(p->stack.inject[i]);
	}
	bh_frame_pools_destroy(&p->pools);
	free(p);
}

/* ---- the main lcore's part ---- */

bool
bh_packet_settle(struct bh_packet *p)
{
	uint32_t want = __atomic_load_n(&p->want, __ATOMIC_ACQUIRE);

	if (want == __atomic_load_n(&p->have, __ATOMIC_RELAXED) && !p->unsettled)
		return false;
	p->unsettled = bh_forwarding_set_stack(p->conf.fwd, want % 2 ? &p->stack : NULL) < 0;
	if (p->unsettled)
		return true;
	__atomic_store_n(&p->have, want, __ATOMIC_RELEASE);
	bh_bell_ring(bh_service_bell(p->svc));
	return false;
}

/* ---- who is connected ---- */

/* A stack came or left. */
static void
want_next(struct bh_packet *p)
{
	__atomic_store_n(&p->want, p->want + 1, __ATOMIC_RELEASE);
	bh_bell_ring(p->conf.main_bell);
}

static bool
is_owner(const struct bh_packet *p, struct bh_peer_ref ref)
{
	return p->owned && p->owner.index == ref.index && p->owner.gen == ref.gen;
}

static int
begin(struct bh_packet *p, const struct bh_peer_info *peer, const struct bh_msg *msg)
{
	if (msg->len != sizeof(*msg) || msg->table != 0 || msg->aux != 0)
		return -EINVAL;
	if (peer->role != BH_ROLE_V6STACK) {
		bh_log_limited(&p->log_role, BH_LOG_WARNING, AREA,
			"%s (pid %u, uid %u) is not the stack: it gets no frames", peer->client,
			peer->pid, peer->uid);
		return -EPERM;
	}
	if (peer->heir)
		return -EBUSY;
	if (p->owned)
		return is_owner(p, peer->ref) ? -EALREADY : -EBUSY;
	p->owned = true;
	p->answered = false;
	p->owner = peer->ref;
	p->begin = *msg;
	want_next(p);
	return 1;
}

/* Frames flow: the stack may know. */
static bool
answer_begin(struct bh_packet *p)
{
	if (!p->owned || p->answered || __atomic_load_n(&p->have, __ATOMIC_ACQUIRE) != p->want)
		return false;
	p->answered = true;
	bh_count(&p->stats->connected, 1);
	bh_service_reply(p->svc, p->owner, &p->begin);
	return true;
}

static void
gone(void *ctx, struct bh_peer_ref ref)
{
	struct bh_packet *p = ctx;

	if (!is_owner(p, ref))
		return;
	if (p->answered)
		bh_count(&p->stats->connected, -1);
	p->owned = p->answered = false;
	bh_packet_out_reset(p);
	bh_packet_in_reset(p);
	want_next(p);
}

/* ---- the service ---- */

static int
inject(struct bh_packet *p, const struct bh_peer_info *peer, const struct bh_msg *msg)
{
	struct bh_msg reply = *msg;
	int rc = is_owner(p, peer->ref) && p->answered ? bh_packet_in_take(p, msg) : -EPERM;

	if (rc == -EAGAIN)
		return rc;
	if (rc < 0)
		bh_count(&p->stats->inject_refused, 1);
	reply.len = sizeof(reply);
	reply.status = rc;
	bh_service_reply(p->svc, peer->ref, &reply);
	return 1;
}

static int
request(void *ctx, const struct bh_peer_info *peer, const struct bh_msg *msg, unsigned int room)
{
	struct bh_packet *p = ctx;

	switch (msg->verb) {
	case BH_V_NOP:
		if (bh_slots(msg->len) > room)
			return -EAGAIN;
		bh_service_reply(p->svc, peer->ref, msg);
		return bh_slots(msg->len);
	case BH_V_PACKET_BEGIN:
		return begin(p, peer, msg);
	case BH_V_INJECT:
		return inject(p, peer, msg);
	default:
		return -EOPNOTSUPP;
	}
}

static bool
poll(void *ctx)
{
	struct bh_packet *p = ctx;

	if (answer_begin(p))
		return true;
	return p->owned && p->answered ? bh_packet_out_run(p) : bh_packet_out_discard(p);
}

/* Forwarding lcores ring for frames; for room in the channel nobody does. */
static int
timeout(void *ctx)
{
	const struct bh_packet *p = ctx;

	return p->out.wait_ms > 0 ? (int)p->out.wait_ms : -1;
}

const struct bh_service_ops bh_packet_ops = {
	.request = request,
	.gone = gone,
	.poll = poll,
	.timeout = timeout,
};
