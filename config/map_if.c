/* SPDX-License-Identifier: BSD-3-Clause */
/* ietf-interfaces, ietf-ip and bulkhead:dpdk to the model and its records. */
#include <errno.h>
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct bh_model_host *
bh_model_host_add(struct bh_model_hosts *hosts)
{
	if (hosts->n == hosts->size) {
		unsigned int size = hosts->size != 0 ? 2 * hosts->size : 64;
		void *bigger = realloc(hosts->host, size * sizeof(*hosts->host));

		if (bigger == NULL)
			return NULL;
		hosts->host = bigger;
		hosts->size = size;
	}
	memset(&hosts->host[hosts->n], 0, sizeof(*hosts->host));
	return &hosts->host[hosts->n++];
}

/* "02:00:00:00:00:01" or -EINVAL. */
static int
parse_mac(const char *text, uint8_t mac[6])
{
	static const uint8_t zero[6];
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		    &mac[3], &mac[4], &mac[5], &used) != 6 || text[used] != '\0')
		return -EINVAL;
	return (mac[0] & 1) != 0 || memcmp(mac, zero, 6) == 0 ? -EINVAL : 0;
}

/* Prefix length of a netmask, or -1 if it has holes. */
static int
netmask_length(const char *text)
{
	uint8_t mask[16];
	uint32_t bits;

	if (bh_addr_parse(text, mask) != BH_IP4)
		return -1;
	memcpy(&bits, mask, sizeof(bits));
	bits = ~be32toh(bits);
	if ((bits & (bits + 1)) != 0)
		return -1;
	return 32 - __builtin_popcount(bits);
}

static void
map_address(struct bh_model *m, const struct lyd_node *node, uint8_t family, struct bh_diag *d)
{
	const struct lyd_node *mask = bh_yang_child(node, "netmask");
	struct bh_model_host *a = bh_model_host_add(&m->addresses);
	int plen = (int)bh_yang_number(node, "prefix-length");

	if (mask != NULL)
		plen = netmask_length(lyd_get_value(mask));
	if (plen < 0) {
		bh_diag(d, mask, "Netmask \"%s\" is not contiguous.", lyd_get_value(mask));
		plen = 32;
	}
	if (a == NULL) {
		m->records.no_memory = true;
		return;
	}
	a->node = node;
	a->i = m->n_ifs - 1;
	a->p.family = family;
	a->p.plen = (uint8_t)plen;
	bh_addr_parse(bh_yang_string(node, "ip"), a->p.addr);
}

static void
map_neighbor(struct bh_model *m, const struct lyd_node *node, uint8_t family, struct bh_diag *d)
{
	const char *mac = bh_yang_string(node, "link-layer-address");
	struct bh_model_host *h = bh_model_host_add(&m->neighbors);

	if (h == NULL) {
		m->records.no_memory = true;
		return;
	}
	h->node = node;
	h->i = m->n_ifs - 1;
	h->p.family = family;
	h->p.plen = (uint8_t)bh_addr_bits(family);
	bh_addr_parse(bh_yang_string(node, "ip"), h->p.addr);
	if (parse_mac(mac, h->mac) != 0)
		bh_diag(d, node, "Link-layer address \"%s\" is no unicast MAC address.", mac);
}

/* One family's container; flags are those of the family. Its MTU. */
static uint16_t
map_family(struct bh_model *m, const struct lyd_node *ip, uint8_t family, uint32_t enabled,
	uint32_t forward, struct bh_diag *d)
{
	struct bh_model_if *p = &m->ifs[m->n_ifs - 1];
	uint32_t mtu = bh_yang_number(ip, "mtu");
	const struct lyd_node *node;

	if (ip == NULL || !bh_yang_bool(ip, "enabled"))
		return 0;
	p->cfg.flags |= enabled;
	if (bh_yang_bool(ip, "forwarding"))
		p->cfg.flags |= forward;
	LY_LIST_FOR(lyd_child(ip), node) {
		if (strcmp(node->schema->name, "address") == 0)
			map_address(m, node, family, d);
		else if (strcmp(node->schema->name, "neighbor") == 0)
			map_neighbor(m, node, family, d);
	}
	if (mtu > UINT16_MAX)
		bh_diag(d, bh_yang_child(ip, "mtu"), "MTU %u is larger than any link's.", mtu);
	return (uint16_t)mtu;
}

