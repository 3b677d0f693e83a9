/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Life of the forwarding lcores and their loop.
 *
 * A turn polls every receive queue once. An lcore that finds nothing for a while naps, first for
 * 100, then for 200 us, so that it may share its CPU and a router without traffic rests; the
 * shortest receive ring (1,024) then holds 5 million packets a second. A nap and the punt lcore's
 * bell are the only system calls, at most one every 100 us, the nap outside of QSBR: writers do
 * not wait for an lcore that sleeps.
 */
#include "app/forwarding/forwarding.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_debug.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_random.h>

#include "app/core/bell.h"
#include "app/forwarding/forwarding_priv.h"

#define SPIN_US 100 /* idle for that long before the first nap */
#define NAP_MIN_US 100
#define NAP_MAX_US 200
#define RING_US 100
#define TIMER_SLACK_NS 1000

static int
create_lcore(struct bh_forwarding *f, const struct bh_forwarding_conf *conf, unsigned int index)
{
	struct bh_fwd_lcore *lc = rte_zmalloc_socket("bh_fwd_lcore", sizeof(*lc),
		RTE_CACHE_LINE_SIZE, conf->socket_id);

	if (lc == NULL)
		return -ENOMEM;
	f->lcore[index] = lc;
	lc->index = index;
	lc->lcore_id = conf->lcore[index];
	lc->tables = conf->tables;
	lc->stats = &conf->stats->fwd[index];
	lc->lcore_stats = &conf->stats->lcore[lc->lcore_id];
	lc->spin_tsc = rte_get_tsc_hz() / 1000000 * SPIN_US;
	lc->ring_tsc = rte_get_tsc_hz() / 1000000 * RING_US;
	lc->fragments = &f->fragments;
	bh_punt_police_init(lc);
	lc->nap_us = NAP_MIN_US;
	lc->now = &lc->plan[0];
	conf->stats->fwd_lcore[index] = lc->lcore_id;
	return 0;
}

static int
create_handoff(struct bh_forwarding *f, uint8_t from, uint8_t to, int socket_id)
{
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "bh_handoff_%hhu_%hhu", from, to);
	ring = rte_ring_create(name, BH_HANDOFF_RING, socket_id,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	if (ring == NULL)
		return -ENOMEM;
	f->lcore[from]->to[to] = ring;
	f->lcore[to]->from[from] = ring;
	return 0;
}

static int
create_lcores(struct bh_forwarding *f, const struct bh_forwarding_conf *conf)
{
	uint32_t seed = rte_rand();
	int rc = 0;

	for (unsigned int i = 0; i < conf->n_lcores && rc == 0; i++) {
		rc = create_lcore(f, conf, i);
		if (rc == 0)
			f->lcore[i]->flow_seed = seed;
	}
	for (unsigned int i = 0; i < conf->n_lcores; i++)
		for (unsigned int j = 0; j < conf->n_lcores && rc == 0; j++)
			if (i != j)
				rc = create_handoff(f, i, j, conf->socket_id);
	return rc;
}

static bool
conf_is_valid(const struct bh_forwarding_conf *conf)
{
	if (conf->n_lcores == 0 || conf->n_lcores > BH_FWD_MAX)
		return false;
	for (unsigned int i = 0; i < conf->n_lcores; i++)
		if (conf->lcore[i] >= BH_STATS_LCORES)
			return false;
	return true;
}

