/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log/log.h"
#include "lib/net/prefix.h"
#include "test/unit/hosttap_util.h"

const uint8_t hosttap_mac[6] = {2, 0xbb, 0, 0, 0, 7};

struct bh_boot hosttap_boot;
struct bh_taps *hosttap_taps;

void
enter_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		ck_assert_msg(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "%s", strerror(errno));
	bh_log_init("test", BH_LOG_ERR);
	memset(&hosttap_boot, 0, sizeof(hosttap_boot));
	hosttap_boot.host_stack = true;
	hosttap_boot.n_interfaces = 2;
	strcpy(hosttap_boot.interfaces[0].name, "p0");
	strcpy(hosttap_boot.interfaces[1].name, "p1");
	hosttap_boot.n_modules = 1;
	hosttap_boot.modules[0].enabled = true;
	strcpy(hosttap_boot.modules[0].name, "v6stack");
}

void
start_taps(void)
{
	enter_namespace();
	hosttap_taps = bh_taps_new(&hosttap_boot);
	ck_assert_ptr_nonnull(hosttap_taps);
	bh_taps_make(hosttap_taps);
}

/* ---- v6stack ---- */

/* A peer that lives behind every TAP: what comes to its UDP port is sent back. */
static void
answer(void *arg, uint32_t ifindex, uint8_t *frame, size_t len)
{
	struct stack *st = arg;
	uint8_t *ip = frame + 14, swap[16];
	bool six = frame[12] == 0x86;
	size_t n = six ? 16 : 4, at = six ? 8 : 12, udp = six ? 40 : 20;

	st->frames++;
	st->last_ifindex = ifindex;
	if (len < 14 + udp + 8 || ip[six ? 6 : 9] != IPPROTO_UDP)
		return;
	memcpy(swap, ip + at, n);
	memcpy(ip + at, ip + at + n, n);
	memcpy(ip + at + n, swap, n);
	memcpy(swap, ip + udp, 2);
	memcpy(ip + udp, ip + udp + 2, 2);
	memcpy(ip + udp + 2, swap, 2);
	memset(frame, 0x42, 6); /* any unicast MAC */
	ck_assert_int_eq(bh_hosttaps_write(st->taps, ifindex, frame, len), 0);
	st->answered++;
}

/* Takes one word of the supervisor. */
void
take_word(struct stack *st)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	char text[128];
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(st->pair[1], &m, MSG_CMSG_CLOEXEC);
	int fd = -1;

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	if (CMSG_FIRSTHDR(&m) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	ck_assert(bh_hosttaps_take(st->taps, text, fd));
}

void
start_stack(struct stack *st)
{
	static const struct bh_hosttap_ops ops = {answer};

	memset(st, 0, sizeof(*st));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, st->pair), 0);
	st->taps = bh_hosttaps_new(&ops, st, st->pair[1]);
	ck_assert_ptr_nonnull(st->taps);
	ck_assert_int_eq(bh_taps_hand(hosttap_taps, st->pair[0]), 0);
	while (!bh_hosttaps_complete(st->taps))
		take_word(st);
}

void
end_stack(struct stack *st)
{
	bh_hosttaps_free(st->taps);
	close(st->pair[0]);
	close(st->pair[1]);
}

void
add_address(struct bh_hostask *h, const char *prefix)
{
	struct bh_prefix p;

	ck_assert_int_eq(bh_prefix_parse(prefix, &p), 0);
	ck_assert_int_eq(bh_hostask_add(h, p.family, p.addr, p.plen), 0);
}

/* v6stack asks, the supervisor does. Returns whether anything was said. */
bool
ask(struct stack *st, const struct bh_hostask *h)
{
	static uint8_t msg[sizeof(struct bh_hostask) + 1];
	ssize_t n;

	ck_assert_int_eq(bh_hosttaps_want(st->taps, h), 0);
	n = recv(st->pair[0], msg, sizeof(msg), MSG_DONTWAIT);
	if (n < 0)
		return false;
	ck_assert(bh_taps_asked(hosttap_taps, msg, n));
	return true;
}

void
want_up(struct bh_hostask *h, const char *name, const char *four, const char *six)
{
	bh_hostask_init(h, name, hosttap_mac, 1500);
	h->flags = BH_HOSTASK_UP | BH_HOSTASK_CARRIER;
	if (four != NULL)
		add_address(h, four);
	if (six != NULL)
		add_address(h, six);
}

/* ---- the kernel ---- */

int
if_flags(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &ifr), 0);
	close(fd);
	return ifr.ifr_flags & 0xffff;
}

/* IFF_RUNNING follows later. */
bool
has_carrier(const char *name)
{
	struct ethtool_value v = {.cmd = ETHTOOL_GLINK};
	struct ifreq ifr = {.ifr_data = (void *)&v};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCETHTOOL, &ifr), 0);
	close(fd);
	return v.data != 0;
}

int
if_mtu(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCGIFMTU, &ifr), 0);
	close(fd);
	return ifr.ifr_mtu;
}

