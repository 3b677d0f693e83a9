/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/supervisor/procfs.h"

uint64_t
bh_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

int
bh_child_arg(struct bh_child *c, const char *arg)
{
	if (c->argc + 1 >= BH_CHILD_ARGS)
		return -ENOSPC;
	c->argv[c->argc] = strdup(arg);
	if (c->argv[c->argc] == NULL)
		return -ENOMEM;
	c->argc++;
	return 0;
}

int
bh_child_args(struct bh_child *c, const char *const *args, unsigned int n)
{
	int rc = 0;

	for (unsigned int i = 0; i < n && rc == 0; i++)
		if (args[i] != NULL)
			rc = bh_child_arg(c, args[i]);
	return rc;
}

void
bh_child_free(struct bh_child *c)
{
	for (unsigned int i = 0; i < c->argc; i++)
		free(c->argv[i]);
	c->argc = 0;
	if (c->sup_fd >= 0)
		close(c->sup_fd);
	c->sup_fd = -1;
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
}

static void
set_env_fd(const char *name, int fd)
{
	char num[16];

	if (fd < 0) {
		unsetenv(name);
		return;
	}
	snprintf(num, sizeof(num), "%d", fd);
	setenv(name, num, 1);
	fcntl(fd, F_SETFD, 0);
}

static void
set_cpus(const struct bh_spawn *sp)
{
	cpu_set_t set;

	if (sp->n_cpus == 0)
		return;
	CPU_ZERO(&set);
	for (unsigned int i = 0; i < sp->n_cpus; i++)
		CPU_SET(sp->cpus[i], &set);
	/* Refused for CPUs that the supervisor may not use itself: run where it runs. */
	sched_setaffinity(0, sizeof(set), &set);
}

/* As whom the child goes on. 0 or -errno. */
static int
set_identity(const struct bh_child *c, const struct bh_spawn *sp)
{
	if (sp->id == NULL)
		return 0;
	if (!c->is_core)
		return bh_identity_assume(sp->id, strcmp(c->name, "config") == 0);
	bh_identity_core(sp->id);
	return 0;
}

static void
set_environment(const struct bh_spawn *sp, const int sup[2])
{
	set_env_fd("BH_SUPERVISOR_KEEP", sup[0]);
	set_env_fd("BH_SUPERVISOR_FD", sup[1]);
	set_env_fd("BH_ROLE_FD", sp->role_fd);
	set_env_fd("BH_CONFIG_FD", sp->config_fd);
	set_env_fd("BH_LIFE_FD", sp->life_fd);
	if (sp->boot_fd >= 0)
		fcntl(sp->boot_fd, F_SETFD, 0);
	setenv("BULKHEAD_RUNDIR", sp->rundir, 1);
	if (sp->heir)
		setenv("BH_HEIR", "1", 1);
	else
		unsetenv("BH_HEIR");
}

/* In the child: signals, limits, environment, exec. Tells a failure by report_fd. */
static void __attribute__((noreturn))
become(struct bh_child *c, const struct bh_spawn *sp, const int sup[2], int report_fd)
{
	static const int reset[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1};
	/* A core dump is written before the death is seen; who wants it raises the limit. */
	struct rlimit no_dump = {0, RLIM_INFINITY};
	sigset_t none;
	int err;

	getrlimit(RLIMIT_CORE, &no_dump);
	no_dump.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &no_dump);
	for (unsigned int i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Signals of the terminal are the supervisor's to act on. */
	setpgid(0, 0);
	set_environment(sp, sup);
	set_cpus(sp);
	err = -set_identity(c, sp);
	if (err == 0) {
		execv(c->path, c->argv);
		err = errno;
	}
	while (write(report_fd, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	_exit(127);
}

int
bh_child_spawn(struct bh_child *c, const struct bh_spawn *sp)
{
	int sup[2], report[2], err = 0;
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sup) < 0)
		return -errno;
	if (pipe2(report, O_CLOEXEC) < 0) {
		err = -errno;
		goto out_sup;
	}
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(report[1]);
		goto out_report;
	}
	if (pid == 0)
		become(c, sp, sup, report[1]);
	close(report[1]);
	do
		n = read(report[0], &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(err)) { /* it failed; empty when it went well */
		waitpid(pid, NULL, 0);
		err = -err;
		goto out_report;
	}
	err = bh_pidfd_open(pid);
	if (err < 0) { /* its end could not be told */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		goto out_report;
	}
	c->pidfd = err;
	close(report[0]);
	close(sup[1]);
	fcntl(sup[0], F_SETFL, O_NONBLOCK);
	c->pid = pid;
	c->sup_fd = sup[0];
	c->adopted = false;
	c->cause = 0;
	memset(&c->pulse, 0, sizeof(c->pulse));
	c->start_ticks = bh_procfs_start(pid);
	c->state = BH_PROC_STARTING;
	c->start_ns = bh_now_ns();
	c->started = time(NULL);
	return 0;

out_report:
	close(report[0]);
out_sup:
	close(sup[0]);
	close(sup[1]);
	return err;
}

const char *
bh_child_exit_text(int status, char *buf, unsigned int len)
{
	if (status < 0)
		snprintf(buf, len, status == BH_EXIT_NONE ? "none" : "not told");
	else if (WIFSIGNALED(status))
		snprintf(buf, len, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(buf, len, "exit status %d", WEXITSTATUS(status));
	return buf;
}
