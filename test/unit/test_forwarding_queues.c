/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues and lcores: who polls and sends what, handing over, full queues, the punt ring; and with
 * real forwarding lcores at work: ports and next hops that come and go lose no packet of others.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "app/forwarding/packet.h"
#include "test/unit/fwd_util.h"

#define LIMIT_S 60

static void
three_lcores(void)
{
	bed_create(3, 0);
}

static void
four_lcores(void)
{
	bed_create(4, 0);
}

static const struct bh_fwd_plan *
plan_of(unsigned int index)
{
	return &bed.f->lcore[index]->plan[bed.f->lcore[index]->plan_sel];
}

static unsigned int
n_rx(unsigned int index)
{
	return plan_of(index)->n_rx;
}

static void
inject_n(uint16_t port, uint16_t queue, uint8_t nh, unsigned int n)
{
	struct frame f;

	frame_to4(&f, nh);
	f.b[5] = port;
	for (unsigned int i = 0; i < n; i++)
		bed_inject_seg(&f, port, queue, 0);
}

START_TEST(queues_are_balanced)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 4, 3), 0);
	ck_assert_uint_eq(n_rx(0), 2);
	ck_assert_uint_eq(n_rx(1), 1);
	ck_assert_uint_eq(n_rx(2), 1);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 1), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 3, bed.port[3], 4, 2), 0);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(n_rx(i), 3);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, 1), 0);
	ck_assert_uint_eq(n_rx(0) + n_rx(1) + n_rx(2), 5);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(plan_of(i)->out[1].mode, BH_OUT_NONE);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 4, bed.port[4], 4, 1), 0);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(n_rx(i), 3);
}
END_TEST

/* Every queue is polled by exactly one lcore, and that one alone receives from it. */
START_TEST(every_queue_once)
{
	unsigned int total = 0;

	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 4, 3), 0);
	for (uint16_t q = 0; q < 4; q++)
		inject_n(1, q, BED_BLACKHOLE, 5);
	for (unsigned int i = 0; i < 3; i++)
		total += bed_turn_of(i);
	ck_assert_uint_eq(total, 20);
	bed_check_drops(BH_DROP_NEXTHOP_BLACKHOLE, 20);
	ck_assert_uint_eq(bed.stats->fwd[0].drop[BH_DROP_NEXTHOP_BLACKHOLE], 10);
}
END_TEST

START_TEST(bad_calls)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 0, 0, 1, 1), -EINVAL);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, BH_IF_MAX, 0, 1, 1), -EINVAL);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, 0, 0, 1), -EINVAL);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, 0, 1, 0), -EINVAL);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, 0, BH_PORT_RXQ + 1, 1), -EINVAL);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, 1), -ENOENT);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, BH_IF_MAX), -EINVAL);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), -EEXIST);
}
END_TEST

/* Port 2 has one send queue, lcore 0's; port 3 has two: lcore 2 hands over to lcore 0. */
START_TEST(handoff)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 3, 3), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 1), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 3, bed.port[3], 1, 2), 0);
	for (uint16_t q = 0; q < 3; q++) {
		inject_n(1, q, 2, 7);
		inject_n(1, q, 3, 5);
	}
	ck_assert_uint_eq(bed_turn_of(1), 12);
	ck_assert_uint_eq(bed_turn_of(2), 12);
	ck_assert_uint_eq(bed_count(2), 0);
	ck_assert_uint_eq(bed_turn_of(0), 12 + 7 + 7 + 5);
	bed_check_drops(BH_DROP_MAX, 0);
	ck_assert_uint_eq(bed_count(2), 21);
	ck_assert_uint_eq(bed_count(3), 10); /* queue 0 */
	for (unsigned int i = 0; i < 5; i++)
		rte_pktmbuf_free(bed_take(3, 1));
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[2].tx_packets, 21);
	ck_assert_uint_eq(bed.stats->fwd[1].ifs[3].tx_packets, 5);
	ck_assert_uint_eq(bed.stats->fwd[2].ip4_forwarded, 12);
	/* who found the way counts that, who sends counts that */
	ck_assert_uint_eq(bed.stats->fwd[2].ip[2][0].n[BH_IP_OUT_FORWARDED], 7);
	ck_assert_uint_eq(bed.stats->fwd[2].ip[2][0].n[BH_IP_OUT_TRANSMITS], 0);
	ck_assert_uint_eq(bed.stats->fwd[0].ip[2][0].n[BH_IP_OUT_TRANSMITS], 21);
	ck_assert_uint_eq(bed.stats->fwd[0].ip[2][1].n[BH_IP_OUT_TRANSMITS], 0);
	ck_assert_uint_eq(bed.stats->fwd[1].ip[3][0].n[BH_IP_OUT_TRANSMITS], 5);
	bed_check_no_mbuf_lost();
}
END_TEST

