/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The naive reference: from the model to what must be installed, everything anew, by linear
 * scans, sharing nothing with the module but the meaning of the words in its headers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routing_fake.h"

#define REF_MAX 512

struct ref_cand {
	struct bh_prefix p;
	uint8_t proto;
	uint16_t preference;
	uint32_t instance;
	uint8_t type;
	uint8_t n;
	struct bh_cfg_hop hop[BH_ECMP_MAX];
	bool ok[BH_LEVELS];
	struct bh_nexthop_key key[BH_LEVELS];
};

struct ref {
	struct model *m;
	struct ref_cand c[REF_MAX];
	unsigned int n;
};

static uint32_t
if_usable(const struct model *m, const char *name, uint8_t family)
{
	const struct bh_interface *i;

	for (uint32_t k = 1; k < BH_IF_MAX; k++) {
		i = &m->ifs[k].rec;
		if (m->ifs[k].there && strcmp(i->name, name) == 0 && i->oper == BH_OPER_UP &&
			(i->flags & (family == 4 ? BH_IF_IPV4 : BH_IF_IPV6)))
			return k;
	}
	return 0;
}

static struct ref_cand *
ref_add(struct ref *r, uint8_t proto, const struct bh_prefix *p, uint8_t plen, uint32_t instance)
{
	struct ref_cand *c = &r->c[r->n++];

	ck_assert_uint_lt(r->n, REF_MAX);
	memset(c, 0, sizeof(*c));
	c->p = *p;
	c->p.plen = plen;
	bh_prefix_mask(&c->p);
	c->proto = proto;
	c->instance = instance;
	c->type = BH_NH_GROUP;
	return c;
}

static void
ref_address(struct ref *r, uint32_t ifindex, const char *name, const struct bh_prefix *p)
{
	struct ref_cand *c;

	if (p->family == 4 || p->addr[0] != 0xfe || (p->addr[1] & 0xc0) != 0x80) {
		c = ref_add(r, BH_RP_CONNECTED, p, p->plen, ifindex);
		c->n = 1;
		c->hop[0].weight = 1;
		strcpy(c->hop[0].name, name);
	}
	c = ref_add(r, BH_RP_LOCAL, p, p->family == 4 ? 32 : 128, ifindex);
	c->type = BH_NH_LOCAL;
}

static bool
same_addr(const struct bh_prefix *a, const struct bh_prefix *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, 16) == 0;
}

static void
ref_addresses(struct ref *r)
{
	struct model *m = r->m;
	unsigned int i, k;
	uint32_t ifindex;
	bool known;

	for (i = 0; i < m->n_addr; i++) {
		ifindex = if_usable(m, m->addr[i].name, m->addr[i].p.family);
		known = ifindex == 0;
		for (k = 0; k < m->n_stack; k++)
			if (m->stack[k].ifindex == ifindex && m->stack[k].state != 1 &&
				same_addr(&m->stack[k].p, &m->addr[i].p))
				known = true;
		if (!known)
			ref_address(r, ifindex, m->addr[i].name, &m->addr[i].p);
	}
	for (k = 0; k < m->n_stack; k++) {
		const struct model_if *in = &m->ifs[m->stack[k].ifindex];

		known = !in->there || m->stack[k].state != 1 ||
			!if_usable(m, in->rec.name, m->stack[k].p.family);
		for (i = 0; !known && i < m->n_addr; i++)
			known = strcmp(m->addr[i].name, in->rec.name) == 0 &&
				same_addr(&m->addr[i].p, &m->stack[k].p);
		if (!known)
			ref_address(r, m->stack[k].ifindex, in->rec.name, &m->stack[k].p);
	}
}

static int
hop_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_cfg_hop));
}

static void
ref_statics(struct ref *r)
{
	const struct model_static *s;
	struct ref_cand *c;

	for (s = r->m->stat; s < r->m->stat + r->m->n_stat; s++) {
		c = ref_add(r, BH_RP_STATIC, &s->p, s->p.plen, s->instance);
		c->preference = s->rec.preference;
		c->type = s->rec.type;
		c->n = s->rec.n;
		memcpy(c->hop, s->rec.hop, sizeof(c->hop));
		qsort(c->hop, c->n, sizeof(c->hop[0]), hop_cmp);
	}
}

