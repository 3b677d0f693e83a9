/* SPDX-License-Identifier: BSD-3-Clause */
/* The neighbor cache: resolution, reachability, what others say, limits, recovery. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack_fake.h"

static const uint8_t a_mac[6] = {2, 0, 0, 0, 0, 0xa}, b_mac[6] = {2, 0, 0, 0, 0, 0xb};
static struct fake *f;

static void
setup(void)
{
	f = fake_started();
}

static void
teardown(void)
{
	fake_free(f);
}

START_TEST(resolves4)
{
	fake_resolve(f, 2, "10.0.1.2");
	ck_assert_uint_eq(fake_count_arp(f, 2, ARPOP_REQUEST, "10.0.1.2"), 1);
	ck_assert_ptr_null(fake_neigh(f, 2, "10.0.1.2"));
	fake_resolve(f, 2, "10.0.1.2");
	ck_assert_uint_eq(fake_count_arp(f, 2, ARPOP_REQUEST, "10.0.1.2"), 1);
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	ck_assert_int_eq(fake_neigh(f, 2, "10.0.1.2")->state, BH_NUD_REACHABLE);
	ck_assert_mem_eq(fake_neigh(f, 2, "10.0.1.2")->mac, a_mac, 6);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 2);
	ck_assert_uint_eq(f->s.n_held, 0);
}
END_TEST

START_TEST(resolves6)
{
	const struct fake_frame *ns;
	struct bh_pkt6 p;

	fake_resolve(f, 2, "2001:db8:1::2");
	ns = fake_last6(f, 2, ND_NEIGHBOR_SOLICIT, "2001:db8:1::2");
	ck_assert_ptr_nonnull(ns);
	ck_assert_int_eq(bh_pkt6_parse(ns->data, ns->len, &p), 0);
	ck_assert_int_eq(p.ip->ip6_hlim, 255);
	ck_assert_mem_eq(p.eth->ether_dhost, "\x33\x33\xff\0\0\2", 6);
	fake_na(f, 2, a_mac, "2001:db8:1::2", ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE);
	ck_assert_int_eq(fake_neigh(f, 2, "2001:db8:1::2")->state, BH_NUD_REACHABLE);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 1);
}
END_TEST

/* What waits goes only when the core has the neighbor. */
START_TEST(waits_for_the_core)
{
	f->hold_replies = true;
	fake_resolve(f, 2, "10.0.1.2");
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	fake_run(f, 500);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 0);
	f->hold_replies = false;
	fake_run(f, 0);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 1);
	/* It has it, but has not published it yet. */
	fake_resolve(f, 2, "10.0.1.2");
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 1);
	fake_run(f, 20);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 2);
}
END_TEST

START_TEST(refused_by_the_core)
{
	f->refuse = -ENOSPC;
	fake_resolve(f, 2, "10.0.1.2");
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	fake_run(f, 100);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 0);
	ck_assert_uint_eq(f->s.n_held, 0);
}
END_TEST

START_TEST(gives_up)
{
	uint64_t errors = f->s.icmp.count[BH_ICMP_N_ERROR] + f->s.icmp.count[BH_ICMP_N_BAD];

	fake_resolve(f, 2, "10.0.1.2");
	fake_run(f, 2900);
	ck_assert_uint_eq(fake_count_arp(f, 2, ARPOP_REQUEST, "10.0.1.2"), 3);
	ck_assert_uint_eq(f->s.neighs.n, 1);
	fake_run(f, 300);
	ck_assert_uint_eq(f->s.neighs.n, 0);
	ck_assert_uint_eq(f->s.n_held, 0);
	/* The sender is told; of this frame, which is no packet, it cannot be. */
	ck_assert_uint_eq(f->s.icmp.count[BH_ICMP_N_ERROR] + f->s.icmp.count[BH_ICMP_N_BAD],
		errors + 1);
}
END_TEST

START_TEST(holds_few)
{
	for (int i = 0; i < 10; i++)
		fake_resolve(f, 2, "10.0.1.2");
	ck_assert_uint_eq(f->s.n_held, BH_HOLD_EACH);
	ck_assert_uint_eq(f->s.stats.hold_dropped, 10 - BH_HOLD_EACH);
}
END_TEST

