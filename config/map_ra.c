/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ietf-ipv6-router-advertisements (RFC 8349) to records of cfg_ra and cfg_ra_prefix: for
 * interfaces that shall advertise. What the leaves leave to the router is filled in here.
 */
#include <libyang/libyang.h>
#include <string.h>

#include "config/config.h"

#define HOP_LIMIT 64 /* RFC 1700's default, as the model asks */
#define MTU_MIN 1280

static void
map_prefix(struct bh_model *m, const struct bh_model_if *p, const struct lyd_node *node,
	struct bh_diag *d)
{
	struct bh_cfg_ra_prefix_key key = {0};
	struct bh_cfg_ra_prefix val = {0};
	const char *text = bh_yang_string(node, "prefix-spec");
	struct bh_prefix prefix;

	if (bh_prefix_parse(text, &prefix) != 0)
		return; /* not by the type of the leaf */
	bh_prefix_mask(&prefix);
	if (bh_ip6_is_link_local(prefix.addr) || bh_ip6_is_multicast(prefix.addr))
		bh_diag(d, node, "Prefix %s is %s and cannot be advertised.", text,
			bh_ip6_is_multicast(prefix.addr) ? "multicast" : "link-local");
	memcpy(key.name, p->name, sizeof(key.name));
	memcpy(key.addr, prefix.addr, sizeof(key.addr));
	key.plen = prefix.plen;
	if (bh_yang_child(node, "no-advertise") != NULL) {
		val.flags = BH_RA_PREFIX_NONE;
	} else {
		val.valid = bh_yang_number(node, "valid-lifetime");
		val.preferred = bh_yang_number(node, "preferred-lifetime");
		if (bh_yang_bool(node, "on-link-flag"))
			val.flags |= BH_RA_PREFIX_ON_LINK;
		if (bh_yang_bool(node, "autonomous-flag"))
			val.flags |= BH_RA_PREFIX_AUTONOMOUS;
	}
	bh_records_add(&m->records, BH_T_CFG_RA_PREFIX, &key, sizeof(key), &val, sizeof(val));
}

/* Router lifetime: three intervals unless configured (RFC 4861 §6.2.1, RFC 8319). */
static uint16_t
lifetime(const struct lyd_node *ra, uint32_t max, struct bh_diag *d)
{
	const struct lyd_node *node = bh_yang_child(ra, "default-lifetime");
	uint32_t value = bh_yang_number(ra, "default-lifetime");

	if (node == NULL)
		return (uint16_t)(3 * max > UINT16_MAX ? UINT16_MAX : 3 * max);
	if (value != 0 && value < max)
		bh_diag(d, node, "Default lifetime %u s is shorter than max-rtr-adv-interval %u s.",
			value, max);
	return (uint16_t)value;
}

static uint16_t
min_interval(const struct lyd_node *ra, uint32_t max)
{
	if (bh_yang_child(ra, "min-rtr-adv-interval") != NULL)
		return (uint16_t)bh_yang_number(ra, "min-rtr-adv-interval");
	return (uint16_t)(max >= 9 ? max * 33 / 100 : max * 75 / 100);
}

static void
check_mtu(const struct bh_model_if *p, const struct lyd_node *ra, uint32_t mtu, struct bh_diag *d)
{
	if (mtu != 0 && mtu < MTU_MIN)
		bh_diag(d, bh_yang_child(ra, "link-mtu"), "Link MTU %u is less than IPv6's %d.", mtu,
			MTU_MIN);
	else if (p->cfg.mtu != 0 && mtu > p->cfg.mtu)
		bh_diag(d, bh_yang_child(ra, "link-mtu"), "Link MTU %u is larger than the link's %u.",
			mtu, p->cfg.mtu);
}

static void
map_ra(struct bh_model *m, const struct bh_model_if *p, const struct lyd_node *ra,
	struct bh_diag *d)
{
	uint32_t max = bh_yang_number(ra, "max-rtr-adv-interval");
	struct bh_cfg_ra val = {
		.flags = BH_RA_SEND,
		.hop_limit = HOP_LIMIT,
		.lifetime = lifetime(ra, max, d),
		.max_interval = (uint16_t)max,
		.min_interval = min_interval(ra, max),
		.mtu = bh_yang_number(ra, "link-mtu"),
		.reachable = bh_yang_number(ra, "reachable-time"),
		.retrans = bh_yang_number(ra, "retrans-timer"),
	};
	struct bh_ifname_key key;
	const struct lyd_node *node;

	if (bh_yang_child(ra, "cur-hop-limit") != NULL)
		val.hop_limit = (uint8_t)bh_yang_number(ra, "cur-hop-limit");
	if (bh_yang_bool(ra, "managed-flag"))
		val.flags |= BH_RA_MANAGED;
	if (bh_yang_bool(ra, "other-config-flag"))
		val.flags |= BH_RA_OTHER;
	check_mtu(p, ra, val.mtu, d);
	memcpy(key.name, p->name, sizeof(key.name));
	bh_records_add(&m->records, BH_T_CFG_RA, &key, sizeof(key), &val, sizeof(val));
	node = bh_yang_child(ra, "prefix-list");
	LY_LIST_FOR(node != NULL ? lyd_child(node) : NULL, node)
		map_prefix(m, p, node, d);
}

void
bh_map_ra(struct bh_model *m, struct bh_diag *d)
{
	for (unsigned int i = 0; i < m->n_ifs; i++) {
		const struct lyd_node *ipv6 = bh_yang_child(m->ifs[i].node, "ipv6");
		const struct lyd_node *ra = bh_yang_child(ipv6, "ipv6-router-advertisements");

		if ((m->ifs[i].cfg.flags & BH_IF_IPV6) && bh_yang_bool(ra, "send-advertisements"))
			map_ra(m, &m->ifs[i], ra, d);
	}
}
