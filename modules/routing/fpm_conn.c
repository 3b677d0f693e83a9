/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/fpm_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/life/life.h"
#include "lib/log/log.h"
#include "lib/module/module.h"

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

void
bh_fpm_conn_init(struct bh_fpm_conn *c, struct event_base *base, struct bh_fpm *fpm)
{
	memset(c, 0, sizeof(*c));
	c->base = base;
	c->fpm = fpm;
	c->listen_fd = c->fd = -1;
}

static void
close_fd(int *fd, struct event **event)
{
	if (*event != NULL)
		event_free(*event);
	*event = NULL;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- the connection ---- */

static void
conn_close(struct bh_fpm_conn *c, const char *why, bool is_error)
{
	if (c->fd < 0)
		return;
	close_fd(&c->fd, &c->event);
	c->have = 0;
	c->paused = false;
	bh_fpm_close(c->fpm, is_error ? why : NULL);
	bh_log_limited(&c->limit, is_error ? BH_LOG_WARNING : BH_LOG_NOTICE, "fpm",
		"connection of zebra closed: %s", why);
}

void
bh_fpm_conn_renew(struct bh_fpm_conn *c)
{
	conn_close(c, "to be renewed, as ordered", false);
}

/* All whole frames in the buffer. -EBADMSG: corrupt. */
static int
take_frames(struct bh_fpm_conn *c)
{
	size_t at = 0;
	int n;

	while ((n = bh_fpm_frame(c->buf + at, c->have - at)) > 0) {
		if (bh_fpm_take(c->fpm, c->buf + at, (size_t)n) < 0)
			return -EBADMSG;
		at += (size_t)n;
	}
	c->have -= at;
	memmove(c->buf, c->buf + at, c->have);
	return n;
}

/* Reads once; bytes, or <= 0: no more for now, or no more at all. */
static ssize_t
read_some(struct bh_fpm_conn *c)
{
	ssize_t n = recv(c->fd, c->buf + c->have, sizeof(c->buf) - c->have, 0);

	if (n == 0) {
		conn_close(c, "by the peer", false);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_close(c, strerror(errno), true);
	} else if (n > 0) {
		c->have += (size_t)n;
		if (take_frames(c) == 0)
			return n;
		conn_close(c, "what came is no FPM frame with netlink messages", true);
	}
	return -1;
}

static void
pause_reading(struct bh_fpm_conn *c)
{
	if (!c->paused && bh_fpm_is_busy(c->fpm) && event_del(c->event) == 0)
		c->paused = true;
}

static void
on_zebra(evutil_socket_t fd, short what, void *arg)
{
	struct bh_fpm_conn *c = arg;
	size_t done = 0;
	ssize_t n = 0;

	(void)fd;
	(void)what;
	bh_life_busy(BH_FPM_BUSY_MS);
	c->fpm->now = bh_module_now();
	while (done < BH_FPM_READ && n >= 0 && !bh_fpm_is_busy(c->fpm)) {
		n = read_some(c);
		done += n > 0 ? (size_t)n : 0;
	}
	if (c->fd >= 0)
		pause_reading(c);
}

static void
go_on_reading(struct bh_fpm_conn *c)
{
	if (!c->paused)
		return;
	bh_fpm_waits(c->fpm);
	if (!bh_fpm_is_busy(c->fpm) && event_add(c->event, NULL) == 0)
		c->paused = false;
}

int
bh_fpm_conn_adopt(
	struct bh_fpm_conn *c, int fd, uint8_t family, const uint8_t addr[16], uint16_t port)
{
	static const int on = 1;
	char text[BH_ADDR_STRLEN] = "?";

	conn_close(c, "another one took its place", true);
	c->fd = fd;
	c->event = event_new(c->base, fd, EV_READ | EV_PERSIST, on_zebra, c);
	if (c->event == NULL || event_add(c->event, NULL) < 0) {
		close_fd(&c->fd, &c->event);
		return -ENOMEM;
	}
	if (family != 0) /* a peer that vanished is to be seen some day */
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	bh_fpm_open(c->fpm, family, addr, port);
	bh_addr_format(family, addr, text, sizeof(text));
	bh_log_limited(&c->limit, BH_LOG_NOTICE, "fpm", "zebra connects from %s port %u", text, port);
	return 0;
}

/* ---- the listener ---- */

static void
on_listener(evutil_socket_t listen_fd, short what, void *arg)
{
	struct bh_fpm_conn *c = arg;
	uint8_t addr[16] = {0};
	union address a;
	socklen_t len = sizeof(a);
	int fd = accept4(listen_fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	bh_life_busy(BH_FPM_BUSY_MS); /* the end of another connection */
	c->fpm->now = bh_module_now();
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			bh_log_limited(&c->limit, BH_LOG_WARNING, "fpm", "accept: %s", strerror(errno));
		return;
	}
	if (a.any.sa_family == AF_INET) {
		memcpy(addr, &a.in.sin_addr, 4);
		bh_fpm_conn_adopt(c, fd, BH_IP4, addr, ntohs(a.in.sin_port));
	} else {
		memcpy(addr, &a.in6.sin6_addr, 16);
		bh_fpm_conn_adopt(c, fd, BH_IP6, addr, ntohs(a.in6.sin6_port));
	}
}

static socklen_t
address_of(const struct bh_cfg_fpm *cfg, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (cfg->family == BH_IP4) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(cfg->port);
		memcpy(&a->in.sin_addr, cfg->addr, 4);
		return sizeof(a->in);
	}
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons(cfg->port);
	memcpy(&a->in6.sin6_addr, cfg->addr, 16);
	return sizeof(a->in6);
}

