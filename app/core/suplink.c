/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/suplink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "infobase/schema.h"
#include "lib/log/log.h"

int
bh_suplink_open(void)
{
	const char *text = getenv("BH_SUPERVISOR_FD");
	int fd = text == NULL ? -1 : atoi(text);

	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return fd;
}

/* "ROLE <name> <pid>" with the role's socket. */
static void
take_role(struct bh_core *core, const char *text, int fd)
{
	char name[BH_NAME_LEN];
	unsigned int pid;
	struct bh_proxy *p;
	int role, rc;

	if (sscanf(text, "ROLE %15s %u", name, &pid) != 2 || (role = bh_role_find(name)) < 0 ||
		fd < 0) {
		bh_err("roles", "the supervisor sent something unknown");
		if (fd >= 0)
			close(fd);
		return;
	}
	p = core->proxy[core->next_proxy++ % core->n_proxies];
	rc = bh_proxy_give_role(p, fd, role, pid);
	if (rc < 0) {
		bh_err("roles", "role %s is not taken: %s", name, strerror(-rc));
		close(fd);
	}
}

bool
bh_suplink_read(struct bh_core *core, int fd)
{
	for (;;) {
		char text[64], ctl[CMSG_SPACE(sizeof(int))];
		struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			.msg_controllen = sizeof(ctl)};
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *cm;
		int passed = -1;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		text[n] = '\0';
		cm = CMSG_FIRSTHDR(&msg);
		if (cm != NULL && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
			cm->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&passed, CMSG_DATA(cm), sizeof(int));
		take_role(core, text, passed);
	}
}
