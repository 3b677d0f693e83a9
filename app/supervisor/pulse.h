/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a process, or a thread of it, that counts its turns still turns. Looked at every
 * BH_PULSE_MS. What does not turn is not yet hung:
 *
 * - it may have said that it is busy for a while;
 * - it may wait for a CPU, on a machine with more to do than it can: what has not run since the
 *   last turn is given time. Hung is what has *used* the CPU for long without a turn;
 * - it may sleep though it promised to turn: blocked, or just about to be woken. Looks count
 *   here, not time: a supervisor that does not get the CPU itself does not blame others.
 */
#ifndef BH_SUPERVISOR_PULSE_H
#define BH_SUPERVISOR_PULSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/life/life.h"

#define BH_PULSE_MS 10

enum bh_pulse_verdict {
	BH_PULSE_WELL,
	BH_PULSE_SPINS,	  /* uses the CPU and does not turn */
	BH_PULSE_BLOCKED, /* sleeps and does not turn */
	BH_PULSE_STOPPED, /* by a signal */
	BH_PULSE_TRACED,  /* a debugger holds it: nobody's fault */
};

const char *bh_pulse_text(enum bh_pulse_verdict v);

struct bh_pulse {
	uint64_t turns;	 /* last seen */
	uint64_t cpu_ns; /* at the last turn seen */
	uint64_t turn_ns; /* when that was seen; CLOCK_MONOTONIC */
	unsigned int slept; /* looks at which it slept since */
	bool begun;
};

struct bh_pulse_limits {
	uint64_t spin_ns;    /* CPU time without a turn */
	unsigned int sleeps; /* looks at which it sleeps */
};

/* What a look has found. state: as bh_procfs_state(). */
struct bh_pulse_look {
	uint64_t turns, cpu_ns, now_ns;
	char state;
};

/* Judges a look and remembers what the next one needs. */
enum bh_pulse_verdict bh_pulse_judge(struct bh_pulse *p, const struct bh_pulse_look *look,
	const struct bh_pulse_limits *limits);

/* A look at a process by its life page. */
enum bh_pulse_verdict bh_pulse_check(struct bh_pulse *p, const struct bh_life *life, pid_t pid);

#endif
