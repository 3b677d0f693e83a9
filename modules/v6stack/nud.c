/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *	INCOMPLETE --answer--> REACHABLE --30 s--> STALE --5 s--> DELAY --5 s--> PROBE
 *	     |                     ^                                  answer |   | 3 tries
 *	     +--3 tries--> gone    +-----------------------------------------+   +--> gone
 *
 * Anybody who says another MAC makes it STALE with that MAC (override rules: nd.c).
 */
#include <string.h>

#include "lib/log/log.h"
#include "modules/v6stack/stack.h"

static void on_timer(void *arg, struct bh_timer *t);

/* 0.5 to 1.5 times ms (RFC 4861 §6.3.2). */
static uint64_t
around(struct bh_stack *s, uint32_t ms)
{
	return ms / 2 + bh_stack_random(s, ms + 1);
}

static bool
ask(struct bh_stack *s, struct bh_neigh *n)
{
	const uint8_t *mac = n->state == BH_NUD_INCOMPLETE ? NULL : n->mac;

	s->stats.solicits++;
	return n->family == 4 ? bh_arp_solicit(s, n->on, n->addr, mac)
			      : bh_nd_solicit(s, n->on, n->addr, mac);
}

static uint64_t
time_of(struct bh_stack *s, uint8_t state)
{
	switch (state) {
	case BH_NUD_REACHABLE:
		return around(s, BH_NUD_REACHABLE_MS);
	case BH_NUD_STALE:
		return around(s, BH_NUD_STALE_MS);
	case BH_NUD_DELAY:
		return around(s, BH_NUD_DELAY_MS);
	default: /* PROBE: the first question at once */
		return 0;
	}
}

void
bh_nud_set(struct bh_stack *s, struct bh_neigh *n, uint8_t state)
{
	bh_neigh_file(n, state);
	n->tries = 0;
	bh_timer_set(&s->timers, &n->timer, time_of(s, state), on_timer);
	bh_neigh_publish(s, n);
	if (n->on->n_known > BH_NEIGH_KNOWN) {
		s->stats.evicted++;
		bh_neigh_free(s, TAILQ_FIRST(&n->on->known)); /* n is the last */
	}
}

static void
fail(struct bh_stack *s, struct bh_neigh *n)
{
	s->stats.unreachable++;
	bh_hold_fail(s, n, true);
	bh_neigh_free(s, n);
}

/* One question more, or the end. */
static void
try_again(struct bh_stack *s, struct bh_neigh *n)
{
	if (n->tries == BH_NUD_TRIES) {
		fail(s, n);
		return;
	}
	if (n->state == BH_NUD_PROBE && !bh_stack_may_probe(s)) {
		bh_timer_set(&s->timers, &n->timer, around(s, BH_NUD_RETRANS_MS), on_timer);
		return;
	}
	n->tries++;
	ask(s, n);
	bh_timer_set(&s->timers, &n->timer, BH_NUD_RETRANS_MS, on_timer);
}

static void
on_timer(void *arg, struct bh_timer *t)
{
	struct bh_neigh *n = bh_container_of(t, struct bh_neigh, timer);
	struct bh_stack *s = arg;

	switch (n->state) {
	case BH_NUD_REACHABLE:
		bh_nud_set(s, n, BH_NUD_STALE);
		break;
	case BH_NUD_STALE:
		bh_nud_set(s, n, BH_NUD_DELAY);
		break;
	case BH_NUD_DELAY:
		bh_nud_set(s, n, BH_NUD_PROBE);
		break;
	default:
		try_again(s, n);
	}
}

/* A resolution is let through? Bucket of the interface. */
static bool
may_resolve(struct bh_stack *s, struct bh_netif *i)
{
	uint64_t due = (s->timers.now - i->tokens_at) * BH_NEIGH_NEW_PER_S / 1000;

	if (due > 0 || i->tokens_at == 0) {
		i->tokens = i->tokens_at == 0 || due > BH_NEIGH_NEW_BURST - i->tokens
			? BH_NEIGH_NEW_BURST : i->tokens + (uint32_t)due;
		i->tokens_at = s->timers.now;
	}
	if (i->tokens == 0)
		return false;
	i->tokens--;
	return true;
}

bool
bh_nud_resolve(struct bh_stack *s, struct bh_neigh *n)
{
	if (n->state != BH_NUD_INCOMPLETE || n->timer.set)
		return true;
	if (!may_resolve(s, n->on)) {
		s->stats.limited++;
		bh_neigh_free(s, n);
		return false;
	}
	try_again(s, n);
	return true;
}

void
bh_nud_confirm(struct bh_stack *s, struct bh_neigh *n, const uint8_t mac[6])
{
	if (bh_static_mac(s, n->on, n->family, n->addr) != NULL)
		return;
	memcpy(n->mac, mac, 6);
	n->confirmed = s->timers.now;
	bh_nud_set(s, n, BH_NUD_REACHABLE);
}

void
bh_nud_learn(struct bh_stack *s, struct bh_neigh *n, const uint8_t mac[6])
{
	if (n->state != BH_NUD_INCOMPLETE && memcmp(n->mac, mac, 6) == 0)
		return;
	memcpy(n->mac, mac, 6);
	bh_nud_set(s, n, BH_NUD_STALE);
}

void
bh_nud_recover(struct bh_stack *s, struct bh_neigh *n, const struct bh_neighbor *rec)
{
	memcpy(n->mac, rec->mac, 6);
	n->router = rec->router != 0;
	bh_nud_set(s, n, rec->state);
	bh_timer_set(&s->timers, &n->timer, bh_stack_random(s, BH_NUD_STALE_MS), on_timer);
}
