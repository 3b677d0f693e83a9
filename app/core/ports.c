/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port manager. Each ordered port is driven towards its wanted state by settle(), a step
 * that can be repeated at any time: an order only sets what is wanted. What fails is answered
 * with a text and tried again later: soon, then less and less often down to once a second, where
 * only the world outside must change and looking costs nothing (a device to be bound, a memif peer
 * to come), after half a minute otherwise, so that a person who mends something need not restart anything; never for a device
 * string that no world can make right.
 *
 * Events are made from the present state of the port, so several that wait for room in the ring
 * become one. A port that was detached keeps its entry until the link worker has been told.
 */
#include "app/core/ports_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "infobase/worker.h"
#include "lib/log/log.h"

#define AREA "ports"
#define ORDERS 512
#define EVENTS 1024
#define LINK_MS 100
#define FIRST_LINK_MS 2	   /* of a port that was started just now, whose link is still to come */
#define FIRST_LINK_FOR_MS 2000
#define STATS_MS 1000
#define RETRY_FIRST_MS 50
#define RETRY_SOON_MS 1000
#define RETRY_LATE_MS 30000
#define GREETING_MS 10000

static uint64_t
after_ms(unsigned int ms)
{
	return rte_rdtsc() + rte_get_tsc_hz() / 1000 * ms;
}

/* Until the next try of what may come right any moment. */
static unsigned int
back_off(struct bh_port *p)
{
	unsigned int ms = RETRY_FIRST_MS << p->tries;

	if (ms >= RETRY_SOON_MS)
		return RETRY_SOON_MS;
	p->tries++;
	return ms;
}

int
bh_port_fail(struct bh_port *p, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->error, sizeof(p->error), fmt, ap);
	va_end(ap);
	return err;
}

static void
free_objects(struct rte_ring *ring)
{
	void *obj;

	while (ring && !rte_ring_dequeue(ring, &obj))
		rte_free(obj);
	rte_ring_free(ring);
}

struct bh_ports *
bh_ports_create(const struct bh_ports_conf *conf)
{
	struct bh_ports *ps = rte_zmalloc("ports", sizeof(*ps), 0);

	if (!ps) {
		errno = ENOMEM;
		return NULL;
	}
	ps->conf = *conf;
	ps->orders = rte_ring_create("port_orders", ORDERS, conf->socket_id,
		RING_F_SP_ENQ | RING_F_SC_DEQ);
	ps->events = rte_ring_create("port_events", EVENTS, conf->socket_id,
		RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!ps->orders || !ps->events)
		goto fail;
	ps->pool = bh_port_pool("mbuf_pool", conf->mbufs, conf->n_fwd, 2048, conf->socket_id);
	if (!ps->pool)
		goto fail;
	for (unsigned int i = 0; i < BH_IF_MAX; i++) {
		ps->port[i].ifindex = i;
		ps->port[i].port_id = BH_PORT_NONE;
	}
	return ps;
fail:
	errno = rte_errno ? rte_errno : ENOMEM;
	free_objects(ps->orders);
	free_objects(ps->events);
	rte_free(ps);
	return NULL;
}

void
bh_ports_destroy(struct bh_ports *ps)
{
	if (!ps)
		return;
	for (unsigned int i = 1; i < BH_IF_MAX; i++) {
		bh_port_stop(&ps->port[i]);
		bh_port_remove(&ps->port[i]);
	}
	free_objects(ps->orders);
	free_objects(ps->events);
	rte_mempool_free(ps->jumbo);
	rte_mempool_free(ps->pool);
	rte_free(ps);
}

struct rte_ring *
bh_ports_events(struct bh_ports *ps)
{
	return ps->events;
}

void
bh_ports_set_worker(struct bh_ports *ps, struct bh_worker *w)
{
	ps->worker = w;
}

int
bh_ports_order(struct bh_ports *ps, const struct bh_port_order *order)
{
	struct bh_port_order *copy = rte_malloc("port_order", sizeof(*copy), 0);

	if (!copy)
		return -EAGAIN;
	*copy = *order;
	if (rte_ring_enqueue(ps->orders, copy)) {
		rte_free(copy);
		return -EAGAIN;
	}
	bh_bell_ring(ps->conf.bell);
	return 0;
}

