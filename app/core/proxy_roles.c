/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Role sockets of a control proxy, as the main lcore hands them over: an owner's, which ends the
 * one before; an heir's, which stands beside it; and the word that makes an heir the owner.
 *
 * A promotion is told to each service by a relay slot, as a departure is. The services' rings are
 * in order, so a contact of the heir that is under way arrives before it, as an heir's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/core/proxy_priv.h"
#include "lib/log/log.h"

enum gift_kind { GIFT_OWNER, GIFT_HEIR, GIFT_PROMOTE };

struct gift {
	int fd; /* -1 with PROMOTE */
	uint16_t kind, role;
	uint32_t epoch, pid;
};

/* ---- the main lcore ---- */

/* kinds but HEIR begin a new epoch of the role. */
static int
give(struct bh_proxy *p, uint16_t kind, int fd, uint16_t role, uint32_t pid)
{
	static uint32_t epochs[BH_ROLE_MAX]; /* of the core; the EAL main lcore's */
	struct gift *g;

	if (role < BH_ROLE_SUPERVISOR || role >= BH_ROLE_CORE)
		return -EINVAL;
	g = malloc(sizeof(*g));
	if (g == NULL)
		return -ENOMEM;
	*g = (struct gift){fd, kind, role, epochs[role] + (kind != GIFT_HEIR), pid};
	if (rte_ring_sp_enqueue(p->roles, g) < 0) {
		free(g);
		return -EAGAIN;
	}
	epochs[role] += kind != GIFT_HEIR;
	bh_bell_ring(&p->bell);
	return 0;
}

int
bh_proxy_give_role(struct bh_proxy *p, int fd, uint16_t role, uint32_t pid)
{
	return fd < 0 ? -EINVAL : give(p, GIFT_OWNER, fd, role, pid);
}

int
bh_proxy_give_heir(struct bh_proxy *p, int fd, uint16_t role, uint32_t pid)
{
	return fd < 0 ? -EINVAL : give(p, GIFT_HEIR, fd, role, pid);
}

int
bh_proxy_promote(struct bh_proxy *p, uint16_t role, uint32_t pid)
{
	return give(p, GIFT_PROMOTE, -1, role, pid);
}

bool
bh_proxy_promotion(struct bh_proxy *p, struct bh_promotion *end)
{
	return rte_ring_sc_dequeue_elem(p->promotions, end, sizeof(*end)) == 0;
}

/* ---- the proxy ---- */

static void
tell_main(struct bh_proxy *p, uint16_t role, uint32_t pid, bool done)
{
	struct bh_promotion end = {.role = role, .done = done, .pid = pid};

	if (rte_ring_sp_enqueue_elem(p->promotions, &end, sizeof(end)) < 0)
		bh_err("proxy", "the end of the promotion of pid %u is not told: no room", pid);
	else if (p->conf.main_bell != NULL)
		bh_bell_ring(p->conf.main_bell);
}

void
bh_promotion_told(struct bh_proxy *p, struct bh_psock *s, uint16_t service, int status)
{
	s->promoting &= ~(1u << service);
	s->denied |= status < 0;
	if (!s->promoted || s->to_promote != 0 || s->promoting != 0)
		return;
	s->promoted = false;
	p->n_promoting--;
	tell_main(p, s->role, s->pid, !s->denied);
}

/* Closes the sockets of a role, its heirs' or its owner's. */
static void
close_role(struct bh_proxy *p, uint16_t role, bool heirs)
{
	for (unsigned int i = BH_PROXY_SOCKETS; i < BH_PROXY_ALL; i++) {
		struct bh_psock *s = &p->socks[i];

		if (s->state != BH_SOCK_FREE && s->role == role && s->heir == heirs)
			bh_sock_close(p, s);
	}
}

/* The socket of before ends here; elsewhere services see to it by the epoch. */
static void
place(struct bh_proxy *p, const struct gift *g)
{
	struct bh_psock *s = NULL;
	int rc = -EMFILE;

	close_role(p, g->role, g->kind == GIFT_HEIR);
	for (unsigned int i = BH_PROXY_SOCKETS; i < BH_PROXY_ALL && s == NULL; i++)
		if (p->socks[i].state == BH_SOCK_FREE)
			s = &p->socks[i];
	if (s != NULL)
		rc = bh_sock_open(p, s, g->fd, g->role, g->epoch);
	if (rc == 0) {
		s->heir = g->kind == GIFT_HEIR;
		s->pid = g->pid;
		__atomic_fetch_add(&p->conf.stats->sockets, 1, __ATOMIC_RELAXED);
		return;
	}
	bh_err("proxy", "the socket of role %u is lost: %s", g->role, strerror(-rc));
	close(g->fd);
}

static struct bh_psock *
find_heir(struct bh_proxy *p, const struct gift *g)
{
	for (unsigned int i = BH_PROXY_SOCKETS; i < BH_PROXY_ALL; i++) {
		struct bh_psock *s = &p->socks[i];

		if (s->fd >= 0 && s->heir && s->role == g->role && s->pid == g->pid)
			return s;
	}
	return NULL;
}

static void
promote(struct bh_proxy *p, const struct gift *g)
{
	struct bh_psock *s = find_heir(p, g);

	if (s == NULL) {
		tell_main(p, g->role, g->pid, false);
		return;
	}
	close_role(p, g->role, false);
	s->heir = false;
	s->role_epoch = g->epoch;
	s->promoted = true;
	p->n_promoting++;
	for (uint16_t i = 1; i < BH_SERVICE_MAX; i++)
		if (p->known[i].relay != NULL)
			s->to_promote |= 1u << i;
	/* bh_waiting_retry() tells them, in this turn. */
}

bool
bh_roles_take(struct bh_proxy *p)
{
	bool busy = false;
	void *obj;

	while (rte_ring_sc_dequeue(p->roles, &obj) == 0) {
		struct gift *g = obj;

		if (g->kind == GIFT_PROMOTE)
			promote(p, g);
		else
			place(p, g);
		free(g);
		busy = true;
	}
	return busy;
}

void
bh_roles_drop(struct bh_proxy *p)
{
	void *obj;

	while (p->roles != NULL && rte_ring_sc_dequeue(p->roles, &obj) == 0) {
		struct gift *g = obj;

		if (g->fd >= 0)
			close(g->fd);
		free(g);
	}
}
