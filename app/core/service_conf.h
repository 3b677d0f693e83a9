/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Life of a service: made, launched on its own lcore, stopped, destroyed. What a handler sees
 * of it is in service.h.
 *
 * Order of a core: bh_chanmem_init, bh_stats_create, bh_proxy_create (each control proxy),
 * bh_service_proxy_create, bh_service_create (each service); then launch all in any order.
 * Down: bh_service_stop, bh_service_proxy_stop, bh_proxy_stop, wait for the lcores; then
 * bh_proxy_destroy, bh_service_proxy_destroy, bh_service_destroy, stats, chanmem.
 */
#ifndef BH_CORE_SERVICE_CONF_H
#define BH_CORE_SERVICE_CONF_H

#include "app/core/service.h"

struct bh_service_proxy;
struct bh_stats;

/* Idle time after which a channel leaves the polled set, where the lcore has a CPU of its own. */
#define BH_SERVICE_POLL_US 1000

struct bh_service_conf {
	uint16_t id;	  /* enum bh_service_id */
	const char *name; /* in zone names: bh.<name>.<n>; at most 11 characters */
	const struct bh_service_ops *ops; /* request is needed, the others may be NULL */
	void *ctx;
	struct bh_service_proxy *proxy; /* told of the service by bh_service_main() */
	unsigned int n_proxies;		/* control proxies, index 0 .. n - 1 */
	struct bh_stats *stats;
	int socket;	  /* NUMA, for the relay memzone */
	uint32_t poll_us; /* BH_SERVICE_POLL_US; 0 (block at once) if the lcore shares its CPU */
};

/* Makes the service and its relay memzone bh.relay.<name>. EAL main lcore. NULL and errno. */
struct bh_service *bh_service_create(const struct bh_service_conf *conf);

/* Body of the service's lcore (rte_eal_remote_launch), arg: struct bh_service *. Registers
 * with the service proxy; returns after bh_service_stop(), with all channels closed and the
 * service withdrawn. Blocks SIGPIPE on its thread. */
int bh_service_main(void *arg);

/* Any lcore. */
void bh_service_stop(struct bh_service *svc);

/* EAL main lcore, after bh_service_main() has returned. -EBUSY: a control proxy that still
 * runs has not yet heard of the withdrawal; nothing was freed, call again. */
int bh_service_destroy(struct bh_service *svc);

#endif
