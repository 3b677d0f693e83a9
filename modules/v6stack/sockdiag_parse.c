/* SPDX-License-Identifier: BSD-3-Clause */
#include <endian.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/sockdiag.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void
unmap(uint8_t *addr)
{
	memcpy(addr, addr + 12, 4);
	memset(addr + 4, 0, 12);
}

/* Our end mapped means that the packets are IPv4's; the other end is so too, or unspecified. */
static void
read_mapped(struct bh_sock_key *k)
{
	if (memcmp(k->laddr, mapped, sizeof(mapped)) != 0)
		return;
	k->family = BH_IP4;
	unmap(k->laddr);
	unmap(k->raddr);
}

static bool
read_row(const struct nlmsghdr *m, struct bh_sock_row *row)
{
	struct inet_diag_msg d;
	size_t len;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(d))
		return false;
	memcpy(&d, mnl_nlmsg_get_payload(m), sizeof(d));
	if (d.idiag_family != AF_INET && d.idiag_family != AF_INET6)
		return false;
	memset(row, 0, sizeof(*row));
	row->key.family = d.idiag_family == AF_INET ? BH_IP4 : BH_IP6;
	len = bh_addr_len(row->key.family);
	memcpy(row->key.laddr, d.id.idiag_src, len);
	memcpy(row->key.raddr, d.id.idiag_dst, len);
	row->key.lport = be16toh(d.id.idiag_sport);
	row->key.rport = be16toh(d.id.idiag_dport);
	row->key.ifindex = d.id.idiag_if;
	row->val.state = d.idiag_state;
	row->val.uid = d.idiag_uid;
	row->val.inode = d.idiag_inode;
	if (row->key.family == BH_IP6)
		read_mapped(&row->key);
	return true;
}

enum bh_sockdiag_end
bh_sockdiag_parse(const void *buf, size_t len, uint32_t seq, bh_sockdiag_row_fn fn, void *arg,
	uint64_t *odd)
{
	const struct nlmsghdr *m = buf;
	struct bh_sock_row row;
	int left = len;

	/* libmnl takes lengths from 2^31 for negative ones, that fit. */
	for (; mnl_nlmsg_ok(m, left) && m->nlmsg_len <= len; m = mnl_nlmsg_next(m, &left)) {
		if (m->nlmsg_seq != seq)
			continue;
		if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_OVERRUN ||
			(m->nlmsg_flags & NLM_F_DUMP_INTR))
			return BH_SOCKDIAG_BROKEN;
		if (m->nlmsg_type == NLMSG_DONE)
			return BH_SOCKDIAG_DONE;
		if (m->nlmsg_type == SOCK_DIAG_BY_FAMILY && read_row(m, &row))
			fn(arg, &row);
		else
			(*odd)++;
	}
	return left == 0 ? BH_SOCKDIAG_MORE : BH_SOCKDIAG_BROKEN;
}
