/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of the host stack with a real kernel, in a network namespace of their own: the
 * supervisor's TAPs and v6stack's use of them. Needs root, or user namespaces.
 */
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

#include "app/supervisor/taps.h"
#include "lib/log/log.h"
#include "lib/net/hostask.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/cksum.h"
#include "modules/v6stack/hosttap.h"

#define WAIT_MS 20000
static const uint8_t mac[6] = {2, 0xbb, 0, 0, 0, 7};

/* One start of v6stack, beside the supervisor that hands it TAPs. */
struct stack {
	int pair[2]; /* 0: the supervisor's */
	struct bh_hosttaps *taps;
	unsigned int frames, answered;
	uint32_t last_ifindex;
};

static struct bh_boot boot;
static struct bh_taps *taps;

static void
enter_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		ck_assert_msg(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "%s", strerror(errno));
	bh_log_init("test", BH_LOG_ERR);
	memset(&boot, 0, sizeof(boot));
	boot.host_stack = true;
	boot.n_interfaces = 2;
	strcpy(boot.interfaces[0].name, "p0");
	strcpy(boot.interfaces[1].name, "p1");
	boot.n_modules = 1;
	boot.modules[0].enabled = true;
	strcpy(boot.modules[0].name, "v6stack");
}

static void
start_taps(void)
{
	enter_namespace();
	taps = bh_taps_new(&boot);
	ck_assert_ptr_nonnull(taps);
	bh_taps_make(taps);
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

/* Takes what the supervisor handed over, until all is there. */
static void
take_all(struct stack *st)
{
	while (!bh_hosttaps_complete(st->taps)) {
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
}

static void
start_stack(struct stack *st)
{
	static const struct bh_hosttap_ops ops = {answer};

	memset(st, 0, sizeof(*st));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, st->pair), 0);
	st->taps = bh_hosttaps_new(&ops, st, st->pair[1]);
	ck_assert_ptr_nonnull(st->taps);
	ck_assert_int_eq(bh_taps_hand(taps, st->pair[0]), 0);
	take_all(st);
}

static void
end_stack(struct stack *st)
{
	bh_hosttaps_free(st->taps);
	close(st->pair[0]);
	close(st->pair[1]);
}

static void
add(struct bh_hostask *h, const char *prefix)
{
	struct bh_prefix p;

	ck_assert_int_eq(bh_prefix_parse(prefix, &p), 0);
	ck_assert_int_eq(bh_hostask_add(h, p.family, p.addr, p.plen), 0);
}

/* v6stack asks, the supervisor does. Returns whether anything was said. */
static bool
ask(struct stack *st, const struct bh_hostask *h)
{
	static uint8_t msg[sizeof(struct bh_hostask) + 1];
	ssize_t n;

	ck_assert_int_eq(bh_hosttaps_want(st->taps, h), 0);
	n = recv(st->pair[0], msg, sizeof(msg), MSG_DONTWAIT);
	if (n < 0)
		return false;
	ck_assert(bh_taps_asked(taps, msg, n));
	return true;
}

static void
want_up(struct bh_hostask *h, const char *name, const char *four, const char *six)
{
	bh_hostask_init(h, name, mac, 1500);
	h->flags = BH_HOSTASK_UP | BH_HOSTASK_CARRIER;
	if (four != NULL)
		add(h, four);
	if (six != NULL)
		add(h, six);
}

/* ---- the kernel ---- */

static int
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
static bool
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

static int
if_mtu(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCGIFMTU, &ifr), 0);
	close(fd);
	return ifr.ifr_mtu;
}

