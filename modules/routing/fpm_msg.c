/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/fpm_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <libmnl/libmnl.h>

#define FPM_VERSION 1
#define FPM_NETLINK 1

#define ATTR_MAX 63
#define BIT(type) (UINT64_C(1) << (type))

/* What says where packets go, and what says nothing of that (metrics, preferred source, realm ...).
 * Encapsulation and sources are known in order to be refused by their names. */
#define ROUTE_ATTRS                                                                                \
	(BIT(RTA_DST) | BIT(RTA_SRC) | BIT(RTA_OIF) | BIT(RTA_GATEWAY) | BIT(RTA_PRIORITY) |       \
		BIT(RTA_PREFSRC) | BIT(RTA_METRICS) | BIT(RTA_MULTIPATH) | BIT(RTA_FLOW) |         \
		BIT(RTA_CACHEINFO) | BIT(RTA_TABLE) | BIT(RTA_MARK) | BIT(RTA_VIA) |               \
		BIT(RTA_PREF) | BIT(RTA_ENCAP_TYPE) | BIT(RTA_ENCAP) | BIT(RTA_EXPIRES) |          \
		BIT(RTA_PAD) | BIT(RTA_NH_ID))
#define HOP_ATTRS                                                                                  \
	(BIT(RTA_GATEWAY) | BIT(RTA_FLOW) | BIT(RTA_VIA) | BIT(RTA_ENCAP_TYPE) | BIT(RTA_ENCAP))
#define NHG_ATTRS                                                                                  \
	(BIT(NHA_ID) | BIT(NHA_GROUP) | BIT(NHA_GROUP_TYPE) | BIT(NHA_BLACKHOLE) | BIT(NHA_OIF) |  \
		BIT(NHA_GATEWAY) | BIT(NHA_ENCAP_TYPE) | BIT(NHA_ENCAP) | BIT(NHA_RES_GROUP))

/* Attributes of one level, by type; the last of a type counts, as in the kernel. */
struct attrs {
	const struct nlattr *at[ATTR_MAX + 1];
	uint64_t seen;
	bool unknown;
};

/* ---- attributes ---- */

/* False: one does not fit. */
static bool
attrs_take(struct attrs *t, const void *from, size_t len, uint64_t known)
{
	const struct nlattr *a = from;
	uint16_t type;

	memset(t, 0, sizeof(*t));
	while (len > 0) {
		if (!mnl_attr_ok(a, (int)len))
			return false;
		type = mnl_attr_get_type(a);
		if (type > ATTR_MAX || !(known & BIT(type))) {
			t->unknown = true;
		} else {
			t->at[type] = a;
			t->seen |= BIT(type);
		}
		if ((size_t)MNL_ALIGN(a->nla_len) >= len)
			return true;
		len -= MNL_ALIGN(a->nla_len);
		a = mnl_attr_next(a);
	}
	return true;
}

/* An attribute of exactly that many bytes; false: of another length. Absent: *to stays. */
static bool
attr_copy(const struct nlattr *a, void *to, size_t len)
{
	if (a == NULL)
		return true;
	if (mnl_attr_get_payload_len(a) != len)
		return false;
	memcpy(to, mnl_attr_get_payload(a), len);
	return true;
}

static uint8_t
family_of(uint8_t af)
{
	return af == AF_INET ? BH_IP4 : af == AF_INET6 ? BH_IP6 : 0;
}

static void
refuse(struct bh_fpm_msg *m, enum bh_fpm_reason reason)
{
	if (!m->refused)
		m->reason = reason;
	m->refused = true;
}

/* ---- next hops ---- */

/* The gateway of an IPv4 route in RTA_VIA may be an IPv6 one (RFC 8950). */
static bool
hop_via(struct bh_fpm_hop *h, const struct nlattr *via, uint8_t family)
{
	struct rtvia v;
	uint16_t len = mnl_attr_get_payload_len(via);

	if (len < sizeof(v))
		return false;
	memcpy(&v, mnl_attr_get_payload(via), sizeof(v));
	h->family = family_of((uint8_t)v.rtvia_family);
	if (v.rtvia_family > UINT8_MAX || h->family == 0 || len != sizeof(v) + bh_addr_len(h->family))
		return false;
	memcpy(h->addr, (const uint8_t *)mnl_attr_get_payload(via) + sizeof(v),
		bh_addr_len(h->family));
	return family == BH_IP4 || h->family == BH_IP6;
}