/* REACHABLE, STALE, DELAY, PROBE; an answer keeps it, silence ends it. */
START_TEST(reachability)
{
	unsigned int asked;

	fake_resolve(f, 2, "10.0.1.2");
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	fake_run(f, 14000);
	ck_assert_int_eq(fake_neigh(f, 2, "10.0.1.2")->state, BH_NUD_REACHABLE);
	fake_forget(f);
	for (int i = 0; i < 600 && fake_count_arp(f, 2, ARPOP_REQUEST, "10.0.1.2") == 0; i++)
		fake_run(f, 100);
	ck_assert_int_eq(fake_neigh(f, 2, "10.0.1.2")->state, BH_NUD_PROBE);
	ck_assert_mem_eq(f->frame[f->n_frames - 1].data, a_mac, 6);
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	ck_assert_int_eq(fake_neigh(f, 2, "10.0.1.2")->state, BH_NUD_REACHABLE);
	fake_forget(f);
	for (int i = 0; i < 600 && fake_neigh(f, 2, "10.0.1.2") != NULL; i++)
		fake_run(f, 100);
	ck_assert_ptr_null(fake_neigh(f, 2, "10.0.1.2"));
	asked = fake_count_arp(f, 2, ARPOP_REQUEST, "10.0.1.2");
	ck_assert_uint_eq(asked, BH_NUD_TRIES);
}
END_TEST

START_TEST(answers_requests)
{
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "10.0.0.9", "10.0.0.1");
	ck_assert_uint_eq(fake_count_arp(f, 1, ARPOP_REPLY, "10.0.0.9"), 1);
	ck_assert_int_eq(fake_neigh(f, 1, "10.0.0.9")->state, BH_NUD_STALE);
	/* Not for others, not for whom is elsewhere, not on another interface. */
	fake_forget(f);
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "10.0.0.8", "10.0.0.7");
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "10.0.0.8", "10.0.1.1");
	ck_assert_uint_eq(f->n_frames, 0);
	ck_assert_ptr_null(fake_neigh(f, 1, "10.0.0.8"));
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "192.0.2.1", "10.0.0.1");
	ck_assert_ptr_null(fake_neigh(f, 1, "192.0.2.1"));
}
END_TEST

START_TEST(answers_solicitations)
{
	struct bh_pkt6 p;
	const struct fake_frame *na;

	fake_ns(f, 1, a_mac, "2001:db8::9", "2001:db8::1");
	na = fake_last6(f, 1, ND_NEIGHBOR_ADVERT, "2001:db8::1");
	ck_assert_ptr_nonnull(na);
	ck_assert_int_eq(bh_pkt6_parse(na->data, na->len, &p), 0);
	ck_assert_mem_eq(p.eth->ether_dhost, a_mac, 6);
	ck_assert_uint_eq(((const struct nd_neighbor_advert *)p.l4)->nd_na_flags_reserved,
		ND_NA_FLAG_ROUTER | ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE);
	ck_assert_int_eq(fake_neigh(f, 1, "2001:db8::9")->state, BH_NUD_STALE);
	fake_ns(f, 1, a_mac, "2001:db8::9", "2001:db8::5");
	ck_assert_uint_eq(fake_count6(f, 1, ND_NEIGHBOR_ADVERT, NULL), 1);
}
END_TEST

/* RFC 4861 §7.2.5: who overrides whom. */
START_TEST(override_rules)
{
	const char *h = "2001:db8:1::2";

	fake_na(f, 2, a_mac, h, ND_NA_FLAG_OVERRIDE);
	ck_assert_ptr_null(fake_neigh(f, 2, h)); /* nobody asked */
	fake_resolve(f, 2, h);
	fake_na(f, 2, a_mac, h, 0);
	ck_assert_int_eq(fake_neigh(f, 2, h)->state, BH_NUD_STALE);
	fake_na(f, 2, a_mac, h, ND_NA_FLAG_SOLICITED | ND_NA_FLAG_ROUTER);
	ck_assert_int_eq(fake_neigh(f, 2, h)->state, BH_NUD_REACHABLE);
	ck_assert(fake_neigh(f, 2, h)->router);
	fake_na(f, 2, b_mac, h, ND_NA_FLAG_SOLICITED);
	ck_assert_int_eq(fake_neigh(f, 2, h)->state, BH_NUD_STALE);
	ck_assert_mem_eq(fake_neigh(f, 2, h)->mac, a_mac, 6);
	fake_na(f, 2, b_mac, h, ND_NA_FLAG_OVERRIDE);
	ck_assert_mem_eq(fake_neigh(f, 2, h)->mac, b_mac, 6);
	ck_assert_int_eq(fake_neigh(f, 2, h)->state, BH_NUD_STALE);
	fake_na(f, 2, b_mac, h, ND_NA_FLAG_OVERRIDE | ND_NA_FLAG_SOLICITED);
	ck_assert_int_eq(fake_neigh(f, 2, h)->state, BH_NUD_REACHABLE);
}
END_TEST

