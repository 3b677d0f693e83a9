/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes joined with their next hops. Lists are long: the records stay packed and a row is
 * made when it is printed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static void
cell_state(const json_t *row, char *buf, size_t len)
{
	snprintf(buf, len, "%s%s", json_is_true(json_object_get(row, "active")) ? "active"
										: "unresolved",
		json_is_true(json_object_get(row, "stale")) ? ", stale" : "");
}

static void
cell_metric(const json_t *row, char *buf, size_t len)
{
	snprintf(buf, len, "%lld/%lld",
		(long long)json_integer_value(json_object_get(row, "preference")),
		(long long)json_integer_value(json_object_get(row, "metric")));
}

static const struct bh_column columns[] = {
	{.title = "Prefix", .path = "prefix"},
	{.title = "Protocol", .path = "protocol"},
	{.title = "Pref/Met", .path = "", .cell = cell_metric},
	{.title = "Type", .path = "type"},
	{.title = "Next hop", .path = "address", .flags = BH_COL_SUB},
	{.title = "Interface", .path = "interface", .flags = BH_COL_SUB},
	{.title = "Weight", .path = "weight", .flags = BH_COL_SUB | BH_COL_RIGHT},
	{.title = "State", .path = "", .cell = cell_state},
	{0},
};

const struct bh_view bh_view_routes = {
	.list = "routes",
	.none = "no routes",
	.expand = "next-hops",
	.columns = columns,
};

void
bh_routes_init(struct bh_routes_data *d)
{
	bh_recs_init(&d->route4, sizeof(struct bh_route4_key), sizeof(struct bh_route));
	bh_recs_init(&d->route6, sizeof(struct bh_route6_key), sizeof(struct bh_route));
	bh_nexthops_init(&d->nexthops);
}

void
bh_routes_free(struct bh_routes_data *d)
{
	bh_recs_free(&d->route4);
	bh_recs_free(&d->route6);
	bh_nexthops_free(&d->nexthops);
}

/* Key of either table as a prefix. */
static struct bh_prefix
prefix_of(uint8_t family, const void *key)
{
	const struct bh_route4_key *k4 = key;
	const struct bh_route6_key *k6 = key;
	struct bh_prefix p = {.family = family};

	if (family == BH_IP4)
		memcpy(p.addr, k4->addr, sizeof(k4->addr));
	else
		memcpy(p.addr, k6->addr, sizeof(k6->addr));
	p.plen = family == BH_IP4 ? k4->plen : k6->plen;
	return p;
}

/* Removes the records that are not inside the prefix. */
static void
keep_inside(struct bh_recs *r, uint8_t family, const struct bh_prefix *inside)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct bh_prefix p = prefix_of(family, bh_recs_key(r, i));

		if (family != inside->family || !bh_prefix_covers(inside, &p))
			continue;
		if (kept != i)
			memcpy(r->mem + kept * r->stride, r->mem + i * r->stride, r->stride);
		kept++;
	}
	r->n = kept;
}

void
bh_routes_prepare(struct bh_routes_data *d, const struct bh_prefix *inside)
{
	if (inside != NULL) {
		keep_inside(&d->route4, BH_IP4, inside);
		keep_inside(&d->route6, BH_IP6, inside);
	}
	bh_recs_sort(&d->route4, NULL);
	bh_recs_sort(&d->route6, NULL);
	bh_nexthops_prepare(&d->nexthops);
}

