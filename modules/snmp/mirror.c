/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/mirror.h"

#include <string.h>

#include "lib/log/log.h"

/* The data of a row: this, the key, the value. */
struct head {
	uint32_t mark;
	uint32_t pad;
};

static size_t
key_room(const struct bh_mirror_spec *spec)
{
	return (bh_schema(spec->table)->key_len + 7u) & ~7u;
}

void
bh_mirror_init(struct bh_mirror *m, const struct bh_mirror_spec *spec, void *arg)
{
	*m = (struct bh_mirror){.spec = spec, .arg = arg};
	bh_rows_init(&m->rows,
		sizeof(struct head) + key_room(spec) + bh_schema(spec->table)->val_max);
}

void
bh_mirror_fini(struct bh_mirror *m)
{
	bh_rows_fini(&m->rows);
}

void
bh_mirror_begin(struct bh_mirror *m)
{
	m->mark++;
	m->synced = m->complete = false;
}

const void *
bh_mirror_key(const void *row)
{
	return (const struct head *)row + 1;
}

const void *
bh_mirror_val(const struct bh_mirror *m, const void *row)
{
	return (const uint8_t *)bh_mirror_key(row) + key_room(m->spec);
}

const void *
bh_mirror_get(const struct bh_mirror *m, const void *key)
{
	struct bh_index x = {0};
	const void *row;

	if (!m->spec->index(key, &x))
		return NULL;
	row = bh_rows_find(&m->rows, &x);
	return row == NULL ? NULL : bh_mirror_val(m, row);
}

static void
drop(struct bh_mirror *m, const struct bh_index *x, const void *row)
{
	if (m->spec->changed != NULL)
		m->spec->changed(m->arg, bh_mirror_key(row), bh_mirror_val(m, row), NULL);
	bh_rows_delete(&m->rows, x);
}

/* What the table does not hold any more. */
static void
sweep(struct bh_mirror *m)
{
	struct bh_index x;
	const struct head *row = bh_rows_next(&m->rows, NULL, &x);

	if (!m->synced || (m->spec->lasting && !m->complete))
		return;
	for (; row != NULL; row = bh_rows_next(&m->rows, &x, &x))
		if (row->mark != m->mark)
			drop(m, &x, row);
}

static void
put(struct bh_mirror *m, const struct bh_index *x, const struct bh_change *c)
{
	const struct bh_schema *sc = bh_schema(m->spec->table);
	struct head *row = bh_rows_find(&m->rows, x);
	const void *was = row == NULL ? NULL : bh_mirror_val(m, row);

	if (row == NULL)
		row = bh_rows_add(&m->rows, x);
	if (row == NULL) {
		m->lost = true;
		bh_err("mirror", "no memory for a record of %s", sc->name);
		return;
	}
	row->mark = m->mark;
	if (m->spec->changed != NULL)
		m->spec->changed(m->arg, c->key, was, c->val);
	memcpy(row + 1, c->key, sc->key_len);
	memcpy((void *)(uintptr_t)bh_mirror_val(m, row), c->val, sc->val_max);
}

static void
record(struct bh_mirror *m, const struct bh_change *c)
{
	struct bh_index x = {0};
	const void *row;

	if (!m->spec->index(c->key, &x))
		return;
	if (c->op == BH_OP_PUT && (m->spec->shown == NULL || m->spec->shown(c->key, c->val))) {
		put(m, &x, c);
		return;
	}
	row = bh_rows_find(&m->rows, &x);
	if (row != NULL)
		drop(m, &x, row);
}

void
bh_mirror_change(void *arg, const struct bh_change *c)
{
	struct bh_mirror *m = arg;

	switch (c->op) {
	case BH_OP_PUT:
	case BH_OP_DELETE:
		record(m, c);
		break;
	case BH_OP_SYNCED:
		m->synced = true;
		sweep(m);
		break;
	case BH_OP_COMPLETE:
		m->complete = true;
		sweep(m);
		break;
	case BH_OP_RESYNC: /* if it was complete, it still is */
		m->mark++;
		m->synced = false;
		break;
	default:
		break;
	}
}
