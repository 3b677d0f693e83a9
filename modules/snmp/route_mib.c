/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP-FORWARD-MIB (RFC 4292): the routes of the info base, both families. They may be a million, so
 * there is no copy: an index is a place in the core's ordered walk (BH_V_NEXT), and what is asked for
 * next was mostly read with what was asked for before: one piece of the walk is kept for a moment.
 *
 * A route whose next hop is a group has a row for each gateway, another one row: without a
 * gateway, its next hop is of type unknown and no octets. A route that waits for its next hop is
 * not in service. When a route was last changed is not known here: there is no Age.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"
#include "modules/snmp/route_index.h"

#define PIECE 64    /* routes of a walk that are read at once: less than one message of IPv6 ones */
#define FRESH 20    /* hundredths of a second that they are good for */

enum {
	R_IFINDEX = 7, R_TYPE, R_PROTO, R_NEXT_HOP_AS = 11, R_METRIC1, R_METRIC2, R_METRIC3, R_METRIC4,
	R_METRIC5, R_STATUS,
};

enum { TYPE_OTHER = 1, TYPE_REJECT, TYPE_LOCAL, TYPE_REMOTE, TYPE_BLACKHOLE };
enum { STATUS_ACTIVE = 1, STATUS_NOT_IN_SERVICE };

struct piece_route {
	struct bh_route_place prefix;
	struct bh_route v;
};

/* The row last returned, and the piece of the walk. */
struct bh_route_walk {
	const struct bh_snmp_nh *nh;   /* of the row; NULL: not known */
	const struct bh_nh_member *hop; /* NULL: without one */
	struct bh_route route;
	uint64_t core; /* the connection that the piece came by */
	uint64_t read; /* when, as now() tells */
	struct bh_route_place from;
	bool end; /* nothing of the family is behind it */
	unsigned int n;
	struct piece_route piece[PIECE];
};

/* ---- the walk ---- */

static void
take(void *arg, const struct bh_change *c)
{
	struct bh_route_walk *w = arg;
	size_t len = c->table == BH_T_ROUTE4 ? 4 : 16;
	struct piece_route *r = &w->piece[w->n];

	if (c->op != BH_OP_PUT || w->n == PIECE)
		return;
	*r = (struct piece_route){.prefix = w->from, .v = *(const struct bh_route *)c->val};
	memset(r->prefix.addr, 0, sizeof(r->prefix.addr));
	memcpy(r->prefix.addr, c->key, len);
	r->prefix.plen = ((const uint8_t *)c->key)[len];
	w->n++;
}

/* Reads the piece of the walk from that place on. */
static bool
read_piece(struct bh_snmp_model *s, const struct bh_route_place *place)
{
	struct bh_route_walk *w = s->routes;
	struct bh_route4_key k4 = {.plen = place->plen};
	struct bh_route6_key k6 = {.plen = place->plen};
	bool v4 = place->family == 4;
	int rc;

	memcpy(k4.addr, place->addr, sizeof(k4.addr));
	memcpy(k6.addr, place->addr, sizeof(k6.addr));
	w->n = 0;
	w->from = *place;
	rc = bh_next(s->h, v4 ? BH_T_ROUTE4 : BH_T_ROUTE6, v4 ? (const void *)&k4 : &k6, place->self,
		PIECE, take, w, &w->end);
	w->read = s->ops->now(s->ctx);
	if (rc == 0)
		return true;
	w->n = 0;
	w->core = 0;
	bh_log(rc == -ECONNRESET ? BH_LOG_INFO : BH_LOG_WARNING, "route-mib",
		"the core does not tell the next routes: %s", strerror(-rc));
	return false;
}

static bool
is_behind(const struct bh_route_place *prefix, const struct bh_route_place *place)
{
	int c = bh_route_compare(prefix, place);

	return c > 0 || (c == 0 && place->self);
}

/* The piece tells what the first route at that place is. */
static bool
covers(struct bh_snmp_model *s, const struct bh_route_place *place)
{
	const struct bh_route_walk *w = s->routes;
	uint64_t now = s->ops->now(s->ctx);
	int c;

	if (w->core != bh_connection(s->h)->address || now - w->read > FRESH ||
		place->family != w->from.family)
		return false;
	c = bh_route_compare(place, &w->from);
	if (c < 0 || (c == 0 && place->self && !w->from.self))
		return false;
	return w->end || (w->n > 0 && is_behind(&w->piece[w->n - 1].prefix, place));
}

/* The first route at that place of either family; NULL: none, or (s->unavailable) no core tells. */
static const struct piece_route *
first_at(struct bh_snmp_model *s, struct bh_route_place place)
{
	struct bh_route_walk *w = s->routes;

	do {
		if (s->h == NULL || bh_connection(s->h) == NULL ||
			(!covers(s, &place) && !read_piece(s, &place))) {
			s->unavailable = true;
			return NULL;
		}
		w->core = bh_connection(s->h) != NULL ? bh_connection(s->h)->address : 0;
		for (unsigned int i = 0; i < w->n; i++)
			if (is_behind(&w->piece[i].prefix, &place))
				return &w->piece[i];
	} while (bh_route_next_family(&place));
	return NULL;
}

/* ---- rows ---- */

