/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of the stack: a wheel of lists, no memory of its own, so that setting one cannot fail.
 * Times are milliseconds of the clock that the process gives (stack.h); a timer fires in the
 * first bh_timers_run() whose now has reached it, never early. One thread.
 */
#ifndef BH_V6STACK_TIMER_H
#define BH_V6STACK_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define BH_WHEEL_SLOTS 1024 /* a power of two */
#define BH_WHEEL_SHIFT 4    /* a slot is 16 ms: the wheel turns in 16 s */

struct bh_timer;
/* The timer is unset when it is called and may be set again or be freed there. */
typedef void (*bh_timer_fn)(void *arg, struct bh_timer *t);

/* Embedded in its object; zeroed before the first use. */
struct bh_timer {
	LIST_ENTRY(bh_timer) link;
	uint64_t due;
	bh_timer_fn fn;
	bool set;
};

LIST_HEAD(bh_timer_list, bh_timer);

struct bh_timers {
	uint64_t now;
	uint32_t n; /* set ones */
	void *arg;  /* of all functions */
	struct bh_timer_list slot[BH_WHEEL_SLOTS];
	struct bh_timer_list fired;
};

void bh_timers_init(struct bh_timers *ts, uint64_t now, void *arg);

/* Sets or moves a timer to `in` ms from now. */
void bh_timer_set(struct bh_timers *ts, struct bh_timer *t, uint64_t in, bh_timer_fn fn);
void bh_timer_cancel(struct bh_timers *ts, struct bh_timer *t);

/* Moves the clock (never back) and calls what is due; what a function sets anew for now fires in
 * the next call. */
void bh_timers_run(struct bh_timers *ts, uint64_t now);

/* When to call next, or UINT64_MAX. May be too early, by a turn of the wheel at most. */
uint64_t bh_timers_next(const struct bh_timers *ts);

#endif
