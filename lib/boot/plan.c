/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Roles and groups by name, and the plan that is made when none is configured.
 *
 * Every lcore but the forwarding ones sleeps when idle, so all of them share the first CPU;
 * each further CPU polls. Three workers let the route tables of both families and the link
 * tables fill at the same time where CPUs allow it, and cost nothing asleep.
 */
#include <errno.h>
#include <string.h>

#include "lib/boot/boot.h"

static const char *const role_names[BH_LCORE_ROLES] = {
	[BH_LCORE_MAIN] = "main",
	[BH_LCORE_CONTROL_PROXY] = "control-proxy",
	[BH_LCORE_SERVICE_PROXY] = "service-proxy",
	[BH_LCORE_INFOBASE] = "infobase",
	[BH_LCORE_WORKER] = "worker",
	[BH_LCORE_PUNT] = "punt",
	[BH_LCORE_FORWARDING] = "forwarding",
};

static const char *const group_names[BH_GROUP_MAX] = {
	[BH_GROUP_LINK] = "link",
	[BH_GROUP_ROUTE4] = "route4",
	[BH_GROUP_ROUTE6] = "route6",
	[BH_GROUP_MISC] = "misc",
};

static int
find(const char *const *names, unsigned int n, const char *name)
{
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -ENOENT;
}

const char *
bh_lcore_role_name(unsigned int role)
{
	return role < BH_LCORE_ROLES ? role_names[role] : NULL;
}

const char *
bh_boot_group_name(unsigned int group)
{
	return group < BH_GROUP_MAX ? group_names[group] : NULL;
}

int
bh_boot_role_find(const char *name)
{
	return find(role_names, BH_LCORE_ROLES, name);
}

int
bh_boot_group_find(const char *name)
{
	return find(group_names, BH_GROUP_MAX, name);
}

const struct bh_boot_lcore *
bh_boot_lcore(const struct bh_boot *boot, unsigned int role, unsigned int nth)
{
	for (unsigned int i = 0; i < boot->n_lcores; i++)
		if (boot->lcores[i].role == role && nth-- == 0)
			return &boot->lcores[i];
	return NULL;
}

void
bh_boot_default_groups(struct bh_boot *boot)
{
	static const unsigned int wish[BH_GROUP_MAX] = {
		[BH_GROUP_LINK] = 0,
		[BH_GROUP_ROUTE4] = 1,
		[BH_GROUP_ROUTE6] = 2,
		[BH_GROUP_MISC] = 0,
	};
	unsigned int n = 0;

	while (bh_boot_lcore(boot, BH_LCORE_WORKER, n) != NULL)
		n++;
	for (unsigned int g = 0; n > 0 && g < BH_GROUP_MAX; g++)
		boot->group_lcore[g] = bh_boot_lcore(boot, BH_LCORE_WORKER, wish[g] % n)->id;
}

static void
add_lcore(struct bh_boot *boot, uint32_t cpu, uint32_t role)
{
	boot->lcores[boot->n_lcores] = (struct bh_boot_lcore){boot->n_lcores, cpu, role};
	boot->n_lcores++;
}

void
bh_boot_default_plan(struct bh_boot *boot, const uint32_t *cpus, unsigned int n)
{
	static const uint32_t sleeping[] = {BH_LCORE_MAIN, BH_LCORE_CONTROL_PROXY,
		BH_LCORE_SERVICE_PROXY, BH_LCORE_INFOBASE, BH_LCORE_WORKER, BH_LCORE_WORKER,
		BH_LCORE_WORKER, BH_LCORE_PUNT};
	uint32_t first = n > 0 ? cpus[0] : 0;

	boot->n_lcores = 0;
	for (unsigned int i = 0; i < sizeof(sleeping) / sizeof(sleeping[0]); i++)
		add_lcore(boot, first, sleeping[i]);
	if (n <= 1)
		add_lcore(boot, first, BH_LCORE_FORWARDING);
	for (unsigned int i = 1; i < n && boot->n_lcores < BH_BOOT_LCORES; i++)
		add_lcore(boot, cpus[i], BH_LCORE_FORWARDING);
	bh_boot_default_groups(boot);
}
