/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What zebra sent beside what the tables of routes hold. A route of zebra's is in its table with
 * its next hops, unless a better route of another source is, or none of its next hops can be used.
 * Next hops are compared where they can: those on interfaces that are up. One without interface is
 * resolved by the routing module through other routes; then only the route itself is looked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ctl/reconcile.h"

/* ---- differences ---- */

void
bh_diffs_free(struct bh_diffs *ds)
{
	free(ds->d);
	memset(ds, 0, sizeof(*ds));
}

int
bh_diffs_add(struct bh_diffs *ds, const struct bh_diff *d)
{
	size_t cap = ds->cap == 0 ? 64 : 2 * ds->cap;
	struct bh_diff *more;

	ds->n++;
	if (ds->kept == BH_DIFFS_KEPT)
		return 0;
	if (ds->kept == ds->cap) {
		more = realloc(ds->d, cap * sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		ds->d = more;
		ds->cap = cap;
	}
	ds->d[ds->kept++] = *d;
	return 0;
}

static int
compare_diffs(const struct bh_diff *a, const struct bh_diff *b)
{
	int rc = bh_prefix_cmp(&a->prefix, &b->prefix);

	return rc != 0 ? rc : a->what - b->what;
}

void
bh_diffs_keep_common(struct bh_diffs *a, const struct bh_diffs *b)
{
	size_t kept = 0, j = 0;

	for (size_t i = 0; i < a->kept; i++) {
		while (j < b->kept && compare_diffs(&b->d[j], &a->d[i]) < 0)
			j++;
		if (j < b->kept && compare_diffs(&b->d[j], &a->d[i]) == 0)
			a->d[kept++] = a->d[i];
	}
	/* What was only counted cannot be told apart: the smaller count of both. */
	a->n = kept + (a->n - a->kept < b->n - b->kept ? a->n - a->kept : b->n - b->kept);
	a->kept = kept;
}

const char *
bh_diff_text(unsigned int what)
{
	switch (what) {
	case BH_AUDIT_MISSING:
		return "missing in the FIB";
	case BH_AUDIT_OTHER_HOP:
		return "other next hop in the FIB";
	case BH_AUDIT_SURPLUS:
		return "in the FIB without a live route";
	case BH_AUDIT_LOOKUP:
		return "found wrongly by lookups";
	case BH_DIFF_ABSENT:
		return "sent by zebra, not installed";
	case BH_DIFF_UNTOLD:
		return "installed, not sent by zebra";
	case BH_DIFF_OTHER_HOPS:
		return "other next hops than zebra sent";
	case BH_DIFF_WORSE:
		return "a less preferred route is installed";
	case BH_DIFF_NO_NEXTHOP:
		return "its next hop does not exist";
	}
	return "unknown";
}

/* ---- tables ---- */

void
bh_reconcile_tables_init(struct bh_reconcile_tables *t)
{
	const size_t key[2] = {sizeof(struct bh_route4_key), sizeof(struct bh_route6_key)};

	for (int f = 0; f < 2; f++) {
		bh_recs_init(&t->fpm[f], key[f], sizeof(struct bh_fpm_route));
		bh_recs_init(&t->route[f], key[f], sizeof(struct bh_route));
	}
	bh_recs_init(&t->nexthop, sizeof(struct bh_nexthop_key), sizeof(struct bh_nexthop));
	bh_recs_init(&t->hostif, sizeof(struct bh_ifindex_key), sizeof(struct bh_hostif));
	bh_recs_init(&t->interface, sizeof(struct bh_ifindex_key), sizeof(struct bh_interface));
	bh_recs_init(&t->cfg_fpm, sizeof(struct bh_ifname_key), sizeof(struct bh_cfg_fpm));
}

void
bh_reconcile_tables_free(struct bh_reconcile_tables *t)
{
	for (int f = 0; f < 2; f++) {
		bh_recs_free(&t->fpm[f]);
		bh_recs_free(&t->route[f]);
	}
	bh_recs_free(&t->nexthop);
	bh_recs_free(&t->hostif);
	bh_recs_free(&t->interface);
	bh_recs_free(&t->cfg_fpm);
}

int
bh_reconcile_fetch(struct bh_ctl_core *core, struct bh_reconcile_tables *t)
{
	const struct {
		uint16_t table;
		struct bh_recs *recs;
	} all[] = {
		{BH_T_CFG_FPM, &t->cfg_fpm}, {BH_T_INTERFACE, &t->interface},
		{BH_T_HOSTIF, &t->hostif}, {BH_T_FPM_ROUTE4, &t->fpm[0]},
		{BH_T_ROUTE4, &t->route[0]}, {BH_T_FPM_ROUTE6, &t->fpm[1]},
		{BH_T_ROUTE6, &t->route[1]}, {BH_T_NEXTHOP, &t->nexthop},
	};
	int rc = BH_CTL_OK;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && rc == BH_CTL_OK; i++) {
		all[i].recs->n = 0;
		rc = bh_ctl_dump(core, all[i].table, all[i].recs);
	}
	return rc;
}

