/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP-MIB (RFC 4293), ipNetToPhysicalTable: the neighbors that the stack has found and those of the
 * configuration, which hide the former. When a neighbor was last updated is not known here.
 */
#include <string.h>

#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

enum { N_PHYS_ADDRESS = 4, N_TYPE = 6, N_STATE, N_ROW_STATUS };
enum { TYPE_DYNAMIC = 3, TYPE_STATIC, ROW_ACTIVE = 1 };
enum { STATE_REACHABLE = 1, STATE_STALE, STATE_DELAY, STATE_PROBE, STATE_UNKNOWN = 6,
	STATE_INCOMPLETE };

/* The row last returned. */
static struct neighbor_row {
	const struct bh_cfg_neighbor *configured; /* NULL: found */
	const struct bh_neighbor *found;
} the_row;

/* Index of the configured neighbors of an interface, behind its name what is behind its ifIndex. */
static struct bh_index
by_name(const void *interface_row, const struct bh_mirror *m, const struct bh_index *x)
{
	const struct bh_interface *i = bh_mirror_val(m, interface_row);
	struct bh_index y = {0};

	bh_index_octets(&y, i->name, strnlen(i->name, sizeof(i->name)), true);
	for (uint32_t k = 1; x != NULL && k < x->n; k++)
		bh_index_add(&y, x->id[k]);
	return y;
}

static const void *
configured_exact(struct bh_snmp_model *s, const struct bh_index *x)
{
	const struct bh_mirror *m = &s->mirror[BH_MIRROR_INTERFACE];
	struct bh_index first = {1, {x->n > 0 ? x->id[0] : 0}}, y;
	const void *interface = bh_rows_find(&m->rows, &first);

	if (interface == NULL)
		return NULL;
	y = by_name(interface, m, x);
	return bh_rows_find(&s->mirror[BH_MIRROR_CFG_NEIGHBOR].rows, &y);
}

/* The first configured neighbor of that interface behind `from`; *at: its index by ifIndex. */
static const void *
configured_of(struct bh_snmp_model *s, const void *interface, uint32_t ifindex,
	const struct bh_index *from, struct bh_index *at)
{
	const struct bh_mirror *m = &s->mirror[BH_MIRROR_INTERFACE];
	struct bh_index name = by_name(interface, m, NULL), y = by_name(interface, m, from);
	const void *row = bh_rows_next(&s->mirror[BH_MIRROR_CFG_NEIGHBOR].rows, &y, &y);

	if (row == NULL || y.n < name.n || memcmp(y.id, name.id, name.n * sizeof(y.id[0])) != 0)
		return NULL;
	*at = (struct bh_index){1, {ifindex}};
	for (uint32_t k = name.n; k < y.n; k++)
		bh_index_add(at, y.id[k]);
	return row;
}

/* The first configured neighbor behind x. */
static const void *
configured_next(struct bh_snmp_model *s, const struct bh_index *x, struct bh_index *at)
{
	const struct bh_rows *interfaces = &s->mirror[BH_MIRROR_INTERFACE].rows;
	struct bh_index i = {x->n > 0, {x->n > 0 ? x->id[0] : 0}};
	const void *interface = x->n > 0 ? bh_rows_find(interfaces, &i) : NULL, *row = NULL;

	if (interface != NULL)
		row = configured_of(s, interface, i.id[0], x, at);
	while (row == NULL && (interface = bh_rows_next(interfaces, &i, &i)) != NULL)
		row = configured_of(s, interface, i.id[0], NULL, at);
	return row;
}

static const void *
neighbor_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	const struct bh_mirror *found = &s->mirror[BH_MIRROR_NEIGHBOR],
		*cfg = &s->mirror[BH_MIRROR_CFG_NEIGHBOR];
	struct bh_index cfg_at, found_at;
	const void *c, *f;

	(void)t;
	c = next ? configured_next(s, x, &cfg_at) : configured_exact(s, x);
	f = next ? bh_rows_next(&found->rows, x, &found_at) : bh_rows_find(&found->rows, x);
	if (c == NULL && f == NULL)
		return NULL;
	if (next && c != NULL && f != NULL && bh_index_compare(&found_at, &cfg_at) < 0)
		c = NULL;
	the_row.configured = c == NULL ? NULL : bh_mirror_val(cfg, c);
	the_row.found = c != NULL ? NULL : bh_mirror_val(found, f);
	if (next)
		*x = c != NULL ? cfg_at : found_at;
	return &the_row;
}

static int
state_of(uint8_t nud)
{
	switch (nud) {
	case BH_NUD_INCOMPLETE:
		return STATE_INCOMPLETE;
	case BH_NUD_REACHABLE:
		return STATE_REACHABLE;
	case BH_NUD_STALE:
		return STATE_STALE;
	case BH_NUD_DELAY:
		return STATE_DELAY;
	case BH_NUD_PROBE:
		return STATE_PROBE;
	default:
		return STATE_UNKNOWN;
	}
}

static bool
neighbor_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct neighbor_row *r = row;
	bool is_static = r->configured != NULL;

	(void)s;
	(void)x;
	switch (column) {
	case N_PHYS_ADDRESS:
		if (is_static)
			return bh_value_octets(v, r->configured->mac, sizeof(r->configured->mac));
		return bh_value_octets(v, r->found->mac,
			r->found->state == BH_NUD_INCOMPLETE ? 0 : sizeof(r->found->mac));
	case N_TYPE:
		return bh_value_integer(v, is_static ? TYPE_STATIC : TYPE_DYNAMIC);
	case N_STATE:
		return bh_value_integer(v, is_static ? STATE_REACHABLE : state_of(r->found->state));
	default:
		return bh_value_integer(v, ROW_ACTIVE);
	}
}

static const struct bh_mib_table tables[] = {
	{
		.name = "ipNetToPhysicalTable",
		BH_ROOT(BH_MIB_2, 4, 35),
		.columns = BH_COLUMNS(N_PHYS_ADDRESS, N_TYPE, N_STATE, N_ROW_STATUS),
		.row = neighbor_row,
		.value = neighbor_value,
	},
};

const struct bh_snmp_mib bh_ip_neighbor_mib = {
	.name = "ip-mib",
	.bit = BH_SNMP_IP,
	.tables = tables,
	.n_tables = sizeof(tables) / sizeof(tables[0]),
};
