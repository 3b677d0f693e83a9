/* SPDX-License-Identifier: BSD-3-Clause */
/* The core and the modules of the boot record: their arguments; and what a reload means to them. */
#include "app/supervisor/supervise.h"

#include <stdio.h>

#include "app/supervisor/bootrec.h"
#include "app/supervisor/configfile.h"
#include "app/supervisor/spawn.h"

static void
add_child(struct bh_supervisor *s, const char *name, const char *program)
{
	struct bh_child *c = &s->child[s->n_children];

	snprintf(c->name, sizeof(c->name), "%s", name);
	bh_program_path(s->opt, program, c->path, sizeof(c->path));
	c->sup_fd = c->pidfd = c->life = -1;
	c->last_exit = BH_EXIT_NONE;
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
	if (rc == 0 && bh_is_config(c))
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
	rc = bh_bootrec_core_args(s->opt, s->id, boot, s->boot_fd, &s->child[0]);
	for (unsigned int i = 0; i < boot->n_modules && rc == 0; i++)
		if (boot->modules[i].enabled)
			rc = add_module(s, &boot->modules[i]);
	return rc;
}

/* A person has mended something: held modules get another chance, too. */
void
bh_supervise_reload(struct bh_supervisor *s)
{
	for (unsigned int i = 1; i < s->n_children && !s->stopping; i++) {
		struct bh_child *c = &s->child[i];

		if (c->state == BH_PROC_HELD) {
			c->recent = 0;
			bh_supervise_start_again(c);
		} else if (bh_is_config(c) && c->pid != 0) {
			bh_configfile_pass(s->opt->config, c->sup_fd);
		}
	}
}
