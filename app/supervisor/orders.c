/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/orders.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/supervisor/heir.h"
#include "app/supervisor/life.h"
#include "app/supervisor/spawn.h"
#include "lib/log/log.h"

#define GRACE_SECONDS 3	   /* between SIGTERM and SIGKILL */
#define READY_SECONDS 120  /* for a module to be ready, an heir too */
#define PROMOTE_SECONDS 10 /* for the core to promote an heir */
#define ANSWER_SECONDS 60  /* for a module to do what a word asks for */

enum step {
	STEP_END,     /* its process shall end */
	STEP_READY,   /* a process of it shall be ready */
	STEP_HEIR,    /* the heir shall be ready */
	STEP_PROMOTE, /* the core shall promote the heir */
	STEP_ANSWER,  /* the module shall say that it is done */
};

enum verb {
	VERB_RESTART,
	VERB_STOP,
	VERB_START,
	VERB_UPGRADE,
	VERB_REPLAY,
	VERB_RENEW,
	VERBS
};

static const char *const verbs[VERBS] = {"restart", "stop", "start", "upgrade", "replay", "renew"};

struct bh_order {
	struct bh_supervisor *s;
	struct bh_child *c;
	enum verb verb;
	enum step step;
	bool killed; /* SIGTERM was not enough */
	uint64_t begun_ns;
	struct event *ev_late;
	struct bh_heir *heir;
	bh_order_fn fn; /* NULL: nobody listens */
	void *arg;
};

/* ---- ends of an order ---- */

