/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must be true before anything is started. Each check says in one line what is wrong
 * and what to do, and has its own exit code.
 */
#ifndef BH_SUPERVISOR_PREFLIGHT_H
#define BH_SUPERVISOR_PREFLIGHT_H

#include <sys/types.h>

#include "app/supervisor/options.h"
#include "lib/boot/boot.h"

/* Makes the run directory and takes its lock, which is held as long as *lock_fd is open. *core: pid
 * of a core that runs in it without a supervisor; 0: none. Returns an enum bh_exit. */
int bh_preflight_rundir(const struct bh_options *opt, int *lock_fd, pid_t *core);

/* Hugepages, privileges and devices of the boot record. Returns an enum bh_exit. */
int bh_preflight_machine(const struct bh_options *opt, const struct bh_boot *boot);

/* Whether the PCI device at a full address is there for interface `name` and given to user space.
 * sysfs: /sys. Returns an enum bh_exit; says which device and what to do. */
int bh_preflight_pci(const char *sysfs, const char *name, const char *addr);

#endif
