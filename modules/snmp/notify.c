/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log/log.h"
#include "modules/snmp/mibs.h"

#define AREA "notify"

enum kind { KIND_LINK = 1, KIND_MODULE, KIND_TABLE };

/* What was told about one of them; as it is saved, in the byte order of the machine. */
struct told {
	uint32_t kind;
	uint32_t status; /* of a link: enum bh_oper; of a module: 1 down */
	uint64_t stamp;	 /* of a module: seen_ns of the end; of ifTable: its last change */
	uint64_t digest; /* of ifTable: which rows it had */
};

struct entry {
	struct told told;
	bool saved;
	bool seen; /* it is still there */
	struct bh_snmp_key key;
};

_Static_assert(sizeof(struct told) <= sizeof(struct bh_snmp), "it fits a record");

void
bh_notify_init(struct bh_notify *n, struct bh_snmp_model *s, const struct bh_notify_ops *ops,
	void *ctx)
{
	*n = (struct bh_notify){.s = s, .ops = ops, .ctx = ctx};
	bh_rows_init(&n->told, sizeof(struct entry));
}

void
bh_notify_fini(struct bh_notify *n)
{
	bh_rows_fini(&n->told);
}

/* ---- what was told ---- */

static struct bh_index
index_of(const struct bh_snmp_key *key)
{
	struct bh_index x = {0};

	bh_index_octets(&x, key->name, strnlen(key->name, sizeof(key->name)), false);
	return x;
}

static struct bh_snmp_key
link_key(uint32_t ifindex)
{
	struct bh_snmp_key key = {0};

	snprintf(key.name, sizeof(key.name), "link %u", ifindex);
	return key;
}

static struct bh_snmp_key
module_key(const char *name)
{
	struct bh_snmp_key key = {0};

	snprintf(key.name, sizeof(key.name), "module %.15s", name);
	return key;
}

/* The entry of that key, a new one if there is none: then *fresh. NULL without memory. */
static struct entry *
entry_of(struct bh_notify *n, const struct bh_snmp_key *key, enum kind kind, bool *fresh)
{
	struct bh_index x = index_of(key);
	struct entry *e = bh_rows_find(&n->told, &x);

	*fresh = e == NULL;
	if (e == NULL) {
		e = bh_rows_add(&n->told, &x);
		if (e == NULL) {
			bh_err(AREA, "no memory for %s", key->name);
			return NULL;
		}
		e->told.kind = kind;
		e->key = *key;
	}
	e->seen = true;
	return e;
}

static bool
is_ours(const struct bh_snmp_key *key, const struct told *t)
{
	static const char *const names[] = {
		[KIND_LINK] = "link ", [KIND_MODULE] = "module ", [KIND_TABLE] = "ifTable"};

	return t->kind >= KIND_LINK && t->kind <= KIND_TABLE &&
		strncmp(key->name, names[t->kind], strlen(names[t->kind])) == 0;
}

void
bh_notify_recover(struct bh_notify *n, const struct bh_snmp_key *key, const struct bh_snmp *val)
{
	struct entry *e;
	struct told t;
	bool fresh;

	memcpy(&t, val->value, sizeof(t));
	if (!is_ours(key, &t))
		return;
	e = entry_of(n, key, t.kind, &fresh);
	if (e != NULL)
		e->told = t;
}

static void
for_each(struct bh_notify *n, void (*fn)(struct entry *e))
{
	struct bh_index x;

	for (struct entry *e = bh_rows_next(&n->told, NULL, &x); e != NULL;
		e = bh_rows_next(&n->told, &x, &x))
		fn(e);
}

static void
set_unsaved(struct entry *e)
{
	e->saved = false;
}

static void
set_unseen(struct entry *e)
{
	e->seen = false;
}

void
bh_notify_unsaved(struct bh_notify *n)
{
	for_each(n, set_unsaved);
}

static void
remember(struct entry *e, struct told t)
{
	if (memcmp(&e->told, &t, sizeof(t)) == 0)
		return;
	e->told = t;
	e->saved = false;
}

/* Saves what is not, forgets what is no more. false: not all of it. */
static bool
save_all(struct bh_notify *n)
{
	struct bh_index x;
	struct entry *e = bh_rows_next(&n->told, NULL, &x);

	for (; e != NULL; e = bh_rows_next(&n->told, &x, &x)) {
		struct bh_snmp val = {0};

		memcpy(val.value, &e->told, sizeof(e->told));
		if (e->seen && e->saved)
			continue;
		if (n->ops->save(n->ctx, &e->key, e->seen ? &val : NULL) < 0)
			return false;
		e->saved = true;
		if (!e->seen)
			bh_rows_delete(&n->told, &x);
	}
	return true;
}

/* ---- links ---- */

static struct bh_oid
column_name(const uint32_t *entry, uint32_t len, uint32_t column, const struct bh_index *x)
{
	struct bh_oid name = {.n = len};

	memcpy(name.id, entry, len * sizeof(entry[0]));
	name.id[name.n++] = column;
	for (uint32_t i = 0; i < x->n; i++)
		name.id[name.n++] = x->id[i];
	return name;
}