/* Lcore i without a queue hands over to lcore i % queues. */
START_TEST(handoff_targets)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 4, 4), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 2), 0);
	inject_n(1, 3, 2, 7);
	ck_assert_uint_eq(bed_turn_of(3), 7);
	ck_assert_uint_eq(bed_turn_of(0), 0);
	ck_assert_uint_eq(bed_turn_of(1), 7);
	ck_assert_uint_eq(bed_count(2), 0);
	for (unsigned int i = 0; i < 7; i++)
		rte_pktmbuf_free(bed_take(2, 1));
	bed_check_no_mbuf_lost();
}
END_TEST

START_TEST(handoff_full)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 3, 3), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 1), 0);
	for (unsigned int i = 0; i < BH_HANDOFF_RING / 128 + 1; i++) {
		inject_n(1, 1, 2, 128);
		while (bed_turn_of(1) != 0)
			;
	}
	bed_check_drops(BH_DROP_HANDOFF_FULL, 128);
	ck_assert_uint_eq(bed.stats->fwd[1].ifs[2].tx_drops, 128);
	ck_assert_uint_eq(bed.stats->fwd[1].ip[2][0].n[BH_IP_OUT_DISCARDS], 128);
	bed_turn_of(0); /* all that was handed over, in one turn */
	bed_check_drops(BH_DROP_TX_FULL, BH_HANDOFF_RING - BED_RING);
	ck_assert_uint_eq(bed_count(2), BED_RING);
	bed_check_no_mbuf_lost();
}
END_TEST

START_TEST(tx_full)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 1), 0);
	for (unsigned int i = 0; i < 10; i++) {
		inject_n(1, 0, 2, 30);
		bed_turn_of(0);
	}
	bed_check_drops(BH_DROP_TX_FULL, 300 - BED_RING);
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[2].tx_packets, BED_RING);
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[2].tx_bytes, BED_RING * 142);
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[2].tx_drops, 300 - BED_RING);
	ck_assert_uint_eq(bed.stats->fwd[0].ifs[1].rx_drops, 0);
	ck_assert_uint_eq(bed_count(2), BED_RING);
	bed_check_no_mbuf_lost();
}
END_TEST

/* Out by an interface that is up but has no port here. */
START_TEST(port_missing)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), 0);
	inject_n(1, 0, 2, 3);
	bed_turn_of(0);
	bed_check_drops(BH_DROP_OUT_INTERFACE_DOWN, 3);
	bed_check_no_mbuf_lost();
}
END_TEST

static void
check_punted(struct rte_ring *ring, enum bh_punt_reason why, uint16_t ifindex)
{
	struct rte_mbuf *m;
	struct bh_punt p;

	ck_assert_int_eq(rte_ring_sc_dequeue(ring, (void **)&m), 0);
	bh_punt_read(m, &p);
	ck_assert_uint_eq(p.reason, why);
	ck_assert_uint_eq(p.ifindex, ifindex);
	ck_assert_uint_eq(m->pkt_len, 142);
	ck_assert_uint_eq(bh_pkt_ip4(m)->time_to_live, 64);
	rte_pktmbuf_free(m);
}

START_TEST(punt_ring)
{
	struct bh_fwd_stack stack = { 0 };
	struct rte_ring **ring = stack.punt;
	struct frame f;

	ring[0] = rte_ring_create("punt", 4, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	ck_assert_ptr_nonnull(ring[0]);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), 0);
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, &stack), 0);
	inject_n(1, 0, BED_LOCAL, 1);
	inject_n(1, 0, BED_ATTACHED, 1);
	frame_ip4(&f, IP4(192, 0, 2, 1), IP4(224, 0, 0, 5), 100);
	bed_inject(&f, 1);
	f.b[13] = 6; /* ARP */
	bed_inject(&f, 1);
	inject_n(1, 0, BED_LOCAL, 3);
	ck_assert_uint_eq(bed_turn_of(0), 7);
	bed_check_drops(BH_DROP_PUNT_FULL, 3);
	ck_assert_uint_eq(bed.stats->fwd[0].punted, 4);
	check_punted(ring[0], BH_PUNT_ARP, 1); /* Ethernet comes before IPv4 in a burst */
	check_punted(ring[0], BH_PUNT_GROUP, 1);
	check_punted(ring[0], BH_PUNT_LOCAL, 1);
	check_punted(ring[0], BH_PUNT_LOCAL, 1);
	ck_assert_int_eq(bh_forwarding_set_stack(bed.f, NULL), 0);
	inject_n(1, 0, BED_LOCAL, 1);
	bed_turn_of(0);
	bed_check_drops(BH_DROP_PUNT_NO_STACK, 1);
	bed_check_no_mbuf_lost();
	rte_ring_free(ring[0]);
}
END_TEST

