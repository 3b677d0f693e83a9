/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client and a service over one channel, without a core around: the real lib/client and
 * app/core/service_peer.c, their handle and peer made by hand. Calls of lib/channel/doorbell.c
 * are wrapped by the linker with a short random pause before and behind.
 */
#ifndef TEST_DOOR_BED_H
#define TEST_DOOR_BED_H

#include "app/core/service_priv.h"
#include "lib/client/client_priv.h"

#define BED_SLOTS 64u /* of each queue: as few as a longest message needs */
#define BED_HELD 128

/* What both sides may see, in shared memory in front of the channel. */
struct bed_shared {
	uint64_t progress; /* atomic: answers that the client took */
};

struct bed {
	struct bh_handle h;
	struct bh_service svc;
	struct bed_shared *shared;
	bool later;	   /* the handler holds requests until bed_answer() */
	bool left;	   /* the service has closed the peer */
	unsigned int n_held;
	struct bh_msg held[BED_HELD];
	uint64_t sent, got; /* by the client */
};

extern struct bed bed;

/* A new channel in shared memory, with its pipes. Exits when it cannot be made. */
void bed_open(void);
void bed_close(void);

/* Ends the process with status 1 unless ok. For what a side does that may be a process of its own,
 * and killed: Check's own asserts write to a file that the whole test shares, even when they hold. */
void bed_need(bool ok, const char *what);

/* The ends that a process of one side must not have. */
void bed_is_client(void);
void bed_is_service(void);

/* Client: up to n requests, not flushed. How many. */
unsigned int bed_submit(unsigned int n);

/* Service: answers up to n held requests, as the handler's own work does, not flushed. */
void bed_answer(unsigned int n);

static inline struct bh_peer *
bed_peer(void)
{
	return &bed.svc.peers[0];
}

/* A number below n, of the calling thread's own row. */
uint32_t bed_rnd(uint32_t n);
void bed_seed(uint64_t seed);

/* Now and then a moment, rarely the rest of the time slice. */
void bed_pause(void);

/* A byte, or the other end's end, waits in this pipe. */
bool bed_readable(int fd);

#endif
