/* SPDX-License-Identifier: BSD-3-Clause */
/* What the FIB's tests share: EAL, and addresses of either family as 128-bit numbers. */
#ifndef BH_TEST_UNIT_FIB_UTIL_H
#define BH_TEST_UNIT_FIB_UTIL_H

#include <arpa/inet.h>
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_memory.h>

#include "lib/fib/fib.h"

typedef unsigned __int128 addr_t; /* first bit most significant; IPv4 in the first 32 */

/* --no-shconf: --no-huge is legacy memory to EAL, which refuses it together with --in-memory. */
static inline void
eal_start(void)
{
	char *argv[] = { (char *)"test_fib", (char *)"--no-huge", (char *)"--no-shconf",
		(char *)"--no-pci", (char *)"--no-telemetry", (char *)"--log-level=error",
		(char *)"-m", (char *)"96", (char *)"-l", (char *)"0", NULL };

	if (rte_eal_init(10, argv) < 0)
		abort();
}

/* Run one suite in this process (EAL does not survive a fork) and tell success. */
static inline int
run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	eal_start();
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	rte_eal_cleanup();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline unsigned int
family_bits(int family)
{
	return family == BH_FIB_IP4 ? 32 : 128;
}

static inline void
addr_store(addr_t a, uint8_t out[16])
{
	for (unsigned int i = 0; i < 16; i++)
		out[i] = (uint8_t)(a >> (120 - 8 * i));
}

static inline addr_t
addr_load(int family, const uint8_t *in)
{
	addr_t a = 0;

	for (unsigned int i = 0; i < family_bits(family) / 8; i++)
		a |= (addr_t)in[i] << (120 - 8 * i);
	return a;
}

static inline addr_t
addr_mask(unsigned int plen)
{
	return plen == 0 ? 0 : ~(addr_t)0 << (128 - plen);
}

static inline int
fib_set(struct bh_fib *fib, addr_t prefix, uint8_t plen, uint32_t nh)
{
	uint8_t b[16];

	addr_store(prefix, b);
	return bh_fib_set(fib, b, plen, nh);
}

static inline int
fib_hold(struct bh_fib *fib, addr_t prefix, uint8_t plen)
{
	uint8_t b[16];

	addr_store(prefix, b);
	return bh_fib_hold(fib, b, plen);
}

static inline int
fib_del(struct bh_fib *fib, addr_t prefix, uint8_t plen)
{
	uint8_t b[16];

	addr_store(prefix, b);
	return bh_fib_del(fib, b, plen);
}

static inline uint32_t
fib_lookup(const struct bh_fib *fib, int family, addr_t addr)
{
	uint8_t b[16];
	uint32_t be;

	addr_store(addr, b);
	if (family == BH_FIB_IP6)
		return bh_fib_lookup6(fib, b);
	memcpy(&be, b, sizeof(be));
	return bh_fib_lookup4(fib, be);
}

/* "10.0.0.1" or "2001:db8::1" */
static inline addr_t
addr_of(const char *text)
{
	uint8_t b[16] = { 0 };
	int family = strchr(text, ':') != NULL ? BH_FIB_IP6 : BH_FIB_IP4;

	ck_assert_int_eq(inet_pton(family == BH_FIB_IP4 ? AF_INET : AF_INET6, text, b), 1);
	return addr_load(family, b);
}

#endif
