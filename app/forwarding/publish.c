/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/forwarding/publish.h"

#include <errno.h>
#include <string.h>

#include <rte_debug.h>
#include <rte_hash.h>

#include "app/forwarding/publish_priv.h"

#define IF_FLAGS (BH_FWD_IF_UP | BH_FWD_IF_FORWARD4 | BH_FWD_IF_FORWARD6 | BH_FWD_IF_IPV4 | \
	BH_FWD_IF_IPV6)

static void
enter(struct bh_fwd_publish *p)
{
#ifdef BH_DEBUG
	if (__atomic_exchange_n(&p->busy, 1, __ATOMIC_ACQUIRE) != 0)
		rte_panic("forwarding tables have two writers\n");
#else
	RTE_SET_USED(p);
#endif
}

static void
leave(struct bh_fwd_publish *p)
{
#ifdef BH_DEBUG
	__atomic_store_n(&p->busy, 0, __ATOMIC_RELEASE);
#else
	RTE_SET_USED(p);
#endif
}

/* Publish `src` in an entry whose two copies of `len` bytes lie at `copies`. */
static int
flip(struct bh_fwd_tables *t, void *copies, uint32_t *sel, uint64_t *token, const void *src,
	size_t len)
{
	uint32_t now = *sel;
	int rc = 0;

	enter(t->publish);
	if (memcmp((char *)copies + now * len, src, len) == 0)
		goto out;
	if (!bh_fwd_grace_over(t, *token)) {
		rc = -EAGAIN;
		goto out;
	}
	memcpy((char *)copies + !now * len, src, len);
	__atomic_store_n(sel, !now, __ATOMIC_RELEASE);
	*token = bh_fwd_grace_start(t);
out:
	leave(t->publish);
	return rc;
}

int
bh_fwd_if_put(struct bh_fwd_tables *t, uint32_t ifindex, const struct bh_fwd_if_copy *c)
{
	struct bh_fwd_if *e;

	if (ifindex == 0 || ifindex >= BH_IF_MAX || (c->flags & ~IF_FLAGS) != 0)
		return -EINVAL;
	if ((c->flags & BH_FWD_IF_UP) && (c->mtu == 0 || c->mtu4 == 0 || c->mtu6 == 0))
		return -EINVAL;
	e = &t->ifs[ifindex];
	return flip(t, e->copy, &e->sel, &t->publish->if_token[ifindex], c, sizeof(*c));
}

int
bh_adj_put(struct bh_fwd_tables *t, uint32_t adj, const struct bh_adj_copy *c)
{
	struct bh_adj *e;

	if (adj == 0 || adj >= BH_ADJ_MAX || c->state > BH_ADJ_RESOLVED ||
			c->ifindex >= BH_IF_MAX ||
			(c->state == BH_ADJ_RESOLVED && c->hdr_len != BH_ETH_HDR))
		return -EINVAL;
	e = &t->adjs[adj];
	return flip(t, e->copy, &e->sel, &t->publish->adj_token[adj], c, sizeof(*c));
}

static bool
nh_is_valid(const struct bh_fwd_nh_copy *c)
{
	/* An adjacency index has 16 bits and BH_ADJ_MAX entries: it cannot be out of range. */
	_Static_assert(BH_ADJ_MAX > UINT16_MAX, "every adjacency index is in range");

	if (c->type > BH_NH_PROHIBIT && c->type != BH_FWD_NH_DEAD)
		return false;
	return c->n <= BH_ECMP_MAX && c->ifindex < BH_IF_MAX;
}

int
bh_fwd_nh_put(struct bh_fwd_tables *t, uint32_t id, const struct bh_fwd_nh_copy *c)
{
	struct bh_fwd_nh *e;

	if (id == 0 || id >= BH_NH_MAX || !nh_is_valid(c))
		return -EINVAL;
	e = &t->nhs[id];
	return flip(t, e->copy, &e->sel, &t->publish->nh_token[id], c, sizeof(*c));
}

static bool
key_is_valid(const struct bh_fwd_attached_key *key)
{
	return key->ifindex != 0 && key->ifindex < BH_IF_MAX &&
		(key->family == BH_FIB_IP4 || key->family == BH_FIB_IP6);
}

int
bh_fwd_attached_put(struct bh_fwd_tables *t, const struct bh_fwd_attached_key *key, uint32_t adj)
{
	int rc;

	if (adj == 0 || adj >= BH_ADJ_MAX || !key_is_valid(key))
		return -EINVAL;
	enter(t->publish);
	rc = rte_hash_add_key_data(t->attached, key, (void *)(uintptr_t)adj);
	leave(t->publish);
	return rc;
}

int
bh_fwd_attached_del(struct bh_fwd_tables *t, const struct bh_fwd_attached_key *key)
{
	int rc;

	if (!key_is_valid(key))
		return -EINVAL;
	enter(t->publish);
	rc = rte_hash_del_key(t->attached, key);
	leave(t->publish);
	return rc < 0 ? rc : 0;
}

uint64_t
bh_fwd_grace_start(struct bh_fwd_tables *t)
{
	return rte_rcu_qsbr_start(t->qsbr);
}

bool
bh_fwd_grace_over(struct bh_fwd_tables *t, uint64_t token)
{
	return rte_rcu_qsbr_check(t->qsbr, token, false) == 1;
}
