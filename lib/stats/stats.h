/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bh.stats: everything that can be counted, in one memzone that readers map read-only.
 *
 * Each struct has one writing lcore; readers take each 64-bit counter with one load.
 * Entries with text have `seq`: odd while being written; a reader copies the entry and
 * keeps the copy when seq was even and the same before and after (bounded tries).
 */
#ifndef BH_STATS_H
#define BH_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "infobase/schema.h"
#include "lib/channel/msg.h"
#include "lib/channel/packet.h"

#define BH_STATS_MAGIC 0x42485354u
#define BH_STATS_VERSION 4
#define BH_STATS_LCORES 32
#define BH_STATS_FWD 16	   /* forwarding lcores */
#define BH_STATS_CONNS 512

/*
 * Why a packet was dropped; the name is what users read. One reason a packet. What cannot be
 * forwarded (ip4_ttl_expired, ip6_hop_limit_expired, *_no_route, ip4_mtu_exceeded, ip6_too_big,
 * nexthop_unreachable, nexthop_prohibit) counts here whether or not the stack is told of it, which
 * is counted besides in punt[]; a packet that goes to the stack for another reason is no drop.
 */
#define BH_DROP_LIST(X)                                                                            \
	X(ETH_TRUNCATED, eth_truncated)                                                            \
	X(ETH_WRONG_MAC, eth_wrong_mac)                                                            \
	X(ETH_UNKNOWN_TYPE, eth_unknown_type)                                                      \
	X(INTERFACE_DOWN, interface_down)                                                          \
	X(IP4_TRUNCATED, ip4_truncated)                                                            \
	X(IP4_BAD_VERSION, ip4_bad_version)                                                        \
	X(IP4_BAD_LENGTH, ip4_bad_length)                                                          \
	X(IP4_BAD_CHECKSUM, ip4_bad_checksum)                                                      \
	X(IP4_MARTIAN_SOURCE, ip4_martian_source)                                                  \
	X(IP4_MARTIAN_DESTINATION, ip4_martian_destination)                                        \
	X(IP4_TTL_EXPIRED, ip4_ttl_expired)                                                        \
	X(IP4_NO_ROUTE, ip4_no_route)                                                              \
	X(IP4_MTU_EXCEEDED, ip4_mtu_exceeded)                                                      \
	X(IP6_TRUNCATED, ip6_truncated)                                                            \
	X(IP6_BAD_VERSION, ip6_bad_version)                                                        \
	X(IP6_BAD_LENGTH, ip6_bad_length)                                                          \
	X(IP6_MARTIAN_SOURCE, ip6_martian_source)                                                  \
	X(IP6_MARTIAN_DESTINATION, ip6_martian_destination)                                        \
	X(IP6_HOP_LIMIT_EXPIRED, ip6_hop_limit_expired)                                            \
	X(IP6_NO_ROUTE, ip6_no_route)                                                              \
	X(IP6_TOO_BIG, ip6_too_big)                                                                \
	X(FORWARDING_DISABLED, forwarding_disabled)                                                \
	X(FAMILY_DISABLED, family_disabled)                                                        \
	X(NEXTHOP_DEAD, nexthop_dead)                                                              \
	X(NEXTHOP_BLACKHOLE, nexthop_blackhole)                                                    \
	X(NEXTHOP_UNREACHABLE, nexthop_unreachable)                                                \
	X(NEXTHOP_PROHIBIT, nexthop_prohibit)                                                      \
	X(NEIGHBOR_UNRESOLVED, neighbor_unresolved)                                                \
	X(IP4_FRAGMENT_FAILED, ip4_fragment_failed)                                                \
	X(INJECT_BAD, inject_bad)                                                                  \
	X(PUNT_NO_STACK, punt_no_stack)                                                            \
	X(PUNT_POLICED, punt_policed)                                                              \
	X(PUNT_FULL, punt_full)                                                                    \
	X(OUT_INTERFACE_DOWN, out_interface_down)                                                  \
	X(TX_FULL, tx_full)                                                                        \
	X(HANDOFF_FULL, handoff_full)

enum bh_drop {
#define X(id, name) BH_DROP_##id,
	BH_DROP_LIST(X)
#undef X
	BH_DROP_MAX
};

