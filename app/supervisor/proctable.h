/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table `process`, kept by the supervisor in its own role: one record a child. Writes are
 * submitted and never waited for.
 */
#ifndef BH_SUPERVISOR_PROCTABLE_H
#define BH_SUPERVISOR_PROCTABLE_H

#include <event2/event.h>

#include "app/supervisor/child.h"
#include "lib/client/bulkhead.h"

struct bh_proctable;
struct bh_stats;

/* role_fd: our end of the supervisor's role socket; taken over. NULL and errno. */
struct bh_proctable *bh_proctable_open(struct event_base *base, int role_fd);
void bh_proctable_close(struct bh_proctable *t);

/* Writes the child's record. */
void bh_proctable_put(struct bh_proctable *t, const struct bh_child *c);

/* Follows another table (bh_watch of lib/client): fn is called from the event loop until the
 * connection ends, which fn is told. Waits for the core's answer. 0 or -errno. */
int bh_proctable_watch(struct bh_proctable *t, uint16_t table, bh_change_fn fn, void *arg);

/* The core's statistics; NULL: none that we understand. */
const struct bh_stats *bh_proctable_stats(const struct bh_proctable *t);

/* All records were written once: the table is complete. */
void bh_proctable_complete(struct bh_proctable *t);

#endif
