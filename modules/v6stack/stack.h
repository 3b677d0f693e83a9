/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol stack without its process: changes of tables, punted frames and time in; frames and
 * requests out through struct bh_stack_ops. Knows no socket and no clock, so a test can be its
 * info base and its network.
 *
 *	interface, cfg_address ──► netif ─► ifaddr ─► dad ──► address
 *	cfg_ra, cfg_ra_prefix ───► ra       mld
 *	cfg_neighbor ────────────► neigh ◄── arp, nd ◄── punted frames ──► icmp, host
 *	                            └─ nud ─► neighbor
 *
 * Order of life: init; what a predecessor left by bh_stack_recover(); a watch on each table of
 * bh_stack_table() with bh_stack_change() as its callback; from then on bh_stack_punt() for each
 * frame and bh_stack_commit() after each poll and at the time of bh_stack_next(). Nothing is sent
 * before all tables were read once.
 *
 * Recovery. A successor takes over addresses that were preferred or duplicate without asking the
 * link again, and neighbors as they were, which it probes within seconds. It replays both tables;
 * forwarding keeps the adjacencies all the while.
 *
 * Frames of others are hostile; memory is bounded by the limits of neigh.h and the tables.
 */
#ifndef BH_V6STACK_STACK_H
#define BH_V6STACK_STACK_H

#include "lib/channel/packet.h"
#include "lib/client/packet.h"
#include "modules/v6stack/arp.h"
#include "modules/v6stack/icmp.h"
#include "modules/v6stack/nd.h"
#include "modules/v6stack/neigh.h"
#include "modules/v6stack/netif.h"
#include "modules/v6stack/out.h"

struct bh_stack_ops {
	struct bh_out_ops out;
	/* bh_packets_inject() of libbulkhead. */
	int (*inject)(void *ctx, enum bh_inject how, uint32_t ifindex, const void *frame,
		size_t len);
	/* A frame for the kernel's side of the router; came in by ifindex. */
	void (*to_host)(void *ctx, uint32_t ifindex, const uint8_t *frame, size_t len);
	/* An address came, changed, was stored, or is no more (active false). May be NULL. */
	void (*address)(void *ctx, const struct bh_ifaddr *a);
	/* An interface came, changed or went (ifindex 0). May be NULL. */
	void (*interface)(void *ctx, const struct bh_netif *i);
};

struct bh_stack_stats {
	uint64_t sent, inject_failed;
	uint64_t bad_arp, bad_nd, bad_mld, bad_frame;
	uint64_t arp_replies, adverts, solicits, ra_sent, mld_reports;
	uint64_t conflicts, defended;
	uint64_t held, released, hold_dropped, unreachable;
	uint64_t limited, evicted; /* resolutions not begun; neighbors given up for others */
	uint64_t to_host, from_host;
};

struct bh_stack_input;
#define BH_STACK_INPUTS 5

/* A table that is watched. */
struct bh_stack_watch {
	struct bh_stack *s;
	const struct bh_stack_input *input;
	bool synced, complete;
};

#define BH_STACK_ALIGNED 2048 /* longest frame that the protocols look into */

struct bh_stack {
	const struct bh_stack_ops *ops;
	void *ctx;
	struct bh_timers timers;
	struct bh_out out;
	uint64_t rng;
	bool running; /* all tables were read */
	struct bh_netif_list ifs;
	struct bh_htab by_name;
	struct bh_netif *by_index[BH_IF_MAX];
	struct bh_htab neighs, statics;
	TAILQ_HEAD(, bh_static) static_list;
	struct bh_htab recovered;
	unsigned int n_held;
	uint64_t probe_tokens, probe_at;
	struct bh_icmp icmp;
	struct bh_ratelimit limit;
	struct bh_stack_watch watch[BH_STACK_INPUTS];
	struct bh_stack_stats stats;
	uint8_t shift[2] __attribute__((aligned(8))); /* so that the IP header is aligned */
	uint8_t frame[BH_STACK_ALIGNED];
	uint8_t answer[BH_STACK_ALIGNED];
};

/* now: ms of CLOCK_MONOTONIC. seed: random. */
void bh_stack_init(struct bh_stack *s, const struct bh_stack_ops *ops, void *ctx, uint64_t now,
	uint64_t seed);
void bh_stack_fini(struct bh_stack *s);

/* A record of `address` or `neighbor` by BH_V_RECOVER: a bh_change_fn; arg: the stack. Before the
 * first commit. */
void bh_stack_recover(void *arg, const struct bh_change *c);

/* Table of an input: 0 .. BH_STACK_INPUTS - 1. */
uint16_t bh_stack_table(unsigned int input);
/* A bh_change_fn; arg: struct bh_stack_watch *. */
void bh_stack_change(void *arg, const struct bh_change *c);

/* A bh_punt_fn; arg: the stack. Frames before the tables were read are dropped. */
void bh_stack_punt(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len);

/* A frame that the kernel's side sends by an interface (fromhost.c). */
void bh_stack_from_host(struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len);

/* Moves the clock, does what is due, and sends what can be sent. 0, or a fatal -errno. */
int bh_stack_commit(struct bh_stack *s, uint64_t now);
/* When to call it at the latest (ms), or UINT64_MAX. */
uint64_t bh_stack_next(const struct bh_stack *s);

/* The core is another one: watches begin anew, all is replayed. */
void bh_stack_reconnect(struct bh_stack *s);

/* ---- for the parts ---- */

/* 0 .. n - 1. */
uint32_t bh_stack_random(struct bh_stack *s, uint32_t n);
/* A token for a probe of a known neighbor. */
bool bh_stack_may_probe(struct bh_stack *s);
/* The state that a predecessor left of an address, once; else tentative. */
uint8_t bh_stack_recovered_address(struct bh_stack *s, const struct bh_if_addr_key *key);
void bh_stack_address_changed(struct bh_stack *s, const struct bh_ifaddr *a);

/* ---- inputs.c ---- */

void bh_inputs_init(struct bh_stack *s);
bool bh_inputs_ready(const struct bh_stack *s);

/* ---- recovered.c ---- */

/* Neighbors that a predecessor left come to life; what is then left of it is forgotten. */
void bh_recovered_adopt(struct bh_stack *s);
void bh_recovered_fini(struct bh_stack *s);

/* ---- answer.c: what icmp.h is asked, and what becomes of its answers ---- */

void bh_answer_init(struct bh_stack *s, uint64_t seed);
/* The error about a punted frame. */
void bh_answer_error(struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len,
	enum bh_icmp_why why, uint32_t value);
/* Answers an echo request; false: it is none that we answer. */
bool bh_answer_echo(struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len);
/* A held packet whose neighbor does not answer. */
void bh_stack_unreachable(struct bh_stack *s, const struct bh_punt *p, const uint8_t *frame,
	size_t len);

#endif
