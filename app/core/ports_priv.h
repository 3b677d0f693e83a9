/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the port manager share. Everything runs on the EAL main lcore. */
#ifndef BH_CORE_PORTS_PRIV_H
#define BH_CORE_PORTS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "app/core/ports.h"

#define BH_PORT_NONE UINT16_MAX
#define BH_PORT_ERROR 96

/* One ordered port. `cfg` is what is wanted, `have` what the running device was started with. */
struct bh_port {
	bool used;	/* ordered and not yet gone */
	bool leaving;	/* DETACH was ordered */
	bool gone;	/* detached, the link worker not told yet */
	bool tell;	/* an event is due */
	bool probed;	/* port_id is valid */
	bool started;
	bool attached;	/* forwarding may have it, whatever it said */
	bool running;	/* started and in forwarding */
	bool revive;	/* memif client: is started again when its peer is lost */
	bool link;
	bool was_up;	/* the link was up since the start */
	uint16_t ifindex;
	uint16_t port_id;
	uint16_t n_rxq, n_txq;
	uint16_t mtu, max_mtu;
	uint32_t speed;
	uint64_t retry;	     /* TSC of the next try; 0: none */
	unsigned int tries;  /* in vain since the link was last up, as far as they count */
	uint64_t down_since; /* TSC */
	struct rte_ether_addr mac;
	struct rte_ether_addr own; /* what the device came with; given back with it */
	struct bh_cfg_interface cfg, have;
	char name[BH_NAME_LEN];
	char dev_name[RTE_DEV_NAME_MAX_LEN]; /* canonical name of the device */
	char error[BH_PORT_ERROR];
};

struct bh_ports {
	struct bh_ports_conf conf;
	struct bh_worker *worker;
	struct rte_ring *orders, *events;
	struct rte_mempool *pool, *jumbo;
	uint64_t next_link, next_stats; /* TSC */
	struct bh_port port[BH_IF_MAX];
};

/* Writes the text that people read into p->error. Returns err. */
int bh_port_fail(struct bh_port *p, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * ports_probe.c
 */

/* Splits and checks a device string: the canonical name of the device goes to name. Accepted are
 * PCI addresses and vdevs of Ethernet drivers. 0 or -EINVAL. */
int bh_port_device_name(const char *device, char *name, size_t len);

/* Whether a PCI device can be taken: looks only into sysfs (root: /sys/bus/pci/devices). 0, or
 * -EAGAIN (may become right without us: the text in p->error says how). */
int bh_port_check_pci(struct bh_port *p, const char *root, const char *addr);

/* Value of a devarg ("iface") in a device string: copied to buf. False: not there. */
bool bh_port_devarg(const char *device, const char *key, char *buf, size_t len);

/* Probes p->cfg.device; fills port_id, dev_name, revive. 0; -EAGAIN (worth a quiet retry each
 * second); other -errno. p->error has the text. */
int bh_port_probe(struct bh_ports *ps, struct bh_port *p);

/* Closes the (stopped) port and removes its device. */
void bh_port_remove(struct bh_port *p);

/*
 * ports_dev.c
 */

/* Configures the probed, stopped port by p->cfg and starts it. 0 or -errno, p->error the text. */
int bh_port_start(struct bh_ports *ps, struct bh_port *p);

/* Stops the port; it must be out of forwarding. */
void bh_port_stop(struct bh_port *p);

/* Reads the link. True when it changed. */
bool bh_port_poll_link(struct bh_port *p);

/* Copies the device's counters to st. */
void bh_port_poll_stats(const struct bh_port *p, struct bh_stats_dev *st);

/* The pool for frames of up to 2,048 bytes; NULL and rte_errno. */
struct rte_mempool *bh_port_pool(const char *name, uint32_t n, unsigned int n_fwd, uint16_t room,
	int socket_id);

#endif
