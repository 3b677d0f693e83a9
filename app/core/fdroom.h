/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors that are left for modules. The kernel gives the lowest free number, so the number
 * of a new one tells how many are open; where the limit is low, clients are refused before
 * the last ones are gone.
 */
#ifndef BH_CORE_FDROOM_H
#define BH_CORE_FDROOM_H

#include <stdbool.h>
#include <sys/resource.h>

#define BH_FDS_CHANNELS 128 /* kept when a client's channel is made */
#define BH_FDS_SOCKETS 256  /* kept when a client's socket is accepted */

/* True when fd is one of the last `keep` that the process may have. Any lcore, at contacts. */
static inline bool
bh_fd_scarce(int fd, unsigned int keep)
{
	struct rlimit lim;

	return getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur != RLIM_INFINITY &&
		(rlim_t)fd + keep >= lim.rlim_cur;
}

#endif
