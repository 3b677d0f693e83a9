/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Injected frames: from the stack's requests to the forwarding lcores. All of a flow goes to one
 * lcore, so that it keeps its order. What the frame holds is the forwarding lcore's to judge; here
 * it is put together from its parts.
 */
#include <errno.h>
#include <string.h>

#include <rte_hash_crc.h>
#include <rte_mbuf.h>

#include "app/core/packet_priv.h"
#include "infobase/schema.h"

#define TYPE_OFF 12	/* of the Ethernet type */
#define IP4_ADDRS 26	/* of both addresses */
#define IP6_ADDRS 22

void
bh_packet_in_reset(struct bh_packet *p)
{
	rte_pktmbuf_free(p->in.m);
	memset(&p->in, 0, sizeof(p->in));
}

static bool
to_is_valid(const struct bh_inject_to *to)
{
	static const uint8_t zero[sizeof(to->pad)];

	if (to->how >= BH_INJECT_MODES || to->ifindex >= BH_IF_MAX ||
		memcmp(to->pad, zero, sizeof(zero)) != 0)
		return false;
	return to->ifindex != 0 || to->how == BH_INJECT_ROUTED;
}

/* The first part begins a frame; an unfinished one before it is lost. */
static int
start(struct bh_packet *p, const struct bh_msg *msg, const uint8_t **data, size_t *len)
{
	uint16_t whole = bh_part_whole(msg->aux);
	struct bh_inject_to to;

	bh_packet_in_reset(p);
	if (*len < sizeof(to) || whole < BH_FRAME_MIN || whole > BH_FRAME_MAX)
		return -EINVAL;
	memcpy(&to, *data, sizeof(to));
	*data += sizeof(to);
	*len -= sizeof(to);
	if (!to_is_valid(&to) || *len == 0 || *len > whole)
		return -EINVAL;
	p->in.m = rte_pktmbuf_alloc(bh_frame_pool(&p->pools, whole));
	if (p->in.m == NULL)
		return -EAGAIN;
	p->in.to = to;
	p->in.whole = whole;
	return 0;
}

static struct rte_ring *
choose_ring(const struct bh_packet *p, const struct rte_mbuf *m)
{
	const uint8_t *b = rte_pktmbuf_mtod(m, const uint8_t *);
	uint64_t addrs[4] = { p->in.to.ifindex };
	uint32_t hash;

	if (b[TYPE_OFF] == 0x08 && b[TYPE_OFF + 1] == 0x00 && m->data_len >= IP4_ADDRS + 8)
		memcpy(addrs, b + IP4_ADDRS, 8);
	else if (b[TYPE_OFF] == 0x86 && b[TYPE_OFF + 1] == 0xdd && m->data_len >= IP6_ADDRS + 32)
		memcpy(addrs, b + IP6_ADDRS, 32);
	hash = rte_hash_crc(addrs, sizeof(addrs), 0);
	return p->stack.inject[hash % p->conf.n_fwd];
}

/* The frame is whole. 0 or -EAGAIN. */
static int
finish(struct bh_packet *p)
{
	struct bh_packet_in *in = &p->in;

	bh_inject_mark(in->m, in->to.how, in->to.ifindex);
	if (rte_ring_sp_enqueue(choose_ring(p, in->m), in->m) != 0)
		return -EAGAIN;
	in->m = NULL;
	bh_count(&p->stats->injected, 1);
	return 0;
}

int
bh_packet_in_take(struct bh_packet *p, const struct bh_msg *msg)
{
	const uint8_t *data = (const uint8_t *)(msg + 1);
	size_t len = msg->len - sizeof(*msg);
	struct bh_packet_in *in = &p->in;
	uint16_t offset = bh_part_offset(msg->aux);
	int rc = 0;

	if (msg->table != 0)
		return -EINVAL;
	if (offset == 0)
		rc = start(p, msg, &data, &len);
	if (rc < 0)
		return rc;
	if (in->m == NULL || offset != in->m->data_len || in->whole != bh_part_whole(msg->aux) ||
		len == 0 || len > (size_t)(in->whole - offset)) {
		bh_packet_in_reset(p);
		return -EINVAL;
	}
	memcpy(rte_pktmbuf_append(in->m, len), data, len);
	if (in->m->data_len < in->whole)
		return 0;
	rc = finish(p);
	if (rc == -EAGAIN)
		rte_pktmbuf_trim(in->m, len); /* the part comes again */
	return rc;
}
