/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side of the router's ports: one TAP each, of the same name, addresses, MTU and
 * MAC, so that what runs on the box (sshd, FRR, ping) talks over the router's ports.
 *
 * The supervisor makes the TAPs, keeps a copy of each descriptor (carrier and addresses stay while
 * v6stack is away) and hands them over at each start. v6stack carries frames; what the kernel
 * is to know it asks of the supervisor (lib/net/hostask.h), which has the privilege.
 *
 * One thread. No call waits.
 */
#ifndef BH_V6STACK_HOSTTAP_H
#define BH_V6STACK_HOSTTAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/hostask.h"

#define BH_HOSTTAP_FRAME_MAX 9728 /* longer frames of the kernel are dropped */

struct bh_hosttaps;

struct bh_hosttap_ops {
	/* A frame of the kernel, whole; `ifindex` is the router's. Its unicast destination MAC
	 * means nothing: TAPs are NOARP. Must not free the taps. */
	void (*frame)(void *arg, uint32_t ifindex, uint8_t *frame, size_t len);
};

struct bh_hosttap_stats {
	uint64_t from_kernel, to_kernel; /* frames */
	uint64_t unbound;    /* from a TAP whose interface the router does not have now */
	uint64_t too_long;   /* from the kernel */
	uint64_t refused;    /* to the kernel: the TAP is down, or there is none */
	uint64_t full;	     /* to the kernel: no room */
};

/*
 * Makes an empty set (before the sandbox). sup_fd: the supervision socket, non-blocking or not,
 * the caller's. NULL and errno.
 */
struct bh_hosttaps *bh_hosttaps_new(const struct bh_hosttap_ops *ops, void *arg, int sup_fd);
void bh_hosttaps_free(struct bh_hosttaps *h);

/*
 * Takes a text of the supervisor, with its descriptor or -1. True if it was one of ours; then
 * the descriptor is too (closed if it is of no use). A TAP that is there already is replaced.
 */
bool bh_hosttaps_take(struct bh_hosttaps *h, const char *text, int fd);

/* Whether the supervisor has handed over all that there are. */
bool bh_hosttaps_complete(const struct bh_hosttaps *h);

/*
 * Says which interface of the router a name is now; 0: none. Frames go both ways only while it
 * is one. The kernel's ifindex of the TAP, or 0 if it has none (the row of `hostif`).
 */
uint32_t bh_hosttaps_bind(struct bh_hosttaps *h, const char *name, uint32_t ifindex);

/* Name of the router's interface -> kernel ifindex and back; 0: no such TAP. */
uint32_t bh_hosttaps_kernel(const struct bh_hosttaps *h, uint32_t ifindex);

/*
 * Asks that the kernel's side of an interface be made equal to *want, unless that was the last
 * thing asked. 0; -ENODEV: it has no TAP; -EAGAIN: kept, sent by a later
 * bh_hosttaps_flush(); -errno: the supervisor is gone.
 */
int bh_hosttaps_want(struct bh_hosttaps *h, const struct bh_hostask *want);

/* The supervisor has another socket, being another one: all is asked anew. As flush. */
int bh_hosttaps_link(struct bh_hosttaps *h, int sup_fd);

/* Sends what could not be sent. 0, -EAGAIN (some is left), -errno. */
int bh_hosttaps_flush(struct bh_hosttaps *h);

/* Readable when the kernel has frames: for epoll or poll. */
int bh_hosttaps_fd(const struct bh_hosttaps *h);

/* Hands at most `budget` frames to ops->frame, in turn over the TAPs. Their number: as many as the
 * budget: there may be more. -errno: the set is of no use any more. */
int bh_hosttaps_poll(struct bh_hosttaps *h, unsigned int budget);

/*
 * Gives a frame to the kernel as if it came in by the interface's TAP; a unicast destination MAC
 * is replaced by the TAP's, so that it is taken. 0; -ENODEV: no TAP; -EAGAIN: full; -EIO: the TAP
 * is down; -EMSGSIZE. All counted.
 */
int bh_hosttaps_write(struct bh_hosttaps *h, uint32_t ifindex, const void *frame, size_t len);

const struct bh_hosttap_stats *bh_hosttaps_stats(const struct bh_hosttaps *h);

#endif
