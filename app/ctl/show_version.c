/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "app/ctl/show.h"

int
bh_show_version(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	const struct bh_stats *st = core->stats;
	json_int_t now = time(NULL);
	json_t *v = json_pack("{s:{s:s,s:I,s:I,s:I,s:I}}", "version",
		"bhctl", BH_VERSION,
		"core-pid", (json_int_t)st->core_pid,
		"core-started", (json_int_t)st->started,
		"core-uptime-s", now - (json_int_t)st->started,
		"statistics-layout", (json_int_t)st->version);

	bh_ctl_output_begin();
	if (args->json)
		bh_render_value_json(stdout, v);
	else
		bh_render_value(stdout, json_object_get(v, "version"));
	json_decref(v);
	return bh_ctl_output_end(0);
}
