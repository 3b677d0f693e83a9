/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/supervisor/life.h"
#include "app/supervisor/procfs.h"
#include "lib/client/bulkhead.h"
#include "lib/log/log.h"

#define AREA "adopt"
#define RECORDS_MAX (2 * BH_CHILDREN)

struct record {
	char name[BH_NAME_LEN];
	struct bh_process val;
	bool taken;
};

struct table {
	struct record rec[RECORDS_MAX];
	unsigned int n;
};

/* ---- the table of before ---- */

static void
take_record(void *arg, const struct bh_change *c)
{
	struct table *t = arg;
	struct record *r = &t->rec[t->n];

	if (c->op != BH_OP_PUT || t->n == RECORDS_MAX)
		return;
	memcpy(r->name, ((const struct bh_ifname_key *)c->key)->name, sizeof(r->name));
	memcpy(&r->val, c->val, sizeof(r->val));
	t->n++;
}

static int
read_table(const char *rundir, struct table *t)
{
	struct bh_open_args args = {
		.client = "bulkhead", .service = BH_SERVICE_INFOBASE, .role_fd = -1};
	struct bh_handle *h;
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "%s/core.sock", rundir);
	args.socket = path;
	h = bh_open(&args);
	if (h == NULL)
		return -errno;
	rc = bh_dump(h, BH_V_DUMP, BH_T_PROCESS, take_record, t);
	bh_close(h);
	return rc;
}

static struct record *
find(struct table *t, const char *name)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (strncmp(t->rec[i].name, name, BH_NAME_LEN) == 0)
			return &t->rec[i];
	return NULL;
}

/* ---- one process ---- */

/* A pidfd of the process, if it is still the one that was started then. -errno. */
static int
hold(pid_t pid, uint64_t start_ticks)
{
	int pidfd = pid > 0 ? bh_pidfd_open(pid) : -ESRCH;

	if (pidfd < 0)
		return pidfd;
	if (start_ticks != 0 && bh_procfs_start(pid) == start_ticks &&
		bh_procfs_state(pid, 0) != 'Z')
		return pidfd;
	close(pidfd);
	return -ESRCH;
}

/* The descriptor that the process holds by the number in its environment. -errno. */
static int
take_fd(int pidfd, pid_t pid, const char *name)
{
	int theirs = bh_procfs_env_number(pid, name);

	return theirs < 0 ? -ENOENT : bh_pidfd_take(pidfd, theirs);
}

/* Our end of its supervision socket. -errno. */
static int
take_link(int pidfd, pid_t pid)
{
	int fd = take_fd(pidfd, pid, "BH_SUPERVISOR_KEEP"), type = 0, family = 0;
	socklen_t len = sizeof(int);

	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == 0 &&
		type == SOCK_SEQPACKET && family == AF_UNIX && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	close(fd);
	return -ENOTSOCK;
}

/* What the table knows of it, whether it runs or not. */
static void
take_history(struct bh_child *c, const struct bh_process *val)
{
	c->restarts = val->restarts;
	c->last_exit = val->last_exit;
	c->recovery_us = val->recovery_us;
	c->how = val->how;
	c->detect_us = val->detect_us;
	c->seen_ns = val->seen_ns;
	c->started = val->started;
	c->start_ns = bh_now_ns();
}

/* It is not there any more, or may not be ours: what would have followed, follows. */
static void
take_absent(struct bh_child *c, const struct bh_process *val)
{
	c->death_ns = bh_now_ns();
	if (val->state == BH_PROC_HELD) {
		c->state = BH_PROC_HELD;
	} else if (val->state == BH_PROC_STOPPED) {
		c->state = BH_PROC_STOPPED;
		c->put_down = true;
	} else {
		c->restarts++;
		c->last_exit = BH_EXIT_UNTOLD;
		c->how = BH_HOW_EXIT;
		c->state = 0;
	}
}

