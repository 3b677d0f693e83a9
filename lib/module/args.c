/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log/log.h"
#include "lib/module/module.h"

static void
usage(FILE *f, const char *program, const char *what)
{
	fprintf(f, "usage: %s [-v] [--help] [--version]\n%s", program, what);
	fputs("; started by its supervisor.\n"
	      "  -v, --verbose  log more; twice: everything\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  the version\n"
	      "BH_ROLE_FD      role socket inherited from the supervisor\n"
	      "BULKHEAD_RUNDIR directory of core.sock, if there is no role socket\n",
		f);
}

int
bh_module_args(int argc, char **argv, const char *program, const char *what)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {"verbose", no_argument, NULL, 'v'}, {0}};
	int level = BH_LOG_NOTICE, c;

	while ((c = getopt_long(argc, argv, "hVv", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			usage(stdout, program, what);
			return EXIT_SUCCESS;
		case 'V':
			printf("%s %s\n", program, BH_VERSION);
			return EXIT_SUCCESS;
		case 'v':
			level += level < BH_LOG_DEBUG;
			break;
		default:
			usage(stderr, program, what);
			return BH_MODULE_USAGE;
		}
	}
	if (optind != argc) {
		usage(stderr, program, what);
		return BH_MODULE_USAGE;
	}
	bh_log_init(program, level);
	return -1;
}
