/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls through a channel beside the least that a request and its reply can be (peer.h).
 *
 * The client is this process, the echo service an lcore of another one, the peer of the references
 * a third; service and peer are on one CPU, the client on the other (`_1cpu`: all on one). Figure
 * and reference alternate in rounds of ROUND_MS each; while one is measured the other's process
 * sleeps. A round's value is the median of its batches.
 *
 * bench_calls [rtt | throughput | contact | wake | growth]
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/client/bulkhead.h"
#include "test/bench/core_proc.h"
#include "test/bench/peer.h"
#include "test/bench/report.h"

#define ROUNDS 21
#define ROUND_MS 20
#define BATCH 64
#define MANY_BATCH 2048
#define BATCHES_MAX 20000
#define CONTACTS 15 /* of one round */
#define POLL_US 1000
#define SERVICE_CPU 0
#define CLIENT_CPU 1

static double batch[BATCHES_MAX];

static void
fail(const char *what)
{
	fprintf(stderr, "bench_calls: %s\n", what);
	exit(1);
}

static void
nop(struct bh_handle *h)
{
	uint8_t body[40] = {0}, back[40];
	size_t len = sizeof(back);

	if (bh_call(h, BH_V_NOP, 0, NULL, body, sizeof(body), back, &len) != 0 ||
		len != sizeof(back))
		fail("a call failed");
}

static void
trips(struct bh_handle *h, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		nop(h);
}

static void
done(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)body;
	(void)len;
	if (msg->status != 0)
		fail("a pipelined call failed");
	++*(unsigned int *)arg;
}

/* n calls with PEER_WINDOW under way. */
static void
many(struct bh_handle *h, unsigned int n)
{
	unsigned int sent = 0, got = 0;
	uint8_t body[40] = {0};

	while (got < n) {
		while (sent < n && sent - got < PEER_WINDOW &&
			bh_submit(h, BH_V_NOP, 0, 0, body, sizeof(body), done, &got) == 0)
			sent++;
		if (bh_poll(h, -1) < 0)
			fail("the connection was lost");
	}
}

/* ns of one call, as peer_measure() does it. */
static double
measure(struct bh_handle *h, void (*run)(struct bh_handle *, unsigned int), unsigned int size)
{
	uint64_t now, start, end;
	unsigned int n = 0;

	run(h, size);
	now = report_now_ns();
	end = now + ROUND_MS * UINT64_C(1000000);
	do {
		start = now;
		run(h, size);
		now = report_now_ns();
		batch[n++] = (double)(now - start) / size;
	} while (now < end && n < BATCHES_MAX);
	return report_median(batch, n);
}

/* Whether this part of the bench is to be run. */
static bool
wanted(const char *only, const char *part)
{
	return only == NULL || strcmp(only, part) == 0;
}

/* The service has left off polling. */
static void
let_sleep(void)
{
	usleep(3 * POLL_US);
}

/* ---- figures ---- */

static void
call_rtt(struct bh_handle *h)
{
	struct report_rounds line = {0}, rings = {0}, sock = {0}, pipes = {0};

	report_progress("round trips");
	for (unsigned int i = 0; i < ROUNDS; i++) {
		double ns = measure(h, trips, BATCH);

		let_sleep();
		report_round(&line, ns, peer_measure(PEER_LINE, ROUND_MS));
		report_round(&rings, ns, peer_measure(PEER_RINGS, ROUND_MS));
		report_round(&sock, ns, peer_measure(PEER_SOCKET, ROUND_MS));
		report_round(&pipes, ns, peer_measure(PEER_PIPE, ROUND_MS));
	}
	report_rounds("call_rtt", "ns", &line, "cache_line_ping_pong");
	report_rounds("call_rtt_rings", "ns", &rings, "two_rte_rings");
	report_rounds("call_rtt_socket", "ns", &sock, "seqpacket_socket");
	report_rounds("call_rtt_pipe", "ns", &pipes, "pipe");
}

static void
call_throughput(struct bh_handle *h)
{
	struct report_rounds spsc = {0}, sock = {0}, plain = {0};

	report_progress("pipelined calls");
	for (unsigned int i = 0; i < ROUNDS; i++) {
		double rate = 1e9 / measure(h, many, MANY_BATCH);

		let_sleep();
		report_round(&spsc, rate, peer_measure(PEER_SPSC, ROUND_MS));
		report_round(&sock, rate, peer_measure(PEER_SOCKET_MANY, ROUND_MS));
		report_round(&plain, rate, 0);
	}
	report_rounds("call_throughput", "1/s", &spsc, "bare_spsc_pair");
	report_rounds("call_throughput_socket", "1/s", &sock, "pipelined_seqpacket_socket");
	report_target("call_throughput_target", "1/s", &plain, 30e6);
}