/* A forwarding lcore that hangs is told, not waited for; the port goes when it is back. */
START_TEST(hung_lcore)
{
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), 0);
	rte_rcu_qsbr_thread_register(bed.t.qsbr, 2);
	rte_rcu_qsbr_thread_online(bed.t.qsbr, 2);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, 1), -ETIMEDOUT);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, 1), -ETIMEDOUT);
	ck_assert_uint_eq(n_rx(0) + n_rx(1) + n_rx(2), 0); /* nobody begins to poll it again */
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 1, 1), -EEXIST);
	rte_rcu_qsbr_thread_offline(bed.t.qsbr, 2);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, 1), 0);
	ck_assert_int_eq(bh_forwarding_detach(bed.f, 1), -ENOENT);
}
END_TEST

static bool
in_time(uint64_t begin)
{
	return rte_rdtsc() - begin < LIMIT_S * rte_get_tsc_hz();
}

static void
launch(void)
{
	bed_create(3, 1);
	for (unsigned int i = 1; i <= 3; i++)
		ck_assert_int_eq(rte_eal_remote_launch(bh_forwarding_main, bed.f, i), 0);
}

static void
stop(void)
{
	bh_forwarding_stop(bed.f);
	for (unsigned int i = 1; i <= 3; i++)
		ck_assert_int_eq(rte_eal_wait_lcore(i), 0);
	bed_teardown();
}

/* Lcores without work nap, offline for the writers meanwhile, and still beat. */
START_TEST(idle_lcores_sleep)
{
	const struct bh_stats_lcore *s = &bed.stats->lcore[2];
	uint64_t begin = rte_rdtsc(), beat;

	while (bh_read(&s->sleeps) < 5 && in_time(begin))
		usleep(100);
	ck_assert_uint_ge(bh_read(&s->sleeps), 5);
	while (bh_read(&bed.t.qsbr->qsbr_cnt[1].cnt) != 0 && in_time(begin))
		;
	ck_assert(in_time(begin));
	ck_assert_str_eq(s->role, "forwarding");
	beat = bh_read(&s->heartbeat);
	while (bh_read(&s->heartbeat) == beat && in_time(begin))
		usleep(100);
	ck_assert_uint_ne(bh_read(&s->heartbeat), beat);
	ck_assert_uint_eq(bh_read(&s->busy), 0);
}
END_TEST

struct flood {
	unsigned int sent[BED_PORTS + 1]; /* towards that port */
	unsigned int got[BED_PORTS + 1];
};

static void
collect(struct flood *fl)
{
	struct rte_mbuf *m;

	for (uint16_t port = 2; port <= BED_PORTS; port++) {
		for (uint16_t q = 0; q < BED_QUEUES; q++) {
			while ((m = bed_take(port, q)) != NULL) {
				fl->got[port]++;
				rte_pktmbuf_free(m);
			}
		}
	}
}

static uint64_t
drops_of(enum bh_drop why)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < bed.f->n; i++)
		sum += bh_read(&bed.stats->fwd[i].drop[why]);
	return sum;
}

static uint64_t
dropped(void)
{
	uint64_t sum = 0;

	for (unsigned int d = 0; d < BH_DROP_MAX; d++)
		sum += drops_of(d);
	return sum;
}

/* Waits until fewer than `n` frames are on their way: no ring can overflow. */
static void
settle(struct flood *fl, unsigned int n)
{
	uint64_t begin = rte_rdtsc(), open;

	do {
		collect(fl);
		open = fl->sent[2] + fl->sent[3] - fl->got[2] - fl->got[3] - dropped();
	} while (open >= n && in_time(begin));
	ck_assert_uint_lt(open, n);
}

/* Some frames to port `to`, by all queues of port 1. */
static void
feed(struct flood *fl, uint16_t to)
{
	settle(fl, BED_RING / 2);
	for (uint16_t q = 0; q < BED_QUEUES; q++) {
		inject_n(1, q, to, 8);
		fl->sent[to] += 8;
	}
}

/*
 * Traffic from port 1 to port 2 (one send queue: two of three lcores hand over) and to port 3,
 * which is detached and attached again all the while, and whose next hop changes. Port 2's lose
 * nothing; port 3's come out or are counted.
 */
