/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "app/ctl/reconcile.h"

#define TURNS_MAX (1u << 20) /* more than any table takes */

static int
take_turn(uint8_t family, const uint8_t *body, size_t len, struct bh_audit *sum,
	struct bh_diffs *ds)
{
	struct bh_audit turn;
	struct bh_audit_diff a;
	size_t at = sizeof(turn);
	int rc = 0;

	if (len < sizeof(turn) || (len - sizeof(turn)) % sizeof(a) != 0)
		return -EBADMSG;
	memcpy(&turn, body, sizeof(turn));
	if ((len - sizeof(turn)) / sizeof(a) != turn.differing)
		return -EBADMSG;
	sum->records = turn.records;
	sum->published = turn.published;
	sum->checked += turn.checked;
	sum->waiting += turn.waiting;
	sum->differing += turn.differing;
	sum->repaired += turn.repaired;
	for (; at < len && rc == 0; at += sizeof(a)) {
		struct bh_diff d = {.prefix = {.family = family}};

		memcpy(&a, body + at, sizeof(a));
		d.prefix.plen = a.plen;
		memcpy(d.prefix.addr, a.addr, bh_addr_len(family));
		d.what = a.what;
		d.repaired = a.repaired;
		d.wanted = a.wanted;
		d.found = a.found;
		rc = bh_diffs_add(ds, &d);
	}
	return rc;
}

int
bh_reconcile_fib(struct bh_ctl_core *core, uint8_t family, bool repair, struct bh_audit *sum,
	struct bh_diffs *ds)
{
	struct bh_audit_ask ask = {.flags = repair ? BH_AUDIT_REPAIR : 0};
	uint16_t table = family == BH_IP4 ? BH_T_ROUTE4 : BH_T_ROUTE6;
	uint8_t rep[BH_MSG_MAX];
	uint32_t cursor = 0;
	size_t len;
	int rc;

	memset(sum, 0, sizeof(*sum));
	for (unsigned int i = 0; i < TURNS_MAX && cursor != BH_DUMP_END; i++) {
		len = sizeof(rep);
		rc = bh_ctl_ask(core, BH_V_AUDIT, table, &cursor, &ask, sizeof(ask), rep, &len);
		if (rc != BH_CTL_OK)
			return rc;
		rc = take_turn(family, rep, len, sum, ds);
		if (rc < 0)
			return bh_ctl_request_failed(core, table, rc);
	}
	return BH_CTL_OK;
}
