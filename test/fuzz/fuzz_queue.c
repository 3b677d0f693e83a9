/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The queues of a channel under a peer that writes what it likes whenever it likes: the input is
 * a list of steps of an honest producer, an honest consumer and the hostile hand between
 * them. What a step may return is told by a second, naive reading of the same memory.
 */
#include <errno.h>

#include "lib/channel/doorbell.h"
#include "lib/channel/queue.h"
#include "test/fuzz/fuzz.h"

#define N BH_MSG_SLOTS
#define STEPS 512

static struct bed {
	struct bh_slot *slots; /* on the heap: ASan knows its ends */
	uint8_t *buf;
	uint32_t tail, sleep;
	struct bh_producer prod;
	struct bh_consumer cons;
	struct bh_ringer ringer;
	bool touched;	   /* the hostile hand wrote something */
	uint32_t put, got; /* messages, while untouched */
} bed;

static void
setup(uint32_t start)
{
	bed.tail = bed.prod.head = start;
	bh_queue_format(bed.slots, N);
	for (uint32_t i = 0; i < N; i++)
		bed.slots[(start + i) % N].seq = start + i + 1 - N;
	bh_producer_init(&bed.prod, bed.slots, N, &bed.tail);
	bh_consumer_init(&bed.cons, bed.slots, N, &bed.tail);
	bed.prod.head = bed.prod.tail = bed.cons.pos = bed.cons.released = start;
	bed.ringer = (struct bh_ringer){.word = &bed.sleep};
	bed.sleep = bed.put = bed.got = 0;
	bed.touched = false;
}

/* ---- honest sides ---- */

static void
produce(uint16_t len)
{
	static uint8_t body[BH_MSG_MAX];
	struct bh_msg m = {.len = len, .verb = BH_V_NOP, .tag = bed.put};
	uint32_t head = bed.prod.head;
	int rc;

	memset(body, bed.put, sizeof(body));
	rc = bh_producer_put(&bed.prod, &m, body);
	if (rc == 0) {
		FUZZ_CHECK(len >= sizeof(m) && len <= BH_MSG_MAX);
		FUZZ_CHECK(bed.prod.head - head == bh_slots(len));
		bed.put++;
	} else {
		FUZZ_CHECK(rc == -EAGAIN || rc == -EMSGSIZE || (rc == -EBADMSG && bed.touched));
		FUZZ_CHECK((rc == -EMSGSIZE) == (len < sizeof(m) || len > BH_MSG_MAX));
		FUZZ_CHECK(bed.prod.head == head);
	}
	FUZZ_CHECK(bed.prod.head - bed.prod.tail <= N);
}

static int
naive_filled(uint32_t pos)
{
	uint32_t seq = bed.slots[pos % N].seq;

	return seq == pos + 1 ? 1 : seq == pos + 1 - N ? 0 : -EBADMSG;
}

/* What there is at the consumer's position, slot by slot. */
static int
naive_peek(void)
{
	uint32_t pos = bed.cons.pos;
	int rc = naive_filled(pos);
	uint16_t len;

	if (rc <= 0)
		return rc;
	memcpy(&len, bed.slots[pos % N].data, sizeof(len));
	if (len < sizeof(struct bh_msg) || len > BH_MSG_MAX)
		return -EBADMSG;
	for (int i = 1; i < (int)bh_slots(len); i++) {
		rc = naive_filled(pos + i);
		if (rc <= 0)
			return rc;
	}
	return bh_slots(len);
}

static void
check_message(int n)
{
	const struct bh_msg *m = (const struct bh_msg *)bed.buf;

	FUZZ_CHECK(n == (int)bh_slots(m->len) && n <= N);
	for (unsigned int i = 0; i < m->len; i++)
		FUZZ_CHECK(bed.buf[i] ==
			bed.slots[(bed.cons.pos + i / BH_SLOT_DATA) % N].data[i % BH_SLOT_DATA]);
	if (bed.touched)
		return;
	FUZZ_CHECK(m->verb == BH_V_NOP && m->tag == bed.got);
	for (unsigned int i = sizeof(*m); i < m->len; i++)
		FUZZ_CHECK(bed.buf[i] == (uint8_t)bed.got);
}