static void
check_mac(const char *name)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ck_assert_int_eq(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
	ck_assert_mem_eq(ifr.ifr_hwaddr.sa_data, mac, 6);
	close(fd);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The addresses of an interface, sorted, each with a space behind it. */
static char *
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
			(void *)&((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, bh_addr_len(p.family));
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

static bool
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

static bool
sysctl_is(const char *name, const char *family, const char *key, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	return file_has(path, value);
}

/* What the kernel says of changed addresses, links and routes from now on. */
static int
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

static bool
changed(int fd)
{
	bool lost = false;

	return drain(fd, &lost) > 0 || lost;
}

/* Waits until n addresses are there: IPv6 ones come behind the answer to the request. */
static void
await_addresses(int fd, unsigned int n)
{
	struct pollfd pfd = {fd, POLLIN, 0};
	unsigned int came = 0;
	bool lost = false;

	while ((came += drain(fd, &lost)) < n)
		ck_assert_int_gt(poll(&pfd, 1, WAIT_MS), 0);
}

/* A datagram of the kernel to the peer at `to` comes back. It may be sent before the address that it
 * is sent from can receive: IPv6 gets the route to itself later. */
static void
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

	inet_pton(family, from, family == AF_INET ? (void *)&src4.sin_addr : (void *)&src.sin6_addr);
	inet_pton(family, to, family == AF_INET ? (void *)&dst4.sin_addr : (void *)&dst.sin6_addr);
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

/* ---- tests ---- */

START_TEST(made_and_handed)
{
	struct stack st;
	struct bh_hostask h;
	unsigned int index;

	start_taps();
	index = if_nametoindex("p0");
	ck_assert_uint_ne(index, 0);
	ck_assert_uint_ne(if_nametoindex("p1"), 0);
	ck_assert_int_eq(if_flags("p0") & (IFF_UP | IFF_NOARP), IFF_NOARP);
	ck_assert(sysctl_is("p0", "ipv4", "rp_filter", "0"));
	ck_assert(sysctl_is("p0", "ipv6", "accept_ra", "0"));
	ck_assert(sysctl_is("p0", "ipv6", "forwarding", "0"));
	ck_assert(sysctl_is("p0", "ipv6", "addr_gen_mode", "1"));
	start_stack(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p0", 5), index);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p9", 6), 0);
	ck_assert_uint_eq(bh_hosttaps_kernel(st.taps, 5), index);
	ck_assert_uint_eq(bh_hosttaps_kernel(st.taps, 6), 0);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	add(&h, "fe80::1/64");
	h.mtu = 1400;
	ck_assert(ask(&st, &h));
	ck_assert(!ask(&st, &h)); /* the same is not asked twice */
	ck_assert_str_eq(addresses("p0"), "10.0.0.1/24 2001:db8::1/64 fe80::1/64 ");
	ck_assert_int_eq(if_mtu("p0"), 1400);
	check_mac("p0");
	ck_assert_int_eq(if_flags("p0") & IFF_UP, IFF_UP);
	ck_assert(has_carrier("p0"));
	h.flags = BH_HOSTASK_UP;
	ck_assert(ask(&st, &h));
	ck_assert_int_eq(if_flags("p0") & IFF_UP, IFF_UP);
	ck_assert(!has_carrier("p0"));
	h.flags = 0;
	ck_assert(ask(&st, &h));
	ck_assert_int_eq(if_flags("p0") & IFF_UP, 0);
	want_up(&h, "p2", NULL, NULL);
	ck_assert_int_eq(bh_hosttaps_want(st.taps, &h), -ENODEV);
	end_stack(&st);
	bh_taps_free(taps);
	ck_assert_uint_eq(if_nametoindex("p0"), 0);
}
END_TEST

START_TEST(packets_both_ways)
{
	struct stack st;
	struct bh_hostask h;
	uint8_t frame[64] = {0};

	start_taps();
	start_stack(&st);
	bh_hosttaps_bind(st.taps, "p0", 5);
	bh_hosttaps_bind(st.taps, "p1", 6);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 5, frame, sizeof(frame)), -ENODEV);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	ask(&st, &h);
	want_up(&h, "p1", "10.0.1.1/24", "2001:db8:1::1/64");
	ask(&st, &h);
	exchange(&st, AF_INET, "10.0.0.1", "10.0.0.9");
	exchange(&st, AF_INET6, "2001:db8:1::1", "2001:db8:1::9");
	ck_assert_uint_ge(st.answered, 2);
	ck_assert_uint_eq(st.last_ifindex, 6);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 7, frame, sizeof(frame)), -ENODEV);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 5, frame, 13), -EMSGSIZE);
	h.flags = 0; /* down */
	ask(&st, &h);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 6, frame, sizeof(frame)), -EIO);
	ck_assert_uint_eq(bh_hosttaps_stats(st.taps)->refused, 4);
	ck_assert_uint_eq(bh_hosttaps_stats(st.taps)->to_kernel, st.answered);
	end_stack(&st);
	bh_taps_free(taps);
}
END_TEST

/* The last resort: over the first TAP that is asked for it, behind every other default route. */
START_TEST(default_route)
{
	struct stack st;
	struct bh_hostask h;

	start_taps();
	start_stack(&st);
	bh_hosttaps_bind(st.taps, "p0", 5);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	ask(&st, &h);
	h.flags |= BH_HOSTASK_DEFAULT4 | BH_HOSTASK_DEFAULT6;
	ask(&st, &h);
	ck_assert(file_has("/proc/thread-self/net/route", "p0\t00000000\t00000000\t0001\t0\t0\t4026531840"));
	exchange(&st, AF_INET, "10.0.0.1", "192.0.2.9");
	exchange(&st, AF_INET6, "2001:db8::1", "2001:db8:ffff::9");
	h.flags &= ~(BH_HOSTASK_DEFAULT4 | BH_HOSTASK_DEFAULT6);
	ask(&st, &h);
	ck_assert(!file_has("/proc/thread-self/net/route", "p0\t00000000\t00000000"));
	end_stack(&st);
	bh_taps_free(taps);
}
END_TEST

