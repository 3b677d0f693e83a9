/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the user asked for, and the exit codes of `bulkhead`, which scripts may rely on.
 */
#ifndef BH_SUPERVISOR_OPTIONS_H
#define BH_SUPERVISOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum bh_exit {
	BH_EXIT_OK = 0,
	BH_EXIT_FAILED = 1,	/* a part could not be started, or failed for good */
	BH_EXIT_INVALID = 2,	/* the configuration is invalid; nothing was started */
	BH_EXIT_UNREADABLE = 3, /* the configuration cannot be read */
	BH_EXIT_YANG = 4,	/* YANG modules are missing */
	BH_EXIT_MEMORY = 5,	/* not enough hugepages */
	BH_EXIT_PRIVILEGE = 6,	/* a privilege is missing */
	BH_EXIT_BUSY = 7,	/* another bulkhead runs in this run directory */
	BH_EXIT_DEVICE = 8,	/* a device is absent or bound to a kernel driver */
	BH_EXIT_USAGE = 64,
};

#define BH_YANG_DIRS 8
#define BH_HEALTHY_NS 10000000000ull

struct bh_options {
	const char *config;    /* file */
	const char *rundir;    /* sockets and locks */
	const char *builddir;  /* programs of an uninstalled tree, or NULL */
	const char *yangdir[BH_YANG_DIRS]; /* more search directories */
	unsigned int n_yangdir;
	const char *user;      /* of modules, name or number; NULL: bulkhead, nobody */
	const char *group;     /* of modules and of who may connect; NULL: bulkhead */
	bool check_only;
	bool no_huge;	       /* run without hugepages whatever the configuration says */
	bool allow_missing;    /* start though a device is missing */
	bool keep_hung_core;   /* a core that hangs is told, not killed */
	bool verbose;
	uint64_t healthy_ns;   /* a child that lived that long begins its back-off anew */
};

/* Reads the command line; prints help or version and exits, or says what is wrong and exits
 * with BH_EXIT_USAGE. */
void bh_options_parse(struct bh_options *opt, int argc, char **argv);

/* Path of one of our programs (bulkhead-core ...) in buf; absolute names are kept. */
const char *bh_program_path(const struct bh_options *opt, const char *name, char *buf,
	unsigned int len);

#endif
