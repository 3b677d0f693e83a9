/* SPDX-License-Identifier: BSD-3-Clause */
/* Zebra's messages, one by one, into what is held of each prefix. */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "modules/routing/fpm_priv.h"

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
	struct bh_fpm_entry *e = bh_fpm_find(f, p);

	if (e != NULL && !e->gone)
		bh_fpm_delete(f, e);
}

static bool
is_full(struct bh_fpm *f, uint8_t family)
{
	return *bh_fpm_count(f, family) >= (family == BH_IP4 ? BH_ROUTE4_MAX : BH_ROUTE6_MAX);
}

/* The set that a new route is to use; *g: the id that it names. -ENOSPC: too many of either. */
static int
hops_of(struct bh_fpm *f, const struct bh_fpm_msg *m, struct bh_fpm_nhg **g, struct bh_fpm_set **s)
{
	*g = NULL;
	if (m->id == 0) {
		*s = bh_fpm_set_intern(&f->nhgs, m->type, m->hop, m->n_hops);
		return *s != NULL ? 0 : -ENOSPC;
	}
	*g = bh_fpm_nhg_named(&f->nhgs, m->id);
	*s = *g != NULL ? (*g)->set : NULL;
	return *g != NULL ? 0 : -ENOSPC;
}

static void
hold(struct bh_fpm *f, const struct bh_fpm_msg *m, struct bh_fpm_nhg *g, struct bh_fpm_set *s)
{
	struct bh_fpm_entry *e = bh_fpm_get(f, &m->prefix);
	bool same;

	if (s == NULL && !e->gone && bh_fpm_keeps(f)) {
		s = e->set;
		f->kept = true;
	}
	same = !e->gone && e->proto == m->proto && e->metric == m->metric && e->set == s;
	bh_fpm_touch(f, e, m->proto, f->epoch);
	f->slot[m->proto].began = f->began = true;
	f->last_at = f->now;
	bh_fpm_use_set(f, e, s); /* before its id is released, which may be all that holds s */
	bh_fpm_use_nhg(f, e, g);
	if (same)
		return;
	e->metric = m->metric;
	bh_fpm_offer(f, e);
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
	e = bh_fpm_find(f, &m->prefix);
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
	struct bh_fpm_entry *e = bh_fpm_find(f, &m->prefix);

	if (e != NULL && !e->gone) {
		f->status.deleted++;
		if (bh_fpm_keeps(f))
			bh_fpm_unsay(f, e);
		else
			bh_fpm_delete(f, e);
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
