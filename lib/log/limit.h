/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounded logging of what others cause. A kind of event that a client can bring about at will
 * gets a limit of its own: BH_LOG_BURST lines at once, then one each BH_LOG_EVERY_MS; what is
 * left out is counted and told by the next line of that kind.
 */
#ifndef BH_LOG_LIMIT_H
#define BH_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/log/log.h"

#define BH_LOG_BURST 8u
#define BH_LOG_EVERY_MS 1000u

/* One a kind of event; zeroed at first; one thread. */
struct bh_log_limit {
	uint64_t at_ms;	   /* when `spent` was right */
	uint32_t spent;	   /* lines of the burst */
	uint32_t left_out; /* since the last line */
};

/* True when a line may be written at this time (ms, of a clock that does not go back), and in
 * *left_out how many were not since the last one. False: counted as left out. */
bool bh_log_allowed(struct bh_log_limit *limit, uint64_t now_ms, uint32_t *left_out);

/* bh_log() as far as the limit allows. Keeps errno. */
void bh_log_limited(struct bh_log_limit *limit, enum bh_log_level level, const char *area,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
