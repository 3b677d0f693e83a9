/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IF-MIB (RFC 2863): interfaces with a DPDK device. What the fast path counts is every packet, not
 * by whom it is for: the unicast columns count all, there are none for multicast and broadcast.
 * Octets are those of the frame without its checksum. Discards and errors are the device's, and
 * what found no room on its way out; packets that routing drops are counted in IP-MIB.
 */
#include <string.h>

#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

enum {
	IF_INDEX = 1, IF_DESCR, IF_TYPE, IF_MTU, IF_SPEED, IF_PHYS_ADDRESS, IF_ADMIN_STATUS,
	IF_OPER_STATUS, IF_LAST_CHANGE, IF_IN_OCTETS, IF_IN_UCAST, IF_IN_DISCARDS = 13,
	IF_IN_ERRORS, IF_OUT_OCTETS = 16, IF_OUT_UCAST, IF_OUT_DISCARDS = 19, IF_OUT_ERRORS,
};

enum {
	IFX_NAME = 1, IFX_IN_OCTETS = 6, IFX_IN_UCAST, IFX_OUT_OCTETS = 10, IFX_OUT_UCAST,
	IFX_TRAP_ENABLE = 14, IFX_HIGH_SPEED, IFX_CONNECTOR = 17, IFX_ALIAS, IFX_DISCONTINUITY,
};

enum { ETHERNET_CSMACD = 6, STATUS_UP = 1, STATUS_DOWN = 2, STATUS_NOT_PRESENT = 6 };

int
bh_if_oper_status(uint8_t oper)
{
	switch (oper) {
	case BH_OPER_UP:
		return STATUS_UP;
	case BH_OPER_NOT_PRESENT:
		return STATUS_NOT_PRESENT;
	default:
		return STATUS_DOWN;
	}
}

int
bh_if_admin_status(const struct bh_interface *i)
{
	return i->flags & BH_IF_ENABLED ? STATUS_UP : STATUS_DOWN;
}

static const struct bh_interface *
of_row(struct bh_snmp_model *s, const void *row)
{
	return bh_mirror_val(&s->mirror[BH_MIRROR_INTERFACE], row);
}

static uint32_t
ifindex_of(const void *row)
{
	const struct bh_ifindex_key *k = bh_mirror_key(row);

	return k->ifindex;
}

static bool
if_descr(const struct bh_interface *i, struct bh_value *v)
{
	return i->device[0] != '\0' ? bh_value_text(v, i->device, sizeof(i->device))
				    : bh_value_text(v, i->name, sizeof(i->name));
}

/* Of ifTable, the columns that count; the 32-bit ones are the lower half. */
static bool
if_counter(struct bh_snmp_model *s, uint32_t ifindex, uint32_t column, struct bh_value *v)
{
	const struct bh_stats_dev *dev;
	struct bh_stats_if sum;

	if (!bh_snmp_if_counters(s, ifindex, &sum))
		return false;
	dev = &s->stats->dev[ifindex];
	switch (column) {
	case IF_IN_OCTETS:
		return bh_value_counter32(v, sum.rx_bytes);
	case IF_IN_UCAST:
		return bh_value_counter32(v, sum.rx_packets);
	case IF_IN_DISCARDS:
		return bh_value_counter32(v, bh_read(&dev->imissed) + bh_read(&dev->rx_nombuf));
	case IF_IN_ERRORS:
		return bh_value_counter32(v, bh_read(&dev->ierrors));
	case IF_OUT_OCTETS:
		return bh_value_counter32(v, sum.tx_bytes);
	case IF_OUT_UCAST:
		return bh_value_counter32(v, sum.tx_packets);
	case IF_OUT_DISCARDS:
		return bh_value_counter32(v, sum.tx_drops);
	default:
		return bh_value_counter32(v, bh_read(&dev->oerrors));
	}
}

static bool
if_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_interface *i = of_row(s, row);
	uint32_t ifindex = x->id[0];

	switch (column) {
	case IF_INDEX:
		return bh_value_integer(v, (int32_t)ifindex);
	case IF_DESCR:
		return if_descr(i, v);
	case IF_TYPE:
		return bh_value_integer(v, ETHERNET_CSMACD);
	case IF_MTU:
		return bh_value_integer(v, i->mtu);
	case IF_SPEED:
		return bh_value_unsigned(v, i->speed * UINT64_C(1000000));
	case IF_PHYS_ADDRESS:
		return bh_value_octets(v, i->mac, i->port == UINT16_MAX ? 0 : sizeof(i->mac));
	case IF_ADMIN_STATUS:
		return bh_value_integer(v, bh_if_admin_status(i));
	case IF_OPER_STATUS:
		return bh_value_integer(v, bh_if_oper_status(i->oper));
	case IF_LAST_CHANGE:
		return bh_value_ticks(v, bh_snmp_ticks_at(s, i->last_change * 100));
	default:
		return if_counter(s, ifindex, column, v);
	}
}

