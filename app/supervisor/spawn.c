/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/spawn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app/supervisor/configfile.h"
#include "app/supervisor/proctable.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/taps.h"
#include "lib/log/log.h"

int
bh_spawn_core(struct bh_supervisor *s, struct bh_child *c, int life_fd)
{
	struct bh_spawn sp = {
		.role_fd = -1,
		.boot_fd = s->boot_fd,
		.config_fd = -1,
		.life_fd = life_fd,
		.id = s->id,
		.rundir = s->opt->rundir,
	};

	lseek(s->boot_fd, 0, SEEK_SET);
	return bh_child_spawn(c, &sp);
}

bool
bh_is_config(const struct bh_child *c)
{
	return strcmp(c->name, "config") == 0;
}

bool
bh_is_routing(const struct bh_child *c)
{
	return strcmp(c->name, "routing") == 0;
}

bool
bh_is_v6stack(const struct bh_child *c)
{
	return strcmp(c->name, "v6stack") == 0;
}

/* A core that has just died takes none: its death is about to be told, and the next one gets another. */
static int
pass_role(struct bh_supervisor *s, const struct bh_child *c, int fd)
{
	const char *word = c->heir != NULL ? "HEIR" : "ROLE";
	int rc = bh_role_pass(s->child[0].sup_fd, word, c->name, c->pid, fd);

	return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

int
bh_spawn_module(struct bh_supervisor *s, struct bh_child *c, int life_fd)
{
	struct bh_spawn sp = {
		.boot_fd = -1,
		/* A file that is gone leaves it none: it says so and ends. */
		.config_fd = bh_is_config(c) ? bh_configfile_open(s->opt->config) : -1,
		.life_fd = life_fd,
		.heir = c->heir != NULL,
		.id = s->id,
		.cpus = s->boot->control_cpus,
		.n_cpus = s->boot->n_control_cpus,
		.rundir = s->opt->rundir,
	};
	int pair[2], rc = bh_role_socket(pair);

	if (rc == 0) {
		sp.role_fd = pair[0];
		rc = bh_child_spawn(c, &sp);
		if (rc == 0)
			rc = pass_role(s, c, pair[1]);
		if (rc == 0 && bh_is_v6stack(c))
			bh_taps_hand(s->taps, c->sup_fd); /* what fails is told; it runs without */
		close(pair[0]);
		close(pair[1]);
	}
	if (sp.config_fd >= 0)
		close(sp.config_fd);
	return rc;
}

int
bh_spawn_renew_role(struct bh_supervisor *s, const struct bh_child *c)
{
	int pair[2], rc = bh_role_socket(pair);

	if (rc < 0)
		return rc;
	rc = pass_role(s, c, pair[1]);
	if (rc == 0)
		rc = bh_fd_pass(c->sup_fd, "ROLE", pair[0]);
	close(pair[0]);
	close(pair[1]);
	return rc;
}

/* The supervisor is a client too: of the table `process`. */
static int
open_table(struct bh_supervisor *s)
{
	int pair[2], rc = bh_role_socket(pair);

	if (rc < 0)
		return rc;
	rc = bh_role_pass(s->child[0].sup_fd, "ROLE", "supervisor", getpid(), pair[1]);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	s->table = bh_proctable_open(s->base, pair[0]);
	return s->table == NULL ? -errno : 0;
}

static void
on_port(void *arg, const struct bh_change *change)
{
	struct bh_supervisor *s = arg;
	int sup_fd = -1;

	for (unsigned int i = 1; i < s->n_children; i++)
		if (bh_is_v6stack(&s->child[i]))
			sup_fd = s->child[i].sup_fd;
	bh_taps_follow(s->taps, change, sup_fd);
}

int
bh_spawn_table(struct bh_supervisor *s)
{
	int rc = open_table(s);

	if (rc < 0)
		return rc;
	if (s->taps != NULL && bh_proctable_watch(s->table, BH_T_CFG_INTERFACE, on_port, s) < 0)
		bh_warn("host", "ports that come later get no TAP: the table cfg_interface cannot be followed");
	for (unsigned int i = 0; i < s->n_children; i++)
		bh_supervise_publish(s, &s->child[i]);
	bh_proctable_complete(s->table);
	return 0;
}
