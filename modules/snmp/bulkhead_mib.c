/* SPDX-License-Identifier: BSD-3-Clause */
/* BULKHEAD-MIB (mibs/BULKHEAD-MIB.txt): processes, tables, logical cores, drops. */
#include <string.h>
#include <sys/wait.h>

#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

enum {
	MODULE_PID = 2, MODULE_STATE, MODULE_RESTARTS, MODULE_EXIT_STATUS, MODULE_EXIT_SIGNAL,
	MODULE_ENDED_BY, MODULE_DETECTION, MODULE_RECOVERY, MODULE_STARTED, MODULE_ADOPTED,
};

enum {
	TABLE_NAME = 2, TABLE_OWNER, TABLE_KIND, TABLE_GROUP, TABLE_WORKER, TABLE_RECORDS,
	TABLE_STALE, TABLE_COMPLETE, TABLE_REQUESTS, TABLE_REFUSED, TABLE_GENERATION, TABLE_SWEPT,
	TABLE_WATCHERS,
};

enum {
	LCORE_ROLE = 2, LCORE_CPU, LCORE_TURNS, LCORE_BUSY, LCORE_HANDLED, LCORE_SLEEPS,
	LCORE_WAKES,
};

enum { DROP_PACKETS = 2 };

static bool
core_started(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return s->stats != NULL && bh_value_date(v, s->stats->started);
}

/* ---- processes ---- */

bool
bh_module_value(const struct bh_process *p, uint32_t column, struct bh_value *v)
{
	bool told = p->last_exit != BH_EXIT_NONE && p->last_exit != BH_EXIT_UNTOLD;

	switch (column) {
	case MODULE_PID:
		return bh_value_unsigned(v, p->pid);
	case MODULE_STATE:
		return bh_value_integer(v, p->state);
	case MODULE_RESTARTS:
		return bh_value_counter32(v, p->restarts);
	case MODULE_EXIT_STATUS:
		return bh_value_integer(
			v, told && WIFEXITED(p->last_exit) ? WEXITSTATUS(p->last_exit) : -1);
	case MODULE_EXIT_SIGNAL:
		return bh_value_integer(
			v, told && WIFSIGNALED(p->last_exit) ? WTERMSIG(p->last_exit) : 0);
	case MODULE_ENDED_BY:
		return bh_value_integer(v, p->how + 1);
	case MODULE_DETECTION:
		return bh_value_unsigned(v, p->detect_us);
	case MODULE_RECOVERY:
		return bh_value_unsigned(v, p->recovery_us);
	case MODULE_STARTED:
		return bh_value_date(v, p->started);
	default:
		return bh_value_truth(v, p->flags & BH_PROC_ADOPTED);
	}
}

static bool
module_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)x;
	return bh_module_value(bh_mirror_val(&s->mirror[BH_MIRROR_PROCESS], row), column, v);
}

/* ---- what lies in shared memory, by number ---- */

/* The entry of that number, NULL if it is not in use. */
typedef const void *(*entry_fn)(const struct bh_stats *st, uint32_t i);

static const void *
entry_row(struct bh_snmp_model *s, struct bh_index *x, bool next, uint32_t max, entry_fn entry)
{
	uint32_t i = x->n > 0 ? x->id[0] : 0;
	const void *row = NULL;

	if (s->stats == NULL || (!next && x->n != 1))
		return NULL;
	if (!next)
		return i < max ? entry(s->stats, i) : NULL;
	if (x->n > 0 && i < max)
		i++;
	for (; i < max && row == NULL; i++)
		row = entry(s->stats, i);
	x->n = 1;
	x->id[0] = i - 1;
	return row;
}

static const void *
table_entry(const struct bh_stats *st, uint32_t i)
{
	return bh_schema((uint16_t)i) != NULL && st->table[i].used ? &st->table[i] : NULL;
}

static const void *
table_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	(void)t;
	return entry_row(s, x, next, BH_T_MAX, table_entry);
}

static bool
table_text(const struct bh_schema *sc, uint32_t column, struct bh_value *v)
{
	const char *text = column == TABLE_NAME ? sc->name :
		column == TABLE_OWNER ? bh_role_name(sc->owner) : bh_group_name(sc->group);

	return bh_value_text(v, text, sizeof(v->room));
}

static bool
table_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_schema *sc = bh_schema((uint16_t)x->id[0]);
	const struct bh_stats_table *t = row;

	(void)s;
	switch (column) {
	case TABLE_NAME:
	case TABLE_OWNER:
	case TABLE_GROUP:
		return table_text(sc, column, v);
	case TABLE_KIND:
		return bh_value_integer(v, sc->kind);
	case TABLE_WORKER:
		return bh_value_unsigned(v, t->lcore);
	case TABLE_RECORDS:
		return bh_value_unsigned(v, bh_read(&t->records));
	case TABLE_STALE:
		return bh_value_unsigned(v, bh_read(&t->stale));
	case TABLE_COMPLETE:
		return bh_value_truth(v, bh_read(&t->complete) != 0);
	case TABLE_REQUESTS:
		return bh_value_counter64(v, bh_read(&t->requests));
	case TABLE_REFUSED:
		return bh_value_counter64(v, bh_read(&t->refused));
	case TABLE_GENERATION:
		return bh_value_counter64(v, bh_read(&t->generation));
	case TABLE_SWEPT:
		return bh_value_counter64(v, bh_read(&t->swept));
	default:
		return bh_value_unsigned(v, bh_read(&t->watchers));
	}
}

