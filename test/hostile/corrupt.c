/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Corruptions of a channel: each is one change of the shared memory, made between sound
 * requests, of which the core is then told. Some it must notice, by closing the channel;
 * most are the client's own loss. In every eighth connection a second thread besides
 * rewrites the messages that the core is just copying.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "infobase/schema.h"
#include "test/hostile/hostile.h"

#define STEPS_MAX 400 /* corruptions of one connection */

static struct {
	uint64_t steps, closed, opened, refused, storm;
} sum;

struct storm {
	struct conn *c;
	bool stop;
	uint64_t writes;
};

static uint32_t
any_number(void)
{
	static const uint32_t edges[] = {0, 1, 2, 15, 16, 60, 0x7fff, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0xfffffffe, BH_MSG_MAX, BH_MSG_MAX + 1};

	if (rnd_below(2) == 0)
		return rnd();
	return edges[rnd_below(sizeof(edges) / sizeof(edges[0]))];
}

static void
store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* A slot of the requests, near the core's position more often than not. */
static struct bh_slot *
request_slot(struct conn *c)
{
	uint32_t near = c->req.head + rnd_below(8) - 4;

	return &c->req.slots[(rnd_below(4) ? near : (uint32_t)rnd()) & c->req.mask];
}

static struct bh_slot *
reply_slot(struct conn *c)
{
	return (struct bh_slot *)&c->rep.slots[rnd() & c->rep.mask];
}

static void
spoil_sequence(struct conn *c)
{
	struct bh_slot *s = request_slot(c);

	store(&s->seq, rnd_below(2) ? s->seq + rnd_below(9) - 4 : any_number());
}

/* Publishes a message whose header and body are anything. */
static void
spoil_message(struct conn *c)
{
	struct bh_slot *s = &c->req.slots[c->req.head & c->req.mask];
	struct bh_msg *msg = (struct bh_msg *)s->data;

	for (unsigned int i = 0; i < BH_SLOT_DATA; i++)
		s->data[i] = rnd();
	if (rnd_below(2)) {
		msg->len = rnd_below(2) ? sizeof(*msg) + rnd_below(45) : any_number();
		msg->verb = rnd_below(BH_V_MAX + 2);
		msg->table = rnd_below(BH_T_MAX + 2);
		msg->flags = 0;
		msg->status = 0;
	}
	store(&s->seq, c->req.head + 1);
	if (msg->len <= BH_SLOT_DATA)
		c->req.head++;
}

static void
spoil_length(struct conn *c)
{
	struct bh_msg *msg = (struct bh_msg *)request_slot(c)->data;

	__atomic_store_n(&msg->len, any_number(), __ATOMIC_RELAXED);
}

/* A message of several slots of which the last are never filled. */
static void
leave_unfinished(struct conn *c)
{
	struct bh_slot *s = &c->req.slots[c->req.head & c->req.mask];
	struct bh_msg msg = {.len = 100 + rnd_below(BH_MSG_MAX - 100), .verb = BH_V_NOP};

	memcpy(s->data, &msg, sizeof(msg));
	store(&s->seq, c->req.head + 1);
}

static void
spoil_positions(struct conn *c)
{
	uint32_t *word = rnd_below(2) ? &c->sh->rep_tail : &c->sh->req_tail;

	store(word, rnd_below(2) ? *word + rnd_below(2000) - 1000 : any_number());
}

static void
spoil_sleep(struct conn *c)
{
	uint32_t *words[] = {&c->sh->core_sleep, &c->sh->client_sleep, &c->sh->closed};

	store(words[rnd_below(3)], any_number());
}

static void
spoil_reply(struct conn *c)
{
	struct bh_slot *s = reply_slot(c);

	store(&s->seq, any_number());
	s->data[rnd_below(BH_SLOT_DATA)] = rnd();
}

static void
spoil_anything(struct conn *c)
{
	store((uint32_t *)c->map + rnd_below(c->w.size / 4), any_number());
}

static void
spoil_range(struct conn *c)
{
	size_t from = rnd_below(c->w.size), len = rnd_below(4096);

	if (len > c->w.size - from)
		len = c->w.size - from;
	memset(c->map + from, rnd(), len);
}

