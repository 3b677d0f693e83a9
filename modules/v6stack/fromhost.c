/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of the kernel's side. It is another host of ours: what it sends goes through the lookup as
 * a packet of the router itself. ARP, neighbor discovery and group reports are spoken by the
 * stack alone: the kernel's are dropped.
 */
#include <arpa/inet.h>
#include <string.h>

#include "modules/v6stack/stack.h"

#define MLD2_REPORT 143

static bool
is_control(const uint8_t *l4, size_t len)
{
	return len > 0 && ((l4[0] >= ND_ROUTER_SOLICIT && l4[0] <= ND_REDIRECT) ||
		(l4[0] >= MLD_LISTENER_QUERY && l4[0] <= MLD_LISTENER_REDUCTION) ||
		l4[0] == MLD2_REPORT);
}

void
bh_stack_from_host(struct bh_stack *s, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct bh_pkt6 p;
	uint16_t type;

	if (len < sizeof(struct ether_header))
		return;
	memcpy(&type, frame + 12, sizeof(type));
	if (type != htons(ETHERTYPE_IP) && type != htons(ETHERTYPE_IPV6))
		return;
	if (type == htons(ETHERTYPE_IPV6) && len <= sizeof(s->frame)) {
		memcpy(s->frame, frame, len);
		if (bh_pkt6_parse(s->frame, len, &p) == 0 && p.proto == IPPROTO_ICMPV6 &&
			is_control(p.l4, p.l4_len))
			return;
	}
	if (s->ops->inject(s->ctx, BH_INJECT_ROUTED, ifindex, frame, len) < 0)
		s->stats.inject_failed++;
	else
		s->stats.from_host++;
}