/* RFC 2863: linkDown(3), linkUp(4) with ifIndex, ifAdminStatus, ifOperStatus; ifName besides. */
static int
send_link(struct bh_notify *n, uint32_t ifindex, const struct bh_interface *i)
{
	static const uint32_t if_entry[] = {BH_MIB_2, 2, 2, 1};
	static const uint32_t ifx_entry[] = {BH_MIB_2, 31, 1, 1, 1};
	struct bh_oid trap = {10, {1, 3, 6, 1, 6, 3, 1, 1, 5, i->oper == BH_OPER_UP ? 4 : 3}};
	struct bh_index x = {1, {ifindex}};
	struct bh_varbind vars[4];

	vars[0].name = column_name(if_entry, 9, 1, &x);
	bh_value_integer(&vars[0].value, (int32_t)ifindex);
	vars[1].name = column_name(if_entry, 9, 7, &x);
	bh_value_integer(&vars[1].value, bh_if_admin_status(i));
	vars[2].name = column_name(if_entry, 9, 8, &x);
	bh_value_integer(&vars[2].value, bh_if_oper_status(i->oper));
	vars[3].name = column_name(ifx_entry, 10, 1, &x);
	bh_value_text(&vars[3].value, i->name, sizeof(i->name));
	return n->ops->send(n->ctx, &trap, vars, 4);
}

static void
look_at_link(struct bh_notify *n, uint32_t ifindex, const struct bh_interface *i, bool loud)
{
	struct bh_snmp_key key = link_key(ifindex);
	bool fresh;
	struct entry *e = entry_of(n, &key, KIND_LINK, &fresh);

	if (e == NULL)
		return;
	/* A link is lost or gained; from down to not present and back nothing is. */
	if (!fresh && loud && (e->told.status == BH_OPER_UP) != (i->oper == BH_OPER_UP) &&
		send_link(n, ifindex, i) < 0)
		return;
	remember(e, (struct told){.kind = KIND_LINK, .status = i->oper});
}

/* ---- modules ---- */

static int
send_module(struct bh_notify *n, const struct bh_index *x, const struct bh_process *p, bool up)
{
	static const uint32_t entry[] = {BH_BULKHEAD_MIB, 1, 2, 1};
	static const uint8_t down_columns[] = {3, 4, 5, 6, 7, 0}, up_columns[] = {3, 4, 9, 0};
	struct bh_oid trap = {10, {BH_BULKHEAD_MIB, 0, up ? 2 : 1}};
	struct bh_varbind vars[5];
	unsigned int k = 0;

	for (const uint8_t *c = up ? up_columns : down_columns; *c != 0; c++, k++) {
		vars[k].name = column_name(entry, 11, *c, x);
		bh_module_value(p, *c, &vars[k].value);
	}
	return n->ops->send(n->ctx, &trap, vars, k);
}

static void
look_at_module(struct bh_notify *n, const struct bh_ifname_key *k, const struct bh_index *x,
	const struct bh_process *p, bool loud)
{
	struct bh_snmp_key key = module_key(k->name);
	bool fresh, ready = p->state == BH_PROC_READY;
	struct entry *e = entry_of(n, &key, KIND_MODULE, &fresh);
	struct told now = {.kind = KIND_MODULE, .stamp = p->seen_ns};

	if (e == NULL)
		return;
	if (fresh || !loud) {
		remember(e, now);
		return;
	}
	if (e->told.stamp != p->seen_ns) {
		if (send_module(n, x, p, false) < 0)
			return;
		now.status = 1;
		remember(e, now);
	}
	if (e->told.status == 1 && ready && send_module(n, x, p, true) == 0)
		remember(e, (struct told){.kind = KIND_MODULE, .stamp = p->seen_ns});
}

/* ---- the rows of ifTable ---- */

static uint64_t
digest_of(const struct bh_mirror *m)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a over the ifIndexes */
	struct bh_index x;

	for (const void *row = bh_rows_next(&m->rows, NULL, &x); row != NULL;
		row = bh_rows_next(&m->rows, &x, &x))
		h = (h ^ x.id[0]) * UINT64_C(1099511628211);
	return h;
}

/* If it has the rows that it had for a predecessor, it has not changed since. */
static void
look_at_table(struct bh_notify *n)
{
	struct bh_snmp_key key = {"ifTable"};
	bool fresh;
	struct entry *e = entry_of(n, &key, KIND_TABLE, &fresh);
	uint64_t digest = digest_of(&n->s->mirror[BH_MIRROR_INTERFACE]);

	if (e == NULL)
		return;
	if (!fresh && !n->primed && e->told.digest == digest)
		n->s->if_table_change = e->told.stamp;
	remember(e, (struct told){
		.kind = KIND_TABLE, .stamp = n->s->if_table_change, .digest = digest});
}

bool
bh_notify_look(struct bh_notify *n, bool loud)
{
	const struct bh_mirror *links = &n->s->mirror[BH_MIRROR_INTERFACE];
	const struct bh_mirror *modules = &n->s->mirror[BH_MIRROR_PROCESS];
	struct bh_index x;

	for_each(n, set_unseen);
	for (const void *row = bh_rows_next(&links->rows, NULL, &x); row != NULL;
		row = bh_rows_next(&links->rows, &x, &x))
		look_at_link(n, x.id[0], bh_mirror_val(links, row), loud);
	for (const void *row = bh_rows_next(&modules->rows, NULL, &x); row != NULL;
		row = bh_rows_next(&modules->rows, &x, &x))
		look_at_module(n, bh_mirror_key(row), &x, bh_mirror_val(modules, row), loud);
	look_at_table(n);
	n->primed = true;
	return save_all(n);
}