/* Sound requests of every reading verb. */
static void
ask(struct conn *c)
{
	uint8_t key[64] = {0};
	uint16_t table = 1 + rnd_below(BH_T_MAX - 1);

	switch (rnd_below(5)) {
	case 0:
		conn_put(c, BH_V_NOP, 0, c->map, rnd_below(BH_MSG_MAX - sizeof(struct bh_msg)));
		break;
	case 1:
		conn_put(c, BH_V_GET, table, key, bh_schema(table)->key_len);
		break;
	case 2:
		conn_put(c, BH_V_WATCH, table, NULL, 0);
		break;
	case 3:
		conn_put(c, BH_V_UNWATCH, table, NULL, 0);
		break;
	default:
		conn_put(c, BH_V_DUMP, table, NULL, 0);
	}
}

static void
corrupt(struct conn *c)
{
	static void (*const kinds[])(struct conn *) = {
		spoil_sequence, spoil_message, spoil_message, spoil_length, leave_unfinished,
		spoil_positions, spoil_sleep, spoil_sleep, spoil_reply, spoil_reply, spoil_anything,
		spoil_range,
	};
	unsigned int kind = rnd_below(sizeof(kinds) / sizeof(kinds[0]));

	/* What ends the channel is tried less often, so that the other kinds meet too. */
	if ((kind < 6 || kind == 11) && rnd_below(4))
		kind = 6 + rnd_below(5);
	kinds[kind](c);
	sum.steps++;
}

/* Rewrites lengths and bodies of the messages around the core's position, all the time. */
static void *
storm_run(void *arg)
{
	struct storm *s = arg;
	uint32_t i = 0, z = 1;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		struct bh_slot *slot = &s->c->req.slots[i++ & s->c->req.mask];

		z = z * 1664525 + 1013904223;
		slot->data[z >> 24 & 31] = z >> 16;
		s->writes++;
	}
	return NULL;
}

/* Gives the core time to find what was done, more or less of it. True when it ended the channel. */
static bool
core_looked(struct conn *c)
{
	static const struct timespec moment = {.tv_nsec = 1000};
	struct pollfd p = {.fd = c->fd[BH_FD_WAKE_ME]};

	if (rnd_below(3) == 0)
		return poll(&p, 1, 0) > 0;
	if (rnd_below(2) == 0)
		nanosleep(&moment, NULL);
	return poll(&p, 1, rnd_below(32) == 0) > 0;
}

/* One connection's share. */
static void
attack(struct conn *c, uint64_t goal)
{
	unsigned int n = 1 + rnd_below(STEPS_MAX);
	bool stormy = rnd_below(8) == 0, ended = false;
	struct storm storm = {.c = c};
	pthread_t thread;

	stormy = stormy && pthread_create(&thread, NULL, storm_run, &storm) == 0;
	while (n > 0 && sum.steps < goal && !ended && going()) {
		for (unsigned int k = 1 + rnd_below(8); k > 0 && n > 0; k--, n--) {
			if (rnd_below(3) == 0)
				ask(c);
			corrupt(c);
		}
		conn_ring(c);
		ended = core_looked(c);
	}
	if (stormy) {
		__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
		pthread_join(thread, NULL);
		sum.storm += storm.writes;
	}
	sum.closed += ended;
}

int
mode_corrupt(const struct options *o)
{
	uint64_t goal = o->count != 0 ? o->count : UINT64_MAX;
	struct conn c;
	int rc = 0;

	while (sum.steps < goal && going()) {
		rc = conn_open(&c, o->socket, "corrupt");
		if (rc < 0) {
			sum.refused++;
			continue;
		}
		sum.opened++;
		attack(&c, goal);
		conn_close(&c);
	}
	printf("{\"mode\":\"corrupt\",\"corruptions\":%lu,\"channels\":%lu,\"closed-by-core\":%lu,"
	       "\"refused\":%lu,\"storm-writes\":%lu}\n", sum.steps, sum.opened, sum.closed,
		sum.refused, sum.storm);
	return 0;
}