const char *bh_drop_name(unsigned int drop); /* NULL beyond the last */
const char *bh_punt_name(unsigned int reason); /* the same, of enum bh_punt_reason */

/*
 * What was done with the packets of one IP version at one interface, as RFC 4293 counts: in what
 * came in by it, out what was to leave by it, lengths without the Ethernet header. docs/ip-counters.md
 * tells which drops count where. The first eight are counted once a burst and share a cache line.
 */
#define BH_IP_LIST(X)                                                                              \
	X(IN_RECEIVES, "in-receives")                                                              \
	X(IN_OCTETS, "in-octets")                                                                  \
	X(IN_FORWARDED, "in-forwarded") /* not to us: a route was looked for */                    \
	X(IN_DELIVERS, "in-delivers")	/* given to the stack as ours */                           \
	X(OUT_REQUESTS, "out-requests") /* of the stack */                                         \
	X(OUT_FORWARDED, "out-forwarded") /* not ours: a way out was found */                      \
	X(OUT_TRANSMITS, "out-transmits")                                                          \
	X(OUT_OCTETS, "out-octets")                                                                \
	X(IN_HDR_ERRORS, "in-header-errors")                                                       \
	X(IN_NO_ROUTES, "in-no-routes")                                                            \
	X(IN_ADDR_ERRORS, "in-address-errors")                                                     \
	X(IN_TRUNCATED, "in-truncated")                                                            \
	X(IN_DISCARDS, "in-discards")                                                              \
	X(IN_MCAST, "in-multicast")                                                                \
	X(IN_MCAST_OCTETS, "in-multicast-octets")                                                  \
	X(IN_BCAST, "in-broadcast")                                                                \
	X(OUT_DISCARDS, "out-discards")                                                            \
	X(OUT_NO_ROUTES, "out-no-routes")                                                          \
	X(OUT_FRAG_OKS, "out-fragmented")                                                          \
	X(OUT_FRAG_FAILS, "out-fragment-failed")                                                   \
	X(OUT_FRAG_CREATES, "out-fragments")                                                       \
	X(OUT_MCAST, "out-multicast")                                                              \
	X(OUT_MCAST_OCTETS, "out-multicast-octets")                                                \
	X(OUT_BCAST, "out-broadcast")

enum bh_ip_counter {
#define X(id, name) BH_IP_##id,
	BH_IP_LIST(X)
#undef X
	BH_IP_COUNTERS
};

struct bh_stats_ip {
	uint64_t n[BH_IP_COUNTERS];
} __attribute__((aligned(64)));

const char *bh_ip_counter_name(unsigned int counter); /* NULL beyond the last */

struct bh_stats_lcore { /* index: lcore id; written by that lcore */
	uint32_t used;
	uint32_t cpu;
	char role[20];
	uint32_t tid;
	uint64_t turns;	 /* passes of its loop */
	uint64_t busy;	 /* passes that found work */
	uint64_t sleeps; /* blocked, or micro-sleeps of a forwarding lcore */
	uint64_t wakes;	 /* ended by a bell */
	uint64_t handled; /* requests, or packets of a forwarding lcore */
	uint64_t heartbeat; /* TSC of the last pass */
} __attribute__((aligned(64)));

struct bh_stats_if { /* per forwarding lcore and ifindex */
	uint64_t rx_packets, rx_bytes, rx_drops;
	uint64_t tx_packets, tx_bytes, tx_drops;
} __attribute__((aligned(64)));

struct bh_stats_punt { /* of one reason */
	uint64_t taken;	  /* for the stack */
	uint64_t policed; /* not taken: too many */
	uint64_t full;	  /* not taken: the stack is slow */
};

struct bh_stats_fwd { /* one a forwarding lcore; written by it */
	uint64_t drop[BH_DROP_MAX];
	uint64_t ip4_forwarded, ip6_forwarded;
	uint64_t ip4_fragmented, ip4_fragments; /* packets that were cut; what became of them */
	uint64_t punted, injected; /* frames to and from the stack */
	struct bh_stats_punt punt[BH_PUNT_REASONS];
	struct bh_stats_if ifs[BH_IF_MAX];
	/* 0: of the router's own packets that found no interface. [0]: IPv4, [1]: IPv6. */
	struct bh_stats_ip ip[BH_IF_MAX][2];
} __attribute__((aligned(64)));

