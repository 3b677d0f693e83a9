/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path: bursts of any bytes through one forwarding lcore with four ring ports, and any
 * frames that a stack injects. Each frame is sent, punted or counted as exactly one drop (a packet
 * that cannot be forwarded may be told to the stack besides), and no mbuf is lost. What is sent is the
 * frame that came in, one hop on, or fragments of it, or the stack's own as it made it. Bytes of a
 * buffer that are no part of the frame are poisoned.
 *
 * Next hop `id` is reached by 10.0.id.0/24 and 2001:db8:id::/48.
 */
#include <arpa/inet.h>
#include <sanitizer/asan_interface.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "app/forwarding/forwarding_priv.h"
#include "app/forwarding/publish.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/packet_count.h"

#define PORTS 4
#define RING 32	      /* less than a burst: tx_full is reached */
#define PUNT_RING 8
#define MBUFS 1023
#define BURST_MAX 40
#define FRAME_MAX 2000
#define SEGS 16	      /* of a frame, about */
#define ETH 14
#define ECMP 5	      /* next hops behind those of the ports */
#define SPECIAL 6     /* ATTACHED .. PROHIBIT, dead, empty */
#define NHS 14
#define IF_ALL (BH_FWD_IF_UP | BH_FWD_IF_FORWARD4 | BH_FWD_IF_FORWARD6 | BH_FWD_IF_IPV4 |          \
	BH_FWD_IF_IPV6)

struct frame {
	uint32_t len;
	uint8_t b[FRAME_MAX];
};

static struct bed {
	struct bh_fwd_tables t;
	struct bh_stats *stats;
	struct bh_forwarding *f;
	struct rte_mempool *pool;
	struct rte_ring *in[PORTS + 1], *out[PORTS + 1];
	struct bh_fwd_stack stack;
	struct bh_fwd_if_copy ifs[PORTS + 1];
	struct frame sent[BURST_MAX]; /* as they went in */
	struct how {
		bool injected;
		uint8_t how, ifindex;
	} how[BURST_MAX];
	unsigned int n;
	bool any_injected;
	uint64_t drops, punted, told, more; /* as of the last look */
} bed;

/* ---- made once ---- */

static void
create_port(uint16_t i)
{
	struct rte_eth_conf conf = { 0 };
	char name[32];
	int port;

	snprintf(name, sizeof(name), "in%u", i);
	bed.in[i] = rte_ring_create(name, 64, SOCKET_ID_ANY, 0);
	snprintf(name, sizeof(name), "out%u", i);
	bed.out[i] = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_EXACT_SZ);
	snprintf(name, sizeof(name), "port%u", i);
	port = rte_eth_from_rings(name, &bed.in[i], 1, &bed.out[i], 1, 0);
	FUZZ_CHECK(port >= 0);
	FUZZ_CHECK(rte_eth_dev_configure(port, 1, 1, &conf) == 0);
	FUZZ_CHECK(rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, bed.pool) == 0);
	FUZZ_CHECK(rte_eth_tx_queue_setup(port, 0, 64, 0, NULL) == 0);
	FUZZ_CHECK(rte_eth_dev_start(port) == 0);
	FUZZ_CHECK(bh_forwarding_attach(bed.f, i, port, 1, 1) == 0);
}

static void
put_nh(uint32_t id, uint8_t type, uint8_t n, uint16_t first)
{
	struct bh_fwd_nh_copy c = { .type = type, .n = n };

	for (uint8_t i = 0; i < n; i++)
		c.adj[i] = first + i;
	if (type == BH_NH_ATTACHED)
		c.ifindex = 2;
	FUZZ_CHECK(bh_fwd_nh_put(&bed.t, id, &c) == 0);
}

static void
put_adj(uint16_t adj, uint16_t ifindex, bool resolved)
{
	struct bh_adj_copy c = { .ifindex = ifindex, .state = BH_ADJ_UNRESOLVED };

	if (resolved) {
		c.state = BH_ADJ_RESOLVED;
		c.hdr_len = BH_ETH_HDR;
		memset(c.hdr, 0xf0 + ifindex, 12);
	} else {
		c.family = 6;
	}
	FUZZ_CHECK(bh_adj_put(&bed.t, adj, &c) == 0);
}

