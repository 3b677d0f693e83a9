/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the MIBs read: mirrors of the small tables of the info base, the counters in shared memory,
 * and the agent's clock. Large tables (routes) have no mirror: a MIB asks the core for the next
 * record (s->h) when it is asked for one.
 */
#ifndef BH_SNMP_MODEL_H
#define BH_SNMP_MODEL_H

#include "lib/client/bulkhead.h"
#include "lib/stats/stats.h"
#include "modules/snmp/mib.h"
#include "modules/snmp/mirror.h"
#include "modules/snmp/nexthops.h"

struct bh_route_walk;

enum bh_snmp_mirror {
	BH_MIRROR_CFG_SNMP,
	BH_MIRROR_CFG_INTERFACE, /* index: the name's octets */
	BH_MIRROR_INTERFACE,	 /* index: ifIndex */
	BH_MIRROR_PROCESS,	 /* index: the name's octets, behind their number */
	BH_MIRROR_TCP,		 /* of tcpConnectionTable, and hidden the binding */
	BH_MIRROR_TCP_LISTEN,	 /* of tcpListenerTable, and hidden the binding */
	BH_MIRROR_UDP,		 /* of udpEndpointTable */
	BH_MIRROR_ADDRESS,	 /* of ipAddressTable, and hidden the ifIndex */
	BH_MIRROR_NEIGHBOR,	 /* of ipNetToPhysicalTable */
	BH_MIRROR_CFG_ADDRESS,	 /* the name's octets and the address */
	BH_MIRROR_CFG_NEIGHBOR,	 /* the same */
	BH_MIRROR_CFG_RA,	 /* the name's octets */
	BH_MIRROR_NEXTHOP,	 /* a digest */
	BH_SNMP_MIRRORS,
};

/* What the world does for the model. */
struct bh_snmp_ops {
	/* sysUpTime of the master agent in hundredths of a second; of this process before. */
	uint64_t (*uptime)(void *ctx);
	/* Hundredths of a second since the epoch. */
	uint64_t (*now)(void *ctx);
};

struct bh_snmp_model {
	struct bh_mirror mirror[BH_SNMP_MIRRORS];
	const struct bh_snmp_ops *ops;
	void *ctx;
	struct bh_handle *h;	      /* NULL: there is no core */
	const struct bh_stats *stats; /* NULL: the same, and no core was there before */
	uint64_t if_table_change;     /* as now() tells: a row of ifTable came or went */
	struct bh_nexthops nexthops;
	struct bh_route_walk *routes; /* route_mib.c */
	bool unavailable;	      /* what was asked for only the core can tell, and does not */
	bool config_changed;	      /* cfg_snmp: for who follows it to clear */
	uint32_t changes;	      /* of interfaces and processes: for who tells of them */
};

/* 0 or -errno. */
int bh_snmp_init(struct bh_snmp_model *s, const struct bh_snmp_ops *ops, void *ctx);
void bh_snmp_fini(struct bh_snmp_model *s);

/* All that the tables hold was seen; the same, and that is all there is. */
bool bh_snmp_synced(const struct bh_snmp_model *s);
bool bh_snmp_complete(const struct bh_snmp_model *s);

/* The configuration; what it does not say has the defaults of the YANG module. */
void bh_snmp_config(const struct bh_snmp_model *s, struct bh_cfg_snmp *cfg);

/* The record of an interface; NULL: there is none. */
const struct bh_interface *bh_snmp_interface(const struct bh_snmp_model *s, uint32_t ifindex);

/* Counters of an interface, summed over forwarding lcores; false: there are none. Each counter is
 * one load of 64 bits that its lcore writes by one store. */
bool bh_snmp_if_counters(const struct bh_snmp_model *s, uint32_t ifindex, struct bh_stats_if *sum);

/* sysUpTime, in hundredths, at that time (as now() tells); 0 if the agent is younger. */
uint64_t bh_snmp_ticks_at(struct bh_snmp_model *s, uint64_t when);

#endif
