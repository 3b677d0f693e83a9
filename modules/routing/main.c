/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-routing: the process around struct bh_routing. One thread, one handle; it sleeps in
 * libevent until the core or the supervisor has something to say. What else it needs it opens
 * before its sandbox; first contact comes after. When the core goes away it keeps what it knows,
 * waits for a role socket to the next one, and replays. At SIGTERM it leaves its routes where they
 * are: forwarding goes on without it.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/client/bulkhead.h"
#include "lib/life/life.h"
#include "lib/log/log.h"
#include "lib/sandbox/sandbox.h"
#include "lib/stats/stats.h"
#include "modules/routing/fpm_conn.h"
#include "modules/routing/routing.h"

enum { EXIT_USAGE = 2, EXIT_CORE_GONE = 3 };

struct program {
	struct bh_handle *h;
	struct bh_routing routing;
	struct bh_fpm_conn fpm;
	struct event_base *base;
	struct event *readable, *words, *term, *intr, *beat;
	struct timespec start;
	bool has_role;
	bool stop;
	bool renewed; /* there is a new role socket, not used yet */
	bool asked;   /* for a replay, and who asked waits for its end */
	int role_fd;  /* a later role socket than the inherited one, or -1 */
};

static void
usage(FILE *f)
{
	fputs("usage: bulkhead-routing [-v] [--help] [--version]\n"
	      "The routing module of bulkhead; started by its supervisor.\n"
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
			puts("bulkhead-routing " BH_VERSION);
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

/* ---- what the routing core does to the world ---- */

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
	struct timespec now;
	int rc = bh_ready();

	clock_gettime(CLOCK_MONOTONIC, &now);
	bh_info("main", "ready after %.3f s: %u IPv4 and %u IPv6 prefixes, %u next hops",
		(now.tv_sec - p->start.tv_sec) + (now.tv_nsec - p->start.tv_nsec) / 1e9,
		p->routing.rib.routes[0].n, p->routing.rib.routes[1].n, p->routing.rib.nhs.tab.n);
	if (rc < 0)
		bh_warn("main", "cannot tell the supervisor: %s", strerror(-rc));
}

static const struct bh_out_ops out_ops = {out_submit, out_ready};

/* ---- process ---- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	/* Only wakes the loop: bh_poll() follows in any case. */
	(void)fd;
	(void)what;
	(void)arg;
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	/* Only wakes the loop, whose turn is the sign of life. */
	(void)fd;
	(void)what;
	(void)arg;
}

/* What a computation may take: all routes are looked at. */
static unsigned int
compute_ms(const struct program *p)
{
	const struct bh_rib *rib = &p->routing.rib;

	return 500 + (rib->routes[0].n + rib->routes[1].n) / 20 + p->routing.fpm.entries.n / 20;
}

/* The core is another one from now on; what was under way ends in here. */
static void
take_role(struct program *p, int fd)
{
	if (bh_reopen_role(p->h, fd) < 0) {
		close(fd);
		return;
	}
	if (p->role_fd >= 0)
		close(p->role_fd);
	p->role_fd = fd;
	p->renewed = true;
}

static void
promote(struct program *p)
{
	bh_life_busy(compute_ms(p));
	bh_routing_promote(&p->routing);
}

static void
replay_again(struct program *p)
{
	p->asked = true;
	bh_routing_replay(&p->routing);
}

static void
word_done(enum bh_word_kind kind)
{
	int rc = bh_word_done(kind);

	if (rc < 0)
		bh_warn("main", "cannot tell the supervisor: %s", strerror(-rc));
}

static void
tell_replayed(struct program *p)
{
	if (!p->asked || bh_routing_replays(&p->routing))
		return;
	p->asked = false;
	word_done(BH_WORD_REPLAY);
}

/* Zebra comes back by itself; its replay is told by the table `fpm`. */
static void
renew(struct program *p)
{
	bh_life_busy(compute_ms(p));
	bh_fpm_conn_renew(&p->fpm);
	word_done(BH_WORD_RENEW);
}

