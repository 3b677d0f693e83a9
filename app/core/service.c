/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lcore of a service: one loop over relays, polled channels, the handler's own work, and
 * sleep.
 *
 * A channel is polled while it is in use; idle for conf.poll_us it announces sleep and leaves
 * the polled set, its pipe stays in the epoll set. When no channel is polled the lcore
 * announces sleep on its bell, looks at everything once more and blocks in epoll. While it is
 * busy it looks at the epoll set every LOOK_US, so that one client's work cannot keep a
 * sleeping one from being heard.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/core/lcore_stats.h"
#include "app/core/service_priv.h"

#define LOOK_US 50
#define TIMER_MS 2	/* clients that ring without end */
#define REFUSED_MS 1	/* requests that the handler refused although there was room */
#define FLUSH_TURNS 16	/* busy turns between two looks at who sleeps */
#define FLUSH_MAX 128	/* requests */
#define EVENTS 16 /* a turn: each may be a departure, in which the others wait */
#define BELL_EVENT UINT64_MAX

static int
make_epoll(struct bh_service *svc)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = BELL_EVENT};

	svc->ep = epoll_create1(EPOLL_CLOEXEC);
	if (svc->ep < 0)
		return -errno;
	return epoll_ctl(svc->ep, EPOLL_CTL_ADD, svc->bell.fd, &ev) < 0 ? -errno : 0;
}

static void
unmake(struct bh_service *svc)
{
	if (svc->ep >= 0)
		close(svc->ep);
	bh_bell_close(&svc->bell);
	rte_memzone_free(svc->mz);
	free(svc);
}

struct bh_service *
bh_service_create(const struct bh_service_conf *conf)
{
	struct bh_service *svc;
	int rc;

	if (conf->n_proxies == 0 || conf->n_proxies > BH_PROXIES_MAX ||
		conf->id == 0 || conf->id >= BH_SERVICE_MAX || strlen(conf->name) > 11) {
		errno = EINVAL;
		return NULL;
	}
	svc = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*svc), 64));
	if (svc == NULL)
		return NULL;
	memset(svc, 0, sizeof(*svc));
	svc->conf = *conf;
	strcpy(svc->name, conf->name);
	svc->ep = -1;
	svc->spare.wanted = true;
	svc->poll_tsc = rte_get_tsc_hz() / 1000000 * conf->poll_us;
	svc->look_tsc = rte_get_tsc_hz() / 1000000 * LOOK_US;
	svc->timer_tsc = rte_get_tsc_hz() / 1000 * TIMER_MS;
	rc = bh_bell_init(&svc->bell);
	if (rc == 0)
		rc = make_epoll(svc);
	if (rc == 0)
		rc = bh_relay_create(svc);
	if (rc < 0) {
		unmake(svc);
		errno = -rc;
		return NULL;
	}
	return svc;
}

struct bh_bell *
bh_service_bell(struct bh_service *svc)
{
	return &svc->bell;
}

void
bh_service_stop(struct bh_service *svc)
{
	__atomic_store_n(&svc->stop, true, __ATOMIC_RELEASE);
	bh_bell_ring(&svc->bell);
}

int
bh_service_destroy(struct bh_service *svc)
{
	if (svc == NULL)
		return 0;
	if (__atomic_load_n(&svc->relay->users, __ATOMIC_ACQUIRE) > 0)
		return -EBUSY;
	unmake(svc);
	return 0;
}

/* Waits at most timeout ms for bells; true when there was one. */
static bool
look(struct bh_service *svc, int timeout)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(svc->ep, ev, EVENTS, timeout);

	if (timeout != 0)
		svc->now = rte_get_tsc_cycles();
	for (int i = 0; i < n; i++) {
		struct bh_peer *p;

		if (ev[i].data.u64 == BELL_EVENT)
			continue;
		p = &svc->peers[ev[i].data.u64 % BH_PEERS_MAX];
		if (p->used)
			bh_peer_rung(svc, p);
	}
	svc->next_look = svc->now + svc->look_tsc;
	return n > 0;
}

/* Polled peers from index `from` to below `to`, backwards: the last one takes the place of one that
 * leaves. It had its turn, or has it in the next pass. */
static bool
serve_part(struct bh_service *svc, unsigned int from, unsigned int to)
{
	bool busy = false;

	for (unsigned int i = to; i-- > from;) {
		struct bh_peer *p;

		if (i >= svc->n_polled)
			continue;
		p = &svc->peers[svc->polled[i]];
		if (bh_peer_serve(svc, p))
			busy = true;
		else if (!p->refused && svc->now - p->active >= svc->poll_tsc)
			bh_peer_park(svc, p);
	}
	return busy;
}

