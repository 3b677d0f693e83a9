/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol stack of v6stack, whole: frames of every reason, changes of its tables, answers and
 * refusals of the info base, and time. What must hold: memory stays within the limits; what is
 * sent has a length and an interface; what goes to the info base is well formed.
 *
 * Input: steps, each one byte of kind and what it takes; see step().
 */
#include <arpa/inet.h>
#include <errno.h>

#include "lib/log/log.h"
#include "modules/v6stack/stack.h"
#include "test/fuzz/fuzz.h"

#define FRAME_MAX 3000
#define STEPS_MAX 256
#define REQS_MAX 64

struct req {
	bh_reply_fn cb;
	void *arg;
	uint8_t verb;
	uint16_t table;
};

static struct bh_stack stack;
static struct req reqs[REQS_MAX];
static unsigned int n_reqs, n_neighs;
static uint64_t now;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	bh_log_init("fuzz", BH_LOG_ERR);
	return 0;
}

static int
submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	const struct bh_schema *s = bh_schema(table);

	(void)ctx;
	(void)aux;
	if (n_reqs == REQS_MAX)
		return -EAGAIN;
	if (verb == BH_V_ADD) {
		FUZZ_CHECK(len == s->key_len + (size_t)s->val_max);
		FUZZ_CHECK(s->key_ok(body));
		FUZZ_CHECK(s->val_ok == NULL ||
			s->val_ok((const uint8_t *)body + s->key_len, s->val_max));
		n_neighs += table == BH_T_NEIGHBOR;
	}
	reqs[n_reqs++] = (struct req){cb, arg, verb, table};
	return 0;
}

static void
ready(void *ctx)
{
	(void)ctx;
}

static int
inject(void *ctx, enum bh_inject how, uint32_t ifindex, const void *frame, size_t len)
{
	uint8_t sum = 0;

	(void)ctx;
	FUZZ_CHECK(how < BH_INJECT_MODES);
	FUZZ_CHECK(len >= BH_FRAME_MIN && len <= BH_FRAME_MAX);
	FUZZ_CHECK(how != BH_INJECT_RESOLVED || ifindex == 1 || ifindex == 2);
	for (size_t i = 0; i < len; i++) /* all of it is there */
		sum ^= ((const uint8_t *)frame)[i];
	__asm__ volatile("" : : "r"(sum));
	return 0;
}

static void
to_host(void *ctx, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	(void)ctx;
	(void)frame;
	FUZZ_CHECK(ifindex != 0 && len >= BH_FRAME_MIN);
}

static const struct bh_stack_ops ops = {
	.out = {submit, ready}, .inject = inject, .to_host = to_host};

static void
change(uint16_t table, uint8_t op, const void *key, const void *val)
{
	struct bh_change c = {.table = table, .op = op, .key = key, .val = val};

	for (unsigned int i = 0; i < BH_STACK_INPUTS; i++)
		if (bh_stack_table(i) == table)
			bh_stack_change(&stack.watch[i], &c);
}

static void
link_is(uint32_t ifindex, uint8_t how)
{
	struct bh_interface rec = {.oper = how & 1 ? BH_OPER_UP : BH_OPER_DOWN, .flags = how >> 1,
		.mac = {2, 0, 0, 0, 0, ifindex}, .mtu = 1500, .mtu4 = 1500, .mtu6 = 1500};
	struct bh_ifindex_key key = {ifindex};

	rec.name[0] = 'p';
	rec.name[1] = '0' + ifindex;
	change(BH_T_INTERFACE, how & 0x80 ? BH_OP_DELETE : BH_OP_PUT, &key, &rec);
}

static void
address_is(uint8_t which, bool there)
{
	struct bh_cfg_address_key key = {.name = {'p', '1' + (which & 1)}};
	struct bh_cfg_address val = {.plen = which & 2 ? 64 : 24};
	static const uint8_t a4[4] = {10, 0, 0, 1};
	static const uint8_t a6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

	key.family = which & 2 ? 6 : 4;
	memcpy(key.addr, which & 2 ? a6 : a4, which & 2 ? 16 : 4);
	key.addr[which & 2 ? 7 : 2] = which & 1;
	key.addr[which & 2 ? 15 : 3] += which >> 4;
	change(BH_T_CFG_ADDRESS, there ? BH_OP_PUT : BH_OP_DELETE, &key, &val);
}

static void
start(void)
{
	now = 1000;
	n_reqs = 0;
	bh_stack_init(&stack, &ops, NULL, now, 1);
	link_is(1, 0x3f);
	link_is(2, 0x3f);
	for (uint8_t which = 0; which < 4; which++)
		address_is(which, true);
	for (unsigned int i = 0; i < BH_STACK_INPUTS; i++) {
		change(bh_stack_table(i), BH_OP_SYNCED, NULL, NULL);
		change(bh_stack_table(i), BH_OP_COMPLETE, NULL, NULL);
	}
}

