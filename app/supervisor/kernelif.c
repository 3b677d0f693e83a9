/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/kernelif.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "lib/log/log.h"
#include "lib/net/prefix.h"

#define BUF 8192 /* at least MNL_SOCKET_BUFFER_SIZE */
#define LAST_RESORT_METRIC 0xf0000000u
#define ROUTE_PROTOCOL 98 /* whose route it is; free in /etc/iproute2/rt_protos */

struct bh_kernelif {
	struct mnl_socket *nl;
	uint32_t seq;
	char buf[BUF];
};

struct bh_kernelif *
bh_kernelif_open(void)
{
	struct bh_kernelif *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->seq = time(NULL);
	k->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (k->nl != NULL && mnl_socket_bind(k->nl, 0, MNL_SOCKET_AUTOPID) == 0)
		return k;
	bh_kernelif_close(k);
	return NULL;
}

void
bh_kernelif_close(struct bh_kernelif *k)
{
	if (k->nl != NULL)
		mnl_socket_close(k->nl);
	free(k);
}

/* ---- netlink ---- */

static struct nlmsghdr *
request(struct bh_kernelif *k, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(k->buf);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = ++k->seq;
	return m;
}

/* What is left of a dump that failed would be taken for the next answer. Bounded. */
static void
drain(struct bh_kernelif *k)
{
	int fd = mnl_socket_get_fd(k->nl);

	for (unsigned int i = 0; i < 256; i++)
		if (recv(fd, k->buf, sizeof(k->buf), MSG_DONTWAIT) < 0)
			return;
}

/* Sends a request and takes its answer or acknowledgement. 0 or -errno. */
static int
talk(struct bh_kernelif *k, const struct nlmsghdr *m, mnl_cb_t cb, void *arg)
{
	unsigned int port = mnl_socket_get_portid(k->nl);
	ssize_t n = mnl_socket_sendto(k->nl, m, m->nlmsg_len);
	int rc = n < 0 ? -errno : 1;

	while (rc > 0) {
		n = mnl_socket_recvfrom(k->nl, k->buf, sizeof(k->buf));
		rc = n < 0 ? -1 : mnl_cb_run(k->buf, n, k->seq, port, cb, arg);
		rc = rc < 0 ? -errno : rc;
	}
	if (rc < 0 && cb != NULL)
		drain(k);
	return rc;
}

static int
do_request(struct bh_kernelif *k, struct nlmsghdr *m)
{
	m->nlmsg_flags |= NLM_F_ACK;
	return talk(k, m, NULL, NULL);
}

/* Remembers the first failure. */
static void
note(int *first, int rc)
{
	if (*first == 0 && rc < 0)
		*first = rc;
}

static struct nlmsghdr *
link_request(struct bh_kernelif *k, unsigned int ifindex, unsigned int change, unsigned int flags)
{
	struct nlmsghdr *m = request(k, RTM_NEWLINK, 0);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(m, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	ifi->ifi_change = change;
	ifi->ifi_flags = flags;
	return m;
}

/* ---- a new TAP ---- */

static int
no_own_addresses(struct bh_kernelif *k, unsigned int ifindex)
{
	struct nlmsghdr *m = link_request(k, ifindex, IFF_NOARP, IFF_NOARP);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *six = mnl_attr_nest_start(m, AF_INET6);

	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, six);
	mnl_attr_nest_end(m, spec);
	return do_request(k, m);
}

