/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-core: the only DPDK process. Started by the supervisor with a boot record on a
 * descriptor and EAL's arguments behind `--`. Its main lcore manages ports and takes role
 * sockets; it sleeps in epoll between.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "app/core/core.h"
#include "app/core/lcore_stats.h"
#include "app/core/privilege.h"
#include "app/core/suplink.h"
#include "lib/client/bulkhead.h"
#include "lib/life/life.h"
#include "lib/log/log.h"

struct args {
	int boot_fd;
	const char *rundir;
	long group; /* of the listening socket; -1: as it is */
	bool verbose;
};

static int
parse_args(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"boot-fd", required_argument, NULL, 'b'}, {"run-dir", required_argument, NULL, 'r'},
		{"group", required_argument, NULL, 'g'}, {"verbose", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {0},
	};
	int c;

	*a = (struct args){.boot_fd = -1, .group = -1};
	while ((c = getopt_long(argc, argv, "+b:r:g:vhV", options, NULL)) != -1) {
		if (c == 'b') {
			a->boot_fd = atoi(optarg);
		} else if (c == 'r') {
			a->rundir = optarg;
		} else if (c == 'g') {
			a->group = atol(optarg);
		} else if (c == 'v') {
			a->verbose = true;
		} else if (c == 'V') {
			puts("bulkhead-core " BH_VERSION);
			exit(0);
		} else {
			return -EINVAL;
		}
	}
	return a->boot_fd < 0 || a->rundir == NULL ? -EINVAL : 0;
}

static int
read_boot(int fd, struct bh_boot *boot)
{
	char *text = malloc(BH_BOOT_TEXT_MAX), why[256];
	size_t len = 0;
	ssize_t n;
	int rc;

	if (text == NULL)
		return -ENOMEM;
	while (len < BH_BOOT_TEXT_MAX && (n = read(fd, text + len, BH_BOOT_TEXT_MAX - len)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? n : 0;
	}
	close(fd);
	rc = bh_boot_parse(text, len, boot, why, sizeof(why));
	if (rc < 0)
		bh_err("core", "bad boot record: %s", why);
	free(text);
	return rc;
}

/* Each client costs descriptors: as many as the hard limit allows, within reason. */
static void
raise_files(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur >= 8192)
		return;
	lim.rlim_cur = lim.rlim_max < 8192 ? lim.rlim_max : 8192;
	setrlimit(RLIMIT_NOFILE, &lim);
}

/* SIGTERM and SIGINT as a descriptor; blocked in every lcore's thread too. */
static int
open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int
watch_fd(int ep, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return fd < 0 ? 0 : epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* READY is said once, when every control proxy has heard of the service. */
static int
say_ready(const struct bh_core *core, bool *ready)
{
	for (unsigned int i = 0; i < core->n_proxies; i++)
		if (!bh_proxy_knows(core->proxy[i], BH_SERVICE_INFOBASE))
			return 0;
	*ready = true;
	return bh_ready();
}

/* The main lcore's life: ports and roles, until a signal says stop. */
static int
serve(struct bh_core *core, int sig_fd, int sup_fd)
{
	struct bh_stats_lcore *stats = bh_lcore_stats(core->stats, "main");
	int ep = epoll_create1(EPOLL_CLOEXEC), timeout, n;
	struct epoll_event ev[4];
	bool stop = false, busy, ready = false;
	int rc = 0;

	if (ep < 0 || watch_fd(ep, core->bell.fd) < 0 || watch_fd(ep, sig_fd) < 0 ||
		watch_fd(ep, sup_fd) < 0)
		return -errno;
	while (!stop && rc == 0) {
		bh_bell_announce(&core->bell);
		busy = bh_ports_poll(core->ports, &timeout);
		if (!ready) {
			rc = say_ready(core, &ready);
			timeout = 1; /* the broadcast is under way */
		}
		if (timeout < 0 || timeout > BH_NAP_MS)
			timeout = BH_NAP_MS;
		n = epoll_wait(ep, ev, 4, busy ? 0 : timeout);
		bh_bell_awake(&core->bell);
		bh_lcore_turn(stats, busy || n > 0, rte_rdtsc());
		bh_count(&stats->sleeps, !busy && timeout != 0);
		bh_count(&stats->wakes, !busy && n > 0);
		bh_suplink_answer(core, sup_fd);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd == sig_fd)
				stop = true;
			else if (ev[i].data.fd == sup_fd && !bh_suplink_read(core, sup_fd))
				epoll_ctl(ep, EPOLL_CTL_DEL, sup_fd, NULL);
		}
	}
	close(ep);
	return rc;
}

/* Members of the group may connect, besides our own user. */
static void
share_socket(const struct bh_core *core, long group)
{
	if (group >= 0 && chown(core->socket_path, -1, group) < 0)
		bh_warn("core", "%s cannot be given to group %ld (%s): only root and its owner may use it",
			core->socket_path, group, strerror(errno));
}

static int
run(const struct args *a, const struct bh_boot *boot, int sig_fd)
{
	static struct bh_core core;
	int sup_fd = bh_suplink_open(), rc;

	rc = bh_core_create(&core, boot, a->rundir);
	if (rc == 0) {
		share_socket(&core, a->group);
		rc = bh_core_launch(&core);
		if (rc == 0)
			rc = serve(&core, sig_fd, sup_fd);
		bh_core_stop(&core);
	}
	bh_core_destroy(&core);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct bh_boot boot;
	struct args a;
	int rc, sig_fd;

	if (parse_args(&a, argc, argv) < 0) {
		fputs("usage: bulkhead-core --boot-fd N --run-dir DIR [--group GID]\n"
		      "                     [--verbose] -- EAL ARGUMENTS\n"
		      "Started by bulkhead(8), not by hand.\n", stderr);
		return 64;
	}
	bh_log_init("bulkhead-core", a.verbose ? BH_LOG_DEBUG : BH_LOG_NOTICE);
	if (read_boot(a.boot_fd, &boot) < 0)
		return 1;
	raise_files();
	rc = bh_life_begin();
	if (rc < 0)
		bh_warn("core", "no sign of life can be given: %s", strerror(-rc));
	sig_fd = open_signals();
	rc = bh_privilege_drop(&boot);
	if (rc < 0) {
		bh_err("core", "capabilities cannot be dropped: %s", strerror(-rc));
		return 1;
	}
	rte_log_set_global_level(a.verbose ? RTE_LOG_INFO : RTE_LOG_WARNING);
	if (rte_eal_init(argc - optind, argv + optind) < 0) {
		bh_err("core", "EAL does not start: %s", rte_strerror(rte_errno));
		return 1;
	}
	rc = run(&a, &boot, sig_fd);
	rte_eal_cleanup();
	return rc < 0 ? 1 : 0;
}
