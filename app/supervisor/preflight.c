/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/preflight.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/supervisor/privilege.h"
#include "lib/log/log.h"

static int
fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
fail(int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bh_err("start", "%s", text);
	return code;
}

static int
rundir_failed(const char *path)
{
	int err = errno;

	if (err == EACCES || err == EPERM || err == EROFS)
		return fail(BH_EXIT_PRIVILEGE, "%s: %s: run as root, or choose a directory of yours "
			"with --run-dir", path, strerror(err));
	return fail(BH_EXIT_FAILED, "%s: %s", path, strerror(err));
}

/* A core that outlived its supervisor forwards on. Its pid; 0: none. */
static pid_t
find_orphan(const char *rundir)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	if (fd < 0)
		return 0;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/core.sock", rundir);
	if ((connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno != EAGAIN) ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		peer.pid = 0;
	close(fd);
	return peer.pid;
}

int
bh_preflight_rundir(const struct bh_options *opt, int *lock_fd, pid_t *core)
{
	char path[128], pid[16] = "";

	if (mkdir(opt->rundir, 0755) == 0)
		chmod(opt->rundir, 0755); /* whatever the umask: the sockets have modes of their own */
	else if (errno != EEXIST)
		return rundir_failed(opt->rundir);
	snprintf(path, sizeof(path), "%s/bulkhead.lock", opt->rundir);
	*lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*lock_fd < 0)
		return rundir_failed(path);
	if (flock(*lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (read(*lock_fd, pid, sizeof(pid) - 1) < 0)
			pid[0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		close(*lock_fd);
		return fail(BH_EXIT_BUSY, "bulkhead runs already in %s (pid %s): stop it, or choose "
			"another directory with --run-dir", opt->rundir, pid);
	}
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(*lock_fd, 0) < 0 || write(*lock_fd, pid, strlen(pid)) < 0) {
		int rc = rundir_failed(path);

		close(*lock_fd);
		return rc;
	}
	*core = find_orphan(opt->rundir);
	return BH_EXIT_OK;
}

static long
read_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

