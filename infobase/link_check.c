/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the schema's own checks of form (padding, families, text) leave open: sizes and meanings.
 * The owner of a table is trusted no more than anybody else. Values are copied out, they may lie
 * at any alignment.
 */
#include <errno.h>
#include <string.h>

#include "infobase/link_priv.h"

#define IF_FLAGS (BH_IF_ENABLED | BH_IF_FORWARD4 | BH_IF_FORWARD6 | BH_IF_IPV4 | BH_IF_IPV6)
#define MTU_MIN4 68   /* RFC 791 */
#define MTU_MIN6 1280 /* RFC 8200 */
#define QUEUES_MAX 64
#define DESC_MAX 32768

/* Printable text that ends within its room; `no`: a character that it must not have. */
static bool
text_ok(const char *s, size_t room, char no)
{
	for (size_t i = 0; i < room; i++) {
		if (s[i] == '\0')
			return true;
		if (s[i] < ' ' || s[i] > '~' || s[i] == no)
			return false;
	}
	return false;
}

static bool
name_ok(const char *name)
{
	return name[0] != '\0' && text_ok(name, BH_NAME_LEN, '/');
}

static bool
plen_ok(uint8_t family, uint8_t plen)
{
	return (family == 4 && plen <= 32) || (family == 6 && plen <= 128);
}

bool
bh_link_mac_ok(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, sizeof(zero)) != 0;
}

static bool
mtu_ok(uint16_t mtu, uint16_t min)
{
	return mtu == 0 || mtu >= min;
}

static bool
sizes_ok(const struct bh_cfg_interface *c)
{
	return mtu_ok(c->mtu, MTU_MIN4) && mtu_ok(c->mtu4, MTU_MIN4) && mtu_ok(c->mtu6, MTU_MIN6) &&
		c->rx_queues <= QUEUES_MAX && c->tx_queues <= QUEUES_MAX &&
		c->rx_desc <= DESC_MAX && c->tx_desc <= DESC_MAX;
}

int
bh_link_check_cfg_interface(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	static const uint8_t zero[6];
	struct bh_cfg_interface c;

	if (len != sizeof(c))
		return -EINVAL;
	memcpy(&c, val, sizeof(c));
	if (!name_ok(key) || (c.flags & ~IF_FLAGS) || c.vrf != 0 || !sizes_ok(&c))
		return -EINVAL;
	if (memcmp(c.mac, zero, sizeof(zero)) && !bh_link_mac_ok(c.mac))
		return -EINVAL;
	/* A description is for people, in any language: only its end is looked for. */
	if (!text_ok(c.device, sizeof(c.device), '\0') ||
			!memchr(c.description, '\0', sizeof(c.description)))
		return -EINVAL;
	return old || bh_link_if_room(ctx, key) ? 0 : -ENOSPC;
}

int
bh_link_check_cfg_address(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	const struct bh_cfg_address_key *k = key;
	const struct bh_cfg_address *v = val;

	(void)ctx;
	(void)old;
	if (len != sizeof(*v) || !name_ok(k->name) || !plen_ok(k->family, v->plen))
		return -EINVAL;
	return 0;
}

int
bh_link_check_cfg_neighbor(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	const struct bh_cfg_neighbor_key *k = key;
	const struct bh_cfg_neighbor *v = val;

	if (len != sizeof(*v) || !name_ok(k->name) || (k->family != 4 && k->family != 6) ||
			!bh_link_mac_ok(v->mac))
		return -EINVAL;
	return old || bh_link_adj_room(ctx, 1) ? 0 : -ENOSPC;
}

int
bh_link_check_address(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	const struct bh_address *v = val;
	struct bh_if_addr_key k;

	(void)ctx;
	(void)old;
	memcpy(&k, key, sizeof(k));
	if (len != sizeof(*v) || k.ifindex == 0 || k.ifindex >= BH_IF_MAX ||
			!plen_ok(k.family, v->plen) || v->state > 2)
		return -EINVAL;
	return 0;
}

int
bh_link_check_neighbor(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	struct bh_if_addr_key k;
	struct bh_neighbor v;

	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&k, key, sizeof(k));
	memcpy(&v, val, sizeof(v));
	if (k.ifindex == 0 || k.ifindex >= BH_IF_MAX || (k.family != 4 && k.family != 6))
		return -EINVAL;
	if (v.state != 0 && !bh_link_mac_ok(v.mac))
		return -EINVAL;
	return old || bh_link_adj_room(ctx, 1) ? 0 : -ENOSPC;
}

int
bh_link_check_hostif(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old)
{
	struct bh_ifindex_key k;
	struct bh_hostif v;

	(void)ctx;
	(void)old;
	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&k, key, sizeof(k));
	memcpy(&v, val, sizeof(v));
	return k.ifindex > 0 && k.ifindex < BH_IF_MAX && v.host_ifindex != 0 ? 0 : -EINVAL;
}
