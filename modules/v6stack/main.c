/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-v6stack: the process around struct bh_stack. One thread, one handle to the info base and
 * one to the packet service; it sleeps in libevent until the core rings, the supervisor speaks, or
 * a timer is due. What else it needs it opens before its sandbox; first contact comes after.
 *
 * When the core goes away it keeps what it knows, waits for the next core's role socket and replays.
 * An heir reads the tables and says so; when it is told to take over it recovers what its
 * predecessor left by then, and begins. At SIGTERM it leaves its records where they are:
 * forwarding goes on with the neighbors that are known.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/client/bulkhead.h"
#include "lib/life/life.h"
#include "lib/log/log.h"
#include "lib/sandbox/sandbox.h"
#include "modules/v6stack/program.h"

enum { EXIT_USAGE = 2, EXIT_CORE_GONE = 3 };

#define START_MS 2000 /* until the first turn, on a slow machine */

static void
usage(FILE *f)
{
	fputs("usage: bulkhead-v6stack [-v] [--help] [--version]\n"
	      "The protocol stack of bulkhead; started by its supervisor.\n"
	      "  -v, --verbose  log more; twice: everything\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  the version\n"
	      "BH_ROLE_FD      role socket inherited from the supervisor\n"
	      "BULKHEAD_RUNDIR directory of core.sock, if there is no role socket\n",
		f);
}

/* The log level, or the exit code as -1 - code. */
static int
parse_args(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {"verbose", no_argument, NULL, 'v'}, {0}};
	int level = BH_LOG_NOTICE, c;

	while ((c = getopt_long(argc, argv, "hVv", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			usage(stdout);
			return -1 - EXIT_SUCCESS;
		case 'V':
			puts("bulkhead-v6stack " BH_VERSION);
			return -1 - EXIT_SUCCESS;
		case 'v':
			level += level < BH_LOG_DEBUG;
			break;
		default:
			usage(stderr);
			return -1 - EXIT_USAGE;
		}
	}
	if (optind == argc)
		return level;
	usage(stderr);
	return -1 - EXIT_USAGE;
}

/* ---- what the stack does to the world ---- */

static int
out_submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct program *p = ctx;

	return bh_submit(p->h, verb, table, aux, body, len, cb, arg);
}

static void
out_ready(void *ctx)
{
	struct program *p = ctx;

	bh_info("main", "ready after %.3f s: %u neighbors", (bh_now_ms() - p->start) / 1e3,
		p->stack->neighs.n);
	bh_program_ready(p);
}

static int
out_inject(void *ctx, enum bh_inject how, uint32_t ifindex, const void *frame, size_t len)
{
	struct program *p = ctx;
	int rc = bh_packets_inject(p->packets, how, ifindex, frame, len);

	/* No room: what is under way is answered, what is here may go. */
	if (rc == -EAGAIN && bh_packets_prepare_wait(p->packets))
		rc = bh_packets_inject(p->packets, how, ifindex, frame, len);
	return rc;
}

static void
out_to_host(void *ctx, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	bh_kernel_write(ctx, ifindex, frame, len);
}

static void
out_address(void *ctx, const struct bh_ifaddr *a)
{
	struct program *p = ctx;

	(void)a;
	p->kernel_dirty = true;
}

static void
out_interface(void *ctx, const struct bh_netif *i)
{
	struct program *p = ctx;

	(void)i;
	p->kernel_dirty = true;
}

static const struct bh_stack_ops stack_ops = {
	.out = {out_submit, out_ready},
	.inject = out_inject,
	.to_host = out_to_host,
	.address = out_address,
	.interface = out_interface,
};

/* ---- process ---- */

static void
on_words(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	enum bh_word_kind kind;
	struct bh_word w;

	(void)fd;
	(void)what;
	while ((kind = bh_supervised_take(&w)) != BH_WORD_NONE) {
		if (kind == BH_WORD_GONE) {
			event_del(p->words);
			bh_hosttaps_link(p->taps, -1); /* all is asked of the next one */
		} else if (kind == BH_WORD_ROLE) {
			bh_program_role(p, w.fd);
		} else if (kind == BH_WORD_LEAVE) {
			p->stop = true;
		} else if (!bh_kernel_word(p, &w) && w.fd >= 0) {
			close(w.fd);
		}
	}
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)fd;
	(void)what;
	p->stop = true;
}

static int
make_events(struct program *p)
{
	static const struct timeval beat = {.tv_usec = BH_LIFE_BEAT_MS * 1000};

	p->base = event_base_new();
	if (p->base == NULL)
		return -ENOMEM;
	p->term = evsignal_new(p->base, SIGTERM, on_signal, p);
	p->intr = evsignal_new(p->base, SIGINT, on_signal, p);
	p->timer = evtimer_new(p->base, bh_program_wake, p);
	p->beat = event_new(p->base, -1, EV_PERSIST, bh_program_wake, p);
	if (p->term == NULL || p->intr == NULL || p->timer == NULL || p->beat == NULL)
		return -ENOMEM;
	if (bh_supervised_fd() >= 0) {
		p->words = event_new(p->base, bh_supervised_fd(), EV_READ | EV_PERSIST, on_words, p);
		if (p->words == NULL || event_add(p->words, NULL) < 0)
			return -ENOMEM;
	}
	return event_add(p->term, NULL) < 0 || event_add(p->intr, NULL) < 0 ||
		event_add(p->beat, &beat) < 0 ? -EIO : 0;
}

