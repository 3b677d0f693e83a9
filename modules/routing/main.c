/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-routing: the process around struct bh_routing and the connection of zebra (fpm_conn.h).
 * When the core goes away it keeps what it knows, goes on hearing zebra, waits for the next core,
 * and replays. At SIGTERM it leaves its routes where they are: forwarding goes on without it.
 */
#include <string.h>

#include "lib/life/life.h"
#include "lib/log/log.h"
#include "lib/module/module.h"
#include "lib/stats/stats.h"
#include "modules/routing/fpm_conn.h"
#include "modules/routing/routing.h"

#define AREA "main"

struct program {
	struct bh_module m;
	struct bh_routing routing;
	struct bh_fpm_conn fpm;
	bool connected; /* once, to this core or one before */
	bool asked;	/* for a replay, and who asked waits for its end */
};

/* ---- what the routing core does to the world ---- */

static int
out_submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct program *p = ctx;

	return bh_submit(p->m.h, verb, table, aux, body, len, cb, arg);
}

static void
out_ready(void *ctx)
{
	struct program *p = ctx;
	const struct bh_rib *rib = &p->routing.rib;

	bh_info(AREA, "%u IPv4 and %u IPv6 prefixes, %u next hops", rib->routes[0].n,
		rib->routes[1].n, rib->nhs.tab.n);
	bh_module_ready(&p->m);
}

static const struct bh_out_ops out_ops = {out_submit, out_ready};

/* ---- words ---- */

/* What a computation may take: all routes are looked at. */
static unsigned int
compute_ms(const struct program *p)
{
	const struct bh_rib *rib = &p->routing.rib;

	return 500 + (rib->routes[0].n + rib->routes[1].n) / 20 + p->routing.fpm.entries.n / 20;
}

static void
word_done(enum bh_word_kind kind)
{
	int rc = bh_word_done(kind);

	if (rc < 0)
		bh_warn(AREA, "cannot tell the supervisor: %s", strerror(-rc));
}

static void
tell_replayed(struct program *p)
{
	if (!p->asked || bh_routing_replays(&p->routing))
		return;
	p->asked = false;
	word_done(BH_WORD_REPLAY);
}

static void
take_over(void *ctx)
{
	struct program *p = ctx;

	bh_life_busy(compute_ms(p));
	bh_routing_promote(&p->routing);
}

/* Zebra comes back by itself; its replay is told by the table `fpm`. */
static void
renew(struct program *p)
{
	bh_life_busy(compute_ms(p));
	bh_fpm_conn_renew(&p->fpm);
	word_done(BH_WORD_RENEW);
}

static bool
word(void *ctx, enum bh_word_kind kind, const struct bh_word *w)
{
	struct program *p = ctx;

	(void)w;
	if (kind == BH_WORD_REPLAY) {
		p->asked = true;
		bh_routing_replay(&p->routing);
	} else if (kind == BH_WORD_RENEW) {
		renew(p);
	}
	return false; /* no word of ours has a descriptor */
}

/* ---- connections and turns ---- */

static int
watch_inputs(struct program *p)
{
	unsigned int i;
	int rc;

	for (i = 0; i < BH_ROUTING_INPUTS; i++) {
		rc = bh_watch(p->m.h, bh_routing_table(&p->routing, i), bh_routing_change,
			&p->routing.input[i]);
		if (rc < 0) {
			bh_err(AREA, "cannot watch table %u: %s", bh_routing_table(&p->routing, i),
				strerror(-rc));
			return rc;
		}
	}
	return 0;
}

/* Whether the tables that are ours hold all that a predecessor said. */
static bool
tables_complete(const struct program *p)
{
	static const uint16_t ours[] = {BH_T_NEXTHOP, BH_T_ROUTE4, BH_T_ROUTE6};
	size_t size;
	const struct bh_stats *st = bh_stats_map(p->m.h, &size);

	for (unsigned int i = 0; st != NULL && size >= sizeof(*st) && i < 3; i++)
		if (bh_read(&st->table[ours[i]].complete) == 0)
			return false;
	return st != NULL && size >= sizeof(*st);
}

static int
connected(void *ctx)
{
	struct program *p = ctx;
	int rc;

	if (p->connected) {
		bh_life_busy(compute_ms(p));
		bh_routing_restart(&p->routing);
		bh_life_beat();
	}
	p->connected = true;
	rc = watch_inputs(p);
	if (rc == 0)
		p->routing.recovers = tables_complete(p);
	return rc;
}

/* Only what zebra still has to be swept asks for another turn at once: replies wake it. */
static int
turn(void *ctx)
{
	struct program *p = ctx;
	bool more;
	int rc;

	bh_life_busy(compute_ms(p));
	p->routing.fpm.now = bh_module_now();
	more = bh_fpm_conn_turn(&p->fpm, p->m.has_role && bh_routing_is_open(&p->routing));
	rc = bh_routing_commit(&p->routing);
	if (rc < 0)
		return rc;
	tell_replayed(p);
	return more;
}

static const struct bh_module_ops module_ops = {
	.connected = connected, .turn = turn, .take_over = take_over, .word = word,
};

static int
run(struct program *p)
{
	int rc;

	bh_routing_init(&p->routing, &out_ops, p);
	rc = bh_module_start(&p->m, "routing", &module_ops, p);
	p->routing.heir = bh_supervised_heir();
	bh_fpm_conn_init(&p->fpm, p->m.base, &p->routing.fpm);
	if (rc == 0)
		rc = bh_module_run(&p->m, BH_SANDBOX_LISTENER);
	bh_fpm_conn_fini(&p->fpm);
	rc = bh_module_end(&p->m, rc); /* may answer what is under way */
	bh_routing_fini(&p->routing);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct program p;
	int rc = bh_module_args(
		argc, argv, "bulkhead-routing", "The routing module of bulkhead");

	return rc >= 0 ? rc : run(&p);
}
