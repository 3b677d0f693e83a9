/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/privilege.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log/log.h"

#define AREA "privilege"
#define OWN_NAME "bulkhead" /* of user and group */
#define GROUPS_MAX 256

/* ---- in the child ---- */

static int
set_limits(void)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = {{RLIMIT_NOFILE, 1024}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0},
		{RLIMIT_NICE, 0}, {RLIMIT_RTPRIO, 0}};

	umask(0077);
	for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit lim;

		if (getrlimit(limits[i].what, &lim) < 0)
			return -errno;
		if (lim.rlim_max > limits[i].most)
			lim.rlim_max = limits[i].most;
		if (lim.rlim_cur > lim.rlim_max)
			lim.rlim_cur = lim.rlim_max;
		if (setrlimit(limits[i].what, &lim) < 0)
			return -errno;
	}
	return 0;
}

/* The inheritable set becomes `keep` (-1: empty), and with `only` the others too. */
static int
set_capabilities(cap_value_t keep, bool only)
{
	cap_t caps = only ? cap_init() : cap_get_proc();
	int rc = 0;

	if (caps == NULL)
		return -errno;
	if (cap_clear_flag(caps, CAP_INHERITABLE) < 0)
		rc = -errno;
	if (keep >= 0 && (cap_set_flag(caps, CAP_INHERITABLE, 1, &keep, CAP_SET) < 0 ||
		cap_set_flag(caps, CAP_PERMITTED, 1, &keep, CAP_SET) < 0 ||
		cap_set_flag(caps, CAP_EFFECTIVE, 1, &keep, CAP_SET) < 0))
		rc = -errno;
	if (rc == 0 && cap_set_proc(caps) < 0)
		rc = -errno;
	cap_free(caps);
	return rc;
}

/* Not even an exec as uid 0 brings one back. Who may not do this has none to give. */
static void
drop_bounding(void)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		cap_drop_bound(cap);
}

static int
change_user(const struct bh_identity *id)
{
	if (!id->change)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		setresgid(id->gid, id->gid, id->gid) < 0 || setresuid(id->uid, id->uid, id->uid) < 0)
		return -errno;
	return 0;
}

static int
become(const struct bh_identity *id, cap_value_t keep)
{
	int rc = set_limits();

	if (rc == 0)
		rc = set_capabilities(keep, false);
	/* So that access(2), by which libyang looks at folders, heeds it too. */
	if (rc == 0 && keep >= 0 &&
		prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		rc = -errno;
	if (rc == 0) {
		drop_bounding();
		rc = change_user(id);
	}
	if (rc == 0)
		rc = set_capabilities(keep, true);
	if (rc == 0 && keep >= 0 && cap_set_ambient(keep, CAP_SET) < 0)
		rc = -errno;
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	return rc;
}

int
bh_identity_assume(const struct bh_identity *id, bool reads_yang)
{
	bool reach = id->reach_tree || (reads_yang && id->reach_yang);

	return become(id, reach ? id->reach_cap : -1);
}

void
bh_identity_core(const struct bh_identity *id)
{
	static const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	gid_t groups[GROUPS_MAX + 1];
	int n = getgroups(GROUPS_MAX, groups);

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (n < 0 || !id->has_group)
		return;
	groups[n] = id->socket_gid;
	if (setgroups(n + 1, groups) < 0)
		return; /* not root: a member already, or the socket stays the user's own */
}

/* ---- who ---- */

bool
bh_have_capability(int cap)
{
	cap_flag_value_t set = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps != NULL && cap_get_flag(caps, cap, CAP_EFFECTIVE, &set) < 0)
		set = CAP_CLEAR;
	cap_free(caps);
	return set == CAP_SET;
}

/* A number, or -1. */
static long
number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && n < 0x7fffffff ? n : -1;
}

static bool
find_user(const char *name, struct bh_identity *id)
{
	const struct passwd *pw = getpwnam(name);
	long n = number(name);

	if (pw == NULL && n < 0)
		return false;
	id->uid = pw != NULL ? pw->pw_uid : (uid_t)n;
	id->gid = pw != NULL ? pw->pw_gid : (gid_t)n;
	return true;
}

