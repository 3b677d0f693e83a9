/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link worker's own part: what the tables of BH_GROUP_LINK mean. Turns cfg_interface into
 * orders for the port manager, its events into `interface` records and published interfaces;
 * neighbors (static first) into adjacencies; next hops into published groups of adjacencies.
 */
#ifndef BH_INFOBASE_LINK_H
#define BH_INFOBASE_LINK_H

#include "infobase/infobase.h"
#include "infobase/nh_links.h"

struct bh_link;
struct bh_fwd_tables;
struct bh_ports;

struct bh_link_conf {
	struct bh_infobase *ib;
	struct bh_fwd_tables *tables;
	struct bh_ports *ports;
	struct bh_nh_links *links;
};

/* Binds hooks, inputs and chores of the link tables. EAL main lcore, before the launch. NULL and
 * errno. */
struct bh_link *bh_link_create(const struct bh_link_conf *conf);
void bh_link_destroy(struct bh_link *link);

#endif
