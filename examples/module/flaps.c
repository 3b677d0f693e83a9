/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A module of your own: counts how often each interface went up or down, in the table `user`.
 * The counts outlive it: a restarted one begins with what its predecessor had stored.
 *
 *   cc flaps.c -o flaps $(pkg-config --cflags --libs bulkhead)
 *   "bulkhead:bulkhead": {"modules": {"module": [{"name": "user", "program": "/opt/flaps"}]}}
 */
#include <lib/client/bulkhead.h>
#include <stdio.h>
#include <string.h>

struct flaps { /* our layout of the table's value */
	uint32_t count;
	uint32_t oper;
};

static struct {
	struct bh_user_key key;
	struct flaps val;
} rec[BH_IF_MAX]; /* by ifindex */

static void
recover(void *arg, const struct bh_change *c)
{
	const struct bh_user_key *key = c->key;
	unsigned int ifindex;

	(void)arg;
	if (key != NULL && c->val_len == sizeof(struct flaps) &&
		sscanf(key->name, "%u", &ifindex) == 1 && ifindex < BH_IF_MAX)
		memcpy(&rec[ifindex].val, c->val, sizeof(struct flaps));
}

static void
on_interface(void *arg, const struct bh_change *c)
{
	struct bh_handle *h = arg;
	const struct bh_ifindex_key *key = c->key;
	const struct bh_interface *val = c->val;

	if (c->op == BH_OP_SYNCED) { /* all that there is was stored again: done */
		bh_submit(h, BH_V_REPLAY_END, BH_T_USER, 0, NULL, 0, NULL, NULL);
		bh_ready();
	}
	if (c->op != BH_OP_PUT || key->ifindex >= BH_IF_MAX)
		return;
	rec[key->ifindex].val.count += val->oper != rec[key->ifindex].val.oper;
	rec[key->ifindex].val.oper = val->oper;
	snprintf(rec[key->ifindex].key.name, sizeof(rec->key.name), "%u %s", key->ifindex, val->name);
	bh_submit(h, BH_V_ADD, BH_T_USER, 0, &rec[key->ifindex], sizeof(rec[0]), NULL, NULL);
}

int
main(void)
{
	struct bh_open_args args;
	struct bh_handle *h;
	int rc;

	bh_open_args_env(&args, "flaps");
	h = bh_open(&args);
	rc = h == NULL ? -1 : bh_dump(h, BH_V_RECOVER, BH_T_USER, recover, NULL);
	if (rc == 0)
		rc = bh_replay_begin(h, BH_T_USER, NULL);
	if (rc == 0)
		rc = bh_watch(h, BH_T_INTERFACE, on_interface, h);
	while (rc >= 0)
		rc = bh_poll(h, -1);
	fprintf(stderr, "flaps: %s\n", strerror(-rc));
	return 1; /* the supervisor starts us again */
}
