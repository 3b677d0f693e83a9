/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor's parts: spawning, exit texts, roles, EAL arguments, preflight. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/supervisor/bootrec.h"
#include "app/supervisor/child.h"
#include "app/supervisor/notify.h"
#include "app/supervisor/preflight.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/status.h"

static struct bh_child
shell_child(const char *script)
{
	struct bh_child c = {.sup_fd = -1, .pidfd = -1, .life = -1, .path = "/bin/sh"};

	ck_assert_int_eq(bh_child_arg(&c, "sh"), 0);
	ck_assert_int_eq(bh_child_arg(&c, "-c"), 0);
	ck_assert_int_eq(bh_child_arg(&c, script), 0);
	return c;
}

static int
run_child(struct bh_child *c, const struct bh_spawn *sp)
{
	int status = -1;

	ck_assert_int_eq(bh_child_spawn(c, sp), 0);
	ck_assert_int_gt(c->pid, 0);
	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	return status;
}

START_TEST(spawn_tells_descriptors)
{
	struct bh_child c = shell_child("printf READY >&$BH_SUPERVISOR_FD; "
					"test -z \"$BH_ROLE_FD\" && test \"$BULKHEAD_RUNDIR\" = /x");
	struct bh_spawn sp = {.role_fd = -1, .boot_fd = -1, .config_fd = -1, .life_fd = -1, .rundir = "/x"};
	char text[16] = "";
	int status = run_child(&c, &sp);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(recv(c.sup_fd, text, sizeof(text) - 1, 0), 5);
	ck_assert_str_eq(text, "READY");
	ck_assert_int_eq(recv(c.sup_fd, text, sizeof(text), 0), 0);
	ck_assert_uint_eq(c.state, BH_PROC_STARTING);
	bh_child_free(&c);
}
END_TEST

START_TEST(spawn_passes_role_socket)
{
	struct bh_child c = shell_child("printf hello >&$BH_ROLE_FD");
	struct bh_spawn sp = {.boot_fd = -1, .config_fd = -1, .life_fd = -1, .rundir = "/x"};
	char text[16] = "";
	int pair[2];

	ck_assert_int_eq(bh_role_socket(pair), 0);
	sp.role_fd = pair[0];
	run_child(&c, &sp);
	ck_assert_int_eq(recv(pair[1], text, sizeof(text) - 1, MSG_DONTWAIT), 5);
	ck_assert_str_eq(text, "hello");
	close(pair[0]);
	close(pair[1]);
	bh_child_free(&c);
}
END_TEST

START_TEST(spawn_reports_failed_exec)
{
	struct bh_child c = {.sup_fd = -1, .pidfd = -1, .life = -1, .path = "/nonexistent/program"};
	struct bh_spawn sp = {.role_fd = -1, .boot_fd = -1, .config_fd = -1, .life_fd = -1, .rundir = "/x"};

	ck_assert_int_eq(bh_child_arg(&c, "program"), 0);
	ck_assert_int_eq(bh_child_spawn(&c, &sp), -ENOENT);
	ck_assert_int_eq(c.pid, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	bh_child_free(&c);
}
END_TEST

START_TEST(spawn_writes_no_dump)
{
	struct bh_child c = shell_child("ulimit -S -c | grep -qx 0 && kill -SEGV $$");
	struct bh_spawn sp = {.role_fd = -1, .boot_fd = -1, .config_fd = -1, .life_fd = -1, .rundir = "/x"};
	char text[96];
	int status = run_child(&c, &sp);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status));
	ck_assert_ptr_nonnull(strstr(bh_child_exit_text(status, text, sizeof(text)), "signal 11"));
	bh_child_free(&c);
}
END_TEST

