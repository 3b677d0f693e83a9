/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Process", .path = "name"},
	{.title = "PID", .path = "pid", .flags = BH_COL_RIGHT},
	{.title = "State", .path = "state"},
	{.title = "Restarts", .path = "restarts", .flags = BH_COL_RIGHT},
	{.title = "Last exit", .path = "last-exit"},
	{.title = "Ended by", .path = "ended-by"},
	{.title = "Found ms", .path = "detection-ms", .flags = BH_COL_RIGHT},
	{.title = "Recovery ms", .path = "recovery-ms", .flags = BH_COL_RIGHT},
	{.title = "Uptime", .path = "uptime-s", .flags = BH_COL_RIGHT, .cell = bh_cell_duration},
	{.title = "Adopted", .path = "adopted"},
	{0},
};

const struct bh_view bh_view_processes = {
	.list = "processes",
	.none = "no processes: the core runs without bulkhead",
	.columns = columns,
};

static json_t *
ms_of(uint32_t us)
{
	return us == 0 ? json_null() : json_real(us / 1000.0);
}

static json_t *
row(const struct bh_ifname_key *k, const struct bh_process *v, uint64_t now)
{
	bool runs = v->pid != 0 && v->started != 0;
	char text[96];

	return json_pack("{s:o,s:I,s:s,s:I,s:s,s:s,s:o,s:I,s:o,s:I,s:o,s:b,s:b}",
		"name", bh_ctl_json_text(k->name, sizeof(k->name)),
		"pid", (json_int_t)v->pid,
		"state", bh_ctl_proc_state_name(v->state),
		"restarts", (json_int_t)v->restarts,
		"last-exit", bh_ctl_exit_text(v->last_exit, text, sizeof(text)),
		"ended-by", bh_ctl_proc_how_name(v->how),
		"detection-ms", ms_of(v->detect_us),
		"end-seen-ns", (json_int_t)v->seen_ns,
		"recovery-ms", ms_of(v->recovery_us),
		"started", (json_int_t)v->started,
		"uptime-s", runs ? json_integer(now > v->started ? now - v->started : 0) : json_null(),
		"held", v->state == BH_PROC_HELD, "adopted", v->flags & BH_PROC_ADOPTED);
}

json_t *
bh_json_processes(const struct bh_recs *recs, uint64_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < recs->n; i++)
		json_array_append_new(list, row(bh_recs_key(recs, i), bh_recs_val(recs, i), now));
	return list;
}

int
bh_show_processes(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_recs recs;
	int rc;

	bh_recs_init(&recs, sizeof(struct bh_ifname_key), sizeof(struct bh_process));
	rc = bh_ctl_dump(core, BH_T_PROCESS, &recs);
	bh_recs_sort(&recs, NULL);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_print_array(args, &bh_view_processes,
			bh_json_processes(&recs, time(NULL)));
	bh_recs_free(&recs);
	return rc;
}
