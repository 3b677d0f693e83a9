/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/net/prefix.h"

const uint8_t bh_mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
const uint8_t bh_ip6_any[16];
const uint8_t bh_ip6_all_nodes[16] = {0xff, 2, [15] = 1};
const uint8_t bh_ip6_all_routers[16] = {0xff, 2, [15] = 2};
const uint8_t bh_ip6_all_mld[16] = {0xff, 2, [15] = 0x16};

#define EXT_MAX 8 /* extension headers looked through */
#define OPT_ROUTER_ALERT 5

bool
bh_mac_is_host(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, sizeof(zero)) != 0;
}

uint32_t
bh_sum16(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of an ICMPv6 message with its pseudo header (RFC 8200 §8.1). */
static uint32_t
icmp6_sum(const struct ip6_hdr *ip, const void *msg, size_t len)
{
	uint32_t sum = bh_sum16(IPPROTO_ICMPV6, &ip->ip6_src, 32);
	uint8_t be[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};

	return bh_sum16(bh_sum16(sum, be, sizeof(be)), msg, len);
}

/* ---- building ---- */

void *
bh_frame_more(struct bh_frame *f, size_t n)
{
	void *p = f->data + f->len;

	if (n > sizeof(f->data) - f->len)
		return NULL;
	memset(p, 0, n);
	f->len += n;
	return p;
}

static void
ethernet(struct bh_frame *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
	struct ether_header *eth;

	f->len = 0;
	eth = bh_frame_more(f, sizeof(*eth));
	memcpy(eth->ether_dhost, dst, 6);
	memcpy(eth->ether_shost, src, 6);
	eth->ether_type = htons(type);
}

void
bh_frame_arp(struct bh_frame *f, uint16_t op, const uint8_t dst[6], const uint8_t smac[6],
	const uint8_t sip[4], const uint8_t tmac[6], const uint8_t tip[4])
{
	struct ether_arp *a;

	ethernet(f, dst, smac, ETHERTYPE_ARP);
	a = bh_frame_more(f, sizeof(*a));
	a->arp_hrd = htons(ARPHRD_ETHER);
	a->arp_pro = htons(ETHERTYPE_IP);
	a->arp_hln = 6;
	a->arp_pln = 4;
	a->arp_op = htons(op);
	memcpy(a->arp_sha, smac, 6);
	memcpy(a->arp_spa, sip, 4);
	memcpy(a->arp_tha, tmac, 6);
	memcpy(a->arp_tpa, tip, 4);
}

/* Hop-by-hop options: router alert for MLD, padded to 8 bytes. */
static void
put_router_alert(struct bh_frame *f)
{
	static const uint8_t hbh[8] = {IPPROTO_ICMPV6, 0, OPT_ROUTER_ALERT, 2, 0, 0, 1, 0};

	memcpy(bh_frame_more(f, sizeof(hbh)), hbh, sizeof(hbh));
}

void *
bh_frame_icmp6(struct bh_frame *f, const uint8_t smac[6], const uint8_t *dst_mac,
	const uint8_t src[16], const uint8_t dst[16], bool router_alert, size_t room)
{
	uint8_t group[6];
	struct ip6_hdr *ip;

	bh_ip6_group_mac(dst, group);
	ethernet(f, dst_mac != NULL ? dst_mac : group, smac, ETHERTYPE_IPV6);
	ip = bh_frame_more(f, sizeof(*ip));
	ip->ip6_flow = htonl(0x60000000);
	ip->ip6_nxt = router_alert ? IPPROTO_HOPOPTS : IPPROTO_ICMPV6;
	ip->ip6_hlim = router_alert ? 1 : 255;
	memcpy(&ip->ip6_src, src, 16);
	memcpy(&ip->ip6_dst, dst, 16);
	if (router_alert)
		put_router_alert(f);
	return bh_frame_more(f, room);
}

void
bh_frame_icmp6_end(struct bh_frame *f)
{
	struct ip6_hdr *ip = (void *)(f->data + sizeof(struct ether_header));
	uint8_t *msg = (uint8_t *)(ip + 1) + (ip->ip6_nxt == IPPROTO_HOPOPTS ? 8 : 0);
	struct icmp6_hdr *icmp = (void *)msg;
	size_t len = f->data + f->len - msg;

	ip->ip6_plen = htons((uint16_t)(f->data + f->len - (uint8_t *)(ip + 1)));
	icmp->icmp6_cksum = 0;
	icmp->icmp6_cksum = htons((uint16_t)~icmp6_sum(ip, msg, len));
}

void
bh_frame_opt_lladdr(struct bh_frame *f, uint8_t type, const uint8_t mac[6])
{
	uint8_t *o = bh_frame_more(f, 8);

	if (o == NULL)
		return;
	o[0] = type;
	o[1] = 1;
	memcpy(o + 2, mac, 6);
}

void
bh_frame_opt_nonce(struct bh_frame *f, const uint8_t nonce[BH_NONCE_LEN])
{
	bh_frame_opt_lladdr(f, BH_ND_OPT_NONCE, nonce); /* as long */
}

void
bh_ip6_solicited_node(const uint8_t addr[16], uint8_t group[16])
{
	static const uint8_t prefix[13] = {0xff, 2, [11] = 1, [12] = 0xff};

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + 13, addr + 13, 3);
}

