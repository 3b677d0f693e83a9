/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The module: says the configuration to the core and waits.
 *
 * SIGHUP reads the file again; one that is not valid changes nothing. When the core is
 * replaced, the records in memory are replayed, not the file, which may have been edited
 * since. Its own restart is nothing special: a new epoch and a replay of the same records.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/client/bulkhead.h"
#include "lib/log/log.h"

#define REPLAY_TRIES 5

struct module {
	const struct bh_config_args *args;
	struct bh_client *client;
	struct bh_records records;
	struct bh_boot boot;	 /* as the router was started */
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
load(struct module *mod, struct bh_boot *boot)
{
	struct bh_model *m = calloc(1, sizeof(*m));
	int code = m != NULL ? bh_config_load(mod->args, m, boot) : BH_EXIT_INTERNAL;

	if (code == BH_EXIT_OK) {
		bh_records_free(&mod->records);
		mod->records = m->records;
		memset(&m->records, 0, sizeof(m->records));
	}
	if (m != NULL)
		bh_model_free(m);
	free(m);
	return code;
}

/* What is left of a boot record when that which a reload can change is taken away. */
static void
keep_fixed(struct bh_boot *boot)
{
	memset(boot->interfaces, 0, sizeof(boot->interfaces));
	boot->n_interfaces = 0;
}

/* Whether there is something new to replay. */
static bool
reload(struct module *mod)
{
	struct bh_boot *boot = malloc(sizeof(*boot));

	if (boot == NULL || load(mod, boot) != BH_EXIT_OK) {
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

static int
serve(struct module *mod, const sigset_t *waiting)
{
	int rc = apply(mod);

	if (rc == 0)
		rc = bh_ready();
	while (rc == 0) {
		rc = bh_client_wait(mod->client, waiting);
		if (rc == -ECONNRESET) {
			rc = apply(mod);
		} else if (rc == -EINTR && reload_wanted) {
			reload_wanted = 0;
			rc = reload(mod) ? apply(mod) : 0;
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
	set_signals(&waiting);
	code = load(mod, &mod->boot);
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
