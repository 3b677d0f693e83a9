/* SPDX-License-Identifier: BSD-3-Clause */
/* As whom modules run, how the file is handed over, and what the core keeps. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/core/privilege.h"
#include "app/supervisor/configfile.h"
#include "app/supervisor/privilege.h"

#define NET ((UINT64_C(1) << CAP_NET_RAW) | (UINT64_C(1) << CAP_NET_ADMIN))
#define OTHER 64123 /* a user and group that nobody has */

static bool
can_change(void)
{
	return bh_have_capability(CAP_SETUID) && bh_have_capability(CAP_SETGID);
}

/* Runs fn in a child; its result. */
static int
in_child(int (*fn)(const struct bh_identity *), const struct bh_identity *id)
{
	int status = -1;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(fn(id));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
has(cap_flag_t flag, cap_value_t cap)
{
	cap_flag_value_t set = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	cap_get_flag(caps, cap, flag, &set);
	cap_free(caps);
	return set == CAP_SET;
}

/* A module of identity id: 0 if it is what it should be. */
static int
be_module(const struct bh_identity *id)
{
	struct rlimit files;
	gid_t groups[8];

	if (bh_identity_assume(id, false) < 0)
		return 1;
	if (getuid() != id->uid || geteuid() != id->uid || getgid() != id->gid)
		return 2;
	if (id->change && getgroups(8, groups) != 0)
		return 3;
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (has(CAP_PERMITTED, cap) || has(CAP_EFFECTIVE, cap) || has(CAP_INHERITABLE, cap))
			return 4;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || umask(0) != 0077)
		return 5;
	if (id->change && setuid(0) == 0)
		return 6;
	getrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_max > 1024 ? 7 : 0;
}

START_TEST(module_has_no_privilege)
{
	struct bh_identity id = {.uid = geteuid(), .gid = getegid(), .reach_cap = -1};

	if (can_change())
		id = (struct bh_identity){.change = true, .uid = OTHER, .gid = OTHER, .reach_cap = -1};
	ck_assert_int_eq(in_child(be_module, &id), 0);
}
END_TEST

static int
look_into_closed(const struct bh_identity *id)
{
	if (bh_identity_assume(id, true) < 0)
		return 1;
	/* An exec is when an ambient capability counts: as itself by /bin/sh. */
	execl("/bin/sh", "sh", "-c", "cat \"$CLOSED/file\" >/dev/null 2>&1 || exit 3", (char *)NULL);
	return 4;
}

/* A build tree below a closed folder is read past it; with an open one nothing is kept. */
START_TEST(closed_tree_is_reached)
{
	char dir[] = "/tmp/bh.closed.XXXXXX", path[64];
	struct bh_options opt = {.yangdir = {dir}, .n_yangdir = 1, .user = "64123"};
	struct bh_identity id;
	int fd;

	if (!can_change() || !bh_have_capability(CAP_DAC_READ_SEARCH))
		return;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	setenv("CLOSED", dir, 1);
	ck_assert_int_eq(bh_identity_find(&opt, &id), BH_EXIT_OK);
	ck_assert(id.change && id.reach_yang && id.uid == OTHER);
	ck_assert_int_eq(in_child(look_into_closed, &id), 0);
	chmod(dir, 0755);
	ck_assert_int_eq(bh_identity_find(&opt, &id), BH_EXIT_OK);
	ck_assert(id.change && !id.reach_yang);
	ck_assert_int_eq(in_child(look_into_closed, &id), 3); /* the file is another's */
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(users_are_found)
{
	struct bh_options opt = {.user = "no-such-user"};
	struct bh_identity id;

	ck_assert_int_eq(bh_identity_find(&opt, &id), BH_EXIT_PRIVILEGE);
	opt = (struct bh_options){.group = "no-such-group"};
	ck_assert_int_eq(bh_identity_find(&opt, &id), BH_EXIT_PRIVILEGE);
	opt = (struct bh_options){.group = "64123"};
	ck_assert_int_eq(bh_identity_find(&opt, &id), BH_EXIT_OK);
	ck_assert(id.has_group && id.socket_gid == OTHER);
	ck_assert(!id.change || (id.uid != 0 && id.gid == OTHER));
	opt = (struct bh_options){0};
	ck_assert_int_eq(bh_identity_find(&opt, &id), BH_EXIT_OK);
	ck_assert(!id.change || id.uid != 0);
}
END_TEST

/* What is passed is the file of that name at that time. */
START_TEST(file_is_handed_over)
{
	char path[] = "/tmp/bh.file.XXXXXX", text[16] = "", ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl)};
	int link[2], fd = mkstemp(path);

	ck_assert_int_eq(write(fd, "new", 3), 3);
	close(fd);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, link), 0);
	ck_assert_int_eq(bh_configfile_pass(path, link[0]), 0);
	unlink(path);
	ck_assert_int_eq(recvmsg(link[1], &msg, 0), 6);
	ck_assert_str_eq(text, "CONFIG");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	ck_assert_int_eq(read(fd, text, sizeof(text)), 3);
	ck_assert_int_eq(strncmp(text, "new", 3), 0);
	close(fd);
	ck_assert_int_eq(bh_configfile_pass(path, link[0]), -ENOENT);
	ck_assert_int_eq(recv(link[1], text, sizeof(text), MSG_DONTWAIT), -1);
	/* A FIFO without writer would hold up who opens it for ever. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = bh_configfile_open(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	unlink(path);
	close(link[0]);
	close(link[1]);
}
END_TEST

/* ---- the core ---- */

