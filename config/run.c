/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The module: says the configuration to the core and waits.
 *
 * The supervisor hands over the file anew when it is to be read again (without a supervisor
 * SIGHUP reads it by its name); one that is not valid changes nothing. When the core is replaced, the records in memory are replayed, not the file, which may have been edited
 * since. Its own restart is nothing special: a new epoch and a replay of the same records.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/client/bulkhead.h"
#include "lib/life/life.h"
#include "lib/log/log.h"

#define REPLAY_TRIES 5

struct module {
	const struct bh_config_args *args;
	struct bh_client *client;
	struct bh_records records;
	struct bh_boot boot;	 /* as the router was started */
	int sup_fd;		 /* -1: no supervisor, or not any more */
};

static volatile sig_atomic_t reload_wanted;

static void
on_hup(int sig)
{
	(void)sig;
	reload_wanted = 1;
}

static void
on_term(int sig)
{
	(void)sig;
	_exit(BH_EXIT_OK); /* nothing to save: the core keeps the tables */
}

/* SIGHUP comes only while the module waits; *waiting: the mask for that. */
static void
set_signals(sigset_t *waiting)
{
	struct sigaction hup = {.sa_handler = on_hup}, term = {.sa_handler = on_term};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, waiting);
	sigdelset(waiting, SIGHUP);
	sigaction(SIGHUP, &hup, NULL);
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGINT, &term, NULL);
}

/* Loads the file; on success its records replace the present ones. */
static int
load(struct module *mod, int fd, struct bh_boot *boot)
{
	struct bh_model *m = calloc(1, sizeof(*m));
	int code;

	bh_life_busy(BH_LIFE_BUSY_MS); /* libyang may have half a million routes to validate */
	code = m != NULL ? bh_config_load(mod->args, fd, m, boot) : BH_EXIT_INTERNAL;

	if (code == BH_EXIT_OK) {
		bh_records_free(&mod->records);
		mod->records = m->records;
		memset(&m->records, 0, sizeof(m->records));
	}
	if (m != NULL)
		bh_model_free(m);
	free(m);
	bh_life_beat();
	return code;
}

/* What is left of a boot record when that which a reload can change is taken away. */
static void
keep_fixed(struct bh_boot *boot)
{
	memset(boot->interfaces, 0, sizeof(boot->interfaces));
	boot->n_interfaces = 0;
}

/* The descriptor in a message, or -1. */
static int
passed_fd(struct msghdr *msg)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (cm != NULL && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
		cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cm), sizeof(int));
	return fd;
}

/* The last file that the supervisor handed over, or -1: none. */
static int
take_file(struct module *mod)
{
	int fd = -1, next;

	while (mod->sup_fd >= 0) {
		char text[16], ctl[CMSG_SPACE(sizeof(int))];
		struct iovec iov = {text, sizeof(text)};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			.msg_controllen = sizeof(ctl)};
		ssize_t n = recvmsg(mod->sup_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		next = n > 0 ? passed_fd(&msg) : -1;
		if (n <= 0)
			mod->sup_fd = -1; /* the supervisor is gone; we go on */
		if (next < 0)
			continue;
		if (fd >= 0)
			close(fd);
		fd = next;
	}
	return fd;
}

/* Whether there is something new to replay. fd: the file, -1: by its name. */
static bool
reload(struct module *mod, int fd)
{
	struct bh_boot *boot = malloc(sizeof(*boot));

	if (boot == NULL || load(mod, fd, boot) != BH_EXIT_OK) {
		bh_err("reload", "%s was not loaded, the configuration stays as it is",
			mod->args->file);
		free(boot);
		return false;
	}
	keep_fixed(boot);
	if (memcmp(boot, &mod->boot, sizeof(*boot)) != 0)
		bh_warn("reload", "memory, lcores, tables, modules or the privilege for kernel "
				  "devices have changed: they take effect at the next start");
	free(boot);
	return true;
}

/* Replays until the core has all. */
static int
apply(struct module *mod)
{
	int rc = -ECONNRESET;

	for (unsigned int i = 0; rc == -ECONNRESET && i < REPLAY_TRIES; i++)
		rc = bh_apply(&mod->records, &bh_client_ops, mod->client);
	if (rc == 0)
		bh_notice("apply", "%s: %u records", mod->args->file, mod->records.n);
	return rc;
}

/* Reads the file again, if there is one to be read. */
static int
renew(struct module *mod, bool by_signal)
{
	int fd = take_file(mod);

	if (by_signal && fd < 0 && mod->args->fd >= 0)
		bh_warn("reload", "send SIGHUP to bulkhead: it hands over the file");
	if (fd < 0 && (!by_signal || mod->args->fd >= 0))
		return 0;
	return reload(mod, fd) ? apply(mod) : 0;
}

static int
serve(struct module *mod, const sigset_t *waiting)
{
	int rc = apply(mod);

	if (rc == 0)
		rc = bh_ready();
	while (rc == 0) {
		rc = bh_client_wait(mod->client, waiting, mod->sup_fd);
		if (rc == -ECONNRESET) {
			rc = apply(mod);
		} else if (rc == 1 || (rc == -EINTR && reload_wanted)) {
			reload_wanted = 0;
			rc = renew(mod, rc < 0);
		} else if (rc == -EINTR) {
			rc = 0;
		}
	}
	bh_err("run", "the core cannot be reached: %s%s", strerror(-rc),
		rc == -ENOENT || rc == -ECONNREFUSED ? "; is the router running?" : "");
	return BH_EXIT_INTERNAL;
}

int
bh_run(const struct bh_config_args *args)
{
	struct module *mod = calloc(1, sizeof(*mod));
	int code = BH_EXIT_INTERNAL;
	sigset_t waiting;

	if (mod == NULL)
		return code;
	mod->args = args;
	mod->sup_fd = args->sup_fd;
	set_signals(&waiting);
	code = load(mod, args->fd, &mod->boot);
	if (code != BH_EXIT_OK)
		goto out;
	keep_fixed(&mod->boot);
	mod->client = bh_client_open();
	if (mod->client == NULL) {
		bh_err("run", "cannot open the core: %s", strerror(errno));
		code = BH_EXIT_INTERNAL;
		goto out;
	}
	code = serve(mod, &waiting);
	bh_client_close(mod->client);
out:
	bh_records_free(&mod->records);
	free(mod);
	return code;
}
