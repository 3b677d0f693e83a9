/* SPDX-License-Identifier: BSD-3-Clause */
/* Records as people and tests read them: one JSON object a line. */
#include <string.h>

#include "config/config.h"
#include "lib/net/zproto.h"

static void
put_string(FILE *out, const char *name, const char *value)
{
	fprintf(out, ",\"%s\":\"", name);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}

static void
put_number(FILE *out, const char *name, unsigned int value)
{
	fprintf(out, ",\"%s\":%u", name, value);
}

static void
put_bool(FILE *out, const char *name, bool value)
{
	fprintf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

static void
put_mac(FILE *out, const uint8_t mac[6])
{
	fprintf(out, ",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
}

static void
put_addr(FILE *out, const char *name, uint8_t family, const uint8_t *addr)
{
	char text[BH_ADDR_STRLEN];

	put_string(out, name, bh_addr_format(family, addr, text, sizeof(text)) != NULL ? text : "?");
}

static void
print_interface(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_interface *c = rec->val;

	put_string(out, "name", rec->key);
	put_bool(out, "enabled", c->flags & BH_IF_ENABLED);
	put_bool(out, "ipv4", c->flags & BH_IF_IPV4);
	put_bool(out, "ipv6", c->flags & BH_IF_IPV6);
	put_bool(out, "forwarding4", c->flags & BH_IF_FORWARD4);
	put_bool(out, "forwarding6", c->flags & BH_IF_FORWARD6);
	put_number(out, "mtu", c->mtu);
	put_number(out, "mtu4", c->mtu4);
	put_number(out, "mtu6", c->mtu6);
	put_number(out, "rx_queues", c->rx_queues);
	put_number(out, "tx_queues", c->tx_queues);
	put_number(out, "rx_desc", c->rx_desc);
	put_number(out, "tx_desc", c->tx_desc);
	put_mac(out, c->mac);
	put_string(out, "device", c->device);
	put_string(out, "description", c->description);
}

static void
print_address(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_address_key *k = rec->key;
	const struct bh_cfg_address *v = rec->val;

	put_string(out, "interface", k->name);
	put_addr(out, "address", k->family, k->addr);
	put_number(out, "plen", v->plen);
}

static void
print_neighbor(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_neighbor_key *k = rec->key;
	const struct bh_cfg_neighbor *v = rec->val;

	put_string(out, "interface", k->name);
	put_addr(out, "address", k->family, k->addr);
	put_mac(out, v->mac);
}

static void
print_ra(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_ra *c = rec->val;

	put_string(out, "interface", rec->key);
	put_bool(out, "managed", c->flags & BH_RA_MANAGED);
	put_bool(out, "other", c->flags & BH_RA_OTHER);
	put_number(out, "hop_limit", c->hop_limit);
	put_number(out, "lifetime", c->lifetime);
	put_number(out, "max_interval", c->max_interval);
	put_number(out, "min_interval", c->min_interval);
	put_number(out, "mtu", c->mtu);
	put_number(out, "reachable", c->reachable);
	put_number(out, "retrans", c->retrans);
}

static void
print_ra_prefix(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_ra_prefix_key *k = rec->key;
	const struct bh_cfg_ra_prefix *v = rec->val;

	put_string(out, "interface", k->name);
	put_addr(out, "address", BH_IP6, k->addr);
	put_number(out, "plen", k->plen);
	put_bool(out, "advertise", !(v->flags & BH_RA_PREFIX_NONE));
	put_bool(out, "on_link", v->flags & BH_RA_PREFIX_ON_LINK);
	put_bool(out, "autonomous", v->flags & BH_RA_PREFIX_AUTONOMOUS);
	put_number(out, "valid", v->valid);
	put_number(out, "preferred", v->preferred);
}

static void
print_snmp(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_snmp *v = rec->val;

	put_string(out, "address", v->address);
	put_string(out, "context", v->context);
	put_number(out, "mibs", v->mibs);
	put_bool(out, "notifications", v->flags & BH_SNMP_NOTIFY);
}

static const char *
type_name(uint8_t type)
{
	static const char *const names[] = {
		[BH_NH_GROUP] = "group",
		[BH_NH_ATTACHED] = "attached",
		[BH_NH_LOCAL] = "receive",
		[BH_NH_BLACKHOLE] = "blackhole",
		[BH_NH_UNREACHABLE] = "unreachable",
		[BH_NH_PROHIBIT] = "prohibit",
	};

	return type != 0 && type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

static void
put_hop(FILE *out, const struct bh_cfg_hop *h)
{
	fprintf(out, "{\"weight\":%u", h->weight);
	if (h->name[0] != '\0')
		put_string(out, "interface", h->name);
	if (h->family != 0)
		put_addr(out, "address", h->family, h->addr);
	fputc('}', out);
}

static void
print_route(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_route4_key *k4 = rec->key;
	const struct bh_cfg_route6_key *k6 = rec->key;
	bool v4 = rec->table == BH_T_CFG_ROUTE4;
	const struct bh_cfg_route *v = rec->val;
	struct bh_prefix p = {.family = v4 ? BH_IP4 : BH_IP6, .plen = v4 ? k4->plen : k6->plen};
	char text[BH_PREFIX_STRLEN];

	memcpy(p.addr, v4 ? k4->addr : k6->addr, bh_addr_len(p.family));
	put_string(out, "prefix", bh_prefix_format(&p, text, sizeof(text)) != NULL ? text : "?");
	put_number(out, "instance", v4 ? k4->instance : k6->instance);
	put_number(out, "preference", v->preference);
	put_string(out, "type", type_name(v->type));
	fputs(",\"hops\":[", out);
	for (unsigned int i = 0; i < v->n; i++) {
		if (i > 0)
			fputc(',', out);
		put_hop(out, &v->hop[i]);
	}
	fputc(']', out);
}

static void
print_fpm(FILE *out, const struct bh_record *rec)
{
	const struct bh_cfg_fpm *c = rec->val;

	put_addr(out, "address", c->family, c->addr);
	put_number(out, "port", c->port);
	put_number(out, "settle", c->settle);
	put_number(out, "replay_limit", c->replay_limit);
	for (unsigned int i = 0; i < 256; i++)
		if (bh_zproto_name((uint8_t)i) != NULL)
			put_number(out, bh_zproto_name((uint8_t)i), c->distance[i]);
}

static const struct {
	uint16_t table;
	const char *name;
	void (*print)(FILE *out, const struct bh_record *rec);
} tables[] = {
	{BH_T_CFG_INTERFACE, "cfg_interface", print_interface},
	{BH_T_CFG_ADDRESS, "cfg_address", print_address},
	{BH_T_CFG_NEIGHBOR, "cfg_neighbor", print_neighbor},
	{BH_T_CFG_RA, "cfg_ra", print_ra},
	{BH_T_CFG_RA_PREFIX, "cfg_ra_prefix", print_ra_prefix},
	{BH_T_CFG_SNMP, "cfg_snmp", print_snmp},
	{BH_T_CFG_FPM, "cfg_fpm", print_fpm},
	{BH_T_CFG_ROUTE4, "cfg_route4", print_route},
	{BH_T_CFG_ROUTE6, "cfg_route6", print_route},
};

void
bh_records_print(const struct bh_records *r, FILE *out)
{
	struct bh_record rec;
	size_t off = 0;

	while (bh_records_next(r, &off, &rec))
		for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
			if (tables[i].table != rec.table)
				continue;
			fprintf(out, "{\"table\":\"%s\"", tables[i].name);
			tables[i].print(out, &rec);
			fputs("}\n", out);
		}
}
