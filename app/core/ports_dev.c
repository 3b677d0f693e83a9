/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One ethdev port: configure, start, stop, look.
 *
 * Packets are always one segment: forwarding rewrites the headers in place and never walks a
 * chain. So a port whose frames do not fit the common pool (2,048 bytes of data) takes its mbufs
 * from a second pool of 9,728 bytes, made with the first such port, a quarter as many; larger
 * MTUs than 9,600 are refused, and no scatter is asked for. Offloads stay off: forwarding checks
 * and updates checksums itself, so that a packet is treated alike on every device.
 *
 * Addresses: a device that cannot set the wanted MAC address cannot filter by it either; it is
 * made promiscuous and forwarding filters, as it does anyway. Others receive their own address
 * and, where the driver can, all multicast. A device gets its own address back when none is
 * configured any more and when it is let go: some keep what was set beyond their reset.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "app/core/ports_priv.h"
#include "lib/log/log.h"

#define AREA "ports"
#define DESC_DEFAULT 1024
#define ROOM 2048
#define ROOM_JUMBO 9728
#define MTU_MAX 9600
#define FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN)
#define VLAN_ROOM 8

struct rte_mempool *
bh_port_pool(const char *name, uint32_t n, unsigned int n_fwd, uint16_t room, int socket_id)
{
	/* Caches of all lcores together must not hold the pool. */
	unsigned int cache = RTE_MIN(256u, n / (4 * (n_fwd + 1)));

	return rte_pktmbuf_pool_create(name, n, cache, 0, RTE_PKTMBUF_HEADROOM + room, socket_id);
}

static struct rte_mempool *
pool_for(struct bh_ports *ps, uint16_t mtu)
{
	if (mtu + FRAME_OVERHEAD + VLAN_ROOM <= ROOM)
		return ps->pool;
	if (!ps->jumbo)
		ps->jumbo = bh_port_pool("mbuf_pool_jumbo", RTE_MAX(ps->conf.mbufs / 4, 512u),
			ps->conf.n_fwd, ROOM_JUMBO, ps->conf.socket_id);
	return ps->jumbo;
}

/* The largest MTU that both the device and our buffers take. */
static uint16_t
max_mtu(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = FRAME_OVERHEAD, mtu = RTE_MIN(info->max_mtu, MTU_MAX);

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		overhead = info->max_rx_pktlen - info->max_mtu;
	if (info->max_rx_pktlen > overhead)
		mtu = RTE_MIN(mtu, info->max_rx_pktlen - overhead);
	return mtu;
}

static int
choose_mtu(struct bh_port *p, const struct rte_eth_dev_info *info)
{
	uint16_t mtu = p->cfg.mtu;

	p->max_mtu = max_mtu(info);
	if (!mtu)
		mtu = RTE_MIN(RTE_ETHER_MTU, p->max_mtu);
	if (mtu > p->max_mtu || mtu < info->min_mtu)
		return bh_port_fail(p, -ERANGE, "%.32s: mtu %u: the device takes %u to %u",
			p->dev_name, mtu, info->min_mtu, p->max_mtu);
	p->mtu = mtu;
	return 0;
}

/* Queues: as configured, or one a forwarding lcore; never more than the device has, and no more
 * for sending than there are senders. */
static int
choose_queues(struct bh_ports *ps, struct bh_port *p, const struct rte_eth_dev_info *info)
{
	unsigned int rx = p->cfg.rx_queues ? p->cfg.rx_queues : ps->conf.n_fwd;
	unsigned int tx = ps->conf.n_fwd;

	if (p->cfg.rx_queues > info->max_rx_queues || p->cfg.tx_queues > info->max_tx_queues)
		return bh_port_fail(p, -ERANGE,
			"%.32s: queues: the device has %u to receive, %u to send", p->dev_name,
			info->max_rx_queues, info->max_tx_queues);
	/* net_e1000_em offers two queues each way for all its cards: it never fills the second to
	 * receive, whose lcore would idle, and older cards have no second to send. */
	if (!strcmp(info->driver_name, "net_e1000_em")) {
		rx = RTE_MAX(p->cfg.rx_queues, 1);
		if (tx > p->cfg.tx_queues)
			tx = RTE_MAX(p->cfg.tx_queues, 1);
	}
	p->n_rxq = RTE_MIN(rx, info->max_rx_queues);
	if (p->cfg.tx_queues && p->cfg.tx_queues < tx)
		tx = p->cfg.tx_queues;
	p->n_txq = RTE_MIN(tx, info->max_tx_queues);
	/* net_tap wants as many queues each way. */
	if (!strcmp(info->driver_name, "net_tap"))
		p->n_rxq = p->n_txq = RTE_MIN(p->n_rxq, p->n_txq);
	if (!p->n_rxq || !p->n_txq)
		return bh_port_fail(p, -ENODEV, "%.32s: has no queues", p->dev_name);
	return 0;
}

