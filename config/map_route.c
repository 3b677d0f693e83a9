/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Static routes (RFC 8349, ietf-ipv4/ipv6-unicast-routing) to records of cfg_route4 and 6.
 *
 * The instances of the static protocol are numbered in the order of their names. Lists are
 * walked once, values are taken in libyang's binary form: 100,000 routes are a fraction of a
 * second. A destination with host bits set is valid by RFC 6991 and comes masked from
 * libyang, which then also finds two that have become the same. Hops are sorted bytewise
 * without repeats, so that the same routes make the same records in whatever order they are
 * written.
 */
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct instance {
	const struct lyd_node *node;
	const char *name;
};

struct route {
	const struct bh_model *model;
	const struct lyd_node *node;
	uint8_t family;
	struct bh_cfg_route *val;
	struct bh_diag *diag;
};

static const struct {
	const char *name;
	uint8_t type;
} specials[] = {
	{"blackhole", BH_NH_BLACKHOLE},
	{"unreachable", BH_NH_UNREACHABLE},
	{"prohibit", BH_NH_PROHIBIT},
	{"receive", BH_NH_LOCAL},
};

static void
map_special(const struct route *r, const struct lyd_node *leaf)
{
	const char *value = lyd_get_value(leaf);

	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (strcmp(value, specials[i].name) == 0) {
			r->val->type = specials[i].type;
			return;
		}
	bh_diag(r->diag, leaf, "Special next hop \"%s\" is not supported.", value);
}

/* Address and zone of a next-hop-address leaf. */
static const char *
hop_address(uint8_t family, const struct lyd_node *leaf, uint8_t addr[16])
{
	const struct lyd_value *value = &((const struct lyd_node_term *)leaf)->value;

	if (family == BH_IP4) {
		const struct lyd_value_ipv4_address *v4;

		LYD_VALUE_GET(value, v4);
		memcpy(addr, &v4->addr, 4);
		return v4->zone;
	} else {
		const struct lyd_value_ipv6_address *v6;

		LYD_VALUE_GET(value, v6);
		memcpy(addr, &v6->addr, 16);
		return v6->zone;
	}
}

/* A zone names the interface (RFC 4007 §11.2), as outgoing-interface does. */
static void
map_zone(const struct route *r, const struct lyd_node *leaf, const char *zone,
	struct bh_cfg_hop *hop)
{
	unsigned int i = 0;

	while (i < r->model->n_ifs && strcmp(r->model->ifs[i].name, zone) != 0)
		i++;
	if (i == r->model->n_ifs)
		bh_diag(r->diag, leaf, "Zone \"%s\" is no interface.", zone);
	else if (hop->name[0] != '\0' && strcmp(hop->name, zone) != 0)
		bh_diag(r->diag, leaf, "Zone \"%s\" is not the outgoing interface \"%s\".", zone,
			hop->name);
	else
		memcpy(hop->name, r->model->ifs[i].name, sizeof(hop->name));
}

static void
map_hop_address(const struct route *r, const struct lyd_node *leaf, struct bh_cfg_hop *hop)
{
	const char *zone = hop_address(r->family, leaf, hop->addr);
	const char *fault = bh_host_fault(r->family, hop->addr);

	hop->family = r->family;
	if (zone != NULL)
		map_zone(r, leaf, zone, hop);
	if (fault == NULL && bh_model_is_own(r->model, r->family, hop->addr))
		fault = "is an address of this router";
	if (fault == NULL && r->family == BH_IP6 && hop->name[0] == '\0' && zone == NULL &&
		bh_ip6_is_link_local(hop->addr))
		fault = "is link-local and needs an outgoing interface";
	if (fault != NULL)
		bh_diag(r->diag, leaf, "Next hop %s %s.", lyd_get_value(leaf), fault);
}

/* One hop: the leaves of simple-next-hop, or of an entry of next-hop-list. */
static void
map_hop(const struct route *r, const struct lyd_node *parent)
{
	const struct lyd_node *out = bh_yang_child(parent, "outgoing-interface");
	const struct lyd_node *addr = bh_yang_child(parent, "next-hop-address");
	struct bh_cfg_hop *hop = &r->val->hop[r->val->n++];

	hop->weight = 1;
	if (out != NULL)
		strncpy(hop->name, lyd_get_value(out), sizeof(hop->name) - 1);
	if (addr != NULL)
		map_hop_address(r, addr, hop);
	if (out == NULL && addr == NULL)
		bh_diag(r->diag, parent, "Next hop has neither an address nor an interface.");
}

static int
compare_hops(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_cfg_hop));
}

static void
sort_hops(struct bh_cfg_route *val)
{
	uint8_t n = 0;

	qsort(val->hop, val->n, sizeof(val->hop[0]), compare_hops);
	for (uint8_t i = 0; i < val->n; i++)
		if (i == 0 || compare_hops(&val->hop[i], &val->hop[n - 1]) != 0)
			val->hop[n++] = val->hop[i];
	val->n = n;
}

static void
map_hop_list(const struct route *r, const struct lyd_node *list)
{
	const struct lyd_node *entry;

	LY_LIST_FOR(lyd_child(list), entry) {
		if (r->val->n == BH_ECMP_MAX) {
			bh_diag(r->diag, list, "More than %d next hops.", BH_ECMP_MAX);
			break;
		}
		map_hop(r, entry);
	}
	sort_hops(r->val);
}

