/* SPDX-License-Identifier: BSD-3-Clause */
#include "fpm_bed.h"

#include <string.h>

#include "lib/net/zproto.h"

void
bed_cfg(struct fake *f, const char *proto, uint8_t distance)
{
	struct bh_ifname_key key = {"fpm"};
	struct bh_cfg_fpm val = {.family = 4, .port = 2620, .addr = {127, 0, 0, 1},
		.settle = FPM_SETTLE, .replay_limit = FPM_LIMIT};

	for (unsigned int i = 0; i < 256; i++)
		val.distance[i] = bh_zproto_distance((uint8_t)i);
	if (distance != 0)
		val.distance[bh_zproto_find(proto)] = distance;
	fake_change(f, BH_T_CFG_FPM, BH_OP_PUT, &key, &val, sizeof(val));
}

void
bed_tap(struct fake *f, uint32_t ifindex, uint32_t kernel)
{
	struct bh_ifindex_key key = {ifindex};
	struct bh_hostif val = {kernel};

	fake_change(f, BH_T_HOSTIF, kernel != 0 ? BH_OP_PUT : BH_OP_DELETE, &key, &val, sizeof(val));
}

struct fake *
bed_new(void)
{
	struct fake *f = fake_new();

	f->r.fpm.now = 1000;
	fake_do(f, FPM_NET);
	bed_tap(f, 1, 101);
	bed_tap(f, 2, 102);
	bed_cfg(f, NULL, 0);
	fake_inputs_ready(f);
	fake_run(f);
	return f;
}

void
bed_open(struct fake *f)
{
	static const uint8_t addr[16] = {127, 0, 0, 1};

	bh_fpm_open(&f->r.fpm, 4, addr, 40000);
}

void
bed_take(struct fake *f, const char *words, uint32_t port)
{
	static uint8_t frame[FPM_FRAME] __attribute__((aligned(8)));
	size_t len = fpm_frame(frame, words, port);

	ck_assert_int_eq(bh_fpm_frame(frame, len), (int)len);
	ck_assert_int_eq(bh_fpm_take(&f->r.fpm, frame, len), 0);
}

void
bed_say(struct fake *f, const char *words)
{
	bed_take(f, words, ZEBRA);
	fake_run(f);
	bed_check(f);
}

void
bed_wait(struct fake *f, unsigned int ms)
{
	f->r.fpm.now += ms;
	while (bh_fpm_sweep(&f->r.fpm))
		fake_run(f);
	fake_run(f);
	bed_check(f);
}

struct fake *
bed_connected(void)
{
	struct fake *f = bed_new();

	bed_open(f);
	bed_say(f, BED_ROUTES);
	bed_wait(f, FPM_SETTLE * 1000);
	ck_assert(!f->r.fpm.replaying);
	ck_assert_uint_eq(f->r.fpm.status.state, BH_FPM_CONNECTED);
	return f;
}

uint32_t
bed_stale(const struct fake *f)
{
	return f->r.fpm.status.stale;
}

void
bed_check(struct fake *f)
{
	const struct bh_fpm *fpm = &f->r.fpm;
	const struct bh_fpm_entry *e;
	uint32_t n = 0, stale = 0, held = 0;

	for (unsigned int i = 0; i < 256; i++) {
		TAILQ_FOREACH(e, &fpm->slot[i].entries, age)
		{
			ck_assert(!e->gone && e->proto == i);
			ck_assert(e->set != NULL || !e->offered);
			n++;
			stale += e->epoch != fpm->epoch;
			held += !e->offered;
		}
	}
	ck_assert_uint_eq(n, fpm->status.routes4 + fpm->status.routes6);
	ck_assert_uint_eq(stale, fpm->status.stale);
	ck_assert_uint_eq(held, fpm->status.held);
	ck_assert_uint_eq(n, fpm->entries.n);
	ck_assert(bh_fpm_is_idle(fpm));
	ck_assert_uint_eq(fpm->out->n_routes, 0);
	if (n == 0)
		ck_assert_uint_eq(fpm->nhgs.sets.n, 0);
}
