/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and duplicate address detection, router advertisements, group reports. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "stack_fake.h"

#define LL1 "fe80::bb:ff:fe00:1"
#define ALL (BH_IF_ENABLED | BH_IF_IPV4 | BH_IF_IPV6 | BH_IF_FORWARD4 | BH_IF_FORWARD6)

static const uint8_t a_mac[6] = {2, 0, 0, 0, 0, 0xa};
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

/* ---- duplicate address detection ---- */

START_TEST(addresses_become_preferred)
{
	ck_assert_int_eq(fake_addr_state(f, 1, LL1), BH_ADDR_PREFERRED);
	fake_addr(f, 1, "2001:db8::7/64", true);
	fake_addr(f, 1, "10.0.0.7/24", true);
	fake_run(f, 0);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_TENTATIVE);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.7"), BH_ADDR_TENTATIVE);
	fake_run(f, 3000);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_PREFERRED);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.7"), BH_ADDR_PREFERRED);
	ck_assert_uint_eq(fake_count6(f, 1, ND_NEIGHBOR_SOLICIT, "2001:db8::7"), 1);
	ck_assert_uint_ge(fake_count6(f, 1, ND_NEIGHBOR_ADVERT, "2001:db8::7"), 1);
	/* Three probes, two announcements. */
	ck_assert_uint_eq(fake_count_arp(f, 1, ARPOP_REQUEST, "10.0.0.7"),
		BH_ACD_PROBES + BH_ACD_ANNOUNCES);
	fake_addr(f, 1, "10.0.0.7/24", false);
	fake_run(f, 0);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.7"), -1);
}
END_TEST

/* A tentative address answers nobody. */
START_TEST(tentative_is_silent)
{
	fake_addr(f, 1, "2001:db8::7/64", true);
	fake_addr(f, 1, "10.0.0.7/24", true);
	fake_ns(f, 1, a_mac, "2001:db8::9", "2001:db8::7");
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "10.0.0.9", "10.0.0.7");
	ck_assert_uint_eq(fake_count6(f, 1, ND_NEIGHBOR_ADVERT, NULL), 0);
	ck_assert_uint_eq(fake_count_arp(f, 1, ARPOP_REPLY, "10.0.0.9"), 0);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.7"), BH_ADDR_TENTATIVE);
}
END_TEST

START_TEST(duplicate6_by_advertisement)
{
	fake_addr(f, 1, "2001:db8::7/64", true);
	fake_run(f, 1200);
	fake_na(f, 1, a_mac, "2001:db8::7", ND_NA_FLAG_OVERRIDE);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_DUPLICATE);
	fake_run(f, 5000);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_DUPLICATE);
	fake_forget(f);
	fake_ns(f, 1, a_mac, "2001:db8::9", "2001:db8::7");
	ck_assert_uint_eq(f->n_frames, 0);
}
END_TEST

START_TEST(duplicate6_by_probe)
{
	fake_addr(f, 1, "2001:db8::7/64", true);
	fake_run(f, 1200);
	fake_ns(f, 1, a_mac, "::", "2001:db8::7");
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_DUPLICATE);
}
END_TEST

/* One's own probe, looped back by the link, is no conflict (RFC 7527). */
START_TEST(own_probe_looped_back)
{
	struct fake_frame ns;

	fake_addr(f, 1, "2001:db8::7/64", true);
	fake_run(f, 1010);
	ns = *fake_last6(f, 1, ND_NEIGHBOR_SOLICIT, "2001:db8::7");
	memcpy(ns.data + 6, a_mac, 6); /* a hub that rewrites; the nonce tells */
	fake_punt(f, BH_PUNT_GROUP, 1, ns.data, ns.len);
	fake_run(f, 2000);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_PREFERRED);
}
END_TEST

START_TEST(duplicate4)
{
	fake_addr(f, 1, "10.0.0.7/24", true);
	fake_addr(f, 1, "10.0.0.8/24", true);
	fake_run(f, 300);
	fake_arp(f, 1, ARPOP_REPLY, a_mac, "10.0.0.7", "10.0.0.7");
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "0.0.0.0", "10.0.0.8"); /* wants it as well */
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.7"), BH_ADDR_DUPLICATE);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.8"), BH_ADDR_DUPLICATE);
}
END_TEST

