/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "app/ctl/show.h"

/* Descriptors that a process has open; null: not ours to know. */
static json_t *
json_descriptors(uint32_t pid)
{
	char path[64];
	json_int_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return json_null();
	for (const struct dirent *e; (e = readdir(dir)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(dir);
	return json_integer(n);
}

/* Bytes of a process that are in memory, without hugepages. */
static json_t *
json_resident(uint32_t pid)
{
	char path[64];
	long pages = 0;
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/proc/%u/statm", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return json_null();
	n = fscanf(file, "%*d %ld", &pages);
	fclose(file);
	return n == 1 ? json_integer((json_int_t)pages * sysconf(_SC_PAGESIZE)) : json_null();
}

static json_int_t
watches(const struct bh_stats *st)
{
	json_int_t n = 0;

	for (unsigned int i = 0; i < BH_T_MAX; i++)
		n += bh_read(&st->table[i].watchers);
	return n;
}

json_t *
bh_json_memory(const struct bh_stats *st)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}",
		"channels", (json_int_t)bh_read(&st->channels),
		"channel-bytes", (json_int_t)bh_read(&st->channel_bytes),
		"channels-made", (json_int_t)bh_read(&st->channels_made),
		"sockets", (json_int_t)bh_read(&st->sockets),
		"watches", watches(st),
		"first-contacts", (json_int_t)bh_read(&st->relays),
		"refused-contacts", (json_int_t)bh_read(&st->refused_contacts),
		"core-descriptors", json_descriptors(st->core_pid),
		"core-resident-bytes", json_resident(st->core_pid));
}

int
bh_show_memory(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	json_t *v = json_pack("{s:o}", "memory", bh_json_memory(core->stats));

	bh_ctl_output_begin();
	if (args->json)
		bh_render_value_json(stdout, v);
	else
		bh_render_value(stdout, json_object_get(v, "memory"));
	json_decref(v);
	return bh_ctl_output_end(0);
}
