/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of tables in one block of memory: a header, key and value, aligned to 4. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct header {
	uint16_t table, key_len, val_len, pad;
};

static size_t
align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static bool
reserve(struct bh_records *r, size_t len)
{
	size_t size = r->size != 0 ? r->size : 65536;
	uint8_t *data;

	while (size < r->len + len)
		size *= 2;
	if (size == r->size)
		return true;
	data = realloc(r->data, size);
	if (data == NULL)
		return false;
	r->data = data;
	r->size = size;
	return true;
}

void
bh_records_add(struct bh_records *r, uint16_t table, const void *key, size_t key_len,
	const void *val, size_t val_len)
{
	struct header h = {table, (uint16_t)key_len, (uint16_t)val_len, 0};
	size_t len = sizeof(h) + align4(key_len) + align4(val_len);
	uint8_t *p;

	if (r->no_memory || !reserve(r, len)) {
		r->no_memory = true;
		return;
	}
	p = r->data + r->len;
	memset(p, 0, len);
	memcpy(p, &h, sizeof(h));
	memcpy(p + sizeof(h), key, key_len);
	memcpy(p + sizeof(h) + align4(key_len), val, val_len);
	r->len += len;
	r->n++;
}

bool
bh_records_next(const struct bh_records *r, size_t *off, struct bh_record *rec)
{
	const struct header *h;

	if (*off >= r->len)
		return false;
	h = (const void *)(r->data + *off);
	rec->table = h->table;
	rec->key_len = h->key_len;
	rec->val_len = h->val_len;
	rec->key = h + 1;
	rec->val = (const uint8_t *)(h + 1) + align4(h->key_len);
	*off += sizeof(*h) + align4(h->key_len) + align4(h->val_len);
	return true;
}

void
bh_records_free(struct bh_records *r)
{
	free(r->data);
	memset(r, 0, sizeof(*r));
}