static struct bh_port_event *
make_event(const struct bh_port *p)
{
	struct bh_port_event *ev = rte_zmalloc("port_event", sizeof(*ev), 0);

	if (!ev)
		return NULL;
	ev->ifindex = p->ifindex;
	ev->port = BH_PORT_NONE;
	ev->detached = p->gone;
	if (!p->running) {
		memcpy(ev->error, p->error, sizeof(ev->error));
		return ev;
	}
	ev->port = p->port_id;
	ev->link = p->link;
	memcpy(ev->mac, p->mac.addr_bytes, sizeof(ev->mac));
	ev->mtu = p->mtu;
	ev->max_mtu = p->max_mtu;
	ev->rx_queues = p->n_rxq;
	ev->tx_queues = p->n_txq;
	ev->speed = p->speed;
	return ev;
}

/* Tells the link worker, now or, when the ring is full, in a later turn. */
static void
tell(struct bh_ports *ps, struct bh_port *p)
{
	struct bh_port_event *ev = make_event(p);

	p->tell = true;
	if (!ev || rte_ring_enqueue(ps->events, ev)) {
		rte_free(ev);
		return;
	}
	if (ps->worker)
		bh_worker_wake(ps->worker);
	p->tell = false;
	if (!p->gone)
		return;
	memset(p, 0, sizeof(*p));
	p->ifindex = p - ps->port;
	p->port_id = BH_PORT_NONE;
}

/* Takes the port out of forwarding and stops it. -ETIMEDOUT: a forwarding lcore does not let go. */
static int
take_down(struct bh_ports *ps, struct bh_port *p)
{
	int ret;

	if (p->attached) {
		ret = bh_forwarding_detach(ps->conf.fwd, p->ifindex);
		if (ret) {
			bh_err(AREA, "%s: forwarding does not let go of the port: %s", p->name,
				strerror(-ret));
			return ret;
		}
		p->attached = p->running = false;
	}
	bh_port_stop(p);
	return 0;
}

static bool
same_settings(const struct bh_cfg_interface *a, const struct bh_cfg_interface *b)
{
	return a->mtu == b->mtu && a->rx_queues == b->rx_queues && a->tx_queues == b->tx_queues &&
		a->rx_desc == b->rx_desc && a->tx_desc == b->tx_desc &&
		!memcmp(a->mac, b->mac, sizeof(a->mac)) && !strcmp(a->device, b->device);
}

/* Probes if need be, starts, hands the port to forwarding. 0 or -errno, p->error the text. */
static int
bring_up(struct bh_ports *ps, struct bh_port *p)
{
	int ret;

	if (p->probed && strcmp(p->have.device, p->cfg.device))
		bh_port_remove(p);
	if (!p->probed) {
		ret = bh_port_probe(ps, p);
		if (ret)
			return ret;
		p->have = p->cfg;
	}
	ret = bh_port_start(ps, p);
	if (ret)
		return ret;
	ret = bh_forwarding_attach(ps->conf.fwd, p->ifindex, p->port_id, p->n_rxq, p->n_txq);
	p->attached = !ret || ret == -ETIMEDOUT;
	if (ret)
		return bh_port_fail(p, ret, "%.32s: forwarding does not take it: %s", p->dev_name,
			strerror(-ret));
	p->running = true;
	p->error[0] = '\0';
	return 0;
}

/* Tells what is new only: a retry that fails as before is no news. */
static void
failed(struct bh_ports *ps, struct bh_port *p, int err, const char *before)
{
	bool soon = err == -EAGAIN || p->attached;

	/* What a hung forwarding lcore may poll any moment is not taken from under it. */
	if (!p->attached)
		bh_port_stop(p);
	/* A device that only waits for its peer stays probed: trying again is cheap and quiet. */
	if (!soon)
		bh_port_remove(p);
	if (err != -EINVAL)
		p->retry = after_ms(soon ? back_off(p) : RETRY_LATE_MS);
	if (strcmp(before, p->error)) {
		bh_warn(AREA, "%s: %s", p->name, p->error);
		tell(ps, p);
	}
}

static void
settle_away(struct bh_ports *ps, struct bh_port *p)
{
	if (take_down(ps, p)) {
		p->retry = after_ms(RETRY_SOON_MS);
		return;
	}
	bh_port_remove(p);
	bh_notice(AREA, "%s: detached", p->name);
	if (ps->conf.stats)
		memset(&ps->conf.stats->dev[p->ifindex], 0, sizeof(ps->conf.stats->dev[0]));
	p->error[0] = '\0';
	p->gone = true;
	tell(ps, p);
}

