/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that attack a running core, and one good client to be served beside them. They speak
 * the protocol by hand (conn.c), so that they can break it at any point; only the good one
 * uses libbulkhead. Each mode runs for a count or a time, prints one line of JSON, and
 * returns 0 unless the core let something happen that must not.
 */
#ifndef TEST_HOSTILE_H
#define TEST_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/channel/queue.h"

struct options {
	const char *mode;
	const char *socket;
	uint64_t count;	  /* what the mode counts; 0: until the time is over */
	unsigned int ms;  /* time; 0: until the count is reached or a signal */
	unsigned int width; /* connections or processes at once */
	uint64_t seed;
};

/* A connection made by hand. sock < 0: none; map NULL: no channel. */
struct conn {
	int sock;
	int fd[BH_WELCOME_FDS]; /* kept open, all of them */
	struct bh_welcome w;
	uint8_t *map;
	struct bh_channel_shared *sh;
	struct bh_producer req;
	struct bh_consumer rep;
};

/* ---- conn.c ---- */

/* A blank connection; socket and connect(). 0 or -errno. */
void conn_blank(struct conn *c);
int conn_dial(struct conn *c, const char *path);

/* A sound hello with a first request (a NOP) to the info base, under the mode's name. */
int conn_hello(struct conn *c, const char *client);

/* Waits for a welcome; keeps its descriptors. Its status, or -errno of receiving it. */
int conn_welcome(struct conn *c, int timeout_ms);
int conn_map(struct conn *c);

/* All of the above, tried again for as long as there is no room. */
int conn_open(struct conn *c, const char *path, const char *client);
void conn_close(struct conn *c);

/* Puts a request without ringing. 0, -EAGAIN. */
int conn_put(struct conn *c, uint8_t verb, uint16_t table, const void *body, size_t len);

/* Rings, whether the core sleeps or not. */
void conn_ring(struct conn *c);

/* The core has ended the channel. */
bool conn_ended(struct conn *c);

/* ---- main.c ---- */

uint64_t now_us(void);
/* The next number of a generator of its own per process; below n. */
uint64_t rnd(void);
uint32_t rnd_below(uint32_t n);
void rnd_seed(uint64_t seed);
/* Whether the mode is to go on: neither its time is over nor a signal came. */
bool going(void);

/* ---- modes ---- */

int mode_good(const struct options *o);
int mode_corrupt(const struct options *o);
int mode_kill(const struct options *o);
int mode_halfopen(const struct options *o);
int mode_flood(const struct options *o);
int mode_contact(const struct options *o);
int mode_norep(const struct options *o);
int mode_ring(const struct options *o);
int mode_fds(const struct options *o);
int mode_write(const struct options *o);

#endif
