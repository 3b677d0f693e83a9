/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that leaves the core: zones on 4 KiB pages of a heap of their own, each backed by a
 * sealed memfd of exactly its size. The design is told at the top of chanmem.c.
 */
#ifndef BH_CORE_CHANMEM_H
#define BH_CORE_CHANMEM_H

#include <stddef.h>
#include <stdint.h>

#include <rte_memzone.h>

#include "lib/channel/msg.h"

#define BH_CHANMEM_PAGE 4096u

struct bh_stats;

/* One zone given to another process. */
struct bh_chanmem {
	const struct rte_memzone *mz; /* NULL: none */
	void *addr;
	size_t size; /* bytes, whole pages */
};

/* Makes the heap: room for `zones` zones of at most 128 KiB and for bh.stats. Address space
 * only; pages are taken by zones. EAL main lcore, once after rte_eal_init(). 0 or -errno. */
int bh_chanmem_init(unsigned int zones);

/* EAL main lcore, after every zone was freed. */
void bh_chanmem_fini(void);

/*
 * Reserves a zone of `size` bytes (rounded up to pages), all zero and pre-faulted, and its
 * memfd (F_SEAL_SHRINK|GROW|SEAL) in *fd, which the caller owns and closes once it was passed
 * on. Any lcore, but not on a fast path: takes EAL's locks. 0 or -errno (-EEXIST: the name
 * is taken, -ENOMEM: the heap is full).
 */
int bh_chanmem_alloc(struct bh_chanmem *cm, const char *name, size_t size, int *fd);

/* Takes the pages back from the process that holds the memfd (which keeps its own copy of the
 * file), then frees the zone. The lcore that owns the zone. */
void bh_chanmem_free(struct bh_chanmem *cm);

/* Makes bh.stats, fills its header. *fd (kept by the caller, passed to every client) can only
 * be mapped read-only: F_SEAL_FUTURE_WRITE. EAL main lcore, once. 0 or -errno. */
int bh_stats_create(struct bh_stats **stats, int *fd);
void bh_stats_destroy(void);

#endif
