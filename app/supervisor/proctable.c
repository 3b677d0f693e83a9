/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/proctable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client/bulkhead.h"
#include "lib/log/log.h"
#include "lib/stats/stats.h"

struct bh_proctable {
	struct bh_handle *h;
	struct event_base *base;
	struct event *ev; /* answers have come */
	int role_fd;
	bool lost;
};

static void
on_reply(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)arg;
	(void)body;
	(void)len;
	if (msg->status != 0)
		bh_warn("process", "the core refused a record: %s", strerror(-msg->status));
}

static void
lose(struct bh_proctable *t, int rc)
{
	if (!t->lost)
		bh_warn("process", "connection to the core is lost: %s", strerror(-rc));
	t->lost = true;
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
}

static void
drain(struct bh_proctable *t)
{
	int rc;

	do
		rc = bh_poll(t->h, 0);
	while (rc > 0 || (rc == 0 && !bh_prepare_wait(t->h)));
	if (rc < 0)
		lose(t, rc);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drain(arg);
}

struct bh_proctable *
bh_proctable_open(struct event_base *base, int role_fd)
{
	struct bh_open_args args = {
		.client = "bulkhead",
		.service = BH_SERVICE_INFOBASE,
		.role_fd = role_fd,
	};
	struct bh_proctable *t = calloc(1, sizeof(*t));
	uint32_t epoch;
	int rc;

	if (t == NULL)
		return NULL;
	t->base = base;
	t->role_fd = role_fd;
	t->h = bh_open(&args);
	if (t->h == NULL)
		goto fail;
	rc = bh_replay_begin(t->h, BH_T_PROCESS, &epoch);
	if (rc < 0) {
		errno = -rc;
		goto fail;
	}
	t->ev = event_new(base, bh_fd(t->h), EV_READ | EV_PERSIST, on_readable, t);
	if (t->ev == NULL || event_add(t->ev, NULL) < 0) {
		errno = ENOMEM;
		goto fail;
	}
	drain(t);
	return t;

fail:
	rc = errno;
	bh_proctable_close(t);
	errno = rc;
	return NULL;
}

void
bh_proctable_close(struct bh_proctable *t)
{
	if (t == NULL)
		return;
	if (t->ev != NULL)
		event_free(t->ev);
	if (t->h != NULL)
		bh_close(t->h);
	free(t);
}

static void
submit(struct bh_proctable *t, uint8_t verb, const void *body, size_t len)
{
	int rc;

	if (t->lost)
		return;
	rc = bh_submit(t->h, verb, BH_T_PROCESS, 0, body, len, on_reply, t);
	if (rc == 0)
		rc = bh_flush(t->h);
	if (rc < 0)
		lose(t, rc);
	else
		drain(t);
}

void
bh_proctable_put(struct bh_proctable *t, const struct bh_child *c)
{
	struct {
		struct bh_ifname_key key;
		struct bh_process val;
	} rec;

	memset(&rec, 0, sizeof(rec));
	memcpy(rec.key.name, c->name, sizeof(rec.key.name));
	rec.val.pid = c->pid;
	rec.val.state = c->state;
	rec.val.restarts = c->restarts;
	rec.val.last_exit = c->last_exit;
	rec.val.started = c->started;
	rec.val.recovery_us = c->recovery_us;
	rec.val.how = c->how;
	rec.val.flags = c->adopted ? BH_PROC_ADOPTED : 0;
	rec.val.detect_us = c->detect_us;
	rec.val.seen_ns = c->seen_ns;
	rec.val.start_ticks = c->start_ticks;
	submit(t, BH_V_ADD, &rec, sizeof(rec));
}

void
bh_proctable_complete(struct bh_proctable *t)
{
	submit(t, BH_V_REPLAY_END, NULL, 0);
}

int
bh_proctable_watch(struct bh_proctable *t, uint16_t table, bh_change_fn fn, void *arg)
{
	int rc = t->lost ? -ECONNRESET : bh_watch(t->h, table, fn, arg);

	if (rc == 0)
		drain(t);
	return rc;
}

const struct bh_stats *
bh_proctable_stats(const struct bh_proctable *t)
{
	size_t size = 0;
	const struct bh_stats *st = t->lost ? NULL : bh_stats_map(t->h, &size);

	if (st == NULL || size < sizeof(*st) || st->magic != BH_STATS_MAGIC ||
		st->version != BH_STATS_VERSION)
		return NULL;
	return st;
}