/* v6stack dies: nothing changes for the kernel; its successor asks the same: neither. */
START_TEST(reader_dies)
{
	struct stack st;
	struct bh_hostask h;
	int mon;

	start_taps();
	start_stack(&st);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	add(&h, "10.0.0.2/24");
	add(&h, "fe80::1/64");
	h.flags |= BH_HOSTASK_DEFAULT4 | BH_HOSTASK_DEFAULT6;
	mon = monitor();
	ask(&st, &h);
	await_addresses(mon, 4);
	end_stack(&st);
	ck_assert(has_carrier("p0"));
	start_stack(&st);
	bh_hosttaps_bind(st.taps, "p0", 9);
	ck_assert(ask(&st, &h));
	ck_assert(has_carrier("p0"));
	ck_assert_str_eq(addresses("p0"), "10.0.0.1/24 10.0.0.2/24 2001:db8::1/64 fe80::1/64 ");
	ck_assert(!changed(mon));
	exchange(&st, AF_INET6, "2001:db8::1", "2001:db8::9");
	close(mon);
	end_stack(&st);
	bh_taps_free(taps);
}
END_TEST

/* Whatever is asked after whatever else, and whatever was done beside: it comes to be so. */
START_TEST(any_set_after_any)
{
	static const char *const pool[] = {
		"10.0.0.1/24", "10.0.0.2/24", "10.0.0.2/25", "10.0.0.3/32", "10.1.0.1/16",
		"2001:db8::1/64", "2001:db8::1/48", "2001:db8::2/128", "fe80::1/64", "fe80::2/64",
	};
	char want[sizeof(pool) / sizeof(pool[0])][BH_PREFIX_STRLEN], text[1024];
	struct stack st;
	struct bh_hostask h;
	struct bh_prefix p;

	srand(_i + 1);
	start_taps();
	start_stack(&st);
	for (int round = 0; round < 40; round++) {
		unsigned int n = 0;

		bh_hostask_init(&h, "p0", mac, 1500 - round);
		h.flags = rand() % 8 != 0 ? BH_HOSTASK_UP : 0;
		for (unsigned int i = 0; i < sizeof(pool) / sizeof(pool[0]); i++) {
			const char *a = pool[(i * 7 + round) % (sizeof(pool) / sizeof(pool[0]))];

			bh_prefix_parse(a, &p);
			if (rand() % 2 == 0 && bh_hostask_add(&h, p.family, p.addr, p.plen) == 0)
				strcpy(want[n++], a);
		}
		qsort(want, n, sizeof(want[0]), by_text);
		text[0] = '\0';
		for (unsigned int i = 0; i < n; i++)
			sprintf(text + strlen(text), "%s ", want[i]);
		ask(&st, &h);
		ck_assert_msg(strcmp(addresses("p0"), text) == 0, "round %d: %s, wanted %s", round,
			addresses("p0"), text);
	}
	end_stack(&st);
	bh_taps_free(taps);
}
END_TEST

