/* SPDX-License-Identifier: BSD-3-Clause */
/* An heir: a second process of a module, from its start until it takes the first one's place. */
#ifndef BH_SUPERVISOR_HEIR_H
#define BH_SUPERVISOR_HEIR_H

#include "app/supervisor/supervise.h"

struct bh_heir;

/* Starts path (NULL: the program of c) as heir of c. NULL and *rc. */
struct bh_heir *bh_heir_start(struct bh_supervisor *s, struct bh_child *c, const char *path,
	int *rc);

/* Its process; valid until bh_heir_end() or bh_heir_succeed(). */
const struct bh_child *bh_heir_child(const struct bh_heir *h);

/* Asks the core to promote it. 0 or -errno. */
int bh_heir_promote(struct bh_heir *h);

/* After the core's yes: c goes on as the heir's process, which is told to take over, and the
 * process that c was, to leave. Frees h. 0, or -errno: c is the heir's process, but was not told. */
int bh_heir_succeed(struct bh_heir *h);

/* Kills it. h is freed once its process is gone. */
void bh_heir_end(struct bh_heir *h);

/* From supervise.c: the process of an heir (c->heir) has ended. */
void bh_heir_ended(struct bh_supervisor *s, struct bh_child *heir, int status);

/* Whether processes of heirs are there. */
bool bh_heirs_run(const struct bh_supervisor *s);
void bh_heirs_free(struct bh_supervisor *s);

/* To orders.c: it said READY. */
void bh_order_heir_ready(struct bh_supervisor *s, struct bh_child *heir);

#endif
