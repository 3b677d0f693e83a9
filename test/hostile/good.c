/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The good client: NOPs with bodies of all lengths must come back as they are; the records of
 * a table that nobody changes, read once before the attacks, must be answered alike by GET
 * and DUMP, one at a time and pipelined. What is lost is an error: its channel must live.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infobase/schema.h"
#include "lib/client/bulkhead.h"
#include "test/hostile/hostile.h"

#define RECORDS_MAX 1024
#define PIPELINE 64
#define PAUSE_US 200 /* leaves the CPU to those who need it more */

struct record {
	size_t len; /* of key and value */
	uint8_t data[256];
};

static struct {
	struct bh_handle *h;
	const struct bh_schema *s;
	struct record known[RECORDS_MAX];
	unsigned int n_known;
	uint64_t answers, wrong, errors, worst_us, slow;
	int last_error;
} good;

static void
fail(int rc)
{
	good.errors++;
	good.last_error = rc;
}

/* Takes the records of a dump's reply; those of the first dump become what is known. */
static unsigned int
each_record(const uint8_t *body, size_t len, unsigned int at, bool learn)
{
	struct bh_rec rec;

	for (size_t off = 0; off + sizeof(rec) <= len; off += (rec.len + 3) & ~3u) {
		struct record *k = &good.known[at];

		memcpy(&rec, body + off, sizeof(rec));
		if (at == RECORDS_MAX || rec.len < sizeof(rec) || off + rec.len > len)
			break;
		if (learn) {
			k->len = rec.len - sizeof(rec);
			memcpy(k->data, body + off + sizeof(rec), k->len);
		} else if (at >= good.n_known || k->len != rec.len - sizeof(rec) ||
			memcmp(k->data, body + off + sizeof(rec), k->len) != 0) {
			good.wrong++;
		}
		at++;
	}
	return at;
}

/* A whole dump, compared with what is known or learnt. */
static void
dump(bool learn)
{
	uint8_t body[BH_MSG_MAX];
	uint32_t cursor = 0;
	unsigned int n = 0;

	while (cursor != BH_DUMP_END && n < RECORDS_MAX) {
		size_t len = sizeof(body);
		int rc = bh_call(good.h, BH_V_DUMP, BH_T_CFG_ROUTE4, &cursor, NULL, 0, body, &len);

		if (rc != 0) {
			fail(rc);
			return;
		}
		n = each_record(body, len, n, learn);
		good.answers++;
	}
	if (learn)
		good.n_known = n;
	else if (n != good.n_known)
		good.wrong++;
}

static void
check_get(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	const struct record *k = arg;

	if (msg->status != 0)
		fail(msg->status);
	else if (len != sizeof(struct bh_rec) + k->len ||
		memcmp((const uint8_t *)body + sizeof(struct bh_rec), k->data, k->len) != 0)
		good.wrong++;
	good.answers++;
}

static void
pipelined(void)
{
	unsigned int sent = 0;

	while (sent < PIPELINE || bh_pending(good.h) > 0) {
		struct record *k = &good.known[rnd_below(good.n_known)];
		int rc = sent == PIPELINE ? -EAGAIN : bh_submit(good.h, BH_V_GET, BH_T_CFG_ROUTE4, 0,
			k->data, good.s->key_len, check_get, k);

		sent += rc == 0;
		if (rc == -EAGAIN)
			rc = bh_poll(good.h, 1000);
		if (rc < 0) {
			fail(rc);
			return;
		}
	}
}

static void
echo(void)
{
	uint8_t out[2000], in[2000];
	size_t n = rnd_below(sizeof(out)), len = sizeof(in);
	int rc;

	for (size_t i = 0; i < n; i++)
		out[i] = rnd();
	rc = bh_call(good.h, BH_V_NOP, 0, NULL, out, n, in, &len);
	if (rc != 0)
		fail(rc);
	else if (len != n || memcmp(in, out, n) != 0)
		good.wrong++;
	good.answers++;
}

static void
get(void)
{
	struct record *k = &good.known[rnd_below(good.n_known)];
	uint64_t begin = now_us(), took;
	uint8_t body[512];
	size_t len = sizeof(body);
	int rc = bh_call(good.h, BH_V_GET, BH_T_CFG_ROUTE4, NULL, k->data, good.s->key_len, body, &len);

	took = now_us() - begin;
	if (took > good.worst_us)
		good.worst_us = took;
	good.slow += took > 10000;
	if (rc != 0)
		fail(rc);
	else if (len != sizeof(struct bh_rec) + k->len ||
		memcmp(body + sizeof(struct bh_rec), k->data, k->len) != 0)
		good.wrong++;
	good.answers++;
}

int
mode_good(const struct options *o)
{
	struct bh_open_args args = {"good", BH_SERVICE_INFOBASE, -1, o->socket};

	good.h = bh_open(&args);
	good.s = bh_schema(BH_T_CFG_ROUTE4);
	if (good.h == NULL)
		return 1;
	dump(true);
	if (good.n_known == 0) {
		fprintf(stderr, "hostile: no record to ask for: %s\n", strerror(-good.last_error));
		return 1;
	}
	puts("good: ready");
	fflush(stdout);
	for (uint64_t i = 0; going() && (o->count == 0 || i < o->count); i++) {
		get();
		echo();
		if (i % 16 == 0)
			pipelined();
		if (i % 64 == 0)
			dump(false);
		usleep(PAUSE_US);
	}
	printf("{\"mode\":\"good\",\"answers\":%lu,\"wrong\":%lu,\"errors\":%lu,\"last-error\":%d,"
	       "\"worst-us\":%lu,\"over-10-ms\":%lu,\"records\":%u}\n", good.answers, good.wrong,
		good.errors, good.last_error, good.worst_us, good.slow, good.n_known);
	bh_close(good.h);
	return good.wrong + good.errors > 0;
}
