/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grace periods. Nodes that went out of use wait in a queue, oldest first, each with the QSBR token
 * taken after the stores that hid it; the token's acknowledgement by every reader frees it. Tokens
 * grow along the queue, so the first one not yet acknowledged ends the search.
 */
#include <string.h>

#include <rte_rcu_qsbr.h>

#include "lib/fib/fib_priv.h"

#define RECLAIM_BURST 4096u

void
fib_node_free(struct fib_writer *w, uint32_t idx)
{
	const struct fib_node *node = fib_unit(w->arena.chunk, idx);

	fib_arena_free(&w->arena, idx, fib_node_order(__builtin_popcountll(node->runs)));
}

int
fib_retire_reserve(struct fib_writer *w, uint32_t n)
{
	struct fib_pending *p = w->pending.data;
	uint32_t count = fib_pending_count(w);

	if (w->pending_head != 0 && w->pending.len + n > w->pending.cap) {
		memmove(p, p + w->pending_head, count * sizeof(*p));
		w->pending.len = count;
		w->pending_head = 0;
	}
	return fib_vec_reserve(&w->pending, w->pending.len + n, sizeof(*p));
}

void
fib_retire(struct fib_writer *w, const uint32_t *idx, uint32_t n)
{
	struct fib_pending *p = w->pending.data;
	uint64_t token;

	if (w->qsbr == NULL) {
		for (uint32_t i = 0; i < n; i++)
			fib_node_free(w, idx[i]);
		return;
	}
	if (n == 0)
		return;
	token = rte_rcu_qsbr_start(w->qsbr);
	for (uint32_t i = 0; i < n; i++)
		p[w->pending.len++] = (struct fib_pending){ .token = token, .idx = idx[i] };
}

uint32_t
fib_reclaim(struct fib_writer *w, uint32_t max)
{
	const struct fib_pending *p = w->pending.data;
	uint32_t n;

	w->since_reclaim = 0;
	max = RTE_MIN(max, fib_pending_count(w));
	for (n = 0; n < max; n++) {
		if (!rte_rcu_qsbr_check(w->qsbr, p[w->pending_head].token, false))
			break;
		fib_node_free(w, p[w->pending_head].idx);
		w->pending_head++;
	}
	if (fib_pending_count(w) == 0)
		w->pending_head = w->pending.len = 0;
	return n;
}

uint32_t
bh_fib_reclaim(struct bh_fib *fib)
{
	fib_reclaim(fib->w, RECLAIM_BURST);
	return fib_pending_count(fib->w);
}
