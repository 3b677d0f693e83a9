/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An info base for tests of the routing module: keeps the input tables (the model) and the
 * output tables (the base), answers requests in order within a table and in random order
 * across tables, and fails the test when a request breaks the rules of the tables.
 */
#ifndef TEST_ROUTING_FAKE_H
#define TEST_ROUTING_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/net/prefix.h"
#include "modules/routing/routing.h"

#define FAKE_TEXT 1024
#define FAKE_LOG 4096

/* ---- the model: what the input tables hold ---- */

struct model_if {
	bool there;
	struct bh_interface rec;
};
struct model_addr {
	char name[BH_NAME_LEN];
	struct bh_prefix p; /* with host bits */
};
struct model_stack {
	uint32_t ifindex;
	struct bh_prefix p;
	uint8_t state;
};
struct model_static {
	struct bh_prefix p;
	uint16_t instance;
	struct bh_cfg_route rec;
};

struct model {
	struct model_if ifs[BH_IF_MAX];
	struct model_addr addr[64];
	struct model_stack stack[64];
	struct model_static stat[256];
	unsigned int n_addr, n_stack, n_stat;
};

/* ---- the base ---- */

struct fake_req {
	TAILQ_ENTRY(fake_req) link;
	uint8_t verb;
	uint16_t table;
	uint32_t aux;
	size_t len;
	bh_reply_fn cb;
	void *arg;
	uint8_t body[];
};

struct fake_rec {
	struct bh_hnode node;
	bool stale;
	uint16_t key_len, val_len;
	uint8_t key[BH_KEY_MAX] __attribute__((aligned(8)));
	uint8_t val[BH_VAL_MAX] __attribute__((aligned(8))); /* of the tables of FPM */
	struct bh_route route; /* of route tables */
	uint32_t id;	       /* of nexthop */
	uint32_t routes;       /* not stale ones that use it */
};

struct fake {
	struct bh_routing r;
	struct model m;
	TAILQ_HEAD(, fake_req) queue[BH_T_MAX];
	struct bh_htab table[BH_T_MAX];
	unsigned int pending, max_pending; /* submit says -EAGAIN at the maximum */
	bool random_again;		   /* submit says -EAGAIN now and then */
	unsigned int seed;
	uint32_t next_id;
	uint32_t max_nexthops, max_routes; /* more are refused with -ENOSPC */
	struct fake_rec **by_id;
	bool began[BH_T_MAX], ended[BH_T_MAX];
	unsigned int n_ready;
	unsigned int n_verb[BH_T_MAX][BH_V_MAX]; /* requests answered */
	struct {
		uint8_t verb;
		uint16_t table;
	} log[FAKE_LOG]; /* the first ones */
	unsigned int n_log;
};

struct fake *fake_new(void);
void fake_free(struct fake *f);

/* A record of the base, or NULL. */
struct fake_rec *fake_find(struct fake *f, uint16_t table, const void *key);

/* All inputs synced and complete. */
void fake_inputs_ready(struct fake *f);

/* One record or mark to the module. */
void fake_change(
	struct fake *f, uint16_t table, uint8_t op, const void *key, const void *val, size_t len);

/* Commits, and answers until all is quiet. */
void fake_run(struct fake *f);
/* The core dies: requests under way are lost, tables are empty, watches end; the module is told. */
void fake_restart(struct fake *f);
/* Answers one request; false: none was there. */
bool fake_step(struct fake *f);

/*
 * Changes in words, separated by ';', to the model and as events to the module:
 *	if 1 eth1 up|down [nov4] [nov6]		-if 1
 *	addr eth1 10.0.1.1/24			-addr eth1 10.0.1.1/24
 *	stack 1 10.0.1.1/24 tentative|ok|dup	-stack 1 10.0.1.1/24
 *	route 10.0.0.0/8 5 10.0.1.2 10.0.2.2@eth2*3 @eth3	(preference; hop@interface*weight)
 *	route 10.0.0.0/8#1 5 blackhole|unreachable|prohibit|receive	(#instance)
 *	-route 10.0.0.0/8#1
 */
void fake_do(struct fake *f, const char *words);

/* The whole model again: resync, records, synced. */
void fake_resync(struct fake *f, uint16_t table);

/* A record of fpm_route4 or fpm_route6 as "186 10.0.1.2@7*3" (protocol; hop, kernel's
 * ifindex, weight), "196 blackhole", or "none". */
const char *fake_fpm(struct fake *f, const char *prefix);
/* Another life of the module under the same base, which is its predecessor's no more. */
struct fake *fake_successor(struct fake *old);

/* A route as "static 5 10.0.1.2@1 10.0.2.2@2*3" (weights other than 1), "connected 0 attached@1",
 * "local 0 receive", or "none". */
const char *fake_route(struct fake *f, const char *prefix);
void fake_text_nh(const struct bh_nexthop_key *k, char *text);

/* What the base must hold by the model: routes one by one, and no next hop but theirs. */
void ref_check(struct fake *f);

#endif
