/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What zebra's dplane_fpm_nl writes: frames of FPM (version 1: version, type, length of the whole
 * in network order) that carry netlink messages (type 1), each as zebra would send it to the
 * kernel (linux/rtnetlink.h, linux/nexthop.h). A frame may hold several: a changed route is a
 * delete and a new one.
 *
 * Pure: bytes in, messages out; no byte is believed. A message that cannot be taken is told with
 * a reason, and the next one follows; only where it is not known any more where a message
 * begins, the stream is corrupt.
 */
#ifndef BH_ROUTING_FPM_MSG_H
#define BH_ROUTING_FPM_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infobase/schema.h"
#include "lib/net/prefix.h"

#define BH_FPM_HEAD 4
#define BH_FPM_FRAME_MAX 65535

enum bh_fpm_kind {
	BH_FPM_ROUTE_NEW = 1,
	BH_FPM_ROUTE_DEL,
	BH_FPM_NHG_NEW,
	BH_FPM_NHG_DEL,
	BH_FPM_OTHER,
};

struct bh_fpm_member {
	uint32_t id;
	uint8_t weight;
};

/* One message. Of a refused one only kind, reason, port, and what could be read of prefix,
 * protocol and id are valid. */
struct bh_fpm_msg {
	uint8_t kind;	/* enum bh_fpm_kind */
	bool refused;
	uint8_t reason; /* enum bh_fpm_reason, if refused */
	bool cut;	/* next hops beyond BH_ECMP_MAX were left out */
	uint32_t port;	/* netlink port id of the sender */
	bool has_prefix;
	struct bh_prefix prefix; /* without host bits */
	uint8_t proto;
	uint8_t type;	/* of a new route or next hop: enum bh_nh_type, GROUP with hops or id */
	uint32_t metric;
	uint32_t id;	/* of a route: the next-hop id that it uses; 0: none */
	uint8_t n_hops;
	uint8_t n_members; /* of a next-hop group */
	struct bh_fpm_hop hop[BH_ECMP_MAX];
	struct bh_fpm_member member[BH_ECMP_MAX];
};

typedef void (*bh_fpm_msg_fn)(void *arg, const struct bh_fpm_msg *m);

/* Length of the frame that data begins with; 0: it is not yet there as a whole; -EBADMSG: what
 * is there begins no frame. */
int bh_fpm_frame(const uint8_t *data, size_t len);

/* Calls fn for each message in a frame's payload, of any alignment. How many there were, or
 * -EBADMSG: corrupt from some message on; those before it were told. */
int bh_fpm_parse(const uint8_t *payload, size_t len, bh_fpm_msg_fn fn, void *arg);

#endif
