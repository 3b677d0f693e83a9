/* SPDX-License-Identifier: BSD-3-Clause */
#include <x86intrin.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Lcore", .path = "lcore", .flags = BH_COL_RIGHT},
	{.title = "CPU", .path = "cpu", .flags = BH_COL_RIGHT},
	{.title = "Role", .path = "role"},
	{.title = "Thread", .path = "thread", .flags = BH_COL_RIGHT},
	{.title = "Turns", .path = "turns", .flags = BH_COL_RIGHT},
	{.title = "Busy", .path = "busy", .flags = BH_COL_RIGHT},
	{.title = "Handled", .path = "handled", .flags = BH_COL_RIGHT},
	{.title = "Sleeps", .path = "sleeps", .flags = BH_COL_RIGHT},
	{.title = "Wakes", .path = "wakes", .flags = BH_COL_RIGHT},
	{.title = "Last turn ms ago", .path = "last-turn-ms", .flags = BH_COL_RIGHT},
	{0},
};

const struct bh_view bh_view_lcores = {
	.list = "lcores",
	.none = "no lcores",
	.columns = columns,
};

static json_t *
json_age(const struct bh_stats *st, uint64_t tsc, uint64_t beat)
{
	if (beat == 0 || st->tsc_hz == 0)
		return json_null();
	return json_real(tsc > beat ? (double)(tsc - beat) * 1000 / st->tsc_hz : 0);
}

static json_t *
row(const struct bh_stats *st, unsigned int i, uint64_t tsc)
{
	const struct bh_stats_lcore *l = &st->lcore[i];

	return json_pack("{s:i,s:I,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:o}",
		"lcore", (int)i,
		"cpu", (json_int_t)l->cpu,
		"role", bh_ctl_json_text(l->role, sizeof(l->role)),
		"thread", (json_int_t)l->tid,
		"turns", (json_int_t)bh_read(&l->turns),
		"busy", (json_int_t)bh_read(&l->busy),
		"handled", (json_int_t)bh_read(&l->handled),
		"sleeps", (json_int_t)bh_read(&l->sleeps),
		"wakes", (json_int_t)bh_read(&l->wakes),
		"last-turn-ms", json_age(st, tsc, bh_read(&l->heartbeat)));
}

json_t *
bh_json_lcores(const struct bh_stats *st, uint64_t tsc)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < BH_STATS_LCORES; i++)
		if (st->lcore[i].used)
			json_array_append_new(list, row(st, i, tsc));
	return list;
}

int
bh_show_lcores(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	return bh_ctl_print_array(args, &bh_view_lcores, bh_json_lcores(core->stats, __rdtsc()));
}
