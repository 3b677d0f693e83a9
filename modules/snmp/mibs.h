/* SPDX-License-Identifier: BSD-3-Clause */
/* One line a MIB; each is defined in the file of its name. */
#ifndef BH_SNMP_MIBS_H
#define BH_SNMP_MIBS_H

#include "modules/snmp/mib.h"

extern const struct bh_snmp_mib bh_if_mib;  /* if_mib.c: IF-MIB, RFC 2863 */
extern const struct bh_snmp_mib bh_ip_mib;  /* IP-MIB, RFC 4293, in three files */
extern const struct bh_snmp_mib bh_ip_stats_mib;
extern const struct bh_snmp_mib bh_ip_neighbor_mib;
extern const struct bh_snmp_mib bh_ip_forward_mib; /* route_mib.c: IP-FORWARD-MIB, RFC 4292 */
extern const struct bh_snmp_mib bh_tcp_mib; /* sock_mib.c: TCP-MIB, RFC 4022 */
extern const struct bh_snmp_mib bh_udp_mib; /* sock_mib.c: UDP-MIB, RFC 4113 */
extern const struct bh_snmp_mib bh_bulkhead_mib;

#define BH_BULKHEAD_MIB 1, 3, 6, 1, 4, 1, 32473, 1 /* bulkheadMIB */

/* ifOperStatus, ifAdminStatus. */
int bh_if_oper_status(uint8_t oper);
int bh_if_admin_status(const struct bh_interface *i);
/* inetCidrRouteProto. */
int bh_route_proto(uint8_t proto, uint8_t sub);
/* tcpConnectionState of a state as Linux numbers them. */
int bh_tcp_state(uint32_t state);
/* The value in a column of bhModuleTable. */
bool bh_module_value(const struct bh_process *p, uint32_t column, struct bh_value *v);

#endif
