/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead: the supervisor, and the one command that a user starts. No EAL, no packet, no
 * configuration language: bulkhead-config reads the file, bulkhead-core moves the packets.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "app/supervisor/adopt.h"
#include "app/supervisor/bootrec.h"
#include "app/supervisor/ctlsock.h"
#include "app/supervisor/life.h"
#include "app/supervisor/options.h"
#include "app/supervisor/orders.h"
#include "app/supervisor/preflight.h"
#include "app/supervisor/privilege.h"
#include "app/supervisor/supervise.h"
#include "lib/log/log.h"

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	bh_info("stop", "signal %d", (int)sig);
	bh_supervise_stop(arg, BH_EXIT_OK);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	bh_life_stopped(arg);
}

static void
on_reload(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	bh_supervise_reload(arg);
}

static const struct {
	int sig;
	event_callback_fn fn;
} handlers[] = {
	{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGCHLD, on_child}, {SIGHUP, on_reload},
};

#define N_HANDLERS (sizeof(handlers) / sizeof(handlers[0]))

static int
run(const struct bh_options *opt, const struct bh_identity *id, const struct bh_boot *boot,
	pid_t core)
{
	struct event *ev[N_HANDLERS] = {0};
	struct bh_supervisor s;
	struct event_base *base = event_base_new();
	int rc = base == NULL ? BH_EXIT_FAILED : bh_supervise_init(&s, opt, id, boot, base);
	struct bh_ctlsock *ctl;

	if (rc == BH_EXIT_OK && core != 0)
		rc = bh_adopt(&s, core);
	if (rc != BH_EXIT_OK)
		return rc;
	ctl = bh_ctlsock_open(&s);
	if (ctl == NULL) {
		bh_err("start", "supervisor.sock in the run directory: %s", strerror(errno));
		bh_supervise_stop(&s, BH_EXIT_FAILED);
	}
	for (unsigned int i = 0; i < N_HANDLERS; i++) {
		ev[i] = evsignal_new(base, handlers[i].sig, handlers[i].fn, &s);
		if (ev[i] == NULL || event_add(ev[i], NULL) < 0)
			bh_supervise_stop(&s, BH_EXIT_FAILED);
	}
	bh_supervise_advance(&s);
	event_base_dispatch(base);
	rc = s.exit_code;
	for (unsigned int i = 0; i < N_HANDLERS; i++)
		if (ev[i] != NULL)
			event_free(ev[i]);
	bh_order_stop(&s);
	bh_ctlsock_close(ctl);
	bh_supervise_fini(&s);
	bh_adopt_clear(opt->rundir);
	event_base_free(base);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct bh_boot boot;
	struct bh_options opt;
	struct bh_identity id;
	int rc, lock = -1;
	pid_t core = 0;

	bh_options_parse(&opt, argc, argv);
	bh_log_init("bulkhead", opt.verbose ? BH_LOG_DEBUG : BH_LOG_NOTICE);
	signal(SIGPIPE, SIG_IGN);
	rc = bh_identity_find(&opt, &id);
	if (rc == BH_EXIT_OK)
		rc = bh_bootrec_read(&opt, &id, &boot);
	if (rc != BH_EXIT_OK || opt.check_only)
		return rc;
	if (opt.no_huge)
		boot.hugepages = false;
	rc = bh_preflight_rundir(&opt, &lock, &core);
	if (rc == BH_EXIT_OK && core == 0) {
		bh_adopt_clear(opt.rundir);
		rc = bh_preflight_machine(&opt, &boot);
	}
	if (rc == BH_EXIT_OK)
		rc = run(&opt, &id, &boot, core);
	if (lock >= 0)
		close(lock);
	return rc;
}
