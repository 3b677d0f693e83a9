/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/heir.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/supervisor/life.h"
#include "app/supervisor/lives.h"
#include "app/supervisor/orders.h"
#include "app/supervisor/spawn.h"
#include "app/supervisor/taps.h"
#include "lib/log/log.h"

#define LEAVE_SECONDS 3 /* for a predecessor to end */

struct bh_heir {
	struct bh_heir *next;
	struct bh_supervisor *s;
	struct bh_child *c;	/* of whom */
	struct bh_child child;	/* argv is c's */
	int life_fd;
	bool ended;		/* nobody waits for it to take over */
};

static void
heir_free(struct bh_heir *h)
{
	struct bh_heir **at = &h->s->heirs;

	while (*at != NULL && *at != h)
		at = &(*at)->next;
	if (*at == h)
		*at = h->next;
	bh_supervise_unlisten(&h->child);
	bh_life_unwatch(h->s, &h->child);
	if (h->life_fd >= 0)
		close(h->life_fd);
	free(h);
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	struct bh_heir *h = arg;
	char text[64];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(h->child.ev_sup);
		return;
	}
	text[n] = '\0';
	if (strcmp(text, "READY") == 0 && !h->ended)
		bh_order_heir_ready(h->s, &h->child);
}

static int
start(struct bh_heir *h)
{
	struct bh_child *heir = &h->child;
	int rc;

	h->life_fd = bh_lives_page();
	rc = bh_spawn_module(h->s, heir, h->life_fd);
	if (rc == 0)
		rc = bh_life_watch(h->s, heir, h->life_fd);
	if (rc < 0)
		return rc;
	heir->ev_sup = event_new(h->s->base, heir->sup_fd, EV_READ | EV_PERSIST, on_said, h);
	return heir->ev_sup == NULL || event_add(heir->ev_sup, NULL) < 0 ? -ENOMEM : 0;
}

struct bh_heir *
bh_heir_start(struct bh_supervisor *s, struct bh_child *c, const char *path, int *rc)
{
	struct bh_heir *h = calloc(1, sizeof(*h));
	struct bh_child *heir;

	*rc = -ENOMEM;
	if (h == NULL)
		return NULL;
	h->s = s;
	h->c = c;
	h->life_fd = -1;
	heir = &h->child;
	memcpy(heir->name, c->name, sizeof(heir->name));
	memcpy(heir->argv, c->argv, sizeof(heir->argv));
	snprintf(heir->path, sizeof(heir->path), "%s", path != NULL ? path : c->path);
	heir->sup_fd = heir->pidfd = heir->life = -1;
	heir->heir = h;
	heir->owner = s;
	*rc = start(h);
	h->next = s->heirs;
	s->heirs = h;
	if (*rc == 0) {
		bh_info("order", "%s: heir started, pid %d", c->name, heir->pid);
		return h;
	}
	if (heir->pid != 0 && heir->ev_end != NULL)
		bh_heir_end(h);
	else
		heir_free(h);
	return NULL;
}

const struct bh_child *
bh_heir_child(const struct bh_heir *h)
{
	return &h->child;
}

int
bh_heir_promote(struct bh_heir *h)
{
	char text[BH_NAME_LEN + 24];
	int n = snprintf(text, sizeof(text), "PROMOTE %s %d", h->c->name, h->child.pid);

	return send(h->s->child[0].sup_fd, text, n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* c becomes the heir's process. */
static void
inherit(struct bh_child *c, struct bh_child *heir)
{
	c->pid = heir->pid;
	c->pidfd = heir->pidfd;
	c->sup_fd = heir->sup_fd;
	c->adopted = false;
	c->start_ns = heir->start_ns;
	c->started = heir->started;
	c->start_ticks = heir->start_ticks;
	c->death_ns = bh_now_ns();
	c->cause = 0;
	c->state = BH_PROC_STARTING;
	memset(&c->pulse, 0, sizeof(c->pulse));
	memcpy(c->path, heir->path, sizeof(c->path));
	heir->pid = 0;
	heir->pidfd = heir->sup_fd = -1;
}

int
bh_heir_succeed(struct bh_heir *h)
{
	struct bh_child *c = h->c, *heir = &h->child;
	struct bh_supervisor *s = h->s;
	int rc;

	/* The watch of the heir ends without closing what c takes over. */
	event_free(heir->ev_end);
	heir->ev_end = NULL;
	event_free(heir->ev_sup);
	heir->ev_sup = NULL;
	if (send(c->sup_fd, "LEAVE", 5, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		bh_warn("order", "%s (pid %d) cannot be told to leave: %s", c->name, c->pid,
			strerror(errno));
	bh_life_leave(s, c, LEAVE_SECONDS);
	bh_supervise_unlisten(c);
	inherit(c, heir);
	rc = bh_supervise_listen(s, c, h->life_fd);
	if (rc == 0 && send(c->sup_fd, "TAKE", 4, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (bh_is_v6stack(c))
		bh_taps_hand(s->taps, c->sup_fd); /* anew: ports may have come since its start */
	bh_supervise_publish(s, c);
	heir_free(h);
	return rc;
}

void
bh_heir_end(struct bh_heir *h)
{
	h->ended = true;
	bh_life_signal(&h->child, SIGKILL);
}

void
bh_heir_ended(struct bh_supervisor *s, struct bh_child *heir, int status)
{
	struct bh_heir *h = heir->heir;

	heir->last_exit = status;
	if (!h->ended)
		bh_order_heir_ended(s, heir);
	heir_free(h);
}

bool
bh_heirs_run(const struct bh_supervisor *s)
{
	return s->heirs != NULL;
}

void
bh_heirs_free(struct bh_supervisor *s)
{
	while (s->heirs != NULL)
		heir_free(s->heirs);
}
