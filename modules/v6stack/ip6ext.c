/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/ip6ext.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define OPT_PAD1 0
#define OPT_PADN 1
#define OPT_ROUTER_ALERT 5 /* RFC 2711 */

/* The first one counts. */
static void
judge(struct bh_ip6_walk *w, enum bh_ip6_verdict verdict, uint32_t at)
{
	if (w->verdict != BH_IP6_OK)
		return;
	w->verdict = verdict;
	w->problem = at;
}

static bool
knows_option(uint8_t type)
{
	return type == OPT_PADN || type == OPT_ROUTER_ALERT;
}

/* An option that we do not know, by what its type asks for. */
static void
unknown_option(struct bh_ip6_walk *w, const uint8_t *pkt, uint32_t at)
{
	bool group = pkt[24] == 0xff;

	switch (pkt[at] >> 6) {
	case 0: /* skip */
		break;
	case 2:
		judge(w, BH_IP6_BAD_OPTION, at);
		break;
	case 3:
		judge(w, group ? BH_IP6_DISCARD : BH_IP6_BAD_OPTION, at);
		break;
	default:
		judge(w, BH_IP6_DISCARD, at);
	}
}

static void
read_options(struct bh_ip6_walk *w, const uint8_t *pkt, uint32_t at, uint32_t end)
{
	while (at < end) {
		if (pkt[at] == OPT_PAD1) {
			at++;
			continue;
		}
		if (end - at < 2 || pkt[at + 1] > end - at - 2) {
			judge(w, BH_IP6_DISCARD, at);
			return;
		}
		if (!knows_option(pkt[at]))
			unknown_option(w, pkt, at);
		at += 2 + pkt[at + 1];
	}
}

/* Types of routing header are none of ours: with segments left it is a problem (§4.4). */
static void
read_routing(struct bh_ip6_walk *w, const uint8_t *pkt, uint32_t at)
{
	if (pkt[at + 3] != 0)
		judge(w, BH_IP6_BAD_HEADER, at + 2);
}

static void
read_fragment(struct bh_ip6_walk *w, const uint8_t *pkt, uint32_t at)
{
	uint16_t word = pkt[at + 2] << 8 | pkt[at + 3];

	w->fragment = w->fragment || (word & 0xfff9) != 0;
	w->first = w->first && word >> 3 == 0;
}

/* Bytes of the extension header at w->offset; 0: it is none. */
static size_t
header_len(const struct bh_ip6_walk *w, const uint8_t *pkt, size_t left)
{
	switch (w->proto) {
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return left < 2 ? SIZE_MAX : (pkt[w->offset + 1] + 2) * 4u;
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
	case IPPROTO_ROUTING:
		return left < 2 ? SIZE_MAX : (pkt[w->offset + 1] + 1) * 8u;
	default:
		return 0;
	}
}

static void
read_header(struct bh_ip6_walk *w, const uint8_t *pkt, size_t len)
{
	switch (w->proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		read_options(w, pkt, w->offset + 2, w->offset + len);
		break;
	case IPPROTO_ROUTING:
		read_routing(w, pkt, w->offset);
		break;
	case IPPROTO_FRAGMENT:
		read_fragment(w, pkt, w->offset);
		break;
	default: /* AH: carried along */
		break;
	}
}

int
bh_ip6_walk(const uint8_t *pkt, size_t len, struct bh_ip6_walk *w)
{
	size_t n;

	memset(w, 0, sizeof(*w));
	if (len < BH_IP6_HDR || len > UINT16_MAX + BH_IP6_HDR)
		return -EBADMSG;
	w->proto = pkt[6];
	w->nh_at = 6;
	w->offset = BH_IP6_HDR;
	w->first = true;
	for (;;) {
		if (w->proto == IPPROTO_HOPOPTS && w->offset != BH_IP6_HDR)
			return 0; /* not a header here (§4.1): an unknown transport */
		n = header_len(w, pkt, len - w->offset);
		if (n == 0)
			return 0;
		if (n > len - w->offset)
			return -EBADMSG;
		read_header(w, pkt, n);
		w->proto = pkt[w->offset];
		w->nh_at = w->offset;
		w->offset += n;
		if (!w->first)
			return 0;
	}
}
