/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bhctl: shows the state of a running bulkhead. An ordinary client of the core: tables come
 * from the info base by libbulkhead, counters from the read-only map of bh.stats. Orders about
 * modules go to the supervisor.
 *
 * args (command line) -> show_* (fetch, make JSON values) -> render (table or JSON).
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "app/ctl/module.h"
#include "app/ctl/reconcile.h"
#include "app/ctl/show.h"

static const bh_show_fn shows[BH_SHOW_MAX] = {
	[BH_SHOW_ADDRESSES] = bh_show_addresses,
	[BH_SHOW_CONNECTIONS] = bh_show_connections,
	[BH_SHOW_COUNTERS] = bh_show_counters,
	[BH_SHOW_FPM] = bh_show_fpm,
	[BH_SHOW_INTERFACES] = bh_show_interfaces,
	[BH_SHOW_LCORES] = bh_show_lcores,
	[BH_SHOW_MEMORY] = bh_show_memory,
	[BH_SHOW_NEIGHBORS] = bh_show_neighbors,
	[BH_SHOW_NEXTHOPS] = bh_show_nexthops,
	[BH_SHOW_PROCESSES] = bh_show_processes,
	[BH_SHOW_ROUTES] = bh_show_routes,
	[BH_SHOW_SOCKETS] = bh_show_sockets,
	[BH_SHOW_TABLES] = bh_show_tables,
	[BH_SHOW_VERSION] = bh_show_version,
};

/* The next show of several: on a terminal in place of the one before. */
static void
next_page(unsigned int seconds)
{
	sleep(seconds);
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	else
		putchar('\n');
}

static int
reconcile(const struct bh_ctl_args *args)
{
	struct bh_ctl_core core = {0};
	int rc = bh_ctl_connect(&core, args->socket);

	if (rc == BH_CTL_OK)
		rc = bh_ctl_reconcile(&core, args);
	bh_ctl_disconnect(&core);
	return rc;
}

static int
show(const struct bh_ctl_args *args)
{
	struct bh_ctl_core core = {0};
	int rc = bh_ctl_connect(&core, args->socket);

	while (rc == BH_CTL_OK) {
		rc = shows[args->subject](&core, args);
		if (args->repeat == 0 || rc != BH_CTL_OK)
			break;
		next_page(args->repeat);
	}
	bh_ctl_disconnect(&core);
	return rc;
}

int
main(int argc, char **argv)
{
	static char outbuf[1 << 16];
	struct bh_ctl_args args;
	char err[256];

	if (bh_ctl_args_parse(&args, argc, argv, err, sizeof(err)) < 0) {
		fprintf(stderr, "bhctl: %s; see bhctl --help\n", err);
		return BH_CTL_USAGE;
	}
	setvbuf(stdout, outbuf, _IOFBF, sizeof(outbuf));
	switch (args.action) {
	case BH_CTL_HELP:
		bh_ctl_usage(stdout);
		break;
	case BH_CTL_VERSION:
		puts("bhctl " BH_VERSION);
		break;
	case BH_CTL_LIST:
		bh_ctl_list_subjects(stdout);
		break;
	case BH_CTL_SHOW:
		signal(SIGPIPE, SIG_IGN); /* bells of a core that goes; see bh_ctl_output_begin() */
		return show(&args);
	case BH_CTL_MODULE:
		signal(SIGPIPE, SIG_IGN);
		return bh_ctl_module(&args);
	case BH_CTL_RECONCILE:
		signal(SIGPIPE, SIG_IGN);
		return reconcile(&args);
	}
	return bh_ctl_output_end(0);
}