/* One step from what is to what is wanted. */
static void
settle(struct bh_ports *ps, struct bh_port *p, bool restart)
{
	char before[BH_PORT_ERROR];
	int ret;

	p->retry = 0;
	if (p->leaving) {
		settle_away(ps, p);
		return;
	}
	if (p->running && !restart && same_settings(&p->cfg, &p->have)) {
		p->have = p->cfg;
		tell(ps, p);
		return;
	}
	if (take_down(ps, p)) {
		p->retry = after_ms(RETRY_SOON_MS);
		return;
	}
	memcpy(before, p->error, sizeof(before));
	ret = bring_up(ps, p);
	if (ret) {
		failed(ps, p, ret, before);
		return;
	}
	bh_notice(AREA, "%s: %s is port %u, %u and %u queues", p->name, p->dev_name, p->port_id,
		p->n_rxq, p->n_txq);
	tell(ps, p);
}

static void
take_order(struct bh_ports *ps, const struct bh_port_order *order)
{
	struct bh_port *p;

	if (order->ifindex == 0 || order->ifindex >= BH_IF_MAX)
		return;
	p = &ps->port[order->ifindex];
	memcpy(p->name, order->name, sizeof(p->name));
	p->name[sizeof(p->name) - 1] = '\0';
	p->used = true;
	p->leaving = order->kind == BH_PORT_DETACH;
	if (!p->leaving) {
		p->cfg = order->cfg;
		p->cfg.device[sizeof(p->cfg.device) - 1] = '\0';
		p->error[0] = '\0'; /* an order is answered, be it with the same text */
	}
	settle(ps, p, false);
}

/* One order a turn: the main lcore has other work, and a device can take its time. Orders wait
 * while a detached port is not told, so that its ifindex means one thing. */
static bool
poll_orders(struct bh_ports *ps)
{
	void *obj;

	for (unsigned int i = 1; i < BH_IF_MAX; i++) {
		if (ps->port[i].tell)
			tell(ps, &ps->port[i]);
		if (ps->port[i].tell && ps->port[i].gone)
			return false;
	}
	if (rte_ring_dequeue(ps->orders, &obj))
		return false;
	take_order(ps, obj);
	rte_free(obj);
	return true;
}

/*
 * A memif client whose server went away connects again only when it is started again. One whose
 * server has not answered yet is given time: net_memif 22.11 as a server panics when a client hangs
 * up before it was greeted.
 */
static bool
needs_revival(const struct bh_port *p, uint64_t now)
{
	unsigned int ms = p->was_up ? RETRY_FIRST_MS : GREETING_MS;

	return p->revive && p->running && !p->link &&
		now - p->down_since > rte_get_tsc_hz() / 1000 * ms;
}

static void
poll_port(struct bh_ports *ps, struct bh_port *p, uint64_t now, bool links, bool stats)
{
	if (p->retry && now >= p->retry) {
		settle(ps, p, false);
		return;
	}
	if (!p->running)
		return;
	if (links && bh_port_poll_link(p)) {
		bh_info(AREA, "%s: link %s", p->name, p->link ? "up" : "down");
		tell(ps, p);
	}
	if (links && needs_revival(p, now)) {
		settle(ps, p, true);
		return;
	}
	if (stats && ps->conf.stats)
		bh_port_poll_stats(p, &ps->conf.stats->dev[p->ifindex]);
}

/* Packets wait for the link of a port that was started just now: it is looked at often. */
static bool
is_fresh(const struct bh_port *p, uint64_t now)
{
	return p->running && !p->was_up &&
		now - p->down_since < rte_get_tsc_hz() / 1000 * FIRST_LINK_FOR_MS;
}

static int
ms_until(uint64_t when, uint64_t now)
{
	return when > now ? (int)((when - now) * 1000 / rte_get_tsc_hz()) + 1 : 0;
}

bool
bh_ports_poll(struct bh_ports *ps, int *timeout)
{
	bool worked = poll_orders(ps);
	uint64_t now = rte_rdtsc();
	bool links = now >= ps->next_link, stats = now >= ps->next_stats, any = false;
	bool fresh = false;

	if (stats)
		ps->next_stats = after_ms(STATS_MS);
	for (unsigned int i = 1; i < BH_IF_MAX && (links || stats); i++)
		if (ps->port[i].used)
			poll_port(ps, &ps->port[i], now, links, stats);
	for (unsigned int i = 1; i < BH_IF_MAX; i++) {
		any |= ps->port[i].used;
		fresh |= is_fresh(&ps->port[i], now);
	}
	if (links)
		ps->next_link = after_ms(fresh ? FIRST_LINK_MS : LINK_MS);
	else if (fresh)
		ps->next_link = RTE_MIN(ps->next_link, after_ms(FIRST_LINK_MS));
	*timeout = any ? ms_until(ps->next_link, rte_rdtsc()) : -1;
	return worked;
}
