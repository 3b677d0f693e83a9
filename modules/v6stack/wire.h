/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of the stack: built and taken apart. A frame from a wire is hostile: the parsers check
 * every length before they read, and hand out pointers into it only. They want the IP header
 * aligned: the frame begins 2 bytes behind a multiple of 8. All pure.
 */
#ifndef BH_V6STACK_WIRE_H
#define BH_V6STACK_WIRE_H

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_WIRE_MAX 1514 /* Ethernet header and 1500 bytes */

#define BH_ND_OPT_NONCE 14 /* RFC 3971, RFC 7527 */
#define BH_NONCE_LEN 6

extern const uint8_t bh_mac_broadcast[6];
extern const uint8_t bh_ip6_any[16];
extern const uint8_t bh_ip6_all_nodes[16];   /* ff02::1 */
extern const uint8_t bh_ip6_all_routers[16]; /* ff02::2 */
extern const uint8_t bh_ip6_all_mld[16];     /* ff02::16 */

/* ---- building ---- */

/* The IP header is aligned. */
struct bh_frame {
	size_t len;
	uint8_t shift[2] __attribute__((aligned(8)));
	uint8_t data[BH_WIRE_MAX];
};

/* n more bytes, zeroed, or NULL when the frame is full. */
void *bh_frame_more(struct bh_frame *f, size_t n);

/* An ARP packet (RFC 826), whole. op: ARPOP_REQUEST or ARPOP_REPLY. */
void bh_frame_arp(struct bh_frame *f, uint16_t op, const uint8_t dst[6], const uint8_t smac[6],
	const uint8_t sip[4], const uint8_t tmac[6], const uint8_t tip[4]);

/* Begins an ICMPv6 message to dst, which begins with `room` zeroed bytes, returned. dst_mac NULL:
 * that of the group. Hop limit 255; with router_alert 1 and a hop-by-hop option (RFC 2711). */
void *bh_frame_icmp6(struct bh_frame *f, const uint8_t smac[6], const uint8_t *dst_mac,
	const uint8_t src[16], const uint8_t dst[16], bool router_alert, size_t room);
/* Its end: lengths and checksum. */
void bh_frame_icmp6_end(struct bh_frame *f);

/* A link-layer address option; a nonce option. */
void bh_frame_opt_lladdr(struct bh_frame *f, uint8_t type, const uint8_t mac[6]);
void bh_frame_opt_nonce(struct bh_frame *f, const uint8_t nonce[BH_NONCE_LEN]);

/* Solicited-node group of an address (RFC 4291 §2.7.1), MAC of a group (RFC 2464 §7),
 * link-local address of a MAC by modified EUI-64 (RFC 4291 appendix A). */
void bh_ip6_solicited_node(const uint8_t addr[16], uint8_t group[16]);
void bh_ip6_group_mac(const uint8_t group[16], uint8_t mac[6]);
void bh_ip6_link_local(const uint8_t mac[6], uint8_t addr[16]);

/* ---- taking apart ---- */

/* A whole ARP packet of Ethernet and IPv4 (RFC 826) with a sender that may be one; NULL else. */
const struct ether_arp *bh_arp_parse(const uint8_t *frame, size_t len);

struct bh_pkt6 {
	const struct ether_header *eth;
	const struct ip6_hdr *ip;
	const uint8_t *l4; /* behind hop-by-hop and destination options */
	size_t l4_len;
	uint8_t proto; /* of l4 */
	bool router_alert; /* for MLD */
};

/* 0, or -EBADMSG: lengths or the version are wrong. */
int bh_pkt6_parse(const uint8_t *frame, size_t len, struct bh_pkt6 *p);

/* The checksum of an ICMPv6 message. */
bool bh_pkt6_icmp_sound(const struct bh_pkt6 *p);

/* Options of a neighbor discovery message; NULL: not there. */
struct bh_nd_opts {
	const uint8_t *source, *target; /* 6 bytes */
	const uint8_t *nonce;		/* BH_NONCE_LEN */
};

/* 0, or -EBADMSG: one has no length, or ends behind the message (RFC 4861 §6.1, §7.1). Unknown
 * ones are skipped. */
int bh_nd_opts_parse(const uint8_t *opts, size_t len, struct bh_nd_opts *o);

/* Neither a group's nor zero. */
bool bh_mac_is_host(const uint8_t mac[6]);
/* One's complement sum, not inverted, folded to 16 bits. */
uint32_t bh_sum16(uint32_t sum, const void *data, size_t len);

#endif