/* Order of choice: preference, local, connected, static, instance. */
static bool
better(const struct ref_cand *a, const struct ref_cand *b)
{
	static const int rank[] = {[BH_RP_LOCAL] = 0, [BH_RP_CONNECTED] = 1, [BH_RP_STATIC] = 2};

	if (a->preference != b->preference)
		return a->preference < b->preference;
	if (a->proto != b->proto)
		return rank[a->proto] < rank[b->proto];
	return a->instance < b->instance;
}

static const struct ref_cand *
ref_best(const struct ref *r, const struct bh_prefix *p, unsigned int level)
{
	const struct ref_cand *best = NULL, *c;

	for (c = r->c; c < r->c + r->n; c++)
		if (c->ok[level] && bh_prefix_cmp(&c->p, p) == 0 && (!best || better(c, best)))
			best = c;
	return best;
}

static bool
same_hops(const struct ref_cand *a, const struct ref_cand *b)
{
	return a->p.family == b->p.family && a->type == b->type && a->n == b->n &&
	       memcmp(a->hop, b->hop, a->n * sizeof(a->hop[0])) == 0;
}

/* The longest active route to the hop but the default and those of the same hops. */
static const struct ref_cand *
ref_lookup(const struct ref *r, const struct ref_cand *from, const struct bh_cfg_hop *hop,
	unsigned int level)
{
	const struct ref_cand *c, *best;
	struct bh_prefix p = {.family = hop->family};

	memcpy(p.addr, hop->addr, sizeof(p.addr));
	for (int plen = hop->family == 4 ? 32 : 128; plen > 0; plen--) {
		p.plen = plen;
		bh_prefix_mask(&p);
		best = NULL;
		for (c = r->c; c < r->c + r->n && best == NULL; c++)
			if (bh_prefix_cmp(&c->p, &p) == 0)
				best = ref_best(r, &p, level);
		if (best != NULL && !same_hops(best, from))
			return best;
	}
	return NULL;
}

struct ref_set {
	struct bh_nh_member m[256];
	unsigned int n;
	uint32_t attached;
	uint8_t special;
};

/* Adds an adjacency; equal ones add their weights. */
static void
set_add(struct ref_set *s, uint32_t ifindex, const struct bh_cfg_hop *at, uint8_t weight)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (s->m[i].ifindex == ifindex && s->m[i].family == at->family &&
			memcmp(s->m[i].addr, at->addr, 16) == 0)
			break;
	if (i == s->n) {
		memset(&s->m[i], 0, sizeof(s->m[i]));
		s->m[i].ifindex = ifindex;
		s->m[i].family = at->family;
		memcpy(s->m[i].addr, at->addr, 16);
		s->n++;
	}
	s->m[i].weight = s->m[i].weight + weight > 255 ? 255 : s->m[i].weight + weight;
}

static void
set_through(struct ref_set *s, const struct bh_cfg_hop *hop, const struct bh_nexthop_key *k)
{
	struct bh_cfg_hop at = *hop;
	unsigned int i;

	for (i = 0; k->type == BH_NH_GROUP && i < k->n; i++) {
		at.family = k->m[i].family;
		memcpy(at.addr, k->m[i].addr, 16);
		set_add(s, k->m[i].ifindex, &at, hop->weight);
	}
	if (k->type == BH_NH_ATTACHED)
		set_add(s, k->m[0].ifindex, hop, hop->weight);
	if (k->type >= BH_NH_BLACKHOLE && (s->special == 0 || k->type < s->special))
		s->special = k->type;
}

