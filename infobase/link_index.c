/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "infobase/link_priv.h"

int
bh_idq_init(struct bh_idq *q, uint32_t size)
{
	q->slot = calloc(size, sizeof(*q->slot));
	q->in = calloc(size, sizeof(*q->in));
	q->size = size;
	q->head = q->count = 0;
	return q->slot && q->in ? 0 : -ENOMEM;
}

void
bh_idq_free(struct bh_idq *q)
{
	free(q->slot);
	free(q->in);
}

void
bh_idq_push(struct bh_idq *q, uint16_t id)
{
	if (q->in[id])
		return;
	q->in[id] = true;
	q->slot[(q->head + q->count++) & (q->size - 1)] = id;
}

uint16_t
bh_idq_pop(struct bh_idq *q)
{
	uint16_t id;

	if (q->count == 0)
		return 0;
	id = q->slot[q->head++ & (q->size - 1)];
	q->count--;
	q->in[id] = false;
	return id;
}

int
bh_idhash_init(struct bh_idhash *h, uint32_t size)
{
	h->head = calloc(size, sizeof(*h->head));
	h->next = calloc(size, sizeof(*h->next));
	h->mask = size - 1;
	return h->head && h->next ? 0 : -ENOMEM;
}

void
bh_idhash_free(struct bh_idhash *h)
{
	free(h->head);
	free(h->next);
}

void
bh_idhash_add(struct bh_idhash *h, uint32_t hash, uint16_t id)
{
	h->next[id] = h->head[hash & h->mask];
	h->head[hash & h->mask] = id;
}

void
bh_idhash_del(struct bh_idhash *h, uint32_t hash, uint16_t id)
{
	uint16_t *link = &h->head[hash & h->mask];

	while (*link && *link != id)
		link = &h->next[*link];
	if (*link)
		*link = h->next[id];
}