static void
put_network(void)
{
	struct bh_fwd_attached_key known = { .ifindex = 2, .family = 4,
		.addr = { 10, 0, SPECIAL, 9 } };

	for (uint16_t i = 1; i <= PORTS; i++) {
		put_adj(i, i, true);
		put_nh(i, BH_NH_GROUP, 1, i);
	}
	put_adj(PORTS + 1, 3, false);
	put_nh(ECMP, BH_NH_GROUP, PORTS + 1, 1);
	for (uint8_t type = BH_NH_ATTACHED; type <= BH_NH_PROHIBIT; type++)
		put_nh(SPECIAL + type - BH_NH_ATTACHED, type, 0, 0);
	put_nh(11, BH_FWD_NH_DEAD, 0, 0);
	put_nh(12, BH_NH_GROUP, 0, 0);
	FUZZ_CHECK(bh_fwd_attached_put(&bed.t, &known, 2) == 0);
	for (uint32_t id = 1; id < NHS; id++) { /* the last id has no entry */
		uint8_t p4[4] = { 10, 0, id, 0 }, p6[16] = { 0x20, 1, 0x0d, 0xb8, 0, id };

		FUZZ_CHECK(bh_fib_set(bed.t.fib4, p4, 24, id) == 0);
		FUZZ_CHECK(bh_fib_set(bed.t.fib6, p6, 48, id) == 0);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct bh_forwarding_conf conf = { .n_lcores = 1, .socket_id = SOCKET_ID_ANY,
		.tables = &bed.t };

	(void)argc;
	(void)argv;
	fuzz_eal_start("160");
	bed.pool = rte_pktmbuf_pool_create("fuzz", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
		SOCKET_ID_ANY);
	bed.stats = aligned_alloc(64, sizeof(*bed.stats));
	FUZZ_CHECK(bed.pool != NULL && bed.stats != NULL);
	memset(bed.stats, 0, sizeof(*bed.stats));
	FUZZ_CHECK(bh_fwd_tables_create(&bed.t, 1, SOCKET_ID_ANY) == 0);
	conf.stats = bed.stats;
	bed.f = bh_forwarding_create(&conf);
	FUZZ_CHECK(bed.f != NULL);
	bed.f->lcore[0]->flow_seed = 1;
	bed.stack.punt[0] = rte_ring_create("punt", PUNT_RING, SOCKET_ID_ANY, RING_F_EXACT_SZ);
	bed.stack.inject[0] = rte_ring_create("inject", 64, SOCKET_ID_ANY, 0);
	for (uint16_t i = 1; i <= PORTS; i++)
		create_port(i);
	put_network();
	return 0;
}

/* ---- frames ---- */

static void
put_ip4(struct frame *f, struct fuzz_in *in)
{
	struct rte_ipv4_hdr ip = { .version_ihl = 0x45, .time_to_live = 64, .next_proto_id = 17 };
	uint8_t dst[4] = { 10, 0, 0, 9 };

	dst[2] = fuzz_u8(in) % (NHS + 2);
	ip.src_addr = inet_addr("192.0.2.1");
	memcpy(&ip.dst_addr, dst, 4);
	ip.total_length = htons(f->len - ETH);
	memcpy(f->b + ETH, &ip, sizeof(ip));
	f->b[12] = 8;
	f->b[13] = 0;
}

static void
put_ip6(struct frame *f, struct fuzz_in *in)
{
	struct rte_ipv6_hdr ip = { .vtc_flow = htonl(0x60012345), .proto = 17, .hop_limits = 64,
		.src_addr = { 0x20, 1, 0x0d, 0xb8, 0xff, 0xff, [15] = 1 },
		.dst_addr = { 0x20, 1, 0x0d, 0xb8, [15] = 9 } };

	ip.dst_addr[5] = fuzz_u8(in) % (NHS + 2);
	ip.payload_len = htons(f->len - ETH - sizeof(ip));
	memcpy(f->b + ETH, &ip, sizeof(ip));
	f->b[12] = 0x86;
	f->b[13] = 0xdd;
}

static void
fix_sum4(struct frame *f)
{
	unsigned int len = (f->b[ETH] & 0xf) * 4;
	uint32_t sum = 0;

	f->b[ETH + 10] = f->b[ETH + 11] = 0;
	for (unsigned int i = 0; i < len; i += 2)
		sum += f->b[ETH + i] << 8 | f->b[ETH + i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	f->b[ETH + 10] = ~sum >> 8;
	f->b[ETH + 11] = ~sum;
}

/* kind: bits 0-1 raw, IPv4, IPv6; bit 2: correct checksum; bits 4-7: bytes that are changed. */
static void
make_frame(struct frame *f, uint8_t kind, struct fuzz_in *in)
{
	const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0xee, 0, 0, 0, 1 };

	memset(f, 0, sizeof(*f));
	memcpy(f->b, macs, sizeof(macs));
	if ((kind & 3) == 0) {
		f->len = fuzz_u8(in);
		fuzz_take(in, f->b, f->len);
		return;
	}
	f->len = ETH + 60 + fuzz_u16(in) % (FRAME_MAX - ETH - 60);
	if ((kind & 3) == 1)
		put_ip4(f, in);
	else
		put_ip6(f, in);
	for (unsigned int i = 0; i < kind >> 4; i++) {
		unsigned int at = fuzz_u8(in) % 110;

		f->b[at] = fuzz_u8(in);
	}
	if (kind & 8) /* cut, or padded */
		f->len = fuzz_u8(in) * 4;
	if (kind & 4)
		fix_sum4(f);
}

static struct rte_mbuf *
segment(const uint8_t *b, unsigned int len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);

	FUZZ_CHECK(m != NULL);
	ASAN_UNPOISON_MEMORY_REGION(m->buf_addr, m->buf_len);
	if (len > 0)
		memcpy(rte_pktmbuf_append(m, len), b, len);
	ASAN_POISON_MEMORY_REGION(m->buf_addr, m->data_off);
	ASAN_POISON_MEMORY_REGION(rte_pktmbuf_mtod_offset(m, void *, len),
		m->buf_len - m->data_off - len);
	return m;
}

