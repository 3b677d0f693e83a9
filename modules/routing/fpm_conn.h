/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket side of FPM: a listener where the configuration says, and the one connection of
 * zebra. Another one takes its place: it is a zebra that was started anew, while the old
 * connection has not been seen to end. Events read at most BH_FPM_READ bytes a turn of the loop,
 * and nothing while too much is on its way to the info base: zebra waits then, by TCP.
 */
#ifndef BH_ROUTING_FPM_CONN_H
#define BH_ROUTING_FPM_CONN_H

#include <event2/event.h>

#include "lib/log/limit.h"
#include "modules/routing/fpm.h"

#define BH_FPM_READ 262144 /* bytes a turn */
#define BH_FPM_BUSY_MS 250  /* what reading those, or forgetting ids, may take at most */
#define BH_FPM_RETRY_MS 1000 /* between two tries to listen */

struct bh_fpm_conn {
	struct event_base *base;
	struct bh_fpm *fpm;
	int listen_fd, fd; /* -1: none */
	struct event *listen_event, *event;
	bool paused;
	struct bh_cfg_fpm bound; /* where it listens */
	uint64_t retry_at; /* ms; after a failure */
	struct bh_log_limit limit;
	size_t have; /* bytes in buf */
	uint8_t buf[131072] __attribute__((aligned(4)));
};

void bh_fpm_conn_init(struct bh_fpm_conn *c, struct event_base *base, struct bh_fpm *fpm);
/* Closes both. */
void bh_fpm_conn_fini(struct bh_fpm_conn *c);

/* Once a turn of the loop: listens or ceases to, as configured (begins only if it may: the routes
 * of before are known, and are ours to write); goes on reading; sweeps. fpm->now is right. True:
 * there is more to do at once. */
bool bh_fpm_conn_turn(struct bh_fpm_conn *c, bool may);

/* Closes zebra's connection, if there is one: it connects again within seconds and tells all. */
void bh_fpm_conn_renew(struct bh_fpm_conn *c);

/* fd, its own from now on, is zebra's connection; what there was ends. 0 or -ENOMEM. */
int bh_fpm_conn_adopt(
	struct bh_fpm_conn *c, int fd, uint8_t family, const uint8_t addr[16], uint16_t port);

#endif