static void
set_rss(struct bh_port *p, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	uint64_t hf = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;

	hf &= info->flow_type_rss_offloads;
	if (p->n_rxq < 2 || !hf)
		return;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = hf;
}

static int
configure(struct bh_port *p, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = { .rxmode.mtu = p->mtu };
	int ret;

	set_rss(p, info, &conf);
	ret = rte_eth_dev_configure(p->port_id, p->n_rxq, p->n_txq, &conf);
	if (ret)
		return bh_port_fail(p, ret, "%.32s: cannot be configured with %u and %u queues: %s",
			p->dev_name, p->n_rxq, p->n_txq, strerror(-ret));
	return 0;
}

static int
setup_queues(struct bh_ports *ps, struct bh_port *p, const struct rte_eth_dev_info *info)
{
	uint16_t rxd = p->cfg.rx_desc ? p->cfg.rx_desc : DESC_DEFAULT;
	uint16_t txd = p->cfg.tx_desc ? p->cfg.tx_desc : DESC_DEFAULT;
	struct rte_mempool *pool = pool_for(ps, p->mtu);
	struct rte_eth_rxconf rxconf = info->default_rxconf;
	struct rte_eth_txconf txconf = info->default_txconf;
	int socket = rte_eth_dev_socket_id(p->port_id);
	int ret;

	if (!pool)
		return bh_port_fail(p, -ENOMEM,
			"%.32s: no memory for buffers of mtu %u: raise memory", p->dev_name,
			p->mtu);
	rxconf.offloads = 0;
	txconf.offloads = 0;
	ret = rte_eth_dev_adjust_nb_rx_tx_desc(p->port_id, &rxd, &txd);
	for (uint16_t q = 0; !ret && q < p->n_rxq; q++)
		ret = rte_eth_rx_queue_setup(p->port_id, q, rxd, socket, &rxconf, pool);
	for (uint16_t q = 0; !ret && q < p->n_txq; q++)
		ret = rte_eth_tx_queue_setup(p->port_id, q, txd, socket, &txconf);
	if (ret)
		return bh_port_fail(p, ret, "%.32s: queues of %u and %u descriptors refused: %s",
			p->dev_name, rxd, txd, strerror(-ret));
	return 0;
}

/* Kernel-backed drivers pass the MTU on here; one that has no such call needs none. It comes after
 * the queues: some drivers (virtio) check it against the buffers of those that are set up. */
static int
set_mtu(struct bh_port *p)
{
	int ret = rte_eth_dev_set_mtu(p->port_id, p->mtu);

	if (ret && ret != -ENOTSUP)
		return bh_port_fail(p, ret, "%.32s: mtu %u refused: %s", p->dev_name, p->mtu,
			strerror(-ret));
	return 0;
}

static void
set_addresses(struct bh_port *p)
{
	struct rte_ether_addr want;
	bool own = true;

	memcpy(want.addr_bytes, p->cfg.mac, sizeof(want.addr_bytes));
	if (rte_is_zero_ether_addr(&p->own))
		rte_eth_random_addr(p->own.addr_bytes);
	if (rte_is_zero_ether_addr(&want))
		want = p->own;
	rte_eth_macaddr_get(p->port_id, &p->mac);
	if (!rte_is_same_ether_addr(&want, &p->mac)) {
		own = rte_eth_dev_default_mac_addr_set(p->port_id, &want) == 0;
		p->mac = want;
	}
	/* Not every driver has these; what it cannot do, forwarding's own filter does. */
	if (own)
		rte_eth_promiscuous_disable(p->port_id);
	else
		rte_eth_promiscuous_enable(p->port_id);
	rte_eth_allmulticast_enable(p->port_id);
}

