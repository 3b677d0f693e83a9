/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/bench/core_proc.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/mini_core.h"

#define MINI_LCORES 6
#define STOP 0xff

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
pin(int tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	need(sched_setaffinity(tid, sizeof(set), &set) == 0, "affinity");
}

void
pin_self(int cpu)
{
	pin(0, cpu);
}

void
pin_any(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (long i = sysconf(_SC_NPROCESSORS_ONLN); i-- > 0;)
		CPU_SET(i, &set);
	need(sched_setaffinity(0, sizeof(set), &set) == 0, "affinity");
}

static void
pin_lcores(int cpu)
{
	for (unsigned int i = 1; i < MINI_LCORES; i++)
		if (mini.stats->lcore[i].tid != 0)
			pin(mini.stats->lcore[i].tid, cpu);
	pin(0, cpu);
}

/* Body of the process: each byte is a CPU to go to, or STOP. */
static void
serve(uint32_t poll_us, int from, int to)
{
	uint8_t order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mini_up(poll_us);
	need(write(to, mini.path, sizeof(mini.path)) == sizeof(mini.path), "pipe");
	while (read(from, &order, 1) == 1 && order != STOP) {
		pin_lcores(order);
		need(write(to, &order, 1) == 1, "pipe");
	}
	mini_down();
	_exit(0);
}

void
core_pin(struct core_proc *c, int cpu)
{
	uint8_t order = cpu;

	need(write(c->to, &order, 1) == 1 && read(c->from, &order, 1) == 1, "the core");
}

void
core_start(struct core_proc *c, uint32_t poll_us, int cpu)
{
	int to[2], from[2];

	need(pipe(to) == 0 && pipe(from) == 0, "pipe");
	c->pid = fork();
	need(c->pid >= 0, "fork");
	if (c->pid == 0) {
		pin_any();
		close(to[1]);
		close(from[0]);
		serve(poll_us, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	c->to = to[1];
	c->from = from[0];
	need(read(c->from, c->path, sizeof(c->path)) == sizeof(c->path), "the core does not start");
	core_pin(c, cpu);
}

void
core_stop(struct core_proc *c)
{
	uint8_t order = STOP;

	need(write(c->to, &order, 1) == 1, "the core");
	waitpid(c->pid, NULL, 0);
	close(c->to);
	close(c->from);
}

struct bh_handle *
core_open(const struct core_proc *c, const char *client)
{
	struct bh_open_args args = {client, BH_SERVICE_ECHO, -1, c->path};
	struct bh_handle *h = bh_open(&args);

	need(h != NULL, "a handle");
	return h;
}

uint64_t
core_memory(const struct core_proc *c)
{
	char path[64], line[128];
	unsigned long kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", c->pid);
	f = fopen(path, "r");
	need(f != NULL, path);
	while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "RssShmem: %lu", &kb) != 1)
		;
	fclose(f);
	return kb * UINT64_C(1024);
}

uint64_t
cpu_ns(int pid)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "r");
	need(f != NULL && fscanf(f, "%llu", &ns) == 1, path);
	fclose(f);
	return ns;
}
