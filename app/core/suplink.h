/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's socket to the supervisor (BH_SUPERVISOR_FD): it brings role sockets with their
 * roles, and takes READY. Everything on it is checked like any other input.
 */
#ifndef BH_CORE_SUPLINK_H
#define BH_CORE_SUPLINK_H

#include "app/core/core.h"

/* The inherited socket, made non-blocking, or -1: the core runs without supervisor. */
int bh_suplink_open(void);

/* Takes every message that has come. False when the supervisor's end is closed. */
bool bh_suplink_read(struct bh_core *core, int fd);

#endif
