/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-v6stack: the process around struct bh_stack. One thread, one handle to the info base and
 * one to the packet service; it sleeps in libevent until the core rings, the supervisor speaks, or
 * a timer is due. What else it needs it opens before its sandbox; first contact comes after.
 *
 * When the core goes away it keeps what it knows, waits for the next core's role socket and replays.
 * An heir reads the tables and says so; when it is told to take over it recovers what its
 * predecessor left by then, and begins. At SIGTERM it leaves its records where they are:
 * forwarding goes on with the neighbors that are known.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/log/log.h"
#include "modules/v6stack/program.h"

/* ---- what the stack does to the world ---- */

static int
out_submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	struct program *p = ctx;

	return bh_submit(p->m.h, verb, table, aux, body, len, cb, arg);
}

static void
out_ready(void *ctx)
{
	struct program *p = ctx;

	bh_info("main", "%u neighbors", p->stack->neighs.n);
	bh_module_ready(&p->m);
}

static int
out_inject(void *ctx, enum bh_inject how, uint32_t ifindex, const void *frame, size_t len)
{
	struct program *p = ctx;
	int rc = bh_packets_inject(p->packets, how, ifindex, frame, len);

	/* No room: what is under way is answered, what is here may go. */
	if (rc == -EAGAIN && bh_packets_prepare_wait(p->packets))
		rc = bh_packets_inject(p->packets, how, ifindex, frame, len);
	return rc;
}

static void
out_to_host(void *ctx, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	bh_kernel_write(ctx, ifindex, frame, len);
}

static void
out_address(void *ctx, const struct bh_ifaddr *a)
{
	struct program *p = ctx;

	(void)a;
	p->kernel_dirty = true;
}

static void
out_interface(void *ctx, const struct bh_netif *i)
{
	struct program *p = ctx;

	(void)i;
	p->kernel_dirty = true;
}

static const struct bh_stack_ops stack_ops = {
	.out = {out_submit, out_ready},
	.inject = out_inject,
	.to_host = out_to_host,
	.address = out_address,
	.interface = out_interface,
};

/* ---- process ---- */

/* An heir only reads, and says when it has read all. */
static int
turn_heir(struct program *p)
{
	if (bh_inputs_ready(p->stack))
		bh_module_ready(&p->m);
	return 0;
}

static int
turn_owner(struct program *p)
{
	int n = p->owner ? 0 : bh_program_take_over(p), m, rc;

	if (n == 0)
		n = bh_program_poll_packets(p);
	if (n < 0)
		return n;
	m = bh_kernel_poll(p);
	if (m < 0)
		return m;
	rc = bh_stack_commit(p->stack, bh_module_now());
	bh_kernel_settle(p);
	return rc < 0 ? rc : n + m + bh_socks_poll(p);
}

static int
turn(void *ctx)
{
	return bh_supervised_heir() ? turn_heir(ctx) : turn_owner(ctx);
}

static bool
rest(void *ctx, uint64_t *until)
{
	struct program *p = ctx;

	if (p->owner)
		*until = bh_stack_next(p->stack);
	return p->packets == NULL || bh_packets_prepare_wait(p->packets);
}

static int
connected(void *ctx)
{
	struct program *p = ctx;

	if (p->connected)
		bh_stack_reconnect(p->stack);
	p->connected = true;
	p->owner = false;
	return bh_program_watch(p);
}

static void
lost(void *ctx)
{
	bh_program_close_packets(ctx);
}

static bool
word(void *ctx, enum bh_word_kind kind, const struct bh_word *w)
{
	struct program *p = ctx;

	if (kind == BH_WORD_GONE)
		bh_hosttaps_link(p->taps, -1); /* all is asked of the next one */
	return bh_kernel_word(p, w);
}

static const struct bh_module_ops module_ops = {
	.connected = connected, .turn = turn, .rest = rest, .lost = lost, .word = word,
};

static int
start(struct program *p)
{
	uint64_t seed;
	int rc = bh_module_start(&p->m, "v6stack", &module_ops, p);

	if (rc < 0)
		return rc;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	p->stack = calloc(1, sizeof(*p->stack));
	if (p->stack == NULL)
		return -ENOMEM;
	bh_stack_init(p->stack, &stack_ops, p, bh_module_now(), seed);
	rc = bh_kernel_init(p);
	return rc < 0 ? rc : bh_socks_init(p);
}

static void
finish(struct program *p)
{
	struct event **e[] = {&p->punted, &p->tapped, &p->second, &p->diag};

	for (unsigned int i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		if (*e[i] != NULL)
			event_free(*e[i]);
	bh_packets_close(p->packets);
	bh_hosttaps_free(p->taps);
	bh_sockdiag_close(p->socks);
	if (p->stack != NULL)
		bh_stack_fini(p->stack);
	free(p->stack);
}

int
main(int argc, char **argv)
{
	int rc = bh_module_args(argc, argv, "bulkhead-v6stack", "The protocol stack of bulkhead");
	struct program p = {0};

	if (rc >= 0)
		return rc;
	rc = start(&p);
	if (rc == 0)
		rc = bh_module_run(&p.m, BH_SANDBOX_MODULE);
	finish(&p);
	return bh_module_end(&p.m, rc);
}
