/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/routing/key.h"

void
bh_output_init(struct bh_output *o, const struct bh_out_ops *ops, void *ctx)
{
	memset(o, 0, sizeof(*o));
	o->ops = ops;
	o->ctx = ctx;
	TAILQ_INIT(&o->routes);
	TAILQ_INIT(&o->refused);
	TAILQ_INIT(&o->nexthops);
}

int
bh_output_submit(struct bh_output *o, uint8_t verb, uint16_t table, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	int rc = o->ops->submit(o->ctx, verb, table, 0, body, len, cb, arg);

	if (rc == 0) {
		o->under_way++;
		o->n_sent++;
	} else if (rc != -EAGAIN && o->error == 0) {
		o->error = rc;
	}
	return rc;
}

bool
bh_output_replied(struct bh_output *o, const struct bh_msg *msg)
{
	o->under_way--;
	if (msg->status == -ECONNRESET && o->error == 0)
		o->error = -ECONNRESET;
	return msg->status != -ECONNRESET;
}

static void
out_refused(struct bh_output *o, const char *what, const char *name, int status)
{
	o->n_refused++;
	bh_log_limited(&o->limit, BH_LOG_WARNING, "output", "%s %s refused: %s", what, name,
		strerror(-status));
}

/* Names a next hop by its first member. */
static void
nh_refused(struct bh_output *o, const struct bh_nh *nh, const char *verb, int status)
{
	const struct bh_nh_member *m = &nh->key.m[0];
	char addr[BH_ADDR_STRLEN] = "-", text[BH_ADDR_STRLEN + 64];

	if (m->family != 0)
		bh_addr_format(m->family, m->addr, addr, sizeof(addr));
	snprintf(text, sizeof(text), "%s (ifindex %u, %u members) to %s", addr, m->ifindex,
		nh->key.n, verb);
	out_refused(o, "next hop", text, status);
}

/* ---- lists ---- */

static void
route_move(struct bh_out_route *r, struct bh_out_list *to)
{
	struct bh_output *o = r->out;

	if (r->on == to)
		return;
	o->n_routes += (to == &o->routes) - (r->on == &o->routes);
	if (r->on != NULL)
		TAILQ_REMOVE(r->on, r, link);
	r->on = to;
	if (to != NULL)
		TAILQ_INSERT_TAIL(to, r, link);
}

static void
nh_queue(struct bh_output *o, struct bh_nh *nh)
{
	nh->out = o;
	if (nh->queued)
		return;
	nh->queued = true;
	bh_nh_ref(nh);
	TAILQ_INSERT_TAIL(&o->nexthops, nh, link);
}

static struct bh_nh *
nh_hold(struct bh_nh *nh)
{
	if (nh != NULL) {
		bh_nh_ref(nh);
		nh->out_refs++;
	}
	return nh;
}

static void
nh_release(struct bh_output *o, struct bh_nh *nh)
{
	if (nh == NULL)
		return;
	if (--nh->out_refs == 0) {
		if (nh->state == BH_NH_LIVE)
			nh_queue(o, nh);
		else if (nh->state == BH_NH_REFUSED)
			nh->state = BH_NH_ABSENT;
	}
	bh_nh_unref(nh);
}

static void
nh_wake(struct bh_output *o, struct bh_nh *nh)
{
	struct bh_out_route *r;

	while ((r = TAILQ_FIRST(&nh->waiters)) != NULL)
		route_move(r, &o->routes);
}

/* ---- next hops ---- */

/* Its request went with the connection. */
static void
nh_lost(struct bh_nh *nh)
{
	nh->state = BH_NH_ABSENT;
	nh->id = 0;
	bh_nh_unref(nh);
}

static void
nh_added(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_nh *nh = arg;
	struct bh_output *o = nh->out;
	uint32_t id = 0;

	if (!bh_output_replied(o, msg)) {
		nh_lost(nh);
		return;
	}
	if (msg->status == 0 && len >= sizeof(id))
		memcpy(&id, body, sizeof(id));
	nh->id = id;
	nh->state = id != 0 ? BH_NH_LIVE : BH_NH_REFUSED;
	if (id == 0)
		nh_refused(o, nh, "add", msg->status != 0 ? msg->status : -EBADMSG);
	nh_wake(o, nh);
	if (nh->out_refs == 0 && id != 0)
		nh_queue(o, nh);
	else if (nh->out_refs == 0)
		nh->state = BH_NH_ABSENT;
	bh_nh_unref(nh);
}

