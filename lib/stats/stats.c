/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/stats/stats.h"

#include <errno.h>
#include <string.h>

const char *
bh_drop_name(unsigned int drop)
{
	static const char *const names[] = {
#define X(id, name) #name,
		BH_DROP_LIST(X)
#undef X
	};

	return drop < BH_DROP_MAX ? names[drop] : NULL;
}

const char *
bh_punt_name(unsigned int reason)
{
	static const char *const names[BH_PUNT_REASONS] = {
		[BH_PUNT_ARP] = "arp",
		[BH_PUNT_LOCAL] = "local",
		[BH_PUNT_GROUP] = "group",
		[BH_PUNT_LINK] = "link_local",
		[BH_PUNT_RESOLVE] = "resolve",
		[BH_PUNT_TTL] = "ttl",
		[BH_PUNT_TOO_BIG] = "too_big",
		[BH_PUNT_NO_ROUTE] = "no_route",
		[BH_PUNT_UNREACHABLE] = "unreachable",
		[BH_PUNT_PROHIBIT] = "prohibit",
		[BH_PUNT_REDIRECT] = "redirect",
	};

	return reason < BH_PUNT_REASONS ? names[reason] : NULL;
}

const char *
bh_ip_counter_name(unsigned int counter)
{
	static const char *const names[] = {
#define X(id, name) name,
		BH_IP_LIST(X)
#undef X
	};

	return counter < BH_IP_COUNTERS ? names[counter] : NULL;
}

static void
add_ip(struct bh_stats_ip *sum, const struct bh_stats_ip *of)
{
	for (unsigned int i = 0; i < BH_IP_COUNTERS; i++)
		sum->n[i] += bh_read(&of->n[i]);
}

void
bh_ip_total(const struct bh_stats *st, unsigned int family, uint32_t ifindex,
	struct bh_stats_ip *sum)
{
	uint32_t n_fwd = st->n_fwd < BH_STATS_FWD ? st->n_fwd : BH_STATS_FWD;
	uint32_t first = ifindex < BH_IP_ALL ? ifindex : 0;
	uint32_t last = ifindex < BH_IP_ALL ? ifindex : BH_IP_ALL - 1;

	memset(sum, 0, sizeof(*sum));
	for (uint32_t f = 0; f < n_fwd; f++)
		for (uint32_t i = first; i <= last; i++)
			add_ip(sum, &st->fwd[f].ip[i][family == 6]);
}

int
bh_stats_copy(const void *entry, void *copy, size_t len)
{
	const uint32_t *seq = entry;

	for (int i = 0; i < 100; i++) {
		uint32_t before = __atomic_load_n(seq, __ATOMIC_ACQUIRE);

		if (before & 1)
			continue;
		memcpy(copy, entry, len);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(seq, __ATOMIC_RELAXED) == before)
			return 0;
	}
	return -EAGAIN;
}
