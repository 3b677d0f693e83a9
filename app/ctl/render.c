/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/render.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define GAP 2 /* spaces between columns */
#define JSON_FLAGS JSON_REAL_PRECISION(12)

static json_t *
row_of_array(void *ctx, size_t i)
{
	return json_incref(json_array_get(ctx, i));
}

struct bh_rows
bh_rows_of(json_t *array)
{
	return (struct bh_rows){
		.n = json_array_size(array),
		.row = row_of_array,
		.ctx = array,
	};
}

const json_t *
bh_json_at(const json_t *value, const char *path)
{
	char key[64];
	size_t n;

	while (value != NULL && *path != '\0') {
		n = strcspn(path, ".");
		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		value = json_object_get(value, key);
		path += n + (path[n] == '.');
	}
	return value;
}

static void
join(const json_t *list, char *buf, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(list) && at + 1 < len; i++) {
		if (i > 0)
			snprintf(buf + at, len - at, ", ");
		at = strlen(buf);
		if (at + 1 < len)
			bh_json_text(json_array_get(list, i), buf + at, len - at);
		at = strlen(buf);
	}
}

void
bh_json_text(const json_t *value, char *buf, size_t len)
{
	buf[0] = '\0';
	switch (value == NULL ? JSON_NULL : json_typeof(value)) {
	case JSON_STRING:
		snprintf(buf, len, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(buf, len, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(buf, len, "%.3f", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(buf, len, "%s", json_is_true(value) ? "yes" : "no");
		break;
	case JSON_ARRAY:
		join(value, buf, len);
		break;
	default:
		break;
	}
	for (char *c = buf; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (buf[0] == '\0')
		snprintf(buf, len, "-");
}

/* Columns on a terminal: bytes that do not continue a UTF-8 character. */
static size_t
text_width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* How many lines a row takes, at least one. */
static size_t
lines_of(const struct bh_view *view, const json_t *row)
{
	size_t n = view->expand == NULL ? 1
					: json_array_size(json_object_get(row, view->expand));

	return n == 0 ? 1 : n;
}

static void
cell_text(const struct bh_view *view, const struct bh_column *col, const json_t *row, size_t line,
	char *buf)
{
	const json_t *v = row;

	if (col->flags & BH_COL_SUB) {
		v = json_array_get(json_object_get(row, view->expand), line);
	} else if (line > 0) {
		buf[0] = '\0';
		return;
	}
	v = bh_json_at(v, col->path);
	if (col->cell != NULL)
		col->cell(v, buf, BH_CELL_MAX);
	else
		bh_json_text(v, buf, BH_CELL_MAX);
}

static void
measure(const struct bh_view *view, const json_t *row, size_t *width)
{
	char buf[BH_CELL_MAX];
	size_t n, lines = lines_of(view, row);

	for (size_t line = 0; line < lines; line++)
		for (size_t c = 0; view->columns[c].title != NULL; c++) {
			cell_text(view, &view->columns[c], row, line, buf);
			n = text_width(buf);
			if (n > width[c])
				width[c] = n;
		}
}

/* Prints a cell; *pad is what the ones before it left to fill, so that no line ends in spaces. */
static void
put_cell(FILE *out, const struct bh_column *col, const char *text, size_t width, size_t *pad)
{
	size_t n = text_width(text);
	size_t fill = n < width ? width - n : 0;

	if (n == 0) {
		*pad += fill + GAP;
		return;
	}
	if (col->flags & BH_COL_RIGHT)
		*pad += fill;
	fprintf(out, "%*s%s", (int)*pad, "", text);
	*pad = GAP + (col->flags & BH_COL_RIGHT ? 0 : fill);
}

static void
put_row(FILE *out, const struct bh_view *view, const json_t *row, const size_t *width)
{
	char buf[BH_CELL_MAX];
	size_t lines = lines_of(view, row);

	for (size_t line = 0; line < lines; line++) {
		size_t pad = 0;

		for (size_t c = 0; view->columns[c].title != NULL; c++) {
			cell_text(view, &view->columns[c], row, line, buf);
			put_cell(out, &view->columns[c], buf, width[c], &pad);
		}
		fputc('\n', out);
	}
}

static void
put_titles(FILE *out, const struct bh_view *view, const size_t *width)
{
	size_t pad = 0;

	for (size_t c = 0; view->columns[c].title != NULL; c++)
		put_cell(out, &view->columns[c], view->columns[c].title, width[c], &pad);
	fputc('\n', out);
}

int
bh_render_table(FILE *out, const struct bh_view *view, const struct bh_rows *rows)
{
	size_t width[BH_COL_MAX] = {0};
	json_t *row;

	if (rows->n == 0) {
		fprintf(out, "%s\n", view->none);
		return 0;
	}
	for (size_t c = 0; view->columns[c].title != NULL; c++)
		width[c] = strlen(view->columns[c].title);
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1)
			put_titles(out, view, width);
		for (size_t i = 0; i < rows->n && !ferror(out); i++) {
			row = rows->row(rows->ctx, i);
			if (row == NULL)
				return -ENOMEM;
			if (pass == 0)
				measure(view, row, width);
			else
				put_row(out, view, row, width);
			json_decref(row);
		}
	}
	return 0;
}

int
bh_render_json(FILE *out, const struct bh_view *view, const struct bh_rows *rows)
{
	json_t *row;

	fprintf(out, "{\"%s\":[", view->list);
	for (size_t i = 0; i < rows->n && !ferror(out); i++) {
		row = rows->row(rows->ctx, i);
		if (row == NULL)
			return -ENOMEM;
		fputs(i == 0 ? "\n" : ",\n", out);
		json_dumpf(row, out, JSON_FLAGS | JSON_COMPACT);
		json_decref(row);
	}
	fputs(rows->n == 0 ? "]}\n" : "\n]}\n", out);
	return 0;
}

int
bh_render_value_json(FILE *out, const json_t *value)
{
	if (value == NULL)
		return -ENOMEM;
	json_dumpf(value, out, JSON_FLAGS | JSON_INDENT(2));
	fputc('\n', out);
	return 0;
}

static void
put_members(FILE *out, const json_t *value, int depth)
{
	char buf[4096];
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)value, key, v) {
		if (json_is_object(v)) {
			fprintf(out, "%*s%s:\n", 2 * depth, "", key);
			put_members(out, v, depth + 1);
			continue;
		}
		bh_json_text(v, buf, sizeof(buf));
		fprintf(out, "%*s%s: %*s%s\n", 2 * depth, "", key,
			(int)(strlen(key) < 20 ? 20 - strlen(key) : 0), "", buf);
	}
}

void
bh_render_value(FILE *out, const json_t *value)
{
	put_members(out, value, 0);
}