/* Whether it is hardware: a PCI address; virtual devices have names like net_memif0. */
static bool
has_connector(const struct bh_interface *i)
{
	return i->device[0] != '\0' && strncmp(i->device, "net_", 4) != 0;
}

static bool
if_alias(struct bh_snmp_model *s, const struct bh_interface *i, struct bh_value *v)
{
	struct bh_ifname_key key = {0};
	const struct bh_cfg_interface *c;

	memcpy(key.name, i->name, sizeof(key.name));
	c = bh_mirror_get(&s->mirror[BH_MIRROR_CFG_INTERFACE], &key);
	return c == NULL ? bh_value_octets(v, "", 0)
			 : bh_value_text(v, c->description, sizeof(c->description));
}

static bool
ifx_counter(struct bh_snmp_model *s, uint32_t ifindex, uint32_t column, struct bh_value *v)
{
	struct bh_stats_if sum;

	if (!bh_snmp_if_counters(s, ifindex, &sum))
		return false;
	switch (column) {
	case IFX_IN_OCTETS:
		return bh_value_counter64(v, sum.rx_bytes);
	case IFX_IN_UCAST:
		return bh_value_counter64(v, sum.rx_packets);
	case IFX_OUT_OCTETS:
		return bh_value_counter64(v, sum.tx_bytes);
	case IFX_OUT_UCAST:
		return bh_value_counter64(v, sum.tx_packets);
	default: /* they begin again with the core */
		return bh_value_ticks(v, bh_snmp_ticks_at(s, s->stats->started * 100));
	}
}

static bool
ifx_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	const struct bh_interface *i = of_row(s, row);
	struct bh_cfg_snmp cfg;

	(void)x;
	switch (column) {
	case IFX_NAME:
		return bh_value_text(v, i->name, sizeof(i->name));
	case IFX_TRAP_ENABLE: /* enabled(1), disabled(2) */
		bh_snmp_config(s, &cfg);
		return bh_value_integer(v, cfg.flags & BH_SNMP_NOTIFY ? 1 : 2);
	case IFX_HIGH_SPEED:
		return bh_value_unsigned(v, i->speed);
	case IFX_CONNECTOR:
		return bh_value_truth(v, has_connector(i));
	case IFX_ALIAS:
		return if_alias(s, i, v);
	default:
		return ifx_counter(s, ifindex_of(row), column, v);
	}
}

static bool
if_number(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return bh_value_integer(v, (int32_t)s->mirror[BH_MIRROR_INTERFACE].rows.n);
}

static bool
if_table_last_change(struct bh_snmp_model *s, const void *row, const struct bh_index *x,
	uint32_t column, struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return bh_value_ticks(v, bh_snmp_ticks_at(s, s->if_table_change));
}

static const struct bh_mib_table tables[] = {
	{.name = "ifNumber", BH_ROOT(BH_MIB_2, 2, 1), .value = if_number},
	{
		.name = "ifTable",
		BH_ROOT(BH_MIB_2, 2, 2),
		.columns = BH_COLUMNS(IF_INDEX, IF_DESCR, IF_TYPE, IF_MTU, IF_SPEED,
			IF_PHYS_ADDRESS, IF_ADMIN_STATUS, IF_OPER_STATUS, IF_LAST_CHANGE, IF_IN_OCTETS, IF_IN_UCAST,
			IF_IN_DISCARDS, IF_IN_ERRORS, IF_OUT_OCTETS, IF_OUT_UCAST, IF_OUT_DISCARDS,
			IF_OUT_ERRORS),
		.mirror = BH_MIRROR_INTERFACE,
		.row = bh_mib_mirror_row,
		.value = if_value,
	},
	{
		.name = "ifXTable",
		BH_ROOT(BH_MIB_2, 31, 1, 1),
		.columns = BH_COLUMNS(IFX_NAME, IFX_IN_OCTETS, IFX_IN_UCAST, IFX_OUT_OCTETS,
			IFX_OUT_UCAST, IFX_TRAP_ENABLE, IFX_HIGH_SPEED, IFX_CONNECTOR, IFX_ALIAS,
			IFX_DISCONTINUITY),
		.mirror = BH_MIRROR_INTERFACE,
		.row = bh_mib_mirror_row,
		.value = ifx_value,
	},
	{.name = "ifTableLastChange", BH_ROOT(BH_MIB_2, 31, 1, 5), .value = if_table_last_change},
};

const struct bh_snmp_mib bh_if_mib = {
	.name = "if-mib",
	.bit = BH_SNMP_IF,
	.tables = tables,
	.n_tables = sizeof(tables) / sizeof(tables[0]),
};