static void
nh_deleted(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_nh *nh = arg;
	struct bh_output *o = nh->out;

	(void)body;
	(void)len;
	if (!bh_output_replied(o, msg)) {
		nh_lost(nh);
		return;
	}
	if (msg->status == 0 || msg->status == -ENOENT) {
		nh->state = BH_NH_ABSENT;
		nh->id = 0;
	} else {
		/* It lives on under its id, at worst until the next replay sweeps it. */
		nh->state = BH_NH_LIVE;
		nh_refused(o, nh, "delete", msg->status);
	}
	nh_wake(o, nh);
	bh_nh_unref(nh);
}

static int
nh_add(struct bh_output *o, struct bh_nh *nh)
{
	struct {
		struct bh_nexthop_key key;
		struct bh_nexthop val;
	} body = {.key = nh->key};
	int rc = bh_output_submit(o, BH_V_ADD, BH_T_NEXTHOP, &body, sizeof(body), nh_added, nh);

	if (rc == 0)
		nh->state = BH_NH_ADDING;
	return rc;
}

static int
nh_delete(struct bh_output *o, struct bh_nh *nh)
{
	int rc = bh_output_submit(
		o, BH_V_DELETE, BH_T_NEXTHOP, &nh->key, sizeof(nh->key), nh_deleted, nh);

	if (rc == 0)
		nh->state = BH_NH_DELETING;
	return rc;
}

/* Does what the next hop needs by now; the queue's reference goes over to the request. */
static int
nh_see_to(struct bh_output *o, struct bh_nh *nh)
{
	int rc;

	if (nh->state == BH_NH_ABSENT && nh->out_refs > 0)
		rc = nh_add(o, nh);
	else if (nh->state == BH_NH_LIVE && nh->out_refs == 0)
		rc = nh_delete(o, nh);
	else
		rc = 1;
	if (rc < 0)
		return rc;
	nh->queued = false;
	TAILQ_REMOVE(&o->nexthops, nh, link);
	if (rc > 0)
		bh_nh_unref(nh);
	return 0;
}

/* ---- routes ---- */

static bool
attr_same(const struct bh_out_attr *a, const struct bh_out_attr *b)
{
	return a->proto == b->proto && a->sub == b->sub && a->preference == b->preference &&
	       a->metric == b->metric;
}

bool
bh_output_is_gone(const struct bh_out_route *r)
{
	return r->want == NULL && r->held == NULL && r->under_way == 0;
}

void
bh_output_set(struct bh_output *o, struct bh_out_route *r, struct bh_nh *nh,
	const struct bh_out_attr *attr)
{
	struct bh_nh *old = r->want;

	if (nh == old && (nh == NULL || attr_same(attr, &r->want_attr)))
		return;
	r->out = o;
	r->want = nh_hold(nh);
	if (nh != NULL) {
		r->want_attr = *attr;
		if (nh->state == BH_NH_REFUSED)
			nh->state = BH_NH_ABSENT;
	}
	route_move(r, &o->routes);
	nh_release(o, old);
}

static void
route_done(struct bh_out_route *r, const struct bh_msg *msg)
{
	struct bh_output *o = r->out;
	bool done = msg->status == 0 || (r->under_way == BH_V_DELETE && msg->status == -ENOENT);
	char text[BH_PREFIX_STRLEN];
	bool other;

	r->under_way = 0;
	if (done) {
		nh_release(o, r->held);
		r->held = r->sent;
		r->held_attr = r->sent_attr;
		r->sent = NULL;
		route_move(r, &o->routes);
		return;
	}
	out_refused(o, "route", bh_prefix_format(o->prefix(r), text, sizeof(text)), msg->status);
	/* Tried at once if it is something else by now, the same again later. */
	other = r->want != r->sent || (r->want != NULL && !attr_same(&r->want_attr, &r->sent_attr));
	route_move(r, other ? &o->routes : &o->refused);
	nh_release(o, r->sent);
	r->sent = NULL;
}

static void
route_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_out_route *r = arg;

	(void)body;
	(void)len;
	if (bh_output_replied(r->out, msg))
		route_done(r, msg);
}

