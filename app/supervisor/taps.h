/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host stack's TAPs: one for each configured port, made here because it takes CAP_NET_ADMIN.
 *
 * Those of the file are there at the start; later ones come and go with the table cfg_interface.
 * The supervisor keeps a copy of each descriptor, so that carrier and addresses stay while
 * v6stack is dead, and hands them over at each of its starts. They are not persistent: they end
 * with the last process that holds them. A supervisor that is killed leaves them to v6stack, from
 * which the next one takes them back (bh_taps_adopt).
 *
 * A TAP has the name of its port; if the kernel has an interface of that name (a port over
 * af_packet named like its interface, a second router), "bh-" and the name; if that is taken too
 * or too long, the port has none. What the kernel is told of a TAP is asked for by v6stack
 * (lib/net/hostask.h), which is not believed: it may say what it likes of TAPs made here, and
 * of nothing else.
 */
#ifndef BH_SUPERVISOR_TAPS_H
#define BH_SUPERVISOR_TAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/boot/boot.h"
#include "lib/client/bulkhead.h"

struct bh_taps;

/* None yet. NULL: the configuration wants none, or the machine cannot (told in one line): the
 * router works without. All functions below take NULL. */
struct bh_taps *bh_taps_new(const struct bh_boot *boot);

/* Takes the TAPs that a process holds, which an earlier supervisor handed to it. */
void bh_taps_adopt(struct bh_taps *t, pid_t pid);

/* Makes those that are not there. What fails is told; the others work. */
void bh_taps_make(struct bh_taps *t);

/* Hands all to a process that starts: by its supervision socket, which must not have been used
 * much. 0 or -errno: it does not have all. */
int bh_taps_hand(struct bh_taps *t, int sup_fd);

/* A change of the table cfg_interface: makes the TAP of a port that came, hands it to v6stack's
 * process (sup_fd; -1: none runs), and closes, and has v6stack close, that of one that went. What
 * fails is told. */
void bh_taps_follow(struct bh_taps *t, const struct bh_change *c, int sup_fd);

/* Takes a datagram of v6stack. True if it was a request about a TAP: it is done, or
 * told why not. Bounded: netlink calls for at most BH_HOSTASK_ADDRS addresses. */
bool bh_taps_asked(struct bh_taps *t, const void *msg, size_t len);

/* Closes all: they vanish, unless v6stack still runs. */
void bh_taps_free(struct bh_taps *t);

#endif
