/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside bulkhead-v6stack: the process and its connections (conn.c). One thread. */
#ifndef BH_V6STACK_PROGRAM_H
#define BH_V6STACK_PROGRAM_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/client/bulkhead.h"
#include "lib/client/packet.h"
#include "modules/v6stack/hosttap.h"
#include "modules/v6stack/sockdiag.h"
#include "modules/v6stack/stack.h"

struct program {
	struct bh_handle *h;
	struct bh_packets *packets;
	struct bh_stack *stack;
	struct event_base *base;
	struct bh_hosttaps *taps;
	struct bh_sockdiag *socks; /* NULL: the kernel does not tell */
	struct event *readable, *punted, *tapped, *words, *timer, *beat, *term, *intr, *second, *diag;
	struct bh_open_args args;
	uint64_t start; /* ms */
	bool has_role;
	bool told;	/* READY, to this supervisor about this core */
	bool owner;	/* no heir: it has begun with this core */
	bool recovered; /* what a predecessor left was read */
	bool renewed;	/* there is a new role socket, not used yet */
	bool kernel_dirty; /* the kernel's side may not be as it must */
	bool stop;
};

/* CLOCK_MONOTONIC. */
uint64_t bh_now_ms(void);

/* Tells the supervisor that the module serves, or an heir that it can. */
void bh_program_ready(struct program *p);

/* An event_callback_fn that only wakes the loop, which looks everywhere. */
void bh_program_wake(evutil_socket_t fd, short what, void *arg);
/* Waits for another descriptor in the place of *e. 0 or -errno. */
int bh_program_wait_for(struct program *p, struct event **e, int fd);

/* Follows the tables of the stack's inputs. 0 or -errno, which is told. */
int bh_program_watch(struct program *p);

/* The tables are ours to write: reads what a predecessor left, and begins with the packet
 * service. 0 or -errno, which is told. */
int bh_program_take_over(struct program *p);

/* Frames that have come. How many, or -errno. */
int bh_program_poll_packets(struct program *p);
void bh_program_close_packets(struct program *p);

/* A word of the supervisor: the core is another one from now on. Takes fd. */
void bh_program_role(struct program *p, int fd);

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