static void
on_words(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	enum bh_word_kind kind;
	struct bh_word w;

	(void)fd;
	(void)what;
	while ((kind = bh_supervised_take(&w)) != BH_WORD_NONE) {
		if (kind == BH_WORD_GONE)
			event_del(p->words);
		else if (kind == BH_WORD_ROLE)
			take_role(p, w.fd);
		else if (kind == BH_WORD_TAKE)
			promote(p);
		else if (kind == BH_WORD_REPLAY)
			replay_again(p);
		else if (kind == BH_WORD_RENEW)
			renew(p);
		else if (kind == BH_WORD_LEAVE)
			p->stop = true;
		else if (w.fd >= 0)
			close(w.fd);
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
watch_inputs(struct program *p)
{
	unsigned int i;
	int rc;

	for (i = 0; i < BH_ROUTING_INPUTS; i++) {
		rc = bh_watch(p->h, bh_routing_table(&p->routing, i), bh_routing_change,
			&p->routing.input[i]);
		if (rc < 0) {
			bh_err("main", "cannot watch table %u: %s",
				bh_routing_table(&p->routing, i), strerror(-rc));
			return rc;
		}
	}
	return 0;
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
	if (p->term == NULL || p->intr == NULL)
		return -ENOMEM;
	p->beat = event_new(p->base, -1, EV_PERSIST, on_beat, p);
	if (p->beat == NULL)
		return -ENOMEM;
	if (bh_supervised_fd() >= 0) {
		p->words = event_new(p->base, bh_supervised_fd(), EV_READ | EV_PERSIST, on_words, p);
		if (p->words == NULL || event_add(p->words, NULL) < 0)
			return -ENOMEM;
	}
	return event_add(p->term, NULL) < 0 || event_add(p->intr, NULL) < 0 ||
		event_add(p->beat, &beat) < 0 ? -EIO : 0;
}

/* After first contact, which brings the descriptor. */
static int
watch_core(struct program *p)
{
	if (p->readable != NULL)
		event_free(p->readable);
	p->readable = event_new(p->base, bh_fd(p->h), EV_READ | EV_PERSIST, on_readable, p);
	if (p->readable == NULL)
		return -ENOMEM;
	return event_add(p->readable, NULL) < 0 ? -EIO : 0;
}

static void
free_events(struct program *p)
{
	struct event **e[] = {&p->readable, &p->words, &p->term, &p->intr, &p->beat};

	for (unsigned int i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		if (*e[i] != NULL)
			event_free(*e[i]);
	if (p->base != NULL)
		event_base_free(p->base);
}

/* Polls, computes, sends, and sleeps when there was nothing. 0 when asked to stop; -ECONNRESET:
 * the connection has ended. */
static int
serve(struct program *p)
{
	bool more;
	int n, rc;

	while (!p->stop) {
		if (p->renewed)
			return -ECONNRESET;
		n = bh_poll(p->h, 0);
		if (n < 0)
			return n;
		bh_life_busy(compute_ms(p));
		p->routing.fpm.now = bh_fpm_clock();
		more = bh_fpm_conn_turn(&p->fpm, p->has_role && bh_routing_is_open(&p->routing));
		rc = bh_routing_commit(&p->routing);
		bh_life_beat();
		if (rc < 0)
			return rc;
		tell_replayed(p);
		rc = bh_flush(p->h);
		if (rc < 0)
			return rc;
		/* Never NONBLOCK alone: that goes on as long as a descriptor is readable, and only
		 * bh_poll() reads what the core wrote. */
		event_base_loop(p->base, EVLOOP_ONCE |
			(n == 0 && !more && bh_prepare_wait(p->h) ? 0 : EVLOOP_NONBLOCK));
	}
	return 0;
}

/* Whether the tables that are ours hold all that a predecessor said. */
static bool
tables_complete(const struct program *p)
{
	static const uint16_t ours[] = {BH_T_NEXTHOP, BH_T_ROUTE4, BH_T_ROUTE6};
	size_t size;
	const struct bh_stats *st = bh_stats_map(p->h, &size);

	for (unsigned int i = 0; st != NULL && size >= sizeof(*st) && i < 3; i++)
		if (bh_read(&st->table[ours[i]].complete) == 0)
			return false;
	return st != NULL && size >= sizeof(*st);
}

/* One connection: watches, replay, changes, until it ends. 0 when asked to stop. */
static int
live(struct program *p)
{
	int rc;

	p->renewed = false;
	rc = watch_inputs(p);
	if (rc == 0)
		rc = watch_core(p);
	if (rc < 0)
		return rc;
	p->routing.recovers = tables_complete(p);
	return serve(p);
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
		clock_gettime(CLOCK_MONOTONIC, &p->start);
		bh_life_busy(compute_ms(p));
		bh_routing_restart(&p->routing);
		bh_life_beat();
		rc = live(p);
	}
	return rc;
}

static int
run(struct program *p)
{
	struct bh_open_args args = {0};
	int rc;

	rc = bh_supervised_begin();
	if (rc < 0)
		bh_warn("main", "no link to the supervisor: %s", strerror(-rc));
	p->routing.heir = bh_supervised_heir();
	bh_open_args_env(&args, "routing");
	args.service = BH_SERVICE_INFOBASE;
	p->has_role = args.role_fd >= 0;
	p->role_fd = -1;
	p->h = bh_open(&args);
	if (p->h == NULL)
		return -errno;
	rc = make_events(p);
	if (rc == 0)
		rc = bh_sandbox_enter(p->has_role ? BH_SANDBOX_LISTENER : BH_SANDBOX_ALONE);
	if (rc == 0) {
		bh_fpm_conn_init(&p->fpm, p->base, &p->routing.fpm);
		rc = follow_cores(p);
		bh_fpm_conn_fini(&p->fpm);
	}
	free_events(p);
	bh_close(p->h);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct program p;
	int level = parse_args(argc, argv), rc;

	if (level < 0)
		return -1 - level;
	bh_log_init("bulkhead-routing", level);
	clock_gettime(CLOCK_MONOTONIC, &p.start);
	bh_routing_init(&p.routing, &out_ops, &p);
	rc = run(&p);
	bh_routing_fini(&p.routing);
	if (rc == 0)
		return EXIT_SUCCESS;
	bh_err("main", "%s: %s", rc == -ECONNRESET ? "the core is gone" : "cannot go on",
		strerror(-rc));
	return rc == -ECONNRESET ? EXIT_CORE_GONE : EXIT_FAILURE;
}
