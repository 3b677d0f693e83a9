/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's socket to the supervisor (BH_SUPERVISOR_FD). It brings, one datagram each:
 *
 *	ROLE <name> <pid>	and a socket: the owner of that role
 *	HEIR <name> <pid>	and a socket: reads and recovers beside the owner, writes nothing
 *	PROMOTE <name> <pid>	the heir of that pid is the owner from now on
 *
 * and takes READY, PROMOTED <name> <pid> and REFUSED <name> <pid>. Everything on it is checked
 * like any other input.
 */
#ifndef BH_CORE_SUPLINK_H
#define BH_CORE_SUPLINK_H

#include "app/core/core.h"

/* The inherited socket, made non-blocking, or -1: the core runs without supervisor. */
int bh_suplink_open(void);

/* Takes every message that has come. False when the supervisor's end is closed. */
bool bh_suplink_read(struct bh_core *core, int fd);

/* Tells how promotions ended, since the last call. */
void bh_suplink_answer(struct bh_core *core, int fd);

#endif
