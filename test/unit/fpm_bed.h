/* SPDX-License-Identifier: BSD-3-Clause */
/* The routing module with zebra's routes in it: routing_fake.h and fpm_util.h together. */
#ifndef TEST_FPM_BED_H
#define TEST_FPM_BED_H

#include <check.h>

#include "fpm_util.h"
#include "routing_fake.h"

#define ZEBRA 4711 /* netlink port id */
#define FPM_NET "if 1 eth1 up; if 2 eth2 up; addr eth1 10.0.1.1/24; addr eth2 10.0.2.1/24;"
#define BED_ROUTES \
	"bgp 192.0.2.0/24 10.0.1.2@101; bgp 198.51.100.0/24 10.0.2.2@102;" \
	"ospf 203.0.113.0/24 10.0.1.3@101; ospf 2001:db8::/32 fe80::1@102"
#define FPM_SETTLE 2
#define FPM_LIMIT 60

/* Two interfaces of ifindex 1 and 2, whose TAPs have 101 and 102 in the kernel; FPM is configured;
 * nobody is connected. */
struct fake *bed_new(void);

/* The same with zebra's connection, by which BED_ROUTES came; its replay is over. */
struct fake *bed_connected(void);

/* One record of cfg_fpm, with the distance of a protocol other than usual (0: none). */
void bed_cfg(struct fake *f, const char *proto, uint8_t distance);
/* Interface of the TAP, or 0: none. */
void bed_tap(struct fake *f, uint32_t ifindex, uint32_t kernel);

void bed_open(struct fake *f);
/* Takes the words in one frame, and runs until all is quiet. */
void bed_say(struct fake *f, const char *words);
/* The same from another zebra, and without running. */
void bed_take(struct fake *f, const char *words, uint32_t port);
/* Lets time pass, sweeping as the loop does. */
void bed_wait(struct fake *f, unsigned int ms);

/* Routes that zebra has not told again. */
uint32_t bed_stale(const struct fake *f);

/* What must hold at any quiet moment: counts, lists, nothing left over. */
void bed_check(struct fake *f);

#endif
