/* SPDX-License-Identifier: BSD-3-Clause */
/* What each sleeping lcore of the core writes about itself in bh.stats. */
#ifndef BH_CORE_LCORE_STATS_H
#define BH_CORE_LCORE_STATS_H

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#include "lib/stats/stats.h"

#define BH_NAP_MS 1000 /* the longest sleep: whoever turns less often is hung */

/* The calling lcore's entry, marked as used. role: kept if one was already written. */
static inline struct bh_stats_lcore *
bh_lcore_stats(struct bh_stats *stats, const char *role)
{
	struct bh_stats_lcore *l = &stats->lcore[rte_lcore_id() % BH_STATS_LCORES];

	if (l->role[0] == '\0')
		strncpy(l->role, role, sizeof(l->role) - 1);
	l->tid = gettid();
	l->cpu = sched_getcpu();
	__atomic_store_n(&l->used, 1, __ATOMIC_RELEASE);
	return l;
}

/* One pass of the lcore's loop has ended. */
static inline void
bh_lcore_turn(struct bh_stats_lcore *l, bool busy, uint64_t now)
{
	bh_count(&l->turns, 1);
	if (busy)
		bh_count(&l->busy, 1);
	__atomic_store_n(&l->heartbeat, now, __ATOMIC_RELAXED);
}

#endif
