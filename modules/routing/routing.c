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
	bh_inputs_init(r);
}

void
bh_routing_fini(struct bh_routing *r)
{
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
	return r->computed ? bh_inputs_based(r) : bh_inputs_ready(r);
}

int
bh_routing_commit(struct bh_routing *r)
{
	if (!routing_may(r))
		return 0;
	if (r->changed) {
		r->changed = false;
		routing_compute(r);
		r->computed = true;
	}
	if (r->heir || r->recovers)
		bh_output_ready(&r->out);
	if (r->heir)
		return 0;
	r->out.hold_end = !bh_inputs_ready(r);
	bh_output_start(&r->out);
	return bh_output_pump(&r->out);
}

void
bh_routing_restart(struct bh_routing *r)
{
	r->recovers = false;
	r->changed = true;
	bh_rib_restart(&r->rib);
}
