/* SPDX-License-Identifier: BSD-3-Clause */
/* One request and its reply, waited for. */
#include <errno.h>
#include <string.h>

#include "lib/client/client_priv.h"

struct sync {
	bool done;
	bh_reply_fn cb;
	void *arg;
};

static void
sync_done(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct sync *s = arg;

	s->done = true;
	s->cb(s->arg, msg, body, len);
}

int
bh_submit_wait(struct bh_handle *h, struct bh_msg *msg, const void *body, bh_reply_fn cb, void *arg)
{
	struct sync s = {.cb = cb, .arg = arg};
	int rc;

	while ((rc = bh_submit_tag(h, msg, body, sync_done, &s)) == -EAGAIN) {
		rc = bh_poll(h, -1);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc == -ECONNRESET && h->lost ? bh_lost_tell(h) : rc;
	/* An end of the connection is told to all calls under way, so to ours. */
	while (!s.done)
		bh_poll(h, -1);
	return 0;
}

struct result {
	int status;
	uint32_t aux;
	void *rep;
	size_t room, len;
};

static void
result_take(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct result *r = arg;

	r->status = msg->status;
	r->aux = msg->aux;
	r->len = len;
	if (r->rep != NULL && len > 0)
		memcpy(r->rep, body, len < r->room ? len : r->room);
}

int
bh_call(struct bh_handle *h, uint8_t verb, uint16_t table, uint32_t *aux, const void *req,
	size_t req_len, void *rep, size_t *rep_len)
{
	struct result r = {.rep = rep, .room = rep != NULL && rep_len != NULL ? *rep_len : 0};
	struct bh_msg msg = {.verb = verb, .table = table, .aux = aux != NULL ? *aux : 0};
	int rc;

	if (req_len > BH_MSG_MAX - sizeof(msg))
		return -EMSGSIZE;
	if (verb == BH_V_EVENT || verb == BH_V_PUNT)
		return -EINVAL;
	msg.len = sizeof(msg) + req_len;
	rc = bh_submit_wait(h, &msg, req, result_take, &r);
	if (rc < 0)
		return rc;
	if (aux != NULL)
		*aux = r.aux;
	if (rep_len != NULL)
		*rep_len = r.len;
	if (r.status == 0 && rep != NULL && r.len > r.room)
		return -EMSGSIZE;
	return r.status;
}