void
bh_ip6_group_mac(const uint8_t group[16], uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

void
bh_ip6_link_local(const uint8_t mac[6], uint8_t addr[16])
{
	const uint8_t made[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
		0xfe, mac[3], mac[4], mac[5]};

	memcpy(addr, made, sizeof(made));
}

/* ---- taking apart ---- */

const struct ether_arp *
bh_arp_parse(const uint8_t *frame, size_t len)
{
	const struct ether_header *eth = (const void *)frame;
	const struct ether_arp *a = (const void *)(eth + 1);

	if (len < sizeof(*eth) + sizeof(*a) || eth->ether_type != htons(ETHERTYPE_ARP))
		return NULL;
	if (a->arp_hrd != htons(ARPHRD_ETHER) || a->arp_pro != htons(ETHERTYPE_IP) ||
		a->arp_hln != 6 || a->arp_pln != 4)
		return NULL;
	if (a->arp_op != htons(ARPOP_REQUEST) && a->arp_op != htons(ARPOP_REPLY))
		return NULL;
	return bh_mac_is_host(a->arp_sha) ? a : NULL;
}

static bool
has_router_alert(const uint8_t *opts, size_t len)
{
	for (size_t at = 2; at < len;) {
		if (opts[at] == 0) {
			at++;
			continue;
		}
		if (at + 2 > len || at + 2 + opts[at + 1] > len)
			return false;
		if (opts[at] == OPT_ROUTER_ALERT && opts[at + 1] == 2)
			return opts[at + 2] == 0 && opts[at + 3] == 0;
		at += 2 + opts[at + 1];
	}
	return false;
}

/* Skips option headers. */
static int
walk(struct bh_pkt6 *p)
{
	size_t len;

	for (int i = 0; p->proto == IPPROTO_HOPOPTS || p->proto == IPPROTO_DSTOPTS; i++) {
		if (i == EXT_MAX || p->l4_len < 8)
			return -EBADMSG;
		len = (p->l4[1] + 1u) * 8;
		if (len > p->l4_len)
			return -EBADMSG;
		if (p->proto == IPPROTO_HOPOPTS)
			p->router_alert = has_router_alert(p->l4, len);
		p->proto = p->l4[0];
		p->l4 += len;
		p->l4_len -= len;
	}
	return 0;
}

int
bh_pkt6_parse(const uint8_t *frame, size_t len, struct bh_pkt6 *p)
{
	size_t payload;

	memset(p, 0, sizeof(*p));
	if (len < sizeof(*p->eth) + sizeof(*p->ip))
		return -EBADMSG;
	p->eth = (const void *)frame;
	p->ip = (const void *)(frame + sizeof(*p->eth));
	payload = ntohs(p->ip->ip6_plen);
	if (p->eth->ether_type != htons(ETHERTYPE_IPV6) || p->ip->ip6_vfc >> 4 != 6 ||
		payload > len - sizeof(*p->eth) - sizeof(*p->ip))
		return -EBADMSG;
	p->l4 = (const uint8_t *)(p->ip + 1);
	p->l4_len = payload;
	p->proto = p->ip->ip6_nxt;
	return walk(p);
}

bool
bh_pkt6_icmp_sound(const struct bh_pkt6 *p)
{
	return p->l4_len >= sizeof(struct icmp6_hdr) &&
	       icmp6_sum(p->ip, p->l4, p->l4_len) == 0xffff;
}

int
bh_nd_opts_parse(const uint8_t *opts, size_t len, struct bh_nd_opts *o)
{
	memset(o, 0, sizeof(*o));
	for (size_t at = 0; at < len;) {
		size_t n = len - at < 2 ? 0 : opts[at + 1] * 8u;

		if (n == 0 || n > len - at)
			return -EBADMSG;
		if (opts[at] == ND_OPT_SOURCE_LINKADDR && n == 8)
			o->source = opts + at + 2;
		else if (opts[at] == ND_OPT_TARGET_LINKADDR && n == 8)
			o->target = opts + at + 2;
		else if (opts[at] == BH_ND_OPT_NONCE && n == 8)
			o->nonce = opts + at + 2;
		at += n;
	}
	return 0;
}
