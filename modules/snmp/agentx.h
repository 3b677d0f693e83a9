/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to the master agent: a transport of ours for net-snmp's library, in the place of its
 * own, because those wait without bound: for a connection, for room in a socket, and for each
 * answer of a master that hangs. Ours connects without waiting, and sends nothing any more once a
 * turn has lasted BH_AGENTX_PATIENCE_MS, and the connection ends: so the library, which waits for
 * the answer to each of its own requests, gives up what it is at.
 *
 * One a process, one thread: the library finds it by its name.
 */
#ifndef BH_SNMP_AGENTX_H
#define BH_SNMP_AGENTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_AGENTX_PATIENCE_MS 3000
#define BH_AGENTX_ANSWER_S 2	/* for one answer of the master */
#define BH_AGENTX_AGAIN_S 1	/* between attempts to connect */
#define BH_AGENTX_PING_S 5	/* between pings of an idle connection */
#define BH_AGENTX_SPEC "bulkhead:master" /* what the library is told to connect to */

struct bh_agentx_counts {
	uint64_t connected;  /* connections made */
	uint64_t ended;	     /* and ended */
	uint64_t duplicates; /* registrations refused because another has them */
};

/* How many AgentX responses in a piece of the stream say duplicateRegistration (RFC 2741 §6.2.16).
 * What is cut off or no AgentX ends the look. */
unsigned int bh_agentx_duplicates(const uint8_t *data, size_t len);

/* Makes the transport known to the library, which must be initialised. Nothing is connected. 0 or
 * -ENOMEM. */
int bh_agentx_init(void);

/* Where the master is (lib/net/sockaddr.h); "" or what does not parse: nowhere. A connection to
 * another ends. */
void bh_agentx_address(const char *address);

/* Ends the connection, if there is one; the library connects anew in a second. */
void bh_agentx_reset(void);

/* A turn begins; what it sends must be sent within BH_AGENTX_PATIENCE_MS. */
void bh_agentx_turn(void);

/* The descriptor of the connection, -1: there is none. */
int bh_agentx_fd(void);

const struct bh_agentx_counts *bh_agentx_counts(void);

#endif
