/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of the host stack in one process: the supervisor's TAPs, one start of v6stack that
 * is handed them, and the kernel, in a network namespace of their own.
 */
#ifndef TEST_HOSTTAP_UTIL_H
#define TEST_HOSTTAP_UTIL_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/supervisor/taps.h"
#include "lib/net/hostask.h"
#include "modules/v6stack/hosttap.h"

#define WAIT_MS 20000

/* One start of v6stack, beside the supervisor that hands it TAPs. */
struct stack {
	int pair[2]; /* 0: the supervisor's */
	struct bh_hosttaps *taps;
	unsigned int frames, answered;
	uint32_t last_ifindex;
};

extern const uint8_t hosttap_mac[6];
extern struct bh_boot hosttap_boot; /* p0 and p1 with v6stack */
extern struct bh_taps *hosttap_taps;

/* A namespace of its own (root, or user namespaces); hosttap_boot as above. */
void enter_namespace(void);
/* And TAPs in it. */
void start_taps(void);

/* Gets all TAPs; sends back what comes to a UDP port. */
void start_stack(struct stack *st);
void end_stack(struct stack *st);
/* Takes one more word of the supervisor, which must come. */
void take_word(struct stack *st);
void add_address(struct bh_hostask *h, const char *prefix);
/* v6stack asks, the supervisor does. Returns whether anything was said. */
bool ask(struct stack *st, const struct bh_hostask *h);
/* Up, with carrier and these addresses (NULL: none). */
void want_up(struct bh_hostask *h, const char *name, const char *four, const char *six);
/* A datagram of the kernel to the peer at `to` comes back. */
void exchange(struct stack *st, int family, const char *from, const char *to);

int if_flags(const char *name);
bool has_carrier(const char *name); /* IFF_RUNNING follows later */
int if_mtu(const char *name);
void check_mac(const char *name);
/* The addresses of an interface, sorted, each with a space behind it. */
char *addresses(const char *name);
int by_text(const void *a, const void *b);
bool file_has(const char *path, const char *what);
bool sysctl_is(const char *name, const char *family, const char *key, const char *value);
/* A socket that tells of links, addresses and routes from now on. */
int monitor(void);
/* Whether an address came or anything went since; read to its end. */
bool changed(int fd);
/* Waits until n addresses are there: IPv6 ones come behind the answer to the request. */
void await_addresses(int fd, unsigned int n);

#endif
