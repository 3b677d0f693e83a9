/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the link worker's part share. Everything runs on the link worker's lcore; the
 * memory is its own.
 *
 * Nothing here waits. What cannot be done at once (a copy still in its grace period, a full
 * ring, an answer to come) puts the index of its object in a queue that the chore works off.
 */
#ifndef BH_INFOBASE_LINK_PRIV_H
#define BH_INFOBASE_LINK_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "app/core/ports.h"
#include "app/forwarding/publish.h"
#include "infobase/link.h"

#define BH_LINK_ROUTERS 2 /* route4's and route6's worker */
#define BH_LINK_BUDGET 1024 /* objects of a queue that one turn looks at */

/* ---- link_index.c: queues and hashes of small indices; 0 is no index ---- */

/* Each index is in the queue at most once. */
struct bh_idq {
	uint16_t *slot;
	bool *in;
	uint32_t size, head, count; /* size: a power of two */
};

int bh_idq_init(struct bh_idq *q, uint32_t size); /* 0 or -ENOMEM */
void bh_idq_free(struct bh_idq *q);
void bh_idq_push(struct bh_idq *q, uint16_t id);
uint16_t bh_idq_pop(struct bh_idq *q); /* 0: empty */

/* From the hash of a key to the indices that have it, by chains; keys lie with their owner. */
struct bh_idhash {
	uint16_t *head, *next;
	uint32_t mask;
};

int bh_idhash_init(struct bh_idhash *h, uint32_t size); /* 0 or -ENOMEM; size: a power of two */
void bh_idhash_free(struct bh_idhash *h);
void bh_idhash_add(struct bh_idhash *h, uint32_t hash, uint16_t id);
void bh_idhash_del(struct bh_idhash *h, uint32_t hash, uint16_t id);

/* ---- objects ---- */

struct bh_link_if { /* index: ifindex */
	bool wanted;	/* a cfg_interface record has this index */
	bool known;	/* the name has or had it */
	bool answered;	/* the port manager told of it once */
	bool order;	/* an order is due */
	bool ported;	/* the port manager has an ATTACH of it */
	bool detaching; /* DETACH was sent and is not answered: nothing is sent meanwhile */
	bool up;	/* enabled, present, link up: as published */
	uint8_t oper;
	uint64_t last_change;
	char name[BH_NAME_LEN];
	struct bh_cfg_interface cfg;
	struct bh_port_event ev; /* the last one; port UINT16_MAX: not present */
};

struct bh_adj_key {
	uint16_t ifindex;
	uint8_t family;
	uint8_t addr[16] __attribute__((aligned(4))); /* hashed by words */
};

enum bh_link_adj_state { BH_LADJ_FREE, BH_LADJ_USED, BH_LADJ_DYING };

struct bh_link_adj { /* index: adjacency */
	struct bh_adj_key key;
	uint8_t state;
	bool attached; /* stands in the hash of attached neighbors */
	uint32_t refs; /* members of next hops */
	uint64_t token; /* dying: grace period that must be over */
};

enum bh_link_nh_state { BH_LNH_FREE, BH_LNH_NEW, BH_LNH_LIVE, BH_LNH_RETIRING, BH_LNH_GRACE };

struct bh_link_nh { /* index: next-hop id */
	uint8_t state;
	bool dirty;			/* to be published */
	bool live[BH_LINK_ROUTERS];	/* told that it lives, and not retired since */
	bool ask[BH_LINK_ROUTERS];	/* a RETIRE is to be sent */
	bool wait[BH_LINK_ROUTERS];	/* RETIRE is not answered */
	uint32_t number;		/* of its last retirement */
	uint32_t n_live;
	uint32_t hash;
	uint64_t token;
	uint16_t adj[BH_ECMP_MAX];
	struct bh_nexthop_key key;
};

struct bh_link {
	struct bh_link_conf conf;
	struct bh_table *cfg_interface, *cfg_neighbor, *interface, *neighbor, *nexthop;
	bool cfg_complete, complete;

	struct bh_link_if ifs[BH_IF_MAX];
	struct bh_idq if_queue;

	struct bh_link_adj *adjs;
	struct bh_idhash adj_hash;
	struct bh_idq adj_queue;
	uint32_t adj_free;  /* how many */
	uint32_t adj_first; /* no lower index is free */
	uint32_t adj_top;   /* no higher index was ever used */

	struct bh_link_nh *nhs;
	struct bh_idhash nh_hash;
	struct bh_idq nh_queue;
	uint32_t nh_first, nh_top;
};

/* ---- link_check.c: values that a table must not store ---- */

int bh_link_check_cfg_interface(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
int bh_link_check_cfg_address(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
int bh_link_check_cfg_neighbor(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
int bh_link_check_address(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
int bh_link_check_neighbor(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
int bh_link_check_hostif(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
/* Is it an address that an interface may have or be resolved to: neither zero nor multicast? */
bool bh_link_mac_ok(const uint8_t *mac);

/* ---- link_if.c ---- */

void bh_link_cfg_interface_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len);
void bh_link_cfg_interface_complete(void *ctx);
void bh_link_port_event(void *ctx, void *obj); /* input: struct bh_port_event * */
/* Works off the queue of interfaces. */
void bh_link_if_chore(struct bh_link *l);
/* Free for a new interface? */
bool bh_link_if_room(const struct bh_link *l, const char *name);
/* ifindex of a configured interface, or 0. */
uint32_t bh_link_if_find(const struct bh_link *l, const char *name);

/* ---- link_adj.c ---- */

int bh_link_adj_init(struct bh_link *l);
void bh_link_adj_free(struct bh_link *l);
void bh_link_cfg_neighbor_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len);
void bh_link_neighbor_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len);
/* Could n more adjacencies be made? */
bool bh_link_adj_room(const struct bh_link *l, unsigned int n);
/* One more reference to the adjacency of this key, which is made if need be; 0: no room. */
uint16_t bh_link_adj_ref(struct bh_link *l, const struct bh_adj_key *key);
void bh_link_adj_unref(struct bh_link *l, uint16_t adj);
/* The interface came, went or has another MAC address. */
void bh_link_adj_interface(struct bh_link *l, uint32_t ifindex);
void bh_link_adj_chore(struct bh_link *l);

/* ---- link_nh.c ---- */

int bh_link_nh_init(struct bh_link *l);
void bh_link_nh_free(struct bh_link *l);
int bh_link_check_nexthop(void *ctx, const void *key, void *val, uint16_t len,
	const struct bh_record *old);
void bh_link_nexthop_changed(void *ctx, const void *key, const struct bh_record *rec,
	const void *old_val, uint16_t old_len);
/* Input: an answer of a route worker. */
void bh_link_answer4(void *ctx, void *obj);
void bh_link_answer6(void *ctx, void *obj);
/* The interface went up or down: groups are published anew at once. */
void bh_link_nh_interface(struct bh_link *l, uint32_t ifindex);
void bh_link_nh_chore(struct bh_link *l);
/* Fills entries with the live members, repeated by weight, at most BH_ECMP_MAX in all. Returns how
 * many entries. weight[i] is that of value[i]; n <= BH_ECMP_MAX. */
unsigned int bh_link_spread(const uint16_t *value, const uint8_t *weight, unsigned int n,
	uint16_t *entry);

#endif
