/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/bench/peer.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <rte_ring.h>

#include "test/bench/report.h"

#define SLOTS 1024u
#define STOP UINT32_MAX
#define BATCH 64u	  /* round trips */
#define MANY_BATCH 2048u  /* pipelined messages */
#define SOCKET_BURST 32u
#define BATCHES_MAX 20000u
#define RING 1024u
#define RING_BYTES (sizeof(struct rte_ring) + RING * sizeof(void *) + 64)

struct slot {
	uint32_t seq;
	uint8_t data[60];
} __attribute__((aligned(64)));

/* What both processes map. */
struct shared {
	uint32_t there __attribute__((aligned(64)));
	uint32_t back __attribute__((aligned(64)));
	struct slot out[SLOTS], in[SLOTS];
	uint8_t ring[2][RING_BYTES] __attribute__((aligned(64)));
};

static struct {
	struct shared *sh;
	int out[2], in[2];   /* pipes; orders go over `out` too */
	int sock[2];
	int listen_fd;
	struct sockaddr_un addr;
	socklen_t addr_len;
	pid_t pid;
	uint32_t at; /* LINE, SPSC: messages sent */
	double batch[BATCHES_MAX];
} peer;

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the peer's side ---- */

static void
serve_line(void)
{
	struct shared *sh = peer.sh;
	uint32_t want = 1, got;

	for (;; want++) {
		while ((got = __atomic_load_n(&sh->there, __ATOMIC_ACQUIRE)) != want) {
			if (got == STOP) {
				__atomic_store_n(&sh->back, STOP, __ATOMIC_RELEASE);
				return;
			}
			__builtin_ia32_pause();
		}
		__atomic_store_n(&sh->back, want, __ATOMIC_RELEASE);
	}
}

/* Copies slot i of `from` to buf once it is filled. */
static inline void
take(const struct slot *from, uint32_t i, uint8_t *buf)
{
	const struct slot *s = &from[i % SLOTS];

	while (__atomic_load_n(&s->seq, __ATOMIC_ACQUIRE) != i + 1)
		__builtin_ia32_pause();
	memcpy(buf, s->data, sizeof(s->data));
}

static inline void
give(struct slot *to, uint32_t i, const uint8_t *buf)
{
	struct slot *s = &to[i % SLOTS];

	memcpy(s->data, buf, sizeof(s->data));
	__atomic_store_n(&s->seq, i + 1, __ATOMIC_RELEASE);
}

static void
serve_spsc(void)
{
	uint8_t buf[60];

	for (uint32_t i = 0;; i++) {
		take(peer.sh->out, i, buf);
		give(peer.sh->in, i, buf);
		if (buf[0] == 1)
			return;
	}
}

static struct rte_ring *
ring(unsigned int i)
{
	return (struct rte_ring *)peer.sh->ring[i];
}

static void *
ring_take(unsigned int i)
{
	void *obj;

	while (rte_ring_sc_dequeue(ring(i), &obj) != 0)
		__builtin_ia32_pause();
	return obj;
}

static void
serve_rings(void)
{
	void *obj;

	do {
		obj = ring_take(0);
		rte_ring_sp_enqueue(ring(1), obj);
	} while ((uintptr_t)obj != STOP);
}

static void
serve_pipe(void)
{
	char c;

	do
		need(read(peer.out[0], &c, 1) == 1 && write(peer.in[1], &c, 1) == 1, "pipe");
	while (c != 1);
}

static void
serve_socket(void)
{
	uint8_t buf[64];

	do
		need(recv(peer.sock[1], buf, 64, 0) == 64 && send(peer.sock[1], buf, 64, 0) == 64,
			"socket");
	while (buf[0] != 1);
}

struct burst {
	struct mmsghdr m[SOCKET_BURST];
	struct iovec iov[SOCKET_BURST];
	uint8_t buf[SOCKET_BURST][64];
};

static void
burst_init(struct burst *b)
{
	memset(b, 0, sizeof(*b));
	for (unsigned int i = 0; i < SOCKET_BURST; i++) {
		b->iov[i] = (struct iovec){b->buf[i], 64};
		b->m[i].msg_hdr.msg_iov = &b->iov[i];
		b->m[i].msg_hdr.msg_iovlen = 1;
	}
}

