/* SPDX-License-Identifier: BSD-3-Clause */
/* How messages are copied where a copy must not wait: shared by queues and what lies behind them. */
#ifndef BH_CHANNEL_COPY_H
#define BH_CHANNEL_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/channel/msg.h"

/*
 * Copies n bytes (few: a slot at most) in words of 8, never wider. What is copied here was mostly
 * written just before, and a load that is wider than the stores before it, or lies across two of
 * them, waits until all earlier stores are done: those to slots of other messages too, whose lines
 * are still on their way from the other CPU. That would make a queue as slow as one line a message
 * in turn. And each byte is read from `from` once, whatever the compiler knows of it.
 */
static inline void
bh_copy_short(void *to, const void *from, size_t n)
{
	const uint8_t *f = (const uint8_t *)from;
	uint8_t *t = (uint8_t *)to;
	uint64_t w;

	for (; n >= 8; n -= 8, f += 8, t += 8) {
		memcpy(&w, f, 8);
		__asm__ volatile("" : "+r"(w));
		memcpy(t, &w, 8);
	}
	for (; n >= 4; n -= 4, f += 4, t += 4) {
		uint32_t w4;

		memcpy(&w4, f, 4);
		__asm__ volatile("" : "+r"(w4));
		memcpy(t, &w4, 4);
	}
	for (; n > 0; n--)
		*t++ = *(const volatile uint8_t *)f++;
}

/* The same for a header, whose fields were mostly filled one by one. */
static inline void
bh_copy_header(void *to, const struct bh_msg *msg)
{
	const volatile struct bh_msg *m = msg;
	uint64_t word[2];

	word[0] = m->len | (uint64_t)m->verb << 16 | (uint64_t)m->flags << 24 |
		(uint64_t)m->table << 32 | (uint64_t)(uint16_t)m->status << 48;
	word[1] = m->tag | (uint64_t)m->aux << 32;
	memcpy(to, word, sizeof(word));
}

#endif
