/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What YANG cannot express about interfaces, addresses and neighbors.
 *
 * Two interfaces may share an IPv6 link-local address (RFC 4291 §2.1: its scope is the
 * link), nothing else. The address with an all-zero host part is refused as the network's
 * (RFC 1122 §3.2.1.3) or the subnet-router anycast address (RFC 4291 §2.6.1), but not on /31
 * (RFC 3021) and /127 (RFC 6164).
 */
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static void
check_name(const struct bh_model_if *p, struct bh_diag *d)
{
	const char *name = bh_yang_string(p->node, "name");
	size_t len = strlen(name);

	if (len == 0 || len >= BH_NAME_LEN)
		bh_diag(d, p->node, "Interface name \"%s\" must have 1 to %d bytes.", name,
			BH_NAME_LEN - 1);
	else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		bh_diag(d, p->node, "Interface name \"%s\" is reserved.", name);
	for (const char *c = name; *c != '\0'; c++)
		if (*c <= ' ' || *c == '/' || *c == ':' || *c > '~') {
			bh_diag(d, p->node,
				"Interface name \"%s\" must be ASCII without '/', ':' and spaces.",
				name);
			return;
		}
}

static void
check_type(const struct bh_model_if *p, struct bh_diag *d)
{
	const struct lyd_node *type = bh_yang_child(p->node, "type");
	const char *value = lyd_get_value(type);

	if (strcmp(value, "iana-if-type:ethernetCsmacd") != 0)
		bh_diag(d, type,
			"Interface type \"%s\" is not supported, only iana-if-type:ethernetCsmacd.",
			value);
}

static void
check_device(const struct bh_model *m, unsigned int i, struct bh_diag *d)
{
	const struct lyd_node *dpdk = bh_yang_child(m->ifs[i].node, "dpdk");

	for (unsigned int j = 0; dpdk != NULL && j < i; j++)
		if (m->ifs[j].cfg.device[0] != '\0' &&
			bh_device_same(m->ifs[i].cfg.device, m->ifs[j].cfg.device))
			bh_diag(d, bh_yang_child(dpdk, "device"),
				"Device \"%s\" is also that of interface \"%s\".",
				m->ifs[i].cfg.device, m->ifs[j].name);
}

static void
check_mtu(const struct bh_model_if *p, struct bh_diag *d)
{
	const struct bh_cfg_interface *c = &p->cfg;

	if (c->mtu == 0)
		return;
	if (c->mtu4 > c->mtu)
		bh_diag(d, bh_yang_child(bh_yang_child(p->node, "ipv4"), "mtu"),
			"IPv4 MTU %u is larger than the link's %u.", c->mtu4, c->mtu);
	if (c->mtu6 > c->mtu)
		bh_diag(d, bh_yang_child(bh_yang_child(p->node, "ipv6"), "mtu"),
			"IPv6 MTU %u is larger than the link's %u.", c->mtu6, c->mtu);
	if ((c->flags & BH_IF_IPV6) != 0 && c->mtu < 1280)
		bh_diag(d, bh_yang_child(bh_yang_child(p->node, "dpdk"), "mtu"),
			"IPv6 needs an MTU of 1280 or more (RFC 8200).");
}

const char *
bh_host_fault(uint8_t family, const uint8_t *addr)
{
	static const uint8_t zero[16];
	uint32_t v4;

	if (memcmp(addr, zero, sizeof(zero)) == 0)
		return "is the unspecified address";
	if (family == BH_IP6) {
		if (bh_ip6_is_multicast(addr))
			return "is multicast";
		if (bh_ip6_dst_is_martian(addr))
			return memcmp(addr, zero, 8) == 0 && addr[10] == 0xff
				? "is an IPv4-mapped address" : "is the loopback address";
		return NULL;
	}
	memcpy(&v4, addr, sizeof(v4));
	if (v4 == UINT32_MAX)
		return "is the limited broadcast address";
	if (addr[0] == 127)
		return "is a loopback address";
	if (bh_ip4_is_multicast(v4))
		return "is multicast";
	return bh_ip4_dst_is_martian(v4) ? "is reserved" : NULL;
}

/* Whether the host part is all zeros (0) or all ones (0xff). */
static bool
host_part_is(const struct bh_prefix *p, uint8_t byte)
{
	for (unsigned int bit = p->plen; bit < bh_addr_bits(p->family); bit++)
		if ((p->addr[bit / 8] ^ byte) & 0x80 >> bit % 8)
			return false;
	return true;
}

