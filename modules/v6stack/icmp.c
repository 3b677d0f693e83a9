/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/icmp.h"

#include <errno.h>
#include <net/ethernet.h>
#include <string.h>

#include "modules/v6stack/icmp4.h"
#include "modules/v6stack/icmp6.h"
#include "modules/v6stack/icmp_priv.h"

const char *
bh_icmp_count_name(unsigned int count)
{
	static const char *const names[BH_ICMP_N_COUNTS] = {
		[BH_ICMP_N_ECHO] = "echo_replies",   [BH_ICMP_N_ERROR] = "errors",
		[BH_ICMP_N_LIMITED] = "rate_limited", [BH_ICMP_N_FORBIDDEN] = "not_answered",
		[BH_ICMP_N_BAD] = "malformed",	     [BH_ICMP_N_NO_SOURCE] = "no_source",
	};

	return count < BH_ICMP_N_COUNTS ? names[count] : "?";
}

void
bh_icmp_init(struct bh_icmp *ic, const struct bh_icmp_ops *ops, void *arg,
	struct bh_ratelimit *limit)
{
	*ic = (struct bh_icmp){.ops = ops, .arg = arg, .limit = limit};
}

void
bh_icmp_eth(uint8_t *out, const struct bh_icmp_in *in)
{
	memcpy(out, in->frame + 6, 6);
	if (bh_icmp_to_group(in))
		memset(out + 6, 0, 6);
	else
		memcpy(out + 6, in->frame, 6);
	memcpy(out + 12, in->frame + 12, 2);
}

static unsigned int
ethertype(const struct bh_icmp_in *in)
{
	return in->len < BH_ICMP_ETH ? 0 : bh_get16(in->frame + 12);
}

int
bh_icmp_error(struct bh_icmp *ic, const struct bh_icmp_in *in, enum bh_icmp_why why,
	uint32_t value, uint8_t *out, size_t size)
{
	switch (ethertype(in)) {
	case ETHERTYPE_IP:
		return bh_icmp4_error(ic, in, why, value, out, size);
	case ETHERTYPE_IPV6:
		return bh_icmp6_error(ic, in, why, value, out, size);
	default:
		return bh_icmp_counted(ic, BH_ICMP_N_BAD, -EBADMSG);
	}
}

int
bh_icmp_echo(struct bh_icmp *ic, const struct bh_icmp_in *in, uint8_t *out, size_t size)
{
	switch (ethertype(in)) {
	case ETHERTYPE_IP:
		return bh_icmp4_echo(ic, in, out, size);
	case ETHERTYPE_IPV6:
		return bh_icmp6_echo(ic, in, out, size);
	default:
		return -ENOENT;
	}
}
