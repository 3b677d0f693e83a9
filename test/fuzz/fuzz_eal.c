/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "test/fuzz/fuzz.h"

/* What only EAL's memory refers to would be taken for a leak. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

void
fuzz_eal_start(const char *mib)
{
	char *argv[] = {
		(char *)"fuzz", (char *)"--no-huge", (char *)"--no-shconf", (char *)"--no-pci",
		(char *)"--no-telemetry", (char *)"-m", (char *)mib, (char *)"--lcores",
		(char *)"0@0", (char *)"--log-level", (char *)"critical", NULL,
	};
	cpu_set_t set;

	/* EAL binds the thread to a CPU, where others may be at work too. */
	FUZZ_CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
	FUZZ_CHECK(rte_eal_init(RTE_DIM(argv) - 1, argv) >= 0);
	FUZZ_CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}
