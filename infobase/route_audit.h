/* SPDX-License-Identifier: BSD-3-Clause */
/* The route workers compare their tables with their FIBs; part of route_publish.h. */
#ifndef BH_INFOBASE_ROUTE_AUDIT_H
#define BH_INFOBASE_ROUTE_AUDIT_H

#include "infobase/table.h"
#include "lib/fib/fib.h"

struct bh_audit_turn;

struct bh_route_audited {
	struct bh_table *table; /* route4 or route6 */
	struct bh_fib *fib;
};

/* One turn of BH_V_AUDIT, BH_AUDIT_BUDGET records or places at most. Any cursor will do. The
 * table's worker only. */
void bh_route_audit(const struct bh_route_audited *of, struct bh_audit_turn *turn);

#endif
