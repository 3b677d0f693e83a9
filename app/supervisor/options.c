/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
usage(FILE *out)
{
	fputs("usage: bulkhead -c FILE [-r DIR] [-p DIR]... [--no-huge] [--allow-missing] [-v]\n"
	      "       bulkhead --check FILE [-p DIR]...\n"
	      "\n"
	      "Starts the router that FILE (YANG instance data, JSON or XML) describes, keeps its\n"
	      "processes alive, and stops them all on SIGTERM or SIGINT. SIGHUP reads FILE again.\n"
	      "\n"
	      "  -c, --config FILE    configuration\n"
	      "      --check FILE     only validate it: exit status 0 or 2\n"
	      "  -r, --run-dir DIR    sockets and locks (default: $BULKHEAD_RUNDIR, /run/bulkhead)\n"
	      "  -p, --yang-path DIR  look for YANG modules here first; may repeat\n"
	      "  -B, --build-dir DIR  take programs and modules from an uninstalled build\n"
	      "      --user NAME      user of the modules (default: bulkhead, else nobody)\n"
	      "      --group NAME     group that may use the core's socket (default: bulkhead)\n"
	      "      --no-huge        run without hugepages: slower, no NIC by vfio-pci\n"
	      "      --allow-missing  start though a configured device is missing\n"
	      "      --healthy SECONDS  one that lived that long and dies is started again at\n"
	      "                       once, and is not on its way to be held (default: 10)\n"
	      "      --keep-hung-core only raise an alarm when an lcore of the core hangs\n"
	      "  -v, --verbose        say more\n"
	      "  -h, --help           this text\n"
	      "  -V, --version        the version\n"
	      "\n"
	      "Exit status: 0 stopped on request; 1 a part failed; 2 invalid configuration;\n"
	      "3 configuration unreadable; 4 YANG modules missing; 5 too few hugepages;\n"
	      "6 privilege missing; 7 already running; 8 device missing; 64 wrong usage.\n",
		out);
}

static void
usage_error(const char *what)
{
	fprintf(stderr, "bulkhead: %s; see bulkhead --help\n", what);
	exit(BH_EXIT_USAGE);
}

enum { OPT_CHECK = 256, OPT_NO_HUGE, OPT_ALLOW_MISSING, OPT_USER, OPT_GROUP, OPT_KEEP,
	OPT_HEALTHY };

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", required_argument, NULL, OPT_CHECK},
	{"run-dir", required_argument, NULL, 'r'},
	{"yang-path", required_argument, NULL, 'p'},
	{"build-dir", required_argument, NULL, 'B'},
	{"user", required_argument, NULL, OPT_USER},
	{"group", required_argument, NULL, OPT_GROUP},
	{"no-huge", no_argument, NULL, OPT_NO_HUGE},
	{"allow-missing", no_argument, NULL, OPT_ALLOW_MISSING},
	{"healthy", required_argument, NULL, OPT_HEALTHY},
	{"keep-hung-core", no_argument, NULL, OPT_KEEP},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

/* Of a number of seconds above 0, up to a day. */
static uint64_t
nanoseconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(seconds > 0) || seconds > 86400)
		usage_error("--healthy takes seconds above 0");
	return seconds * 1e9;
}

static void
take_option(struct bh_options *opt, int c)
{
	switch (c) {
	case OPT_CHECK:
		opt->check_only = true;
		opt->config = optarg;
		break;
	case 'c':
		opt->config = optarg;
		break;
	case 'r':
		opt->rundir = optarg;
		break;
	case 'B':
		opt->builddir = optarg;
		break;
	case 'p':
		if (opt->n_yangdir == BH_YANG_DIRS)
			usage_error("too many --yang-path");
		opt->yangdir[opt->n_yangdir++] = optarg;
		break;
	case OPT_USER:
		opt->user = optarg;
		break;
	case OPT_GROUP:
		opt->group = optarg;
		break;
	case OPT_NO_HUGE:
		opt->no_huge = true;
		break;
	case OPT_ALLOW_MISSING:
		opt->allow_missing = true;
		break;
	case OPT_HEALTHY:
		opt->healthy_ns = nanoseconds(optarg);
		break;
	case OPT_KEEP:
		opt->keep_hung_core = true;
		break;
	case 'v':
		opt->verbose = true;
		break;
	case 'h':
		usage(stdout);
		exit(BH_EXIT_OK);
	case 'V':
		puts("bulkhead " BH_VERSION);
		exit(BH_EXIT_OK);
	default:
		usage_error("unknown option or missing value");
	}
}

void
bh_options_parse(struct bh_options *opt, int argc, char **argv)
{
	int c;

	memset(opt, 0, sizeof(*opt));
	opt->healthy_ns = BH_HEALTHY_NS;
	opt->rundir = getenv("BULKHEAD_RUNDIR");
	if (opt->rundir == NULL || opt->rundir[0] == '\0')
		opt->rundir = "/run/bulkhead";
	opterr = 0;
	while ((c = getopt_long(argc, argv, "c:r:p:B:vhV", long_options, NULL)) != -1)
		take_option(opt, c);
	if (optind < argc)
		usage_error("more arguments than options");
	if (opt->config == NULL)
		usage_error("no configuration: -c FILE");
	/* bind(2) takes 107 characters: leave room for the socket's own name. */
	if (strlen(opt->rundir) > 90)
		usage_error("the run directory's path is longer than 90 characters");
}

/* Where a program lies in a build tree. */
static const char *
build_subdir(const char *name)
{
	if (strcmp(name, "bulkhead-core") == 0)
		return "app/core";
	if (strcmp(name, "bulkhead-config") == 0)
		return "config";
	return NULL;
}

const char *
bh_program_path(const struct bh_options *opt, const char *name, char *buf, unsigned int len)
{
	const char *sub = build_subdir(name);

	if (name[0] == '/')
		snprintf(buf, len, "%s", name);
	else if (opt->builddir == NULL)
		snprintf(buf, len, "%s/%s", BH_LIBEXECDIR, name);
	else if (sub != NULL)
		snprintf(buf, len, "%s/%s/%s", opt->builddir, sub, name);
	else
		snprintf(buf, len, "%s/modules/%s/%s", opt->builddir,
			strncmp(name, "bulkhead-", 9) == 0 ? name + 9 : name, name);
	return buf;
}
