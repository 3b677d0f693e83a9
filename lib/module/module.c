/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop never sleeps before bh_prepare_wait() said that nothing is there, and never runs
 * libevent with NONBLOCK alone: that goes on as long as a descriptor is readable, and only a turn
 * reads it. A beat of 20 ms is the longest sleep.
 */
#include "lib/module/module.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/life/life.h"
#include "lib/log/log.h"

#define AREA "main"
#define START_MS 2000 /* until the first turn, on a slow machine */

uint64_t
bh_module_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
bh_module_ready(struct bh_module *m)
{
	int rc;

	if (m->told)
		return;
	rc = bh_ready();
	m->told = true;
	bh_info(AREA, "ready after %.3f s", (bh_module_now() - m->start) / 1e3);
	if (rc < 0)
		bh_warn(AREA, "cannot tell the supervisor: %s", strerror(-rc));
}

/* ---- events ---- */

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	/* Only wakes the loop, whose turn looks everywhere and is the sign of life. */
	(void)fd;
	(void)what;
	(void)arg;
}

int
bh_module_wait_for(struct bh_module *m, struct event **e, int fd)
{
	if (*e != NULL)
		event_free(*e);
	*e = fd < 0 ? NULL : event_new(m->base, fd, EV_READ | EV_PERSIST, on_wake, m);
	if (*e == NULL)
		return fd < 0 ? 0 : -ENOMEM;
	return event_add(*e, NULL) < 0 ? -EIO : 0;
}

/* The core is another one from now on; what was under way ends in here. */
static void
take_role(struct bh_module *m, int fd)
{
	if (bh_reopen_role(m->h, fd) < 0) {
		close(fd);
		return;
	}
	close(m->args.role_fd);
	m->args.role_fd = fd;
	m->renewed = true;
}

static void
take_word(struct bh_module *m, enum bh_word_kind kind, const struct bh_word *w)
{
	if (kind == BH_WORD_ROLE) {
		take_role(m, w->fd);
		return;
	}
	if (kind == BH_WORD_GONE) {
		event_del(m->words);
	} else if (kind == BH_WORD_LEAVE) {
		m->stop = true;
	} else if (kind == BH_WORD_TAKE) {
		m->told = false;
		if (m->ops->take_over != NULL)
			m->ops->take_over(m->ctx);
	}
	if ((m->ops->word == NULL || !m->ops->word(m->ctx, kind, w)) && w->fd >= 0)
		close(w->fd);
}

static void
on_words(evutil_socket_t fd, short what, void *arg)
{
	enum bh_word_kind kind;
	struct bh_word w;

	(void)fd;
	(void)what;
	while ((kind = bh_supervised_take(&w)) != BH_WORD_NONE)
		take_word(arg, kind, &w);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct bh_module *m = arg;

	(void)fd;
	(void)what;
	m->stop = true;
}

static int
make_events(struct bh_module *m)
{
	static const struct timeval beat = {.tv_usec = BH_LIFE_BEAT_MS * 1000};

	m->base = event_base_new();
	if (m->base == NULL)
		return -ENOMEM;
	m->term = evsignal_new(m->base, SIGTERM, on_signal, m);
	m->intr = evsignal_new(m->base, SIGINT, on_signal, m);
	m->timer = evtimer_new(m->base, on_wake, m);
	m->beat = event_new(m->base, -1, EV_PERSIST, on_wake, m);
	if (m->term == NULL || m->intr == NULL || m->timer == NULL || m->beat == NULL)
		return -ENOMEM;
	if (bh_supervised_fd() >= 0) {
		m->words = event_new(
			m->base, bh_supervised_fd(), EV_READ | EV_PERSIST, on_words, m);
		if (m->words == NULL || event_add(m->words, NULL) < 0)
			return -ENOMEM;
	}
	return event_add(m->term, NULL) < 0 || event_add(m->intr, NULL) < 0 ||
		event_add(m->beat, &beat) < 0 ? -EIO : 0;
}

static void
free_events(struct bh_module *m)
{
	struct event **e[] = {&m->readable, &m->words, &m->timer, &m->beat, &m->term, &m->intr};

	for (unsigned int i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		if (*e[i] != NULL)
			event_free(*e[i]);
		*e[i] = NULL;
	}
	if (m->base != NULL)
		event_base_free(m->base);
	m->base = NULL;
}

/* ---- life ---- */

