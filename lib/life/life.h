/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sign of life of a supervised process: one page that it shares with its supervisor, a memfd
 * told by BH_LIFE_FD.
 *
 * In it lies a robust mutex that the process's main thread locks and never unlocks. The kernel
 * hands it over at the thread's end (exit, signal, exec), before it frees the process's memory:
 * so a death is known long before the process is gone. Beside it a count of turns of the event
 * loop, and a time until which the process has announced not to turn.
 *
 * The supervisor makes the page and the mutex, and trusts nothing that it reads there afterwards
 * (app/supervisor/lives.h, pulse.h). Without supervisor, or before bh_life_begin(), the calls
 * of a process do nothing.
 */
#ifndef BH_LIFE_H
#define BH_LIFE_H

#include <pthread.h>
#include <stdint.h>

#define BH_LIFE_SIZE 4096   /* bytes of the memfd */
#define BH_LIFE_MAGIC 0x4546494cu
#define BH_LIFE_VERSION 1
#define BH_LIFE_BEAT_MS 20  /* an idle process beats at least that often */
#define BH_LIFE_BUSY_MS 60000 /* at most so long ahead is believed */

struct bh_life {
	pthread_mutex_t mutex; /* robust, process-shared; its futex word is its first 4 bytes */
	uint32_t magic, version;
	uint32_t begun;	       /* beats are to be expected */
	uint32_t pad;
	uint64_t beats;
	uint64_t busy_until;   /* ns of CLOCK_MONOTONIC; 0: not busy */
};

/*
 * Takes BH_LIFE_FD, locks the mutex. Call once at the start, before the sandbox, from the main
 * thread: what ends with this thread is the process. The descriptor stays open for a supervisor
 * to come. 0 (also without supervisor), or -errno: the process then goes on without.
 */
int bh_life_begin(void);

/* A turn of the event loop; ends what bh_life_busy() announced. The main thread; two stores. */
void bh_life_beat(void);

/* Before work, or a wait, that may take longer than a few turns: for ms (at most
 * BH_LIFE_BUSY_MS) no beat is expected. The next beat ends that. libbulkhead does so by itself
 * where it waits. */
void bh_life_busy(unsigned int ms);

#endif
