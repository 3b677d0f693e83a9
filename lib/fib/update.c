/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building the readers' nodes from the routes.
 *
 * A change of one route (the subject) can change answers only below its prefix. fib_update() goes
 * down to the level whose stride holds the subject's last bit and paints there the slots that the
 * subject covers, from the subject's subtree of the RIB; what lies under a longer route keeps its
 * entry, so the cost is that of the region where the subject is the longest match. Levels above are
 * touched only if a child comes into being or goes.
 *
 * Nothing is published until all is built: see fib_priv.h. An error is remembered in w->err, the
 * walk ends early, and what was made is freed.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/fib/fib_priv.h"

/* The slots of one level; those of the root are live, those of a node are a copy. */
struct level {
	uint32_t *slot;
	unsigned int depth;	/* bits above */
	unsigned int end;	/* depth + stride */
	bool live;
};

static uint32_t rebuild(struct bh_fib *fib, uint32_t old, unsigned int depth, uint32_t r,
	uint32_t inherit);

static void
fail(struct fib_writer *w, int err)
{
	if (w->err == 0)
		w->err = err;
}

static bool
is_child(uint32_t entry)
{
	return (entry & FIB_CHILD) != 0;
}

int
fib_vec_reserve(struct fib_vec *v, uint32_t n, size_t size)
{
	uint32_t cap = v->cap == 0 ? 64 : v->cap;
	void *data;

	if (n <= v->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	data = realloc(v->data, cap * size);
	if (data == NULL)
		return -ENOMEM;
	v->data = data;
	v->cap = cap;
	return 0;
}

static void
note_node(struct fib_writer *w, struct fib_vec *v, uint32_t entry)
{
	if (fib_vec_reserve(v, v->len + 1, sizeof(uint32_t)) < 0) {
		fail(w, -ENOMEM);
		return;
	}
	((uint32_t *)v->data)[v->len++] = entry & ~FIB_CHILD;
}

/* Remember a store into a live entry; neighbours of equal value share a record. */
static void
note_store(struct fib_writer *w, uint32_t *where, uint32_t value)
{
	struct fib_vec *v = &w->stores;
	struct fib_store *s = v->data;

	if (v->len != 0) {
		s += v->len - 1;
		if (s->value == value && s->where + s->n == where) {
			s->n++;
			return;
		}
	}
	if (fib_vec_reserve(v, v->len + 1, sizeof(*s)) < 0) {
		fail(w, -ENOMEM);
		return;
	}
	s = v->data;
	s[v->len++] = (struct fib_store){ .where = where, .n = 1, .value = value };
}

/* A whole subtree goes out of use. */
static void
drop_tree(struct bh_fib *fib, uint32_t entry)
{
	const struct fib_node *node;
	unsigned int n;

	if (!is_child(entry))
		return;
	node = fib_node(fib->chunk, entry);
	n = __builtin_popcountll(node->runs);
	for (unsigned int i = 0; i < n; i++)
		drop_tree(fib, node->entry[i]);
	note_node(fib->w, &fib->w->stale, entry);
}

static void
expand(const struct bh_fib *fib, uint32_t entry, uint32_t slot[FIB_SLOTS])
{
	const struct fib_node *node;
	const uint32_t *e;

	if (!is_child(entry)) {
		for (unsigned int i = 0; i < FIB_SLOTS; i++)
			slot[i] = entry;
		return;
	}
	node = fib_node(fib->chunk, entry);
	e = node->entry - 1;
	for (unsigned int i = 0; i < FIB_SLOTS; i++) {
		e += node->runs >> i & 1;
		slot[i] = *e;
	}
}

static uint32_t
make_node(struct fib_writer *w, uint64_t runs, const uint32_t *entry, unsigned int n)
{
	struct fib_node *node;
	uint32_t idx;
	int rc;

	rc = fib_vec_reserve(&w->made, w->made.len + 1, sizeof(idx));
	if (rc == 0)
		rc = fib_arena_alloc(&w->arena, fib_node_order(n), w->limit, &idx);
	if (rc < 0) {
		fail(w, rc);
		return BH_FIB_NONE;
	}
	node = fib_unit(w->arena.chunk, idx);
	node->runs = runs;
	for (unsigned int i = 0; i < n; i++)
		node->entry[i] = entry[i];
	note_node(w, &w->made, idx);
	return FIB_CHILD | idx;
}

/* The entry for these slots: the old one, changed in place, if its runs still fit. */
static uint32_t
finish(struct bh_fib *fib, uint32_t old, const uint32_t slot[FIB_SLOTS])
{
	struct fib_writer *w = fib->w;
	uint32_t entry[FIB_SLOTS] = { slot[0] };
	struct fib_node *node = NULL;
	uint64_t runs = 1;
	unsigned int n = 1;

	for (unsigned int i = 1; i < FIB_SLOTS; i++) {
		if (slot[i] != slot[i - 1]) {
			runs |= 1ull << i;
			entry[n++] = slot[i];
		}
	}
	if (is_child(old)) {
		node = fib_node(fib->chunk, old);
		if (node->runs == runs) {
			for (unsigned int i = 0; i < n; i++)
				if (node->entry[i] != entry[i])
					note_store(w, &node->entry[i], entry[i]);
			return old;
		}
		note_node(w, &w->stale, old);
	}
	return n == 1 ? entry[0] : make_node(w, runs, entry, n);
}

static void
set_slot(struct fib_writer *w, const struct level *l, uint32_t i, uint32_t entry)
{
	if (l->slot[i] == entry)
		return;
	if (l->live)
		note_store(w, &l->slot[i], entry);
	else
		l->slot[i] = entry;
}

static void
paint_leaf(struct bh_fib *fib, const struct level *l, uint32_t lo, uint32_t hi, uint32_t nh)
{
	for (uint32_t i = lo; i < hi; i++) {
		drop_tree(fib, l->slot[i]);
		set_slot(fib->w, l, i, nh);
	}
}

/* Slots [lo, hi) that the RIB node takes; one if it is longer than the level. */
static void
span(const struct level *l, const struct rib_node *n, uint32_t *lo, uint32_t *hi)
{
	*lo = fib_key_bits(n->key, l->depth, l->end - l->depth);
	*hi = *lo + (n->plen < l->end ? 1u << (l->end - n->plen) : 1);
}

/* Paint slots [lo, hi): `inherit`, but for what RIB node `r` and those below it say. */
static void
paint(struct bh_fib *fib, const struct level *l, uint32_t lo, uint32_t hi, uint32_t r,
	uint32_t inherit)
{
	struct fib_writer *w = fib->w;
	const struct rib_node *n;
	uint32_t rlo, rhi, mid, nh;

	if (w->err != 0)
		return;
	if (r == FIB_NIL) {
		paint_leaf(fib, l, lo, hi, inherit);
		return;
	}
	n = &w->rib.node[r];
	nh = n->nh != 0 ? n->nh : inherit;
	span(l, n, &rlo, &rhi);
	paint_leaf(fib, l, lo, rlo, inherit);
	if (n->plen <= l->end && n->nh != 0 && r != w->subject) {
		/* A longer route: nothing changes below it. */
	} else if (n->plen < l->end) {
		mid = rlo + (rhi - rlo) / 2;
		paint(fib, l, rlo, mid, n->child[0], nh);
		paint(fib, l, mid, rhi, n->child[1], nh);
	} else if (n->plen == l->end && n->child[0] == FIB_NIL && n->child[1] == FIB_NIL) {
		paint_leaf(fib, l, rlo, rhi, nh);
	} else {
		set_slot(w, l, rlo, rebuild(fib, l->slot[rlo], l->end, r, inherit));
	}
	paint_leaf(fib, l, rhi, hi, inherit);
}

/* The entry at `depth`, once `old`, all of whose routes are RIB node `r` and those below it. */
static uint32_t
rebuild(struct bh_fib *fib, uint32_t old, unsigned int depth, uint32_t r, uint32_t inherit)
{
	uint32_t slot[FIB_SLOTS];
	struct level l = { .slot = slot, .depth = depth, .end = depth + FIB_STRIDE };

	expand(fib, old, slot);
	paint(fib, &l, 0, FIB_SLOTS, r, inherit);
	return fib->w->err == 0 ? finish(fib, old, slot) : old;
}

/* The entry at `depth`, once `old`, on the way down to the subject, which is longer. */
static uint32_t
descend(struct bh_fib *fib, uint32_t old, unsigned int depth, uint32_t inherit)
{
	struct fib_writer *w = fib->w;
	const struct rib_node *n = &w->rib.node[w->subject];
	uint32_t slot[FIB_SLOTS];
	struct level l = { .slot = slot, .depth = depth, .end = depth + FIB_STRIDE };
	struct fib_node *node;
	uint32_t lo, hi, was, now;
	uint32_t *entry;

	span(&l, n, &lo, &hi);
	if (n->plen <= l.end) {
		expand(fib, old, slot);
		paint(fib, &l, lo, hi, w->subject, inherit);
		return w->err == 0 ? finish(fib, old, slot) : old;
	}
	entry = &old;
	if (is_child(old)) {
		node = fib_node(fib->chunk, old);
		entry = &node->entry[fib_rank(node->runs, lo)];
	}
	was = *entry;
	now = descend(fib, was, l.end, inherit);
	if (now == was || w->err != 0)
		return old;
	if (is_child(now) && is_child(was)) {
		note_store(w, entry, now);
		return old;
	}
	expand(fib, old, slot);
	slot[lo] = now;
	return finish(fib, old, slot);
}

static void
descend_root(struct bh_fib *fib, uint32_t inherit)
{
	struct fib_writer *w = fib->w;
	const struct rib_node *n = &w->rib.node[w->subject];
	struct level l = { .slot = fib->root, .end = FIB_ROOT_BITS, .live = true };
	uint32_t lo, hi;

	span(&l, n, &lo, &hi);
	if (n->plen <= FIB_ROOT_BITS)
		paint(fib, &l, lo, hi, w->subject, inherit);
	else
		set_slot(w, &l, lo, descend(fib, fib->root[lo], FIB_ROOT_BITS, inherit));
}

static void
publish(struct fib_writer *w)
{
	const struct fib_store *s = w->stores.data;

	for (uint32_t i = 0; i < w->stores.len; i++)
		for (uint32_t j = 0; j < s[i].n; j++)
			__atomic_store_n(&s[i].where[j], s[i].value, __ATOMIC_RELEASE);
	fib_retire(w, w->stale.data, w->stale.len);
}

static void
abandon(struct fib_writer *w)
{
	const uint32_t *made = w->made.data;

	for (uint32_t i = 0; i < w->made.len; i++)
		fib_node_free(w, made[i]);
}

int
fib_update(struct bh_fib *fib, uint32_t idx, uint32_t inherit, uint32_t limit)
{
	struct fib_writer *w = fib->w;

	w->subject = idx;
	w->limit = limit;
	w->err = 0;
	w->stores.len = w->made.len = w->stale.len = 0;
	descend_root(fib, inherit);
	if (w->err == 0)
		w->err = fib_retire_reserve(w, w->stale.len);
	if (w->err == 0)
		publish(w);
	else
		abandon(w);
	return w->err;
}