/* What is not valid by RFC 4861 §7.1 changes nothing. */
START_TEST(refuses_the_invalid)
{
	struct nd_neighbor_advert *na;
	uint64_t bad = f->s.stats.bad_nd;
	struct bh_frame fr;
	uint8_t t[16];

	fake_resolve(f, 2, "2001:db8:1::2");
	bh_addr_parse("2001:db8:1::2", t);
	for (int k = 0; k < 5; k++) {
		na = bh_frame_icmp6(&fr, a_mac, NULL, t, bh_ip6_all_nodes, false, sizeof(*na));
		na->nd_na_type = ND_NEIGHBOR_ADVERT;
		memcpy(&na->nd_na_target, k == 2 ? bh_ip6_all_nodes : t, 16);
		if (k == 1)
			na->nd_na_flags_reserved = ND_NA_FLAG_SOLICITED; /* to a group */
		bh_frame_opt_lladdr(&fr, ND_OPT_TARGET_LINKADDR, k == 3 ? bh_mac_broadcast : a_mac);
		if (k == 0)
			fr.data[14 + 7] = 254; /* came from elsewhere */
		if (k == 4)
			fr.data[fr.len - 7] = 0; /* an option without length */
		bh_frame_icmp6_end(&fr);
		fake_punt(f, BH_PUNT_GROUP, 2, fr.data, fr.len);
		ck_assert_ptr_null(fake_neigh(f, 2, "2001:db8:1::2"));
	}
	ck_assert_uint_eq(f->s.stats.bad_nd, bad + 5);
	fr.data[fr.len - 7] = 1;
	fake_punt(f, BH_PUNT_GROUP, 2, fr.data, fr.len); /* the checksum is that of before */
	ck_assert_ptr_null(fake_neigh(f, 2, "2001:db8:1::2"));
	ck_assert_uint_eq(f->s.stats.bad_frame, 1);
}
END_TEST

/* A scan leaves what is known alone, is bounded, and hosts still resolve. */
START_TEST(scan)
{
	char hop[BH_ADDR_STRLEN];

	fake_resolve(f, 2, "2001:db8:1::2");
	fake_na(f, 2, a_mac, "2001:db8:1::2", ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE);
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(hop, sizeof(hop), "2001:db8:1::1:%x", i + 1);
		fake_resolve(f, 2, hop);
		if (i % 10 == 0)
			fake_run(f, 1);
		if (i % 1000 == 0)
			fake_forget(f);
		ck_assert_uint_le(f->s.by_index[2]->n_incomplete, BH_NEIGH_INCOMPLETE);
		ck_assert_uint_le(f->s.n_held, BH_HOLD_ALL);
	}
	ck_assert_uint_gt(f->s.stats.limited, 3000);
	ck_assert_int_eq(fake_neigh(f, 2, "2001:db8:1::2")->state, BH_NUD_REACHABLE);
	fake_run(f, 100);
	fake_forget(f);
	fake_resolve(f, 2, "2001:db8:1::3");
	ck_assert_uint_eq(fake_count6(f, 2, ND_NEIGHBOR_SOLICIT, "2001:db8:1::3"), 1);
	fake_na(f, 2, b_mac, "2001:db8:1::3", ND_NA_FLAG_SOLICITED | ND_NA_FLAG_OVERRIDE);
	ck_assert_int_eq(fake_neigh(f, 2, "2001:db8:1::3")->state, BH_NUD_REACHABLE);
}
END_TEST

/* Hosts beyond all number push out the one that was heard of longest ago. */
START_TEST(known_are_bounded)
{
	char src[BH_ADDR_STRLEN];

	for (unsigned int i = 0; i < BH_NEIGH_KNOWN + 10; i++) {
		snprintf(src, sizeof(src), "2001:db8::1:%x", i);
		fake_ns(f, 1, a_mac, src, "2001:db8::1");
		if (i % 1000 == 0)
			fake_forget(f);
	}
	ck_assert_uint_eq(f->s.by_index[1]->n_known, BH_NEIGH_KNOWN);
	ck_assert_ptr_null(fake_neigh(f, 1, "2001:db8::1:0"));
	ck_assert_ptr_nonnull(fake_neigh(f, 1, "2001:db8::1:10"));
}
END_TEST

