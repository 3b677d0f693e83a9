/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Interface", .path = "name"},
	{.title = "Index", .path = "ifindex", .flags = BH_COL_RIGHT},
	{.title = "Enabled", .path = "enabled"},
	{.title = "State", .path = "oper-status"},
	{.title = "MAC address", .path = "mac"},
	{.title = "MTU", .path = "mtu", .flags = BH_COL_RIGHT},
	{.title = "Rx packets", .path = "statistics.rx-packets", .flags = BH_COL_RIGHT},
	{.title = "Tx packets", .path = "statistics.tx-packets", .flags = BH_COL_RIGHT},
	{.title = "Drops", .path = "statistics.rx-drops", .flags = BH_COL_RIGHT},
	{.title = "Addresses", .path = "", .flags = BH_COL_SUB},
	{0},
};

const struct bh_view bh_view_interfaces = {
	.list = "interfaces",
	.none = "no interfaces",
	.expand = "addresses",
	.columns = columns,
};

void
bh_interfaces_init(struct bh_interfaces_data *d)
{
	memset(d, 0, sizeof(*d));
	bh_recs_init(&d->interface, sizeof(struct bh_ifindex_key), sizeof(struct bh_interface));
	bh_recs_init(&d->cfg_address, sizeof(struct bh_cfg_address_key),
		sizeof(struct bh_cfg_address));
	bh_recs_init(&d->address, sizeof(struct bh_if_addr_key), sizeof(struct bh_address));
}

void
bh_interfaces_free(struct bh_interfaces_data *d)
{
	bh_recs_free(&d->interface);
	bh_recs_free(&d->cfg_address);
	bh_recs_free(&d->address);
}

static int
by_ifindex(const void *key_a, const void *key_b)
{
	const struct bh_ifindex_key *a = key_a, *b = key_b;

	return (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

void
bh_interfaces_prepare(struct bh_interfaces_data *d)
{
	bh_recs_sort(&d->interface, by_ifindex);
	bh_recs_sort(&d->cfg_address, NULL);
	bh_recs_sort(&d->address, NULL);
	bh_ifnames_set(&d->names, &d->interface);
}

struct bh_stats_if
bh_if_total(const struct bh_stats *st, uint32_t ifindex)
{
	struct bh_stats_if sum = {0};

	for (uint32_t f = 0; f < st->n_fwd && f < BH_STATS_FWD && ifindex < BH_IF_MAX; f++) {
		const struct bh_stats_if *s = &st->fwd[f].ifs[ifindex];

		sum.rx_packets += bh_read(&s->rx_packets);
		sum.rx_bytes += bh_read(&s->rx_bytes);
		sum.rx_drops += bh_read(&s->rx_drops);
		sum.tx_packets += bh_read(&s->tx_packets);
		sum.tx_bytes += bh_read(&s->tx_bytes);
		sum.tx_drops += bh_read(&s->tx_drops);
	}
	return sum;
}

json_t *
bh_json_if_counters(const struct bh_stats_if *s)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}",
		"rx-packets", (json_int_t)s->rx_packets, "rx-bytes", (json_int_t)s->rx_bytes,
		"rx-drops", (json_int_t)s->rx_drops, "tx-packets", (json_int_t)s->tx_packets,
		"tx-bytes", (json_int_t)s->tx_bytes, "tx-drops", (json_int_t)s->tx_drops);
}

static json_t *
json_flags(const struct bh_interface *v, uint32_t flag4, uint32_t flag6)
{
	return json_pack("{s:b,s:b}", "ipv4", (v->flags & flag4) != 0, "ipv6",
		(v->flags & flag6) != 0);
}

