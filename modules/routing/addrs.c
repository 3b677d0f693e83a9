/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/addrs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

/* A configured address; in the list of its interface. */
struct cfg_addr {
	struct cfg_addr *next;
	uint8_t addr[16];
	uint8_t family, plen;
	bool marked;
};

/* What the stack says of an address. */
struct bh_stack_addr {
	struct bh_stack_addr *next;
	uint8_t addr[16];
	uint8_t family, plen, state;
	bool marked;
};

/* A route offered for the interface. */
struct offer {
	struct bh_prefix prefix;
	bool local;
};

struct bh_addr_set {
	struct cfg_addr *cfg;
	struct offer *offers; /* sorted, without repeats */
	unsigned int n;
	uint32_t instance; /* ifindex at the time of the offers */
};

void
bh_addrs_init(struct bh_addrs *a, struct bh_ifaces *ifaces, struct bh_rib *rib)
{
	memset(a, 0, sizeof(*a));
	a->ifaces = ifaces;
	bh_source_init(&a->connected, rib, BH_RP_CONNECTED);
	bh_source_init(&a->local, rib, BH_RP_LOCAL);
}

static struct bh_addr_set *
set_of(struct bh_iface *i)
{
	if (i->addrs == NULL)
		i->addrs = bh_must_calloc(1, sizeof(*i->addrs));
	return i->addrs;
}

/* Calls fn for each interface; names live in the table of interfaces. */
static void
each_iface(struct bh_addrs *a, void (*fn)(struct bh_addrs *a, struct bh_iface *i))
{
	struct bh_htab *t = &a->ifaces->by_name;
	struct bh_hnode *n;
	uint32_t b;

	for (b = 0; t->bucket != NULL && b <= t->mask; b++)
		for (n = t->bucket[b]; n != NULL; n = n->next)
			fn(a, bh_container_of(n, struct bh_iface, node));
}

/* ---- cfg_address ---- */

static struct cfg_addr **
cfg_find(struct bh_addr_set *s, uint8_t family, const uint8_t addr[16])
{
	struct cfg_addr **pp = &s->cfg;

	while (*pp && ((*pp)->family != family || memcmp((*pp)->addr, addr, 16) != 0))
		pp = &(*pp)->next;
	return pp;
}

void
bh_addrs_cfg_put(struct bh_addrs *a, const struct bh_cfg_address_key *key, uint8_t plen)
{
	struct bh_iface *i = bh_iface_named(a->ifaces, key->name);
	struct cfg_addr **pp = cfg_find(set_of(i), key->family, key->addr), *c = *pp;

	if (c == NULL) {
		*pp = c = bh_must_calloc(1, sizeof(*c));
		c->family = key->family;
		memcpy(c->addr, key->addr, sizeof(c->addr));
	}
	c->plen = plen;
	c->marked = false;
	bh_iface_changed(a->ifaces, i);
}

static void
cfg_drop(struct cfg_addr **pp)
{
	struct cfg_addr *c = *pp;

	*pp = c->next;
	free(c);
}

void
bh_addrs_cfg_delete(struct bh_addrs *a, const struct bh_cfg_address_key *key)
{
	struct bh_iface *i = bh_iface_named(a->ifaces, key->name);
	struct cfg_addr **pp = cfg_find(set_of(i), key->family, key->addr);

	if (*pp == NULL)
		return;
	cfg_drop(pp);
	bh_iface_changed(a->ifaces, i);
}

static void
cfg_mark(struct bh_addrs *a, struct bh_iface *i)
{
	struct cfg_addr *c = i->addrs != NULL ? i->addrs->cfg : NULL;

	(void)a;
	for (; c != NULL; c = c->next)
		c->marked = true;
}

static void
cfg_sweep(struct bh_addrs *a, struct bh_iface *i)
{
	struct cfg_addr **pp = i->addrs != NULL ? &i->addrs->cfg : NULL;

	while (pp != NULL && *pp != NULL) {
		if ((*pp)->marked) {
			cfg_drop(pp);
			bh_iface_changed(a->ifaces, i);
		} else {
			pp = &(*pp)->next;
		}
	}
}

