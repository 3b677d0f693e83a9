/* SPDX-License-Identifier: BSD-3-Clause */
/* What is looked at in the stream of a master besides what net-snmp's library reads. Pure. */
#include "modules/snmp/agentx.h"

#define HEADER 20
#define PDU_RESPONSE 18
#define FLAG_NETWORK_ORDER 0x10
#define ERROR_DUPLICATE 263

static uint32_t
get(const uint8_t *p, unsigned int n, bool network)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < n; i++)
		v |= (uint32_t)p[i] << 8 * (network ? n - 1 - i : i);
	return v;
}

unsigned int
bh_agentx_duplicates(const uint8_t *data, size_t len)
{
	unsigned int n = 0;

	while (len >= HEADER && data[0] == 1) {
		bool network = data[2] & FLAG_NETWORK_ORDER;
		uint32_t payload = get(data + 16, 4, network);

		if (payload > len - HEADER)
			break;
		if (data[1] == PDU_RESPONSE && payload >= 8 &&
			get(data + HEADER + 4, 2, network) == ERROR_DUPLICATE)
			n++;
		data += HEADER + payload;
		len -= HEADER + payload;
	}
	return n;
}