/* A memif client that finds no server logs an error at each try; once is enough. */
static int
start_quietly(struct bh_port *p)
{
	int type = rte_log_register("pmd.net.memif");
	int level = type < 0 ? -1 : rte_log_get_level(type);
	int ret;

	if (level >= 0)
		rte_log_set_level(type, RTE_LOG_CRIT);
	ret = rte_eth_dev_start(p->port_id);
	if (level >= 0)
		rte_log_set_level(type, level);
	if (ret)
		return bh_port_fail(p, -EAGAIN, "%.32s: nobody listens on its socket yet",
			p->dev_name);
	return 0;
}

static int
start(struct bh_port *p)
{
	int ret;

	if (p->revive)
		return start_quietly(p);
	ret = rte_eth_dev_start(p->port_id);
	if (ret)
		return bh_port_fail(p, ret, "%.32s: does not start (%s): enough mbufs?",
			p->dev_name, strerror(-ret));
	return 0;
}

/* A started driver holds the buffers of its receive rings. With hardly any left it receives no more
 * after the first packets, and few drivers count that. */
static void
check_buffers(struct bh_ports *ps, const struct bh_port *p)
{
	struct rte_mempool *pool = pool_for(ps, p->mtu);
	unsigned int left = rte_mempool_avail_count(pool);

	if (left < pool->size / 8)
		bh_warn(AREA, "%s: %s: %u of %u packet buffers are left beside the rings of the "
			"ports: raise mbufs, or lower rx-descriptors", p->name, p->dev_name, left,
			pool->size);
}

int
bh_port_start(struct bh_ports *ps, struct bh_port *p)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(p->port_id, &info);

	if (ret)
		return bh_port_fail(p, ret, "%.32s: the device is gone: %s", p->dev_name,
			strerror(-ret));
	ret = choose_mtu(p, &info);
	if (!ret)
		ret = choose_queues(ps, p, &info);
	if (!ret)
		ret = configure(p, &info);
	if (!ret)
		ret = setup_queues(ps, p, &info);
	if (!ret)
		ret = set_mtu(p);
	if (!ret)
		ret = start(p);
	/* A driver's -EINVAL is no verdict on the device string: it is tried again later. */
	if (ret)
		return ret == -EINVAL ? -EIO : ret;
	p->started = true;
	check_buffers(ps, p);
	set_addresses(p);
	p->have = p->cfg;
	p->link = p->was_up = false;
	p->down_since = rte_rdtsc();
	bh_port_poll_link(p);
	return 0;
}

void
bh_port_stop(struct bh_port *p)
{
	int ret;

	if (!p->started)
		return;
	p->started = false;
	p->link = false;
	ret = rte_eth_dev_stop(p->port_id);
	if (ret)
		bh_warn(AREA, "%s: %s: stop: %s", p->name, p->dev_name, strerror(-ret));
}

bool
bh_port_poll_link(struct bh_port *p)
{
	struct rte_eth_link link = { 0 };
	uint32_t speed;
	bool up;

	if (rte_eth_link_get_nowait(p->port_id, &link))
		link.link_status = RTE_ETH_LINK_DOWN;
	up = link.link_status == RTE_ETH_LINK_UP;
	speed = up && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN ? link.link_speed : 0;
	if (up == p->link && speed == p->speed)
		return false;
	if (p->link && !up)
		p->down_since = rte_rdtsc();
	p->link = up;
	p->was_up |= up;
	if (up)
		p->tries = 0;
	p->speed = speed;
	return true;
}

void
bh_port_poll_stats(const struct bh_port *p, struct bh_stats_dev *st)
{
	struct rte_eth_stats s;

	if (rte_eth_stats_get(p->port_id, &s))
		return;
	__atomic_store_n(&st->ipackets, s.ipackets, __ATOMIC_RELAXED);
	__atomic_store_n(&st->opackets, s.opackets, __ATOMIC_RELAXED);
	__atomic_store_n(&st->ibytes, s.ibytes, __ATOMIC_RELAXED);
	__atomic_store_n(&st->obytes, s.obytes, __ATOMIC_RELAXED);
	__atomic_store_n(&st->imissed, s.imissed, __ATOMIC_RELAXED);
	__atomic_store_n(&st->ierrors, s.ierrors, __ATOMIC_RELAXED);
	__atomic_store_n(&st->oerrors, s.oerrors, __ATOMIC_RELAXED);
	__atomic_store_n(&st->rx_nombuf, s.rx_nombuf, __ATOMIC_RELAXED);
}
