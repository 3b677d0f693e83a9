/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link worker's part: which hook, input and chore does what.
 *
 *     cfg_interface -> link_if -> orders -> port manager -> events -> link_if -> interface, ifs[]
 *     cfg_neighbor, neighbor -> link_adj -> adjs[], attached
 *     nexthop -> link_nh -> nhs[], LIVE and RETIRE to the route workers
 *
 * cfg_address, address and hostif are only checked and stored: nothing of theirs is published
 * here. The order of the parts in a chore is the order of building: interface, adjacency, next hop.
 */
#include "infobase/link.h"

#include <errno.h>
#include <stdlib.h>

#include "infobase/link_priv.h"

#define RETRY_MS 1

static int
chore(void *ctx)
{
	struct bh_link *l = ctx;

	bh_link_if_chore(l);
	bh_link_adj_chore(l);
	bh_link_nh_chore(l);
	/* Looked at last: a next hop that is freed frees adjacencies. */
	return l->if_queue.count || l->adj_queue.count || l->nh_queue.count ? RETRY_MS : -1;
}

static void
bind_hooks(struct bh_link *l)
{
	static const struct {
		uint16_t table;
		struct bh_table_hooks hooks;
	} bind[] = {
		{ BH_T_CFG_INTERFACE, { .check = bh_link_check_cfg_interface,
			.changed = bh_link_cfg_interface_changed,
			.complete = bh_link_cfg_interface_complete } },
		{ BH_T_CFG_ADDRESS, { .check = bh_link_check_cfg_address } },
		{ BH_T_CFG_NEIGHBOR, { .check = bh_link_check_cfg_neighbor,
			.changed = bh_link_cfg_neighbor_changed } },
		{ BH_T_HOSTIF, { .check = bh_link_check_hostif } },
		{ BH_T_ADDRESS, { .check = bh_link_check_address } },
		{ BH_T_NEIGHBOR, { .check = bh_link_check_neighbor,
			.changed = bh_link_neighbor_changed } },
		{ BH_T_NEXTHOP, { .check = bh_link_check_nexthop,
			.changed = bh_link_nexthop_changed } },
	};

	for (size_t i = 0; i < RTE_DIM(bind); i++)
		bh_table_set_hooks(bh_infobase_table(l->conf.ib, bind[i].table), &bind[i].hooks, l);
}

static int
bind_worker(struct bh_link *l)
{
	struct bh_worker *w = bh_infobase_worker(l->conf.ib, BH_GROUP_LINK);
	int ret = bh_worker_add_input(w, bh_ports_events(l->conf.ports), bh_link_port_event, l);

	if (!ret)
		ret = bh_worker_add_input(w, l->conf.links->to_link[0], bh_link_answer4, l);
	if (!ret)
		ret = bh_worker_add_input(w, l->conf.links->to_link[1], bh_link_answer6, l);
	if (!ret)
		ret = bh_worker_add_chore(w, chore, l);
	return ret;
}

struct bh_link *
bh_link_create(const struct bh_link_conf *conf)
{
	struct bh_link *l = calloc(1, sizeof(*l));
	int ret;

	if (!l) {
		errno = ENOMEM;
		return NULL;
	}
	l->conf = *conf;
	l->cfg_interface = bh_infobase_table(conf->ib, BH_T_CFG_INTERFACE);
	l->cfg_neighbor = bh_infobase_table(conf->ib, BH_T_CFG_NEIGHBOR);
	l->interface = bh_infobase_table(conf->ib, BH_T_INTERFACE);
	l->neighbor = bh_infobase_table(conf->ib, BH_T_NEIGHBOR);
	l->nexthop = bh_infobase_table(conf->ib, BH_T_NEXTHOP);
	for (unsigned int i = 0; i < BH_IF_MAX; i++)
		l->ifs[i].ev.port = UINT16_MAX;
	ret = bh_idq_init(&l->if_queue, BH_IF_MAX);
	if (!ret)
		ret = bh_link_adj_init(l);
	if (!ret)
		ret = bh_link_nh_init(l);
	if (!ret)
		ret = bind_worker(l);
	if (ret) {
		bh_link_destroy(l);
		errno = -ret;
		return NULL;
	}
	bind_hooks(l);
	return l;
}

void
bh_link_destroy(struct bh_link *l)
{
	if (!l)
		return;
	bh_idq_free(&l->if_queue);
	bh_link_adj_free(l);
	bh_link_nh_free(l);
	free(l);
}
