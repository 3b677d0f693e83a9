/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/pulse.h"

#include "app/supervisor/child.h"
#include "app/supervisor/procfs.h"

const char *
bh_pulse_text(enum bh_pulse_verdict v)
{
	static const char *const text[] = {
		[BH_PULSE_WELL] = "is well",
		[BH_PULSE_SPINS] = "runs without a turn of its loop",
		[BH_PULSE_BLOCKED] = "is blocked",
		[BH_PULSE_STOPPED] = "is stopped",
		[BH_PULSE_TRACED] = "is held by a debugger",
	};

	return text[v];
}

static void
restart(struct bh_pulse *p, const struct bh_pulse_look *look)
{
	*p = (struct bh_pulse){.turns = look->turns, .cpu_ns = look->cpu_ns,
		.turn_ns = look->now_ns, .begun = true};
}

enum bh_pulse_verdict
bh_pulse_judge(struct bh_pulse *p, const struct bh_pulse_look *look,
	const struct bh_pulse_limits *limits)
{
	if (!p->begun || look->turns != p->turns) {
		restart(p, look);
		return BH_PULSE_WELL;
	}
	if (look->state == 'T')
		return BH_PULSE_STOPPED;
	if (look->state == 't') {
		p->cpu_ns = look->cpu_ns;
		p->slept = 0;
		return BH_PULSE_TRACED;
	}
	if (look->cpu_ns > p->cpu_ns && look->cpu_ns - p->cpu_ns >= limits->spin_ns)
		return BH_PULSE_SPINS;
	p->slept += look->state == 'S' || look->state == 'D';
	return p->slept >= limits->sleeps ? BH_PULSE_BLOCKED : BH_PULSE_WELL;
}

/* Announced, and not for longer than is believed. */
static bool
is_busy(const struct bh_life *life, uint64_t now)
{
	uint64_t until = __atomic_load_n(&life->busy_until, __ATOMIC_ACQUIRE);

	return until > now && until - now <= BH_LIFE_BUSY_MS * UINT64_C(1000000);
}

enum bh_pulse_verdict
bh_pulse_check(struct bh_pulse *p, const struct bh_life *life, pid_t pid)
{
	/* A disk, a full pipe of the log, may keep a process for a while; an endless loop does not
	 * come to its end by waiting. */
	static const struct bh_pulse_limits limits = {
		.spin_ns = 40 * UINT64_C(1000000), .sleeps = 500 / BH_PULSE_MS};
	struct bh_pulse_look look = {.now_ns = bh_now_ns(), .state = 'R'};

	if (!__atomic_load_n(&life->begun, __ATOMIC_ACQUIRE))
		return BH_PULSE_WELL;
	look.turns = __atomic_load_n(&life->beats, __ATOMIC_ACQUIRE);
	look.cpu_ns = bh_procfs_cpu_ns(pid);
	if (is_busy(life, look.now_ns))
		restart(p, &look);
	if (p->begun && look.turns == p->turns &&
		look.now_ns - p->turn_ns > BH_LIFE_BEAT_MS * UINT64_C(1000000))
		look.state = bh_procfs_state(pid, 0);
	return bh_pulse_judge(p, &look, &limits);
}
