/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bed for the packet service: mini_core, one forwarding lcore at work, and a thread in the place of
 * the EAL main lcore. Port 1 is the wire: what is put into `wire_in` is received. 10.0.0.1 is the
 * router's own, 10.0.1.0/24 leaves by port 1.
 */
#ifndef BH_TEST_PACKET_BED_H
#define BH_TEST_PACKET_BED_H

#include <pthread.h>

#include <check.h>

#include "app/core/packet_priv.h"
#include "lib/client/packet.h"
#include "test/unit/mini_core.h"

#define MBUFS 4095
#define ETH 14
#define MTU 9600
#define WAIT_MS 10000

struct packet_bed {
	struct bh_fwd_tables t;
	struct bh_forwarding *f;
	struct bh_packet *p;
	struct bh_service *svc;
	struct bh_bell bell;
	struct rte_mempool *pool;
	struct rte_ring *wire_in, *wire_out;
	pthread_t main;
	bool stop;
};

extern struct packet_bed pb;

struct got { /* what a stack was given; the last frame whole */
	unsigned int n;
	struct bh_punt p;
	size_t len;
	uint8_t frame[BH_FRAME_MAX];
};

/* Once, around all tests. The program ends when something fails. */
void packet_up(void);
void packet_down(void);

/* A role's socket, the other end given to a proxy. */
int role_socket(uint16_t role);
/* A bh_punt_fn; arg: a struct got. */
void take(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len);
struct bh_packets *open_stack(struct got *g, int fd);
/* Polls until n frames have come. */
void await_punts(struct bh_packets *p, const struct got *g, unsigned int n);

/* IPv4 of len bytes in all, to 10.0.net.1. */
void make_frame(uint8_t *b, size_t len, uint8_t net);
/* A frame comes by the wire; the next one that is sent there, waited for. */
void receive(const uint8_t *b, size_t len);
struct rte_mbuf *sent(void);
/* A frame is forwarded. */
void check_forwarding(void);

const struct bh_stats_fwd *fwd(void);
/* Waits until a counter is at least value; until nobody is connected and every mbuf is home. */
void await_count(const uint64_t *counter, uint64_t value);
void await_disconnected(void);

#endif
