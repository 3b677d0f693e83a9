/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The replay: a source says all it has, and what it does not say is gone.
 *
 * All tables begin, so that every old record is stale; records follow from interfaces up to
 * routes, pipelined; then the tables end from routes down to interfaces, and the core sweeps
 * what stayed stale in that order: nothing is taken away under what still uses it.
 */
#include <errno.h>

#include "config/config.h"
#include "lib/log/log.h"

static const uint16_t tables[] = {BH_T_CFG_INTERFACE, BH_T_CFG_ADDRESS, BH_T_CFG_NEIGHBOR,
	BH_T_CFG_RA, BH_T_CFG_RA_PREFIX, BH_T_CFG_ROUTE4, BH_T_CFG_ROUTE6};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

int
bh_apply(const struct bh_records *r, const struct bh_core_ops *ops, void *core)
{
	struct bh_record rec;
	size_t off = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_TABLES; i++)
		rc = ops->begin(core, tables[i]);
	while (rc == 0 && bh_records_next(r, &off, &rec))
		rc = ops->add(core, &rec);
	if (rc == 0)
		rc = ops->wait(core);
	if (rc < 0)
		return rc;
	if (rc > 0)
		bh_err("apply", "the core refused %d of %u records", rc, r->n);
	rc = 0;
	for (size_t i = N_TABLES; rc == 0 && i > 0; i--)
		rc = ops->end(core, tables[i - 1]);
	return rc;
}
