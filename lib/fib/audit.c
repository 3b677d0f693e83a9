/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer compares what readers find with its routes. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lib/fib/fib_priv.h"

uint32_t
bh_fib_count(const struct bh_fib *fib)
{
	return fib->w->routes;
}

/* Nodes that are free, or branching points only, have next hop 0. */
int
bh_fib_at(const struct bh_fib *fib, uint32_t place, void *prefix, uint8_t *plen, uint32_t *nh)
{
	const struct rib *rib = &fib->w->rib;
	const struct rib_node *n;
	uint64_t be[2];

	if (place >= rib->len)
		return -ERANGE;
	n = &rib->node[place];
	if (n->nh == 0)
		return -ENOENT;
	be[0] = htobe64(n->key.hi);
	be[1] = htobe64(n->key.lo);
	memcpy(prefix, be, fib->max_plen / 8);
	*plen = n->plen;
	*nh = n->nh;
	return 0;
}

static bool
agrees_at(const struct bh_fib *fib, const uint8_t *addr)
{
	uint32_t nh = BH_FIB_NONE, four;

	bh_fib_lookup_prefix(fib, addr, NULL, NULL, &nh); /* none: it stays BH_FIB_NONE */
	if (fib->family == BH_FIB_IP6)
		return bh_fib_lookup6(fib, addr) == nh;
	memcpy(&four, addr, sizeof(four));
	return bh_fib_lookup4(fib, four) == nh;
}

bool
bh_fib_agrees(const struct bh_fib *fib, const void *prefix, uint8_t plen)
{
	uint8_t addr[16] = { 0 };

	memcpy(addr, prefix, fib->max_plen / 8);
	if (!agrees_at(fib, addr))
		return false;
	for (unsigned int i = plen; i < fib->max_plen; i++)
		addr[i / 8] |= 0x80 >> i % 8;
	return agrees_at(fib, addr);
}
