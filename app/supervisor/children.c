/* SPDX-License-Identifier: BSD-3-Clause */
/* The core and the modules of the boot record: their arguments, and how each is started. */
#include "app/supervisor/supervise.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/supervisor/bootrec.h"
#include "app/supervisor/roles.h"

static void
add_child(struct bh_supervisor *s, const char *name, const char *program)
{
	struct bh_child *c = &s->child[s->n_children];

	snprintf(c->name, sizeof(c->name), "%s", name);
	bh_program_path(s->opt, program, c->path, sizeof(c->path));
	c->sup_fd = -1;
	c->last_exit = -1;
	c->owner = s;
	s->n_children++;
}

/* bulkhead-config gets the file that we were given; others what the configuration says. */
static int
add_config_args(const struct bh_options *opt, struct bh_child *c)
{
	const char *const run[] = {"--run", opt->config};
	int rc = 0;

	for (unsigned int i = 0; i < opt->n_yangdir && rc == 0; i++) {
		const char *const path[] = {"-p", opt->yangdir[i]};

		rc = bh_child_args(c, path, 2);
	}
	return rc == 0 ? bh_child_args(c, run, 2) : rc;
}

static int
add_module(struct bh_supervisor *s, const struct bh_boot_module *m)
{
	struct bh_child *c = &s->child[s->n_children];
	int rc;

	add_child(s, m->name, m->program);
	rc = bh_child_arg(c, m->program);
	if (rc == 0 && strcmp(m->name, "config") == 0)
		rc = add_config_args(s->opt, c);
	for (unsigned int i = 0; i < m->n_args && rc == 0; i++)
		rc = bh_child_arg(c, m->args[i]);
	return rc;
}

int
bh_children_make(struct bh_supervisor *s)
{
	const struct bh_boot *boot = s->boot;
	int rc;

	add_child(s, "core", "bulkhead-core");
	s->child[0].is_core = true;
	rc = bh_bootrec_core_args(s->opt, boot, s->boot_fd, &s->child[0]);
	for (unsigned int i = 0; i < boot->n_modules && rc == 0; i++)
		if (boot->modules[i].enabled)
			rc = add_module(s, &boot->modules[i]);
	return rc;
}

static int
spawn_core(struct bh_supervisor *s, struct bh_child *c)
{
	struct bh_spawn sp = {.role_fd = -1, .boot_fd = s->boot_fd, .rundir = s->opt->rundir};

	lseek(s->boot_fd, 0, SEEK_SET);
	return bh_child_spawn(c, &sp);
}

static int
spawn_module(struct bh_supervisor *s, struct bh_child *c)
{
	struct bh_spawn sp = {
		.boot_fd = -1,
		.cpus = s->boot->control_cpus,
		.n_cpus = s->boot->n_control_cpus,
		.rundir = s->opt->rundir,
	};
	int pair[2], rc = bh_role_socket(pair);

	if (rc < 0)
		return rc;
	sp.role_fd = pair[0];
	rc = bh_child_spawn(c, &sp);
	if (rc == 0)
		rc = bh_role_pass(s->child[0].sup_fd, c->name, c->pid, pair[1]);
	close(pair[0]);
	close(pair[1]);
	return rc;
}

int
bh_children_spawn(struct bh_supervisor *s, struct bh_child *c)
{
	return c->is_core ? spawn_core(s, c) : spawn_module(s, c);
}
