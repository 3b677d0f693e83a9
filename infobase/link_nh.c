/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops: ids, published groups, retirement.
 *
 * An id belongs to a content (the key of the record) from the check that assigns it until no
 * route and no forwarding lcore can have it any more. Taking down: published as dead, RETIRE to
 * both route workers, both answers, a grace period, then the adjacencies are let go and the id
 * is free. A content that returns before that gets its id back; who was told RETIRE is told LIVE.
 *
 * A content may return before the answers, and be retired again; what then arrives late is the
 * answer to an older question. So each retirement of an id has a number, which its answers repeat;
 * others are dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_jhash.h>

#include "infobase/link_priv.h"

int
bh_link_nh_init(struct bh_link *l)
{
	int ret = bh_idq_init(&l->nh_queue, BH_NH_MAX);

	if (!ret)
		ret = bh_idhash_init(&l->nh_hash, BH_NH_MAX);
	l->nhs = calloc(BH_NH_MAX, sizeof(*l->nhs));
	l->nh_first = 1;
	return ret || l->nhs ? ret : -ENOMEM;
}

void
bh_link_nh_free(struct bh_link *l)
{
	bh_idq_free(&l->nh_queue);
	bh_idhash_free(&l->nh_hash);
	free(l->nhs);
}

static bool
uses(const struct bh_nexthop_key *k, uint32_t ifindex)
{
	for (unsigned int i = 0; i < k->n; i++)
		if (k->m[i].ifindex == ifindex)
			return true;
	return false;
}

static uint32_t
count_live(const struct bh_link *l, const struct bh_nexthop_key *k)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < k->n; i++)
		n += l->ifs[k->m[i].ifindex].up;
	return n;
}

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

/* Entries of each member: the weights themselves where they fit after division by what they have in
 * common, else one each and the rest by highest quotients (Sainte-Lague). */
static void
apportion(const uint8_t *weight, unsigned int n, unsigned int *share)
{
	uint32_t common = 0, sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		common = gcd(weight[i], common);
		sum += weight[i];
	}
	for (unsigned int i = 0; i < n; i++)
		share[i] = sum / common <= BH_ECMP_MAX ? weight[i] / common : 1;
	if (sum / common <= BH_ECMP_MAX)
		return;
	for (unsigned int left = BH_ECMP_MAX - n; left; left--) {
		unsigned int best = 0;

		for (unsigned int i = 1; i < n; i++)
			if (weight[i] * (2 * share[best] + 1) > weight[best] * (2 * share[i] + 1))
				best = i;
		share[best]++;
	}
}

unsigned int
bh_link_spread(const uint16_t *value, const uint8_t *weight, unsigned int n, uint16_t *entry)
{
	unsigned int share[BH_ECMP_MAX], used = 0;

	if (n == 0)
		return 0;
	apportion(weight, n, share);
	for (unsigned int i = 0; i < n; i++)
		while (share[i]--)
			entry[used++] = value[i];
	return used;
}

static int
publish(struct bh_link *l, uint16_t id)
{
	const struct bh_link_nh *h = &l->nhs[id];
	struct bh_fwd_nh_copy c = { .type = h->key.type };
	uint16_t adj[BH_ECMP_MAX];
	uint8_t weight[BH_ECMP_MAX];
	unsigned int n = 0;

	if (h->state != BH_LNH_LIVE) {
		c.type = BH_FWD_NH_DEAD;
	} else if (h->key.type == BH_NH_ATTACHED) {
		c.ifindex = h->key.m[0].ifindex;
	} else if (h->key.type == BH_NH_GROUP) {
		for (unsigned int i = 0; i < h->key.n; i++) {
			if (!l->ifs[h->key.m[i].ifindex].up)
				continue;
			adj[n] = h->adj[i];
			weight[n++] = h->key.m[i].weight;
		}
		c.n = bh_link_spread(adj, weight, n, c.adj);
	}
	return bh_fwd_nh_put(l->conf.tables, id, &c);
}