static void
burst_send(struct burst *b, int fd, int n)
{
	for (int at = 0, sent; at < n; at += sent) {
		sent = sendmmsg(fd, b->m + at, n - at, 0);
		need(sent > 0, "socket");
	}
}

static void
serve_socket_many(void)
{
	struct burst b;
	bool stop = false;

	burst_init(&b);
	while (!stop) {
		int n = recvmmsg(peer.sock[1], b.m, SOCKET_BURST, MSG_WAITFORONE, NULL);

		need(n > 0, "socket");
		stop = b.buf[n - 1][0] == 1;
		burst_send(&b, peer.sock[1], n);
	}
}

static void
serve_connect(void)
{
	uint8_t buf[64];
	int fd = accept(peer.listen_fd, NULL, NULL);

	need(fd >= 0 && recv(fd, buf, 64, 0) == 64 && send(fd, buf, 64, 0) == 64, "connection");
	recv(fd, buf, 64, 0); /* its end */
	close(fd);
}

static void
serve(void)
{
	static void (*const body[])(void) = {
		[PEER_LINE] = serve_line, [PEER_SPSC] = serve_spsc, [PEER_RINGS] = serve_rings,
		[PEER_PIPE] = serve_pipe, [PEER_SOCKET] = serve_socket,
		[PEER_SOCKET_MANY] = serve_socket_many, [PEER_SOCKET_MANY + 1] = serve_connect,
	};
	char order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(peer.out[0], &order, 1) == 1) {
		need(write(peer.in[1], &order, 1) == 1, "pipe");
		body[order - 'a']();
	}
	_exit(0);
}

/* ---- our side ---- */

static void
order(unsigned int what)
{
	char c = 'a' + what;

	memset(peer.sh, 0, offsetof(struct shared, ring));
	peer.at = 0;
	need(write(peer.out[1], &c, 1) == 1 && read(peer.in[0], &c, 1) == 1, "the peer");
}

static void
line_trips(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		__atomic_store_n(&peer.sh->there, ++peer.at, __ATOMIC_RELEASE);
		while (__atomic_load_n(&peer.sh->back, __ATOMIC_ACQUIRE) != peer.at)
			__builtin_ia32_pause();
	}
}

static void
ring_trips(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		rte_ring_sp_enqueue(ring(0), (void *)(uintptr_t)(i + 1));
		ring_take(1);
	}
}

static void
pipe_trips(unsigned int n)
{
	char c = 0;

	for (unsigned int i = 0; i < n; i++)
		need(write(peer.out[1], &c, 1) == 1 && read(peer.in[0], &c, 1) == 1, "pipe");
}

static void
socket_trips(unsigned int n)
{
	uint8_t buf[64] = {0};

	for (unsigned int i = 0; i < n; i++)
		need(send(peer.sock[0], buf, 64, 0) == 64 && recv(peer.sock[0], buf, 64, 0) == 64,
			"socket");
}

/* n messages with PEER_WINDOW under way. */
static void
spsc_many(unsigned int n)
{
	uint32_t sent = peer.at, got = sent, end = sent + n;
	uint8_t buf[60] = {0}, back[60];

	peer.at = end;
	while (got != end) {
		while (sent != end && sent - got < PEER_WINDOW)
			give(peer.sh->out, sent++, buf);
		do
			take(peer.sh->in, got++, back);
		while (got != sent && __atomic_load_n(&peer.sh->in[got % SLOTS].seq,
					      __ATOMIC_ACQUIRE) == got + 1);
	}
}

static void
socket_many(unsigned int n)
{
	static struct burst b;
	unsigned int sent = 0, got = 0;

	burst_init(&b);
	while (got < n) {
		int in;

		while (sent < n && sent - got <= PEER_WINDOW / 2 - SOCKET_BURST) {
			burst_send(&b, peer.sock[0], SOCKET_BURST);
			sent += SOCKET_BURST;
		}
		in = recvmmsg(peer.sock[0], b.m, SOCKET_BURST, MSG_WAITFORONE, NULL);
		need(in > 0, "socket");
		got += in;
	}
}

