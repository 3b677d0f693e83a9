/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sd_notify(3)'s protocol: what systemd wants to hear of a service of Type=notify. Datagrams on
 * the socket that $NOTIFY_SOCKET names; without it nothing is said.
 */
#ifndef BH_SUPERVISOR_NOTIFY_H
#define BH_SUPERVISOR_NOTIFY_H

#include <event2/event.h>

struct bh_notify;

/* Takes $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment, and says WATCHDOG=1 from the event
 * loop in half of that time. NULL and errno; 0: nobody wants to hear anything. */
struct bh_notify *bh_notify_open(struct event_base *base);
void bh_notify_close(struct bh_notify *n); /* NULL: nothing */

/* READY=1 ..., one or several lines. n may be NULL. */
void bh_notify(struct bh_notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
