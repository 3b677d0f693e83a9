/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/icmp4.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/cksum.h"
#include "modules/v6stack/icmp_priv.h"

#define HDR 20
#define ICMP_HDR 8
#define ERROR_MAX 576  /* RFC 1812 §4.3.2.3 */
#define TOS_ERROR 0xc0 /* precedence 6, internetwork control (§4.3.2.5) */
#define TOS_DSCP 0xfc  /* without ECN: ICMP is not ECN-capable */

enum { ECHO_REPLY = 0, UNREACHABLE = 3, ECHO_REQUEST = 8, TIME_EXCEEDED = 11, PARAMETER = 12 };

static const struct {
	uint8_t type, code;
} kinds[BH_ICMP_WHYS] = {
	[BH_ICMP_TTL] = {TIME_EXCEEDED, 0},
	[BH_ICMP_NO_ROUTE] = {UNREACHABLE, 0},
	[BH_ICMP_UNREACHABLE] = {UNREACHABLE, 1},
	[BH_ICMP_NO_NEIGHBOR] = {UNREACHABLE, 1},
	[BH_ICMP_PROHIBIT] = {UNREACHABLE, 13},
	[BH_ICMP_TOO_BIG] = {UNREACHABLE, 4},
	[BH_ICMP_NO_PORT] = {UNREACHABLE, 3},
	[BH_ICMP_NO_PROTOCOL] = {UNREACHABLE, 2},
	[BH_ICMP_BAD_HEADER] = {PARAMETER, 0},
	[BH_ICMP_BAD_OPTION] = {PARAMETER, 0},
};

struct packet { /* checked */
	const uint8_t *ip;
	size_t hdr, len; /* of the header; of the packet without padding */
	uint32_t src, dst; /* as they lie in memory */
	unsigned int frag_offset;
	bool more;
};

/* The frame's packet, or false: its header is not valid (RFC 1812 §5.2.2). */
static bool
read_packet(const struct bh_icmp_in *in, struct packet *p)
{
	size_t room;

	if (in->len < BH_ICMP_ETH + HDR)
		return false;
	room = in->len - BH_ICMP_ETH;
	p->ip = in->frame + BH_ICMP_ETH;
	p->hdr = (p->ip[0] & 0xf) * 4u;
	p->len = bh_get16(p->ip + 2);
	if (p->ip[0] >> 4 != 4 || p->hdr < HDR || p->hdr > p->len || p->len > room ||
		bh_cksum_fold(bh_cksum_add(0, p->ip, p->hdr)) != 0)
		return false;
	memcpy(&p->src, p->ip + 12, 4);
	memcpy(&p->dst, p->ip + 16, 4);
	p->frag_offset = bh_get16(p->ip + 6) & 0x1fff;
	p->more = p->ip[6] & 0x20;
	return true;
}

/* Whether an address can be that of one host (RFC 1812 §4.3.2.7, §5.3.7). */
static bool
is_one_host(const struct bh_icmp *ic, uint32_t addr)
{
	return !bh_ip4_src_is_martian(addr) && !bh_ip4_is_link_local(addr) &&
		!ic->ops->is_broadcast4(ic->arg, (const uint8_t *)&addr);
}

static bool
is_group(const struct bh_icmp *ic, uint32_t addr)
{
	return bh_ip4_is_multicast(addr) || addr == INADDR_BROADCAST ||
		ic->ops->is_broadcast4(ic->arg, (const uint8_t *)&addr);
}

/* Only of queries is it known that they are no errors; also those of RFC 950, 1256 and 8335. */
static bool
is_icmp_query(uint8_t type)
{
	return type == ECHO_REPLY || type == ECHO_REQUEST || type == 9 || type == 10 ||
		(type >= 13 && type <= 18) || type == 42 || type == 43;
}

/* RFC 1812 §4.3.2.7. */
static bool
may_answer(const struct bh_icmp *ic, const struct bh_icmp_in *in, const struct packet *p)
{
	if (bh_icmp_to_group(in) || is_group(ic, p->dst) || p->frag_offset != 0 ||
		!is_one_host(ic, p->src))
		return false;
	return p->ip[9] != IPPROTO_ICMP ||
		(p->len > p->hdr && is_icmp_query(p->ip[p->hdr]));
}

