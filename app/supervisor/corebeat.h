/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heartbeats of the core's lcores: each counts its turns in bh.stats, and sleeps a second at
 * most (app/core/lcore_stats.h). One that does not turn, though it gets the CPU, is hung; so is
 * the core.
 */
#ifndef BH_SUPERVISOR_COREBEAT_H
#define BH_SUPERVISOR_COREBEAT_H

#include "app/supervisor/pulse.h"
#include "lib/stats/stats.h"

#define BH_COREBEAT_MS 100 /* between two looks */

struct bh_corebeat {
	struct bh_pulse lcore[BH_STATS_LCORES];
};

/* Limits of an lcore of that role. Main opens devices, which takes seconds; others never wait. */
const struct bh_pulse_limits *bh_corebeat_limits(const char *role);

/* Looks at all lcores of the core of this pid. The first verdict that is not well, and in *which
 * its lcore. limits: in place of each role's, for tests. */
enum bh_pulse_verdict bh_corebeat_check(struct bh_corebeat *cb, const struct bh_stats *stats,
	pid_t pid, const struct bh_pulse_limits *limits, unsigned int *which);

#endif
