/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An info base, a clock and a network for tests of the stack: answers its requests, keeps what it
 * injects, and has two interfaces, p0 (ifindex 1) and p1 (2), up, both families, forwarding.
 */
#ifndef TEST_STACK_FAKE_H
#define TEST_STACK_FAKE_H

#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

#define FAKE_FRAMES 4096
#define FAKE_REQS 4096
#define FAKE_RECS 16384

struct fake_frame {
	enum bh_inject how;
	uint32_t ifindex;
	size_t len;
	uint8_t shift[2] __attribute__((aligned(8)));
	uint8_t data[1600];
};

struct fake_req {
	uint8_t verb;
	uint16_t table;
	bh_reply_fn cb;
	void *arg;
	uint8_t body[64];
};

struct fake_rec {
	uint16_t table;
	bool there, stale;
	struct bh_if_addr_key key;
	union {
		struct bh_address address;
		struct bh_neighbor neighbor;
	};
};

struct fake {
	struct bh_stack s;
	uint64_t now;
	struct fake_frame frame[FAKE_FRAMES];
	unsigned int n_frames; /* since the last fake_forget() */
	struct fake_req req[FAKE_REQS];
	unsigned int n_reqs;
	bool hold_replies; /* requests are not answered meanwhile */
	int refuse;	   /* status of every ADD */
	struct fake_rec rec[FAKE_RECS];
	unsigned int n_recs, n_ready, n_to_host;
};

extern const uint8_t fake_mac[3][6]; /* of the router's interfaces, by ifindex */

/* A router whose tables were not read; the same, after its first replay. */
struct fake *fake_new(void);
struct fake *fake_started(void);
void fake_free(struct fake *f);
/* Inputs: interfaces, synced and complete. */
void fake_inputs(struct fake *f);

void fake_link(struct fake *f, uint32_t ifindex, bool up, uint32_t flags);
void fake_change(struct fake *f, uint16_t table, uint8_t op, const void *key, const void *val);
/* "10.0.0.1/24" on p0 or p1. */
void fake_addr(struct fake *f, uint32_t ifindex, const char *prefix, bool there);

/* Time goes on, in steps of 10 ms; requests are answered. */
void fake_run(struct fake *f, uint64_t ms);
void fake_forget(struct fake *f);

/* State of an address in the table, or -1; the record of a neighbor, or NULL. */
int fake_addr_state(struct fake *f, uint32_t ifindex, const char *addr);
const struct bh_neighbor *fake_neigh(struct fake *f, uint32_t ifindex, const char *addr);

/* A frame to the stack. */
void fake_punt(struct fake *f, enum bh_punt_reason why, uint32_t ifindex, const void *frame,
	size_t len);
/* A packet of p0 whose neighbor on out is not known. */
void fake_resolve(struct fake *f, uint32_t out, const char *hop);

/* Frames that a host with this MAC sends; of an advertisement: flags as on the wire. */
void fake_arp(struct fake *f, uint32_t ifindex, uint16_t op, const uint8_t mac[6], const char *sip,
	const char *tip);
void fake_ns(struct fake *f, uint32_t ifindex, const uint8_t mac[6], const char *src,
	const char *target);
void fake_na(struct fake *f, uint32_t ifindex, const uint8_t mac[6], const char *target,
	uint32_t flags);

/* How many captured frames: ARP of op; ICMPv6 of a type about (target) addr, or any (NULL). */
unsigned int fake_count_arp(struct fake *f, uint32_t ifindex, uint16_t op, const char *tip);
unsigned int fake_count6(struct fake *f, uint32_t ifindex, uint8_t type, const char *target);
/* The last of these, or NULL. */
const struct fake_frame *fake_last6(struct fake *f, uint32_t ifindex, uint8_t type,
	const char *target);
unsigned int fake_count_how(struct fake *f, enum bh_inject how);

#endif
