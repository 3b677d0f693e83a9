/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/supervisor/adopt.h"
#include "app/supervisor/bootrec.h"
#include "app/supervisor/heir.h"
#include "app/supervisor/life.h"
#include "app/supervisor/lives.h"
#include "app/supervisor/notify.h"
#include "app/supervisor/orders.h"
#include "app/supervisor/proctable.h"
#include "app/supervisor/spawn.h"
#include "app/supervisor/status.h"
#include "app/supervisor/taps.h"
#include "lib/log/log.h"

#define START_SECONDS 120  /* a child that is not ready by then has failed to start */
#define STOP_SECONDS 3	   /* between SIGTERM and SIGKILL */
#define DEATHS_MAX 6	   /* in a row, each within healthy_ns of its start: held */

void
bh_supervise_publish(struct bh_supervisor *s, const struct bh_child *c)
{
	if (s->table != NULL && c->state != 0)
		bh_proctable_put(s->table, c);
	bh_adopt_remember(s);
	bh_status_tell(s);
}

/* ---- starting ---- */

static void child_died(struct bh_supervisor *s, struct bh_child *c);

/*
 * A start that fails stops the router only while it comes up. Later it is one more death of this
 * child: the core may have died a moment ago, and its end is not told yet.
 */
static void
start_failed(struct bh_supervisor *s, struct bh_child *c, int rc)
{
	bh_err("start", "%s (%s): %s", c->name, c->path, strerror(-rc));
	if (!s->announced)
		bh_supervise_stop(s, BH_EXIT_FAILED);
	else if (c->pid != 0)
		bh_life_signal(c, SIGKILL); /* told by its pidfd */
	else
		child_died(s, c);
}

static void
start_child(struct bh_supervisor *s, struct bh_child *c)
{
	int life_fd = bh_lives_page(), rc;

	rc = c->is_core ? bh_spawn_core(s, c, life_fd) : bh_spawn_module(s, c, life_fd);
	if (rc == 0)
		rc = bh_supervise_listen(s, c, life_fd);
	if (life_fd >= 0)
		close(life_fd);
	if (rc < 0) {
		start_failed(s, c, rc);
		return;
	}
	bh_info("start", "%s started, pid %d", c->name, c->pid);
	bh_supervise_publish(s, c);
}

static void
set_deadline(struct bh_supervisor *s, int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	event_add(s->ev_deadline, &tv);
}

static void
core_is_ready(struct bh_supervisor *s)
{
	int rc = bh_spawn_table(s);

	if (rc < 0) {
		start_failed(s, &s->child[0], rc);
		return;
	}
	for (unsigned int i = 1; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];

		if (c->pid != 0 && bh_spawn_renew_role(s, c) < 0)
			bh_life_signal(c, SIGKILL); /* its successor gets one */
	}
	set_deadline(s, START_SECONDS);
}

int
bh_supervise_adopted(struct bh_supervisor *s)
{
	s->announced = s->adopting = true;
	set_deadline(s, START_SECONDS);
	return bh_spawn_table(s);
}

static void
all_are_ready(struct bh_supervisor *s)
{
	event_del(s->ev_deadline);
	if (s->announced && !s->adopting)
		return;
	s->announced = true;
	s->adopting = false;
	puts("bulkhead: ready");
	fflush(stdout);
	bh_notify(s->notify, "READY=1");
}

void
bh_supervise_advance(struct bh_supervisor *s)
{
	for (unsigned int i = 0; i < s->n_children && !s->stopping; i++) {
		struct bh_child *c = &s->child[i];

		if (c->state == 0) {
			set_deadline(s, START_SECONDS);
			start_child(s, c);
			return;
		}
		/* One that was ready once and died comes back by itself: the order goes on. */
		if (c->state != BH_PROC_READY && !c->was_ready && c->state != BH_PROC_HELD &&
			!c->put_down)
			return;
	}
	if (!s->stopping)
		all_are_ready(s);
}

void
bh_supervise_ready(struct bh_supervisor *s, struct bh_child *c)
{
	if (c->state != BH_PROC_STARTING)
		return;
	c->state = BH_PROC_READY;
	c->was_ready = true;
	if (c->death_ns != 0)
		c->recovery_us = (bh_now_ns() - c->death_ns) / 1000;
	bh_info("start", "%s is ready", c->name);
	bh_order_ready(s, c);
	if (c->is_core)
		core_is_ready(s);
	else
		bh_supervise_publish(s, c);
	bh_supervise_advance(s);
}