static void
first_contact(const struct core_proc *c)
{
	struct report_rounds r = {0}, target = {0};
	double us[CONTACTS], ref[CONTACTS];

	report_progress("first contacts");
	for (unsigned int i = 0; i < ROUNDS; i++) {
		for (unsigned int k = 0; k < CONTACTS; k++) {
			struct bh_handle *h = core_open(c, "contact");
			uint64_t start = report_now_ns();

			nop(h);
			us[k] = (report_now_ns() - start) / 1e3;
			bh_close(h);
			usleep(1500); /* its end is worked off, the spare channel made again */
			ref[k] = peer_connect_us();
		}
		report_round(&r, report_median(us, CONTACTS), report_median(ref, CONTACTS));
		report_round(&target, report_median(us, CONTACTS), 0);
	}
	report_rounds("first_contact", "us", &r, "seqpacket_connect");
	report_target("first_contact_target", "us", &target, 200);
}

/* Both sides sleep between messages. */
static void
wake_rtt(const char *name, struct bh_handle *h)
{
	struct report_rounds r = {0};

	report_progress("%s", name);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		double ns = measure(h, trips, BATCH);

		report_round(&r, ns, peer_measure(PEER_PIPE, ROUND_MS));
	}
	report_rounds(name, "ns", &r, "pipe");
}

static void
wake_rtts(void)
{
	struct core_proc core;
	struct bh_handle *h;

	core_start(&core, 0, SERVICE_CPU);
	pin_self(CLIENT_CPU); /* before the handle is opened: it does not spin then */
	h = core_open(&core, "bench");
	nop(h);
	wake_rtt("wake_rtt_2cpu", h);
	core_pin(&core, CLIENT_CPU);
	peer_pin(CLIENT_CPU);
	wake_rtt("wake_rtt_1cpu", h);
	peer_pin(SERVICE_CPU);
	bh_close(h);
	core_stop(&core);
}

/* ---- cost of growth ---- */

/* Clients that send a request now and then, as a process of their own. */
static int
idlers_start(const struct core_proc *c, unsigned int n)
{
	struct bh_handle **h = calloc(n, sizeof(*h));
	int ready[2], pid;
	char ok;

	if (pipe(ready) < 0 || h == NULL)
		fail("no idle clients");
	pid = fork();
	if (pid == 0) {
		pin_self(CLIENT_CPU);
		for (unsigned int i = 0; i < n; i++) {
			h[i] = core_open(c, "idle");
			nop(h[i]);
		}
		close(ready[0]);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (unsigned int i = 0; getppid() != 1; i = (i + 1) % n) {
			usleep(2000);
			nop(h[i]);
		}
		_exit(0);
	}
	free(h);
	close(ready[1]);
	if (pid < 0 || read(ready[0], &ok, 1) != 1)
		fail("the idle clients did not come up");
	close(ready[0]);
	return pid;
}

static void
idlers_stop(int pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
growth(unsigned int clients)
{
	struct report_rounds rtt = {0}, rate = {0};
	struct core_proc core;
	struct bh_handle *h;
	uint64_t before;
	char name[48];
	int idlers = -1;

	report_progress("%u clients", clients);
	core_start(&core, POLL_US, SERVICE_CPU);
	pin_any();
	h = core_open(&core, "bench");
	nop(h);
	pin_self(CLIENT_CPU);
	before = core_memory(&core);
	if (clients > 1)
		idlers = idlers_start(&core, clients - 1);
	for (unsigned int i = 0; i < 7; i++) {
		double ns = measure(h, trips, BATCH);
		double per_s = 1e9 / measure(h, many, MANY_BATCH);

		let_sleep();
		report_round(&rtt, ns, peer_measure(PEER_LINE, ROUND_MS));
		report_round(&rate, per_s, peer_measure(PEER_SPSC, ROUND_MS));
	}
	snprintf(name, sizeof(name), "call_rtt_%u_clients", clients);
	report_rounds(name, "ns", &rtt, "cache_line_ping_pong");
	snprintf(name, sizeof(name), "call_throughput_%u_clients", clients);
	report_rounds(name, "1/s", &rate, "bare_spsc_pair");
	if (clients > 1) {
		snprintf(name, sizeof(name), "memory_per_client_%u_clients", clients);
		report_value(name, "bytes", (double)(core_memory(&core) - before) / (clients - 1));
		idlers_stop(idlers);
	}
	bh_close(h);
	core_stop(&core);
}

/* One client and one core that poll. */
static void
polling(const char *only)
{
	struct core_proc core;
	struct bh_handle *h;

	core_start(&core, POLL_US, SERVICE_CPU);
	/* A handle that is opened with several CPUs allowed spins before it sleeps. */
	h = core_open(&core, "bench");
	nop(h);
	pin_self(CLIENT_CPU);
	if (wanted(only, "rtt"))
		call_rtt(h);
	if (wanted(only, "throughput"))
		call_throughput(h);
	bh_close(h);
	if (wanted(only, "contact"))
		first_contact(&core);
	core_stop(&core);
}

int
main(int argc, char **argv)
{
	static const unsigned int clients[] = {1, 2, 8, 64, 256};
	const char *only = argc > 1 ? argv[1] : NULL;
	struct rlimit lim = {8192, 8192};

	setrlimit(RLIMIT_NOFILE, &lim);
	report_begin("calls");
	peer_start(SERVICE_CPU);
	polling(only);
	if (wanted(only, "wake"))
		wake_rtts();
	for (unsigned int i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		if (wanted(only, "growth"))
			growth(clients[i]);
	peer_stop();
	report_end();
	return 0;
}