static bool
find_group(const char *name, struct bh_identity *id)
{
	const struct group *gr = getgrnam(name);
	long n = number(name);

	id->has_group = gr != NULL || n >= 0;
	id->socket_gid = gr != NULL ? gr->gr_gid : (gid_t)n;
	return id->has_group;
}

static int
unknown(const char *what, const char *name)
{
	bh_err("start", "there is no %s %s: make it first, or choose another by --%s", what, name,
		what);
	return BH_EXIT_PRIVILEGE;
}

static int
choose_user(const struct bh_options *opt, struct bh_identity *id)
{
	id->change = bh_have_capability(CAP_SETUID) && bh_have_capability(CAP_SETGID);
	id->uid = geteuid();
	id->gid = getegid();
	if (!id->change && opt->user != NULL) {
		bh_err("start", "--user takes CAP_SETUID and CAP_SETGID: run as root");
		return BH_EXIT_PRIVILEGE;
	}
	if (!id->change) {
		if (id->uid == 0)
			bh_notice(AREA, "no CAP_SETUID and CAP_SETGID: modules run as root, "
				"without capabilities");
		return BH_EXIT_OK;
	}
	if (opt->user != NULL)
		return find_user(opt->user, id) ? BH_EXIT_OK : unknown("user", opt->user);
	if (find_user(OWN_NAME, id))
		return BH_EXIT_OK;
	bh_log(opt->check_only ? BH_LOG_INFO : BH_LOG_NOTICE, AREA,
		"there is no user " OWN_NAME ": modules run as nobody; make it with: "
		"useradd --system --user-group --no-create-home " OWN_NAME);
	return find_user("nobody", id) ? BH_EXIT_OK : unknown("user", "nobody");
}

static int
choose_group(const struct bh_options *opt, struct bh_identity *id)
{
	if (find_group(opt->group != NULL ? opt->group : OWN_NAME, id)) {
		if (id->change && (opt->user == NULL || opt->group != NULL))
			id->gid = id->socket_gid;
		return BH_EXIT_OK;
	}
	return opt->group != NULL ? unknown("group", opt->group) : BH_EXIT_OK;
}

/* ---- what it can reach ---- */

/* Whether all of the paths can be read by a module; those that are not there count as well. */
static bool
reaches(const struct bh_identity *id, const char *const *paths, unsigned int n)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (become(id, -1) < 0)
			_exit(0); /* told when a module starts */
		for (unsigned int i = 0; i < n; i++)
			if (access(paths[i], R_OK) < 0 && errno == EACCES)
				_exit(1);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status == 0;
}

static void
find_reach(const struct bh_options *opt, struct bh_identity *id)
{
	char program[512], full[PATH_MAX];
	const char *tree = full;

	bh_program_path(opt, "bulkhead-config", program, sizeof(program));
	if (realpath(program, full) != NULL)
		id->reach_tree = !reaches(id, &tree, 1);
	if (opt->n_yangdir > 0)
		id->reach_yang = !reaches(id, opt->yangdir, opt->n_yangdir);
	if (!id->reach_tree && !id->reach_yang)
		return;
	if (!bh_have_capability(CAP_SETPCAP))
		id->reach_cap = -1;
	else if (bh_have_capability(CAP_DAC_READ_SEARCH))
		id->reach_cap = CAP_DAC_READ_SEARCH;
	else if (bh_have_capability(CAP_DAC_OVERRIDE))
		id->reach_cap = CAP_DAC_OVERRIDE;
	if (id->reach_cap >= 0) {
		bh_info(AREA, "%s is closed to the modules' user: opened to them until they have "
			"started", id->reach_tree ? program : "a folder of YANG modules");
		return;
	}
	bh_notice(AREA, "%s is closed to the modules' user: modules run as uid %u, without "
		"capabilities", id->reach_tree ? program : "a folder of YANG modules", geteuid());
	id->change = false;
}

int
bh_identity_find(const struct bh_options *opt, struct bh_identity *id)
{
	int rc;

	memset(id, 0, sizeof(*id));
	id->reach_cap = -1;
	rc = choose_user(opt, id);
	if (rc == BH_EXIT_OK)
		rc = choose_group(opt, id);
	if (rc == BH_EXIT_OK && id->change)
		find_reach(opt, id);
	return rc;
}
