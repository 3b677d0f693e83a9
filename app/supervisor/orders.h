/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a person orders about a module: restart, stop, start, upgrade, replay, renew. One order a module at a time;
 * its outcome is told once, when the module has reached what was ordered, or could not.
 *
 * An upgrade starts the new program beside the old one, as its heir (BH_HEIR=1): it may read,
 * recover and watch. When it says READY the core is asked to make it the owner of the role
 * (PROMOTE); when the core has (PROMOTED), the heir is told TAKE and replays, the predecessor
 * LEAVE. Whatever fails before that ends the heir, and nothing else.
 */
#ifndef BH_SUPERVISOR_ORDERS_H
#define BH_SUPERVISOR_ORDERS_H

#include "app/supervisor/supervise.h"

struct bh_order;

/* The outcome: text is one line for people. In the event loop, at most once an order. */
typedef void (*bh_order_fn)(void *arg, bool done, const char *text);

/*
 * Takes an order in words: "restart NAME", "stop NAME", "start NAME", "upgrade NAME [PATH]"; PATH:
 * the new program, absolute, else the one at the same path as before; "replay NAME": the module says
 * all of its tables anew; "renew NAME": it has others tell it all anew. fn may be called at once.
 * The order, or NULL if it has ended already.
 */
struct bh_order *bh_order_take(struct bh_supervisor *s, const char *words, bh_order_fn fn,
	void *arg);

/* What a module says that is not READY; whether it was an answer to "replay" or "renew". */
bool bh_order_module_said(struct bh_child *c, const char *text);

/* Whoever ordered does not listen any more: fn is not called. */
void bh_order_forget(struct bh_order *o);

/* ---- what the supervisor tells ---- */

/* The process of c has ended as it was ordered to, and what follows is done here: true. False: the
 * end is one like others. */
bool bh_order_ended(struct bh_supervisor *s, struct bh_child *c);
void bh_order_ready(struct bh_supervisor *s, struct bh_child *c);
void bh_order_heir_ended(struct bh_supervisor *s, struct bh_child *heir);
/* The core said something that is not READY. Whether it was about promotion. */
bool bh_order_core_said(struct bh_supervisor *s, const char *text);
/* The core has ended: heirs, too, have nobody to inherit from. */
void bh_order_core_ended(struct bh_supervisor *s);
/* All orders fail; heirs are killed. */
void bh_order_stop(struct bh_supervisor *s);
/* After the last child; frees what is left. */
void bh_order_fini(struct bh_supervisor *s);

#endif
