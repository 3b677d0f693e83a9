/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/supervisor/bootrec.h"
#include "app/supervisor/configfile.h"
#include "app/supervisor/proctable.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/spawn.h"
#include "lib/log/log.h"

#define START_SECONDS 120  /* a child that is not ready by then has failed to start */
#define STOP_SECONDS 3	   /* between SIGTERM and SIGKILL */
#define HEALTHY_NS 10000000000ull /* a child that lived that long begins its back-off anew */
#define DEATHS_MAX 6	   /* in a row, each within HEALTHY_NS of its start: held */

static void
publish(struct bh_supervisor *s, const struct bh_child *c)
{
	if (s->table != NULL && c->state != 0)
		bh_proctable_put(s->table, c);
}

/* ---- starting ---- */

static void on_sup_readable(evutil_socket_t fd, short what, void *arg);

static int
watch_child(struct bh_supervisor *s, struct bh_child *c)
{
	c->owner = s;
	c->ev_sup = event_new(s->base, c->sup_fd, EV_READ | EV_PERSIST, on_sup_readable, c);
	if (c->ev_sup == NULL || event_add(c->ev_sup, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static void
start_child(struct bh_supervisor *s, struct bh_child *c)
{
	int rc = c->is_core ? bh_spawn_core(s, c) : bh_spawn_module(s, c);

	if (rc == 0)
		rc = watch_child(s, c);
	if (rc < 0) {
		bh_err("start", "%s (%s): %s", c->name, c->path, strerror(-rc));
		bh_supervise_stop(s, BH_EXIT_FAILED);
		return;
	}
	bh_info("start", "%s started, pid %d", c->name, c->pid);
	publish(s, c);
}

static void
set_deadline(struct bh_supervisor *s, int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	event_add(s->ev_deadline, &tv);
}

/* The supervisor is a client too: of the table `process`. */
static int
open_table(struct bh_supervisor *s)
{
	int pair[2], rc = bh_role_socket(pair);

	if (rc < 0)
		return rc;
	rc = bh_role_pass(s->child[0].sup_fd, "supervisor", getpid(), pair[1]);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	s->table = bh_proctable_open(s->base, pair[0]);
	return s->table == NULL ? -errno : 0;
}

static void
core_is_ready(struct bh_supervisor *s)
{
	int rc = open_table(s);

	if (rc < 0) {
		bh_err("start", "no connection to the core: %s", strerror(-rc));
		bh_supervise_stop(s, BH_EXIT_FAILED);
		return;
	}
	for (unsigned int i = 0; i < s->n_children; i++)
		publish(s, &s->child[i]);
	bh_proctable_complete(s->table);
}

static void
all_are_ready(struct bh_supervisor *s)
{
	event_del(s->ev_deadline);
	if (s->announced)
		return;
	s->announced = true;
	puts("bulkhead: ready");
	fflush(stdout);
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
		if (c->state != BH_PROC_READY && !c->was_ready && c->state != BH_PROC_HELD)
			return;
	}
	if (!s->stopping)
		all_are_ready(s);
}

static void
child_is_ready(struct bh_supervisor *s, struct bh_child *c)
{
	if (c->state != BH_PROC_STARTING)
		return;
	c->state = BH_PROC_READY;
	c->was_ready = true;
	if (c->death_ns != 0)
		c->recovery_us = (bh_now_ns() - c->death_ns) / 1000;
	bh_info("start", "%s is ready", c->name);
	if (c->is_core)
		core_is_ready(s);
	else
		publish(s, c);
	bh_supervise_advance(s);
}

static void
on_sup_readable(evutil_socket_t fd, short what, void *arg)
{
	struct bh_child *c = arg;
	char text[64];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* it closed its end; its death is told by SIGCHLD */
		event_del(c->ev_sup);
		return;
	}
	text[n] = '\0';
	if (strcmp(text, "READY") == 0)
		child_is_ready(c->owner, c);
	else
		bh_warn("start", "%s said something unknown", c->name);
}

/* ---- ending ---- */

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct bh_child *c = arg;
	struct bh_supervisor *s = c->owner;

	(void)fd;
	(void)what;
	if (!s->stopping && c->pid == 0 && s->child[0].state == BH_PROC_READY) {
		c->restarts++;
		start_child(s, c);
	}
}

