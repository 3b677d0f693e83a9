/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/taps_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/supervisor/kernelif.h"
#include "app/supervisor/roles.h"
#include "lib/log/log.h"
#include "lib/net/hostask.h"

_Static_assert(BH_NAME_LEN == IFNAMSIZ, "names of ports are names of the kernel");


static bool
is_wanted(const struct bh_boot *boot)
{
	for (unsigned int i = 0; boot->host_stack && i < boot->n_modules; i++)
		if (strcmp(boot->modules[i].name, "v6stack") == 0)
			return boot->modules[i].enabled;
	return false;
}

struct bh_tap *
bh_tap_new(struct bh_taps *t, const char name[BH_NAME_LEN])
{
	struct bh_tap *p = t->n < BH_IF_MAX ? &t->tap[t->n++] : NULL;

	if (p == NULL)
		return NULL;
	memset(p, 0, sizeof(*p));
	memcpy(p->name, name, sizeof(p->name));
	p->fd = -1;
	return p;
}

struct bh_taps *
bh_taps_new(const struct bh_boot *boot)
{
	struct bh_taps *t;

	if (!is_wanted(boot))
		return NULL;
	if (access(TUN, R_OK | W_OK) < 0) {
		bh_notice(AREA, TUN ": %s: no host stack: programs on this machine do not talk "
			"over the router's ports", strerror(errno));
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (t != NULL)
		t->kernel = bh_kernelif_open();
	if (t == NULL || t->kernel == NULL) {
		bh_err(AREA, "no host stack: %s", strerror(errno));
		free(t);
		return NULL;
	}
	for (unsigned int i = 0; i < boot->n_interfaces; i++)
		bh_tap_new(t, boot->interfaces[i].name);
	return t;
}

/* ---- making ---- */

/* A new TAP of that name, or -errno; -EBUSY, -EINVAL, -EEXIST: the name is taken. */
static int
open_tap(const char *kernel)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | (short)IFF_TUN_EXCL};
	int rc, fd;

	if (if_nametoindex(kernel) != 0)
		return -EEXIST;
	fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", kernel);
	if (ioctl(fd, TUNSETIFF, &ifr) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static bool
is_taken(int rc)
{
	return rc == -EEXIST || rc == -EBUSY || rc == -EINVAL;
}

/* By its own name, else by another one. The descriptor or -errno. */
static int
open_by_some_name(struct bh_tap *p)
{
	char other[sizeof(PREFIX) + BH_NAME_LEN];
	int fd = open_tap(p->name);

	memcpy(p->kernel, p->name, sizeof(p->kernel));
	snprintf(other, sizeof(other), PREFIX "%s", p->name);
	if (!is_taken(fd) || strlen(other) >= sizeof(p->kernel))
		return fd;
	fd = open_tap(other);
	memcpy(p->kernel, other, sizeof(p->kernel));
	if (fd >= 0)
		bh_notice(AREA, "%s: the kernel has an interface of that name: its TAP is %s",
			p->name, p->kernel);
	return fd;
}

void
bh_tap_make(struct bh_taps *t, struct bh_tap *p)
{
	int rc, fd = open_by_some_name(p);

	if (fd < 0) {
		bh_warn(AREA, "%s: no TAP: %s", p->name, is_taken(fd) ?
			"the kernel has an interface of that name" : strerror(-fd));
		return;
	}
	p->fd = fd;
	p->ifindex = if_nametoindex(p->kernel);
	rc = p->ifindex == 0 ? -errno : bh_kernelif_prepare(t->kernel, p->ifindex, p->kernel);
	if (rc < 0)
		bh_warn(AREA, "%s: TAP %s: %s", p->name, p->kernel, strerror(-rc));
}

void
bh_taps_make(struct bh_taps *t)
{
	unsigned int made = 0;

	for (unsigned int i = 0; t != NULL && i < t->n; i++) {
		if (t->tap[i].fd < 0)
			bh_tap_make(t, &t->tap[i]);
		made += t->tap[i].fd >= 0;
	}
	if (t != NULL)
		bh_info(AREA, "%u TAPs", made);
}

/* ---- v6stack ---- */

int
bh_tap_hand(const struct bh_tap *p, int sup_fd)
{
	char text[64];

	snprintf(text, sizeof(text), BH_HOSTASK_TAP "%s %u", p->name, p->ifindex);
	return bh_fd_pass(sup_fd, text, p->fd);
}

int
bh_taps_hand(struct bh_taps *t, int sup_fd)
{
	int room = 1 << 20, rc = 0; /* as many small datagrams as TAPs */

	if (t == NULL)
		return 0;
	setsockopt(sup_fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	for (unsigned int i = 0; i < t->n && rc == 0; i++)
		if (t->tap[i].fd >= 0)
			rc = bh_tap_hand(&t->tap[i], sup_fd);
	if (rc == 0 && send(sup_fd, BH_HOSTASK_TAPS, strlen(BH_HOSTASK_TAPS), MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (rc < 0)
		bh_err(AREA, "TAPs cannot be handed to v6stack: %s", strerror(-rc));
	return rc;
}

bool
bh_taps_asked(struct bh_taps *t, const void *msg, size_t len)
{
	struct bh_hostask want;
	int rc;

	if (len < sizeof(BH_HOSTASK_MAGIC) ||
		memcmp(msg, BH_HOSTASK_MAGIC, sizeof(BH_HOSTASK_MAGIC)) != 0)
		return false;
	rc = bh_hostask_read(&want, msg, len);
	if (rc < 0) {
		bh_warn(AREA, "v6stack asked for something that cannot be");
		return true;
	}
	for (unsigned int i = 0; t != NULL && i < t->n; i++) {
		const struct bh_tap *p = &t->tap[i];

		if (p->fd < 0 || strcmp(p->name, want.name) != 0)
			continue;
		rc = bh_kernelif_equal(t->kernel, p->ifindex, p->fd, &want);
		if (rc < 0)
			bh_warn(AREA, "%s: TAP %s: %s", p->name, p->kernel, strerror(-rc));
		return true;
	}
	bh_warn(AREA, "v6stack asked for %s, which has no TAP", want.name);
	return true;
}

void
bh_taps_free(struct bh_taps *t)
{
	if (t == NULL)
		return;
	for (unsigned int i = 0; i < t->n; i++)
		if (t->tap[i].fd >= 0)
			close(t->tap[i].fd);
	bh_kernelif_close(t->kernel);
	free(t);
}
