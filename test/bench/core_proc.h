/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small core of the unit tests (mini_core.h) in a process of its own, with all its lcores on
 * one CPU: what a bench is a client of.
 */
#ifndef TEST_BENCH_CORE_PROC_H
#define TEST_BENCH_CORE_PROC_H

#include <stdint.h>

struct bh_handle;

struct core_proc {
	int pid;
	int to, from; /* pipes */
	char path[96];
};

/* Starts it; before the caller has threads. poll_us: of its services. Exits the program when it
 * cannot. */
void core_start(struct core_proc *c, uint32_t poll_us, int cpu);
void core_stop(struct core_proc *c);

/* Moves all its lcores to this CPU. */
void core_pin(struct core_proc *c, int cpu);

/* A handle of its echo service. */
struct bh_handle *core_open(const struct core_proc *c, const char *client);

/* Bytes of shared memory that the process has mapped and touched: its channels. */
uint64_t core_memory(const struct core_proc *c);

/* Pins the calling thread. */
void pin_self(int cpu);

/* Lets the calling thread, and what it starts, run on all CPUs. */
void pin_any(void);

/* ns of CPU that the thread or process of this id had: id's schedstat. */
uint64_t cpu_ns(int pid);

#endif
