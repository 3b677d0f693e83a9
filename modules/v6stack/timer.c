/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/timer.h"

#include <string.h>

static struct bh_timer_list *
slot_of(struct bh_timers *ts, uint64_t due)
{
	return &ts->slot[(due >> BH_WHEEL_SHIFT) & (BH_WHEEL_SLOTS - 1)];
}

void
bh_timers_init(struct bh_timers *ts, uint64_t now, void *arg)
{
	memset(ts, 0, sizeof(*ts));
	ts->now = now;
	ts->arg = arg;
	for (unsigned int i = 0; i < BH_WHEEL_SLOTS; i++)
		LIST_INIT(&ts->slot[i]);
	LIST_INIT(&ts->fired);
}

void
bh_timer_cancel(struct bh_timers *ts, struct bh_timer *t)
{
	if (!t->set)
		return;
	LIST_REMOVE(t, link);
	t->set = false;
	ts->n--;
}

void
bh_timer_set(struct bh_timers *ts, struct bh_timer *t, uint64_t in, bh_timer_fn fn)
{
	bh_timer_cancel(ts, t);
	t->due = ts->now + in;
	t->fn = fn;
	t->set = true;
	ts->n++;
	LIST_INSERT_HEAD(slot_of(ts, t->due), t, link);
}

static void
collect(struct bh_timers *ts, struct bh_timer_list *list, uint64_t now)
{
	struct bh_timer *t, *next;

	for (t = LIST_FIRST(list); t != NULL; t = next) {
		next = LIST_NEXT(t, link);
		if (t->due > now)
			continue;
		LIST_REMOVE(t, link);
		LIST_INSERT_HEAD(&ts->fired, t, link);
	}
}

void
bh_timers_run(struct bh_timers *ts, uint64_t now)
{
	uint64_t at = ts->now >> BH_WHEEL_SHIFT, last;
	struct bh_timer *t;

	if (now < ts->now)
		now = ts->now;
	last = now >> BH_WHEEL_SHIFT;
	if (last - at >= BH_WHEEL_SLOTS)
		at = last - BH_WHEEL_SLOTS + 1;
	for (; at <= last; at++)
		collect(ts, &ts->slot[at & (BH_WHEEL_SLOTS - 1)], now);
	ts->now = now;
	/* One may cancel others that have fired as well. */
	while ((t = LIST_FIRST(&ts->fired)) != NULL) {
		bh_timer_cancel(ts, t);
		t->fn(ts->arg, t);
	}
}

uint64_t
bh_timers_next(const struct bh_timers *ts)
{
	uint64_t at = ts->now >> BH_WHEEL_SHIFT, best = UINT64_MAX;
	const struct bh_timer *t;

	if (ts->n == 0)
		return UINT64_MAX;
	for (unsigned int i = 0; i < BH_WHEEL_SLOTS; i++) {
		LIST_FOREACH(t, &ts->slot[(at + i) & (BH_WHEEL_SLOTS - 1)], link)
			if (t->due >> BH_WHEEL_SHIFT <= at + i && t->due < best)
				best = t->due;
		if (best != UINT64_MAX)
			return best;
	}
	return ts->now + ((uint64_t)(BH_WHEEL_SLOTS - 1) << BH_WHEEL_SHIFT);
}