static int
turn(struct bh_module *m)
{
	int n = bh_poll(m->h, 0), did, rc;

	bh_life_beat();
	if (n < 0)
		return n;
	did = m->ops->turn(m->ctx);
	bh_life_beat();
	if (did < 0)
		return did;
	rc = bh_flush(m->h);
	return rc < 0 ? rc : n + did;
}

static void
rest(struct bh_module *m)
{
	uint64_t now = bh_module_now(), until = UINT64_MAX;
	bool quiet = bh_prepare_wait(m->h);
	struct timeval tv;

	if (m->ops->rest != NULL)
		quiet = m->ops->rest(m->ctx, &until) && quiet;
	if (!quiet || until <= now) {
		event_base_loop(m->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		return;
	}
	if (until != UINT64_MAX) {
		tv.tv_sec = (until - now) / 1000;
		tv.tv_usec = (until - now) % 1000 * 1000;
		event_add(m->timer, &tv);
	}
	event_base_loop(m->base, EVLOOP_ONCE);
}

/* 0 when asked to stop; -ECONNRESET: the connection has ended. */
static int
serve(struct bh_module *m)
{
	int n;

	while (!m->stop) {
		if (m->renewed)
			return -ECONNRESET;
		n = turn(m);
		if (n < 0)
			return n;
		if (n == 0)
			rest(m);
		else
			event_base_loop(m->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	return 0;
}

/* One connection, until it ends. */
static int
live(struct bh_module *m)
{
	int rc;

	m->renewed = m->told = false;
	rc = m->ops->connected(m->ctx);
	if (rc == 0)
		rc = bh_module_wait_for(m, &m->readable, bh_fd(m->h));
	if (rc == 0)
		rc = serve(m);
	if (m->ops->lost != NULL)
		m->ops->lost(m->ctx);
	return rc;
}

/* The core is gone, or a successor of ours has come: the supervisor says what follows. 0, or
 * -ECONNRESET: there is no supervisor to say it. */
static int
await_core(struct bh_module *m)
{
	bh_notice(AREA, "the core is gone; waiting for the next one");
	bh_module_wait_for(m, &m->readable, -1);
	while (!m->renewed && !m->stop) {
		bh_life_beat();
		if (m->ops->away != NULL)
			m->ops->away(m->ctx);
		if (event_base_loop(m->base, EVLOOP_ONCE) < 0)
			return -ECONNRESET;
	}
	return 0;
}

/* Connection after connection. */
static int
follow_cores(struct bh_module *m)
{
	int rc = live(m);

	while ((rc == -ECONNRESET || rc == -ESTALE) && m->has_role) {
		if (!m->renewed && await_core(m) < 0)
			return rc;
		if (m->stop)
			return 0;
		m->start = bh_module_now();
		rc = live(m);
	}
	return rc;
}

int
bh_module_start(struct bh_module *m, const char *name, const struct bh_module_ops *ops, void *ctx)
{
	int rc;

	*m = (struct bh_module){.ops = ops, .ctx = ctx, .start = bh_module_now()};
	rc = bh_supervised_begin();
	if (rc < 0)
		bh_warn(AREA, "no link to the supervisor: %s", strerror(-rc));
	bh_life_busy(START_MS);
	bh_open_args_env(&m->args, name);
	m->args.service = BH_SERVICE_INFOBASE;
	m->has_role = m->args.role_fd >= 0;
	m->h = bh_open(&m->args);
	return m->h == NULL ? -errno : make_events(m);
}

int
bh_module_run(struct bh_module *m, enum bh_sandbox_profile profile)
{
	int rc;

	if (!m->has_role)
		profile = profile == BH_SANDBOX_AGENT ? BH_SANDBOX_AGENT_ALONE : BH_SANDBOX_ALONE;
	rc = bh_sandbox_enter(profile);
	return rc < 0 ? rc : follow_cores(m);
}

int
bh_module_end(struct bh_module *m, int rc)
{
	free_events(m);
	if (m->h != NULL)
		bh_close(m->h);
	m->h = NULL;
	if (rc == 0)
		return EXIT_SUCCESS;
	bh_err(AREA, "%s: %s", rc == -ECONNRESET ? "the core is gone" : "cannot go on",
		strerror(-rc));
	return rc == -ECONNRESET ? BH_MODULE_CORE_GONE : EXIT_FAILURE;
}
