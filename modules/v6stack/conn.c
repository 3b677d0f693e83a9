/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/v6stack/program.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/life/life.h"
#include "lib/log/log.h"

#define BUSY_TRIES 500 /* 10 ms each: until the core has seen the end of a predecessor */

uint64_t
bh_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
bh_program_ready(struct program *p)
{
	int rc = bh_ready();

	p->told = true;
	if (rc < 0)
		bh_warn("main", "cannot tell the supervisor: %s", strerror(-rc));
}

void
bh_program_wake(evutil_socket_t fd, short what, void *arg)
{
	/* Only wakes the loop, which looks everywhere. */
	(void)fd;
	(void)what;
	(void)arg;
}

int
bh_program_wait_for(struct program *p, struct event **e, int fd)
{
	if (*e != NULL)
		event_free(*e);
	*e = event_new(p->base, fd, EV_READ | EV_PERSIST, bh_program_wake, p);
	if (*e == NULL)
		return -ENOMEM;
	return event_add(*e, NULL) < 0 ? -EIO : 0;
}

static int
watch_packets(struct program *p)
{
	return bh_program_wait_for(p, &p->punted, bh_packets_fd(p->packets));
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
		p->packets = bh_packets_open(&p->args, on_punt, p);
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
		rc = bh_watch(p->h, bh_stack_table(i), bh_stack_change, &p->stack->watch[i]);
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
		rc = bh_dump(p->h, BH_V_RECOVER, mine[i], bh_stack_recover, p->stack);
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

/* The core is another one from now on; what was under way ends in here. */
void
bh_program_role(struct program *p, int fd)
{
	if (bh_reopen_role(p->h, fd) < 0) {
		close(fd);
		return;
	}
	close(p->args.role_fd);
	p->args.role_fd = fd;
	p->renewed = true;
}

