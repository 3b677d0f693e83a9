/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/door_bed.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define REQ_OFF (2 * PAGE)
#define REP_OFF (REQ_OFF + BED_SLOTS * (uint32_t)sizeof(struct bh_slot))
#define SIZE (REP_OFF + BED_SLOTS * (uint32_t)sizeof(struct bh_slot))

struct bed bed;

static __thread uint64_t row = 88172645463325252ull;

uint32_t
bed_rnd(uint32_t n)
{
	row ^= row << 13;
	row ^= row >> 7;
	row ^= row << 17;
	return (uint32_t)(row >> 32) % n;
}

void
bed_seed(uint64_t seed)
{
	row = seed * 0x9e3779b97f4a7c15ull + 1;
}

void
bed_pause(void)
{
	uint32_t n = bed_rnd(1024);

	if (n == 0)
		sched_yield();
	if (n < 256)
		for (n %= 64; n > 0; n--)
			__builtin_ia32_pause();
}

bool
bed_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* ---- calls of doorbell.c ---- */

void __real_bh_sleep_announce(struct bh_sleeper *s, uint32_t reasons);
void __wrap_bh_sleep_announce(struct bh_sleeper *s, uint32_t reasons);
void __real_bh_sleep_end(struct bh_sleeper *s);
void __wrap_bh_sleep_end(struct bh_sleeper *s);
bool __real_bh_ring_due(struct bh_ringer *r, uint32_t reasons);
bool __wrap_bh_ring_due(struct bh_ringer *r, uint32_t reasons);
int __real_bh_ring(int fd);
int __wrap_bh_ring(int fd);
int __real_bh_ring_nosignal(int fd);
int __wrap_bh_ring_nosignal(int fd);
int __real_bh_ring_drain(int fd);
int __wrap_bh_ring_drain(int fd);

void
__wrap_bh_sleep_announce(struct bh_sleeper *s, uint32_t reasons)
{
	bed_pause();
	__real_bh_sleep_announce(s, reasons);
	bed_pause();
}

void
__wrap_bh_sleep_end(struct bh_sleeper *s)
{
	bed_pause();
	__real_bh_sleep_end(s);
	bed_pause();
}

bool
__wrap_bh_ring_due(struct bh_ringer *r, uint32_t reasons)
{
	bool due;

	bed_pause();
	due = __real_bh_ring_due(r, reasons);
	bed_pause();
	return due;
}

int
__wrap_bh_ring(int fd)
{
	bed_pause();
	return __real_bh_ring(fd);
}

int
__wrap_bh_ring_nosignal(int fd)
{
	bed_pause();
	return __real_bh_ring_nosignal(fd);
}

int
__wrap_bh_ring_drain(int fd)
{
	int rc;

	bed_pause();
	rc = __real_bh_ring_drain(fd);
	bed_pause();
	return rc;
}

/* ---- what service_peer.c wants of its neighbours ---- */

void
bh_peer_close(struct bh_service *svc, struct bh_peer *p, const char *why)
{
	(void)svc;
	(void)why;
	__atomic_store_n(&p->sh->closed, 1, __ATOMIC_RELEASE);
	bh_peer_unpoll(svc, p);
	close(p->ring_fd);
	close(p->wake_fd);
	p->used = false;
	bed.left = true;
}

void
bh_contact_answer(struct bh_service *svc, struct bh_peer *p, const struct bh_msg *msg)
{
	(void)svc;
	(void)p;
	(void)msg;
	abort(); /* no first contacts here */
}

/* ---- the handler ---- */

static int
request(void *ctx, const struct bh_peer_info *peer, const struct bh_msg *msg, unsigned int room)
{
	(void)ctx;
	(void)room;
	if (!bed.later || bed_rnd(2) == 0) {
		bh_service_reply(&bed.svc, peer->ref, msg);
		return 1;
	}
	if (bed.n_held == BED_HELD)
		return -EAGAIN;
	bed.held[bed.n_held++] = *msg;
	return 1;
}

void
bed_answer(unsigned int n)
{
	for (; n > 0 && bed.n_held > 0; n--)
		bh_service_reply(&bed.svc, bed_peer()->info.ref, &bed.held[--bed.n_held]);
}

/* ---- the client ---- */

