/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Services of the core, as seen by the lcore that runs one.
 *
 * A service has relay memory (request slots and a pair of SP/SC rings per control proxy, in
 * a memzone) for first contacts, and channels for connected clients. Its lcore turns one
 * loop: relays, channels, own work (results, timers), sleep. What a request means is the
 * handler's: it is called with a checked copy and answers now or later, from the same lcore.
 *
 * A peer is one client: from the moment that its first request is taken until it is gone. It
 * is named by a reference (index and generation), so that an answer to one who left is
 * dropped, never sent to its successor.
 */
#ifndef BH_CORE_SERVICE_H
#define BH_CORE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/core/bell.h"
#include "lib/channel/msg.h"

#define BH_PEERS_MAX 512 /* per service */
#define BH_PEERS_USER 128 /* of one user, unless it is an admin */

struct bh_service;

struct bh_peer_ref {
	uint32_t index;
	uint32_t gen;
};

/* What the handler may know of a peer; valid during the call only. */
struct bh_peer_info {
	struct bh_peer_ref ref;
	uint16_t role; /* enum bh_role, proved by its socket */
	bool heir;     /* of that role: reads and recovers as its owner, but writes nothing yet */
	uint32_t pid;
	uint32_t uid;
	char client[BH_NAME_LEN]; /* printable, NUL-terminated */
};

struct bh_service_ops {
	/*
	 * One request: msg and its body (msg->len - sizeof(*msg) bytes) are a private copy.
	 * Returns the reply slots (of 60 bytes) that are to be kept for its answer, at least
	 * 1, once it is taken, or -EAGAIN: it stays in the client's queue and is offered
	 * again next pass. room: slots free for a reply; a handler that needs more returns
	 * -EAGAIN. The answer is bh_service_reply(), during the call or later. Any other
	 * negative value is the answer: an empty reply with that status.
	 * A first request comes with room for BH_FIRST_MAX bytes; refused by -EAGAIN, the
	 * client gets its channel and repeats it there.
	 */
	int (*request)(void *ctx, const struct bh_peer_info *peer, const struct bh_msg *msg,
		unsigned int room);
	/* The peer left or was closed; answers to it are dropped from now on. */
	void (*gone)(void *ctx, struct bh_peer_ref ref);
	/* The service's own work, each pass. True when there was some. */
	bool (*poll)(void *ctx);
	/* ms until the service wants to be polled again though nobody rings; -1: never. */
	int (*timeout)(void *ctx);
};

/* Answers one taken request; msg->tag and ->table are the request's. The service's lcore
 * only. Slots were kept: it cannot fail for a peer that still lives. */
void bh_service_reply(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg);

/* Sends an event, which has no slots kept: -EAGAIN when there is no room besides what is
 * kept for answers (the handler then retries in a later pass or makes the watcher resync);
 * -ENOTCONN when the peer is gone. Within ops->request, before the answer, always -EAGAIN for
 * the peer that asks. The service's lcore only. */
int bh_service_event(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg);

/* The bell to ring for this service's lcore; any lcore. */
struct bh_bell *bh_service_bell(struct bh_service *svc);

#endif
