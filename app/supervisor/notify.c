/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log/log.h"

struct bh_notify {
	int fd;
	struct sockaddr_un addr;
	socklen_t len;
	struct event *ev; /* watchdog */
};

void
bh_notify(struct bh_notify *n, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int len;

	if (n == NULL)
		return;
	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	if (sendto(n->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&n->addr,
		n->len) < 0)
		bh_warn("notify", "systemd is not told \"%s\": %s", text, strerror(errno));
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bh_notify(arg, "WATCHDOG=1");
}

/* A path, or a name of the abstract namespace after '@'. */
static int
set_address(struct bh_notify *n, const char *name)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len >= sizeof(n->addr.sun_path))
		return -EINVAL;
	n->addr.sun_family = AF_UNIX;
	memcpy(n->addr.sun_path, name, len);
	n->len = offsetof(struct sockaddr_un, sun_path) + len;
	if (name[0] == '@')
		n->addr.sun_path[0] = '\0';
	else
		n->len++; /* with its NUL */
	return 0;
}

/* us between two signs of life that systemd wants of this process; 0: none. */
static uint64_t
watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && atoll(pid) != getpid()))
		return 0;
	return strtoull(us, NULL, 10);
}

static int
start_watchdog(struct bh_notify *n, struct event_base *base, uint64_t us)
{
	struct timeval tv = {.tv_sec = us / 2 / 1000000, .tv_usec = us / 2 % 1000000};

	if (us == 0)
		return 0;
	n->ev = event_new(base, -1, EV_PERSIST, on_watchdog, n);
	return n->ev == NULL || event_add(n->ev, &tv) < 0 ? -ENOMEM : 0;
}

static int
open_socket(struct bh_notify *n)
{
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return n->fd < 0 ? -errno : 0;
}

struct bh_notify *
bh_notify_open(struct event_base *base)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct bh_notify *n;
	int rc;

	errno = 0;
	n = name != NULL ? calloc(1, sizeof(*n)) : NULL;
	if (n == NULL)
		return NULL;
	n->fd = -1;
	rc = set_address(n, name);
	if (rc == 0)
		rc = open_socket(n);
	if (rc == 0)
		rc = start_watchdog(n, base, watchdog_us());
	/* Not for our children to use. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (rc == 0)
		return n;
	bh_notify_close(n);
	errno = -rc;
	return NULL;
}

void
bh_notify_close(struct bh_notify *n)
{
	if (n == NULL)
		return;
	if (n->ev != NULL)
		event_free(n->ev);
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}
