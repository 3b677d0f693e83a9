/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Address", .path = "address"},
	{.title = "Interface", .path = "interface"},
	{.title = "MAC address", .path = "mac"},
	{.title = "Origin", .path = "origin"},
	{.title = "State", .path = "state"},
	{.title = "Router", .path = "router"},
	{.title = "Age", .path = "age", .flags = BH_COL_RIGHT, .cell = bh_cell_duration},
	{0},
};

const struct bh_view bh_view_neighbors = {
	.list = "neighbors",
	.none = "no neighbors",
	.columns = columns,
};

static json_t *
row_static(const struct bh_cfg_neighbor_key *k, const struct bh_cfg_neighbor *v)
{
	return json_pack("{s:o,s:o,s:o,s:s,s:s,s:n,s:n}",
		"interface", bh_ctl_json_text(k->name, sizeof(k->name)),
		"address", bh_ctl_json_addr(k->family, k->addr),
		"mac", bh_ctl_json_mac(v->mac),
		"origin", "static",
		"state", "permanent",
		"router",
		"age");
}

static json_t *
row_learned(const char *name, const struct bh_if_addr_key *k, const struct bh_neighbor *v)
{
	return json_pack("{s:o,s:o,s:o,s:s,s:s,s:b,s:I}",
		"interface", bh_ctl_json_text(name, BH_NAME_LEN),
		"address", bh_ctl_json_addr(k->family, k->addr),
		"mac", v->state == 0 ? json_null() : bh_ctl_json_mac(v->mac),
		"origin", "dynamic",
		"state", bh_ctl_nud_state_name(v->state),
		"router", (int)(v->router != 0),
		"age", (json_int_t)v->age);
}

static bool
is_static(const struct bh_recs *cfg, const char *name, const struct bh_if_addr_key *key)
{
	for (size_t i = 0; i < cfg->n; i++) {
		const struct bh_cfg_neighbor_key *k = bh_recs_key(cfg, i);

		if (k->family == key->family && memcmp(k->addr, key->addr, sizeof(k->addr)) == 0 &&
			strncmp(k->name, name, sizeof(k->name)) == 0)
			return true;
	}
	return false;
}

static void
add_family(uint8_t family, const struct bh_ifnames *names, const struct bh_recs *cfg,
	const struct bh_recs *learned, json_t *list)
{
	for (size_t i = 0; i < cfg->n; i++) {
		const struct bh_cfg_neighbor_key *k = bh_recs_key(cfg, i);

		if (k->family == family)
			json_array_append_new(list, row_static(k, bh_recs_val(cfg, i)));
	}
	for (size_t i = 0; i < learned->n; i++) {
		const struct bh_if_addr_key *k = bh_recs_key(learned, i);
		const char *name = bh_ifname(names, k->ifindex);

		if (k->family == family && !is_static(cfg, name, k))
			json_array_append_new(list, row_learned(name, k, bh_recs_val(learned, i)));
	}
}

json_t *
bh_json_neighbors(const struct bh_ifnames *names, const struct bh_recs *cfg,
	const struct bh_recs *learned)
{
	json_t *list = json_array();

	add_family(BH_IP4, names, cfg, learned, list);
	add_family(BH_IP6, names, cfg, learned, list);
	return list;
}

int
bh_show_neighbors(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_recs cfg, learned;
	struct bh_ifnames names;
	int rc;

	bh_recs_init(&cfg, sizeof(struct bh_cfg_neighbor_key), sizeof(struct bh_cfg_neighbor));
	bh_recs_init(&learned, sizeof(struct bh_if_addr_key), sizeof(struct bh_neighbor));
	rc = bh_ctl_fetch_ifnames(core, &names);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_CFG_NEIGHBOR, &cfg);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_NEIGHBOR, &learned);
	bh_recs_sort(&cfg, NULL);
	bh_recs_sort(&learned, NULL);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_print_array(args, &bh_view_neighbors,
			bh_json_neighbors(&names, &cfg, &learned));
	bh_recs_free(&cfg);
	bh_recs_free(&learned);
	return rc;
}
