/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP-MIB (RFC 4293): interfaces, addresses and router advertisements of both versions; counters and
 * neighbors are in files of their own. What only the kernel of the machine knows is left to the
 * master agent: default TTLs, reassembly, and ICMP.
 */
#include <string.h>

#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

enum { IF4_ENABLE_STATUS = 3 };
enum { IF6_IDENTIFIER = 3, IF6_ENABLE_STATUS = 5, IF6_FORWARDING = 8 };
enum { A_IFINDEX = 3, A_TYPE, A_PREFIX, A_ORIGIN, A_STATUS, A_ROW_STATUS = 10 };
enum { RA_SEND = 2, RA_MAX_INTERVAL, RA_MIN_INTERVAL, RA_MANAGED, RA_OTHER, RA_MTU, RA_REACHABLE,
	RA_RETRANS, RA_HOP_LIMIT, RA_LIFETIME, RA_ROW_STATUS };
enum { UP_OR_FORWARDING = 1, DOWN_OR_NOT };
enum { UNICAST = 1, ORIGIN_MANUAL, ORIGIN_LINKLAYER = 5, ROW_ACTIVE = 1 };
enum { STATUS_PREFERRED = 1, STATUS_UNKNOWN = 5, STATUS_TENTATIVE, STATUS_DUPLICATE };

/* ---- scalars ---- */

/* A router forwards if one of its interfaces does. */
static int
forwarding(const struct bh_snmp_model *s, uint32_t flag)
{
	const struct bh_mirror *m = &s->mirror[BH_MIRROR_INTERFACE];
	struct bh_index at;
	const void *row;

	for (row = bh_rows_next(&m->rows, NULL, &at); row != NULL;
		row = bh_rows_next(&m->rows, &at, &at)) {
		const struct bh_interface *i = bh_mirror_val(m, row);

		if (i->flags & flag)
			return UP_OR_FORWARDING;
	}
	return DOWN_OR_NOT;
}

static bool
forwarding4(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return bh_value_integer(v, forwarding(s, BH_IF_FORWARD4));
}

static bool
forwarding6(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return bh_value_integer(v, forwarding(s, BH_IF_FORWARD6));
}

static bool
interfaces_change(struct bh_snmp_model *s, const void *row, const struct bh_index *x,
	uint32_t column, struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return bh_value_ticks(v, bh_snmp_ticks_at(s, s->if_table_change));
}

/* ---- interfaces ---- */

static int
flag_of(struct bh_snmp_model *s, const void *row, uint32_t flag)
{
	const struct bh_interface *i = bh_mirror_val(&s->mirror[BH_MIRROR_INTERFACE], row);

	return i->flags & flag ? UP_OR_FORWARDING : DOWN_OR_NOT;
}

static bool
interface4_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)x;
	(void)column;
	return bh_value_integer(v, flag_of(s, row, BH_IF_IPV4));
}

/* The interface identifier: of the link-local address, while there is one. */
static bool
identifier(struct bh_snmp_model *s, uint32_t ifindex, struct bh_value *v)
{
	const struct bh_mirror *m = &s->mirror[BH_MIRROR_ADDRESS];
	struct bh_index at = {1, {4}}; /* ipv6z(4): link-local ones with their zone */
	const void *row;

	for (row = bh_rows_next(&m->rows, &at, &at); row != NULL;
		row = bh_rows_next(&m->rows, &at, &at)) {
		const struct bh_if_addr_key *k = bh_mirror_key(row);

		if (k->family == 6 && k->ifindex == ifindex)
			return bh_value_octets(v, k->addr + 8, 8);
	}
	return false;
}

static bool
interface6_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	if (column == IF6_IDENTIFIER)
		return identifier(s, x->id[0], v);
	return bh_value_integer(
		v, flag_of(s, row, column == IF6_FORWARDING ? BH_IF_FORWARD6 : BH_IF_IPV6));
}

/* ---- addresses ---- */

static int
address_status(uint8_t state)
{
	switch (state) {
	case BH_ADDR_TENTATIVE:
		return STATUS_TENTATIVE;
	case BH_ADDR_PREFERRED:
		return STATUS_PREFERRED;
	case BH_ADDR_DUPLICATE:
		return STATUS_DUPLICATE;
	default:
		return STATUS_UNKNOWN;
	}
}

/* manual(2) if the configuration has it; else the stack made it of the link's address. */
static int
address_origin(struct bh_snmp_model *s, const struct bh_if_addr_key *k)
{
	const struct bh_interface *i = bh_snmp_interface(s, k->ifindex);
	struct bh_cfg_address_key key = {.family = k->family};

	if (i != NULL)
		memcpy(key.name, i->name, sizeof(key.name));
	memcpy(key.addr, k->addr, sizeof(key.addr));
	return bh_mirror_get(&s->mirror[BH_MIRROR_CFG_ADDRESS], &key) != NULL ? ORIGIN_MANUAL
									      : ORIGIN_LINKLAYER;
}

