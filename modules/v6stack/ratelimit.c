/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/ratelimit.h"

#include <string.h>

#include "lib/net/prefix.h"

#define SECOND 1000000000ull

void
bh_ratelimit_set(struct bh_ratelimit *rl, const struct bh_ratelimit_conf *conf)
{
	rl->conf = *conf;
}

void
bh_ratelimit_init(struct bh_ratelimit *rl, const struct bh_ratelimit_conf *conf, uint64_t key)
{
	memset(rl, 0, sizeof(*rl));
	rl->key = key;
	bh_ratelimit_set(rl, conf);
}

/* The finalizer of splitmix64: every bit of the input moves every bit of the output. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint64_t *
slot_of(struct bh_ratelimit *rl, uint8_t family, const void *to)
{
	uint64_t prefix = 0;

	memcpy(&prefix, to, family == BH_IP4 ? 3 : 8);
	return &rl->slot[mix(mix(prefix ^ rl->key) + family) & (BH_RATELIMIT_SLOTS - 1)];
}

/* What one token is worth, in ns of filling; 0: there are none. */
static uint64_t
cost(uint32_t rate)
{
	return rate == 0 ? 0 : rate > SECOND ? 1 : SECOND / rate;
}

static bool
has_token(uint64_t full_at, uint32_t rate, uint32_t burst, uint64_t now)
{
	uint64_t price = cost(rate), used = full_at > now ? full_at - now : 0;

	return price != 0 && used + price <= price * (burst > 0 ? burst : 1);
}

static void
take(uint64_t *full_at, uint32_t rate, uint64_t now)
{
	*full_at = (*full_at > now ? *full_at : now) + cost(rate);
}

bool
bh_ratelimit_take(struct bh_ratelimit *rl, uint8_t family, const void *to, uint64_t now)
{
	const struct bh_ratelimit_conf *c = &rl->conf;
	uint64_t *slot = slot_of(rl, family, to);

	if (!has_token(*slot, c->peer_rate, c->peer_burst, now)) {
		rl->over_peer++;
		return false;
	}
	if (!has_token(rl->full_at, c->rate, c->burst, now)) {
		rl->over_all++;
		return false;
	}
	take(slot, c->peer_rate, now);
	take(&rl->full_at, c->rate, now);
	rl->passed++;
	return true;
}
