/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/stack.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log/log.h"
#include "lib/net/prefix.h"

static void
stored(void *arg, uint16_t table, const void *key, int status)
{
	const struct bh_if_addr_key *k = key;
	const struct bh_ifaddr *a;
	struct bh_stack *s = arg;
	struct bh_netif *i;
	struct bh_neigh *n;

	if (table != BH_T_NEIGHBOR && table != BH_T_ADDRESS)
		return;
	i = bh_netif_get(s, k->ifindex);
	if (table == BH_T_ADDRESS) {
		a = i != NULL ? bh_ifaddr_find(i, k->family, k->addr) : NULL;
		if (a != NULL)
			bh_stack_address_changed(s, a);
		return;
	}
	n = i != NULL ? bh_neigh_find(s, i, k->family, k->addr) : NULL;
	if (n == NULL)
		return;
	if (status == 0)
		bh_hold_release(s, n);
	else
		bh_hold_fail(s, n, false);
}

void
bh_stack_init(struct bh_stack *s, const struct bh_stack_ops *ops, void *ctx, uint64_t now,
	uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->ctx = ctx;
	s->rng = seed | 1;
	bh_timers_init(&s->timers, now, s);
	bh_out_init(&s->out, &ops->out, ctx, stored, s);
	TAILQ_INIT(&s->ifs);
	TAILQ_INIT(&s->static_list);
	bh_inputs_init(s);
	bh_answer_init(s, seed);
}

void
bh_stack_fini(struct bh_stack *s)
{
	bh_netifs_fini(s);
	bh_statics_fini(s);
	bh_recovered_fini(s);
	bh_htab_fini(&s->neighs);
	bh_out_fini(&s->out);
}

/* xorshift64*: spreads timers, nothing secret. */
uint32_t
bh_stack_random(struct bh_stack *s, uint32_t n)
{
	s->rng ^= s->rng >> 12;
	s->rng ^= s->rng << 25;
	s->rng ^= s->rng >> 27;
	return n == 0 ? 0 : (uint32_t)((s->rng * 0x2545f4914f6cdd1dull >> 32) % n);
}

bool
bh_stack_may_probe(struct bh_stack *s)
{
	uint64_t due = (s->timers.now - s->probe_at) * BH_PROBES_PER_S / 1000;

	if (due > 0) {
		s->probe_tokens = s->probe_tokens + due > BH_PROBES_PER_S / 4
			? BH_PROBES_PER_S / 4 : s->probe_tokens + due;
		s->probe_at = s->timers.now;
	}
	if (s->probe_tokens == 0)
		return false;
	s->probe_tokens--;
	return true;
}

void
bh_stack_address_changed(struct bh_stack *s, const struct bh_ifaddr *a)
{
	if (s->ops->address != NULL)
		s->ops->address(s->ctx, a);
}

/* ---- frames ---- */

/* An address that can be a host's on that link: no group, no broadcast, none of ours. */
static bool
is_host(struct bh_netif *i, uint8_t family, const uint8_t addr[16])
{
	const struct bh_ifaddr *a;
	uint8_t low[4], high[4];

	if (bh_ifaddr_find(i, family, addr) != NULL)
		return false;
	if (family == 6)
		return !bh_ip6_src_is_martian(addr);
	TAILQ_FOREACH(a, &i->addrs, link) {
		if (a->family != 4 || a->plen > 30 || !bh_addr_match(a->addr, addr, a->plen))
			continue;
		memcpy(low, addr, 4);
		bh_addr_mask(low, 4, a->plen);
		for (int k = 0; k < 4; k++)
			high[k] = low[k] | (uint8_t)~(a->plen >= 8 * (k + 1) ? 0xff
				: a->plen <= 8 * k ? 0 : 0xff << (8 - a->plen % 8));
		if (memcmp(low, addr, 4) == 0 || memcmp(high, addr, 4) == 0)
			return false;
	}
	return true;
}

static void
resolve(struct bh_stack *s, const struct bh_punt *p, const uint8_t *frame, size_t len)
{
	struct bh_netif *i = bh_netif_get(s, p->out_ifindex);
	struct bh_if_addr_key key = {.ifindex = p->out_ifindex, .family = p->family};
	struct bh_neigh *n;

	if (i == NULL || (p->family != 4 && p->family != 6) || !bh_netif_has(i, p->family))
		return;
	memcpy(key.addr, p->hop, bh_addr_len(p->family));
	if (!is_host(i, p->family, key.addr))
		return;
	n = bh_neigh_find(s, i, p->family, key.addr);
	if (n == NULL)
		n = bh_neigh_make(s, i, p->family, key.addr);
	if (n == NULL || !bh_nud_resolve(s, n)) {
		s->stats.hold_dropped++;
		return;
	}
	bh_hold_put(s, n, p, frame, len);
	if (n->state != BH_NUD_INCOMPLETE && bh_out_is_stored(&s->out, BH_T_NEIGHBOR, &key))
		bh_hold_again(s, n);
}