START_TEST(static_wins)
{
	struct bh_cfg_neighbor_key k = {.name = "p1", .family = 4};
	struct bh_cfg_neighbor v = {.mac = {2, 9, 9, 9, 9, 9}};

	bh_addr_parse("10.0.1.2", k.addr);
	fake_resolve(f, 2, "10.0.1.2");
	fake_change(f, BH_T_CFG_NEIGHBOR, BH_OP_PUT, &k, &v);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_HELD), 1);
	fake_arp(f, 2, ARPOP_REQUEST, a_mac, "10.0.1.2", "10.0.1.1");
	ck_assert_ptr_null(fake_neigh(f, 2, "10.0.1.2"));
	fake_forget(f);
	fake_resolve(f, 2, "10.0.1.2");
	ck_assert_uint_eq(f->n_frames, 0);
	fake_change(f, BH_T_CFG_NEIGHBOR, BH_OP_DELETE, &k, NULL);
	fake_resolve(f, 2, "10.0.1.2");
	ck_assert_uint_eq(fake_count_arp(f, 2, ARPOP_REQUEST, "10.0.1.2"), 1);
}
END_TEST

/* Nobody asks for a broadcast, a network or an address of ours. */
START_TEST(never_asked_for)
{
	const char *none[] = {"10.0.1.255", "10.0.1.0", "10.0.1.1", "ff02::1", "2001:db8:1::1", "::"};

	for (unsigned int i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		fake_resolve(f, 2, none[i]);
	ck_assert_uint_eq(f->n_frames, 0);
	ck_assert_uint_eq(f->s.neighs.n, 0);
}
END_TEST

START_TEST(goes_with_the_interface)
{
	struct bh_ifindex_key k = {2};

	fake_resolve(f, 2, "10.0.1.2");
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	fake_resolve(f, 2, "10.0.1.3");
	fake_change(f, BH_T_INTERFACE, BH_OP_DELETE, &k, NULL);
	fake_run(f, 10);
	ck_assert_ptr_null(fake_neigh(f, 2, "10.0.1.2"));
	ck_assert_uint_eq(f->s.neighs.n, 0);
	ck_assert_int_eq(fake_addr_state(f, 2, "10.0.1.1"), -1);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.1"), BH_ADDR_PREFERRED);
}
END_TEST

static void
recover_all(struct fake *to, const struct fake *from)
{
	for (unsigned int i = 0; i < from->n_recs; i++) {
		const struct fake_rec *r = &from->rec[i];
		struct bh_change c = {.table = r->table, .op = BH_OP_PUT, .key = &r->key,
			.val = &r->address};

		if (r->there)
			bh_stack_recover(&to->s, &c);
	}
	memcpy(to->rec, from->rec, sizeof(to->rec));
	to->n_recs = from->n_recs;
}

/* A successor: nothing is gone at any time, nothing is asked of the link about addresses. */
START_TEST(recovers)
{
	struct fake *g = fake_new();
	const struct bh_neighbor *n;

	fake_resolve(f, 2, "10.0.1.2");
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	fake_resolve(f, 2, "2001:db8:1::2");
	fake_na(f, 2, b_mac, "2001:db8:1::2", ND_NA_FLAG_SOLICITED | ND_NA_FLAG_ROUTER);
	recover_all(g, f);
	fake_addr(g, 1, "10.0.0.1/24", true);
	fake_addr(g, 2, "10.0.1.1/24", true);
	fake_addr(g, 2, "2001:db8:1::1/64", true);
	fake_inputs(g);
	fake_run(g, 0);
	ck_assert_uint_eq(g->n_ready, 1);
	ck_assert_int_eq(fake_addr_state(g, 2, "10.0.1.1"), BH_ADDR_PREFERRED);
	ck_assert_int_eq(fake_addr_state(g, 2, "fe80::bb:ff:fe00:2"), BH_ADDR_PREFERRED);
	ck_assert_int_eq(fake_addr_state(g, 1, "2001:db8::1"), -1); /* configured no more */
	n = fake_neigh(g, 2, "2001:db8:1::2");
	ck_assert_int_eq(n->state, BH_NUD_REACHABLE);
	ck_assert(n->router);
	ck_assert_mem_eq(n->mac, b_mac, 6);
	fake_run(g, 12000);
	ck_assert_uint_eq(fake_count_arp(g, 2, ARPOP_REQUEST, "10.0.1.1"), 0);
	ck_assert_uint_eq(fake_count6(g, 2, ND_NEIGHBOR_SOLICIT, "2001:db8:1::1"), 0);
	/* Neighbors are asked soon whether they are still there. */
	fake_run(g, 15000);
	ck_assert_uint_gt(fake_count_arp(g, 2, ARPOP_REQUEST, "10.0.1.2"), 0);
	ck_assert_uint_gt(fake_count6(g, 2, ND_NEIGHBOR_SOLICIT, "2001:db8:1::2"), 0);
	fake_free(g);
}
END_TEST

static void
echo_request(struct bh_frame *fr, const char *src, const char *dst)
{
	struct icmp6_hdr *e;
	uint8_t s6[16], d6[16];

	bh_addr_parse(src, s6);
	bh_addr_parse(dst, d6);
	e = bh_frame_icmp6(fr, a_mac, fake_mac[1], s6, d6, false, 64);
	e->icmp6_type = ICMP6_ECHO_REQUEST;
	bh_frame_icmp6_end(fr);
}

/* Echo and errors leave as routed, or to a link-local address by the interface as they are. */
START_TEST(answers)
{
	struct bh_frame fr;

	echo_request(&fr, "2001:db8::9", "2001:db8::1");
	fake_punt(f, BH_PUNT_LOCAL, 1, fr.data, fr.len);
	ck_assert_uint_eq(fake_count6(f, 0, ICMP6_ECHO_REPLY, NULL), 1);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_ROUTED), 1);
	fake_forget(f);
	echo_request(&fr, "fe80::9", "fe80::bb:ff:fe00:1");
	fake_punt(f, BH_PUNT_LINK, 1, fr.data, fr.len);
	ck_assert_uint_eq(fake_count6(f, 1, ICMP6_ECHO_REPLY, NULL), 1);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_RESOLVED), 1);
	fake_forget(f);
	echo_request(&fr, "2001:db8::9", "2001:db8:77::1");
	fake_punt(f, BH_PUNT_TTL, 1, fr.data, fr.len);
	ck_assert_uint_eq(fake_count6(f, 0, ICMP6_TIME_EXCEEDED, NULL), 1);
	fake_punt(f, BH_PUNT_NO_ROUTE, 1, fr.data, fr.len);
	ck_assert_uint_eq(fake_count6(f, 0, ICMP6_DST_UNREACH, NULL), 1);
	/* To the link-local address of somebody else: none of our business. */
	fake_forget(f);
	echo_request(&fr, "fe80::9", "fe80::77");
	fake_punt(f, BH_PUNT_LINK, 1, fr.data, fr.len);
	ck_assert_uint_eq(f->n_frames + f->n_to_host, 0);
}
END_TEST