json_t *
bh_json_interface(const struct bh_interfaces_data *d, size_t i, const struct bh_stats *st)
{
	const struct bh_ifindex_key *key = bh_recs_key(&d->interface, i);
	const struct bh_interface *v = bh_recs_val(&d->interface, i);
	struct bh_stats_if sum = bh_if_total(st, key->ifindex);

	return json_pack("{s:o,s:i,s:b,s:s,s:o,s:i,s:i,s:i,s:I,s:o,s:o,s:i,s:i,s:o,s:o,s:o,s:I,s:o,"
			 "s:o}",
		"name", bh_ctl_json_text(v->name, sizeof(v->name)),
		"ifindex", (int)key->ifindex,
		"enabled", (v->flags & BH_IF_ENABLED) != 0,
		"oper-status", bh_ctl_oper_name(v->oper),
		"mac", bh_ctl_json_mac(v->mac),
		"mtu", (int)v->mtu,
		"ipv4-mtu", (int)(v->mtu4 != 0 ? v->mtu4 : v->mtu),
		"ipv6-mtu", (int)(v->mtu6 != 0 ? v->mtu6 : v->mtu),
		"speed", (json_int_t)v->speed,
		"device", bh_ctl_json_text(v->device, sizeof(v->device)),
		"port", v->port == UINT16_MAX ? json_null() : json_integer(v->port),
		"rx-queues", (int)v->rx_queues,
		"tx-queues", (int)v->tx_queues,
		"enabled-families", json_flags(v, BH_IF_IPV4, BH_IF_IPV6),
		"forwarding", json_flags(v, BH_IF_FORWARD4, BH_IF_FORWARD6),
		"addresses", bh_json_addresses_of(d, key->ifindex),
		"last-change", (json_int_t)v->last_change,
		"error", bh_ctl_json_text(v->error, sizeof(v->error)),
		"statistics", bh_json_if_counters(&sum));
}

static int
fetch(struct bh_ctl_core *core, struct bh_interfaces_data *d)
{
	int rc = bh_ctl_dump(core, BH_T_INTERFACE, &d->interface);

	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_CFG_ADDRESS, &d->cfg_address);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_ADDRESS, &d->address);
	bh_interfaces_prepare(d);
	return rc;
}

struct show {
	struct bh_interfaces_data data;
	const struct bh_stats *stats;
	size_t first; /* of those that are shown */
};

static json_t *
row(void *ctx, size_t i)
{
	struct show *s = ctx;

	return bh_json_interface(&s->data, s->first + i, s->stats);
}

/* One interface, all of it. */
static int
show_one(struct show *s, const struct bh_ctl_args *args)
{
	struct bh_rows rows = {.n = 1, .row = row, .ctx = s};
	json_t *v;

	while (s->first < s->data.interface.n) {
		const struct bh_interface *val = bh_recs_val(&s->data.interface, s->first);

		if (strncmp(val->name, args->name, sizeof(val->name)) == 0)
			break;
		s->first++;
	}
	if (s->first == s->data.interface.n) {
		fprintf(stderr, "bhctl: no interface '%s'\n", args->name);
		return BH_CTL_FAILED;
	}
	if (args->json)
		return bh_ctl_print(args, &bh_view_interfaces, &rows);
	v = row(s, 0);
	if (v == NULL)
		return bh_ctl_output_end(-ENOMEM);
	bh_ctl_output_begin();
	bh_render_value(stdout, v);
	json_decref(v);
	return bh_ctl_output_end(0);
}

/* Below the table: why interfaces are not there. */
static int
put_errors(struct show *s)
{
	char name[BH_NAME_LEN + 1], text[BH_CELL_MAX];
	json_t *v;

	bh_ctl_output_begin();
	for (size_t i = 0; i < s->data.interface.n; i++) {
		v = row(s, i);
		if (v == NULL)
			return bh_ctl_output_end(-ENOMEM);
		bh_json_text(json_object_get(v, "name"), name, sizeof(name));
		bh_json_text(json_object_get(v, "error"), text, sizeof(text));
		if (strcmp(text, "-") != 0)
			printf("%s: %s\n", name, text);
		json_decref(v);
	}
	return bh_ctl_output_end(0);
}

int
bh_show_interfaces(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct show s = {.stats = core->stats};
	struct bh_rows rows = {.row = row, .ctx = &s};
	int rc;

	bh_interfaces_init(&s.data);
	rc = fetch(core, &s.data);
	rows.n = s.data.interface.n;
	if (rc == BH_CTL_OK)
		rc = args->name != NULL ? show_one(&s, args)
					: bh_ctl_print(args, &bh_view_interfaces, &rows);
	if (rc == BH_CTL_OK && args->name == NULL && !args->json)
		rc = put_errors(&s);
	bh_interfaces_free(&s.data);
	return rc;
}

int
bh_show_addresses(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_interfaces_data d;
	int rc;

	bh_interfaces_init(&d);
	rc = fetch(core, &d);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_print_array(args, &bh_view_addresses, bh_json_addresses(&d));
	bh_interfaces_free(&d);
	return rc;
}
