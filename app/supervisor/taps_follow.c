/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports come and go with the configuration, and their TAPs with them. Which there are is read in
 * the table cfg_interface, whose owner is config: v6stack, which gets the descriptors, has no say.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/supervisor/taps_priv.h"
#include "lib/log/log.h"
#include "lib/net/hostask.h"

static void
tell(const struct bh_tap *p, int rc)
{
	if (rc < 0)
		bh_warn(AREA, "%.*s: v6stack cannot be told of its TAP: %s", BH_NAME_LEN, p->name,
			strerror(-rc));
}

static struct bh_tap *
find(struct bh_taps *t, const char name[BH_NAME_LEN])
{
	for (unsigned int i = 0; i < t->n; i++)
		if (strncmp(t->tap[i].name, name, BH_NAME_LEN) == 0)
			return &t->tap[i];
	return NULL;
}

static void
add(struct bh_taps *t, const char name[BH_NAME_LEN], int sup_fd)
{
	struct bh_tap *p = find(t, name);

	if (p == NULL) {
		p = bh_tap_new(t, name);
		if (p == NULL)
			return;
		bh_tap_make(t, p);
		if (p->fd >= 0 && sup_fd >= 0)
			tell(p, bh_tap_hand(p, sup_fd));
	}
	p->seen = true;
}

/* v6stack closes its copy too, and the kernel has it no more. */
static void
drop(struct bh_taps *t, struct bh_tap *p, int sup_fd)
{
	char text[sizeof(BH_HOSTASK_UNTAP) + BH_NAME_LEN];
	int len = snprintf(text, sizeof(text), BH_HOSTASK_UNTAP "%.*s", BH_NAME_LEN, p->name);

	if (p->fd >= 0)
		close(p->fd);
	if (p->fd >= 0 && sup_fd >= 0 && send(sup_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		tell(p, -errno);
	*p = t->tap[--t->n];
}

/* After a whole look at the table: what it does not have. */
static void
drop_unseen(struct bh_taps *t, int sup_fd)
{
	for (unsigned int i = t->n; i-- > 0;)
		if (!t->tap[i].seen)
			drop(t, &t->tap[i], sup_fd);
}

static void
follow(struct bh_taps *t, const struct bh_change *c, int sup_fd)
{
	const struct bh_cfg_interface *val = c->val;
	const struct bh_ifname_key *key = c->key;
	struct bh_tap *p;

	if (c->op == BH_OP_PUT && val->device[0] != '\0') {
		add(t, key->name, sup_fd);
		return;
	}
	p = find(t, key->name);
	if (p != NULL)
		drop(t, p, sup_fd);
}

/* The whole table follows. */
static void
begin(struct bh_taps *t)
{
	for (unsigned int i = 0; i < t->n; i++)
		t->tap[i].seen = false;
}

void
bh_taps_follow(struct bh_taps *t, const struct bh_change *c, int sup_fd)
{
	if (t == NULL)
		return;
	switch (c->op) {
	case BH_OP_PUT:
	case BH_OP_DELETE:
		follow(t, c, sup_fd);
		break;
	case BH_OP_RESYNC:
		begin(t);
		t->whole = t->whole && !(c->flags & BH_CHANGE_ENDED);
		break;
	case BH_OP_COMPLETE: /* comes once in a watch, after SYNCED */
		t->whole = true;
		drop_unseen(t, sup_fd);
		break;
	case BH_OP_SYNCED:
		if (t->whole)
			drop_unseen(t, sup_fd);
		break;
	}
}
