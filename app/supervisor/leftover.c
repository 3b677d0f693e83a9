/* SPDX-License-Identifier: BSD-3-Clause */
/* The file `processes`: who runs, for a supervisor to come that finds no core (adopt.h). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/supervisor/adopt.h"
#include "app/supervisor/procfs.h"
#include "lib/log/log.h"

#define AREA "adopt"
#define FILE_NAME "processes"
#define END_MS 5000 /* for a killed process to be gone */

void
bh_adopt_remember(const struct bh_supervisor *s)
{
	char path[128], fresh[136];
	FILE *f;
	int rc;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, s->opt->rundir);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	f = fopen(fresh, "we");
	rc = f == NULL ? -errno : 0;
	for (unsigned int i = 0; i < s->n_children && rc == 0; i++) {
		const struct bh_child *c = &s->child[i];

		if (c->pid != 0 && fprintf(f, "%d %llu %s\n", c->pid,
				(unsigned long long)c->start_ticks, c->name) < 0)
			rc = -EIO;
	}
	if (f != NULL && fclose(f) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(fresh, path) < 0)
		rc = -errno;
	if (rc < 0)
		bh_warn(AREA, "%s is not written: %s", path, strerror(-rc));
}

static void
end(pid_t pid, unsigned long long start_ticks, const char *name)
{
	struct pollfd p = {.fd = bh_pidfd_open(pid), .events = POLLIN};

	if (p.fd < 0)
		return;
	if (start_ticks != 0 && bh_procfs_start(pid) == start_ticks) {
		bh_notice(AREA, "%s (pid %d) has outlived its core and its supervisor: killed", name,
			pid);
		if (bh_pidfd_kill(p.fd, SIGKILL) < 0 || poll(&p, 1, END_MS) <= 0)
			bh_warn(AREA, "%s (pid %d) does not end", name, pid);
	}
	close(p.fd);
}

void
bh_adopt_clear(const char *rundir)
{
	unsigned long long start_ticks;
	char path[128], name[BH_NAME_LEN];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, rundir);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (fscanf(f, "%d %llu %15s", &pid, &start_ticks, name) == 3)
		if (pid > 1)
			end(pid, start_ticks, name);
	fclose(f);
	if (unlink(path) < 0)
		bh_warn(AREA, "%s: %s", path, strerror(errno));
}
