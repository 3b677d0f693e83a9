/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The info base whole, in one thread: main, its workers turned by hand, link and route
 * publication into real forwarding tables, and a service, a port manager and one forwarding
 * reader of the bed's own. Peers' replies and events are checked as they come.
 */
#ifndef TEST_FUZZ_REQUEST_BED_H
#define TEST_FUZZ_REQUEST_BED_H

#include "app/forwarding/publish.h"
#include "infobase/link_priv.h"
#include "infobase/infobase_priv.h"
#include "infobase/route_publish.h"
#include "test/fuzz/fuzz.h"

#define PEERS 9		/* peer i has role i; from BH_ROLE_CORE on they are readers */
#define UNDER_WAY 4096 /* a power of two, not less than objects */
#define ORDERS 8
#define TURNS_MAX 20000 /* after so many turns it should be at rest */

struct expected { /* a request that was taken */
	uint32_t tag;
	uint16_t slots;
	uint8_t verb;
};

struct peer {
	struct bh_peer_info info;
	long event_room; /* < 0: any number */
	uint32_t head[BH_T_MAX], tail[BH_T_MAX];
	struct expected wait[BH_T_MAX][UNDER_WAY];
	struct expected now; /* what request() is about: may be answered at once */
	bool now_answered;
};

struct bh_service {
	struct bh_bell bell;
	struct peer peer[PEERS];
};

struct bed {
	struct bh_service svc;
	struct bh_infobase *ib;
	struct bh_fwd_tables fwd;
	struct bh_nh_links links;
	struct bh_link *link;
	struct bh_route_publish *rp[2];
	struct rte_ring *events;
	struct bh_port_order order[ORDERS]; /* a queue */
	unsigned int n_orders;
	bool present[BH_IF_MAX]; /* ports that are attached */
	bool reader;		 /* the forwarding reader is online */
};

extern struct bed bed;

/* Once. */
void bed_create(void);

/* ---- steps ---- */

/* Offers a request of a peer; every promise about it is checked. */
void bed_request(unsigned int peer, const struct bh_msg *msg);
void bed_peer_gone(unsigned int peer);
/* One turn of a worker, one pass of main: true when there was work. */
bool bed_turn(unsigned int worker);
bool bed_main(void);
/* The port manager answers its oldest order; how: bit 0 present, bit 1 link up. */
void bed_answer_order(uint8_t how);
/* ... and tells of a port of its own. */
void bed_port_event(uint16_t ifindex, uint8_t how);
/* The forwarding reader comes, is quiescent, goes. */
void bed_reader(bool online);

/* ---- the end of an input ---- */

/* Everybody has room and time: all is done in a bounded number of turns. */
void bed_settle(void);
/* All records are deleted, nothing of them is left, and the bed is as new. */
void bed_reset(void);

/* request_check.c: tables, log and what is published agree. After bed_settle(). */
void check_invariants(void);
/* ... and are empty. */
void check_empty(void);
/* The records of a reply or event are what libbulkhead takes. */
void check_records(const struct bh_msg *msg);
/* A reply to BH_V_AUDIT finds nothing. */
void check_audit(const struct bh_msg *msg);

#endif
