/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/bootrec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/supervisor/configfile.h"
#include "lib/log/log.h"

static void __attribute__((noreturn))
exec_config(const struct bh_options *opt, const struct bh_identity *id, int file, int out)
{
	const char *argv[2 * BH_YANG_DIRS + 4];
	char path[512], fd[16];
	unsigned int n = 0;
	int rc;

	dup2(out, STDOUT_FILENO);
	fcntl(file, F_SETFD, 0);
	snprintf(fd, sizeof(fd), "%d", file);
	setenv("BH_CONFIG_FD", fd, 1);
	argv[n++] = "bulkhead-config";
	for (unsigned int i = 0; i < opt->n_yangdir; i++) {
		argv[n++] = "-p";
		argv[n++] = opt->yangdir[i];
	}
	argv[n++] = opt->check_only ? "--check" : "--boot";
	argv[n++] = opt->config;
	argv[n] = NULL;
	bh_program_path(opt, "bulkhead-config", path, sizeof(path));
	rc = bh_identity_assume(id, true);
	if (rc == 0) {
		execv(path, (char *const *)argv);
		rc = -errno;
	}
	fprintf(stderr, "bulkhead: cannot run %s: %s\n", path, strerror(-rc));
	_exit(BH_EXIT_FAILED);
}

/* Reads to the end of the pipe; what does not fit is a record that we do not take. */
static ssize_t
read_all(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while (len < room) {
		n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return len;
		len += n;
	}
	return -EFBIG;
}

static int
check_record(const char *text, ssize_t len, struct bh_boot *boot)
{
	char why[256];

	if (len < 0) {
		bh_err("boot", "cannot read the boot record: %s", strerror(-len));
		return BH_EXIT_FAILED;
	}
	if (bh_boot_parse(text, len, boot, why, sizeof(why)) < 0) {
		bh_err("boot", "bulkhead-config printed a bad boot record: %s", why);
		return BH_EXIT_FAILED;
	}
	return BH_EXIT_OK;
}

/* Waits for bulkhead-config and judges what it printed. */
static int
finish(const struct bh_options *opt, pid_t pid, const char *text, ssize_t len,
	struct bh_boot *boot)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		bh_err("boot", "cannot run bulkhead-config: %s", strerror(errno));
	else if (!WIFEXITED(status))
		bh_err("boot", "bulkhead-config was killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	else
		return opt->check_only ? BH_EXIT_OK : check_record(text, len, boot);
	return BH_EXIT_FAILED;
}

static int
run_config(const struct bh_options *opt, const struct bh_identity *id, int file,
	struct bh_boot *boot)
{
	char *text = malloc(BH_BOOT_TEXT_MAX);
	int pipefd[2], rc = BH_EXIT_FAILED;
	ssize_t len;
	pid_t pid;

	if (text == NULL || pipe2(pipefd, O_CLOEXEC) < 0) {
		bh_err("boot", "%s", strerror(errno));
		free(text);
		return rc;
	}
	pid = fork();
	if (pid == 0)
		exec_config(opt, id, file, pipefd[1]);
	close(pipefd[1]);
	if (pid < 0) {
		bh_err("boot", "cannot run bulkhead-config: %s", strerror(errno));
	} else {
		len = read_all(pipefd[0], text, BH_BOOT_TEXT_MAX);
		rc = finish(opt, pid, text, len, boot);
	}
	close(pipefd[0]);
	free(text);
	return rc;
}

int
bh_bootrec_read(const struct bh_options *opt, const struct bh_identity *id, struct bh_boot *boot)
{
	int rc, file = bh_configfile_open(opt->config);

	if (file < 0)
		return BH_EXIT_UNREADABLE;
	rc = run_config(opt, id, file, boot);
	close(file);
	return rc;
}

int
bh_bootrec_memfd(const struct bh_boot *boot)
{
	int fd = memfd_create("bulkhead-boot", MFD_CLOEXEC);
	int dupfd, rc;
	FILE *out;

	if (fd < 0)
		return -errno;
	dupfd = dup(fd);
	out = dupfd < 0 ? NULL : fdopen(dupfd, "w");
	if (out == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = bh_boot_print(out, boot);
	if (fclose(out) != 0 && rc == 0)
		rc = -errno;
	if (rc < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return rc < 0 ? rc : -errno;
	}
	return fd;
}

/* --lcores id@cpu,... : several lcores may share a CPU. */
static void
format_lcores(const struct bh_boot *boot, char *plan, size_t len)
{
	size_t off = 0;

	for (unsigned int i = 0; i < boot->n_lcores; i++)
		off += snprintf(plan + off, len - off, "%s%u@%u", i ? "," : "",
			boot->lcores[i].id, boot->lcores[i].cpu);
}

int
bh_bootrec_core_args(const struct bh_options *opt, const struct bh_identity *id,
	const struct bh_boot *boot, int boot_fd, struct bh_child *core)
{
	char fd[16], gid[16], main_id[16], memory[16], plan[BH_BOOT_LCORES * 24];
	const char *const args[] = {
		"bulkhead-core", "--boot-fd", fd, "--run-dir", opt->rundir,
		id->has_group ? "--group" : NULL, id->has_group ? gid : NULL,
		opt->verbose ? "--verbose" : NULL, "--",
		/* What follows is EAL's. */
		"bulkhead-core", "--lcores", plan, "--main-lcore", main_id, "-m", memory,
		"--no-telemetry", "--iova-mode=va",
		/* No hugepage files, no socket for secondaries. EAL takes only one of the two. */
		boot->hugepages ? "--in-memory" : "--no-huge",
		boot->hugepages ? NULL : "--no-shconf",
		/* No device at start: each is probed from the configuration table. */
		"-a", "ffff:ff:1f.7",
	};
	int rc;

	snprintf(fd, sizeof(fd), "%d", boot_fd);
	snprintf(gid, sizeof(gid), "%u", id->socket_gid);
	snprintf(main_id, sizeof(main_id), "%u", bh_boot_lcore(boot, BH_LCORE_MAIN, 0)->id);
	snprintf(memory, sizeof(memory), "%u", boot->memory);
	format_lcores(boot, plan, sizeof(plan));
	rc = bh_child_args(core, args, sizeof(args) / sizeof(args[0]));
	for (unsigned int i = 0; i < boot->n_eal && rc == 0; i++)
		rc = bh_child_arg(core, boot->eal[i]);
	return rc;
}
