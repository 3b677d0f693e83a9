/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "infobase/audit.h"
#include "infobase/request.h"
#include "infobase/schema.h"

/* What a verb's body is. */
enum body {
	BODY_ANY,
	BODY_NONE,
	BODY_AUDIT, /* struct bh_audit_ask */
	BODY_ADDRESS, /* a key of which only the address counts */
	BODY_KEY,
	BODY_RECORD,
};

struct verb {
	bool known;
	bool owner;    /* only the table's owner */
	uint16_t need; /* flags of the table */
	uint8_t body;  /* enum body */
	bool admin;    /* only admins and the supervisor */
};

static const struct verb verbs[BH_V_MAX] = {
	[BH_V_NOP] = { true, false, 0, BODY_ANY },
	[BH_V_ADD] = { true, true, 0, BODY_RECORD },
	[BH_V_CHANGE] = { true, true, 0, BODY_RECORD },
	[BH_V_DELETE] = { true, true, 0, BODY_KEY },
	[BH_V_GET] = { true, false, 0, BODY_KEY },
	[BH_V_DUMP] = { true, false, 0, BODY_NONE },
	[BH_V_LOOKUP] = { true, false, BH_F_LPM, BODY_ADDRESS },
	[BH_V_WATCH] = { true, false, 0, BODY_NONE },
	[BH_V_UNWATCH] = { true, false, 0, BODY_NONE },
	[BH_V_RECOVER] = { true, true, 0, BODY_NONE },
	[BH_V_REPLAY_BEGIN] = { true, true, 0, BODY_NONE },
	[BH_V_REPLAY_END] = { true, true, 0, BODY_NONE },
	[BH_V_NEXT] = { true, false, BH_F_LPM, BODY_KEY },
	[BH_V_AUDIT] = { true, false, BH_F_LPM, BODY_AUDIT, .admin = true },
};

static bool
length_ok(const struct bh_schema *s, uint8_t kind, unsigned int len)
{
	switch (kind) {
	case BODY_NONE:
		return len == 0;
	case BODY_AUDIT:
		return len == sizeof(struct bh_audit_ask);
	case BODY_RECORD:
		return len >= (unsigned int)s->key_len + s->val_min &&
			len <= (unsigned int)s->key_len + s->val_max;
	default:
		return len == s->key_len;
	}
}

static bool
content_ok(const struct bh_schema *s, uint8_t kind, const uint8_t *body, unsigned int len)
{
	struct bh_audit_ask ask;

	if (kind == BODY_AUDIT) {
		memcpy(&ask, body, sizeof(ask));
		return (ask.flags & ~BH_AUDIT_REPAIR) == 0;
	}
	if (kind < BODY_KEY)
		return true;
	if (s->key_ok != NULL && !s->key_ok(body))
		return false;
	return kind != BODY_RECORD || s->val_ok == NULL ||
		s->val_ok(body + s->key_len, len - s->key_len);
}

static bool
aux_ok(const struct bh_msg *msg)
{
	return msg->verb != BH_V_NEXT || ((msg->aux & BH_NEXT_COUNT) != 0 &&
		(msg->aux & ~(BH_NEXT_COUNT | BH_NEXT_SELF)) == 0);
}

int
bh_ib_check_request(uint16_t role, bool heir, const struct bh_msg *msg, const void *body)
{
	const struct bh_schema *s;
	const struct verb *v;
	unsigned int len;

	if (msg->len < sizeof(*msg) || msg->len > BH_MSG_MAX)
		return -EMSGSIZE;
	len = msg->len - sizeof(*msg);
	if (msg->verb >= BH_V_MAX || !verbs[msg->verb].known)
		return -EOPNOTSUPP;
	v = &verbs[msg->verb];
	if (msg->flags != 0)
		return -EINVAL;
	if (v->body == BODY_ANY)
		return 0;
	s = bh_schema(msg->table);
	if (s == NULL)
		return -ENXIO;
	if ((s->flags & v->need) != v->need)
		return -EOPNOTSUPP;
	if (v->admin && role != BH_ROLE_ADMIN && role != BH_ROLE_SUPERVISOR)
		return -EPERM;
	if (v->owner && (role != s->owner || (heir && msg->verb != BH_V_RECOVER)))
		return -EPERM;
	if (!length_ok(s, v->body, len))
		return -EMSGSIZE;
	return content_ok(s, v->body, body, len) && aux_ok(msg) ? 0 : -EINVAL;
}