/* ---- comparison ---- */

struct compare {
	const struct bh_reconcile_tables *t;
	struct bh_diffs *ds;
	const struct bh_cfg_fpm *cfg; /* NULL: FPM is not configured */
	bool up[BH_IF_MAX];
	const struct bh_nexthop_key *nexthop[BH_NH_MAX]; /* by id */
	int f;
};

/* Members of a group that can be compared. */
struct hops {
	unsigned int n;
	bool open; /* there are others, which cannot */
	struct bh_nh_member m[BH_ECMP_MAX];
};

static void
add_hop(struct hops *h, uint32_t ifindex, uint8_t family, const uint8_t *addr)
{
	struct bh_nh_member m = {.ifindex = ifindex, .family = family};

	memcpy(m.addr, addr, sizeof(m.addr));
	for (unsigned int i = 0; i < h->n; i++)
		if (memcmp(&h->m[i], &m, sizeof(m)) == 0)
			return;
	if (h->n < BH_ECMP_MAX)
		h->m[h->n++] = m;
}

/* The router's interface of a kernel's; 0: none. */
static uint32_t
of_kernel(const struct compare *c, uint32_t kernel)
{
	const struct bh_recs *r = &c->t->hostif;

	for (size_t i = 0; i < r->n; i++) {
		const struct bh_hostif *v = bh_recs_val(r, i);
		const struct bh_ifindex_key *k = bh_recs_key(r, i);

		if (v->host_ifindex == kernel && k->ifindex < BH_IF_MAX)
			return k->ifindex;
	}
	return 0;
}

/* Of what zebra sent: by interfaces that are up. */
static void
hops_sent(const struct compare *c, const struct bh_fpm_route *v, struct hops *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned int i = 0; i < v->n && i < BH_ECMP_MAX; i++) {
		uint32_t ifindex = v->hop[i].ifindex == 0 ? 0 : of_kernel(c, v->hop[i].ifindex);

		if (v->hop[i].ifindex == 0)
			h->open = true;
		else if (ifindex != 0 && c->up[ifindex])
			add_hop(h, ifindex, v->hop[i].family, v->hop[i].addr);
	}
}

static void
hops_held(const struct compare *c, const struct bh_nexthop_key *k, struct hops *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned int i = 0; i < k->n && i < BH_ECMP_MAX; i++)
		if (k->m[i].ifindex < BH_IF_MAX && c->up[k->m[i].ifindex])
			add_hop(h, k->m[i].ifindex, k->m[i].family, k->m[i].addr);
}

static bool
same_hops(const struct hops *a, const struct hops *b)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < a->n; i++)
		for (unsigned int j = 0; j < b->n; j++)
			found += memcmp(&a->m[i], &b->m[j], sizeof(a->m[i])) == 0;
	return a->n == b->n && found == a->n;
}

/* A group of routes that are attached to their interface is one of attached next hops. */
static bool
same_type(uint8_t sent, uint8_t held)
{
	return sent == held || (sent == BH_NH_GROUP && held == BH_NH_ATTACHED);
}

static int
note(struct compare *c, const void *key, enum bh_diff_what what, uint32_t wanted, uint32_t found)
{
	struct bh_diff d = {.what = what, .wanted = wanted, .found = found};
	size_t len = c->f == 0 ? 4 : 16;

	d.prefix.family = c->f == 0 ? BH_IP4 : BH_IP6;
	memcpy(d.prefix.addr, key, len);
	d.prefix.plen = ((const uint8_t *)key)[len];
	return bh_diffs_add(c->ds, &d);
}

