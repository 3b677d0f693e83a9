/* SPDX-License-Identifier: BSD-3-Clause */
/* /bulkhead:bulkhead/fpm to the record of cfg_fpm: distances that are not given are filled in. */
#include <libyang/libyang.h>
#include <string.h>

#include "config/config.h"
#include "lib/net/zproto.h"

static void
map_distances(struct bh_cfg_fpm *val, const struct lyd_node *fpm)
{
	const struct lyd_node *node;
	int proto;

	for (unsigned int i = 0; i < 256; i++)
		val->distance[i] = bh_zproto_distance((uint8_t)i);
	LY_LIST_FOR(lyd_child(fpm), node) {
		if (strcmp(LYD_NAME(node), "protocol") != 0)
			continue;
		proto = bh_zproto_find(bh_yang_string(node, "name"));
		if (proto >= 0) /* as the type of the leaf has it */
			val->distance[proto] = (uint8_t)bh_yang_number(node, "distance");
	}
}

void
bh_map_fpm(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d)
{
	const struct lyd_node *fpm =
		bh_yang_child(bh_yang_top(tree, "bulkhead", "bulkhead"), "fpm");
	struct bh_ifname_key key = {"fpm"};
	struct bh_cfg_fpm val = {0};
	int family;

	if (fpm == NULL)
		return;
	family = bh_addr_parse(bh_yang_string(fpm, "address"), val.addr);
	if (family < 0)
		return; /* not by the type of the leaf */
	if ((family == BH_IP4 && (val.addr[0] & 0xf0) == 0xe0) ||
		(family == BH_IP6 && bh_ip6_is_multicast(val.addr)))
		bh_diag(d, bh_yang_child(fpm, "address"), "Address %s is multicast.",
			bh_yang_string(fpm, "address"));
	val.family = (uint8_t)family;
	val.port = (uint16_t)bh_yang_number(fpm, "port");
	val.settle = (uint16_t)bh_yang_number(fpm, "settle");
	val.replay_limit = (uint16_t)bh_yang_number(fpm, "replay-limit");
	map_distances(&val, fpm);
	bh_records_add(&m->records, BH_T_CFG_FPM, &key, sizeof(key), &val, sizeof(val));
}
