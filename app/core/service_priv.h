/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside a service: shared by service.c (life and loop), service_peer.c (peers and their
 * channels), service_relay.c (first contacts). Everything belongs to the service's lcore.
 */
#ifndef BH_CORE_SERVICE_PRIV_H
#define BH_CORE_SERVICE_PRIV_H

#include <sys/epoll.h>

#include "app/core/chanmem.h"
#include "app/core/relay.h"
#include "app/core/service_conf.h"
#include "lib/channel/doorbell.h"
#include "lib/channel/queue.h"
#include "lib/log/limit.h"
#include "lib/stats/stats.h"

#define BH_PEER_PENDING 1024	 /* entries of a peer's table of taken requests: a power of two */
#define BH_PEER_PENDING_MAX 768	 /* requests taken and not answered, at most */
#define BH_PEERS_FOR_ADMINS 64	 /* peers that readers leave to admins and roles */
#define BH_PEERS_FOR_ROLES 16	 /* of these, that admins leave to roles */
#define BH_IDLE_RINGS 64	 /* rings without a message that a peer may do in a row */
#define BH_FIRST_SLOTS (BH_FIRST_MAX / BH_SLOT_DATA)

/* A taken request: what was kept for its answer. */
struct bh_pending {
	uint32_t tag;
	uint32_t slots; /* 0: free entry */
};

struct bh_peer {
	struct bh_peer_info info;
	bool used;
	bool polled;	/* in svc->polled */
	bool touched;	/* in svc->touched */
	bool corrupt;	/* to be closed at the end of the turn */
	bool short_room; /* its next request waits for reply room */
	bool refused;	/* its next request waits for the handler */
	bool timed;	/* rings without end: out of epoll, looked at by timer */
	bool contact;	/* its first request is not answered yet */
	uint16_t proxy, sock; /* who brought it */
	uint16_t slot;	/* relay slot of the first request */
	uint16_t idle_rings;
	uint32_t role_epoch;
	uint32_t n_replies; /* put since the last flush: not yet in bh.stats */
	uint32_t kept; /* reply slots kept for taken requests */
	uint32_t n_pending;
	uint32_t offered; /* room at the last refusal */
	uint32_t channel;
	uint64_t active; /* TSC of the last message */
	struct bh_consumer req;
	struct bh_producer rep;
	struct bh_sleeper sleeper;
	struct bh_ringer ringer;
	int ring_fd; /* the client rings here */
	int wake_fd; /* we ring the client here */
	int passed[BH_FD_STATS]; /* the client's descriptors until the first answer */
	struct bh_channel_shared *sh;
	struct bh_chanmem mem;
	struct bh_stats_conn *conn;
	struct bh_stats_conn no_conn; /* where conn points if bh.stats has no free entry */
	struct bh_pending pending[BH_PEER_PENDING];
};

/* A channel's memory that was made before its client came; it has never been another's. */
struct bh_spare {
	bool wanted; /* the last one was used: one more at the next idle moment */
	bool ready;
	int fd;
	uint32_t channel;
	struct bh_chanmem mem;
};

struct bh_service {
	struct bh_service_conf conf;
	struct bh_spare spare;
	char name[12];
	struct bh_bell bell;
	const struct rte_memzone *mz;
	struct bh_relay *relay;
	int ep;
	bool stop;
	unsigned int lcore;
	struct bh_stats_lcore *stats;
	uint64_t now, poll_tsc, timer_tsc, look_tsc, next_timer, next_look;
	uint32_t role_epoch[BH_ROLE_MAX];
	uint32_t channels; /* made so far: number of the next one */
	struct bh_log_limit log_cut, log_ringer, log_answer; /* clients cause these at will */
	unsigned int n_peers, n_polled, n_touched, n_timed, n_corrupt, conn_hint;
	unsigned int first_polled; /* counts passes */
	unsigned int unflushed, turns_kept; /* requests served, busy turns since the last flush */
	uint16_t polled[BH_PEERS_MAX];
	uint16_t touched[BH_PEERS_MAX];
	/* The request in the handler's hands, and whether it was answered in the call. */
	struct bh_peer *cur;
	uint32_t cur_tag;
	bool cur_answered;
	struct bh_peer peers[BH_PEERS_MAX];
};

/* ---- service_open.c ---- */

/* Makes a peer with its channel for a contact. -ENOSPC: too many; -EDQUOT: of this user; -errno. */
int bh_peer_open(struct bh_service *svc, unsigned int proxy, uint16_t slot, struct bh_peer **out);

/* The first answer (if it is owed) is -ECONNRESET, the channel ends, the handler is told. Not
 * during a call of the handler. why: logged, NULL: it left by itself. */
void bh_peer_close(struct bh_service *svc, struct bh_peer *p, const char *why);

/* Makes the spare channel if it is wanted: before the lcore sleeps. Frees it. */
void bh_spare_make(struct bh_service *svc);
void bh_spare_free(struct bh_service *svc);

/* ---- service_peer.c ---- */

/* Takes what the peer has sent, up to a bound; true when there was something. */
bool bh_peer_serve(struct bh_service *svc, struct bh_peer *p);

/* Puts the peer into the polled set; takes it out; takes it out announcing sleep, unless there
 * is work. */
void bh_peer_poll(struct bh_service *svc, struct bh_peer *p);
void bh_peer_unpoll(struct bh_service *svc, struct bh_peer *p);
void bh_peer_park(struct bh_service *svc, struct bh_peer *p);

/* The peer's doorbell pipe is readable: an event of epoll. */
void bh_peer_rung(struct bh_service *svc, struct bh_peer *p);

/* The turn of a peer that rings without end; one that sends something gets its bell back. */
void bh_peer_timer(struct bh_service *svc, struct bh_peer *p);

/* Rings whoever sleeps of those that were given or freed something since the last flush;
 * closes corrupt ones. */
void bh_peers_flush(struct bh_service *svc);

/* 0, or the error that a request with this header gets without asking the handler. */
int bh_request_check(const struct bh_msg *msg);

/* Hands a request to the handler. 1: taken; -EAGAIN; any other -errno is the answer. */
int bh_request_give(struct bh_service *svc, struct bh_peer *p, const struct bh_msg *msg,
	unsigned int room);

/* ---- service_relay.c ---- */

/* Makes the relay memzone. 0 or -errno. */
int bh_relay_create(struct bh_service *svc);

/* Takes contacts and departures, a bounded number; true when there was something. */
bool bh_relays_serve(struct bh_service *svc);
bool bh_relays_ready(struct bh_service *svc);

/* Answers the peer's first request; with status != 0 it gets no channel. */
void bh_contact_answer(struct bh_service *svc, struct bh_peer *p, const struct bh_msg *msg);
void bh_contact_refuse(struct bh_service *svc, struct bh_peer *p, int status);

/* ---- service_conn.c ---- */

/* The peer's entry in bh.stats: taken, moved on, left to be shown until it is needed. */
void bh_conn_open(struct bh_service *svc, struct bh_peer *p);
void bh_conn_state(struct bh_peer *p, enum bh_conn_state state);
/* The peer has another epoch of its role now. */
void bh_conn_epoch(struct bh_peer *p);

#endif
