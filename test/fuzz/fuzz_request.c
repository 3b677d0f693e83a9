/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of every verb to every table, decoded from the input so that most of them are well
 * formed, by peers of every role; between them turns of workers, passes of main, port events,
 * departures. Each request has exactly one reply, and in the end tables, change logs and what is
 * published agree (request_check.c).
 */
#include "infobase/audit.h"
#include "test/fuzz/request_bed.h"

#define STEPS 400

static struct {
	struct bh_msg msg;
	uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];
} m;

/* ---- keys ---- */

static void
put_name(char *name, uint8_t b)
{
	name[0] = 'e';
	name[1] = '0' + (b & 7);
}

static void
put_addr(uint8_t *addr, uint8_t family, uint8_t b)
{
	const uint8_t v4[] = { 10, 0, 0 }, v6[] = { 0x20, 1, 0x0d, 0xb8 };

	if (family == 4)
		memcpy(addr, v4, sizeof(v4));
	else
		memcpy(addr, v6, sizeof(v6));
	addr[family == 4 ? 3 : 15] = b;
}

static uint8_t
family_of(uint8_t b)
{
	return b & 0x80 ? 6 : 4;
}

/* Address, length, vrf or instance; no host bits unless the last byte says so. */
static void
put_prefix(struct fuzz_in *in, uint8_t *key, unsigned int len)
{
	unsigned int plen = fuzz_u8(in) % (len * 8 + 1);

	put_addr(key, len == 4 ? 4 : 6, 0);
	key[len - 1] = fuzz_u8(in);
	key[len - 2] = fuzz_u8(in);
	for (unsigned int i = plen; i < len * 8; i++)
		key[i / 8] &= ~(0x80 >> i % 8);
	key[len] = plen;
}

static int
compare_members(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_nh_member));
}

static void
put_nexthop_key(struct fuzz_in *in, struct bh_nexthop_key *k)
{
	uint8_t b = fuzz_u8(in);

	k->type = b & 8 ? BH_NH_GROUP : BH_NH_GROUP + b % 6;
	k->n = k->type == BH_NH_ATTACHED ? 1 : k->type == BH_NH_GROUP ? 1 + (b >> 4) : 0;
	for (unsigned int i = 0; i < k->n; i++) {
		uint8_t c = fuzz_u8(in);

		k->m[i].ifindex = 1 + (c & 7);
		k->m[i].weight = 1 + (c >> 3 & 3) * 40;
		if (k->type == BH_NH_ATTACHED)
			continue;
		k->m[i].family = family_of(c);
		put_addr(k->m[i].addr, k->m[i].family, c >> 5);
	}
	qsort(k->m, k->n, sizeof(k->m[0]), compare_members);
}

static void
put_key(struct fuzz_in *in, uint16_t table, void *key)
{
	struct bh_cfg_neighbor_key *by_name = key;
	struct bh_if_addr_key *by_index = key;
	struct bh_sock_key *sock = key;
	uint8_t b;

	switch (table) {
	case BH_T_CFG_ROUTE4:
	case BH_T_ROUTE4:
		put_prefix(in, key, 4);
		return;
	case BH_T_CFG_ROUTE6:
	case BH_T_ROUTE6:
		put_prefix(in, key, 16);
		return;
	case BH_T_NEXTHOP:
		put_nexthop_key(in, key);
		return;
	}
	b = fuzz_u8(in);
	switch (table) {
	case BH_T_CFG_ADDRESS:
	case BH_T_CFG_NEIGHBOR:
		put_name(by_name->name, b);
		by_name->family = family_of(b);
		put_addr(by_name->addr, by_name->family, b >> 3 & 15);
		break;
	case BH_T_ADDRESS:
	case BH_T_NEIGHBOR:
		by_index->family = family_of(b);
		put_addr(by_index->addr, by_index->family, b >> 3 & 15);
		/* fallthrough */
	case BH_T_INTERFACE:
	case BH_T_HOSTIF:
		by_index->ifindex = 1 + (b & 7);
		break;
	case BH_T_TCP:
	case BH_T_UDP:
		sock->family = family_of(b);
		sock->lport = b;
		break;
	default:
		put_name(key, b);
		break;
	}
}

/* ---- values ---- */

static void
put_cfg_interface(uint8_t b, struct bh_cfg_interface *v)
{
	static const uint16_t mtus[] = { 0, 68, 1280, 1500, 9000, 65535, 1, 1279 };

	v->flags = b & 0x1f;
	v->mtu = mtus[b >> 5];
	if (b % 5 != 0)
		snprintf(v->device, sizeof(v->device), "net_null%u", b & 3);
}

static size_t
put_cfg_route(struct fuzz_in *in, uint8_t b, struct bh_cfg_route *v)
{
	v->type = b & 8 ? BH_NH_GROUP : BH_NH_GROUP + b % 6;
	v->n = v->type == BH_NH_GROUP ? 1 + (b >> 4) : 0;
	for (unsigned int i = 0; i < v->n; i++) {
		uint8_t c = fuzz_u8(in);

		v->hop[i].weight = c | 1;
		if (c & 2)
			put_name(v->hop[i].name, c >> 2);
		if (!(c & 2) || c & 4)
			v->hop[i].family = family_of(c);
		if (v->hop[i].family != 0)
			put_addr(v->hop[i].addr, v->hop[i].family, c);
	}
	return offsetof(struct bh_cfg_route, hop) + v->n * sizeof(v->hop[0]);
}

