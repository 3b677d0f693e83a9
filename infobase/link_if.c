/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interfaces: a cfg_interface record gets an index, its port is ordered, what the port manager
 * tells becomes the `interface` record and the published interface.
 *
 * An index belongs to a name. It stays the name's after the record is deleted until another name
 * needs it, which takes never used ones first: so neighbors and addresses that their owner
 * still has to clear away do not meet another interface. It cannot be taken before the port
 * manager answered the DETACH.
 *
 * A change of link or configuration is published at once: interface first, then, when it went up or
 * down, the groups that use it. The record is written last; routing reads of it later than
 * forwarding acts.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <rte_malloc.h>

#include "infobase/link_priv.h"
#include "lib/log/log.h"

#define AREA "link"
#define FWD_FLAGS (BH_IF_FORWARD4 | BH_IF_FORWARD6 | BH_IF_IPV4 | BH_IF_IPV6)

_Static_assert(BH_IF_FORWARD4 == BH_FWD_IF_FORWARD4 && BH_IF_FORWARD6 == BH_FWD_IF_FORWARD6 &&
	BH_IF_IPV4 == BH_FWD_IF_IPV4 && BH_IF_IPV6 == BH_FWD_IF_IPV6, "flags are taken over");

uint32_t
bh_link_if_find(const struct bh_link *l, const char *name)
{
	for (uint32_t i = 1; i < BH_IF_MAX; i++)
		if (l->ifs[i].wanted && !strncmp(l->ifs[i].name, name, BH_NAME_LEN))
			return i;
	return 0;
}

static bool
is_free(const struct bh_link_if *i)
{
	return !i->wanted && !i->ported && !i->detaching;
}

/* The index that a name has or had, else one that nobody had, else one that is free; 0: none. */
static uint32_t
choose_index(const struct bh_link *l, const char *name)
{
	uint32_t fresh = 0, used = 0;

	for (uint32_t i = BH_IF_MAX - 1; i > 0; i--) {
		const struct bh_link_if *e = &l->ifs[i];

		if (e->known && !strncmp(e->name, name, BH_NAME_LEN))
			return i;
		if (!e->known)
			fresh = i;
		else if (is_free(e))
			used = i;
	}
	return fresh ? fresh : used;
}

bool
bh_link_if_room(const struct bh_link *l, const char *name)
{
	return choose_index(l, name) != 0;
}

static bool
is_present(const struct bh_link_if *i)
{
	return i->ev.port != UINT16_MAX;
}

static uint16_t
effective_mtu(const struct bh_link_if *i, uint16_t family_mtu)
{
	uint16_t mtu = i->ev.mtu ? i->ev.mtu : i->cfg.mtu ? i->cfg.mtu : 1500;

	return family_mtu && family_mtu < mtu ? family_mtu : mtu;
}

static void
publish(struct bh_link *l, uint32_t ifindex)
{
	const struct bh_link_if *i = &l->ifs[ifindex];
	struct bh_fwd_if_copy c = { 0 };
	int ret;

	if (i->wanted) {
		c.flags = (i->cfg.flags & FWD_FLAGS) | (i->up ? BH_FWD_IF_UP : 0);
		c.mtu = effective_mtu(i, 0);
		c.mtu4 = effective_mtu(i, i->cfg.mtu4);
		c.mtu6 = effective_mtu(i, i->cfg.mtu6);
		memcpy(c.mac, i->ev.mac, sizeof(c.mac));
	}
	ret = bh_fwd_if_put(l->conf.tables, ifindex, &c);
	if (ret == -EAGAIN)
		bh_idq_push(&l->if_queue, ifindex);
	else if (ret)
		bh_err(AREA, "%s: not published: %s", i->name, strerror(-ret));
}

static void
put_record(struct bh_link *l, uint32_t ifindex)
{
	const struct bh_link_if *i = &l->ifs[ifindex];
	struct bh_ifindex_key key = { ifindex };
	struct bh_interface rec = {
		.flags = i->cfg.flags,
		.oper = i->oper,
		.mtu = effective_mtu(i, 0),
		.mtu4 = effective_mtu(i, i->cfg.mtu4),
		.mtu6 = effective_mtu(i, i->cfg.mtu6),
		.vrf = i->cfg.vrf,
		.speed = i->ev.speed,
		.port = i->ev.port,
		.rx_queues = i->ev.rx_queues,
		.tx_queues = i->ev.tx_queues,
		.last_change = i->last_change,
	};

	memcpy(rec.name, i->name, sizeof(rec.name));
	memcpy(rec.mac, i->ev.mac, sizeof(rec.mac));
	memcpy(rec.device, i->cfg.device, sizeof(rec.device));
	memcpy(rec.error, i->ev.error, sizeof(rec.error));
	if (!bh_table_put(l->interface, &key, &rec, sizeof(rec)))
		bh_err(AREA, "%s: no record: %s", i->name, strerror(errno));
}

/* Brings everything in line with the configuration and the last event. */
static void
refresh(struct bh_link *l, uint32_t ifindex, bool neighbors)
{
	struct bh_link_if *i = &l->ifs[ifindex];
	bool up = i->wanted && (i->cfg.flags & BH_IF_ENABLED) && is_present(i) && i->ev.link;
	uint8_t oper = up ? BH_OPER_UP : is_present(i) ? BH_OPER_DOWN : BH_OPER_NOT_PRESENT;
	struct bh_ifindex_key key = { ifindex };
	bool flipped = up != i->up;

	if (oper != i->oper || !i->last_change)
		i->last_change = time(NULL);
	i->oper = oper;
	i->up = up;
	publish(l, ifindex);
	if (neighbors)
		bh_link_adj_interface(l, ifindex);
	if (flipped)
		bh_link_nh_interface(l, ifindex);
	if (i->wanted)
		put_record(l, ifindex);
	else
		bh_table_del(l->interface, &key);
}

