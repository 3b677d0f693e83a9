/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "lib/log/limit.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/stack.h"

static char *
name_of(const struct bh_ifaddr *a, char *buf)
{
	return bh_addr_format(a->family, a->addr, buf, BH_ADDR_STRLEN);
}

/* ---- IPv4: address conflict detection ---- */

static void
send_arp(struct bh_stack *s, struct bh_ifaddr *a, bool announce)
{
	static const uint8_t none[6];
	struct bh_frame f;

	bh_frame_arp(&f, ARPOP_REQUEST, bh_mac_broadcast, a->on->mac, announce ? a->addr : none,
		none, a->addr);
	bh_netif_send(s, a->on, &f);
}

static void on_announce4(void *arg, struct bh_timer *t);

static void
announce4(struct bh_stack *s, struct bh_ifaddr *a)
{
	send_arp(s, a, true);
	if (++a->dad.step < BH_ACD_ANNOUNCES)
		bh_timer_set(&s->timers, &a->dad.timer, BH_ACD_ANNOUNCE_MS, on_announce4);
}

static void
on_announce4(void *arg, struct bh_timer *t)
{
	announce4(arg, bh_container_of(t, struct bh_ifaddr, dad.timer));
}

static void finish(struct bh_stack *s, struct bh_ifaddr *a);

static void
on_probe4(void *arg, struct bh_timer *t)
{
	struct bh_ifaddr *a = bh_container_of(t, struct bh_ifaddr, dad.timer);
	struct bh_stack *s = arg;

	if (a->dad.step == BH_ACD_PROBES) {
		finish(s, a);
		return;
	}
	send_arp(s, a, false);
	a->dad.step++;
	bh_timer_set(&s->timers, t, a->dad.step == BH_ACD_PROBES
		? BH_ACD_WAIT_MS : BH_ACD_PROBE_MS + bh_stack_random(s, BH_ACD_PROBE_MS), on_probe4);
}

/* ---- IPv6 ---- */

static void
on_probe6(void *arg, struct bh_timer *t)
{
	struct bh_ifaddr *a = bh_container_of(t, struct bh_ifaddr, dad.timer);
	struct bh_stack *s = arg;

	if (a->dad.step > 0) {
		finish(s, a);
		return;
	}
	a->dad.step++;
	for (unsigned int k = 0; k < BH_NONCE_LEN; k++)
		a->dad.nonce[k] = (uint8_t)bh_stack_random(s, 256);
	bh_nd_send_probe(s, a->on, a->addr, a->dad.nonce);
	bh_timer_set(&s->timers, t, BH_DAD_WAIT_MS, on_probe6);
}

/* ---- both ---- */

static void
finish(struct bh_stack *s, struct bh_ifaddr *a)
{
	char text[BH_ADDR_STRLEN];

	if (a->state == BH_ADDR_TENTATIVE) {
		bh_info("dad", "%s: %s is unique", a->on->name, name_of(a, text));
		bh_ifaddr_set_state(s, a, BH_ADDR_PREFERRED);
	}
	bh_dad_announce(s, a);
}

void
bh_dad_start(struct bh_stack *s, struct bh_ifaddr *a)
{
	a->dad.step = 0;
	if (a->state == BH_ADDR_DUPLICATE) /* the link is another, perhaps */
		bh_ifaddr_set_state(s, a, BH_ADDR_TENTATIVE);
	if (a->family == 4)
		bh_timer_set(&s->timers, &a->dad.timer, bh_stack_random(s, BH_ACD_PROBE_MS),
			on_probe4);
	else
		bh_timer_set(&s->timers, &a->dad.timer, bh_stack_random(s, BH_DAD_DELAY_MS),
			on_probe6);
}

void
bh_dad_stop(struct bh_stack *s, struct bh_ifaddr *a)
{
	bh_timer_cancel(&s->timers, &a->dad.timer);
}

void
bh_dad_announce(struct bh_stack *s, struct bh_ifaddr *a)
{
	bh_timer_cancel(&s->timers, &a->dad.timer);
	a->dad.step = 0;
	if (a->family == 4)
		announce4(s, a);
	else
		bh_nd_send_advert(s, a->on, a->addr, NULL, NULL, false);
}

/* RFC 5227 §2.4 (c): a router keeps its address, and says so once in a while. */
static void
defend(struct bh_stack *s, struct bh_ifaddr *a)
{
	if (a->dad.defended != 0 && s->timers.now - a->dad.defended < BH_ACD_DEFEND_MS)
		return;
	a->dad.defended = s->timers.now + (s->timers.now == 0);
	s->stats.defended++;
	if (a->family == 4)
		send_arp(s, a, true);
	else
		bh_nd_send_advert(s, a->on, a->addr, NULL, NULL, false);
}

void
bh_dad_conflict(struct bh_stack *s, struct bh_ifaddr *a, const uint8_t mac[6], bool probing)
{
	static struct bh_log_limit limit;
	char text[BH_ADDR_STRLEN];

	if (a->state == BH_ADDR_DUPLICATE)
		return;
	s->stats.conflicts++;
	if (a->state == BH_ADDR_PREFERRED) {
		defend(s, a);
		if (!probing)
			bh_log_limited(&limit, BH_LOG_WARNING, "dad",
				"%s: %s is also used by %02x:%02x:%02x:%02x:%02x:%02x", a->on->name,
				name_of(a, text), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		return;
	}
	bh_dad_stop(s, a);
	bh_ifaddr_set_state(s, a, BH_ADDR_DUPLICATE);
	bh_warn("dad", "%s: %s is duplicate: %02x:%02x:%02x:%02x:%02x:%02x has it; not used",
		a->on->name, name_of(a, text), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
