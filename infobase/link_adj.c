/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adjacencies: one for each (interface, family, address) that a next hop or a neighbor names. It
 * has a MAC address when a neighbor is known: a static one of the configuration before what the
 * stack learnt. Which, the two tables are asked each time; nothing is kept twice. A neighbor
 * is known only while its interface is configured; before and after, it is just a record.
 *
 * settle() drives one adjacency towards what the tables say and can be repeated: publish the entry,
 * then enter it in (or first take it out of) the hash of attached neighbors; without neighbor
 * and reference wait for a grace period, in which it may come to life again, and free the index.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_jhash.h>

#include "infobase/link_priv.h"
#include "lib/log/log.h"

#define AREA "link"

int
bh_link_adj_init(struct bh_link *l)
{
	int ret = bh_idq_init(&l->adj_queue, BH_ADJ_MAX);

	if (!ret)
		ret = bh_idhash_init(&l->adj_hash, BH_ADJ_MAX);
	l->adjs = calloc(BH_ADJ_MAX, sizeof(*l->adjs));
	l->adj_free = BH_ADJ_MAX - 1;
	l->adj_first = 1;
	return ret || l->adjs ? ret : -ENOMEM;
}

void
bh_link_adj_free(struct bh_link *l)
{
	bh_idq_free(&l->adj_queue);
	bh_idhash_free(&l->adj_hash);
	free(l->adjs);
}

bool
bh_link_adj_room(const struct bh_link *l, unsigned int n)
{
	return l->adj_free >= n;
}

static void
make_key(struct bh_adj_key *k, uint32_t ifindex, uint8_t family, const uint8_t *addr)
{
	memset(k, 0, sizeof(*k));
	k->ifindex = ifindex;
	k->family = family;
	memcpy(k->addr, addr, sizeof(k->addr));
}

static bool
same_key(const struct bh_adj_key *a, const struct bh_adj_key *b)
{
	return a->ifindex == b->ifindex && a->family == b->family &&
		!memcmp(a->addr, b->addr, sizeof(a->addr));
}

static uint32_t
hash_key(const struct bh_adj_key *k)
{
	return rte_jhash(k->addr, sizeof(k->addr), (uint32_t)k->ifindex << 8 | k->family);
}

static uint16_t
find(const struct bh_link *l, const struct bh_adj_key *k)
{
	uint16_t a = l->adj_hash.head[hash_key(k) & l->adj_hash.mask];

	while (a && !same_key(&l->adjs[a].key, k))
		a = l->adj_hash.next[a];
	return a;
}

static uint16_t
find_or_make(struct bh_link *l, const struct bh_adj_key *k)
{
	uint32_t a = find(l, k);

	if (a || !l->adj_free)
		return a;
	for (a = l->adj_first; l->adjs[a].state != BH_LADJ_FREE; a++)
		;
	l->adj_first = a + 1;
	l->adj_top = RTE_MAX(l->adj_top, a);
	l->adj_free--;
	memset(&l->adjs[a], 0, sizeof(l->adjs[a]));
	l->adjs[a].key = *k;
	l->adjs[a].state = BH_LADJ_USED;
	bh_idhash_add(&l->adj_hash, hash_key(k), a);
	return a;
}

/* The neighbor's MAC address: static first. False: none is known. */
static bool
neighbor_mac(const struct bh_link *l, const struct bh_adj_key *k, uint8_t *mac)
{
	struct bh_if_addr_key dyn = { .ifindex = k->ifindex, .family = k->family };
	struct bh_cfg_neighbor_key cfg = { .family = k->family };
	const struct bh_link_if *i = &l->ifs[k->ifindex];
	const struct bh_record *rec;
	struct bh_neighbor n;

	if (!i->wanted)
		return false;
	memcpy(cfg.name, i->name, sizeof(cfg.name));
	memcpy(cfg.addr, k->addr, sizeof(cfg.addr));
	rec = bh_table_get(l->cfg_neighbor, &cfg);
	if (rec) {
		memcpy(mac, bh_record_val(rec, bh_table_schema(l->cfg_neighbor)), 6);
		return true;
	}
	memcpy(dyn.addr, k->addr, sizeof(dyn.addr));
	rec = bh_table_get(l->neighbor, &dyn);
	if (!rec)
		return false;
	memcpy(&n, bh_record_val(rec, bh_table_schema(l->neighbor)), sizeof(n));
	memcpy(mac, n.mac, 6);
	return n.state != 0;
}

/* Publishes the entry. mac: the neighbor's, or NULL. 0 or -EAGAIN. */
static int
publish(struct bh_link *l, uint16_t a, const uint8_t *mac)
{
	const struct bh_adj_key *k = &l->adjs[a].key;
	const struct bh_link_if *i = &l->ifs[k->ifindex];
	struct bh_adj_copy c = { .ifindex = k->ifindex, .state = BH_ADJ_UNRESOLVED };

	if (mac && i->ev.port != UINT16_MAX) {
		c.state = BH_ADJ_RESOLVED;
		c.hdr_len = BH_ETH_HDR;
		memcpy(c.hdr, mac, 6);
		memcpy(c.hdr + 6, i->ev.mac, 6);
	} else {
		c.family = k->family;
		memcpy(c.hop, k->addr, sizeof(c.hop));
	}
	return bh_adj_put(l->conf.tables, a, &c);
}

