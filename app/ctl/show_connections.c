/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/names.h"
#include "app/ctl/show.h"

static void
cell_first(const json_t *row, char *buf, size_t len)
{
	const json_t *lcore = json_object_get(row, "proxy-lcore");

	snprintf(buf, len, "%s by %lld", json_string_value(json_object_get(row, "first-request")),
		(long long)json_integer_value(lcore));
	if (json_is_null(lcore))
		snprintf(buf, len, "-");
}

static const struct bh_column columns[] = {
	{.title = "Client", .path = "client"},
	{.title = "Role", .path = "role"},
	{.title = "PID", .path = "pid", .flags = BH_COL_RIGHT},
	{.title = "Zone", .path = "zone"},
	{.title = "Address", .path = "address"},
	{.title = "First", .path = "", .cell = cell_first},
	{.title = "State", .path = "state"},
	{.title = "Proxied", .path = "proxied", .flags = BH_COL_RIGHT},
	{.title = "Direct", .path = "direct", .flags = BH_COL_RIGHT},
	{.title = "Events", .path = "events", .flags = BH_COL_RIGHT},
	{.title = "Bad", .path = "bad", .flags = BH_COL_RIGHT},
	{.title = "Since", .path = "since", .flags = BH_COL_RIGHT, .cell = bh_cell_since},
	{0},
};

const struct bh_view bh_view_connections = {
	.list = "connections",
	.none = "no connections",
	.columns = columns,
};

static json_t *
row(const struct bh_stats_conn *c)
{
	return json_pack("{s:o,s:s,s:I,s:I,s:s,s:s,s:o,s:o,s:I,s:I,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,"
			 "s:I,s:I}",
		"client", bh_ctl_json_text(c->client, sizeof(c->client)),
		"role", bh_role_name(c->role),
		"pid", (json_int_t)c->pid,
		"uid", (json_int_t)c->uid,
		"service", bh_ctl_service_name(c->service),
		"state", bh_ctl_conn_state_name(c->state),
		"zone", bh_ctl_json_text(c->zone, sizeof(c->zone)),
		"address", json_sprintf("0x%llx", (unsigned long long)c->address),
		"generation", (json_int_t)c->generation,
		"channel", (json_int_t)c->channel,
		"proxy-lcore", c->proxied == 0 ? json_null() : json_integer(c->proxy),
		"first-request", c->proxied == 0 ? json_null() : json_string("proxied"),
		"proxied", (json_int_t)c->proxied,
		"direct", (json_int_t)c->direct,
		"replies", (json_int_t)c->replies,
		"events", (json_int_t)c->events,
		"rung", (json_int_t)c->rung,
		"bad", (json_int_t)c->bad,
		"epoch", (json_int_t)c->epoch,
		"since", (json_int_t)c->since);
}

json_t *
bh_json_connections(const struct bh_stats *st)
{
	json_t *list = json_array();
	struct bh_stats_conn c;

	for (unsigned int i = 0; i < BH_STATS_CONNS; i++)
		if (bh_stats_copy(&st->conn[i], &c, sizeof(c)) == 0 &&
			(c.state == BH_CONN_CONTACT || c.state == BH_CONN_DIRECT))
			json_array_append_new(list, row(&c));
	return list;
}

int
bh_show_connections(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	return bh_ctl_print_array(args, &bh_view_connections, bh_json_connections(core->stats));
}
