/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of a table in the order of their indexes, which is that of SNMP: sub-identifier by
 * sub-identifier, what is shorter first (RFC 2578 §7.7). A skip list (Pugh, CACM 1990): find, next,
 * add and delete in O(log n), for there may be many sockets. One thread.
 */
#ifndef BH_SNMP_ROWS_H
#define BH_SNMP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BH_INDEX_MAX 64  /* sub-identifiers of an index */
#define BH_ROWS_LEVELS 12

struct bh_index {
	uint32_t n;
	uint32_t id[BH_INDEX_MAX];
};

struct bh_row; /* links, index and data (rows.c) */

struct bh_rows {
	struct bh_row *first[BH_ROWS_LEVELS];
	size_t data_len; /* bytes of data of each row */
	uint32_t n;
	uint32_t seed;
};

/* data_len: bytes of a row's data, zeroed when it is added. */
void bh_rows_init(struct bh_rows *rows, size_t data_len);
void bh_rows_fini(struct bh_rows *rows);

/* < 0, 0, > 0 as a stands before, at or behind b. */
int bh_index_compare(const struct bh_index *a, const struct bh_index *b);

/* Append to an index; what does not fit any more is left out, which a longest index never meets. */
void bh_index_add(struct bh_index *x, uint32_t id);
/* Octets, one sub-identifier each, behind their number unless it is implied (RFC 2578 §7.7). */
void bh_index_octets(struct bh_index *x, const void *octets, size_t len, bool with_length);
/* InetAddressType and InetAddress (RFC 4001): family 4 or 6. */
void bh_index_address(struct bh_index *x, uint8_t family, const uint8_t *addr);

/* The data of a row; NULL: none has the index. */
void *bh_rows_find(const struct bh_rows *rows, const struct bh_index *x);
/* The first row behind x (NULL: the first of all), whose index is copied to *at (may be NULL). */
void *bh_rows_next(const struct bh_rows *rows, const struct bh_index *x, struct bh_index *at);
/* The row's data, of a new row if there is none; NULL without memory. */
void *bh_rows_add(struct bh_rows *rows, const struct bh_index *x);
/* Frees the row, if there is one. */
void bh_rows_delete(struct bh_rows *rows, const struct bh_index *x);

#endif