/* ---- ending ---- */

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct bh_child *c = arg;
	struct bh_supervisor *s = c->owner;

	(void)fd;
	(void)what;
	if (s->stopping || c->pid != 0)
		return;
	if (c->is_core) {
		c->state = 0;
		c->restarts++;
		bh_supervise_advance(s);
	} else if (s->child[0].state == BH_PROC_READY) {
		c->restarts++;
		start_child(s, c);
	}
}

/* First at once, then after 100 ms, 200 ms ... 1.6 s. */
void
bh_supervise_start_again(struct bh_child *c)
{
	unsigned int ms = c->recent <= 1 ? 0 : 100u << (c->recent - 2);
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(c->ev_again, &tv);
}

static void
forget_process(struct bh_supervisor *s, struct bh_child *c)
{
	bh_life_unwatch(s, c);
	bh_supervise_unlisten(c);
	c->pid = 0;
}

/* Counts a death that came soon after the start. */
static void
count_death(const struct bh_supervisor *s, struct bh_child *c)
{
	c->death_ns = c->seen_ns;
	if (c->death_ns - c->start_ns > s->opt->healthy_ns)
		c->recent = 0;
	c->recent++;
}

/* A module that lives waits for the next core, by a new role socket; one that does not, held ones
 * too, is started with it: what it died of was, most often, the core's end. */
static void
outlives_core(struct bh_child *c, const struct bh_child *core)
{
	event_del(c->ev_again);
	c->was_ready = false;
	c->recent = 0;
	c->death_ns = core->death_ns;
	if (c->pid != 0) {
		c->state = BH_PROC_STARTING;
		return;
	}
	if (c->put_down)
		return;
	c->restarts += c->start_ns != 0;
	c->state = 0;
}

static void
module_ended(struct bh_supervisor *s, struct bh_child *c)
{
	if (s->child[0].state != BH_PROC_READY) { /* started with the core again */
		outlives_core(c, &s->child[0]);
		return;
	}
	if (c->recent >= DEATHS_MAX) {
		c->state = BH_PROC_HELD;
		bh_err("alarm", "%s died %u times in a row and is held; forwarding goes on", c->name,
			c->recent);
		bh_supervise_publish(s, c);
		/* Without configuration there is nothing to go on with. */
		if (!s->announced && bh_is_config(c))
			bh_supervise_stop(s, BH_EXIT_FAILED);
		else
			bh_supervise_advance(s);
		return;
	}
	c->state = BH_PROC_EXITED;
	bh_supervise_publish(s, c);
	bh_supervise_start_again(c);
}

static bool
modules_run(const struct bh_supervisor *s)
{
	for (unsigned int i = 1; i < s->n_children; i++)
		if (s->child[i].pid != 0)
			return true;
	return false;
}

static void
end_modules(struct bh_supervisor *s, int sig)
{
	for (unsigned int i = s->n_children; i-- > 1;)
		if (s->child[i].pid != 0)
			bh_life_signal(&s->child[i], sig);
}

static void
core_ended(struct bh_supervisor *s, struct bh_child *core)
{
	bh_proctable_close(s->table);
	s->table = NULL;
	core->state = BH_PROC_EXITED;
	bh_order_core_ended(s);
	if (!s->announced || core->recent >= DEATHS_MAX) {
		bh_err("start", "the core %s", s->announced ? "died too often" : "did not start");
		bh_supervise_stop(s, BH_EXIT_FAILED);
		return;
	}
	for (unsigned int i = 1; i < s->n_children; i++)
		outlives_core(&s->child[i], core);
	core->was_ready = false;
	bh_supervise_start_again(core);
}

/* Goes on when the last process of a stop is gone. */
static void
after_end(struct bh_supervisor *s)
{
	struct bh_child *core = &s->child[0];

	if (!s->stopping || modules_run(s) || bh_heirs_run(s) || bh_life_remains(s))
		return;
	bh_proctable_close(s->table);
	s->table = NULL;
	if (core->pid != 0)
		bh_life_signal(core, SIGTERM);
	else
		event_base_loopexit(s->base, NULL); /* also before the loop runs */
}