/* 0, or -EAGAIN: the ring is full. */
static int
tell(struct bh_link *l, unsigned int w, uint16_t id, enum bh_nh_msg_kind kind, uint32_t number)
{
	static const enum bh_group group[BH_LINK_ROUTERS] = { BH_GROUP_ROUTE4, BH_GROUP_ROUTE6 };

	if (rte_ring_enqueue(l->conf.links->to_route[w], bh_nh_msg(id, kind, number)))
		return -EAGAIN;
	bh_worker_wake(bh_infobase_worker(l->conf.ib, group[w]));
	return 0;
}

static int
tell_live(struct bh_link *l, uint16_t id)
{
	struct bh_link_nh *h = &l->nhs[id];
	int ret = 0;

	for (unsigned int w = 0; w < BH_LINK_ROUTERS; w++) {
		if (h->live[w])
			continue;
		if (tell(l, w, id, BH_NH_MSG_LIVE, 0))
			ret = -EAGAIN;
		else
			h->live[w] = true;
	}
	return ret;
}

static int
ask_to_retire(struct bh_link *l, uint16_t id)
{
	struct bh_link_nh *h = &l->nhs[id];
	int ret = 0;

	for (unsigned int w = 0; w < BH_LINK_ROUTERS; w++) {
		if (!h->ask[w])
			continue;
		if (tell(l, w, id, BH_NH_MSG_RETIRE, h->number))
			ret = -EAGAIN;
		else
			h->ask[w] = false;
	}
	return ret;
}

static void
release(struct bh_link *l, uint16_t id)
{
	struct bh_link_nh *h = &l->nhs[id];

	if (h->key.type == BH_NH_GROUP)
		for (unsigned int i = 0; i < h->key.n; i++)
			bh_link_adj_unref(l, h->adj[i]);
	bh_idhash_del(&l->nh_hash, h->hash, id);
	h->state = BH_LNH_FREE;
	l->nh_first = RTE_MIN(l->nh_first, (uint32_t)id);
}

/* One step of an id towards what is wanted. -EAGAIN: another one is to follow. */
static int
step(struct bh_link *l, uint16_t id)
{
	struct bh_link_nh *h = &l->nhs[id];

	if (h->dirty) {
		if (publish(l, id))
			return -EAGAIN;
		h->dirty = false;
	}
	switch (h->state) {
	case BH_LNH_LIVE:
		return tell_live(l, id);
	case BH_LNH_RETIRING:
		if (ask_to_retire(l, id))
			return -EAGAIN;
		if (h->wait[0] || h->wait[1])
			return 0;
		h->state = BH_LNH_GRACE;
		h->token = bh_fwd_grace_start(l->conf.tables);
		return -EAGAIN;
	case BH_LNH_GRACE:
		if (!bh_fwd_grace_over(l->conf.tables, h->token))
			return -EAGAIN;
		release(l, id);
		return 0;
	default:
		return 0;
	}
}

static void
drive(struct bh_link *l, uint16_t id)
{
	if (step(l, id))
		bh_idq_push(&l->nh_queue, id);
}

static uint16_t
find(const struct bh_link *l, const struct bh_nexthop_key *k, uint32_t hash)
{
	uint16_t id = l->nh_hash.head[hash & l->nh_hash.mask];

	while (id && memcmp(&l->nhs[id].key, k, sizeof(*k)))
		id = l->nh_hash.next[id];
	return id;
}

/* A free id for this content, with its adjacencies; 0: none left, or no adjacencies. */
static uint16_t
assign(struct bh_link *l, const struct bh_nexthop_key *k, uint32_t hash)
{
	uint32_t id = l->nh_first;
	struct bh_link_nh *h;

	while (id < BH_NH_MAX && l->nhs[id].state != BH_LNH_FREE)
		id++;
	l->nh_first = id;
	if (id == BH_NH_MAX || !bh_link_adj_room(l, k->n))
		return 0;
	h = &l->nhs[id];
	h->state = BH_LNH_NEW;
	h->key = *k;
	h->hash = hash;
	for (unsigned int i = 0; k->type == BH_NH_GROUP && i < k->n; i++) {
		struct bh_adj_key ak = { .ifindex = k->m[i].ifindex, .family = k->m[i].family };

		memcpy(ak.addr, k->m[i].addr, sizeof(ak.addr));
		h->adj[i] = bh_link_adj_ref(l, &ak);
	}
	bh_idhash_add(&l->nh_hash, hash, id);
	l->nh_first = id + 1;
	l->nh_top = RTE_MAX(l->nh_top, id);
	return id;
}