/* Free hugepages of all sizes, in MiB. */
static unsigned long
free_hugepages(void)
{
	static const char dir[] = "/sys/kernel/mm/hugepages";
	unsigned long kib, total = 0;
	struct dirent *e;
	char path[320];
	DIR *d = opendir(dir);

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (sscanf(e->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", dir, e->d_name);
		total += read_number(path) * kib / 1024;
	}
	closedir(d);
	return total;
}

static int
check_memory(const struct bh_boot *boot)
{
	unsigned long mib = free_hugepages();

	if (!boot->hugepages || mib >= boot->memory)
		return BH_EXIT_OK;
	return fail(BH_EXIT_MEMORY, "%u MiB of hugepages are needed, %lu MiB are free: "
		"sysctl vm.nr_hugepages=%lu, or start with --no-huge", boot->memory, mib,
		read_number("/proc/sys/vm/nr_hugepages") + (boot->memory - mib + 1) / 2);
}

static int
check_privilege(const struct bh_boot *boot)
{
	if (!boot->kernel_vdev || (bh_have_capability(CAP_NET_RAW) &&
		bh_have_capability(CAP_NET_ADMIN)))
		return BH_EXIT_OK;
	return fail(BH_EXIT_PRIVILEGE, "a configured device is a kernel interface, which takes "
		"CAP_NET_RAW and CAP_NET_ADMIN: run as root");
}

/* 0000:03:00.0 or 03:00.0, before any devargs: the full form in addr. */
static bool
pci_address(const char *device, char addr[16])
{
	unsigned int domain, bus, dev, func;
	int end = 0;

	if (sscanf(device, "%4x:%2x:%2x.%1x%n", &domain, &bus, &dev, &func, &end) != 4) {
		domain = 0;
		if (sscanf(device, "%2x:%2x.%1x%n", &bus, &dev, &func, &end) != 3)
			return false;
	}
	if (device[end] != '\0' && device[end] != ',')
		return false;
	snprintf(addr, 16, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff, dev & 0x1f, func & 7);
	return true;
}

/* A NIC that nobody gives to user space: what to do depends on whether vfio-pci would take it. */
static int
tell_to_bind(const char *sysfs, const char *name, const char *addr, const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu_group", sysfs, addr);
	if (access(path, F_OK) == 0)
		return fail(BH_EXIT_DEVICE, "interface %s: PCI device %s is bound to %s: "
			"dpdk-devbind.py --bind=vfio-pci %s", name, addr, driver, addr);
	return fail(BH_EXIT_DEVICE, "interface %s: PCI device %s is bound to %s, and vfio-pci takes "
		"none without an IOMMU: enable it in the firmware, boot with intel_iommu=on iommu=pt "
		"(AMD: iommu=pt), then dpdk-devbind.py --bind=vfio-pci %s", name, addr, driver, addr);
}

/* Drivers that give a NIC to user space: vfio-pci, and the bifurcated ones that stay with the
 * kernel. uio drivers are none of them: they know no virtual addresses, as --iova-mode=va wants. */
int
bh_preflight_pci(const char *sysfs, const char *name, const char *addr)
{
	static const char *const user[] = {"vfio-pci", "mlx5_core", "mlx4_core", "mana"};
	char path[128], link[256];
	const char *driver;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", sysfs, addr);
	if (access(path, F_OK) < 0)
		return fail(BH_EXIT_DEVICE, "interface %s: PCI device %s is absent: look at "
			"dpdk-devbind.py --status, or start with --allow-missing", name, addr);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sysfs, addr);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = '\0';
	driver = strrchr(link, '/');
	driver = driver != NULL ? driver + 1 : "no driver";
	for (unsigned int i = 0; i < sizeof(user) / sizeof(user[0]); i++)
		if (strcmp(driver, user[i]) == 0)
			return BH_EXIT_OK;
	return tell_to_bind(sysfs, name, addr, driver);
}

/* A vdev over a kernel interface: net_af_packet0,iface=NAME and the like. */
static int
check_kernel_interface(const char *name, const char *device)
{
	const char *iface = strstr(device, ",iface=");
	char path[64], kernel[16];
	size_t len;

	if (iface == NULL || strncmp(device, "net_tap", 7) == 0)
		return BH_EXIT_OK;
	iface += strlen(",iface=");
	len = strcspn(iface, ",");
	if (len == 0 || len >= sizeof(kernel))
		return fail(BH_EXIT_DEVICE, "interface %s: device %s names no kernel interface",
			name, device);
	memcpy(kernel, iface, len);
	kernel[len] = '\0';
	snprintf(path, sizeof(path), "/sys/class/net/%s", kernel);
	if (access(path, F_OK) == 0)
		return BH_EXIT_OK;
	return fail(BH_EXIT_DEVICE, "interface %s: kernel interface %s is absent: make it first "
		"(ip link), or start with --allow-missing", name, kernel);
}

static int
check_devices(const struct bh_boot *boot)
{
	char addr[16];
	int rc = BH_EXIT_OK;

	for (unsigned int i = 0; i < boot->n_interfaces && rc == BH_EXIT_OK; i++) {
		const struct bh_boot_interface *ifc = &boot->interfaces[i];

		rc = pci_address(ifc->device, addr) ?
			bh_preflight_pci("/sys", ifc->name, addr) :
			check_kernel_interface(ifc->name, ifc->device);
	}
	return rc;
}

int
bh_preflight_machine(const struct bh_options *opt, const struct bh_boot *boot)
{
	int rc = check_memory(boot);

	if (rc == BH_EXIT_OK)
		rc = check_privilege(boot);
	if (rc == BH_EXIT_OK && !opt->allow_missing)
		rc = check_devices(boot);
	return rc;
}
