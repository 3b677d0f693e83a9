/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libbulkhead: frames to and from the core, for the protocol stack (role v6stack). What the
 * frames are is told in lib/channel/packet.h.
 *
 * A connection is used by one thread. It needs no handle of the info base besides it; both may use
 * the same role socket.
 */
#ifndef BULKHEAD_PACKET_H
#define BULKHEAD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/channel/packet.h"
#include "lib/client/bulkhead.h"

struct bh_packets; /* a connection to BH_SERVICE_PACKET */

/* A whole Ethernet frame; p and frame are the process's own copy, valid during the call. It may
 * inject, but not poll or close. */
typedef void (*bh_punt_fn)(void *arg, const struct bh_punt *p, const uint8_t *frame, size_t len);

/*
 * Connects and begins: waits for the core's answer, at most 5 s. args->service is not looked at.
 * NULL and errno: that of the first contact (-> bh_submit()), EPERM (another role), EBUSY (the
 * predecessor is still connected, or we are its heir: try again once promoted), ENOMEM.
 */
struct bh_packets *bh_packets_open(const struct bh_open_args *args, bh_punt_fn fn, void *arg);

/* Hands over what has come, as bh_poll(): wait_ms 0 looks once, -1 waits. Returns how many messages
 * were handled, or -ECONNRESET: the connection has ended, close and open anew. */
int bh_packets_poll(struct bh_packets *p, int wait_ms);

/* For event loops, as bh_fd() and bh_prepare_wait(). */
int bh_packets_fd(const struct bh_packets *p);
bool bh_packets_prepare_wait(struct bh_packets *p);

/*
 * Gives a frame of BH_FRAME_MIN to BH_FRAME_MAX bytes to the core, which hears of it at the next
 * bh_packets_poll() or bh_packets_prepare_wait(), or sooner. 0; -EAGAIN: no room, poll first;
 * -EMSGSIZE; -EINVAL; -ECONNRESET. What the core then refuses is counted (bh_packets_refused()).
 */
int bh_packets_inject(struct bh_packets *p, enum bh_inject how, uint32_t ifindex, const void *frame,
	size_t len);

/* Messages of injected frames that were not yet answered, and those answered with an error. */
unsigned int bh_packets_pending(const struct bh_packets *p);
uint64_t bh_packets_refused(const struct bh_packets *p);

void bh_packets_close(struct bh_packets *p); /* NULL is allowed */

#endif
