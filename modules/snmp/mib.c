/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/mib.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "modules/snmp/model.h"

/* ---- values ---- */

static bool
number(struct bh_value *v, enum bh_value_type type, uint64_t n)
{
	v->type = type;
	v->number = n;
	return true;
}

bool
bh_value_integer(struct bh_value *v, int32_t n)
{
	v->type = BH_VALUE_INTEGER;
	v->integer = n;
	return true;
}

bool
bh_value_unsigned(struct bh_value *v, uint64_t n)
{
	return number(v, BH_VALUE_UNSIGNED, n < UINT32_MAX ? n : UINT32_MAX);
}

bool
bh_value_counter32(struct bh_value *v, uint64_t n)
{
	return number(v, BH_VALUE_COUNTER32, (uint32_t)n);
}

bool
bh_value_counter64(struct bh_value *v, uint64_t n)
{
	return number(v, BH_VALUE_COUNTER64, n);
}

bool
bh_value_ticks(struct bh_value *v, uint64_t hundredths)
{
	return number(v, BH_VALUE_TICKS, (uint32_t)hundredths);
}

bool
bh_value_octets(struct bh_value *v, const void *octets, size_t len)
{
	v->type = BH_VALUE_OCTETS;
	v->octets = octets;
	v->len = len;
	return true;
}

bool
bh_value_text(struct bh_value *v, const char *text, size_t room)
{
	return bh_value_octets(v, text, strnlen(text, room));
}

bool
bh_value_truth(struct bh_value *v, bool b)
{
	return bh_value_integer(v, b ? 1 : 2);
}

bool
bh_value_date(struct bh_value *v, uint64_t s)
{
	time_t t = (time_t)s;
	struct tm tm = {0};
	uint8_t *p = (uint8_t *)v->room;

	memset(p, 0, 11);
	if (s != 0 && gmtime_r(&t, &tm) != NULL) {
		p[0] = (uint8_t)((tm.tm_year + 1900) >> 8);
		p[1] = (uint8_t)(tm.tm_year + 1900);
		p[2] = (uint8_t)(tm.tm_mon + 1);
		p[3] = (uint8_t)tm.tm_mday;
		p[4] = (uint8_t)tm.tm_hour;
		p[5] = (uint8_t)tm.tm_min;
		p[6] = (uint8_t)tm.tm_sec;
		p[8] = '+';
	}
	return bh_value_octets(v, p, 11);
}

/* ---- rows of mirrors ---- */

/* The first row that shows the index x, of those that differ in what is hidden. */
static const void *
exact(const struct bh_rows *rows, const struct bh_index *x, unsigned int hidden)
{
	struct bh_index at;
	const void *row;

	if (hidden == 0)
		return bh_rows_find(rows, x);
	row = bh_rows_next(rows, x, &at);
	if (row == NULL)
		return NULL;
	at.n -= hidden;
	return bh_index_compare(&at, x) == 0 ? row : NULL;
}

const void *
bh_mib_mirror_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x,
	bool next)
{
	const struct bh_rows *rows = &s->mirror[t->mirror].rows;
	struct bh_index at = *x;
	const void *row;

	if (!next)
		return exact(rows, x, t->hidden);
	while ((row = bh_rows_next(rows, &at, &at)) != NULL) {
		at.n -= t->hidden;
		if (bh_index_compare(&at, x) > 0)
			break;
		/* It shows what was asked from, or less: on behind all that show the same. */
		for (unsigned int i = 0; i < t->hidden; i++)
			bh_index_add(&at, UINT32_MAX);
	}
	*x = at;
	return row;
}

/* ---- objects ---- */

/* Where name stands to root.1 of a table, to root of a scalar: < 0 before, 0 in it, > 0 behind. */
static int
place(const struct bh_mib_table *t, const struct bh_oid *name, uint32_t *len)
{
	*len = t->root_len + (t->columns != NULL);
	for (uint32_t i = 0; i < *len; i++) {
		uint32_t id = i < t->root_len ? t->root[i] : 1;

		if (i == name->n)
			return -1;
		if (name->id[i] != id)
			return name->id[i] < id ? -1 : 1;
	}
	return 0;
}

static bool
has_column(const struct bh_mib_table *t, uint32_t column)
{
	for (const uint8_t *c = t->columns; *c != 0; c++)
		if (*c == column)
			return true;
	return false;
}

/* What of a name is behind `from` sub-identifiers. */
static struct bh_index
rest_of(const struct bh_oid *name, uint32_t from)
{
	struct bh_index x = {0};

	for (uint32_t i = from; i < name->n; i++)
		bh_index_add(&x, name->id[i]);
	return x;
}

int
bh_mib_get(struct bh_snmp_model *s, const struct bh_mib_table *t, const struct bh_oid *name,
	struct bh_value *v)
{
	struct bh_index x;
	const void *row;
	uint32_t len;

	if (place(t, name, &len) != 0)
		return -ENXIO;
	if (t->columns == NULL)
		return name->n == len + 1 && name->id[len] == 0 && t->value(s, NULL, NULL, 0, v)
			? 0 : -ENOENT;
	if (name->n == len || !has_column(t, name->id[len]))
		return -ENXIO;
	if (name->n - len - 1 > BH_INDEX_MAX)
		return -ENOENT;
	x = rest_of(name, len + 1);
	row = t->row(s, t, &x, false);
	return row != NULL && t->value(s, row, &x, name->id[len], v) ? 0 : -ENOENT;
}

static void
set_name(struct bh_oid *name, const struct bh_mib_table *t, uint32_t column,
	const struct bh_index *x)
{
	memcpy(name->id, t->root, t->root_len * sizeof(name->id[0]));
	name->n = t->root_len;
	if (t->columns != NULL) {
		name->id[name->n++] = 1;
		name->id[name->n++] = column;
	}
	for (uint32_t i = 0; i < x->n && name->n < BH_OID_MAX; i++)
		name->id[name->n++] = x->id[i];
}

static int
next_scalar(struct bh_snmp_model *s, const struct bh_mib_table *t, int where, uint32_t len,
	struct bh_oid *name, struct bh_value *v)
{
	static const struct bh_index zero = {.n = 1};

	if (where > 0 || (where == 0 && name->n > len) || !t->value(s, NULL, NULL, 0, v))
		return -ENOENT;
	set_name(name, t, 0, &zero);
	return 0;
}

/* The first row behind x that has a value in the column. */
static bool
next_row(struct bh_snmp_model *s, const struct bh_mib_table *t, uint32_t column, struct bh_index *x,
	struct bh_value *v)
{
	const void *row;

	while ((row = t->row(s, t, x, true)) != NULL)
		if (t->value(s, row, x, column, v))
			return true;
	return false;
}

int
bh_mib_next(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_oid *name,
	struct bh_value *v)
{
	struct bh_index x = {0};
	uint32_t len, from = 0;
	int where = place(t, name, &len);

	if (t->columns == NULL)
		return next_scalar(s, t, where, len, name, v);
	if (where > 0)
		return -ENOENT;
	if (where == 0 && name->n > len) {
		from = name->id[len];
		x = rest_of(name, len + 1);
	}
	for (const uint8_t *c = t->columns; *c != 0; c++) {
		if (*c < from)
			continue;
		if (*c > from)
			x.n = 0;
		if (next_row(s, t, *c, &x, v)) {
			set_name(name, t, *c, &x);
			return 0;
		}
	}
	return -ENOENT;
}
