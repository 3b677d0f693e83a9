/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/mini_core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "lib/channel/queue.h"

enum { LCORE_PROXY0 = 1, LCORE_PROXY1, LCORE_SERVICE_PROXY, LCORE_ECHO, LCORE_SLOW };

struct mini_core mini;
static uint32_t mini_poll_us;

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "mini core: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- the directed service ---- */

static int
slow_request(void *ctx, const struct bh_peer_info *peer, const struct bh_msg *msg,
	unsigned int room)
{
	struct mini_slow *s = ctx;

	if (room < bh_slots(msg->len))
		return -EAGAIN;
	switch (msg->verb) {
	case BH_V_GET:
		if (s->n_held == MINI_HELD ||
			s->taken >= __atomic_load_n(&s->per_pass, __ATOMIC_ACQUIRE))
			return -EAGAIN;
		s->taken++;
		s->taken_all++;
		s->held[s->n_held].ref = peer->ref;
		s->held[s->n_held].msg = *msg;
		if (msg->aux == UINT32_MAX)
			s->held[s->n_held].msg.aux = s->taken_all;
		s->held[s->n_held++].msg.len = sizeof(*msg);
		__atomic_store_n(&s->held_now, s->n_held, __ATOMIC_RELEASE);
		return 1;
	case BH_V_WATCH:
		s->watcher = peer->ref;
		s->event = *msg;
		s->event.verb = BH_V_EVENT;
		s->event.len = sizeof(*msg);
		s->events = msg->aux;
		s->sent = 0;
		/* fall through */
	case BH_V_NOP:
		bh_service_reply(s->svc, peer->ref, msg);
		return bh_slots(msg->len);
	default:
		return -EOPNOTSUPP;
	}
}

static bool
may_release(struct mini_slow *s)
{
	if (__atomic_load_n(&s->release, __ATOMIC_ACQUIRE))
		return true;
	if (__atomic_load_n(&s->release_some, __ATOMIC_ACQUIRE) == 0)
		return false;
	__atomic_fetch_sub(&s->release_some, 1, __ATOMIC_RELEASE);
	return true;
}

static bool
slow_poll(void *ctx)
{
	struct mini_slow *s = ctx;
	bool busy = false;

	s->taken = 0;
	while (s->n_held > 0 && may_release(s)) {
		s->n_held--;
		bh_service_reply(s->svc, s->held[s->n_held].ref, &s->held[s->n_held].msg);
		__atomic_store_n(&s->held_now, s->n_held, __ATOMIC_RELEASE);
		busy = true;
	}
	while (s->sent < s->events) {
		s->event.aux = s->sent;
		if (bh_service_event(s->svc, s->watcher, &s->event) < 0)
			break;
		s->sent++;
		busy = true;
	}
	return busy;
}

static int
slow_timeout(void *ctx)
{
	struct mini_slow *s = ctx;

	return s->n_held > 0 || s->sent < s->events ? 1 : -1;
}

static void
slow_gone(void *ctx, struct bh_peer_ref ref)
{
	struct mini_slow *s = ctx;
	unsigned int n = 0;

	if (s->watcher.index == ref.index && s->watcher.gen == ref.gen)
		s->events = s->sent;
	for (unsigned int i = 0; i < s->n_held; i++)
		if (s->held[i].ref.index != ref.index || s->held[i].ref.gen != ref.gen)
			s->held[n++] = s->held[i];
	s->n_held = n;
	__atomic_store_n(&s->held_now, n, __ATOMIC_RELEASE);
	__atomic_fetch_add(&s->gone, 1, __ATOMIC_RELEASE);
}

static const struct bh_service_ops slow_ops = {
	.request = slow_request,
	.poll = slow_poll,
	.timeout = slow_timeout,
	.gone = slow_gone,
};

/* ---- up and down ---- */

struct bh_service *
mini_service(uint16_t id, const char *name, const struct bh_service_ops *ops, void *ctx)
{
	struct bh_service_conf conf = {
		.id = id,
		.name = name,
		.ops = ops,
		.ctx = ctx,
		.proxy = mini.sp,
		.n_proxies = 2,
		.stats = mini.stats,
		.socket = SOCKET_ID_ANY,
		.poll_us = mini_poll_us,
	};
	struct bh_service *svc = bh_service_create(&conf);

	need(svc != NULL, name);
	return svc;
}

void
mini_await_known(uint16_t service, bool known)
{
	struct timespec ms = {.tv_nsec = 1000000};

	for (unsigned int i = 0; i < 2; i++)
		for (int n = 0; bh_proxy_knows(mini.proxy[i], service) != known; n++) {
			need(n < MINI_WAIT_MS, "a service is not announced");
			nanosleep(&ms, NULL);
		}
}

void
mini_echo_start(void)
{
	mini.echo.svc = mini_service(BH_SERVICE_ECHO, "echo", &bh_echo_ops, &mini.echo);
	need(rte_eal_remote_launch(bh_service_main, mini.echo.svc, LCORE_ECHO) == 0, "launch");
	mini_await_known(BH_SERVICE_ECHO, true);
}