static void
inject(unsigned int i, unsigned int seg)
{
	const struct frame *f = &bed.sent[i];
	unsigned int first = seg == 0 || seg > f->len ? f->len : seg, len;
	unsigned int rest = RTE_MAX(seg, f->len / SEGS + 1);
	struct rte_mbuf *m = segment(f->b, first);

	m->dynfield1[0] = i;
	for (unsigned int off = first; off < f->len; off += len) {
		len = RTE_MIN(rest, f->len - off);
		FUZZ_CHECK(rte_pktmbuf_chain(m, segment(f->b + off, len)) == 0);
	}
	FUZZ_CHECK(rte_ring_enqueue(bed.in[1], m) == 0);
}

/* From the stack: by the low bits of `how` routed, resolved, held; by the next ones an interface. */
static void
inject_own(unsigned int i, uint8_t how)
{
	struct frame *f = &bed.sent[i];
	struct rte_mbuf *m;

	f->len = RTE_MAX(f->len, (uint32_t)ETH); /* the packet service sees to it */
	bed.any_injected = true;
	bed.how[i] = (struct how){ true, (how & 3) % BH_INJECT_MODES, how >> 2 & 7 };
	if (bed.how[i].how != BH_INJECT_ROUTED && bed.how[i].ifindex == 0)
		bed.how[i].ifindex = 1;
	m = segment(f->b, f->len);
	m->dynfield1[0] = i;
	bh_inject_mark(m, bed.how[i].how, bed.how[i].ifindex);
	FUZZ_CHECK(rte_ring_enqueue(bed.stack.inject[0], m) == 0);
}

/* ---- one input ---- */

static void
put_ifs(struct fuzz_in *in)
{
	static const uint16_t mtus[] = { 1500, 68, 1280, 1900 };

	for (uint16_t i = 1; i <= PORTS; i++) {
		struct bh_fwd_if_copy c = { .flags = IF_ALL & ~(fuzz_u8(in) & 0x1f),
			.mac = { 2, 0, 0, 0, 0, i } };

		c.mtu = c.mtu4 = c.mtu6 = mtus[fuzz_u8(in) % RTE_DIM(mtus)];
		bed.ifs[i] = c;
		FUZZ_CHECK(bh_fwd_if_put(&bed.t, i, &c) == 0);
	}
}

