/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Table", .path = "name"},
	{.title = "Owner", .path = "owner"},
	{.title = "Kind", .path = "kind"},
	{.title = "Worker", .path = "worker-lcore", .flags = BH_COL_RIGHT},
	{.title = "Records", .path = "records", .flags = BH_COL_RIGHT},
	{.title = "Stale", .path = "stale", .flags = BH_COL_RIGHT},
	{.title = "Complete", .path = "complete"},
	{.title = "Replay", .path = "replay-s", .flags = BH_COL_RIGHT},
	{.title = "Requests", .path = "requests", .flags = BH_COL_RIGHT},
	{.title = "Refused", .path = "refused", .flags = BH_COL_RIGHT},
	{.title = "Epoch", .path = "epoch", .flags = BH_COL_RIGHT},
	{.title = "Watch", .path = "watchers", .flags = BH_COL_RIGHT},
	{.title = "Sleeps", .path = "worker-sleeps", .flags = BH_COL_RIGHT},
	{.title = "Wakes", .path = "worker-wakes", .flags = BH_COL_RIGHT},
	{0},
};

const struct bh_view bh_view_tables = {
	.list = "tables",
	.none = "no tables",
	.columns = columns,
};

/* How long the replay that goes on has lasted; null: none does. */
static json_t *
replay_seconds(const struct bh_stats *st, const struct bh_stats_table *t)
{
	uint64_t since = bh_read(&t->replay_since), now = __builtin_ia32_rdtsc();

	if (since == 0 || st->tsc_hz == 0)
		return json_null();
	return json_integer(now > since ? (json_int_t)((now - since) / st->tsc_hz) : 0);
}

static json_t *
row(const struct bh_stats *st, const struct bh_schema *s, const struct bh_stats_table *t)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}",
		"name", s->name,
		"owner", bh_role_name(s->owner),
		"kind", bh_kind_name(s->kind),
		"group", bh_group_name(s->group),
		"worker-lcore", (json_int_t)t->lcore,
		"records", (json_int_t)bh_read(&t->records),
		"stale", (json_int_t)bh_read(&t->stale),
		"complete", (int)(bh_read(&t->complete) != 0),
		"replay-s", replay_seconds(st, t),
		"requests", (json_int_t)bh_read(&t->requests),
		"refused", (json_int_t)bh_read(&t->refused),
		"generation", (json_int_t)bh_read(&t->generation),
		"epoch", (json_int_t)bh_read(&t->epoch),
		"watchers", (json_int_t)bh_read(&t->watchers),
		"swept", (json_int_t)bh_read(&t->swept),
		"worker-sleeps", (json_int_t)bh_read(&t->worker_sleeps),
		"worker-wakes", (json_int_t)bh_read(&t->worker_wakes),
		"published", s->published == NULL ? "" : s->published);
}

json_t *
bh_json_tables(const struct bh_stats *st)
{
	json_t *list = json_array();

	for (uint16_t id = 1; id < BH_T_MAX; id++) {
		const struct bh_schema *s = bh_schema(id);

		if (s != NULL && st->table[id].used)
			json_array_append_new(list, row(st, s, &st->table[id]));
	}
	return list;
}

int
bh_show_tables(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	return bh_ctl_print_array(args, &bh_view_tables, bh_json_tables(core->stats));
}