/* Writes a value; its length. */
static size_t
put_value(struct fuzz_in *in, uint16_t table, void *val)
{
	struct bh_neighbor *neighbor = val;
	struct bh_process *process = val;
	struct bh_cfg_neighbor *static_neighbor = val;
	struct bh_route *route = val;
	uint8_t b = fuzz_u8(in);

	switch (table) {
	case BH_T_CFG_INTERFACE:
		put_cfg_interface(b, val);
		break;
	case BH_T_CFG_ROUTE4:
	case BH_T_CFG_ROUTE6:
		return put_cfg_route(in, b, val);
	case BH_T_CFG_NEIGHBOR:
		static_neighbor->mac[0] = 2;
		static_neighbor->mac[5] = b;
		break;
	case BH_T_NEIGHBOR:
		neighbor->mac[0] = 2;
		neighbor->mac[5] = b >> 2;
		neighbor->state = b & 3;
		break;
	case BH_T_NEXTHOP:
		break;
	case BH_T_ROUTE4:
	case BH_T_ROUTE6:
		route->nh = b & 0x0f;
		route->proto = BH_RP_CONNECTED + (b >> 4 & 3);
		route->metric = b >> 6;
		break;
	case BH_T_PROCESS:
		process->state = b & 7;
		process->how = b >> 4 & 7;
		process->flags = b >> 7;
		break;
	default:
		*(uint8_t *)val = b;
		break;
	}
	return bh_schema(table)->val_min;
}

/* ---- requests ---- */

static bool
has_value(uint8_t verb)
{
	return verb == BH_V_ADD || verb == BH_V_CHANGE;
}

static bool
has_key(uint8_t verb)
{
	return has_value(verb) || verb == BH_V_DELETE || verb == BH_V_GET || verb == BH_V_LOOKUP ||
		verb == BH_V_NEXT;
}

/* How many records a walk wants. */
static void
put_count(struct fuzz_in *in)
{
	uint8_t b = fuzz_u8(in);

	m.msg.aux = (b & 0x7f) == 0x7f ? BH_NEXT_COUNT : 1u + (b & 0x7f);
	if (b & 0x80)
		m.msg.aux |= BH_NEXT_SELF;
}

/* Not so well formed. */
static void
spoil(struct fuzz_in *in, size_t *len)
{
	uint8_t what = fuzz_u8(in);

	for (unsigned int i = 0; i < (what & 3u); i++) {
		uint16_t at = fuzz_u16(in);

		m.body[at % (*len + 1)] = fuzz_u8(in);
	}
	if (what & 4)
		*len += (int8_t)fuzz_u8(in);
	if (what & 8)
		*len = fuzz_u16(in);
	if (what & 16)
		m.msg.flags = fuzz_u8(in);
	if (*len > sizeof(m.body))
		*len = *len % sizeof(m.body);
	if (what & 32) {
		size_t n = fuzz_u8(in);

		fuzz_take(in, m.body, n < *len ? n : *len);
	}
}

/* op: bits 0-3 are 0 to 7; bit 5 spoilt, bit 6 another role than the owner's, bit 7 repeated. */
static void
request(struct fuzz_in *in, uint8_t op)
{
	static uint32_t tag;
	uint8_t verb = fuzz_u8(in), peer = BH_ROLE_READER;
	uint16_t table = fuzz_u8(in) % (BH_T_MAX + 1);
	const struct bh_schema *s = bh_schema(table);
	unsigned int times = op & 0x80 ? fuzz_u8(in) : 1;
	size_t len = 0;

	memset(&m, 0, sizeof(m));
	m.msg.verb = verb % (BH_V_MAX + 1);
	m.msg.table = table;
	if (verb & 0x80) /* of a dump */
		m.msg.aux = fuzz_u8(in);
	if (m.msg.verb == BH_V_NEXT)
		put_count(in);
	if (s != NULL && s->owner != BH_ROLE_CORE)
		peer = s->owner;
	if (op & 0x40)
		peer = fuzz_u8(in) % PEERS;
	if (s != NULL && has_key(m.msg.verb)) {
		put_key(in, table, m.body);
		len = s->key_len;
	}
	if (s != NULL && has_value(m.msg.verb))
		len += put_value(in, table, m.body + len);
	if (m.msg.verb == BH_V_AUDIT) {
		m.body[0] = fuzz_u8(in) & BH_AUDIT_REPAIR;
		len = sizeof(struct bh_audit_ask);
		if (!(op & 0x40))
			peer = BH_ROLE_ADMIN;
	}
	if (op & 0x20)
		spoil(in, &len);
	m.msg.len = sizeof(m.msg) + len;
	do {
		m.msg.tag = ++tag;
		if (m.msg.verb == BH_V_WATCH || m.msg.verb == BH_V_UNWATCH)
			m.msg.tag = verb >> 4;
		bed_request(peer, &m.msg);
	} while (times-- > 1);
}

static void
step(struct fuzz_in *in)
{
	uint8_t op = fuzz_u8(in);

	switch (op & 15) {
	case 8:
		bed_turn(op >> 4);
		break;
	case 9:
		bed_main();
		break;
	case 10:
		bed_port_event(1 + (op >> 4 & 7), fuzz_u8(in));
		break;
	case 11:
		bed_peer_gone((op >> 4) % PEERS);
		break;
	case 12:
		bed.svc.peer[(op >> 4) % PEERS].event_room = (int8_t)fuzz_u8(in);
		break;
	case 13:
		bed_reader(op & 0x10);
		break;
	case 14:
		bed_answer_order(op >> 4);
		break;
	case 15: /* a little of everything */
		for (unsigned int i = 0; i <= op >> 4; i++) {
			bed_turn(i);
			bed_main();
		}
		break;
	default:
		request(in, op);
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	bed_create();
	bed_reset();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };

	for (unsigned int i = 0; i < STEPS && in.left > 0; i++)
		step(&in);
	bed_settle();
	check_invariants();
	bed_reset();
	return 0;
}
