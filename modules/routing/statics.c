/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "modules/routing/routing.h"

static int
static_prefix(uint8_t family, const void *key, struct bh_prefix *p, uint32_t *instance)
{
	const struct bh_cfg_route4_key *k4 = key;
	const struct bh_cfg_route6_key *k6 = key;

	*instance = family == 4 ? k4->instance : k6->instance;
	return family == 4 ? bh_key_prefix(p, 4, k4->addr, k4->plen)
			   : bh_key_prefix(p, 6, k6->addr, k6->plen);
}

static bool
hops_ok(const struct bh_cfg_hop *hop, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (hop[i].family != 0 && hop[i].family != 4 && hop[i].family != 6)
			return false;
		if (hop[i].family == 0 && hop[i].name[0] == '\0')
			return false;
	}
	return true;
}

int
bh_static_put(struct bh_source *s, uint8_t family, const void *key, const void *val, size_t len)
{
	const size_t head = offsetof(struct bh_cfg_route, hop);
	struct bh_source_route in = {0};
	struct bh_cfg_route rec;

	if (len < head || len > sizeof(rec))
		return -EINVAL;
	memcpy(&rec, val, len);
	if (rec.n > BH_ECMP_MAX || len < head + rec.n * sizeof(rec.hop[0]) ||
		!hops_ok(rec.hop, rec.n) ||
		static_prefix(family, key, &in.prefix, &in.instance) < 0)
		return -EINVAL;
	in.preference = rec.preference;
	in.type = rec.type;
	in.n = rec.n;
	in.hops = rec.hop;
	return bh_source_add(s, &in);
}

int
bh_static_delete(struct bh_source *s, uint8_t family, const void *key)
{
	struct bh_prefix p;
	uint32_t instance;

	if (static_prefix(family, key, &p, &instance) < 0)
		return -EINVAL;
	return bh_source_delete(s, &p, instance);
}
