/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a module. When there is none the process ends at once: its records stay in the
 * info base and forward, and the supervisor starts it anew. A half-applied change would be
 * worse.
 */
#ifndef BH_LIB_ALLOC_H
#define BH_LIB_ALLOC_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/log/log.h"

/* Zeroed memory, owned by the caller (free()); never NULL. */
static inline void *
bh_must_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL) {
		bh_err("memory", "out of memory (%zu x %zu bytes)", n, size);
		_exit(EXIT_FAILURE);
	}
	return p;
}

#endif
