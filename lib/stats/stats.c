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
