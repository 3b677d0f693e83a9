/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TCP and UDP sockets of this machine's network namespace, as rows of the tables `tcp` and
 * `udp`: the kernel is asked by NETLINK_SOCK_DIAG (inet_diag), which takes no privilege, and the
 * rows are told as differences to the round before. Whose process a socket is, the kernel does
 * not say; its user and inode it does.
 *
 * A round is started by the caller, now and then, and done in bounded steps. One thread.
 */
#ifndef BH_V6STACK_SOCKDIAG_H
#define BH_V6STACK_SOCKDIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infobase/schema.h"

#define BH_SOCKDIAG_ROWS 65536 /* of a table; more are counted, not told */

struct bh_sock_row {
	struct bh_sock_key key;
	struct bh_sock val;
};

struct bh_sockdiag_ops {
	/* A socket that is new or has another value; one that is gone. table: BH_T_TCP or BH_T_UDP.
	 * 0, or -EAGAIN: not now, the same is told again by a later bh_sockdiag_poll(); any
	 * other -errno ends that with it. */
	int (*add)(void *arg, uint16_t table, const struct bh_sock_row *row);
	int (*del)(void *arg, uint16_t table, const struct bh_sock_key *key);
	/* A round is done: the tables are what the kernel said. */
	void (*done)(void *arg);
};

struct bh_sockdiag_stats {
	uint64_t rounds;
	uint64_t broken;  /* rounds that were given up: the kernel's answer had a gap or an error */
	uint64_t beyond;  /* rows beyond BH_SOCKDIAG_ROWS, all rounds */
	uint64_t odd;	  /* messages that were not understood */
};

struct bh_sockdiag;

/* Opens the socket (before the sandbox). NULL and errno. */
struct bh_sockdiag *bh_sockdiag_open(const struct bh_sockdiag_ops *ops, void *arg);
void bh_sockdiag_close(struct bh_sockdiag *sd);

/* Begins a round. 0; -EBUSY: the one before is not done; -errno. */
int bh_sockdiag_start(struct bh_sockdiag *sd);

/* Readable when the kernel has answered. */
int bh_sockdiag_fd(const struct bh_sockdiag *sd);

/*
 * Goes on with a round: at most `budget` datagrams of the kernel or rows told. 1: there is more
 * to do at once; 0: wait for the descriptor, or (-EAGAIN of an op) for room, or there is no round;
 * -errno: of an op, or the socket's; the round is given up.
 */
int bh_sockdiag_poll(struct bh_sockdiag *sd, unsigned int budget);

/* Forgets all rows and the round under way: the next one tells every socket (a new core). */
void bh_sockdiag_forget(struct bh_sockdiag *sd);

const struct bh_sockdiag_stats *bh_sockdiag_stats(const struct bh_sockdiag *sd);

/* ---- one datagram of an answer (sockdiag_parse.c); pure ---- */

enum bh_sockdiag_end {
	BH_SOCKDIAG_MORE,   /* the answer goes on */
	BH_SOCKDIAG_DONE,
	BH_SOCKDIAG_BROKEN, /* an error, or rows may be missing */
};

typedef void (*bh_sockdiag_row_fn)(void *arg, const struct bh_sock_row *row);

/*
 * Reads the messages of a datagram, aligned to 4, that have this sequence number; others are left
 * out. What is no socket of IPv4 or IPv6 is counted in *odd. A connection over IPv6's form of
 * IPv4 addresses (::ffff:0:0/96) is one of IPv4.
 */
enum bh_sockdiag_end bh_sockdiag_parse(const void *buf, size_t len, uint32_t seq,
	bh_sockdiag_row_fn fn, void *arg, uint64_t *odd);

#endif
