/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop of a worker lcore: requests of each table, inputs, sweeps, chores, each with a
 * budget; then sleep. Where the CPU is its own it looks for work a little longer before it
 * sleeps; where another lcore shares the CPU it sleeps at once. It wakes once a second anyway,
 * so that its heartbeat tells a sleeping worker from a hung one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "app/core/lcore_stats.h"
#include "infobase/infobase_priv.h"

#define BURST 32	 /* objects of one input a turn */
#define SWEEP_BUDGET 256 /* slots of one table a turn */
#define SPIN_US 20

struct bh_worker *
bh_worker_create(struct bh_infobase *ib, unsigned int lcore)
{
	struct bh_worker *w = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*w), 64));
	char name[RTE_RING_NAMESIZE];
	int err;

	if (w == NULL)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->ib = ib;
	w->lcore = lcore;
	err = bh_bell_init(&w->bell);
	if (err != 0) {
		free(w);
		errno = -err;
		return NULL;
	}
	snprintf(name, sizeof(name), "ib.results.%u", lcore);
	w->results = rte_ring_create(name, BH_IB_POOL * 2, ib->conf.socket_id,
		RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (w->results == NULL) {
		bh_worker_destroy(w);
		errno = ENOMEM;
		return NULL;
	}
	return w;
}

void
bh_worker_destroy(struct bh_worker *w)
{
	if (w == NULL)
		return;
	rte_ring_free(w->results);
	bh_bell_close(&w->bell);
	free(w);
}

void
bh_worker_add_table(struct bh_worker *w, struct bh_table *t, struct rte_ring *requests,
	struct bh_stats_table *stats)
{
	struct bh_worker_table *wt = &w->tables[w->n_tables++];

	wt->table = t;
	wt->requests = requests;
	wt->stats = stats;
	stats->lcore = w->lcore;
	__atomic_store_n(&stats->used, 1, __ATOMIC_RELEASE);
}

int
bh_worker_add_input(struct bh_worker *w, struct rte_ring *ring,
	void (*handle)(void *ctx, void *obj), void *ctx)
{
	if (w->n_inputs == BH_WORKER_INPUTS)
		return -ENOSPC;
	w->inputs[w->n_inputs++] = (struct bh_worker_input){ ring, handle, ctx };
	return 0;
}

int
bh_worker_add_chore(struct bh_worker *w, int (*chore)(void *ctx), void *ctx)
{
	if (w->n_chores == BH_WORKER_CHORES)
		return -ENOSPC;
	w->chores[w->n_chores++] = (struct bh_worker_chore){ chore, ctx };
	return 0;
}

void
bh_worker_wake(struct bh_worker *w)
{
	bh_bell_ring(&w->bell);
}

/* ---- one turn ---- */

/* An end of replay is answered when what was stale is swept: who then takes down what the swept
 * records rested on takes nothing away under them. */
static bool
waits_for_sweep(const struct bh_worker_table *wt, const struct bh_ib_request *r)
{
	return r->msg.verb == BH_V_REPLAY_END && r->msg.status == 0 &&
		bh_table_is_sweeping(wt->table);
}

/* Requests of one table; how many. Behind one that waits for the sweep the others wait, so that
 * answers keep their order. */
static unsigned int
run_requests(struct bh_worker *w, struct bh_worker_table *wt)
{
	struct bh_ib_request **r = wt->held;
	unsigned int n = wt->n_held, done = n > 0;

	if (n > 0 && waits_for_sweep(wt, r[0]))
		return 0;
	if (n == 0)
		n = rte_ring_sc_dequeue_burst(wt->requests, (void **)r, BH_IB_BURST, NULL);
	for (; done < n; done++) {
		if (done + 1 < n)
			__builtin_prefetch(&r[done + 1]->msg);
		bh_ib_execute(wt->table, r[done]);
		if (waits_for_sweep(wt, r[done]))
			break;
	}
	if (done > 0) /* has room for all objects that there are */
		rte_ring_sp_enqueue_bulk(w->results, (void **)r, done, NULL);
	wt->n_held = n - done;
	if (wt->n_held > 0)
		memmove(r, r + done, wt->n_held * sizeof(*r));
	return done;
}

static bool
run_inputs(struct bh_worker *w)
{
	void *obj[BURST];
	unsigned int i, k, n;
	bool busy = false;

	for (i = 0; i < w->n_inputs; i++) {
		const struct bh_worker_input *in = &w->inputs[i];

		n = rte_ring_sc_dequeue_burst(in->ring, obj, BURST, NULL);
		for (k = 0; k < n; k++)
			in->handle(in->ctx, obj[k]);
		busy |= n > 0;
	}
	return busy;
}

static bool
run_sweeps(struct bh_worker *w)
{
	bool more = false;
	unsigned int i;

	for (i = 0; i < w->n_tables; i++)
		more |= bh_table_sweep(w->tables[i].table, SWEEP_BUDGET);
	return more;
}

/* ms until some chore wants to be called again, -1: none does. */
static int
run_chores(struct bh_worker *w)
{
	int timeout = -1, ms;
	unsigned int i;

	for (i = 0; i < w->n_chores; i++) {
		ms = w->chores[i].run(w->chores[i].ctx);
		if (ms >= 0 && (timeout < 0 || ms < timeout))
			timeout = ms;
	}
	return timeout;
}

