/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP and UDP sockets of the router's machine: tables tcp and udp, kept by v6stack. */
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Protocol", .path = "protocol"},
	{.title = "Local address", .path = "local-address"},
	{.title = "Port", .path = "local-port", .flags = BH_COL_RIGHT},
	{.title = "Remote address", .path = "remote-address"},
	{.title = "Port", .path = "remote-port", .flags = BH_COL_RIGHT},
	{.title = "State", .path = "state"},
	{.title = "Interface", .path = "interface"},
	{.title = "UID", .path = "uid", .flags = BH_COL_RIGHT},
	{0},
};

const struct bh_view bh_view_sockets = {
	.list = "sockets",
	.none = "no sockets",
	.columns = columns,
};

/* Name of the interface whose TAP has this ifindex in the kernel; NULL: none of ours. */
static const char *
of_kernel(const struct bh_sockets_data *d, uint32_t kernel)
{
	for (size_t i = 0; kernel != 0 && i < d->hostif.n; i++) {
		const struct bh_ifindex_key *k = bh_recs_key(&d->hostif, i);
		const struct bh_hostif *v = bh_recs_val(&d->hostif, i);

		if (v->host_ifindex == kernel)
			return bh_ifname(&d->names, k->ifindex);
	}
	return NULL;
}

static json_t *
port(uint16_t n)
{
	return n == 0 ? json_null() : json_integer(n);
}

static json_t *
row(const struct bh_sockets_data *d, bool tcp, const struct bh_sock_key *k, const struct bh_sock *v)
{
	const char *name = of_kernel(d, k->ifindex);

	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:s,s:o,s:I,s:I,s:I}",
		"protocol", tcp ? "tcp" : "udp",
		"local-address", bh_ctl_json_addr(k->family, k->laddr),
		"local-port", port(k->lport),
		"remote-address", bh_ctl_json_addr(k->family, k->raddr),
		"remote-port", port(k->rport),
		"state", tcp ? bh_ctl_tcp_state_name(v->state) : bh_ctl_udp_state_name(v->state),
		"interface", name == NULL ? json_null() : bh_ctl_json_text(name, BH_NAME_LEN),
		"kernel-ifindex", (json_int_t)k->ifindex,
		"uid", (json_int_t)v->uid,
		"inode", (json_int_t)v->inode);
}

static json_t *
sockets_row(void *ctx, size_t i)
{
	const struct bh_sockets_data *d = ctx;
	bool tcp = i < d->tcp.n;
	const struct bh_recs *recs = tcp ? &d->tcp : &d->udp;
	size_t at = tcp ? i : i - d->tcp.n;

	return row(d, tcp, bh_recs_key(recs, at), bh_recs_val(recs, at));
}

/* By family, port, address: what serves stands before what it serves. */
static int
by_port(const void *a, const void *b)
{
	const struct bh_sock_key *x = a, *y = b;

	if (x->family != y->family)
		return x->family - y->family;
	if (x->lport != y->lport)
		return x->lport - y->lport;
	if (x->rport != y->rport)
		return x->rport - y->rport;
	return memcmp(x, y, sizeof(*x));
}

static int
fetch(struct bh_ctl_core *core, const char *only, struct bh_sockets_data *d)
{
	int rc = bh_ctl_fetch_ifnames(core, &d->names);

	if (rc == BH_CTL_OK)
		rc = bh_ctl_dump(core, BH_T_HOSTIF, &d->hostif);
	if (rc == BH_CTL_OK && (only == NULL || strcmp(only, "tcp") == 0))
		rc = bh_ctl_dump(core, BH_T_TCP, &d->tcp);
	if (rc == BH_CTL_OK && (only == NULL || strcmp(only, "udp") == 0))
		rc = bh_ctl_dump(core, BH_T_UDP, &d->udp);
	bh_recs_sort(&d->tcp, by_port);
	bh_recs_sort(&d->udp, by_port);
	return rc;
}

int
bh_show_sockets(struct bh_ctl_core *core, const struct bh_ctl_args *args)
{
	struct bh_sockets_data d;
	struct bh_rows rows = {.row = sockets_row, .ctx = &d};
	int rc;

	bh_recs_init(&d.tcp, sizeof(struct bh_sock_key), sizeof(struct bh_sock));
	bh_recs_init(&d.udp, sizeof(struct bh_sock_key), sizeof(struct bh_sock));
	bh_recs_init(&d.hostif, sizeof(struct bh_ifindex_key), sizeof(struct bh_hostif));
	rc = fetch(core, args->name, &d);
	rows.n = d.tcp.n + d.udp.n;
	if (rc == BH_CTL_OK)
		rc = bh_ctl_print(args, &bh_view_sockets, &rows);
	bh_recs_free(&d.tcp);
	bh_recs_free(&d.udp);
	bh_recs_free(&d.hostif);
	return rc;
}
