/* SPDX-License-Identifier: BSD-3-Clause */
/* The MIBs that there are. */
#include "modules/snmp/mibs.h"

const struct bh_snmp_mib *const bh_snmp_mibs[] = {
	&bh_if_mib,
	&bh_ip_mib,
	&bh_ip_stats_mib,
	&bh_ip_neighbor_mib,
	&bh_ip_forward_mib,
	&bh_tcp_mib,
	&bh_udp_mib,
	&bh_bulkhead_mib,
	NULL,
};
