/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which lcore polls and sends what: the plans, made anew from the list of ports at each change.
 * Writer: the EAL main lcore, which may wait (bounded) for a grace period.
 *
 * A port comes in two steps and goes in the reverse order. First the lcores that have a send queue
 * learn it, then all others and the receive queues: a frame that is handed over always finds its
 * sender. Going, the first step back is followed by two grace periods: behind the first nobody
 * hands over any more, and a whole turn later, behind the second, all that was handed over has
 * been sent.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "app/forwarding/forwarding_priv.h"

#define WAIT_S 1
#define WAIT_STEP_US 50

/* Bounded wait for a grace period that began with `token`. */
static int
wait_grace(const struct bh_forwarding *f, uint64_t token)
{
	uint64_t end = rte_rdtsc() + WAIT_S * rte_get_tsc_hz();

	while (rte_rcu_qsbr_check(f->tables->qsbr, token, false) != 1) {
		if (rte_rdtsc() > end)
			return -ETIMEDOUT;
		usleep(WAIT_STEP_US);
	}
	return 0;
}

static void
plan_out(struct bh_forwarding *f, struct bh_fwd_plan *plan, unsigned int index, uint16_t ifindex)
{
	const struct bh_fwd_port *p = &f->port[ifindex];
	struct bh_fwd_out *out = &plan->out[ifindex];

	out->port_id = p->port_id;
	if (index < p->n_txq) {
		out->mode = BH_OUT_OWN;
		out->queue = index;
		for (unsigned int i = p->n_txq; i < f->n; i++)
			if (i % p->n_txq == index)
				plan->sources |= 1u << i;
	} else if (p->stage == BH_PORT_FULL) {
		out->mode = BH_OUT_HANDOFF;
		out->target = index % p->n_txq;
	}
}

static void
plan_rx(const struct bh_forwarding *f, struct bh_fwd_plan *plan, unsigned int index,
	uint16_t ifindex)
{
	const struct bh_fwd_port *p = &f->port[ifindex];

	if (p->stage != BH_PORT_FULL)
		return;
	for (unsigned int q = 0; q < p->n_rxq; q++)
		if (p->rx_lcore[q] == index)
			plan->rx[plan->n_rx++] = (struct bh_fwd_rxq){ p->port_id, q, ifindex };
}

static void
make_plan(struct bh_forwarding *f, struct bh_fwd_plan *plan, unsigned int index)
{
	memset(plan, 0, sizeof(*plan));
	plan->punt = f->stack.punt[index];
	plan->inject = f->stack.inject[index];
	plan->bell = f->stack.bell;
	for (unsigned int i = 1; i < BH_IF_MAX; i++) {
		if (f->port[i].stage == BH_PORT_GONE)
			continue;
		plan_out(f, plan, index, i);
		plan_rx(f, plan, index, i);
	}
}

/* Makes and publishes all plans; returns when no lcore uses the former ones. */
static int
publish(struct bh_forwarding *f)
{
	if (wait_grace(f, f->token) < 0)
		return -ETIMEDOUT;
	for (unsigned int i = 0; i < f->n; i++) {
		struct bh_fwd_lcore *lc = f->lcore[i];
		uint32_t idle = !lc->plan_sel;

		make_plan(f, &lc->plan[idle], i);
		__atomic_store_n(&lc->plan_sel, idle, __ATOMIC_RELEASE);
	}
	f->token = rte_rcu_qsbr_start(f->tables->qsbr);
	return wait_grace(f, f->token);
}

static int
set_stage(struct bh_forwarding *f, struct bh_fwd_port *p, enum bh_port_stage stage)
{
	p->stage = stage;
	return publish(f);
}

/* Gives each receive queue to the lcore that has the fewest. */
static int
spread(const struct bh_forwarding *f, struct bh_fwd_port *port)
{
	unsigned int load[BH_FWD_MAX] = { 0 }, least;

	for (unsigned int i = 1; i < BH_IF_MAX; i++) {
		const struct bh_fwd_port *p = &f->port[i];

		for (unsigned int q = 0; p->stage != BH_PORT_GONE && q < p->n_rxq; q++)
			load[p->rx_lcore[q]]++;
	}
	for (unsigned int q = 0; q < port->n_rxq; q++) {
		least = 0;
		for (unsigned int i = 1; i < f->n; i++)
			if (load[i] < load[least])
				least = i;
		if (load[least] == BH_PLAN_RXQ)
			return -ENOSPC;
		load[least]++;
		port->rx_lcore[q] = least;
	}
	return 0;
}

int
bh_forwarding_attach(struct bh_forwarding *f, uint16_t ifindex, uint16_t port_id, uint16_t n_rxq,
	uint16_t n_txq)
{
	struct bh_fwd_port port = { .port_id = port_id, .n_rxq = n_rxq, .n_txq = n_txq };
	int rc;

	if (ifindex == 0 || ifindex >= BH_IF_MAX || n_rxq == 0 || n_rxq > BH_PORT_RXQ ||
			n_txq == 0 || n_txq > BH_PORT_RXQ)
		return -EINVAL;
	if (f->port[ifindex].stage != BH_PORT_GONE)
		return -EEXIST;
	rc = spread(f, &port);
	if (rc < 0)
		return rc;
	f->port[ifindex] = port;
	rc = set_stage(f, &f->port[ifindex], BH_PORT_OWNERS);
	if (rc == 0)
		rc = set_stage(f, &f->port[ifindex], BH_PORT_FULL);
	return rc;
}

int
bh_forwarding_detach(struct bh_forwarding *f, uint16_t ifindex)
{
	struct bh_fwd_port *p;
	int rc;

	if (ifindex == 0 || ifindex >= BH_IF_MAX)
		return -EINVAL;
	p = &f->port[ifindex];
	if (p->stage == BH_PORT_GONE)
		return -ENOENT;
	rc = set_stage(f, p, BH_PORT_OWNERS);
	if (rc == 0)
		rc = wait_grace(f, rte_rcu_qsbr_start(f->tables->qsbr));
	if (rc < 0)
		return rc;
	rc = set_stage(f, p, BH_PORT_GONE);
	if (rc < 0)
		p->stage = BH_PORT_OWNERS;
	return rc;
}

int
bh_forwarding_set_stack(struct bh_forwarding *f, const struct bh_fwd_stack *stack)
{
	f->stack = stack == NULL ? (struct bh_fwd_stack){ .bell = NULL } : *stack;
	return publish(f);
}
