/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet service's handler between a hostile stack and one forwarding lcore: requests of any
 * verb, role and body, peers that come and go, frames on their way out, and a channel with any room.
 * Each request has one answer or stays in the queue; frames that are sent in parts are whole and in
 * order; frames for the forwarding lcore are flat and of the length that was told; when the stack is
 * gone, every mbuf is home.
 *
 * Input: steps, a byte each (low 3 bits: what), and what it takes.
 */
#include <errno.h>

#include "app/core/packet_priv.h"
#include "app/forwarding/forwarding_priv.h"
#include "test/fuzz/fuzz.h"

#define PEERS 3
#define MBUFS 511

struct bh_service {
	struct bh_bell bell;
};

static struct bed {
	struct bh_fwd_tables t;
	struct bh_stats *stats;
	struct bh_forwarding *f;
	struct bh_service svc;
	struct bh_bell main_bell;
	struct bh_packet *p;
	struct rte_mempool *pool;
	struct bh_peer_info peer[PEERS];
	unsigned int answers; /* of the request under way */
	unsigned int owed[PEERS]; /* BEGINs to be answered */
	unsigned int room;    /* messages that the channel takes */
	uint16_t whole, have; /* of a frame on its way out */
} bed;

/* ---- the service's part ---- */

struct bh_bell *
bh_service_bell(struct bh_service *svc)
{
	return &svc->bell;
}

void
bh_service_reply(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	(void)svc;
	FUZZ_CHECK(ref.index < PEERS && ref.gen == bed.peer[ref.index].ref.gen);
	FUZZ_CHECK(msg->len >= sizeof(*msg) && msg->len <= BH_MSG_MAX);
	if (msg->verb == BH_V_PACKET_BEGIN && bed.owed[ref.index] > 0)
		bed.owed[ref.index]--;
	else
		bed.answers++;
}

int
bh_service_event(struct bh_service *svc, struct bh_peer_ref ref, const struct bh_msg *msg)
{
	size_t len = msg->len - sizeof(*msg);

	(void)svc;
	FUZZ_CHECK(ref.index < PEERS && ref.gen == bed.peer[ref.index].ref.gen);
	FUZZ_CHECK(msg->verb == BH_V_PUNT && msg->len <= BH_MSG_MAX && len > 0);
	if (bed.room == 0)
		return -EAGAIN;
	bed.room--;
	if (bh_part_offset(msg->aux) == 0) {
		FUZZ_CHECK(bed.have == 0 && len > sizeof(struct bh_punt));
		bed.whole = bh_part_whole(msg->aux);
		len -= sizeof(struct bh_punt);
	}
	FUZZ_CHECK(bh_part_offset(msg->aux) == bed.have && bh_part_whole(msg->aux) == bed.whole);
	bed.have += len;
	FUZZ_CHECK(bed.have <= bed.whole);
	if (bed.have == bed.whole)
		bed.have = 0;
	return 0;
}

/* ---- made once ---- */

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct bh_forwarding_conf conf = { .n_lcores = 1, .socket_id = SOCKET_ID_ANY,
		.tables = &bed.t };
	struct bh_packet_conf pconf = { .n_fwd = 1, .main_bell = &bed.main_bell,
		.socket_id = SOCKET_ID_ANY };

	(void)argc;
	(void)argv;
	fuzz_eal_start("192");
	bed.pool = rte_pktmbuf_pool_create("fuzz", MBUFS, 0, 0, BH_FRAME_MAX + 128,
		SOCKET_ID_ANY);
	bed.stats = aligned_alloc(64, sizeof(*bed.stats));
	FUZZ_CHECK(bed.pool != NULL && bed.stats != NULL);
	memset(bed.stats, 0, sizeof(*bed.stats));
	FUZZ_CHECK(bh_fwd_tables_create(&bed.t, 1, SOCKET_ID_ANY) == 0);
	conf.stats = pconf.stats = bed.stats;
	FUZZ_CHECK(bh_bell_init(&bed.main_bell) == 0 && bh_bell_init(&bed.svc.bell) == 0);
	bed.f = pconf.fwd = bh_forwarding_create(&conf);
	bed.p = bh_packet_create(&pconf);
	FUZZ_CHECK(bed.f != NULL && bed.p != NULL);
	bh_packet_set_service(bed.p, &bed.svc);
	for (unsigned int i = 0; i < PEERS; i++)
		bed.peer[i] = (struct bh_peer_info){ .ref = { i, 1 }, .client = "fuzz",
			.role = i < 2 ? BH_ROLE_V6STACK : BH_ROLE_READER };
	return 0;
}

/* ---- steps ---- */

static const uint8_t verbs[] = { BH_V_INJECT, BH_V_INJECT, BH_V_PACKET_BEGIN, BH_V_NOP,
	BH_V_ADD, BH_V_WATCH, BH_V_MAX, 0 };