static json_t *
row(void *ctx, size_t i)
{
	const struct bh_routes_data *d = ctx;
	uint8_t family = i < d->route4.n ? BH_IP4 : BH_IP6;
	const struct bh_recs *r = family == BH_IP4 ? &d->route4 : &d->route6;
	size_t at = family == BH_IP4 ? i : i - d->route4.n;
	struct bh_prefix p = prefix_of(family, bh_recs_key(r, at));
	const struct bh_route *v = bh_recs_val(r, at);
	const struct bh_nexthop_key *nh = bh_nexthop_find(&d->nexthops, v->nh);

	return json_pack("{s:o,s:s,s:s,s:i,s:I,s:I,s:b,s:b,s:s,s:o}",
		"prefix", bh_ctl_json_prefix(family, p.addr, p.plen),
		"protocol", bh_ctl_route_proto_name(v->proto, v->sub),
		"source", bh_ctl_proto_name(v->proto),
		"preference", (int)v->preference,
		"metric", (json_int_t)v->metric,
		"next-hop-id", (json_int_t)v->nh,
		"active", (v->flags & BH_ROUTE_UNRESOLVED) == 0,
		"stale", (int)bh_recs_is_stale(r, at),
		"type", nh == NULL ? "unknown" : bh_ctl_nh_type_name(nh->type),
		"next-hops", nh == NULL ? json_array() : bh_json_members(&d->nexthops, nh));
}

struct bh_rows
bh_routes_rows(struct bh_routes_data *d)
{
	return (struct bh_rows){.n = d->route4.n + d->route6.n, .row = row, .ctx = d};
}

/* One route: that of a prefix, or the one that an address takes. */
static int
fetch_one(struct bh_ctl_core *core, const struct bh_ctl_args *args, struct bh_routes_data *d)
{
	const struct bh_prefix *p = &args->prefix;
	uint8_t verb = args->lookup ? BH_V_LOOKUP : BH_V_GET;
	struct bh_route4_key k4 = {.plen = p->plen};
	struct bh_route6_key k6 = {.plen = p->plen};

	memcpy(k4.addr, p->addr, sizeof(k4.addr));
	memcpy(k6.addr, p->addr, sizeof(k6.addr));
	if (p->family == BH_IP4)
		return bh_ctl_one(core, verb, BH_T_ROUTE4, &k4, &d->route4);
	return bh_ctl_one(core, verb, BH_T_ROUTE6, &k6, &d->route6);
}

static int
fetch_all(struct bh_ctl_core *core, uint8_t family, struct bh_routes_data *d)
{
	int rc = BH_CTL_OK;

	if (family != BH_IP6)
		rc = bh_ctl_dump(core, BH_T_ROUTE4, &d->route4);
	if (rc == BH_CTL_OK && family != BH_IP4)
		rc = bh_ctl_dump(core, BH_T_ROUTE6, &d->route6);
	return rc;
}

static int
fetch(struct bh_ctl_core *core, const struct bh_ctl_args *args, struct bh_routes_data *d)
{
	uint8_t family = args->have_prefix ? args->prefix.family : args->family;
	int rc;

	if (args->lookup || (args->have_prefix && !args->longer))
		rc = fetch_one(core, args, d);
	else
		rc = fetch_all(core, family, d);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_NEXTHOP, &d->nexthops.recs);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_fetch_ifnames(core, &d->nexthops.names);
	return rc;
}

static int
no_route(const struct bh_ctl_args *args)
{
	char text[BH_PREFIX_STRLEN];

	if (args->lookup)
		bh_addr_format(args->prefix.family, args->prefix.addr, text, sizeof(text));
	else
		bh_prefix_format(&args->prefix, text, sizeof(text));
	fprintf(stderr, "bhctl: no route %s %s%s\n",
		args->lookup ? "to" : args->longer ? "inside" : "for", text,
		!args->lookup && args->prefix.plen == bh_addr_bits(args->prefix.family) ?
			" alone: see `bhctl show routes lookup ADDRESS`" : "");
	return BH_CTL_FAILED;
}

int
bh_show_routes(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_routes_data *d = malloc(sizeof(*d));
	struct bh_rows rows;
	int rc;

	if (d == NULL)
		return bh_ctl_output_end(-ENOMEM);
	bh_routes_init(d);
	rc = fetch(core, args, d);
	bh_routes_prepare(d, args->longer ? &args->prefix : NULL);
	rows = bh_routes_rows(d);
	if (rc == BH_CTL_OK && rows.n == 0 && (args->lookup || args->have_prefix))
		rc = no_route(args);
	else if (rc == BH_CTL_OK)
		rc = bh_ctl_print(args, &bh_view_routes, &rows);
	bh_routes_free(d);
	free(d);
	return rc;
}
