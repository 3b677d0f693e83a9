/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "infobase/schema.h"

int
bh_prefix_set(struct bh_prefix *p, uint8_t family, const void *addr, uint8_t plen)
{
	if ((family != 4 && family != 6) || plen > bh_family_bits(family))
		return -EINVAL;
	memset(p, 0, sizeof(*p));
	memcpy(p->addr, addr, (plen + 7) / 8);
	if (plen % 8 != 0)
		p->addr[plen / 8] &= 0xff00 >> plen % 8;
	p->family = family;
	p->plen = plen;
	return 0;
}

bool
bh_addr_is_link_local6(const uint8_t addr[16])
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

size_t
bh_prefix_key(const struct bh_prefix *p, void *key)
{
	struct bh_route4_key k4 = { .plen = p->plen };
	struct bh_route6_key k6 = { .plen = p->plen };

	if (p->family == 4) {
		memcpy(k4.addr, p->addr, sizeof(k4.addr));
		memcpy(key, &k4, sizeof(k4));
		return sizeof(k4);
	}
	memcpy(k6.addr, p->addr, sizeof(k6.addr));
	memcpy(key, &k6, sizeof(k6));
	return sizeof(k6);
}

const char *
bh_prefix_str(const struct bh_prefix *p, char buf[BH_PREFIX_STRLEN])
{
	char a[INET6_ADDRSTRLEN] = "?";

	inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->addr, a, sizeof(a));
	snprintf(buf, BH_PREFIX_STRLEN, "%s/%u", a, p->plen);
	return buf;
}
