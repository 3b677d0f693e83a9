/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/routing.h"

#include <string.h>

#include "lib/log/log.h"

void
bh_routing_init(struct bh_routing *r, const struct bh_out_ops *ops, void *ctx)
{
	memset(r, 0, sizeof(*r));
	bh_ifaces_init(&r->ifaces);
	bh_output_init(&r->out, ops, ctx);
	bh_rib_init(&r->rib, &r->ifaces, &r->out);
	bh_addrs_init(&r->addrs, &r->ifaces, &r->rib);
	bh_source_init(&r->static4, &r->rib, BH_RP_STATIC);
	bh_source_init(&r->static6, &r->rib, BH_RP_STATIC);
	bh_fpm_init(&r->fpm, &r->rib, &r->ifaces, &r->out);
	bh_inputs_init(r);
}

void
bh_routing_fini(struct bh_routing *r)
{
	bh_fpm_fini(&r->fpm);
	bh_rib_fini(&r->rib);
	bh_addrs_fini(&r->addrs);
	bh_ifaces_fini(&r->ifaces);
}

/* Loops are a mistake of the configuration: told when their number changes. */
static void
routing_compute(struct bh_routing *r)
{
	uint32_t unsettled = r->rib.unsettled;
	unsigned int n;

	bh_addrs_commit(&r->addrs);
	bh_fpm_commit(&r->fpm);
	n = bh_rib_commit(&r->rib);
	if (n > 0)
		bh_output_retry(&r->out);
	if (r->rib.unsettled != unsettled)
		bh_warn("resolve", "%u next hops in a loop of recursion or deeper than %d",
			r->rib.unsettled, BH_RECURSION_MAX);
	bh_debug("rib", "%u prefixes looked at, %u IPv4, %u IPv6", n, r->rib.routes[0].n,
		r->rib.routes[1].n);
}

/* May what is known be computed and sent? At first all must have come; later what came before the
 * core's death will do, where it still means the same. */
static bool
routing_may(const struct bh_routing *r)
{
	return r->fpm.recovery == BH_FPM_RECOVERED &&
		(r->computed ? bh_inputs_based(r) : bh_inputs_ready(r));
}

/* As if the info base knew nothing; but the module served all the time. */
static void
start_over(struct bh_routing *r)
{
	bool told = r->out.told;

	r->again = false;
	bh_rib_restart(&r->rib);
	r->out.told = told;
}

static int
routing_send(struct bh_routing *r)
{
	int rc;

	if (r->again && r->out.replay == BH_REPLAY_DONE && r->out.error == 0) {
		if (r->out.under_way > 0)
			return 0;
		start_over(r);
	}
	r->out.hold_end = !bh_inputs_ready(r);
	bh_output_start(&r->out);
	rc = bh_fpm_pump(&r->fpm);
	return rc < 0 ? rc : bh_output_pump(&r->out);
}

int
bh_routing_commit(struct bh_routing *r)
{
	int rc = bh_fpm_recover(&r->fpm);

	if (rc < 0 || !routing_may(r))
		return rc;
	if (r->changed || r->fpm.changed) {
		r->changed = false;
		routing_compute(r);
		r->computed = true;
	}
	if (r->heir || r->recovers)
		bh_output_ready(&r->out);
	return r->heir ? 0 : routing_send(r);
}

void
bh_routing_promote(struct bh_routing *r)
{
	r->heir = r->out.told = false;
	bh_fpm_recover_again(&r->fpm);
}

bool
bh_routing_is_open(const struct bh_routing *r)
{
	return !r->heir && r->computed && r->out.replay != BH_REPLAY_IDLE;
}

void
bh_routing_replay(struct bh_routing *r)
{
	r->again = true;
}

bool
bh_routing_replays(const struct bh_routing *r)
{
	return r->again || r->out.replay != BH_REPLAY_DONE;
}

void
bh_routing_restart(struct bh_routing *r)
{
	r->again = false; /* it does so now */
	r->recovers = false;
	r->changed = true;
	bh_rib_restart(&r->rib);
	bh_fpm_restart(&r->fpm);
}
