/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/routing/output.h"

/* What is marked in each state, and the state is left when the marks are sent (BEGIN), or when
 * nothing is under way any more. */
static const struct {
	uint8_t verb;
	uint8_t n;
	uint16_t table[3];
} replay_marks[BH_REPLAY_DONE + 1] = {
	[BH_REPLAY_BEGIN] = {BH_V_REPLAY_BEGIN, 3, {BH_T_NEXTHOP, BH_T_ROUTE4, BH_T_ROUTE6}},
	[BH_REPLAY_END_ROUTES] = {BH_V_REPLAY_END, 2, {BH_T_ROUTE4, BH_T_ROUTE6}},
	[BH_REPLAY_END_NEXTHOP] = {BH_V_REPLAY_END, 1, {BH_T_NEXTHOP}},
};

static void
replay_replied(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_output *o = arg;

	(void)body;
	(void)len;
	if (bh_output_replied(o, msg) && msg->status != 0 && o->error == 0) {
		bh_err("output", "replay mark refused: %s", strerror(-msg->status));
		o->error = msg->status;
	}
}

static int
replay_send_marks(struct bh_output *o)
{
	int rc;

	while (o->marks < replay_marks[o->replay].n) {
		rc = bh_output_submit(o, replay_marks[o->replay].verb,
			replay_marks[o->replay].table[o->marks], NULL, 0, replay_replied, o);
		if (rc < 0)
			return rc;
		o->marks++;
	}
	return 0;
}

void
bh_output_start(struct bh_output *o)
{
	if (o->replay == BH_REPLAY_IDLE)
		o->replay = BH_REPLAY_BEGIN;
}

int
bh_replay_step(struct bh_output *o)
{
	int rc;

	while (o->replay != BH_REPLAY_IDLE && o->replay != BH_REPLAY_DONE) {
		rc = replay_send_marks(o);
		if (rc < 0)
			return rc;
		if (o->error != 0 || (o->replay != BH_REPLAY_BEGIN && !bh_output_idle(o)))
			return 0;
		if (o->replay == BH_REPLAY_ROUTES && o->hold_end)
			return 0;
		o->replay++;
		o->marks = 0;
		if (o->replay == BH_REPLAY_DONE)
			bh_output_ready(o);
	}
	return 0;
}
