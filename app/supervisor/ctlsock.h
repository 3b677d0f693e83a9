/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * supervisor.sock in the run directory: where bhctl brings orders about modules. A socket of the
 * supervisor's own, and not a table of the info base: an order must be taken while the core is
 * down, and a table that two sides write (order and outcome) would have two owners.
 *
 * SOCK_SEQPACKET, one order a connection (orders.h), one answer: "OK text" or "FAILED text". Uid 0
 * and the supervisor's own uid may connect, by the socket's mode and by SO_PEERCRED.
 */
#ifndef BH_SUPERVISOR_CTLSOCK_H
#define BH_SUPERVISOR_CTLSOCK_H

#include "app/supervisor/supervise.h"

struct bh_ctlsock;

/* Listens. The run directory's lock is ours: what lies there by this name is old. NULL and errno. */
struct bh_ctlsock *bh_ctlsock_open(struct bh_supervisor *s);
void bh_ctlsock_close(struct bh_ctlsock *cs); /* NULL: nothing */

#endif
