/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole small core in the test's process: two control proxies, the service proxy, the echo
 * service and a service whose answers the test directs, each on its own lcore, all lcores on
 * all CPUs.
 */
#ifndef TEST_MINI_CORE_H
#define TEST_MINI_CORE_H

#include "app/core/chanmem.h"
#include "app/core/echo.h"
#include "app/core/proxy.h"
#include "app/core/service_proxy.h"
#include "lib/client/bulkhead.h"
#include "lib/stats/stats.h"

#define MINI_HELD 256
#define MINI_SERVICE_SLOW 4 /* an id that the core does not use */
#define MINI_LCORE 6 /* this one and the next are free for what a test adds */
#define MINI_WAIT_MS 60000 /* what has not come by then never will, however busy the machine */

/* The directed service (MINI_SERVICE_SLOW): NOP is answered at once; GET is held until
 * `release` (or counted off `release_some`), then answered youngest first, and at most `per_pass` are
 * taken between two passes of the service; aux of the answer is the number taken before it if it was
 * UINT32_MAX; WATCH is answered and followed by aux events, each with its number in aux. */
struct mini_slow {
	struct bh_service *svc;
	bool release; /* atomic; set by the test */
	uint32_t release_some; /* atomic; set by the test: as many, then 0 */
	uint32_t per_pass; /* atomic; set by the test */
	uint32_t taken;    /* of this pass */
	uint32_t taken_all;
	uint32_t gone; /* atomic: peers that left */
	uint32_t held_now; /* atomic */
	unsigned int n_held;
	struct {
		struct bh_peer_ref ref;
		struct bh_msg msg;
	} held[MINI_HELD];
	struct bh_peer_ref watcher;
	struct bh_msg event;
	uint32_t events, sent;
};

struct mini_core {
	char dir[64], path[96];
	struct bh_stats *stats;
	int stats_fd, listen_fd;
	struct bh_proxy *proxy[2];
	struct bh_service_proxy *sp;
	struct bh_echo echo;
	struct mini_slow slow;
};

extern struct mini_core mini;

/* EAL and everything above. Exits the program when something fails. poll_us: of services. */
void mini_up(uint32_t poll_us);
void mini_down(void);

/* A service of the test's own, made but not launched; waits until it is announced, or withdrawn. */
struct bh_service *mini_service(uint16_t id, const char *name, const struct bh_service_ops *ops,
	void *ctx);
void mini_await_known(uint16_t service, bool known);

/* Ends the echo service; makes it anew. */
void mini_echo_stop(void);
void mini_echo_start(void);

/* A handle of the service by the listening socket. */
struct bh_handle *mini_open(const char *client, uint16_t service);

/* One request and its answer. 0 or -errno. */
int mini_nop(struct bh_handle *h);

/* Entry of this client in bh.stats in this state, waited for up to 5 s; NULL: none came. */
const struct bh_stats_conn *mini_conn(const char *client, uint32_t state);

/* Waits up to 5 s until *word is at least value. */
bool mini_await(const uint32_t *word, uint32_t value);

#endif
