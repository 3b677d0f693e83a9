/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bed for the forwarding tests: EAL without hugepages, ring ports, tables filled with a small
 * standard network, and one forwarding lcore run by hand on the EAL main lcore: inject a
 * frame, turn, expect one frame or one counter.
 *
 * Port i (1 .. BED_PORTS, which is its ifindex) has the MAC 02:00:00:00:00:0i and one adjacency,
 * index i, to 02:ff:00:00:00:0i. Next hop `id` is reached by 10.0.id.0/24 and 2001:db8:id::/48.
 */
#ifndef BH_TEST_FWD_UTIL_H
#define BH_TEST_FWD_UTIL_H

#include <check.h>

#include "app/forwarding/forwarding_priv.h"
#include "app/forwarding/publish.h"

#define BED_PORTS 4
#define BED_QUEUES 4	/* rings of each port, each way */
#define BED_RING 256	/* frames in a port's ring */
#define BED_MBUFS 4095
#define BED_MTU 1500

enum bed_nh { /* next-hop ids; 1 .. BED_PORTS: out by that port */
	BED_ECMP = 5, /* all four ports */
	BED_ATTACHED, /* port 2's network */
	BED_LOCAL,
	BED_BLACKHOLE,
	BED_UNREACHABLE,
	BED_PROHIBIT,
	BED_DEAD,
	BED_EMPTY,    /* a group without live members */
	BED_UNSET,    /* an id with a route and no entry */
	BED_NH_MAX,
};

struct frame {
	uint32_t len;
	uint8_t b[4096];
};

struct bed {
	struct bh_fwd_tables t;
	struct bh_stats *stats;
	struct bh_forwarding *f;
	struct rte_mempool *pool;
	struct rte_ring *in[BED_PORTS + 1][BED_QUEUES], *out[BED_PORTS + 1][BED_QUEUES];
	uint16_t port[BED_PORTS + 1];
	uint64_t drops[BH_DROP_MAX]; /* as of the last look */
};

extern struct bed bed;

/* Runs the suite, not forked; the program's exit code. EAL is started and ended here. */
int bed_run(Suite *suite);

/* Fixture of inline tests: forwarding index 0 is the EAL main lcore; each port has one queue. */
void bed_setup(void);
void bed_teardown(void);
/* The same with n lcores (EAL lcores 0 .. n - 1, or 1 .. n behind `launch`), without ports. */
void bed_create(unsigned int n, unsigned int first);

/* Publish the usual entries, or one changed. */
void bed_put_if(uint16_t i, uint16_t flags, uint16_t mtu);
void bed_put_adj(uint16_t adj, uint16_t ifindex, uint8_t state);
void bed_put_nh(uint32_t id, uint8_t type, uint8_t n, const uint16_t *adj, uint16_t ifindex);
#define BED_IF_ALL (BH_FWD_IF_UP | BH_FWD_IF_FORWARD4 | BH_FWD_IF_FORWARD6 | BH_FWD_IF_IPV4 | \
	BH_FWD_IF_IPV6)

/* An IPv4 address in host order. */
#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/* Frames. All come to port 1's MAC from 02:ee::1; UDP with ports and a payload that counts up. */
void frame_ip4(struct frame *f, uint32_t src, uint32_t dst, unsigned int payload);
void frame_ip6(struct frame *f, const char *src, const char *dst, unsigned int payload);
/* IPv4 to 10.0.nh.9, IPv6 to 2001:db8:nh::9, with 100 bytes of payload. */
void frame_to4(struct frame *f, uint8_t nh);
void frame_to6(struct frame *f, uint8_t nh);
struct rte_ipv4_hdr *frame_hdr4(struct frame *f);
struct rte_ipv6_hdr *frame_hdr6(struct frame *f);
/* Header checksum anew, by another way than the code under test. */
void frame_sum4(struct frame *f);
/* What the frame becomes behind the router, sent by `port`: MACs, one hop less, checksum. */
void frame_hop(struct frame *f, uint16_t port);

/* One frame in by a queue of a port, not yet received, in segments of `seg` bytes (0: in one). */
void bed_inject_seg(const struct frame *f, uint16_t port, uint16_t queue, unsigned int seg);
void bed_inject(const struct frame *f, uint16_t port);
/* A turn of forwarding lcore `index`, in QSBR as the real loop is. */
unsigned int bed_turn_of(unsigned int index);
unsigned int bed_turn(void);
/* The next frame sent by a port; NULL: none. The caller frees it. */
struct rte_mbuf *bed_take(uint16_t port, uint16_t queue);
/* The frames waiting behind a port's queue 0; freed. */
unsigned int bed_count(uint16_t port);

/* Injects at port 1, turns, and asserts: exactly that frame out, by that port; or exactly that drop
 * and no frame. No counter else moved, no mbuf is lost. */
void bed_expect_out(const struct frame *in, uint16_t port, const struct frame *out);
void bed_expect_drop(const struct frame *in, enum bh_drop why);
/* The frame forwarded unchanged but for the hop. */
void bed_expect_hop(const struct frame *in, uint16_t port);
/* `n` drops of a reason since the last look, none else. */
void bed_check_drops(enum bh_drop why, uint64_t n);
void bed_check_no_mbuf_lost(void);

#endif
