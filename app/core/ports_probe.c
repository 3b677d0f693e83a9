/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a device string to an ethdev port, and back.
 *
 * PCI. EAL runs with an allow-list that matches no device, so nothing is taken at boot. That does
 * not hinder a later rte_dev_probe("0000:03:00.0"): it inserts a devargs of policy "allowed" for
 * this address first and scans the bus again, and the scan's allow-list is the list of devargs,
 * so exactly this one device passes the filter (seen with 22.11 and -a ffff:ff:1f.7: an address
 * that exists answers "no driver", another one "no device"). With --no-pci the bus is never
 * scanned and every PCI probe fails: the core must not be started with it.
 *
 * What EAL would do badly is refused before it is asked. A device string in the layered syntax
 * (bus=, class=, driver=) crashes 22.11 when it lacks a name; a vdev of another class
 * (crypto_*, event_*) is made although nothing comes of it; a device that is probed already
 * answers success and no new port. A PCI device in the hands of a kernel driver is not touched:
 * sysfs says who has it, and the text says how to bind it.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_pci.h>
#include <rte_string_fns.h>

#include "app/core/ports_priv.h"
#include "lib/log/log.h"

#define SYSFS_PCI "/sys/bus/pci/devices"
#define SO_ACCEPTCON_FLAG 0x10000 /* of /proc/net/unix: listens */

/* Drivers of the kernel that leave a device to us, or share it (bifurcated). Not uio: EAL runs with
 * --iova-mode=va, and uio devices know physical addresses only. */
static bool
driver_serves_dpdk(const char *driver)
{
	static const char *const good[] = { "mlx4_core", "mlx5_core", "mana" };

	if (strstr(driver, "vfio"))
		return true;
	for (size_t i = 0; i < RTE_DIM(good); i++)
		if (!strcmp(driver, good[i]))
			return true;
	return false;
}

static bool
is_ethernet_vdev(const char *name)
{
	return !strncmp(name, "net_", 4) || !strncmp(name, "eth_", 4) ||
		!strncmp(name, "virtio_user", 11);
}

int
bh_port_device_name(const char *device, char *name, size_t len)
{
	static const char *const layers[] = { "/bus=", "/class=", "/driver=" };
	size_t n = strcspn(device, ",");
	struct rte_pci_addr pci;

	if (n == 0 || n >= len)
		return -EINVAL;
	for (size_t i = 0; device[i]; i++)
		if (!isprint((unsigned char)device[i]) || (i < n && strchr("=/ ", device[i])))
			return -EINVAL;
	for (size_t i = 0; i < RTE_DIM(layers); i++)
		if (strstr(device, layers[i]))
			return -EINVAL;
	memcpy(name, device, n);
	name[n] = '\0';
	if (!rte_pci_addr_parse(name, &pci)) {
		if (len < PCI_PRI_STR_SIZE)
			return -EINVAL;
		rte_pci_device_name(&pci, name, len);
		return 0;
	}
	return is_ethernet_vdev(name) ? 0 : -EINVAL;
}

bool
bh_port_devarg(const char *device, const char *key, char *buf, size_t len)
{
	size_t klen = strlen(key), vlen;

	for (const char *s = strchr(device, ','); s; s = strchr(s, ',')) {
		s++;
		if (strncmp(s, key, klen) || s[klen] != '=')
			continue;
		vlen = strcspn(s + klen + 1, ",");
		if (vlen >= len)
			return false;
		memcpy(buf, s + klen + 1, vlen);
		buf[vlen] = '\0';
		return true;
	}
	return false;
}

/* Last part of the link root/addr/what; false: there is none. */
static bool
sysfs_link(const char *root, const char *addr, const char *what, char *buf, size_t len)
{
	char path[256], target[256];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s/%s", root, addr, what);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	base = strrchr(target, '/');
	rte_strscpy(buf, base ? base + 1 : target, len);
	return true;
}

static unsigned long
sysfs_class(const char *root, const char *addr)
{
	char path[256], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s/class", root, addr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtoul(text, NULL, 16);
}

