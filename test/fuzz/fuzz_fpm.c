/* SPDX-License-Identifier: BSD-3-Clause */
/* What a peer of FPM sends, in frames or not, to the routing module with its tables: steps of one
 * byte and what they take. */
#include <errno.h>

#include "infobase/schema_check.h"
#include "lib/log/log.h"
#include "modules/routing/routing.h"
#include "test/fuzz/fuzz.h"

#define MAX_REQUESTS 4096

static struct {
	bh_reply_fn cb;
	void *arg;
	uint8_t verb;
	uint16_t table;
} queue[MAX_REQUESTS];
static unsigned int head, tail; /* of the requests that wait for an answer */
static uint32_t ids;
static struct bh_routing r;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	bh_log_init("fuzz", BH_LOG_ERR);
	return 0;
}

/* Every request is one that the schema takes. */
static int
submit(void *ctx, uint8_t verb, uint16_t table, uint32_t aux, const void *body, size_t len,
	bh_reply_fn cb, void *arg)
{
	const struct bh_schema *s = bh_schema(table);
	size_t val = s != NULL && len > s->key_len ? len - s->key_len : 0;

	(void)ctx;
	(void)aux;
	FUZZ_CHECK(s != NULL && s->owner == BH_ROLE_ROUTING);
	if (head - tail == MAX_REQUESTS)
		return -EAGAIN;
	if (verb == BH_V_ADD || verb == BH_V_DELETE)
		FUZZ_CHECK(len >= s->key_len && s->key_ok(body));
	if (verb == BH_V_ADD) {
		FUZZ_CHECK(val >= s->val_min && val <= s->val_max);
		FUZZ_CHECK(s->val_ok == NULL ||
			s->val_ok((const uint8_t *)body + s->key_len, (uint16_t)val));
	}
	queue[head % MAX_REQUESTS].cb = cb;
	queue[head % MAX_REQUESTS].arg = arg;
	queue[head % MAX_REQUESTS].verb = verb;
	queue[head++ % MAX_REQUESTS].table = table;
	return 0;
}

static void
ready(void *ctx)
{
	(void)ctx;
}

static void
answer(unsigned int n, int status)
{
	for (; n > 0 && tail != head; n--) {
		unsigned int i = tail++ % MAX_REQUESTS;
		struct bh_msg msg = {.status = (int16_t)status, .aux = BH_DUMP_END};
		uint32_t id = ++ids;
		bool told = status == 0 && queue[i].table == BH_T_NEXTHOP && queue[i].verb == BH_V_ADD;

		if (queue[i].verb >= BH_V_REPLAY_BEGIN || queue[i].verb == BH_V_RECOVER)
			msg.status = 0;
		queue[i].cb(queue[i].arg, &msg, &id, told ? sizeof(id) : 0);
	}
}

static void
change(uint16_t table, uint8_t op, const void *key, const void *val, size_t len)
{
	struct bh_change c = {.table = table, .op = op, .key = key, .val = val, .val_len = len};

	for (unsigned int i = 0; i < BH_ROUTING_INPUTS; i++)
		if (bh_routing_table(&r, i) == table)
			bh_routing_change(&r.input[i], &c);
}

static void
configure(void)
{
	struct bh_ifname_key name = {"fpm"};
	struct bh_cfg_fpm cfg = {.family = 4, .port = 2620, .settle = 2, .replay_limit = 60};

	memset(cfg.distance, 20, sizeof(cfg.distance));
	change(BH_T_CFG_FPM, BH_OP_PUT, &name, &cfg, sizeof(cfg));
	for (uint32_t k = 1; k < 4; k++) {
		struct bh_ifindex_key key = {k};
		struct bh_interface i = {.name = {'p', (char)('0' + k)}, .oper = BH_OPER_UP,
			.flags = BH_IF_IPV4 | BH_IF_IPV6};
		struct bh_hostif h = {k};

		change(BH_T_INTERFACE, BH_OP_PUT, &key, &i, sizeof(i));
		change(BH_T_HOSTIF, BH_OP_PUT, &key, &h, sizeof(h));
	}
	for (unsigned int i = 0; i < BH_ROUTING_INPUTS; i++) {
		change(bh_routing_table(&r, i), BH_OP_SYNCED, NULL, NULL, 0);
		change(bh_routing_table(&r, i), BH_OP_COMPLETE, NULL, NULL, 0);
	}
}

