/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * No memory is pulled from under a forwarding lcore.
 *
 * A vdev driver may unmap a peer's rings on EAL's interrupt thread while a forwarding lcore is
 * inside its receive or send function: net_memif of 22.11 does when the peer's socket closes
 * (it clears its `connected` flag first, then unmaps at once), and the lcore dies of SIGSEGV.
 * So the core has its own munmap(2), to which the drivers' calls resolve: it waits until each
 * forwarding lcore has passed a quiescent state, and so sees the flag before its next burst,
 * and only then unmaps.
 */
#ifndef BH_CORE_UNMAP_GUARD_H
#define BH_CORE_UNMAP_GUARD_H

struct rte_rcu_qsbr;

/* From now on munmap() waits for the readers of qsbr; NULL ends it. EAL main lcore, while no
 * forwarding lcore runs. */
void bh_unmap_guard(struct rte_rcu_qsbr *qsbr);

#endif
