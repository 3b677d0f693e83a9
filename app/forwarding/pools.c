/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/forwarding/pools.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "lib/channel/packet.h"

#define CACHE 32 /* frames that an lcore keeps */

static struct rte_mempool *
create(const char *name, const char *kind, unsigned int n, uint16_t room, int socket_id)
{
	char full[RTE_MEMPOOL_NAMESIZE];

	snprintf(full, sizeof(full), "%s_%s", name, kind);
	return rte_pktmbuf_pool_create(full, n, CACHE, 0, RTE_PKTMBUF_HEADROOM + room, socket_id);
}

int
bh_frame_pools_create(struct bh_frame_pools *p, const char *name, int socket_id)
{
	p->small = create(name, "small", BH_FRAMES_SMALL, BH_FRAME_SMALL, socket_id);
	p->large = create(name, "large", BH_FRAMES_LARGE, BH_FRAME_MAX, socket_id);
	if (p->small != NULL && p->large != NULL)
		return 0;
	bh_frame_pools_destroy(p);
	return -ENOMEM;
}

void
bh_frame_pools_destroy(struct bh_frame_pools *p)
{
	rte_mempool_free(p->small);
	rte_mempool_free(p->large);
	p->small = p->large = NULL;
}
