/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside libbulkhead: shared by handle.c, client.c (calls), contact.c (connection),
 * watch.c (info base).
 */
#ifndef BH_CLIENT_PRIV_H
#define BH_CLIENT_PRIV_H

#include "lib/channel/doorbell.h"
#include "lib/channel/queue.h"
#include "lib/client/bulkhead.h"

#define BH_CALLS_MAX 1024 /* requests under way, at most: a power of two */
#define BH_CONTACT_MS 5000

enum bh_call_state {
	BH_CALL_FREE,
	BH_CALL_USED,
	BH_CALL_DEAD, /* its connection ended; to be told */
};

/* A request under way. tag: index in calls[] below, a count above. */
struct bh_call_slot {
	bh_reply_fn cb;
	void *arg;
	uint32_t tag;
	uint16_t table;
	uint8_t verb;
	uint8_t state; /* enum bh_call_state */
};

struct bh_watch_entry {
	struct bh_watch_entry *next;
	uint32_t tag;
	uint16_t table;
	bh_change_fn fn;
	void *arg;
};

struct bh_handle {
	char client[BH_NAME_LEN];
	char path[108];
	uint16_t service;
	bool is_role;
	bool spin;	/* another CPU may run the core meanwhile */
	int sock;	/* role socket, or our connection to the listening one; -1: none */
	/* The connection; map NULL: none. */
	void *map;
	const void *stats;
	struct bh_welcome w;
	struct bh_channel_shared *sh;
	struct bh_producer req;
	struct bh_consumer rep;
	struct bh_sleeper sleeper;
	struct bh_ringer ringer;
	int ring_fd, wake_fd;
	bool announced;	   /* sleep is announced */
	bool want_space;   /* a submit found no room */
	unsigned int unflushed; /* slots put since the last flush */
	bool unfenced;	   /* replies released and the core's sleep word not read after a fence */
	uint32_t looks;	   /* that found nothing, without waiting */
	bool lost;	   /* the connection ended; bh_poll() has still to say so */
	/* The first request's reply waits here for bh_poll(). */
	bool has_first;
	uint8_t first[BH_FIRST_MAX] __attribute__((aligned(8)));
	struct bh_watch_entry *watches;
	uint32_t count;	   /* of tags */
	unsigned int n_calls;
	struct bh_call_slot calls[BH_CALLS_MAX];
};

/* ---- contact.c ---- */

/* First contact with this request; its reply is kept in h->first. Blocks up to BH_CONTACT_MS. */
int bh_contact(struct bh_handle *h, const struct bh_msg *msg, const void *body);

/* Ends the connection; requests and watches stay to be told. */
void bh_disconnect(struct bh_handle *h);

/* Closes the socket too, but not a role socket. */
void bh_forget_socket(struct bh_handle *h);

/* ---- handle.c ---- */

/* The descriptor that an environment variable tells, or -1. */
int bh_env_fd(const char *name);

/* ---- client.c ---- */

/* Tells everybody that the connection ended: -ECONNRESET. */
int bh_lost_tell(struct bh_handle *h);

/* bh_submit() of a message that is whole but for its tag, which is filled in. */
int bh_submit_tag(struct bh_handle *h, struct bh_msg *msg, const void *body, bh_reply_fn cb,
	void *arg);

/* The same, then waits until cb was called. 0, or -errno when it never will be. */
int bh_submit_wait(struct bh_handle *h, struct bh_msg *msg, const void *body, bh_reply_fn cb,
	void *arg);

/* ---- watch.c ---- */

/* Gives an event to its watch. -EBADMSG: it does not parse. */
int bh_watch_event(struct bh_handle *h, const struct bh_msg *msg, const void *body);

/* Tells all watches that they have ended, and forgets them; forgets them. */
void bh_watches_end(struct bh_handle *h);
void bh_watches_free(struct bh_handle *h);

#endif
