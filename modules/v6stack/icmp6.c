/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/icmp6.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/cksum.h"
#include "modules/v6stack/icmp_priv.h"
#include "modules/v6stack/ip6ext.h"

#define HDR BH_IP6_HDR
#define ICMP_HDR 8
#define ERROR_MAX 1280 /* RFC 4443 §2.4(c) */
#define QUOTE_MAX (ERROR_MAX - HDR - ICMP_HDR)

enum { UNREACHABLE = 1, TOO_BIG = 2, TIME_EXCEEDED = 3, PARAMETER = 4,
	ECHO_REQUEST = 128, ECHO_REPLY = 129, REDIRECT = 137 };

static const struct {
	uint8_t type, code;
} kinds[BH_ICMP_WHYS] = {
	[BH_ICMP_TTL] = {TIME_EXCEEDED, 0},
	[BH_ICMP_NO_ROUTE] = {UNREACHABLE, 0},
	[BH_ICMP_UNREACHABLE] = {UNREACHABLE, 6}, /* reject route to destination */
	[BH_ICMP_NO_NEIGHBOR] = {UNREACHABLE, 3},
	[BH_ICMP_PROHIBIT] = {UNREACHABLE, 1},
	[BH_ICMP_TOO_BIG] = {TOO_BIG, 0},
	[BH_ICMP_NO_PORT] = {UNREACHABLE, 4},
	[BH_ICMP_NO_PROTOCOL] = {PARAMETER, 1},
	[BH_ICMP_BAD_HEADER] = {PARAMETER, 0},
	[BH_ICMP_BAD_OPTION] = {PARAMETER, 2},
};

struct packet { /* checked */
	const uint8_t *ip;
	size_t len; /* without padding */
	struct bh_ip6_walk walk;
};

static bool
read_packet(const struct bh_icmp_in *in, struct packet *p)
{
	if (in->len < BH_ICMP_ETH + HDR)
		return false;
	p->ip = in->frame + BH_ICMP_ETH;
	p->len = HDR + (size_t)bh_get16(p->ip + 4);
	return p->ip[0] >> 4 == 6 && p->len <= in->len - BH_ICMP_ETH &&
		bh_ip6_walk(p->ip, p->len, &p->walk) == 0;
}

/* RFC 4443 §2.4(e.1), (e.2): errors and redirects; and what might be one. */
static bool
is_error(const struct packet *p)
{
	const struct bh_ip6_walk *w = &p->walk;

	if (w->proto != IPPROTO_ICMPV6)
		return false;
	return !w->first || w->offset >= p->len || p->ip[w->offset] < 128 ||
		p->ip[w->offset] == REDIRECT;
}

/* §2.4(e.3): what also answers a group: PMTU discovery, and options that ask for it. */
static bool
answers_groups(const struct packet *p, enum bh_icmp_why why, uint32_t value)
{
	return why == BH_ICMP_TOO_BIG ||
		(why == BH_ICMP_BAD_OPTION && value < p->len && p->ip[value] >> 6 == 2);
}

/* §2.4(e). */
static bool
may_answer(const struct bh_icmp_in *in, const struct packet *p, enum bh_icmp_why why,
	uint32_t value)
{
	if (is_error(p) || bh_ip6_src_is_martian(p->ip + 8))
		return false;
	return answers_groups(p, why, value) ||
		(!bh_icmp_to_group(in) && !bh_ip6_is_multicast(p->ip + 24));
}

/* Header and checksum of a packet with n bytes of ICMPv6 and addresses written. */
static void
finish(uint8_t *ip, size_t n, uint8_t dscp)
{
	uint16_t sum;

	ip[0] = 0x60 | dscp >> 4;
	ip[1] = dscp << 4;
	memset(ip + 2, 0, 2);
	bh_put16(ip + 4, n);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = BH_ICMP_TTL_OUT;
	memset(ip + HDR + 2, 0, 2);
	sum = bh_cksum_fold(bh_cksum_add(bh_cksum_pseudo6(ip + 8, ip + 24, n, IPPROTO_ICMPV6),
		ip + HDR, n));
	memcpy(ip + HDR + 2, &sum, 2);
}

/* RFC 4443 §2.2: the address that was asked, if it is one of ours. */
static bool
choose_source(const struct bh_icmp *ic, const struct bh_icmp_in *in, const struct packet *p,
	uint8_t *src)
{
	memcpy(src, p->ip + 24, 16);
	return ic->ops->is_local(ic->arg, BH_IP6, src) ||
		ic->ops->source(ic->arg, BH_IP6, in->ifindex, p->ip + 8, src);
}

