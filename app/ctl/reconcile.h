/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bhctl reconcile: do three layers agree, and what repairs them?
 *
 *	what zebra sent (fpm_route4, fpm_route6)
 *	    ↕ reconcile_rib.c: dumps, compared here
 *	the info base (route4, route6, nexthop)
 *	    ↕ reconcile_fib.c: BH_V_AUDIT, compared by the workers
 *	the published FIB
 *
 * Dumps of tables that change meanwhile differ without a fault: a difference of the first kind is
 * told only if it is there twice, half a second apart. It is repaired by the routing module,
 * which replays, and if that does not help has zebra tell all again; one of the second kind by the
 * worker that finds it.
 */
#ifndef BH_CTL_RECONCILE_H
#define BH_CTL_RECONCILE_H

#include "app/ctl/args.h"
#include "app/ctl/core.h"
#include "infobase/audit.h"
#include "lib/net/prefix.h"

#define BH_DIFFS_KEPT 10000 /* more are only counted */

enum bh_diff_what {
	/* the values of enum bh_audit_what, then: */
	BH_DIFF_ABSENT = 16, /* zebra's route is usable and not in the table, nor is a better one */
	BH_DIFF_UNTOLD,	     /* a route of zebra's that it did not send */
	BH_DIFF_OTHER_HOPS,  /* other next hops, type or daemon than zebra sent */
	BH_DIFF_WORSE,	     /* a route that is less preferred than zebra's has its place */
	BH_DIFF_NO_NEXTHOP,  /* the route's next-hop id is of no record */
};

struct bh_diff {
	struct bh_prefix prefix;
	uint8_t what; /* enum bh_diff_what */
	bool repaired;
	uint32_t wanted, found; /* next-hop ids; 0: none */
};

struct bh_diffs {
	size_t n;    /* in all */
	size_t kept, cap;
	struct bh_diff *d;
};

void bh_diffs_free(struct bh_diffs *ds);
/* 0 or -ENOMEM. */
int bh_diffs_add(struct bh_diffs *ds, const struct bh_diff *d);
/* Keeps those of a that b has too, by prefix and kind. Both are sorted by prefix. */
void bh_diffs_keep_common(struct bh_diffs *a, const struct bh_diffs *b);
const char *bh_diff_text(unsigned int what);

/* ---- reconcile_rib.c: what zebra sent, and the tables ---- */

struct bh_reconcile_tables {
	struct bh_recs fpm[2], route[2]; /* IPv4, IPv6; sorted by key */
	struct bh_recs nexthop, hostif, interface, cfg_fpm;
};

void bh_reconcile_tables_init(struct bh_reconcile_tables *t);
void bh_reconcile_tables_free(struct bh_reconcile_tables *t);
/* All of them, anew. An enum bh_ctl_exit. */
int bh_reconcile_fetch(struct bh_ctl_core *core, struct bh_reconcile_tables *t);
/* Pure. 0 or -ENOMEM. */
int bh_reconcile_compare(struct bh_reconcile_tables *t, struct bh_diffs *ds);

/* ---- reconcile_fib.c ---- */

/* A whole walk of route4 or route6 (family 4 or 6): sums over all turns. An enum bh_ctl_exit. */
int bh_reconcile_fib(struct bh_ctl_core *core, uint8_t family, bool repair, struct bh_audit *sum,
	struct bh_diffs *ds);

/* ---- reconcile.c ---- */

int bh_ctl_reconcile(struct bh_ctl_core *core, const struct bh_ctl_args *args);

#endif