/* RFC 5227 §2.4 (c); and who probes for it is told. */
START_TEST(defends)
{
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "0.0.0.0", "10.0.0.1");
	ck_assert_uint_eq(fake_count_arp(f, 1, ARPOP_REPLY, "0.0.0.0"), 1);
	fake_ns(f, 1, a_mac, "::", "2001:db8::1");
	ck_assert_uint_eq(fake_count6(f, 1, ND_NEIGHBOR_ADVERT, "2001:db8::1"), 1);
	fake_forget(f);
	for (int i = 0; i < 5; i++)
		fake_arp(f, 1, ARPOP_REQUEST, a_mac, "10.0.0.1", "10.0.0.9");
	ck_assert_uint_eq(fake_count_arp(f, 1, ARPOP_REQUEST, "10.0.0.1"), 1);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.1"), BH_ADDR_PREFERRED);
	fake_run(f, BH_ACD_DEFEND_MS);
	fake_arp(f, 1, ARPOP_REQUEST, a_mac, "10.0.0.1", "10.0.0.9");
	ck_assert_uint_eq(fake_count_arp(f, 1, ARPOP_REQUEST, "10.0.0.1"), 2);
}
END_TEST

/* No probe is sent into a link that is down; when it is back an address in use is checked. */
START_TEST(link_down_and_up)
{
	fake_link(f, 1, false, ALL);
	fake_addr(f, 1, "2001:db8::7/64", true);
	fake_run(f, 5000);
	ck_assert_uint_eq(fake_count6(f, 1, ND_NEIGHBOR_SOLICIT, NULL), 0);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_TENTATIVE);
	fake_link(f, 1, true, ALL);
	fake_run(f, 0);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::1"), BH_ADDR_PREFERRED);
	fake_run(f, 3000);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::7"), BH_ADDR_PREFERRED);
	ck_assert_uint_eq(fake_count6(f, 1, ND_NEIGHBOR_SOLICIT, "2001:db8::1"), 1);
}
END_TEST

START_TEST(family_off)
{
	fake_link(f, 1, true, ALL & ~BH_IF_IPV6);
	fake_run(f, 0);
	ck_assert_int_eq(fake_addr_state(f, 1, "2001:db8::1"), -1);
	ck_assert_int_eq(fake_addr_state(f, 1, LL1), -1);
	ck_assert_int_eq(fake_addr_state(f, 1, "10.0.0.1"), BH_ADDR_PREFERRED);
}
END_TEST

START_TEST(configured_link_local)
{
	fake_addr(f, 1, "fe80::1/64", true);
	fake_run(f, 3000);
	ck_assert_int_eq(fake_addr_state(f, 1, "fe80::1"), BH_ADDR_PREFERRED);
	ck_assert_int_eq(fake_addr_state(f, 1, LL1), -1);
	fake_addr(f, 1, "fe80::1/64", false);
	fake_run(f, 3000);
	ck_assert_int_eq(fake_addr_state(f, 1, LL1), BH_ADDR_PREFERRED);
}
END_TEST

/* ---- router advertisements ---- */

static void
ra_config(uint8_t flags, uint16_t max)
{
	struct bh_cfg_ra cfg = {.flags = flags, .hop_limit = 64, .lifetime = 1800,
		.max_interval = max, .min_interval = 3, .mtu = 1400, .reachable = 5000};
	struct bh_ifname_key k = {"p0"};

	fake_change(f, BH_T_CFG_RA, BH_OP_PUT, &k, &cfg);
}

static void
ra_prefix(const char *prefix, uint8_t flags)
{
	struct bh_cfg_ra_prefix_key k = {.name = "p0"};
	struct bh_cfg_ra_prefix v = {.valid = 100, .preferred = 50, .flags = flags};
	struct bh_prefix p;

	bh_prefix_parse(prefix, &p);
	memcpy(k.addr, p.addr, 16);
	k.plen = p.plen;
	fake_change(f, BH_T_CFG_RA_PREFIX, BH_OP_PUT, &k, &v);
}