/* What follows from a death that nobody ordered. */
static void
child_died(struct bh_supervisor *s, struct bh_child *c)
{
	count_death(s, c);
	if (c->is_core)
		core_ended(s, c);
	else
		module_ended(s, c);
	after_end(s);
}

void
bh_supervise_ended(struct bh_supervisor *s, struct bh_child *c, int status)
{
	char text[96];

	if (c->heir != NULL) {
		bh_heir_ended(s, c, status);
		after_end(s);
		return;
	}
	bh_child_exit_text(status, text, sizeof(text));
	/* Where the successor does not wait for the status, the log does: bh_supervise_gone(). */
	bh_log(s->stopping || (status == BH_EXIT_UNTOLD && !c->adopted) ? BH_LOG_INFO :
		BH_LOG_WARNING, "process", "%s (pid %d) ended: %s", c->name, c->pid, text);
	forget_process(s, c);
	c->last_exit = status;
	if (!s->stopping) {
		if (!bh_order_ended(s, c))
			child_died(s, c);
		return;
	}
	c->state = BH_PROC_STOPPED;
	after_end(s);
}

void
bh_supervise_gone(struct bh_supervisor *s, struct bh_child *c)
{
	if (s->stopping)
		after_end(s);
	else
		bh_supervise_publish(s, c);
}

void
bh_supervise_stop(struct bh_supervisor *s, int exit_code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_code = exit_code;
	bh_notify(s->notify, "STOPPING=1");
	set_deadline(s, STOP_SECONDS);
	bh_order_stop(s);
	end_modules(s, SIGTERM);
	after_end(s);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct bh_supervisor *s = arg;

	(void)fd;
	(void)what;
	if (s->stopping) { /* who did not go is made to */
		for (unsigned int i = s->n_children; i-- > 0;)
			if (s->child[i].pid != 0)
				bh_life_signal(&s->child[i], SIGKILL);
		return;
	}
	for (unsigned int i = 0; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];

		if (c->state != BH_PROC_STARTING)
			continue;
		bh_err("start", "%s is not ready after %d s", c->name, START_SECONDS);
		if (s->announced && c->pid != 0)
			bh_life_signal(c, SIGKILL); /* a death like others */
	}
	if (!s->announced)
		bh_supervise_stop(s, BH_EXIT_FAILED);
}

/* ---- making ---- */

int
bh_supervise_init(struct bh_supervisor *s, const struct bh_options *opt,
	const struct bh_identity *id, const struct bh_boot *boot, struct event_base *base)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->opt = opt;
	s->id = id;
	s->boot = boot;
	s->base = base;
	s->notify = bh_notify_open(base);
	if (s->notify == NULL && errno != 0)
		bh_warn("notify", "systemd is told nothing: %s", strerror(errno));
	s->ev_deadline = evtimer_new(base, on_deadline, s);
	s->boot_fd = bh_bootrec_memfd(boot);
	rc = s->boot_fd < 0 ? s->boot_fd : bh_children_make(s);
	for (unsigned int i = 0; i < s->n_children && rc == 0; i++) {
		s->child[i].ev_again = evtimer_new(base, on_again, &s->child[i]);
		rc = s->child[i].ev_again == NULL ? -ENOMEM : 0;
	}
	if (rc == 0)
		rc = bh_life_init(s);
	if (rc == 0)
		s->taps = bh_taps_new(boot);
	if (rc == 0 && s->ev_deadline != NULL)
		return BH_EXIT_OK;
	bh_err("start", "%s", strerror(rc < 0 ? -rc : ENOMEM));
	return BH_EXIT_FAILED;
}

void
bh_supervise_fini(struct bh_supervisor *s)
{
	bh_proctable_close(s->table);
	bh_order_fini(s);
	bh_life_fini(s);
	for (unsigned int i = 0; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];

		if (c->ev_sup != NULL)
			event_free(c->ev_sup);
		if (c->ev_again != NULL)
			event_free(c->ev_again);
		bh_child_free(c);
	}
	bh_taps_free(s->taps);
	if (s->ev_deadline != NULL)
		event_free(s->ev_deadline);
	bh_notify_close(s->notify);
	if (s->boot_fd >= 0)
		close(s->boot_fd);
}
