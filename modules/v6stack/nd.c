/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/nd.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

/* ---- sending ---- */

bool
bh_nd_solicit(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16], const uint8_t *mac)
{
	const struct bh_ifaddr *src = bh_ifaddr_source(i, 6, addr);
	struct nd_neighbor_solicit *ns;
	struct bh_frame f;
	uint8_t group[16];

	if (src == NULL)
		return false;
	bh_ip6_solicited_node(addr, group);
	ns = bh_frame_icmp6(&f, i->mac, mac, src->addr, mac != NULL ? addr : group, false,
		sizeof(*ns));
	ns->nd_ns_type = ND_NEIGHBOR_SOLICIT;
	memcpy(&ns->nd_ns_target, addr, 16);
	bh_frame_opt_lladdr(&f, ND_OPT_SOURCE_LINKADDR, i->mac);
	bh_frame_icmp6_end(&f);
	bh_netif_send(s, i, &f);
	return true;
}

void
bh_nd_send_probe(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16],
	const uint8_t *nonce)
{
	struct nd_neighbor_solicit *ns;
	struct bh_frame f;
	uint8_t group[16];

	bh_ip6_solicited_node(addr, group);
	ns = bh_frame_icmp6(&f, i->mac, NULL, bh_ip6_any, group, false, sizeof(*ns));
	ns->nd_ns_type = ND_NEIGHBOR_SOLICIT;
	memcpy(&ns->nd_ns_target, addr, 16);
	bh_frame_opt_nonce(&f, nonce);
	bh_frame_icmp6_end(&f);
	bh_netif_send(s, i, &f);
}

void
bh_nd_send_advert(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16],
	const uint8_t *dst, const uint8_t *dst_mac, bool solicited)
{
	uint32_t flags = ND_NA_FLAG_OVERRIDE;
	struct nd_neighbor_advert *na;
	struct bh_frame f;

	na = bh_frame_icmp6(&f, i->mac, dst_mac, addr, dst != NULL ? dst : bh_ip6_all_nodes, false,
		sizeof(*na));
	na->nd_na_type = ND_NEIGHBOR_ADVERT;
	if (solicited)
		flags |= ND_NA_FLAG_SOLICITED;
	if (i->flags & BH_IF_FORWARD6)
		flags |= ND_NA_FLAG_ROUTER;
	na->nd_na_flags_reserved = flags;
	memcpy(&na->nd_na_target, addr, 16);
	bh_frame_opt_lladdr(&f, ND_OPT_TARGET_LINKADDR, i->mac);
	bh_frame_icmp6_end(&f);
	bh_netif_send(s, i, &f);
	s->stats.adverts++;
}

/* ---- solicitations ---- */

static bool
is_any(const void *addr)
{
	return memcmp(addr, bh_ip6_any, 16) == 0;
}

/* The sender of a valid message as a neighbor. */
static void
learn(struct bh_stack *s, struct bh_netif *i, const void *src, const uint8_t *mac)
{
	struct bh_neigh *n;

	if (mac == NULL || !bh_mac_is_host(mac) || !bh_ifaddr_on_link(i, 6, src) ||
		bh_ip6_src_is_martian(src))
		return;
	n = bh_neigh_find(s, i, 6, src);
	if (n == NULL)
		n = bh_neigh_make(s, i, 6, src);
	if (n != NULL)
		bh_nud_learn(s, n, mac);
}

/* Somebody asks for an address of ours before using it. */
static void
probed(struct bh_stack *s, struct bh_ifaddr *mine, const struct bh_pkt6 *p,
	const struct bh_nd_opts *o)
{
	if (o->nonce != NULL && memcmp(o->nonce, mine->dad.nonce, BH_NONCE_LEN) == 0)
		return; /* our own, looped back */
	if (mine->state == BH_ADDR_PREFERRED)
		bh_nd_send_advert(s, mine->on, mine->addr, NULL, NULL, false);
	else
		bh_dad_conflict(s, mine, p->eth->ether_shost, true);
}

