/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_fake.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t fake_mac[3][6] = {{0}, {2, 0xbb, 0, 0, 0, 1}, {2, 0xbb, 0, 0, 0, 2}};

static int
submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct fake *f = ctx;
	struct fake_req *r = &f->req[f->n_reqs];

	(void)aux;
	if (f->n_reqs == FAKE_REQS)
		return -EAGAIN;
	ck_assert_uint_le(len, sizeof(r->body));
	f->n_reqs++;
	r->verb = verb;
	r->table = table;
	r->cb = cb;
	r->arg = arg;
	if (len > 0)
		memcpy(r->body, body, len);
	return 0;
}

static void
ready(void *ctx)
{
	((struct fake *)ctx)->n_ready++;
}

static int
inject(void *ctx, enum bh_inject how, uint32_t ifindex, const void *frame, size_t len)
{
	struct fake *f = ctx;
	struct fake_frame *to = &f->frame[f->n_frames];

	ck_assert_uint_le(len, sizeof(to->data));
	ck_assert_uint_ge(len, BH_FRAME_MIN);
	if (f->n_frames == FAKE_FRAMES)
		return -EAGAIN;
	f->n_frames++;
	to->how = how;
	to->ifindex = ifindex;
	to->len = len;
	memcpy(to->data, frame, len);
	return 0;
}

static void
to_host(void *ctx, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	(void)ifindex;
	(void)frame;
	(void)len;
	((struct fake *)ctx)->n_to_host++;
}

static const struct bh_stack_ops ops = {
	.out = {submit, ready}, .inject = inject, .to_host = to_host};

struct fake *
fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	f->now = 100000;
	bh_stack_init(&f->s, &ops, f, f->now, 4711);
	return f;
}

void
fake_free(struct fake *f)
{
	bh_stack_fini(&f->s);
	free(f);
}

static struct bh_stack_watch *
watch_of(struct fake *f, uint16_t table)
{
	for (unsigned int i = 0; i < BH_STACK_INPUTS; i++)
		if (bh_stack_table(i) == table)
			return &f->s.watch[i];
	ck_abort_msg("no input %u", table);
	return NULL;
}

void
fake_change(struct fake *f, uint16_t table, uint8_t op, const void *key, const void *val)
{
	struct bh_change c = {.table = table, .op = op, .key = key, .val = val};

	if (val != NULL)
		c.val_len = bh_schema(table)->val_max;
	bh_stack_change(watch_of(f, table), &c);
}

void
fake_link(struct fake *f, uint32_t ifindex, bool up, uint32_t flags)
{
	struct bh_interface rec = {.oper = up ? BH_OPER_UP : BH_OPER_DOWN, .flags = flags,
		.mtu = 1500, .mtu4 = 1500, .mtu6 = 1500};
	struct bh_ifindex_key key = {ifindex};

	snprintf(rec.name, sizeof(rec.name), "p%u", ifindex - 1);
	memcpy(rec.mac, fake_mac[ifindex], 6);
	fake_change(f, BH_T_INTERFACE, BH_OP_PUT, &key, &rec);
}

void
fake_inputs(struct fake *f)
{
	const uint32_t all =
		BH_IF_ENABLED | BH_IF_IPV4 | BH_IF_IPV6 | BH_IF_FORWARD4 | BH_IF_FORWARD6;

	fake_link(f, 1, true, all);
	fake_link(f, 2, true, all);
	for (unsigned int i = 0; i < BH_STACK_INPUTS; i++) {
		fake_change(f, bh_stack_table(i), BH_OP_SYNCED, NULL, NULL);
		fake_change(f, bh_stack_table(i), BH_OP_COMPLETE, NULL, NULL);
	}
}

struct fake *
fake_started(void)
{
	struct fake *f = fake_new();

	fake_addr(f, 1, "10.0.0.1/24", true);
	fake_addr(f, 1, "2001:db8::1/64", true);
	fake_addr(f, 2, "10.0.1.1/24", true);
	fake_addr(f, 2, "2001:db8:1::1/64", true);
	fake_inputs(f);
	fake_run(f, 8000);
	ck_assert_uint_eq(f->n_ready, 1);
	fake_forget(f);
	return f;
}

void
fake_addr(struct fake *f, uint32_t ifindex, const char *prefix, bool there)
{
	struct bh_cfg_address_key key = {.name = "p0"};
	struct bh_cfg_address val = {0};
	struct bh_prefix p;

	ck_assert_int_eq(bh_prefix_parse(prefix, &p), 0);
	key.name[1] += ifindex - 1;
	key.family = p.family;
	memcpy(key.addr, p.addr, 16);
	val.plen = p.plen;
	fake_change(f, BH_T_CFG_ADDRESS, there ? BH_OP_PUT : BH_OP_DELETE, &key,
		there ? &val : NULL);
}

