/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Id", .path = "id", .flags = BH_COL_RIGHT},
	{.title = "Type", .path = "type"},
	{.title = "Live", .path = "live", .flags = BH_COL_RIGHT},
	{.title = "Stale", .path = "stale"},
	{.title = "Address", .path = "address", .flags = BH_COL_SUB},
	{.title = "Interface", .path = "interface", .flags = BH_COL_SUB},
	{.title = "Weight", .path = "weight", .flags = BH_COL_SUB | BH_COL_RIGHT},
	{0},
};

const struct bh_view bh_view_nexthops = {
	.list = "nexthops",
	.none = "no next hops",
	.expand = "members",
	.columns = columns,
};

void
bh_nexthops_init(struct bh_nexthops *n)
{
	memset(n, 0, sizeof(*n));
	bh_recs_init(&n->recs, sizeof(struct bh_nexthop_key), sizeof(struct bh_nexthop));
}

void
bh_nexthops_free(struct bh_nexthops *n)
{
	bh_recs_free(&n->recs);
}

void
bh_nexthops_prepare(struct bh_nexthops *n)
{
	memset(n->index, 0, sizeof(n->index));
	for (size_t i = 0; i < n->recs.n; i++) {
		const struct bh_nexthop *v = bh_recs_val(&n->recs, i);

		if (v->id < BH_NH_MAX)
			n->index[v->id] = i + 1;
	}
}

const struct bh_nexthop_key *
bh_nexthop_find(const struct bh_nexthops *n, uint32_t id)
{
	if (id >= BH_NH_MAX || n->index[id] == 0)
		return NULL;
	return bh_recs_key(&n->recs, n->index[id] - 1);
}

json_t *
bh_json_members(const struct bh_nexthops *n, const struct bh_nexthop_key *key)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < key->n && i < BH_ECMP_MAX; i++) {
		const struct bh_nh_member *m = &key->m[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:i}",
			"interface", bh_ctl_json_text(bh_ifname(&n->names, m->ifindex), BH_NAME_LEN),
			"address", bh_ctl_json_addr(m->family, m->addr),
			"weight", (int)m->weight));
	}
	return list;
}

json_t *
bh_json_nexthop(const struct bh_nexthops *n, size_t i)
{
	const struct bh_nexthop_key *key = bh_recs_key(&n->recs, i);
	const struct bh_nexthop *v = bh_recs_val(&n->recs, i);

	return json_pack("{s:I,s:s,s:I,s:b,s:o}",
		"id", (json_int_t)v->id,
		"type", bh_ctl_nh_type_name(key->type),
		"live", (json_int_t)v->n_live,
		"stale", (int)bh_recs_is_stale(&n->recs, i),
		"members", bh_json_members(n, key));
}

/* The index is by id already: rows are its used entries in order. */
struct show {
	struct bh_nexthops nexthops;
	uint32_t order[BH_NH_MAX];
};

static json_t *
row(void *ctx, size_t i)
{
	struct show *s = ctx;

	return bh_json_nexthop(&s->nexthops, s->order[i]);
}

int
bh_show_nexthops(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	static struct show s;
	struct bh_rows rows = {.row = row, .ctx = &s};
	int rc;

	bh_nexthops_init(&s.nexthops);
	rc = bh_ctl_fetch_ifnames(core, &s.nexthops.names);
	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_NEXTHOP, &s.nexthops.recs);
	bh_nexthops_prepare(&s.nexthops);
	for (uint32_t id = 0; id < BH_NH_MAX; id++)
		if (s.nexthops.index[id] != 0)
			s.order[rows.n++] = s.nexthops.index[id] - 1;
	if (rc == BH_CTL_OK)
		rc = bh_ctl_print(args, &bh_view_nexthops, &rows);
	bh_nexthops_free(&s.nexthops);
	return rc;
}