/* Messages that the stack alone speaks; true: taken. */
static bool
control6(struct bh_stack *s, struct bh_netif *i, const uint8_t *frame, size_t len)
{
	struct bh_pkt6 p;

	if (bh_pkt6_parse(frame, len, &p) < 0 || p.proto != IPPROTO_ICMPV6 || p.l4_len == 0)
		return false;
	if ((p.l4[0] < ND_ROUTER_SOLICIT || p.l4[0] > ND_REDIRECT) &&
		(p.l4[0] < MLD_LISTENER_QUERY || p.l4[0] > MLD_LISTENER_REDUCTION) &&
		p.l4[0] != 143)
		return false;
	if (!bh_netif_has(i, 6))
		return true;
	if (!bh_pkt6_icmp_sound(&p))
		s->stats.bad_frame++;
	else if (p.l4[0] == MLD_LISTENER_QUERY)
		bh_mld_query(s, i, &p);
	else if (p.l4[0] >= ND_ROUTER_SOLICIT && p.l4[0] <= ND_REDIRECT)
		bh_nd_input(s, i, &p);
	return true; /* others' reports: we do not route groups */
}

/* To us, to a group or to a link-local address. */
static void
receive(struct bh_stack *s, struct bh_netif *i, const struct bh_punt *p, const uint8_t *frame,
	size_t len)
{
	const struct ether_header *eth = (const void *)frame;

	if (eth->ether_type == htons(ETHERTYPE_IPV6) && len <= sizeof(s->frame) &&
		control6(s, i, frame, len))
		return;
	if (p->reason == BH_PUNT_LINK &&
		(len < 54 || !bh_ifaddr_is_ours(s, i, 6, frame + 38)))
		return;
	if (bh_answer_echo(s, i->ifindex, frame, len))
		return;
	s->stats.to_host++;
	s->ops->to_host(s->ctx, i->ifindex, frame, len);
}

static void
dispatch(struct bh_stack *s, struct bh_netif *i, const struct bh_punt *p, const uint8_t *frame,
	size_t len)
{
	switch (p->reason) {
	case BH_PUNT_ARP:
		bh_arp_input(s, i, frame, len);
		break;
	case BH_PUNT_LOCAL:
	case BH_PUNT_GROUP:
	case BH_PUNT_LINK:
		receive(s, i, p, frame, len);
		break;
	case BH_PUNT_TTL:
		bh_answer_error(s, p->ifindex, frame, len, BH_ICMP_TTL, 0);
		break;
	case BH_PUNT_TOO_BIG:
		bh_answer_error(s, p->ifindex, frame, len, BH_ICMP_TOO_BIG, p->mtu);
		break;
	case BH_PUNT_NO_ROUTE:
		bh_answer_error(s, p->ifindex, frame, len, BH_ICMP_NO_ROUTE, 0);
		break;
	case BH_PUNT_UNREACHABLE:
		bh_answer_error(s, p->ifindex, frame, len, BH_ICMP_UNREACHABLE, 0);
		break;
	case BH_PUNT_PROHIBIT:
		bh_answer_error(s, p->ifindex, frame, len, BH_ICMP_PROHIBIT, 0);
		break;
	default:
		s->stats.bad_frame++;
	}
}

void
bh_stack_punt(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len)
{
	struct bh_stack *s = arg;
	struct bh_netif *i = bh_netif_get(s, p->ifindex);

	if (!s->running || len < sizeof(struct ether_header)) {
		s->stats.bad_frame++;
		return;
	}
	if (p->reason == BH_PUNT_RESOLVE) {
		resolve(s, p, frame, len);
		return;
	}
	if (len <= sizeof(s->frame)) {
		memcpy(s->frame, frame, len);
		frame = s->frame;
	}
	if (i != NULL)
		dispatch(s, i, p, frame, len);
}

/* ---- life ---- */

static void
run(struct bh_stack *s)
{
	struct bh_netif *i;

	s->running = true;
	TAILQ_FOREACH(i, &s->ifs, link)
		bh_netif_settle(s, i);
	bh_recovered_adopt(s);
	bh_info("stack", "runs");
}

int
bh_stack_commit(struct bh_stack *s, uint64_t now)
{
	bh_timers_run(&s->timers, now);
	if (!bh_inputs_ready(s))
		return 0;
	if (!s->running)
		run(s);
	bh_out_start(&s->out);
	return bh_out_pump(&s->out);
}

uint64_t
bh_stack_next(const struct bh_stack *s)
{
	return bh_timers_next(&s->timers);
}

void
bh_stack_reconnect(struct bh_stack *s)
{
	bh_out_restart(&s->out);
	for (unsigned int k = 0; k < BH_STACK_INPUTS; k++)
		s->watch[k].synced = s->watch[k].complete = false;
}