int
bh_icmp6_error(struct bh_icmp *ic, const struct bh_icmp_in *in, enum bh_icmp_why why,
	uint32_t value, uint8_t *out, size_t size)
{
	uint8_t *ip = out + BH_ICMP_ETH, src[16];
	struct packet p;
	size_t quote;

	if (!read_packet(in, &p))
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	if (!may_answer(in, &p, why, value))
		return bh_icmp_counted(ic, BH_ICMP_N_FORBIDDEN, -EPERM);
	if (!choose_source(ic, in, &p, src))
		return bh_icmp_counted(ic, BH_ICMP_N_NO_SOURCE, -EADDRNOTAVAIL);
	quote = p.len < QUOTE_MAX ? p.len : QUOTE_MAX;
	if (size < BH_ICMP_ETH + HDR + ICMP_HDR + quote)
		return -EMSGSIZE;
	if (!bh_ratelimit_take(ic->limit, BH_IP6, p.ip + 8, in->now))
		return bh_icmp_counted(ic, BH_ICMP_N_LIMITED, -EBUSY);
	bh_icmp_eth(out, in);
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, p.ip + 8, 16);
	ip[HDR] = kinds[why].type;
	ip[HDR + 1] = kinds[why].code;
	/* MTU, pointer; RFC 4443 §3.4: of an unknown protocol, where it was named */
	bh_put32(ip + HDR + 4, why == BH_ICMP_NO_PROTOCOL ? p.walk.nh_at :
		why == BH_ICMP_TOO_BIG || why == BH_ICMP_BAD_HEADER || why == BH_ICMP_BAD_OPTION ?
		value : 0);
	memcpy(ip + HDR + ICMP_HDR, p.ip, quote);
	finish(ip, ICMP_HDR + quote, 0);
	return bh_icmp_counted(ic, BH_ICMP_N_ERROR, BH_ICMP_ETH + HDR + ICMP_HDR + quote);
}

/* Whether it is an echo request that is answered here. */
static bool
is_request(const struct packet *p)
{
	const struct bh_ip6_walk *w = &p->walk;

	return w->proto == IPPROTO_ICMPV6 && w->verdict == BH_IP6_OK && !w->fragment && w->first &&
		w->offset == HDR && p->len >= HDR + ICMP_HDR && p->ip[HDR] == ECHO_REQUEST;
}

/* From whom the reply comes: the address that was asked, or to a group, one of ours. */
static int
reply_source(struct bh_icmp *ic, const struct bh_icmp_in *in, const struct packet *p, uint8_t *src)
{
	bool group = bh_ip6_is_multicast(p->ip + 24);

	if (bh_ip6_src_is_martian(p->ip + 8) || group != bh_icmp_to_group(in) ||
		(!group && !ic->ops->is_local(ic->arg, BH_IP6, p->ip + 24)))
		return bh_icmp_counted(ic, BH_ICMP_N_FORBIDDEN, -EPERM);
	if (!choose_source(ic, in, p, src))
		return bh_icmp_counted(ic, BH_ICMP_N_NO_SOURCE, -EADDRNOTAVAIL);
	if (group && !bh_ratelimit_take(ic->limit, BH_IP6, p->ip + 8, in->now))
		return bh_icmp_counted(ic, BH_ICMP_N_LIMITED, -EBUSY);
	return 0;
}

int
bh_icmp6_echo(struct bh_icmp *ic, const struct bh_icmp_in *in, uint8_t *out, size_t size)
{
	uint8_t *ip = out + BH_ICMP_ETH, src[16];
	struct packet p;
	size_t n;
	int rc;

	if (!read_packet(in, &p))
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	if (!is_request(&p))
		return -ENOENT;
	n = p.len - HDR;
	if (bh_cksum_fold(bh_cksum_add(bh_cksum_pseudo6(p.ip + 8, p.ip + 24, n, IPPROTO_ICMPV6),
		p.ip + HDR, n)) != 0)
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	if (size < BH_ICMP_ETH + p.len)
		return -EMSGSIZE;
	rc = reply_source(ic, in, &p, src);
	if (rc < 0)
		return rc;
	bh_icmp_eth(out, in);
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, p.ip + 8, 16);
	memcpy(ip + HDR, p.ip + HDR, n);
	ip[HDR] = ECHO_REPLY;
	finish(ip, n, (p.ip[0] << 4 | p.ip[1] >> 4) & 0xfc);
	return bh_icmp_counted(ic, BH_ICMP_N_ECHO, BH_ICMP_ETH + p.len);
}
