/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zebra for tests: frames of FPM from words, one message a statement, separated by ';':
 *	bgp 203.0.113.0/24 10.0.1.2@101		(protocol, prefix, hop@kernel's ifindex*weight)
 *	ospf 10.0.0.0/8 10.0.1.2@101*3 @102	(several, or with a weight: RTA_MULTIPATH)
 *	bgp 10.0.0.0/8 blackhole|unreachable|prohibit
 *	bgp 10.0.0.0/8 id 5
 *	-bgp 10.0.0.0/8
 *	nh 5 10.0.1.2@101	nh 5 blackhole	-nh 5
 *	group 6 5*2 7
 */
#ifndef TEST_FPM_UTIL_H
#define TEST_FPM_UTIL_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define FPM_FRAME 65536

/* The messages alone, in a buffer that is aligned to 4; bytes. */
size_t fpm_messages(uint8_t *to, const char *words, uint32_t port);
/* The same in a frame; bytes. */
size_t fpm_frame(uint8_t *to, const char *words, uint32_t port);

/* A frame's header for len bytes behind it. */
void fpm_head(uint8_t *to, size_t len);

/* The start of a message RTM_NEWROUTE ..., to which attributes are added by libmnl. */
struct nlmsghdr *fpm_begin_route(void *to, uint16_t type, const char *prefix, uint8_t proto,
	uint8_t rtn);
struct nlmsghdr *fpm_begin_nh(void *to, uint16_t type, uint32_t id, uint8_t af);

#endif
