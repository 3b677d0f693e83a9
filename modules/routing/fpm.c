/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/fpm.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

void
bh_fpm_init(struct bh_fpm *f, struct bh_rib *rib, struct bh_ifaces *ifaces, struct bh_output *out)
{
	memset(f, 0, sizeof(*f));
	bh_source_init(&f->source, rib, BH_RP_FPM);
	f->ifaces = ifaces;
	f->out = out;
	bh_fpm_nhgs_init(&f->nhgs);
	for (unsigned int i = 0; i < 256; i++)
		TAILQ_INIT(&f->slot[i].entries);
	TAILQ_INIT(&f->dirty);
	TAILQ_INIT(&f->sent);
	f->epoch = 1;
	f->status.state = BH_FPM_LISTENING;
}

/* ---- entries ---- */

static uint32_t
prefix_hash(const struct bh_prefix *p)
{
	return bh_hash(0, p, sizeof(*p));
}

static struct bh_fpm_entry *
entry_find(struct bh_fpm *f, const struct bh_prefix *p)
{
	struct bh_hnode *n = bh_htab_first(&f->entries, prefix_hash(p));
	struct bh_fpm_entry *e;

	for (; n != NULL; n = bh_htab_next(n)) {
		e = bh_container_of(n, struct bh_fpm_entry, node);
		if (memcmp(&e->prefix, p, sizeof(*p)) == 0)
			return e;
	}
	return NULL;
}

static struct bh_fpm_entry *
entry_get(struct bh_fpm *f, const struct bh_prefix *p)
{
	struct bh_fpm_entry *e = entry_find(f, p);

	if (e != NULL)
		return e;
	e = bh_must_calloc(1, sizeof(*e));
	e->fpm = f;
	e->prefix = *p;
	e->gone = true;
	bh_htab_insert(&f->entries, &e->node, prefix_hash(p));
	return e;
}

static uint32_t *
count_of(struct bh_fpm *f, uint8_t family)
{
	return family == BH_IP4 ? &f->status.routes4 : &f->status.routes6;
}

static void
entry_set(struct bh_fpm *f, struct bh_fpm_entry *e, struct bh_fpm_set *s)
{
	struct bh_fpm_set *old = e->set;

	if (s == old)
		return;
	if (old != NULL)
		TAILQ_REMOVE(&old->users, e, of_set);
	e->set = s;
	if (s != NULL)
		TAILQ_INSERT_TAIL(&s->users, e, of_set);
	bh_fpm_set_release(&f->nhgs, old);
}

static void
entry_nhg(struct bh_fpm *f, struct bh_fpm_entry *e, struct bh_fpm_nhg *g)
{
	struct bh_fpm_nhg *old = e->nhg;

	if (g == old)
		return;
	if (old != NULL)
		TAILQ_REMOVE(&old->users, e, of_nhg);
	e->nhg = g;
	if (g != NULL)
		TAILQ_INSERT_TAIL(&g->users, e, of_nhg);
	if (old != NULL)
		bh_fpm_nhg_release(&f->nhgs, old);
}

/* ---- interfaces ---- */

/* Ours by the kernel's ifindex, or NULL. */
static const struct bh_iface *
iface_of(const struct bh_fpm *f, uint32_t host)
{
	for (uint32_t k = 1; k < BH_IF_MAX; k++)
		if (f->host[k] == host)
			return f->ifaces->by_index[k];
	return NULL;
}

/* The hops as the RIB takes them, without those on interfaces that are not known (yet). True: they
 * are not what they were. */
static bool
set_map(const struct bh_fpm *f, struct bh_fpm_set *s)
{
	struct bh_cfg_hop cfg[BH_ECMP_MAX] = {0};
	unsigned int n = 0;
	bool changed;

	for (unsigned int i = 0; i < s->n; i++) {
		const struct bh_fpm_hop *h = &s->hop[i];
		const struct bh_iface *iface = h->ifindex != 0 ? iface_of(f, h->ifindex) : NULL;

		if (h->ifindex != 0 && iface == NULL)
			continue;
		if (iface != NULL)
			memcpy(cfg[n].name, iface->name, sizeof(cfg[n].name));
		cfg[n].family = h->family;
		cfg[n].weight = h->weight;
		memcpy(cfg[n++].addr, h->addr, sizeof(h->addr));
	}
	changed = n != s->n_cfg || memcmp(cfg, s->cfg, n * sizeof(cfg[0])) != 0;
	s->n_cfg = (uint8_t)n;
	s->mapped = true;
	memcpy(s->cfg, cfg, n * sizeof(cfg[0]));
	return changed;
}

/* ---- offers ---- */

static void
entry_offered(struct bh_fpm *f, struct bh_fpm_entry *e, bool offered)
{
	f->status.held += e->offered - offered;
	e->offered = offered;
}

