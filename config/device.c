/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK devices as they are written: `0000:03:00.0,arg=1`, `pci:03:00.0`,
 * `net_memif0,role=server,id=0`. Two are the same if their names are (a PCI address with or
 * without domain, in either case), or if they are virtual devices of one driver over the same
 * thing: the same `iface=`, or the same end of the same memif.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"

/* Part of a device string. */
struct part {
	const char *s;
	size_t len;
};

static bool
part_same(struct part a, struct part b)
{
	return a.len == b.len && strncasecmp(a.s, b.s, a.len) == 0;
}

/* Name without bus and without the domain 0000 of PCI. */
static struct part
name_of(const char *device)
{
	static const char *const skip[] = {"pci:", "vdev:", "0000:"};

	for (size_t i = 0; i < sizeof(skip) / sizeof(skip[0]); i++)
		if (strncasecmp(device, skip[i], strlen(skip[i])) == 0)
			device += strlen(skip[i]);
	return (struct part){device, strcspn(device, ",")};
}

/* Name of a virtual device without its number. */
static struct part
driver_of(const char *device)
{
	struct part p = name_of(device);

	while (p.len > 0 && isdigit((unsigned char)p.s[p.len - 1]))
		p.len--;
	return p;
}

static struct part
arg_of(const char *device, const char *key, const char *otherwise)
{
	size_t len = strlen(key);

	for (const char *p = strchr(device, ','); p != NULL; p = strchr(p + 1, ','))
		if (strncmp(p + 1, key, len) == 0 && p[1 + len] == '=')
			return (struct part){p + len + 2, strcspn(p + len + 2, ",")};
	return (struct part){otherwise, strlen(otherwise)};
}

static bool
starts(const char *device, const char *driver)
{
	struct part p = name_of(device);

	return strncmp(p.s, driver, strlen(driver)) == 0;
}

/* Old words for the ends of a memif. */
static bool
memif_serves(const char *device)
{
	struct part role = arg_of(device, "role", "client");

	return strncmp(role.s, "server", role.len) == 0 || strncmp(role.s, "master", role.len) == 0;
}

static bool
memif_same(const char *a, const char *b)
{
	return memif_serves(a) == memif_serves(b) &&
		part_same(arg_of(a, "id", "0"), arg_of(b, "id", "0")) &&
		part_same(arg_of(a, "socket", "/run/memif.sock"),
			arg_of(b, "socket", "/run/memif.sock"));
}

bool
bh_device_same(const char *a, const char *b)
{
	struct part ifa = arg_of(a, "iface", ""), ifb = arg_of(b, "iface", "");

	if (part_same(name_of(a), name_of(b)))
		return true;
	if (!part_same(driver_of(a), driver_of(b)))
		return false;
	if (starts(a, "net_memif"))
		return memif_same(a, b);
	return ifa.len > 0 && ifa.len == ifb.len && strncmp(ifa.s, ifb.s, ifa.len) == 0;
}

bool
bh_device_is_kernel(const char *device)
{
	if (starts(device, "net_tap") || starts(device, "net_af_packet") ||
		starts(device, "net_af_xdp"))
		return true;
	if (starts(device, "net_pcap"))
		return strstr(device, "iface=") != NULL;
	return starts(device, "net_virtio_user") && strstr(device, "/dev/vhost-net") != NULL;
}
