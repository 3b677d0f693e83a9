/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "infobase/schema.h"
#include "infobase/schema_check.h"

static bool
is_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	while (len > 0 && b[len - 1] == 0)
		len--;
	return len == 0;
}

/* NUL-terminated text without control characters, zero behind its end. */
static bool
text_ok(const char *s, size_t room)
{
	size_t i, len = strnlen(s, room);

	for (i = 0; i < len; i++)
		if ((uint8_t)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return len < room && is_zero(s + len, room - len);
}

static bool
name_ok(const char *s, size_t room)
{
	return s[0] != '\0' && text_ok(s, room);
}

/* An address of 16 bytes, of which IPv4 takes 4. */
static bool
addr_ok(uint8_t family, const uint8_t *addr)
{
	return family == 6 || (family == 4 && is_zero(addr + 4, 12));
}

static bool
prefix_ok(const uint8_t *addr, unsigned int len, uint8_t plen)
{
	unsigned int whole = plen / 8;

	if (plen > len * 8)
		return false;
	if (plen % 8 != 0 && (uint8_t)(addr[whole++] << (plen % 8)) != 0)
		return false;
	return is_zero(addr + whole, len - whole);
}

bool
bh_key_ifname(const void *key)
{
	return name_ok(key, sizeof(struct bh_ifname_key));
}

bool
bh_key_name_addr(const void *key)
{
	struct bh_cfg_address_key k;

	_Static_assert(sizeof(k) == sizeof(struct bh_cfg_neighbor_key), "one check for both");
	memcpy(&k, key, sizeof(k));
	return name_ok(k.name, sizeof(k.name)) && is_zero(k.pad, sizeof(k.pad)) &&
		addr_ok(k.family, k.addr);
}

/* The word behind plen is the instance of a cfg_route and the vrf of a route. */
bool
bh_key_prefix4(const void *key)
{
	struct bh_route4_key k;

	_Static_assert(sizeof(k) == sizeof(struct bh_cfg_route4_key), "one check for both");
	memcpy(&k, key, sizeof(k));
	return k.pad == 0 && prefix_ok(k.addr, sizeof(k.addr), k.plen);
}

bool
bh_key_prefix6(const void *key)
{
	struct bh_route6_key k;

	_Static_assert(sizeof(k) == sizeof(struct bh_cfg_route6_key), "one check for both");
	memcpy(&k, key, sizeof(k));
	return k.pad == 0 && prefix_ok(k.addr, sizeof(k.addr), k.plen);
}

static bool
ifindex_ok(uint32_t ifindex)
{
	return ifindex > 0 && ifindex < BH_IF_MAX;
}

bool
bh_key_ifindex(const void *key)
{
	struct bh_ifindex_key k;

	memcpy(&k, key, sizeof(k));
	return ifindex_ok(k.ifindex);
}

bool
bh_key_if_addr(const void *key)
{
	struct bh_if_addr_key k;

	memcpy(&k, key, sizeof(k));
	return ifindex_ok(k.ifindex) && is_zero(k.pad, sizeof(k.pad)) && addr_ok(k.family, k.addr);
}

static bool
member_ok(const struct bh_nh_member *m, bool attached)
{
	if (!ifindex_ok(m->ifindex) || m->weight == 0 || !is_zero(m->pad, sizeof(m->pad)))
		return false;
	if (attached)
		return m->family == 0 && is_zero(m->addr, sizeof(m->addr));
	return addr_ok(m->family, m->addr);
}

static bool
member_count_ok(uint8_t type, uint8_t n)
{
	switch (type) {
	case BH_NH_GROUP:
		return n >= 1 && n <= BH_ECMP_MAX;
	case BH_NH_ATTACHED:
		return n == 1;
	case BH_NH_LOCAL:
	case BH_NH_BLACKHOLE:
	case BH_NH_UNREACHABLE:
	case BH_NH_PROHIBIT:
		return n == 0;
	default:
		return false;
	}
}

bool
bh_key_nexthop(const void *key)
{
	struct bh_nexthop_key k;
	unsigned int i;

	memcpy(&k, key, sizeof(k));
	if (!member_count_ok(k.type, k.n) || !is_zero(k.pad, sizeof(k.pad)))
		return false;
	for (i = 0; i < k.n; i++) {
		if (!member_ok(&k.m[i], k.type == BH_NH_ATTACHED))
			return false;
		if (i > 0 && memcmp(&k.m[i - 1], &k.m[i], sizeof(k.m[i])) >= 0)
			return false;
	}
	return is_zero(&k.m[k.n], (BH_ECMP_MAX - k.n) * sizeof(k.m[0]));
}

bool
bh_key_cfg_ra_prefix(const void *key)
{
	struct bh_cfg_ra_prefix_key k;

	memcpy(&k, key, sizeof(k));
	return name_ok(k.name, sizeof(k.name)) && is_zero(k.pad, sizeof(k.pad)) &&
		prefix_ok(k.addr, sizeof(k.addr), k.plen);
}

bool
bh_key_sock(const void *key)
{
	struct bh_sock_key k;

	memcpy(&k, key, sizeof(k));
	return is_zero(k.pad, sizeof(k.pad)) && addr_ok(k.family, k.laddr) &&
		addr_ok(k.family, k.raddr);
}

bool
bh_key_name32(const void *key)
{
	return name_ok(key, sizeof(struct bh_snmp_key));
}

bool
bh_val_cfg_interface(const void *val, uint16_t len)
{
	struct bh_cfg_interface v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return text_ok(v.device, sizeof(v.device)) && text_ok(v.description, sizeof(v.description));
}

bool
bh_val_cfg_address(const void *val, uint16_t len)
{
	const uint8_t *plen = val;

	return len == sizeof(struct bh_cfg_address) && *plen <= 128;
}

static bool
hop_ok(const struct bh_cfg_hop *h)
{
	if (h->weight == 0 || !is_zero(h->pad, sizeof(h->pad)))
		return false;
	if (h->family == 0) /* attached: needs its interface */
		return name_ok(h->name, sizeof(h->name)) && is_zero(h->addr, sizeof(h->addr));
	return text_ok(h->name, sizeof(h->name)) && addr_ok(h->family, h->addr);
}

bool
bh_val_cfg_route(const void *val, uint16_t len)
{
	struct bh_cfg_route v = { 0 };
	unsigned int i;

	if (len > sizeof(v))
		return false;
	memcpy(&v, val, len);
	if (v.n > BH_ECMP_MAX || len != offsetof(struct bh_cfg_route, hop) + v.n * sizeof(v.hop[0]))
		return false;
	if (v.type == BH_NH_ATTACHED || !member_count_ok(v.type, v.n))
		return false;
	for (i = 0; i < v.n; i++)
		if (!hop_ok(&v.hop[i]))
			return false;
	return true;
}

bool
bh_val_cfg_ra(const void *val, uint16_t len)
{
	struct bh_cfg_ra v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return (v.flags & ~(BH_RA_SEND | BH_RA_MANAGED | BH_RA_OTHER)) == 0 &&
		v.max_interval >= 4 && v.min_interval >= 3 && v.min_interval <= v.max_interval &&
		v.reachable <= 3600000;
}

bool
bh_val_cfg_ra_prefix(const void *val, uint16_t len)
{
	struct bh_cfg_ra_prefix v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return is_zero(v.pad, sizeof(v.pad)) && v.preferred <= v.valid &&
		(v.flags & ~(BH_RA_PREFIX_ON_LINK | BH_RA_PREFIX_AUTONOMOUS | BH_RA_PREFIX_NONE)) == 0;
}

bool
bh_val_cfg_snmp(const void *val, uint16_t len)
{
	struct bh_cfg_snmp v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return (v.mibs & ~BH_SNMP_ALL) == 0 && (v.flags & ~BH_SNMP_NOTIFY) == 0 &&
		name_ok(v.address, sizeof(v.address)) && text_ok(v.context, sizeof(v.context));
}

bool
bh_val_cfg_fpm(const void *val, uint16_t len)
{
	struct bh_cfg_fpm v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return v.pad == 0 && addr_ok(v.family, v.addr) && v.port != 0 && v.settle != 0 &&
		v.replay_limit >= v.settle && memchr(v.distance, 0, sizeof(v.distance)) == NULL;
}

bool
bh_val_fpm_status(const void *val, uint16_t len)
{
	struct bh_fpm_status v;

	_Static_assert(sizeof(v.refused) / sizeof(v.refused[0]) >= BH_FPM_REASONS, "room for all");
	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return v.state >= BH_FPM_FAILED && v.state <= BH_FPM_CONNECTED &&
		text_ok(v.error, sizeof(v.error)) &&
		(v.peer_family == 0 ? is_zero(v.peer, sizeof(v.peer)) : addr_ok(v.peer_family, v.peer));
}

static bool
fpm_hop_ok(const struct bh_fpm_hop *h)
{
	if (h->weight == 0 || !is_zero(h->pad, sizeof(h->pad)))
		return false;
	if (h->family == 0) /* attached: needs its interface */
		return h->ifindex != 0 && is_zero(h->addr, sizeof(h->addr));
	return addr_ok(h->family, h->addr);
}

bool
bh_val_fpm_route(const void *val, uint16_t len)
{
	struct bh_fpm_route v = { 0 };

	if (len > sizeof(v))
		return false;
	memcpy(&v, val, len);
	if (v.n > BH_ECMP_MAX || len != offsetof(struct bh_fpm_route, hop) + v.n * sizeof(v.hop[0]))
		return false;
	if (v.type == BH_NH_ATTACHED || v.type == BH_NH_LOCAL || v.pad != 0 ||
		!member_count_ok(v.type, v.n))
		return false;
	for (unsigned int i = 0; i < v.n; i++)
		if (!fpm_hop_ok(&v.hop[i]))
			return false;
	return true;
}

bool
bh_val_address(const void *val, uint16_t len)
{
	struct bh_address v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return v.plen <= 128 && v.state <= 2;
}

bool
bh_val_route(const void *val, uint16_t len)
{
	struct bh_route v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return v.proto >= BH_RP_CONNECTED && v.proto <= BH_RP_FPM && v.flags == 0;
}

bool
bh_val_process(const void *val, uint16_t len)
{
	struct bh_process v;

	if (len != sizeof(v))
		return false;
	memcpy(&v, val, sizeof(v));
	return v.state >= BH_PROC_STARTING && v.state <= BH_PROC_STOPPED && v.how < BH_HOW_MAX &&
		(v.flags & ~BH_PROC_ADOPTED) == 0;
}
