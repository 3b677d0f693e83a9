/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doorbells of a channel: a shared sleep word and a pipe per direction.
 *
 * The sleeper stores an announcement in its word, fences, looks at its work once more and
 * blocks on its end of the pipe. The other side publishes, fences once per flush, reads the
 * word and writes a byte if it finds an announcement that it has not rung for yet. Word: 0
 * awake; else the reasons in the low bits and a ticket that differs from one sleep to the
 * next, so that a sleep is rung once however long the sleeper takes to wake.
 *
 * Each side holds its own end only and both are non-blocking: what the peer does to its end
 * cannot block ours.
 */
#ifndef BH_CHANNEL_DOORBELL_H
#define BH_CHANNEL_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

#define BH_SLEEP_WORK 1u  /* wake me when there is a message */
#define BH_SLEEP_SPACE 2u /* wake me when you have consumed messages */

struct bh_sleeper {
	uint32_t *word;
	uint32_t ticket;
};

struct bh_ringer {
	const uint32_t *word;
	uint32_t rung;
};

/*
 * The two fences of the protocol: the sleeper's, between its announcement and its second look, and
 * the other side's, between what it published and its look at the sleep word, once a flush.
 * test_doorbell_stress builds these sources with one taken out, and must then see a lost wake-up.
 */
static inline void
bh_fence_sleep(void)
{
#ifdef BH_TEST_NO_SLEEP_FENCE
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static inline void
bh_fence_flush(void)
{
#ifdef BH_TEST_NO_FLUSH_FENCE
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Announces sleep and fences: afterwards look at all work once more. */
void bh_sleep_announce(struct bh_sleeper *s, uint32_t reasons);
void bh_sleep_end(struct bh_sleeper *s);

/* After bh_fence_flush(): true when the sleeper wants to be woken for one of the reasons and was
 * not yet; the caller must then ring. */
bool bh_ring_due(struct bh_ringer *r, uint32_t reasons);

/* Writes a byte; a full pipe is as good. May raise SIGPIPE in a thread that does not block it.
 * 0, or -EPIPE when the sleeper's end is closed. */
int bh_ring(int fd);

/* The same for a thread that may not change how it treats SIGPIPE. */
int bh_ring_nosignal(int fd);

/* Empties the pipe as far as one read goes: bytes read, 0 when it was empty, -EPIPE when the
 * ringer's end is closed. */
int bh_ring_drain(int fd);

#endif
