/* SPDX-License-Identifier: BSD-3-Clause */
#include "fpm_util.h"

#include <check.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/net/prefix.h"
#include "lib/net/zproto.h"
#include "modules/routing/fpm_msg.h"

struct hop {
	uint8_t addr[16];
	int family; /* 0: none */
	uint32_t ifindex;
	unsigned int weight; /* 0: not said */
};

static int
af_of(int family)
{
	return family == BH_IP4 ? AF_INET : AF_INET6;
}

void
fpm_head(uint8_t *to, size_t len)
{
	len += BH_FPM_HEAD;
	to[0] = to[1] = 1;
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
}

struct nlmsghdr *
fpm_begin_route(void *to, uint16_t type, const char *prefix, uint8_t proto, uint8_t rtn)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(to);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	struct bh_prefix p;

	ck_assert_msg(bh_prefix_parse(prefix, &p) == 0, "prefix '%s'", prefix);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	r->rtm_family = (uint8_t)af_of(p.family);
	r->rtm_dst_len = p.plen;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = proto;
	r->rtm_type = rtn;
	mnl_attr_put(h, RTA_DST, bh_addr_len(p.family), p.addr);
	return h;
}

struct nlmsghdr *
fpm_begin_nh(void *to, uint16_t type, uint32_t id, uint8_t af)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(to);
	struct nhmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	n->nh_family = af;
	n->nh_protocol = 11;
	mnl_attr_put_u32(h, NHA_ID, id);
	return h;
}

/* ---- words ---- */

static struct hop
parse_hop(char *word)
{
	char *star = strchr(word, '*'), *at = strchr(word, '@');
	struct hop h = {0};

	if (star != NULL) {
		*star = '\0';
		h.weight = (unsigned int)atoi(star + 1);
	}
	if (at != NULL) {
		*at = '\0';
		h.ifindex = (uint32_t)atoi(at + 1);
	}
	if (*word != '\0') {
		h.family = bh_addr_parse(word, h.addr);
		ck_assert_msg(h.family > 0, "address '%s'", word);
	}
	return h;
}

static void
put_gateway(struct nlmsghdr *h, int family, const struct hop *hop)
{
	uint8_t via[18];
	uint16_t af = (uint16_t)af_of(hop->family);

	if (hop->family == 0)
		return;
	if (hop->family == family) {
		mnl_attr_put(h, RTA_GATEWAY, bh_addr_len(hop->family), hop->addr);
		return;
	}
	memcpy(via, &af, 2);
	memcpy(via + 2, hop->addr, bh_addr_len(hop->family));
	mnl_attr_put(h, RTA_VIA, 2 + bh_addr_len(hop->family), via);
}

static void
put_multipath(struct nlmsghdr *h, int family, const struct hop *hops, unsigned int n)
{
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_MULTIPATH);

	nest->nla_type = RTA_MULTIPATH;
	for (unsigned int i = 0; i < n; i++) {
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(h);
		struct rtnexthop head = {.rtnh_ifindex = (int)hops[i].ifindex,
			.rtnh_hops = (unsigned char)(hops[i].weight > 0 ? hops[i].weight - 1 : 0)};

		h->nlmsg_len += sizeof(head);
		put_gateway(h, family, &hops[i]);
		head.rtnh_len = (unsigned short)((char *)mnl_nlmsg_get_payload_tail(h) - (char *)nh);
		memcpy(nh, &head, sizeof(head));
	}
	mnl_attr_nest_end(h, nest);
}

static uint8_t
proto_of(const char *name)
{
	int proto = strcmp(name, "kernel") == 0 ? RTPROT_KERNEL : bh_zproto_find(name);

	ck_assert_msg(proto >= 0, "protocol '%s'", name);
	return (uint8_t)proto;
}

static uint8_t
special_of(const char *word)
{
	return strcmp(word, "blackhole") == 0 ? RTN_BLACKHOLE :
		strcmp(word, "unreachable") == 0 ? RTN_UNREACHABLE :
		strcmp(word, "prohibit") == 0 ? RTN_PROHIBIT : 0;
}

