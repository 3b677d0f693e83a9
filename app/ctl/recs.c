/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/recs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/channel/msg.h"

/* A record: the flags in 8 bytes, the key, the value at the next multiple of 8. */
#define KEY_OFF 8

static size_t
align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

void
bh_recs_init(struct bh_recs *r, size_t key_len, size_t val_len)
{
	memset(r, 0, sizeof(*r));
	r->key_len = key_len;
	r->val_len = val_len;
	r->val_off = KEY_OFF + align8(key_len);
	r->stride = r->val_off + align8(val_len);
}

void
bh_recs_free(struct bh_recs *r)
{
	free(r->mem);
	r->mem = NULL;
	r->n = r->cap = 0;
}

static int
grow(struct bh_recs *r)
{
	size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
	uint8_t *mem = realloc(r->mem, cap * r->stride);

	if (mem == NULL)
		return -ENOMEM;
	r->mem = mem;
	r->cap = cap;
	return 0;
}

int
bh_recs_add(struct bh_recs *r, uint8_t flags, const void *key, const void *val, size_t val_len)
{
	uint8_t *rec;

	if (val_len > r->val_len)
		return -EMSGSIZE;
	if (r->n == r->cap && grow(r) < 0)
		return -ENOMEM;
	rec = r->mem + r->n++ * r->stride;
	memset(rec, 0, r->stride);
	rec[0] = flags;
	memcpy(rec + KEY_OFF, key, r->key_len);
	if (val_len > 0)
		memcpy(rec + r->val_off, val, val_len);
	return 0;
}

const void *
bh_recs_key(const struct bh_recs *r, size_t i)
{
	return r->mem + i * r->stride + KEY_OFF;
}

const void *
bh_recs_val(const struct bh_recs *r, size_t i)
{
	return r->mem + i * r->stride + r->val_off;
}

bool
bh_recs_is_stale(const struct bh_recs *r, size_t i)
{
	return r->mem[i * r->stride] & BH_REC_STALE;
}

struct order {
	size_t key_len;
	int (*cmp)(const void *a, const void *b);
};

static int
compare(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	const uint8_t *ka = (const uint8_t *)a + KEY_OFF, *kb = (const uint8_t *)b + KEY_OFF;

	return o->cmp == NULL ? memcmp(ka, kb, o->key_len) : o->cmp(ka, kb);
}

void
bh_recs_sort(struct bh_recs *r, int (*cmp)(const void *key_a, const void *key_b))
{
	struct order o = {.key_len = r->key_len, .cmp = cmp};

	if (r->n > 1)
		qsort_r(r->mem, r->n, r->stride, compare, &o);
}
