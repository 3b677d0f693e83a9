/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/iface.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

void
bh_ifaces_init(struct bh_ifaces *t)
{
	memset(t, 0, sizeof(*t));
	TAILQ_INIT(&t->changed);
}

void
bh_ifaces_fini(struct bh_ifaces *t)
{
	struct bh_hnode *n;

	while ((n = bh_htab_any(&t->by_name)) != NULL) {
		bh_htab_remove(&t->by_name, n);
		free(bh_container_of(n, struct bh_iface, node));
	}
	bh_htab_fini(&t->by_name);
}

struct bh_iface *
bh_iface_named(struct bh_ifaces *t, const char name[BH_NAME_LEN])
{
	char padded[BH_NAME_LEN] = {0};
	struct bh_hnode *n;
	struct bh_iface *i;
	uint32_t hash;

	memcpy(padded, name, strnlen(name, BH_NAME_LEN - 1));
	hash = bh_hash(0, padded, sizeof(padded));
	for (n = bh_htab_first(&t->by_name, hash); n != NULL; n = bh_htab_next(n)) {
		i = bh_container_of(n, struct bh_iface, node);
		if (memcmp(i->name, padded, sizeof(padded)) == 0)
			return i;
	}
	i = bh_must_calloc(1, sizeof(*i));
	memcpy(i->name, padded, sizeof(padded));
	TAILQ_INIT(&i->hops);
	bh_htab_insert(&t->by_name, &i->node, hash);
	return i;
}

void
bh_iface_changed(struct bh_ifaces *t, struct bh_iface *i)
{
	if (i->changed)
		return;
	i->changed = true;
	TAILQ_INSERT_TAIL(&t->changed, i, link);
}

static void
iface_unbind(struct bh_ifaces *t, uint32_t ifindex)
{
	struct bh_iface *i = t->by_index[ifindex];

	t->by_index[ifindex] = NULL;
	if (i == NULL || i->ifindex != ifindex)
		return;
	i->ifindex = 0;
	i->flags = 0;
	i->up = false;
	bh_iface_changed(t, i);
}

void
bh_iface_put(struct bh_ifaces *t, uint32_t ifindex, const struct bh_interface *rec)
{
	bool up = rec->oper == BH_OPER_UP;
	struct bh_iface *i;

	if (ifindex == 0 || ifindex >= BH_IF_MAX)
		return;
	i = bh_iface_named(t, rec->name);
	if (t->by_index[ifindex] != i)
		iface_unbind(t, ifindex);
	t->by_index[ifindex] = i;
	i->marked = false;
	if (i->ifindex == ifindex && i->up == up && i->flags == rec->flags)
		return;
	i->ifindex = ifindex;
	i->up = up;
	i->flags = rec->flags;
	bh_iface_changed(t, i);
}

void
bh_iface_delete(struct bh_ifaces *t, uint32_t ifindex)
{
	if (ifindex < BH_IF_MAX)
		iface_unbind(t, ifindex);
}

void
bh_ifaces_resync(struct bh_ifaces *t)
{
	for (uint32_t k = 1; k < BH_IF_MAX; k++)
		if (t->by_index[k] != NULL)
			t->by_index[k]->marked = true;
}

void
bh_ifaces_synced(struct bh_ifaces *t)
{
	for (uint32_t k = 1; k < BH_IF_MAX; k++)
		if (t->by_index[k] != NULL && t->by_index[k]->marked)
			iface_unbind(t, k);
}

bool
bh_iface_usable(const struct bh_iface *i, uint8_t family)
{
	return i->ifindex != 0 && i->up && (i->flags & (family == 4 ? BH_IF_IPV4 : BH_IF_IPV6));
}
