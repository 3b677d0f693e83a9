/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who closes the sockets of clients, so that no lcore waits for that.
 *
 * A client may send descriptors along, and with the last copy of them in a socket's queue the
 * one who closes the socket closes them: a TCP socket that lingers holds that up for as long
 * as its maker chose. So sockets are closed by a thread of its own, which a timer interrupts
 * as often as one of them makes it wait.
 */
#ifndef BH_CORE_REAPER_H
#define BH_CORE_REAPER_H

#include <pthread.h>
#include <stdint.h>

#define BH_REAPER_BUSY 512 /* waiting descriptors: better take no newcomers */

struct bh_reaper {
	pthread_t thread;
	int in, out;	  /* a pipe of descriptors; -1: not started */
	uint32_t waiting; /* atomic: not yet closed */
};

/* Starts the thread. 0 or -errno. */
int bh_reaper_start(struct bh_reaper *r);

/* Has fd closed. One lcore. */
void bh_reap(struct bh_reaper *r, int fd);

static inline uint32_t
bh_reaper_waiting(const struct bh_reaper *r)
{
	return __atomic_load_n(&r->waiting, __ATOMIC_RELAXED);
}

/* Ends the thread when everything is closed; one that was not started is as good. */
void bh_reaper_stop(struct bh_reaper *r);

#endif
