/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel knows of an interface, by netlink and sysctl: made equal to what is wanted, by
 * the difference alone: an address that stays is not touched, so that sessions live. Blocking calls
 * to the kernel, which answers at once. Needs CAP_NET_ADMIN.
 */
#ifndef BH_SUPERVISOR_KERNELIF_H
#define BH_SUPERVISOR_KERNELIF_H

#include "lib/net/hostask.h"

struct bh_kernelif;

/* NULL and errno. */
struct bh_kernelif *bh_kernelif_open(void);
void bh_kernelif_close(struct bh_kernelif *k);

/*
 * A new TAP, before it is up: no ARP, no addresses of the kernel's own making, no router
 * advertisements, redirects or forwarding, no reverse path filter: v6stack alone speaks ARP, ND
 * and MLD. 0 or the first -errno; what does not fail is done.
 */
int bh_kernelif_prepare(struct bh_kernelif *k, unsigned int ifindex, const char *name);

/*
 * MAC, MTU, up or down, carrier (by the TAP's descriptor), addresses (without duplicate address
 * detection, which was done), the route of last resort: with a metric so high that any other
 * default route of the machine wins. 0 or the first -errno; what does not fail is done.
 */
int bh_kernelif_equal(struct bh_kernelif *k, unsigned int ifindex, int tap_fd,
	const struct bh_hostask *want);

#endif
