/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows. A new table is a new id and a new row; a new module's role is one name here and
 * one in enum bh_role. The owner of a row is the only role that may modify the table.
 */
#include <errno.h>
#include <string.h>

#include "infobase/schema.h"
#include "infobase/schema_check.h"

#define KEY(k) .key_len = sizeof(struct k)
#define VAL(v) .val_min = sizeof(struct v), .val_max = sizeof(struct v)

static const struct bh_schema rows[BH_T_MAX] = {
	[BH_T_CFG_INTERFACE] = {
		"cfg_interface", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_LINK,
		KEY(bh_ifname_key), VAL(bh_cfg_interface), .max = BH_IF_MAX - 1,
		.published = "", .key_ok = bh_key_ifname, .val_ok = bh_val_cfg_interface,
	},
	[BH_T_CFG_ADDRESS] = {
		"cfg_address", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_LINK,
		KEY(bh_cfg_address_key), VAL(bh_cfg_address), .max = 16384,
		.published = "", .key_ok = bh_key_name_addr, .val_ok = bh_val_cfg_address,
	},
	[BH_T_CFG_NEIGHBOR] = {
		"cfg_neighbor", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_LINK,
		KEY(bh_cfg_neighbor_key), VAL(bh_cfg_neighbor), .max = 65536,
		.published = "adjacency", .key_ok = bh_key_name_addr,
	},
	[BH_T_CFG_ROUTE4] = {
		"cfg_route4", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_cfg_route4_key), .val_min = offsetof(struct bh_cfg_route, hop),
		.val_max = sizeof(struct bh_cfg_route), .max = 2000000,
		.published = "", .key_ok = bh_key_prefix4, .val_ok = bh_val_cfg_route,
	},
	[BH_T_CFG_ROUTE6] = {
		"cfg_route6", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_cfg_route6_key), .val_min = offsetof(struct bh_cfg_route, hop),
		.val_max = sizeof(struct bh_cfg_route), .max = 2000000,
		.published = "", .key_ok = bh_key_prefix6, .val_ok = bh_val_cfg_route,
	},
	[BH_T_INTERFACE] = {
		"interface", BH_ROLE_CORE, BH_KIND_INTERFACE, BH_GROUP_LINK,
		KEY(bh_ifindex_key), VAL(bh_interface), .max = BH_IF_MAX - 1,
		.published = "interface", .key_ok = bh_key_ifindex,
	},
	[BH_T_HOSTIF] = {
		"hostif", BH_ROLE_V6STACK, BH_KIND_STATE, BH_GROUP_LINK,
		KEY(bh_ifindex_key), VAL(bh_hostif), .max = BH_IF_MAX - 1,
		.published = "", .key_ok = bh_key_ifindex,
	},
	[BH_T_ADDRESS] = {
		"address", BH_ROLE_V6STACK, BH_KIND_STATE, BH_GROUP_LINK,
		KEY(bh_if_addr_key), VAL(bh_address), .max = 16384,
		.published = "", .key_ok = bh_key_if_addr, .val_ok = bh_val_address,
	},
	[BH_T_NEIGHBOR] = {
		"neighbor", BH_ROLE_V6STACK, BH_KIND_STATE, BH_GROUP_LINK,
		KEY(bh_if_addr_key), VAL(bh_neighbor), .max = 65536,
		.published = "adjacency", .key_ok = bh_key_if_addr,
	},
	[BH_T_NEXTHOP] = {
		"nexthop", BH_ROLE_ROUTING, BH_KIND_STATE, BH_GROUP_LINK,
		KEY(bh_nexthop_key), VAL(bh_nexthop), .flags = BH_F_ASSIGNS_ID,
		.max = BH_NH_MAX - 1, .published = "nexthop", .key_ok = bh_key_nexthop,
	},
	[BH_T_ROUTE4] = {
		"route4", BH_ROLE_ROUTING, BH_KIND_STATE, BH_GROUP_ROUTE4,
		KEY(bh_route4_key), VAL(bh_route), .flags = BH_F_LPM, .max = BH_ROUTE4_MAX,
		.published = "fib4", .key_ok = bh_key_prefix4, .val_ok = bh_val_route,
	},
	[BH_T_ROUTE6] = {
		"route6", BH_ROLE_ROUTING, BH_KIND_STATE, BH_GROUP_ROUTE6,
		KEY(bh_route6_key), VAL(bh_route), .flags = BH_F_LPM, .max = BH_ROUTE6_MAX,
		.published = "fib6", .key_ok = bh_key_prefix6, .val_ok = bh_val_route,
	},
	[BH_T_PROCESS] = {
		"process", BH_ROLE_SUPERVISOR, BH_KIND_INTERFACE, BH_GROUP_MISC,
		KEY(bh_ifname_key), VAL(bh_process), .max = 256,
		.published = "", .key_ok = bh_key_ifname, .val_ok = bh_val_process,
	},
	[BH_T_TCP] = {
		"tcp", BH_ROLE_V6STACK, BH_KIND_INTERFACE, BH_GROUP_MISC,
		KEY(bh_sock_key), VAL(bh_sock), .max = 262144,
		.published = "", .key_ok = bh_key_sock,
	},
	[BH_T_UDP] = {
		"udp", BH_ROLE_V6STACK, BH_KIND_INTERFACE, BH_GROUP_MISC,
		KEY(bh_sock_key), VAL(bh_sock), .max = 65536,
		.published = "", .key_ok = bh_key_sock,
	},
	[BH_T_SNMP] = {
		"snmp", BH_ROLE_SNMP, BH_KIND_STATE, BH_GROUP_MISC,
		KEY(bh_snmp_key), VAL(bh_snmp), .max = 1024,
		.published = "", .key_ok = bh_key_name32,
	},
	[BH_T_USER] = {
		"user", BH_ROLE_USER, BH_KIND_STATE, BH_GROUP_MISC,
		KEY(bh_user_key), .val_min = 1, .val_max = sizeof(struct bh_user), .max = 65536,
		.published = "", .key_ok = bh_key_name32,
	},
	[BH_T_CFG_SOURCE] = {
		"cfg_source", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_ifname_key), VAL(bh_cfg_source), .max = 1,
		.published = "", .key_ok = bh_key_ifname,
	},
	[BH_T_CFG_RA] = {
		"cfg_ra", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_ifname_key), VAL(bh_cfg_ra), .max = BH_IF_MAX - 1,
		.published = "", .key_ok = bh_key_ifname, .val_ok = bh_val_cfg_ra,
	},
	[BH_T_CFG_RA_PREFIX] = {
		"cfg_ra_prefix", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_cfg_ra_prefix_key), VAL(bh_cfg_ra_prefix), .max = 16384,
		.published = "", .key_ok = bh_key_cfg_ra_prefix, .val_ok = bh_val_cfg_ra_prefix,
	},
	[BH_T_CFG_SNMP] = {
		"cfg_snmp", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_ifname_key), VAL(bh_cfg_snmp), .max = 1,
		.published = "", .key_ok = bh_key_ifname, .val_ok = bh_val_cfg_snmp,
	},
	[BH_T_CFG_FPM] = {
		"cfg_fpm", BH_ROLE_CONFIG, BH_KIND_CONFIG, BH_GROUP_MISC,
		KEY(bh_ifname_key), VAL(bh_cfg_fpm), .max = 1,
		.published = "", .key_ok = bh_key_ifname, .val_ok = bh_val_cfg_fpm,
	},
	[BH_T_FPM] = {
		"fpm", BH_ROLE_ROUTING, BH_KIND_STATE, BH_GROUP_MISC,
		KEY(bh_ifname_key), VAL(bh_fpm_status), .max = 1,
		.published = "", .key_ok = bh_key_ifname, .val_ok = bh_val_fpm_status,
	},
	[BH_T_FPM_ROUTE4] = {
		"fpm_route4", BH_ROLE_ROUTING, BH_KIND_STATE, BH_GROUP_ROUTE4,
		KEY(bh_route4_key), .val_min = offsetof(struct bh_fpm_route, hop),
		.val_max = sizeof(struct bh_fpm_route), .max = BH_ROUTE4_MAX,
		.published = "", .key_ok = bh_key_prefix4, .val_ok = bh_val_fpm_route,
	},
	[BH_T_FPM_ROUTE6] = {
		"fpm_route6", BH_ROLE_ROUTING, BH_KIND_STATE, BH_GROUP_ROUTE6,
		KEY(bh_route6_key), .val_min = offsetof(struct bh_fpm_route, hop),
		.val_max = sizeof(struct bh_fpm_route), .max = BH_ROUTE6_MAX,
		.published = "", .key_ok = bh_key_prefix6, .val_ok = bh_val_fpm_route,
	},
};

