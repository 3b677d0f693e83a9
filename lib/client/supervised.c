/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A module's link to its supervisor: SOCK_SEQPACKET, inherited as BH_SUPERVISOR_FD, one word a
 * datagram, some with a descriptor. The supervisor may be killed; the next one adopts us by a link
 * of its own (bh_supervised_link()). So the end of a link is not the end of the module.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/client/bulkhead.h"
#include "lib/client/client_priv.h"
#include "lib/life/life.h"

static struct {
	bool begun, heir;
	int fd;
} sup = {.fd = -1};

int
bh_supervised_link(int fd)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (sup.fd >= 0 && sup.fd != fd)
		close(sup.fd);
	sup.begun = true;
	sup.fd = fd;
	return 0;
}

int
bh_supervised_begin(void)
{
	const char *heir = getenv("BH_HEIR");
	int fd = bh_env_fd("BH_SUPERVISOR_FD"), rc = bh_life_begin();

	if (rc < 0 && rc != -EPROTONOSUPPORT)
		return rc;
	sup.begun = true;
	sup.heir = heir != NULL && strcmp(heir, "1") == 0;
	return fd < 0 ? 0 : bh_supervised_link(fd);
}

bool
bh_supervised_heir(void)
{
	return sup.heir;
}

int
bh_supervised_fd(void)
{
	return sup.fd;
}

static int
say(const char *text)
{
	int fd = sup.begun ? sup.fd : bh_env_fd("BH_SUPERVISOR_FD");
	ssize_t n;

	if (fd < 0)
		return 0;
	do
		n = send(fd, text, strlen(text), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int
bh_ready(void)
{
	return say("READY");
}

int
bh_word_done(enum bh_word_kind kind)
{
	if (kind == BH_WORD_REPLAY)
		return say("REPLAYED");
	return kind == BH_WORD_RENEW ? say("RENEWED") : -EINVAL;
}

static void
drop(void)
{
	close(sup.fd);
	sup.fd = -1;
}

/* The descriptor that came with a datagram, or -1. There is room for one. */
static int
passed(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Bytes, 0: the end, or -errno. */
static ssize_t
receive(struct bh_word *w)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {w->text, sizeof(w->text) - 1};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;

	do
		n = recvmsg(sup.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	w->fd = passed(&m);
	w->text[n] = '\0';
	return n;
}

static enum bh_word_kind
kind_of(const struct bh_word *w)
{
	if (strcmp(w->text, "ROLE") == 0 && w->fd >= 0)
		return BH_WORD_ROLE;
	if (strcmp(w->text, "TAKE") == 0 && sup.heir)
		return BH_WORD_TAKE;
	if (strcmp(w->text, "REPLAY") == 0)
		return BH_WORD_REPLAY;
	if (strcmp(w->text, "RENEW") == 0)
		return BH_WORD_RENEW;
	return strcmp(w->text, "LEAVE") == 0 ? BH_WORD_LEAVE : BH_WORD_OTHER;
}

enum bh_word_kind
bh_supervised_take(struct bh_word *w)
{
	enum bh_word_kind kind;
	ssize_t n;

	*w = (struct bh_word){.fd = -1};
	if (sup.fd < 0)
		return BH_WORD_NONE;
	n = receive(w);
	if (n == -EAGAIN)
		return BH_WORD_NONE;
	if (n <= 0) {
		drop();
		return BH_WORD_GONE;
	}
	kind = kind_of(w);
	if (kind == BH_WORD_TAKE)
		sup.heir = false;
	return kind;
}