/* ---- the info base ---- */

static struct fake_rec *
find(struct fake *f, uint16_t table, const struct bh_if_addr_key *key)
{
	for (unsigned int i = 0; i < f->n_recs; i++)
		if (f->rec[i].there && f->rec[i].table == table &&
			memcmp(&f->rec[i].key, key, sizeof(*key)) == 0)
			return &f->rec[i];
	return NULL;
}

static int
put(struct fake *f, const struct fake_req *q)
{
	const struct bh_schema *s = bh_schema(q->table);
	struct fake_rec *r;

	ck_assert(s->key_ok(q->body));
	ck_assert(s->val_ok == NULL || s->val_ok(q->body + s->key_len, s->val_max));
	if (f->refuse != 0)
		return f->refuse;
	r = find(f, q->table, (const void *)q->body);
	for (unsigned int i = 0; r == NULL && i < f->n_recs; i++)
		if (!f->rec[i].there)
			r = &f->rec[i];
	if (r == NULL) {
		ck_assert_uint_lt(f->n_recs, FAKE_RECS);
		r = &f->rec[f->n_recs++];
	}
	r->table = q->table;
	r->there = true;
	r->stale = false;
	memcpy(&r->key, q->body, s->key_len);
	memcpy(&r->address, q->body + s->key_len, s->val_max);
	return 0;
}

static int
answer(struct fake *f, const struct fake_req *q)
{
	struct fake_rec *r;

	switch (q->verb) {
	case BH_V_ADD:
		return put(f, q);
	case BH_V_DELETE:
		r = find(f, q->table, (const void *)q->body);
		if (r != NULL)
			r->there = false;
		return r != NULL ? 0 : -ENOENT;
	case BH_V_REPLAY_BEGIN:
		for (unsigned int i = 0; i < f->n_recs; i++)
			f->rec[i].stale |= f->rec[i].table == q->table;
		return 0;
	default:
		ck_assert_uint_eq(q->verb, BH_V_REPLAY_END);
		for (unsigned int i = 0; i < f->n_recs; i++)
			f->rec[i].there &= !(f->rec[i].table == q->table && f->rec[i].stale);
		return 0;
	}
}

static void
answer_all(struct fake *f)
{
	struct fake_req *q = malloc(sizeof(f->req));
	unsigned int n = f->n_reqs;

	ck_assert_ptr_nonnull(q);
	memcpy(q, f->req, n * sizeof(*q));
	f->n_reqs = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct bh_msg msg = {.verb = q[i].verb, .table = q[i].table};

		msg.status = (int16_t)answer(f, &q[i]);
		q[i].cb(q[i].arg, &msg, NULL, 0);
	}
	free(q);
}

static void
commit(struct fake *f)
{
	ck_assert_int_eq(bh_stack_commit(&f->s, f->now), 0);
	while (f->n_reqs > 0 && !f->hold_replies) {
		answer_all(f);
		ck_assert_int_eq(bh_stack_commit(&f->s, f->now), 0);
	}
}

void
fake_run(struct fake *f, uint64_t ms)
{
	uint64_t end = f->now + ms;

	commit(f);
	for (; f->now < end; commit(f))
		f->now += end - f->now < 10 ? end - f->now : 10;
}

void
fake_forget(struct fake *f)
{
	f->n_frames = 0;
}

static void
make_key(struct bh_if_addr_key *k, uint32_t ifindex, const char *addr)
{
	memset(k, 0, sizeof(*k));
	k->ifindex = ifindex;
	k->family = (uint8_t)bh_addr_parse(addr, k->addr);
	ck_assert(k->family == 4 || k->family == 6);
}

int
fake_addr_state(struct fake *f, uint32_t ifindex, const char *addr)
{
	struct bh_if_addr_key k;
	struct fake_rec *r;

	make_key(&k, ifindex, addr);
	r = find(f, BH_T_ADDRESS, &k);
	return r != NULL ? r->address.state : -1;
}

const struct bh_neighbor *
fake_neigh(struct fake *f, uint32_t ifindex, const char *addr)
{
	struct bh_if_addr_key k;
	struct fake_rec *r;

	make_key(&k, ifindex, addr);
	r = find(f, BH_T_NEIGHBOR, &k);
	return r != NULL ? &r->neighbor : NULL;
}

/* ---- frames ---- */

void
fake_punt(struct fake *f, enum bh_punt_reason why, uint32_t ifindex, const void *frame, size_t len)
{
	struct bh_punt p = {.ifindex = ifindex, .reason = why};

	bh_stack_punt(&f->s, &p, frame, len);
	commit(f);
}

