/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From changes of tables to calls of the parts that keep them. A resync is mark and sweep: what
 * is there stays in use until the new dump has ended.
 */
#include <string.h>

#include "lib/log/log.h"
#include "modules/routing/routing.h"

struct bh_input_ops {
	uint16_t table;
	/* Waited for before the first computation. Not for `address` and `hostif`: they are complete
	 * only once a stack has run, and without one configured addresses are valid. */
	bool need_complete;
	size_t val_min;
	void (*put)(struct bh_routing *r, const void *key, const void *val, size_t len);
	void (*del)(struct bh_routing *r, const void *key);
	void (*resync)(struct bh_routing *r);
	void (*synced)(struct bh_routing *r);
};

/* ---- interface ---- */

static void
interface_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	const struct bh_ifindex_key *k = key;

	(void)len;
	bh_iface_put(&r->ifaces, k->ifindex, val);
	r->fpm.remap = true;
}

static void
interface_del(struct bh_routing *r, const void *key)
{
	const struct bh_ifindex_key *k = key;

	bh_iface_delete(&r->ifaces, k->ifindex);
	r->fpm.remap = true;
}

static void
interface_resync(struct bh_routing *r)
{
	bh_ifaces_resync(&r->ifaces);
}

static void
interface_synced(struct bh_routing *r)
{
	bh_ifaces_synced(&r->ifaces);
	r->fpm.remap = true;
}

/* ---- cfg_address ---- */

static void
cfg_address_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	const struct bh_cfg_address *a = val;

	(void)len;
	bh_addrs_cfg_put(&r->addrs, key, a->plen);
}

static void
cfg_address_del(struct bh_routing *r, const void *key)
{
	bh_addrs_cfg_delete(&r->addrs, key);
}

static void
cfg_address_resync(struct bh_routing *r)
{
	bh_addrs_cfg_resync(&r->addrs);
}

static void
cfg_address_synced(struct bh_routing *r)
{
	bh_addrs_cfg_synced(&r->addrs);
}

/* ---- address ---- */

static void
address_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	(void)len;
	bh_addrs_stack_put(&r->addrs, key, val);
}

static void
address_del(struct bh_routing *r, const void *key)
{
	bh_addrs_stack_delete(&r->addrs, key);
}

static void
address_resync(struct bh_routing *r)
{
	bh_addrs_stack_resync(&r->addrs);
}

static void
address_synced(struct bh_routing *r)
{
	bh_addrs_stack_synced(&r->addrs);
}

/* ---- hostif, cfg_fpm ---- */

static void
hostif_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	const struct bh_ifindex_key *k = key;
	const struct bh_hostif *h = val;

	(void)len;
	bh_fpm_host_put(&r->fpm, k->ifindex, h->host_ifindex);
}

static void
hostif_del(struct bh_routing *r, const void *key)
{
	const struct bh_ifindex_key *k = key;

	bh_fpm_host_delete(&r->fpm, k->ifindex);
}

static void
hostif_resync(struct bh_routing *r)
{
	bh_fpm_host_resync(&r->fpm);
}

static void
hostif_synced(struct bh_routing *r)
{
	bh_fpm_host_synced(&r->fpm);
}

static void
cfg_fpm_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	(void)key;
	(void)len;
	bh_fpm_cfg_put(&r->fpm, val);
}

static void
cfg_fpm_del(struct bh_routing *r, const void *key)
{
	(void)key;
	bh_fpm_cfg_delete(&r->fpm);
}

static void
cfg_fpm_resync(struct bh_routing *r)
{
	bh_fpm_cfg_resync(&r->fpm);
}

static void
cfg_fpm_synced(struct bh_routing *r)
{
	bh_fpm_cfg_synced(&r->fpm);
}

/* ---- cfg_route4, cfg_route6 ---- */

/* A record that does not parse takes the place of nothing: what was there is gone too. */
static void
route_put(struct bh_source *s, uint8_t family, const void *key, const void *val, size_t len)
{
	if (bh_static_put(s, family, key, val, len) == 0)
		return;
	bh_warn("inputs", "cfg_route%u: malformed record", family);
	bh_static_delete(s, family, key);
}

static void
route4_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	route_put(&r->static4, 4, key, val, len);
}

static void
route4_del(struct bh_routing *r, const void *key)
{
	bh_static_delete(&r->static4, 4, key);
}

