/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BH_V_AUDIT: does the published FIB say what the table of routes says? The table's worker, which
 * writes both, compares a bounded number of records or of prefixes of the FIB a request, so what it
 * finds is no race but a fault. Two walks, by one cursor: first each record (is it in the FIB, with
 * its next hop; do lookups of its addresses agree with the routes), then each prefix of the FIB (is
 * there a record of it).
 *
 * Request: aux: cursor, 0 first; body: struct bh_audit_ask. Reply: aux: next cursor or BH_DUMP_END;
 * body: struct bh_audit, then the differences of this turn. Admins' and the supervisor's to ask.
 */
#ifndef BH_INFOBASE_AUDIT_H
#define BH_INFOBASE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#define BH_AUDIT_REPAIR 0x1 /* the FIB is made to say what the table says */

struct bh_audit_ask {
	uint32_t flags; /* BH_AUDIT_* */
};

struct bh_audit {
	uint32_t records;   /* of the table, now */
	uint32_t published; /* prefixes in the FIB, now */
	uint32_t checked;   /* these are of this turn: records and prefixes looked at */
	uint32_t waiting;   /* records whose next hop is not live: outside the FIB, as it must be */
	uint32_t differing;
	uint32_t repaired;
};

enum bh_audit_what {
	BH_AUDIT_MISSING = 1, /* a record that the FIB lacks */
	BH_AUDIT_OTHER_HOP,   /* the FIB has another next hop */
	BH_AUDIT_SURPLUS,     /* the FIB has what the table has not, or not live */
	BH_AUDIT_LOOKUP,      /* the FIB's routes are right, but lookups find something else */
};

struct bh_audit_diff {
	uint8_t what;	  /* enum bh_audit_what */
	uint8_t repaired; /* 0, 1 */
	uint8_t plen;
	uint8_t pad;
	uint8_t addr[16]; /* IPv4: the first 4 */
	uint32_t wanted;  /* next-hop id of the record; 0: none */
	uint32_t found;	  /* of the FIB */
};

#define BH_AUDIT_DIFFS 64   /* in a reply, at most */
#define BH_AUDIT_BUDGET 256 /* records, or places of the FIB, that a turn looks at */

/* One turn, as the table's hook carries it out. */
struct bh_audit_turn {
	uint32_t cursor; /* in and out */
	unsigned int most; /* differences that there is room for: 1 .. BH_AUDIT_DIFFS */
	bool repair;
	struct bh_audit sum;
	unsigned int n;
	struct bh_audit_diff diff[BH_AUDIT_DIFFS];
};

#endif