static void
consume(bool skip, bool release)
{
	int want = naive_peek(), n = bh_consumer_peek(&bed.cons, bed.buf);

	FUZZ_CHECK(n == want);
	FUZZ_CHECK(bh_consumer_ready(&bed.cons) == (naive_filled(bed.cons.pos) != 0));
	FUZZ_CHECK(bed.touched || n >= 0);
	if (n > 0)
		check_message(n);
	else
		FUZZ_CHECK(bed.touched || bed.put == bed.got);
	if (n > 0 && skip) {
		bh_consumer_skip(&bed.cons, n);
		bed.got++;
	}
	if (release)
		bh_consumer_release(&bed.cons);
}

static void
room(unsigned int want)
{
	int rc = bh_producer_room(&bed.prod, want);

	FUZZ_CHECK((rc >= 0 && rc <= N) || (rc == -EBADMSG && bed.touched));
	FUZZ_CHECK(rc < 0 || rc == (int)(N - (bed.prod.head - bed.prod.tail)));
}

/* ---- the hostile hand ---- */

static void
scribble(struct fuzz_in *in)
{
	unsigned int at = fuzz_u16(in) % (N * sizeof(*bed.slots));
	unsigned int len = fuzz_u8(in) % 64;

	if (len > N * sizeof(*bed.slots) - at)
		len = N * sizeof(*bed.slots) - at;
	fuzz_take(in, (uint8_t *)bed.slots + at, len);
	bed.touched = true;
}

/* A whole message, well or nearly well formed. */
static void
forge(struct fuzz_in *in)
{
	struct bh_msg m = {.verb = fuzz_u8(in), .tag = fuzz_u8(in)};
	unsigned int n;

	m.len = fuzz_u16(in);
	n = m.len <= BH_MSG_MAX ? bh_slots(m.len) : N;
	memcpy(bed.slots[bed.cons.pos % N].data, &m, sizeof(m));
	for (unsigned int i = 0; i < n; i++)
		bed.slots[(bed.cons.pos + i) % N].seq = bed.cons.pos + i + 1;
	bed.touched = true;
}

static void
shift_seq(struct fuzz_in *in)
{
	uint32_t pos = bed.cons.pos + fuzz_u8(in) % N;

	bed.slots[pos % N].seq = pos + 1 + (int8_t)fuzz_u8(in) * (int32_t)(N / 2);
	bed.touched = true;
}

static void
bell(struct fuzz_in *in)
{
	uint32_t reasons = fuzz_u8(in) & 3;
	bool due;

	bed.sleep = fuzz_u8(in);
	due = bh_ring_due(&bed.ringer, reasons);
	FUZZ_CHECK(!due || (bed.sleep & reasons));
	FUZZ_CHECK(!bh_ring_due(&bed.ringer, reasons)); /* once a word */
}

static void
step(struct fuzz_in *in)
{
	uint8_t op = fuzz_u8(in);

	switch (op & 7) {
	case 0:
		produce(fuzz_u8(in) * (op & 0x80 ? 16 : 1));
		break;
	case 1:
		consume(op & 0x40, op & 0x80);
		break;
	case 2:
		room(fuzz_u8(in));
		break;
	case 3:
		bell(in);
		break;
	case 4:
		scribble(in);
		break;
	case 5:
		forge(in);
		break;
	case 6:
		shift_seq(in);
		break;
	default:
		bed.tail = op & 0x80 ? fuzz_u32(in) : bed.tail + (int8_t)fuzz_u8(in);
		bed.touched = true;
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	bed.slots = aligned_alloc(64, N * sizeof(*bed.slots));
	bed.buf = malloc(BH_MSG_MAX);
	FUZZ_CHECK(bed.slots != NULL && bed.buf != NULL);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = {data, size};

	setup(fuzz_u32(&in));
	for (unsigned int i = 0; i < STEPS && in.left > 0; i++)
		step(&in);
	/* A consumer that goes on has an end: at most all slots of one lap are filled. */
	for (unsigned int i = 0; i <= N && naive_peek() > 0; i++) {
		FUZZ_CHECK(i < N);
		consume(true, true);
	}
	return 0;
}
