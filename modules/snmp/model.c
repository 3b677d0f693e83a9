/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/model.h"

#include <errno.h>
#include <string.h>

/* ---- indexes of the mirrors ---- */

static bool
index_name(const void *key, struct bh_index *x)
{
	const struct bh_ifname_key *k = key;

	bh_index_octets(x, k->name, strnlen(k->name, sizeof(k->name)), true);
	return true;
}

static bool
index_ifindex(const void *key, struct bh_index *x)
{
	const struct bh_ifindex_key *k = key;

	bh_index_add(x, k->ifindex);
	return true;
}

static bool
is_zero(const uint8_t *addr)
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, sizeof(zero)) == 0;
}

/* RFC 4022, RFC 4113: who is connected to nobody has a remote end of type unknown(0). */
static void
index_remote(const struct bh_sock_key *k, struct bh_index *x)
{
	if (is_zero(k->raddr) && k->rport == 0) {
		bh_index_add(x, 0);
		bh_index_add(x, 0);
	} else {
		bh_index_address(x, k->family, k->raddr);
	}
	bh_index_add(x, k->rport);
}

static bool
index_connection(const void *key, struct bh_index *x)
{
	const struct bh_sock_key *k = key;

	bh_index_address(x, k->family, k->laddr);
	bh_index_add(x, k->lport);
	index_remote(k, x);
	bh_index_add(x, k->ifindex);
	return true;
}

/* Who has a remote end is no listener, though it may have one's address and port. */
static bool
index_listener(const void *key, struct bh_index *x)
{
	const struct bh_sock_key *k = key;

	if (k->rport != 0 || !is_zero(k->raddr))
		return false;
	bh_index_address(x, k->family, k->laddr);
	bh_index_add(x, k->lport);
	bh_index_add(x, k->ifindex);
	return true;
}

/* The instance tells sockets apart that are bound to different interfaces. */
static bool
index_endpoint(const void *key, struct bh_index *x)
{
	const struct bh_sock_key *k = key;

	bh_index_address(x, k->family, k->laddr);
	bh_index_add(x, k->lport);
	index_remote(k, x);
	bh_index_add(x, k->ifindex + 1);
	return true;
}

static bool
index_if_address(const void *key, struct bh_index *x)
{
	const struct bh_if_addr_key *k = key;

	bh_index_scoped(x, k->family, k->addr, k->ifindex);
	bh_index_add(x, k->ifindex);
	return true;
}

static bool
index_neighbor(const void *key, struct bh_index *x)
{
	const struct bh_if_addr_key *k = key;

	bh_index_add(x, k->ifindex);
	bh_index_address(x, k->family, k->addr);
	return true;
}

/* The same for cfg_address and cfg_neighbor. */
static bool
index_name_address(const void *key, struct bh_index *x)
{
	const struct bh_cfg_address_key *k = key;

	index_name(k->name, x);
	bh_index_address(x, k->family, k->addr);
	return true;
}

static bool
index_nexthop(const void *key, struct bh_index *x)
{
	bh_nexthops_index(key, x);
	return true;
}

#define LINUX_LISTEN 10 /* TCP states as Linux numbers them */

static bool
is_listener(const void *key, const void *val)
{
	const struct bh_sock *v = val;

	(void)key;
	return v->state == LINUX_LISTEN;
}

static bool
is_connection(const void *key, const void *val)
{
	return !is_listener(key, val);
}

/* ---- what changes tell ---- */

static void
config_changed(void *arg, const void *key, const void *was, const void *is)
{
	struct bh_snmp_model *s = arg;

	(void)key;
	(void)was;
	(void)is;
	s->config_changed = true;
}

static void
interface_changed(void *arg, const void *key, const void *was, const void *is)
{
	struct bh_snmp_model *s = arg;

	(void)key;
	s->changes++;
	if (was == NULL || is == NULL)
		s->if_table_change = s->ops->now(s->ctx);
}

static void
process_changed(void *arg, const void *key, const void *was, const void *is)
{
	struct bh_snmp_model *s = arg;

	(void)key;
	(void)was;
	(void)is;
	s->changes++;
}

static void
nexthop_changed(void *arg, const void *key, const void *was, const void *is)
{
	struct bh_snmp_model *s = arg;

	if (bh_nexthops_change(&s->nexthops, key, was, is) < 0)
		s->mirror[BH_MIRROR_NEXTHOP].lost = true;
}

