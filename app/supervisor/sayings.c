/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervision sockets of the children, and what they say by them. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/supervisor/life.h"
#include "app/supervisor/orders.h"
#include "app/supervisor/spawn.h"
#include "app/supervisor/supervise.h"
#include "app/supervisor/taps.h"
#include "lib/log/log.h"
#include "lib/net/hostask.h"

/* What a child says is hostile; the longest that it may say is a request about a TAP. */
static void
child_said(struct bh_supervisor *s, struct bh_child *c, const char *text, size_t len)
{
	if (strcmp(text, "READY") == 0)
		bh_supervise_ready(s, c);
	else if (!(c->is_core ? bh_order_core_said(s, text) : bh_order_module_said(c, text) ||
		(bh_is_v6stack(c) && bh_taps_asked(s->taps, text, len))))
		bh_warn("start", "%s said something unknown", c->name);
}

static void
on_sup_readable(evutil_socket_t fd, short what, void *arg)
{
	static char text[sizeof(struct bh_hostask) + 1];
	struct bh_child *c = arg;
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* it closed its end; its death is told by life.c */
		event_del(c->ev_sup);
		return;
	}
	text[n] = '\0';
	child_said(c->owner, c, text, n);
}

int
bh_supervise_listen(struct bh_supervisor *s, struct bh_child *c, int life_fd)
{
	int rc = bh_life_watch(s, c, life_fd);

	if (rc < 0)
		return rc;
	c->ev_sup = event_new(s->base, c->sup_fd, EV_READ | EV_PERSIST, on_sup_readable, c);
	if (c->ev_sup == NULL || event_add(c->ev_sup, NULL) < 0)
		return -ENOMEM;
	return 0;
}

void
bh_supervise_unlisten(struct bh_child *c)
{
	if (c->ev_sup != NULL)
		event_free(c->ev_sup);
	c->ev_sup = NULL;
	if (c->sup_fd >= 0)
		close(c->sup_fd);
	c->sup_fd = -1;
}
