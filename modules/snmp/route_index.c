/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/route_index.h"

#include <string.h>

#include "modules/snmp/nexthops.h"

static unsigned int
addr_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

int
bh_route_compare(const struct bh_route_place *a, const struct bh_route_place *b)
{
	int c;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	c = memcmp(a->addr, b->addr, sizeof(a->addr));
	return c != 0 ? c : a->plen - b->plen;
}

void
bh_route_index(const struct bh_route_place *prefix, const struct bh_nh_member *hop,
	struct bh_index *x)
{
	x->n = 0;
	bh_index_address(x, prefix->family, prefix->addr);
	bh_index_add(x, prefix->plen);
	bh_index_add(x, 2); /* policy: { 0 0 }, there is none */
	bh_index_add(x, 0);
	bh_index_add(x, 0);
	if (hop != NULL) {
		bh_index_scoped(x, hop->family, hop->addr, hop->ifindex);
		return;
	}
	bh_index_add(x, 0); /* unknown(0), of no octets */
	bh_index_add(x, 0);
}

static void
set_family(struct bh_route_place *place, uint8_t family)
{
	*place = (struct bh_route_place){.family = family, .self = true};
}

bool
bh_route_next_family(struct bh_route_place *place)
{
	if (place->family == 6)
		return false;
	set_family(place, 6);
	return true;
}

/* To the first address behind all that begin with its first n octets. */
static bool
behind(struct bh_route_place *place, unsigned int n)
{
	memset(place->addr + n, 0, sizeof(place->addr) - n);
	place->plen = 0;
	while (n > 0)
		if (++place->addr[--n] != 0)
			return true;
	return bh_route_next_family(place);
}

/* Bits up to the last one that is set: no prefix of that address is shorter. */
static unsigned int
significant(const struct bh_route_place *place)
{
	unsigned int n = addr_len(place->family) * 8;

	while (n > 0 && (place->addr[(n - 1) / 8] >> (7 - (n - 1) % 8) & 1) == 0)
		n--;
	return n;
}

static bool
seek_in_family(const struct bh_index *x, struct bh_route_place *place)
{
	unsigned int len = addr_len(place->family), i;

	for (i = 0; i < len && 2 + i < x->n; i++) {
		if (x->id[2 + i] > 255)
			return behind(place, i);
		place->addr[i] = x->id[2 + i];
	}
	if (2 + len < x->n) {
		if (x->id[2 + len] > len * 8)
			return behind(place, len);
		place->plen = x->id[2 + len];
	}
	return true;
}

bool
bh_route_seek(const struct bh_index *x, struct bh_route_place *place)
{
	bool found = true;

	set_family(place, 4);
	if (x->n > 0 && x->id[0] > 2)
		return false;
	if (x->n > 0 && x->id[0] == 2)
		set_family(place, 6);
	if (x->n > 1 && x->id[0] > 0) {
		if (x->id[1] > addr_len(place->family))
			found = bh_route_next_family(place);
		else if (x->id[1] == addr_len(place->family))
			found = seek_in_family(x, place);
	}
	if (place->plen < significant(place))
		place->plen = significant(place);
	return found;
}
