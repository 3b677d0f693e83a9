/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A file of procfs as text. Its length, or -1. */
static ssize_t
read_text(const char *path, char *text, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	while (at < len - 1 && (n = read(fd, text + at, len - 1 - at)) > 0)
		at += n;
	close(fd);
	text[at] = '\0';
	return n < 0 ? -1 : (ssize_t)at;
}

/* What follows the name in parentheses, which may hold anything; NULL: no such process. */
static const char *
read_stat(pid_t pid, pid_t tid, char *text, size_t len)
{
	char path[64], *after;

	if (tid == 0)
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	else
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (read_text(path, text, len) < 0)
		return NULL;
	after = strrchr(text, ')');
	return after != NULL && after[1] == ' ' ? after + 2 : NULL;
}

char
bh_procfs_state(pid_t pid, pid_t tid)
{
	char text[512];
	const char *after = read_stat(pid, tid, text, sizeof(text));

	return after != NULL ? *after : 0;
}

uint64_t
bh_procfs_start(pid_t pid)
{
	char text[512];
	const char *p = read_stat(pid, 0, text, sizeof(text));

	for (int field = 3; p != NULL && field < 22; field++) {
		p = strchr(p, ' ');
		p = p != NULL ? p + 1 : NULL;
	}
	return p != NULL ? strtoull(p, NULL, 10) : 0;
}

uint64_t
bh_procfs_cpu_ns(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

uint64_t
bh_procfs_thread_cpu_ns(pid_t pid, pid_t tid)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	return read_text(path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 10) : 0;
}

int
bh_procfs_env_number(pid_t pid, const char *name)
{
	static char text[1 << 16];
	size_t name_len = strlen(name);
	char path[64], *end;
	ssize_t len;
	long n;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	len = read_text(path, text, sizeof(text));
	for (const char *p = text; len > 0 && p < text + len; p += strlen(p) + 1) {
		if (strncmp(p, name, name_len) != 0 || p[name_len] != '=')
			continue;
		n = strtol(p + name_len + 1, &end, 10);
		return *end == '\0' && n >= 0 && n < 1 << 20 ? (int)n : -1;
	}
	return -1;
}

int
bh_pidfd_open(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int
bh_pidfd_take(int pidfd, int their_fd)
{
	int fd = syscall(SYS_pidfd_getfd, pidfd, their_fd, 0);

	return fd < 0 ? -errno : fd;
}

int
bh_pidfd_kill(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}
