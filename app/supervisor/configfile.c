/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/configfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "app/supervisor/roles.h"
#include "lib/log/log.h"

int
bh_configfile_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc = -errno;

	if (fd < 0) {
		bh_err("config", "%s: cannot read: %s", path, strerror(-rc));
		return rc;
	}
	fcntl(fd, F_SETFL, 0);
	return fd;
}

int
bh_configfile_pass(const char *path, int sup_fd)
{
	int rc, fd = bh_configfile_open(path);

	if (fd < 0)
		return fd;
	rc = bh_fd_pass(sup_fd, "CONFIG", fd);
	if (rc < 0)
		bh_err("config", "%s: cannot be handed over: %s", path, strerror(-rc));
	close(fd);
	return rc;
}