static void
solicited(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p)
{
	const struct nd_neighbor_solicit *ns = (const void *)p->l4;
	const uint8_t *src = (const void *)&p->ip->ip6_src, *dst = (const void *)&p->ip->ip6_dst;
	const uint8_t *target = (const void *)&ns->nd_ns_target, *mac;
	struct bh_ifaddr *mine;
	struct bh_nd_opts o;
	uint8_t group[16];

	if (p->l4_len < sizeof(*ns) || ns->nd_ns_code != 0 || bh_ip6_is_multicast(target) ||
		bh_nd_opts_parse(p->l4 + sizeof(*ns), p->l4_len - sizeof(*ns), &o) < 0)
		goto bad;
	bh_ip6_solicited_node(target, group);
	if (is_any(src) && (memcmp(dst, group, 16) != 0 || o.source != NULL))
		goto bad;
	mine = bh_ifaddr_find(i, 6, target);
	if (mine == NULL)
		return;
	if (is_any(src)) {
		probed(s, mine, p, &o);
		return;
	}
	if (mine->state != BH_ADDR_PREFERRED || bh_ifaddr_find(i, 6, src) != NULL)
		return;
	learn(s, i, src, o.source);
	mac = o.source != NULL ? o.source : bh_neigh_mac(s, i, 6, src);
	if (mac == NULL)
		mac = p->eth->ether_shost;
	if (bh_mac_is_host(mac))
		bh_nd_send_advert(s, i, mine->addr, src, mac, true);
	return;
bad:
	s->stats.bad_nd++;
}

/* ---- advertisements ---- */

/* RFC 4861 §7.2.5. */
static void
advert_update(struct bh_stack *s, struct bh_neigh *n, uint32_t flags, const uint8_t *mac)
{
	bool other = mac != NULL && memcmp(mac, n->mac, 6) != 0, was = n->router;

	if (n->state == BH_NUD_INCOMPLETE) {
		if (mac == NULL)
			return;
		n->router = (flags & ND_NA_FLAG_ROUTER) != 0;
		if (flags & ND_NA_FLAG_SOLICITED)
			bh_nud_confirm(s, n, mac);
		else
			bh_nud_learn(s, n, mac);
		return;
	}
	if (other && !(flags & ND_NA_FLAG_OVERRIDE)) {
		if (n->state == BH_NUD_REACHABLE)
			bh_nud_set(s, n, BH_NUD_STALE);
		return;
	}
	n->router = (flags & ND_NA_FLAG_ROUTER) != 0;
	if (flags & ND_NA_FLAG_SOLICITED)
		bh_nud_confirm(s, n, mac != NULL ? mac : n->mac);
	else if (other)
		bh_nud_learn(s, n, mac);
	else if (n->router != was)
		bh_neigh_publish(s, n);
}

static void
advertised(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p)
{
	const struct nd_neighbor_advert *na = (const void *)p->l4;
	const uint8_t *target = (const void *)&na->nd_na_target;
	struct bh_ifaddr *mine;
	struct bh_nd_opts o;
	struct bh_neigh *n;

	if (p->l4_len < sizeof(*na) || na->nd_na_code != 0 || bh_ip6_is_multicast(target) ||
		(bh_ip6_is_multicast((const void *)&p->ip->ip6_dst) &&
			(na->nd_na_flags_reserved & ND_NA_FLAG_SOLICITED)) ||
		bh_nd_opts_parse(p->l4 + sizeof(*na), p->l4_len - sizeof(*na), &o) < 0 ||
		(o.target != NULL && !bh_mac_is_host(o.target))) {
		s->stats.bad_nd++;
		return;
	}
	mine = bh_ifaddr_find(i, 6, target);
	if (mine != NULL) {
		bh_dad_conflict(s, mine, o.target != NULL ? o.target : p->eth->ether_shost, false);
		return;
	}
	n = bh_neigh_find(s, i, 6, target);
	if (n != NULL)
		advert_update(s, n, na->nd_na_flags_reserved, o.target);
}

/* ---- router solicitations ---- */

static void
router_solicited(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p)
{
	const uint8_t *src = (const void *)&p->ip->ip6_src;
	struct bh_nd_opts o;
	size_t head = sizeof(struct nd_router_solicit);

	if (p->l4_len < head || p->l4[1] != 0 ||
		bh_nd_opts_parse(p->l4 + head, p->l4_len - head, &o) < 0 ||
		(is_any(src) && o.source != NULL)) {
		s->stats.bad_nd++;
		return;
	}
	if (!is_any(src) && bh_ifaddr_find(i, 6, src) == NULL)
		learn(s, i, src, o.source);
	bh_ra_solicited(s, i);
}

void
bh_nd_input(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p)
{
	if (p->ip->ip6_hlim != 255 || memcmp(p->eth->ether_shost, i->mac, 6) == 0) {
		s->stats.bad_nd++;
		return;
	}
	switch (p->l4[0]) {
	case ND_NEIGHBOR_SOLICIT:
		solicited(s, i, p);
		break;
	case ND_NEIGHBOR_ADVERT:
		advertised(s, i, p);
		break;
	case ND_ROUTER_SOLICIT:
		router_solicited(s, i, p);
		break;
	default: /* others' advertisements and redirects are for hosts */
		break;
	}
}
