/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/module.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/ctl/show.h"

#define OUTCOME_MS 400000 /* longer than any step of the supervisor's */

static int
unreachable(const struct bh_ctl_args *args, int err)
{
	if (err == EACCES || err == EPERM) {
		fprintf(stderr, "bhctl: %s: permission denied: orders are root's to give\n",
			args->control);
		return BH_CTL_PERMISSION;
	}
	if (err == ENOENT || err == ENOTDIR || err == ECONNREFUSED)
		fprintf(stderr, "bhctl: no supervisor answers at %s: is bulkhead running?\n",
			args->control);
	else
		fprintf(stderr, "bhctl: %s: %s\n", args->control, strerror(err));
	return BH_CTL_UNREACHABLE;
}

static int
give(const struct bh_ctl_args *args, int fd, const char *words)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	memcpy(addr.sun_path, args->control, sizeof(addr.sun_path));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		send(fd, words, strlen(words), MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* The answer in text. 0 or -errno; -EPIPE: the supervisor closed without one. */
static int
await(int fd, char *text, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int rc = poll(&p, 1, OUTCOME_MS);
	ssize_t n;

	if (rc <= 0)
		return rc < 0 ? -errno : -ETIMEDOUT;
	n = recv(fd, text, len - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	text[n] = '\0';
	return 0;
}

static int
print_json(const struct bh_ctl_args *args, bool done, const char *text)
{
	json_t *v = json_pack("{s:{s:s,s:s,s:b,s:s}}", "module", "name", args->name, "order",
		args->order, "done", done, "text", text);
	int rc;

	bh_ctl_output_begin();
	rc = bh_ctl_output_end(v == NULL ? -ENOMEM : bh_render_value_json(stdout, v));
	json_decref(v);
	return rc != BH_CTL_OK || done ? rc : BH_CTL_FAILED;
}

static int
print_outcome(const struct bh_ctl_args *args, const char *answer)
{
	bool done = strncmp(answer, "OK ", 3) == 0;
	const char *text = strchr(answer, ' ');

	text = text != NULL ? text + 1 : answer;
	if (args->json)
		return print_json(args, done, text);
	if (!done) {
		fprintf(stderr, "bhctl: %s: %s\n", args->name, text);
		return BH_CTL_FAILED;
	}
	bh_ctl_output_begin();
	printf("%s: %s\n", args->name, text);
	return bh_ctl_output_end(0);
}

int
bh_ctl_order(const struct bh_ctl_args *args, const char *words, char *text, size_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = give(args, fd, words);
	if (rc == 0)
		rc = await(fd, text, len);
	close(fd);
	return rc;
}

int
bh_ctl_module(const struct bh_ctl_args *args)
{
	char words[576], answer[512];
	int rc, n = snprintf(words, sizeof(words), "%s %s%s%s", args->order, args->name,
		args->binary != NULL ? " " : "", args->binary != NULL ? args->binary : "");

	rc = n >= (int)sizeof(words) ? -ENAMETOOLONG :
		bh_ctl_order(args, words, answer, sizeof(answer));
	return rc == 0 ? print_outcome(args, answer) : unreachable(args, -rc);
}
