/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "infobase/store.h"
#include "infobase/table.h"

#define MASK (BH_SLOTS_CHUNK - 1)
#define FIRST_BUCKETS 64
#define SPLITS_AHEAD 2
#define SPLIT_DEPTH 4 /* slots of a chain that are asked for ahead */

static uint32_t *
bucket_at(const struct bh_store *s, uint32_t b)
{
	return &s->seg[b >> BH_SLOT_SHIFT][b & MASK];
}

static uint32_t
bucket_of(const struct bh_store *s, uint32_t hash)
{
	uint32_t b = hash & (2 * s->base - 1);

	return b < s->buckets ? b : hash & (s->base - 1);
}

/* Segment of buckets from bucket b on, all empty. 0 or -ENOMEM. */
static int
segment_add(struct bh_store *s, uint32_t b)
{
	uint32_t *seg = malloc(BH_SLOTS_CHUNK * sizeof(*seg));

	if (seg == NULL)
		return -ENOMEM;
	memset(seg, 0xff, BH_SLOTS_CHUNK * sizeof(*seg)); /* BH_SLOT_NONE */
	s->seg[b >> BH_SLOT_SHIFT] = seg;
	return 0;
}

int
bh_store_init(struct bh_store *s, uint32_t max)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
	s->n_chunks = (max + MASK) >> BH_SLOT_SHIFT;
	s->free_head = BH_SLOT_NONE;
	s->buckets = s->base = FIRST_BUCKETS;
	s->chunk = calloc(s->n_chunks, sizeof(*s->chunk));
	s->chunk_used = calloc(s->n_chunks, sizeof(*s->chunk_used));
	s->seg = calloc(s->n_chunks + 1, sizeof(*s->seg));
	if (s->chunk == NULL || s->chunk_used == NULL || s->seg == NULL)
		return -ENOMEM;
	if (getrandom(s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
		return -errno;
	return segment_add(s, 0);
}

static void
chunk_free(struct bh_slot *chunk)
{
	uint32_t i;

	if (chunk == NULL)
		return;
	for (i = 0; i < BH_SLOTS_CHUNK; i++)
		free(chunk[i].rec);
	free(chunk);
}

void
bh_store_fini(struct bh_store *s)
{
	uint32_t i;

	for (i = 0; s->chunk != NULL && i < s->n_chunks; i++)
		chunk_free(s->chunk[i]);
	for (i = 0; s->seg != NULL && i <= s->n_chunks; i++)
		free(s->seg[i]);
	free(s->chunk);
	free(s->chunk_used);
	free(s->seg);
	memset(s, 0, sizeof(*s));
}

static inline uint64_t
rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

uint32_t
bh_store_hash(const struct bh_store *s, const void *key, size_t len)
{
	uint64_t v[4] = {
		s->seed[0] ^ 0x736f6d6570736575ull, s->seed[1] ^ 0x646f72616e646f6dull,
		s->seed[0] ^ 0x6c7967656e657261ull, s->seed[1] ^ 0x7465646279746573ull,
	};
	const uint8_t *p = key;
	uint64_t m = 0, last = (uint64_t)len << 56;
	size_t left;

	for (left = len; left >= 8; left -= 8, p += 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = 0;
	memcpy(&m, p, left);
	m |= last;
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
bh_store_prefetch_bucket(const struct bh_store *s, uint32_t hash)
{
	__builtin_prefetch(bucket_at(s, bucket_of(s, hash)));
}

void
bh_store_prefetch_slot(const struct bh_store *s, uint32_t hash)
{
	uint32_t slot = *bucket_at(s, bucket_of(s, hash));

	if (slot != BH_SLOT_NONE)
		__builtin_prefetch(bh_store_slot(s, slot));
}

void
bh_store_prefetch_record(const struct bh_store *s, uint32_t hash)
{
	uint32_t slot = *bucket_at(s, bucket_of(s, hash));
	const struct bh_slot *e;

	if (slot == BH_SLOT_NONE)
		return;
	e = bh_store_slot(s, slot);
	if (e->hash == hash)
		__builtin_prefetch(e->rec);
	else if (e->next != BH_SLOT_NONE)
		__builtin_prefetch(bh_store_slot(s, e->next));
}

uint32_t
bh_store_find(const struct bh_store *s, uint32_t hash, const void *key, size_t len)
{
	uint32_t slot = *bucket_at(s, bucket_of(s, hash));
	const struct bh_slot *e;

	for (; slot != BH_SLOT_NONE; slot = e->next) {
		e = bh_store_slot(s, slot);
		if (e->hash == hash && memcmp(e->rec->data, key, len) == 0)
			return slot;
	}
	return BH_SLOT_NONE;
}

/* The buckets that are split next are known, but their chains lie anywhere: with each split comes
 * the first slot of one that is still far, the second of one that is nearer, and so on. */
static void
prefetch_split(const struct bh_store *s)
{
	uint32_t b = s->buckets - s->base + SPLIT_DEPTH * SPLITS_AHEAD, slot, depth, d;

	if (b >= s->base)
		return;
	for (depth = 0; depth < SPLIT_DEPTH; depth++, b -= SPLITS_AHEAD) {
		slot = *bucket_at(s, b);
		for (d = 0; d < depth && slot != BH_SLOT_NONE; d++)
			slot = bh_store_slot(s, slot)->next;
		if (slot != BH_SLOT_NONE)
			__builtin_prefetch(bh_store_slot(s, slot));
	}
}

/* One more bucket: takes over what is its own from the one at `buckets - base`. Without memory
 * the chains grow a little instead. */
static void
split(struct bh_store *s)
{
	uint32_t add = s->buckets, *from, *to, slot;

	if ((add & MASK) == 0 && s->seg[add >> BH_SLOT_SHIFT] == NULL && segment_add(s, add) != 0)
		return;
	prefetch_split(s);
	from = bucket_at(s, add - s->base);
	to = bucket_at(s, add);
	for (slot = *from; slot != BH_SLOT_NONE; slot = *from) {
		struct bh_slot *e = bh_store_slot(s, slot);

		if ((e->hash & (2 * s->base - 1)) != add) {
			from = &e->next;
			continue;
		}
		*from = e->next;
		e->next = *to;
		*to = slot;
	}
	if (++s->buckets == 2 * s->base)
		s->base *= 2;
}

int
bh_store_reserve(struct bh_store *s)
{
	struct bh_slot **chunk;

	if (s->free_head != BH_SLOT_NONE)
		return 0;
	if (s->high == s->max)
		return -ENOSPC;
	chunk = &s->chunk[s->high >> BH_SLOT_SHIFT];
	if (*chunk == NULL)
		*chunk = calloc(BH_SLOTS_CHUNK, sizeof(**chunk));
	return *chunk == NULL ? -ENOMEM : 0;
}

static uint32_t
slot_take(struct bh_store *s)
{
	uint32_t slot = s->free_head;

	if (slot == BH_SLOT_NONE)
		return s->high++;
	s->free_head = bh_store_slot(s, slot)->next;
	return slot;
}

uint32_t
bh_store_insert(struct bh_store *s, uint32_t hash, struct bh_record *rec)
{
	uint32_t slot = slot_take(s), *bucket;
	struct bh_slot *e = bh_store_slot(s, slot);

	s->chunk_used[slot >> BH_SLOT_SHIFT]++;
	if (++s->count > s->buckets)
		split(s);
	bucket = bucket_at(s, bucket_of(s, hash));
	*e = (struct bh_slot){ .rec = rec, .hash = hash, .next = *bucket };
	*bucket = slot;
	return slot;
}

void
bh_store_remove(struct bh_store *s, uint32_t slot)
{
	struct bh_slot *e = bh_store_slot(s, slot);
	uint32_t *link = bucket_at(s, bucket_of(s, e->hash));

	while (*link != slot)
		link = &bh_store_slot(s, *link)->next;
	*link = e->next;
	*e = (struct bh_slot){ .next = s->free_head };
	s->free_head = slot;
	s->chunk_used[slot >> BH_SLOT_SHIFT]--;
	s->count--;
}

struct bh_record *
bh_store_next(const struct bh_store *s, uint32_t *slot)
{
	uint32_t i = *slot;

	while (i < s->high) {
		struct bh_record *rec;

		if (s->chunk_used[i >> BH_SLOT_SHIFT] == 0) {
			i = (i | MASK) + 1;
			continue;
		}
		rec = bh_store_slot(s, i++)->rec;
		if (rec != NULL) {
			*slot = i;
			return rec;
		}
	}
	*slot = i;
	return NULL;
}
