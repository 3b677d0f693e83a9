/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's routes: a path-compressed binary trie (PATRICIA, Morrison 1968) in one array.
 *
 * A node is a prefix with a route or one that is held, or a branching point of two children; so n
 * prefixes take less than 2n nodes. A child's prefix begins with its parent's and is longer, so a
 * node before its children, the one with bit 0 first, is the order of prefixes (rib_next()).
 *
 * Routes mostly come in order, so an insertion begins where the last one's way parts from its own:
 * the way is kept until a node is taken out. Next hops along it cannot change meanwhile, see rib_init().
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/fib/fib_priv.h"

#define RIB_MIN_CAP 256u

static unsigned int
key_bit(struct fib_key k, unsigned int at)
{
	return (at < 64 ? k.hi >> (63 - at) : k.lo >> (127 - at)) & 1;
}

/* Bits that two keys have in common from the start on. */
static unsigned int
key_common(struct fib_key a, struct fib_key b)
{
	if (a.hi != b.hi)
		return __builtin_clzll(a.hi ^ b.hi);
	if (a.lo != b.lo)
		return 64 + __builtin_clzll(a.lo ^ b.lo);
	return 128;
}

static struct fib_key
key_mask(struct fib_key k, unsigned int plen)
{
	if (plen <= 64)
		return (struct fib_key){ plen == 0 ? 0 : k.hi & ~0ull << (64 - plen), 0 };
	return (struct fib_key){ k.hi, k.lo & ~0ull << (128 - plen) };
}

void
rib_init(struct rib *rib)
{
	*rib = (struct rib){ .free = FIB_NIL, .root = FIB_NIL };
}

void
rib_fini(struct rib *rib)
{
	free(rib->node);
}

/* Room for one insertion: a node and a branching point. */
static int
rib_room(struct rib *rib)
{
	uint32_t cap = rib->cap == 0 ? RIB_MIN_CAP : rib->cap * 2;
	struct rib_node *node;

	if (rib->len + 2 <= rib->cap)
		return 0;
	node = realloc(rib->node, (size_t)cap * sizeof(*node));
	if (node == NULL)
		return -ENOMEM;
	rib->node = node;
	rib->cap = cap;
	return 0;
}

static uint32_t
node_new(struct rib *rib, struct fib_key key, uint8_t plen)
{
	uint32_t idx = rib->free;

	if (idx != FIB_NIL)
		rib->free = rib->node[idx].child[0];
	else
		idx = rib->len++;
	rib->node[idx] = (struct rib_node){
		.key = key_mask(key, plen),
		.child = { FIB_NIL, FIB_NIL },
		.plen = plen,
	};
	return idx;
}

static void
node_free(struct rib *rib, uint32_t idx)
{
	rib->node[idx].child[0] = rib->free;
	rib->free = idx;
}

/* Put a new node in front of `*link`, below which `common` bits of its prefix are shared. */
static uint32_t
insert_above(struct rib *rib, uint32_t *link, struct fib_key key, uint8_t plen, uint8_t common)
{
	uint32_t old = *link;
	uint32_t idx = node_new(rib, key, plen);
	uint32_t top = idx;

	if (common < plen) {
		top = node_new(rib, key, common);
		rib->node[top].child[key_bit(key, common)] = idx;
	}
	rib->node[top].child[key_bit(rib->node[old].key, common)] = old;
	*link = top;
	return idx;
}

/* Keeps of the last way what leads to this prefix too, and where it goes on. */
static uint32_t *
way_begin(struct rib *rib, struct fib_key key, uint8_t plen, uint32_t *inherit)
{
	unsigned int common = key_common(key, rib->last);
	struct rib_node *n;

	rib->last = key;
	for (; rib->depth > 0; rib->depth--) {
		n = &rib->node[rib->path[rib->depth - 1].idx];
		if (n->plen > common || n->plen >= plen)
			continue;
		*inherit = rib->path[rib->depth - 1].inherit;
		return &n->child[key_bit(key, n->plen)];
	}
	*inherit = BH_FIB_NONE;
	return &rib->root;
}

