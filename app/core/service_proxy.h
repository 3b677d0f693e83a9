/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service proxy: services tell it the address of their relay memory; it gives each
 * registration a generation and broadcasts (service, address, generation) to every control
 * proxy, which keeps it. Order of creation and end: service_conf.h.
 */
#ifndef BH_CORE_SERVICE_PROXY_H
#define BH_CORE_SERVICE_PROXY_H

#include <stdint.h>

struct bh_proxy;
struct bh_relay;
struct bh_service_proxy;
struct bh_stats;

#define BH_PROXIES_MAX 8

struct bh_service_proxy_conf {
	struct bh_proxy *const *proxies; /* all control proxies */
	unsigned int n_proxies;		 /* 1 .. BH_PROXIES_MAX */
	struct bh_stats *stats;
	int socket; /* NUMA */
};

/* EAL main lcore. NULL and errno. */
struct bh_service_proxy *bh_service_proxy_create(const struct bh_service_proxy_conf *conf);

/* Body of its lcore, arg: struct bh_service_proxy *; returns after stop. */
int bh_service_proxy_main(void *arg);
void bh_service_proxy_stop(struct bh_service_proxy *sp); /* any lcore */
void bh_service_proxy_destroy(struct bh_service_proxy *sp);

/* The lcore that runs the service, at its start and end (bh_service_main does both). One lcore
 * a service at a time. -ENOBUFS: the service proxy is behind, retry. */
int bh_service_register(struct bh_service_proxy *sp, struct bh_relay *relay);
int bh_service_withdraw(struct bh_service_proxy *sp, struct bh_relay *relay);

#endif
