/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a predecessor held of zebra, read from its records before anything is computed: the replay
 * of the routes then ends with them, and takes none away. They are stale until zebra tells them.
 */
#include <errno.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/routing/fpm_priv.h"

static void
recover_route(struct bh_fpm *f, uint8_t family, const struct bh_change *c)
{
	const size_t head = offsetof(struct bh_fpm_route, hop);
	const struct bh_route4_key *k4 = c->key;
	const struct bh_route6_key *k6 = c->key;
	struct bh_fpm_route r = {0};
	struct bh_prefix p;
	int rc = family == 4 ? bh_key_prefix(&p, 4, k4->addr, k4->plen)
			     : bh_key_prefix(&p, 6, k6->addr, k6->plen);

	if (rc < 0 || c->val_len < head || c->val_len > sizeof(r))
		return;
	memcpy(&r, c->val, c->val_len);
	if (r.n <= BH_ECMP_MAX && c->val_len == head + r.n * sizeof(r.hop[0]))
		bh_fpm_put(f, &p, &r);
}

static void
recover_record(void *arg, const struct bh_change *c)
{
	struct bh_fpm *f = arg;
	const struct bh_fpm_status *s = c->val;

	if (c->op != BH_OP_PUT)
		return;
	if (c->table == BH_T_FPM)
		f->status.zebra = s->zebra;
	else
		recover_route(f, c->table == BH_T_FPM_ROUTE4 ? 4 : 6, c);
}

static void
recovered_table(struct bh_fpm *f)
{
	f->cursor = 0;
	if (++f->recover_at < BH_FPM_TABLES)
		return;
	f->recovery = BH_FPM_RECOVERED;
	f->changed = f->reoffer = true;
	if (f->status.stale > 0)
		bh_notice("fpm", "recovered %u IPv4 and %u IPv6 routes of zebra",
			f->status.routes4, f->status.routes6);
}

static void
recover_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_fpm *f = arg;
	int rc = msg->status;

	f->recovery = BH_FPM_UNRECOVERED;
	if (f->recover_anew || bh_fpm_is_lost(f, msg)) {
		f->recover_anew = false;
		return;
	}
	if (rc == 0)
		rc = bh_changes(bh_fpm_tables[f->recover_at], body, len, recover_record, f);
	if (rc < 0)
		bh_warn("fpm", "table %u is not recovered: %s", bh_fpm_tables[f->recover_at], strerror(-rc));
	if (rc < 0 || msg->aux == BH_DUMP_END)
		recovered_table(f);
	else
		f->cursor = msg->aux;
}

int
bh_fpm_recover(struct bh_fpm *f)
{
	int rc;

	if (f->recovery != BH_FPM_UNRECOVERED)
		return 0;
	f->recovery = BH_FPM_RECOVERING;
	rc = f->out->ops->submit(f->out->ctx, BH_V_RECOVER, bh_fpm_tables[f->recover_at],
		f->cursor, NULL, 0, recover_replied, f);
	if (rc < 0)
		f->recovery = BH_FPM_UNRECOVERED;
	return rc == -EAGAIN ? 0 : rc;
}

void
bh_fpm_recover_again(struct bh_fpm *f)
{
	bh_fpm_drop_all(f);
	f->recover_anew = f->recovery == BH_FPM_RECOVERING;
	if (!f->recover_anew)
		f->recovery = BH_FPM_UNRECOVERED;
	f->recover_at = 0;
	f->cursor = 0;
}
