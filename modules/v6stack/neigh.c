/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

struct bh_static {
	struct bh_hnode node;
	TAILQ_ENTRY(bh_static) link;
	struct bh_cfg_neighbor_key key;
	uint8_t mac[6];
	bool marked;
};

static uint32_t
hash_of(const struct bh_netif *i, uint8_t family, const uint8_t addr[16])
{
	uint32_t h = bh_hash(0, &i, sizeof(i));

	return bh_hash(bh_hash(h, &family, 1), addr, 16);
}

struct bh_neigh *
bh_neigh_find(struct bh_stack *s, const struct bh_netif *i, uint8_t family, const uint8_t addr[16])
{
	struct bh_hnode *h = bh_htab_first(&s->neighs, hash_of(i, family, addr));

	for (; h != NULL; h = bh_htab_next(h)) {
		struct bh_neigh *n = bh_container_of(h, struct bh_neigh, node);

		if (n->on == i && n->family == family && memcmp(n->addr, addr, 16) == 0)
			return n;
	}
	return NULL;
}

/* ---- lists and limits ---- */

static void
unfile(struct bh_neigh *n)
{
	if (n->state == BH_NUD_INCOMPLETE) {
		TAILQ_REMOVE(&n->on->incomplete, n, link);
		n->on->n_incomplete--;
	} else {
		TAILQ_REMOVE(&n->on->known, n, link);
		n->on->n_known--;
	}
}

static void
file(struct bh_neigh *n)
{
	if (n->state == BH_NUD_INCOMPLETE) {
		TAILQ_INSERT_TAIL(&n->on->incomplete, n, link);
		n->on->n_incomplete++;
	} else {
		TAILQ_INSERT_TAIL(&n->on->known, n, link);
		n->on->n_known++;
	}
}

void
bh_neigh_file(struct bh_neigh *n, uint8_t state)
{
	unfile(n);
	n->state = state;
	file(n);
}

/* Room for one more; known ones are never given up for it. */
static bool
make_room(struct bh_stack *s, struct bh_netif *i)
{
	if (i->n_incomplete >= BH_NEIGH_INCOMPLETE ||
		(s->neighs.n >= BH_NEIGH_ALL && i->n_incomplete > 0)) {
		s->stats.evicted++;
		bh_neigh_free(s, TAILQ_FIRST(&i->incomplete));
	}
	return s->neighs.n < BH_NEIGH_ALL;
}

struct bh_neigh *
bh_neigh_make(struct bh_stack *s, struct bh_netif *i, uint8_t family, const uint8_t addr[16])
{
	struct bh_neigh *n;

	if (bh_static_mac(s, i, family, addr) != NULL || !make_room(s, i))
		return NULL;
	n = bh_must_calloc(1, sizeof(*n));
	n->on = i;
	n->family = family;
	memcpy(n->addr, addr, 16);
	n->state = BH_NUD_INCOMPLETE;
	n->confirmed = s->timers.now;
	STAILQ_INIT(&n->held);
	bh_htab_insert(&s->neighs, &n->node, hash_of(i, family, addr));
	file(n);
	return n;
}

static void
make_key(const struct bh_neigh *n, struct bh_if_addr_key *k)
{
	memset(k, 0, sizeof(*k));
	k->ifindex = n->on->ifindex;
	k->family = n->family;
	memcpy(k->addr, n->addr, sizeof(k->addr));
}

void
bh_neigh_free(struct bh_stack *s, struct bh_neigh *n)
{
	struct bh_if_addr_key key;

	make_key(n, &key);
	bh_out_del(&s->out, BH_T_NEIGHBOR, &key);
	bh_hold_fail(s, n, false);
	bh_timer_cancel(&s->timers, &n->timer);
	bh_timer_cancel(&s->timers, &n->again);
	unfile(n);
	bh_htab_remove(&s->neighs, &n->node);
	free(n);
}

void
bh_neigh_publish(struct bh_stack *s, const struct bh_neigh *n)
{
	struct bh_neighbor val = {.state = n->state, .router = n->router,
		.age = (uint32_t)((s->timers.now - n->confirmed) / 1000)};
	struct bh_if_addr_key key;

	make_key(n, &key);
	memcpy(val.mac, n->mac, sizeof(val.mac));
	bh_out_put(&s->out, BH_T_NEIGHBOR, &key, &val);
}