static void
request(struct fuzz_in *in)
{
	struct {
		struct bh_msg msg;
		uint8_t body[BH_MSG_MAX - sizeof(struct bh_msg)];
	} *m = malloc(sizeof(*m));
	uint8_t who = fuzz_u8(in), n = fuzz_u8(in), kind = fuzz_u8(in);
	unsigned int peer = who % PEERS, len = n < 128 ? n : (n - 127) * 29;
	int rc;

	FUZZ_CHECK(m != NULL);
	len = RTE_MIN(len, sizeof(m->body));
	memset(m, kind, sizeof(*m));
	m->msg = (struct bh_msg){ .len = sizeof(m->msg) + len, .verb = verbs[kind & 7],
		.table = kind & 0x80 ? fuzz_u8(in) : 0, .tag = who, .aux = fuzz_u32(in) };
	if (kind & 0x40) /* of the length that it says */
		m->msg.aux = bh_part(kind & 0x20 ? bed.p->in.m ? bed.p->in.m->data_len : 0 : 0,
			kind & 0x20 ? bed.p->in.whole : len - 8 + (kind & 0x10) * 100);
	fuzz_take(in, m->body, RTE_MIN(len, 64u));
	m = realloc(m, m->msg.len); /* what lies behind it is not to be read */
	FUZZ_CHECK(m != NULL);
	bed.answers = 0;
	rc = bh_packet_ops.request(bed.p, &bed.peer[peer], &m->msg, 64);
	if (rc > 0 && m->msg.verb == BH_V_PACKET_BEGIN && bed.answers == 0)
		bed.owed[peer]++;
	else
		FUZZ_CHECK(bed.answers == (rc > 0));
	free(m);
}

static void
gone(unsigned int peer)
{
	bed.owed[peer] = 0;
	if (bed.p->owned && bed.p->owner.index == peer)
		bed.have = 0;
	bh_packet_ops.gone(bed.p, bed.peer[peer].ref);
	bed.peer[peer].ref.gen++;
}

static void
settle(void)
{
	FUZZ_CHECK(!bh_packet_settle(bed.p));
}

/* A frame to the stack, as a forwarding lcore does it. */
static void
punt(struct fuzz_in *in)
{
	uint32_t len = fuzz_u16(in) % (BH_FRAME_MAX + 1);
	struct rte_mbuf *m;

	if (bed.f->stack.punt[0] == NULL)
		return;
	m = rte_pktmbuf_alloc(bed.pool);
	if (m == NULL)
		return;
	FUZZ_CHECK(rte_pktmbuf_append(m, len) != NULL);
	m->hash.usr = fuzz_u32(in);
	if (rte_ring_sp_enqueue(bed.f->stack.punt[0], m) != 0)
		rte_pktmbuf_free(m);
}

/* What comes to the forwarding lcore. */
static void
injected(void)
{
	struct rte_mbuf *m;

	while (rte_ring_sc_dequeue(bed.p->stack.inject[0], (void **)&m) == 0) {
		FUZZ_CHECK(m->nb_segs == 1 && m->data_len >= BH_FRAME_MIN);
		FUZZ_CHECK(m->data_len <= BH_FRAME_MAX && (m->hash.usr >> 16) < BH_INJECT_MODES);
		FUZZ_CHECK((m->hash.usr & 0xffff) < BH_IF_MAX);
		rte_pktmbuf_free(m);
	}
}

static void
step(uint8_t what, struct fuzz_in *in)
{
	switch (what & 7) {
	case 0:
	case 1:
		request(in);
		break;
	case 2:
		gone(what / 8 % PEERS);
		break;
	case 3:
		settle();
		break;
	case 4:
		punt(in);
		break;
	case 5:
		bed.room = what / 8;
		bh_packet_ops.poll(bed.p);
		FUZZ_CHECK(bh_packet_ops.timeout(bed.p) != 0);
		break;
	case 6:
		injected();
		break;
	default:
		bed.room = 1000;
		bh_packet_ops.poll(bed.p);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };

	while (in.left > 0)
		step(fuzz_u8(&in), &in);
	for (unsigned int i = 0; i < PEERS; i++)
		gone(i);
	settle();
	while (bh_packet_ops.poll(bed.p))
		;
	injected();
	FUZZ_CHECK(rte_mempool_avail_count(bed.pool) == MBUFS);
	FUZZ_CHECK(rte_mempool_avail_count(bed.p->pools.small) == BH_FRAMES_SMALL);
	FUZZ_CHECK(rte_mempool_avail_count(bed.p->pools.large) == BH_FRAMES_LARGE);
	FUZZ_CHECK(bh_read(&bed.stats->stack.connected) == 0);
	return 0;
}