void
mini_echo_stop(void)
{
	bh_service_stop(mini.echo.svc);
	rte_eal_wait_lcore(LCORE_ECHO);
	mini_await_known(BH_SERVICE_ECHO, false);
	need(bh_service_destroy(mini.echo.svc) == 0, "destroy");
	mini.echo.svc = NULL;
}

static void
start_eal(void)
{
	char *argv[] = {"mini", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
		"256", "--lcores", "(0-7)@(0-1)", "--log-level=4", NULL};
	struct rlimit lim = {8192, 8192};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 2)
		argv[8] = "(0-7)@0";
	setrlimit(RLIMIT_NOFILE, &lim);
	need(rte_eal_init(10, argv) >= 0, "EAL");
}

void
mini_up(uint32_t poll_us)
{
	mini_poll_us = poll_us;
	start_eal();
	need(bh_chanmem_init(2 * BH_PEERS_MAX) == 0, "channel memory");
	need(bh_stats_create(&mini.stats, &mini.stats_fd) == 0, "bh.stats");
	strcpy(mini.dir, "/tmp/bh-mini-XXXXXX");
	need(mkdtemp(mini.dir) != NULL, "directory");
	snprintf(mini.path, sizeof(mini.path), "%s/core.sock", mini.dir);
	mini.listen_fd = bh_listen(mini.path);
	need(mini.listen_fd >= 0, "listening socket");
	for (unsigned int i = 0; i < 2; i++) {
		struct bh_proxy_conf conf = {i, mini.listen_fd, mini.stats_fd, mini.stats,
			SOCKET_ID_ANY};

		mini.proxy[i] = bh_proxy_create(&conf);
		need(mini.proxy[i] != NULL, "proxy");
	}
	mini.sp = bh_service_proxy_create(&(struct bh_service_proxy_conf){
		mini.proxy, 2, mini.stats, SOCKET_ID_ANY});
	need(mini.sp != NULL, "service proxy");
	mini.slow.per_pass = UINT32_MAX;
	mini.slow.svc = mini_service(MINI_SERVICE_SLOW, "slow", &slow_ops, &mini.slow);
	rte_eal_remote_launch(bh_proxy_main, mini.proxy[0], LCORE_PROXY0);
	rte_eal_remote_launch(bh_proxy_main, mini.proxy[1], LCORE_PROXY1);
	rte_eal_remote_launch(bh_service_proxy_main, mini.sp, LCORE_SERVICE_PROXY);
	rte_eal_remote_launch(bh_service_main, mini.slow.svc, LCORE_SLOW);
	mini_echo_start();
	mini_await_known(MINI_SERVICE_SLOW, true);
}

void
mini_down(void)
{
	bh_service_stop(mini.echo.svc);
	bh_service_stop(mini.slow.svc);
	bh_service_proxy_stop(mini.sp);
	bh_proxy_stop(mini.proxy[0]);
	bh_proxy_stop(mini.proxy[1]);
	rte_eal_mp_wait_lcore();
	bh_proxy_destroy(mini.proxy[0]);
	bh_proxy_destroy(mini.proxy[1]);
	bh_service_proxy_destroy(mini.sp);
	need(bh_service_destroy(mini.echo.svc) == 0, "echo is still in use");
	need(bh_service_destroy(mini.slow.svc) == 0, "slow is still in use");
	bh_stats_destroy();
	bh_chanmem_fini();
	close(mini.listen_fd);
	close(mini.stats_fd);
	unlink(mini.path);
	rmdir(mini.dir);
	rte_eal_cleanup();
}

/* ---- for clients ---- */

struct bh_handle *
mini_open(const char *client, uint16_t service)
{
	struct bh_open_args args = {client, service, -1, mini.path};

	return bh_open(&args);
}

int
mini_nop(struct bh_handle *h)
{
	return bh_call(h, BH_V_NOP, 0, NULL, "abc", 4, NULL, NULL);
}

const struct bh_stats_conn *
mini_conn(const char *client, uint32_t state)
{
	struct timespec ms = {.tv_nsec = 1000000};

	for (int n = 0; n < MINI_WAIT_MS; n++, nanosleep(&ms, NULL))
		for (unsigned int i = 0; i < BH_STATS_CONNS; i++) {
			const struct bh_stats_conn *c = &mini.stats->conn[i];

			if (__atomic_load_n(&c->state, __ATOMIC_ACQUIRE) == state &&
				strcmp(c->client, client) == 0)
				return c;
		}
	return NULL;
}

bool
mini_await(const uint32_t *word, uint32_t value)
{
	struct timespec ms = {.tv_nsec = 1000000};

	for (int n = 0; n < MINI_WAIT_MS; n++, nanosleep(&ms, NULL))
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) >= value)
			return true;
	return false;
}
