/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A core with an info base, published routes and nothing else, in a process of its own: control
 * proxy, service proxy, main and one worker for all tables, each an lcore.
 */
#ifndef TEST_BENCH_IB_PROC_H
#define TEST_BENCH_IB_PROC_H

#include <stdint.h>

#define IB_NEXTHOP 1 /* id of a live next hop: routes with it are published at once */
#define IB_LCORE_MAIN 3
#define IB_LCORE_WORKER 4

struct bh_handle;

struct ib_proc {
	int pid;
	int to, from;	/* pipes */
	int role_fd;	/* our end of routing's role socket */
	char path[96];
};

/* Starts it, all lcores on this CPU; before the caller has threads. Exits the program when it
 * cannot. */
void ib_start(struct ib_proc *p, int cpu);
void ib_stop(struct ib_proc *p);

/* Moves all its lcores to this CPU. */
void ib_pin(struct ib_proc *p, int cpu);

/* Moves the worker alone. */
void ib_pin_worker(struct ib_proc *p, int cpu);

/* Next hop that the FIB has for this address (network order), 0: none. */
uint32_t ib_fib_lookup(struct ib_proc *p, uint32_t addr);

/* A handle with the role of routing (one at a time), or of a reader. */
struct bh_handle *ib_open_owner(const struct ib_proc *p);
struct bh_handle *ib_open_reader(const struct ib_proc *p);

#endif