static void
turn(void)
{
	struct rte_rcu_qsbr *v = bed.t.qsbr;

	rte_rcu_qsbr_thread_register(v, 0);
	rte_rcu_qsbr_thread_online(v, 0);
	while (bh_fwd_turn(bed.f->lcore[0]) > 0)
		;
	rte_rcu_qsbr_thread_offline(v, 0);
}

/* A piece of one of the packets: its addresses and id, a right checksum, within the MTU. */
static void
check_fragment(const struct rte_mbuf *m, uint16_t port)
{
	struct frame copy = { .len = m->pkt_len };
	const uint8_t *ip = copy.b + ETH;
	bool known = false;
	uint8_t sum[2];

	FUZZ_CHECK(m->nb_segs == 1 && m->pkt_len <= (uint32_t)bed.ifs[port].mtu + ETH);
	memcpy(copy.b, rte_pktmbuf_mtod(m, void *), m->pkt_len);
	memcpy(sum, ip + 10, 2);
	fix_sum4(&copy);
	FUZZ_CHECK(memcmp(sum, ip + 10, 2) == 0);
	for (unsigned int i = 0; i < bed.n; i++)
		known |= memcmp(bed.sent[i].b + ETH + 12, ip + 12, 8) == 0 &&
			memcmp(bed.sent[i].b + ETH + 4, ip + 4, 2) == 0;
	FUZZ_CHECK(known);
}

/* The stack's frame as it was, but for MACs where it was routed. */
static void
check_own(const struct rte_mbuf *m, uint16_t port)
{
	const struct frame *f = &bed.sent[m->dynfield1[0]];
	const struct how *how = &bed.how[m->dynfield1[0]];
	unsigned int from = how->how == BH_INJECT_RESOLVED ? 0 : 12;

	FUZZ_CHECK(m->pkt_len <= f->len && m->pkt_len <= (uint32_t)bed.ifs[port].mtu + ETH);
	FUZZ_CHECK(bed.ifs[port].flags & BH_FWD_IF_UP);
	FUZZ_CHECK(how->how != BH_INJECT_RESOLVED || (how->ifindex == port && m->pkt_len == f->len));
	FUZZ_CHECK(memcmp(rte_pktmbuf_mtod_offset(m, void *, from), f->b + from,
		m->pkt_len - from) == 0);
}

/* The frame that it was, one hop on. */
static void
check_hop(const struct rte_mbuf *m, uint16_t port)
{
	const struct frame *f = &bed.sent[m->dynfield1[0]];
	unsigned int ttl = f->b[12] == 8 ? ETH + 8 : ETH + 7;
	uint8_t out[FRAME_MAX], macs[12];

	FUZZ_CHECK(m->pkt_len <= f->len && m->pkt_len <= (uint32_t)bed.ifs[port].mtu + ETH);
	FUZZ_CHECK(bed.ifs[port].flags & BH_FWD_IF_UP);
	for (uint32_t off = 0; m != NULL; off += m->data_len, m = m->next)
		memcpy(out + off, rte_pktmbuf_mtod(m, void *), m->data_len);
	memset(macs, 0xf0 + port, sizeof(macs));
	FUZZ_CHECK(memcmp(out, macs, sizeof(macs)) == 0);
	FUZZ_CHECK(memcmp(out + 12, f->b + 12, ETH - 12) == 0);
	FUZZ_CHECK(f->b[ttl] > 1 && out[ttl] == f->b[ttl] - 1);
	FUZZ_CHECK(memcmp(out + ETH + 12, f->b + ETH + 12, 8) == 0);
	if (f->b[12] == 8) {
		struct frame copy = { .len = ETH };

		memcpy(copy.b, out, ETH + 60);
		fix_sum4(&copy);
		FUZZ_CHECK(memcmp(copy.b + ETH, out + ETH, 20) == 0 ||
			(out[ETH + 10] == 0xff && out[ETH + 11] == 0xff));
	}
}

