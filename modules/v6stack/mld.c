/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/mld.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 }; /* RFC 3810 §5.2.12 */

#define MLD2_REPORT 143

struct bh_mld_group {
	TAILQ_ENTRY(bh_mld_group) link;
	uint8_t addr[16];
	unsigned int refs; /* 0: being left */
	uint8_t changes;   /* reports of the change to be sent */
	bool asked;
};

struct report {
	uint8_t type, code;
	uint16_t sum, reserved, n;
};

struct record {
	uint8_t type, aux;
	uint16_t sources;
	uint8_t group[16];
};

void
bh_mld_init(struct bh_mld *m)
{
	TAILQ_INIT(&m->groups);
}

void
bh_mld_fini(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_mld_group *g;

	bh_timer_cancel(&s->timers, &i->mld.change);
	bh_timer_cancel(&s->timers, &i->mld.query);
	while ((g = TAILQ_FIRST(&i->mld.groups)) != NULL) {
		TAILQ_REMOVE(&i->mld.groups, g, link);
		free(g);
	}
}

/* Type of a group's record in this report; 0: none. */
static uint8_t
record_type(const struct bh_mld_group *g, bool answer)
{
	if (answer)
		return g->asked && g->refs > 0 ? IS_EXCLUDE : 0;
	return g->changes == 0 ? 0 : g->refs > 0 ? TO_EXCLUDE : TO_INCLUDE;
}

/* From the link-local address, or from :: while there is none (RFC 3590). */
static struct report *
begin(struct bh_netif *i, struct bh_frame *f)
{
	const struct bh_ifaddr *src = bh_ifaddr_link_local(i);
	struct report *r = bh_frame_icmp6(f, i->mac, NULL, src != NULL ? src->addr : bh_ip6_any,
		bh_ip6_all_mld, true, sizeof(*r));

	r->type = MLD2_REPORT;
	return r;
}

static void
finish(struct bh_stack *s, struct bh_netif *i, struct bh_frame *f, struct report *r, uint16_t n)
{
	if (n == 0)
		return;
	r->n = htons(n);
	bh_frame_icmp6_end(f);
	bh_netif_send(s, i, f);
	s->stats.mld_reports++;
}

static void
report(struct bh_stack *s, struct bh_netif *i, bool answer)
{
	struct bh_mld_group *g;
	struct bh_frame f;
	struct report *r = begin(i, &f);
	struct record *rec;
	uint16_t n = 0;

	TAILQ_FOREACH(g, &i->mld.groups, link) {
		uint8_t type = record_type(g, answer);

		if (type == 0)
			continue;
		rec = bh_frame_more(&f, sizeof(*rec));
		if (rec == NULL) {
			finish(s, i, &f, r, n);
			n = 0;
			r = begin(i, &f);
			rec = bh_frame_more(&f, sizeof(*rec));
		}
		rec->type = type;
		memcpy(rec->group, g->addr, 16);
		n++;
	}
	finish(s, i, &f, r, n);
}

/* ---- changes ---- */

static void
on_change(void *arg, struct bh_timer *t)
{
	struct bh_netif *i = bh_container_of(t, struct bh_netif, mld.change);
	struct bh_mld_group *g, *next;
	struct bh_stack *s = arg;
	bool more = false;

	report(s, i, false);
	for (g = TAILQ_FIRST(&i->mld.groups); g != NULL; g = next) {
		next = TAILQ_NEXT(g, link);
		if (g->changes > 0)
			g->changes--;
		more = more || g->changes > 0;
		if (g->refs > 0 || g->changes > 0)
			continue;
		TAILQ_REMOVE(&i->mld.groups, g, link);
		free(g);
	}
	if (more)
		bh_timer_set(&s->timers, t, bh_stack_random(s, BH_MLD_AGAIN_MS) + 1, on_change);
}

static void
changed(struct bh_stack *s, struct bh_netif *i, struct bh_mld_group *g)
{
	g->changes = BH_MLD_ROBUSTNESS;
	if (i->up)
		bh_timer_set(&s->timers, &i->mld.change, 0, on_change);
}

static struct bh_mld_group *
find(const struct bh_netif *i, const uint8_t addr[16])
{
	struct bh_mld_group *g;

	TAILQ_FOREACH(g, &i->mld.groups, link)
		if (memcmp(g->addr, addr, 16) == 0)
			return g;
	return NULL;
}

static void
join(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16])
{
	struct bh_mld_group *g = find(i, addr);

	if (g == NULL) {
		g = bh_must_calloc(1, sizeof(*g));
		memcpy(g->addr, addr, 16);
		TAILQ_INSERT_TAIL(&i->mld.groups, g, link);
	}
	if (g->refs++ == 0)
		changed(s, i, g);
}

static void
leave(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16])
{
	struct bh_mld_group *g = find(i, addr);

	if (g != NULL && g->refs > 0 && --g->refs == 0)
		changed(s, i, g);
}

void
bh_mld_address(struct bh_stack *s, struct bh_netif *i, const struct bh_ifaddr *a, bool on)
{
	uint8_t group[16];

	if (a->family != 6)
		return;
	bh_ip6_solicited_node(a->addr, group);
	if (on)
		join(s, i, group);
	else
		leave(s, i, group);
}

void
bh_mld_settle(struct bh_stack *s, struct bh_netif *i)
{
	bool routers = bh_netif_has(i, 6) && (i->flags & BH_IF_FORWARD6) != 0;

	if (routers == i->mld.routers)
		return;
	i->mld.routers = routers;
	if (routers)
		join(s, i, bh_ip6_all_routers);
	else
		leave(s, i, bh_ip6_all_routers);
}

void
bh_mld_up(struct bh_stack *s, struct bh_netif *i)
{
	struct bh_mld_group *g;

	TAILQ_FOREACH(g, &i->mld.groups, link)
		changed(s, i, g);
}

/* ---- queries ---- */

static void
on_query(void *arg, struct bh_timer *t)
{
	struct bh_netif *i = bh_container_of(t, struct bh_netif, mld.query);
	struct bh_mld_group *g;

	report(arg, i, true);
	TAILQ_FOREACH(g, &i->mld.groups, link)
		g->asked = false;
}

/* RFC 3810 §5.1.3. */
static uint32_t
max_delay(const struct mld_hdr *q, size_t len)
{
	uint16_t code = ntohs(q->mld_maxdelay);

	if (len < 28 || code < 32768)
		return code;
	return ((code & 0xfffu) | 0x1000) << (((code >> 12) & 7) + 3);
}

void
bh_mld_query(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p)
{
	const struct mld_hdr *q = (const void *)p->l4;
	struct bh_mld_group *g;
	bool any = false, general;
	uint32_t delay;

	if (p->l4_len < sizeof(*q) || p->ip->ip6_hlim != 1 || !p->router_alert ||
		!bh_ip6_is_link_local((const void *)&p->ip->ip6_src)) {
		s->stats.bad_mld++;
		return;
	}
	general = memcmp(&q->mld_addr, bh_ip6_any, 16) == 0;
	TAILQ_FOREACH(g, &i->mld.groups, link) {
		if (general || memcmp(&q->mld_addr, g->addr, 16) == 0)
			g->asked = any = true;
	}
	delay = bh_stack_random(s, max_delay(q, p->l4_len) + 1);
	if (any && (!i->mld.query.set || i->mld.query.due > s->timers.now + delay))
		bh_timer_set(&s->timers, &i->mld.query, delay, on_query);
}