/* Enters the adjacency in the hash of attached neighbors or takes it out. 0 or -errno. */
static int
set_attached(struct bh_link *l, uint16_t a, bool on)
{
	struct bh_link_adj *e = &l->adjs[a];
	struct bh_fwd_attached_key key = { .ifindex = e->key.ifindex, .family = e->key.family };
	int ret;

	if (on == e->attached)
		return 0;
	memcpy(key.addr, e->key.addr, sizeof(key.addr));
	ret = on ? bh_fwd_attached_put(l->conf.tables, &key, a) :
		bh_fwd_attached_del(l->conf.tables, &key);
	if (on && ret)
		return ret;
	e->attached = on;
	return 0;
}

static void
release(struct bh_link *l, uint16_t a)
{
	static const struct bh_adj_copy none;
	struct bh_link_adj *e = &l->adjs[a];

	if (!bh_fwd_grace_over(l->conf.tables, e->token) ||
			bh_adj_put(l->conf.tables, a, &none)) {
		bh_idq_push(&l->adj_queue, a);
		return;
	}
	bh_idhash_del(&l->adj_hash, hash_key(&e->key), a);
	e->state = BH_LADJ_FREE;
	l->adj_free++;
	l->adj_first = RTE_MIN(l->adj_first, (uint32_t)a);
}

static void
settle(struct bh_link *l, uint16_t a)
{
	struct bh_link_adj *e = &l->adjs[a];
	uint8_t mac[6];
	bool known = neighbor_mac(l, &e->key, mac);
	bool idle = !known && !e->refs;

	if (e->state == BH_LADJ_FREE)
		return;
	if (idle && e->state == BH_LADJ_DYING) {
		release(l, a);
		return;
	}
	if ((!known && set_attached(l, a, false)) || publish(l, a, known ? mac : NULL) ||
			(known && set_attached(l, a, true))) {
		bh_idq_push(&l->adj_queue, a);
		return;
	}
	e->state = BH_LADJ_USED;
	if (!idle)
		return;
	e->state = BH_LADJ_DYING;
	e->token = bh_fwd_grace_start(l->conf.tables);
	bh_idq_push(&l->adj_queue, a);
}

/* A neighbor of this key came, changed or went. */
static void
neighbor_changed(struct bh_link *l, const struct bh_adj_key *k)
{
	uint8_t mac[6];
	uint16_t a = find(l, k);

	if (!a && !neighbor_mac(l, k, mac))
		return;
	if (!a)
		a = find_or_make(l, k);
	if (a)
		settle(l, a);
	else
		bh_err(AREA, "%s: no adjacency is free for a neighbor", l->ifs[k->ifindex].name);
}

void
bh_link_cfg_neighbor_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len)
{
	const struct bh_cfg_neighbor_key *k = key;
	struct bh_link *l = ctx;
	uint32_t ifindex = bh_link_if_find(l, k->name);
	struct bh_adj_key ak;

	(void)rec;
	(void)old_val;
	(void)old_len;
	if (!ifindex)
		return;
	make_key(&ak, ifindex, k->family, k->addr);
	neighbor_changed(l, &ak);
}

void
bh_link_neighbor_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len)
{
	struct bh_if_addr_key k;
	struct bh_adj_key ak;

	(void)rec;
	(void)old_val;
	(void)old_len;
	memcpy(&k, key, sizeof(k));
	make_key(&ak, k.ifindex, k.family, k.addr);
	neighbor_changed(ctx, &ak);
}

uint16_t
bh_link_adj_ref(struct bh_link *l, const struct bh_adj_key *key)
{
	uint16_t a = find_or_make(l, key);

	if (!a)
		return 0;
	if (l->adjs[a].refs++ == 0)
		settle(l, a);
	return a;
}

void
bh_link_adj_unref(struct bh_link *l, uint16_t a)
{
	if (--l->adjs[a].refs == 0)
		settle(l, a);
}

/* Neighbors that were known before their interface. */
static void
adopt_neighbors(struct bh_link *l, uint32_t ifindex)
{
	const struct bh_record *rec;
	struct bh_cfg_neighbor_key ck;
	struct bh_if_addr_key dk;
	struct bh_adj_key k;
	uint32_t slot;

	for (slot = 0; (rec = bh_table_next(l->cfg_neighbor, &slot));) {
		memcpy(&ck, bh_record_key(rec), sizeof(ck));
		if (strncmp(ck.name, l->ifs[ifindex].name, BH_NAME_LEN))
			continue;
		make_key(&k, ifindex, ck.family, ck.addr);
		neighbor_changed(l, &k);
	}
	for (slot = 0; (rec = bh_table_next(l->neighbor, &slot));) {
		memcpy(&dk, bh_record_key(rec), sizeof(dk));
		if (dk.ifindex != ifindex)
			continue;
		make_key(&k, ifindex, dk.family, dk.addr);
		neighbor_changed(l, &k);
	}
}

void
bh_link_adj_interface(struct bh_link *l, uint32_t ifindex)
{
	for (uint32_t a = 1; a <= l->adj_top; a++)
		if (l->adjs[a].state != BH_LADJ_FREE && l->adjs[a].key.ifindex == ifindex)
			settle(l, a);
	if (l->ifs[ifindex].wanted)
		adopt_neighbors(l, ifindex);
}

void
bh_link_adj_chore(struct bh_link *l)
{
	uint32_t n = RTE_MIN(l->adj_queue.count, (uint32_t)BH_LINK_BUDGET);

	while (n--)
		settle(l, bh_idq_pop(&l->adj_queue));
}
