/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a boot record must fulfil as a whole, whether it was read or made.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/boot/boot.h"

struct check {
	const struct bh_boot *boot;
	char *err;
	size_t err_len;
};

static int
refuse(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
refuse(const struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->err, c->err_len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int
check_numbers(const struct check *c)
{
	const struct bh_boot *b = c->boot;

	if (b->memory == 0 || b->memory > BH_BOOT_MEMORY_MAX)
		return refuse(c, "memory %u MiB is out of range", b->memory);
	if (b->mbufs == 0 || b->mbufs > BH_BOOT_MBUFS_MAX)
		return refuse(c, "mbufs %u is out of range", b->mbufs);
	if (b->n_lcores > BH_BOOT_LCORES || b->n_modules > BH_BOOT_MODULES ||
		b->n_interfaces > BH_IF_MAX || b->n_eal > BH_BOOT_EAL ||
		b->n_control_cpus > BH_BOOT_LCORES)
		return refuse(c, "too many items");
	return 0;
}

static int
check_lcore(const struct check *c, unsigned int i)
{
	const struct bh_boot_lcore *l = &c->boot->lcores[i];

	if (l->id > BH_BOOT_LCORE_ID_MAX)
		return refuse(c, "lcore %u is out of range", l->id);
	if (l->cpu > BH_BOOT_CPU_MAX)
		return refuse(c, "cpu %u of lcore %u is out of range", l->cpu, l->id);
	if (l->role >= BH_LCORE_ROLES)
		return refuse(c, "lcore %u has no role", l->id);
	for (unsigned int j = 0; j < i; j++)
		if (c->boot->lcores[j].id == l->id)
			return refuse(c, "lcore %u is there twice", l->id);
	return 0;
}

static int
check_roles(const struct check *c)
{
	static const struct {
		unsigned int min, max;
		const char *words;
	} want[BH_LCORE_ROLES] = {
		[BH_LCORE_MAIN] = {1, 1, "exactly one"},
		[BH_LCORE_CONTROL_PROXY] = {1, BH_BOOT_LCORES, "at least one"},
		[BH_LCORE_SERVICE_PROXY] = {1, 1, "exactly one"},
		[BH_LCORE_INFOBASE] = {1, 1, "exactly one"},
		[BH_LCORE_WORKER] = {1, BH_BOOT_LCORES, "at least one"},
		[BH_LCORE_PUNT] = {0, 1, "at most one"},
		[BH_LCORE_FORWARDING] = {1, BH_BOOT_LCORES, "at least one"},
	};
	unsigned int count[BH_LCORE_ROLES] = {0};

	for (unsigned int i = 0; i < c->boot->n_lcores; i++) {
		int rc = check_lcore(c, i);

		if (rc != 0)
			return rc;
		count[c->boot->lcores[i].role]++;
	}
	for (unsigned int r = 0; r < BH_LCORE_ROLES; r++)
		if (count[r] < want[r].min || count[r] > want[r].max)
			return refuse(c, "the plan needs %s lcore with role %s, it has %u",
				want[r].words, bh_lcore_role_name(r), count[r]);
	return 0;
}

static int
check_groups(const struct check *c)
{
	for (unsigned int g = 0; g < BH_GROUP_MAX; g++) {
		const struct bh_boot_lcore *l;
		unsigned int i = 0;

		while ((l = bh_boot_lcore(c->boot, BH_LCORE_WORKER, i++)) != NULL)
			if (l->id == c->boot->group_lcore[g])
				break;
		if (l == NULL)
			return refuse(c, "group %s is on lcore %u, which is no worker",
				bh_boot_group_name(g), c->boot->group_lcore[g]);
	}
	return 0;
}

/* A name as a file and an interface of the kernel could have it. */
static bool
name_ok(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	return len > 0 && len < size && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		strpbrk(name, "/ \t\n\v\f\r:") == NULL;
}

static int
check_interface(const struct check *c, unsigned int i)
{
	const struct bh_boot_interface *p = &c->boot->interfaces[i];

	if (!name_ok(p->name, sizeof(p->name)))
		return refuse(c, "bad name of interface %u", i + 1);
	if (p->device[0] == '\0' || strnlen(p->device, sizeof(p->device)) == sizeof(p->device))
		return refuse(c, "bad device of interface %s", p->name);
	for (unsigned int j = 0; j < i; j++)
		if (strcmp(c->boot->interfaces[j].name, p->name) == 0)
			return refuse(c, "interface %s is there twice", p->name);
	return 0;
}

static int
check_module(const struct check *c, unsigned int i)
{
	const struct bh_boot_module *m = &c->boot->modules[i];

	if (!name_ok(m->name, sizeof(m->name)))
		return refuse(c, "bad name of module %u", i + 1);
	if (m->program[0] == '\0' ||
		strnlen(m->program, sizeof(m->program)) == sizeof(m->program) ||
		(m->program[0] != '/' && strchr(m->program, '/') != NULL))
		return refuse(c, "program of module %s must be a name or an absolute path",
			m->name);
	if (m->n_args > BH_BOOT_ARGS)
		return refuse(c, "module %s has too many arguments", m->name);
	for (unsigned int j = 0; j < i; j++)
		if (strcmp(c->boot->modules[j].name, m->name) == 0)
			return refuse(c, "module %s is there twice", m->name);
	return 0;
}

static int
check_control_cpus(const struct check *c)
{
	const struct bh_boot *b = c->boot;

	if (b->n_control_cpus == 0)
		return refuse(c, "no control-cpu");
	for (unsigned int i = 0; i < b->n_control_cpus; i++) {
		if (b->control_cpus[i] > BH_BOOT_CPU_MAX)
			return refuse(c, "control-cpu %u is out of range", b->control_cpus[i]);
		for (unsigned int j = 0; j < i; j++)
			if (b->control_cpus[j] == b->control_cpus[i])
				return refuse(c, "control-cpu %u is there twice",
					b->control_cpus[i]);
	}
	return 0;
}

int
bh_boot_check(const struct bh_boot *boot, char *err, size_t err_len)
{
	struct check c = {boot, err, err_len};
	int rc = check_numbers(&c);

	if (rc == 0)
		rc = check_roles(&c);
	if (rc == 0)
		rc = check_groups(&c);
	if (rc == 0)
		rc = check_control_cpus(&c);
	for (unsigned int i = 0; rc == 0 && i < boot->n_interfaces; i++)
		rc = check_interface(&c, i);
	for (unsigned int i = 0; rc == 0 && i < boot->n_modules; i++)
		rc = check_module(&c, i);
	return rc;
}