static void
answered(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)arg;
	(void)body;
	(void)len;
	if (msg->status != 0)
		return;
	bed.got++;
	__atomic_store_n(&bed.shared->progress, bed.got, __ATOMIC_RELAXED);
}

unsigned int
bed_submit(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (bh_submit(&bed.h, BH_V_NOP, 0, 0, NULL, 0, answered, NULL) != 0)
			break;
		bed.sent++;
	}
	return i;
}

/* ---- made by hand ---- */

void
bed_need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void
make_client(struct bh_handle *h, uint8_t *base, const int *to_core, const int *to_client)
{
	memset(h, 0, sizeof(*h));
	h->sock = -1;
	h->map = base;
	h->stats = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bed_need(h->stats != MAP_FAILED, "mmap");
	h->w = (struct bh_welcome){.size = SIZE, .req_off = REQ_OFF, .rep_off = REP_OFF,
		.req_slots = BED_SLOTS, .rep_slots = BED_SLOTS, .stats_size = PAGE};
	h->sh = (struct bh_channel_shared *)base;
	bh_producer_init(&h->req, (struct bh_slot *)(base + REQ_OFF), BED_SLOTS, &h->sh->req_tail);
	bh_consumer_init(&h->rep, (struct bh_slot *)(base + REP_OFF), BED_SLOTS, &h->sh->rep_tail);
	h->sleeper = (struct bh_sleeper){.word = &h->sh->client_sleep};
	h->ringer = (struct bh_ringer){.word = &h->sh->core_sleep};
	h->ring_fd = to_core[1];
	h->wake_fd = to_client[0];
}

static void
make_peer(struct bh_service *svc, uint8_t *base, const int *to_core, const int *to_client)
{
	static const struct bh_service_ops ops = {.request = request};
	static struct bh_stats_lcore stats;
	struct bh_peer *p = &svc->peers[0];

	memset(svc, 0, sizeof(*svc));
	strcpy(svc->name, "bed");
	svc->conf.ops = &ops;
	svc->stats = &stats;
	svc->ep = -1;
	svc->n_peers = 1;
	p->used = true;
	p->info.ref.gen = 1;
	p->conn = &p->no_conn;
	p->sh = (struct bh_channel_shared *)base;
	bh_consumer_init(&p->req, (struct bh_slot *)(base + REQ_OFF), BED_SLOTS, &p->sh->req_tail);
	bh_producer_init(&p->rep, (struct bh_slot *)(base + REP_OFF), BED_SLOTS, &p->sh->rep_tail);
	p->sleeper = (struct bh_sleeper){.word = &p->sh->core_sleep};
	p->ringer = (struct bh_ringer){.word = &p->sh->client_sleep};
	p->ring_fd = to_core[0];
	p->wake_fd = to_client[1];
	bh_peer_poll(svc, p);
}

void
bed_open(void)
{
	uint8_t *base = mmap(NULL, SIZE + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	int to_core[2], to_client[2];

	bed_need(base != MAP_FAILED, "mmap");
	bed_need(pipe2(to_core, O_NONBLOCK) == 0 && pipe2(to_client, O_NONBLOCK) == 0, "pipe");
	bh_queue_format((struct bh_slot *)(base + REQ_OFF), BED_SLOTS);
	bh_queue_format((struct bh_slot *)(base + REP_OFF), BED_SLOTS);
	make_client(&bed.h, base, to_core, to_client);
	make_peer(&bed.svc, base, to_core, to_client);
	bed.shared = (struct bed_shared *)(base + SIZE);
	bed.left = false;
	bed.n_held = 0;
	bed.sent = bed.got = 0;
}

void
bed_close(void)
{
	if (bed_peer()->used)
		bh_peer_close(&bed.svc, bed_peer(), NULL);
	bh_disconnect(&bed.h); /* who lost the connection has none any more */
	munmap(bed.shared, PAGE);
}

void
bed_is_client(void)
{
	close(bed_peer()->ring_fd);
	close(bed_peer()->wake_fd);
	bed_peer()->used = false;
}

void
bed_is_service(void)
{
	close(bed.h.ring_fd);
	close(bed.h.wake_fd);
	bed.h.ring_fd = bed.h.wake_fd = -1;
}
