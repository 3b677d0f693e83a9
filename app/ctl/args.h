/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of bhctl, and its exit codes, which scripts may rely on.
 */
#ifndef BH_CTL_ARGS_H
#define BH_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/net/prefix.h"

enum bh_ctl_exit {
	BH_CTL_OK = 0,
	BH_CTL_FAILED = 1,	/* what was asked for is not there, or a request was refused */
	BH_CTL_UNREACHABLE = 3, /* no core answers */
	BH_CTL_PERMISSION = 4,	/* not allowed to ask it */
	BH_CTL_USAGE = 64,
};

enum bh_ctl_action {
	BH_CTL_HELP,	/* print the usage */
	BH_CTL_VERSION, /* print the version of bhctl */
	BH_CTL_LIST,	/* print what can be shown */
	BH_CTL_SHOW,
	BH_CTL_MODULE, /* an order to the supervisor */
	BH_CTL_RECONCILE,
};

enum bh_ctl_subject {
	BH_SHOW_ADDRESSES,
	BH_SHOW_CONNECTIONS,
	BH_SHOW_COUNTERS,
	BH_SHOW_FPM,
	BH_SHOW_INTERFACES,
	BH_SHOW_LCORES,
	BH_SHOW_MEMORY,
	BH_SHOW_NEIGHBORS,
	BH_SHOW_NEXTHOPS,
	BH_SHOW_PROCESSES,
	BH_SHOW_ROUTES,
	BH_SHOW_SOCKETS,
	BH_SHOW_TABLES,
	BH_SHOW_VERSION,
	BH_SHOW_MAX,
};

#define BH_CTL_SOCKET_LEN 108 /* of sun_path */

struct bh_ctl_args {
	enum bh_ctl_action action;
	enum bh_ctl_subject subject;
	char socket[BH_CTL_SOCKET_LEN];
	bool json;
	bool check;	     /* reconcile: repair nothing */
	unsigned int repeat; /* s between two shows; 0: once */
	const char *name;    /* interface, drop, protocol or module asked for, or NULL; of argv or static */
	const char *order;   /* of a module: restart, stop, start, upgrade, replay, renew */
	const char *binary;  /* upgrade: the new program, or NULL; of argv */
	char control[BH_CTL_SOCKET_LEN]; /* the supervisor's socket */
	uint8_t family;	     /* routes: BH_IP4, BH_IP6, 0: both */
	bool have_prefix;
	struct bh_prefix prefix; /* routes: with have_prefix or lookup */
	bool longer;		 /* the prefix and all inside it */
	bool lookup;		 /* longest match of prefix.addr */
};

/* Reads a command line; run directory from the environment if no option says it. 0, or
 * -EINVAL and in err one line for people. */
int bh_ctl_args_parse(struct bh_ctl_args *args, int argc, char **argv, char *err, size_t err_len);

/* Finds a word, or the one name of the list that it begins. -ENOENT, or -EEXIST: several. */
int bh_ctl_word(const char *word, const char *const *names, unsigned int n);

void bh_ctl_usage(FILE *out);
void bh_ctl_list_subjects(FILE *out);

#endif