/* A listening socket, or -errno. SO_REUSEPORT: during an upgrade predecessor and heir listen
 * both. */
static int
open_listener(const struct bh_cfg_fpm *cfg)
{
	static const int on = 1;
	union address a;
	socklen_t len = address_of(cfg, &a);
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
		bind(fd, &a.any, len) == 0 && listen(fd, 4) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static void
listen_failed(struct bh_fpm_conn *c, int rc)
{
	char where[BH_ADDR_STRLEN], text[96];

	bh_addr_format(c->bound.family, c->bound.addr, where, sizeof(where));
	snprintf(text, sizeof(text), "cannot listen on %s port %u: %s", where, c->bound.port,
		strerror(-rc));
	bh_log_limited(&c->limit, BH_LOG_ERR, "fpm", "%s", text);
	bh_fpm_state(c->fpm, BH_FPM_FAILED, text);
	c->retry_at = c->fpm->now + BH_FPM_RETRY_MS;
}

static void
begin_to_listen(struct bh_fpm_conn *c)
{
	int rc;

	c->bound = c->fpm->cfg;
	rc = open_listener(&c->bound);
	if (rc < 0) {
		listen_failed(c, rc);
		return;
	}
	c->listen_fd = rc;
	c->listen_event = event_new(c->base, rc, EV_READ | EV_PERSIST, on_listener, c);
	if (c->listen_event == NULL || event_add(c->listen_event, NULL) < 0) {
		close_fd(&c->listen_fd, &c->listen_event);
		listen_failed(c, -ENOMEM);
		return;
	}
	if (!c->fpm->connected)
		bh_fpm_state(c->fpm, BH_FPM_LISTENING, NULL);
}

static bool
is_bound_there(const struct bh_fpm_conn *c)
{
	const struct bh_cfg_fpm *a = &c->bound, *b = &c->fpm->cfg;

	return a->family == b->family && a->port == b->port &&
		memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static void
cease(struct bh_fpm_conn *c)
{
	if (c->listen_fd < 0 && c->fd < 0)
		return;
	conn_close(c, "as configured", false);
	close_fd(&c->listen_fd, &c->listen_event);
}

bool
bh_fpm_conn_turn(struct bh_fpm_conn *c, bool may)
{
	bool on = c->fpm->configured;

	if (!on || (c->listen_fd >= 0 && !is_bound_there(c)))
		cease(c);
	if (on && may && c->listen_fd < 0 && c->fpm->now >= c->retry_at)
		begin_to_listen(c);
	if (c->fd >= 0)
		go_on_reading(c);
	return bh_fpm_sweep(c->fpm);
}

void
bh_fpm_conn_fini(struct bh_fpm_conn *c)
{
	close_fd(&c->fd, &c->event);
	close_fd(&c->listen_fd, &c->listen_event);
}
