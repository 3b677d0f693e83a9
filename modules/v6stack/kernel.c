/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side of the router's ports, by hosttap.h: which interface a TAP belongs to, what
 * the kernel is to know of it, and frames both ways. After each change all interfaces are looked at;
 * what the kernel knows already is not said again. It is told of an address once the info base has
 * it, so that a successor never knows less than the kernel.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log/limit.h"
#include "lib/net/prefix.h"
#include "modules/v6stack/program.h"

#define BUDGET 64 /* frames of the kernel a turn */

static void
from_kernel(void *arg, uint32_t ifindex, uint8_t *frame, size_t len)
{
	struct program *p = arg;

	if (p->packets != NULL)
		bh_stack_from_host(p->stack, ifindex, frame, len);
}

static const struct bh_hosttap_ops tap_ops = {from_kernel};

int
bh_kernel_init(struct program *p)
{
	p->taps = bh_hosttaps_new(&tap_ops, p, bh_supervised_fd());
	if (p->taps == NULL)
		return -errno;
	return bh_module_wait_for(&p->m, &p->tapped, bh_hosttaps_fd(p->taps));
}

bool
bh_kernel_word(struct program *p, const struct bh_word *w)
{
	if (!bh_hosttaps_take(p->taps, w->text, w->fd))
		return false;
	p->kernel_dirty = true;
	return true;
}

void
bh_kernel_write(struct program *p, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	bh_hosttaps_write(p->taps, ifindex, frame, len); /* what fails is counted there */
}

int
bh_kernel_poll(struct program *p)
{
	return bh_hosttaps_poll(p->taps, BUDGET);
}

/* Whether the interface has an address in use by which the kernel may speak to all the world. */
static bool
leads_out(const struct bh_netif *i, uint8_t family)
{
	const struct bh_ifaddr *a;

	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->active && a->family == family && a->state == BH_ADDR_PREFERRED &&
			!(family == 6 && bh_ip6_is_link_local(a->addr)))
			return i->up;
	return false;
}

static void
add_addresses(struct bh_stack *s, struct bh_hostask *want, const struct bh_netif *i)
{
	const struct bh_ifaddr *a;

	TAILQ_FOREACH(a, &i->addrs, link)
		if (a->active && a->state == BH_ADDR_PREFERRED && bh_ifaddr_is_stored(s, a) &&
			bh_hostask_add(want, a->family, a->addr, a->plen) == -ENOSPC)
			return; /* the rest is the router's alone */
}

/* The first interface that leads out takes the kernel's default route, one for each family. */
static void
tell(struct program *p, const struct bh_netif *i, bool *led4, bool *led6)
{
	static struct bh_log_limit limit;
	struct bh_hostask want;
	int rc;

	bh_hostask_init(&want, i->name, i->mac, i->mtu);
	if (i->ifindex != 0) {
		if (i->flags & BH_IF_ENABLED)
			want.flags |= BH_HOSTASK_UP;
		if (i->up)
			want.flags |= BH_HOSTASK_CARRIER;
		if (!*led4 && leads_out(i, 4))
			want.flags |= BH_HOSTASK_DEFAULT4;
		if (!*led6 && leads_out(i, 6))
			want.flags |= BH_HOSTASK_DEFAULT6;
		add_addresses(p->stack, &want, i);
	}
	*led4 = *led4 || (want.flags & BH_HOSTASK_DEFAULT4);
	*led6 = *led6 || (want.flags & BH_HOSTASK_DEFAULT6);
	rc = bh_hosttaps_want(p->taps, &want);
	if (rc < 0 && rc != -ENODEV && rc != -EAGAIN)
		bh_log_limited(&limit, BH_LOG_WARNING, "kernel", "%s: cannot tell the supervisor: %s",
			i->name, strerror(-rc));
}

static void
bind_tap(struct program *p, const struct bh_netif *i)
{
	uint32_t kernel = bh_hosttaps_bind(p->taps, i->name, i->ifindex);
	struct bh_ifindex_key key = {i->ifindex};
	struct bh_hostif val = {kernel};

	if (i->ifindex == 0)
		return;
	if (kernel != 0)
		bh_out_put(&p->stack->out, BH_T_HOSTIF, &key, &val);
	else
		bh_out_del(&p->stack->out, BH_T_HOSTIF, &key);
}

void
bh_kernel_settle(struct program *p)
{
	bool led4 = false, led6 = false;
	const struct bh_netif *i;

	bh_hosttaps_flush(p->taps); /* what found no room before; asked again each turn */
	if (!p->kernel_dirty || !p->stack->running)
		return;
	TAILQ_FOREACH(i, &p->stack->ifs, link)
		bind_tap(p, i);
	if (p->stack->out.state != BH_OUT_DONE)
		return; /* nothing is taken from the kernel before the replay has said what there is */
	p->kernel_dirty = false;
	TAILQ_FOREACH(i, &p->stack->ifs, link)
		if (bh_mac_is_host(i->mac))
			tell(p, i, &led4, &led6);
}
