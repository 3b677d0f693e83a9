/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The module: says the configuration to the core and waits.
 *
 * A successor takes its records from the tables, if these hold what the file says (recover.c): then
 * it serves before it replays. The supervisor hands over the file anew when it is to be read again
 * (without a supervisor SIGHUP reads it by its name); one that is not valid changes nothing. When
 * the core is replaced, the records in memory are replayed, not the file, which may have been
 * edited since. An heir recovers or reads, and replays when it is told to take over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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
	struct bh_source source;
	uint64_t started; /* digest of what takes effect at the next start, as it was at ours */
	bool same;	  /* the tables hold these records */
	bool away;	  /* the core is gone: a new role socket is waited for */
	bool replay;	  /* to a core, or as an owner, that has not heard of us: then we are ready */
	bool leave;
	int file;	  /* handed over and not read yet, or -1 */
	int role_fd;	  /* a later role socket than the inherited one, or -1 */
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

/* ---- where records come from ---- */

static void
take_records(struct module *mod, struct bh_records *r, const struct bh_source *s, bool same)
{
	bh_records_free(&mod->records);
	mod->records = *r;
	mod->source = *s;
	mod->same = same;
	*r = (struct bh_records){0};
}

/* Of what is left of a boot record when that which a reload can change is taken away. */
static uint64_t
fixed_digest(struct bh_boot *boot)
{
	struct bh_digest d;

	memset(boot->interfaces, 0, sizeof(boot->interfaces));
	boot->n_interfaces = 0;
	bh_digest_begin(&d);
	bh_digest_add(&d, boot, sizeof(*boot));
	return bh_digest_end(&d);
}

/* Loads the file; on success its records replace the present ones. */
static int
load(struct module *mod, int fd)
{
	struct bh_model *m = calloc(1, sizeof(*m));
	struct bh_boot *boot = calloc(1, sizeof(*boot));
	int code = BH_EXIT_INTERNAL;

	bh_life_busy(BH_LIFE_BUSY_MS); /* libyang may have half a million routes to validate */
	if (m != NULL && boot != NULL)
		code = bh_config_load(mod->args, fd, m, boot);
	else if (fd >= 0)
		close(fd);
	if (code == BH_EXIT_OK) {
		struct bh_source s = {m->digest, fixed_digest(boot), m->records.n};

		take_records(mod, &m->records, &s, false);
	}
	if (m != NULL)
		bh_model_free(m);
	free(m);
	free(boot);
	bh_life_beat();
	return code;
}

/* What the tables hold, if it is what the file says. */
static int
recover(struct module *mod)
{
	struct bh_source s = {0};
	struct bh_records r = {0};
	int rc = bh_digest_file(mod->args->fd, &s.digest);

	if (rc == 0)
		rc = bh_recover(&bh_client_ops, mod->client, &s, &r);
	if (rc == 0)
		take_records(mod, &r, &s, true);
	else if (rc != -ENOENT && rc != -ENOTSUP)
		bh_info("run", "not recovered from the tables: %s", strerror(-rc));
	return rc;
}

/* The first records: the predecessor's, or the file's. An exit code. */
static int
first_records(struct module *mod)
{
	int code = BH_EXIT_OK;

	if (recover(mod) == 0) {
		bh_notice("run", "%s: %u records, as the tables hold them", mod->args->file,
			mod->records.n);
		close(mod->args->fd);
	} else {
		code = load(mod, mod->args->fd);
	}
	mod->started = mod->source.fixed;
	return code;
}

/* An heir that takes over: what its predecessor said last counts, not what was recovered before. */
static void
catch_up(struct module *mod)
{
	struct bh_source s = {0};
	struct bh_records r = {0};

	mod->same = bh_client_ops.source(mod->client, &s) == 0 && s.digest == mod->source.digest;
	s.digest = 0;
	if (!mod->same && bh_recover(&bh_client_ops, mod->client, &s, &r) == 0)
		take_records(mod, &r, &s, true);
}

/* Whether there is something new to replay. fd: the file, -1: by its name. */
static bool
reload(struct module *mod, int fd)
{
	if (load(mod, fd) != BH_EXIT_OK) {
		bh_err("reload", "%s was not loaded, the configuration stays as it is",
			mod->args->file);
		return false;
	}
	if (mod->source.fixed != mod->started)
		bh_warn("reload", "memory, lcores, tables, modules or the privilege for kernel "
				  "devices have changed: they take effect at the next start");
	return true;
}

/* ---- towards the core ---- */

