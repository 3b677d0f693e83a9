/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay memory: how a service and its control proxies exchange first contacts. One memzone
 * bh.relay.<service>, made by the service, seen by core lcores only: a head, and per control
 * proxy a block of request slots with a pair of SP/SC rings of slot indices laid in it. A
 * slot is the proxy's until its index is in `to_service`, the service's until it is in
 * `to_proxy`; the service writes the result in place.
 */
#ifndef BH_CORE_RELAY_H
#define BH_CORE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_memzone.h>
#include <rte_ring.h>

#include "app/core/bell.h"
#include "app/core/service_proxy.h"
#include "lib/channel/msg.h"

#define BH_RELAY_SLOTS 64 /* per control proxy */
#define BH_RELAY_RING (2 * BH_RELAY_SLOTS)

enum bh_relay_kind {
	BH_RELAY_CONTACT, /* a first request; result: status, welcome, fds, reply */
	BH_RELAY_GONE,	  /* the socket is closed: so is its peer */
	BH_RELAY_PROMOTE, /* the heir of this socket is the owner; result: status */
};

struct bh_relay_slot {
	uint16_t kind; /* enum bh_relay_kind */
	uint16_t sock; /* index in the proxy: names the client together with the proxy */
	uint16_t role;
	int16_t status; /* result: 0 or -errno */
	uint32_t role_epoch;
	uint32_t pid, uid;
	uint32_t lcore; /* of the proxy */
	bool heir;	/* may not write */
	char client[BH_NAME_LEN];
	struct bh_welcome welcome; /* result; the proxy adds what it knows */
	int fds[BH_FD_STATS];	   /* result, the proxy's from then on: those the client needs */
	uint8_t msg[BH_FIRST_MAX] __attribute__((aligned(8))); /* request, then its reply */
} __attribute__((aligned(64)));

struct bh_relay {
	uint32_t users;	     /* service proxy and control proxies that may use it; atomic */
	uint32_t generation; /* given by the service proxy; atomic */
	uint16_t service;
	uint16_t n_proxies;
	uint32_t block; /* bytes of one proxy's block */
	uint32_t ring;	/* bytes of a ring */
	struct bh_bell *service_bell;
	struct bh_bell *proxy_bell[BH_PROXIES_MAX]; /* set by the proxy before its first request */
} __attribute__((aligned(64)));

static inline uint8_t *
bh_relay_block(struct bh_relay *r, unsigned int proxy)
{
	return (uint8_t *)(r + 1) + (size_t)proxy * r->block;
}

static inline struct rte_ring *
bh_relay_to_service(struct bh_relay *r, unsigned int proxy)
{
	return (struct rte_ring *)bh_relay_block(r, proxy);
}

static inline struct rte_ring *
bh_relay_to_proxy(struct bh_relay *r, unsigned int proxy)
{
	return (struct rte_ring *)(bh_relay_block(r, proxy) + r->ring);
}

static inline struct bh_relay_slot *
bh_relay_slot(struct bh_relay *r, unsigned int proxy, unsigned int index)
{
	return (struct bh_relay_slot *)(bh_relay_block(r, proxy) + 2 * r->ring) + index;
}

/* Service proxy and control proxies: no more use of it by the caller. */
static inline void
bh_relay_put(struct bh_relay *r)
{
	__atomic_fetch_sub(&r->users, 1, __ATOMIC_RELEASE);
}

static inline void
bh_relay_get(struct bh_relay *r)
{
	__atomic_fetch_add(&r->users, 1, __ATOMIC_RELAXED);
}

#endif