int
bh_port_check_pci(struct bh_port *p, const char *root, const char *addr)
{
	char path[256], driver[32];

	snprintf(path, sizeof(path), "%s/%s", root, addr);
	if (access(path, F_OK))
		return bh_port_fail(p, -EAGAIN,
			"%s: no such PCI device: dpdk-devbind.py --status-dev net lists them",
			addr);
	if (sysfs_class(root, addr) >> 16 != 0x02)
		return bh_port_fail(p, -EAGAIN, "%s: not a network device", addr);
	if (!sysfs_link(root, addr, "driver", driver, sizeof(driver)))
		return bh_port_fail(p, -EAGAIN,
			"%s: not bound: dpdk-devbind.py -b vfio-pci %s", addr, addr);
	if (!driver_serves_dpdk(driver))
		return bh_port_fail(p, -EAGAIN,
			"%s: kernel driver %.20s has it: dpdk-devbind.py -b vfio-pci %s", addr,
			driver, addr);
	return 0;
}

/* Why a bound PCI device could not be probed. */
static int
explain_pci(struct bh_port *p, const char *addr, int err)
{
	char driver[32] = "?", group[32], path[64];

	sysfs_link(SYSFS_PCI, addr, "driver", driver, sizeof(driver));
	if (!strstr(driver, "vfio"))
		return bh_port_fail(p, err, "%s: probe failed (%s): %.16s needs rdma-core",
			addr, strerror(-err), driver);
	if (!sysfs_link(SYSFS_PCI, addr, "iommu_group", group, sizeof(group)))
		return bh_port_fail(p, err,
			"%s: no IOMMU: boot with intel_iommu=on iommu=pt (or amd_iommu=on)", addr);
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS))
		return bh_port_fail(p, err, "%s: %s: %s: give it to bulkhead's group", addr, path,
			strerror(errno));
	if (err == -ENOTSUP)
		return bh_port_fail(p, err, "%s: DPDK has no driver for this device", addr);
	return bh_port_fail(p, err,
		"%s: probe failed (%s): is all of IOMMU group %s on vfio-pci?", addr,
		strerror(-err), group);
}

static bool
have_capability(unsigned int cap)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &hdr, data) < 0)
		return false;
	return data[cap / 32].effective & (1u << (cap % 32));
}

static bool
is_driver(const char *name, const char *driver)
{
	return !strncmp(name, driver, strlen(driver));
}

/* What a vdev on a kernel interface needs, looked at before EAL is asked. */
static int
check_vdev(struct bh_port *p, const char *name)
{
	bool packet = is_driver(name, "net_af_packet") || is_driver(name, "eth_af_packet");
	bool tap = is_driver(name, "net_tap") || is_driver(name, "eth_tap");
	char iface[IFNAMSIZ];

	if (packet && !have_capability(CAP_NET_RAW))
		return bh_port_fail(p, -EAGAIN,
			"%.32s: needs CAP_NET_RAW: restart bulkhead as root with it", name);
	if (tap && !have_capability(CAP_NET_ADMIN))
		return bh_port_fail(p, -EAGAIN,
			"%.32s: needs CAP_NET_ADMIN: restart bulkhead as root with it", name);
	if (tap && access("/dev/net/tun", F_OK))
		return bh_port_fail(p, -EAGAIN, "%.32s: no /dev/net/tun: modprobe tun", name);
	if (!packet)
		return 0;
	if (!bh_port_devarg(p->cfg.device, "iface", iface, sizeof(iface)))
		return bh_port_fail(p, -EINVAL, "%.32s: iface=NAME is missing", name);
	if (!if_nametoindex(iface))
		return bh_port_fail(p, -EAGAIN, "%.32s: there is no kernel interface %s", name,
			iface);
	return 0;
}

static bool
is_memif_server(const char *device)
{
	char role[16];

	return bh_port_devarg(device, "role", role, sizeof(role)) &&
		(!strcmp(role, "server") || !strcmp(role, "master"));
}

/*
 * Whether a process listens on this socket of the file system; true if that cannot be told. It is
 * not tried by connecting: net_memif 22.11 as a server panics when a client hangs up at once.
 */
static bool
is_listened(const char *path)
{
	FILE *f = fopen("/proc/net/unix", "re");
	bool found = false;
	char line[256];

	if (!f)
		return true;
	while (!found && fgets(line, sizeof(line), f)) {
		unsigned long flags;
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		found = sscanf(line, "%*s %*s %*s %lx %*s %*s %*s %n", &flags, &at) == 1 && at &&
			(flags & SO_ACCEPTCON_FLAG) && !strcmp(line + at, path);
	}
	fclose(f);
	return found;
}

/* The socket of a memif server that was killed stays in the file system, and nobody, its successor
 * neither, could bind it again. */
