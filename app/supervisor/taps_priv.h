/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by taps.c, taps_adopt.c and taps_follow.c. */
#ifndef BH_SUPERVISOR_TAPS_PRIV_H
#define BH_SUPERVISOR_TAPS_PRIV_H

#include <net/if.h>

#include "app/supervisor/taps.h"
#include "lib/channel/msg.h"

#define AREA "host"
#define TUN "/dev/net/tun"
#define PREFIX "bh-"

struct bh_tap {
	char name[BH_NAME_LEN];	   /* of the router's interface */
	char kernel[IFNAMSIZ];	   /* of the kernel's */
	unsigned int ifindex;	   /* of the kernel's; 0: there is none */
	int fd;			   /* -1: there is none */
	bool seen;		   /* in the configuration, since it was last told anew */
};

struct bh_taps {
	struct bh_kernelif *kernel;
	unsigned int n;
	bool whole; /* what the configuration has is known: the others go */
	struct bh_tap tap[BH_IF_MAX];
};

/* A further one, not made yet. NULL: there are BH_IF_MAX. */
struct bh_tap *bh_tap_new(struct bh_taps *t, const char name[BH_NAME_LEN]);

/* Makes it in the kernel. What fails is told, and p->fd stays -1. */
void bh_tap_make(struct bh_taps *t, struct bh_tap *p);

/* Hands a made one to v6stack. 0 or -errno. */
int bh_tap_hand(const struct bh_tap *p, int sup_fd);

#endif
