/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP (RFC 826) with conflict detection (RFC 5227). A neighbor is made only by who asks for an
 * address of ours or whom we asked, and only from inside a subnet of the interface; who merely
 * speaks can correct an entry that is there.
 */
#include "modules/v6stack/arp.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

static const uint8_t none[6];

static bool
is_zero4(const uint8_t *addr)
{
	return memcmp(addr, none, 4) == 0;
}

/* Another uses, or probes for, an address of ours? Told to dad.c. */
static bool
check_conflict(struct bh_stack *s, struct bh_netif *i, const struct ether_arp *a)
{
	bool probe = is_zero4(a->arp_spa) && a->arp_op == htons(ARPOP_REQUEST);
	struct bh_ifaddr *mine = bh_ifaddr_find(i, 4, probe ? a->arp_tpa : a->arp_spa);

	if (mine == NULL || memcmp(a->arp_sha, i->mac, 6) == 0)
		return false;
	if (probe && mine->state == BH_ADDR_PREFERRED)
		return false; /* the reply tells it */
	bh_dad_conflict(s, mine, a->arp_sha, probe);
	return true;
}

static void
reply(struct bh_stack *s, struct bh_netif *i, const struct ether_arp *a)
{
	struct bh_frame f;

	bh_frame_arp(&f, ARPOP_REPLY, a->arp_sha, i->mac, a->arp_tpa, a->arp_sha, a->arp_spa);
	bh_netif_send(s, i, &f);
	s->stats.arp_replies++;
}

static bool
is_host_address(const uint8_t *addr)
{
	uint32_t v;

	memcpy(&v, addr, sizeof(v));
	return !bh_ip4_src_is_martian(v);
}

/* The sender as a neighbor. asks: it wants to talk with us. */
static void
learn(struct bh_stack *s, struct bh_netif *i, const struct ether_arp *a, bool asks)
{
	uint8_t addr[16] = {0};
	struct bh_neigh *n;

	memcpy(addr, a->arp_spa, 4);
	if (!is_host_address(addr) || !bh_ifaddr_on_link(i, 4, addr))
		return;
	n = bh_neigh_find(s, i, 4, addr);
	if (n == NULL && asks)
		n = bh_neigh_make(s, i, 4, addr);
	if (n == NULL)
		return;
	/* Sent to us alone, an answer to what we asked. */
	if (a->arp_op == htons(ARPOP_REPLY) && memcmp(a->arp_tha, i->mac, 6) == 0)
		bh_nud_confirm(s, n, a->arp_sha);
	else
		bh_nud_learn(s, n, a->arp_sha);
}

void
bh_arp_input(struct bh_stack *s, struct bh_netif *i, const uint8_t *frame, size_t len)
{
	const struct ether_arp *a = bh_arp_parse(frame, len);
	struct bh_ifaddr *mine;
	bool asks;

	if (a == NULL || memcmp(a->arp_sha, i->mac, 6) == 0 || !bh_netif_has(i, 4)) {
		s->stats.bad_arp++;
		return;
	}
	if (check_conflict(s, i, a))
		return;
	mine = bh_ifaddr_find(i, 4, a->arp_tpa);
	asks = a->arp_op == htons(ARPOP_REQUEST) && mine != NULL && mine->state == BH_ADDR_PREFERRED;
	if (!is_zero4(a->arp_spa))
		learn(s, i, a, asks);
	if (asks)
		reply(s, i, a);
}

bool
bh_arp_solicit(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16], const uint8_t *mac)
{
	const struct bh_ifaddr *src = bh_ifaddr_source(i, 4, addr);
	struct bh_frame f;

	if (src == NULL)
		return false;
	bh_frame_arp(&f, ARPOP_REQUEST, mac != NULL ? mac : bh_mac_broadcast, i->mac, src->addr,
		none, addr);
	bh_netif_send(s, i, &f);
	return true;
}