static bool
is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, sizeof(zero)) == 0;
}

/* Appends a hop of these attributes; its ifindex and weight are given. */
static void
hop_add(struct bh_fpm_msg *m, uint32_t ifindex, unsigned int weight, uint8_t family,
	const struct nlattr *gateway, const struct nlattr *via)
{
	struct bh_fpm_hop *h = &m->hop[m->n_hops];

	if (m->n_hops == BH_ECMP_MAX) {
		m->cut = true;
		return;
	}
	memset(h, 0, sizeof(*h));
	h->ifindex = ifindex;
	h->weight = weight > UINT8_MAX ? UINT8_MAX : (uint8_t)weight;
	if (gateway != NULL) {
		h->family = family;
		if (!attr_copy(gateway, h->addr, bh_addr_len(family)))
			refuse(m, BH_FPM_HOP);
	} else if (via != NULL && !hop_via(h, via, family)) {
		refuse(m, BH_FPM_HOP);
	}
	if (h->family == 0 && ifindex == 0)
		refuse(m, BH_FPM_NO_HOP);
	if (h->family != 0 && is_zero(h->addr))
		refuse(m, BH_FPM_HOP);
	m->n_hops++;
}

static void
decode_multipath(struct bh_fpm_msg *m, const struct nlattr *multipath)
{
	size_t left = mnl_attr_get_payload_len(multipath), step;
	const uint8_t *p = mnl_attr_get_payload(multipath);
	struct rtnexthop nh;
	struct attrs t;

	while (left > 0) {
		if (left < sizeof(nh))
			return refuse(m, BH_FPM_LENGTH);
		memcpy(&nh, p, sizeof(nh));
		if (nh.rtnh_len < sizeof(nh) || nh.rtnh_len > left ||
			!attrs_take(&t, p + sizeof(nh), nh.rtnh_len - sizeof(nh), HOP_ATTRS))
			return refuse(m, BH_FPM_LENGTH);
		if (t.seen & (BIT(RTA_ENCAP) | BIT(RTA_ENCAP_TYPE)))
			refuse(m, BH_FPM_ENCAP);
		if (t.unknown)
			refuse(m, BH_FPM_ATTRIBUTE);
		hop_add(m, (uint32_t)nh.rtnh_ifindex, nh.rtnh_hops + 1u, m->prefix.family,
			t.at[RTA_GATEWAY], t.at[RTA_VIA]);
		step = MNL_ALIGN(nh.rtnh_len);
		p += step < left ? step : left;
		left -= step < left ? step : left;
	}
	if (m->n_hops == 0)
		refuse(m, BH_FPM_NO_HOP);
}

/* ---- routes ---- */

static bool
decode_prefix(struct bh_fpm_msg *m, const struct rtmsg *r, const struct attrs *t)
{
	uint8_t family = family_of(r->rtm_family), addr[16] = {0};
	const struct nlattr *dst = t->at[RTA_DST];

	if (family == 0) {
		refuse(m, BH_FPM_FAMILY);
		return false;
	}
	if ((dst == NULL && r->rtm_dst_len != 0) || !attr_copy(dst, addr, bh_addr_len(family)) ||
		bh_prefix_make(&m->prefix, family, addr, r->rtm_dst_len) < 0) {
		refuse(m, BH_FPM_PREFIX);
		return false;
	}
	bh_prefix_mask(&m->prefix);
	m->has_prefix = true;
	return true;
}

/* The only one that zebra's default VRF has. A route of another is not of this prefix here. */
static void
check_table(struct bh_fpm_msg *m, const struct rtmsg *r, const struct attrs *t)
{
	uint32_t table = r->rtm_table;

	if (!attr_copy(t->at[RTA_TABLE], &table, sizeof(table)))
		refuse(m, BH_FPM_LENGTH);
	else if (table != RT_TABLE_MAIN && table != RT_TABLE_UNSPEC)
		refuse(m, BH_FPM_TABLE);
	else if (r->rtm_src_len != 0 || (t->seen & BIT(RTA_SRC)))
		refuse(m, BH_FPM_SOURCE);
	else
		return;
	m->has_prefix = false;
}

