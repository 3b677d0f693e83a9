/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From changes of tables to calls of the parts that keep them. A resync is mark and sweep: what
 * is there stays in use until the new dump has ended.
 */
#include <string.h>

#include "modules/v6stack/stack.h"

struct bh_stack_input {
	uint16_t table;
	void (*put)(struct bh_stack *s, const void *key, const void *val);
	void (*del)(struct bh_stack *s, const void *key);
	void (*mark)(struct bh_stack *s);
	void (*sweep)(struct bh_stack *s);
};

static void
interface_put(struct bh_stack *s, const void *key, const void *val)
{
	const struct bh_ifindex_key *k = key;

	bh_netif_put(s, k->ifindex, val);
}

static void
interface_del(struct bh_stack *s, const void *key)
{
	const struct bh_ifindex_key *k = key;

	bh_netif_delete(s, k->ifindex);
}

static void
address_put(struct bh_stack *s, const void *key, const void *val)
{
	const struct bh_cfg_address *v = val;

	bh_ifaddr_cfg_put(s, key, v->plen);
}

static void
address_del(struct bh_stack *s, const void *key)
{
	bh_ifaddr_cfg_delete(s, key);
}

static void
neighbor_put(struct bh_stack *s, const void *key, const void *val)
{
	const struct bh_cfg_neighbor *v = val;

	bh_static_put(s, key, v->mac);
}

static void
neighbor_del(struct bh_stack *s, const void *key)
{
	bh_static_delete(s, key);
}

static void
ra_put(struct bh_stack *s, const void *key, const void *val)
{
	const struct bh_ifname_key *k = key;

	bh_ra_cfg(s, k->name, val);
}

static void
ra_del(struct bh_stack *s, const void *key)
{
	const struct bh_ifname_key *k = key;

	bh_ra_cfg(s, k->name, NULL);
}

static void
prefix_put(struct bh_stack *s, const void *key, const void *val)
{
	bh_ra_cfg_prefix(s, key, val);
}

static void
prefix_del(struct bh_stack *s, const void *key)
{
	bh_ra_cfg_prefix(s, key, NULL);
}

static const struct bh_stack_input inputs[BH_STACK_INPUTS] = {
	{BH_T_INTERFACE, interface_put, interface_del, bh_netifs_mark, bh_netifs_sweep},
	{BH_T_CFG_ADDRESS, address_put, address_del, bh_ifaddrs_mark, bh_ifaddrs_sweep},
	{BH_T_CFG_NEIGHBOR, neighbor_put, neighbor_del, bh_statics_mark, bh_statics_sweep},
	{BH_T_CFG_RA, ra_put, ra_del, bh_ra_mark, bh_ra_sweep},
	{BH_T_CFG_RA_PREFIX, prefix_put, prefix_del, bh_ra_prefixes_mark, bh_ra_prefixes_sweep},
};

void
bh_inputs_init(struct bh_stack *s)
{
	for (unsigned int k = 0; k < BH_STACK_INPUTS; k++)
		s->watch[k] = (struct bh_stack_watch){.s = s, .input = &inputs[k]};
}

uint16_t
bh_stack_table(unsigned int input)
{
	return inputs[input].table;
}

bool
bh_inputs_ready(const struct bh_stack *s)
{
	for (unsigned int k = 0; k < BH_STACK_INPUTS; k++)
		if (!s->watch[k].synced || !s->watch[k].complete)
			return false;
	return true;
}

void
bh_stack_change(void *arg, const struct bh_change *c)
{
	struct bh_stack_watch *w = arg;

	switch (c->op) {
	case BH_OP_PUT:
		w->input->put(w->s, c->key, c->val);
		break;
	case BH_OP_DELETE:
		w->input->del(w->s, c->key);
		break;
	case BH_OP_RESYNC:
		if (!(c->flags & BH_CHANGE_ENDED))
			w->input->mark(w->s);
		break;
	case BH_OP_SYNCED:
		w->input->sweep(w->s);
		w->synced = true;
		break;
	case BH_OP_COMPLETE:
		w->complete = true;
		break;
	}
}