/* Once the configuration is whole and every port answered for, readers may rely on the table. */
static void
check_complete(struct bh_link *l)
{
	if (l->complete || !l->cfg_complete)
		return;
	for (uint32_t i = 1; i < BH_IF_MAX; i++)
		if (l->ifs[i].wanted && !l->ifs[i].answered)
			return;
	l->complete = true;
	bh_table_replay_end(l->interface);
}

void
bh_link_cfg_interface_complete(void *ctx)
{
	struct bh_link *l = ctx;

	l->cfg_complete = true;
	check_complete(l);
}

static void
not_present(struct bh_link_if *i, const char *error)
{
	memset(&i->ev, 0, sizeof(i->ev));
	i->ev.port = UINT16_MAX;
	strncpy(i->ev.error, error, sizeof(i->ev.error) - 1);
}

/* Sends the order that is due, unless a DETACH has to be answered first. */
static void
send_order(struct bh_link *l, uint32_t ifindex)
{
	struct bh_link_if *i = &l->ifs[ifindex];
	bool attach = i->wanted && i->cfg.device[0];
	struct bh_port_order o = { .kind = attach ? BH_PORT_ATTACH : BH_PORT_DETACH,
		.ifindex = ifindex, .cfg = i->cfg };

	if (!i->order || i->detaching)
		return;
	memcpy(o.name, i->name, sizeof(o.name));
	if ((attach || i->ported) && bh_ports_order(l->conf.ports, &o)) {
		bh_idq_push(&l->if_queue, ifindex);
		return;
	}
	i->order = false;
	i->detaching = !attach && i->ported;
	i->ported = attach;
}

/* Would the port have to be ordered anew? */
static bool
port_differs(const struct bh_cfg_interface *a, const struct bh_cfg_interface *b)
{
	return a->mtu != b->mtu || a->rx_queues != b->rx_queues || a->tx_queues != b->tx_queues ||
		a->rx_desc != b->rx_desc || a->tx_desc != b->tx_desc ||
		memcmp(a->mac, b->mac, sizeof(a->mac)) || strcmp(a->device, b->device);
}

static void
cfg_put(struct bh_link *l, const char *name, const struct bh_cfg_interface *cfg)
{
	uint32_t ifindex = choose_index(l, name);
	struct bh_link_if *i = &l->ifs[ifindex];
	bool new = !i->wanted;

	if (!ifindex)
		return;
	if (new && (!i->known || strncmp(i->name, name, BH_NAME_LEN))) {
		memset(i, 0, sizeof(*i));
		i->known = true;
		strncpy(i->name, name, sizeof(i->name) - 1);
	}
	i->order = new || port_differs(&i->cfg, cfg);
	if (new || strcmp(i->cfg.device, cfg->device)) {
		not_present(i, cfg->device[0] ? "" : "no device is configured");
		i->answered = !cfg->device[0];
	}
	i->wanted = true;
	i->cfg = *cfg;
	send_order(l, ifindex);
	refresh(l, ifindex, new);
	check_complete(l);
}

static void
cfg_delete(struct bh_link *l, const char *name)
{
	uint32_t ifindex = bh_link_if_find(l, name);
	struct bh_link_if *i = &l->ifs[ifindex];

	if (!ifindex)
		return;
	i->wanted = false;
	i->order = true;
	not_present(i, "");
	refresh(l, ifindex, true);
	i->last_change = 0;
	send_order(l, ifindex);
	check_complete(l);
}

void
bh_link_cfg_interface_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len)
{
	struct bh_link *l = ctx;
	struct bh_cfg_interface cfg;

	(void)old_val;
	(void)old_len;
	if (!rec) {
		cfg_delete(l, key);
		return;
	}
	memcpy(&cfg, bh_record_val(rec, bh_table_schema(l->cfg_interface)), sizeof(cfg));
	cfg_put(l, key, &cfg);
}

static void
take_event(struct bh_link *l, const struct bh_port_event *ev)
{
	struct bh_link_if *i = &l->ifs[ev->ifindex];
	bool mac;

	if (ev->detached) {
		i->detaching = false;
		send_order(l, ev->ifindex);
		return;
	}
	/* What it tells of a port that is to go, or of the device before, is of no interest. */
	if (i->detaching || !i->ported || !i->wanted)
		return;
	mac = memcmp(i->ev.mac, ev->mac, sizeof(ev->mac)) != 0 || (i->ev.port == UINT16_MAX) !=
		(ev->port == UINT16_MAX);
	i->ev = *ev;
	i->ev.error[sizeof(i->ev.error) - 1] = '\0';
	i->answered = true;
	refresh(l, ev->ifindex, mac);
	check_complete(l);
}

void
bh_link_port_event(void *ctx, void *obj)
{
	const struct bh_port_event *ev = obj;

	if (ev->ifindex > 0 && ev->ifindex < BH_IF_MAX)
		take_event(ctx, ev);
	rte_free(obj);
}

void
bh_link_if_chore(struct bh_link *l)
{
	uint32_t n = l->if_queue.count;

	while (n--) {
		uint16_t ifindex = bh_idq_pop(&l->if_queue);

		publish(l, ifindex);
		send_order(l, ifindex);
	}
}
