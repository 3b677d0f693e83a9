/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/echo.h"

#include <errno.h>

#include "lib/channel/queue.h"

static int
request(void *ctx, const struct bh_peer_info *peer, const struct bh_msg *msg, unsigned int room)
{
	struct bh_echo *echo = ctx;

	if (msg->verb != BH_V_NOP)
		return -EOPNOTSUPP;
	if (bh_slots(msg->len) > room)
		return -EAGAIN;
	bh_service_reply(echo->svc, peer->ref, msg);
	return bh_slots(msg->len);
}

const struct bh_service_ops bh_echo_ops = {.request = request};
