/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/life.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/supervisor/corebeat.h"
#include "app/supervisor/lives.h"
#include "app/supervisor/procfs.h"
#include "app/supervisor/proctable.h"
#include "lib/log/log.h"

#define AREA "life"
#define ADOPTED_MS 50 /* between two looks whether an adopted process is stopped */

/* A process whose successor was started before it was gone. */
struct bh_remains {
	struct bh_remains *next;
	struct bh_supervisor *s;
	struct bh_child *c; /* whose process it was */
	pid_t pid;
	int pidfd;
	bool adopted;
	struct event *ev, *ev_kill;
};

void
bh_life_signal(const struct bh_child *c, int sig)
{
	int rc = 0;

	if (c->pidfd >= 0)
		rc = bh_pidfd_kill(c->pidfd, sig);
	else if (c->pid != 0 && kill(c->pid, sig) < 0)
		rc = -errno;
	if (rc < 0 && rc != -ESRCH)
		bh_err(AREA, "signal %d for %s (pid %d): %s", sig, c->name, c->pid, strerror(-rc));
}

void
bh_life_kill(struct bh_child *c, uint8_t cause)
{
	if (c->cause == 0)
		c->cause = cause;
	bh_life_signal(c, SIGKILL);
}

/* The wait status, BH_EXIT_UNTOLD if nobody tells us; -EAGAIN: it has not ended yet. */
static int
collect(pid_t pid, bool adopted, int *status)
{
	pid_t got;

	*status = BH_EXIT_UNTOLD;
	if (adopted)
		return 0;
	got = waitpid(pid, status, WNOHANG);
	if (got == 0)
		return -EAGAIN;
	if (got < 0)
		*status = BH_EXIT_UNTOLD;
	return 0;
}

/* ---- what is left of a predecessor ---- */

static void
note_end(struct bh_child *c, uint64_t seen_ns)
{
	c->seen_ns = seen_ns;
	c->how = c->cause != 0 ? c->cause : BH_HOW_EXIT;
}

static void
remains_free(struct bh_remains *r)
{
	struct bh_remains **at = &r->s->remains;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	event_free(r->ev);
	if (r->ev_kill != NULL)
		event_free(r->ev_kill);
	close(r->pidfd);
	free(r);
}

static void
on_remains(evutil_socket_t fd, short what, void *arg)
{
	struct bh_remains *r = arg;
	struct bh_supervisor *s = r->s;
	struct bh_child *c = r->c;
	char text[96];
	int status;

	(void)fd;
	(void)what;
	if (collect(r->pid, r->adopted, &status) < 0)
		return;
	bh_warn("process", "%s (pid %d) ended: %s", c->name, r->pid,
		bh_child_exit_text(status, text, sizeof(text)));
	c->last_exit = status;
	remains_free(r);
	bh_supervise_gone(s, c);
}

/* Leaves the process of c to a record of its own. 0 or -errno: it must be waited for. */
static int
leave(struct bh_supervisor *s, struct bh_child *c)
{
	struct bh_remains *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	*r = (struct bh_remains){.next = s->remains, .s = s, .c = c, .pid = c->pid,
		.pidfd = c->pidfd, .adopted = c->adopted};
	r->ev = event_new(s->base, r->pidfd, EV_READ | EV_PERSIST, on_remains, r);
	if (r->ev == NULL || event_add(r->ev, NULL) < 0) {
		if (r->ev != NULL)
			event_free(r->ev);
		free(r);
		return -ENOMEM;
	}
	s->remains = r;
	event_free(c->ev_end);
	c->ev_end = NULL;
	c->pidfd = -1;
	return 0;
}

static void
on_grace_over(evutil_socket_t fd, short what, void *arg)
{
	const struct bh_remains *r = arg;

	(void)fd;
	(void)what;
	bh_warn(AREA, "the predecessor of %s (pid %d) does not leave: killed", r->c->name, r->pid);
	bh_pidfd_kill(r->pidfd, SIGKILL);
}

void
bh_life_leave(struct bh_supervisor *s, struct bh_child *c, int seconds)
{
	struct timeval grace = {.tv_sec = seconds};
	struct bh_remains *r;

	if (c->cause == 0)
		c->cause = BH_HOW_ORDER;
	note_end(c, bh_now_ns());
	if (leave(s, c) < 0) {
		bh_life_signal(c, SIGKILL);
	} else {
		r = s->remains;
		r->ev_kill = evtimer_new(s->base, on_grace_over, r);
		if (r->ev_kill == NULL || event_add(r->ev_kill, &grace) < 0)
			bh_pidfd_kill(r->pidfd, SIGKILL);
	}
	bh_life_unwatch(s, c);
}

bool
bh_life_remains(const struct bh_supervisor *s)
{
	return s->remains != NULL;
}

/* ---- ends ---- */

/* The robust mutex was handed over. The rest of the process, if its main thread alone ended or it
 * became another program, is no module of ours any more. */
static void
on_owner_ended(void *arg, uint64_t seen_ns)
{
	struct bh_child *c = arg;
	struct bh_supervisor *s = c->owner;

	note_end(c, seen_ns);
	bh_life_signal(c, SIGKILL);
	c->owner_ended = true;
	if (s->stopping || c->is_core || c->heir != NULL || leave(s, c) < 0)
		return;
	bh_supervise_ended(s, c, BH_EXIT_UNTOLD);
}

/* The whole process has ended. */
static void
on_process_ended(evutil_socket_t fd, short what, void *arg)
{
	struct bh_child *c = arg;
	int status;

	(void)fd;
	(void)what;
	if (collect(c->pid, c->adopted, &status) < 0)
		return;
	if (!c->owner_ended)
		note_end(c, bh_now_ns());
	bh_supervise_ended(c->owner, c, status);
}