static void
map_dpdk(struct bh_cfg_interface *cfg, const struct lyd_node *dpdk, struct bh_diag *d)
{
	const struct lyd_node *mac = bh_yang_child(dpdk, "mac-address");

	if (dpdk == NULL)
		return;
	strncpy(cfg->device, bh_yang_string(dpdk, "device"), sizeof(cfg->device) - 1);
	cfg->mtu = (uint16_t)bh_yang_number(dpdk, "mtu");
	cfg->rx_queues = (uint16_t)bh_yang_number(dpdk, "rx-queues");
	cfg->tx_queues = (uint16_t)bh_yang_number(dpdk, "tx-queues");
	cfg->rx_desc = (uint16_t)bh_yang_number(dpdk, "rx-descriptors");
	cfg->tx_desc = (uint16_t)bh_yang_number(dpdk, "tx-descriptors");
	if (mac != NULL && parse_mac(lyd_get_value(mac), cfg->mac) != 0)
		bh_diag(d, mac, "MAC address \"%s\" is not unicast.", lyd_get_value(mac));
}

/* Cuts text to size - 1 bytes, never inside a UTF-8 character; control characters, which no
 * record may hold, become spaces. */
static void
copy_cut(char *to, const char *text, size_t size)
{
	size_t len = strlen(text);

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
}

static void
map_interface(struct bh_model *m, const struct lyd_node *node, struct bh_diag *d)
{
	const char *description = bh_yang_string(node, "description");
	struct bh_model_if *p = &m->ifs[m->n_ifs++];

	memset(p, 0, sizeof(*p));
	p->node = node;
	copy_cut(p->name, bh_yang_string(node, "name"), sizeof(p->name));
	if (bh_yang_bool(node, "enabled"))
		p->cfg.flags |= BH_IF_ENABLED;
	map_dpdk(&p->cfg, bh_yang_child(node, "dpdk"), d);
	p->cfg.mtu4 = map_family(m, bh_yang_child(node, "ipv4"), BH_IP4, BH_IF_IPV4,
		BH_IF_FORWARD4, d);
	p->cfg.mtu6 = map_family(m, bh_yang_child(node, "ipv6"), BH_IP6, BH_IF_IPV6,
		BH_IF_FORWARD6, d);
	if (description != NULL)
		copy_cut(p->cfg.description, description, sizeof(p->cfg.description));
}

void
bh_map_interfaces(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d)
{
	const struct lyd_node *top = bh_yang_top(tree, "ietf-interfaces", "interfaces"), *node;

	LY_LIST_FOR(top != NULL ? lyd_child(top) : NULL, node) {
		if (m->n_ifs == BH_IF_MAX - 1) {
			bh_diag(d, node, "More than %d interfaces.", BH_IF_MAX - 1);
			return;
		}
		map_interface(m, node, d);
	}
}

static void
emit_address(struct bh_model *m, const struct bh_model_host *a)
{
	struct bh_cfg_address_key key = {.family = a->p.family};
	struct bh_cfg_address val = {.plen = a->p.plen};

	memcpy(key.name, m->ifs[a->i].name, sizeof(key.name));
	memcpy(key.addr, a->p.addr, sizeof(key.addr));
	bh_records_add(&m->records, BH_T_CFG_ADDRESS, &key, sizeof(key), &val, sizeof(val));
}

static void
emit_neighbor(struct bh_model *m, const struct bh_model_host *h)
{
	struct bh_cfg_neighbor_key key = {.family = h->p.family};
	struct bh_cfg_neighbor val = {0};

	memcpy(key.name, m->ifs[h->i].name, sizeof(key.name));
	memcpy(key.addr, h->p.addr, sizeof(key.addr));
	memcpy(val.mac, h->mac, sizeof(val.mac));
	bh_records_add(&m->records, BH_T_CFG_NEIGHBOR, &key, sizeof(key), &val, sizeof(val));
}

void
bh_emit_interfaces(struct bh_model *m)
{
	for (unsigned int i = 0; i < m->n_ifs; i++) {
		struct bh_ifname_key key;

		memcpy(key.name, m->ifs[i].name, sizeof(key.name));
		bh_records_add(&m->records, BH_T_CFG_INTERFACE, &key, sizeof(key), &m->ifs[i].cfg,
			sizeof(m->ifs[i].cfg));
	}
	for (unsigned int i = 0; i < m->addresses.n; i++)
		emit_address(m, &m->addresses.host[i]);
	for (unsigned int i = 0; i < m->neighbors.n; i++)
		emit_neighbor(m, &m->neighbors.host[i]);
}

int
bh_model_make(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d)
{
	memset(m, 0, sizeof(*m));
	bh_map_interfaces(m, tree, d);
	bh_check_interfaces(m, d);
	bh_emit_interfaces(m);
	bh_map_ra(m, d);
	bh_map_fpm(m, tree, d);
	bh_map_snmp(m, tree, d);
	bh_map_routes(m, tree, d);
	if (m->records.no_memory)
		return -ENOMEM;
	return d->n != 0 ? -EINVAL : 0;
}

void
bh_model_free(struct bh_model *m)
{
	free(m->addresses.host);
	free(m->neighbors.host);
	bh_records_free(&m->records);
	memset(m, 0, sizeof(*m));
}
