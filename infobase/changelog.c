/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "infobase/changelog.h"
#include "infobase/schema.h"

#define ENTRY_MAX (sizeof(struct bh_rec) + BH_KEY_MAX + BH_VAL_MAX)
#define WORDS(bytes) (((bytes) + 7) / 8)

int
bh_changelog_init(struct bh_changelog *log, uint64_t words)
{
	memset(log, 0, sizeof(*log));
	for (log->size = 1; log->size < words;)
		log->size *= 2;
	log->words = calloc(log->size, sizeof(*log->words));
	return log->words == NULL ? -ENOMEM : 0;
}

void
bh_changelog_fini(struct bh_changelog *log)
{
	free(log->words);
	log->words = NULL;
}

void
bh_changelog_write(struct bh_changelog *log, struct bh_rec *rec, const void *key,
	uint16_t key_len, const void *val, uint16_t val_len)
{
	uint64_t entry[WORDS(ENTRY_MAX)], end;
	uint8_t *p = (uint8_t *)entry;
	unsigned int i, n;

	rec->len = sizeof(*rec) + key_len + val_len;
	n = WORDS(rec->len);
	entry[n - 1] = 0;
	memcpy(p, rec, sizeof(*rec));
	if (key_len > 0)
		memcpy(p + sizeof(*rec), key, key_len);
	if (val_len > 0)
		memcpy(p + sizeof(*rec) + key_len, val, val_len);
	end = log->head + n;
	if (end > log->size) {
		__atomic_store_n(&log->limit, end - log->size, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_RELEASE);
	}
	for (i = 0; i < n; i++)
		__atomic_store_n(&log->words[(log->head + i) & (log->size - 1)], entry[i],
			__ATOMIC_RELAXED);
	__atomic_store_n(&log->head, end, __ATOMIC_RELEASE);
}

static uint64_t
word_at(const struct bh_changelog *log, uint64_t pos)
{
	return __atomic_load_n(&log->words[pos & (log->size - 1)], __ATOMIC_RELAXED);
}

/* Copies one entry of len bytes, up to the next multiple of 4. */
static void
copy_entry(const struct bh_changelog *log, uint64_t pos, uint8_t *to, size_t len)
{
	size_t left = (len + 3) & ~(size_t)3;
	uint64_t w;

	for (; left >= 8; left -= 8, to += 8) {
		w = word_at(log, pos++);
		memcpy(to, &w, 8);
	}
	if (left > 0) {
		w = word_at(log, pos);
		memcpy(to, &w, 4);
	}
}

/* Whether all from pos on was still whole when it was copied. */
static bool
intact(const struct bh_changelog *log, uint64_t pos)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return pos >= __atomic_load_n(&log->limit, __ATOMIC_RELAXED);
}

int
bh_changelog_read(const struct bh_changelog *log, uint64_t *pos, void *buf, size_t room,
	unsigned int *n, bool *mark)
{
	uint64_t head = bh_changelog_head(log), at = *pos;
	size_t used = 0, len;
	bool stop = false;

	*n = 0;
	while (at < head && !stop) {
		uint64_t w = word_at(log, at);
		struct bh_rec first; /* as much of it as one word holds */

		memcpy(&first, &w, sizeof(w));
		len = first.len;
		if (len < sizeof(first) || len > ENTRY_MAX)
			break; /* torn: intact() will tell */
		stop = first.op == BH_OP_COMPLETE;
		if (stop || used + ((len + 3) & ~(size_t)3) > room)
			break;
		copy_entry(log, at, (uint8_t *)buf + used, len);
		used += (len + 3) & ~(size_t)3;
		at += WORDS(len);
		(*n)++;
	}
	if (!intact(log, *pos))
		return -ESTALE;
	*mark = stop && *n == 0;
	*pos = *mark ? at + WORDS(sizeof(struct bh_rec)) : at;
	return used;
}