START_TEST(ports_change_under_traffic)
{
	struct flood fl = { 0 };
	struct bh_fwd_nh_copy nh = { .n = 1, .adj = { 3 } };

	ck_assert_int_eq(bh_forwarding_attach(bed.f, 1, bed.port[1], 4, 4), 0);
	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 1), 0);
	for (unsigned int cycle = 0; cycle < 60; cycle++) {
		ck_assert_int_eq(bh_forwarding_attach(bed.f, 3, bed.port[3], 1, 1 + cycle % 3), 0);
		for (unsigned int i = 0; i < 10; i++) {
			feed(&fl, 2);
			feed(&fl, 3);
			nh.type = i % 2 ? BH_NH_GROUP : BH_NH_BLACKHOLE;
			(void)bh_fwd_nh_put(&bed.t, 3, &nh);
		}
		ck_assert_int_eq(bh_forwarding_detach(bed.f, 3), 0);
	}
	settle(&fl, 1);
	ck_assert_uint_eq(fl.sent[2], 60 * 10 * 32);
	ck_assert_uint_eq(fl.got[2], fl.sent[2]);
	ck_assert_uint_gt(fl.got[3], 0);
	ck_assert_uint_eq(fl.got[3] + drops_of(BH_DROP_OUT_INTERFACE_DOWN) +
		drops_of(BH_DROP_NEXTHOP_BLACKHOLE), fl.sent[3]);
	bed_check_no_mbuf_lost();
}
END_TEST

static int
detach_port2(void *arg)
{
	(void)arg;
	return bh_forwarding_detach(bed.f, 2);
}

static void
wait_change(const void *word, size_t size, uint64_t old)
{
	uint64_t begin = rte_rdtsc(), now;

	do {
		now = size == 4 ? __atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE) :
			__atomic_load_n((const uint64_t *)word, __ATOMIC_ACQUIRE);
	} while (now == old && in_time(begin));
	ck_assert_uint_ne(now, old);
}

/*
 * A frame that lcore 1 hands over in its last turn by the old plan still leaves: detaching waits
 * for one more turn of the owner. Main plays both lcores, EAL lcore 4 detaches.
 */
START_TEST(detach_sends_what_was_handed_over)
{
	struct bh_fwd_lcore *lc1 = bed.f->lcore[1];
	struct rte_rcu_qsbr *v = bed.t.qsbr;
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
	uint64_t token;
	uint32_t sel;

	ck_assert_int_eq(bh_forwarding_attach(bed.f, 2, bed.port[2], 1, 1), 0);
	sel = lc1->plan_sel;
	for (unsigned int i = 0; i < 2; i++) {
		rte_rcu_qsbr_thread_register(v, i);
		rte_rcu_qsbr_thread_online(v, i);
	}
	ck_assert_int_eq(rte_eal_remote_launch(detach_port2, NULL, 4), 0);
	wait_change(&lc1->plan_sel, 4, sel);
	m->hash.usr = 2;
	rte_pktmbuf_append(m, 60);
	ck_assert_int_eq(rte_ring_sp_enqueue(lc1->to[0], m), 0);
	rte_rcu_qsbr_quiescent(v, 0);
	token = __atomic_load_n(&v->token, __ATOMIC_ACQUIRE);
	rte_rcu_qsbr_quiescent(v, 1);
	wait_change(&v->token, 8, token);
	rte_rcu_qsbr_thread_offline(v, 1);
	while (rte_eal_get_lcore_state(4) == RUNNING) {
		bh_fwd_turn(bed.f->lcore[0]);
		rte_rcu_qsbr_quiescent(v, 0);
	}
	rte_rcu_qsbr_thread_offline(v, 0);
	ck_assert_int_eq(rte_eal_wait_lcore(4), 0);
	ck_assert_uint_eq(bed_count(2), 1);
	bed_check_drops(BH_DROP_MAX, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forwarding: queues and lcores");
	TCase *inl = tcase_create("queues"), *four = tcase_create("four lcores");
	TCase *live = tcase_create("live");

	tcase_set_timeout(inl, 120);
	tcase_add_checked_fixture(inl, three_lcores, bed_teardown);
	tcase_add_test(inl, queues_are_balanced);
	tcase_add_test(inl, every_queue_once);
	tcase_add_test(inl, bad_calls);
	tcase_add_test(inl, handoff);
	tcase_add_test(inl, handoff_full);
	tcase_add_test(inl, tx_full);
	tcase_add_test(inl, port_missing);
	tcase_add_test(inl, punt_ring);
	tcase_add_test(inl, hung_lcore);
	tcase_add_test(inl, detach_sends_what_was_handed_over);
	suite_add_tcase(s, inl);
	tcase_add_checked_fixture(four, four_lcores, bed_teardown);
	tcase_add_test(four, handoff_targets);
	suite_add_tcase(s, four);
	tcase_set_timeout(live, 60);
	tcase_add_checked_fixture(live, launch, stop);
	tcase_add_test(live, idle_lcores_sleep);
	tcase_add_test(live, ports_change_under_traffic);
	suite_add_tcase(s, live);
	return bed_run(s);
}
