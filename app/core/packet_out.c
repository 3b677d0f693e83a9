/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Punted frames: from the forwarding lcores' rings into the stack's channel, one ring after the
 * other a burst each. A full channel ends the pass; the frame under way goes on where it was
 * when there is room again. Nobody tells of room: it is looked for after 1 ms, and ever less often
 * while the stack takes nothing.
 */
#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "app/core/packet_priv.h"

#define FRAMES_MAX 256	  /* of one pass: the stack's own requests come between */
#define WAIT_MOST_MS 16u

static void
discard(struct bh_packet *p, struct rte_mbuf **m, unsigned int n)
{
	rte_pktmbuf_free_bulk(m, n);
	bh_count(&p->stats->discarded, n);
}

void
bh_packet_out_reset(struct bh_packet *p)
{
	struct bh_packet_out *o = &p->out;

	discard(p, &o->m[o->at], o->n - o->at);
	memset(o, 0, sizeof(*o));
}

bool
bh_packet_out_discard(struct bh_packet *p)
{
	struct rte_mbuf *m[BH_PACKET_BURST];
	bool any = false;

	for (unsigned int i = 0; i < p->conf.n_fwd; i++) {
		unsigned int n = rte_ring_sc_dequeue_burst(p->stack.punt[i], (void **)m,
			BH_PACKET_BURST, NULL);

		discard(p, m, n);
		any |= n > 0;
	}
	return any;
}

/* The next burst, of whose turn it is. False: all rings are empty. */
static bool
fetch(struct bh_packet *p)
{
	struct bh_packet_out *o = &p->out;

	o->at = o->n = 0;
	for (unsigned int i = 0; i < p->conf.n_fwd && o->n == 0; i++) {
		o->n = rte_ring_sc_dequeue_burst(p->stack.punt[o->next], (void **)o->m,
			BH_PACKET_BURST, NULL);
		o->next = (o->next + 1) % p->conf.n_fwd;
	}
	return o->n > 0;
}

static void
copy_out(const struct rte_mbuf *m, uint32_t offset, uint32_t len, uint8_t *to)
{
	const void *at = rte_pktmbuf_read(m, offset, len, to);

	if (at != to && at != NULL)
		memcpy(to, at, len);
}

/* The next part of the frame. 0 or -errno of bh_service_event(). */
static int
send_part(struct bh_packet *p, const struct rte_mbuf *m)
{
	struct {
		struct bh_msg msg;
		uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];
	} part;
	uint32_t head = p->out.offset == 0 ? sizeof(struct bh_punt) : 0;
	uint32_t len = RTE_MIN(m->pkt_len - p->out.offset, sizeof(part.body) - head);
	struct bh_punt punt;
	int rc;

	part.msg = (struct bh_msg){
		.len = sizeof(part.msg) + head + len,
		.verb = BH_V_PUNT,
		.aux = bh_part(p->out.offset, m->pkt_len),
	};
	if (head > 0) {
		bh_punt_read(m, &punt);
		memcpy(part.body, &punt, sizeof(punt));
	}
	copy_out(m, p->out.offset, len, part.body + head);
	rc = bh_service_event(p->svc, p->owner, &part.msg);
	if (rc == 0)
		p->out.offset += len;
	return rc;
}

/* The frame under way, whole. 0, -EAGAIN: the rest later, -ENOTCONN. */
static int
send_frame(struct bh_packet *p, struct rte_mbuf *m)
{
	int rc = 0;

	if (m->pkt_len > BH_FRAME_MAX || m->pkt_len < BH_FRAME_MIN) {
		discard(p, &m, 1); /* no port takes such */
		return 0;
	}
	while (rc == 0 && p->out.offset < m->pkt_len)
		rc = send_part(p, m);
	if (rc != 0)
		return rc;
	p->out.offset = 0;
	bh_count(&p->stats->delivered, 1);
	rte_pktmbuf_free(m);
	return 0;
}

bool
bh_packet_out_run(struct bh_packet *p)
{
	struct bh_packet_out *o = &p->out;
	bool waited = o->wait_ms > 0;
	unsigned int sent = 0;
	int rc = 0;

	while (sent < FRAMES_MAX && (o->at < o->n || fetch(p))) {
		rc = send_frame(p, o->m[o->at]);
		if (rc != 0)
			break;
		o->at++;
		sent++;
	}
	if (rc == 0)
		o->wait_ms = 0;
	else if (sent > 0 || o->wait_ms == 0)
		o->wait_ms = 1;
	else
		o->wait_ms = RTE_MIN(o->wait_ms * 2, WAIT_MOST_MS);
	return sent > 0 || (rc != 0 && !waited);
}
