/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The queues of a channel: one producer, one consumer, in different processes.
 *
 * A queue is a power of two of 64-byte slots: a sequence word and 60 bytes. Slot i of lap l
 * is filled when its word is l * n + i + 1, free when it is still that of the lap before; so
 * the consumer polls the slot itself and a one-slot message moves as one cache line. A
 * message takes ceil(len / 60) slots; the first one's word is published last. Positions are
 * free-running 32-bit numbers. The consumer tells how far it is in a shared word (`tail`),
 * which the producer reads only when it believes the queue to be full.
 *
 * Neither side believes the other: geometry and own position are private; a message is
 * copied once, then its length and the sequence words are checked; the peer's position may
 * only move forward and never past our own. What cannot be is -EBADMSG: the channel is
 * corrupt and must be closed.
 */
#ifndef BH_CHANNEL_QUEUE_H
#define BH_CHANNEL_QUEUE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/channel/copy.h"
#include "lib/channel/msg.h"

#define BH_SLOT_DATA 60
#define BH_SLOTS_AHEAD 16 /* how far ahead lines are asked for, to be written or read */
#define BH_MSG_SLOTS ((BH_MSG_MAX + BH_SLOT_DATA - 1) / BH_SLOT_DATA) /* of the longest message */

struct bh_slot {
	uint32_t seq;
	uint8_t data[BH_SLOT_DATA];
} __attribute__((aligned(64)));

/* First page of a channel. Each word has one writer and a cache line of its own. */
struct bh_channel_shared {
	uint32_t core_sleep __attribute__((aligned(64)));   /* core: doorbell.h */
	uint32_t closed __attribute__((aligned(64)));	    /* core: 1, nothing is taken any more */
	uint32_t req_tail __attribute__((aligned(64)));	    /* core: requests consumed, in slots */
	uint32_t client_sleep __attribute__((aligned(64))); /* client */
	uint32_t rep_tail __attribute__((aligned(64)));	    /* client: replies consumed */
};

/* Layout that the core gives to channels; clients take it from the welcome. */
#define BH_CHANNEL_REQ_SLOTS 512u
#define BH_CHANNEL_REP_SLOTS 1024u
#define BH_CHANNEL_REQ_OFF 4096u
#define BH_CHANNEL_REP_OFF (BH_CHANNEL_REQ_OFF + BH_CHANNEL_REQ_SLOTS * 64u)
#define BH_CHANNEL_SIZE (BH_CHANNEL_REP_OFF + BH_CHANNEL_REP_SLOTS * 64u)

/* Private halves of a queue. */
struct bh_producer {
	struct bh_slot *slots;
	const uint32_t *shared_tail;
	uint32_t mask;
	uint32_t head;
	uint32_t tail; /* the consumer's position as last seen */
};

struct bh_consumer {
	const struct bh_slot *slots;
	uint32_t *shared_tail;
	uint32_t mask;
	uint32_t pos;
	uint32_t released;
	uint32_t expect; /* messages of the last batch: a guess for prefetching */
};

/* Slots of a message of len bytes. */
static inline unsigned int
bh_slots(unsigned int len)
{
	return (len + BH_SLOT_DATA - 1) / BH_SLOT_DATA;
}

/* Makes n slots (a power of two, >= BH_MSG_SLOTS) an empty queue. The core, before the channel
 * is given away. */
void bh_queue_format(struct bh_slot *slots, uint32_t n);

void bh_producer_init(struct bh_producer *q, struct bh_slot *slots, uint32_t n,
	const uint32_t *tail);
void bh_consumer_init(struct bh_consumer *q, const struct bh_slot *slots, uint32_t n,
	uint32_t *tail);

/* Free slots; looks at the consumer's position again only when it knows of fewer than want.
 * -EBADMSG: that position is impossible. */
static inline int bh_producer_room(struct bh_producer *q, unsigned int want);

/* Publishes one message of msg->len bytes, whose body lies at `body`. 0, -EAGAIN (no room),
 * -EBADMSG, -EMSGSIZE (msg->len is not 16 .. BH_MSG_MAX). Rings nothing. */
static inline int bh_producer_put(struct bh_producer *q, const struct bh_msg *msg,
	const void *body);

