/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/show.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/ctl/names.h"

void
bh_ctl_output_begin(void)
{
	signal(SIGPIPE, SIG_DFL);
}

int
bh_ctl_output_end(int rc)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "bhctl: cannot write the output: %s\n", strerror(errno));
		return BH_CTL_FAILED;
	}
	signal(SIGPIPE, SIG_IGN);
	if (rc < 0) {
		fprintf(stderr, "bhctl: %s\n", strerror(-rc));
		return BH_CTL_FAILED;
	}
	return BH_CTL_OK;
}

int
bh_ctl_print(const struct bh_ctl_args *args, const struct bh_view *view, const struct bh_rows *rows)
{
	int rc;

	bh_ctl_output_begin();
	if (args->json)
		rc = bh_render_json(stdout, view, rows);
	else
		rc = bh_render_table(stdout, view, rows);
	return bh_ctl_output_end(rc);
}

int
bh_ctl_print_array(const struct bh_ctl_args *args, const struct bh_view *view, json_t *array)
{
	struct bh_rows rows = bh_rows_of(array);
	int rc;

	if (array == NULL)
		return bh_ctl_output_end(-ENOMEM);
	rc = bh_ctl_print(args, view, &rows);
	json_decref(array);
	return rc;
}

void
bh_ifnames_set(struct bh_ifnames *names, const struct bh_recs *interfaces)
{
	for (unsigned int i = 0; i < BH_IF_MAX; i++)
		snprintf(names->name[i], BH_NAME_LEN, "#%u", i);
	for (size_t i = 0; i < interfaces->n; i++) {
		const struct bh_ifindex_key *key = bh_recs_key(interfaces, i);
		const struct bh_interface *val = bh_recs_val(interfaces, i);

		if (key->ifindex < BH_IF_MAX)
			snprintf(names->name[key->ifindex], BH_NAME_LEN, "%.*s", BH_NAME_LEN - 1,
				val->name);
	}
}

const char *
bh_ifname(const struct bh_ifnames *names, uint32_t ifindex)
{
	return ifindex < BH_IF_MAX ? names->name[ifindex] : "#?";
}

uint32_t
bh_ifindex(const struct bh_ifnames *names, const char *name)
{
	for (uint32_t i = 1; i < BH_IF_MAX; i++)
		if (name[0] != '#' && strncmp(names->name[i], name, BH_NAME_LEN) == 0)
			return i;
	return 0;
}

int
bh_ctl_fetch_ifnames(struct bh_ctl_core *core, struct bh_ifnames *names)
{
	struct bh_recs recs;
	int rc;

	bh_recs_init(&recs, sizeof(struct bh_ifindex_key), sizeof(struct bh_interface));
	rc = bh_ctl_dump(core, BH_T_INTERFACE, &recs);
	bh_ifnames_set(names, &recs);
	bh_recs_free(&recs);
	return rc;
}

void
bh_cell_bytes(const json_t *v, char *buf, size_t len)
{
	double n = json_number_value(v);
	const char *unit = "\0kMGTPE";

	while (n >= 1000 && unit[1] != '\0') {
		n /= 1000;
		unit++;
	}
	if (*unit == '\0')
		bh_json_text(v, buf, len);
	else
		snprintf(buf, len, "%.*f%c", n < 9.95 ? 1 : 0, n, *unit);
}

void
bh_cell_duration(const json_t *v, char *buf, size_t len)
{
	if (json_is_integer(v))
		bh_ctl_duration_text(json_integer_value(v), buf, len);
	else
		bh_json_text(v, buf, len);
}

void
bh_cell_since(const json_t *v, char *buf, size_t len)
{
	json_int_t then = json_integer_value(v), now = time(NULL);

	if (then == 0)
		snprintf(buf, len, "-");
	else
		bh_ctl_duration_text(now > then ? now - then : 0, buf, len);
}