/* Bytes of the input in a frame that is made right, or as they are. */
static void
take(struct fuzz_in *in, bool framed)
{
	size_t n = fuzz_u16(in) % 1024, len;
	uint8_t *f;

	n = n < in->left ? n : in->left;
	f = malloc(n + BH_FPM_HEAD);
	FUZZ_CHECK(f != NULL);
	fuzz_take(in, f + (framed ? BH_FPM_HEAD : 0), n);
	if (framed) {
		n += BH_FPM_HEAD;
		f[0] = f[1] = 1;
		f[2] = (uint8_t)(n >> 8);
		f[3] = (uint8_t)n;
	}
	for (size_t at = 0; at < n; at += len) {
		int rc = bh_fpm_frame(f + at, n - at);

		FUZZ_CHECK(rc <= (int)(n - at));
		len = rc > 0 ? (size_t)rc : n;
		if (rc <= 0 || bh_fpm_take(&r.fpm, f + at, len) < 0)
			break;
	}
	free(f);
}

static void
interface(struct fuzz_in *in)
{
	struct bh_ifindex_key key = {1 + fuzz_u8(in) % 4};
	struct bh_hostif h = {fuzz_u8(in) % 6};

	change(BH_T_HOSTIF, h.host_ifindex != 0 ? BH_OP_PUT : BH_OP_DELETE, &key, &h, sizeof(h));
}

static void
step(struct fuzz_in *in)
{
	static const uint8_t peer[16] = {127, 0, 0, 1};
	uint8_t op = fuzz_u8(in);

	switch (op & 7) {
	case 0:
	case 1:
	case 2:
		take(in, true);
		break;
	case 3:
		take(in, false);
		break;
	case 4:
		bh_fpm_close(&r.fpm, op & 8 ? "why" : NULL);
		bh_fpm_open(&r.fpm, 4, peer, 1);
		break;
	case 5:
		r.fpm.now += fuzz_u8(in) * 100;
		bh_fpm_sweep(&r.fpm);
		break;
	case 6:
		interface(in);
		break;
	case 7:
		answer(op >> 3, op & 64 ? -ENOSPC : 0);
		break;
	}
	FUZZ_CHECK(bh_routing_commit(&r) == 0);
}

/* Lists and counts agree when all is answered. */
static void
check(void)
{
	const struct bh_fpm_status *s = &r.fpm.status;

	for (int i = 0; i < 64 && (head != tail || r.fpm.changed || !bh_fpm_is_idle(&r.fpm)); i++) {
		FUZZ_CHECK(bh_routing_commit(&r) == 0);
		answer(MAX_REQUESTS, 0);
	}
	FUZZ_CHECK(bh_fpm_is_idle(&r.fpm));
	FUZZ_CHECK(s->routes4 + s->routes6 == r.fpm.entries.n);
	FUZZ_CHECK(s->stale <= r.fpm.entries.n && s->held <= r.fpm.entries.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bh_out_ops ops = {submit, ready};
	struct fuzz_in in = {data, size};

	head = tail = 0;
	bh_routing_init(&r, &ops, NULL);
	configure();
	FUZZ_CHECK(bh_routing_commit(&r) == 0);
	answer(1, 0);
	FUZZ_CHECK(bh_routing_commit(&r) == 0);
	answer(1, 0);
	FUZZ_CHECK(bh_routing_commit(&r) == 0);
	answer(1, 0);
	step(&(struct fuzz_in){(const uint8_t *)"\4", 1});
	while (in.left > 0)
		step(&in);
	check();
	bh_routing_fini(&r);
	return 0;
}
