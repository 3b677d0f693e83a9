/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/trie.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

/* A node without data joins two branches: it always has both children. */
struct bh_trie_node {
	struct bh_trie_node *child[2];
	void *data;
	uint8_t plen;
	uint8_t addr[16];
};

static unsigned int
addr_bit(const uint8_t *addr, unsigned int i)
{
	return addr[i >> 3] >> (7 - (i & 7)) & 1;
}

/* Leading bits that a and b have in common, at most max. */
static unsigned int
addr_common(const uint8_t *a, const uint8_t *b, unsigned int max)
{
	unsigned int i, n;
	uint64_t x, y;

	for (i = 0; i < max; i += 64) {
		memcpy(&x, a + i / 8, 8);
		memcpy(&y, b + i / 8, 8);
		if (x != y) {
			n = i + __builtin_clzll(be64toh(x ^ y));
			return n < max ? n : max;
		}
	}
	return max;
}

/* Is node at or above addr/plen? */
static int
node_covers(const struct bh_trie_node *n, const uint8_t *addr, uint8_t plen)
{
	return n->plen <= plen && addr_common(n->addr, addr, n->plen) == n->plen;
}

static struct bh_trie_node *
node_new(const uint8_t *addr, uint8_t plen)
{
	struct bh_trie_node *n = bh_must_calloc(1, sizeof(*n));

	memcpy(n->addr, addr, plen / 8);
	if (plen % 8 != 0)
		n->addr[plen / 8] = addr[plen / 8] & (0xff00 >> plen % 8);
	n->plen = plen;
	return n;
}

/* Puts a new node for addr/plen in the place of n, which it does not lie below. */
static struct bh_trie_node *
node_split(struct bh_trie_node **pp, struct bh_trie_node *n, const uint8_t *addr, uint8_t plen)
{
	unsigned int c = addr_common(n->addr, addr, n->plen < plen ? n->plen : plen);
	struct bh_trie_node *leaf = node_new(addr, plen), *join = leaf;

	if (c < plen) {
		join = node_new(addr, c);
		join->child[addr_bit(addr, c)] = leaf;
	}
	join->child[addr_bit(n->addr, c)] = n;
	*pp = join;
	return leaf;
}

void **
bh_trie_insert(struct bh_trie *t, const uint8_t addr[16], uint8_t plen)
{
	struct bh_trie_node **pp = &t->root, *n;

	while ((n = *pp) != NULL && node_covers(n, addr, plen)) {
		if (n->plen == plen)
			break;
		pp = &n->child[addr_bit(addr, n->plen)];
	}
	if (n == NULL)
		*pp = n = node_new(addr, plen);
	else if (n->plen != plen || !node_covers(n, addr, plen))
		n = node_split(pp, n, addr, plen);
	if (n->data == NULL)
		t->n++;
	return &n->data;
}

void *
bh_trie_find(const struct bh_trie *t, const uint8_t addr[16], uint8_t plen)
{
	const struct bh_trie_node *n = t->root;

	while (n != NULL && node_covers(n, addr, plen)) {
		if (n->plen == plen)
			return n->data;
		n = n->child[addr_bit(addr, n->plen)];
	}
	return NULL;
}

/* Takes *pp out of the tree if it joins nothing and carries nothing. */
static void
node_prune(struct bh_trie_node **pp)
{
	struct bh_trie_node *n = *pp;

	if (n->data != NULL || (n->child[0] != NULL && n->child[1] != NULL))
		return;
	*pp = n->child[0] != NULL ? n->child[0] : n->child[1];
	free(n);
}

void *
bh_trie_remove(struct bh_trie *t, const uint8_t addr[16], uint8_t plen)
{
	struct bh_trie_node **up = NULL, **pp = &t->root, *n;
	void *data;

	while ((n = *pp) != NULL && node_covers(n, addr, plen) && n->plen != plen) {
		up = pp;
		pp = &n->child[addr_bit(addr, n->plen)];
	}
	if (n == NULL || !node_covers(n, addr, plen) || n->data == NULL)
		return NULL;
	data = n->data;
	n->data = NULL;
	t->n--;
	node_prune(pp);
	if (up != NULL)
		node_prune(up);
	return data;
}

unsigned int
bh_trie_cover(
	const struct bh_trie *t, const uint8_t addr[16], uint8_t plen, void *out[BH_TRIE_DEPTH])
{
	const struct bh_trie_node *n = t->root;
	unsigned int k = 0;

	while (n != NULL && node_covers(n, addr, plen)) {
		if (n->data != NULL)
			out[k++] = n->data;
		if (n->plen == plen)
			break;
		n = n->child[addr_bit(addr, n->plen)];
	}
	return k;
}

/* Depth is bounded by the address: 129. */
static void
node_walk(const struct bh_trie_node *n, bh_trie_fn fn, void *arg)
{
	if (n == NULL)
		return;
	if (n->data != NULL)
		fn(arg, n->data);
	node_walk(n->child[0], fn, arg);
	node_walk(n->child[1], fn, arg);
}

void
bh_trie_walk(
	const struct bh_trie *t, const uint8_t addr[16], uint8_t plen, bh_trie_fn fn, void *arg)
{
	const struct bh_trie_node *n = t->root;

	while (n != NULL && n->plen < plen && node_covers(n, addr, plen))
		n = n->child[addr_bit(addr, n->plen)];
	if (n != NULL && n->plen >= plen && addr_common(n->addr, addr, plen) == plen)
		node_walk(n, fn, arg);
}

static void
node_free(struct bh_trie_node *n)
{
	if (n == NULL)
		return;
	node_free(n->child[0]);
	node_free(n->child[1]);
	free(n);
}

void
bh_trie_fini(struct bh_trie *t)
{
	node_free(t->root);
	memset(t, 0, sizeof(*t));
}
