/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "lib/log/log.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

static struct bh_ifaddr *
find_any(const struct bh_netif *i, uint8_t family, const uint8_t *addr)
{
	struct bh_ifaddr *a;

	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->family == family && memcmp(a->addr, addr, bh_addr_len(family)) == 0)
			return a;
	return NULL;
}

static struct bh_ifaddr *
make(struct bh_netif *i, uint8_t family, const uint8_t *addr)
{
	struct bh_ifaddr *a = find_any(i, family, addr);

	if (a != NULL)
		return a;
	a = bh_must_calloc(1, sizeof(*a));
	a->on = i;
	a->family = family;
	memcpy(a->addr, addr, bh_addr_len(family));
	TAILQ_INSERT_TAIL(&i->addrs, a, link);
	return a;
}

static void
make_key(const struct bh_ifaddr *a, struct bh_if_addr_key *k)
{
	memset(k, 0, sizeof(*k));
	k->ifindex = a->on->ifindex;
	k->family = a->family;
	memcpy(k->addr, a->addr, sizeof(k->addr));
}

bool
bh_ifaddr_is_stored(struct bh_stack *s, const struct bh_ifaddr *a)
{
	struct bh_if_addr_key key;

	make_key(a, &key);
	return bh_out_is_stored(&s->out, BH_T_ADDRESS, &key);
}

void
bh_ifaddr_set_state(struct bh_stack *s, struct bh_ifaddr *a, uint8_t state)
{
	struct bh_address val = {.plen = a->plen, .state = state};
	struct bh_if_addr_key key;

	make_key(a, &key);
	a->state = state;
	bh_out_put(&s->out, BH_T_ADDRESS, &key, &val);
	bh_stack_address_changed(s, a);
	bh_ra_settle(s, a->on);
}

/* ---- what is configured ---- */

void
bh_ifaddr_cfg_put(struct bh_stack *s, const struct bh_cfg_address_key *k, uint8_t plen)
{
	struct bh_netif *i = bh_netif_named(s, k->name);
	struct bh_ifaddr *a;

	if ((k->family != 4 && k->family != 6) || plen > bh_addr_bits(k->family))
		return;
	a = make(i, k->family, k->addr);
	a->configured = true;
	a->marked = false;
	if (a->plen != plen) {
		a->plen = plen;
		if (a->active)
			bh_ifaddr_set_state(s, a, a->state);
	}
	bh_netif_settle(s, i);
}

void
bh_ifaddr_cfg_delete(struct bh_stack *s, const struct bh_cfg_address_key *k)
{
	struct bh_netif *i = bh_netif_named(s, k->name);
	struct bh_ifaddr *a = find_any(i, k->family, k->addr);

	if (a == NULL)
		return;
	a->configured = false;
	bh_netif_settle(s, i);
}

void
bh_ifaddrs_mark(struct bh_stack *s)
{
	struct bh_ifaddr *a;
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link)
		TAILQ_FOREACH(a, &i->addrs, link)
			a->marked = a->configured;
}

void
bh_ifaddrs_sweep(struct bh_stack *s)
{
	struct bh_ifaddr *a;
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link) {
		TAILQ_FOREACH(a, &i->addrs, link)
			if (a->marked)
				a->configured = a->marked = false;
		bh_netif_settle(s, i);
	}
}

/* ---- what is active ---- */

static void
start(struct bh_stack *s, struct bh_ifaddr *a)
{
	struct bh_if_addr_key key;

	a->active = true;
	make_key(a, &key);
	bh_ifaddr_set_state(s, a, bh_stack_recovered_address(s, &key));
	bh_mld_address(s, a->on, a, true);
	/* One that was found good or bad before is not asked for again. */
	if (a->state == BH_ADDR_TENTATIVE && a->on->up)
		bh_dad_start(s, a);
}

