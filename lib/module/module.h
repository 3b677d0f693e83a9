/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process around a module: arguments, log, the link to the supervisor, signals, one handle to
 * the info base, sign of life, sandbox; and the order of events: connection after connection, each
 * with turns of work between sleeps, a wait for the next core between two of them.
 *
 * A module is started, lives, and is asked to stop in one thread. An heir reads and says READY;
 * once it is told to take over, bh_supervised_heir() is false and take_over() is called.
 */
#ifndef BH_MODULE_H
#define BH_MODULE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/client/bulkhead.h"
#include "lib/sandbox/sandbox.h"

enum bh_module_exit { BH_MODULE_USAGE = 2, BH_MODULE_CORE_GONE = 3 };

/* What a module does. Each but `connected` and `turn` may be NULL. */
struct bh_module_ops {
	/* A connection begins: watches, and whatever follows from a core that knows nothing of us.
	 * 0 or -errno. */
	int (*connected)(void *ctx);
	/* After what came from the info base was handed over: everything else that came or is
	 * due. How much it did (0: the module may sleep), or -errno: -ECONNRESET and -ESTALE end
	 * the connection, others the module. */
	int (*turn)(void *ctx);
	/* Before a sleep: false if there is work after all; *until (ms as bh_module_now() tells) is
	 * made earlier if something is due before it. */
	bool (*rest)(void *ctx, uint64_t *until);
	/* The connection has ended. */
	void (*lost)(void *ctx);
	/* A turn while there is no core. */
	void (*away)(void *ctx);
	/* The module is no heir any more. */
	void (*take_over)(void *ctx);
	/* Any word but ROLE, after the frame has done its part; true: its descriptor was taken. */
	bool (*word)(void *ctx, enum bh_word_kind kind, const struct bh_word *w);
};

struct bh_module {
	struct bh_handle *h;
	struct event_base *base;
	const struct bh_module_ops *ops;
	void *ctx;
	uint64_t start; /* ms; of this connection */
	bool has_role;	/* there is a supervisor who says what follows a core */
	bool told;	/* READY, about this connection */
	bool stop;

	/* private to module.c */
	bool renewed; /* there is a new role socket, not used yet */
	struct bh_open_args args;
	struct event *readable, *words, *term, *intr, *beat, *timer;
};

/* Reads the options that all modules have (-v, --help, --version) and begins the log under that
 * name. -1: go on, else the exit status. what: one line for --help. First of all. */
int bh_module_args(int argc, char **argv, const char *program, const char *what);

/* Takes up supervisor, role and event loop; name: as others see the client. Before the sandbox. 0
 * or -errno, told in the log. */
int bh_module_start(struct bh_module *m, const char *name, const struct bh_module_ops *ops,
	void *ctx);

/* Enters the sandbox (a supervised module that of `profile`) and lives. 0: asked to stop;
 * -errno. */
int bh_module_run(struct bh_module *m, enum bh_sandbox_profile profile);

/* Frees everything; also after a failed start. Returns the exit status for rc, which it tells. */
int bh_module_end(struct bh_module *m, int rc);

/* Tells the supervisor that the module serves, or an heir that it can: once a connection. */
void bh_module_ready(struct bh_module *m);

/* An event for a descriptor that only wakes the loop, which looks everywhere; in the place of *e.
 * fd -1: none. 0 or -errno. */
int bh_module_wait_for(struct bh_module *m, struct event **e, int fd);

/* CLOCK_MONOTONIC in ms. */
uint64_t bh_module_now(void);

#endif
