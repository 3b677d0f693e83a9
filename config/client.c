/* SPDX-License-Identifier: BSD-3-Clause */
/* The core as apply.c sees it, through libbulkhead. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/client/bulkhead.h"
#include "lib/life/life.h"
#include "lib/log/log.h"
#include "lib/stats/stats.h"

#define REFUSALS_LOGGED 10

struct bh_client {
	struct bh_handle *h;
	bool has_role;
	unsigned int refused; /* records of this replay */
	bool lost;	      /* requests were under way when the core went away */
};

struct bh_client *
bh_client_open(void)
{
	struct bh_client *c = calloc(1, sizeof(*c));
	struct bh_open_args args;

	if (c == NULL)
		return NULL;
	bh_open_args_env(&args, "config");
	args.service = BH_SERVICE_INFOBASE;
	c->has_role = args.role_fd >= 0;
	c->h = bh_open(&args);
	if (c->h == NULL) {
		int saved = errno;

		free(c);
		errno = saved;
		return NULL;
	}
	return c;
}

void
bh_client_close(struct bh_client *c)
{
	bh_close(c->h);
	free(c);
}

bool
bh_client_has_role(const struct bh_client *c)
{
	return c->has_role;
}

int
bh_client_reopen(struct bh_client *c, int fd)
{
	return bh_reopen_role(c->h, fd);
}

static int
client_begin(void *core, uint16_t table)
{
	struct bh_client *c = core;
	uint32_t epoch;

	c->refused = 0;
	c->lost = false;
	return bh_replay_begin(c->h, table, &epoch);
}

static void
on_reply(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_client *c = arg;

	(void)body;
	(void)len;
	if (msg->status == 0)
		return;
	if (msg->status == -ECONNRESET)
		c->lost = true;
	else if (c->refused++ < REFUSALS_LOGGED)
		bh_err("apply", "the core refused a record of table %u: %s", msg->table,
			strerror(-msg->status));
}

static int
client_add(void *core, const struct bh_record *rec)
{
	uint8_t body[sizeof(struct bh_cfg_route6_key) + sizeof(struct bh_cfg_route) + 64];
	size_t len = (size_t)rec->key_len + rec->val_len;
	struct bh_client *c = core;
	int rc;

	if (len > sizeof(body))
		return -EMSGSIZE;
	memcpy(body, rec->key, rec->key_len);
	memcpy(body + rec->key_len, rec->val, rec->val_len);
	for (;;) {
		rc = bh_submit(c->h, BH_V_ADD, rec->table, 0, body, len, on_reply, c);
		if (rc == -EAGAIN)
			rc = bh_poll(c->h, -1);
		else
			break;
		if (rc < 0)
			return rc;
	}
	return c->lost ? -ECONNRESET : rc;
}

static int
client_wait(void *core)
{
	struct bh_client *c = core;

	while (bh_pending(c->h) > 0) {
		int rc = bh_poll(c->h, -1);

		if (rc < 0)
			return rc;
	}
	return c->lost ? -ECONNRESET : (int)c->refused;
}

static int
client_end(void *core, uint16_t table)
{
	struct bh_client *c = core;

	return bh_replay_end(c->h, table);
}

static int
client_del(void *core, uint16_t table, const void *key)
{
	struct bh_client *c = core;

	return bh_delete(c->h, table, key);
}

/* ---- recovery ---- */

/* Whether the tables are complete: statistics tell. */
static bool
complete(const struct bh_client *c)
{
	size_t size;
	const struct bh_stats *st = bh_stats_map(c->h, &size);

	for (size_t i = 0; st != NULL && size >= sizeof(*st) && i < BH_CONFIG_TABLES; i++)
		if (bh_read(&st->table[bh_config_tables[i]].complete) == 0)
			return false;
	return st != NULL && size >= sizeof(*st);
}

static int
client_source(void *core, struct bh_source *s)
{
	static const struct bh_ifname_key key = {"file"};
	struct bh_client *c = core;
	struct bh_cfg_source val;
	size_t len = sizeof(val);
	int rc = bh_get(c->h, BH_T_CFG_SOURCE, &key, &val, &len);

	if (rc < 0)
		return rc;
	*s = (struct bh_source){val.digest, val.fixed, val.records};
	return complete(c) ? 0 : -ENOENT;
}

static void
take_record(void *arg, const struct bh_change *ch)
{
	if (ch->op == BH_OP_PUT)
		bh_records_add(arg, ch->table, ch->key, bh_schema(ch->table)->key_len, ch->val,
			ch->val_len);
}

static int
client_recover(void *core, uint16_t table, struct bh_records *r)
{
	struct bh_client *c = core;

	return bh_dump(c->h, BH_V_RECOVER, table, take_record, r);
}

const struct bh_core_ops bh_client_ops = {
	.begin = client_begin,
	.add = client_add,
	.wait = client_wait,
	.end = client_end,
	.del = client_del,
	.source = client_source,
	.recover = client_recover,
};

int
bh_client_wait(struct bh_client *c, const sigset_t *mask, int fd)
{
	struct pollfd p[2] = {{.fd = bh_fd(c->h), .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	static const struct timespec beat = {.tv_nsec = BH_LIFE_BEAT_MS * 1000000};
	int rc;

	bh_life_beat();
	if (bh_prepare_wait(c->h) && ppoll(p, 2, &beat, mask) < 0)
		return -errno;
	rc = bh_poll(c->h, 0);
	return rc < 0 ? rc : p[1].revents != 0;
}