struct bh_stats_stack { /* written by the punt lcore */
	uint64_t connected;	 /* 1: a stack has begun */
	uint64_t delivered;	 /* frames put into its channel */
	uint64_t discarded;	 /* frames on their way when it left */
	uint64_t injected;	 /* frames taken from it */
	uint64_t inject_refused; /* requests answered with an error */
} __attribute__((aligned(64)));

struct bh_stats_dev { /* index: ifindex; the device's own counters; written by the port manager */
	uint64_t ipackets, opackets, ibytes, obytes, imissed, ierrors, oerrors, rx_nombuf;
} __attribute__((aligned(64)));

struct bh_stats_table { /* index: table id; written by its worker, but requests by main */
	uint32_t used;
	uint32_t lcore;	     /* of the worker */
	uint64_t requests;   /* taken by main for it */
	uint64_t refused;    /* answered with an error */
	uint64_t records;
	uint64_t stale;
	uint64_t generation;
	uint64_t epoch;
	uint64_t complete;
	uint64_t watchers;
	uint64_t swept;
	uint64_t replay_since; /* TSC; of a replay that has not ended; 0: none */
	uint64_t worker_sleeps;
	uint64_t worker_wakes;
} __attribute__((aligned(64)));

enum bh_conn_state { BH_CONN_FREE, BH_CONN_CONTACT, BH_CONN_DIRECT, BH_CONN_CLOSED };

struct bh_stats_conn { /* one a channel; written by its service's lcore */
	uint32_t seq;
	uint32_t state;	    /* enum bh_conn_state */
	char client[BH_NAME_LEN];
	char zone[BH_ZONE_LEN];
	uint32_t service;
	uint32_t role;
	uint32_t pid, uid;
	uint32_t proxy;	    /* lcore of the control proxy that took the first contact */
	uint32_t channel;
	uint64_t address;
	uint32_t generation;
	uint32_t epoch;
	uint64_t proxied;   /* requests that came through a proxy */
	uint64_t direct;    /* requests taken from the channel */
	uint64_t replies;
	uint64_t events;
	uint64_t rung;	    /* bells rung for the client */
	uint64_t bad;	    /* requests refused as malformed */
	uint64_t since;	    /* s since the epoch */
} __attribute__((aligned(64)));

struct bh_stats {
	uint32_t magic;
	uint32_t version;
	uint64_t size;	    /* bytes of the whole */
	uint64_t started;   /* s since the epoch */
	uint64_t tsc_hz;
	uint32_t core_pid;
	uint32_t n_fwd;
	uint32_t fwd_lcore[BH_STATS_FWD]; /* lcore id of each entry of fwd[] */
	uint64_t relays;    /* first contacts taken */
	uint64_t refused_contacts;
	uint64_t channels; /* memzones of clients that there are */
	uint64_t channel_bytes;
	uint64_t channels_made; /* ever */
	uint64_t sockets;  /* accepted ones and those of roles; all proxies' */
	struct bh_stats_stack stack;
	struct bh_stats_lcore lcore[BH_STATS_LCORES];
	struct bh_stats_table table[BH_T_MAX];
	struct bh_stats_conn conn[BH_STATS_CONNS];
	struct bh_stats_dev dev[BH_IF_MAX];
	struct bh_stats_fwd fwd[BH_STATS_FWD];
} __attribute__((aligned(64)));

/* Single writer's increment that readers of another process see whole. */
static inline void
bh_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t
bh_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#define BH_IP_ALL BH_IF_MAX
/* Sums over the forwarding lcores: of one interface, or of BH_IP_ALL. family: 4 or 6. Each counter
 * never falls while the core lives. Any process. */
void bh_ip_total(const struct bh_stats *st, unsigned int family, uint32_t ifindex,
	struct bh_stats_ip *sum);

/* Writer of an entry with seq: between these the entry is being written. */
static inline void
bh_stats_write_begin(uint32_t *seq)
{
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void
bh_stats_write_end(uint32_t *seq)
{
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELEASE);
}

/* Copies an entry that begins with its seq word. 0, or -EAGAIN after bounded tries. */
int bh_stats_copy(const void *entry, void *copy, size_t len);

#endif