static void
route4_resync(struct bh_routing *r)
{
	bh_source_resync(&r->static4);
}

static void
route4_synced(struct bh_routing *r)
{
	bh_source_synced(&r->static4);
}

static void
route6_put(struct bh_routing *r, const void *key, const void *val, size_t len)
{
	route_put(&r->static6, 6, key, val, len);
}

static void
route6_del(struct bh_routing *r, const void *key)
{
	bh_static_delete(&r->static6, 6, key);
}

static void
route6_resync(struct bh_routing *r)
{
	bh_source_resync(&r->static6);
}

static void
route6_synced(struct bh_routing *r)
{
	bh_source_synced(&r->static6);
}

/* The first BH_ROUTING_BASE say what the others rest on. */
static const struct bh_input_ops input_ops[BH_ROUTING_INPUTS] = {
	{BH_T_INTERFACE, true, sizeof(struct bh_interface), interface_put, interface_del,
		interface_resync, interface_synced},
	{BH_T_CFG_ADDRESS, true, sizeof(struct bh_cfg_address), cfg_address_put, cfg_address_del,
		cfg_address_resync, cfg_address_synced},
	{BH_T_ADDRESS, false, sizeof(struct bh_address), address_put, address_del, address_resync,
		address_synced},
	{BH_T_HOSTIF, false, sizeof(struct bh_hostif), hostif_put, hostif_del, hostif_resync,
		hostif_synced},
	{BH_T_CFG_FPM, true, sizeof(struct bh_cfg_fpm), cfg_fpm_put, cfg_fpm_del, cfg_fpm_resync,
		cfg_fpm_synced},
	{BH_T_CFG_ROUTE4, true, offsetof(struct bh_cfg_route, hop), route4_put, route4_del,
		route4_resync, route4_synced},
	{BH_T_CFG_ROUTE6, true, offsetof(struct bh_cfg_route, hop), route6_put, route6_del,
		route6_resync, route6_synced},
};

void
bh_inputs_init(struct bh_routing *r)
{
	unsigned int i;

	for (i = 0; i < BH_ROUTING_INPUTS; i++)
		r->input[i] = (struct bh_input){.r = r, .ops = &input_ops[i]};
}

uint16_t
bh_routing_table(const struct bh_routing *r, unsigned int input)
{
	return r->input[input].ops->table;
}

/* Its owner replays, and has not said that it is whole. */
static bool
input_waits(const struct bh_input *in)
{
	return !in->complete && (in->ops->need_complete || in->was_complete);
}

static bool
inputs_are(const struct bh_routing *r, unsigned int n)
{
	for (const struct bh_input *in = r->input; in < r->input + n; in++)
		if (!in->synced || input_waits(in))
			return false;
	return true;
}

bool
bh_inputs_ready(const struct bh_routing *r)
{
	return inputs_are(r, BH_ROUTING_INPUTS);
}

bool
bh_inputs_based(const struct bh_routing *r)
{
	return inputs_are(r, BH_ROUTING_BASE);
}

/* What did not come again goes, once the table was seen whole: after the core's restart it is
 * empty at first. */
static void
input_sweep(struct bh_input *in)
{
	if (!in->marked || !in->dumped || input_waits(in))
		return;
	in->marked = false;
	in->ops->synced(in->r);
}

static void
input_resync(struct bh_input *in, bool ended)
{
	in->marked = true;
	in->dumped = false;
	in->ops->resync(in->r);
	if (!ended)
		return;
	in->was_complete |= in->complete;
	in->synced = in->complete = false;
}

void
bh_routing_change(void *arg, const struct bh_change *c)
{
	struct bh_input *in = arg;

	in->r->changed = true;
	switch (c->op) {
	case BH_OP_PUT:
		if (c->val_len >= in->ops->val_min)
			in->ops->put(in->r, c->key, c->val, c->val_len);
		break;
	case BH_OP_DELETE:
		in->ops->del(in->r, c->key);
		break;
	case BH_OP_RESYNC:
		input_resync(in, c->flags & BH_CHANGE_ENDED);
		break;
	case BH_OP_SYNCED:
		in->synced = in->dumped = true;
		input_sweep(in);
		break;
	case BH_OP_COMPLETE:
		in->complete = true;
		input_sweep(in);
		break;
	}
}
