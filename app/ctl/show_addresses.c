/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses are in two tables: what the configuration wants (cfg_address, by interface name)
 * and what the stack made of it (address, by ifindex). One row an address, from both.
 */
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Interface", .path = "interface"},
	{.title = "Address", .path = "address"},
	{.title = "Origin", .path = "origin"},
	{.title = "State", .path = "state"},
	{0},
};

const struct bh_view bh_view_addresses = {
	.list = "addresses",
	.none = "no addresses",
	.columns = columns,
};

/* The stack's record of a configured address, or NULL. */
static const struct bh_address *
of_stack(const struct bh_interfaces_data *d, uint32_t ifindex, const struct bh_cfg_address_key *key)
{
	for (size_t i = 0; i < d->address.n; i++) {
		const struct bh_if_addr_key *k = bh_recs_key(&d->address, i);

		if (k->ifindex == ifindex && k->family == key->family &&
			memcmp(k->addr, key->addr, sizeof(k->addr)) == 0)
			return bh_recs_val(&d->address, i);
	}
	return NULL;
}

static bool
is_configured(const struct bh_interfaces_data *d, const struct bh_if_addr_key *key)
{
	const char *name = bh_ifname(&d->names, key->ifindex);

	for (size_t i = 0; i < d->cfg_address.n; i++) {
		const struct bh_cfg_address_key *k = bh_recs_key(&d->cfg_address, i);

		if (k->family == key->family && memcmp(k->addr, key->addr, sizeof(k->addr)) == 0 &&
			strncmp(k->name, name, sizeof(k->name)) == 0)
			return true;
	}
	return false;
}

static json_t *
row(const char *name, uint8_t family, const uint8_t *addr, uint8_t plen, const char *origin,
	const char *state)
{
	return json_pack("{s:o,s:o,s:s,s:s,s:s}",
		"interface", bh_ctl_json_text(name, BH_NAME_LEN),
		"address", bh_ctl_json_prefix(family, addr, plen),
		"family", family == BH_IP4 ? "ipv4" : "ipv6",
		"origin", origin,
		"state", state);
}

static void
add_configured(const struct bh_interfaces_data *d, const char *name, uint32_t ifindex,
	uint8_t family, json_t *list)
{
	for (size_t i = 0; i < d->cfg_address.n; i++) {
		const struct bh_cfg_address_key *k = bh_recs_key(&d->cfg_address, i);
		const struct bh_cfg_address *v = bh_recs_val(&d->cfg_address, i);
		const struct bh_address *stack;

		if (k->family != family || strncmp(k->name, name, sizeof(k->name)) != 0)
			continue;
		stack = of_stack(d, ifindex, k);
		json_array_append_new(list, row(name, family, k->addr, v->plen, "config",
			stack == NULL ? "configured" : bh_ctl_addr_state_name(stack->state)));
	}
}

static void
add_learned(const struct bh_interfaces_data *d, uint32_t ifindex, uint8_t family, json_t *list)
{
	for (size_t i = 0; i < d->address.n; i++) {
		const struct bh_if_addr_key *k = bh_recs_key(&d->address, i);
		const struct bh_address *v = bh_recs_val(&d->address, i);

		if (k->ifindex == ifindex && k->family == family && !is_configured(d, k))
			json_array_append_new(list, row(bh_ifname(&d->names, ifindex), family,
				k->addr, v->plen, "stack", bh_ctl_addr_state_name(v->state)));
	}
}

/* Adds the rows of one interface. */
static void
add_interface(const struct bh_interfaces_data *d, uint32_t ifindex, json_t *list)
{
	for (uint8_t family = BH_IP4; family <= BH_IP6; family += BH_IP6 - BH_IP4) {
		add_configured(d, bh_ifname(&d->names, ifindex), ifindex, family, list);
		add_learned(d, ifindex, family, list);
	}
}

/* Addresses of interfaces that the core does not know: a configuration that is not yet, or
 * cannot be, carried out. */
static void
add_strays(const struct bh_interfaces_data *d, json_t *list)
{
	for (size_t i = 0; i < d->cfg_address.n; i++) {
		const struct bh_cfg_address_key *k = bh_recs_key(&d->cfg_address, i);
		const struct bh_cfg_address *v = bh_recs_val(&d->cfg_address, i);
		char name[BH_NAME_LEN + 1] = "";

		memcpy(name, k->name, sizeof(k->name));
		if (bh_ifindex(&d->names, name) == 0)
			json_array_append_new(list, row(name, k->family, k->addr, v->plen, "config",
				"no interface"));
	}
}

json_t *
bh_json_addresses(const struct bh_interfaces_data *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->interface.n; i++) {
		const struct bh_ifindex_key *key = bh_recs_key(&d->interface, i);

		add_interface(d, key->ifindex, list);
	}
	add_strays(d, list);
	return list;
}

json_t *
bh_json_addresses_of(const struct bh_interfaces_data *d, uint32_t ifindex)
{
	json_t *rows = json_array(), *texts = json_array(), *v;
	size_t i;

	add_interface(d, ifindex, rows);
	json_array_foreach(rows, i, v)
		json_array_append(texts, json_object_get(v, "address"));
	json_decref(rows);
	return texts;
}
