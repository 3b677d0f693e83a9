/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One process that the supervisor starts: how it is made, told and ended.
 *
 * A child inherits two sockets (SOCK_SEQPACKET), told by environment: BH_SUPERVISOR_FD, on
 * which it says READY, and, if it is a module, BH_ROLE_FD, whose other end goes to the core
 * with the role's name: a role is proved by its socket. bulkhead-config also inherits its file
 * as BH_CONFIG_FD; a later one comes on BH_SUPERVISOR_FD. BH_LIFE_FD is its life page
 * (lib/life/life.h).
 *
 * BH_SUPERVISOR_KEEP is a copy of our own end of its supervision socket, which it only has to
 * leave open: when the supervisor is killed the socket stays whole, and the next one takes its
 * end from there (adopt.h).
 */
#ifndef BH_SUPERVISOR_CHILD_H
#define BH_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/supervisor/privilege.h"
#include "app/supervisor/pulse.h"
#include "lib/boot/boot.h"

#define BH_CHILD_ARGS 64

struct bh_heir;
struct bh_order;
struct event;

struct bh_child {
	char name[BH_NAME_LEN];
	char path[512];
	char *argv[BH_CHILD_ARGS]; /* argv[0] is the program's name; NULL-terminated; owned */
	unsigned int argc;
	pid_t pid;		   /* 0: none */
	uint8_t state;		   /* enum bh_proc_state; 0: not started yet */
	bool is_core;
	bool was_ready;		   /* since the core started */
	bool adopted;		   /* the process is no child of ours: its wait status is not told */
	int sup_fd;		   /* our end of its supervision socket, or -1 */
	int pidfd;		   /* or -1 */
	int life;		   /* slot of its life page (lives.h), or -1 */
	bool owner_ended;	   /* told by the page; the process may still be there */
	bool hung;		   /* an alarm was raised about its lcores */
	struct bh_pulse pulse;
	uint8_t cause;		   /* enum bh_proc_how: why it is being ended; 0: it is not */
	uint8_t how;		   /* of the last end */
	uint64_t seen_ns;	   /* when that was seen; monotonic */
	uint32_t detect_us;	   /* hang, stop: from the last turn until it was found */
	uint32_t restarts;
	int32_t last_exit;	   /* wait status; BH_EXIT_NONE, BH_EXIT_UNTOLD */
	uint64_t started;	   /* s since the epoch */
	uint64_t start_ns, death_ns; /* monotonic */
	uint64_t start_ticks;	   /* bh_procfs_start() */
	uint32_t recovery_us;
	bool put_down;		   /* by order: neither started nor restarted */
	struct bh_order *order;	   /* under way, or NULL */
	struct bh_heir *heir;	   /* it is an heir, not the owner */
	unsigned int recent;	   /* deaths within the back-off window */
	struct event *ev_sup;	   /* sup_fd is readable */
	struct event *ev_end;	   /* pidfd is readable */
	struct event *ev_again;	   /* back-off timer */
	void *owner;		   /* struct bh_supervisor */
};

uint64_t bh_now_ns(void); /* CLOCK_MONOTONIC */

/* Adds an argument (copied). -ENOSPC, -ENOMEM. */
int bh_child_arg(struct bh_child *c, const char *arg);
/* Adds n of them, NULLs left out. */
int bh_child_args(struct bh_child *c, const char *const *args, unsigned int n);
void bh_child_free(struct bh_child *c);

/* What the child gets: descriptors to keep (their numbers are told in the environment) and
 * CPUs to run on (n 0: as the supervisor). */
struct bh_spawn {
	int role_fd;  /* -1: none */
	int boot_fd;  /* -1: none; stays open under its number */
	int config_fd; /* -1: none */
	int life_fd;   /* -1: none */
	bool heir;
	const struct bh_identity *id; /* as whom; NULL: as the supervisor */
	const uint32_t *cpus;
	unsigned int n_cpus;
	const char *rundir;
};

/* Forks and executes. Sets pid, pidfd, sup_fd, state, start. 0 or -errno (also of a failed
 * exec). */
int bh_child_spawn(struct bh_child *c, const struct bh_spawn *sp);

/* The wait status in words: "killed by signal 9 (Killed)", "exit status 1". */
const char *bh_child_exit_text(int status, char *buf, unsigned int len);

#endif
