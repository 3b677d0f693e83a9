/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/key.h"

#include <errno.h>
#include <string.h>

#include "infobase/schema.h"

int
bh_key_prefix(struct bh_prefix *p, uint8_t family, const void *addr, uint8_t plen)
{
	int rc = bh_prefix_make(p, family, addr, plen);

	if (rc == 0)
		bh_prefix_mask(p);
	return rc;
}

size_t
bh_key_route(const struct bh_prefix *p, void *key)
{
	struct bh_route4_key k4 = {.plen = p->plen};
	struct bh_route6_key k6 = {.plen = p->plen};

	if (p->family == BH_IP4) {
		memcpy(k4.addr, p->addr, sizeof(k4.addr));
		memcpy(key, &k4, sizeof(k4));
		return sizeof(k4);
	}
	memcpy(k6.addr, p->addr, sizeof(k6.addr));
	memcpy(key, &k6, sizeof(k6));
	return sizeof(k6);
}
