/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside a control proxy: shared by proxy.c (life, loop, sockets) and proxy_contact.c (first
 * contacts). Everything but the rings and the bell belongs to the proxy's lcore.
 */
#ifndef BH_CORE_PROXY_PRIV_H
#define BH_CORE_PROXY_PRIV_H

#include <sys/epoll.h>

#include "app/core/hello.h"
#include "app/core/proxy.h"
#include "app/core/reaper.h"
#include "app/core/relay.h"
#include "lib/stats/stats.h"

#define BH_PROXY_ROLE_SOCKETS 16
#define BH_PROXY_ALL (BH_PROXY_SOCKETS + BH_PROXY_ROLE_SOCKETS)

/* Names in its epoll set of what is no client's socket. */
#define BH_PROXY_LISTEN_EVENT (UINT64_MAX - 1)
#define BH_PROXY_BELL_EVENT UINT64_MAX

/* What the service proxy broadcasts; relay NULL: the service is withdrawn. */
struct bh_announcement {
	struct bh_relay *relay;
	uint32_t generation;
	uint16_t service;
	uint16_t pad;
};

enum bh_sock_state {
	BH_SOCK_FREE,
	BH_SOCK_IDLE,	 /* reads hellos */
	BH_SOCK_HELD,	 /* a hello waits for a relay slot */
	BH_SOCK_CONTACT, /* its contact is with the service */
	BH_SOCK_CLOSING, /* closed; services are being told */
};

struct bh_psock {
	int fd; /* -1 when closed */
	uint8_t state; /* enum bh_sock_state */
	bool contacted; /* has had a contact: is not put out for a newcomer */
	bool heir;      /* of the role: may not write */
	bool promoted;  /* the main lcore waits to hear of its promotion */
	bool denied;    /* some service knows a later owner */
	uint16_t role;
	uint16_t service;     /* of the held hello or the contact */
	uint16_t served;      /* bit a service: may have a peer by this socket */
	uint16_t to_tell;     /* CLOSING: services that must hear of it */
	uint16_t telling;     /* CLOSING: that are hearing of it */
	uint16_t to_promote;  /* services that must hear that it is no heir any more */
	uint16_t promoting;   /* that are hearing of it */
	uint16_t hello_len;
	uint32_t role_epoch, pid, uid;
	uint64_t since;	      /* TSC */
	uint8_t hello[BH_HELLO_LEN_MAX] __attribute__((aligned(8)));
};

/* What the proxy keeps of a service. */
struct bh_known {
	struct bh_relay *relay; /* NULL: none registered; read by other lcores */
	uint32_t generation;
	unsigned int n_free;
	uint16_t free[BH_RELAY_SLOTS];
};

struct bh_proxy {
	struct bh_proxy_conf conf;
	struct bh_bell bell;
	struct bh_reaper reaper; /* closes all sockets */
	struct rte_ring *roles;		/* struct bh_role_gift *, from the main lcore */
	struct rte_ring *announcements; /* struct bh_announcement, from the service proxy */
	struct rte_ring *promotions;	/* struct bh_promotion, to the main lcore */
	int ep;
	bool stop;
	bool deaf;	/* the listening socket is out of epoll: no descriptor was left */
	unsigned int n_accepted, n_held, n_closing, n_promoting;
	unsigned int first_retry; /* counts retries */
	unsigned int lcore;
	uint32_t core_uid;
	uint64_t now;
	uint64_t deaf_until;
	struct bh_stats_lcore *stats;
	struct bh_known known[BH_SERVICE_MAX];
	struct bh_psock socks[BH_PROXY_ALL]; /* accepted ones, then role sockets */
};

/* Service proxy: hands over an announcement. -ENOBUFS: the ring is full, retry. */
int bh_proxy_announce(struct bh_proxy *p, const struct bh_announcement *a);

/* ---- proxy.c ---- */

/* Makes entry s the socket fd, which reads hellos. 0 or -errno; fd stays the caller's then. */
int bh_sock_open(struct bh_proxy *p, struct bh_psock *s, int fd, uint16_t role, uint32_t epoch);

/* Closes the socket; its services are told, then its entry is free. */
void bh_sock_close(struct bh_proxy *p, struct bh_psock *s);

/* The socket waits for its next event. */
void bh_sock_arm(struct bh_proxy *p, struct bh_psock *s);

/* ---- proxy_roles.c ---- */

/* Takes what the main lcore says of roles; true when there was something. */
bool bh_roles_take(struct bh_proxy *p);
/* Forgets what it says; closes its descriptors. */
void bh_roles_drop(struct bh_proxy *p);

/* One service has heard of the promotion; the last one ends it. */
void bh_promotion_told(struct bh_proxy *p, struct bh_psock *s, uint16_t service, int status);

/* ---- proxy_contact.c ---- */

/* Something is to be read from the socket, or it is at its end. */
void bh_sock_read(struct bh_proxy *p, struct bh_psock *s);

/* Takes results of services; true when there was one. */
bool bh_results_take(struct bh_proxy *p);
bool bh_results_ready(struct bh_proxy *p);

/* Tries again what waits for relay slots: held hellos, departures. */
void bh_waiting_retry(struct bh_proxy *p);

/* Takes an announcement into what is known. */
void bh_known_set(struct bh_proxy *p, const struct bh_announcement *a);

/* A welcome that says no. Never blocks. */
void bh_refuse(struct bh_proxy *p, int fd, uint16_t service, uint16_t role, int status);

#endif