void
bh_addrs_cfg_resync(struct bh_addrs *a)
{
	each_iface(a, cfg_mark);
}

void
bh_addrs_cfg_synced(struct bh_addrs *a)
{
	each_iface(a, cfg_sweep);
}

/* ---- address ---- */

static struct bh_stack_addr **
stack_find(struct bh_addrs *a, uint32_t ifindex, uint8_t family, const uint8_t addr[16])
{
	struct bh_stack_addr **pp = &a->stack[ifindex];

	while (*pp && ((*pp)->family != family || memcmp((*pp)->addr, addr, 16) != 0))
		pp = &(*pp)->next;
	return pp;
}

/* The interface may come later: then its own record makes it changed. */
static void
stack_changed(struct bh_addrs *a, uint32_t ifindex)
{
	if (a->ifaces->by_index[ifindex] != NULL)
		bh_iface_changed(a->ifaces, a->ifaces->by_index[ifindex]);
}

void
bh_addrs_stack_put(
	struct bh_addrs *a, const struct bh_if_addr_key *key, const struct bh_address *val)
{
	struct bh_stack_addr **pp, *s;

	if (key->ifindex == 0 || key->ifindex >= BH_IF_MAX)
		return;
	pp = stack_find(a, key->ifindex, key->family, key->addr);
	if (*pp == NULL) {
		*pp = bh_must_calloc(1, sizeof(**pp));
		(*pp)->family = key->family;
		memcpy((*pp)->addr, key->addr, sizeof(key->addr));
	}
	s = *pp;
	s->plen = val->plen;
	s->state = val->state;
	s->marked = false;
	stack_changed(a, key->ifindex);
}

static void
stack_drop(struct bh_stack_addr **pp)
{
	struct bh_stack_addr *s = *pp;

	*pp = s->next;
	free(s);
}

void
bh_addrs_stack_delete(struct bh_addrs *a, const struct bh_if_addr_key *key)
{
	struct bh_stack_addr **pp;

	if (key->ifindex >= BH_IF_MAX)
		return;
	pp = stack_find(a, key->ifindex, key->family, key->addr);
	if (*pp == NULL)
		return;
	stack_drop(pp);
	stack_changed(a, key->ifindex);
}

void
bh_addrs_stack_resync(struct bh_addrs *a)
{
	struct bh_stack_addr *s;

	for (uint32_t k = 0; k < BH_IF_MAX; k++)
		for (s = a->stack[k]; s != NULL; s = s->next)
			s->marked = true;
}

void
bh_addrs_stack_synced(struct bh_addrs *a)
{
	struct bh_stack_addr **pp;

	for (uint32_t k = 0; k < BH_IF_MAX; k++) {
		for (pp = &a->stack[k]; *pp != NULL;) {
			if (!(*pp)->marked) {
				pp = &(*pp)->next;
				continue;
			}
			stack_drop(pp);
			stack_changed(a, k);
		}
	}
}

/* ---- routes ---- */

static void
offer_add(struct bh_addr_set *to, uint8_t family, const uint8_t *addr, uint8_t plen)
{
	struct offer *o = &to->offers[to->n];

	if (bh_key_prefix(&o->prefix, family, addr, plen) < 0)
		return;
	if (family == 4 || !bh_ip6_is_link_local(addr))
		to->n++;
	o = &to->offers[to->n++];
	bh_key_prefix(&o->prefix, family, addr, bh_addr_bits(family));
	o->local = true;
}

static int
offer_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct offer));
}

