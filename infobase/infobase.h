/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The info base as the core sees it: made once, its workers and main launched on their
 * lcores. Main is the handler of the service BH_SERVICE_INFOBASE: finds the table of a
 * request, checks who asks, hangs it on the table's request ring, wakes the worker, and
 * sends results and watch events.
 */
#ifndef BH_INFOBASE_H
#define BH_INFOBASE_H

#include "app/core/service.h"
#include "infobase/table.h"
#include "infobase/worker.h"

struct bh_infobase;
struct bh_stats;

struct bh_infobase_conf {
	/* lcore of each group's worker; groups with equal lcores share one worker. */
	unsigned int group_lcore[BH_GROUP_MAX];
	int socket_id;
	struct bh_stats *stats; /* where table and worker figures are written; may be NULL */
};

/* The EAL main lcore, at start. NULL and errno. */
struct bh_infobase *bh_infobase_create(const struct bh_infobase_conf *conf);
void bh_infobase_destroy(struct bh_infobase *ib);

/* Table and worker by id or group, to bind hooks, inputs and chores before the launch. */
struct bh_table *bh_infobase_table(struct bh_infobase *ib, uint16_t table);
struct bh_worker *bh_infobase_worker(struct bh_infobase *ib, enum bh_group group);

/* The handler and its context for bh_service_create(). */
extern const struct bh_service_ops bh_infobase_ops;

/* Tells main the service that it answers through; before the launch. */
void bh_infobase_set_service(struct bh_infobase *ib, struct bh_service *svc);

/* Body of a worker lcore (rte_eal_remote_launch): arg is struct bh_worker *. Returns when
 * bh_infobase_stop() was called. */
int bh_worker_main(void *arg);

/* Asks all workers to return; any lcore. */
void bh_infobase_stop(struct bh_infobase *ib);

#endif
