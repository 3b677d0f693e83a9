/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The change log of one table: a ring of entries, written by the table's worker and read by
 * the info base's main at the same time. The writer never waits. A reader keeps its own
 * position and learns afterwards whether what it copied was still whole: `limit`, moved before
 * old entries are overwritten, is the least position that is intact. Who fell behind it has
 * to start from the table again.
 *
 * An entry is a struct bh_rec with key and value, zero-padded to 8 bytes: what an event carries.
 * Positions count words of 8 bytes and never wrap.
 */
#ifndef BH_INFOBASE_CHANGELOG_H
#define BH_INFOBASE_CHANGELOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/channel/msg.h"

struct bh_changelog {
	uint64_t *words;
	uint64_t size;	/* words, a power of two */
	uint64_t head;	/* accessed atomically: where the next entry goes */
	uint64_t limit; /* accessed atomically */
} __attribute__((aligned(64)));

/* words is rounded up to a power of two. 0 or -ENOMEM. */
int bh_changelog_init(struct bh_changelog *log, uint64_t words);
void bh_changelog_fini(struct bh_changelog *log);

/* Writer: appends rec with its key and value; rec->len is set. */
void bh_changelog_write(struct bh_changelog *log, struct bh_rec *rec, const void *key,
	uint16_t key_len, const void *val, uint16_t val_len);

/* Any lcore: position behind the last entry. */
static inline uint64_t
bh_changelog_head(const struct bh_changelog *log)
{
	return __atomic_load_n(&log->head, __ATOMIC_ACQUIRE);
}

/*
 * Reader: copies whole entries from *pos on, as many as fit into buf (4 bytes aligned, as the
 * body of an event wants them), and moves *pos behind them. *mark is set, and nothing copied,
 * when the next entry is BH_OP_COMPLETE; a batch never goes over such a mark. n: entries
 * copied. Returns bytes, or -ESTALE: overtaken, what buf holds is worthless and *pos is kept.
 */
int bh_changelog_read(const struct bh_changelog *log, uint64_t *pos, void *buf, size_t room,
	unsigned int *n, bool *mark);

#endif