/* What the interface offers now, into `to`: offers zeroed and with room. */
static void
offers_collect(struct bh_addrs *a, struct bh_iface *i, struct bh_addr_set *to)
{
	struct bh_stack_addr *s;
	struct cfg_addr *c;

	for (c = i->addrs->cfg; c != NULL; c = c->next) {
		s = *stack_find(a, i->ifindex, c->family, c->addr);
		if (bh_iface_usable(i, c->family) && (s == NULL || s->state == BH_ADDR_PREFERRED))
			offer_add(to, c->family, c->addr, c->plen);
	}
	for (s = a->stack[i->ifindex]; s != NULL; s = s->next)
		if (*cfg_find(i->addrs, s->family, s->addr) == NULL &&
			bh_iface_usable(i, s->family) && s->state == BH_ADDR_PREFERRED)
			offer_add(to, s->family, s->addr, s->plen);
}

/* Room for the offers of all addresses, two each. */
static struct offer *
offers_alloc(struct bh_addrs *a, struct bh_iface *i)
{
	struct bh_stack_addr *s;
	struct cfg_addr *c;
	size_t n = 1;

	for (c = i->addrs->cfg; c != NULL; c = c->next)
		n += 2;
	for (s = a->stack[i->ifindex]; s != NULL; s = s->next)
		n += 2;
	return bh_must_calloc(n, sizeof(struct offer));
}

static void
offers_sort(struct bh_addr_set *s)
{
	unsigned int i, k = 0;

	qsort(s->offers, s->n, sizeof(s->offers[0]), offer_cmp);
	for (i = 0; i < s->n; i++)
		if (k == 0 || offer_cmp(&s->offers[k - 1], &s->offers[i]) != 0)
			s->offers[k++] = s->offers[i];
	s->n = k;
}

static void
offer_put(struct bh_addrs *a, const struct bh_iface *i, const struct offer *o)
{
	struct bh_source_route r = {.prefix = o->prefix, .instance = i->ifindex};
	struct bh_cfg_hop hop = {.weight = 1};

	if (o->local) {
		r.type = BH_NH_LOCAL;
		bh_source_add(&a->local, &r);
		return;
	}
	memcpy(hop.name, i->name, sizeof(hop.name));
	r.type = BH_NH_GROUP;
	r.n = 1;
	r.hops = &hop;
	bh_source_add(&a->connected, &r);
}

static void
offer_take_back(struct bh_addrs *a, const struct offer *o, uint32_t instance)
{
	bh_source_delete(o->local ? &a->local : &a->connected, &o->prefix, instance);
}

/* Puts the offers of `now` in the place of the interface's. */
static void
offers_replace(struct bh_addrs *a, struct bh_iface *i, const struct bh_addr_set *now)
{
	struct bh_addr_set *was = i->addrs;
	bool moved = was->instance != i->ifindex;
	unsigned int k, m = 0;

	for (k = 0; k < was->n; k++) {
		while (m < now->n && offer_cmp(&now->offers[m], &was->offers[k]) < 0)
			m++;
		if (moved || m == now->n || offer_cmp(&now->offers[m], &was->offers[k]) != 0)
			offer_take_back(a, &was->offers[k], was->instance);
	}
	for (k = 0; k < now->n; k++)
		offer_put(a, i, &now->offers[k]);
	free(was->offers);
	was->offers = now->offers;
	was->n = now->n;
	was->instance = i->ifindex;
}

void
bh_addrs_commit(struct bh_addrs *a)
{
	struct bh_iface *i;

	TAILQ_FOREACH(i, &a->ifaces->changed, link)
	{
		struct bh_addr_set now = {0};

		set_of(i);
		now.offers = offers_alloc(a, i);
		offers_collect(a, i, &now);
		offers_sort(&now);
		offers_replace(a, i, &now);
	}
}

static void
iface_fini(struct bh_addrs *a, struct bh_iface *i)
{
	(void)a;
	while (i->addrs != NULL && i->addrs->cfg != NULL)
		cfg_drop(&i->addrs->cfg);
	if (i->addrs != NULL)
		free(i->addrs->offers);
	free(i->addrs);
	i->addrs = NULL;
}

void
bh_addrs_fini(struct bh_addrs *a)
{
	each_iface(a, iface_fini);
	for (uint32_t k = 0; k < BH_IF_MAX; k++)
		while (a->stack[k] != NULL)
			stack_drop(&a->stack[k]);
}