static void
put_route(void *to, char **word, unsigned int n)
{
	bool del = word[0][0] == '-';
	uint8_t special = n == 3 ? special_of(word[2]) : 0;
	struct hop hops[64];
	struct nlmsghdr *h;
	int family = strchr(word[1], ':') == NULL ? BH_IP4 : BH_IP6;

	h = fpm_begin_route(to, del ? RTM_DELROUTE : RTM_NEWROUTE, word[1], proto_of(word[0] + del),
		del ? 0 : special != 0 ? special : RTN_UNICAST);
	mnl_attr_put_u32(h, RTA_PRIORITY, 20);
	if (del || special != 0)
		return;
	if (n == 4 && strcmp(word[2], "id") == 0) {
		mnl_attr_put_u32(h, RTA_NH_ID, (uint32_t)atoi(word[3]));
		return;
	}
	for (unsigned int i = 2; i < n; i++)
		hops[i - 2] = parse_hop(word[i]);
	if (n != 3 || hops[0].weight != 0) {
		put_multipath(h, family, hops, n - 2);
		return;
	}
	put_gateway(h, family, &hops[0]);
	if (hops[0].ifindex != 0)
		mnl_attr_put_u32(h, RTA_OIF, hops[0].ifindex);
}

static void
put_nh(void *to, char **word, unsigned int n)
{
	bool del = word[0][0] == '-';
	bool special = n == 3 && special_of(word[2]) != 0;
	struct hop hop = {0};
	struct nlmsghdr *h;

	if (!del && !special)
		hop = parse_hop(word[2]);
	h = fpm_begin_nh(to, del ? RTM_DELNEXTHOP : RTM_NEWNEXTHOP, (uint32_t)atoi(word[1]),
		hop.family != 0 ? (uint8_t)af_of(hop.family) : AF_UNSPEC);
	if (special)
		mnl_attr_put(h, NHA_BLACKHOLE, 0, NULL);
	if (hop.family != 0)
		mnl_attr_put(h, NHA_GATEWAY, bh_addr_len((uint8_t)hop.family), hop.addr);
	if (hop.ifindex != 0)
		mnl_attr_put_u32(h, NHA_OIF, hop.ifindex);
}

static void
put_group(void *to, char **word, unsigned int n)
{
	struct nlmsghdr *h = fpm_begin_nh(to, RTM_NEWNEXTHOP, (uint32_t)atoi(word[1]), AF_UNSPEC);
	struct nexthop_grp g[64] = {0};

	for (unsigned int i = 2; i < n; i++) {
		char *star = strchr(word[i], '*');

		g[i - 2].id = (uint32_t)atoi(word[i]);
		g[i - 2].weight = (uint8_t)(star != NULL ? atoi(star + 1) - 1 : 0);
	}
	mnl_attr_put(h, NHA_GROUP, (n - 2) * sizeof(g[0]), g);
}

static size_t
put_statement(uint8_t *to, char *text, uint32_t port)
{
	struct nlmsghdr *h = (void *)to;
	char *word[68], *save = NULL;
	unsigned int n = 0;

	for (char *w = strtok_r(text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	if (n == 0)
		return 0;
	if (strcmp(word[0], "nh") == 0 || strcmp(word[0], "-nh") == 0)
		put_nh(to, word, n);
	else if (strcmp(word[0], "group") == 0)
		put_group(to, word, n);
	else
		put_route(to, word, n);
	h->nlmsg_pid = port;
	return MNL_ALIGN(h->nlmsg_len);
}

size_t
fpm_messages(uint8_t *to, const char *words, uint32_t port)
{
	char *copy = strdup(words), *save = NULL;
	size_t len = 0;

	for (char *s = strtok_r(copy, ";", &save); s != NULL; s = strtok_r(NULL, ";", &save))
		len += put_statement(to + len, s, port);
	free(copy);
	return len;
}

size_t
fpm_frame(uint8_t *to, const char *words, uint32_t port)
{
	size_t len = fpm_messages(to + BH_FPM_HEAD, words, port);

	fpm_head(to, len);
	return len + BH_FPM_HEAD;
}