/* Another peer begins each pass: where the handler takes less than is offered, none is always
 * the last. */
static bool
serve_polled(struct bh_service *svc)
{
	unsigned int n = svc->n_polled, first;
	bool busy;

	if (n == 0)
		return false;
	if (n == 1)
		return serve_part(svc, 0, 1);
	first = svc->first_polled++ % n + 1;
	busy = serve_part(svc, 0, first);
	return serve_part(svc, first, n) | busy;
}

static void
serve_timed(struct bh_service *svc)
{
	if (svc->n_timed == 0 || svc->now < svc->next_timer)
		return;
	svc->next_timer = svc->now + svc->timer_tsc;
	for (unsigned int i = 0; i < BH_PEERS_MAX; i++)
		if (svc->peers[i].used && svc->peers[i].timed)
			bh_peer_timer(svc, &svc->peers[i]);
}

static bool
own_work(struct bh_service *svc)
{
	const struct bh_service_ops *ops = svc->conf.ops;

	return ops->poll != NULL && ops->poll(svc->conf.ctx);
}

/* ms that the lcore may sleep; 0: there are channels to poll. */
static int
may_sleep(struct bh_service *svc)
{
	const struct bh_service_ops *ops = svc->conf.ops;
	int ms = ops->timeout != NULL ? ops->timeout(svc->conf.ctx) : -1;

	for (unsigned int i = 0; i < svc->n_polled; i++) {
		if (!svc->peers[svc->polled[i]].refused)
			return 0;
		if (ms < 0 || ms > REFUSED_MS)
			ms = REFUSED_MS;
	}
	if (svc->n_timed > 0 && (ms < 0 || ms > TIMER_MS))
		ms = TIMER_MS;
	return ms < 0 || ms > BH_NAP_MS ? BH_NAP_MS : ms;
}

static void
sleep_if_idle(struct bh_service *svc)
{
	int ms = may_sleep(svc);

	if (ms == 0)
		return;
	bh_spare_make(svc);
	bh_bell_announce(&svc->bell);
	if (!bh_relays_ready(svc) && !own_work(svc) &&
		!__atomic_load_n(&svc->stop, __ATOMIC_ACQUIRE)) {
		bh_peers_flush(svc);
		bh_count(&svc->stats->sleeps, 1);
		svc->bell.sleeps++;
		if (look(svc, ms)) {
			bh_count(&svc->stats->wakes, 1);
			svc->bell.wakes++;
		}
	}
	bh_bell_awake(&svc->bell);
}

/*
 * Whether it is time to look who sleeps: at the end of the work at the latest. A busy lcore lets
 * some turns pass, since the fence waits for lines that are on their way to the clients, and one
 * that was given answers for a while mostly polls.
 */
static bool
flush_due(struct bh_service *svc, bool busy)
{
	if (busy && svc->n_corrupt == 0 && svc->unflushed < FLUSH_MAX &&
		++svc->turns_kept < FLUSH_TURNS)
		return false;
	svc->turns_kept = 0;
	svc->unflushed = 0;
	return true;
}

static void
turn(struct bh_service *svc)
{
	bool busy;

	svc->now = rte_get_tsc_cycles();
	busy = bh_relays_serve(svc);
	busy |= own_work(svc);
	busy |= serve_polled(svc);
	serve_timed(svc);
	if (flush_due(svc, busy))
		bh_peers_flush(svc);
	bh_lcore_turn(svc->stats, busy, svc->now);
	if (!busy)
		sleep_if_idle(svc);
	if (svc->now >= svc->next_look)
		look(svc, 0);
}

/* SIGPIPE of a doorbell whose client is gone must not end the core. */
static void
block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
close_all(struct bh_service *svc)
{
	for (unsigned int i = 0; i < BH_PEERS_MAX; i++)
		if (svc->peers[i].used)
			bh_peer_close(svc, &svc->peers[i], NULL);
}

int
bh_service_main(void *arg)
{
	struct bh_service *svc = arg;

	block_sigpipe();
	svc->stats = bh_lcore_stats(svc->conf.stats, svc->name);
	svc->lcore = rte_lcore_id();
	while (bh_service_register(svc->conf.proxy, svc->relay) == -ENOBUFS)
		usleep(100);
	while (!__atomic_load_n(&svc->stop, __ATOMIC_ACQUIRE))
		turn(svc);
	close_all(svc);
	bh_spare_free(svc);
	while (bh_service_withdraw(svc->conf.proxy, svc->relay) == -ENOBUFS)
		usleep(100);
	return 0;
}
