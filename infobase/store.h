/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the records of one table are. A slot is a number that a record keeps for its life;
 * slots come in chunks that never move, and free ones form a list. The hash is by linear
 * hashing (Litwin, VLDB 1980): each insertion splits at most one bucket, so it grows without a
 * pause; chains run through the slots and carry the hash, so that only a likely match is
 * looked at. Hashing is keyed (SipHash-1-3, Aumasson and Bernstein 2012): an owner that picks
 * its keys cannot make the chains long.
 *
 * Records are plain malloc: no forwarding lcore and no other process reads them, they are many
 * and small, and huge pages are for what packets touch. Only the table's worker calls any of
 * this.
 */
#ifndef BH_INFOBASE_STORE_H
#define BH_INFOBASE_STORE_H

#include <stddef.h>
#include <stdint.h>

struct bh_record;

#define BH_SLOT_NONE UINT32_MAX
#define BH_SLOT_SHIFT 12
#define BH_SLOTS_CHUNK (1u << BH_SLOT_SHIFT)

struct bh_slot {
	struct bh_record *rec; /* NULL: free */
	uint32_t hash;
	uint32_t next;	       /* in the bucket's chain, or in the list of free slots */
};

struct bh_store {
	/* slots */
	struct bh_slot **chunk;
	uint32_t *chunk_used; /* records in each */
	uint32_t max, n_chunks, high; /* high: slots ever used */
	uint32_t free_head;
	uint32_t count;
	/* hash */
	uint32_t **seg;	      /* segments of BH_SLOTS_CHUNK buckets */
	uint32_t buckets;
	uint32_t base;	      /* greatest power of two <= buckets */
	uint64_t seed[2];
};

/* Room for max records, none yet. 0 or -ENOMEM. */
int bh_store_init(struct bh_store *s, uint32_t max);
/* Frees all, records too. Also of a store that failed to init. */
void bh_store_fini(struct bh_store *s);

static inline struct bh_slot *
bh_store_slot(const struct bh_store *s, uint32_t slot)
{
	return &s->chunk[slot >> BH_SLOT_SHIFT][slot & (BH_SLOTS_CHUNK - 1)];
}

uint32_t bh_store_hash(const struct bh_store *s, const void *key, size_t len);

/* Ask for the memory of a lookup, one after the other with something else in between, each using
 * what the one before asked for. A record behind the first of its chain is not asked for. */
void bh_store_prefetch_bucket(const struct bh_store *s, uint32_t hash);
void bh_store_prefetch_slot(const struct bh_store *s, uint32_t hash);
void bh_store_prefetch_record(const struct bh_store *s, uint32_t hash);

/* Slot of the record with this key, or BH_SLOT_NONE. */
uint32_t bh_store_find(const struct bh_store *s, uint32_t hash, const void *key, size_t len);

/* Sees to it that the next insertion cannot fail. 0, -ENOSPC, -ENOMEM. */
int bh_store_reserve(struct bh_store *s);
/* Puts a record whose key is not there into a free slot, after bh_store_reserve(). */
uint32_t bh_store_insert(struct bh_store *s, uint32_t hash, struct bh_record *rec);
/* Takes the record out of its slot; the caller frees it. */
void bh_store_remove(struct bh_store *s, uint32_t slot);

/* Record in the first used slot >= *slot and *slot set behind it, or NULL. Looks at no more
 * than two chunks of slots. */
struct bh_record *bh_store_next(const struct bh_store *s, uint32_t *slot);

#endif