static int
route_send(struct bh_output *o, struct bh_out_route *r, uint8_t verb)
{
	uint8_t body[sizeof(struct bh_route6_key) + sizeof(struct bh_route)];
	const struct bh_prefix *p = o->prefix(r);
	size_t len = bh_key_route(p, body);
	struct bh_route val = {0};
	int rc;

	if (verb == BH_V_ADD) {
		val.nh = r->want->id;
		val.proto = r->want_attr.proto;
		val.sub = r->want_attr.sub;
		val.preference = r->want_attr.preference;
		val.metric = r->want_attr.metric;
		memcpy(body + len, &val, sizeof(val));
		len += sizeof(val);
	}
	rc = bh_output_submit(
		o, verb, p->family == 4 ? BH_T_ROUTE4 : BH_T_ROUTE6, body, len, route_replied, r);
	if (rc < 0)
		return rc;
	r->under_way = verb;
	r->sent = verb == BH_V_ADD ? nh_hold(r->want) : NULL;
	r->sent_attr = r->want_attr;
	route_move(r, NULL);
	return 0;
}

static int
route_see_to_wanted(struct bh_output *o, struct bh_out_route *r)
{
	if (r->want->state == BH_NH_LIVE) {
		if (r->held != r->want || !attr_same(&r->held_attr, &r->want_attr))
			return route_send(o, r, BH_V_ADD);
		route_move(r, NULL);
		return 0;
	}
	if (r->want->state == BH_NH_REFUSED) {
		route_move(r, &o->refused);
		return 0;
	}
	if (r->want->state == BH_NH_ABSENT)
		nh_queue(o, r->want);
	route_move(r, &r->want->waiters);
	return 0;
}

/* Does what the route needs by now; it leaves the list, unless submit refuses. */
static int
route_see_to(struct bh_output *o, struct bh_out_route *r)
{
	if (r->under_way != 0) {
		route_move(r, NULL);
		return 0;
	}
	if (r->want != NULL)
		return route_see_to_wanted(o, r);
	if (r->held != NULL)
		return route_send(o, r, BH_V_DELETE);
	route_move(r, NULL);
	if (o->gone != NULL)
		o->gone(o->gone_arg, r);
	return 0;
}

void
bh_output_retry(struct bh_output *o)
{
	struct bh_out_route *r;

	while ((r = TAILQ_FIRST(&o->refused)) != NULL) {
		if (r->want != NULL && r->want->state == BH_NH_REFUSED)
			r->want->state = BH_NH_ABSENT;
		route_move(r, &o->routes);
	}
}

/* ---- another info base ---- */

static void
nh_forget(void *arg, struct bh_nh *nh)
{
	nh->state = BH_NH_ABSENT;
	nh->id = 0;
	nh_wake(arg, nh);
}

void
bh_output_restart(struct bh_output *o, struct bh_nh_table *nhs)
{
	o->replay = BH_REPLAY_IDLE;
	o->marks = 0;
	o->under_way = 0;
	o->error = 0;
	o->told = false;
	bh_nh_walk(nhs, nh_forget, o);
}

void
bh_output_forget(struct bh_output *o, struct bh_out_route *r)
{
	nh_release(o, r->sent);
	nh_release(o, r->held);
	r->sent = r->held = NULL;
	r->under_way = 0;
	if (r->out != NULL) /* the RIB had something to say of it */
		route_move(r, &o->routes);
}

void
bh_output_ready(struct bh_output *o)
{
	if (!o->told)
		o->ops->ready(o->ctx);
	o->told = true;
}

bool
bh_output_idle(const struct bh_output *o)
{
	return o->under_way == 0 && TAILQ_EMPTY(&o->routes) && TAILQ_EMPTY(&o->nexthops);
}

static int
out_pump(struct bh_output *o)
{
	struct bh_out_route *r;
	struct bh_nh *nh;
	int rc;

	rc = bh_replay_step(o);
	if (rc < 0)
		return rc;
	do {
		while ((nh = TAILQ_FIRST(&o->nexthops)) != NULL)
			if ((rc = nh_see_to(o, nh)) < 0)
				return rc;
		while ((r = TAILQ_FIRST(&o->routes)) != NULL)
			if ((rc = route_see_to(o, r)) < 0)
				return rc;
	} while (!TAILQ_EMPTY(&o->nexthops));
	return bh_replay_step(o);
}

int
bh_output_pump(struct bh_output *o)
{
	int rc = 0;

	if (o->replay != BH_REPLAY_IDLE && o->error == 0)
		rc = out_pump(o);
	return o->error != 0 ? o->error : rc == -EAGAIN ? 0 : rc;
}
