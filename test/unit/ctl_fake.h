/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In place of libbulkhead and a core: the calls that bhctl makes, answered from records that a
 * test put in.
 */
#ifndef TEST_CTL_FAKE_H
#define TEST_CTL_FAKE_H

#include <stddef.h>
#include <stdint.h>

#include "app/ctl/args.h"
#include "app/ctl/show.h"
#include "lib/stats/stats.h"

/* Empties tables and statistics; every call succeeds from now on. */
void fake_reset(void);
void fake_put(uint16_t table, uint8_t flags, const void *key, const void *val, size_t val_len);
struct bh_stats *fake_stats(void);
/* First contact, or calls for one table, fail with -errno. */
void fake_fail_contact(int rc);
void fake_fail_table(uint16_t table, int rc);

/* What BH_V_AUDIT of a table answers: n differences, one a turn; each is repaired if that is asked
 * for and may be. Or, with bad, something that no core says. Until the next fake_reset(). */
void fake_audit(uint16_t table, unsigned int n, bool may_repair, bool bad);

/* Runs `bhctl ...` (words separated by spaces) against the fake and returns its exit code; what
 * it wrote is in fake_out and fake_err until the next run. */
int fake_run(bh_show_fn fn, const char *command);
extern char *fake_out, *fake_err;

/* Records with fixed content that several tests share: eth0 (1: up, 10.0.0.1/24,
 * 2001:db8::1/64) and eth1 (2: not present), next hops 1-4, and routes by them. */
void fake_router(void);

#endif