/* What is not for the stack is the kernel's; of the kernel's, what is the stack's alone is dropped. */
START_TEST(kernels_side)
{
	struct nd_neighbor_solicit *ns;
	struct bh_frame fr;

	echo_request(&fr, "2001:db8::9", "2001:db8::1");
	fr.data[20] = IPPROTO_TCP;
	fake_punt(f, BH_PUNT_LOCAL, 1, fr.data, fr.len);
	ck_assert_uint_eq(f->n_to_host, 1);
	bh_stack_from_host(&f->s, 1, fr.data, fr.len);
	ck_assert_uint_eq(fake_count_how(f, BH_INJECT_ROUTED), 1);
	ns = bh_frame_icmp6(&fr, fake_mac[1], NULL, bh_ip6_any, bh_ip6_all_nodes, false, sizeof(*ns));
	ns->nd_ns_type = ND_NEIGHBOR_SOLICIT;
	bh_frame_icmp6_end(&fr);
	bh_stack_from_host(&f->s, 1, fr.data, fr.len);
	bh_frame_arp(&fr, ARPOP_REQUEST, bh_mac_broadcast, a_mac, a_mac, a_mac, a_mac);
	bh_stack_from_host(&f->s, 1, fr.data, fr.len);
	bh_stack_from_host(&f->s, 1, fr.data, 5);
	ck_assert_uint_eq(f->n_frames, 1);
}
END_TEST

/* Another core: all is replayed to it. */
START_TEST(another_core)
{
	fake_resolve(f, 2, "10.0.1.2");
	fake_arp(f, 2, ARPOP_REPLY, a_mac, "10.0.1.2", "10.0.1.1");
	memset(f->rec, 0, sizeof(f->rec));
	f->n_recs = 0;
	bh_stack_reconnect(&f->s);
	fake_run(f, 10);
	ck_assert_uint_eq(f->n_ready, 1);
	fake_inputs(f);
	fake_run(f, 10);
	ck_assert_uint_eq(f->n_ready, 2);
	ck_assert_int_eq(fake_neigh(f, 2, "10.0.1.2")->state, BH_NUD_REACHABLE);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.1"), BH_ADDR_PREFERRED);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {resolves4, resolves6, waits_for_the_core,
		refused_by_the_core, gives_up, holds_few, reachability, answers_requests,
		answers_solicitations, override_rules, refuses_the_invalid, scan, known_are_bounded,
		static_wins, never_asked_for, goes_with_the_interface, recovers, another_core,
		answers, kernels_side};
	TCase *tc = tcase_create("neigh");
	Suite *s = suite_create("stack_neigh");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
