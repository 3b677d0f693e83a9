/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/corebeat.h"

#include <string.h>

#include "app/supervisor/child.h"
#include "app/supervisor/procfs.h"

#define SECOND UINT64_C(1000000000)
#define LOOKS(seconds) ((seconds) * 1000 / BH_COREBEAT_MS)

const struct bh_pulse_limits *
bh_corebeat_limits(const char *role)
{
	static const struct bh_pulse_limits main_lcore = {30 * SECOND, LOOKS(60)},
		others = {1 * SECOND, LOOKS(5)};

	return strcmp(role, "main") == 0 ? &main_lcore : &others;
}

/* Files are read only when the lcore has not turned since the last look. */
static enum bh_pulse_verdict
check(struct bh_pulse *p, const struct bh_stats_lcore *l, pid_t pid, pid_t tid,
	const struct bh_pulse_limits *limits)
{
	struct bh_pulse_look look = {.turns = bh_read(&l->turns), .now_ns = bh_now_ns(),
		.state = 'R'};

	if (p->begun && look.turns == p->turns) {
		look.cpu_ns = bh_procfs_thread_cpu_ns(pid, tid);
		look.state = bh_procfs_state(pid, tid);
		if (p->cpu_ns == 0) /* counted from here on */
			p->cpu_ns = look.cpu_ns;
	}
	return bh_pulse_judge(p, &look, limits);
}

enum bh_pulse_verdict
bh_corebeat_check(struct bh_corebeat *cb, const struct bh_stats *stats, pid_t pid,
	const struct bh_pulse_limits *limits, unsigned int *which)
{
	enum bh_pulse_verdict v = BH_PULSE_WELL;

	for (unsigned int i = 0; i < BH_STATS_LCORES && v == BH_PULSE_WELL; i++) {
		const struct bh_stats_lcore *l = &stats->lcore[i];
		char role[sizeof(l->role)];
		pid_t tid = l->tid;

		if (!__atomic_load_n(&l->used, __ATOMIC_ACQUIRE) || tid == 0)
			continue;
		memcpy(role, l->role, sizeof(role));
		role[sizeof(role) - 1] = '\0';
		v = check(&cb->lcore[i], l, pid, tid,
			limits != NULL ? limits : bh_corebeat_limits(role));
		*which = i;
	}
	return v;
}
