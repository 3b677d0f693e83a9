/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core as a whole: every part made in order, launched on its lcore by the boot record's
 * plan, stopped and freed in reverse. Nothing here runs per packet or per request.
 */
#ifndef BH_CORE_CORE_H
#define BH_CORE_CORE_H

#include "app/core/bell.h"
#include "app/core/packet.h"
#include "app/core/ports.h"
#include "app/core/proxy.h"
#include "app/core/service_conf.h"
#include "app/core/service_proxy.h"
#include "app/forwarding/forwarding.h"
#include "infobase/infobase.h"
#include "infobase/link.h"
#include "infobase/nh_links.h"
#include "infobase/route_publish.h"
#include "lib/boot/boot.h"

struct bh_core {
	const struct bh_boot *boot;
	const char *rundir;
	int socket_id; /* NUMA node of tables and rings */
	struct bh_bell bell; /* of the main lcore */
	struct bh_stats *stats;
	int stats_fd;
	bool chanmem;
	struct bh_fwd_tables tables;
	bool have_tables;
	struct bh_forwarding *fwd;
	struct bh_infobase *ib;
	struct bh_nh_links links;
	struct bh_route_publish *publish[2]; /* 0: IPv4, 1: IPv6 */
	struct bh_ports *ports;
	struct bh_link *link;
	int listen_fd;
	char socket_path[128];
	struct bh_proxy *proxy[BH_PROXIES_MAX];
	unsigned int n_proxies;
	unsigned int next_proxy; /* gets the next role socket */
	struct bh_service_proxy *service_proxy;
	struct bh_service *service; /* the info base's */
	struct bh_packet *packet; /* NULL: the plan has no punt lcore */
	struct bh_service *packet_service;
};

/* After rte_eal_init(), on the main lcore: makes every part. 0 or -errno, with a log line that
 * says what failed; bh_core_destroy() is to be called in both cases. */
int bh_core_create(struct bh_core *core, const struct bh_boot *boot, const char *rundir);

/* Launches every lcore's body. 0 or -errno. */
int bh_core_launch(struct bh_core *core);

/* Asks every lcore to return and waits for them; the supervisor bounds that time. */
void bh_core_stop(struct bh_core *core);
void bh_core_destroy(struct bh_core *core);

#endif