static void
stop(enum peer_kind kind)
{
	uint8_t buf[64] = {1};

	switch (kind) {
	case PEER_LINE:
		__atomic_store_n(&peer.sh->there, STOP, __ATOMIC_RELEASE);
		while (__atomic_load_n(&peer.sh->back, __ATOMIC_ACQUIRE) != STOP)
			;
		return;
	case PEER_SPSC:
		give(peer.sh->out, peer.at, buf);
		take(peer.sh->in, peer.at, buf);
		return;
	case PEER_RINGS:
		rte_ring_sp_enqueue(ring(0), (void *)(uintptr_t)STOP);
		ring_take(1);
		return;
	case PEER_PIPE:
		need(write(peer.out[1], buf, 1) == 1 && read(peer.in[0], buf, 1) == 1, "pipe");
		return;
	default:
		need(send(peer.sock[0], buf, 64, 0) == 64 && recv(peer.sock[0], buf, 64, 0) == 64,
			"socket");
	}
}

double
peer_measure(enum peer_kind kind, unsigned int ms)
{
	static void (*const trips[])(unsigned int) = {
		[PEER_LINE] = line_trips, [PEER_SPSC] = spsc_many, [PEER_RINGS] = ring_trips,
		[PEER_PIPE] = pipe_trips, [PEER_SOCKET] = socket_trips,
		[PEER_SOCKET_MANY] = socket_many,
	};
	bool many = kind == PEER_SPSC || kind == PEER_SOCKET_MANY;
	unsigned int size = many ? MANY_BATCH : BATCH, n = 0;
	uint64_t start, now, end;

	order(kind);
	trips[kind](size);
	now = report_now_ns();
	end = now + ms * UINT64_C(1000000);
	do {
		start = now;
		trips[kind](size);
		now = report_now_ns();
		peer.batch[n++] = (double)(now - start) / size;
	} while (now < end && n < BATCHES_MAX);
	stop(kind);
	start = report_median(peer.batch, n) * 1000;
	return many ? 1e12 / start : start / 1e3;
}

double
peer_connect_us(void)
{
	uint64_t start;
	uint8_t buf[64] = {0};
	int fd;

	order(PEER_SOCKET_MANY + 1);
	usleep(100);
	start = report_now_ns();
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	need(fd >= 0 && connect(fd, (struct sockaddr *)&peer.addr, peer.addr_len) == 0, "connect");
	need(send(fd, buf, 64, 0) == 64 && recv(fd, buf, 64, 0) == 64, "connection");
	start = report_now_ns() - start;
	close(fd);
	return start / 1e3;
}

void
peer_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	need(sched_setaffinity(peer.pid, sizeof(set), &set) == 0, "affinity");
}

static void
listen_somewhere(void)
{
	peer.addr.sun_family = AF_UNIX;
	/* Bound without a name: the kernel chooses one that nobody has. */
	peer.listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	need(peer.listen_fd >= 0, "socket");
	need(bind(peer.listen_fd, (struct sockaddr *)&peer.addr, sizeof(sa_family_t)) == 0, "bind");
	peer.addr_len = sizeof(peer.addr);
	need(getsockname(peer.listen_fd, (struct sockaddr *)&peer.addr, &peer.addr_len) == 0 &&
		listen(peer.listen_fd, 4) == 0, "listen");
}

void
peer_start(int cpu)
{
	peer.sh = mmap(NULL, sizeof(*peer.sh), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	need(peer.sh != MAP_FAILED, "memory");
	for (unsigned int i = 0; i < 2; i++)
		need(rte_ring_init(ring(i), "ref", RING, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0, "ring");
	need(pipe(peer.out) == 0 && pipe(peer.in) == 0, "pipe");
	need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, peer.sock) == 0, "socketpair");
	listen_somewhere();
	peer.pid = fork();
	need(peer.pid >= 0, "fork");
	if (peer.pid == 0) {
		close(peer.out[1]);
		serve();
	}
	peer_pin(cpu);
}

void
peer_stop(void)
{
	close(peer.out[1]);
	waitpid(peer.pid, NULL, 0);
}
