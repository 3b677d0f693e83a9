/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/ra.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "lib/log/limit.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

struct bh_ra_prefix {
	TAILQ_ENTRY(bh_ra_prefix) link;
	uint8_t addr[16], plen;
	bool marked;
	struct bh_cfg_ra_prefix cfg;
};

void
bh_ra_init(struct bh_ra *ra)
{
	TAILQ_INIT(&ra->prefixes);
}

void
bh_ra_fini(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_ra_prefix *p;

	bh_timer_cancel(&s->timers, &i->ra.timer);
	while ((p = TAILQ_FIRST(&i->ra.prefixes)) != NULL) {
		TAILQ_REMOVE(&i->ra.prefixes, p, link);
		free(p);
	}
}

/* ---- messages ---- */

static bool
add_prefix(struct bh_frame *f, const uint8_t addr[16], uint8_t plen,
	const struct bh_cfg_ra_prefix *c)
{
	struct nd_opt_prefix_info *o = bh_frame_more(f, sizeof(*o));

	if (o == NULL)
		return false;
	o->nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION;
	o->nd_opt_pi_len = sizeof(*o) / 8;
	o->nd_opt_pi_prefix_len = plen;
	if (c->flags & BH_RA_PREFIX_ON_LINK)
		o->nd_opt_pi_flags_reserved |= ND_OPT_PI_FLAG_ONLINK;
	if (c->flags & BH_RA_PREFIX_AUTONOMOUS)
		o->nd_opt_pi_flags_reserved |= ND_OPT_PI_FLAG_AUTO;
	o->nd_opt_pi_valid_time = htonl(c->valid);
	o->nd_opt_pi_preferred_time = htonl(c->preferred);
	memcpy(&o->nd_opt_pi_prefix, addr, 16);
	bh_addr_mask((uint8_t *)&o->nd_opt_pi_prefix, 16, plen);
	return true;
}

static bool
is_configured(const struct bh_netif *i, const uint8_t addr[16], uint8_t plen)
{
	const struct bh_ra_prefix *p;

	TAILQ_FOREACH(p, &i->ra.prefixes, link)
		if (p->plen == plen && bh_addr_match(p->addr, addr, plen))
			return true;
	return false;
}

/* Whether an address before a has the same prefix. */
static bool
is_repeated(const struct bh_netif *i, const struct bh_ifaddr *a)
{
	const struct bh_ifaddr *b;

	TAILQ_FOREACH(b, &i->addrs, link) {
		if (b == a)
			return false;
		if (b->family == 6 && b->active && b->plen == a->plen &&
			bh_addr_match(b->addr, a->addr, a->plen))
			return true;
	}
	return false;
}

static bool
add_prefixes(struct bh_netif *i, struct bh_frame *f)
{
	static const struct bh_cfg_ra_prefix usual = {.valid = BH_RA_VALID_S,
		.preferred = BH_RA_PREFERRED_S,
		.flags = BH_RA_PREFIX_ON_LINK | BH_RA_PREFIX_AUTONOMOUS};
	const struct bh_ra_prefix *p;
	const struct bh_ifaddr *a;
	bool all = true;

	TAILQ_FOREACH(p, &i->ra.prefixes, link)
		if (!(p->cfg.flags & BH_RA_PREFIX_NONE))
			all = add_prefix(f, p->addr, p->plen, &p->cfg) && all;
	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->active && a->family == 6 && a->state != BH_ADDR_DUPLICATE &&
			a->plen < 128 && !bh_ip6_is_link_local(a->addr) &&
			!is_configured(i, a->addr, a->plen) && !is_repeated(i, a))
			all = add_prefix(f, a->addr, a->plen, &usual) && all;
	return all;
}

static void
add_mtu(struct bh_frame *f, uint32_t mtu)
{
	struct nd_opt_mtu *o = mtu != 0 ? bh_frame_more(f, sizeof(*o)) : NULL;

	if (o == NULL)
		return;
	o->nd_opt_mtu_type = ND_OPT_MTU;
	o->nd_opt_mtu_len = 1;
	o->nd_opt_mtu_mtu = htonl(mtu);
}

/* last: hosts shall use this router no more (§6.2.5). */
static void
send_advert(struct bh_stack *s, struct bh_netif *i, bool last)
{
	static struct bh_log_limit limit;
	const struct bh_ifaddr *src = bh_ifaddr_link_local(i);
	const struct bh_cfg_ra *c = &i->ra.cfg;
	struct nd_router_advert *ra;
	struct bh_frame f;

	if (src == NULL)
		return;
	ra = bh_frame_icmp6(&f, i->mac, NULL, src->addr, bh_ip6_all_nodes, false, sizeof(*ra));
	ra->nd_ra_type = ND_ROUTER_ADVERT;
	ra->nd_ra_curhoplimit = c->hop_limit;
	if (c->flags & BH_RA_MANAGED)
		ra->nd_ra_flags_reserved |= ND_RA_FLAG_MANAGED;
	if (c->flags & BH_RA_OTHER)
		ra->nd_ra_flags_reserved |= ND_RA_FLAG_OTHER;
	/* Who does not forward is no default router. */
	if (!last && (i->flags & BH_IF_FORWARD6))
		ra->nd_ra_router_lifetime = htons(c->lifetime);
	ra->nd_ra_reachable = htonl(c->reachable);
	ra->nd_ra_retransmit = htonl(c->retrans);
	bh_frame_opt_lladdr(&f, ND_OPT_SOURCE_LINKADDR, i->mac);
	add_mtu(&f, c->mtu);
	if (!add_prefixes(i, &f))
		bh_log_limited(&limit, BH_LOG_WARNING, "ra",
			"%s: not all prefixes fit in an advertisement", i->name);
	bh_frame_icmp6_end(&f);
	bh_netif_send(s, i, &f);
	i->ra.last = s->timers.now;
	s->stats.ra_sent++;
}