static void
commit(void)
{
	FUZZ_CHECK(bh_stack_commit(&stack, now) == 0);
	FUZZ_CHECK(stack.n_held <= BH_HOLD_ALL);
	FUZZ_CHECK(stack.neighs.n <= BH_NEIGH_ALL);
	FUZZ_CHECK(stack.by_index[1] == NULL ||
		stack.by_index[1]->n_incomplete <= BH_NEIGH_INCOMPLETE);
}

static void
answer(int status)
{
	struct req mine[REQS_MAX];
	unsigned int n = n_reqs;

	memcpy(mine, reqs, sizeof(mine));
	n_reqs = 0;
	for (unsigned int i = 0; i < n; i++) {
		bool mark = mine[i].verb == BH_V_REPLAY_BEGIN || mine[i].verb == BH_V_REPLAY_END;
		struct bh_msg msg = {.status = mark ? 0 : status};

		mine[i].cb(mine[i].arg, &msg, NULL, 0);
	}
}

/* One's complement sum of a message in a frame, so that mutation gets behind the check. */
static void
mend_checksum(uint8_t *frame, size_t len)
{
	size_t at = len > 66 && frame[20] == 0 ? 62 : 54;
	uint8_t be[4] = {0, 0, 0, 58};
	uint32_t sum;
	size_t n;

	if (len < at + 4 || frame[12] != 0x86 || frame[13] != 0xdd)
		return;
	n = len - at;
	frame[18] = (len - 54) >> 8;
	frame[19] = (uint8_t)(len - 54);
	frame[at + 2] = frame[at + 3] = 0;
	sum = bh_sum16(bh_sum16(0, frame + 22, 32), be, 4) + (uint32_t)n;
	sum = bh_sum16(sum, frame + at, n) ^ 0xffff;
	frame[at + 2] = (uint8_t)(sum >> 8);
	frame[at + 3] = (uint8_t)sum;
}

/* reason, ifindex, flags (1: the checksum is made right), length, bytes; RESOLVE: also the hop. */
static void
punt(struct fuzz_in *in)
{
	struct bh_punt p = {.reason = fuzz_u8(in), .ifindex = fuzz_u8(in)};
	uint8_t flags = fuzz_u8(in), *frame;
	size_t len = fuzz_u16(in) % FRAME_MAX;

	p.flags = flags & 2 ? BH_PUNT_OWN : 0;
	p.mtu = 1400;
	if (p.reason == BH_PUNT_RESOLVE) {
		p.out_ifindex = fuzz_u8(in);
		p.family = fuzz_u8(in);
		fuzz_take(in, p.hop, sizeof(p.hop));
	}
	if (len > in->left)
		len = in->left;
	frame = malloc(len + 1); /* of this size, so that a byte too far is seen */
	FUZZ_CHECK(frame != NULL);
	fuzz_take(in, frame, len);
	if (flags & 1)
		mend_checksum(frame, len);
	bh_stack_punt(&stack, &p, frame, len);
	free(frame);
}

static void
advertise(struct fuzz_in *in)
{
	struct bh_cfg_ra ra = {.flags = fuzz_u8(in) & 7, .max_interval = 4 + fuzz_u8(in),
		.min_interval = 3, .mtu = fuzz_u16(in)};
	struct bh_cfg_ra_prefix_key key = {.name = "p1", .addr = {0x20, 1, fuzz_u8(in)}, .plen = 64};
	struct bh_cfg_ra_prefix val = {.valid = 9, .preferred = 9, .flags = fuzz_u8(in) & 7};
	struct bh_ifname_key name = {"p1"};

	change(BH_T_CFG_RA, ra.flags & 1 ? BH_OP_PUT : BH_OP_DELETE, &name, &ra);
	change(BH_T_CFG_RA_PREFIX, val.flags & 1 ? BH_OP_PUT : BH_OP_DELETE, &key, &val);
}

static void
neighbor_is(struct fuzz_in *in)
{
	struct bh_cfg_neighbor_key key = {.name = "p1", .family = 4, .addr = {10, 0, 0}};
	struct bh_cfg_neighbor val = {.mac = {2, 1, 1, 1, 1, 1}};

	key.addr[3] = fuzz_u8(in);
	change(BH_T_CFG_NEIGHBOR, fuzz_u8(in) & 1 ? BH_OP_PUT : BH_OP_DELETE, &key, &val);
}

static void
step(struct fuzz_in *in)
{
	uint32_t which;

	switch (fuzz_u8(in) % 8) {
	case 0:
	case 1:
		punt(in);
		break;
	case 2:
		now += fuzz_u16(in);
		break;
	case 3:
		which = 1 + fuzz_u8(in) % 2;
		link_is(which, fuzz_u8(in));
		break;
	case 4:
		which = fuzz_u8(in);
		address_is((uint8_t)which, fuzz_u8(in) & 1);
		break;
	case 5:
		answer(fuzz_u8(in) & 1 ? -ENOSPC : 0);
		break;
	case 6:
		advertise(in);
		break;
	default:
		neighbor_is(in);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = {data, size};

	start();
	for (int i = 0; in.left > 0 && i < STEPS_MAX; i++) {
		commit();
		step(&in);
	}
	commit();
	answer(0);
	now += 100000;
	commit();
	bh_stack_fini(&stack);
	return 0;
}
