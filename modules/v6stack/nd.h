/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbor discovery messages: solicitation and advertisement (RFC 4861 §7), router
 * solicitation (§6.2.6, answered by ra.h). What is not valid by §6.1 and §7.1 is counted and
 * dropped; so is a fragment (RFC 6980), which the parser does not look into.
 */
#ifndef BH_V6STACK_ND_H
#define BH_V6STACK_ND_H

#include <stdbool.h>
#include <stdint.h>

struct bh_stack;
struct bh_netif;
struct bh_pkt6;

/* An ICMPv6 message of type 133 .. 137 that came in by i; hostile but for its lengths and
 * checksum. */
void bh_nd_input(struct bh_stack *s, struct bh_netif *i, const struct bh_pkt6 *p);

/* Solicits addr: its solicited-node group, or the one with this MAC. False: there is no address to
 * ask from. */
bool bh_nd_solicit(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16],
	const uint8_t *mac);

/* The solicitation of duplicate address detection, from ::. */
void bh_nd_send_probe(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16],
	const uint8_t *nonce);

/* Advertises addr, ours; dst NULL: to all nodes. */
void bh_nd_send_advert(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16],
	const uint8_t *dst, const uint8_t *dst_mac, bool solicited);

#endif
