/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside bulkhead-v6stack: the process and its connections (conn.c). One thread. */
#ifndef BH_V6STACK_PROGRAM_H
#define BH_V6STACK_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/client/packet.h"
#include "lib/module/module.h"
#include "modules/v6stack/hosttap.h"
#include "modules/v6stack/sockdiag.h"
#include "modules/v6stack/stack.h"

struct program {
	struct bh_module m;
	struct bh_packets *packets;
	struct bh_stack *stack;
	struct bh_hosttaps *taps;
	struct bh_sockdiag *socks; /* NULL: the kernel does not tell */
	struct event *punted, *tapped, *second, *diag;
	bool connected; /* once, to this core or one before */
	bool owner;	/* no heir: it has begun with this core */
	bool recovered; /* what a predecessor left was read */
	bool kernel_dirty; /* the kernel's side may not be as it must */
};

/* Follows the tables of the stack's inputs. 0 or -errno, which is told. */
int bh_program_watch(struct program *p);

/* The tables are ours to write: reads what a predecessor left, and begins with the packet
 * service. 0 or -errno, which is told. */
int bh_program_take_over(struct program *p);

/* Frames that have come. How many, or -errno. */
int bh_program_poll_packets(struct program *p);
void bh_program_close_packets(struct program *p);

/* ---- kernel.c: the kernel's side of the ports ---- */

/* Before the sandbox. 0 or -errno. */
int bh_kernel_init(struct program *p);
/* A word of the supervisor; false: about something else. Takes its descriptor if true. */
bool bh_kernel_word(struct program *p, const struct bh_word *w);
/* Frames to and from the kernel. How many came, or -errno. */
void bh_kernel_write(struct program *p, uint32_t ifindex, const uint8_t *frame, size_t len);
int bh_kernel_poll(struct program *p);
/* Says what has changed. */
void bh_kernel_settle(struct program *p);

/* ---- socks.c: the sockets of this machine ---- */

/* Before the sandbox. 0 or -errno. */
int bh_socks_init(struct program *p);
/* Before the replay: all sockets that are there now. */
void bh_socks_first(struct program *p);
/* Goes on with a round. 1: there is more to do, else 0. */
int bh_socks_poll(struct program *p);

#endif