/* ---- stops and hangs ---- */

static void
kill_stopped(struct bh_child *c)
{
	bh_warn(AREA, "%s (pid %d) was stopped by a signal: killed", c->name, c->pid);
	if (c->pulse.begun)
		c->detect_us = (bh_now_ns() - c->pulse.turn_ns) / 1000;
	bh_life_kill(c, BH_HOW_STOP);
}

void
bh_life_stopped(struct bh_supervisor *s)
{
	for (unsigned int i = 0; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];
		siginfo_t si = {0};

		if (c->pid != 0 && !c->adopted && c->cause == 0 &&
			waitid(P_PID, c->pid, &si, WSTOPPED | WNOHANG) == 0 && si.si_pid != 0)
			kill_stopped(c);
	}
}

/* Of these no SIGCHLD comes. */
static void
look_at_adopted(struct bh_supervisor *s)
{
	for (unsigned int i = 0; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];

		if (c->pid != 0 && c->adopted && c->cause == 0 &&
			bh_procfs_state(c->pid, 0) == 'T')
			kill_stopped(c);
	}
}

static void
look_at(struct bh_supervisor *s, struct bh_child *c)
{
	enum bh_pulse_verdict v;

	if (c->pid == 0 || c->life < 0 || c->is_core || c->state != BH_PROC_READY || c->cause != 0 ||
		s->stopping)
		return;
	v = bh_pulse_check(&c->pulse, bh_lives_at(s->lives, c->life), c->pid);
	if (v == BH_PULSE_WELL || v == BH_PULSE_TRACED)
		return;
	c->detect_us = (bh_now_ns() - c->pulse.turn_ns) / 1000;
	bh_warn(AREA, "%s (pid %d) %s for %u ms: killed", c->name, c->pid, bh_pulse_text(v),
		c->detect_us / 1000);
	bh_life_kill(c, v == BH_PULSE_STOPPED ? BH_HOW_STOP : BH_HOW_HANG);
}

static void
look_at_core(struct bh_supervisor *s, struct bh_child *core)
{
	const struct bh_stats *stats = s->table != NULL ? bh_proctable_stats(s->table) : NULL;
	enum bh_pulse_verdict v;
	unsigned int which;

	if (stats == NULL || core->pid == 0 || core->cause != 0 || s->stopping)
		return;
	v = bh_corebeat_check(s->corebeat, stats, core->pid, NULL, &which);
	if (v == BH_PULSE_WELL || v == BH_PULSE_TRACED || core->hung)
		return;
	core->hung = true;
	core->detect_us = (bh_now_ns() - s->corebeat->lcore[which].turn_ns) / 1000;
	bh_err("alarm", "lcore %u of the core (pid %d) %s for %u ms: %s", which, core->pid,
		bh_pulse_text(v), core->detect_us / 1000,
		s->opt->keep_hung_core ? "left as it is" : "killed");
	if (!s->opt->keep_hung_core)
		bh_life_kill(core, v == BH_PULSE_STOPPED ? BH_HOW_STOP : BH_HOW_HANG);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct bh_supervisor *s = arg;

	(void)fd;
	(void)what;
	for (unsigned int i = 0; i < s->n_children; i++)
		look_at(s, &s->child[i]);
	if (++s->ticks % (ADOPTED_MS / BH_PULSE_MS) == 0)
		look_at_adopted(s);
	if (s->ticks % (BH_COREBEAT_MS / BH_PULSE_MS) == 0)
		look_at_core(s, &s->child[0]);
}

/* ---- making ---- */

int
bh_life_watch(struct bh_supervisor *s, struct bh_child *c, int life_fd)
{
	c->owner_ended = c->hung = false;
	c->life = -1;
	if (c->is_core)
		memset(s->corebeat, 0, sizeof(*s->corebeat));
	c->ev_end = event_new(s->base, c->pidfd, EV_READ | EV_PERSIST, on_process_ended, c);
	if (c->ev_end == NULL || event_add(c->ev_end, NULL) < 0)
		return -ENOMEM;
	if (s->lives == NULL || life_fd < 0)
		return 0;
	c->life = bh_lives_watch(s->lives, life_fd, on_owner_ended, c);
	if (c->life < 0)
		bh_warn(AREA, "%s is watched without its life page: %s", c->name,
			strerror(-c->life));
	return 0;
}

void
bh_life_unwatch(struct bh_supervisor *s, struct bh_child *c)
{
	if (s->lives != NULL)
		bh_lives_forget(s->lives, c->life);
	c->life = -1;
	if (c->ev_end != NULL)
		event_free(c->ev_end);
	c->ev_end = NULL;
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
	c->cause = 0;
}

int
bh_life_init(struct bh_supervisor *s)
{
	static const struct timeval tick = {.tv_usec = BH_PULSE_MS * 1000};

	s->lives = bh_lives_open(s->base);
	if (s->lives == NULL)
		bh_notice(AREA, "robust mutexes are not waited for (%s): ends are told by pidfds "
			"alone", strerror(errno));
	s->corebeat = calloc(1, sizeof(*s->corebeat));
	if (s->corebeat == NULL)
		return -ENOMEM;
	s->ev_tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	return s->ev_tick == NULL || event_add(s->ev_tick, &tick) < 0 ? -ENOMEM : 0;
}

void
bh_life_fini(struct bh_supervisor *s)
{
	while (s->remains != NULL)
		remains_free(s->remains);
	for (unsigned int i = 0; i < s->n_children; i++)
		bh_life_unwatch(s, &s->child[i]);
	if (s->ev_tick != NULL)
		event_free(s->ev_tick);
	bh_lives_close(s->lives);
	s->lives = NULL;
	free(s->corebeat);
	s->corebeat = NULL;
}
