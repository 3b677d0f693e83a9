/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counters are one JSON object; for people its parts become tables one below the other.
 */
#include <errno.h>
#include <string.h>

#include "app/ctl/show.h"

#define COUNT(title_, path_) {.title = title_, .path = path_, .flags = BH_COL_RIGHT}
#define BYTES(title_, path_)                                                                       \
	{.title = title_, .path = path_, .flags = BH_COL_RIGHT, .cell = bh_cell_bytes}

static const struct bh_column drop_columns[] = {
	{.title = "Dropped because", .path = "name"},
	COUNT("Packets", "value"),
	{0},
};
static const struct bh_column lcore_columns[] = {
	COUNT("Lcore", "value.lcore"),
	COUNT("IPv4 forwarded", "value.forwarded.ipv4"),
	COUNT("IPv6 forwarded", "value.forwarded.ipv6"),
	COUNT("Punted", "value.punted"),
	COUNT("Injected", "value.injected"),
	COUNT("Dropped", "value.dropped"),
	{0},
};
static const struct bh_column if_columns[] = {
	{.title = "Interface", .path = "name"},
	COUNT("Rx packets", "value.rx-packets"),
	BYTES("Rx bytes", "value.rx-bytes"),
	COUNT("Rx drops", "value.rx-drops"),
	COUNT("Tx packets", "value.tx-packets"),
	BYTES("Tx bytes", "value.tx-bytes"),
	COUNT("Tx drops", "value.tx-drops"),
	{0},
};
static const struct bh_column dev_columns[] = {
	{.title = "Device of", .path = "name"},
	COUNT("In packets", "value.ipackets"),
	BYTES("In bytes", "value.ibytes"),
	COUNT("Missed", "value.imissed"),
	COUNT("Errors", "value.ierrors"),
	COUNT("No mbuf", "value.rx_nombuf"),
	COUNT("Out packets", "value.opackets"),
	BYTES("Out bytes", "value.obytes"),
	COUNT("Errors", "value.oerrors"),
	{0},
};

static const struct bh_column punt_columns[] = {
	{.title = "To the stack because", .path = "name"},
	COUNT("Taken", "value.taken"),
	COUNT("Policed", "value.policed"),
	COUNT("Full", "value.full"),
	{0},
};
static const struct bh_column ip_columns[] = {
	{.title = "IP", .path = "name"},
	COUNT("IPv4", "value.ipv4"),
	COUNT("IPv6", "value.ipv6"),
	{0},
};
static const struct bh_column stack_columns[] = {
	{.title = "Stack", .path = "name"},
	COUNT("Count", "value"),
	{0},
};

static const struct part {
	const char *key;
	bool nonzero; /* leave out members that are 0 or hold nothing else */
	struct bh_view view;
} parts[] = {
	{"lcores", false, {.none = "no forwarding lcores", .columns = lcore_columns}},
	{"interfaces", false, {.none = "no interfaces", .columns = if_columns}},
	{"devices", false, {.none = "no devices", .columns = dev_columns}},
	{"ip", true, {.none = "no IP packet was seen", .columns = ip_columns}},
	{"punt", true, {.none = "nothing went to the stack", .columns = punt_columns}},
	{"stack", false, {.none = "no stack", .columns = stack_columns}},
	{"drops", true, {.none = "no packet was dropped", .columns = drop_columns}},
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static bool
is_zero(const json_t *value)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)value, key, v)
		if (!is_zero(v))
			return false;
	return !json_is_integer(value) || json_integer_value(value) == 0;
}

/* An object or list as a list of {"name", "value"}. */
static json_t *
members(const json_t *value, bool nonzero)
{
	json_t *list = json_array(), *v;
	const char *key;
	size_t i;

	json_array_foreach(value, i, v)
		json_array_append_new(list, json_pack("{s:O}", "value", v));
	json_object_foreach((json_t *)value, key, v) {
		if (!nonzero || !is_zero(v))
			json_array_append_new(list, json_pack("{s:s,s:O}", "name", key, "value", v));
	}
	return list;
}

/* Adds to each lcore the sum of its drops. */
static void
add_sums(json_t *lcores)
{
	json_t *lcore, *v;
	const char *key;
	size_t i;

	json_array_foreach(lcores, i, lcore) {
		json_int_t sum = 0;

		json_object_foreach(json_object_get(lcore, "drops"), key, v)
			sum += json_integer_value(v);
		json_object_set_new(lcore, "dropped", json_integer(sum));
	}
}

/* The reasons of punts are a table of their own, beside what else is told of the stack. */
static void
split_stack(json_t *counters)
{
	json_t *stack = json_object_get(counters, "stack");

	if (stack == NULL)
		return;
	json_object_set(counters, "punt", json_object_get(stack, "punt"));
	json_object_del(stack, "punt");
	json_object_set_new(stack, "connected",
		json_integer(json_is_true(json_object_get(stack, "connected"))));
}

static int
put_part(const struct part *p, const json_t *value, bool is_first)
{
	json_t *list = members(value, p->nonzero);
	struct bh_rows rows = bh_rows_of(list);
	int rc;

	if (list == NULL)
		return -ENOMEM;
	if (!is_first)
		putchar('\n');
	rc = bh_render_table(stdout, &p->view, &rows);
	json_decref(list);
	return rc;
}

static int
put_text(json_t *counters)
{
	bool is_first = true;
	int rc = 0;

	add_sums(json_object_get(counters, "lcores"));
	split_stack(counters);
	for (size_t i = 0; i < N_PARTS && rc == 0; i++) {
		const json_t *value = json_object_get(counters, parts[i].key);

		if (value == NULL)
			continue;
		rc = put_part(&parts[i], value, is_first);
		is_first = false;
	}
	return rc;
}

int
bh_show_counters(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_ifnames names;
	json_t *v;
	int rc = bh_ctl_fetch_ifnames(core, &names);

	if (rc != BH_CTL_OK)
		return rc;
	errno = ENOMEM;
	if (args->name == NULL)
		v = bh_json_counters(core->stats, &names);
	else
		v = bh_json_counters_part(core->stats, &names,
			strcmp(args->name, "drops") == 0 ? NULL : args->name);
	if (v == NULL && errno == ENOENT) {
		fprintf(stderr, "bhctl: '%s' is neither an interface nor a reason of drops, nor 'ip'\n",
			args->name);
		return BH_CTL_FAILED;
	}
	bh_ctl_output_begin();
	if (v == NULL)
		rc = -ENOMEM;
	else
		rc = args->json ? bh_render_value_json(stdout, v) : put_text(v);
	json_decref(v);
	return bh_ctl_output_end(rc);
}
