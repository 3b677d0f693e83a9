/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the boot record, inside lib/boot. */
#ifndef BH_BOOT_NAMES_H
#define BH_BOOT_NAMES_H

#include "infobase/schema.h"

/* Name of a group as the record has it; NULL beyond. */
const char *bh_boot_group_name(unsigned int group);

/* Number of a role or group of that name, or -ENOENT. */
int bh_boot_role_find(const char *name);
int bh_boot_group_find(const char *name);

#endif