/* Has the RIB hold what the entry says. */
static void
entry_offer(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	struct bh_fpm_set *s = e->set;
	struct bh_source_route r = {.prefix = e->prefix, .sub = e->proto, .metric = e->metric};

	if (s != NULL && !s->mapped)
		set_map(f, s);
	if (f->configured && s != NULL && (s->type != BH_NH_GROUP || s->n_cfg > 0)) {
		r.preference = f->cfg.distance[e->proto];
		r.type = s->type;
		r.n = s->n_cfg;
		r.hops = s->cfg;
		entry_offered(f, e, bh_source_add(&f->source, &r) == 0);
	} else if (e->offered) {
		bh_source_delete(&f->source, &e->prefix, 0);
		entry_offered(f, e, false);
	}
}

/* It is there, not stale, the last of its protocol. */
static void
entry_touch(struct bh_fpm *f, struct bh_fpm_entry *e, uint8_t proto, uint32_t epoch)
{
	if (e->gone) {
		e->gone = false;
		(*count_of(f, e->prefix.family))++;
		f->status.held++;
		f->status.stale++;
	} else {
		TAILQ_REMOVE(&f->slot[e->proto].entries, e, age);
		f->status.stale += e->epoch == f->epoch;
	}
	e->proto = proto;
	e->epoch = epoch;
	f->status.stale -= epoch == f->epoch;
	TAILQ_INSERT_TAIL(&f->slot[proto].entries, e, age);
}

static void
entry_drop(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	if (e->offered)
		bh_source_delete(&f->source, &e->prefix, 0);
	entry_offered(f, e, false);
	entry_nhg(f, e, NULL);
	entry_set(f, e, NULL);
	TAILQ_REMOVE(&f->slot[e->proto].entries, e, age);
	f->status.held--;
	f->status.stale -= e->epoch != f->epoch;
	(*count_of(f, e->prefix.family))--;
	e->gone = true;
}

/* Takes it back, from the info base too. */
static void
entry_delete(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	entry_drop(f, e);
	bh_fpm_mark(f, e);
	bh_fpm_forget(f, e);
}

void
bh_fpm_forget(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	if (!e->gone || e->dirty || e->under_way != 0)
		return;
	bh_htab_remove(&f->entries, &e->node);
	free(e);
}

/* The next entry of one that may be freed meanwhile. */
static void
each_entry(struct bh_fpm *f, void (*fn)(struct bh_fpm *f, struct bh_fpm_entry *e))
{
	struct bh_fpm_entry *e, *next;

	for (unsigned int i = 0; i < 256; i++) {
		for (e = TAILQ_FIRST(&f->slot[i].entries); e != NULL; e = next) {
			next = TAILQ_NEXT(e, age);
			fn(f, e);
		}
	}
}

static void
drop_silently(struct bh_fpm *f, struct bh_fpm_entry *e)
{
	entry_drop(f, e);
	bh_fpm_forget(f, e);
}

void
bh_fpm_drop_all(struct bh_fpm *f)
{
	each_entry(f, drop_silently);
}

void
bh_fpm_put(struct bh_fpm *f, const struct bh_prefix *p, const struct bh_fpm_route *r)
{
	struct bh_fpm_entry *e = entry_get(f, p);

	entry_touch(f, e, r->proto, 0);
	e->metric = r->metric;
	e->recorded = true;
	entry_set(f, e, bh_fpm_set_intern(&f->nhgs, r->type, r->hop, r->n));
	entry_offer(f, e);
}

/* ---- messages ---- */

/* Connected routes, those of the kernel and of others that are not zebra's daemons. */
static bool
is_ours(uint8_t proto)
{
	return proto <= RTPROT_BOOT || proto == RTPROT_RA || proto == RTPROT_DHCP;
}

static void
refused(struct bh_fpm *f, uint8_t reason)
{
	f->status.refused[reason]++;
}

static void
unhold(struct bh_fpm *f, const struct bh_prefix *p)
{
	struct bh_fpm_entry *e = entry_find(f, p);

	if (e != NULL && !e->gone)
		entry_delete(f, e);
}

static bool
is_full(struct bh_fpm *f, uint8_t family)
{
	return *count_of(f, family) >= (family == BH_IP4 ? BH_ROUTE4_MAX : BH_ROUTE6_MAX);
}

/* The set that a new route is to use; *g: the id that it names. -ENOSPC: too many of them. */
static int
hops_of(struct bh_fpm *f, const struct bh_fpm_msg *m, struct bh_fpm_nhg **g, struct bh_fpm_set **s)
{
	*g = NULL;
	if (m->id == 0) {
		*s = bh_fpm_set_intern(&f->nhgs, m->type, m->hop, m->n_hops);
		return 0;
	}
	*g = bh_fpm_nhg_named(&f->nhgs, m->id);
	*s = *g != NULL ? (*g)->set : NULL;
	return *g != NULL ? 0 : -ENOSPC;
}

static void
hold(struct bh_fpm *f, const struct bh_fpm_msg *m, struct bh_fpm_nhg *g, struct bh_fpm_set *s)
{
	struct bh_fpm_entry *e = entry_get(f, &m->prefix);
	bool same = !e->gone && e->proto == m->proto && e->metric == m->metric && e->set == s;

	entry_touch(f, e, m->proto, f->epoch);
	f->slot[m->proto].began = f->began = true;
	f->last_at = f->now;
	entry_set(f, e, s); /* before its id is released, which may be all that holds s */
	entry_nhg(f, e, g);
	if (same)
		return;
	e->metric = m->metric;
	entry_offer(f, e);
	bh_fpm_mark(f, e);
}

