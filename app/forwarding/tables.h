/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The published tables: what forwarding lcores read and never wait for.
 *
 * fib4 and fib6 have the workers of route4 and route6 as their writers. Everything else is
 * written by the link worker. Entries refer to each other by index only. An entry that
 * changes in several fields has two copies and a selector: the writer fills the idle copy
 * and stores the selector; it may fill the idle copy again only after a grace period of
 * qsbr, in which each forwarding lcore is a reader (thread id: its forwarding index; offline
 * before it sleeps). Index 0 of every table is never used.
 */
#ifndef BH_FORWARDING_TABLES_H
#define BH_FORWARDING_TABLES_H

#include <stdint.h>

#include <rte_rcu_qsbr.h>

#include "infobase/schema.h"
#include "lib/fib/fib.h"

#define BH_ADJ_MAX 65536
#define BH_ETH_HDR 14

#define BH_FWD_IF_UP 0x1 /* enabled and link up */
#define BH_FWD_IF_FORWARD4 0x2
#define BH_FWD_IF_FORWARD6 0x4
#define BH_FWD_IF_IPV4 0x8
#define BH_FWD_IF_IPV6 0x10

struct bh_fwd_if_copy {
	uint16_t flags;		  /* BH_FWD_IF_* */
	uint16_t mtu, mtu4, mtu6; /* bytes behind the Ethernet header; not 0 when UP */
	uint8_t mac[6];
	uint8_t pad[2];
};

struct bh_fwd_if { /* index: ifindex */
	struct bh_fwd_if_copy copy[2];
	uint32_t sel; /* 0 or 1; accessed atomically */
} __attribute__((aligned(64)));

enum bh_adj_state { BH_ADJ_FREE, BH_ADJ_UNRESOLVED, BH_ADJ_RESOLVED };

struct bh_adj_copy {
	uint16_t ifindex; /* goes out by */
	uint8_t state;	  /* enum bh_adj_state */
	uint8_t hdr_len;  /* BH_ETH_HDR when resolved */
	union {
		uint8_t hdr[18]; /* RESOLVED: ready Ethernet header; its last bytes are not used */
		uint8_t hop[16]; /* UNRESOLVED: whose link address is missing (IPv4: 4 bytes) */
	};
	uint8_t family;	  /* UNRESOLVED: of hop, BH_IP4 or BH_IP6 */
	uint8_t pad;
};

struct bh_adj {
	struct bh_adj_copy copy[2];
	uint32_t sel;
} __attribute__((aligned(64)));

#define BH_FWD_NH_DEAD 0xff /* type of an id that is being retired */

struct bh_fwd_nh_copy {
	uint8_t type;	/* enum bh_nh_type, BH_FWD_NH_DEAD, or 0: no such id */
	uint8_t n;	/* entries of adj[] in use: a group's live members, repeated by weight */
	uint16_t ifindex; /* ATTACHED */
	uint16_t adj[BH_ECMP_MAX]; /* n == 0 in a group: all members are down */
};

struct bh_fwd_nh { /* index: next-hop id */
	struct bh_fwd_nh_copy copy[2];
	uint32_t sel;
} __attribute__((aligned(64)));

/* Key of the hash of attached neighbors; the value is an adjacency index. */
struct bh_fwd_attached_key {
	uint32_t ifindex;
	uint8_t family;
	uint8_t pad[3];
	uint8_t addr[16];
};

struct rte_hash;
struct bh_fwd_publish;

struct bh_fwd_tables {
	struct bh_fwd_if *ifs;	 /* BH_IF_MAX */
	struct bh_fwd_nh *nhs;	 /* BH_NH_MAX */
	struct bh_adj *adjs;	 /* BH_ADJ_MAX */
	struct rte_hash *attached; /* RW_CONCURRENCY_LF, entries reclaimed through qsbr */
	struct bh_fib *fib4, *fib6;
	struct rte_rcu_qsbr *qsbr;
	struct bh_fwd_publish *publish; /* the link worker's own part (publish.h) */
};

/* Allocates all tables empty for n_fwd reading lcores. EAL main lcore, at start. 0 or -errno. */
int bh_fwd_tables_create(struct bh_fwd_tables *t, unsigned int n_fwd, int socket_id);
void bh_fwd_tables_destroy(struct bh_fwd_tables *t);

/* Readers: the present copy of an entry. */
static inline const struct bh_fwd_if_copy *
bh_fwd_if_get(const struct bh_fwd_if *e)
{
	return &e->copy[__atomic_load_n(&e->sel, __ATOMIC_ACQUIRE)];
}

static inline const struct bh_adj_copy *
bh_adj_get(const struct bh_adj *e)
{
	return &e->copy[__atomic_load_n(&e->sel, __ATOMIC_ACQUIRE)];
}

static inline const struct bh_fwd_nh_copy *
bh_fwd_nh_get(const struct bh_fwd_nh *e)
{
	return &e->copy[__atomic_load_n(&e->sel, __ATOMIC_ACQUIRE)];
}

#endif
