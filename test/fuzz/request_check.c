/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold of the info base whenever it is at rest. */
#include <errno.h>

#include <rte_hash.h>

#include "infobase/audit.h"
#include "lib/client/bulkhead.h"
#include "test/fuzz/request_bed.h"

#define LOOKUPS 8

/* ---- messages ---- */

struct seen {
	unsigned int n;
	bool ordered; /* those of a walk must be */
	uint8_t last[BH_KEY_MAX];
};

static void
take_change(void *arg, const struct bh_change *c)
{
	const struct bh_schema *s = bh_schema(c->table);
	struct seen *seen = arg;

	if (c->key != NULL && s->key_ok != NULL)
		FUZZ_CHECK(s->key_ok(c->key));
	if (seen->ordered && c->key != NULL) {
		FUZZ_CHECK(seen->n == 0 || memcmp(seen->last, c->key, s->key_len) < 0);
		memcpy(seen->last, c->key, s->key_len);
	}
	seen->n++;
}

void
check_records(const struct bh_msg *msg)
{
	size_t len = msg->len - sizeof(*msg);
	struct seen seen = { .ordered = msg->verb == BH_V_NEXT };

	switch (msg->verb) {
	case BH_V_GET:
	case BH_V_LOOKUP:
	case BH_V_NEXT:
	case BH_V_DUMP:
	case BH_V_RECOVER:
	case BH_V_EVENT:
		FUZZ_CHECK(bh_changes(msg->table, msg + 1, len, take_change, &seen) == 0);
		break;
	default:
		return;
	}
	if (msg->verb == BH_V_GET || msg->verb == BH_V_LOOKUP)
		FUZZ_CHECK(seen.n == (msg->status == 0));
	if (msg->verb == BH_V_NEXT)
		FUZZ_CHECK(msg->status != -EIO && (seen.n > 0 || msg->status != 0 ||
			msg->aux == BH_DUMP_END));
}

/* Whatever was asked before, the FIB says what the table says. */
void
check_audit(const struct bh_msg *msg)
{
	struct bh_audit sum;

	if (msg->verb != BH_V_AUDIT || msg->status != 0)
		return;
	FUZZ_CHECK(msg->len == sizeof(*msg) + sizeof(sum));
	memcpy(&sum, msg + 1, sizeof(sum));
	FUZZ_CHECK(sum.differing == 0 && sum.repaired == 0);
	FUZZ_CHECK(sum.checked <= BH_AUDIT_BUDGET && sum.waiting <= sum.checked);
}

/* ---- tables ---- */

static unsigned int
addr_len(const struct bh_table *t)
{
	return t->schema->key_len == sizeof(struct bh_route4_key) ? 4 : 16;
}

