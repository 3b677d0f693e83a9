/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest protocol stack: proves punt and injection. What is to the router goes back to its
 * sender, routed; what waits for a neighbor leaves resolved, to a MAC that tells the next hop.
 * Compiled by s_punt.py.
 */
#include <stdio.h>
#include <string.h>

#include "lib/client/packet.h"

#define ETH 14

static struct bh_packets *packets;

static void
punt(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len)
{
	static uint8_t f[BH_FRAME_MAX];

	(void)arg;
	memcpy(f, frame, len);
	if (p->reason == BH_PUNT_LOCAL && f[12] == 0x08 && len >= ETH + 20) {
		memcpy(f + ETH + 12, frame + ETH + 16, 4);
		memcpy(f + ETH + 16, frame + ETH + 12, 4);
		bh_packets_inject(packets, BH_INJECT_ROUTED, 0, f, len);
	} else if (p->reason == BH_PUNT_RESOLVE) {
		memcpy(f, (const uint8_t[]){0x02, 0xdd, 0, p->family, p->hop[2], p->hop[3]}, 6);
		bh_packets_inject(packets, BH_INJECT_RESOLVED, p->out_ifindex, f, len);
	}
}

int
main(void)
{
	struct bh_open_args args;

	bh_open_args_env(&args, "reflect");
	packets = bh_packets_open(&args, punt, NULL);
	if (packets == NULL) {
		perror("reflect");
		return 1;
	}
	bh_ready();
	while (bh_packets_poll(packets, -1) >= 0)
		;
	return 1; /* the supervisor starts us again */
}
