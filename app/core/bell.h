/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an lcore sleeps and is woken inside the core: an eventfd and a word that announces
 * sleep. The sleeper announces, fences, looks at its work once more, blocks; who gives it
 * work publishes, fences, and rings only when sleep is announced. Ringing never blocks.
 */
#ifndef BH_CORE_BELL_H
#define BH_CORE_BELL_H

#include <stdbool.h>
#include <stdint.h>

struct bh_bell {
	uint32_t asleep; /* accessed atomically */
	int fd;		 /* eventfd, non-blocking: may also stand in the sleeper's epoll set */
	uint64_t sleeps; /* written by the sleeper */
	uint64_t wakes;
	uint64_t owed;	 /* the sleeper's: rings whose write was not yet read */
	bool announced;
} __attribute__((aligned(64)));

/* Any lcore, once, before use. 0 or -errno. */
int bh_bell_init(struct bh_bell *bell);
void bh_bell_close(struct bh_bell *bell);

/* Any lcore, after its work is visible in a ring: full fence, then rings if announced. */
void bh_bell_ring(struct bh_bell *bell);

/* The sleeper: announces sleep and fences. Afterwards it must look at all its work once
 * more and then call bh_bell_block() (or block in its own epoll_wait on fd and call
 * bh_bell_awake()), or bh_bell_awake() at once if it found work. */
void bh_bell_announce(struct bh_bell *bell);

/* Blocks until rung or timeout_ms passed (-1: for ever). True when a ring woke it, be it one whose
 * write comes from an earlier sleep (the sleeper looks at its work and finds none), false when the
 * time passed. Ends the sleep. */
bool bh_bell_block(struct bh_bell *bell, int timeout_ms);

/* Ends an announced sleep without blocking; reads the eventfd if somebody rang. */
void bh_bell_awake(struct bh_bell *bell);

#endif
