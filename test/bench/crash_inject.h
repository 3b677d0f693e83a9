/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults of a process, for bench_crash.py. */
#ifndef TEST_BENCH_CRASH_INJECT_H
#define TEST_BENCH_CRASH_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct crash_fault {
	const char *name;
	/* Brings it about; *when: CLOCK_MONOTONIC just before. 0 or -errno. */
	int (*inject)(pid_t pid, uint64_t *when);
	bool at_work; /* comes only while the process has something to do */
};

extern const struct crash_fault crash_faults[]; /* ends with a row without name */

uint64_t crash_now_ns(void);

#endif
