/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/net/hostask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/net/prefix.h"

#define MTU_MIN 68

void
bh_hostask_init(struct bh_hostask *h, const char *name, const uint8_t mac[6], uint16_t mtu)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, BH_HOSTASK_MAGIC, sizeof(h->magic));
	snprintf(h->name, sizeof(h->name), "%s", name);
	memcpy(h->mac, mac, 6);
	h->mtu = mtu;
}

/* An address of an interface: one host, not loopback; link-local is fine. */
static bool
addr_ok(const struct bh_hostask_addr *a)
{
	size_t len = bh_addr_len(a->family);
	uint32_t four;

	if (len == 0 || a->plen == 0 || a->plen > bh_addr_bits(a->family))
		return false;
	for (size_t i = len; i < sizeof(a->addr); i++)
		if (a->addr[i] != 0)
			return false;
	if (a->family == BH_IP6)
		return !bh_ip6_src_is_martian(a->addr);
	memcpy(&four, a->addr, 4);
	return !bh_ip4_src_is_martian(four);
}

static bool
is_there(const struct bh_hostask *h, const struct bh_hostask_addr *a)
{
	for (unsigned int i = 0; i < h->n; i++)
		if (h->addr[i].family == a->family &&
			memcmp(h->addr[i].addr, a->addr, sizeof(a->addr)) == 0)
			return true;
	return false;
}

int
bh_hostask_add(struct bh_hostask *h, uint8_t family, const void *addr, uint8_t plen)
{
	struct bh_hostask_addr a = {.family = family, .plen = plen};

	memcpy(a.addr, addr, bh_addr_len(family));
	if (!addr_ok(&a) || is_there(h, &a))
		return -EINVAL;
	if (h->n == BH_HOSTASK_ADDRS)
		return -ENOSPC;
	h->addr[h->n++] = a;
	return 0;
}

/* NUL-padded, not empty. */
static bool
name_ok(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	for (size_t i = len; i < size; i++)
		if (name[i] != '\0')
			return false;
	return len > 0 && len < size;
}

static bool
head_ok(const struct bh_hostask *h)
{
	static const uint8_t none[6];

	return memcmp(h->magic, BH_HOSTASK_MAGIC, sizeof(h->magic)) == 0 &&
		name_ok(h->name, sizeof(h->name)) &&
		(h->flags & ~BH_HOSTASK_FLAGS) == 0 && h->mtu >= MTU_MIN &&
		h->mtu <= BH_HOSTASK_MTU_MAX && (h->mac[0] & 1) == 0 &&
		memcmp(h->mac, none, sizeof(none)) != 0 && h->n <= BH_HOSTASK_ADDRS;
}

int
bh_hostask_read(struct bh_hostask *h, const void *msg, size_t len)
{
	struct bh_hostask said;

	if (len < BH_HOSTASK_LEN(0) || len > sizeof(said))
		return -EBADMSG;
	memset(&said, 0, sizeof(said));
	memcpy(&said, msg, len);
	if (!head_ok(&said) || len != BH_HOSTASK_LEN(said.n))
		return -EBADMSG;
	*h = said;
	h->n = 0;
	for (unsigned int i = 0; i < said.n; i++) {
		int rc = bh_hostask_add(h, said.addr[i].family, said.addr[i].addr,
			said.addr[i].plen);

		if (rc < 0)
			return rc;
	}
	return 0;
}
