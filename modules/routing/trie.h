/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A path-compressed binary trie of prefixes (Patricia, after Sklower's radix tree, USENIX
 * 1991), one pointer a prefix. Addresses are 16 bytes in network order whatever the family,
 * bits behind the prefix zero. One thread.
 */
#ifndef BH_ROUTING_TRIE_H
#define BH_ROUTING_TRIE_H

#include <stdint.h>

#define BH_TRIE_DEPTH 129 /* prefixes on one path at most: /0 .. /128 */

struct bh_trie_node;

struct bh_trie {
	struct bh_trie_node *root;
	uint32_t n; /* prefixes */
};

/* Where the pointer of that prefix lies; NULL in it when the prefix is new: the caller sets it
 * before the next call. Valid until the next insert or remove. */
void **bh_trie_insert(struct bh_trie *t, const uint8_t addr[16], uint8_t plen);

/* The pointer of exactly that prefix, or NULL. */
void *bh_trie_find(const struct bh_trie *t, const uint8_t addr[16], uint8_t plen);

/* Takes the prefix out; returns its pointer, or NULL if it was not there. */
void *bh_trie_remove(struct bh_trie *t, const uint8_t addr[16], uint8_t plen);

/* Pointers of all prefixes that cover addr/plen, itself included, shortest first. Returns how
 * many. */
unsigned int bh_trie_cover(
	const struct bh_trie *t, const uint8_t addr[16], uint8_t plen, void *out[BH_TRIE_DEPTH]);

/* Calls fn for every pointer at or below addr/plen, in order of address. fn must not change the
 * trie. */
typedef void (*bh_trie_fn)(void *arg, void *data);
void bh_trie_walk(
	const struct bh_trie *t, const uint8_t addr[16], uint8_t plen, bh_trie_fn fn, void *arg);

/* Frees the nodes; what they point to is the caller's. */
void bh_trie_fini(struct bh_trie *t);

#endif