static uint8_t
route_type(uint8_t rtn)
{
	switch (rtn) {
	case RTN_UNICAST:
		return BH_NH_GROUP;
	case RTN_BLACKHOLE:
		return BH_NH_BLACKHOLE;
	case RTN_UNREACHABLE:
		return BH_NH_UNREACHABLE;
	case RTN_PROHIBIT:
		return BH_NH_PROHIBIT;
	default:
		return 0;
	}
}

static void
decode_hops(struct bh_fpm_msg *m, const struct attrs *t)
{
	uint32_t ifindex = 0;

	if (m->type != BH_NH_GROUP)
		return;
	if (!attr_copy(t->at[RTA_NH_ID], &m->id, sizeof(m->id)) ||
		!attr_copy(t->at[RTA_OIF], &ifindex, sizeof(ifindex)))
		refuse(m, BH_FPM_LENGTH);
	else if (m->id != 0)
		return;
	else if (t->at[RTA_MULTIPATH] != NULL)
		decode_multipath(m, t->at[RTA_MULTIPATH]);
	else
		hop_add(m, ifindex, 1, m->prefix.family, t->at[RTA_GATEWAY], t->at[RTA_VIA]);
}

static void
decode_route(struct bh_fpm_msg *m, const struct nlmsghdr *h)
{
	size_t len = mnl_nlmsg_get_payload_len(h);
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);
	struct attrs t;

	if (len < sizeof(*r) || !attrs_take(&t, r + 1, len - sizeof(*r), ROUTE_ATTRS))
		return refuse(m, BH_FPM_LENGTH);
	m->proto = r->rtm_protocol;
	if (!decode_prefix(m, r, &t))
		return;
	check_table(m, r, &t);
	if (m->kind == BH_FPM_ROUTE_DEL || m->refused)
		return;
	if (t.seen & (BIT(RTA_ENCAP) | BIT(RTA_ENCAP_TYPE)))
		refuse(m, BH_FPM_ENCAP);
	if (t.unknown)
		refuse(m, BH_FPM_ATTRIBUTE);
	m->type = route_type(r->rtm_type);
	if (m->type == 0)
		refuse(m, BH_FPM_TYPE);
	if (!attr_copy(t.at[RTA_PRIORITY], &m->metric, sizeof(m->metric)))
		refuse(m, BH_FPM_LENGTH);
	if (!m->refused)
		decode_hops(m, &t);
}

/* ---- next-hop groups ---- */

static void
decode_members(struct bh_fpm_msg *m, const struct nlattr *group)
{
	size_t n = mnl_attr_get_payload_len(group) / sizeof(struct nexthop_grp);
	const struct nexthop_grp *g = mnl_attr_get_payload(group);

	if (n == 0 || n * sizeof(*g) != mnl_attr_get_payload_len(group))
		return refuse(m, BH_FPM_GROUP);
	m->cut = n > BH_ECMP_MAX;
	for (size_t i = 0; i < n && i < BH_ECMP_MAX; i++) {
		if (g[i].id == 0 || g[i].id == m->id)
			return refuse(m, BH_FPM_GROUP);
		m->member[i].id = g[i].id;
		m->member[i].weight = g[i].weight == UINT8_MAX ? UINT8_MAX : g[i].weight + 1;
		m->n_members++;
	}
}

