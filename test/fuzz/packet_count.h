/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold of the counters of RFC 4293 between bursts, for interfaces 1 to 7. */
#ifndef TEST_FUZZ_PACKET_COUNT_H
#define TEST_FUZZ_PACKET_COUNT_H

#include "lib/stats/stats.h"
#include "test/fuzz/fuzz.h"

/* Of the interfaces from `from` on, since the core began. version: 0 or 1, IPv4 or IPv6. */
static inline struct bh_stats_ip
count_ip(const struct bh_stats_fwd *f, unsigned int version, uint16_t from)
{
	struct bh_stats_ip sum = { 0 };

	for (uint16_t i = from; i < 8; i++)
		for (unsigned int c = 0; c < BH_IP_COUNTERS; c++)
			sum.n[c] += f->ip[i][version].n[c];
	return sum;
}

/* What was to leave left, or is counted as what became of it. */
static inline void
check_ip_out(const struct bh_stats_fwd *f, unsigned int version)
{
	const struct bh_stats_ip s = count_ip(f, version, 1), own = count_ip(f, version, 0);
	const uint64_t *n = s.n;

	FUZZ_CHECK(n[BH_IP_OUT_FORWARDED] + n[BH_IP_OUT_REQUESTS] + n[BH_IP_OUT_FRAG_CREATES] ==
		n[BH_IP_OUT_TRANSMITS] + n[BH_IP_OUT_DISCARDS] + n[BH_IP_OUT_FRAG_OKS] +
		n[BH_IP_OUT_FRAG_FAILS]);
	FUZZ_CHECK(n[BH_IP_OUT_NO_ROUTES] == 0);
	FUZZ_CHECK(own.n[BH_IP_IN_RECEIVES] == n[BH_IP_IN_RECEIVES]);
}

/* What came in went somewhere, or waits for its neighbor: unless some came in before, and was held. */
static inline void
check_ip_in(const struct bh_stats_fwd *f, bool any_held)
{
	static uint64_t in_before, to_before; /* as of the last look */
	uint64_t in = 0, to = f->punt[BH_PUNT_RESOLVE].taken;

	for (unsigned int v = 0; v < 2; v++) {
		const struct bh_stats_ip s = count_ip(f, v, 1);

		in += s.n[BH_IP_IN_RECEIVES];
		to += s.n[BH_IP_IN_DELIVERS] + s.n[BH_IP_IN_HDR_ERRORS] + s.n[BH_IP_IN_TRUNCATED] +
			s.n[BH_IP_IN_ADDR_ERRORS] + s.n[BH_IP_IN_NO_ROUTES] + s.n[BH_IP_IN_DISCARDS] +
			s.n[BH_IP_OUT_FORWARDED];
	}
	FUZZ_CHECK(any_held || in - in_before == to - to_before);
	in_before = in;
	to_before = to;
}

#endif
