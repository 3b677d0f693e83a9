/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/reconcile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/ctl/module.h"
#include "app/ctl/names.h"
#include "app/ctl/show.h"

#define PAUSE_MS 500	/* between two looks at what changes */
#define RENEW_S 90	/* for zebra to tell all again */

struct run {
	struct bh_ctl_core *core;
	const struct bh_ctl_args *args;
	struct bh_reconcile_tables tables;
	struct bh_diffs rib, fib;
	struct bh_audit sum[2];
	size_t left; /* of rib */
	bool replayed, renewed;
	char why[400]; /* a repair that failed, or empty */
};

static void
pause_ms(unsigned int ms)
{
	const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

/* ---- what zebra sent, and the tables ---- */

static int
look(struct run *r, struct bh_diffs *ds)
{
	int rc = bh_reconcile_fetch(r->core, &r->tables);

	if (rc == BH_CTL_OK && bh_reconcile_compare(&r->tables, ds) < 0) {
		fprintf(stderr, "bhctl: %s\n", strerror(ENOMEM));
		rc = BH_CTL_FAILED;
	}
	return rc;
}

/* What is there twice. */
static int
look_twice(struct run *r, struct bh_diffs *ds)
{
	struct bh_diffs again = {0};
	int rc = look(r, ds);

	if (rc != BH_CTL_OK || ds->n == 0)
		return rc;
	pause_ms(PAUSE_MS);
	rc = look(r, &again);
	bh_diffs_keep_common(ds, &again);
	bh_diffs_free(&again);
	return rc;
}

/* Looks anew: what is not there any more was repaired. */
static int
look_again(struct run *r)
{
	struct bh_diffs now = {0};
	size_t j = 0;
	int rc = look_twice(r, &now);

	for (size_t i = 0; rc == BH_CTL_OK && i < r->rib.kept; i++) {
		while (j < now.kept && bh_prefix_cmp(&now.d[j].prefix, &r->rib.d[i].prefix) < 0)
			j++;
		r->rib.d[i].repaired = j == now.kept ||
			bh_prefix_cmp(&now.d[j].prefix, &r->rib.d[i].prefix) != 0;
	}
	r->left = now.n;
	bh_diffs_free(&now);
	return rc;
}

/* Orders something of routing; false, and why: it was not done. */
static bool
order(struct run *r, const char *words)
{
	char answer[300];
	int rc = bh_ctl_order(r->args, words, answer, sizeof(answer));

	if (rc == 0 && strncmp(answer, "OK ", 3) == 0)
		return true;
	snprintf(r->why, sizeof(r->why), "%s: %s", words, rc < 0 ? strerror(-rc) :
		strncmp(answer, "FAILED ", 7) == 0 ? answer + 7 : answer);
	return false;
}

static int
fpm_state(struct run *r, struct bh_fpm_status *s)
{
	struct bh_recs recs;
	int rc;

	memset(s, 0, sizeof(*s));
	bh_recs_init(&recs, sizeof(struct bh_ifname_key), sizeof(*s));
	rc = bh_ctl_dump(r->core, BH_T_FPM, &recs);
	if (rc == BH_CTL_OK && recs.n > 0)
		memcpy(s, bh_recs_val(&recs, 0), sizeof(*s));
	bh_recs_free(&recs);
	return rc;
}

/* Zebra connects anew and tells all. */
static int
renew(struct run *r)
{
	struct bh_fpm_status before, now;
	int rc = fpm_state(r, &before);

	if (rc != BH_CTL_OK || before.state < BH_FPM_REPLAYING || !order(r, "renew routing"))
		return rc;
	r->renewed = true;
	for (unsigned int i = 0; i < RENEW_S * 1000 / PAUSE_MS; i++) {
		pause_ms(PAUSE_MS);
		rc = fpm_state(r, &now);
		if (rc != BH_CTL_OK)
			return rc;
		if (now.state == BH_FPM_CONNECTED && now.connections != before.connections)
			return look_again(r);
	}
	snprintf(r->why, sizeof(r->why), "zebra has not told all again within %d s", RENEW_S);
	return rc;
}

static int
reconcile_rib(struct run *r)
{
	int rc = look_twice(r, &r->rib);

	r->left = r->rib.n;
	if (rc != BH_CTL_OK || r->args->check || r->rib.n == 0)
		return rc;
	if (order(r, "replay routing")) {
		r->replayed = true;
		rc = look_again(r);
	}
	return rc == BH_CTL_OK && r->left > 0 && r->replayed ? renew(r) : rc;
}

/* ---- output ---- */

static json_t *
json_diff(const struct bh_diff *d)
{
	return json_pack("{s:o,s:s,s:s,s:b,s:I,s:I}",
		"prefix", bh_ctl_json_prefix(d->prefix.family, d->prefix.addr, d->prefix.plen),
		"layer", d->what < BH_DIFF_ABSENT ? "fib" : "tables",
		"difference", bh_diff_text(d->what),
		"repaired", (int)d->repaired,
		"wanted", (json_int_t)d->wanted,
		"found", (json_int_t)d->found);
}

static json_t *
json_diffs(const struct run *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->rib.kept; i++)
		json_array_append_new(list, json_diff(&r->rib.d[i]));
	for (size_t i = 0; i < r->fib.kept; i++)
		json_array_append_new(list, json_diff(&r->fib.d[i]));
	return list;
}

