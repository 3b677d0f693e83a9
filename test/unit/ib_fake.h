/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service for tests of the info base: peers are arrays, replies and events are kept to be
 * looked at. The calling thread is main's lcore; workers are EAL lcores.
 */
#ifndef TEST_IB_FAKE_H
#define TEST_IB_FAKE_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infobase/infobase_priv.h"

#define FAKE_PEERS 12

struct fake_msg {
	struct bh_msg msg;
	uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];
};

struct fake_peer {
	struct bh_peer_info info;
	bool gone;
	long event_room; /* events that it has room for; < 0: any number */
	/* replies, oldest first */
	struct fake_msg *reply;
	unsigned int n_replies, cap_replies;
	/* called for each event */
	void (*on_event)(struct fake_peer *p, const struct bh_msg *msg);
	void *arg;
	bool silent;	 /* replies are only counted */
	uint64_t n_seen; /* replies, ever */
	uint64_t n_events, n_refused;
};

struct bh_service {
	struct bh_bell bell;
	struct fake_peer peer[FAKE_PEERS];
};

extern struct bh_service fake;
extern struct bh_infobase *ib;

/* Starts EAL with 4 lcores and runs a test program's only suite in this process: EAL's threads do
 * not survive a fork. The program's exit code. */
int fake_suite(Suite *suite);

/* Info base, service and peers: peer i has role i; peers from BH_ROLE_MAX on are readers. */
void fake_setup(void);
void fake_launch(void); /* the workers, on lcores 1 to 3 */
void fake_start(void);	/* both */
void fake_stop(void);

/* Offers a request; what the handler returned. */
int fake_offer(unsigned int peer, uint8_t verb, uint16_t table, uint32_t tag, uint32_t aux,
	const void *body, size_t len, unsigned int room);
/* Runs main until it has nothing to do for now. */
void fake_run(void);
/* Runs main until *what >= want; fails the test after 10 s. */
void fake_until(const uint64_t *what, uint64_t want);
/* Lets others run until a word that another lcore writes is >= want; fails after 10 s. */
void fake_watch_word(const uint64_t *what, uint64_t want);
/* Offers a request until it is taken, waits for its reply, which must be the next one. */
const struct fake_msg *fake_call(unsigned int peer, uint8_t verb, uint16_t table, uint32_t aux,
	const void *body, size_t len);
/* The same, for its status alone. */
int fake_status(unsigned int peer, uint8_t verb, uint16_t table, const void *body, size_t len);
/* key and value as one body: its length. */
size_t fake_body(void *body, const void *key, size_t key_len, const void *val, size_t val_len);
/* Waits for n replies of a peer. */
void fake_wait_replies(unsigned int peer, unsigned int n);

#endif
