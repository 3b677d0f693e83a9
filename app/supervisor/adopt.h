/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a supervisor was killed: its core and modules go on, and the next one on the same run
 * directory adopts them. Who they are is read from the table `process`; that a pid still is who
 * it was is told by its start time, looked at when a pidfd holds it already. Each has kept a copy
 * of the old supervisor's end of its socket (BH_SUPERVISOR_KEEP) and its life page (BH_LIFE_FD):
 * both are taken from there by pidfd_getfd(2), which needs CAP_SYS_PTRACE. Nobody has to notice.
 *
 * What died meanwhile, and what cannot be adopted, is started anew. Without a core there is no
 * table: then what the old supervisor wrote in the file `processes` of the run directory is
 * used to end modules that wait for a core that will not come.
 */
#ifndef BH_SUPERVISOR_ADOPT_H
#define BH_SUPERVISOR_ADOPT_H

#include "app/supervisor/supervise.h"

/* Adopts the core of this pid, which answers at core.sock, and its modules. An enum bh_exit, told:
 * then nothing was changed. */
int bh_adopt(struct bh_supervisor *s, pid_t core);

/* Writes the file `processes` anew: who runs. */
void bh_adopt_remember(const struct bh_supervisor *s);

/* No core runs: kills what the file names and still runs, waits for its end, removes the file. */
void bh_adopt_clear(const char *rundir);

#endif