static void
check_sent(const struct rte_mbuf *m, uint16_t port)
{
	const struct how *how = &bed.how[m->dynfield1[0]];

	if (m->pool != bed.pool)
		check_fragment(m, port);
	else if (how->injected && how->how != BH_INJECT_HELD)
		check_own(m, port);
	else
		check_hop(m, port);
}

static unsigned int
take_sent(void)
{
	unsigned int n = 0;
	struct rte_mbuf *m;

	for (uint16_t i = 1; i <= PORTS; i++)
		for (; rte_ring_dequeue(bed.out[i], (void **)&m) == 0; n++) {
			check_sent(m, i);
			rte_pktmbuf_free(m);
		}
	return n;
}

static unsigned int
take_punted(void)
{
	unsigned int n = 0;
	struct rte_mbuf *m;
	struct bh_punt p;

	for (; rte_ring_dequeue(bed.stack.punt[0], (void **)&m) == 0; n++) {
		bh_punt_read(m, &p);
		FUZZ_CHECK(p.reason < BH_PUNT_REDIRECT && p.ifindex < 8);
		FUZZ_CHECK(p.out_ifindex <= 7 && (p.family == 4 || p.family == 6 || p.family == 0));
		FUZZ_CHECK((p.reason == BH_PUNT_RESOLVE) == (p.family != 0));
		FUZZ_CHECK((p.reason == BH_PUNT_TOO_BIG) == (p.mtu != 0));
		rte_pktmbuf_free(m);
	}
	return n;
}

static uint64_t
count_drops(void)
{
	uint64_t by_reason = 0, by_if = 0;

	for (unsigned int d = 0; d < BH_DROP_MAX; d++)
		by_reason += bed.stats->fwd[0].drop[d];
	for (uint16_t i = 0; i < 8; i++)
		by_if += bed.stats->fwd[0].ifs[i].rx_drops + bed.stats->fwd[0].ifs[i].tx_drops;
	FUZZ_CHECK(by_reason == by_if);
	return by_reason;
}

static void
check_balance(void)
{
	unsigned int sent = take_sent(), punted = take_punted();
	const struct bh_stats_fwd *s = &bed.stats->fwd[0];
	uint64_t drops = count_drops(), told = 0, more = s->ip4_fragments - s->ip4_fragmented;

	for (unsigned int i = BH_PUNT_TTL; i < BH_PUNT_REASONS; i++)
		told += s->punt[i].taken;
	FUZZ_CHECK(sent + punted - (told - bed.told) + drops - bed.drops ==
		bed.n + (more - bed.more));
	FUZZ_CHECK(s->punted - bed.punted == punted);
	FUZZ_CHECK(rte_mempool_avail_count(bed.pool) == MBUFS);
	FUZZ_CHECK(rte_mempool_avail_count(bed.f->fragments.small) == BH_FRAMES_SMALL);
	check_ip_out(s, 0);
	check_ip_out(s, 1);
	check_ip_in(s, bed.any_injected);
	bed.drops = drops;
	bed.told = told;
	bed.more = more;
	bed.punted = bed.stats->fwd[0].punted;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	bool stack = fuzz_u8(&in) & 1;

	bed.any_injected = false;
	put_ifs(&in);
	bh_punt_police_init(bed.f->lcore[0]); /* what was punted before does not count */
	FUZZ_CHECK(bh_forwarding_set_stack(bed.f, stack ? &bed.stack : NULL) == 0);
	for (bed.n = 0; bed.n < BURST_MAX && in.left > 0; bed.n++) {
		unsigned int again = 0;
		uint8_t kind = fuzz_u8(&in), seg = fuzz_u8(&in);

		make_frame(&bed.sent[bed.n], kind, &in);
		bed.how[bed.n].injected = false;
		if ((seg & 0xe0) == 0x40 && stack)
			inject_own(bed.n, seg & 0x1f);
		else
			inject(bed.n, seg & 0x80 ? seg & 0x7f : 0);
		if ((seg & 0xe0) == 0x60) /* the same a few times */
			again = seg & 0x1f;
		for (; again > 0 && bed.n + 1 < BURST_MAX; again--) {
			bed.sent[bed.n + 1] = bed.sent[bed.n];
			bed.how[bed.n + 1].injected = false;
			inject(++bed.n, 0);
		}
	}
	turn();
	check_balance();
	return 0;
}