int
rib_insert(struct rib *rib, struct fib_key key, uint8_t plen, uint32_t *idx, uint32_t *inherit)
{
	uint32_t *link;

	if (rib_room(rib) < 0)
		return -ENOMEM;
	link = way_begin(rib, key, plen, inherit);
	while (*link != FIB_NIL) {
		struct rib_node *n = &rib->node[*link];
		unsigned int common = key_common(key, n->key);

		common = RTE_MIN(common, plen);
		if (common < n->plen) {
			*idx = insert_above(rib, link, key, plen, common);
			return 0;
		}
		if (n->plen == plen) {
			*idx = *link;
			return 0;
		}
		if (n->nh != 0)
			*inherit = n->nh;
		rib->path[rib->depth++] = (struct rib_step){ *link, *inherit };
		link = &n->child[key_bit(key, n->plen)];
	}
	*idx = *link = node_new(rib, key, plen);
	return 0;
}

uint32_t
rib_find(const struct rib *rib, struct fib_key key, uint8_t plen, uint32_t *inherit)
{
	uint32_t best = BH_FIB_NONE;
	uint32_t i = rib->root;

	while (i != FIB_NIL) {
		const struct rib_node *n = &rib->node[i];

		if (n->plen > plen || key_common(key, n->key) < n->plen)
			return FIB_NIL;
		if (n->plen == plen)
			break;
		if (n->nh != 0)
			best = n->nh;
		i = n->child[key_bit(key, n->plen)];
	}
	if (inherit != NULL)
		*inherit = best;
	return i;
}

uint32_t
rib_match(const struct rib *rib, struct fib_key key, uint8_t max)
{
	uint32_t best = FIB_NIL;
	uint32_t i = rib->root;

	while (i != FIB_NIL) {
		const struct rib_node *n = &rib->node[i];

		if (n->plen > max || key_common(key, n->key) < n->plen)
			break;
		if (n->nh != 0)
			best = i;
		if (n->plen == max)
			break;
		i = n->child[key_bit(key, n->plen)];
	}
	return best;
}

/* Replace `*link` by its only child or by nothing, if it is no route and does not branch. */
static void
splice(struct rib *rib, uint32_t *link)
{
	uint32_t idx = *link;
	struct rib_node *n = &rib->node[idx];

	if (n->nh != 0 || n->held || (n->child[0] != FIB_NIL && n->child[1] != FIB_NIL))
		return;
	*link = n->child[n->child[0] == FIB_NIL];
	node_free(rib, idx);
}

void
rib_prune(struct rib *rib, struct fib_key key, uint8_t plen)
{
	uint32_t *parent = NULL;
	uint32_t *link = &rib->root;

	rib->depth = 0;
	while (*link != FIB_NIL && rib->node[*link].plen < plen) {
		parent = link;
		link = &rib->node[*link].child[key_bit(key, rib->node[*link].plen)];
	}
	if (*link == FIB_NIL)
		return;
	splice(rib, link);
	if (parent != NULL)
		splice(rib, parent);
}

/* ---- in order ---- */

/* Subtrees that a walk has still to go through, the next one on top. */
struct todo {
	unsigned int n;
	uint32_t idx[130]; /* one a level, and one more */
};

static void
todo_push(struct todo *t, uint32_t idx)
{
	if (idx != FIB_NIL)
		t->idx[t->n++] = idx;
}

static void
todo_children(struct todo *t, const struct rib_node *n)
{
	todo_push(t, n->child[1]);
	todo_push(t, n->child[0]);
}

/* All that comes from this prefix on, itself only if `self`. */
static void
seek(const struct rib *rib, struct fib_key key, uint8_t plen, bool self, struct todo *t)
{
	uint32_t i = rib->root;

	while (i != FIB_NIL) {
		const struct rib_node *n = &rib->node[i];
		unsigned int common = key_common(key, n->key);
		unsigned int bit;

		if (common < n->plen || n->plen > plen) { /* it does not lead to the prefix */
			if (common >= plen || key_bit(key, common) == 0)
				todo_push(t, i);
			return;
		}
		if (n->plen == plen) {
			if (self)
				todo_push(t, i);
			else
				todo_children(t, n);
			return;
		}
		bit = key_bit(key, n->plen);
		if (bit == 0)
			todo_push(t, n->child[1]);
		i = n->child[bit];
	}
}

unsigned int
rib_next(const struct rib *rib, struct fib_key key, uint8_t plen, bool self, uint32_t *idx,
	unsigned int max)
{
	struct todo t = { 0 };
	unsigned int found = 0;

	seek(rib, key, plen, self, &t);
	while (t.n > 0 && found < max) {
		uint32_t i = t.idx[--t.n];
		const struct rib_node *n = &rib->node[i];

		if (n->nh != 0 || n->held)
			idx[found++] = i;
		todo_children(&t, n);
	}
	return found;
}
