/* SPDX-License-Identifier: BSD-3-Clause */
/* Sound channels used without manners: replies not taken, bells rung for nothing, writing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infobase/schema.h"
#include "test/hostile/hostile.h"

#define WIDTH_MAX 512

static struct conn all[WIDTH_MAX];

/* Opens up to o->width connections; how many. */
static unsigned int
open_all(const struct options *o, const char *client)
{
	unsigned int n = 0;

	while (n < o->width && n < WIDTH_MAX && conn_open(&all[n], o->socket, client) == 0)
		n++;
	return n;
}

static void
close_all(unsigned int n)
{
	while (n-- > 0)
		conn_close(&all[n]);
}

static uint64_t
fill(struct conn *c)
{
	uint8_t key[64] = {0};
	uint64_t n = 0;
	uint16_t table;

	for (table = 1; table < BH_T_MAX; table++) {
		n += conn_put(c, BH_V_WATCH, table, NULL, 0) == 0;
		n += conn_put(c, BH_V_DUMP, table, NULL, 0) == 0;
		n += conn_put(c, BH_V_GET, table, key, bh_schema(table)->key_len) == 0;
		n += conn_put(c, BH_V_NOP, 0, c->map, 3000) == 0;
	}
	conn_ring(c);
	return n;
}

int
mode_norep(const struct options *o)
{
	unsigned int n = open_all(o, "norep"), i = 0;
	uint64_t requests = 0;

	while (going() && n > 0) {
		requests += fill(&all[i]);
		i = (i + 1) % n;
		if (i == 0)
			usleep(1000);
	}
	printf("{\"mode\":\"norep\",\"channels\":%u,\"requests\":%lu}\n", n, requests);
	close_all(n);
	return 0;
}

int
mode_ring(const struct options *o)
{
	static const char many[4096];
	unsigned int n = open_all(o, "ring");
	uint64_t rings = 0;

	for (unsigned int i = 0; i < n; i++) {
		fcntl(all[i].fd[BH_FD_RING_CORE], F_SETFL, O_NONBLOCK | (i % 3 ? 0 : O_DIRECT));
		fcntl(all[i].fd[BH_FD_RING_CORE], F_SETPIPE_SZ, i % 2 ? 4096 : 1 << 20);
	}
	while (going() && n > 0)
		for (unsigned int i = 0; i < n; i++) {
			ssize_t m = write(all[i].fd[BH_FD_RING_CORE], many,
				1 + rnd_below(sizeof(many)));

			rings += m > 0 ? m : 0;
			if (rnd_below(100) == 0)
				conn_put(&all[i], BH_V_NOP, 0, NULL, 0);
		}
	printf("{\"mode\":\"ring\",\"channels\":%u,\"bytes\":%lu}\n", n, rings);
	close_all(n);
	return 0;
}

/* The answer to the request just put, or -errno of the channel. */
static int
answer(struct conn *c)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
	uint64_t end = now_us() + 5000000;
	int n;

	do {
		conn_ring(c);
		n = bh_consumer_peek(&c->rep, buf);
	} while (n == 0 && now_us() < end);
	if (n <= 0)
		return n < 0 ? n : -ETIMEDOUT;
	bh_consumer_skip(&c->rep, n);
	bh_consumer_release(&c->rep);
	return ((struct bh_msg *)buf)->status;
}

int
mode_write(const struct options *o)
{
	static const uint8_t verbs[] = {BH_V_ADD, BH_V_CHANGE, BH_V_DELETE, BH_V_RECOVER,
		BH_V_REPLAY_BEGIN, BH_V_REPLAY_END};
	uint64_t refused = 0, other = 0;
	uint8_t body[256] = {0};
	int rc = conn_open(&all[0], o->socket, "writer");

	for (uint64_t i = 0; rc == 0 && i < o->count && going(); i++) {
		uint8_t verb = verbs[i % sizeof(verbs)];
		uint16_t table = 1 + i / sizeof(verbs) % (BH_T_MAX - 1);
		const struct bh_schema *s = bh_schema(table);
		size_t len = verb == BH_V_DELETE ? s->key_len : 0;

		if (verb == BH_V_ADD || verb == BH_V_CHANGE)
			len = s->key_len + s->val_min;
		rc = conn_put(&all[0], verb, table, body, len);
		if (rc != 0)
			break;
		if (answer(&all[0]) == -EPERM)
			refused++;
		else
			other++;
	}
	printf("{\"mode\":\"write\",\"refused\":%lu,\"other\":%lu}\n", refused, other);
	conn_close(&all[0]);
	return rc != 0 || other > 0 || refused == 0;
}
