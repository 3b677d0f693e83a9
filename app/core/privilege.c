/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/privilege.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <rte_pci.h>

#define BIT(cap) (UINT64_C(1) << (cap))

/* Whether the device is of PCI; its name in full then. */
static bool
is_pci(const char *device, char name[PCI_PRI_STR_SIZE])
{
	char first[BH_DEVICE_LEN];
	struct rte_pci_addr addr;

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(device, ","), device);
	if (rte_pci_addr_parse(first, &addr) < 0)
		return false;
	rte_pci_device_name(&addr, name, PCI_PRI_STR_SIZE);
	return true;
}

/* Drivers that leave the device to the kernel, which then checks who asks. */
static bool
is_shared(const char *sysfs, const char *name)
{
	static const char *const shared[] = {"mlx4_core", "mlx5_core", "mana"};
	char path[256], link[256];
	const char *driver;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s/driver", sysfs, name);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = '\0';
	driver = strrchr(link, '/');
	for (unsigned int i = 0; driver != NULL && i < sizeof(shared) / sizeof(shared[0]); i++)
		if (strcmp(driver + 1, shared[i]) == 0)
			return true;
	return false;
}

static bool
locks_enough(void)
{
	struct rlimit lim;

	return getrlimit(RLIMIT_MEMLOCK, &lim) == 0 && lim.rlim_cur == RLIM_INFINITY;
}

uint64_t
bh_privilege_needed(const struct bh_boot *boot, const char *sysfs)
{
	const uint64_t net = BIT(CAP_NET_RAW) | BIT(CAP_NET_ADMIN);
	uint64_t need = boot->kernel_vdev ? net : 0;

	for (unsigned int i = 0; i < boot->n_interfaces; i++) {
		const char *device = boot->interfaces[i].device;
		char name[PCI_PRI_STR_SIZE];

		if (strncmp(device, "net_af_xdp", 10) == 0)
			need |= BIT(CAP_BPF);
		if (!is_pci(device, name))
			continue;
		if (!locks_enough())
			need |= BIT(CAP_IPC_LOCK);
		if (is_shared(sysfs, name))
			need |= net;
	}
	return need;
}

static bool
has(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t set = CAP_CLEAR;

	return cap_get_flag(caps, cap, CAP_PERMITTED, &set) == 0 && set == CAP_SET;
}

/* Permitted and effective: `keep`, as far as it is there; inheritable: none. */
static int
reduce(uint64_t keep)
{
	cap_t have = cap_get_proc(), want = cap_init();
	int rc = have == NULL || want == NULL ? -ENOMEM : 0;

	for (cap_value_t cap = 0; cap < cap_max_bits() && rc == 0; cap++) {
		if (!(keep & BIT(cap)) || !has(have, cap))
			continue;
		if (cap_set_flag(want, CAP_PERMITTED, 1, &cap, CAP_SET) < 0 ||
			cap_set_flag(want, CAP_EFFECTIVE, 1, &cap, CAP_SET) < 0)
			rc = -errno;
	}
	if (rc == 0 && cap_set_proc(want) < 0)
		rc = -errno;
	cap_free(have);
	cap_free(want);
	return rc;
}

int
bh_privilege_drop(const struct bh_boot *boot)
{
	uint64_t keep = bh_privilege_needed(boot, "/sys/bus/pci/devices");
	int rc;

	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		cap_drop_bound(cap); /* refused to who has none to give */
	rc = reduce(keep);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	return rc;
}