static void finish(struct bh_order *o, bool done, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void
finish(struct bh_order *o, bool done, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bh_log(done ? BH_LOG_NOTICE : BH_LOG_WARNING, "order", "%s %s: %s", verbs[o->verb],
		o->c->name, text);
	if (o->heir != NULL)
		bh_heir_end(o->heir);
	o->c->order = NULL;
	if (o->fn != NULL)
		o->fn(o->arg, done, text);
	event_free(o->ev_late);
	free(o);
}

void
bh_order_forget(struct bh_order *o)
{
	o->fn = NULL;
}

static void
set_step(struct bh_order *o, enum step step, int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	o->step = step;
	event_add(o->ev_late, &tv);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct bh_order *o = arg;

	(void)fd;
	(void)what;
	switch (o->step) {
	case STEP_END:
		if (o->killed) {
			finish(o, false, "pid %d does not end", o->c->pid);
			return;
		}
		o->killed = true;
		bh_life_signal(o->c, SIGKILL);
		set_step(o, STEP_END, READY_SECONDS);
		break;
	case STEP_READY:
		finish(o, false, "it is not ready after %d s", READY_SECONDS);
		break;
	case STEP_HEIR:
		finish(o, false, "the new program is not ready after %d s; the old one goes on",
			READY_SECONDS);
		break;
	case STEP_ANSWER:
		finish(o, false, "it has not done so after %d s", ANSWER_SECONDS);
		break;
	case STEP_PROMOTE:
		finish(o, false, "the core does not answer; the old program goes on");
		break;
	}
}

/* ---- restart, stop, start ---- */

static void
start(struct bh_order *o)
{
	struct bh_child *c = o->c;

	c->put_down = false;
	c->recent = 0;
	set_step(o, STEP_READY, READY_SECONDS);
	bh_supervise_start_again(c);
}

static void
end(struct bh_order *o)
{
	o->c->cause = BH_HOW_ORDER;
	set_step(o, STEP_END, GRACE_SECONDS);
	bh_life_signal(o->c, SIGTERM);
}

static void
put_down(struct bh_order *o)
{
	struct bh_child *c = o->c;

	event_del(c->ev_again);
	c->state = BH_PROC_STOPPED;
	bh_supervise_publish(o->s, c);
	finish(o, true, "stopped");
}

static void
take_restart(struct bh_order *o)
{
	if (o->c->pid != 0)
		end(o);
	else
		start(o);
}

static void
take_stop(struct bh_order *o)
{
	o->c->put_down = true;
	if (o->c->pid != 0)
		end(o);
	else
		put_down(o);
}

static void
take_start(struct bh_order *o)
{
	if (o->c->pid != 0)
		finish(o, false, "it runs already, pid %d", o->c->pid);
	else
		start(o);
}

bool
bh_order_ended(struct bh_supervisor *s, struct bh_child *c)
{
	struct bh_order *o = c->order;

	if (o == NULL)
		return false;
	if (o->step == STEP_HEIR || o->step == STEP_PROMOTE) {
		finish(o, false, "the old program ended meanwhile and is started again");
		return false;
	}
	if (o->step == STEP_ANSWER)
		finish(o, false, "it ended meanwhile; its successor replays in any case");
	if (c->order == NULL || o->step != STEP_END)
		return false;
	if (o->verb == VERB_STOP) {
		put_down(o);
		return true;
	}
	set_step(o, STEP_READY, READY_SECONDS);
	if (s->child[0].state != BH_PROC_READY)
		return false; /* started with the core */
	c->recent = 0;
	c->death_ns = c->seen_ns;
	c->state = BH_PROC_EXITED;
	bh_supervise_publish(s, c);
	bh_supervise_start_again(c);
	return true;
}

void
bh_order_ready(struct bh_supervisor *s, struct bh_child *c)
{
	struct bh_order *o = c->order;

	(void)s;
	if (o != NULL && o->step == STEP_READY)
		finish(o, true, "ready, pid %d, after %.3f s", c->pid,
			(bh_now_ns() - o->begun_ns) / 1e9);
}

/* ---- replay, renew: words to a module that has to know them ---- */

static const struct {
	const char *word, *answer;
} spoken[VERBS] = {
	[VERB_REPLAY] = {"REPLAY", "REPLAYED"},
	[VERB_RENEW] = {"RENEW", "RENEWED"},
};

static void
take_word(struct bh_order *o)
{
	const char *word = spoken[o->verb].word;

	if (o->c->state != BH_PROC_READY)
		finish(o, false, "it is not ready");
	else if (!bh_is_routing(o->c))
		finish(o, false, "only routing knows this order");
	else if (send(o->c->sup_fd, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		finish(o, false, "it cannot be told: %s", strerror(errno));
	else
		set_step(o, STEP_ANSWER, ANSWER_SECONDS);
}

bool
bh_order_module_said(struct bh_child *c, const char *text)
{
	struct bh_order *o = c->order;
	bool known = false;

	for (int i = 0; i < VERBS; i++)
		known |= spoken[i].answer != NULL && strcmp(text, spoken[i].answer) == 0;
	/* An answer to an order that has ended is one to nobody. */
	if (known && o != NULL && o->step == STEP_ANSWER &&
		strcmp(text, spoken[o->verb].answer) == 0)
		finish(o, true, "done after %.3f s", (bh_now_ns() - o->begun_ns) / 1e9);
	return known;
}

/* ---- upgrade ---- */

static void
take_upgrade(struct bh_order *o, const char *path)
{
	int rc;

	if (o->c->state != BH_PROC_READY) {
		finish(o, false, "it is not ready: start or restart it");
		return;
	}
	if (path != NULL && path[0] != '/') {
		finish(o, false, "the program's path must be absolute");
		return;
	}
	o->heir = bh_heir_start(o->s, o->c, path, &rc);
	if (o->heir == NULL)
		finish(o, false, "%s cannot be started: %s", path != NULL ? path : o->c->path,
			strerror(-rc));
	else
		set_step(o, STEP_HEIR, READY_SECONDS);
}

static struct bh_order *
order_of_heir(struct bh_supervisor *s, pid_t pid)
{
	for (unsigned int i = 1; i < s->n_children; i++) {
		struct bh_order *o = s->child[i].order;

		if (o != NULL && o->heir != NULL && bh_heir_child(o->heir)->pid == pid)
			return o;
	}
	return NULL;
}

void
bh_order_heir_ready(struct bh_supervisor *s, struct bh_child *heir)
{
	struct bh_order *o = order_of_heir(s, heir->pid);
	int rc;

	if (o == NULL || o->step != STEP_HEIR)
		return;
	rc = bh_heir_promote(o->heir);
	if (rc < 0)
		finish(o, false, "the core cannot be asked: %s", strerror(-rc));
	else
		set_step(o, STEP_PROMOTE, PROMOTE_SECONDS);
}

/* The core has made the heir the owner: there is no way back. */
static void
promoted(struct bh_order *o)
{
	struct bh_heir *heir = o->heir;
	int rc;

	o->heir = NULL;
	set_step(o, STEP_READY, READY_SECONDS);
	rc = bh_heir_succeed(heir);
	if (rc < 0) { /* a death like others, of what is now the owner */
		bh_err("order", "%s cannot take over: %s", o->c->name, strerror(-rc));
		bh_life_signal(o->c, SIGKILL);
	}
}

bool
bh_order_core_said(struct bh_supervisor *s, const char *text)
{
	char word[16], name[BH_NAME_LEN];
	struct bh_order *o;
	bool yes;
	int pid;

	if (sscanf(text, "%15s %15s %d", word, name, &pid) != 3)
		return false;
	yes = strcmp(word, "PROMOTED") == 0;
	if (!yes && strcmp(word, "REFUSED") != 0)
		return false;
	o = order_of_heir(s, pid);
	if (o == NULL || o->step != STEP_PROMOTE || strcmp(o->c->name, name) != 0)
		return true; /* of an order that has ended */
	if (yes)
		promoted(o);
	else
		finish(o, false, "the core refused; the old program goes on");
	return true;
}

void
bh_order_heir_ended(struct bh_supervisor *s, struct bh_child *heir)
{
	struct bh_order *o = order_of_heir(s, heir->pid);
	char text[96];

	bh_child_exit_text(heir->last_exit, text, sizeof(text));
	if (o != NULL)
		finish(o, false, "the new program ended (%s); the old one goes on", text);
}

void
bh_order_core_ended(struct bh_supervisor *s)
{
	for (unsigned int i = 1; i < s->n_children; i++) {
		struct bh_order *o = s->child[i].order;

		if (o != NULL && (o->step == STEP_HEIR || o->step == STEP_PROMOTE))
			finish(o, false, "the core ended");
	}
}

void
bh_order_stop(struct bh_supervisor *s)
{
	for (unsigned int i = 1; i < s->n_children; i++)
		if (s->child[i].order != NULL)
			finish(s->child[i].order, false, "bulkhead is being stopped");
}

void
bh_order_fini(struct bh_supervisor *s)
{
	bh_order_stop(s);
	bh_heirs_free(s);
}

/* ---- taking orders ---- */

static struct bh_child *
find_module(struct bh_supervisor *s, const char *name)
{
	for (unsigned int i = 1; i < s->n_children; i++)
		if (strcmp(s->child[i].name, name) == 0)
			return &s->child[i];
	return NULL;
}

static int
find_verb(const char *word)
{
	for (int i = 0; i < VERBS; i++)
		if (strcmp(word, verbs[i]) == 0)
			return i;
	return -ENOENT;
}

/* Why an order cannot be taken, or NULL. */
static const char *
refusal(const struct bh_supervisor *s, int verb, const char *name, const struct bh_child *c)
{
	if (verb < 0)
		return "unknown order: restart, stop, start, upgrade, replay or renew";
	if (strcmp(name, "core") == 0)
		return "the core is no module: stop or start bulkhead itself";
	if (c == NULL)
		return "no such module in the configuration";
	if (c->order != NULL)
		return "another order about it is under way";
	if (s->stopping || !s->announced)
		return "bulkhead is starting or being stopped";
	if (s->child[0].state != BH_PROC_READY)
		return "the core is not ready";
	return NULL;
}

static struct bh_order *
make(struct bh_supervisor *s, struct bh_child *c, enum verb verb, bh_order_fn fn, void *arg)
{
	struct bh_order *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	*o = (struct bh_order){.s = s, .c = c, .verb = verb, .begun_ns = bh_now_ns(), .fn = fn,
		.arg = arg};
	o->ev_late = evtimer_new(s->base, on_late, o);
	if (o->ev_late == NULL) {
		free(o);
		return NULL;
	}
	c->order = o;
	return o;
}

struct bh_order *
bh_order_take(struct bh_supervisor *s, const char *words, bh_order_fn fn, void *arg)
{
	char word[16] = "", name[BH_NAME_LEN] = "", path[512] = "";
	int n = sscanf(words, "%15s %15s %511[^\n]", word, name, path), verb = find_verb(word);
	struct bh_child *c = find_module(s, name);
	const char *why = refusal(s, verb, name, c);
	struct bh_order *o = why == NULL ? make(s, c, verb, fn, arg) : NULL;

	if (o == NULL) {
		fn(arg, false, why != NULL ? why : strerror(ENOMEM));
		return NULL;
	}
	if (verb == VERB_RESTART)
		take_restart(o);
	else if (verb == VERB_STOP)
		take_stop(o);
	else if (verb == VERB_START)
		take_start(o);
	else if (verb == VERB_UPGRADE)
		take_upgrade(o, n == 3 ? path : NULL);
	else
		take_word(o);
	return c->order;
}