static void
flush_list(struct bh_stack *s, struct bh_neigh_list *list, uint8_t family)
{
	struct bh_neigh *n, *next;

	for (n = TAILQ_FIRST(list); n != NULL; n = next) {
		next = TAILQ_NEXT(n, link);
		if (family == 0 || n->family == family)
			bh_neigh_free(s, n);
	}
}

void
bh_neighs_flush(struct bh_stack *s, struct bh_netif *i, uint8_t family)
{
	flush_list(s, &i->incomplete, family);
	flush_list(s, &i->known, family);
}

void
bh_neighs_verify(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_neigh *n;
	unsigned int k = i->n_known;

	/* Each goes to the end of the list. */
	while (k-- > 0 && (n = TAILQ_FIRST(&i->known)) != NULL)
		bh_nud_set(s, n, BH_NUD_DELAY);
}

const uint8_t *
bh_neigh_mac(struct bh_stack *s, const struct bh_netif *i, uint8_t family, const uint8_t addr[16])
{
	const uint8_t *mac = bh_static_mac(s, i, family, addr);
	const struct bh_neigh *n;

	if (mac != NULL)
		return mac;
	n = bh_neigh_find(s, i, family, addr);
	return n != NULL && n->state != BH_NUD_INCOMPLETE ? n->mac : NULL;
}

/* ---- static ones ---- */

static struct bh_static *
find_static(struct bh_stack *s, const struct bh_cfg_neighbor_key *k)
{
	struct bh_hnode *h = bh_htab_first(&s->statics, bh_hash(0, k, sizeof(*k)));

	for (; h != NULL; h = bh_htab_next(h)) {
		struct bh_static *t = bh_container_of(h, struct bh_static, node);

		if (memcmp(&t->key, k, sizeof(*k)) == 0)
			return t;
	}
	return NULL;
}

void
bh_static_put(struct bh_stack *s, const struct bh_cfg_neighbor_key *k, const uint8_t mac[6])
{
	struct bh_netif *i = bh_netif_named(s, k->name);
	struct bh_static *t = find_static(s, k);
	struct bh_neigh *n = bh_neigh_find(s, i, k->family, k->addr);

	if (t == NULL) {
		t = bh_must_calloc(1, sizeof(*t));
		t->key = *k;
		bh_htab_insert(&s->statics, &t->node, bh_hash(0, k, sizeof(*k)));
		TAILQ_INSERT_TAIL(&s->static_list, t, link);
	}
	memcpy(t->mac, mac, 6);
	t->marked = false;
	if (n == NULL)
		return;
	bh_hold_release(s, n);
	bh_neigh_free(s, n);
}

static void
drop_static(struct bh_stack *s, struct bh_static *t)
{
	bh_htab_remove(&s->statics, &t->node);
	TAILQ_REMOVE(&s->static_list, t, link);
	free(t);
}

void
bh_static_delete(struct bh_stack *s, const struct bh_cfg_neighbor_key *k)
{
	struct bh_static *t = find_static(s, k);

	if (t != NULL)
		drop_static(s, t);
}

void
bh_statics_mark(struct bh_stack *s)
{
	struct bh_static *t;

	TAILQ_FOREACH(t, &s->static_list, link)
		t->marked = true;
}

void
bh_statics_sweep(struct bh_stack *s)
{
	struct bh_static *t, *next;

	for (t = TAILQ_FIRST(&s->static_list); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (t->marked)
			drop_static(s, t);
	}
}

void
bh_statics_fini(struct bh_stack *s)
{
	while (!TAILQ_EMPTY(&s->static_list))
		drop_static(s, TAILQ_FIRST(&s->static_list));
	bh_htab_fini(&s->statics);
}

const uint8_t *
bh_static_mac(struct bh_stack *s, const struct bh_netif *i, uint8_t family, const uint8_t addr[16])
{
	struct bh_cfg_neighbor_key k = {.family = family};
	const struct bh_static *t;

	memcpy(k.name, i->name, sizeof(k.name));
	memcpy(k.addr, addr, sizeof(k.addr));
	t = find_static(s, &k);
	return t != NULL ? t->mac : NULL;
}
