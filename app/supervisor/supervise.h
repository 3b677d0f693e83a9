/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The supervisor's state: the core and the modules as children, started in order, each when
 * the one before says READY; a module that ends is started again at once, then with
 * back-off, and is held after too many deaths in a short time while all else goes on. When
 * the core ends, modules go on: each gets a role socket to the next core, and replays.
 */
#ifndef BH_SUPERVISOR_SUPERVISE_H
#define BH_SUPERVISOR_SUPERVISE_H

#include <event2/event.h>

#include "app/supervisor/child.h"
#include "app/supervisor/options.h"

#define BH_CHILDREN (BH_BOOT_MODULES + 1)

struct bh_proctable;
struct bh_corebeat;
struct bh_heir;
struct bh_lives;
struct bh_notify;
struct bh_remains;
struct bh_taps;

struct bh_supervisor {
	const struct bh_options *opt;
	const struct bh_identity *id;
	const struct bh_boot *boot;
	struct event_base *base;
	int boot_fd;
	struct bh_child child[BH_CHILDREN]; /* 0: the core; then modules in starting order */
	unsigned int n_children;
	struct bh_proctable *table;	    /* NULL while the core is not ready */
	struct bh_lives *lives;	    /* NULL: none */
	struct bh_remains *remains; /* predecessors that are being freed (life.c) */
	struct bh_heir *heirs;	    /* processes of upgrades under way */
	struct bh_corebeat *corebeat;
	unsigned int ticks;
	struct event *ev_tick;	    /* heartbeats */
	struct bh_taps *taps;		    /* NULL: no host stack */
	struct event *ev_deadline;	    /* of starting, and of stopping */
	bool announced;			    /* `bulkhead: ready` was printed, maybe by a predecessor */
	bool adopting;			    /* it is to be printed again */
	struct bh_notify *notify;   /* systemd; NULL: nobody */
	char status[160];	    /* as told last */
	bool stopping;
	int exit_code;
};

/* children.c: fills child[] from the boot record, core first, but for their timers. 0 or -errno. */
int bh_children_make(struct bh_supervisor *s);

/* Prepares the children of the boot record. An enum bh_exit. */
int bh_supervise_init(struct bh_supervisor *s, const struct bh_options *opt,
	const struct bh_identity *id, const struct bh_boot *boot, struct event_base *base);
void bh_supervise_fini(struct bh_supervisor *s);

/* Goes on with children that were adopted: opens the table `process`. 0 or -errno. */
int bh_supervise_adopted(struct bh_supervisor *s);

/* Starts the next child in order, if the one before is ready. */
void bh_supervise_advance(struct bh_supervisor *s);

/* From life.c: the process of c has ended; status: its wait status or BH_EXIT_UNTOLD. What was
 * left of an earlier one is gone: c->last_exit is known now. */
void bh_supervise_ended(struct bh_supervisor *s, struct bh_child *c, int status);
void bh_supervise_gone(struct bh_supervisor *s, struct bh_child *c);

/* c says that it serves. */
void bh_supervise_ready(struct bh_supervisor *s, struct bh_child *c);

/* sayings.c: listens to c's supervision socket and watches its process, which was started, adopted
 * or inherited. 0 or -errno. */
int bh_supervise_listen(struct bh_supervisor *s, struct bh_child *c, int life_fd);
/* Closes the supervision socket. */
void bh_supervise_unlisten(struct bh_child *c);

/* Starts a module that has no process, after its back-off: at once if it did not die of late. */
void bh_supervise_start_again(struct bh_child *c);

/* Writes the record of c in the table `process`, if there is one. */
void bh_supervise_publish(struct bh_supervisor *s, const struct bh_child *c);

/* SIGTERM: ends modules, then the core; the event loop ends with it. */
void bh_supervise_stop(struct bh_supervisor *s, int exit_code);

/* SIGHUP: opens the file and hands it to the configuration module, and starts held modules
 * again. */
void bh_supervise_reload(struct bh_supervisor *s);

#endif
