/* SPDX-License-Identifier: BSD-3-Clause */
/* TAPs that a killed supervisor left to v6stack. */
#include <dirent.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/supervisor/taps_priv.h"
#include "lib/log/log.h"

#define FDS_MAX 4096 /* of another process that are looked at */

/* A descriptor that is a TAP of ours, by the name that the kernel has for it. */
static bool
take_back(struct bh_taps *t, int fd)
{
	char other[sizeof(PREFIX) + BH_NAME_LEN];
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return false;
	for (unsigned int i = 0; i < t->n; i++) {
		struct bh_tap *p = &t->tap[i];

		snprintf(other, sizeof(other), PREFIX "%s", p->name);
		if (p->fd >= 0 || (strcmp(ifr.ifr_name, p->name) != 0 &&
			strcmp(ifr.ifr_name, other) != 0))
			continue;
		memcpy(p->kernel, ifr.ifr_name, sizeof(p->kernel));
		p->kernel[sizeof(p->kernel) - 1] = '\0';
		p->ifindex = if_nametoindex(p->kernel);
		p->fd = fd;
		return true;
	}
	return false;
}

static bool
is_tun(int dir, const char *entry)
{
	char link[sizeof(TUN) + 1];
	ssize_t n = readlinkat(dir, entry, link, sizeof(link));

	return n == (ssize_t)strlen(TUN) && memcmp(link, TUN, n) == 0;
}

static void
adopt_from(struct bh_taps *t, DIR *dir, int pidfd)
{
	struct dirent *e;

	for (unsigned int i = 0; i < FDS_MAX && (e = readdir(dir)) != NULL; i++) {
		int fd;

		if (!is_tun(dirfd(dir), e->d_name))
			continue;
		fd = syscall(SYS_pidfd_getfd, pidfd, atoi(e->d_name), 0);
		if (fd < 0)
			bh_warn(AREA, "descriptor %s of v6stack: %s", e->d_name, strerror(errno));
		else if (!take_back(t, fd))
			close(fd);
	}
}

void
bh_taps_adopt(struct bh_taps *t, pid_t pid)
{
	char path[32];
	int pidfd;
	DIR *dir;

	if (t == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	pidfd = dir == NULL ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0)
		adopt_from(t, dir, pidfd);
	else
		bh_warn(AREA, "TAPs of pid %d: %s", pid, strerror(errno));
	if (pidfd >= 0)
		close(pidfd);
	if (dir != NULL)
		closedir(dir);
}
