/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the supervisor gets its boot record: from a one-shot bulkhead-config, so that no
 * configuration language is parsed here; and the EAL arguments made of it.
 */
#ifndef BH_SUPERVISOR_BOOTREC_H
#define BH_SUPERVISOR_BOOTREC_H

#include "app/supervisor/child.h"
#include "app/supervisor/options.h"

/* Runs `bulkhead-config --boot FILE` (or --check) as a module's user and checks what it prints.
 * Its messages go to our stderr. Returns an enum bh_exit. boot may be NULL with check_only. */
int bh_bootrec_read(const struct bh_options *opt, const struct bh_identity *id,
	struct bh_boot *boot);

/* Adds the arguments of bulkhead-core and of EAL. 0 or -errno. */
int bh_bootrec_core_args(const struct bh_options *opt, const struct bh_identity *id,
	const struct bh_boot *boot, int boot_fd, struct bh_child *core);

/* The record in a memfd, read by the core at its start. -errno. */
int bh_bootrec_memfd(const struct bh_boot *boot);

#endif