/* The i-th row of a route; false: it has none. */
static bool
set_row(struct bh_snmp_model *s, const struct piece_route *r, unsigned int i, struct bh_index *x)
{
	struct bh_route_walk *w = s->routes;
	bool group;

	w->nh = bh_nexthops_get(&s->nexthops, r->v.nh);
	w->route = r->v;
	group = w->nh != NULL && w->nh->type == BH_NH_GROUP && w->nh->n > 0;
	if (i >= (group ? w->nh->n : 1u))
		return false;
	w->hop = group || (w->nh != NULL && w->nh->n > 0) ? &w->nh->m[i] : NULL;
	bh_route_index(&r->prefix, group ? w->hop : NULL, x);
	return true;
}

static const void *
route_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	const struct piece_route *r;
	struct bh_route_place place;
	struct bh_index at;
	int c;

	(void)t;
	if (!bh_route_seek(x, &place))
		return NULL;
	/* The first route may have no row behind x, the second has. */
	while ((r = first_at(s, place)) != NULL) {
		for (unsigned int i = 0; set_row(s, r, i, &at); i++) {
			c = bh_index_compare(&at, x);
			if (next ? c > 0 : c == 0) {
				*x = at;
				return s->routes;
			}
		}
		if (!next)
			return NULL;
		place = r->prefix;
		place.self = false;
	}
	return NULL;
}

/* ---- values ---- */

static int
type_of(const struct bh_snmp_nh *nh)
{
	switch (nh == NULL ? 0 : nh->type) {
	case BH_NH_GROUP:
		return TYPE_REMOTE;
	case BH_NH_ATTACHED:
	case BH_NH_LOCAL:
		return TYPE_LOCAL;
	case BH_NH_BLACKHOLE:
		return TYPE_BLACKHOLE;
	case BH_NH_UNREACHABLE:
	case BH_NH_PROHIBIT:
		return TYPE_REJECT;
	default:
		return TYPE_OTHER;
	}
}

/* IANAipRouteProtocol of what FRR calls its daemons in rtm_protocol. */
static int
proto_of_daemon(uint8_t rtm)
{
	switch (rtm) {
	case 4:
	case 196:
		return 3; /* netmgmt: static */
	case 186:
		return 14; /* bgp */
	case 187:
		return 9; /* isIs */
	case 188:
		return 13; /* ospf */
	case 189:
	case 190:
		return 8; /* rip */
	case 192:
		return 16; /* ciscoEigrp */
	default:
		return 1; /* other */
	}
}

int
bh_route_proto(uint8_t proto, uint8_t sub)
{
	switch (proto) {
	case BH_RP_CONNECTED:
	case BH_RP_LOCAL:
		return 2; /* local */
	case BH_RP_STATIC:
		return 3; /* netmgmt */
	case BH_RP_FPM:
		return proto_of_daemon(sub);
	default:
		return 1;
	}
}

static bool
route_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_route_walk *w = row;
	const struct bh_route *r = &w->route;

	(void)s;
	(void)x;
	switch (column) {
	case R_IFINDEX:
		return bh_value_integer(v, w->hop == NULL ? 0 : (int32_t)w->hop->ifindex);
	case R_TYPE:
		return bh_value_integer(v, type_of(w->nh));
	case R_PROTO:
		return bh_value_integer(v, bh_route_proto(r->proto, r->sub));
	case R_NEXT_HOP_AS:
		return bh_value_unsigned(v, 0);
	case R_METRIC1:
		return bh_value_integer(v, r->metric > INT32_MAX ? INT32_MAX : (int32_t)r->metric);
	case R_STATUS:
		return bh_value_integer(v, r->flags & BH_ROUTE_UNRESOLVED ? STATUS_NOT_IN_SERVICE
									     : STATUS_ACTIVE);
	default: /* the other metrics are not used */
		return bh_value_integer(v, -1);
	}
}

/* Routes: one with several gateways is one here. */
static bool
route_number(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return s->stats != NULL &&
		bh_value_unsigned(v, bh_read(&s->stats->table[BH_T_ROUTE4].records) +
			bh_read(&s->stats->table[BH_T_ROUTE6].records));
}

static int
route_init(struct bh_snmp_model *s)
{
	s->routes = calloc(1, sizeof(*s->routes));
	return s->routes == NULL ? -ENOMEM : 0;
}

static void
route_fini(struct bh_snmp_model *s)
{
	free(s->routes);
	s->routes = NULL;
}

static const struct bh_mib_table tables[] = {
	{.name = "inetCidrRouteNumber", BH_ROOT(BH_MIB_2, 4, 24, 6), .value = route_number},
	{
		.name = "inetCidrRouteTable",
		BH_ROOT(BH_MIB_2, 4, 24, 7),
		.columns = BH_COLUMNS(R_IFINDEX, R_TYPE, R_PROTO, R_NEXT_HOP_AS, R_METRIC1, R_METRIC2,
			R_METRIC3, R_METRIC4, R_METRIC5, R_STATUS),
		.row = route_row,
		.value = route_value,
	},
};

const struct bh_snmp_mib bh_ip_forward_mib = {
	.name = "ip-forward-mib",
	.bit = BH_SNMP_IP_FORWARD,
	.tables = tables,
	.n_tables = sizeof(tables) / sizeof(tables[0]),
	.init = route_init,
	.fini = route_fini,
};