static void
put_stat(uint64_t *to, uint64_t value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

static void
write_stats(const struct bh_worker_table *wt)
{
	const struct bh_table *t = wt->table;

	put_stat(&wt->stats->records, t->store.count);
	put_stat(&wt->stats->stale, t->stale);
	put_stat(&wt->stats->generation, t->gen);
	put_stat(&wt->stats->epoch, t->epoch);
	put_stat(&wt->stats->complete, t->complete);
	put_stat(&wt->stats->swept, t->swept);
	put_stat(&wt->stats->replay_since, t->replay_since);
}

/* Statistics of a table that had requests or changed; true: watchers have news. */
static bool
settle(struct bh_worker_table *wt, bool used)
{
	uint64_t head = wt->table->log.head;
	bool news = head != wt->seen_log;

	if (used || news)
		write_stats(wt);
	wt->seen_log = head;
	return news;
}

static bool
more_requests(const struct bh_worker *w)
{
	unsigned int i;

	for (i = 0; i < w->n_tables; i++)
		if (w->tables[i].n_held > 0 || !rte_ring_empty(w->tables[i].requests))
			return true;
	return false;
}

/* Results and news wait while requests are at hand, up to a bound: on a shared CPU main would else
 * take it for each few of them. */
static void
tell_main(struct bh_worker *w)
{
	if (w->unrung < BH_IB_GATHER && more_requests(w))
		return;
	w->unrung = 0;
	bh_bell_ring(bh_service_bell(w->ib->svc));
}

bool
bh_worker_turn(struct bh_worker *w, int *timeout)
{
	bool ring = false, busy, used[BH_T_MAX];
	unsigned int i, n, total = 0;

	for (i = 0; i < w->n_tables; i++) {
		n = run_requests(w, &w->tables[i]);
		used[i] = n > 0;
		total += n;
	}
	busy = run_inputs(w);
	busy |= run_sweeps(w);
	*timeout = run_chores(w);
	for (i = 0; i < w->n_tables; i++)
		ring |= settle(&w->tables[i], used[i]);
	if (total > 0)
		bh_count(&w->stats->handled, total);
	w->unrung += total;
	if (ring || w->unrung > 0)
		tell_main(w);
	return busy || total > 0 || ring;
}

/* ---- sleep ---- */

static bool
has_work(const struct bh_worker *w)
{
	unsigned int i;

	if (more_requests(w))
		return true;
	for (i = 0; i < w->n_inputs; i++)
		if (!rte_ring_empty(w->inputs[i].ring))
			return true;
	return __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE);
}

static void
count_sleep(struct bh_worker *w)
{
	unsigned int i;

	put_stat(&w->stats->sleeps, w->bell.sleeps);
	put_stat(&w->stats->wakes, w->bell.wakes);
	for (i = 0; i < w->n_tables; i++) {
		put_stat(&w->tables[i].stats->worker_sleeps, w->bell.sleeps);
		put_stat(&w->tables[i].stats->worker_wakes, w->bell.wakes);
	}
}

static void
doze(struct bh_worker *w, int timeout)
{
	bh_bell_announce(&w->bell);
	if (has_work(w)) {
		bh_bell_awake(&w->bell);
		return;
	}
	bh_bell_block(&w->bell, timeout < 0 || timeout > BH_NAP_MS ? BH_NAP_MS : timeout);
	count_sleep(w);
}

/* Whether a CPU of this lcore is another lcore's too. */
static bool
shares_cpu(unsigned int lcore)
{
	rte_cpuset_t mine = rte_lcore_cpuset(lcore), both, other;
	unsigned int i;

	RTE_LCORE_FOREACH(i) {
		other = rte_lcore_cpuset(i);
		CPU_AND(&both, &mine, &other);
		if (i != lcore && CPU_COUNT(&both) > 0)
			return true;
	}
	return false;
}

static void
bind_tables(struct bh_worker *w, unsigned int lcore)
{
	unsigned int i;

	for (i = 0; i < w->n_tables; i++)
		w->tables[i].table->lcore = lcore;
}

/* Once a second: replays that do not end. */
static void
look_at_tables(struct bh_worker *w, uint64_t now)
{
	unsigned int i;

	if (now < w->next_look)
		return;
	w->next_look = now + rte_get_tsc_hz();
	for (i = 0; i < w->n_tables; i++)
		bh_table_look(w->tables[i].table, now,
			BH_REPLAY_ALARM_S * rte_get_tsc_hz());
}

int
bh_worker_main(void *arg)
{
	struct bh_worker *w = arg;
	uint64_t now, busy_at = 0, spin = 0;
	int timeout;
	bool busy;

	w->stats = bh_lcore_stats(w->ib->stats, "worker");
	if (!shares_cpu(rte_lcore_id()))
		spin = rte_get_tsc_hz() / 1000000 * SPIN_US;
	bind_tables(w, rte_lcore_id());
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		busy = bh_worker_turn(w, &timeout);
		now = rte_rdtsc();
		bh_lcore_turn(w->stats, busy, now);
		look_at_tables(w, now);
		if (busy)
			busy_at = now;
		else if (timeout != 0 && now - busy_at >= spin)
			doze(w, timeout);
	}
	bind_tables(w, LCORE_ID_ANY);
	return 0;
}