/* Replays until the core has all. The core of a role may go meanwhile: the next one is told. */
static int
apply(struct module *mod)
{
	bool role = bh_client_has_role(mod->client);
	int rc = -ECONNRESET;

	for (unsigned int i = 0; rc == -ECONNRESET && i < (role ? 1 : REPLAY_TRIES); i++)
		rc = bh_apply(&mod->records, &mod->source, mod->same, &bh_client_ops, mod->client);
	if (role && (rc == -ECONNRESET || rc == -ESTALE)) {
		mod->away = true;
		return 0;
	}
	if (rc < 0)
		return rc;
	mod->same = true;
	bh_notice("apply", "%s: %u records", mod->args->file, mod->records.n);
	if (!mod->replay)
		return 0;
	mod->replay = false;
	return bh_ready();
}

/* Reads the file again, if there is one to be read; an heir keeps what it says for later. */
static int
renew(struct module *mod, bool by_signal)
{
	int fd = mod->file;

	mod->file = -1;
	if (by_signal && fd < 0 && mod->args->fd >= 0)
		bh_warn("reload", "send SIGHUP to bulkhead: it hands over the file");
	if (fd < 0 && (!by_signal || mod->args->fd >= 0))
		return 0;
	if (!reload(mod, fd) || bh_supervised_heir() || mod->away)
		return 0;
	return apply(mod);
}

/* ---- words of the supervisor ---- */

static int
take_role(struct module *mod, int fd)
{
	int rc = bh_client_reopen(mod->client, fd);

	if (rc < 0) {
		close(fd);
		return rc;
	}
	if (mod->role_fd >= 0)
		close(mod->role_fd);
	mod->role_fd = fd;
	mod->away = mod->same = false;
	mod->replay = true;
	return 0;
}

/* A later file takes the place of an earlier one that was not read yet. */
static void
take_file(struct module *mod, const struct bh_word *w)
{
	bool is_file = w->fd >= 0 && strcmp(w->text, "CONFIG") == 0;

	if (!is_file && w->fd >= 0)
		close(w->fd);
	if (!is_file)
		return;
	if (mod->file >= 0)
		close(mod->file);
	mod->file = w->fd;
}

static int
take_words(struct module *mod)
{
	enum bh_word_kind kind;
	struct bh_word w;
	int rc = 0;

	while (rc == 0 && (kind = bh_supervised_take(&w)) != BH_WORD_NONE) {
		if (kind == BH_WORD_ROLE) {
			rc = take_role(mod, w.fd);
		} else if (kind == BH_WORD_TAKE) {
			catch_up(mod);
			mod->replay = true;
		} else if (kind == BH_WORD_LEAVE) {
			mod->leave = true;
		} else if (kind == BH_WORD_OTHER) {
			take_file(mod, &w);
		}
	}
	if (rc == 0 && mod->replay && !mod->away && !mod->leave) {
		mod->replay = !bh_supervised_heir();
		rc = mod->replay ? apply(mod) : bh_ready();
	}
	return rc == 0 && !mod->leave ? renew(mod, false) : rc;
}

/* ---- life ---- */

/* The connection has ended: by a role the next core is told, else it is sought. */
static int
lost(struct module *mod)
{
	mod->same = false;
	if (!bh_client_has_role(mod->client))
		return apply(mod);
	mod->away = true;
	return 0;
}

/* Who has recovered serves already, and replays beside; an heir waits for its turn. */
static int
begin(struct module *mod)
{
	int rc = mod->same || bh_supervised_heir() ? bh_ready() : 0;

	mod->replay = !mod->same && !bh_supervised_heir();
	return rc == 0 && !bh_supervised_heir() ? apply(mod) : rc;
}

static int
serve(struct module *mod, const sigset_t *waiting)
{
	int rc = begin(mod);

	while (rc == 0 && !mod->leave) {
		rc = bh_client_wait(mod->client, waiting, bh_supervised_fd());
		if (rc == -ECONNRESET) {
			rc = lost(mod);
		} else if (rc == 1) {
			rc = take_words(mod);
		} else if (rc == -EINTR) {
			rc = reload_wanted ? renew(mod, true) : 0;
			reload_wanted = 0;
		}
	}
	if (rc == 0)
		return BH_EXIT_OK;
	bh_err("run", "the core cannot be reached: %s%s", strerror(-rc),
		rc == -ENOENT || rc == -ECONNREFUSED ? "; is the router running?" : "");
	return BH_EXIT_INTERNAL;
}

int
bh_run(const struct bh_config_args *args)
{
	struct module mod = {.args = args, .file = -1, .role_fd = -1};
	int code = BH_EXIT_INTERNAL;
	sigset_t waiting;

	set_signals(&waiting);
	mod.client = bh_client_open();
	if (mod.client == NULL) {
		bh_err("run", "cannot open the core: %s", strerror(errno));
		return code;
	}
	code = first_records(&mod);
	if (code == BH_EXIT_OK)
		code = serve(&mod, &waiting);
	bh_client_close(mod.client);
	bh_records_free(&mod.records);
	if (mod.role_fd >= 0)
		close(mod.role_fd);
	return code;
}
