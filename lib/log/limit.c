/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/log/limit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

bool
bh_log_allowed(struct bh_log_limit *limit, uint64_t now_ms, uint32_t *left_out)
{
	uint64_t earned = (now_ms - limit->at_ms) / BH_LOG_EVERY_MS;

	if (earned >= limit->spent) {
		limit->spent = 0;
		limit->at_ms = now_ms;
	} else {
		limit->spent -= earned;
		limit->at_ms += earned * BH_LOG_EVERY_MS;
	}
	if (limit->spent >= BH_LOG_BURST) {
		limit->left_out++;
		return false;
	}
	limit->spent++;
	*left_out = limit->left_out;
	limit->left_out = 0;
	return true;
}

void
bh_log_limited(struct bh_log_limit *limit, enum bh_log_level level, const char *area,
	const char *fmt, ...)
{
	int saved = errno;
	struct timespec ts;
	uint32_t left_out;
	char text[512];
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (bh_log_allowed(limit, ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000, &left_out)) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		if (left_out > 0)
			bh_log(level, area, "%s (and %u more such events)", text, left_out);
		else
			bh_log(level, area, "%s", text);
	}
	errno = saved;
}
