/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The subagent: net-snmp's agent library around the tables of the MIBs. All of net-snmp's state is
 * the process's own, so there is one agent; one thread.
 *
 * The library reads no file and writes none: no configuration, no MIBs, no state.
 */
#ifndef BH_SNMP_AGENT_H
#define BH_SNMP_AGENT_H

#include "modules/snmp/mib.h"

#define BH_AGENT_PRIORITY 100 /* before a master's own tables of the same name, which have 127 */

/* Before the sandbox. 0 or -errno. */
int bh_agent_init(struct bh_snmp_model *s);
/* Registers nothing any more and closes the connection, within BH_AGENTX_PATIENCE_MS. */
void bh_agent_fini(void);

/* Registers these MIBs (BH_SNMP_*) in that context, and no others. */
void bh_agent_register(uint32_t mibs, const char *context);

/* Reads and answers what has come, connects, pings. May wait for the master, within
 * BH_AGENTX_PATIENCE_MS. How much there was to do. */
int bh_agent_turn(void);

/* A master has taken our session. */
bool bh_agent_connected(void);

/* sysUpTime of the master in hundredths, of this process before there was one. */
uint64_t bh_agent_uptime(void);

struct bh_varbind {
	struct bh_oid name;
	struct bh_value value;
};

/* Hands a notification to the master, never waiting for its answer. trap: the value of
 * snmpTrapOID.0. 0; -ENOTCONN; -ENOMEM. */
int bh_agent_notify(const struct bh_oid *trap, const char *context, const struct bh_varbind *vars,
	unsigned int n);

#endif
