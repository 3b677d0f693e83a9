/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet service with a real forwarding lcore, real channels and libbulkhead: frames to the
 * stack and back, and stacks that are slow, gone or hostile. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "test/unit/packet_bed.h"

START_TEST(only_the_stack)
{
	struct bh_open_args args = { .client = "other", .role_fd = -1, .socket = mini.path };
	struct got g;
	int fd = role_socket(BH_ROLE_ROUTING);

	ck_assert_ptr_null(bh_packets_open(&args, take, &g));
	ck_assert_int_eq(errno, EPERM);
	args.role_fd = fd;
	ck_assert_ptr_null(bh_packets_open(&args, take, &g));
	ck_assert_int_eq(errno, EPERM);
	close(fd);
	ck_assert_uint_eq(bh_read(&mini.stats->stack.connected), 0);
}
END_TEST

START_TEST(every_length_arrives)
{
	static const size_t lens[] = { 34, 60, 1514, 3791, 3792, 3793, 7615, 7616, 7617, 9014, 9614 };
	int fd = role_socket(BH_ROLE_V6STACK);
	uint8_t b[BH_FRAME_MAX];
	struct bh_packets *p;
	static struct got g;

	p = open_stack(&g, fd);
	ck_assert_uint_eq(bh_read(&mini.stats->stack.connected), 1);
	for (unsigned int i = 0; i < RTE_DIM(lens); i++) {
		make_frame(b, lens[i], 0);
		receive(b, lens[i]);
		await_punts(p, &g, i + 1);
		ck_assert_uint_eq(g.len, lens[i]);
		ck_assert_mem_eq(g.frame, b, lens[i]);
		ck_assert_uint_eq(g.p.reason, BH_PUNT_LOCAL);
		ck_assert_uint_eq(g.p.ifindex, 1);
	}
	make_frame(b, 60, 9); /* no route */
	receive(b, 60);
	await_punts(p, &g, RTE_DIM(lens) + 1);
	ck_assert_uint_eq(g.p.reason, BH_PUNT_NO_ROUTE);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

/* The punt lcore sleeps while nothing comes and a frame wakes it; so does the client. */
START_TEST(event_loop)
{
	const struct bh_stats_lcore *lcore = &mini.stats->lcore[MINI_LCORE];
	int fd = role_socket(BH_ROLE_V6STACK);
	uint8_t b[60];
	struct bh_packets *p;
	static struct got g;

	p = open_stack(&g, fd);
	make_frame(b, sizeof(b), 0);
	for (unsigned int i = 1; i <= 5; i++) {
		struct pollfd pfd = { .fd = bh_packets_fd(p), .events = POLLIN };
		uint64_t sleeps = bh_read(&lcore->sleeps);

		while (bh_packets_prepare_wait(p) == false)
			bh_packets_poll(p, 0);
		await_count(&lcore->sleeps, sleeps > 0 ? sleeps : 1);
		receive(b, sizeof(b));
		while (g.n < i) {
			ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
			ck_assert_int_ge(bh_packets_poll(p, 0), 0);
			if (g.n < i)
				bh_packets_prepare_wait(p);
		}
	}
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

START_TEST(inject_every_length)
{
	static const size_t lens[] = { 34, 60, 1514, 3815, 3816, 3817, 7640, 7641, 9014, 9614 };
	int fd = role_socket(BH_ROLE_V6STACK);
	uint8_t b[BH_FRAME_MAX];
	struct bh_packets *p;
	struct rte_mbuf *m;
	static struct got g;

	p = open_stack(&g, fd);
	for (unsigned int i = 0; i < RTE_DIM(lens); i++) {
		make_frame(b, lens[i], 1);
		ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_RESOLVED, 1, b, lens[i]), 0);
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
		m = sent();
		ck_assert_uint_eq(m->pkt_len, lens[i]);
		ck_assert_uint_eq(m->nb_segs, 1);
		ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), b, lens[i]);
		rte_pktmbuf_free(m);
	}
	make_frame(b, 60, 1);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, 60), 0);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_HELD, 1, b, 60), 0);
	ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
	m = sent();
	ck_assert_uint_eq(rte_pktmbuf_mtod(m, uint8_t *)[ETH + 8], 64);
	rte_pktmbuf_free(m);
	m = sent();
	ck_assert_uint_eq(rte_pktmbuf_mtod(m, uint8_t *)[ETH + 8], 63);
	rte_pktmbuf_free(m);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, 13), -EMSGSIZE);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, BH_FRAME_MAX + 1), -EMSGSIZE);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_MODES, 1, b, 60), -EINVAL);
	ck_assert_uint_eq(bh_packets_refused(p), 0);
	/* The interface is the core's to judge. */
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_RESOLVED, 0, b, 60), 0);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_RESOLVED, 100000, b, 60), 0);
	while (bh_packets_pending(p) > 0)
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
	ck_assert_uint_eq(bh_packets_refused(p), 2);
	ck_assert_uint_eq(bh_read(&mini.stats->stack.inject_refused), 2);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