/* Of the last advertisement: the prefix option of that prefix, or NULL. */
static const struct nd_opt_prefix_info *
advertised(const char *prefix)
{
	const struct fake_frame *fr = fake_last6(f, 1, ND_ROUTER_ADVERT, NULL);
	struct bh_prefix p;
	struct bh_pkt6 k;

	ck_assert_ptr_nonnull(fr);
	bh_prefix_parse(prefix, &p);
	ck_assert_int_eq(bh_pkt6_parse(fr->data, fr->len, &k), 0);
	for (size_t at = 16; at < k.l4_len; at += k.l4[at + 1] * 8) {
		const struct nd_opt_prefix_info *o = (const void *)(k.l4 + at);

		if (o->nd_opt_pi_type == ND_OPT_PREFIX_INFORMATION &&
			o->nd_opt_pi_prefix_len == p.plen &&
			memcmp(&o->nd_opt_pi_prefix, p.addr, 16) == 0)
			return o;
	}
	return NULL;
}

START_TEST(no_adverts_unless_configured)
{
	fake_run(f, 20000);
	ck_assert_uint_eq(fake_count6(f, 1, ND_ROUTER_ADVERT, NULL), 0);
}
END_TEST

START_TEST(advertises)
{
	const struct nd_router_advert *ra;
	const struct nd_opt_prefix_info *o;
	const struct fake_frame *fr;

	ra_config(BH_RA_SEND | BH_RA_OTHER, 600);
	fake_run(f, 1000);
	fr = fake_last6(f, 1, ND_ROUTER_ADVERT, NULL);
	ck_assert_ptr_nonnull(fr);
	ra = (const void *)(fr->data + 54);
	ck_assert_uint_eq(fr->data[21], 255);
	ck_assert_uint_eq(ra->nd_ra_curhoplimit, 64);
	ck_assert_uint_eq(ra->nd_ra_flags_reserved, ND_RA_FLAG_OTHER);
	ck_assert_uint_eq(ntohs(ra->nd_ra_router_lifetime), 1800);
	ck_assert_uint_eq(ntohl(ra->nd_ra_reachable), 5000);
	o = advertised("2001:db8::/64");
	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(ntohl(o->nd_opt_pi_valid_time), BH_RA_VALID_S);
	ck_assert_uint_eq(o->nd_opt_pi_flags_reserved,
		ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO);
	ck_assert_ptr_null(advertised("fe80::/64"));
	/* The initial ones come soon, then it is quiet. */
	fake_run(f, 50000);
	ck_assert_uint_ge(fake_count6(f, 1, ND_ROUTER_ADVERT, NULL), 3);
	ck_assert_uint_eq(fake_count6(f, 2, ND_ROUTER_ADVERT, NULL), 0);
}
END_TEST

START_TEST(prefix_list)
{
	ra_config(BH_RA_SEND, 600);
	ra_prefix("2001:db8::/64", BH_RA_PREFIX_NONE);
	ra_prefix("2001:db8:f::/64", BH_RA_PREFIX_ON_LINK);
	fake_run(f, 4000);
	ck_assert_ptr_null(advertised("2001:db8::/64"));
	ck_assert_ptr_nonnull(advertised("2001:db8:f::/64"));
	ck_assert_uint_eq(ntohl(advertised("2001:db8:f::/64")->nd_opt_pi_preferred_time), 50);
	ck_assert_uint_eq(advertised("2001:db8:f::/64")->nd_opt_pi_flags_reserved,
		ND_OPT_PI_FLAG_ONLINK);
}
END_TEST

/* A flood of solicitations brings one advertisement in 3 s. */
START_TEST(solicited)
{
	struct nd_router_solicit *rs;
	struct bh_frame fr;
	unsigned int n;

	ra_config(BH_RA_SEND, 1800);
	fake_run(f, 60000);
	fake_forget(f);
	for (int i = 0; i < 300; i++) {
		rs = bh_frame_icmp6(&fr, a_mac, NULL, bh_ip6_any, bh_ip6_all_routers, false,
			sizeof(*rs));
		rs->nd_rs_type = ND_ROUTER_SOLICIT;
		bh_frame_icmp6_end(&fr);
		fake_punt(f, BH_PUNT_GROUP, 1, fr.data, fr.len);
		fake_run(f, 20);
		if (i == 30)
			ck_assert_uint_eq(fake_count6(f, 1, ND_ROUTER_ADVERT, NULL), 1);
	}
	n = fake_count6(f, 1, ND_ROUTER_ADVERT, NULL);
	ck_assert_uint_ge(n, 2);
	ck_assert_uint_le(n, 3);
}
END_TEST

