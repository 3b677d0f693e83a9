/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As whom programs run. Modules, and the one-shot bulkhead-config, get a user and group of
 * their own, no capability, no way to gain one, small limits. The core stays who the
 * supervisor is, because devices and huge pages are taken by it; what it does not need it
 * drops itself (app/core/privilege.h).
 *
 * A build tree or a folder of YANG modules may lie where that user cannot go (below a home
 * directory of mode 0700). Then its programs start with the one capability to read past that,
 * which bh_sandbox_enter() takes away before they read any input.
 */
#ifndef BH_SUPERVISOR_PRIVILEGE_H
#define BH_SUPERVISOR_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "app/supervisor/options.h"

struct bh_identity {
	bool change;	    /* to uid and gid; false: modules run as the supervisor's user */
	uid_t uid;
	gid_t gid;
	bool has_group;	    /* there is a group for the core's socket */
	gid_t socket_gid;
	int reach_cap;	    /* capability to read past closed folders; -1: none */
	bool reach_tree;    /* it takes that to get at the build tree */
	bool reach_yang;    /* and at the folders of YANG modules */
};

/* Whether we have a capability (CAP_NET_RAW ...) and it is effective. */
bool bh_have_capability(int cap);

/* Looks up users, groups and who can reach what; says in one notice what is not as it should
 * be. Forks: call before other children are there. Returns an enum bh_exit. */
int bh_identity_find(const struct bh_options *opt, struct bh_identity *id);

/* In a child that becomes a module: all of the above. reads_yang: the program is
 * bulkhead-config. 0 or -errno, which must end the child. */
int bh_identity_assume(const struct bh_identity *id, bool reads_yang);

/* In the child that becomes the core: the socket's group as one more, so that it may give its
 * socket to it; memory that may be locked without limit. What is refused is left. */
void bh_identity_core(const struct bh_identity *id);

#endif
