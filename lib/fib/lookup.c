/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The readers' side: root entry by the first 18 bits, then six bits a node until an entry is no
 * child. What is left of the address is kept shifted to the top of a word, so a step needs no
 * depth; past the end of the address zeros come in, as the writer assumes.
 *
 * Bulk lookups walk LANES addresses in step, so that their cache misses overlap: first all root
 * entries are prefetched, then each round takes every unfinished lane down by one node and
 * prefetches the next. Entries are loaded with acquire: a node's content was stored before its
 * index was released.
 */
#include <endian.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "lib/fib/fib_priv.h"

#define LANES 16u

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

static inline void
prefetch_child(const struct bh_fib *fib, uint32_t entry)
{
	if (entry & FIB_CHILD)
		rte_prefetch0(fib_node(fib->chunk, entry));
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

static __rte_always_inline void
walk4(const struct bh_fib *fib, const uint32_t *dst_be, uint32_t *nh, unsigned int n)
{
	uint32_t left[LANES], e[LANES];
	uint32_t open = 0;

	for (unsigned int i = 0; i < n; i++) {
		left[i] = be32toh(dst_be[i]);
		rte_prefetch0(&fib->root[left[i] >> (32 - FIB_ROOT_BITS)]);
	}
	for (unsigned int i = 0; i < n; i++) {
		e[i] = load_entry(&fib->root[left[i] >> (32 - FIB_ROOT_BITS)]);
		left[i] <<= FIB_ROOT_BITS;
		prefetch_child(fib, e[i]);
		open |= e[i];
	}
	while (open & FIB_CHILD) {
		open = 0;
		for (unsigned int i = 0; i < n; i++) {
			if (!(e[i] & FIB_CHILD))
				continue;
			e[i] = node_entry(fib, e[i], left[i] >> (32 - FIB_STRIDE));
			left[i] <<= FIB_STRIDE;
			prefetch_child(fib, e[i]);
			open |= e[i];
		}
	}
	memcpy(nh, e, n * sizeof(*nh));
}

static __rte_always_inline void
walk6(const struct bh_fib *fib, const uint8_t *const *dst, uint32_t *nh, unsigned int n)
{
	struct window w[LANES];
	uint32_t e[LANES];
	uint32_t open = 0;

	for (unsigned int i = 0; i < n; i++) {
		w[i] = window_load(dst[i]);
		rte_prefetch0(&fib->root[w[i].hi >> (64 - FIB_ROOT_BITS)]);
	}
	for (unsigned int i = 0; i < n; i++) {
		e[i] = load_entry(&fib->root[w[i].hi >> (64 - FIB_ROOT_BITS)]);
		window_shift(&w[i], FIB_ROOT_BITS);
		prefetch_child(fib, e[i]);
		open |= e[i];
	}
	while (open & FIB_CHILD) {
		open = 0;
		for (unsigned int i = 0; i < n; i++) {
			if (!(e[i] & FIB_CHILD))
				continue;
			e[i] = node_entry(fib, e[i], w[i].hi >> (64 - FIB_STRIDE));
			window_shift(&w[i], FIB_STRIDE);
			prefetch_child(fib, e[i]);
			open |= e[i];
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
