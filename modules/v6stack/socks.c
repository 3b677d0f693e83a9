/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables tcp and udp: a round of sockdiag.h each second. The first one is done before the
 * replay begins, so that its end sweeps no socket that is there.
 */
#include <errno.h>
#include <string.h>

#include "lib/life/life.h"
#include "lib/log/log.h"
#include "modules/v6stack/program.h"

#define BUDGET 256	 /* datagrams and rows a turn */
#define FIRST_TURNS 4096 /* of the first round: all that can be */

static int
on_add(void *arg, uint16_t table, const struct bh_sock_row *row)
{
	struct program *p = arg;

	bh_out_put(&p->stack->out, table, &row->key, &row->val);
	return 0;
}

static int
on_del(void *arg, uint16_t table, const struct bh_sock_key *key)
{
	struct program *p = arg;

	bh_out_del(&p->stack->out, table, key);
	return 0;
}

static void
on_done(void *arg)
{
	(void)arg;
}

static const struct bh_sockdiag_ops ops = {on_add, on_del, on_done};

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	int rc = p->owner ? bh_sockdiag_start(p->socks) : 0;

	(void)fd;
	(void)what;
	if (rc < 0 && rc != -EBUSY)
		bh_debug("socks", "the kernel is not asked for sockets: %s", strerror(-rc));
}

int
bh_socks_init(struct program *p)
{
	static const struct timeval second = {.tv_sec = 1};

	p->socks = bh_sockdiag_open(&ops, p);
	if (p->socks == NULL) {
		bh_warn("socks", "no sockets in the tables tcp and udp: %s", strerror(errno));
		return 0;
	}
	p->second = event_new(p->m.base, -1, EV_PERSIST, on_second, p);
	if (p->second == NULL || event_add(p->second, &second) < 0)
		return -ENOMEM;
	return bh_module_wait_for(&p->m, &p->diag, bh_sockdiag_fd(p->socks));
}

int
bh_socks_poll(struct program *p)
{
	int rc = p->socks != NULL ? bh_sockdiag_poll(p->socks, BUDGET) : 0;

	if (rc >= 0)
		return rc;
	bh_debug("socks", "a round was given up: %s", strerror(-rc));
	return 0;
}

void
bh_socks_first(struct program *p)
{
	int more = p->socks != NULL && bh_sockdiag_start(p->socks) == 0;

	for (unsigned int i = 0; i < FIRST_TURNS && more; i++) {
		bh_life_beat();
		more = bh_socks_poll(p);
	}
}