/* The destination's address and length; the key of the record but for the instance. */
static uint8_t
destination(const struct route *r, uint8_t addr[16])
{
	const struct lyd_node *leaf = bh_yang_child(r->node, "destination-prefix");
	const struct lyd_value *value = &((const struct lyd_node_term *)leaf)->value;

	if (r->family == BH_IP4) {
		const struct lyd_value_ipv4_prefix *v4;

		LYD_VALUE_GET(value, v4);
		memcpy(addr, &v4->addr, 4);
		return v4->prefix;
	} else {
		const struct lyd_value_ipv6_prefix *v6;

		LYD_VALUE_GET(value, v6);
		memcpy(addr, &v6->addr, 16);
		return v6->prefix;
	}
}

static void
check_destination(const struct route *r, const uint8_t *addr, uint8_t plen)
{
	const char *fault = NULL;

	if (r->family == BH_IP4 && plen >= 4 && addr[0] >> 4 == 14)
		fault = "multicast";
	else if (r->family == BH_IP4 && plen >= 8 && addr[0] == 127)
		fault = "loopback";
	else if (r->family == BH_IP6 && plen >= 8 && bh_ip6_is_multicast(addr))
		fault = "multicast";
	else if (r->family == BH_IP6 && plen >= 10 && bh_ip6_is_link_local(addr))
		fault = "link-local";
	else if (r->family == BH_IP6 && plen == 128 && bh_host_fault(BH_IP6, addr) != NULL)
		fault = "loopback or unspecified";
	if (fault != NULL)
		bh_diag(r->diag, r->node, "Destination is %s.", fault);
}

static void
emit(struct bh_records *out, const struct route *r, const uint8_t *addr, uint8_t plen,
	uint16_t instance)
{
	size_t len = offsetof(struct bh_cfg_route, hop) + r->val->n * sizeof(r->val->hop[0]);

	if (r->family == BH_IP4) {
		struct bh_cfg_route4_key key = {.plen = plen, .instance = instance};

		memcpy(key.addr, addr, sizeof(key.addr));
		bh_records_add(out, BH_T_CFG_ROUTE4, &key, sizeof(key), r->val, len);
	} else {
		struct bh_cfg_route6_key key = {.plen = plen, .instance = instance};

		memcpy(key.addr, addr, sizeof(key.addr));
		bh_records_add(out, BH_T_CFG_ROUTE6, &key, sizeof(key), r->val, len);
	}
}

static void
map_route(struct bh_records *out, struct route *r, uint16_t instance, uint16_t preference)
{
	const struct lyd_node *next = bh_yang_child(r->node, "next-hop");
	const struct lyd_node *special = bh_yang_child(next, "special-next-hop");
	const struct lyd_node *list = bh_yang_child(next, "next-hop-list");
	struct bh_cfg_route val = {.type = BH_NH_GROUP, .preference = preference};
	uint8_t addr[16] = {0};
	uint8_t plen = destination(r, addr);

	r->val = &val;
	check_destination(r, addr, plen);
	if (special != NULL)
		map_special(r, special);
	else if (list != NULL && lyd_child(list) != NULL)
		map_hop_list(r, list);
	else
		map_hop(r, next);
	emit(out, r, addr, plen, instance);
}

static void
map_family(struct bh_model *m, const struct lyd_node *family, uint8_t number, uint16_t instance,
	uint16_t preference, struct bh_diag *d)
{
	struct route r = {.model = m, .family = number, .diag = d};

	LY_LIST_FOR(family != NULL ? lyd_child(family) : NULL, r.node)
		if (strcmp(r.node->schema->name, "route") == 0)
			map_route(&m->records, &r, instance, preference);
}

static int
compare_instances(const void *a, const void *b)
{
	return strcmp(((const struct instance *)a)->name, ((const struct instance *)b)->name);
}

/* Instances of the static protocol, sorted by name; the caller frees *out. */
static unsigned int
find_instances(const struct lyd_node *list, struct instance **out)
{
	const struct lyd_node *node;
	unsigned int n = 0;

	LY_LIST_FOR(lyd_child(list), node)
		n++;
	*out = calloc(n != 0 ? n : 1, sizeof(**out));
	if (*out == NULL)
		return 0;
	n = 0;
	LY_LIST_FOR(lyd_child(list), node) {
		const char *type = bh_yang_string(node, "type");

		if (type != NULL && strcmp(type, "ietf-routing:static") == 0)
			(*out)[n++] = (struct instance){node, bh_yang_string(node, "name")};
	}
	qsort(*out, n, sizeof(**out), compare_instances);
	return n;
}

void
bh_map_routes(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d)
{
	const struct lyd_node *protocols = bh_yang_child(bh_yang_top(tree, "ietf-routing", "routing"),
		"control-plane-protocols");
	struct instance *list = NULL;
	unsigned int n = 0;

	if (protocols == NULL)
		return;
	n = find_instances(protocols, &list);
	if (list == NULL)
		m->records.no_memory = true;
	if (n > UINT16_MAX)
		bh_diag(d, protocols, "More than %u static protocol instances.", UINT16_MAX);
	for (unsigned int i = 0; i < n; i++) {
		const struct lyd_node *routes = bh_yang_child(list[i].node, "static-routes");
		uint16_t preference = (uint16_t)bh_yang_number(list[i].node, "preference");

		map_family(m, bh_yang_child(routes, "ipv4"), BH_IP4, (uint16_t)i, preference, d);
		map_family(m, bh_yang_child(routes, "ipv6"), BH_IP6, (uint16_t)i, preference, d);
	}
	free(list);
}