static void
decode_next_hop(struct bh_fpm_msg *m, const struct nhmsg *nh, const struct attrs *t)
{
	uint8_t family = family_of(nh->nh_family);
	uint32_t ifindex = 0;

	m->type = BH_NH_GROUP;
	if (t->seen & (BIT(NHA_ENCAP) | BIT(NHA_ENCAP_TYPE)))
		refuse(m, BH_FPM_ENCAP);
	else if (t->unknown)
		refuse(m, BH_FPM_ATTRIBUTE);
	else if (t->at[NHA_GROUP] != NULL)
		decode_members(m, t->at[NHA_GROUP]);
	else if (t->seen & BIT(NHA_BLACKHOLE))
		m->type = BH_NH_BLACKHOLE;
	else if (t->at[NHA_GATEWAY] != NULL && family == 0)
		refuse(m, BH_FPM_FAMILY);
	else if (!attr_copy(t->at[NHA_OIF], &ifindex, sizeof(ifindex)))
		refuse(m, BH_FPM_LENGTH);
	else
		hop_add(m, ifindex, 1, family, t->at[NHA_GATEWAY], NULL);
}

static void
decode_nhg(struct bh_fpm_msg *m, const struct nlmsghdr *h)
{
	size_t len = mnl_nlmsg_get_payload_len(h);
	const struct nhmsg *nh = mnl_nlmsg_get_payload(h);
	struct attrs t;

	if (len < sizeof(*nh) || !attrs_take(&t, nh + 1, len - sizeof(*nh), NHG_ATTRS) ||
		!attr_copy(t.at[NHA_ID], &m->id, sizeof(m->id)))
		return refuse(m, BH_FPM_LENGTH);
	m->proto = nh->nh_protocol;
	if (m->id == 0)
		refuse(m, BH_FPM_GROUP);
	else if (m->kind == BH_FPM_NHG_NEW)
		decode_next_hop(m, nh, &t);
}

/* ---- messages and frames ---- */

static uint8_t
kind_of(uint16_t type)
{
	switch (type) {
	case RTM_NEWROUTE:
		return BH_FPM_ROUTE_NEW;
	case RTM_DELROUTE:
		return BH_FPM_ROUTE_DEL;
	case RTM_NEWNEXTHOP:
		return BH_FPM_NHG_NEW;
	case RTM_DELNEXTHOP:
		return BH_FPM_NHG_DEL;
	default:
		return BH_FPM_OTHER;
	}
}

static void
decode(struct bh_fpm_msg *m, const struct nlmsghdr *h)
{
	memset(m, 0, offsetof(struct bh_fpm_msg, hop));
	m->kind = kind_of(h->nlmsg_type);
	m->port = h->nlmsg_pid;
	if (m->kind == BH_FPM_OTHER)
		refuse(m, BH_FPM_MESSAGE);
	else if (m->kind <= BH_FPM_ROUTE_DEL)
		decode_route(m, h);
	else
		decode_nhg(m, h);
}

int
bh_fpm_frame(const uint8_t *data, size_t len)
{
	unsigned int n;

	if ((len > 0 && data[0] != FPM_VERSION) || (len > 1 && data[1] != FPM_NETLINK))
		return -EBADMSG;
	if (len < BH_FPM_HEAD)
		return 0;
	n = data[2] << 8 | data[3];
	if (n < BH_FPM_HEAD)
		return -EBADMSG;
	return n <= len ? (int)n : 0;
}

/* Messages in aligned bytes. */
static int
parse_aligned(const void *payload, size_t len, bh_fpm_msg_fn fn, void *arg)
{
	const struct nlmsghdr *h = payload;
	struct bh_fpm_msg m;
	size_t step;
	int n = 0;

	while (len > 0) {
		if (len < sizeof(*h) || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
			return -EBADMSG;
		decode(&m, h);
		fn(arg, &m);
		n++;
		step = MNL_ALIGN((size_t)h->nlmsg_len);
		if (step >= len)
			break;
		len -= step;
		h = (const void *)((const uint8_t *)h + step);
	}
	return n;
}

int
bh_fpm_parse(const uint8_t *payload, size_t len, bh_fpm_msg_fn fn, void *arg)
{
	uint32_t copy[(BH_FPM_FRAME_MAX + 3) / 4];

	if ((uintptr_t)payload % sizeof(copy[0]) == 0)
		return parse_aligned(payload, len, fn, arg);
	if (len > sizeof(copy))
		return -EBADMSG;
	memcpy(copy, payload, len);
	return parse_aligned(copy, len, fn, arg);
}
