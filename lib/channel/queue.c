/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/channel/queue.h"

#include <errno.h>
#include <string.h>

void
bh_queue_format(struct bh_slot *slots, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		slots[i].seq = i + 1 - n;
}

void
bh_producer_init(struct bh_producer *q, struct bh_slot *slots, uint32_t n, const uint32_t *tail)
{
	*q = (struct bh_producer){.slots = slots, .shared_tail = tail, .mask = n - 1};
}

void
bh_consumer_init(struct bh_consumer *q, const struct bh_slot *slots, uint32_t n, uint32_t *tail)
{
	*q = (struct bh_consumer){.slots = slots, .shared_tail = tail, .mask = n - 1};
}

/* Copies part of the message that lies in slot i: the header in front of the first. */
static void
fill(struct bh_slot *s, unsigned int i, const struct bh_msg *msg, const uint8_t *body)
{
	unsigned int from = i * BH_SLOT_DATA;
	unsigned int n = msg->len - from;

	if (n > BH_SLOT_DATA)
		n = BH_SLOT_DATA;
	if (i > 0) {
		memcpy(s->data, body + from - sizeof(*msg), n);
		return;
	}
	memcpy(s->data, msg, sizeof(*msg));
	if (n > sizeof(*msg))
		memcpy(s->data + sizeof(*msg), body, n - sizeof(*msg));
}

int
bh_producer_put_any(struct bh_producer *q, const struct bh_msg *msg, const void *body)
{
	unsigned int n = bh_slots(msg->len);
	struct bh_slot *first = &q->slots[q->head & q->mask];
	int room;

	if (msg->len < sizeof(*msg) || msg->len > BH_MSG_MAX)
		return -EMSGSIZE;
	room = bh_producer_room(q, n);
	if (room < 0)
		return room;
	if ((unsigned int)room < n)
		return -EAGAIN;
	fill(first, 0, msg, body);
	for (unsigned int i = 1; i < n; i++) {
		struct bh_slot *s = &q->slots[(q->head + i) & q->mask];

		fill(s, i, msg, body);
		__atomic_store_n(&s->seq, q->head + i + 1, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&first->seq, q->head + 1, __ATOMIC_RELEASE);
	q->head += n;
	return 0;
}

/* 1 when the slot of position pos is filled, 0 when it is not yet, -EBADMSG. */
static int
filled(const struct bh_consumer *q, uint32_t pos)
{
	uint32_t seq = __atomic_load_n(&q->slots[pos & q->mask].seq, __ATOMIC_ACQUIRE);

	if (seq == pos + 1)
		return 1;
	return seq == pos - q->mask ? 0 : -EBADMSG;
}

int
bh_consumer_peek_any(const struct bh_consumer *q, void *buf)
{
	struct bh_msg *msg = buf;
	unsigned int n, left;
	int rc = filled(q, q->pos);

	if (rc <= 0)
		return rc;
	bh_copy_short(buf, q->slots[q->pos & q->mask].data, BH_SLOT_DATA);
	if (msg->len < sizeof(*msg) || msg->len > BH_MSG_MAX)
		return -EBADMSG;
	n = bh_slots(msg->len);
	left = msg->len;
	for (unsigned int i = 1; i < n; i++) {
		rc = filled(q, q->pos + i);
		if (rc <= 0)
			return rc;
		left -= BH_SLOT_DATA;
		bh_copy_short((uint8_t *)buf + i * BH_SLOT_DATA,
			q->slots[(q->pos + i) & q->mask].data,
			left < BH_SLOT_DATA ? left : BH_SLOT_DATA);
	}
	return n;
}

_Static_assert(sizeof(struct bh_msg) == 16 && offsetof(struct bh_msg, table) == 4 &&
	offsetof(struct bh_msg, tag) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	"bh_copy_header() lays the fields as the struct does");
