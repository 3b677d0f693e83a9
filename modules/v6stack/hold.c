/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "modules/v6stack/stack.h"

struct bh_held {
	STAILQ_ENTRY(bh_held) link;
	struct bh_punt punt;
	size_t len;
	uint8_t frame[];
};

static struct bh_held *
take(struct bh_stack *s, struct bh_neigh *n)
{
	struct bh_held *h = STAILQ_FIRST(&n->held);

	if (h == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&n->held, link);
	n->n_held--;
	s->n_held--;
	return h;
}

void
bh_hold_put(struct bh_stack *s, struct bh_neigh *n, const struct bh_punt *p,
	const uint8_t *frame, size_t len)
{
	struct bh_held *h;

	if (n->n_held == BH_HOLD_EACH || s->n_held >= BH_HOLD_ALL) {
		s->stats.hold_dropped++;
		free(take(s, n));
	}
	h = s->n_held < BH_HOLD_ALL ? malloc(sizeof(*h) + len) : NULL;
	if (h == NULL) {
		s->stats.hold_dropped++;
		return;
	}
	h->punt = *p;
	h->len = len;
	memcpy(h->frame, frame, len);
	STAILQ_INSERT_TAIL(&n->held, h, link);
	n->n_held++;
	s->n_held++;
	s->stats.held++;
}

void
bh_hold_release(struct bh_stack *s, struct bh_neigh *n)
{
	enum bh_inject how;
	struct bh_held *h;

	bh_timer_cancel(&s->timers, &n->again);
	while ((h = take(s, n)) != NULL) {
		how = h->punt.flags & BH_PUNT_OWN ? BH_INJECT_ROUTED : BH_INJECT_HELD;
		if (s->ops->inject(s->ctx, how, h->punt.ifindex, h->frame, h->len) < 0)
			s->stats.inject_failed++;
		else
			s->stats.released++;
		free(h);
	}
}

static void
on_again(void *arg, struct bh_timer *t)
{
	bh_hold_release(arg, bh_container_of(t, struct bh_neigh, again));
}

void
bh_hold_again(struct bh_stack *s, struct bh_neigh *n)
{
	if (!n->again.set)
		bh_timer_set(&s->timers, &n->again, BH_HOLD_AGAIN_MS, on_again);
}

void
bh_hold_fail(struct bh_stack *s, struct bh_neigh *n, bool tell)
{
	struct bh_held *h;

	while ((h = take(s, n)) != NULL) {
		if (tell)
			bh_stack_unreachable(s, &h->punt, h->frame, h->len);
		else
			s->stats.hold_dropped++;
		free(h);
	}
}