int
bh_link_check_nexthop(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	struct bh_link *l = ctx;
	struct bh_nexthop_key k;
	struct bh_nexthop v = { 0 };
	uint32_t hash;

	(void)old;
	/* Its form, members sorted and all, is the schema's rule for keys. */
	if (len != sizeof(v) || !bh_table_schema(l->nexthop)->key_ok(key))
		return -EINVAL;
	memcpy(&k, key, sizeof(k));
	hash = rte_jhash(&k, sizeof(k), 0);
	v.id = find(l, &k, hash);
	if (!v.id)
		v.id = assign(l, &k, hash);
	if (!v.id)
		return -ENOSPC;
	v.n_live = count_live(l, &k);
	memcpy(val, &v, sizeof(v));
	return 0;
}

static void
retire(struct bh_link *l, uint16_t id)
{
	struct bh_link_nh *h = &l->nhs[id];

	h->state = BH_LNH_RETIRING;
	h->dirty = true;
	h->number++;
	for (unsigned int w = 0; w < BH_LINK_ROUTERS; w++) {
		/* A route may find it dead now: should it return, LIVE is due, RETIRE sent or not. */
		h->live[w] = false;
		h->ask[w] = h->wait[w] = true;
	}
}

void
bh_link_nexthop_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len)
{
	struct bh_link *l = ctx;
	struct bh_nexthop_key k;
	struct bh_nexthop v;
	uint16_t id;

	(void)old_val;
	(void)old_len;
	memcpy(&k, key, sizeof(k));
	id = find(l, &k, rte_jhash(&k, sizeof(k), 0));
	if (!id)
		return;
	if (!rec) {
		retire(l, id);
	} else {
		memcpy(&v, bh_record_val(rec, bh_table_schema(l->nexthop)), sizeof(v));
		l->nhs[id].n_live = v.n_live;
		l->nhs[id].state = BH_LNH_LIVE;
		l->nhs[id].dirty = true;
	}
	drive(l, id);
}

static void
answer(struct bh_link *l, unsigned int w, const void *obj)
{
	uint32_t id = bh_nh_msg_id(obj);
	struct bh_link_nh *h;

	if (id == 0 || id >= BH_NH_MAX || bh_nh_msg_kind(obj) != BH_NH_MSG_RETIRE)
		return;
	h = &l->nhs[id];
	if (h->state != BH_LNH_RETIRING || h->ask[w] || bh_nh_msg_number(obj) != h->number)
		return;
	h->wait[w] = false;
	drive(l, id);
}

void
bh_link_answer4(void *ctx, void *obj)
{
	answer(ctx, 0, obj);
}

void
bh_link_answer6(void *ctx, void *obj)
{
	answer(ctx, 1, obj);
}

static bool
is_concerned(const struct bh_link_nh *h, uint32_t ifindex)
{
	return h->state == BH_LNH_LIVE && uses(&h->key, ifindex);
}

/* Packets first: all groups are published before the first record is written. */
void
bh_link_nh_interface(struct bh_link *l, uint32_t ifindex)
{
	for (uint32_t id = 1; id <= l->nh_top; id++)
		if (is_concerned(&l->nhs[id], ifindex)) {
			l->nhs[id].dirty = true;
			drive(l, id);
		}
	for (uint32_t id = 1; id <= l->nh_top; id++) {
		struct bh_link_nh *h = &l->nhs[id];
		struct bh_nexthop v = { .id = id };

		if (!is_concerned(h, ifindex))
			continue;
		v.n_live = count_live(l, &h->key);
		if (v.n_live == h->n_live)
			continue;
		h->n_live = v.n_live;
		bh_table_amend(l->nexthop, &h->key, &v, sizeof(v));
	}
}

void
bh_link_nh_chore(struct bh_link *l)
{
	uint32_t n = RTE_MIN(l->nh_queue.count, (uint32_t)BH_LINK_BUDGET);

	while (n--)
		drive(l, bh_idq_pop(&l->nh_queue));
}
