/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The boot record from bulkhead:bulkhead. What is not configured is filled in: the plan of
 * lcores from the CPUs that may be used, groups over the workers, control CPUs where nothing
 * forwards, the modules config (always first; the supervisor gives it the file) and routing.
 */
#include <errno.h>
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct maker {
	struct bh_boot *boot;
	const struct bh_config_args *args;
	struct bh_diag *diag;
};

/* Options that the supervisor makes itself: long ones by name, short ones by their letter. */
static bool
is_reserved(const char *arg)
{
	static const char *const words[] = {"--lcores", "--main-lcore", "--socket-mem",
		"--socket-limit", "--no-huge", "--in-memory", "--huge-dir", "--huge-unlink",
		"--file-prefix", "--proc-type", "--allow", "--block", "--vdev", "--no-pci",
		"--iova-mode", "--single-file-segments", "--legacy-mem", "--match-allocations"};

	if (arg[1] != '-')
		return arg[1] == '\0' || strchr("clmsSabhv", arg[1]) != NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncmp(arg, words[i], len) == 0 && (arg[len] == '\0' || arg[len] == '='))
			return true;
	}
	return arg[2] == '\0';
}

static void
make_eal(const struct maker *k, const struct lyd_node *top)
{
	const struct lyd_node *node;

	LY_LIST_FOR(top != NULL ? lyd_child(top) : NULL, node) {
		const char *arg = lyd_get_value(node);

		if (strcmp(node->schema->name, "eal-argument") != 0)
			continue;
		if (arg[0] != '-' || is_reserved(arg))
			bh_diag(k->diag, node, arg[0] != '-'
				? "EAL argument \"%s\" must begin with '-' and hold its value."
				: "EAL argument \"%s\" is made by the router itself.", arg);
		else if (k->boot->n_eal == BH_BOOT_EAL)
			bh_diag(k->diag, node, "More than %d EAL arguments.", BH_BOOT_EAL);
		else
			strncpy(k->boot->eal[k->boot->n_eal++], arg, sizeof(k->boot->eal[0]) - 1);
	}
}

static void
make_memory(const struct maker *k, const struct lyd_node *top)
{
	const struct lyd_node *memory = bh_yang_child(top, "memory");

	k->boot->memory = bh_yang_number(memory, "size");
	k->boot->hugepages = bh_yang_bool(memory, "hugepages");
	k->boot->mbufs = bh_yang_number(memory, "mbufs");
}

static void
make_host_stack(const struct maker *k, const struct lyd_node *top)
{
	k->boot->host_stack = bh_yang_bool(bh_yang_child(top, "host-stack"), "enabled");
}

static bool
may_use(const struct bh_config_args *args, uint32_t cpu)
{
	for (unsigned int i = 0; i < args->n_cpus; i++)
		if (args->cpus[i] == cpu)
			return true;
	return false;
}

static void
make_lcores(const struct maker *k, const struct lyd_node *top)
{
	const struct lyd_node *lcores = bh_yang_child(top, "lcores"), *node;

	LY_LIST_FOR(lcores != NULL ? lyd_child(lcores) : NULL, node) {
		struct bh_boot_lcore *l = &k->boot->lcores[k->boot->n_lcores];

		if (k->boot->n_lcores == BH_BOOT_LCORES) {
			bh_diag(k->diag, node, "More than %d logical cores.", BH_BOOT_LCORES);
			return;
		}
		k->boot->n_lcores++;
		l->id = bh_yang_number(node, "id");
		l->cpu = bh_yang_number(node, "cpu");
		l->role = (uint32_t)bh_boot_role_find(bh_yang_string(node, "role"));
		if (k->args->check_cpus && !may_use(k->args, l->cpu))
			bh_diag(k->diag, bh_yang_child(node, "cpu"),
				"CPU %u is not there or may not be used.", l->cpu);
	}
	if (k->boot->n_lcores == 0)
		bh_boot_default_plan(k->boot, k->args->cpus, k->args->n_cpus);
}

static void
make_groups(const struct maker *k, const struct lyd_node *top)
{
	const struct lyd_node *tables = bh_yang_child(top, "tables"), *node;

	bh_boot_default_groups(k->boot);
	LY_LIST_FOR(tables != NULL ? lyd_child(tables) : NULL, node) {
		int g = bh_boot_group_find(bh_yang_string(node, "name"));

		if (g >= 0)
			k->boot->group_lcore[g] = bh_yang_number(node, "lcore");
	}
}

static bool
forwards(const struct bh_boot *b, uint32_t cpu)
{
	for (unsigned int i = 0; i < b->n_lcores; i++)
		if (b->lcores[i].cpu == cpu && b->lcores[i].role == BH_LCORE_FORWARDING)
			return true;
	return false;
}

static void
add_control_cpu(struct bh_boot *b, uint32_t cpu)
{
	for (unsigned int i = 0; i < b->n_control_cpus; i++)
		if (b->control_cpus[i] == cpu)
			return;
	if (b->n_control_cpus < BH_BOOT_LCORES)
		b->control_cpus[b->n_control_cpus++] = cpu;
}

