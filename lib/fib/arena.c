/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Node memory: a buddy allocator over chunks of the EAL heap.
 *
 * Blocks are 16 << order bytes and aligned to their size, so a node of up to 14 entries lies in one
 * cache line. A free block's first 8 bytes link it into the list of its order; `state` tells where
 * free blocks begin, so that a freed block finds its buddy. Blocks never merge past the greatest
 * order, so never across chunks. Chunks are added when the lists are empty and never go back.
 */
#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "lib/fib/fib_priv.h"

#define TOP (FIB_ORDERS - 1)

struct free_block {
	uint32_t prev;
	uint32_t next;
};

static struct free_block *
block(const struct fib_arena *a, uint32_t idx)
{
	return fib_unit(a->chunk, idx);
}

static uint8_t *
state(const struct fib_arena *a, uint32_t idx)
{
	return &a->state[idx >> FIB_CHUNK_SHIFT][idx & (FIB_CHUNK_UNITS - 1)];
}

static void
push(struct fib_arena *a, uint32_t idx, unsigned int order)
{
	uint32_t next = a->head[order];

	*block(a, idx) = (struct free_block){ .prev = FIB_NIL, .next = next };
	if (next != FIB_NIL)
		block(a, next)->prev = idx;
	a->head[order] = idx;
	*state(a, idx) = order + 1;
}

static void
unlink_block(struct fib_arena *a, uint32_t idx, unsigned int order)
{
	struct free_block b = *block(a, idx);

	if (b.prev != FIB_NIL)
		block(a, b.prev)->next = b.next;
	else
		a->head[order] = b.next;
	if (b.next != FIB_NIL)
		block(a, b.next)->prev = b.prev;
	*state(a, idx) = 0;
}

static int
add_chunk(struct fib_arena *a)
{
	uint32_t n = a->nchunks;
	uint8_t *chunk;

	if (n == a->max_chunks)
		return -ENOSPC;
	a->state[n] = calloc(1, FIB_CHUNK_UNITS);
	if (a->state[n] == NULL)
		return -ENOMEM;
	chunk = rte_malloc_socket("bh_fib_chunk", (size_t)FIB_CHUNK_UNITS * FIB_UNIT,
		RTE_CACHE_LINE_SIZE, a->socket_id);
	if (chunk == NULL) {
		free(a->state[n]);
		return -ENOMEM;
	}
	/* Readers reach it by the index of a node, released later. */
	__atomic_store_n(&a->chunk[n], chunk, __ATOMIC_RELAXED);
	a->nchunks++;
	a->fresh = 0;
	return 0;
}

/* A block of the greatest order that was never used. */
static int
take_fresh(struct fib_arena *a, uint32_t *idx)
{
	int rc;

	if (a->nchunks == 0 || a->fresh == FIB_CHUNK_UNITS) {
		rc = add_chunk(a);
		if (rc < 0)
			return rc;
	}
	*idx = ((a->nchunks - 1) << FIB_CHUNK_SHIFT) + a->fresh;
	a->fresh += 1u << TOP;
	return 0;
}

int
fib_arena_init(struct fib_arena *a, uint8_t **chunk, uint32_t max_units, int socket_id)
{
	*a = (struct fib_arena){
		.chunk = chunk,
		.max_units = max_units,
		.max_chunks = (max_units + FIB_CHUNK_UNITS - 1) >> FIB_CHUNK_SHIFT,
		.socket_id = socket_id,
	};
	for (unsigned int i = 0; i < FIB_ORDERS; i++)
		a->head[i] = FIB_NIL;
	a->state = calloc(a->max_chunks, sizeof(*a->state));
	return a->state == NULL ? -ENOMEM : 0;
}

void
fib_arena_fini(struct fib_arena *a)
{
	for (uint32_t i = 0; i < a->nchunks; i++) {
		rte_free(a->chunk[i]);
		free(a->state[i]);
	}
	free(a->state);
}

int
fib_arena_alloc(struct fib_arena *a, unsigned int order, uint32_t limit, uint32_t *idx)
{
	unsigned int o = order;
	int rc;

	if (a->used + (1u << order) > limit)
		return -ENOSPC;
	while (o < FIB_ORDERS && a->head[o] == FIB_NIL)
		o++;
	if (o < FIB_ORDERS) {
		*idx = a->head[o];
		unlink_block(a, *idx, o);
	} else {
		rc = take_fresh(a, idx);
		if (rc < 0)
			return rc;
		o = TOP;
	}
	while (o > order) {
		o--;
		push(a, *idx + (1u << o), o);
	}
	a->used += 1u << order;
	return 0;
}

void
fib_arena_free(struct fib_arena *a, uint32_t idx, unsigned int order)
{
	a->used -= 1u << order;
	while (order < TOP) {
		uint32_t buddy = idx ^ 1u << order;

		if (*state(a, buddy) != order + 1)
			break;
		unlink_block(a, buddy, order);
		idx &= ~(1u << order);
		order++;
	}
	push(a, idx, order);
}