/* First at once, then 100 ms, 200 ms ... 1.6 s. */
static struct timeval
back_off(const struct bh_child *c)
{
	unsigned int ms = c->recent <= 1 ? 0 : 100u << (c->recent - 2);

	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static void
forget_process(struct bh_child *c)
{
	if (c->ev_sup != NULL)
		event_free(c->ev_sup);
	c->ev_sup = NULL;
	if (c->sup_fd >= 0)
		close(c->sup_fd);
	c->sup_fd = -1;
	c->pid = 0;
}

/* Counts a death that came soon after the start. */
static void
count_death(struct bh_child *c)
{
	c->death_ns = bh_now_ns();
	if (c->death_ns - c->start_ns > HEALTHY_NS)
		c->recent = 0;
	c->recent++;
}

static void
module_ended(struct bh_supervisor *s, struct bh_child *c)
{
	struct timeval tv;

	if (s->child[0].state != BH_PROC_READY) { /* ended with the core; started with it again */
		c->state = 0;
		return;
	}
	if (c->recent >= DEATHS_MAX) {
		c->state = BH_PROC_HELD;
		bh_err("alarm", "%s died %u times in a row and is held; forwarding goes on", c->name,
			c->recent);
		publish(s, c);
		if (!s->announced)
			bh_supervise_stop(s, BH_EXIT_FAILED);
		return;
	}
	c->state = BH_PROC_EXITED;
	publish(s, c);
	tv = back_off(c);
	event_add(c->ev_again, &tv);
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
			kill(s->child[i].pid, sig);
}

static void
core_ended(struct bh_supervisor *s, struct bh_child *core)
{
	bh_proctable_close(s->table);
	s->table = NULL;
	core->state = BH_PROC_EXITED;
	for (unsigned int i = 1; i < s->n_children; i++)
		s->child[i].was_ready = false;
	if (!s->announced || core->recent >= DEATHS_MAX) {
		bh_err("start", "the core %s", s->announced ? "died too often" : "did not start");
		bh_supervise_stop(s, BH_EXIT_FAILED);
		return;
	}
	end_modules(s, SIGKILL); /* what they know is replayed by their successors */
}

/* Goes on when the last process of a stop, or of a fallen core, is gone. */
static void
after_end(struct bh_supervisor *s)
{
	struct bh_child *core = &s->child[0];

	if (modules_run(s))
		return;
	if (s->stopping) {
		bh_proctable_close(s->table);
		s->table = NULL;
		if (core->pid != 0)
			kill(core->pid, SIGTERM);
		else
			event_base_loopbreak(s->base);
		return;
	}
	if (core->state != BH_PROC_EXITED)
		return;
	for (unsigned int i = 1; i < s->n_children; i++)
		s->child[i].state = 0;
	core->state = 0;
	core->was_ready = false;
	core->restarts++;
	bh_supervise_advance(s);
}

static void
child_ended(struct bh_supervisor *s, struct bh_child *c, int status)
{
	char text[96];

	bh_child_exit_text(status, text, sizeof(text));
	bh_log(s->stopping ? BH_LOG_INFO : BH_LOG_WARNING, "process", "%s (pid %d) ended: %s",
		c->name, c->pid, text);
	forget_process(c);
	c->last_exit = status;
	if (s->stopping) {
		c->state = BH_PROC_STOPPED;
	} else {
		count_death(c);
		if (c->is_core)
			core_ended(s, c);
		else
			module_ended(s, c);
	}
	after_end(s);
}

void
bh_supervise_reap(struct bh_supervisor *s)
{
	for (unsigned int i = 0; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];
		int status;

		if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_ended(s, c, status);
	}
}

