/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table snmp: what was told of links and modules. The owner reads it once, when it starts, and
 * replays it to each core when the tables that it looks at are complete.
 */
#include <errno.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/snmp/program.h"

#define AREA "owner"

static int
op_send(void *ctx, const struct bh_oid *trap, const struct bh_varbind *vars, unsigned int n)
{
	struct program *p = ctx;
	struct bh_cfg_snmp cfg;

	bh_snmp_config(&p->snmp, &cfg);
	return bh_agent_notify(trap, cfg.context, vars, n);
}

static void
on_saved(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)arg;
	(void)body;
	(void)len;
	/* A connection that ends is told elsewhere; all is saved again then. */
	if (msg->status != 0 && msg->status != -ECONNRESET && msg->status != -ENOENT)
		bh_warn(AREA, "the core refused a record: %s", strerror(-msg->status));
}

static int
op_save(void *ctx, const struct bh_snmp_key *key, const struct bh_snmp *val)
{
	struct program *p = ctx;
	uint8_t body[sizeof(*key) + sizeof(*val)];
	size_t len = sizeof(*key);

	if (!p->m.has_role)
		return 0; /* nobody's: it keeps nothing */
	if (!p->owner)
		return -EAGAIN;
	memcpy(body, key, sizeof(*key));
	if (val != NULL) {
		memcpy(body + len, val, sizeof(*val));
		len += sizeof(*val);
	}
	return bh_submit(
		p->m.h, val != NULL ? BH_V_ADD : BH_V_DELETE, BH_T_SNMP, 0, body, len, on_saved, p);
}

const struct bh_notify_ops bh_owner_ops = {op_send, op_save};

static void
recover(void *arg, const struct bh_change *c)
{
	if (c->op == BH_OP_PUT)
		bh_notify_recover(arg, c->key, c->val);
}

static int
take_over(struct program *p)
{
	int rc = 0;

	if (!p->recovered)
		rc = bh_dump(p->m.h, BH_V_RECOVER, BH_T_SNMP, recover, &p->notify);
	if (rc == 0)
		rc = bh_replay_begin(p->m.h, BH_T_SNMP, NULL);
	if (rc < 0) {
		bh_err(AREA, "cannot take over the table snmp: %s", strerror(-rc));
		return rc;
	}
	bh_notify_unsaved(&p->notify);
	p->owner = p->recovered = p->unsaved = true;
	return 0;
}

int
bh_owner_turn(struct program *p)
{
	struct bh_cfg_snmp cfg;
	int rc;

	if (p->m.h == NULL || bh_supervised_heir() || !bh_snmp_complete(&p->snmp))
		return 0;
	if (!p->owner && p->m.has_role) {
		rc = take_over(p);
		if (rc < 0)
			return rc;
	}
	if (p->snmp.changes == p->changes && p->was_connected == bh_agent_connected() &&
		!p->unsaved)
		return 0;
	p->changes = p->snmp.changes;
	p->was_connected = bh_agent_connected();
	bh_snmp_config(&p->snmp, &cfg);
	p->unsaved = !bh_notify_look(&p->notify, cfg.flags & BH_SNMP_NOTIFY);
	if (p->unsaved || p->replayed || !p->owner)
		return 0;
	rc = bh_replay_end(p->m.h, BH_T_SNMP);
	p->replayed = rc == 0;
	return rc;
}

void
bh_owner_lost(struct program *p)
{
	p->owner = p->replayed = false;
}
