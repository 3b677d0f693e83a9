/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/nexthops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/prefix.h"

/* FNV-1a (Fowler, Noll, Vo), 64 bits: tells keys apart that no stranger makes. */
static uint64_t
digest(const struct bh_nexthop_key *key)
{
	const uint8_t *p = (const uint8_t *)key;
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(*key); i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

void
bh_nexthops_index(const struct bh_nexthop_key *key, struct bh_index *x)
{
	uint64_t h = digest(key);

	bh_index_add(x, h >> 32);
	bh_index_add(x, (uint32_t)h);
}

static bool
is_link_local(uint8_t family, const uint8_t *addr)
{
	uint32_t be;

	if (family == BH_IP6)
		return bh_ip6_is_link_local(addr);
	memcpy(&be, addr, sizeof(be));
	return bh_ip4_is_link_local(be);
}

void
bh_index_scoped(struct bh_index *x, uint8_t family, const uint8_t *addr, uint32_t ifindex)
{
	size_t len = family == BH_IP4 ? 4 : 16;
	const uint8_t zone[4] = {ifindex >> 24, ifindex >> 16, ifindex >> 8, ifindex};

	if (!is_link_local(family, addr)) {
		bh_index_address(x, family, addr);
		return;
	}
	bh_index_add(x, family == BH_IP4 ? 3 : 4); /* ipv4z(3), ipv6z(4) */
	bh_index_add(x, len + sizeof(zone));
	bh_index_octets(x, addr, len, false);
	bh_index_octets(x, zone, sizeof(zone), false);
}

static int
compare(const void *a, const void *b)
{
	const struct bh_nh_member *p = a, *q = b;
	struct bh_index x = {0}, y = {0};

	bh_index_scoped(&x, p->family, p->addr, p->ifindex);
	bh_index_scoped(&y, q->family, q->addr, q->ifindex);
	return bh_index_compare(&x, &y);
}

static struct bh_snmp_nh *
make(const struct bh_nexthop_key *key)
{
	unsigned int n = key->n <= BH_ECMP_MAX ? key->n : BH_ECMP_MAX, kept = 0;
	struct bh_snmp_nh *nh = calloc(1, sizeof(*nh) + n * sizeof(nh->m[0]));

	if (nh == NULL)
		return NULL;
	nh->digest = digest(key);
	nh->type = key->type;
	memcpy(nh->m, key->m, n * sizeof(nh->m[0]));
	if (key->type == BH_NH_GROUP)
		qsort(nh->m, n, sizeof(nh->m[0]), compare);
	for (unsigned int i = 0; i < n; i++)
		if (kept == 0 || compare(&nh->m[kept - 1], &nh->m[i]) != 0)
			nh->m[kept++] = nh->m[i];
	nh->n = kept;
	return nh;
}

static void
forget(struct bh_nexthops *n, uint32_t id, uint64_t of)
{
	if (id >= BH_NH_MAX || n->by_id[id] == NULL || n->by_id[id]->digest != of)
		return;
	free(n->by_id[id]);
	n->by_id[id] = NULL;
}

/* With another core an id may be another key's, whose record may have come before. */
int
bh_nexthops_change(struct bh_nexthops *n, const struct bh_nexthop_key *key,
	const struct bh_nexthop *was, const struct bh_nexthop *is)
{
	if (was != NULL && is != NULL && was->id == is->id && bh_nexthops_get(n, is->id) != NULL &&
		n->by_id[is->id]->digest == digest(key))
		return 0;
	if (was != NULL)
		forget(n, was->id, digest(key));
	if (is == NULL || is->id >= BH_NH_MAX)
		return 0;
	free(n->by_id[is->id]);
	n->by_id[is->id] = make(key);
	return n->by_id[is->id] == NULL ? -ENOMEM : 0;
}

const struct bh_snmp_nh *
bh_nexthops_get(const struct bh_nexthops *n, uint32_t id)
{
	return id < BH_NH_MAX ? n->by_id[id] : NULL;
}

void
bh_nexthops_fini(struct bh_nexthops *n)
{
	for (uint32_t i = 0; i < BH_NH_MAX; i++)
		free(n->by_id[i]);
	memset(n, 0, sizeof(*n));
}
