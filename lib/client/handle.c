/* SPDX-License-Identifier: BSD-3-Clause */
/* Handles: made from arguments and environment, closed, looked at. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/client/client_priv.h"

static bool
other_cpu(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

static int
set_path(struct bh_handle *h, const char *path)
{
	const char *dir = getenv("BULKHEAD_RUNDIR");
	int n;

	if (path != NULL)
		n = snprintf(h->path, sizeof(h->path), "%s", path);
	else
		n = snprintf(h->path, sizeof(h->path), "%s/core.sock",
			dir != NULL ? dir : "/run/bulkhead");
	return n < (int)sizeof(h->path) ? 0 : -ENAMETOOLONG;
}

struct bh_handle *
bh_open(const struct bh_open_args *args)
{
	struct bh_handle *h;

	if (args->client == NULL || args->service == 0) {
		errno = EINVAL;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	snprintf(h->client, sizeof(h->client), "%s", args->client);
	h->service = args->service;
	h->is_role = args->role_fd >= 0;
	h->sock = args->role_fd;
	h->ring_fd = h->wake_fd = -1;
	h->spin = other_cpu();
	if (set_path(h, args->socket) < 0) {
		free(h);
		errno = ENAMETOOLONG;
		return NULL;
	}
	return h;
}

void
bh_close(struct bh_handle *h)
{
	if (h == NULL)
		return;
	bh_disconnect(h);
	bh_forget_socket(h);
	bh_watches_free(h);
	free(h);
}

int
bh_reopen_role(struct bh_handle *h, int fd)
{
	if (!h->is_role || fd < 0)
		return -EINVAL;
	bh_disconnect(h);
	h->sock = fd;
	bh_lost_tell(h);
	return 0;
}

int
bh_env_fd(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long fd;

	if (text == NULL || *text == '\0')
		return -1;
	fd = strtol(text, &end, 10);
	return *end == '\0' && fd >= 0 && fd < 1 << 20 ? (int)fd : -1;
}

void
bh_open_args_env(struct bh_open_args *args, const char *client)
{
	*args = (struct bh_open_args){
		.client = client,
		.service = BH_SERVICE_INFOBASE,
		.role_fd = bh_env_fd("BH_ROLE_FD"),
	};
}

unsigned int
bh_pending(const struct bh_handle *h)
{
	return h->n_calls;
}

int
bh_fd(const struct bh_handle *h)
{
	return h->wake_fd;
}

const void *
bh_stats_map(const struct bh_handle *h, size_t *size)
{
	if (size != NULL)
		*size = h->stats != NULL ? h->w.stats_size : 0;
	return h->stats;
}

const struct bh_welcome *
bh_connection(const struct bh_handle *h)
{
	return h->map != NULL ? &h->w : NULL;
}
