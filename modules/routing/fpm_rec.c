/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The records of zebra's routes, and of the source's state, in the info base: replayed and kept
 * up. A record has one request under way at most; what changes meanwhile is sent after the reply.
 * The oldest one tells the lag: the tables of records and of routes have one worker, which answers
 * in order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/routing/fpm_priv.h"

static const struct bh_ifname_key status_key = {"fpm"};

const uint16_t bh_fpm_tables[BH_FPM_TABLES] = {BH_T_FPM_ROUTE4, BH_T_FPM_ROUTE6, BH_T_FPM};

bool
bh_fpm_is_lost(struct bh_fpm *f, const struct bh_msg *msg)
{
	if (msg->status == -ECONNRESET && f->out->error == 0)
		f->out->error = -ECONNRESET;
	return msg->status == -ECONNRESET;
}

/* ---- records of routes ---- */

static void
rec_queue(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	e->since = f->now;
	TAILQ_INSERT_TAIL(&f->dirty, e, out);
}

/* Nothing is to be written of one that has no set yet, or that nobody heard of. */
static bool
rec_is_wanted(const struct bh_fpm_entry *e)
{
	return !e->gone && e->set != NULL;
}

void
bh_fpm_mark(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	if (e->dirty || (!rec_is_wanted(e) && !e->recorded && e->under_way == 0))
		return;
	e->dirty = true;
	f->n_dirty++;
	if (e->under_way == 0)
		rec_queue(f, e);
}

static void
rec_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_fpm_entry *e = arg;
	struct bh_fpm *f = e->fpm;
	bool added = e->under_way == BH_V_ADD;

	(void)body;
	(void)len;
	if (bh_fpm_is_lost(f, msg)) /* bh_fpm_restart() follows */
		return;
	TAILQ_REMOVE(&f->sent, e, out);
	f->n_sent--;
	e->under_way = 0;
	if (msg->status == 0)
		e->recorded = added;
	else if (!added && msg->status == -ENOENT)
		e->recorded = false;
	else
		bh_log_limited(&f->limit, BH_LOG_WARNING, "fpm",
			"a record of a route of zebra is refused: %s", strerror(-msg->status));
	if (e->dirty)
		rec_queue(f, e);
	bh_fpm_forget(f, e);
}

static int
fpm_submit(struct bh_fpm *f, uint8_t verb, uint16_t table, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct bh_output *o = f->out;
	int rc = o->ops->submit(o->ctx, verb, table, 0, body, len, cb, arg);

	if (rc < 0 && rc != -EAGAIN && o->error == 0)
		o->error = rc;
	return rc;
}

static int
rec_send(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	const size_t head = offsetof(struct bh_fpm_route, hop);
	uint8_t body[sizeof(struct bh_route6_key) + sizeof(struct bh_fpm_route)];
	uint16_t table = e->prefix.family == BH_IP4 ? BH_T_FPM_ROUTE4 : BH_T_FPM_ROUTE6;
	struct bh_fpm_route r = {.proto = e->proto, .metric = e->metric};
	size_t len = bh_key_route(&e->prefix, body);
	uint8_t verb = rec_is_wanted(e) ? BH_V_ADD : BH_V_DELETE;
	int rc;

	if (verb == BH_V_ADD) {
		r.type = e->set->type;
		r.n = e->set->n;
		memcpy(body + len, &r, head);
		memcpy(body + len + head, e->set->hop, r.n * sizeof(r.hop[0]));
		len += head + r.n * sizeof(r.hop[0]);
	}
	rc = fpm_submit(f, verb, table, body, len, rec_replied, e);
	if (rc == 0)
		e->under_way = verb;
	return rc;
}

/* Sends what the entry needs by now; it leaves the list, unless submit refuses. */
static int
rec_see_to(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	int rc = rec_is_wanted(e) || e->recorded ? rec_send(f, e) : 1;

	if (rc < 0)
		return rc;
	TAILQ_REMOVE(&f->dirty, e, out);
	e->dirty = false;
	f->n_dirty--;
	if (rc == 0) {
		TAILQ_INSERT_TAIL(&f->sent, e, out);
		f->n_sent++;
	} else {
		bh_fpm_forget(f, e);
	}
	return 0;
}

static int
rec_pump(struct bh_fpm *f)
{
	struct bh_fpm_entry *e;
	int rc = 0;

	for (unsigned int n = 0; n < BH_FPM_PUMP && rc == 0; n++) {
		e = TAILQ_FIRST(&f->dirty);
		if (e == NULL)
			return 0;
		rc = rec_see_to(f, e);
	}
	return rc;
}

/* ---- the replay ---- */

static void
mark_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_fpm *f = arg;

	(void)body;
	(void)len;
	if (bh_fpm_is_lost(f, msg))
		return;
	f->marks_under_way--;
	if (msg->status == 0 || f->out->error != 0)
		return;
	bh_err("fpm", "replay mark refused: %s", strerror(-msg->status));
	f->out->error = msg->status;
}

