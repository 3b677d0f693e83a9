/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/unmap_guard.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_rcu_qsbr.h>

#include "lib/log/log.h"

#define WAIT_TURNS 10000 /* of WAIT_NS: half a second; a burst takes microseconds */
#define WAIT_NS 50000

static struct rte_rcu_qsbr *guarded; /* accessed atomically */

void
bh_unmap_guard(struct rte_rcu_qsbr *qsbr)
{
	__atomic_store_n(&guarded, qsbr, __ATOMIC_RELEASE);
}

/* True when every forwarding lcore has been out of the drivers since the call. */
static bool
wait_for_readers(struct rte_rcu_qsbr *qsbr)
{
	const struct timespec turn = {.tv_nsec = WAIT_NS};
	uint64_t token = rte_rcu_qsbr_start(qsbr);

	for (int i = 0; i < WAIT_TURNS; i++) {
		if (rte_rcu_qsbr_check(qsbr, token, false) == 1)
			return true;
		nanosleep(&turn, NULL);
	}
	return false;
}

/*
 * Takes the place of libc's for the program and every library and driver it loads. Address
 * space that a hung lcore might still touch is leaked: that costs less than the router.
 */
int
munmap(void *addr, size_t len)
{
	struct rte_rcu_qsbr *qsbr = __atomic_load_n(&guarded, __ATOMIC_ACQUIRE);

	if (qsbr != NULL && !wait_for_readers(qsbr)) {
		bh_err("ports", "a forwarding lcore hangs: %zu bytes stay mapped", len);
		return 0;
	}
	return syscall(SYS_munmap, addr, len);
}
