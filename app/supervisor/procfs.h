/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel tells of a process or thread, and descriptors for a process. */
#ifndef BH_SUPERVISOR_PROCFS_H
#define BH_SUPERVISOR_PROCFS_H

#include <stdint.h>
#include <sys/types.h>

/* State letter of proc_pid_stat(5): R runs, S sleeps, D sleeps uninterruptibly, T stopped,
 * t stopped by a tracer, Z zombie. 0: no such process. tid 0: the process's first thread. */
char bh_procfs_state(pid_t pid, pid_t tid);

/* When it was started, in clock ticks since boot: with its pid a name that is not used twice. 0:
 * no such process. */
uint64_t bh_procfs_start(pid_t pid);

/* ns that it has run on a CPU: all threads of a process (any of ours or others'), or one
 * thread by the scheduler's figures. 0: not known. */
uint64_t bh_procfs_cpu_ns(pid_t pid);
uint64_t bh_procfs_thread_cpu_ns(pid_t pid, pid_t tid);

/* Value of a variable in the environment that it was started with, as a number; -1: none. */
int bh_procfs_env_number(pid_t pid, const char *name);

/* pidfd_open(2), pidfd_getfd(2), pidfd_send_signal(2). -errno. */
int bh_pidfd_open(pid_t pid);
int bh_pidfd_take(int pidfd, int their_fd);
int bh_pidfd_kill(int pidfd, int sig);

#endif