static bool
address_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_address *a = bh_mirror_val(&s->mirror[BH_MIRROR_ADDRESS], row);
	const struct bh_if_addr_key *k = bh_mirror_key(row);

	(void)x;
	switch (column) {
	case A_IFINDEX:
		return bh_value_integer(v, (int32_t)k->ifindex);
	case A_TYPE:
		return bh_value_integer(v, UNICAST);
	case A_PREFIX: /* there is no ipAddressPrefixTable to point into */
		v->type = BH_VALUE_OID;
		v->oid = (struct bh_oid){2, {0, 0}};
		return true;
	case A_ORIGIN:
		return bh_value_integer(v, address_origin(s, k));
	case A_STATUS:
		return bh_value_integer(v, address_status(a->state));
	default:
		return bh_value_integer(v, ROW_ACTIVE);
	}
}

/* ---- router advertisements ---- */

static const void *
ra_of(struct bh_snmp_model *s, const void *interface_row)
{
	const struct bh_interface *i =
		bh_mirror_val(&s->mirror[BH_MIRROR_INTERFACE], interface_row);
	struct bh_ifname_key key = {0};

	memcpy(key.name, i->name, sizeof(key.name));
	return bh_mirror_get(&s->mirror[BH_MIRROR_CFG_RA], &key);
}

static const void *
ra_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	const struct bh_rows *interfaces = &s->mirror[BH_MIRROR_INTERFACE].rows;
	const void *row, *ra = NULL;

	(void)t;
	if (!next) {
		row = bh_rows_find(interfaces, x);
		return row == NULL ? NULL : ra_of(s, row);
	}
	while (ra == NULL && (row = bh_rows_next(interfaces, x, x)) != NULL)
		ra = ra_of(s, row);
	return ra;
}

static bool
ra_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_cfg_ra *ra = row;

	(void)s;
	(void)x;
	switch (column) {
	case RA_SEND:
		return bh_value_truth(v, ra->flags & BH_RA_SEND);
	case RA_MAX_INTERVAL:
		return bh_value_unsigned(v, ra->max_interval);
	case RA_MIN_INTERVAL:
		return bh_value_unsigned(v, ra->min_interval);
	case RA_MANAGED:
		return bh_value_truth(v, ra->flags & BH_RA_MANAGED);
	case RA_OTHER:
		return bh_value_truth(v, ra->flags & BH_RA_OTHER);
	case RA_MTU:
		return bh_value_unsigned(v, ra->mtu);
	case RA_REACHABLE:
		return bh_value_unsigned(v, ra->reachable);
	case RA_RETRANS:
		return bh_value_unsigned(v, ra->retrans);
	case RA_HOP_LIMIT:
		return bh_value_unsigned(v, ra->hop_limit);
	case RA_LIFETIME:
		return bh_value_unsigned(v, ra->lifetime);
	default:
		return bh_value_integer(v, ROW_ACTIVE);
	}
}

/* ---- the MIB ---- */

static const struct bh_mib_table tables[] = {
	{.name = "ipForwarding", BH_ROOT(BH_MIB_2, 4, 1), .value = forwarding4},
	{.name = "ipv6IpForwarding", BH_ROOT(BH_MIB_2, 4, 25), .value = forwarding6},
	{.name = "ipv4InterfaceTableLastChange", BH_ROOT(BH_MIB_2, 4, 27), .value = interfaces_change},
	{
		.name = "ipv4InterfaceTable",
		BH_ROOT(BH_MIB_2, 4, 28),
		.columns = BH_COLUMNS(IF4_ENABLE_STATUS),
		.mirror = BH_MIRROR_INTERFACE,
		.row = bh_mib_mirror_row,
		.value = interface4_value,
	},
	{.name = "ipv6InterfaceTableLastChange", BH_ROOT(BH_MIB_2, 4, 29), .value = interfaces_change},
	{
		.name = "ipv6InterfaceTable",
		BH_ROOT(BH_MIB_2, 4, 30),
		.columns = BH_COLUMNS(IF6_IDENTIFIER, IF6_ENABLE_STATUS, IF6_FORWARDING),
		.mirror = BH_MIRROR_INTERFACE,
		.row = bh_mib_mirror_row,
		.value = interface6_value,
	},
	{
		.name = "ipAddressTable",
		BH_ROOT(BH_MIB_2, 4, 34),
		.columns = BH_COLUMNS(A_IFINDEX, A_TYPE, A_PREFIX, A_ORIGIN, A_STATUS, A_ROW_STATUS),
		.mirror = BH_MIRROR_ADDRESS,
		.hidden = 1,
		.row = bh_mib_mirror_row,
		.value = address_value,
	},
	{
		.name = "ipv6RouterAdvertTable",
		BH_ROOT(BH_MIB_2, 4, 39),
		.columns = BH_COLUMNS(RA_SEND, RA_MAX_INTERVAL, RA_MIN_INTERVAL, RA_MANAGED, RA_OTHER,
			RA_MTU, RA_REACHABLE, RA_RETRANS, RA_HOP_LIMIT, RA_LIFETIME, RA_ROW_STATUS),
		.row = ra_row,
		.value = ra_value,
	},
};

const struct bh_snmp_mib bh_ip_mib = {
	.name = "ip-mib",
	.bit = BH_SNMP_IP,
	.tables = tables,
	.n_tables = sizeof(tables) / sizeof(tables[0]),
};
