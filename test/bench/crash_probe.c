/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crash_probe SOCKET MODULE FAULT: makes the fault and watches, as a reader of the core's tables,
 * the module's row in `process` and the counts of its tables until it is ready again and nothing of
 * its predecessor is left stale. One line of JSON; times in ms since the fault:
 *   seen      the supervisor saw the end (or the hang)
 *   ready     the successor was told as ready
 *   replayed  all its tables are of a new epoch, swept
 * Exit status 1: not within LIMIT_NS; 2: the fault could not be made; 3: anything else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client/bulkhead.h"
#include "lib/stats/stats.h"
#include "test/bench/crash_inject.h"

#define LIMIT_NS 60000000000u

static struct {
	const char *module;
	struct bh_process row;
	const struct bh_stats *stats;
	uint64_t epoch[BH_T_MAX]; /* of its tables before */
	bool its[BH_T_MAX];
} probe;

static void __attribute__((noreturn))
fail(int status, const char *what, int rc)
{
	fprintf(stderr, "crash_probe: %s: %s: %s\n", probe.module, what, strerror(-rc));
	exit(status);
}

static void
on_process(void *arg, const struct bh_change *c)
{
	const struct bh_ifname_key *key = c->key;

	(void)arg;
	if (c->op == BH_OP_PUT && strncmp(key->name, probe.module, sizeof(key->name)) == 0)
		memcpy(&probe.row, c->val, sizeof(probe.row));
}

/* Tables that the module has replayed before. */
static void
note_tables(void)
{
	int role = bh_role_find(probe.module);

	for (unsigned int id = 1; id < BH_T_MAX; id++) {
		const struct bh_schema *s = bh_schema(id);

		probe.epoch[id] = bh_read(&probe.stats->table[id].epoch);
		probe.its[id] = s != NULL && s->owner == role && probe.epoch[id] != 0;
	}
}

static bool
replayed(void)
{
	for (unsigned int id = 1; id < BH_T_MAX; id++) {
		const struct bh_stats_table *t = &probe.stats->table[id];

		if (probe.its[id] && (bh_read(&t->epoch) == probe.epoch[id] ||
			bh_read(&t->stale) != 0 || bh_read(&t->complete) == 0))
			return false;
	}
	return true;
}

static const struct crash_fault *
find_fault(const char *name)
{
	for (const struct crash_fault *f = crash_faults; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static double
ms_since(uint64_t when, uint64_t then)
{
	return then > when ? (then - when) / 1e6 : 0;
}

static int
watch(struct bh_handle *h, const char *fault, uint64_t when)
{
	uint32_t victim = probe.row.pid;
	double ready = 0, done = 0;

	while (crash_now_ns() - when < LIMIT_NS) {
		int rc = bh_poll(h, 1);

		if (rc < 0)
			fail(3, "the core is gone", rc);
		if (ready == 0 && probe.row.state == BH_PROC_READY && probe.row.pid != victim)
			ready = ms_since(when, crash_now_ns());
		if (done == 0 && replayed())
			done = ms_since(when, crash_now_ns());
		if (ready == 0 || done == 0)
			continue;
		printf("{\"module\": \"%s\", \"fault\": \"%s\", \"seen\": %.4f, \"ready\": %.3f, "
			"\"replayed\": %.3f, \"how\": %u}\n", probe.module, fault,
			ms_since(when, probe.row.seen_ns), ready, done, probe.row.how);
		return 0;
	}
	fprintf(stderr, "crash_probe: %s: %s: ready after %.0f ms, replayed after %.0f ms (0: not)\n",
		probe.module, fault, ready, done);
	return 1;
}

int
main(int argc, char **argv)
{
	struct bh_open_args args = {"crash-probe", BH_SERVICE_INFOBASE, -1, NULL};
	const struct crash_fault *f;
	struct bh_handle *h;
	uint64_t when;
	int rc;

	if (argc != 4 || (f = find_fault(argv[3])) == NULL) {
		fprintf(stderr, "usage: crash_probe SOCKET MODULE FAULT\n");
		return 64;
	}
	args.socket = argv[1];
	probe.module = argv[2];
	h = bh_open(&args);
	rc = h == NULL ? -errno : bh_watch(h, BH_T_PROCESS, on_process, NULL);
	while (rc >= 0 && probe.row.pid == 0)
		rc = bh_poll(h, 1000) > 0 ? 0 : -ENOENT;
	if (rc < 0)
		fail(3, "table process", rc);
	probe.stats = bh_stats_map(h, NULL);
	note_tables();
	puts("armed"); /* whoever is to give it work does it now */
	fflush(stdout);
	rc = f->inject(probe.row.pid, &when);
	if (rc < 0)
		fail(2, f->name, rc);
	rc = watch(h, f->name, when);
	bh_close(h);
	return rc;
}
