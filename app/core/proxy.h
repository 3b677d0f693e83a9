/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A control proxy: accepts clients on the listening socket (shared by all control proxies) and
 * on role sockets, takes first contacts to the services and brings back the welcome. The
 * design is told at the top of proxy.c; order of creation and end: service_conf.h.
 *
 * Each client costs up to 3 descriptors and a channel 2 more: the core should raise its
 * RLIMIT_NOFILE to 4096 or the hard limit; beyond it contacts are refused with -EMFILE.
 */
#ifndef BH_CORE_PROXY_H
#define BH_CORE_PROXY_H

#include <stdbool.h>
#include <stdint.h>

struct bh_bell;
struct bh_proxy;
struct bh_stats;

#define BH_PROXY_SOCKETS 512 /* accepted sockets at most, per proxy; role sockets apart */
#define BH_PROXY_USER 128 /* of them, of one user that is no admin */

struct bh_proxy_conf {
	unsigned int index; /* 0 .. n_proxies - 1 of the services' conf */
	int listen_fd;	    /* of bh_listen(); stays the caller's, closed after destroy */
	int stats_fd;	    /* of bh_stats_create(); stays the caller's */
	struct bh_stats *stats;
	int socket; /* NUMA */
	struct bh_bell *main_bell; /* rung when an heir's promotion has ended; may be NULL */
};

/* Makes the listening socket at path: mode 0660, non-blocking. A socket file nobody listens
 * on is removed first. -EADDRINUSE: another core listens there; -ENAMETOOLONG; -errno. */
int bh_listen(const char *path);

/* EAL main lcore. NULL and errno. */
struct bh_proxy *bh_proxy_create(const struct bh_proxy_conf *conf);

/* Body of its lcore, arg: struct bh_proxy *; returns after stop. */
int bh_proxy_main(void *arg);
void bh_proxy_stop(struct bh_proxy *p); /* any lcore */

/* Closes all its sockets. EAL main lcore, after bh_proxy_main() has returned. */
void bh_proxy_destroy(struct bh_proxy *p);

/* True once the proxy has heard of the service: contacts to it are taken (before: -ENOENT).
 * Any lcore; the core says ready when each proxy knows each service. */
bool bh_proxy_knows(const struct bh_proxy *p, uint16_t service);

/*
 * Hands over the core's end of a role socket (SOCK_SEQPACKET), which is the proxy's from now
 * on. Each call begins a new epoch of the role, whichever proxy it is given to: on a first
 * contact by the new socket a service closes all peers of the role's earlier epochs, then
 * takes the request; contacts by earlier sockets are refused (-ESTALE). role:
 * BH_ROLE_SUPERVISOR .. BH_ROLE_USER. EAL main lcore only. -EAGAIN: ring full, retry (fd still
 * the caller's); -EINVAL.
 */
int bh_proxy_give_role(struct bh_proxy *p, int fd, uint16_t role, uint32_t pid);

/* The same for an heir: a second process of the role, which may read, recover and watch beside the
 * owner. It begins no epoch; an earlier heir of the role at this proxy is put out. */
int bh_proxy_give_heir(struct bh_proxy *p, int fd, uint16_t role, uint32_t pid);

/*
 * Makes the heir of this pid, who came by this proxy, the owner: a new epoch of the role begins,
 * every service closes the peers of the epoch before and refuses their sockets before it takes
 * anything more from them, and the heir may write. How it ended is told by
 * bh_proxy_promotion(). EAL main lcore only. -EAGAIN: ring full, retry; -EINVAL; -ENOMEM.
 */
int bh_proxy_promote(struct bh_proxy *p, uint16_t role, uint32_t pid);

struct bh_promotion {
	uint16_t role;
	bool done; /* false: there is no such heir, or a later owner */
	uint32_t pid;
};

/* Takes the end of a promotion. False: none has ended. EAL main lcore only. */
bool bh_proxy_promotion(struct bh_proxy *p, struct bh_promotion *end);

#endif