struct bh_forwarding *
bh_forwarding_create(const struct bh_forwarding_conf *conf)
{
	struct bh_forwarding *f;
	int rc;

	if (!conf_is_valid(conf)) {
		errno = EINVAL;
		return NULL;
	}
	f = rte_zmalloc_socket("bh_forwarding", sizeof(*f), RTE_CACHE_LINE_SIZE, conf->socket_id);
	if (f == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	f->tables = conf->tables;
	rc = bh_punt_init();
	if (rc == 0)
		rc = bh_frame_pools_create(&f->fragments, "bh_fragment", conf->socket_id);
	if (rc == 0)
		rc = create_lcores(f, conf);
	if (rc < 0) {
		bh_forwarding_destroy(f);
		errno = -rc;
		return NULL;
	}
	f->n = conf->n_lcores;
	conf->stats->n_fwd = f->n;
	return f;
}

static void
destroy_handoff(struct rte_ring *ring)
{
	void *m;

	while (ring != NULL && rte_ring_sc_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void
bh_forwarding_destroy(struct bh_forwarding *f)
{
	if (f == NULL)
		return;
	for (unsigned int i = 0; i < BH_FWD_MAX; i++) {
		if (f->lcore[i] == NULL)
			continue;
		for (unsigned int j = 0; j < BH_FWD_MAX; j++)
			destroy_handoff(f->lcore[i]->to[j]);
		rte_free(f->lcore[i]);
	}
	bh_frame_pools_destroy(&f->fragments);
	rte_free(f);
}

/* A burst of one receive queue, all the way. */
static void
forward(struct bh_fwd_lcore *lc, struct bh_burst *rx)
{
	struct bh_stats_if *stats = &lc->stats->ifs[rx->ifindex];
	struct bh_burst ip4, ip6;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < rx->n; i++)
		bytes += rx->m[i]->pkt_len;
	bh_count(&stats->rx_packets, rx->n);
	bh_count(&stats->rx_bytes, bytes);
	if (unlikely(!(rx->in->flags & BH_FWD_IF_UP))) {
		for (unsigned int i = 0; i < rx->n; i++)
			bh_drop_rx(lc, rx->ifindex, rx->m[i], BH_DROP_INTERFACE_DOWN);
		return;
	}
	bh_classify(lc, rx, &ip4, &ip6);
	if (ip4.n != 0)
		bh_ip4_input(lc, &ip4);
	if (ip6.n != 0)
		bh_ip6_input(lc, &ip6);
}

/* One writer of its counters: debug builds assert that turns do not overlap. */
static void
enter(struct bh_fwd_lcore *lc)
{
#ifdef BH_DEBUG
	if (__atomic_exchange_n(&lc->busy, 1, __ATOMIC_ACQUIRE) != 0)
		rte_panic("forwarding lcore %u runs twice\n", lc->lcore_id);
#else
	RTE_SET_USED(lc);
#endif
}

static void
leave(struct bh_fwd_lcore *lc)
{
#ifdef BH_DEBUG
	__atomic_store_n(&lc->busy, 0, __ATOMIC_RELEASE);
#else
	RTE_SET_USED(lc);
#endif
}

unsigned int
bh_fwd_turn(struct bh_fwd_lcore *lc)
{
	const struct bh_fwd_plan *plan;
	unsigned int taken = 0;
	struct bh_burst rx;

	enter(lc);
	plan = &lc->plan[__atomic_load_n(&lc->plan_sel, __ATOMIC_ACQUIRE)];
	lc->now = plan;
	lc->punt_tsc = 0;
	for (unsigned int i = 0; i < plan->n_rx; i++) {
		const struct bh_fwd_rxq *q = &plan->rx[i];

		rx.n = rte_eth_rx_burst(q->port_id, q->queue, rx.m, BH_BURST);
		if (rx.n == 0)
			continue;
		rx.ifindex = q->ifindex;
		rx.in = bh_fwd_if_get(&lc->tables->ifs[q->ifindex]);
		forward(lc, &rx);
		taken += rx.n;
	}
	if (unlikely(plan->inject != NULL))
		taken += bh_injected(lc);
	if (unlikely(plan->sources != 0))
		taken += bh_tx_handed(lc);
	bh_tx_flush(lc);
	leave(lc);
	return taken;
}

static void
nap(struct bh_fwd_lcore *lc)
{
	struct timespec t = { .tv_nsec = lc->nap_us * 1000 };
	struct rte_rcu_qsbr *qsbr = lc->tables->qsbr;

	rte_rcu_qsbr_thread_offline(qsbr, lc->index);
	nanosleep(&t, NULL);
	rte_rcu_qsbr_thread_online(qsbr, lc->index);
	lc->nap_us = NAP_MAX_US;
	bh_count(&lc->lcore_stats->sleeps, 1);
}

/* Wakes the punt lcore if it sleeps and was given something; rarely. True when it was rung. The plan
 * must still hold. */
static bool
ring(struct bh_fwd_lcore *lc)
{
	uint64_t tsc;

	if (likely(!lc->ring_due))
		return false;
	tsc = rte_rdtsc();
	if (tsc - lc->last_ring < lc->ring_tsc)
		return false;
	lc->ring_due = false;
	lc->last_ring = tsc;
	if (lc->now->bell != NULL)
		bh_bell_ring(lc->now->bell);
	return true;
}

/* Behind each turn: heartbeat, counters, and the nap of an lcore that has nothing to do. */
static void
housekeep(struct bh_fwd_lcore *lc, unsigned int taken, bool rang)
{
	struct bh_stats_lcore *stats = lc->lcore_stats;
	uint64_t tsc = rte_rdtsc();

	bh_count(&stats->turns, 1);
	__atomic_store_n(&stats->heartbeat, tsc, __ATOMIC_RELAXED);
	if (likely(taken != 0)) {
		bh_count(&stats->busy, 1);
		bh_count(&stats->handled, taken);
		lc->last_work = tsc;
		lc->nap_us = NAP_MIN_US;
	} else if (!rang && !lc->ring_due && tsc - lc->last_work > lc->spin_tsc) {
		nap(lc);
	} else {
		rte_pause();
	}
}

static struct bh_fwd_lcore *
find_lcore(struct bh_forwarding *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (f->lcore[i]->lcore_id == rte_lcore_id())
			return f->lcore[i];
	return NULL;
}

static void
introduce(struct bh_fwd_lcore *lc)
{
	struct bh_stats_lcore *stats = lc->lcore_stats;

	snprintf(stats->role, sizeof(stats->role), "forwarding");
	stats->cpu = sched_getcpu();
	stats->tid = gettid();
	__atomic_store_n(&stats->used, 1, __ATOMIC_RELEASE);
	lc->last_work = rte_rdtsc();
}

int
bh_forwarding_main(void *arg)
{
	struct bh_forwarding *f = arg;
	struct bh_fwd_lcore *lc = find_lcore(f);
	struct rte_rcu_qsbr *qsbr = f->tables->qsbr;

	if (lc == NULL || rte_rcu_qsbr_thread_register(qsbr, lc->index) != 0)
		return -EINVAL;
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	introduce(lc);
	rte_rcu_qsbr_thread_online(qsbr, lc->index);
	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		unsigned int taken = bh_fwd_turn(lc);
		bool rang = ring(lc);

		rte_rcu_qsbr_quiescent(qsbr, lc->index);
		housekeep(lc, taken, rang);
	}
	rte_rcu_qsbr_thread_offline(qsbr, lc->index);
	rte_rcu_qsbr_thread_unregister(qsbr, lc->index);
	return 0;
}

void
bh_forwarding_stop(struct bh_forwarding *f)
{
	__atomic_store_n(&f->stop, 1, __ATOMIC_RELAXED);
}