START_TEST(arguments_are_bounded)
{
	struct bh_child c = {.sup_fd = -1, .pidfd = -1, .life = -1};
	int n = 0;

	while (bh_child_arg(&c, "x") == 0)
		n++;
	ck_assert_int_eq(n, BH_CHILD_ARGS - 1);
	ck_assert_ptr_null(c.argv[n]);
	bh_child_free(&c);
}
END_TEST

START_TEST(role_is_passed_with_name_and_pid)
{
	int link[2], pair[2], got = -1;
	char text[64] = "", ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text) - 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
		.msg_controllen = sizeof(ctl)};

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, link), 0);
	ck_assert_int_eq(bh_role_socket(pair), 0);
	ck_assert_int_eq(bh_role_pass(link[0], "ROLE", "routing", 77, pair[1]), 0);
	close(pair[1]);
	ck_assert_int_gt(recvmsg(link[1], &msg, 0), 0);
	ck_assert_str_eq(text, "ROLE routing 77");
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	ck_assert_int_eq(send(got, "x", 1, 0), 1);
	ck_assert_int_eq(recv(pair[0], text, sizeof(text), MSG_DONTWAIT), 1);
	close(got);
	close(pair[0]);
	close(link[0]);
	ck_assert_int_lt(bh_role_pass(link[1], "HEIR", "routing", 77, link[1]), 0);
	close(link[1]);
}
END_TEST

static bool
has_arg(const struct bh_child *c, const char *arg)
{
	for (unsigned int i = 0; i < c->argc; i++)
		if (strcmp(c->argv[i], arg) == 0)
			return true;
	return false;
}

static void
core_args(struct bh_child *c, bool hugepages)
{
	static const uint32_t cpus[] = {0, 1};
	static struct bh_boot boot;
	struct bh_options opt = {.rundir = "/run/x"};
	struct bh_identity id = {.has_group = true, .socket_gid = 4711};

	memset(&boot, 0, sizeof(boot));
	boot.memory = 300;
	boot.hugepages = hugepages;
	strcpy(boot.eal[boot.n_eal++], "--extra");
	bh_boot_default_plan(&boot, cpus, 2);
	*c = (struct bh_child){.sup_fd = -1, .pidfd = -1, .life = -1};
	ck_assert_int_eq(bh_bootrec_core_args(&opt, &id, &boot, 9, c), 0);
}

START_TEST(core_gets_eal_arguments)
{
	struct bh_child c;

	core_args(&c, true);
	ck_assert(has_arg(&c, "--in-memory") && !has_arg(&c, "--no-huge"));
	ck_assert(has_arg(&c, "--no-telemetry") && has_arg(&c, "300") && has_arg(&c, "4711") &&
		has_arg(&c, "--extra"));
	bh_child_free(&c);
	core_args(&c, false);
	ck_assert(has_arg(&c, "--no-huge") && !has_arg(&c, "--in-memory"));
	bh_child_free(&c);
}
END_TEST

START_TEST(rundir_is_locked)
{
	char dir[] = "/tmp/bh.test.XXXXXX", file[64];
	struct bh_options opt = {.rundir = mkdtemp(dir)};
	int lock = -1, second = -1;
	pid_t core = 1;

	ck_assert_ptr_nonnull(opt.rundir);
	ck_assert_int_eq(bh_preflight_rundir(&opt, &lock, &core), BH_EXIT_OK);
	ck_assert_int_eq(core, 0);
	ck_assert_int_eq(bh_preflight_rundir(&opt, &second, &core), BH_EXIT_BUSY);
	close(lock);
	ck_assert_int_eq(bh_preflight_rundir(&opt, &lock, &core), BH_EXIT_OK);
	close(lock);
	snprintf(file, sizeof(file), "%s/bulkhead.lock", dir);
	unlink(file);
	rmdir(dir);
}
END_TEST