static void
take_new(struct bh_fpm *f, const struct bh_fpm_msg *m)
{
	struct bh_fpm_nhg *g;
	struct bh_fpm_set *s;
	struct bh_fpm_entry *e;

	if (is_ours(m->proto)) {
		f->status.ignored++;
		unhold(f, &m->prefix);
		return;
	}
	e = entry_find(f, &m->prefix);
	if (((e == NULL || e->gone) && is_full(f, m->prefix.family)) || hops_of(f, m, &g, &s) < 0) {
		refused(f, BH_FPM_LIMIT);
		unhold(f, &m->prefix);
		return;
	}
	f->status.added++;
	hold(f, m, g, s);
}

static void
take_delete(struct bh_fpm *f, const struct bh_fpm_msg *m)
{
	struct bh_fpm_entry *e = entry_find(f, &m->prefix);

	if (e != NULL && !e->gone) {
		f->status.deleted++;
		entry_delete(f, e);
	} else if (is_ours(m->proto)) {
		f->status.ignored++;
	}
}

/* Who sends? Known from the first message on that tells it. */
static void
take_port(struct bh_fpm *f, uint32_t port)
{
	if (port == 0 || port == f->status.zebra)
		return;
	f->status.zebra = port;
	f->same = port == f->zebra_before;
}

static void
take_message(void *arg, const struct bh_fpm_msg *m)
{
	struct bh_fpm *f = arg;

	f->status.messages++;
	f->status.cut += m->cut;
	take_port(f, m->port);
	if (m->refused)
		refused(f, m->reason);
	switch (m->kind) {
	case BH_FPM_ROUTE_NEW:
		if (!m->refused)
			take_new(f, m);
		else if (m->has_prefix)
			unhold(f, &m->prefix);
		break;
	case BH_FPM_ROUTE_DEL:
		if (!m->refused)
			take_delete(f, m);
		break;
	case BH_FPM_NHG_NEW:
		if (m->id != 0 && bh_fpm_nhg_put(&f->nhgs, m) == -ENOSPC)
			refused(f, BH_FPM_LIMIT);
		break;
	case BH_FPM_NHG_DEL:
		if (!m->refused)
			bh_fpm_nhg_delete(&f->nhgs, m->id);
		break;
	}
}

int
bh_fpm_take(struct bh_fpm *f, const uint8_t *frame, size_t len)
{
	int rc = bh_fpm_parse(frame + BH_FPM_HEAD, len - BH_FPM_HEAD, take_message, f);

	f->changed = true;
	f->status.bytes += len;
	f->status.groups = f->nhgs.told;
	return rc < 0 ? rc : 0;
}

unsigned int
bh_fpm_sweep_slot(struct bh_fpm *f, uint8_t proto, unsigned int budget)
{
	struct bh_fpm_entry *e;
	unsigned int n = 0;

	while (n < budget && (e = TAILQ_FIRST(&f->slot[proto].entries)) != NULL &&
		e->epoch != f->epoch) {
		entry_delete(f, e);
		n++;
	}
	f->changed |= n > 0;
	return n;
}

/* ---- changes that many entries share ---- */

static void
nhg_is_another(void *arg, struct bh_fpm_nhg *g)
{
	struct bh_fpm *f = arg;
	struct bh_fpm_entry *e;

	TAILQ_FOREACH(e, &g->users, of_nhg)
	{
		entry_set(f, e, g->set);
		entry_offer(f, e);
		bh_fpm_mark(f, e);
	}
}

static void
remap(struct bh_fpm *f)
{
	struct bh_htab *t = &f->nhgs.sets;
	struct bh_fpm_entry *e;
	struct bh_fpm_set *s;

	for (uint32_t i = 0; t->bucket != NULL && i <= t->mask; i++) {
		for (struct bh_hnode *n = t->bucket[i]; n != NULL; n = n->next) {
			s = bh_container_of(n, struct bh_fpm_set, node);
			if (!set_map(f, s))
				continue;
			TAILQ_FOREACH(e, &s->users, of_set)
			entry_offer(f, e);
		}
	}
}

void
bh_fpm_commit(struct bh_fpm *f)
{
	bh_fpm_nhgs_commit(&f->nhgs, nhg_is_another, f);
	if (f->remap)
		remap(f);
	if (f->reoffer)
		each_entry(f, f->configured ? entry_offer : entry_delete);
	f->remap = f->reoffer = f->changed = false;
}

void
bh_fpm_fini(struct bh_fpm *f)
{
	struct bh_hnode *n;

	bh_fpm_drop_all(f);
	while ((n = bh_htab_any(&f->entries)) != NULL) {
		bh_htab_remove(&f->entries, n);
		free(bh_container_of(n, struct bh_fpm_entry, node));
	}
	bh_htab_fini(&f->entries);
	bh_fpm_nhgs_fini(&f->nhgs);
}
