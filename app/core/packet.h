/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet service (BH_SERVICE_PACKET) on the punt lcore: frames from the forwarding lcores to the
 * protocol stack and back. Its messages are told in lib/channel/packet.h.
 *
 * A frame on its way out: a forwarding lcore polices it and puts it into its own bounded ring
 * (app/forwarding/punt.c); the punt lcore copies it into the stack's channel and frees it. When
 * the channel is full it leaves the rest where it is and looks again later: the rings fill, and the
 * forwarding lcores count what does not fit. A frame on its way in is copied into an mbuf of a
 * pool apart and put into the ring of one forwarding lcore; while there is no mbuf or room its
 * request stays in the stack's queue.
 *
 * Forwarding lcores may be told by the EAL main lcore alone which rings they use. So the service says
 * what it wants, rings main, and the main lcore, which may wait for a grace period, says what is.
 */
#ifndef BH_CORE_PACKET_H
#define BH_CORE_PACKET_H

#include "app/core/service_conf.h"
#include "app/forwarding/forwarding.h"

struct bh_packet;

struct bh_packet_conf {
	struct bh_forwarding *fwd;
	unsigned int n_fwd; /* forwarding lcores */
	struct bh_stats *stats;
	struct bh_bell *main_bell; /* of the EAL main lcore, which calls bh_packet_settle() */
	int socket_id;
};

/* EAL main lcore, at start. NULL and errno. */
struct bh_packet *bh_packet_create(const struct bh_packet_conf *conf);

/* The service that bh_packet_ops (ctx: the bh_packet) serves; before launch. */
extern const struct bh_service_ops bh_packet_ops;
void bh_packet_set_service(struct bh_packet *p, struct bh_service *svc);

/* EAL main lcore, when its bell was rung: connects or disconnects the forwarding lcores as the
 * service wants it. True: a forwarding lcore hangs, call again in a while. */
bool bh_packet_settle(struct bh_packet *p);

/* EAL main lcore, when the service's lcore and the forwarding lcores have returned. NULL is
 * allowed. */
void bh_packet_destroy(struct bh_packet *p);

#endif
