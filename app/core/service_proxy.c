/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service proxy. A registration is the address of relay memory in an SP/SC ring, one a
 * service; its lowest bit means withdrawal. For each control proxy a bit a service says that
 * the present state is still to be announced, so a proxy that is behind gets the newest only.
 * Generations begin at the time of day: a core that was started again repeats none.
 */
#include "app/core/service_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_errno.h>

#include "app/core/lcore_stats.h"
#include "app/core/proxy_priv.h"

#define WITHDRAW 1u
#define RETRY_MS 1

struct bh_service_proxy {
	struct bh_service_proxy_conf conf;
	struct bh_proxy *proxies[BH_PROXIES_MAX];
	struct bh_bell bell;
	bool stop;
	struct bh_stats_lcore *stats;
	uint32_t generation;
	struct rte_ring *reg[BH_SERVICE_MAX];
	struct bh_relay *relay[BH_SERVICE_MAX]; /* present state; NULL: none */
	uint32_t behind[BH_PROXIES_MAX];	/* bit a service */
};

struct bh_service_proxy *
bh_service_proxy_create(const struct bh_service_proxy_conf *conf)
{
	struct bh_service_proxy *sp;
	char name[RTE_RING_NAMESIZE];
	int rc;

	if (conf->n_proxies == 0 || conf->n_proxies > BH_PROXIES_MAX) {
		errno = EINVAL;
		return NULL;
	}
	sp = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*sp), 64));
	if (sp == NULL)
		return NULL;
	memset(sp, 0, sizeof(*sp));
	sp->conf = *conf;
	memcpy(sp->proxies, conf->proxies, conf->n_proxies * sizeof(sp->proxies[0]));
	sp->generation = time(NULL);
	rc = bh_bell_init(&sp->bell);
	for (unsigned int i = 1; rc == 0 && i < BH_SERVICE_MAX; i++) {
		snprintf(name, sizeof(name), "bh.register.%u", i);
		sp->reg[i] = rte_ring_create(name, 16, conf->socket, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (sp->reg[i] == NULL)
			rc = -rte_errno;
	}
	if (rc < 0) {
		bh_service_proxy_destroy(sp);
		errno = -rc;
		return NULL;
	}
	return sp;
}

void
bh_service_proxy_stop(struct bh_service_proxy *sp)
{
	__atomic_store_n(&sp->stop, true, __ATOMIC_RELEASE);
	bh_bell_ring(&sp->bell);
}

/* ---- services' lcores ---- */

static int
post(struct bh_service_proxy *sp, struct bh_relay *relay, uintptr_t what)
{
	if (rte_ring_sp_enqueue(sp->reg[relay->service], (void *)((uintptr_t)relay | what)) < 0)
		return -ENOBUFS;
	bh_bell_ring(&sp->bell);
	return 0;
}

int
bh_service_register(struct bh_service_proxy *sp, struct bh_relay *relay)
{
	int rc;

	bh_relay_get(relay); /* the service proxy's, until the withdrawal */
	rc = post(sp, relay, 0);
	if (rc < 0)
		bh_relay_put(relay);
	return rc;
}

int
bh_service_withdraw(struct bh_service_proxy *sp, struct bh_relay *relay)
{
	return post(sp, relay, WITHDRAW);
}

/* ---- the loop ---- */

static void
set_present(struct bh_service_proxy *sp, uint16_t service, uintptr_t obj)
{
	struct bh_relay *relay = (struct bh_relay *)(obj & ~(uintptr_t)WITHDRAW);

	if (obj & WITHDRAW) {
		if (sp->relay[service] == relay)
			sp->relay[service] = NULL;
	} else {
		__atomic_store_n(&relay->generation, ++sp->generation, __ATOMIC_RELEASE);
		sp->relay[service] = relay;
	}
	for (unsigned int i = 0; i < sp->conf.n_proxies; i++)
		sp->behind[i] |= 1u << service;
}

static bool
take_registrations(struct bh_service_proxy *sp)
{
	bool busy = false;
	void *obj;

	for (uint16_t i = 1; i < BH_SERVICE_MAX; i++)
		while (rte_ring_sc_dequeue(sp->reg[i], &obj) == 0) {
			set_present(sp, i, (uintptr_t)obj);
			if ((uintptr_t)obj & WITHDRAW)
				bh_relay_put((struct bh_relay *)((uintptr_t)obj & ~(uintptr_t)1));
			busy = true;
		}
	return busy;
}

/* Announces what the proxy has not heard. False: it is still behind. */
static bool
broadcast(struct bh_service_proxy *sp, unsigned int proxy)
{
	for (uint16_t i = 1; i < BH_SERVICE_MAX && sp->behind[proxy] != 0; i++) {
		struct bh_announcement a = {.service = i, .relay = sp->relay[i]};

		if (!(sp->behind[proxy] & 1u << i))
			continue;
		if (a.relay != NULL) {
			a.generation = __atomic_load_n(&a.relay->generation, __ATOMIC_RELAXED);
			bh_relay_get(a.relay); /* the control proxy's */
		}
		if (bh_proxy_announce(sp->proxies[proxy], &a) < 0) {
			if (a.relay != NULL)
				bh_relay_put(a.relay);
			return false;
		}
		sp->behind[proxy] &= ~(1u << i);
		bh_count(&sp->stats->handled, 1);
	}
	return true;
}

static bool
idle(struct bh_service_proxy *sp)
{
	for (uint16_t i = 1; i < BH_SERVICE_MAX; i++)
		if (!rte_ring_empty(sp->reg[i]))
			return false;
	return !__atomic_load_n(&sp->stop, __ATOMIC_ACQUIRE);
}

static void
turn(struct bh_service_proxy *sp)
{
	bool busy = take_registrations(sp), all = true;

	for (unsigned int i = 0; i < sp->conf.n_proxies; i++)
		all &= broadcast(sp, i);
	bh_lcore_turn(sp->stats, busy, rte_get_tsc_cycles());
	bh_bell_announce(&sp->bell);
	if (!idle(sp)) {
		bh_bell_awake(&sp->bell);
		return;
	}
	bh_count(&sp->stats->sleeps, 1);
	if (bh_bell_block(&sp->bell, all ? BH_NAP_MS : RETRY_MS))
		bh_count(&sp->stats->wakes, 1);
}

int
bh_service_proxy_main(void *arg)
{
	struct bh_service_proxy *sp = arg;

	sp->stats = bh_lcore_stats(sp->conf.stats, "service-proxy");
	while (!__atomic_load_n(&sp->stop, __ATOMIC_ACQUIRE))
		turn(sp);
	return 0;
}

void
bh_service_proxy_destroy(struct bh_service_proxy *sp)
{
	if (sp == NULL)
		return;
	if (sp->reg[BH_SERVICE_MAX - 1] != NULL)
		take_registrations(sp); /* withdrawals that came after the end */
	for (unsigned int i = 1; i < BH_SERVICE_MAX; i++)
		rte_ring_free(sp->reg[i]);
	bh_bell_close(&sp->bell);
	free(sp);
}
