/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table worker: one lcore that maintains one or more tables. It takes requests from its
 * tables' request rings (main is the producer), puts results on its result ring (main is the
 * consumer), sleeps while all is empty. Besides requests it has inputs: rings by which
 * other lcores (the port manager, another worker) hand it objects.
 */
#ifndef BH_INFOBASE_WORKER_H
#define BH_INFOBASE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "infobase/table.h"

struct bh_worker;
struct bh_ib_request;

/*
 * Another lcore's way to the worker. The ring is SP/SC; handle runs on the worker lcore, at
 * most `burst` objects a turn. Who enqueues then calls bh_worker_wake(). Registered before
 * the worker runs; ctx and ring stay the caller's. 0 or -ENOSPC.
 */
struct rte_ring;
int bh_worker_add_input(struct bh_worker *w, struct rte_ring *ring,
	void (*handle)(void *ctx, void *obj), void *ctx);

/* Deferred work of the worker's tables (reclaim after a grace period ...): called each
 * turn on the worker. Returns ms until it wants to be called again though nothing happens,
 * 0: at once, -1: never. Registered before the worker runs. 0 or -ENOSPC. */
int bh_worker_add_chore(struct bh_worker *w, int (*chore)(void *ctx), void *ctx);

/* Any lcore: wakes the worker if it sleeps. */
void bh_worker_wake(struct bh_worker *w);

#endif
