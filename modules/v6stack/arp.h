/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BH_V6STACK_ARP_H
#define BH_V6STACK_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bh_stack;
struct bh_netif;

/* An ARP frame that came in by i; hostile. */
void bh_arp_input(struct bh_stack *s, struct bh_netif *i, const uint8_t *frame, size_t len);

/* Asks who has addr: everybody, or (RFC 1122 §2.3.2.1) the one with this MAC. False: there is no
 * address to ask from. */
bool bh_arp_solicit(struct bh_stack *s, struct bh_netif *i, const uint8_t addr[16],
	const uint8_t *mac);

#endif