static bool
covers(const uint8_t *key, const uint8_t *addr, unsigned int len)
{
	for (unsigned int i = 0; i < key[len]; i++)
		if ((key[i / 8] ^ addr[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* Longest match by looking at all. */
static void
check_lookup(const struct bh_table *t, const uint8_t *key)
{
	unsigned int len = addr_len(t);
	const struct bh_record *rec, *best = NULL;
	uint32_t slot = 0;

	while ((rec = bh_table_next(t, &slot)) != NULL)
		if (memcmp(rec->data + len + 2, key + len + 2, 2) == 0 &&
			covers(rec->data, key, len) &&
			(best == NULL || rec->data[len] > best->data[len]))
			best = rec;
	FUZZ_CHECK(bh_table_lookup(t, key) == best);
}

static void
check_record(const struct bh_table *t, const struct bh_record *rec)
{
	const struct bh_schema *s = t->schema;

	FUZZ_CHECK(bh_table_get(t, bh_record_key(rec)) == rec);
	FUZZ_CHECK(bh_table_at(t, rec->slot) == rec);
	FUZZ_CHECK(rec->gen > 0 && rec->gen <= t->gen && rec->epoch <= t->epoch);
	FUZZ_CHECK(rec->val_len >= s->val_min && rec->val_len <= s->val_max);
	FUZZ_CHECK(s->key_ok == NULL || s->key_ok(bh_record_key(rec)));
}

static void
check_table(const struct bh_table *t)
{
	uint32_t n = 0, stale = 0, plens = 0, slot = 0;
	const struct bh_record *rec;

	while ((rec = bh_table_next(t, &slot)) != NULL) {
		check_record(t, rec);
		if ((t->schema->flags & BH_F_LPM) && n < LOOKUPS)
			check_lookup(t, rec->data);
		n++;
		stale += bh_table_is_stale(t, rec);
	}
	FUZZ_CHECK(n == t->store.count && n <= t->schema->max && stale == t->stale);
	FUZZ_CHECK(!t->sweeping);
	for (unsigned int i = 0; i <= BH_PLEN_MAX; i++)
		plens += t->plen_count[i];
	FUZZ_CHECK(plens == (t->schema->flags & BH_F_LPM ? n : 0));
	FUZZ_CHECK(t->log.limit <= t->log.head && t->log.head - t->log.limit <= t->log.size);
	FUZZ_CHECK(bed.ib->stats->table[t->id].records == n);
	FUZZ_CHECK(bed.ib->stats->table[t->id].stale == stale);
	FUZZ_CHECK(bed.ib->stats->table[t->id].epoch == t->epoch);
}

/* ---- what is published ---- */

static void
check_interface(const struct bh_record *rec)
{
	struct bh_ifindex_key k;
	struct bh_interface v;
	const struct bh_fwd_if_copy *c;

	memcpy(&k, bh_record_key(rec), sizeof(k));
	memcpy(&v, bh_record_val(rec, bh_schema(BH_T_INTERFACE)), sizeof(v));
	c = bh_fwd_if_get(&bed.fwd.ifs[k.ifindex]);
	FUZZ_CHECK(((c->flags & BH_FWD_IF_UP) != 0) == (v.oper == BH_OPER_UP));
	FUZZ_CHECK(c->mtu == v.mtu && c->mtu4 == v.mtu4 && c->mtu6 == v.mtu6);
}

static unsigned int
count_up(const struct bh_nexthop_key *k)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < k->n; i++)
		n += (bh_fwd_if_get(&bed.fwd.ifs[k->m[i].ifindex])->flags & BH_FWD_IF_UP) != 0;
	return n;
}

static void
check_nexthop(const struct bh_record *rec)
{
	const struct bh_fwd_nh_copy *c;
	struct bh_nexthop_key k;
	struct bh_nexthop v;

	memcpy(&k, bh_record_key(rec), sizeof(k));
	memcpy(&v, bh_record_val(rec, bh_schema(BH_T_NEXTHOP)), sizeof(v));
	FUZZ_CHECK(v.id > 0 && v.id < BH_NH_MAX);
	c = bh_fwd_nh_get(&bed.fwd.nhs[v.id]);
	FUZZ_CHECK(c->type == k.type && c->n <= BH_ECMP_MAX);
	FUZZ_CHECK(v.n_live == count_up(&k));
	FUZZ_CHECK(k.type != BH_NH_GROUP || (c->n != 0) == (v.n_live != 0));
	for (unsigned int i = 0; i < c->n; i++) {
		const struct bh_adj_copy *a = bh_adj_get(&bed.fwd.adjs[c->adj[i]]);

		FUZZ_CHECK(c->adj[i] != 0 && a->state != BH_ADJ_FREE);
		FUZZ_CHECK(bh_fwd_if_get(&bed.fwd.ifs[a->ifindex])->flags & BH_FWD_IF_UP);
	}
}

static void
check_route(const struct bh_table *t, const struct bh_record *rec)
{
	const struct bh_fib *fib = addr_len(t) == 4 ? bed.fwd.fib4 : bed.fwd.fib6;
	const uint8_t *key = bh_record_key(rec);
	struct bh_route v;
	uint32_t nh = 0;
	uint8_t type;
	int rc;

	memcpy(&v, bh_record_val(rec, t->schema), sizeof(v));
	FUZZ_CHECK(v.nh > 0 && v.nh < BH_NH_MAX);
	rc = bh_fib_lookup_exact(fib, key, key[addr_len(t)], &nh);
	type = bh_fwd_nh_get(&bed.fwd.nhs[v.nh])->type;
	if (v.flags & BH_ROUTE_UNRESOLVED)
		FUZZ_CHECK(rc != 0 && (type == 0 || type == BH_FWD_NH_DEAD));
	else /* of a next hop that was deleted it stays in the FIB, and finds it dead */
		FUZZ_CHECK(rc == 0 && nh == v.nh && type != 0);
}

/* A walk is all records, by key: bytewise, vrf being 0. */
static void
check_order(const struct bh_table *t)
{
	uint8_t keys[BH_TABLE_NEXT_MAX * BH_KEY_MAX], at[BH_KEY_MAX] = { 0 };
	const unsigned int len = t->schema->key_len;
	unsigned int seen = 0;
	bool self = true;
	int n;

	do {
		n = bh_table_next_keys(t, at, self, keys, BH_TABLE_NEXT_MAX);
		FUZZ_CHECK(n >= 0 && n <= BH_TABLE_NEXT_MAX);
		for (int i = 0; i < n; i++) {
			FUZZ_CHECK(memcmp(at, keys + i * len, len) < (self ? 1 : 0));
			FUZZ_CHECK(bh_table_get(t, keys + i * len) != NULL);
			memcpy(at, keys + i * len, len);
			self = false;
		}
		seen += n;
	} while (n == BH_TABLE_NEXT_MAX);
	FUZZ_CHECK(seen == bh_table_count(t));
}

static void
check_routes(const struct bh_table *t)
{
	const struct bh_record *rec;
	uint32_t slot = 0;

	while ((rec = bh_table_next(t, &slot)) != NULL)
		check_route(t, rec);
	check_order(t);
}

static void
check_neighbor(const struct bh_record *rec)
{
	struct bh_if_addr_key k;
	struct bh_neighbor v;
	struct bh_fwd_attached_key key = { 0 };
	void *adj;

	memcpy(&k, bh_record_key(rec), sizeof(k));
	memcpy(&v, bh_record_val(rec, bh_schema(BH_T_NEIGHBOR)), sizeof(v));
	if (v.state == 0 || !bed.link->ifs[k.ifindex].wanted)
		return;
	key.ifindex = k.ifindex;
	key.family = k.family;
	memcpy(key.addr, k.addr, sizeof(key.addr));
	FUZZ_CHECK(rte_hash_lookup_data(bed.fwd.attached, &key, &adj) >= 0);
	FUZZ_CHECK(bh_adj_get(&bed.fwd.adjs[(uintptr_t)adj])->ifindex == k.ifindex);
}

static void
check_each(uint16_t table, void (*check)(const struct bh_record *rec))
{
	const struct bh_record *rec;
	uint32_t slot = 0;

	while ((rec = bh_table_next(bed.ib->tables[table], &slot)) != NULL)
		check(rec);
}

static void
check_watches(void)
{
	const struct bh_watches *ws = &bed.ib->watches;
	uint32_t used = 0, n[BH_T_MAX] = { 0 };

	for (uint32_t i = 0; i < ws->high; i++) {
		const struct bh_watch *w = &ws->all[i];

		if (w->state == BH_WATCH_FREE)
			continue;
		FUZZ_CHECK(w->state == BH_WATCH_FOLLOW);
		FUZZ_CHECK(w->pos == bed.ib->tables[w->table]->log.head);
		FUZZ_CHECK(w->told == bed.ib->tables[w->table]->complete ||
			w->table == BH_T_INTERFACE);
		used++;
		n[w->table]++;
	}
	FUZZ_CHECK(used == ws->used && memcmp(n, ws->n, sizeof(n)) == 0);
}

void
check_invariants(void)
{
	for (unsigned int t = 1; t < BH_T_MAX; t++)
		check_table(bed.ib->tables[t]);
	check_each(BH_T_INTERFACE, check_interface);
	check_each(BH_T_NEXTHOP, check_nexthop);
	check_each(BH_T_NEIGHBOR, check_neighbor);
	check_routes(bed.ib->tables[BH_T_ROUTE4]);
	check_routes(bed.ib->tables[BH_T_ROUTE6]);
	check_watches();
}

/* ---- nothing is left ---- */

static void
check_link_empty(const struct bh_link *l)
{
	uint32_t next = 0;
	const void *key;
	void *data;

	FUZZ_CHECK(l->adj_free == BH_ADJ_MAX - 1);
	for (uint32_t a = 1; a <= l->adj_top; a++)
		FUZZ_CHECK(l->adjs[a].state == BH_LADJ_FREE &&
			bh_adj_get(&bed.fwd.adjs[a])->state == BH_ADJ_FREE);
	for (uint32_t id = 1; id <= l->nh_top; id++)
		FUZZ_CHECK(l->nhs[id].state == BH_LNH_FREE);
	FUZZ_CHECK(rte_hash_iterate(bed.fwd.attached, &key, &data, &next) == -ENOENT);
	for (uint32_t i = 1; i < BH_IF_MAX; i++) {
		FUZZ_CHECK(!l->ifs[i].wanted && !l->ifs[i].ported && !l->ifs[i].detaching);
		FUZZ_CHECK(bh_fwd_if_get(&bed.fwd.ifs[i])->flags == 0);
	}
}

void
check_empty(void)
{
	const uint8_t zero[16] = { 0 };

	for (unsigned int t = 1; t < BH_T_MAX; t++)
		FUZZ_CHECK(bh_table_count(bed.ib->tables[t]) == 0);
	FUZZ_CHECK(bed.ib->watches.used == 0);
	FUZZ_CHECK(bh_fib_lookup_prefix(bed.fwd.fib4, zero, NULL, NULL, NULL) != 0);
	FUZZ_CHECK(bh_fib_lookup_prefix(bed.fwd.fib6, zero, NULL, NULL, NULL) != 0);
	check_link_empty(bed.link);
}