static void
stop(struct bh_stack *s, struct bh_ifaddr *a)
{
	struct bh_if_addr_key key;

	bh_dad_stop(s, a);
	bh_mld_address(s, a->on, a, false);
	a->active = false;
	make_key(a, &key);
	bh_out_del(&s->out, BH_T_ADDRESS, &key);
	bh_stack_address_changed(s, a);
}

static bool
has_configured_link_local(const struct bh_netif *i)
{
	const struct bh_ifaddr *a;

	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->configured && a->family == 6 && bh_ip6_is_link_local(a->addr))
			return true;
	return false;
}

static void
settle_link_local(struct bh_netif *i)
{
	bool wanted = bh_netif_has(i, 6) && bh_mac_is_host(i->mac) &&
		      !has_configured_link_local(i);
	struct bh_ifaddr *a;
	uint8_t addr[16];

	TAILQ_FOREACH(a, &i->addrs, link)
		a->automatic = false;
	if (!wanted)
		return;
	bh_ip6_link_local(i->mac, addr);
	a = make(i, 6, addr);
	a->automatic = true;
	a->plen = 64;
}

void
bh_ifaddrs_settle(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_ifaddr *a, *next;
	bool wanted;

	settle_link_local(i);
	for (a = TAILQ_FIRST(&i->addrs); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		wanted = a->configured || a->automatic;
		if (a->active && !(wanted && bh_netif_has(i, a->family)))
			stop(s, a);
		if (wanted)
			continue;
		TAILQ_REMOVE(&i->addrs, a, link);
		free(a);
	}
	TAILQ_FOREACH(a, &i->addrs, link)
		if (!a->active && bh_netif_has(i, a->family))
			start(s, a);
}

/* ---- questions ---- */

struct bh_ifaddr *
bh_ifaddr_find(const struct bh_netif *i, uint8_t family, const uint8_t *addr)
{
	struct bh_ifaddr *a = find_any(i, family, addr);

	return a != NULL && a->active ? a : NULL;
}

static bool
is_valid(const struct bh_netif *i, uint8_t family, const uint8_t *addr)
{
	const struct bh_ifaddr *a = bh_ifaddr_find(i, family, addr);

	return a != NULL && a->state == BH_ADDR_PREFERRED;
}

bool
bh_ifaddr_is_ours(struct bh_stack *s, struct bh_netif *i, uint8_t family, const uint8_t *addr)
{
	if (family == 6 && bh_ip6_is_link_local(addr))
		return is_valid(i, family, addr);
	TAILQ_FOREACH(i, &s->ifs, link)
		if (is_valid(i, family, addr))
			return true;
	return false;
}

const struct bh_ifaddr *
bh_ifaddr_source(const struct bh_netif *i, uint8_t family, const uint8_t *dst)
{
	const struct bh_ifaddr *a, *best = NULL;
	int score, top = -1;

	TAILQ_FOREACH(a, &i->addrs, link) {
		if (!a->active || a->family != family || a->state != BH_ADDR_PREFERRED)
			continue;
		score = bh_addr_match(a->addr, dst, a->plen) ? 2 : 0;
		if (family == 6)
			score += bh_ip6_is_link_local(a->addr) == bh_ip6_is_link_local(dst);
		if (score > top) {
			best = a;
			top = score;
		}
	}
	return best;
}

const struct bh_ifaddr *
bh_ifaddr_link_local(const struct bh_netif *i)
{
	const struct bh_ifaddr *a;

	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->active && a->family == 6 && a->state == BH_ADDR_PREFERRED &&
			bh_ip6_is_link_local(a->addr))
			return a;
	return NULL;
}

bool
bh_ifaddr_on_link(const struct bh_netif *i, uint8_t family, const uint8_t *addr)
{
	const struct bh_ifaddr *a;

	if (family == 6 && bh_ip6_is_link_local(addr))
		return true;
	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->active && a->family == family && bh_addr_match(a->addr, addr, a->plen))
			return true;
	return false;
}
