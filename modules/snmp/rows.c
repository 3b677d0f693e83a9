/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/rows.h"

#include <stdlib.h>
#include <string.h>

/* One piece of memory: links, then uint32_t id[n], then the data, aligned to 8. */
struct bh_row {
	uint32_t levels, n;
	struct bh_row *next[];
};

static uint32_t *
ids_of(struct bh_row *h)
{
	return (uint32_t *)&h->next[h->levels];
}

static size_t
data_at(uint32_t levels, uint32_t n)
{
	size_t len = sizeof(struct bh_row) + levels * sizeof(struct bh_row *) + n * sizeof(uint32_t);

	return (len + 7) & ~(size_t)7;
}

static void *
data_of(struct bh_row *h)
{
	return (uint8_t *)h + data_at(h->levels, h->n);
}

static int
compare(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb)
{
	for (uint32_t i = 0; i < na && i < nb; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (na > nb) - (na < nb);
}

int
bh_index_compare(const struct bh_index *a, const struct bh_index *b)
{
	return compare(a->id, a->n, b->id, b->n);
}

void
bh_index_add(struct bh_index *x, uint32_t id)
{
	if (x->n < BH_INDEX_MAX)
		x->id[x->n++] = id;
}

void
bh_index_octets(struct bh_index *x, const void *octets, size_t len, bool with_length)
{
	const uint8_t *p = octets;

	if (with_length)
		bh_index_add(x, (uint32_t)len);
	for (size_t i = 0; i < len; i++)
		bh_index_add(x, p[i]);
}

void
bh_index_address(struct bh_index *x, uint8_t family, const uint8_t *addr)
{
	bh_index_add(x, family == 4 ? 1 : 2); /* ipv4(1), ipv6(2) */
	bh_index_octets(x, addr, family == 4 ? 4 : 16, true);
}

void
bh_rows_init(struct bh_rows *rows, size_t data_len)
{
	*rows = (struct bh_rows){.data_len = data_len, .seed = 0x9e3779b9};
}

void
bh_rows_fini(struct bh_rows *rows)
{
	struct bh_row *r = rows->first[0], *next;

	for (; r != NULL; r = next) {
		next = r->next[0];
		free(r);
	}
	bh_rows_init(rows, rows->data_len);
}

/* The link at that level behind row `at` (NULL: the beginning). */
static struct bh_row **
link_of(struct bh_rows *rows, struct bh_row *at, unsigned int level)
{
	return at == NULL ? &rows->first[level] : &at->next[level];
}

/* The links that point to the first row that is not before x; with `behind`, that is behind it. */
static void
locate(struct bh_rows *rows, const struct bh_index *x, bool behind,
	struct bh_row **links[BH_ROWS_LEVELS])
{
	struct bh_row *at = NULL;

	for (unsigned int level = BH_ROWS_LEVELS; level-- > 0;) {
		struct bh_row **l = link_of(rows, at, level);

		while (*l != NULL) {
			struct bh_row *h = *l;

			if (compare(ids_of(h), h->n, x->id, x->n) >= (behind ? 1 : 0))
				break;
			at = *l;
			l = &h->next[level];
		}
		links[level] = l;
	}
}

static struct bh_row *
find(const struct bh_rows *rows, const struct bh_index *x)
{
	struct bh_row **links[BH_ROWS_LEVELS];
	struct bh_row *h;

	locate((struct bh_rows *)rows, x, false, links);
	h = *links[0];
	return h != NULL && compare(ids_of(h), h->n, x->id, x->n) == 0 ? h : NULL;
}

void *
bh_rows_find(const struct bh_rows *rows, const struct bh_index *x)
{
	struct bh_row *h = find(rows, x);

	return h == NULL ? NULL : data_of(h);
}

void *
bh_rows_next(const struct bh_rows *rows, const struct bh_index *x, struct bh_index *at)
{
	struct bh_row **links[BH_ROWS_LEVELS], *h = rows->first[0];

	if (x != NULL) {
		locate((struct bh_rows *)rows, x, true, links);
		h = *links[0];
	}
	if (h == NULL)
		return NULL;
	if (at != NULL) {
		at->n = h->n;
		memcpy(at->id, ids_of(h), h->n * sizeof(at->id[0]));
	}
	return data_of(h);
}

/* Each level has a quarter of the rows of the one below. */
static uint32_t
levels(struct bh_rows *rows)
{
	uint32_t n = 1;

	rows->seed = rows->seed * 1664525 + 1013904223;
	for (uint32_t r = rows->seed >> 8; n < BH_ROWS_LEVELS && (r & 3) == 0; r >>= 2)
		n++;
	return n;
}

void *
bh_rows_add(struct bh_rows *rows, const struct bh_index *x)
{
	struct bh_row **links[BH_ROWS_LEVELS];
	struct bh_row *h = find(rows, x);
	uint32_t n;

	if (h != NULL)
		return data_of(h);
	n = levels(rows);
	h = calloc(1, data_at(n, x->n) + rows->data_len);
	if (h == NULL)
		return NULL;
	h->levels = n;
	h->n = x->n;
	memcpy(ids_of(h), x->id, x->n * sizeof(x->id[0]));
	locate(rows, x, false, links);
	for (uint32_t i = 0; i < n; i++) {
		h->next[i] = *links[i];
		*links[i] = h;
	}
	rows->n++;
	return data_of(h);
}

void
bh_rows_delete(struct bh_rows *rows, const struct bh_index *x)
{
	struct bh_row **links[BH_ROWS_LEVELS];
	struct bh_row *h = find(rows, x);

	if (h == NULL)
		return;
	locate(rows, x, false, links);
	for (uint32_t i = 0; i < h->levels; i++)
		*links[i] = h->next[i];
	free(h);
	rows->n--;
}
