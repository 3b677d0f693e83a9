/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The route workers' own part: `route4` and `route6` into fib4 and fib6. A route whose next-hop
 * id is not live is stored with BH_ROUTE_UNRESOLVED and stays outside the FIB until the link
 * worker tells that the id lives.
 */
#ifndef BH_INFOBASE_ROUTE_PUBLISH_H
#define BH_INFOBASE_ROUTE_PUBLISH_H

#include "infobase/infobase.h"
#include "infobase/nh_links.h"

struct bh_route_publish;
struct bh_fwd_tables;

/* family: 4 or 6. Binds hooks, the links input and the reclaim chore. EAL main lcore, before
 * the launch. NULL and errno. */
struct bh_route_publish *bh_route_publish_create(struct bh_infobase *ib, int family,
	struct bh_fwd_tables *tables, struct bh_nh_links *links);
void bh_route_publish_destroy(struct bh_route_publish *rp);

#endif
