/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the supervisor learns that a process has ended, is stopped, or hangs.
 *
 * An end is told by the robust mutex of the life page, and in any case by the pidfd. A module's
 * successor is started at the first of both: what is left of the predecessor is killed, and
 * waited for beside. The core's waits for the pidfd: devices and memory must be free. A stop is
 * told by SIGCHLD, of an adopted process by its state; a hang by heartbeats that are missing
 * (pulse.h). What is stopped or hangs is killed, and that is an end like others.
 */
#ifndef BH_SUPERVISOR_LIFE_H
#define BH_SUPERVISOR_LIFE_H

#include "app/supervisor/supervise.h"

/* Makes what watches all children. 0 or -errno. */
int bh_life_init(struct bh_supervisor *s);
void bh_life_fini(struct bh_supervisor *s);

/* Watches the process of c, which has just been started or adopted. life_fd: its page, -1:
 * none; not taken over. bh_supervise_ended() tells its end. 0 or -errno. */
int bh_life_watch(struct bh_supervisor *s, struct bh_child *c, int life_fd);

/* Ends the watch and closes what belongs to it. */
void bh_life_unwatch(struct bh_supervisor *s, struct bh_child *c);

/* SIGCHLD: kills children that are stopped. */
void bh_life_stopped(struct bh_supervisor *s);

/* Sends a signal to the process, never to one that got its pid later. */
void bh_life_signal(const struct bh_child *c, int sig);

/* Ends the process because of `cause` (enum bh_proc_how): SIGKILL at once. */
void bh_life_kill(struct bh_child *c, uint8_t cause);

/* Leaves the process of c to end beside its successor, which is there; killed after seconds. The
 * watch of c ends. */
void bh_life_leave(struct bh_supervisor *s, struct bh_child *c, int seconds);

/* Whether predecessors are still being freed. */
bool bh_life_remains(const struct bh_supervisor *s);

#endif