/* Who ceases to advertise says so. */
START_TEST(last_advert)
{
	struct bh_ifname_key k = {"p0"};
	const struct fake_frame *fr;

	ra_config(BH_RA_SEND, 600);
	fake_run(f, 1000);
	fake_forget(f);
	fake_change(f, BH_T_CFG_RA, BH_OP_DELETE, &k, NULL);
	fr = fake_last6(f, 1, ND_ROUTER_ADVERT, NULL);
	ck_assert_ptr_nonnull(fr);
	ck_assert_uint_eq(((const struct nd_router_advert *)(fr->data + 54))->nd_ra_router_lifetime, 0);
	fake_forget(f);
	fake_run(f, 60000);
	ck_assert_uint_eq(fake_count6(f, 1, ND_ROUTER_ADVERT, NULL), 0);
}
END_TEST

/* ---- groups ---- */

/* Records of a group in the reports since the last fake_forget(), by type. */
static unsigned int
reported(const char *group, uint8_t type)
{
	unsigned int n = 0;
	uint8_t g[16];

	bh_addr_parse(group, g);
	for (unsigned int i = 0; i < f->n_frames; i++) {
		struct bh_pkt6 p;

		if (bh_pkt6_parse(f->frame[i].data, f->frame[i].len, &p) < 0 ||
			f->frame[i].ifindex != 1 || p.proto != IPPROTO_ICMPV6 || p.l4[0] != 143)
			continue;
		ck_assert(p.router_alert && bh_pkt6_icmp_sound(&p));
		ck_assert_int_eq(p.ip->ip6_hlim, 1);
		for (size_t at = 8; at + 20 <= p.l4_len; at += 20)
			n += p.l4[at] == type && memcmp(p.l4 + at + 4, g, 16) == 0;
	}
	return n;
}

START_TEST(joins_and_leaves)
{
	fake_addr(f, 1, "2001:db8::7:7/64", true);
	fake_run(f, 3000);
	ck_assert_uint_eq(reported("ff02::1:ff07:7", 4), BH_MLD_ROBUSTNESS);
	fake_addr(f, 1, "2001:db8::7:7/64", false);
	fake_run(f, 3000);
	ck_assert_uint_eq(reported("ff02::1:ff07:7", 3), BH_MLD_ROBUSTNESS);
}
END_TEST

static void
query(const char *group, uint8_t hlim)
{
	struct mld_hdr *q;
	struct bh_frame fr;
	uint8_t src[16];

	bh_addr_parse("fe80::9", src);
	q = bh_frame_icmp6(&fr, a_mac, NULL, src, bh_ip6_all_nodes, true, 28);
	q->mld_type = MLD_LISTENER_QUERY;
	q->mld_maxdelay = htons(1000);
	bh_addr_parse(group, (uint8_t *)&q->mld_addr);
	fr.data[21] = hlim;
	bh_frame_icmp6_end(&fr);
	fake_punt(f, BH_PUNT_GROUP, 1, fr.data, fr.len);
}

START_TEST(answers_queries)
{
	query("::", 1);
	fake_run(f, 1010);
	ck_assert_uint_eq(reported("ff02::1:ff00:1", 2), 1);
	ck_assert_uint_eq(reported("ff02::2", 2), 1);
	ck_assert_uint_eq(reported("ff02::1", 2), 0);
	fake_forget(f);
	query("ff02::2", 1);
	fake_run(f, 1010);
	ck_assert_uint_eq(reported("ff02::2", 2), 1);
	ck_assert_uint_eq(reported("ff02::1:ff00:1", 2), 0);
	fake_forget(f);
	query("::", 64); /* from elsewhere */
	fake_run(f, 1010);
	ck_assert_uint_eq(f->n_frames, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("addr");
	Suite *s = suite_create("stack_addr");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, addresses_become_preferred);
	tcase_add_test(tc, tentative_is_silent);
	tcase_add_test(tc, duplicate6_by_advertisement);
	tcase_add_test(tc, duplicate6_by_probe);
	tcase_add_test(tc, own_probe_looped_back);
	tcase_add_test(tc, duplicate4);
	tcase_add_test(tc, defends);
	tcase_add_test(tc, link_down_and_up);
	tcase_add_test(tc, family_off);
	tcase_add_test(tc, configured_link_local);
	tcase_add_test(tc, no_adverts_unless_configured);
	tcase_add_test(tc, advertises);
	tcase_add_test(tc, prefix_list);
	tcase_add_test(tc, solicited);
	tcase_add_test(tc, last_advert);
	tcase_add_test(tc, joins_and_leaves);
	tcase_add_test(tc, answers_queries);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
