/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protocols as zebra numbers them in netlink messages (rtm_protocol): RTPROT_* of
 * linux/rtnetlink.h, and above them the numbers that FRR took for its daemons. Pure; any process.
 */
#ifndef BH_NET_ZPROTO_H
#define BH_NET_ZPROTO_H

#include <stdint.h>

/* The name that users read and write ("bgp"), or NULL: no daemon of FRR has this number. */
const char *bh_zproto_name(uint8_t proto);

/* Number of a name, or -ENOENT. */
int bh_zproto_find(const char *name);

/* The administrative distance unless configured; of an unknown protocol the highest but one. */
uint8_t bh_zproto_distance(uint8_t proto);

#endif
