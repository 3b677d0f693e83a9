/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One source, two forms. What is shown is a list of JSON values, made one at a time by a row
 * function, so that a long list never exists as a whole; a view says how a row becomes
 * lines of an aligned table, and under which name the list stands in the JSON output. The
 * table asks for each row twice: once for the widths, once to print.
 */
#ifndef BH_CTL_RENDER_H
#define BH_CTL_RENDER_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#define BH_COL_RIGHT 0x1 /* align to the right */
#define BH_COL_SUB 0x2	 /* path begins at the element of the expanded list, not at the row */
#define BH_COL_MAX 20
#define BH_CELL_MAX 256

struct bh_column {
	const char *title;
	const char *path; /* keys with dots between them; "": the row or element itself */
	unsigned int flags;
	/* Text of the value (NULL: absent) for people; NULL: as it is. */
	void (*cell)(const json_t *value, char *buf, size_t len);
};

struct bh_view {
	const char *list;   /* name of the list in JSON */
	const char *none;   /* printed for an empty table */
	const char *expand; /* list in each row of which every element takes a line, or NULL */
	const struct bh_column *columns; /* up to one without title */
};

struct bh_rows {
	size_t n;
	json_t *(*row)(void *ctx, size_t i); /* a new reference; NULL: no memory */
	void *ctx;
};

/* The rows of a JSON array, which stays the caller's. */
struct bh_rows bh_rows_of(json_t *array);

/* 0 or -ENOMEM; errors of `out` are left in it. */
int bh_render_table(FILE *out, const struct bh_view *view, const struct bh_rows *rows);

/* {"<list>":[row, ...]}, one row a line. 0 or -ENOMEM. */
int bh_render_json(FILE *out, const struct bh_view *view, const struct bh_rows *rows);

/* Any value as JSON with indentation, and as "name: value" lines. 0 or -ENOMEM. */
int bh_render_value_json(FILE *out, const json_t *value);
void bh_render_value(FILE *out, const json_t *value);

/* The value at a dotted path (borrowed), or NULL. */
const json_t *bh_json_at(const json_t *value, const char *path);

/* Text of a scalar; lists are joined by ", ", what is absent, null or empty is "-". Control
 * characters become '?': names come from other processes. */
void bh_json_text(const json_t *value, char *buf, size_t len);

#endif
