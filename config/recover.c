/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A restarted module's way to its records without reading the file: they are in the tables that
 * its predecessor filled, and `cfg_source` tells of which file.
 *
 * The record of `cfg_source` is there only while the tables hold what one file said: it goes
 * before a replay that changes them, and comes back after its end (apply.c). Records may be
 * stale: a predecessor may have died while it said the same again.
 */
#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "lib/log/log.h"

#define N_TABLES (sizeof(bh_config_tables) / sizeof(bh_config_tables[0]))

int
bh_recover(const struct bh_core_ops *ops, void *core, struct bh_source *source,
	struct bh_records *r)
{
	struct bh_source found;
	int rc = ops->source(core, &found);

	if (rc == 0 && source->digest != 0 && found.digest != source->digest)
		rc = -ESTALE;
	for (size_t i = 0; rc == 0 && i < N_TABLES; i++)
		rc = ops->recover(core, bh_config_tables[i], r);
	if (rc == 0 && r->no_memory)
		rc = -ENOMEM;
	if (rc == 0 && r->n != found.records)
		rc = -EBADMSG;
	if (rc == 0)
		*source = found;
	else
		bh_records_free(r);
	return rc;
}