void
bh_supervise_stop(struct bh_supervisor *s, int exit_code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_code = exit_code;
	set_deadline(s, STOP_SECONDS);
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
				kill(s->child[i].pid, SIGKILL);
		return;
	}
	for (unsigned int i = 0; i < s->n_children; i++)
		if (s->child[i].state == BH_PROC_STARTING)
			bh_err("start", "%s is not ready after %d s", s->child[i].name, START_SECONDS);
	bh_supervise_stop(s, BH_EXIT_FAILED);
}

void
bh_supervise_reload(struct bh_supervisor *s)
{
	for (unsigned int i = 1; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];

		if (!bh_is_config(c))
			continue;
		if (c->pid != 0)
			bh_configfile_pass(s->opt->config, c->sup_fd);
		else
			bh_warn("config", "not running: the file is read when it starts");
	}
}

/* ---- making ---- */

static int
add_child(struct bh_supervisor *s, const char *name, const char *program)
{
	struct bh_child *c = &s->child[s->n_children];

	snprintf(c->name, sizeof(c->name), "%s", name);
	bh_program_path(s->opt, program, c->path, sizeof(c->path));
	c->sup_fd = -1;
	c->last_exit = -1;
	c->owner = s;
	c->ev_again = evtimer_new(s->base, on_again, c);
	s->n_children++;
	return c->ev_again == NULL ? -ENOMEM : 0;
}

/* bulkhead-config gets the file that we were given; others what the configuration says. */
static int
add_module(struct bh_supervisor *s, const struct bh_boot_module *m)
{
	struct bh_child *c = &s->child[s->n_children];
	int rc = add_child(s, m->name, m->program);

	if (rc == 0)
		rc = bh_child_arg(c, m->program);
	if (bh_is_config(c)) {
		for (unsigned int i = 0; i < s->opt->n_yangdir && rc == 0; i++) {
			rc = bh_child_arg(c, "-p");
			if (rc == 0)
				rc = bh_child_arg(c, s->opt->yangdir[i]);
		}
		if (rc == 0)
			rc = bh_child_arg(c, "--run");
		if (rc == 0)
			rc = bh_child_arg(c, s->opt->config);
	}
	for (unsigned int i = 0; i < m->n_args && rc == 0; i++)
		rc = bh_child_arg(c, m->args[i]);
	return rc;
}

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
	s->ev_deadline = evtimer_new(base, on_deadline, s);
	s->boot_fd = bh_bootrec_memfd(boot);
	rc = s->boot_fd < 0 ? s->boot_fd : add_child(s, "core", "bulkhead-core");
	if (rc == 0) {
		s->child[0].is_core = true;
		rc = bh_bootrec_core_args(opt, id, boot, s->boot_fd, &s->child[0]);
	}
	for (unsigned int i = 0; i < boot->n_modules && rc == 0; i++)
		if (boot->modules[i].enabled)
			rc = add_module(s, &boot->modules[i]);
	if (rc == 0 && s->ev_deadline != NULL)
		return BH_EXIT_OK;
	bh_err("start", "%s", strerror(rc < 0 ? -rc : ENOMEM));
	return BH_EXIT_FAILED;
}

void
bh_supervise_fini(struct bh_supervisor *s)
{
	bh_proctable_close(s->table);
	for (unsigned int i = 0; i < s->n_children; i++) {
		struct bh_child *c = &s->child[i];

		if (c->ev_sup != NULL)
			event_free(c->ev_sup);
		if (c->ev_again != NULL)
			event_free(c->ev_again);
		bh_child_free(c);
	}
	if (s->ev_deadline != NULL)
		event_free(s->ev_deadline);
	if (s->boot_fd >= 0)
		close(s->boot_fd);
}
