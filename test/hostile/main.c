/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "test/hostile/hostile.h"

static const struct {
	const char *name;
	int (*run)(const struct options *o);
	const char *what;
} modes[] = {
	{"good", mode_good, "calls with known answers, each compared, until SIGTERM"},
	{"corrupt", mode_corrupt, "COUNT corruptions of its own channels"},
	{"kill", mode_kill, "COUNT clients, SIGKILLed at random points"},
	{"halfopen", mode_halfopen, "first contacts that are broken, cut or never finished"},
	{"flood", mode_flood, "as many sockets as there may be"},
	{"contact", mode_contact, "first contacts without end"},
	{"norep", mode_norep, "requests and watches whose replies nobody takes"},
	{"ring", mode_ring, "doorbells rung without end"},
	{"fds", mode_fds, "attacks on the descriptors that come with a welcome"},
	{"write", mode_write, "COUNT requests that only a table's owner may make"},
};

static volatile sig_atomic_t stopped;
static uint64_t end_us, state;

uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000) + ts.tv_nsec / 1000;
}

/* splitmix64: any seed will do. */
uint64_t
rnd(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t
rnd_below(uint32_t n)
{
	return rnd() % n;
}

void
rnd_seed(uint64_t seed)
{
	state = seed;
}

bool
going(void)
{
	return !stopped && (end_us == 0 || now_us() < end_us);
}

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static int
usage(void)
{
	fputs("usage: hostile MODE -s SOCKET [-n COUNT] [-t MS] [-w WIDTH] [-r SEED]\n", stderr);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, "  %-9s %s\n", modes[i].name, modes[i].what);
	return 64;
}

static int
parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){.width = 8, .seed = time(NULL)};
	if (argc < 2)
		return -1;
	o->mode = argv[1];
	while ((c = getopt(argc - 1, argv + 1, "s:n:t:w:r:")) != -1) {
		if (c == 's')
			o->socket = optarg;
		else if (c == 'n')
			o->count = strtoull(optarg, NULL, 10);
		else if (c == 't')
			o->ms = strtoul(optarg, NULL, 10);
		else if (c == 'w')
			o->width = strtoul(optarg, NULL, 10);
		else if (c == 'r')
			o->seed = strtoull(optarg, NULL, 10);
		else
			return -1;
	}
	return o->socket == NULL || o->width == 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct rlimit lim;
	struct options o;

	if (parse(&o, argc, argv) < 0)
		return usage();
	sigaction(SIGTERM, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	puts("begins"); /* from here on a signal ends it with its report */
	fflush(stdout);
	rnd_seed(o.seed);
	end_us = o.ms != 0 ? now_us() + o.ms * UINT64_C(1000) : 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(o.mode, modes[i].name) == 0)
			return modes[i].run(&o);
	return usage();
}
