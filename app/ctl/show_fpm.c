/* SPDX-License-Identifier: BSD-3-Clause */
/* Zebra's connection, and what came of it: the one record of the table `fpm`. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const char *const reasons[BH_FPM_REASONS] = {
#define X(id, name) [BH_FPM_##id] = #name,
	BH_FPM_REASON_LIST(X)
#undef X
};

static json_t *
json_peer(const struct bh_fpm_status *s)
{
	if (s->peer_family == 0)
		return json_null();
	return json_pack("{s:o,s:i}", "address", bh_ctl_json_addr(s->peer_family, s->peer),
		"port", (int)s->peer_port);
}

static json_t *
json_refused(const struct bh_fpm_status *s)
{
	json_t *v = json_object();

	for (unsigned int i = 0; i < BH_FPM_REASONS; i++)
		json_object_set_new(v, reasons[i], json_integer((json_int_t)s->refused[i]));
	return v;
}

static json_t *
json_error(const struct bh_fpm_status *s)
{
	if (s->error_time == 0)
		return json_null();
	return json_pack("{s:o,s:I}", "text", bh_ctl_json_text(s->error, sizeof(s->error)), "time",
		(json_int_t)s->error_time);
}

json_t *
bh_json_fpm(const struct bh_fpm_status *s)
{
	return json_pack("{s:s,s:I,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
		"s:I,s:I,s:I,s:I,s:I,s:o,s:o}",
		"state", bh_ctl_fpm_state_name(s->state),
		"since", (json_int_t)s->since,
		"peer", json_peer(s),
		"connections", (json_int_t)s->connections,
		"zebra-port-id", (json_int_t)s->zebra,
		"ipv4-routes", (json_int_t)s->routes4,
		"ipv6-routes", (json_int_t)s->routes6,
		"stale", (json_int_t)s->stale,
		"held", (json_int_t)s->held,
		"next-hop-groups", (json_int_t)s->groups,
		"queued", (json_int_t)s->queued,
		"lag-ms", (json_int_t)s->lag_ms,
		"replay-ms", (json_int_t)s->replay_ms,
		"messages", (json_int_t)s->messages,
		"bytes", (json_int_t)s->bytes,
		"added", (json_int_t)s->added,
		"deleted", (json_int_t)s->deleted,
		"ignored", (json_int_t)s->ignored,
		"cut", (json_int_t)s->cut,
		"swept", (json_int_t)s->swept,
		"refused", json_refused(s),
		"last-error", json_error(s));
}

/* What is rarely wanted is left out; times are told as people read them. */
static void
print_text(FILE *out, const struct bh_fpm_status *s)
{
	char since[32], when[32];
	uint64_t now = (uint64_t)time(NULL), refused = 0;
	json_t *v = bh_json_fpm(s), *all = json_object_get(v, "refused"), *n;
	const char *name;
	void *next;

	bh_ctl_duration_text(now > s->since ? now - s->since : 0, since, sizeof(since));
	json_object_set_new(v, "since", json_sprintf("%s ago", since));
	json_object_foreach_safe(all, next, name, n) {
		refused += (uint64_t)json_integer_value(n);
		if (json_integer_value(n) == 0)
			json_object_del(all, name);
	}
	if (refused == 0)
		json_object_set_new(v, "refused", json_integer(0));
	if (s->error_time != 0) {
		bh_ctl_duration_text(now > s->error_time ? now - s->error_time : 0, when,
			sizeof(when));
		json_object_set_new(v, "last-error",
			json_sprintf("%.*s (%s ago)", (int)sizeof(s->error), s->error, when));
	}
	bh_render_value(out, v);
	json_decref(v);
}

int
bh_show_fpm(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_recs recs;
	const struct bh_fpm_status *s;
	json_t *v;
	int rc;

	bh_recs_init(&recs, sizeof(struct bh_ifname_key), sizeof(struct bh_fpm_status));
	rc = bh_ctl_dump(core, BH_T_FPM, &recs);
	if (rc != BH_CTL_OK) {
		bh_recs_free(&recs);
		return rc;
	}
	s = recs.n > 0 ? bh_recs_val(&recs, 0) : NULL;
	bh_ctl_output_begin();
	if (args->json) {
		v = json_pack("{s:o}", "fpm", s != NULL ? bh_json_fpm(s) : json_null());
		rc = bh_render_value_json(stdout, v);
		json_decref(v);
	} else if (s != NULL) {
		print_text(stdout, s);
	} else {
		puts("FPM is not configured (bulkhead:bulkhead/fpm)");
	}
	bh_recs_free(&recs);
	return bh_ctl_output_end(rc);
}