static void
remove_dead_socket(const char *device)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)], abstract[8];
	struct stat st;

	if (!is_memif_server(device) || !bh_port_devarg(device, "socket", path, sizeof(path)) ||
			!bh_port_devarg(device, "socket-abstract", abstract, sizeof(abstract)) ||
			strcmp(abstract, "no"))
		return;
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode) && !is_listened(path) && !unlink(path))
		bh_notice("ports", "%s: left by a process that is gone, removed", path);
}

/* Why a vdev could not be probed: EAL's codes say little, its log says more. */
static int
explain_vdev(struct bh_port *p, const char *name, int err)
{
	if (err == -EFAULT)
		return bh_port_fail(p, err,
			"%.32s: no such driver: a PCI address, or net_memif0,...", name);
	if (is_driver(name, "net_memif"))
		return bh_port_fail(p, err,
			"%.32s: refused: see role=, id=, socket= (its folder must be writable)",
			name);
	return bh_port_fail(p, err, "%.32s: driver refused it (%s): check its devargs", name,
		strerror(-err));
}

/* The port that the device of this name brought. */
static int
find_port(const char *name, uint16_t *port_id)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
		if (!rte_eth_dev_info_get(id, &info) && info.device &&
			!strcmp(rte_dev_name(info.device), name)) {
			*port_id = id;
			return 0;
		}
	return -ENODEV;
}

static int
check_unused(struct bh_ports *ps, struct bh_port *p, const char *name)
{
	uint16_t id;

	for (unsigned int i = 1; i < BH_IF_MAX; i++)
		if (&ps->port[i] != p && ps->port[i].probed && !strcmp(ps->port[i].dev_name, name))
			return bh_port_fail(p, -EAGAIN, "%.40s: used by interface %s already", name,
				ps->port[i].name);
	if (!find_port(name, &id))
		return bh_port_fail(p, -EBUSY, "%.40s: in use already", name);
	return 0;
}

/* A memif client connects when it is started, and only then. */
static bool
is_memif_client(const char *name, const char *device)
{
	return is_driver(name, "net_memif") && !is_memif_server(device);
}

int
bh_port_probe(struct bh_ports *ps, struct bh_port *p)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	struct rte_pci_addr addr;
	bool pci;
	int ret;

	if (bh_port_device_name(p->cfg.device, name, sizeof(name)))
		return bh_port_fail(p, -EINVAL,
			"%.32s: not a PCI address (0000:03:00.0) nor a net_ vdev", p->cfg.device);
	pci = !rte_pci_addr_parse(name, &addr);
	ret = check_unused(ps, p, name);
	if (!ret)
		ret = pci ? bh_port_check_pci(p, SYSFS_PCI, name) : check_vdev(p, name);
	if (ret)
		return ret;
	if (is_driver(name, "net_memif"))
		remove_dead_socket(p->cfg.device);
	ret = rte_dev_probe(p->cfg.device);
	if (ret)
		return pci ? explain_pci(p, name, ret) : explain_vdev(p, name, ret);
	if (find_port(name, &p->port_id))
		return bh_port_fail(p, -ENODEV, "%.40s: has no Ethernet port", name);
	snprintf(p->dev_name, sizeof(p->dev_name), "%s", name);
	p->probed = true;
	if (rte_eth_macaddr_get(p->port_id, &p->own))
		memset(&p->own, 0, sizeof(p->own));
	p->revive = is_memif_client(name, p->cfg.device);
	return 0;
}

/* A device whose driver cannot set an address has its own still. */
static void
restore_address(const struct bh_port *p)
{
	struct rte_ether_addr own = p->own, now;

	if (!rte_is_zero_ether_addr(&own) && !rte_eth_macaddr_get(p->port_id, &now) &&
			!rte_is_same_ether_addr(&own, &now))
		rte_eth_dev_default_mac_addr_set(p->port_id, &own);
}

void
bh_port_remove(struct bh_port *p)
{
	struct rte_eth_dev_info info;
	int ret;

	if (!p->probed)
		return;
	p->probed = false;
	restore_address(p);
	ret = rte_eth_dev_info_get(p->port_id, &info);
	if (!ret && !rte_eth_dev_close(p->port_id) && info.device)
		ret = rte_dev_remove(info.device);
	if (ret)
		bh_warn("ports", "%s: device %s could not be removed: %s", p->name, p->dev_name,
			strerror(-ret));
	p->port_id = BH_PORT_NONE;
}
