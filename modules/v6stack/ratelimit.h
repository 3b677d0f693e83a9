/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many ICMP errors leave (RFC 1812 §4.3.2.8, RFC 4443 §2.4(f)): a token bucket for the
 * whole router, and one for each prefix that is answered, so that one flood does not silence
 * the errors of others (PMTU discovery, traceroute). Prefixes (IPv4 /24, IPv6 /64: what one
 * sender can make up) share BH_RATELIMIT_SLOTS buckets by a keyed hash; memory is fixed.
 *
 * A bucket is one word: the time at which it will be full again. One thread; times are
 * CLOCK_MONOTONIC in ns, which never go back.
 */
#ifndef BH_V6STACK_RATELIMIT_H
#define BH_V6STACK_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define BH_RATELIMIT_SLOTS 1024 /* a power of two */

struct bh_ratelimit_conf {
	uint32_t rate;		/* all together, a second; 0: none at all */
	uint32_t burst;		/* at once, at least 1 counts */
	uint32_t peer_rate;	/* to one prefix */
	uint32_t peer_burst;
};

/* 1,000 a second, 100 to a prefix: a traceroute's three probes a hop pass many times over. */
#define BH_RATELIMIT_DEFAULT                                                                       \
	((struct bh_ratelimit_conf){.rate = 1000, .burst = 200, .peer_rate = 100, .peer_burst = 50})

struct bh_ratelimit {
	struct bh_ratelimit_conf conf;
	uint64_t key;		/* of the hash */
	uint64_t passed;	/* counts; for anyone to read */
	uint64_t over_peer;	/* refused for the prefix */
	uint64_t over_all;	/* refused for the router */
	uint64_t full_at;
	uint64_t slot[BH_RATELIMIT_SLOTS];
};

/* All buckets full, all counts 0. key: random, unknown to others. */
void bh_ratelimit_init(struct bh_ratelimit *rl, const struct bh_ratelimit_conf *conf, uint64_t key);

/* Takes new rates; buckets and counts stay. */
void bh_ratelimit_set(struct bh_ratelimit *rl, const struct bh_ratelimit_conf *conf);

/* Takes a token for a packet to `to` (family 4 or 6, network order), or counts why there is
 * none. A packet refused for its prefix costs the others nothing. */
bool bh_ratelimit_take(struct bh_ratelimit *rl, uint8_t family, const void *to, uint64_t now);

#endif
