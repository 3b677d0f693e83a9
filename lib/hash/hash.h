/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A chained hash table of nodes embedded in their objects; doubles when full. The caller
 * compares keys:
 *
 *	for (n = bh_htab_first(&t, hash); n != NULL; n = bh_htab_next(n))
 *		if (same(bh_container_of(n, struct x, node), key)) ...
 */
#ifndef BH_LIB_HASH_H
#define BH_LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

#define bh_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct bh_hnode {
	struct bh_hnode *next;
	uint32_t hash;
};

struct bh_htab {
	struct bh_hnode **bucket; /* mask + 1 of them; NULL: empty so far */
	uint32_t mask;
	uint32_t n;
};

/* FNV-1a over len bytes, continuing from h (0: start). */
uint32_t bh_hash(uint32_t h, const void *data, size_t len);

/* First and next node with that hash, or NULL. */
struct bh_hnode *bh_htab_first(const struct bh_htab *t, uint32_t hash);
struct bh_hnode *bh_htab_next(const struct bh_hnode *node);

/* Any node, for emptying the table; NULL when it is empty. */
struct bh_hnode *bh_htab_any(const struct bh_htab *t);

/* The node stays the caller's; it must not be in a table already. */
void bh_htab_insert(struct bh_htab *t, struct bh_hnode *node, uint32_t hash);
void bh_htab_remove(struct bh_htab *t, struct bh_hnode *node);

/* Frees the buckets; nodes are the caller's. */
void bh_htab_fini(struct bh_htab *t);

#endif
