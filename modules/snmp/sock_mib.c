/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP-MIB (RFC 4022) and UDP-MIB (RFC 4113): the sockets of the router's machine, as the tables tcp
 * and udp have them. Counters of the kernel's stack are not in the info base and so not here;
 * neither is the process of a socket, for which 0 stands, as both MIBs want it.
 */
#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

enum { TCP_STATE = 7, TCP_PROCESS, LISTENER_PROCESS = 4, ENDPOINT_PROCESS = 8 };

int
bh_tcp_state(uint32_t state)
{
	/* TCP_ESTABLISHED .. TCP_NEW_SYN_RECV of Linux (net/tcp_states.h) in tcpConnectionState. */
	static const uint8_t states[] = {
		[1] = 5,   /* established */
		[2] = 3,   /* synSent */
		[3] = 4,   /* synReceived */
		[4] = 6,   /* finWait1 */
		[5] = 7,   /* finWait2 */
		[6] = 11,  /* timeWait */
		[7] = 1,   /* closed */
		[8] = 8,   /* closeWait */
		[9] = 9,   /* lastAck */
		[10] = 2,  /* listen */
		[11] = 10, /* closing */
		[12] = 4,  /* a request's socket: synReceived */
	};

	return state < sizeof(states) && states[state] != 0 ? states[state] : 1;
}

static bool
connection_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x,
	uint32_t column, struct bh_value *v)
{
	const struct bh_sock *sock = bh_mirror_val(&s->mirror[BH_MIRROR_TCP], row);

	(void)x;
	if (column == TCP_PROCESS)
		return bh_value_unsigned(v, 0);
	return bh_value_integer(v, bh_tcp_state(sock->state));
}

static bool
no_process(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)s;
	(void)row;
	(void)x;
	(void)column;
	return bh_value_unsigned(v, 0);
}

static const struct bh_mib_table tcp_tables[] = {
	{
		.name = "tcpConnectionTable",
		BH_ROOT(BH_MIB_2, 6, 19),
		.columns = BH_COLUMNS(TCP_STATE, TCP_PROCESS),
		.mirror = BH_MIRROR_TCP,
		.hidden = 1,
		.row = bh_mib_mirror_row,
		.value = connection_value,
	},
	{
		.name = "tcpListenerTable",
		BH_ROOT(BH_MIB_2, 6, 20),
		.columns = BH_COLUMNS(LISTENER_PROCESS),
		.mirror = BH_MIRROR_TCP_LISTEN,
		.hidden = 1,
		.row = bh_mib_mirror_row,
		.value = no_process,
	},
};

const struct bh_snmp_mib bh_tcp_mib = {
	.name = "tcp-mib",
	.bit = BH_SNMP_TCP,
	.tables = tcp_tables,
	.n_tables = sizeof(tcp_tables) / sizeof(tcp_tables[0]),
};

static const struct bh_mib_table udp_tables[] = {
	{
		.name = "udpEndpointTable",
		BH_ROOT(BH_MIB_2, 7, 7),
		.columns = BH_COLUMNS(ENDPOINT_PROCESS),
		.mirror = BH_MIRROR_UDP,
		.row = bh_mib_mirror_row,
		.value = no_process,
	},
};

const struct bh_snmp_mib bh_udp_mib = {
	.name = "udp-mib",
	.bit = BH_SNMP_UDP,
	.tables = udp_tables,
	.n_tables = sizeof(udp_tables) / sizeof(udp_tables[0]),
};