static void
set_hop(struct ref_set *s, const struct ref *r, const struct ref_cand *c,
	const struct bh_cfg_hop *hop, unsigned int level)
{
	const struct ref_cand *via;
	uint32_t ifindex;

	if (c->p.family == 6 && hop->family == 4)
		return;
	if (hop->name[0] != '\0') {
		ifindex = if_usable(r->m, hop->name, hop->family ? hop->family : c->p.family);
		if (ifindex != 0 && hop->family != 0)
			set_add(s, ifindex, hop, hop->weight);
		else if (ifindex != 0 && (s->attached == 0 || ifindex < s->attached))
			s->attached = ifindex;
		return;
	}
	if (level == 0 || (hop->family == 6 && bh_ip6_is_link_local(hop->addr)))
		return;
	via = ref_lookup(r, c, hop, level - 1);
	if (via != NULL)
		set_through(s, hop, &via->key[level - 1]);
}

static int
member_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_nh_member));
}

static void
ref_resolve(const struct ref *r, struct ref_cand *c, unsigned int level)
{
	struct bh_nexthop_key *k = &c->key[level];
	struct ref_set s = {.special = c->type == BH_NH_GROUP ? 0 : c->type};

	for (unsigned int i = 0; i < c->n; i++)
		set_hop(&s, r, c, &c->hop[i], level);
	memset(k, 0, sizeof(*k));
	c->ok[level] = s.n > 0 || s.attached != 0 || s.special != 0;
	if (s.n > 0) {
		if (s.n == 1)
			s.m[0].weight = 1;
		qsort(s.m, s.n, sizeof(s.m[0]), member_cmp);
		k->type = BH_NH_GROUP;
		k->n = s.n < BH_ECMP_MAX ? s.n : BH_ECMP_MAX;
		memcpy(k->m, s.m, k->n * sizeof(s.m[0]));
	} else if (s.attached != 0) {
		k->type = BH_NH_ATTACHED;
		k->n = 1;
		k->m[0].ifindex = s.attached;
		k->m[0].weight = 1;
	} else {
		k->type = s.special;
	}
}

/* What settles at the last level counts, else what needs no recursion. */
static void
ref_settle(struct ref_cand *c)
{
	const unsigned int last = BH_LEVELS - 1;

	if (c->ok[last] == c->ok[last - 1] &&
		memcmp(&c->key[last], &c->key[last - 1], sizeof(c->key[0])) == 0)
		return;
	c->ok[last] = c->ok[0];
	c->key[last] = c->key[0];
}

void
ref_check(struct fake *f)
{
	static struct ref r;
	char want[FAKE_TEXT], p[BH_PREFIX_STRLEN];
	const struct ref_cand *best;
	unsigned int i, level, n[2] = {0};

	r.m = &f->m;
	r.n = 0;
	ref_addresses(&r);
	ref_statics(&r);
	for (level = 0; level < BH_LEVELS; level++)
		for (i = 0; i < r.n; i++)
			ref_resolve(&r, &r.c[i], level);
	for (i = 0; i < r.n; i++)
		ref_settle(&r.c[i]);
	for (i = 0; i < r.n; i++) {
		best = ref_best(&r, &r.c[i].p, BH_LEVELS - 1);
		strcpy(want, "none");
		if (best != NULL) {
			sprintf(want, "%s %u ",
				best->proto == BH_RP_LOCAL    ? "local"
				: best->proto == BH_RP_STATIC ? "static"
							      : "connected",
				best->preference);
			fake_text_nh(&best->key[BH_LEVELS - 1], want + strlen(want));
			n[r.c[i].p.family == 6] += best == &r.c[i];
		}
		bh_prefix_format(&r.c[i].p, p, sizeof(p));
		ck_assert_msg(strcmp(fake_route(f, p), want) == 0, "%s: %s instead of %s", p,
			fake_route(f, p), want);
	}
	ck_assert_uint_eq(f->table[BH_T_ROUTE4].n, n[0]);
	ck_assert_uint_eq(f->table[BH_T_ROUTE6].n, n[1]);
	for (i = 1; i <= f->next_id; i++)
		ck_assert(f->by_id[i] == NULL || f->by_id[i]->routes > 0);
}