/* An interface of the kernel has the name: another name; both taken: none, and the rest works. */
START_TEST(name_is_taken)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	struct stack st;
	int fd[2];

	enter_namespace();
	fd[0] = open("/dev/net/tun", O_RDWR);
	strcpy(ifr.ifr_name, "p0");
	ck_assert_int_eq(ioctl(fd[0], TUNSETIFF, &ifr), 0);
	taps = bh_taps_new(&boot);
	bh_taps_make(taps);
	start_stack(&st);
	ck_assert_uint_ne(bh_hosttaps_bind(st.taps, "p0", 5), 0);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p0", 5), if_nametoindex("bh-p0"));
	end_stack(&st);
	bh_taps_free(taps);
	fd[1] = open("/dev/net/tun", O_RDWR);
	strcpy(ifr.ifr_name, "bh-p0");
	ck_assert_int_eq(ioctl(fd[1], TUNSETIFF, &ifr), 0);
	taps = bh_taps_new(&boot);
	bh_taps_make(taps);
	start_stack(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p0", 5), 0);
	ck_assert_uint_ne(bh_hosttaps_bind(st.taps, "p1", 6), 0);
	end_stack(&st);
	bh_taps_free(taps);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* The supervisor is killed, v6stack lives: the next one finds its TAPs there. */
START_TEST(adopted)
{
	struct stack st;
	struct bh_hostask h;
	unsigned int index;
	pid_t pid;
	int mon;

	start_taps();
	start_stack(&st);
	want_up(&h, "p1", "10.0.0.1/24", "2001:db8::1/64");
	mon = monitor();
	ask(&st, &h);
	await_addresses(mon, 2);
	index = if_nametoindex("p1");
	pid = fork(); /* holds copies of all */
	if (pid == 0) {
		pause();
		_exit(0);
	}
	end_stack(&st);
	bh_taps_free(taps);
	taps = bh_taps_new(&boot);
	bh_taps_adopt(taps, pid);
	bh_taps_make(taps);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	start_stack(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p1", 7), index);
	ck_assert(ask(&st, &h));
	ck_assert_str_eq(addresses("p1"), "10.0.0.1/24 2001:db8::1/64 ");
	ck_assert(!changed(mon));
	exchange(&st, AF_INET, "10.0.0.1", "10.0.0.9");
	close(mon);
	end_stack(&st);
	bh_taps_free(taps);
}
END_TEST

/* Without module or by configuration: none. */
START_TEST(not_wanted)
{
	enter_namespace();
	boot.host_stack = false;
	ck_assert_ptr_null(bh_taps_new(&boot));
	boot.host_stack = true;
	boot.modules[0].enabled = false;
	ck_assert_ptr_null(bh_taps_new(&boot));
	bh_taps_make(NULL);
	ck_assert_int_eq(bh_taps_hand(NULL, -1), 0);
	ck_assert(!bh_taps_asked(NULL, "READY", 5));
	bh_taps_free(NULL);
}
END_TEST

/* Texts of a supervisor that are none, and a TAP handed over twice. */
START_TEST(odd_texts)
{
	static const char *const odd[] = {"TAP ", "TAP p0", "TAP p0 x", "TAP p0 1 2", "TAP  ",
		"TAP abcdefghijklmnopqrstuvwxyz 1"};
	struct stack st;
	unsigned int index;

	start_taps();
	start_stack(&st);
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		ck_assert(bh_hosttaps_take(st.taps, odd[i], dup(0)));
	ck_assert(!bh_hosttaps_take(st.taps, "READY", -1));
	ck_assert(!bh_hosttaps_take(st.taps, "TAKE", -1));
	ck_assert_int_eq(bh_taps_hand(taps, st.pair[0]), 0);
	index = bh_hosttaps_bind(st.taps, "p0", 5);
	ck_assert_uint_ne(index, 0);
	ck_assert_int_eq(bh_hosttaps_poll(st.taps, 10), 0);
	end_stack(&st);
	bh_taps_free(taps);
}
END_TEST

/* ---- what v6stack may ask ---- */

START_TEST(requests)
{
	static const char *const bad[] = {"127.0.0.1/8", "224.0.0.1/4", "0.0.0.0/32", "::/64",
		"::1/128", "ff02::1/64", "255.255.255.255/32"};
	struct bh_hostask h, read;
	struct bh_prefix p;
	uint8_t *raw = (uint8_t *)&h;
	size_t len;

	bh_hostask_init(&h, "p0", mac, 1500);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bh_prefix_parse(bad[i], &p);
		ck_assert_int_eq(bh_hostask_add(&h, p.family, p.addr, p.plen), -EINVAL);
	}
	add(&h, "10.0.0.1/24");
	add(&h, "fe80::1/64");
	bh_prefix_parse("10.0.0.1/25", &p);
	ck_assert_int_eq(bh_hostask_add(&h, p.family, p.addr, p.plen), -EINVAL);
	ck_assert_int_eq(bh_hostask_add(&h, 5, p.addr, 1), -EINVAL);
	len = BH_HOSTASK_LEN(2);
	ck_assert_int_eq(bh_hostask_read(&read, &h, len), 0);
	ck_assert_mem_eq(&read, &h, len);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(bh_hostask_read(&read, &h, cut), -EBADMSG);
	ck_assert_int_eq(bh_hostask_read(&read, &h, len + 20), -EBADMSG);
	for (unsigned int i = 0; i < 20000; i++) { /* any two bytes changed: taken or refused */
		struct bh_hostask keep = h;

		raw[rand() % len] = rand();
		raw[rand() % len] = rand();
		if (bh_hostask_read(&read, &h, len) == 0)
			ck_assert(read.n == 2 && read.mtu >= 68 && read.name[15] == '\0');
		h = keep;
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hosttap");
	TCase *tc = tcase_create("hosttap");
	SRunner *r;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, made_and_handed);
	tcase_add_test(tc, packets_both_ways);
	tcase_add_test(tc, default_route);
	tcase_add_test(tc, reader_dies);
	tcase_add_loop_test(tc, any_set_after_any, 0, 4);
	tcase_add_test(tc, name_is_taken);
	tcase_add_test(tc, adopted);
	tcase_add_test(tc, not_wanted);
	tcase_add_test(tc, odd_texts);
	tcase_add_test(tc, requests);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