/* Header and checksums of a packet of len bytes whose ICMP part and addresses are written. */
static void
finish(struct bh_icmp *ic, uint8_t *ip, size_t len, uint8_t tos)
{
	uint16_t sum;

	ip[0] = 0x45;
	ip[1] = tos;
	bh_put16(ip + 2, len);
	bh_put16(ip + 4, ic->ip_id++);
	memset(ip + 6, 0, 2);
	ip[8] = BH_ICMP_TTL_OUT;
	ip[9] = IPPROTO_ICMP;
	memset(ip + 10, 0, 2);
	sum = bh_cksum_fold(bh_cksum_add(0, ip, HDR));
	memcpy(ip + 10, &sum, 2);
	memset(ip + HDR + 2, 0, 2);
	sum = bh_cksum_fold(bh_cksum_add(0, ip + HDR, len - HDR));
	memcpy(ip + HDR + 2, &sum, 2);
}

/* From the address that was asked, if it is one of ours. */
static bool
choose_source(const struct bh_icmp *ic, const struct bh_icmp_in *in, const struct packet *p,
	uint8_t *src)
{
	memcpy(src, p->ip + 16, 4);
	return ic->ops->is_local(ic->arg, BH_IP4, src) ||
		ic->ops->source(ic->arg, BH_IP4, in->ifindex, p->ip + 12, src);
}

/* The 4 bytes behind the checksum: next-hop MTU (RFC 1191 §4), pointer, or unused. */
static void
put_value(uint8_t *p, enum bh_icmp_why why, uint32_t value)
{
	memset(p, 0, 4);
	if (why == BH_ICMP_TOO_BIG)
		bh_put16(p + 2, value < UINT16_MAX ? value : UINT16_MAX);
	else if (why == BH_ICMP_BAD_HEADER || why == BH_ICMP_BAD_OPTION)
		p[0] = value;
}

int
bh_icmp4_error(struct bh_icmp *ic, const struct bh_icmp_in *in, enum bh_icmp_why why,
	uint32_t value, uint8_t *out, size_t size)
{
	uint8_t *ip = out + BH_ICMP_ETH, src[16];
	struct packet p;
	size_t quote;

	if (!read_packet(in, &p))
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	if (!may_answer(ic, in, &p))
		return bh_icmp_counted(ic, BH_ICMP_N_FORBIDDEN, -EPERM);
	if (!choose_source(ic, in, &p, src))
		return bh_icmp_counted(ic, BH_ICMP_N_NO_SOURCE, -EADDRNOTAVAIL);
	quote = p.len < ERROR_MAX - HDR - ICMP_HDR ? p.len : ERROR_MAX - HDR - ICMP_HDR;
	if (size < BH_ICMP_ETH + HDR + ICMP_HDR + quote)
		return -EMSGSIZE;
	if (!bh_ratelimit_take(ic->limit, BH_IP4, &p.src, in->now))
		return bh_icmp_counted(ic, BH_ICMP_N_LIMITED, -EBUSY);
	bh_icmp_eth(out, in);
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, &p.src, 4);
	ip[HDR] = kinds[why].type;
	ip[HDR + 1] = kinds[why].code;
	put_value(ip + HDR + 4, why, value);
	memcpy(ip + HDR + ICMP_HDR, p.ip, quote);
	finish(ic, ip, HDR + ICMP_HDR + quote, TOS_ERROR);
	return bh_icmp_counted(ic, BH_ICMP_N_ERROR, BH_ICMP_ETH + HDR + ICMP_HDR + quote);
}

/* Whether it is an echo request that is answered here, by its header. */
static bool
is_request(const struct packet *p)
{
	return p->ip[9] == IPPROTO_ICMP && p->hdr == HDR && p->frag_offset == 0 && !p->more &&
		p->len >= HDR + ICMP_HDR && p->ip[HDR] == ECHO_REQUEST;
}

int
bh_icmp4_echo(struct bh_icmp *ic, const struct bh_icmp_in *in, uint8_t *out, size_t size)
{
	uint8_t *ip = out + BH_ICMP_ETH;
	struct packet p;

	if (!read_packet(in, &p))
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	if (!is_request(&p))
		return -ENOENT;
	if (bh_cksum_fold(bh_cksum_add(0, p.ip + HDR, p.len - HDR)) != 0)
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	if (bh_icmp_to_group(in) || !is_one_host(ic, p.src) ||
		!ic->ops->is_local(ic->arg, BH_IP4, p.ip + 16))
		return bh_icmp_counted(ic, BH_ICMP_N_FORBIDDEN, -EPERM);
	if (size < BH_ICMP_ETH + p.len)
		return -EMSGSIZE;
	bh_icmp_eth(out, in);
	memcpy(ip + HDR, p.ip + HDR, p.len - HDR);
	memcpy(ip + 12, p.ip + 16, 4);
	memcpy(ip + 16, p.ip + 12, 4);
	ip[HDR] = ECHO_REPLY;
	finish(ic, ip, p.len, p.ip[1] & TOS_DSCP);
	return bh_icmp_counted(ic, BH_ICMP_N_ECHO, BH_ICMP_ETH + p.len);
}