/* Takes over pidfd. 0, or -errno: it runs, but not under us. */
static int
adopt(struct bh_supervisor *s, struct bh_child *c, const struct bh_process *val, int pidfd)
{
	int link = take_link(pidfd, val->pid), life, rc;

	if (link < 0) {
		close(pidfd);
		return link;
	}
	life = take_fd(pidfd, val->pid, "BH_LIFE_FD");
	c->pid = val->pid;
	c->pidfd = pidfd;
	c->sup_fd = link;
	c->adopted = true;
	c->state = val->state == BH_PROC_READY ? BH_PROC_READY : BH_PROC_STARTING;
	c->was_ready = c->state == BH_PROC_READY;
	c->start_ticks = val->start_ticks;
	rc = bh_supervise_listen(s, c, life);
	if (life >= 0)
		close(life);
	bh_info(AREA, "%s (pid %d) is ours now", c->name, c->pid);
	return rc;
}

static void
adopt_module(struct bh_supervisor *s, struct bh_child *c, struct record *r)
{
	int pidfd = hold(r->val.pid, r->val.start_ticks), rc;

	r->taken = true;
	take_history(c, &r->val);
	if (pidfd < 0) {
		take_absent(c, &r->val);
		return;
	}
	rc = adopt(s, c, &r->val, pidfd);
	if (rc == 0)
		return;
	bh_warn(AREA, "%s (pid %u) cannot be adopted (%s): replaced", c->name, r->val.pid,
		strerror(-rc));
	kill(r->val.pid, SIGKILL);
	take_absent(c, &r->val);
}

/* Modules that the configuration does not have any more. */
static void
end_others(const struct table *t)
{
	for (unsigned int i = 0; i < t->n; i++) {
		const struct record *r = &t->rec[i];
		int pidfd = r->taken ? -1 : hold(r->val.pid, r->val.start_ticks);

		if (pidfd < 0)
			continue;
		bh_notice(AREA, "%.*s (pid %u) is not in the configuration any more: ended",
			BH_NAME_LEN, r->name, r->val.pid);
		bh_pidfd_kill(pidfd, SIGTERM);
		close(pidfd);
	}
}

/* ---- all ---- */

static int
give_up(pid_t core, const char *why, int rc)
{
	bh_err(AREA, "bulkhead-core (pid %d) runs without its supervisor and cannot be adopted: %s%s%s: "
		"end it by SIGTERM, or choose another directory with --run-dir", core, why,
		rc < 0 ? ": " : "", rc < 0 ? strerror(-rc) : "");
	return BH_EXIT_BUSY;
}

/* 0 or an enum bh_exit. */
static int
adopt_core(struct bh_supervisor *s, struct table *t, pid_t core)
{
	struct record *r = find(t, "core");
	int pidfd, rc;

	if (r == NULL || (pid_t)r->val.pid != core)
		return give_up(core, "it is not in the table process", 0);
	pidfd = hold(core, r->val.start_ticks);
	if (pidfd < 0)
		return give_up(core, "it is not the one in the table process", 0);
	r->taken = true;
	take_history(&s->child[0], &r->val);
	rc = adopt(s, &s->child[0], &r->val, pidfd);
	if (rc < 0)
		return give_up(core, "its socket (CAP_SYS_PTRACE?)", rc);
	return BH_EXIT_OK;
}

int
bh_adopt(struct bh_supervisor *s, pid_t core)
{
	struct table t = {.n = 0};
	int rc = read_table(s->opt->rundir, &t);

	if (rc < 0)
		return give_up(core, "the table process", rc);
	rc = adopt_core(s, &t, core);
	if (rc != BH_EXIT_OK)
		return rc;
	for (unsigned int i = 1; i < s->n_children; i++) {
		struct record *r = find(&t, s->child[i].name);

		if (r != NULL)
			adopt_module(s, &s->child[i], r);
	}
	end_others(&t);
	bh_notice(AREA, "bulkhead-core (pid %d) and its modules go on under this supervisor", core);
	rc = bh_supervise_adopted(s);
	if (rc < 0)
		return give_up(core, "the table process", rc);
	return BH_EXIT_OK;
}
