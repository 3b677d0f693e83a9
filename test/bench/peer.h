/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The references: a second process, pinned where the service's lcore runs, that does the least that
 * a request and its reply can be.
 *
 *     line    one cache line each way, a word in it: two lines, both sides poll
 *     spsc    64-byte slots with a sequence word each way, copied in and out, no check, no tag,
 *             no callback, PEER_WINDOW under way
 *     rings   an index over two rte_rings, SP/SC
 *     pipe    a byte over two pipes, blocking
 *     socket  64 bytes over a seqpacket socket, blocking; pipelined: by 32 with sendmmsg
 *
 * Between two measurements the peer sleeps. A measurement takes about ms milliseconds and returns
 * the median of its batches, so that a batch that was interrupted does not count.
 */
#ifndef TEST_BENCH_PEER_H
#define TEST_BENCH_PEER_H

#define PEER_WINDOW 256

enum peer_kind { PEER_LINE, PEER_SPSC, PEER_RINGS, PEER_PIPE, PEER_SOCKET, PEER_SOCKET_MANY };

/* Starts the peer on this CPU. Before there are threads. Exits the program when it cannot. */
void peer_start(int cpu);
void peer_stop(void);

/* Moves the peer to this CPU. */
void peer_pin(int cpu);

/* ns of a round trip; messages a second for SPSC and SOCKET_MANY. */
double peer_measure(enum peer_kind kind, unsigned int ms);

/* us to connect to a listening seqpacket socket of the peer's, one request and reply, close. */
double peer_connect_us(void);

#endif