/* More than the queue holds: told by -EAGAIN, and nothing is lost. */
START_TEST(inject_many)
{
	int fd = role_socket(BH_ROLE_V6STACK);
	unsigned int put = 0, out = 0, refusals = 0;
	uint8_t b[1514];
	struct bh_packets *p;
	struct rte_mbuf *m;
	static struct got g;
	int rc;

	p = open_stack(&g, fd);
	make_frame(b, sizeof(b), 1);
	while (out < 5000) {
		rc = put < 5000 ? bh_packets_inject(p, BH_INJECT_RESOLVED, 1, b, sizeof(b)) : -EAGAIN;
		put += rc == 0;
		if (rc == -EAGAIN) {
			refusals++;
			ck_assert_int_ge(bh_packets_poll(p, bh_packets_pending(p) > 0 ? 100 : 0), 0);
		} else {
			ck_assert_int_eq(rc, 0);
		}
		for (; rte_ring_dequeue(pb.wire_out, (void **)&m) == 0; out++)
			rte_pktmbuf_free(m);
	}
	ck_assert_uint_gt(refusals, 0);
	ck_assert_uint_eq(out, 5000);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

static void
raw(struct bh_handle *h, uint32_t aux, const void *body, size_t len, int status)
{
	ck_assert_int_eq(bh_call(h, BH_V_INJECT, 0, &aux, body, len, NULL, NULL), status);
}

START_TEST(hostile_injection)
{
	struct bh_open_args args = { .client = "hostile", .service = BH_SERVICE_PACKET };
	int fd = role_socket(BH_ROLE_V6STACK);
	struct {
		struct bh_inject_to to;
		uint8_t b[100];
	} body = { .to = { .ifindex = 1, .how = BH_INJECT_RESOLVED } };
	struct bh_handle *h;
	struct rte_mbuf *m;

	make_frame(body.b, sizeof(body.b), 1);
	args.role_fd = fd;
	h = bh_open(&args);
	ck_assert_ptr_nonnull(h);
	raw(h, bh_part(0, 100), &body, sizeof(body), -EPERM); /* not begun */
	ck_assert_int_eq(bh_call(h, BH_V_PUNT, 0, NULL, NULL, 0, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bh_call(h, BH_V_PACKET_BEGIN, 0, NULL, "x", 1, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bh_call(h, BH_V_PACKET_BEGIN, 0, NULL, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(bh_call(h, BH_V_PACKET_BEGIN, 0, NULL, NULL, 0, NULL, NULL), -EALREADY);
	raw(h, bh_part(0, 99), &body, sizeof(body), -EINVAL);
	raw(h, bh_part(0, 13), &body, 21, -EINVAL);
	raw(h, bh_part(0, BH_FRAME_MAX + 1), &body, sizeof(body), -EINVAL);
	raw(h, bh_part(0, 100), &body, 8, -EINVAL);
	raw(h, bh_part(0, 100), &body, 3, -EINVAL);
	raw(h, bh_part(50, 100), body.b, 50, -EINVAL); /* no first part */
	raw(h, bh_part(0, 100), &body, 58, 0);
	raw(h, bh_part(40, 100), body.b, 60, -EINVAL); /* in the middle of it */
	raw(h, bh_part(50, 100), body.b, 50, -EINVAL); /* it is gone */
	raw(h, bh_part(0, 100), &body, 58, 0);
	raw(h, bh_part(50, 90), body.b + 50, 40, -EINVAL);
	raw(h, bh_part(0, 100), &body, 58, 0);
	raw(h, bh_part(50, 100), body.b + 50, 50, 0); /* at last a good one */
	m = sent();
	ck_assert_mem_eq(rte_pktmbuf_mtod(m, void *), body.b, 100);
	rte_pktmbuf_free(m);
	body.to.how = BH_INJECT_MODES;
	raw(h, bh_part(0, 100), &body, sizeof(body), -EINVAL);
	body.to = (struct bh_inject_to){ .ifindex = 1, .pad = { 0, 1 } };
	raw(h, bh_part(0, 100), &body, sizeof(body), -EINVAL);
	body.to = (struct bh_inject_to){ .ifindex = BH_IF_MAX };
	raw(h, bh_part(0, 100), &body, sizeof(body), -EINVAL);
	body.to = (struct bh_inject_to){ .ifindex = 1, .how = BH_INJECT_RESOLVED };
	raw(h, bh_part(0, 100), &body, 58, 0); /* left unfinished */
	bh_close(h);
	close(fd);
	await_disconnected();
}
END_TEST

/* What does not fit is dropped and counted; what is left comes when the stack wakes up. */
START_TEST(stack_that_never_polls)
{
	uint64_t full = bh_read(&fwd()->drop[BH_DROP_PUNT_FULL]);
	uint64_t taken = bh_read(&fwd()->punt[BH_PUNT_LOCAL].taken);
	uint64_t policed = bh_read(&fwd()->drop[BH_DROP_PUNT_POLICED]);
	int fd = role_socket(BH_ROLE_V6STACK);
	unsigned int flood = 0;
	uint8_t b[1514];
	struct bh_packets *p;
	static struct got g;

	p = open_stack(&g, fd);
	make_frame(b, sizeof(b), 0);
	for (; bh_read(&fwd()->drop[BH_DROP_PUNT_FULL]) == full; flood++) {
		ck_assert_uint_lt(flood, 100000);
		receive(b, sizeof(b));
		while (rte_ring_count(pb.wire_in) > 1000)
			sched_yield();
	}
	check_forwarding(); /* behind the flood */
	taken = bh_read(&fwd()->punt[BH_PUNT_LOCAL].taken) - taken;
	ck_assert_uint_ge(taken, BH_PUNT_RING - BH_PUNT_RING / 8);
	ck_assert_uint_eq(taken + bh_read(&fwd()->drop[BH_DROP_PUNT_FULL]) - full +
		bh_read(&fwd()->drop[BH_DROP_PUNT_POLICED]) - policed, flood);
	await_punts(p, &g, taken);
	ck_assert_uint_eq(g.n, taken);
	ck_assert_mem_eq(g.frame, b, sizeof(b));
	/* And once more, left in the rings. */
	for (unsigned int i = 0; i < 1500; i++)
		receive(b, sizeof(b));
	check_forwarding();
	bh_packets_close(p);
	close(fd);
	await_disconnected();
	check_forwarding();
}
END_TEST

/* Killed with frames in its channel and rings: the next one begins, no mbuf is lost. */
START_TEST(stack_killed)
{
	uint8_t b[1514];
	struct bh_packets *p;
	static struct got g;
	int fd, status, up_fd[2];
	pid_t pid;
	char c;

	for (int round = 0; round < 3; round++) {
		fd = role_socket(BH_ROLE_V6STACK);
		ck_assert_int_eq(pipe(up_fd), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			p = open_stack(&g, fd);
			make_frame(b, sizeof(b), 1);
			bh_packets_inject(p, BH_INJECT_RESOLVED, 1, b, sizeof(b));
			bh_packets_poll(p, 0);
			if (write(up_fd[1], "u", 1) == 1)
				pause();
			_exit(1);
		}
		close(fd);
		close(up_fd[1]);
		ck_assert_int_eq(read(up_fd[0], &c, 1), 1);
		close(up_fd[0]);
		make_frame(b, sizeof(b), 0);
		for (unsigned int i = 0; i < 1500; i++)
			receive(b, sizeof(b));
		rte_pktmbuf_free(sent());
		check_forwarding();
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		check_forwarding();
		if (round < 2)
			await_disconnected();
	}
	/* A successor may come before its predecessor's end was noticed. */
	fd = role_socket(BH_ROLE_V6STACK);
	p = open_stack(&g, fd);
	make_frame(b, 100, 0);
	receive(b, 100);
	while (g.len != 100) /* behind those that lay there */
		ck_assert_int_gt(bh_packets_poll(p, WAIT_MS), 0);
	bh_packets_close(p);
	close(fd);
	await_disconnected();
}
END_TEST

/* A predecessor that lives is cut off by its successor's role socket, and is told. */
START_TEST(stack_succeeded)
{
	int fd = role_socket(BH_ROLE_V6STACK), fd2;
	struct bh_packets *p, *q;
	static struct got g, g2;
	uint8_t b[60];

	p = open_stack(&g, fd);
	fd2 = role_socket(BH_ROLE_V6STACK);
	q = open_stack(&g2, fd2);
	ck_assert_int_eq(bh_packets_poll(p, WAIT_MS), -ECONNRESET);
	make_frame(b, sizeof(b), 0);
	ck_assert_int_eq(bh_packets_inject(p, BH_INJECT_ROUTED, 0, b, sizeof(b)), -ECONNRESET);
	receive(b, sizeof(b));
	await_punts(q, &g2, 1);
	bh_packets_close(p);
	bh_packets_close(q);
	close(fd);
	close(fd2);
	await_disconnected();
}
END_TEST

/* An heir gets no frames beside its predecessor, and all of them once it is promoted. */
START_TEST(stack_inherited)
{
	struct bh_open_args args = { .client = "heir" };
	int fd = role_socket(BH_ROLE_V6STACK), heir[2];
	struct timespec ms = { .tv_nsec = 1000000 };
	struct bh_promotion end = { 0 };
	struct bh_packets *p, *q;
	static struct got g, g2;
	uint8_t b[60];

	p = open_stack(&g, fd);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, heir), 0);
	ck_assert_int_eq(bh_proxy_give_heir(mini.proxy[0], heir[1], BH_ROLE_V6STACK, 4712), 0);
	args.role_fd = heir[0];
	ck_assert_ptr_null(bh_packets_open(&args, take, &g2));
	ck_assert_int_eq(errno, EBUSY);
	make_frame(b, sizeof(b), 0);
	receive(b, sizeof(b));
	await_punts(p, &g, 1);
	ck_assert_int_eq(bh_proxy_promote(mini.proxy[0], BH_ROLE_V6STACK, 4712), 0);
	for (int n = 0; !bh_proxy_promotion(mini.proxy[0], &end) && n < WAIT_MS; n++)
		nanosleep(&ms, NULL);
	ck_assert(end.done);
	ck_assert_int_eq(bh_packets_poll(p, WAIT_MS), -ECONNRESET);
	q = open_stack(&g2, heir[0]);
	receive(b, sizeof(b));
	await_punts(q, &g2, 1);
	bh_packets_close(p);
	bh_packets_close(q);
	close(fd);
	close(heir[0]);
	await_disconnected();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("packet service");
	TCase *tc = tcase_create("packet");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_test(tc, only_the_stack);
	tcase_add_test(tc, every_length_arrives);
	tcase_add_test(tc, event_loop);
	tcase_add_test(tc, inject_every_length);
	tcase_add_test(tc, inject_many);
	tcase_add_test(tc, hostile_injection);
	tcase_add_test(tc, stack_that_never_polls);
	tcase_add_test(tc, stack_killed);
	tcase_add_test(tc, stack_succeeded);
	tcase_add_test(tc, stack_inherited);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	packet_up();
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	if (failed == 0)
		packet_down();
	return failed != 0;
}