static int
set_sysctl(const char *family, const char *name, const char *key, const char *value)
{
	char path[128];
	int rc = 0, fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The stricter of this interface's and `all` holds: where all is strict, ours must be loose. */
static const char *
rp_filter(void)
{
	char text[4] = "";
	int fd = open("/proc/sys/net/ipv4/conf/all/rp_filter", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	return text[0] == '1' ? "2" : "0";
}

static int
set_sysctls(const char *name)
{
	static const struct {
		const char *family, *key, *value;
	} keys[] = {
		{"ipv4", "forwarding", "0"},	   {"ipv4", "accept_redirects", "0"},
		{"ipv6", "forwarding", "0"},	   {"ipv6", "accept_redirects", "0"},
		{"ipv6", "accept_ra", "0"},	   {"ipv6", "router_solicitations", "0"},
		{"ipv6", "keep_addr_on_down", "1"},
	};
	int rc = set_sysctl("ipv4", name, "rp_filter", rp_filter());

	for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int one = set_sysctl(keys[i].family, name, keys[i].key, keys[i].value);

		/* A kernel may be without IPv6. */
		if (one != -ENOENT || strcmp(keys[i].family, "ipv4") == 0)
			note(&rc, one);
	}
	return rc;
}

int
bh_kernelif_prepare(struct bh_kernelif *k, unsigned int ifindex, const char *name)
{
	int rc = no_own_addresses(k, ifindex);

	if (rc == -EAFNOSUPPORT) /* no IPv6 in this kernel */
		rc = do_request(k, link_request(k, ifindex, IFF_NOARP, IFF_NOARP));
	note(&rc, set_sysctls(name));
	return rc;
}

/* ---- link ---- */

static int
set_link(struct bh_kernelif *k, unsigned int ifindex, const struct bh_hostask *want)
{
	struct nlmsghdr *m = link_request(k, ifindex, IFF_UP,
		want->flags & BH_HOSTASK_UP ? IFF_UP : 0);

	mnl_attr_put(m, IFLA_ADDRESS, sizeof(want->mac), want->mac);
	mnl_attr_put_u32(m, IFLA_MTU, want->mtu);
	return do_request(k, m);
}

/* ---- addresses ---- */

struct dump {
	unsigned int ifindex;
	const struct bh_hostask *want;
	bool has[BH_HOSTASK_ADDRS]; /* of want */
	unsigned int n_surplus;
	struct bh_hostask_addr surplus[BH_HOSTASK_ADDRS]; /* the kernel has, nobody wants */
};

static bool
same(const struct bh_hostask_addr *a, const struct bh_hostask_addr *b)
{
	return a->family == b->family && a->plen == b->plen &&
		memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static void
found(struct dump *d, const struct bh_hostask_addr *a)
{
	for (unsigned int i = 0; i < d->want->n; i++)
		if (same(&d->want->addr[i], a)) {
			d->has[i] = true;
			return;
		}
	if (d->n_surplus < BH_HOSTASK_ADDRS)
		d->surplus[d->n_surplus++] = *a;
}

/* The address of one that has a peer is IFA_LOCAL; IPv6 has mostly IFA_ADDRESS alone. */
static int
on_addr(const struct nlmsghdr *m, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(m);
	struct bh_hostask_addr a = {.plen = ifa->ifa_prefixlen};
	const struct nlattr *attr, *addr = NULL;
	struct dump *d = arg;

	if (m->nlmsg_type != RTM_NEWADDR || ifa->ifa_index != d->ifindex)
		return MNL_CB_OK;
	a.family = ifa->ifa_family == AF_INET ? BH_IP4 : ifa->ifa_family == AF_INET6 ? BH_IP6 : 0;
	mnl_attr_for_each(attr, m, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_LOCAL || (type == IFA_ADDRESS && addr == NULL))
			addr = attr;
	}
	if (addr == NULL || a.family == 0 ||
		mnl_attr_get_payload_len(addr) != bh_addr_len(a.family))
		return MNL_CB_OK;
	memcpy(a.addr, mnl_attr_get_payload(addr), bh_addr_len(a.family));
	found(d, &a);
	return MNL_CB_OK;
}

static int
dump_addresses(struct bh_kernelif *k, struct dump *d)
{
	struct nlmsghdr *m = request(k, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(m, sizeof(*ifa));

	ifa->ifa_family = AF_UNSPEC;
	return talk(k, m, on_addr, d);
}

static int
change_address(struct bh_kernelif *k, unsigned int ifindex, const struct bh_hostask_addr *a,
	bool add)
{
	struct nlmsghdr *m = request(k, add ? RTM_NEWADDR : RTM_DELADDR,
		add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(m, sizeof(*ifa));
	size_t len = bh_addr_len(a->family);

	ifa->ifa_family = a->family == BH_IP4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = a->plen;
	ifa->ifa_index = ifindex;
	ifa->ifa_flags = a->family == BH_IP6 ? IFA_F_NODAD : 0;
	if (a->family == BH_IP6 && bh_ip6_is_link_local(a->addr))
		ifa->ifa_scope = RT_SCOPE_LINK;
	mnl_attr_put(m, IFA_LOCAL, len, a->addr);
	mnl_attr_put(m, IFA_ADDRESS, len, a->addr);
	return do_request(k, m);
}

/* Surplus ones go first: an address with a new prefix length goes and comes. */
static int
set_addresses(struct bh_kernelif *k, unsigned int ifindex, const struct bh_hostask *want)
{
	struct dump d = {.ifindex = ifindex, .want = want};
	int one, rc = dump_addresses(k, &d);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < d.n_surplus; i++) {
		one = change_address(k, ifindex, &d.surplus[i], false);
		/* It went with another: IPv4 secondaries. */
		note(&rc, one == -EADDRNOTAVAIL ? 0 : one);
	}
	if (d.n_surplus > 0) { /* and so may have what is wanted */
		memset(&d, 0, sizeof(d));
		d.ifindex = ifindex;
		d.want = want;
		note(&rc, dump_addresses(k, &d));
	}
	for (unsigned int i = 0; i < want->n; i++)
		if (!d.has[i])
			note(&rc, change_address(k, ifindex, &want->addr[i], true));
	return rc;
}

/* ---- the route of last resort ---- */

static int
change_default(struct bh_kernelif *k, unsigned int ifindex, uint8_t family, bool add)
{
	struct nlmsghdr *m = request(k, add ? RTM_NEWROUTE : RTM_DELROUTE,
		add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(m, sizeof(*rt));

	rt->rtm_family = family == BH_IP4 ? AF_INET : AF_INET6;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = ROUTE_PROTOCOL;
	rt->rtm_scope = family == BH_IP4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(m, RTA_OIF, ifindex);
	mnl_attr_put_u32(m, RTA_PRIORITY, LAST_RESORT_METRIC);
	return do_request(k, m);
}

/* One that is down has no routes. */
static int
set_default(struct bh_kernelif *k, unsigned int ifindex, uint8_t family,
	const struct bh_hostask *want)
{
	uint32_t flag = family == BH_IP4 ? BH_HOSTASK_DEFAULT4 : BH_HOSTASK_DEFAULT6;
	bool add = (want->flags & BH_HOSTASK_UP) && (want->flags & flag);
	int rc = change_default(k, ifindex, family, add);

	return !add && (rc == -ESRCH || rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP) ? 0 : rc;
}

int
bh_kernelif_equal(struct bh_kernelif *k, unsigned int ifindex, int tap_fd,
	const struct bh_hostask *want)
{
	int carrier = (want->flags & BH_HOSTASK_CARRIER) != 0;
	int rc = set_link(k, ifindex, want);

	if (ioctl(tap_fd, TUNSETCARRIER, &carrier) < 0)
		note(&rc, -errno);
	note(&rc, set_addresses(k, ifindex, want));
	note(&rc, set_default(k, ifindex, BH_IP4, want));
	note(&rc, set_default(k, ifindex, BH_IP6, want));
	return rc;
}