static struct bh_boot boot;

static uint64_t
needed(const char *device, bool kernel, const char *sysfs)
{
	memset(&boot, 0, sizeof(boot));
	boot.kernel_vdev = kernel;
	boot.n_interfaces = 1;
	snprintf(boot.interfaces[0].device, sizeof(boot.interfaces[0].device), "%s", device);
	return bh_privilege_needed(&boot, sysfs);
}

START_TEST(core_needs_what_devices_take)
{
	char dir[] = "/tmp/bh.pci.XXXXXX", nic[64], path[80];
	uint64_t lock = 0;
	struct rlimit lim;

	getrlimit(RLIMIT_MEMLOCK, &lim);
	if (lim.rlim_cur != RLIM_INFINITY)
		lock = UINT64_C(1) << CAP_IPC_LOCK;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(nic, sizeof(nic), "%s/0000:03:00.0", dir);
	snprintf(path, sizeof(path), "%s/driver", nic);
	ck_assert_int_eq(mkdir(nic, 0700) | symlink("/drivers/vfio-pci", path), 0);
	ck_assert_uint_eq(needed("net_memif0,role=server", false, dir), 0);
	ck_assert_uint_eq(needed("0000:03:00.0", false, dir), lock);
	ck_assert_uint_eq(needed("net_af_packet0,iface=lo", true, dir), NET);
	ck_assert_uint_eq(needed("net_af_xdp0,iface=lo", true, dir),
		NET | UINT64_C(1) << CAP_BPF);
	ck_assert_int_eq(unlink(path) | symlink("/drivers/mlx5_core", path), 0);
	ck_assert_uint_eq(needed("03:00.0,dv_flow_en=1", false, dir), NET | lock);
	unlink(path);
	rmdir(nic);
	rmdir(dir);
}
END_TEST

static int
be_core(const struct bh_identity *id)
{
	bool had = bh_have_capability(CAP_NET_RAW);

	(void)id;
	if (bh_privilege_drop(&boot) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 1;
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
		bool want = had && boot.kernel_vdev && (cap == CAP_NET_RAW || cap == CAP_NET_ADMIN);

		if (has(CAP_EFFECTIVE, cap) != want || has(CAP_PERMITTED, cap) != want)
			return 2;
	}
	return 0;
}

START_TEST(core_keeps_no_more)
{
	needed("net_memif0,role=server", false, "/nonexistent");
	ck_assert_int_eq(in_child(be_core, NULL), 0);
	needed("net_tap0", true, "/nonexistent");
	ck_assert_int_eq(in_child(be_core, NULL), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("privilege");
	TCase *tc = tcase_create("privilege");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(tc, module_has_no_privilege);
	tcase_add_test(tc, closed_tree_is_reached);
	tcase_add_test(tc, users_are_found);
	tcase_add_test(tc, file_is_handed_over);
	tcase_add_test(tc, core_needs_what_devices_take);
	tcase_add_test(tc, core_keeps_no_more);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