/* CPUs of the plan where nothing forwards; all of them if there are none. */
static void
default_control_cpus(struct bh_boot *b)
{
	for (unsigned int i = 0; i < b->n_lcores; i++)
		if (!forwards(b, b->lcores[i].cpu))
			add_control_cpu(b, b->lcores[i].cpu);
	for (unsigned int i = 0; b->n_control_cpus == 0 && i < b->n_lcores; i++)
		add_control_cpu(b, b->lcores[i].cpu);
}

static void
make_control_cpus(const struct maker *k, const struct lyd_node *top)
{
	struct bh_boot *b = k->boot;
	const struct lyd_node *node;

	LY_LIST_FOR(top != NULL ? lyd_child(top) : NULL, node) {
		uint32_t cpu;

		if (strcmp(node->schema->name, "control-cpu") != 0)
			continue;
		cpu = (uint32_t)strtoul(lyd_get_value(node), NULL, 10);
		add_control_cpu(b, cpu);
		if (k->args->check_cpus && !may_use(k->args, cpu))
			bh_diag(k->diag, node, "CPU %u is not there or may not be used.", cpu);
	}
	if (b->n_control_cpus == 0)
		default_control_cpus(b);
}

/* A new module, or NULL when there is no room. */
static struct bh_boot_module *
add_module(struct bh_boot *b, const char *name)
{
	struct bh_boot_module *m;

	if (b->n_modules == BH_BOOT_MODULES)
		return NULL;
	m = &b->modules[b->n_modules++];
	m->enabled = true;
	strncpy(m->name, name, sizeof(m->name) - 1);
	snprintf(m->program, sizeof(m->program), "bulkhead-%.*s", BH_NAME_LEN - 1, name);
	return m;
}

static void
add_arg(const struct maker *k, struct bh_boot_module *m, const struct lyd_node *node)
{
	const char *arg = lyd_get_value(node);

	if (m->n_args == BH_BOOT_ARGS)
		bh_diag(k->diag, node, "More than %d arguments.", BH_BOOT_ARGS);
	else if (strlen(arg) >= sizeof(m->args[0]))
		bh_diag(k->diag, node, "Argument longer than %zu bytes.", sizeof(m->args[0]) - 1);
	else
		strcpy(m->args[m->n_args++], arg);
}

static void
make_module(const struct maker *k, const struct lyd_node *node)
{
	const char *program = bh_yang_string(node, "program"), *name = bh_yang_string(node, "name");
	struct bh_boot_module *m;
	const struct lyd_node *arg;

	if (strcmp(name, "config") == 0) {
		bh_diag(k->diag, node, "Module config always runs and cannot be changed.");
		return;
	}
	m = add_module(k->boot, name);
	if (m == NULL) {
		bh_diag(k->diag, node, "More than %d modules.", BH_BOOT_MODULES);
		return;
	}
	m->enabled = bh_yang_bool(node, "enabled");
	if (program != NULL) {
		memset(m->program, 0, sizeof(m->program));
		strncpy(m->program, program, sizeof(m->program) - 1);
	}
	LY_LIST_FOR(lyd_child(node), arg)
		if (strcmp(arg->schema->name, "argument") == 0)
			add_arg(k, m, arg);
}

static void
make_modules(const struct maker *k, const struct lyd_node *top)
{
	const struct lyd_node *modules = bh_yang_child(top, "modules"), *node;
	bool routing = false;

	add_module(k->boot, "config");
	LY_LIST_FOR(modules != NULL ? lyd_child(modules) : NULL, node) {
		make_module(k, node);
		routing = routing || strcmp(bh_yang_string(node, "name"), "routing") == 0;
	}
	if (!routing && add_module(k->boot, "routing") == NULL)
		bh_diag(k->diag, modules, "More than %d modules.", BH_BOOT_MODULES);
}

static void
make_interfaces(const struct maker *k, const struct bh_model *m)
{
	struct bh_boot *b = k->boot;

	for (unsigned int i = 0; i < m->n_ifs; i++) {
		struct bh_boot_interface *p = &b->interfaces[b->n_interfaces];

		if (m->ifs[i].cfg.device[0] == '\0')
			continue;
		memcpy(p->name, m->ifs[i].name, sizeof(p->name));
		memcpy(p->device, m->ifs[i].cfg.device, sizeof(p->device));
		b->kernel_vdev = b->kernel_vdev || bh_device_is_kernel(p->device);
		b->n_interfaces++;
	}
}

int
bh_bootrec_make(struct bh_boot *boot, const struct lyd_node *tree, const struct bh_model *m,
	const struct bh_config_args *args, struct bh_diag *d)
{
	const struct lyd_node *top = bh_yang_top(tree, "bulkhead", "bulkhead");
	struct maker k = {boot, args, d};
	char err[160];
	unsigned int before = d->n;

	memset(boot, 0, sizeof(*boot));
	make_memory(&k, top);
	make_host_stack(&k, top);
	make_eal(&k, top);
	make_lcores(&k, top);
	make_groups(&k, top);
	make_control_cpus(&k, top);
	make_modules(&k, top);
	make_interfaces(&k, m);
	if (d->n == 0 && bh_boot_check(boot, err, sizeof(err)) != 0)
		bh_diag(d, bh_yang_child(top, "lcores"), "Not bootable: %s.", err);
	return d->n == before ? 0 : -EINVAL;
}
