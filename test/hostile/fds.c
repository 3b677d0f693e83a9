/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The descriptors of a welcome, in the hands of one who wants to hurt: what must be refused is
 * tried and counted if it succeeds; what can only hurt its owner is done without end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/hostile/hostile.h"

static uint64_t tried, let;

/* What must fail; says so if it did not. */
static void
must_fail(bool failed, const char *what)
{
	tried++;
	if (failed)
		return;
	let++;
	fprintf(stderr, "hostile: fds: the core's memory is open to %s\n", what);
}

static int
reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static void
attack_size(int fd, size_t size)
{
	must_fail(ftruncate(fd, 0) < 0, "ftruncate to nothing");
	must_fail(ftruncate(fd, size / 2) < 0, "ftruncate to half");
	must_fail(ftruncate(fd, size * 2) < 0, "ftruncate to twice");
	must_fail(fallocate(fd, 0, size, 4096) < 0, "fallocate behind the end");
	must_fail(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0, "a further seal");
}

static void
attack_stats(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must_fail(p == MAP_FAILED, "writing to bh.stats by a map");
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	must_fail(p == MAP_FAILED || mprotect(p, size, PROT_READ | PROT_WRITE) < 0,
		"writing to bh.stats by mprotect");
	must_fail(pwrite(fd, "x", 1, 0) < 0, "writing to bh.stats");
	must_fail(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) < 0,
		"holes in bh.stats");
	if (p != MAP_FAILED) {
		must_fail(madvise(p, size, MADV_REMOVE) < 0, "removing pages of bh.stats");
		munmap(p, size);
	}
}

/* Pipes: whatever is done to the client's ends, or by opening them anew, is its own loss. */
static void
attack_pipes(struct conn *c)
{
	int ring = c->fd[BH_FD_RING_CORE], wake = c->fd[BH_FD_WAKE_ME];
	int fds[4] = {reopen(ring, O_RDWR | O_NONBLOCK), reopen(ring, O_RDONLY | O_NONBLOCK),
		reopen(wake, O_WRONLY | O_NONBLOCK), reopen(wake, O_RDWR)};
	static char junk[1 << 16];

	for (unsigned int i = 0; i < 4; i++) {
		if (fds[i] < 0)
			continue;
		fcntl(fds[i], F_SETFL, i == 3 ? O_NONBLOCK : O_NONBLOCK | O_DIRECT);
		fcntl(fds[i], F_SETPIPE_SZ, rnd_below(2) ? 4096 : 1 << 20);
		fcntl(fds[i], F_SETOWN, getpid());
		for (unsigned int n = 0; n < 20 && i != 1; n++)
			if (write(fds[i], junk, sizeof(junk)) < 0)
				break;
		if (i == 1 && read(fds[i], junk, sizeof(junk)) < 0)
			errno = 0;
	}
	fcntl(ring, F_SETFL, 0);
	fcntl(wake, F_SETFL, 0);
	fcntl(ring, F_SETPIPE_SZ, 4096);
	fcntl(wake, F_SETPIPE_SZ, 4096);
	for (unsigned int i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void
attack_all(struct conn *c)
{
	int again;

	for (int mode = 0; mode < 2; mode++) {
		again = reopen(c->fd[BH_FD_CHANNEL], O_RDWR);
		attack_size(mode ? again : c->fd[BH_FD_CHANNEL], c->w.size);
		if (again >= 0)
			close(again);
		again = reopen(c->fd[BH_FD_STATS], O_RDWR);
		attack_size(mode ? again : c->fd[BH_FD_STATS], c->w.stats_size);
		attack_stats(mode ? again : c->fd[BH_FD_STATS], c->w.stats_size);
		if (again >= 0)
			close(again);
	}
	must_fail(reopen(c->fd[BH_FD_CHANNEL], O_RDWR | O_TRUNC) < 0 ||
		lseek(c->fd[BH_FD_CHANNEL], 0, SEEK_END) == c->w.size, "O_TRUNC");
	attack_pipes(c);
}

/* Pages of the channel are taken away under the core's feet while it works there. */
static uint64_t
punch(struct conn *c)
{
	int fd = c->fd[BH_FD_CHANNEL];

	for (unsigned int i = 0; i < 64; i++) {
		off_t from = rnd_below(c->w.size / 4096) * 4096;

		conn_put(c, BH_V_NOP, 0, NULL, 0);
		if (i % 8 == 0)
			conn_ring(c);
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, 4096);
		if (i % 16 == 0)
			madvise(c->map, c->w.size, MADV_REMOVE);
	}
	return 64;
}

int
mode_fds(const struct options *o)
{
	uint64_t holes = 0, channels = 0;
	struct conn c;

	while (going() && conn_open(&c, o->socket, "fds") == 0) {
		channels++;
		attack_all(&c);
		while (going() && !conn_ended(&c) && rnd_below(16) != 0)
			holes += punch(&c);
		conn_close(&c);
	}
	printf("{\"mode\":\"fds\",\"channels\":%lu,\"must-fail\":%lu,\"let\":%lu,\"holes\":%lu}\n",
		channels, tried, let, holes);
	return let > 0 || tried == 0;
}