/* Zebra sent it, no table has it: is any of its next hops of use? */
static int
compare_absent(struct compare *c, const void *key, const struct bh_fpm_route *sent)
{
	struct hops h;

	hops_sent(c, sent, &h);
	if (sent->type == BH_NH_GROUP && h.n == 0)
		return 0;
	return note(c, key, BH_DIFF_ABSENT, 0, 0);
}

static int
compare_both(struct compare *c, const void *key, const struct bh_fpm_route *sent,
	const struct bh_route *held)
{
	const struct bh_nexthop_key *nh = held->nh < BH_NH_MAX ? c->nexthop[held->nh] : NULL;
	struct hops want, have;

	if (held->proto != BH_RP_FPM) {
		if (c->cfg == NULL || held->preference <= c->cfg->distance[sent->proto])
			return 0;
		return note(c, key, BH_DIFF_WORSE, 0, held->nh);
	}
	if (nh == NULL) /* told of as such */
		return 0;
	hops_sent(c, sent, &want);
	hops_held(c, nh, &have);
	if (held->sub == sent->proto && same_type(sent->type, nh->type) &&
		(want.open || same_hops(&want, &have)))
		return 0;
	return note(c, key, BH_DIFF_OTHER_HOPS, 0, held->nh);
}

static int
compare_held(struct compare *c, const void *key, const struct bh_route *held, bool was_sent)
{
	int rc = 0;

	if (!was_sent && held->proto == BH_RP_FPM)
		rc = note(c, key, BH_DIFF_UNTOLD, 0, held->nh);
	if (rc == 0 && (held->nh >= BH_NH_MAX || c->nexthop[held->nh] == NULL))
		rc = note(c, key, BH_DIFF_NO_NEXTHOP, 0, held->nh);
	return rc;
}

/* Both lists in order, side by side. */
static int
compare_family(struct compare *c)
{
	const struct bh_recs *fpm = &c->t->fpm[c->f], *route = &c->t->route[c->f];
	size_t i = 0, j = 0;
	int rc = 0, order;

	while (rc == 0 && (i < fpm->n || j < route->n)) {
		order = i == fpm->n ? 1 : j == route->n ? -1 :
			memcmp(bh_recs_key(fpm, i), bh_recs_key(route, j), fpm->key_len);
		if (order == 0)
			rc = compare_both(c, bh_recs_key(fpm, i), bh_recs_val(fpm, i),
				bh_recs_val(route, j));
		else if (order < 0)
			rc = compare_absent(c, bh_recs_key(fpm, i), bh_recs_val(fpm, i));
		if (rc == 0 && order >= 0)
			rc = compare_held(c, bh_recs_key(route, j), bh_recs_val(route, j),
				order == 0);
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

static void
index_tables(struct compare *c)
{
	const struct bh_reconcile_tables *t = c->t;

	for (size_t i = 0; i < t->interface.n; i++) {
		const struct bh_ifindex_key *k = bh_recs_key(&t->interface, i);
		const struct bh_interface *v = bh_recs_val(&t->interface, i);

		if (k->ifindex < BH_IF_MAX)
			c->up[k->ifindex] = v->oper == BH_OPER_UP;
	}
	for (size_t i = 0; i < t->nexthop.n; i++) {
		const struct bh_nexthop *v = bh_recs_val(&t->nexthop, i);

		if (v->id < BH_NH_MAX)
			c->nexthop[v->id] = bh_recs_key(&t->nexthop, i);
	}
	if (t->cfg_fpm.n > 0)
		c->cfg = bh_recs_val(&t->cfg_fpm, 0);
}

int
bh_reconcile_compare(struct bh_reconcile_tables *t, struct bh_diffs *ds)
{
	struct compare *c = calloc(1, sizeof(*c));
	int rc = c == NULL ? -ENOMEM : 0;

	if (c == NULL)
		return rc;
	c->t = t;
	c->ds = ds;
	index_tables(c);
	for (c->f = 0; c->f < 2 && rc == 0; c->f++) {
		bh_recs_sort(&t->fpm[c->f], NULL);
		bh_recs_sort(&t->route[c->f], NULL);
		rc = compare_family(c);
	}
	free(c);
	return rc;
}