static const void *
lcore_entry(const struct bh_stats *st, uint32_t i)
{
	return st->lcore[i].used ? &st->lcore[i] : NULL;
}

static const void *
lcore_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	(void)t;
	return entry_row(s, x, next, BH_STATS_LCORES, lcore_entry);
}

static bool
lcore_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_stats_lcore *l = row;

	(void)s;
	(void)x;
	switch (column) {
	case LCORE_ROLE:
		return bh_value_text(v, l->role, sizeof(l->role));
	case LCORE_CPU:
		return bh_value_unsigned(v, l->cpu);
	case LCORE_TURNS:
		return bh_value_counter64(v, bh_read(&l->turns));
	case LCORE_BUSY:
		return bh_value_counter64(v, bh_read(&l->busy));
	case LCORE_HANDLED:
		return bh_value_counter64(v, bh_read(&l->handled));
	case LCORE_SLEEPS:
		return bh_value_counter64(v, bh_read(&l->sleeps));
	default:
		return bh_value_counter64(v, bh_read(&l->wakes));
	}
}

/* ---- drops, by name ---- */

static void
drop_index(unsigned int i, struct bh_index *x)
{
	const char *name = bh_drop_name(i);

	x->n = 0;
	bh_index_octets(x, name, strlen(name), true);
}

/* There are few of them: the first behind x is the least of those behind it. */
static const void *
drop_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	struct bh_index at, best = {0};
	const char *row = NULL;

	(void)t;
	for (unsigned int i = 0; i < BH_DROP_MAX && s->stats != NULL; i++) {
		int order;

		drop_index(i, &at);
		order = bh_index_compare(&at, x);
		if (next ? order <= 0 : order != 0)
			continue;
		if (row != NULL && bh_index_compare(&at, &best) >= 0)
			continue;
		row = bh_drop_name(i);
		best = at;
	}
	if (row != NULL)
		*x = best;
	return row;
}

static bool
drop_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	uint64_t sum = 0;
	unsigned int i = 0;

	(void)x;
	(void)column;
	while (bh_drop_name(i) != row)
		i++;
	for (uint32_t f = 0; f < s->stats->n_fwd && f < BH_STATS_FWD; f++)
		sum += bh_read(&s->stats->fwd[f].drop[i]);
	return bh_value_counter64(v, sum);
}

static const struct bh_mib_table tables[] = {
	{.name = "bhCoreStarted", BH_ROOT(BH_BULKHEAD_MIB, 1, 1, 1), .value = core_started},
	{
		.name = "bhModuleTable",
		BH_ROOT(BH_BULKHEAD_MIB, 1, 2),
		.columns = BH_COLUMNS(MODULE_PID, MODULE_STATE, MODULE_RESTARTS, MODULE_EXIT_STATUS,
			MODULE_EXIT_SIGNAL, MODULE_ENDED_BY, MODULE_DETECTION, MODULE_RECOVERY,
			MODULE_STARTED, MODULE_ADOPTED),
		.mirror = BH_MIRROR_PROCESS,
		.row = bh_mib_mirror_row,
		.value = module_value,
	},
	{
		.name = "bhTableTable",
		BH_ROOT(BH_BULKHEAD_MIB, 1, 3),
		.columns = BH_COLUMNS(TABLE_NAME, TABLE_OWNER, TABLE_KIND, TABLE_GROUP,
			TABLE_WORKER, TABLE_RECORDS, TABLE_STALE, TABLE_COMPLETE, TABLE_REQUESTS, TABLE_REFUSED,
			TABLE_GENERATION, TABLE_SWEPT, TABLE_WATCHERS),
		.row = table_row,
		.value = table_value,
	},
	{
		.name = "bhLcoreTable",
		BH_ROOT(BH_BULKHEAD_MIB, 1, 4),
		.columns = BH_COLUMNS(LCORE_ROLE, LCORE_CPU, LCORE_TURNS, LCORE_BUSY, LCORE_HANDLED,
			LCORE_SLEEPS, LCORE_WAKES),
		.row = lcore_row,
		.value = lcore_value,
	},
	{
		.name = "bhDropTable",
		BH_ROOT(BH_BULKHEAD_MIB, 1, 5),
		.columns = BH_COLUMNS(DROP_PACKETS),
		.row = drop_row,
		.value = drop_value,
	},
};

const struct bh_snmp_mib bh_bulkhead_mib = {
	.name = "bulkhead-mib",
	.bit = BH_SNMP_BULKHEAD,
	.tables = tables,
	.n_tables = sizeof(tables) / sizeof(tables[0]),
};
