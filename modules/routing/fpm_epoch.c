/* SPDX-License-Identifier: BSD-3-Clause */
/* The source of zebra's routes: its configuration, its connections, and the end of a replay. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/log/log.h"
#include "modules/routing/fpm_priv.h"

/* ---- cfg_fpm ---- */

void
bh_fpm_cfg_put(struct bh_fpm *f, const struct bh_cfg_fpm *cfg)
{
	if (!f->configured || memcmp(&f->cfg, cfg, sizeof(*cfg)) != 0)
		f->reoffer = true;
	f->cfg = *cfg;
	f->configured = true;
	f->cfg_marked = false;
}

void
bh_fpm_cfg_delete(struct bh_fpm *f)
{
	f->configured = f->cfg_marked = false;
	f->reoffer = true;
}

void
bh_fpm_cfg_resync(struct bh_fpm *f)
{
	f->cfg_marked = f->configured;
}

void
bh_fpm_cfg_synced(struct bh_fpm *f)
{
	if (f->cfg_marked)
		bh_fpm_cfg_delete(f);
}

/* ---- hostif ---- */

void
bh_fpm_host_put(struct bh_fpm *f, uint32_t ifindex, uint32_t host_ifindex)
{
	if (ifindex == 0 || ifindex >= BH_IF_MAX)
		return;
	f->host[ifindex] = host_ifindex;
	f->host_marked[ifindex] = false;
	f->remap = true;
}

void
bh_fpm_host_delete(struct bh_fpm *f, uint32_t ifindex)
{
	bh_fpm_host_put(f, ifindex, 0);
}

void
bh_fpm_host_resync(struct bh_fpm *f)
{
	for (uint32_t k = 1; k < BH_IF_MAX; k++)
		f->host_marked[k] = f->host[k] != 0;
}

void
bh_fpm_host_synced(struct bh_fpm *f)
{
	for (uint32_t k = 1; k < BH_IF_MAX; k++)
		if (f->host_marked[k])
			bh_fpm_host_delete(f, k);
}

/* ---- the connection ---- */

void
bh_fpm_state(struct bh_fpm *f, uint8_t state, const char *error)
{
	struct bh_fpm_status *s = &f->status;

	if (s->state != state || s->since == 0)
		s->since = (uint64_t)time(NULL);
	s->state = state;
	if (error == NULL)
		return;
	s->error_time = (uint64_t)time(NULL);
	memset(s->error, 0, sizeof(s->error));
	snprintf(s->error, sizeof(s->error), "%s", error);
}

void
bh_fpm_open(struct bh_fpm *f, uint8_t family, const uint8_t addr[16], uint16_t port)
{
	struct bh_fpm_status *s = &f->status;

	f->epoch++;
	f->connected = f->replaying = true;
	f->began = f->same = false;
	f->connected_at = f->last_at = f->now;
	f->zebra_before = s->zebra;
	s->zebra = 0;
	for (unsigned int i = 0; i < 256; i++)
		f->slot[i].began = false;
	s->stale = s->routes4 + s->routes6;
	f->again = s->stale > 0;
	s->connections++;
	s->peer_family = family;
	s->peer_port = port;
	memcpy(s->peer, addr, sizeof(s->peer));
	bh_fpm_state(f, BH_FPM_REPLAYING, NULL);
}

/* What it sent is told by nobody now. Its ids mean nothing to the next one. */
void
bh_fpm_close(struct bh_fpm *f, const char *error)
{
	struct bh_fpm_status *s = &f->status;

	if (!f->connected)
		return;
	if (s->zebra == 0)
		s->zebra = f->zebra_before;
	f->epoch++;
	f->connected = f->replaying = f->kept = false;
	bh_fpm_nhgs_forget(&f->nhgs);
	s->groups = 0;
	s->stale = s->routes4 + s->routes6;
	bh_fpm_state(f, BH_FPM_LISTENING, error);
}

void
bh_fpm_waits(struct bh_fpm *f)
{
	f->last_at = f->now;
}

bool
bh_fpm_is_busy(const struct bh_fpm *f)
{
	return f->n_dirty + f->n_sent + f->out->n_routes > BH_FPM_BACKLOG;
}

/* ---- the end of a replay ---- */

static bool
is_quiet(const struct bh_fpm *f)
{
	return f->began && f->now - f->last_at >= f->cfg.settle * UINT64_C(1000);
}

static bool
is_over(const struct bh_fpm *f)
{
	return f->now - f->connected_at >= f->cfg.replay_limit * UINT64_C(1000);
}

static void
replay_ended(struct bh_fpm *f)
{
	struct bh_fpm_status *s = &f->status;

	f->replaying = false;
	f->changed |= f->kept;
	s->replay_ms = (uint32_t)(f->now - f->connected_at);
	bh_fpm_state(f, BH_FPM_CONNECTED, NULL);
	bh_info("fpm", "zebra's replay ended after %.3f s: %u IPv4 and %u IPv6 routes",
		s->replay_ms / 1e3, s->routes4, s->routes6);
}

bool
bh_fpm_sweep(struct bh_fpm *f)
{
	unsigned int left = BH_FPM_SWEEP;
	bool quiet = is_quiet(f), over = is_over(f);

	if (!f->replaying || !f->configured || !(quiet || over) || bh_fpm_is_busy(f))
		return false;
	for (unsigned int i = 0; i < 256 && left > 0; i++)
		if (over || f->same || f->slot[i].began)
			left -= bh_fpm_sweep_slot(f, (uint8_t)i, left);
	f->status.swept += BH_FPM_SWEEP - left;
	if (f->status.stale == 0 || (over && left > 0))
		replay_ended(f);
	return left == 0;
}
