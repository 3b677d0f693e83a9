/* SPDX-License-Identifier: BSD-3-Clause */
/* A table as its worker, and main as reader of its log, see it. */
#ifndef BH_INFOBASE_TABLE_PRIV_H
#define BH_INFOBASE_TABLE_PRIV_H

#include <assert.h>

#include <rte_lcore.h>

#include "infobase/changelog.h"
#include "infobase/store.h"
#include "infobase/table.h"

#define BH_PLEN_MAX 128

struct bh_table {
	const struct bh_schema *schema;
	struct bh_table_hooks hooks;
	void *hooks_ctx;
	uint16_t id;
	bool complete;	 /* an end-of-replay was seen */
	bool sweeping;
	bool alarmed;	 /* the present replay lasts too long, which was told */
	uint64_t replay_since; /* TSC of the begin of a replay that has not ended; 0: none does */
	unsigned int lcore; /* debug builds: the only one that may touch it, or LCORE_ID_ANY */
	uint32_t gen;
	uint32_t epoch;
	uint32_t stale;	 /* records of an older epoch */
	uint32_t sweep_at;
	uint64_t swept;	 /* records, ever */
	struct bh_store store;
	struct bh_changelog log;
	uint32_t plen_count[BH_PLEN_MAX + 1]; /* BH_F_LPM: records of each prefix length */
};

/* Debug builds: the table is in the hands of its worker. */
static inline void
bh_table_check_lcore(const struct bh_table *t)
{
#ifdef BH_DEBUG
	assert(t->lcore == LCORE_ID_ANY || t->lcore == rte_lcore_id());
#endif
	(void)t;
}

static inline bool
bh_table_is_stale(const struct bh_table *t, const struct bh_record *rec)
{
	return rec->epoch != t->epoch;
}

/* BH_F_LPM: a record with this key came (+1) or went (-1). */
void bh_table_count_plen(struct bh_table *t, const void *key, int by);

#endif
