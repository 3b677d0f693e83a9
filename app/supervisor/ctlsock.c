/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/ctlsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/supervisor/orders.h"
#include "lib/log/log.h"

#define CLIENTS 8
#define ASK_SECONDS 5 /* from connecting to the order */

struct client {
	struct bh_ctlsock *cs;
	int fd; /* -1: free */
	struct event *ev;
	struct bh_order *order;
};

struct bh_ctlsock {
	struct bh_supervisor *s;
	int fd;
	struct event *ev;
	struct sockaddr_un addr;
	struct client client[CLIENTS];
};

static void
let_go(struct client *cl)
{
	if (cl->order != NULL)
		bh_order_forget(cl->order);
	cl->order = NULL;
	if (cl->ev != NULL)
		event_free(cl->ev);
	cl->ev = NULL;
	close(cl->fd);
	cl->fd = -1;
}

/* Outcome of an order: the answer, and the end. */
static void
on_outcome(void *arg, bool done, const char *text)
{
	struct client *cl = arg;
	char answer[320];
	int n = snprintf(answer, sizeof(answer), "%s %s", done ? "OK" : "FAILED", text);

	/* Who does not read its one answer does without. */
	if (send(cl->fd, answer, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		bh_debug("order", "the answer is not taken: %s", strerror(errno));
	cl->order = NULL;
	let_go(cl);
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct client *cl = arg;
	struct bh_order *order;
	char words[576];
	ssize_t n;

	if (what & EV_TIMEOUT) {
		if (cl->order == NULL)
			let_go(cl);
		return;
	}
	n = recv(fd, words, sizeof(words) - 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || cl->order != NULL) { /* it left, or says more than it may */
		let_go(cl);
		return;
	}
	words[n] = '\0';
	order = bh_order_take(cl->cs->s, words, on_outcome, cl);
	if (order != NULL && cl->fd >= 0)
		cl->order = order;
}

static bool
may_order(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	bh_warn("order", "refused to uid %u (pid %d)", peer.uid, peer.pid);
	return false;
}

static struct client *
free_client(struct bh_ctlsock *cs)
{
	for (int i = 0; i < CLIENTS; i++)
		if (cs->client[i].fd < 0)
			return &cs->client[i];
	return NULL;
}

static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval ask = {.tv_sec = ASK_SECONDS};
	struct bh_ctlsock *cs = arg;
	struct client *cl = free_client(cs);
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (sock < 0)
		return;
	if (cl == NULL || !may_order(sock)) {
		close(sock);
		return;
	}
	*cl = (struct client){.cs = cs, .fd = sock};
	cl->ev = event_new(cs->s->base, sock, EV_READ | EV_PERSIST, on_client, cl);
	if (cl->ev == NULL || event_add(cl->ev, &ask) < 0)
		let_go(cl);
}

static int
listen_at(struct bh_ctlsock *cs)
{
	mode_t mask;
	int rc;

	cs->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (cs->fd < 0)
		return -errno;
	if (unlink(cs->addr.sun_path) < 0 && errno != ENOENT)
		return -errno;
	mask = umask(0177);
	rc = bind(cs->fd, (struct sockaddr *)&cs->addr, sizeof(cs->addr)) < 0 ||
		listen(cs->fd, CLIENTS) < 0 ? -errno : 0;
	umask(mask);
	return rc;
}

struct bh_ctlsock *
bh_ctlsock_open(struct bh_supervisor *s)
{
	struct bh_ctlsock *cs = calloc(1, sizeof(*cs));
	int rc;

	if (cs == NULL)
		return NULL;
	cs->s = s;
	for (int i = 0; i < CLIENTS; i++)
		cs->client[i].fd = -1;
	cs->addr.sun_family = AF_UNIX;
	snprintf(cs->addr.sun_path, sizeof(cs->addr.sun_path), "%s/supervisor.sock",
		s->opt->rundir);
	rc = listen_at(cs);
	if (rc == 0) {
		cs->ev = event_new(s->base, cs->fd, EV_READ | EV_PERSIST, on_connect, cs);
		rc = cs->ev == NULL || event_add(cs->ev, NULL) < 0 ? -ENOMEM : 0;
	}
	if (rc == 0)
		return cs;
	bh_ctlsock_close(cs);
	errno = -rc;
	return NULL;
}

void
bh_ctlsock_close(struct bh_ctlsock *cs)
{
	if (cs == NULL)
		return;
	for (int i = 0; i < CLIENTS; i++)
		if (cs->client[i].fd >= 0)
			let_go(&cs->client[i]);
	if (cs->ev != NULL) {
		event_free(cs->ev);
		unlink(cs->addr.sun_path);
	}
	if (cs->fd >= 0)
		close(cs->fd);
	free(cs);
}