void
fake_resolve(struct fake *f, uint32_t out, const char *hop)
{
	struct bh_punt p = {.ifindex = 1, .out_ifindex = out, .reason = BH_PUNT_RESOLVE};
	uint8_t frame[60] = {0};

	p.family = (uint8_t)bh_addr_parse(hop, p.hop);
	frame[12] = p.family == 4 ? 0x08 : 0x86;
	frame[13] = p.family == 4 ? 0x00 : 0xdd;
	bh_stack_punt(&f->s, &p, frame, sizeof(frame));
	commit(f);
}

void
fake_arp(struct fake *f, uint32_t ifindex, uint16_t op, const uint8_t mac[6], const char *sip,
	const char *tip)
{
	uint8_t s[16], t[16];
	struct bh_frame fr;

	bh_addr_parse(sip, s);
	bh_addr_parse(tip, t);
	bh_frame_arp(&fr, op, op == ARPOP_REPLY ? fake_mac[ifindex] : bh_mac_broadcast, mac, s,
		op == ARPOP_REPLY ? fake_mac[ifindex] : fake_mac[0], t);
	fake_punt(f, BH_PUNT_ARP, ifindex, fr.data, fr.len);
}

void
fake_ns(struct fake *f, uint32_t ifindex, const uint8_t mac[6], const char *src, const char *target)
{
	struct nd_neighbor_solicit *ns;
	uint8_t s[16], t[16], g[16];
	struct bh_frame fr;

	bh_addr_parse(src, s);
	bh_addr_parse(target, t);
	bh_ip6_solicited_node(t, g);
	ns = bh_frame_icmp6(&fr, mac, NULL, s, g, false, sizeof(*ns));
	ns->nd_ns_type = ND_NEIGHBOR_SOLICIT;
	memcpy(&ns->nd_ns_target, t, 16);
	if (memcmp(s, bh_ip6_any, 16) != 0)
		bh_frame_opt_lladdr(&fr, ND_OPT_SOURCE_LINKADDR, mac);
	bh_frame_icmp6_end(&fr);
	fake_punt(f, BH_PUNT_GROUP, ifindex, fr.data, fr.len);
}

void
fake_na(struct fake *f, uint32_t ifindex, const uint8_t mac[6], const char *target, uint32_t flags)
{
	struct nd_neighbor_advert *na;
	struct bh_frame fr;
	uint8_t t[16];

	bh_addr_parse(target, t);
	na = bh_frame_icmp6(&fr, mac, flags & ND_NA_FLAG_SOLICITED ? fake_mac[ifindex] : NULL, t,
		flags & ND_NA_FLAG_SOLICITED ? t : bh_ip6_all_nodes, false, sizeof(*na));
	na->nd_na_type = ND_NEIGHBOR_ADVERT;
	na->nd_na_flags_reserved = flags;
	memcpy(&na->nd_na_target, t, 16);
	bh_frame_opt_lladdr(&fr, ND_OPT_TARGET_LINKADDR, mac);
	bh_frame_icmp6_end(&fr);
	fake_punt(f, BH_PUNT_LOCAL, ifindex, fr.data, fr.len);
}

unsigned int
fake_count_arp(struct fake *f, uint32_t ifindex, uint16_t op, const char *tip)
{
	unsigned int n = 0;
	uint8_t t[16];

	bh_addr_parse(tip, t);
	for (unsigned int i = 0; i < f->n_frames; i++) {
		const struct ether_arp *a = bh_arp_parse(f->frame[i].data, f->frame[i].len);

		n += a != NULL && f->frame[i].ifindex == ifindex && a->arp_op == htons(op) &&
		     memcmp(a->arp_tpa, t, 4) == 0;
	}
	return n;
}

static bool
is6(const struct fake_frame *fr, uint32_t ifindex, uint8_t type, const char *target)
{
	struct bh_pkt6 p;
	uint8_t t[16];

	if (fr->ifindex != ifindex || bh_pkt6_parse(fr->data, fr->len, &p) < 0 ||
		p.proto != IPPROTO_ICMPV6 || p.l4[0] != type)
		return false;
	ck_assert(bh_pkt6_icmp_sound(&p));
	if (target == NULL)
		return true;
	bh_addr_parse(target, t);
	return p.l4_len >= 24 && memcmp(p.l4 + 8, t, 16) == 0;
}

unsigned int
fake_count6(struct fake *f, uint32_t ifindex, uint8_t type, const char *target)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->n_frames; i++)
		n += is6(&f->frame[i], ifindex, type, target);
	return n;
}

const struct fake_frame *
fake_last6(struct fake *f, uint32_t ifindex, uint8_t type, const char *target)
{
	for (unsigned int i = f->n_frames; i > 0; i--)
		if (is6(&f->frame[i - 1], ifindex, type, target))
			return &f->frame[i - 1];
	return NULL;
}

unsigned int
fake_count_how(struct fake *f, enum bh_inject how)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->n_frames; i++)
		n += f->frame[i].how == how;
	return n;
}
