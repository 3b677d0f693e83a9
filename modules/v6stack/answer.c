/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

#define NS_PER_MS 1000000u

/* ---- what icmp.h asks ---- */

/* An address of the interface that may speak to dst; a link-local one to its like only. */
static const struct bh_ifaddr *
source_on(const struct bh_netif *i, uint8_t family, const uint8_t *dst)
{
	const struct bh_ifaddr *a = bh_ifaddr_source(i, family, dst);

	if (a != NULL && family == 6 && bh_ip6_is_link_local(a->addr) && !bh_ip6_is_link_local(dst))
		return NULL;
	return a;
}

static bool
source(void *arg, uint8_t family, uint32_t ifindex, const uint8_t *dst, uint8_t *src)
{
	struct bh_stack *s = arg;
	struct bh_netif *i = bh_netif_get(s, ifindex);
	const struct bh_ifaddr *a = i != NULL ? source_on(i, family, dst) : NULL;

	if (a == NULL && (family == 4 || !bh_ip6_is_link_local(dst)))
		TAILQ_FOREACH(i, &s->ifs, link)
			if (a == NULL)
				a = source_on(i, family, dst);
	if (a == NULL)
		return false;
	memcpy(src, a->addr, bh_addr_len(family));
	return true;
}

static bool
is_local(void *arg, uint8_t family, const uint8_t *addr)
{
	struct bh_stack *s = arg;
	struct bh_netif *i;

	TAILQ_FOREACH(i, &s->ifs, link) {
		const struct bh_ifaddr *a = bh_ifaddr_find(i, family, addr);

		if (a != NULL && a->state == BH_ADDR_PREFERRED)
			return true;
	}
	return false;
}

static bool
is_broadcast4(void *arg, const uint8_t *addr)
{
	struct bh_stack *s = arg;
	const struct bh_ifaddr *a;
	struct bh_netif *i;
	uint32_t bits, host;

	memcpy(&bits, addr, sizeof(bits));
	TAILQ_FOREACH(i, &s->ifs, link) {
		TAILQ_FOREACH(a, &i->addrs, link) {
			if (!a->active || a->family != 4 || a->plen > 30 ||
				!bh_addr_match(a->addr, addr, a->plen))
				continue;
			host = UINT32_MAX >> a->plen;
			if ((ntohl(bits) & host) == host)
				return true;
		}
	}
	return false;
}

static const struct bh_icmp_ops icmp_ops = {source, is_local, is_broadcast4};

void
bh_answer_init(struct bh_stack *s, uint64_t seed)
{
	bh_ratelimit_init(&s->limit, &BH_RATELIMIT_DEFAULT, seed);
	bh_icmp_init(&s->icmp, &icmp_ops, s, &s->limit);
}

/* ---- what becomes of an answer ---- */

/* To a link-local address it leaves by the interface as it is; else it is routed. */
static void
send_answer(struct bh_stack *s, uint32_t ifindex, uint8_t *frame, size_t len)
{
	struct ether_header *eth = (void *)frame;
	struct bh_netif *i = bh_netif_get(s, ifindex);
	enum bh_inject how = BH_INJECT_ROUTED;

	if (eth->ether_type == htons(ETHERTYPE_IPV6) && bh_ip6_is_link_local(frame + 38)) {
		if (i == NULL || !i->up)
			return;
		how = BH_INJECT_RESOLVED;
		memcpy(eth->ether_shost, i->mac, 6);
	}
	if (s->ops->inject(s->ctx, how, how == BH_INJECT_ROUTED ? 0 : ifindex, frame, len) < 0)
		s->stats.inject_failed++;
	else
		s->stats.sent++;
}

static struct bh_icmp_in
input_of(const struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	return (struct bh_icmp_in){.frame = frame, .len = len, .ifindex = ifindex,
		.now = s->timers.now * NS_PER_MS};
}

void
bh_answer_error(struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len,
	enum bh_icmp_why why, uint32_t value)
{
	struct bh_icmp_in in = input_of(s, ifindex, frame, len);
	int n = bh_icmp_error(&s->icmp, &in, why, value, s->answer, sizeof(s->answer));

	if (n > 0) /* else it is counted there */
		send_answer(s, ifindex, s->answer, (size_t)n);
}

bool
bh_answer_echo(struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct bh_icmp_in in = input_of(s, ifindex, frame, len);
	int n = bh_icmp_echo(&s->icmp, &in, s->answer, sizeof(s->answer));

	if (n > 0)
		send_answer(s, ifindex, s->answer, (size_t)n);
	return n != -ENOENT && n != -EMSGSIZE; /* a longer one is the kernel's */
}

void
bh_stack_unreachable(struct bh_stack *s, const struct bh_punt *p, const uint8_t *frame,
	size_t len)
{
	if (!(p->flags & BH_PUNT_OWN))
		bh_answer_error(s, p->ifindex, frame, len, BH_ICMP_NO_NEIGHBOR, 0);
}
