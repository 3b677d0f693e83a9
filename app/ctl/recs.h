/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of one table as bhctl holds them between dump and print: equal strides, so that
 * 100,000 routes take a few MiB. Key and value are whole structs of the schema; what a short
 * value lacks is zero. One thread.
 */
#ifndef BH_CTL_RECS_H
#define BH_CTL_RECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bh_recs {
	size_t n, cap;
	size_t key_len, val_len; /* as given at init */
	size_t val_off, stride;
	uint8_t *mem;
};

void bh_recs_init(struct bh_recs *r, size_t key_len, size_t val_len);
void bh_recs_free(struct bh_recs *r);

/* Appends a copy; flags are BH_REC_*. 0, -ENOMEM, or -EMSGSIZE: the value is longer than ours. */
int bh_recs_add(struct bh_recs *r, uint8_t flags, const void *key, const void *val, size_t val_len);

const void *bh_recs_key(const struct bh_recs *r, size_t i);
const void *bh_recs_val(const struct bh_recs *r, size_t i);
bool bh_recs_is_stale(const struct bh_recs *r, size_t i);

/* Sorts by key; cmp NULL: bytewise, which sorts routes by prefix. */
void bh_recs_sort(struct bh_recs *r, int (*cmp)(const void *key_a, const void *key_b));

#endif
