/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/hash/hash.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"

uint32_t
bh_hash(uint32_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (h == 0)
		h = 2166136261u;
	while (len-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h;
}

static void
htab_grow(struct bh_htab *t)
{
	uint32_t size = t->bucket == NULL ? 64 : (t->mask + 1) * 2;
	struct bh_hnode **b = bh_must_calloc(size, sizeof(*b)), *n;
	uint32_t i;

	for (i = 0; t->bucket != NULL && i <= t->mask; i++) {
		while ((n = t->bucket[i]) != NULL) {
			t->bucket[i] = n->next;
			n->next = b[n->hash & (size - 1)];
			b[n->hash & (size - 1)] = n;
		}
	}
	free(t->bucket);
	t->bucket = b;
	t->mask = size - 1;
}

static struct bh_hnode *
htab_match(struct bh_hnode *n, uint32_t hash)
{
	while (n != NULL && n->hash != hash)
		n = n->next;
	return n;
}

struct bh_hnode *
bh_htab_first(const struct bh_htab *t, uint32_t hash)
{
	return t->bucket == NULL ? NULL : htab_match(t->bucket[hash & t->mask], hash);
}

struct bh_hnode *
bh_htab_next(const struct bh_hnode *node)
{
	return htab_match(node->next, node->hash);
}

struct bh_hnode *
bh_htab_any(const struct bh_htab *t)
{
	uint32_t i;

	for (i = 0; t->n > 0 && i <= t->mask; i++)
		if (t->bucket[i] != NULL)
			return t->bucket[i];
	return NULL;
}

void
bh_htab_insert(struct bh_htab *t, struct bh_hnode *node, uint32_t hash)
{
	struct bh_hnode **pp;

	if (t->bucket == NULL || t->n > t->mask)
		htab_grow(t);
	pp = &t->bucket[hash & t->mask];
	node->hash = hash;
	node->next = *pp;
	*pp = node;
	t->n++;
}

void
bh_htab_remove(struct bh_htab *t, struct bh_hnode *node)
{
	struct bh_hnode **pp = &t->bucket[node->hash & t->mask];

	while (*pp != node)
		pp = &(*pp)->next;
	*pp = node->next;
	t->n--;
}

void
bh_htab_fini(struct bh_htab *t)
{
	free(t->bucket);
	memset(t, 0, sizeof(*t));
}
