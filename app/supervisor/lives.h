/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deaths, seen at once: one thread waits for the robust mutexes of all life pages
 * (lib/life/life.h), and tells the event loop which owner has ended. The kernel hands a mutex
 * over before it frees the owner's memory, which for a large process takes tens of ms.
 *
 * A page is written by its process as it likes, so the mutex is never locked here: glibc would
 * follow the list pointers in it, and obey the kind. The thread waits on the mutex's futex word
 * alone, by futex_waitv(2), together with a private word of ours. So nothing that a page holds
 * can keep it from stopping; a page that wakes it too often is not listened to any more; a page
 * that tells of no death leaves that to the pidfd.
 */
#ifndef BH_SUPERVISOR_LIVES_H
#define BH_SUPERVISOR_LIVES_H

#include <event2/event.h>

#include "lib/life/life.h"

#define BH_LIVES_MAX 64 /* pages watched at once */

struct bh_lives;

/* The owner of the page's mutex ended, or left by exec(2), as seen at seen_ns (CLOCK_MONOTONIC).
 * In the event loop; at most once a page. May call bh_lives_forget(). */
typedef void (*bh_lives_fn)(void *arg, uint64_t seen_ns);

/* Starts the thread. NULL and errno; ENOSYS: the kernel has no futex_waitv (before 5.16). */
struct bh_lives *bh_lives_open(struct event_base *base);
void bh_lives_close(struct bh_lives *l); /* NULL: nothing */

/* A new page with its mutex made, as a sealed memfd: its size cannot change. -errno. */
int bh_lives_page(void);

/* Watches a page. fd: of bh_lives_page(), or got from another process: then -EINVAL if it is
 * nothing of the kind. Not taken over. A slot, or -errno. */
int bh_lives_watch(struct bh_lives *l, int fd, bh_lives_fn fn, void *arg);

/* The page, to be read with atomic loads and believed in nothing. */
const struct bh_life *bh_lives_at(const struct bh_lives *l, int slot);

/* Ends the watch; fn is not called after it. slot < 0: nothing. */
void bh_lives_forget(struct bh_lives *l, int slot);

#endif
