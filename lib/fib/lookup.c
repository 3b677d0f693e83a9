/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The readers' side: root entry by the first 18 bits, then six bits a node until an entry is no
 * child. What is left of the address is kept shifted to the top of a word, so a step needs no
 * depth; past the end of the address zeros come in, as the writer assumes.
 *
 * Bulk lookups walk LANES addresses in step, so that their cache misses overlap: each round takes
 * every lane that is still at a child down by one node and prefetches the next. Which lanes those
 * are is kept in a list, not found by branches, which random addresses would mispredict. Entries
 * are loaded with acquire: a node's content was stored before its index was released.
 */
#include <endian.h>
#include <string.h>

#include <rte_prefetch.h>

#include "lib/fib/fib_priv.h"

#define LANES 32u

static inline uint32_t
load_entry(const uint32_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

static inline uint32_t
node_entry(const struct bh_fib *fib, uint32_t child, unsigned int slot)
{
	const struct fib_node *node = fib_node(fib->chunk, child);

	return load_entry(&node->entry[fib_rank(node->runs, slot)]);
}

/* Prefetch a child without a branch that would be mispredicted: for a leaf it is unit 0. */
static inline void
prefetch_child(const struct bh_fib *fib, uint32_t entry)
{
	uint32_t idx = entry & ~FIB_CHILD & -(entry / FIB_CHILD);
	uint8_t *chunk = __atomic_load_n(&fib->chunk[idx >> FIB_CHUNK_SHIFT], __ATOMIC_RELAXED);

	rte_prefetch0((void *)((uintptr_t)chunk + (idx & (FIB_CHUNK_UNITS - 1)) * FIB_UNIT));
}

static inline uint64_t
load_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* 128 bits of which the next to look at are the first. */
struct window {
	uint64_t hi;
	uint64_t lo;
};

static inline struct window
window_load(const uint8_t *addr)
{
	return (struct window){ load_be64(addr), load_be64(addr + 8) };
}

static inline void
window_shift(struct window *w, unsigned int n)
{
	w->hi = w->hi << n | w->lo >> (64 - n);
	w->lo <<= n;
}

uint32_t
bh_fib_lookup4(const struct bh_fib *fib, uint32_t dst_be)
{
	uint32_t left = be32toh(dst_be);
	uint32_t e = load_entry(&fib->root[left >> (32 - FIB_ROOT_BITS)]);

	left <<= FIB_ROOT_BITS;
	while (e & FIB_CHILD) {
		e = node_entry(fib, e, left >> (32 - FIB_STRIDE));
		left <<= FIB_STRIDE;
	}
	return e;
}

uint32_t
bh_fib_lookup6(const struct bh_fib *fib, const uint8_t *dst)
{
	struct window w = window_load(dst);
	uint32_t e = load_entry(&fib->root[w.hi >> (64 - FIB_ROOT_BITS)]);

	window_shift(&w, FIB_ROOT_BITS);
	while (e & FIB_CHILD) {
		e = node_entry(fib, e, w.hi >> (64 - FIB_STRIDE));
		window_shift(&w, FIB_STRIDE);
	}
	return e;
}

/* Note lane `i` in `lanes` if its entry is a child, without a branch; returns the new count. */
static inline unsigned int
note_open(const struct bh_fib *fib, uint8_t *lanes, unsigned int count, unsigned int i, uint32_t e)
{
	lanes[count] = i;
	prefetch_child(fib, e);
	return count + e / FIB_CHILD;
}

static __rte_always_inline void
walk4(const struct bh_fib *fib, const uint32_t *dst_be, uint32_t *nh, unsigned int n)
{
	uint32_t left[LANES], e[LANES];
	uint8_t lanes[LANES];
	unsigned int open = 0, count, i;

	for (i = 0; i < n; i++) {
		left[i] = be32toh(dst_be[i]);
		e[i] = load_entry(&fib->root[left[i] >> (32 - FIB_ROOT_BITS)]);
		left[i] <<= FIB_ROOT_BITS;
		open = note_open(fib, lanes, open, i, e[i]);
	}
	while (open != 0) {
		count = open;
		open = 0;
		for (unsigned int j = 0; j < count; j++) {
			i = lanes[j];
			e[i] = node_entry(fib, e[i], left[i] >> (32 - FIB_STRIDE));
			left[i] <<= FIB_STRIDE;
			open = note_open(fib, lanes, open, i, e[i]);
		}
	}
	memcpy(nh, e, n * sizeof(*nh));
}

static __rte_always_inline void
walk6(const struct bh_fib *fib, const uint8_t *const *dst, uint32_t *nh, unsigned int n)
{
	struct window w[LANES];
	uint32_t e[LANES];
	uint8_t lanes[LANES];
	unsigned int open = 0, count, i;

	for (i = 0; i < n; i++) {
		w[i] = window_load(dst[i]);
		e[i] = load_entry(&fib->root[w[i].hi >> (64 - FIB_ROOT_BITS)]);
		window_shift(&w[i], FIB_ROOT_BITS);
		open = note_open(fib, lanes, open, i, e[i]);
	}
	while (open != 0) {
		count = open;
		open = 0;
		for (unsigned int j = 0; j < count; j++) {
			i = lanes[j];
			e[i] = node_entry(fib, e[i], w[i].hi >> (64 - FIB_STRIDE));
			window_shift(&w[i], FIB_STRIDE);
			open = note_open(fib, lanes, open, i, e[i]);
		}
	}
	memcpy(nh, e, n * sizeof(*nh));
}

void
bh_fib_lookup_bulk4(const struct bh_fib *fib, const uint32_t *dst_be, uint32_t *nh,
	unsigned int n)
{
	for (; n >= LANES; n -= LANES, dst_be += LANES, nh += LANES)
		walk4(fib, dst_be, nh, LANES);
	if (n != 0)
		walk4(fib, dst_be, nh, n);
}

void
bh_fib_lookup_bulk6(const struct bh_fib *fib, const uint8_t *const *dst, uint32_t *nh,
	unsigned int n)
{
	for (; n >= LANES; n -= LANES, dst += LANES, nh += LANES)
		walk6(fib, dst, nh, LANES);
	if (n != 0)
		walk6(fib, dst, nh, n);
}