static int
device_verdict(const char *device, bool allow_missing)
{
	static struct bh_boot boot;
	struct bh_options opt = {.allow_missing = allow_missing};

	memset(&boot, 0, sizeof(boot));
	boot.n_interfaces = 1;
	strcpy(boot.interfaces[0].name, "eth0");
	snprintf(boot.interfaces[0].device, sizeof(boot.interfaces[0].device), "%s", device);
	return bh_preflight_machine(&opt, &boot);
}

START_TEST(missing_devices_are_told)
{
	ck_assert_int_eq(device_verdict("0000:ff:1f.7", false), BH_EXIT_DEVICE);
	ck_assert_int_eq(device_verdict("ff:1f.7", false), BH_EXIT_DEVICE);
	ck_assert_int_eq(device_verdict("0000:ff:1f.7", true), BH_EXIT_OK);
	ck_assert_int_eq(device_verdict("net_af_packet0,iface=bh-absent", false), BH_EXIT_DEVICE);
	ck_assert_int_eq(device_verdict("net_af_packet0,iface=lo", false), BH_EXIT_OK);
	ck_assert_int_eq(device_verdict("net_tap0,iface=new0", false), BH_EXIT_OK);
	ck_assert_int_eq(device_verdict("net_null0", false), BH_EXIT_OK);
}
END_TEST

