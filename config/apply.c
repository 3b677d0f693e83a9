/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The replay: a source says all it has, and what it does not say is gone.
 *
 * All tables begin, so that every old record is stale; records follow from interfaces up to
 * routes, pipelined; then the tables end from routes down to interfaces, and the core sweeps
 * what stayed stale in that order: nothing is taken away under what still uses it.
 *
 * `cfg_source` tells a successor which file the tables hold. It is taken away before they hold
 * anything else, and comes back when they hold all of it.
 */
#include <errno.h>

#include "config/config.h"
#include "lib/log/log.h"

const uint16_t bh_config_tables[BH_CONFIG_TABLES] = {BH_T_CFG_INTERFACE, BH_T_CFG_ADDRESS,
	BH_T_CFG_NEIGHBOR, BH_T_CFG_RA, BH_T_CFG_RA_PREFIX, BH_T_CFG_SNMP, BH_T_CFG_FPM, BH_T_CFG_ROUTE4,
	BH_T_CFG_ROUTE6};

static const struct bh_ifname_key source_key = {"file"};

static int
forget_source(const struct bh_core_ops *ops, void *core)
{
	int rc = ops->del(core, BH_T_CFG_SOURCE, &source_key);

	return rc == -ENOENT ? 0 : rc;
}

static int
tell_source(const struct bh_source *s, const struct bh_core_ops *ops, void *core)
{
	struct bh_cfg_source val = {s->digest, s->fixed, s->records};
	struct bh_record rec = {BH_T_CFG_SOURCE, sizeof(source_key), sizeof(val), &source_key, &val};
	int rc = ops->begin(core, BH_T_CFG_SOURCE);

	if (rc == 0)
		rc = ops->add(core, &rec);
	if (rc == 0)
		rc = ops->wait(core);
	return rc < 0 ? rc : ops->end(core, BH_T_CFG_SOURCE);
}

/* What a successor may rely on: that no record was refused. */
static int
end_tables(const struct bh_source *s, int refused, const struct bh_core_ops *ops, void *core)
{
	int rc = 0;

	for (size_t i = BH_CONFIG_TABLES; rc == 0 && i > 0; i--)
		rc = ops->end(core, bh_config_tables[i - 1]);
	if (rc == 0)
		rc = refused == 0 ? tell_source(s, ops, core) : forget_source(ops, core);
	return rc;
}

int
bh_apply(const struct bh_records *r, const struct bh_source *source, bool same,
	const struct bh_core_ops *ops, void *core)
{
	struct bh_record rec;
	size_t off = 0;
	int rc = same ? 0 : forget_source(ops, core);

	for (size_t i = 0; rc == 0 && i < BH_CONFIG_TABLES; i++)
		rc = ops->begin(core, bh_config_tables[i]);
	while (rc == 0 && bh_records_next(r, &off, &rec))
		rc = ops->add(core, &rec);
	if (rc == 0)
		rc = ops->wait(core);
	if (rc < 0)
		return rc;
	if (rc > 0)
		bh_err("apply", "the core refused %d of %u records", rc, r->n);
	return end_tables(source, rc, ops, core);
}