static void
check_address(const struct bh_model_host *a, struct bh_diag *d)
{
	const char *ip = bh_yang_string(a->node, "ip");
	const char *fault = bh_host_fault(a->p.family, a->p.addr);

	if (fault == NULL && a->p.plen == 0)
		fault = "has no subnet (prefix length 0)";
	if (fault == NULL && a->p.plen + 2u <= bh_addr_bits(a->p.family)) {
		if (host_part_is(&a->p, 0))
			fault = a->p.family == BH_IP4 ? "is the address of its network"
						      : "is its subnet-router anycast address";
		else if (a->p.family == BH_IP4 && host_part_is(&a->p, 0xff))
			fault = "is the broadcast address of its network";
	}
	if (fault != NULL)
		bh_diag(d, a->node, "Address %s/%u %s.", ip, a->p.plen, fault);
}

static int
compare(const void *a, const void *b)
{
	const struct bh_model_host *x = a, *y = b;

	if (x->p.family != y->p.family)
		return x->p.family < y->p.family ? -1 : 1;
	return memcmp(x->p.addr, y->p.addr, sizeof(x->p.addr));
}

static int
compare_stable(const void *a, const void *b)
{
	const struct bh_model_host *x = a, *y = b;
	int c = compare(a, b);

	return c != 0 ? c : x->i < y->i ? -1 : x->i > y->i;
}

static void
check_duplicates(const struct bh_model *m, struct bh_diag *d)
{
	for (unsigned int i = 1; i < m->addresses.n; i++) {
		const struct bh_model_host *a = &m->addresses.host[i - 1], *b = a + 1;

		if (compare(a, b) != 0 ||
			(b->p.family == BH_IP6 && bh_ip6_is_link_local(b->p.addr)))
			continue;
		bh_diag(d, b->node, "Address %s is also on interface \"%s\".",
			bh_yang_string(b->node, "ip"), m->ifs[a->i].name);
	}
}

bool
bh_model_is_own(const struct bh_model *m, uint8_t family, const uint8_t *addr)
{
	struct bh_model_host key = {.p = {.family = family}};

	memcpy(key.p.addr, addr, sizeof(key.p.addr));
	return m->addresses.n != 0 &&
		bsearch(&key, m->addresses.host, m->addresses.n, sizeof(key), compare) != NULL;
}

/* Whether interface i has an address of the family, or makes itself one that will do. */
static bool
has_address(const struct bh_model *m, const struct bh_model_host *n)
{
	if (n->p.family == BH_IP6 && bh_ip6_is_link_local(n->p.addr))
		return true;
	for (unsigned int i = 0; i < m->addresses.n; i++)
		if (m->addresses.host[i].i == n->i &&
			m->addresses.host[i].p.family == n->p.family)
			return true;
	return false;
}

static void
check_neighbor(const struct bh_model *m, const struct bh_model_host *n, struct bh_diag *d)
{
	const char *ip = bh_yang_string(n->node, "ip");
	const char *fault = bh_host_fault(n->p.family, n->p.addr);

	if (fault == NULL && bh_model_is_own(m, n->p.family, n->p.addr))
		fault = "is an address of this router";
	if (fault == NULL && !has_address(m, n))
		fault = n->p.family == BH_IP4 ? "is on an interface without an IPv4 address"
					      : "is on an interface without an IPv6 address";
	if (fault != NULL)
		bh_diag(d, n->node, "Neighbor %s %s.", ip, fault);
}

void
bh_check_interfaces(struct bh_model *m, struct bh_diag *d)
{
	for (unsigned int i = 0; i < m->n_ifs; i++) {
		check_name(&m->ifs[i], d);
		check_type(&m->ifs[i], d);
		check_device(m, i, d);
		check_mtu(&m->ifs[i], d);
	}
	for (unsigned int i = 0; i < m->addresses.n; i++)
		check_address(&m->addresses.host[i], d);
	if (m->addresses.n != 0)
		qsort(m->addresses.host, m->addresses.n, sizeof(m->addresses.host[0]),
			compare_stable);
	check_duplicates(m, d);
	for (unsigned int i = 0; i < m->neighbors.n; i++)
		check_neighbor(m, &m->neighbors.host[i], d);
}