/* Copies the next message, header and body, to buf (BH_MSG_MAX bytes, aligned to 8). Returns
 * its slots, 0 when there is none yet, -EBADMSG. It stays in the queue until skipped. */
static inline int bh_consumer_peek(const struct bh_consumer *q, void *buf);

/* The same for messages of any length: what the two above do with all but short ones. */
int bh_producer_put_any(struct bh_producer *q, const struct bh_msg *msg, const void *body);
int bh_consumer_peek_any(const struct bh_consumer *q, void *buf);

/* Takes n slots, as peek returned, out of the queue; told to the producer by release. */
static inline void
bh_consumer_skip(struct bh_consumer *q, unsigned int n)
{
	q->pos += n;
}

static inline void
bh_consumer_release(struct bh_consumer *q)
{
	q->released = q->pos;
	__atomic_store_n(q->shared_tail, q->pos, __ATOMIC_RELEASE);
}

/* Asks for the line of a slot that is to be written soon, so that it is ours by then. */
static inline void
bh_prefetch_write(const void *line)
{
#ifdef __x86_64__
	__asm__ volatile("prefetchw (%0)" : : "r"(line));
#else
	__builtin_prefetch(line, 1);
#endif
}

static inline int
bh_producer_room(struct bh_producer *q, unsigned int want)
{
	uint32_t used = q->head - q->tail;

	if (q->mask + 1 - used < want) {
		uint32_t tail = __atomic_load_n(q->shared_tail, __ATOMIC_ACQUIRE);

		if (tail - q->tail > used)
			return -EBADMSG;
		q->tail = tail;
		used = q->head - tail;
	}
	return q->mask + 1 - used;
}

static inline int
bh_producer_put(struct bh_producer *q, const struct bh_msg *msg, const void *body)
{
	struct bh_slot *s = &q->slots[q->head & q->mask];
	unsigned int len = msg->len;

	if (len - sizeof(*msg) > BH_SLOT_DATA - sizeof(*msg) || q->head - q->tail > q->mask)
		return bh_producer_put_any(q, msg, body);
	bh_prefetch_write(&q->slots[(q->head + BH_SLOTS_AHEAD) & q->mask]);
	bh_copy_header(s->data, msg);
	bh_copy_short(s->data + sizeof(*msg), body, len - sizeof(*msg));
	__atomic_store_n(&s->seq, ++q->head, __ATOMIC_RELEASE);
	return 0;
}

static inline int
bh_consumer_peek(const struct bh_consumer *q, void *buf)
{
	const struct bh_slot *s = &q->slots[q->pos & q->mask];
	const struct bh_msg *msg = (const struct bh_msg *)buf;
	uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

	if (seq == q->pos - q->mask)
		return 0;
	if (seq != q->pos + 1)
		return -EBADMSG;
	bh_copy_short(buf, s->data, BH_SLOT_DATA);
	if (msg->len - sizeof(*msg) > BH_SLOT_DATA - sizeof(*msg))
		return bh_consumer_peek_any(q, buf);
	return 1;
}

/*
 * Prefetching. A consumer that finds many messages at once would wait for each line in turn, since
 * the work on one message is longer than what the CPU looks ahead. It asks for lines ahead as far
 * as the last batch went: a line that is not written yet must be left to the producer.
 */
static inline void
bh_consumer_batch_begin(const struct bh_consumer *q)
{
	uint32_t n = q->expect < BH_SLOTS_AHEAD ? q->expect : BH_SLOTS_AHEAD;

	for (uint32_t i = 1; i < n; i++)
		__builtin_prefetch(&q->slots[(q->pos + i) & q->mask]);
}

/* After the message that was the nth (from 0) of a batch. */
static inline void
bh_consumer_batch_next(const struct bh_consumer *q, uint32_t n)
{
	if (n + BH_SLOTS_AHEAD < q->expect)
		__builtin_prefetch(&q->slots[(q->pos + BH_SLOTS_AHEAD) & q->mask]);
}

static inline void
bh_consumer_batch_end(struct bh_consumer *q, uint32_t n)
{
	if (n > 0)
		q->expect = n;
}

/* True when something (a message or nonsense) lies at the present position. */
static inline bool
bh_consumer_ready(const struct bh_consumer *q)
{
	const struct bh_slot *s = &q->slots[q->pos & q->mask];

	return __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE) != q->pos - q->mask;
}

#endif