static int
send_marks(struct bh_fpm *f, uint8_t verb)
{
	int rc;

	while (f->marks < BH_FPM_TABLES) {
		f->marks_under_way++;
		rc = fpm_submit(f, verb, bh_fpm_tables[f->marks], NULL, 0, mark_replied, f);
		if (rc < 0) {
			f->marks_under_way--;
			return rc;
		}
		f->marks++;
	}
	return 0;
}

static void
mark_all(struct bh_fpm *f)
{
	struct bh_fpm_entry *e;

	for (unsigned int i = 0; i < 256; i++)
		TAILQ_FOREACH(e, &f->slot[i].entries, age)
	bh_fpm_mark(f, e);
}

static void
next_step(struct bh_fpm *f)
{
	if (f->step == BH_FPM_IDLE)
		mark_all(f);
	f->step++;
	f->marks = 0;
}

/* ---- the state ---- */

static uint32_t
lag(const struct bh_fpm *f)
{
	const struct bh_fpm_entry *sent = TAILQ_FIRST(&f->sent), *dirty = TAILQ_FIRST(&f->dirty);
	uint64_t since = f->now;

	if (sent != NULL)
		since = sent->since;
	if (dirty != NULL && dirty->since < since)
		since = dirty->since;
	return (uint32_t)(f->now - since);
}

static void
status_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_fpm *f = arg;

	(void)body;
	(void)len;
	if (bh_fpm_is_lost(f, msg))
		return;
	f->status_sent = false;
	if (msg->status != 0)
		bh_log_limited(&f->limit, BH_LOG_WARNING, "fpm",
			"the record of the state is refused: %s", strerror(-msg->status));
}

static int
status_pump(struct bh_fpm *f)
{
	struct {
		struct bh_ifname_key key;
		struct bh_fpm_status val;
	} body = {.key = status_key};
	bool off = !f->configured;
	int rc;

	if (f->status_sent || f->now - f->status_at < BH_FPM_STATUS_MS || (off && !f->told_any))
		return 0;
	f->status_at = f->now;
	f->status.lag_ms = lag(f);
	f->status.queued = f->n_dirty + f->out->n_routes;
	if (f->told_any == !off && memcmp(&f->status, &f->told, sizeof(f->told)) == 0)
		return 0;
	body.val = f->status;
	rc = fpm_submit(f, off ? BH_V_DELETE : BH_V_ADD, BH_T_FPM, &body,
		off ? sizeof(body.key) : sizeof(body), status_replied, f);
	if (rc < 0)
		return rc;
	f->told = f->status;
	f->told_any = !off;
	f->status_sent = true;
	return 0;
}

bool
bh_fpm_is_idle(const struct bh_fpm *f)
{
	return f->n_dirty == 0 && f->n_sent == 0 && f->marks_under_way == 0 &&
		(f->step == BH_FPM_DONE || f->step == BH_FPM_IDLE);
}

static int
fpm_pump(struct bh_fpm *f)
{
	int rc;

	if (f->step == BH_FPM_IDLE)
		next_step(f);
	if (f->step == BH_FPM_BEGIN) {
		rc = send_marks(f, BH_V_REPLAY_BEGIN);
		if (rc < 0)
			return rc;
		next_step(f);
	}
	rc = rec_pump(f);
	if (rc == 0 && f->step >= BH_FPM_ROUTES)
		rc = status_pump(f);
	if (rc == 0 && f->step == BH_FPM_ROUTES && f->n_dirty == 0 && f->n_sent == 0)
		next_step(f);
	if (rc == 0 && f->step == BH_FPM_END) {
		rc = send_marks(f, BH_V_REPLAY_END);
		if (rc == 0)
			next_step(f);
	}
	return rc;
}

int
bh_fpm_pump(struct bh_fpm *f)
{
	int rc = 0;

	if (f->out->replay != BH_REPLAY_IDLE && f->out->error == 0)
		rc = fpm_pump(f);
	return rc == -EAGAIN ? 0 : rc;
}

/* ---- another info base ---- */

/* What was under way is lost. */
static void
unsend(struct bh_fpm *f)
{
	struct bh_fpm_entry *e;

	while ((e = TAILQ_FIRST(&f->sent)) != NULL) {
		TAILQ_REMOVE(&f->sent, e, out);
		e->under_way = 0;
		if (e->dirty)
			rec_queue(f, e);
		bh_fpm_forget(f, e);
	}
	f->n_sent = 0;
}

void
bh_fpm_restart(struct bh_fpm *f)
{
	struct bh_fpm_entry *e;

	unsend(f);
	for (unsigned int i = 0; i < 256; i++)
		TAILQ_FOREACH(e, &f->slot[i].entries, age)
	e->recorded = false;
	TAILQ_FOREACH(e, &f->dirty, out)
	e->recorded = false;
	f->step = BH_FPM_IDLE;
	f->marks = 0;
	f->marks_under_way = 0;
	f->status_sent = f->told_any = false;
	if (f->recovery != BH_FPM_RECOVERED)
		bh_fpm_recover_again(f);
}