static json_t *
json_family(const struct run *r, int f)
{
	const struct bh_audit *a = &r->sum[f];

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"sent-by-zebra", (json_int_t)r->tables.fpm[f].n,
		"routes", (json_int_t)a->records,
		"published", (json_int_t)a->published,
		"unresolved", (json_int_t)a->waiting,
		"checked", (json_int_t)a->checked,
		"differing", (json_int_t)a->differing,
		"repaired", (json_int_t)a->repaired);
}

static size_t
found(const struct run *r)
{
	return r->rib.n + r->sum[0].differing + r->sum[1].differing;
}

static size_t
left(const struct run *r)
{
	return r->left + r->sum[0].differing - r->sum[0].repaired + r->sum[1].differing -
		r->sum[1].repaired;
}

static int
print_json(const struct run *r)
{
	json_t *v = json_pack("{s:{s:b,s:o,s:o,s:I,s:I,s:b,s:b,s:s,s:o}}", "reconcile",
		"check", (int)r->args->check,
		"ipv4", json_family(r, 0),
		"ipv6", json_family(r, 1),
		"differing", (json_int_t)found(r),
		"left", (json_int_t)left(r),
		"replayed", (int)r->replayed,
		"renewed", (int)r->renewed,
		"failure", r->why,
		"differences", json_diffs(r));
	int rc = v == NULL ? -ENOMEM : bh_render_value_json(stdout, v);

	json_decref(v);
	return rc;
}

static void
print_lines(const struct run *r, const struct bh_diffs *ds)
{
	char text[BH_PREFIX_STRLEN];

	for (size_t i = 0; i < ds->kept; i++)
		printf("%s: %s%s\n", bh_prefix_format(&ds->d[i].prefix, text, sizeof(text)),
			bh_diff_text(ds->d[i].what), ds->d[i].repaired ? ": repaired" :
			r->args->check ? "" : ": not repaired");
	if (ds->n > ds->kept)
		printf("... and %zu more\n", ds->n - ds->kept);
}

static int
print_text(const struct run *r)
{
	print_lines(r, &r->rib);
	print_lines(r, &r->fib);
	for (int f = 0; f < 2; f++)
		printf("IPv%d: %zu sent by zebra, %u routes (%u unresolved), %u published\n",
			f == 0 ? 4 : 6, r->tables.fpm[f].n, r->sum[f].records, r->sum[f].waiting,
			r->sum[f].published);
	if (r->why[0] != '\0')
		printf("repair: %s\n", r->why);
	printf("%zu differences, %zu left\n", found(r), left(r));
	return 0;
}

int
bh_ctl_reconcile(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	static struct run r;
	int rc;

	r = (struct run){.core = core, .args = args};
	bh_reconcile_tables_init(&r.tables);
	rc = reconcile_rib(&r);
	for (int f = 0; f < 2 && rc == BH_CTL_OK; f++)
		rc = bh_reconcile_fib(core, f == 0 ? BH_IP4 : BH_IP6, !args->check, &r.sum[f],
			&r.fib);
	if (rc == BH_CTL_OK) {
		bh_ctl_output_begin();
		rc = bh_ctl_output_end(args->json ? print_json(&r) : print_text(&r));
	}
	if (rc == BH_CTL_OK && found(&r) > 0)
		rc = BH_CTL_FAILED;
	bh_diffs_free(&r.rib);
	bh_diffs_free(&r.fib);
	bh_reconcile_tables_free(&r.tables);
	return rc;
}