static const char *const role_names[BH_ROLE_MAX] = {
	[BH_ROLE_READER] = "reader",   [BH_ROLE_ADMIN] = "admin",
	[BH_ROLE_SUPERVISOR] = "supervisor", [BH_ROLE_CONFIG] = "config",
	[BH_ROLE_ROUTING] = "routing", [BH_ROLE_V6STACK] = "v6stack",
	[BH_ROLE_SNMP] = "snmp",       [BH_ROLE_USER] = "user",
	[BH_ROLE_CORE] = "core",
};

static const char *const kind_names[] = {
	[BH_KIND_CONFIG] = "config",
	[BH_KIND_STATE] = "state",
	[BH_KIND_INTERFACE] = "interface",
};

static const char *const group_names[BH_GROUP_MAX] = {
	[BH_GROUP_LINK] = "link",
	[BH_GROUP_ROUTE4] = "route4",
	[BH_GROUP_ROUTE6] = "route6",
	[BH_GROUP_MISC] = "misc",
};

#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof(*(names)), i)

static const char *
name_of(const char *const *names, size_t n, unsigned int i)
{
	return i < n && names[i] != NULL ? names[i] : "?";
}

const struct bh_schema *
bh_schema(uint16_t table)
{
	return table < BH_T_MAX && rows[table].name != NULL ? &rows[table] : NULL;
}

uint16_t
bh_schema_find(const char *name)
{
	uint16_t i;

	for (i = 1; i < BH_T_MAX; i++)
		if (rows[i].name != NULL && strcmp(rows[i].name, name) == 0)
			return i;
	return 0;
}

const char *
bh_role_name(unsigned int role)
{
	return NAME_OF(role_names, role);
}

const char *
bh_kind_name(unsigned int kind)
{
	return NAME_OF(kind_names, kind);
}

const char *
bh_group_name(unsigned int group)
{
	return NAME_OF(group_names, group);
}

int
bh_role_find(const char *name)
{
	int i;

	for (i = 0; i < BH_ROLE_MAX; i++)
		if (strcmp(role_names[i], name) == 0)
			return i;
	return -ENOENT;
}
