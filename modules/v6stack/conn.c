/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/program.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/life/life.h"
#include "lib/log/log.h"

#define BUSY_TRIES 500 /* 10 ms each: until the core has seen the end of a predecessor */

static int
watch_packets(struct program *p)
{
	return bh_module_wait_for(&p->m, &p->punted, bh_packets_fd(p->packets));
}

/* As many as come may be handed over in one turn. */
static void
on_punt(void *arg, const struct bh_punt *punt, const uint8_t *frame, size_t len)
{
	struct program *p = arg;

	bh_life_beat();
	bh_stack_punt(p->stack, punt, frame, len);
}

static int
open_packets(struct program *p)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	int rc = 0;

	for (int i = 0; i < BUSY_TRIES && p->packets == NULL; i++) {
		bh_life_beat();
		p->packets = bh_packets_open(&p->m.args, on_punt, p);
		rc = p->packets != NULL ? 0 : -errno;
		if (rc != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	if (rc == 0)
		return watch_packets(p);
	bh_err("main", "cannot use the packet service: %s%s", strerror(-rc),
		rc == -ENOENT ? " (is there a punt lcore?)" : "");
	return rc;
}

void
bh_program_close_packets(struct program *p)
{
	if (p->punted != NULL)
		event_free(p->punted);
	p->punted = NULL;
	bh_packets_close(p->packets);
	p->packets = NULL;
}

int
bh_program_watch(struct program *p)
{
	int rc = 0;

	for (unsigned int i = 0; i < BH_STACK_INPUTS && rc == 0; i++)
		rc = bh_watch(p->m.h, bh_stack_table(i), bh_stack_change, &p->stack->watch[i]);
	if (rc < 0)
		bh_err("main", "cannot watch the tables: %s", strerror(-rc));
	return rc;
}

int
bh_program_take_over(struct program *p)
{
	static const uint16_t mine[] = {BH_T_ADDRESS, BH_T_NEIGHBOR};
	int rc = 0;

	if (!p->recovered)
		bh_socks_first(p);
	for (unsigned int i = 0; i < 2 && rc == 0 && !p->recovered; i++)
		rc = bh_dump(p->m.h, BH_V_RECOVER, mine[i], bh_stack_recover, p->stack);
	if (rc < 0)
		bh_err("main", "cannot recover: %s", strerror(-rc));
	else
		rc = open_packets(p);
	if (rc == 0)
		p->owner = p->recovered = true;
	return rc;
}

int
bh_program_poll_packets(struct program *p)
{
	int n = bh_packets_poll(p->packets, 0);

	if (n != -ECONNRESET)
		return n;
	/* The service alone, or the core is gone: the next contact tells. */
	bh_program_close_packets(p);
	return open_packets(p);
}