static const struct bh_mirror_spec specs[BH_SNMP_MIRRORS] = {
	[BH_MIRROR_CFG_SNMP] = {
		BH_T_CFG_SNMP, index_name, .changed = config_changed, .lasting = true},
	[BH_MIRROR_CFG_INTERFACE] = {BH_T_CFG_INTERFACE, index_name, .lasting = true},
	[BH_MIRROR_INTERFACE] = {
		BH_T_INTERFACE, index_ifindex, .changed = interface_changed, .lasting = true},
	[BH_MIRROR_PROCESS] = {
		BH_T_PROCESS, index_name, .changed = process_changed, .lasting = true},
	[BH_MIRROR_TCP] = {BH_T_TCP, index_connection, .shown = is_connection},
	[BH_MIRROR_TCP_LISTEN] = {BH_T_TCP, index_listener, .shown = is_listener},
	[BH_MIRROR_UDP] = {BH_T_UDP, index_endpoint},
	[BH_MIRROR_ADDRESS] = {BH_T_ADDRESS, index_if_address},
	[BH_MIRROR_NEIGHBOR] = {BH_T_NEIGHBOR, index_neighbor},
	[BH_MIRROR_CFG_ADDRESS] = {BH_T_CFG_ADDRESS, index_name_address, .lasting = true},
	[BH_MIRROR_CFG_NEIGHBOR] = {BH_T_CFG_NEIGHBOR, index_name_address, .lasting = true},
	[BH_MIRROR_CFG_RA] = {BH_T_CFG_RA, index_name, .lasting = true},
	[BH_MIRROR_NEXTHOP] = {BH_T_NEXTHOP, index_nexthop, .changed = nexthop_changed},
};

int
bh_snmp_init(struct bh_snmp_model *s, const struct bh_snmp_ops *ops, void *ctx)
{
	int rc = 0;

	*s = (struct bh_snmp_model){.ops = ops, .ctx = ctx};
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		bh_mirror_init(&s->mirror[i], &specs[i], s);
	for (unsigned int i = 0; bh_snmp_mibs[i] != NULL && rc == 0; i++)
		if (bh_snmp_mibs[i]->init != NULL)
			rc = bh_snmp_mibs[i]->init(s);
	return rc;
}

void
bh_snmp_fini(struct bh_snmp_model *s)
{
	for (unsigned int i = 0; bh_snmp_mibs[i] != NULL; i++)
		if (bh_snmp_mibs[i]->fini != NULL)
			bh_snmp_mibs[i]->fini(s);
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		bh_mirror_fini(&s->mirror[i]);
	bh_nexthops_fini(&s->nexthops);
}

bool
bh_snmp_synced(const struct bh_snmp_model *s)
{
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		if (!s->mirror[i].synced)
			return false;
	return true;
}

bool
bh_snmp_complete(const struct bh_snmp_model *s)
{
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		if (!s->mirror[i].synced || (s->mirror[i].spec->lasting && !s->mirror[i].complete))
			return false;
	return true;
}

void
bh_snmp_config(const struct bh_snmp_model *s, struct bh_cfg_snmp *cfg)
{
	static const struct bh_ifname_key key = {BH_CFG_SNMP_NAME};
	const struct bh_cfg_snmp *v = bh_mirror_get(&s->mirror[BH_MIRROR_CFG_SNMP], &key);

	if (v != NULL) {
		*cfg = *v;
		return;
	}
	*cfg = (struct bh_cfg_snmp){
		.mibs = BH_SNMP_ALL, .flags = BH_SNMP_NOTIFY, .address = BH_SNMP_ADDRESS};
}

const struct bh_interface *
bh_snmp_interface(const struct bh_snmp_model *s, uint32_t ifindex)
{
	struct bh_ifindex_key key = {ifindex};

	return bh_mirror_get(&s->mirror[BH_MIRROR_INTERFACE], &key);
}

bool
bh_snmp_if_counters(const struct bh_snmp_model *s, uint32_t ifindex, struct bh_stats_if *sum)
{
	const struct bh_stats *st = s->stats;

	*sum = (struct bh_stats_if){0};
	for (uint32_t f = 0; st != NULL && f < st->n_fwd && f < BH_STATS_FWD && ifindex < BH_IF_MAX;
		f++) {
		const struct bh_stats_if *i = &st->fwd[f].ifs[ifindex];

		sum->rx_packets += bh_read(&i->rx_packets);
		sum->rx_bytes += bh_read(&i->rx_bytes);
		sum->rx_drops += bh_read(&i->rx_drops);
		sum->tx_packets += bh_read(&i->tx_packets);
		sum->tx_bytes += bh_read(&i->tx_bytes);
		sum->tx_drops += bh_read(&i->tx_drops);
	}
	return st != NULL && ifindex < BH_IF_MAX;
}

uint64_t
bh_snmp_ticks_at(struct bh_snmp_model *s, uint64_t when)
{
	uint64_t now = s->ops->now(s->ctx), up = s->ops->uptime(s->ctx);
	uint64_t ago = now > when ? now - when : 0;

	return up > ago ? up - ago : 0;
}
