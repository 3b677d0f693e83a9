/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "modules/v6stack/stack.h"

struct bh_netif *
bh_netif_named(struct bh_stack *s, const char name[BH_NAME_LEN])
{
	char padded[BH_NAME_LEN] = {0};
	struct bh_hnode *n;
	struct bh_netif *i;
	uint32_t hash;

	memcpy(padded, name, strnlen(name, BH_NAME_LEN - 1));
	hash = bh_hash(0, padded, sizeof(padded));
	for (n = bh_htab_first(&s->by_name, hash); n != NULL; n = bh_htab_next(n)) {
		i = bh_container_of(n, struct bh_netif, node);
		if (memcmp(i->name, padded, sizeof(padded)) == 0)
			return i;
	}
	i = bh_must_calloc(1, sizeof(*i));
	memcpy(i->name, padded, sizeof(padded));
	TAILQ_INIT(&i->addrs);
	TAILQ_INIT(&i->incomplete);
	TAILQ_INIT(&i->known);
	bh_mld_init(&i->mld);
	bh_ra_init(&i->ra);
	bh_htab_insert(&s->by_name, &i->node, hash);
	TAILQ_INSERT_TAIL(&s->ifs, i, link);
	return i;
}

struct bh_netif *
bh_netif_get(struct bh_stack *s, uint32_t ifindex)
{
	return ifindex < BH_IF_MAX ? s->by_index[ifindex] : NULL;
}

/* The link is there (again): what was learnt of it may be wrong. */
static void
came_up(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_ifaddr *a;

	bh_mld_up(s, i);
	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->active)
			bh_dad_start(s, a);
	bh_neighs_verify(s, i);
}

static void
went_down(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_ifaddr *a;

	TAILQ_FOREACH(a, &i->addrs, link)
		bh_dad_stop(s, a);
}

static void
tell(struct bh_stack *s, const struct bh_netif *i)
{
	if (s->ops->interface != NULL)
		s->ops->interface(s->ctx, i);
}

static void
unbind(struct bh_stack *s, uint32_t ifindex)
{
	struct bh_netif *i = s->by_index[ifindex];

	if (i == NULL)
		return;
	i->up = false;
	i->flags = 0;
	bh_netif_settle(s, i);
	bh_neighs_flush(s, i, 0);
	bh_out_del(&s->out, BH_T_HOSTIF, &(struct bh_ifindex_key){ifindex});
	s->by_index[ifindex] = NULL;
	i->ifindex = 0;
	tell(s, i);
}

static void
set_mac(struct bh_stack *s, struct bh_netif *i, const uint8_t mac[6])
{
	struct bh_ifaddr *a;

	if (memcmp(i->mac, mac, 6) == 0)
		return;
	memcpy(i->mac, mac, 6);
	/* Another link-local address: settle makes it. */
	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->configured && a->active && a->state == BH_ADDR_PREFERRED && i->up)
			bh_dad_announce(s, a);
}

void
bh_netif_put(struct bh_stack *s, uint32_t ifindex, const struct bh_interface *rec)
{
	bool up = rec->oper == BH_OPER_UP, was_up;
	struct bh_netif *i;
	uint32_t flags;

	if (ifindex == 0 || ifindex >= BH_IF_MAX)
		return;
	i = bh_netif_named(s, rec->name);
	if (s->by_index[ifindex] != i)
		unbind(s, ifindex);
	if (i->ifindex != 0 && i->ifindex != ifindex)
		unbind(s, i->ifindex);
	was_up = i->up;
	flags = i->flags & ~rec->flags;
	s->by_index[ifindex] = i;
	i->ifindex = ifindex;
	i->marked = false;
	i->flags = rec->flags;
	i->mtu = rec->mtu;
	i->mtu6 = rec->mtu6;
	i->up = up;
	set_mac(s, i, rec->mac);
	bh_netif_settle(s, i);
	if (!s->running)
		return;
	for (uint8_t family = 4; family <= 6; family += 2)
		if (flags & (family == 4 ? BH_IF_IPV4 : BH_IF_IPV6))
			bh_neighs_flush(s, i, family);
	if (up && !was_up)
		came_up(s, i);
	else if (!up && was_up)
		went_down(s, i);
	bh_ra_settle(s, i);
	tell(s, i);
}

void
bh_netif_delete(struct bh_stack *s, uint32_t ifindex)
{
	if (ifindex < BH_IF_MAX)
		unbind(s, ifindex);
}

void
bh_netifs_mark(struct bh_stack *s)
{
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link)
		i->marked = true;
}

void
bh_netifs_sweep(struct bh_stack *s)
{
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link) {
		if (i->marked && i->ifindex != 0)
			unbind(s, i->ifindex);
		i->marked = false;
	}
}

void
bh_netif_settle(struct bh_stack *s, struct bh_netif *i)
{
	if (!s->running)
		return;
	bh_ifaddrs_settle(s, i);
	bh_mld_settle(s, i);
	bh_ra_settle(s, i);
}

void
bh_netif_send(struct bh_stack *s, struct bh_netif *i, const struct bh_frame *f)
{
	if (!i->up || i->ifindex == 0)
		return;
	if (s->ops->inject(s->ctx, BH_INJECT_RESOLVED, i->ifindex, f->data, f->len) < 0)
		s->stats.inject_failed++;
	else
		s->stats.sent++;
}

void
bh_netifs_fini(struct bh_stack *s)
{
	struct bh_ifaddr *a;
	struct bh_netif *i;

	while ((i = TAILQ_FIRST(&s->ifs)) != NULL) {
		bh_neighs_flush(s, i, 0);
		while ((a = TAILQ_FIRST(&i->addrs)) != NULL) {
			bh_dad_stop(s, a);
			TAILQ_REMOVE(&i->addrs, a, link);
			free(a);
		}
		bh_ra_fini(s, i);
		bh_mld_fini(s, i);
		TAILQ_REMOVE(&s->ifs, i, link);
		bh_htab_remove(&s->by_name, &i->node);
		free(i);
	}
	bh_htab_fini(&s->by_name);
}
