/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that die. Half of them kill themselves at one of the stages below, so that each
 * stage is met; the others are killed by their parent at any moment of going through all.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "infobase/schema.h"
#include "test/hostile/hostile.h"

enum stage { DIALLED, SAID_HELLO, WELCOMED, MAPPED, HALF_REQUEST, PENDING, WATCHING, STAGES };

static const char *const names[STAGES] = {"dialled", "said-hello", "welcomed", "mapped",
	"half-request", "pending", "watching"};

#define WIDTH_MAX 64
#define RANDOM STAGES
#define DELAY_US 1500 /* within which a client is killed by its parent */

struct victim {
	pid_t pid;
	unsigned int stage;
	uint64_t due_us;
};

static void
die_at(unsigned int wanted, unsigned int here)
{
	if (wanted == here)
		kill(getpid(), SIGKILL);
}

/* The first slot of a message of many, and some of the others. */
static void
half_request(struct conn *c)
{
	struct bh_slot *s = &c->req.slots[c->req.head & c->req.mask];

	conn_put(c, BH_V_NOP, 0, c->map, 500 + rnd_below(3000));
	__atomic_store_n(&s[rnd_below(4)].seq, 0, __ATOMIC_RELEASE);
	conn_ring(c);
}

static void
pending(struct conn *c)
{
	unsigned int n = 1 + rnd_below(300);

	while (n-- > 0)
		conn_put(c, rnd_below(2) ? BH_V_DUMP : BH_V_NOP, BH_T_ROUTE4, NULL, 0);
	conn_ring(c);
}

static void
watching(struct conn *c)
{
	for (uint16_t t = 1; t < BH_T_MAX; t++)
		conn_put(c, BH_V_WATCH, t, NULL, 0);
	conn_ring(c);
}

static void
victim(const char *path, unsigned int stage)
{
	struct conn c;

	do {
		conn_blank(&c);
		if (conn_dial(&c, path) < 0)
			_exit(1);
		die_at(stage, DIALLED);
		if (conn_hello(&c, "victim") < 0)
			_exit(1);
		die_at(stage, SAID_HELLO);
		if (conn_welcome(&c, 5000) < 0)
			_exit(1);
		die_at(stage, WELCOMED);
		if (conn_map(&c) < 0)
			_exit(1);
		die_at(stage, MAPPED);
		pending(&c);
		die_at(stage, PENDING);
		watching(&c);
		die_at(stage, WATCHING);
		half_request(&c);
		die_at(stage, HALF_REQUEST);
		conn_close(&c);
	} while (stage == RANDOM);
	_exit(1);
}

static void
spawn(struct victim *v, const char *path, uint64_t n)
{
	v->stage = n % 2 ? RANDOM : n / 2 % STAGES;
	v->due_us = now_us() + rnd_below(DELAY_US);
	v->pid = fork();
	if (v->pid != 0)
		return;
	rnd_seed(rnd() + n);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	victim(path, v->stage);
}

/* 1: it died of SIGKILL; 0: it lives; -1: it ended by itself, having been refused. */
static int
reap(struct victim *v)
{
	int status;

	if (v->stage == RANDOM && now_us() >= v->due_us)
		kill(v->pid, SIGKILL);
	if (waitpid(v->pid, &status, WNOHANG) != v->pid)
		return 0;
	v->pid = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 1 : -1;
}

int
mode_kill(const struct options *o)
{
	static struct victim all[WIDTH_MAX];
	unsigned int width = o->width < WIDTH_MAX ? o->width : WIDTH_MAX, alive = 0;
	uint64_t killed[STAGES + 1] = {0}, total = 0, refused = 0, n = 0;

	while ((total < o->count && going()) || alive > 0) {
		for (unsigned int i = 0; i < width; i++) {
			struct victim *v = &all[i];
			int rc = v->pid > 0 ? reap(v) : 0;

			alive -= rc != 0;
			total += rc > 0;
			refused += rc < 0;
			killed[v->stage] += rc > 0;
			if (v->pid > 0 || total + alive >= o->count || !going())
				continue;
			spawn(v, o->socket, n++);
			alive += v->pid > 0;
		}
		usleep(100);
	}
	printf("{\"mode\":\"kill\",\"killed\":%lu,\"refused\":%lu,\"anywhere\":%lu", total, refused,
		killed[RANDOM]);
	for (unsigned int i = 0; i < STAGES; i++)
		printf(",\"%s\":%lu", names[i], killed[i]);
	puts("}");
	return 0;
}