/* ---- times ---- */

static void
on_timer(void *arg, struct bh_timer *t)
{
	struct bh_netif *i = bh_container_of(t, struct bh_netif, ra.timer);
	uint32_t min = i->ra.cfg.min_interval * 1000u, max = i->ra.cfg.max_interval * 1000u;
	struct bh_stack *s = arg;
	uint32_t next;

	send_advert(s, i, false);
	next = min + bh_stack_random(s, max > min ? max - min : 1);
	if (next < BH_RA_MIN_DELAY_MS)
		next = BH_RA_MIN_DELAY_MS;
	if (i->ra.sent < BH_RA_INITIAL) {
		i->ra.sent++;
		if (next > BH_RA_INITIAL_MS)
			next = BH_RA_INITIAL_MS;
	}
	bh_timer_set(&s->timers, t, next, on_timer);
}

/* One soon, but no two within the least delay (§6.2.6). */
static void
soon(struct bh_stack *s, struct bh_netif *i)
{
	uint64_t in = bh_stack_random(s, BH_RA_DELAY_MS);
	uint64_t since = s->timers.now - i->ra.last;

	if (i->ra.last != 0 && since < BH_RA_MIN_DELAY_MS)
		in += BH_RA_MIN_DELAY_MS - since;
	if (!i->ra.timer.set || i->ra.timer.due > s->timers.now + in)
		bh_timer_set(&s->timers, &i->ra.timer, in, on_timer);
}

void
bh_ra_solicited(struct bh_stack *s, struct bh_netif *i)
{
	if (i->ra.active)
		soon(s, i);
}

void
bh_ra_settle(struct bh_stack *s, struct bh_netif *i)
{
	bool able = i->up && bh_netif_has(i, 6) && bh_ifaddr_link_local(i) != NULL;
	bool active = able && (i->ra.cfg.flags & BH_RA_SEND) != 0;

	if (active == i->ra.active)
		return;
	i->ra.active = active;
	if (active) {
		i->ra.sent = 0;
		soon(s, i);
		return;
	}
	bh_timer_cancel(&s->timers, &i->ra.timer);
	if (able)
		send_advert(s, i, true);
}

/* ---- configuration ---- */

/* What is advertised has changed. */
static void
renew(struct bh_stack *s, struct bh_netif *i)
{
	bh_ra_settle(s, i);
	if (!i->ra.active)
		return;
	i->ra.sent = 0;
	soon(s, i);
}

void
bh_ra_cfg(struct bh_stack *s, const char *name, const struct bh_cfg_ra *cfg)
{
	static const struct bh_cfg_ra none;
	struct bh_netif *i = bh_netif_named(s, name);

	i->ra.marked = false;
	if (cfg == NULL)
		cfg = &none;
	if (memcmp(&i->ra.cfg, cfg, sizeof(*cfg)) == 0)
		return;
	if (!(cfg->flags & BH_RA_SEND)) {
		/* The last one still tells the old values. */
		i->ra.cfg.flags &= ~BH_RA_SEND;
		bh_ra_settle(s, i);
	}
	i->ra.cfg = *cfg;
	renew(s, i);
}

void
bh_ra_mark(struct bh_stack *s)
{
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link)
		i->ra.marked = true;
}

void
bh_ra_sweep(struct bh_stack *s)
{
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link)
		if (i->ra.marked)
			bh_ra_cfg(s, i->name, NULL);
}

static struct bh_ra_prefix *
find_prefix(struct bh_netif *i, const struct bh_cfg_ra_prefix_key *k)
{
	struct bh_ra_prefix *p;

	TAILQ_FOREACH(p, &i->ra.prefixes, link)
		if (p->plen == k->plen && memcmp(p->addr, k->addr, 16) == 0)
			return p;
	return NULL;
}

void
bh_ra_cfg_prefix(struct bh_stack *s, const struct bh_cfg_ra_prefix_key *k,
	const struct bh_cfg_ra_prefix *cfg)
{
	struct bh_netif *i = bh_netif_named(s, k->name);
	struct bh_ra_prefix *p = find_prefix(i, k);

	if (cfg == NULL && p == NULL)
		return;
	if (cfg == NULL) {
		TAILQ_REMOVE(&i->ra.prefixes, p, link);
		free(p);
		renew(s, i);
		return;
	}
	if (p == NULL) {
		p = bh_must_calloc(1, sizeof(*p));
		p->plen = k->plen;
		memcpy(p->addr, k->addr, 16);
		TAILQ_INSERT_TAIL(&i->ra.prefixes, p, link);
	}
	p->marked = false;
	if (memcmp(&p->cfg, cfg, sizeof(*cfg)) == 0)
		return;
	p->cfg = *cfg;
	renew(s, i);
}

void
bh_ra_prefixes_mark(struct bh_stack *s)
{
	struct bh_ra_prefix *p;
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link)
		TAILQ_FOREACH(p, &i->ra.prefixes, link)
			p->marked = true;
}

void
bh_ra_prefixes_sweep(struct bh_stack *s)
{
	struct bh_ra_prefix *p, *next;
	struct bh_netif *i;
	bool gone;

	TAILQ_FOREACH(i, &s->ifs, link) {
		gone = false;
		for (p = TAILQ_FIRST(&i->ra.prefixes); p != NULL; p = next) {
			next = TAILQ_NEXT(p, link);
			if (!p->marked)
				continue;
			TAILQ_REMOVE(&i->ra.prefixes, p, link);
			free(p);
			gone = true;
		}
		if (gone)
			renew(s, i);
	}
}