/* A device in a made-up sysfs. */
static void
fake_pci(const char *sysfs, const char *addr, const char *driver, bool iommu)
{
	char path[192], target[64];

	snprintf(path, sizeof(path), "mkdir -p %s/bus/pci/devices/%s", sysfs, addr);
	ck_assert_int_eq(system(path), 0);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sysfs, addr);
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	if (driver != NULL)
		ck_assert_int_eq(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu_group", sysfs, addr);
	if (iommu)
		ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* The verdict, and in text what was logged. */
static int
pci_verdict(const char *sysfs, const char *addr, char *text, size_t len)
{
	int log = memfd_create("log", 0), err = dup(STDERR_FILENO), rc;
	ssize_t n;

	dup2(log, STDERR_FILENO);
	rc = bh_preflight_pci(sysfs, "eth0", addr);
	dup2(err, STDERR_FILENO);
	n = pread(log, text, len - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(err);
	close(log);
	return rc;
}

START_TEST(unbound_devices_are_told)
{
	static const struct {
		const char *addr, *driver;
		bool iommu;
		int rc;
		const char *says, *also;
	} devices[] = {
		{"0000:03:00.0", "vfio-pci", true, BH_EXIT_OK, "", ""},
		{"0000:03:00.1", "mlx5_core", false, BH_EXIT_OK, "", ""},
		{"0000:03:00.2", "ixgbe", true, BH_EXIT_DEVICE,
			"eth0: PCI device 0000:03:00.2 is bound to ixgbe: "
			"dpdk-devbind.py --bind=vfio-pci 0000:03:00.2\n", ""},
		{"0000:03:00.3", NULL, true, BH_EXIT_DEVICE, "is bound to no driver: ", ""},
		{"0000:03:00.4", "uio_pci_generic", true, BH_EXIT_DEVICE,
			"is bound to uio_pci_generic: ", "--bind=vfio-pci 0000:03:00.4\n"},
		{"0000:03:00.5", "ixgbe", false, BH_EXIT_DEVICE, "without an IOMMU",
			"intel_iommu=on"},
	};
	char dir[] = "/tmp/bh_test_sysfs.XXXXXX", text[512], cmd[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		fake_pci(dir, devices[i].addr, devices[i].driver, devices[i].iommu);
		ck_assert_int_eq(pci_verdict(dir, devices[i].addr, text, sizeof(text)),
			devices[i].rc);
		ck_assert_msg(devices[i].rc != BH_EXIT_OK || text[0] == '\0', "said: %s", text);
		ck_assert_msg(strstr(text, devices[i].says) && strstr(text, devices[i].also),
			"%s: said: %s", devices[i].addr, text);
	}
	ck_assert_int_eq(pci_verdict(dir, "0000:03:00.7", text, sizeof(text)), BH_EXIT_DEVICE);
	ck_assert_ptr_nonnull(strstr(text, "0000:03:00.7 is absent"));
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

START_TEST(missing_hugepages_are_told)
{
	static struct bh_boot boot = {.hugepages = true, .memory = 1u << 30};
	struct bh_options opt = {0};

	ck_assert_int_eq(bh_preflight_machine(&opt, &boot), BH_EXIT_MEMORY);
	boot.hugepages = false;
	ck_assert_int_eq(bh_preflight_machine(&opt, &boot), BH_EXIT_OK);
}
END_TEST

/* A socket at $NOTIFY_SOCKET: a path, or with `abstract` a name without file. */
static int
notify_socket(bool abstract)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len;
	char name[64];

	snprintf(name, sizeof(name), "%sbh.notify.%d", abstract ? "@" : "/tmp/", getpid());
	strcpy(addr.sun_path, name);
	len = offsetof(struct sockaddr_un, sun_path) + strlen(name) + !abstract;
	if (abstract)
		addr.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

START_TEST(systemd_is_told)
{
	struct event_base *base = event_base_new();
	int fd = notify_socket(_i == 1);
	char text[64] = "", *path = strdup(getenv("NOTIFY_SOCKET"));
	struct bh_notify *n;
	ssize_t len;

	setenv("WATCHDOG_USEC", "2000", 1);
	n = bh_notify_open(base);
	ck_assert_ptr_nonnull(n);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	bh_notify(n, "READY=1");
	ck_assert_int_eq(recv(fd, text, sizeof(text), 0), 7);
	ck_assert_str_eq(text, "READY=1");
	do
		event_base_loop(base, EVLOOP_ONCE);
	while ((len = recv(fd, text, sizeof(text) - 1, 0)) < 0);
	text[len] = '\0';
	ck_assert_str_eq(text, "WATCHDOG=1");
	bh_notify_close(n);
	ck_assert_ptr_null(bh_notify_open(base));
	ck_assert_int_eq(errno, 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_ptr_null(bh_notify_open(base));
	ck_assert_int_eq(errno, EINVAL);
	bh_notify(NULL, "READY=1"); /* nobody listens: nothing */
	unlink(path);
	free(path);
	close(fd);
	event_base_free(base);
}
END_TEST

START_TEST(status_is_one_line)
{
	struct bh_supervisor s = {.n_children = 3};
	char text[64];

	strcpy(s.child[1].name, "config");
	strcpy(s.child[2].name, "snmp");
	s.child[0].state = s.child[1].state = BH_PROC_READY;
	s.child[2].state = BH_PROC_HELD;
	ck_assert_str_eq(bh_status_text(&s, text, sizeof(text)),
		"2 of 3 processes ready; snmp held");
	s.child[2].state = BH_PROC_STOPPED;
	s.child[2].put_down = s.child[0].hung = true;
	memset(s.child[0].name, 'x', BH_NAME_LEN - 1);
	ck_assert_uint_lt(strlen(bh_status_text(&s, text, 50)), 50);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("supervisor");
	TCase *tc = tcase_create("parts");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(tc, spawn_tells_descriptors);
	tcase_add_test(tc, spawn_passes_role_socket);
	tcase_add_test(tc, spawn_reports_failed_exec);
	tcase_add_test(tc, spawn_writes_no_dump);
	tcase_add_test(tc, arguments_are_bounded);
	tcase_add_test(tc, role_is_passed_with_name_and_pid);
	tcase_add_test(tc, core_gets_eal_arguments);
	tcase_add_test(tc, rundir_is_locked);
	tcase_add_test(tc, missing_devices_are_told);
	tcase_add_test(tc, unbound_devices_are_told);
	tcase_add_test(tc, missing_hugepages_are_told);
	tcase_add_loop_test(tc, systemd_is_told, 0, 2);
	tcase_add_test(tc, status_is_one_line);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
