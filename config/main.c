/* SPDX-License-Identifier: BSD-3-Clause */
/* bulkhead-config: arguments and modes; see bulkhead-config(8). */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "lib/client/bulkhead.h"
#include "lib/log/log.h"
#include "lib/sandbox/sandbox.h"

#define CPUS_MAX 1024

enum mode { MODE_NONE, MODE_CHECK = 'c', MODE_BOOT = 'b', MODE_RUN = 'r', MODE_TABLES = 't' };

static const char help[] =
	"usage: bulkhead-config [-p DIR]... MODE FILE\n"
	"FILE: YANG instance data, JSON or XML\n"
	"  --check FILE   validate, say what is wrong\n"
	"  --boot FILE    validate, print the boot record\n"
	"  --tables FILE  validate, print the records for the core as JSON lines\n"
	"  --run FILE     serve the file to the core\n"
	"  -p DIR         folder of YANG modules, searched first; may repeat\n"
	"  --help, --version\n"
	"exit: 0 well, 1 internal error, 2 FILE invalid, 3 FILE not readable,\n"
	"      4 YANG modules missing (apt install libyuma-base)\n";

static const struct option options[] = {
	{"check", required_argument, NULL, MODE_CHECK},
	{"boot", required_argument, NULL, MODE_BOOT},
	{"tables", required_argument, NULL, MODE_TABLES},
	{"run", required_argument, NULL, MODE_RUN},
	{"path", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int
usage(const char *what)
{
	fprintf(stderr, "bulkhead-config: %s\n%s", what, help);
	return BH_EXIT_INTERNAL;
}

/* CPUs that this process may use. */
static unsigned int
find_cpus(uint32_t cpus[CPUS_MAX])
{
	unsigned int n = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		CPU_SET(0, &set);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE && n < CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	return n;
}

static int
print(enum mode mode, const struct bh_model *m, const struct bh_boot *boot)
{
	int rc = 0;

	if (mode == MODE_BOOT)
		rc = bh_boot_print(stdout, boot);
	else if (mode == MODE_TABLES)
		bh_records_print(&m->records, stdout);
	if (rc == 0 && fflush(stdout) == 0 && !ferror(stdout))
		return BH_EXIT_OK;
	fprintf(stderr, "bulkhead-config: cannot write: %s\n", strerror(errno));
	return BH_EXIT_INTERNAL;
}

static int
one_shot(enum mode mode, struct bh_config_args *args)
{
	struct bh_model *m = calloc(1, sizeof(*m));
	struct bh_boot *boot = calloc(1, sizeof(*boot));
	int code = BH_EXIT_INTERNAL;

	args->check_cpus = mode == MODE_BOOT;
	if (m != NULL && boot != NULL) {
		code = bh_config_load(args, args->fd, m, boot);
		if (code == BH_EXIT_OK)
			code = print(mode, m, boot);
		bh_model_free(m);
	}
	free(boot);
	free(m);
	return code;
}

/* A descriptor that the supervisor left us, by the environment; -1: none. */
static int
inherited_fd(const char *name)
{
	const char *text = getenv(name);
	int fd = text != NULL && *text != '\0' ? atoi(text) : -1;

	return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

static int
open_file(struct bh_config_args *args)
{
	struct bh_diag d = {.out = stderr, .file = args->file};

	args->fd = open(args->file, O_RDONLY | O_CLOEXEC);
	if (args->fd >= 0)
		return BH_EXIT_OK;
	bh_diag(&d, NULL, "cannot read: %s", strerror(errno));
	return BH_EXIT_UNREADABLE;
}

/* All that is opened by its name is opened; then the sandbox, then the file is looked at. */
static int
work(enum mode mode, struct bh_config_args *args)
{
	enum bh_sandbox_profile profile = BH_SANDBOX_ONE_SHOT;
	int code = BH_EXIT_OK, rc;

	args->fd = inherited_fd("BH_CONFIG_FD");
	rc = bh_supervised_begin();
	if (rc < 0)
		fprintf(stderr, "bulkhead-config: no link to the supervisor: %s\n", strerror(-rc));
	if (mode == MODE_RUN)
		profile = args->fd >= 0 ? BH_SANDBOX_MODULE : BH_SANDBOX_ALONE;
	else if (args->fd < 0)
		code = open_file(args);
	if (code == BH_EXIT_OK)
		code = bh_config_open(args);
	if (code != BH_EXIT_OK)
		return code;
	if (bh_sandbox_enter(profile) < 0)
		code = BH_EXIT_INTERNAL;
	else
		code = mode == MODE_RUN ? bh_run(args) : one_shot(mode, args);
	bh_config_close(args);
	return code;
}

int
main(int argc, char **argv)
{
	const char *dirs[BH_YANG_DIRS];
	uint32_t cpus[CPUS_MAX];
	struct bh_config_args args = {.dirs = dirs, .cpus = cpus};
	enum mode mode = MODE_NONE;
	int c;

	bh_log_init("bulkhead-config", BH_LOG_INFO);
	while ((c = getopt_long(argc, argv, "p:hV", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (args.n_dirs == BH_YANG_DIRS)
				return usage("too many -p");
			dirs[args.n_dirs++] = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return BH_EXIT_OK;
		case 'V':
			puts("bulkhead-config " BH_VERSION);
			return BH_EXIT_OK;
		case '?':
			return usage("bad arguments");
		default:
			if (mode != MODE_NONE)
				return usage("more than one mode");
			mode = (enum mode)c;
			args.file = optarg;
			break;
		}
	}
	if (mode == MODE_NONE || optind != argc)
		return usage(mode == MODE_NONE ? "no mode" : "more arguments than one FILE");
	args.n_cpus = find_cpus(cpus);
	return work(mode, &args);
}
