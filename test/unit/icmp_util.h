/* SPDX-License-Identifier: BSD-3-Clause */
/* A small router for the tests of ICMP: its addresses, and frames to ask it with. */
#ifndef TEST_ICMP_UTIL_H
#define TEST_ICMP_UTIL_H

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/cksum.h"
#include "modules/v6stack/icmp.h"

#define ETH BH_ICMP_ETH
#define NOW 1000000000ull

static const uint8_t router_mac[6] = {2, 0xbb, 0, 0, 0, 1};
static const uint8_t host_mac[6] = {2, 0xbb, 0, 0, 0, 2};

struct world {
	struct bh_icmp ic;
	struct bh_ratelimit limit;
	bool no_source;
};

/* 10.0.N.1 and 2001:db8:N::1 on interface N; 10.0.N.255 is a broadcast address. */
static inline bool
world_source(void *arg, uint8_t family, uint32_t ifindex, const uint8_t *dst, uint8_t *src)
{
	static const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	static const uint8_t ll[16] = {0xfe, 0x80, [15] = 1};
	const uint8_t four[4] = {10, 0, ifindex, 1};

	if (((struct world *)arg)->no_source)
		return false;
	if (family == BH_IP4) {
		memcpy(src, four, 4);
		return true;
	}
	memcpy(src, bh_ip6_is_link_local(dst) ? ll : six, 16);
	if (!bh_ip6_is_link_local(dst))
		src[5] = ifindex;
	return true;
}

static inline bool
world_is_local(void *arg, uint8_t family, const uint8_t *addr)
{
	static const uint8_t six[4] = {0x20, 1, 0xd, 0xb8};

	(void)arg;
	if (family == BH_IP4)
		return addr[0] == 10 && addr[1] == 0 && addr[3] == 1;
	return memcmp(addr, six, 4) == 0 && addr[15] == 1;
}

static inline bool
world_is_broadcast(void *arg, const uint8_t *addr)
{
	(void)arg;
	return addr[0] == 10 && addr[3] == 255;
}

static inline void
world_init(struct world *w)
{
	static const struct bh_icmp_ops ops = {world_source, world_is_local, world_is_broadcast};

	memset(w, 0, sizeof(*w));
	bh_ratelimit_init(&w->limit, &BH_RATELIMIT_DEFAULT, 7);
	bh_icmp_init(&w->ic, &ops, w, &w->limit);
}

/* A frame under construction; lengths and checksums are filled in by frame4() and frame6(). */
struct frame {
	uint8_t b[4096];
	size_t len;
};

static inline void
frame_eth(struct frame *f, uint16_t type)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->b, router_mac, 6);
	memcpy(f->b + 6, host_mac, 6);
	f->b[12] = type >> 8;
	f->b[13] = type & 0xff;
}

/* An IPv4 packet of `len` bytes in all, data counting up from 0. */
static inline void
frame4(struct frame *f, const char *src, const char *dst, uint8_t proto, size_t len)
{
	uint8_t *ip = f->b + ETH;
	uint16_t sum;

	frame_eth(f, 0x0800);
	ip[0] = 0x45;
	ip[2] = len >> 8;
	ip[3] = len & 0xff;
	ip[8] = 64;
	ip[9] = proto;
	ck_assert_int_eq(inet_pton(AF_INET, src, ip + 12), 1);
	ck_assert_int_eq(inet_pton(AF_INET, dst, ip + 16), 1);
	for (size_t i = 20; i < len; i++)
		ip[i] = i - 20;
	sum = bh_cksum_fold(bh_cksum_add(0, ip, 20));
	memcpy(ip + 10, &sum, 2);
	f->len = ETH + len;
}

/* Repairs the IPv4 header's checksum after a change. */
static inline void
resum4(struct frame *f)
{
	uint8_t *ip = f->b + ETH;
	uint16_t sum;

	memset(ip + 10, 0, 2);
	sum = bh_cksum_fold(bh_cksum_add(0, ip, (ip[0] & 0xf) * 4));
	memcpy(ip + 10, &sum, 2);
}

static inline void
frame6(struct frame *f, const char *src, const char *dst, uint8_t nh, size_t len)
{
	uint8_t *ip = f->b + ETH;

	frame_eth(f, 0x86dd);
	ip[0] = 0x60;
	ip[4] = (len - 40) >> 8;
	ip[5] = (len - 40) & 0xff;
	ip[6] = nh;
	ip[7] = 64;
	ck_assert_int_eq(inet_pton(AF_INET6, src, ip + 8), 1);
	ck_assert_int_eq(inet_pton(AF_INET6, dst, ip + 24), 1);
	for (size_t i = 40; i < len; i++)
		ip[i] = i - 40;
	f->len = ETH + len;
}

static inline struct bh_icmp_in
frame_in(const struct frame *f)
{
	return (struct bh_icmp_in){.frame = f->b, .len = f->len, .ifindex = 3, .now = NOW};
}

#define ck_addr(family, bytes, text)                                                               \
	do {                                                                                       \
		char buf_[INET6_ADDRSTRLEN];                                                       \
		ck_assert_str_eq(inet_ntop(family, bytes, buf_, sizeof(buf_)), text);              \
	} while (0)

#endif