void
check_mac(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
	ck_assert_mem_eq(ifr.ifr_hwaddr.sa_data, hosttap_mac, 6);
	close(fd);
}

int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The addresses of an interface, sorted, each with a space behind it. */
char *
addresses(const char *name)
{
	static char text[BH_HOSTASK_ADDRS * 64];
	static char each[BH_HOSTASK_ADDRS][BH_PREFIX_STRLEN];
	struct ifaddrs *all, *i;
	unsigned int n = 0;

	text[0] = '\0';
	ck_assert_int_eq(getifaddrs(&all), 0);
	for (i = all; i != NULL; i = i->ifa_next) {
		struct bh_prefix p = {0};
		const uint8_t *mask;

		if (strcmp(i->ifa_name, name) != 0 || i->ifa_addr == NULL ||
			(i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		p.family = i->ifa_addr->sa_family == AF_INET ? BH_IP4 : BH_IP6;
		memcpy(p.addr, p.family == BH_IP4 ?
			(void *)&((struct sockaddr_in *)i->ifa_addr)->sin_addr :
			(void *)&((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
			bh_addr_len(p.family));
		mask = p.family == BH_IP4 ?
			(void *)&((struct sockaddr_in *)i->ifa_netmask)->sin_addr :
			(void *)&((struct sockaddr_in6 *)i->ifa_netmask)->sin6_addr;
		for (unsigned int b = 0; b < bh_addr_len(p.family); b++)
			p.plen += __builtin_popcount(mask[b]);
		bh_prefix_format(&p, each[n++], BH_PREFIX_STRLEN);
	}
	freeifaddrs(all);
	qsort(each, n, sizeof(each[0]), by_text);
	for (unsigned int k = 0; k < n; k++)
		sprintf(text + strlen(text), "%s ", each[k]);
	return text;
}

bool
file_has(const char *path, const char *what)
{
	char text[8192] = "";
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return strstr(text, what) != NULL;
}

bool
sysctl_is(const char *name, const char *family, const char *key, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	return file_has(path, value);
}

/* What the kernel says of changed addresses, links and routes from now on. */
int
monitor(void)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK |
		RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Reads what was said; the number of addresses that came. */
static unsigned int
drain(int fd, bool *lost)
{
	static char buf[65536];
	unsigned int came = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)buf;

		came += m->nlmsg_type == RTM_NEWADDR;
		*lost = *lost || m->nlmsg_type == RTM_DELADDR || m->nlmsg_type == RTM_DELROUTE;
	}
	return came;
}

bool
changed(int fd)
{
	bool lost = false;

	return drain(fd, &lost) > 0 || lost;
}

/* Waits until n addresses are there: IPv6 ones come behind the answer to the request. */
void
await_addresses(int fd, unsigned int n)
{
	struct pollfd pfd = {fd, POLLIN, 0};
	unsigned int came = 0;
	bool lost = false;

	while ((came += drain(fd, &lost)) < n)
		ck_assert_int_gt(poll(&pfd, 1, WAIT_MS), 0);
}

/* It may be sent before the address that it is sent from can receive: IPv6 gets the route to
 * itself later. */
void
exchange(struct stack *st, int family, const char *from, const char *to)
{
	struct sockaddr_in6 src = {.sin6_family = AF_INET6}, dst = {.sin6_family = AF_INET6,
		.sin6_port = htons(7)};
	struct sockaddr_in src4 = {.sin_family = AF_INET}, dst4 = {.sin_family = AF_INET,
		.sin_port = htons(7)};
	struct sockaddr *s = family == AF_INET ? (void *)&src4 : (void *)&src;
	struct sockaddr *d = family == AF_INET ? (void *)&dst4 : (void *)&dst;
	socklen_t len = family == AF_INET ? sizeof(src4) : sizeof(src);
	int fd = socket(family, SOCK_DGRAM, 0);
	char text[64];

	inet_pton(family, from, family == AF_INET ? (void *)&src4.sin_addr :
		(void *)&src.sin6_addr);
	inet_pton(family, to, family == AF_INET ? (void *)&dst4.sin_addr :
		(void *)&dst.sin6_addr);
	ck_assert_msg(bind(fd, s, len) == 0, "%s: %s", from, strerror(errno));
	ck_assert_msg(sendto(fd, "hello", 5, 0, d, len) == 5, "%s: %s", to, strerror(errno));
	for (int i = 0; i < WAIT_MS / 20; i++) {
		struct pollfd pfd[2] = {{fd, POLLIN, 0}, {bh_hosttaps_fd(st->taps), POLLIN, 0}};

		if (poll(pfd, 2, 20) == 0) /* again */
			ck_assert_int_eq(sendto(fd, "hello", 5, 0, d, len), 5);
		if (pfd[0].revents != 0)
			break;
		ck_assert_int_ge(bh_hosttaps_poll(st->taps, 64), 0);
	}
	ck_assert_int_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), 5);
	close(fd);
}
