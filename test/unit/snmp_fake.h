/* SPDX-License-Identifier: BSD-3-Clause */
/* A model of bulkhead-snmp without a core: records put by hand, counters in ordinary memory. */
#ifndef BH_TEST_SNMP_FAKE_H
#define BH_TEST_SNMP_FAKE_H

#include "modules/snmp/model.h"

struct snmp_fake {
	struct bh_snmp_model s;
	struct bh_stats stats;
	uint64_t now, uptime; /* hundredths of a second */
};

struct snmp_fake *snmp_fake_new(void);
void snmp_fake_free(struct snmp_fake *f);

/* A record, a deletion (val NULL) or a mark (key NULL) of a table, to all mirrors of it. */
void snmp_fake_change(struct snmp_fake *f, uint16_t table, uint8_t op, const void *key,
	const void *val);
/* All tables are synced and complete. */
void snmp_fake_complete(struct snmp_fake *f);

void snmp_fake_interface(struct snmp_fake *f, uint32_t ifindex, const char *name, uint8_t oper);
void snmp_fake_process(struct snmp_fake *f, const char *name, uint8_t state, uint64_t seen_ns);
/* A socket; addresses are of the family, all zero if NULL. */
void snmp_fake_socket(struct snmp_fake *f, uint16_t table, uint8_t family, const char *laddr,
	uint16_t lport, const char *raddr, uint16_t rport, uint32_t ifindex, uint32_t state);

#endif
