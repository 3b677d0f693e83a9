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

/* Heirs of a role always come by the same proxy, which knows whom to promote. */
static struct bh_proxy *
heirs_proxy(struct bh_core *core, int role)
{
	return core->proxy[role % core->n_proxies];
}

/* 0 or -errno; fd stays the caller's then. */
static int
act(struct bh_core *core, const char *word, int role, unsigned int pid, int fd)
{
	if (strcmp(word, "ROLE") == 0)
		return bh_proxy_give_role(core->proxy[core->next_proxy++ % core->n_proxies], fd, role,
			pid);
	if (strcmp(word, "HEIR") == 0)
		return bh_proxy_give_heir(heirs_proxy(core, role), fd, role, pid);
	if (strcmp(word, "PROMOTE") == 0 && fd < 0)
		return bh_proxy_promote(heirs_proxy(core, role), role, pid);
	return -EPROTO;
}

/* "ROLE <name> <pid>" or "HEIR <name> <pid>" with the role's socket, "PROMOTE <name> <pid>". */
static void
take_word(struct bh_core *core, const char *text, int fd)
{
	char word[8], name[BH_NAME_LEN];
	unsigned int pid;
	int role, rc = -EPROTO;

	if (sscanf(text, "%7s %15s %u", word, name, &pid) == 3 &&
		(role = bh_role_find(name)) >= 0)
		rc = act(core, word, role, pid, fd);
	if (rc == 0)
		return;
	bh_err("roles", "the supervisor's \"%.40s\" is not taken: %s", text, strerror(-rc));
	if (fd >= 0)
		close(fd);
}

void
bh_suplink_answer(struct bh_core *core, int fd)
{
	struct bh_promotion end;
	char text[64];

	for (unsigned int i = 0; i < core->n_proxies; i++)
		while (bh_proxy_promotion(core->proxy[i], &end)) {
			snprintf(text, sizeof(text), "%s %s %u",
				end.done ? "PROMOTED" : "REFUSED", bh_role_name(end.role),
				end.pid);
			if (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				bh_err("roles", "\"%s\" cannot be told: %s", text,
					strerror(errno));
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
		take_word(core, text, passed);
	}
}
