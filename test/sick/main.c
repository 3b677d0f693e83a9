/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A module of role `user` that falls ill on request: SIGUSR1 makes it spin, SIGUSR2 block. Its one
 * record names the program that wrote it, so that an upgrade can be told. As heir, a program whose
 * name begins with "bad" ends at once, with "mute" never says that it is ready.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client/bulkhead.h"
#include "lib/life/life.h"

static const char *program; /* its name without folders */
static int role_fd;

static void
on_spin(int sig)
{
	static volatile int turns;

	(void)sig;
	for (;;)
		turns++;
}

static void
on_block(int sig)
{
	sigset_t all;

	(void)sig;
	sigfillset(&all);
	for (;;)
		sigsuspend(&all);
}

static void
ignore(void *arg, const struct bh_change *c)
{
	(void)arg;
	(void)c;
}

static int
replay(struct bh_handle *h)
{
	struct bh_user_key key = {.name = "program"};
	int rc = bh_replay_begin(h, BH_T_USER, NULL);

	if (rc == 0)
		rc = bh_add(h, BH_T_USER, &key, program, strlen(program), NULL);
	if (rc == 0)
		rc = bh_replay_end(h, BH_T_USER);
	return rc == 0 ? bh_ready() : rc;
}

/* What the supervisor said. 1: leave; 0 or -errno. */
static int
take_words(struct bh_handle *h)
{
	struct bh_word w;
	int rc = 0;

	while (rc == 0) {
		switch (bh_supervised_take(&w)) {
		case BH_WORD_NONE:
			return 0;
		case BH_WORD_ROLE:
			rc = bh_reopen_role(h, w.fd);
			close(role_fd);
			role_fd = w.fd;
			if (rc == 0)
				rc = replay(h);
			break;
		case BH_WORD_TAKE:
			rc = replay(h);
			break;
		case BH_WORD_LEAVE:
			return 1;
		default:
			break;
		}
	}
	return rc;
}

static int
serve(struct bh_handle *h)
{
	int rc = 0;

	while (rc == 0) {
		struct pollfd p[2] = {{.fd = bh_fd(h), .events = POLLIN},
			{.fd = bh_supervised_fd(), .events = POLLIN}};

		bh_life_beat();
		if (bh_prepare_wait(h) && poll(p, 2, BH_LIFE_BEAT_MS) < 0 && errno != EINTR)
			return -errno;
		rc = bh_poll(h, 0);
		if (rc >= 0 || rc == -ECONNRESET) /* the next core is told by the supervisor */
			rc = take_words(h);
	}
	return rc;
}

static int
begin(struct bh_handle *h)
{
	int rc;

	if (!bh_supervised_heir())
		return replay(h);
	if (strncmp(program, "bad", 3) == 0)
		exit(1);
	rc = bh_dump(h, BH_V_RECOVER, BH_T_USER, ignore, NULL);
	return rc == 0 && strncmp(program, "mute", 4) != 0 ? bh_ready() : rc;
}

int
main(int argc, char **argv)
{
	struct bh_open_args args;
	struct bh_handle *h;
	static char path[512];
	int rc;

	(void)argc;
	(void)argv;
	rc = readlink("/proc/self/exe", path, sizeof(path) - 1);
	program = rc > 0 ? strrchr(path, '/') + 1 : "";
	signal(SIGUSR1, on_spin);
	signal(SIGUSR2, on_block);
	rc = bh_supervised_begin();
	bh_open_args_env(&args, "sick");
	role_fd = args.role_fd;
	h = rc == 0 ? bh_open(&args) : NULL;
	if (h == NULL)
		return 1;
	rc = begin(h);
	if (rc == 0)
		rc = serve(h);
	if (rc < 0)
		fprintf(stderr, "sick: %s\n", strerror(-rc));
	bh_close(h);
	return rc < 0;
}