static void
free_events(struct program *p)
{
	struct event **e[] = {&p->readable, &p->punted, &p->tapped, &p->words, &p->timer, &p->beat, &p->term,
		&p->intr, &p->second, &p->diag};

	for (unsigned int i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		if (*e[i] != NULL)
			event_free(*e[i]);
	if (p->base != NULL)
		event_base_free(p->base);
}

/* An heir only reads, and says when it has read all. */
static int
turn_heir(struct program *p)
{
	if (!p->told && bh_inputs_ready(p->stack))
		bh_program_ready(p);
	return 0;
}

static int
turn_owner(struct program *p)
{
	int n = p->owner ? 0 : bh_program_take_over(p), m, rc;

	if (n == 0)
		n = bh_program_poll_packets(p);
	if (n < 0)
		return n;
	m = bh_kernel_poll(p);
	if (m < 0)
		return m;
	rc = bh_stack_commit(p->stack, bh_now_ms());
	bh_kernel_settle(p);
	return rc < 0 ? rc : n + m + bh_socks_poll(p);
}

/* Takes what has come and does what is due. How much came, or -errno. */
static int
turn(struct program *p)
{
	int n = bh_poll(p->h, 0), m, rc;

	bh_life_beat();
	if (n < 0)
		return n;
	m = bh_supervised_heir() ? turn_heir(p) : turn_owner(p);
	if (m < 0)
		return m;
	rc = bh_flush(p->h);
	return rc < 0 ? rc : n + m;
}

/* Sleeps until something comes or is due. */
static void
rest(struct program *p)
{
	uint64_t now = bh_now_ms(), next = p->owner ? bh_stack_next(p->stack) : UINT64_MAX;
	bool quiet = bh_prepare_wait(p->h);
	struct timeval tv;

	if (p->packets != NULL)
		quiet = bh_packets_prepare_wait(p->packets) && quiet;
	if (!quiet || next <= now) {
		event_base_loop(p->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		return;
	}
	if (next != UINT64_MAX) {
		tv.tv_sec = (next - now) / 1000;
		tv.tv_usec = (next - now) % 1000 * 1000;
		event_add(p->timer, &tv);
	}
	event_base_loop(p->base, EVLOOP_ONCE);
}

/* 0 when asked to stop; -ECONNRESET: the connection has ended. Never NONBLOCK alone: libevent goes
 * on then as long as a descriptor is readable, and only a turn reads it. */
static int
serve(struct program *p)
{
	int n;

	while (!p->stop) {
		if (p->renewed)
			return -ECONNRESET;
		n = turn(p);
		if (n < 0)
			return n;
		if (n == 0)
			rest(p);
		else
			event_base_loop(p->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	return 0;
}

/* One connection, until it ends. */
static int
live(struct program *p)
{
	int rc;

	p->renewed = p->told = p->owner = false;
	rc = bh_program_watch(p);
	if (rc == 0)
		rc = bh_program_wait_for(p, &p->readable, bh_fd(p->h));
	if (rc == 0)
		rc = serve(p);
	bh_program_close_packets(p);
	return rc;
}

/* The core is gone, or a successor of ours has come: the supervisor says what follows. 0, or
 * -ECONNRESET: there is no supervisor to say it. */
static int
await_core(struct program *p)
{
	bh_notice("main", "the core is gone; waiting for the next one");
	if (p->readable != NULL)
		event_free(p->readable);
	p->readable = NULL;
	while (!p->renewed && !p->stop) {
		bh_life_beat();
		if (event_base_loop(p->base, EVLOOP_ONCE) < 0)
			return -ECONNRESET;
	}
	return 0;
}

/* Connection after connection. */
static int
follow_cores(struct program *p)
{
	int rc = live(p);

	while ((rc == -ECONNRESET || rc == -ESTALE) && p->has_role) {
		if (!p->renewed && await_core(p) < 0)
			return rc;
		if (p->stop)
			return 0;
		p->start = bh_now_ms();
		bh_stack_reconnect(p->stack);
		rc = live(p);
	}
	return rc;
}

static int
start(struct program *p)
{
	uint64_t seed;
	int rc;

	rc = bh_supervised_begin();
	if (rc < 0)
		bh_warn("main", "no link to the supervisor: %s", strerror(-rc));
	bh_life_busy(START_MS);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	p->stack = calloc(1, sizeof(*p->stack));
	if (p->stack == NULL)
		return -ENOMEM;
	bh_stack_init(p->stack, &stack_ops, p, bh_now_ms(), seed);
	bh_open_args_env(&p->args, "v6stack");
	p->args.service = BH_SERVICE_INFOBASE;
	p->has_role = p->args.role_fd >= 0;
	p->h = bh_open(&p->args);
	if (p->h == NULL)
		return -errno;
	rc = make_events(p);
	if (rc == 0)
		rc = bh_kernel_init(p);
	return rc < 0 ? rc : bh_socks_init(p);
}

static int
run(struct program *p)
{
	int rc = start(p);

	if (rc == 0)
		rc = bh_sandbox_enter(p->has_role ? BH_SANDBOX_MODULE : BH_SANDBOX_ALONE);
	if (rc == 0)
		rc = follow_cores(p);
	free_events(p);
	bh_packets_close(p->packets);
	bh_hosttaps_free(p->taps);
	bh_sockdiag_close(p->socks);
	if (p->stack != NULL)
		bh_stack_fini(p->stack);
	free(p->stack);
	if (p->h != NULL)
		bh_close(p->h);
	return rc;
}

int
main(int argc, char **argv)
{
	int level = parse_args(argc, argv), rc;
	struct program p = {0};

	if (level < 0)
		return -1 - level;
	bh_log_init("bulkhead-v6stack", level);
	p.start = bh_now_ms();
	rc = run(&p);
	if (rc == 0)
		return EXIT_SUCCESS;
	bh_err("main", "%s: %s", rc == -ECONNRESET ? "the core is gone" : "cannot go on",
		strerror(-rc));
	return rc == -ECONNRESET ? EXIT_CORE_GONE : EXIT_FAILURE;
}
