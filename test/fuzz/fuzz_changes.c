/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libbulkhead against a core that says anything. First byte even: the rest is the body of a reply
 * or event, parsed for the table of the second byte. Odd: a welcome with descriptors waits in the
 * role socket, replies wait in the channel's memory, and the client makes its calls. The
 * core's ends of socket and pipes are closed, so that a call that would wait is told of the end of
 * the connection instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/client/client_priv.h"
#include "test/fuzz/fuzz.h"

#define STATS_SIZE 4096
#define POLLS 64

static volatile uint8_t sum; /* what is handed over is read to its last byte */

static void
read_all(const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		sum += b[i];
}

static void
on_change(void *arg, const struct bh_change *c)
{
	const struct bh_schema *s = bh_schema(c->table);

	(void)arg;
	FUZZ_CHECK(s != NULL && c->op >= BH_OP_PUT && c->op <= BH_OP_RESYNC);
	FUZZ_CHECK((c->key != NULL) == (c->op == BH_OP_PUT || c->op == BH_OP_DELETE));
	FUZZ_CHECK((c->val != NULL) == (c->op == BH_OP_PUT));
	if (c->key != NULL)
		read_all(c->key, s->key_len);
	if (c->val != NULL) {
		FUZZ_CHECK(c->val_len >= s->val_min && c->val_len <= s->val_max);
		read_all(c->val, s->val_max);
	}
}

static void
fuzz_body(struct fuzz_in *in)
{
	uint16_t table = fuzz_u8(in) % (BH_T_MAX + 1);
	uint8_t *body = malloc(in->left > 0 ? in->left : 1);
	int rc;

	FUZZ_CHECK(body != NULL);
	memcpy(body, in->p, in->left);
	rc = bh_changes(table, body, in->left, on_change, NULL);
	FUZZ_CHECK(rc == 0 || rc == -EBADMSG || (rc == -EINVAL && bh_schema(table) == NULL));
	free(body);
}

/* ---- a core that is gone, and what it left ---- */

struct core {
	int sock[2]; /* ours, the client's */
	int chan, stats;
	int ring[2], wake[2];
	uint8_t *map;
	uint32_t pos;	/* of the next reply slot */
	struct bh_welcome w;
};

static int
memory(size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && ftruncate(fd, size) == 0);
	return fd;
}

static void
core_open(struct core *c)
{
	memset(c, 0, sizeof(*c));
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->sock) == 0);
	FUZZ_CHECK(pipe2(c->ring, O_CLOEXEC | O_NONBLOCK) == 0);
	FUZZ_CHECK(pipe2(c->wake, O_CLOEXEC | O_NONBLOCK) == 0);
	c->chan = memory(BH_CHANNEL_SIZE);
	c->stats = memory(STATS_SIZE);
	c->map = mmap(NULL, BH_CHANNEL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, c->chan, 0);
	FUZZ_CHECK(c->map != MAP_FAILED);
	bh_queue_format((struct bh_slot *)(c->map + BH_CHANNEL_REQ_OFF), BH_CHANNEL_REQ_SLOTS);
	bh_queue_format((struct bh_slot *)(c->map + BH_CHANNEL_REP_OFF), BH_CHANNEL_REP_SLOTS);
	c->w = (struct bh_welcome){
		.magic = BH_HELLO_MAGIC, .version = BH_PROTO_VERSION,
		.service = BH_SERVICE_INFOBASE, .generation = 1, .size = BH_CHANNEL_SIZE,
		.req_off = BH_CHANNEL_REQ_OFF, .req_slots = BH_CHANNEL_REQ_SLOTS,
		.rep_off = BH_CHANNEL_REP_OFF, .rep_slots = BH_CHANNEL_REP_SLOTS,
		.stats_size = STATS_SIZE, .zone = "bh.infobase.1",
	};
}

/* Descriptors that the client has are its own. */
static void
core_close(struct core *c)
{
	munmap(c->map, BH_CHANNEL_SIZE);
	close(c->chan);
	close(c->stats);
	close(c->ring[1]);
	close(c->wake[0]);
}

/* Welcome, first reply and descriptors; then nothing more. */
static void
core_welcome(struct core *c, struct fuzz_in *in)
{
	int fds[] = {c->chan, c->ring[1], c->wake[0], c->stats, c->stats, c->stats};
	uint8_t first[BH_FIRST_MAX + 64], n_fds = BH_WELCOME_FDS, flags = fuzz_u8(in);
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	struct bh_msg reply = {.len = sizeof(reply) + fuzz_u8(in), .verb = BH_V_NOP};
	struct iovec iov[2] = {{&c->w, sizeof(c->w)}, {first, reply.len}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.buf};
	struct cmsghdr *cm;

	memset(first, 0, sizeof(first));
	memcpy(first, &reply, sizeof(reply));
	for (unsigned int i = 0; i < (flags & 7); i++) { /* welcome and reply, here and there */
		uint8_t at = fuzz_u8(in);

		if (at < sizeof(c->w))
			((uint8_t *)&c->w)[at] = fuzz_u8(in);
		else
			first[at - sizeof(c->w)] = fuzz_u8(in);
	}
	if (flags & 0x10)
		n_fds = fuzz_u8(in) % 7;
	if (flags & 0x20)
		iov[1].iov_len = fuzz_u16(in) % sizeof(first);
	if (flags & 0x40)
		iov[0].iov_len = fuzz_u8(in) % sizeof(c->w);
	m.msg_controllen = n_fds > 0 ? CMSG_SPACE(n_fds * sizeof(int)) : 0;
	cm = n_fds > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (cm != NULL) {
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n_fds * sizeof(int));
	}
	FUZZ_CHECK(sendmsg(c->sock[0], &m, 0) >= 0);
	close(c->sock[0]);
	close(c->ring[0]);
	close(c->wake[1]);
}

/* A record of the table, or nearly one. */
static size_t
put_record(struct fuzz_in *in, uint16_t table, uint8_t *to)
{
	const struct bh_schema *s = bh_schema(table);
	struct bh_rec rec = {.op = fuzz_u8(in) % 7};

	rec.len = sizeof(rec);
	if (s != NULL && rec.op <= BH_OP_DELETE)
		rec.len += s->key_len + (rec.op == BH_OP_PUT ? s->val_min : 0);
	rec.len += (int8_t)fuzz_u8(in) / 16;
	memcpy(to, &rec, sizeof(rec));
	return (rec.len + 3) & ~3;
}

static void
core_reply(struct core *c, struct fuzz_in *in)
{
	uint8_t body[BH_MSG_MAX] = {0}, kind = fuzz_u8(in);
	struct bh_msg m = {.verb = kind & 1 ? BH_V_EVENT : BH_V_GET, .tag = kind >> 5};
	size_t len = 0;

	m.table = fuzz_u8(in) % (BH_T_MAX + 1);
	m.aux = fuzz_u8(in) - 1;
	m.status = kind & 2 ? 0 : -(int)(fuzz_u8(in) & 1);
	for (unsigned int i = 0; i < (kind >> 2 & 3); i++)
		len += put_record(in, m.table, body + len);
	if (kind & 0x10) {
		len = fuzz_u8(in);
		fuzz_take(in, body, len);
	}
	m.len = sizeof(m) + len;
	for (unsigned int i = 0; i < bh_slots(m.len); i++) {
		struct bh_slot *s = (struct bh_slot *)(c->map + BH_CHANNEL_REP_OFF) +
			(c->pos + i) % BH_CHANNEL_REP_SLOTS;
		size_t from = i * BH_SLOT_DATA, head = i == 0 ? sizeof(m) : 0;

		memcpy(s->data, &m, head);
		memcpy(s->data + head, body + from - (i > 0 ? sizeof(m) : 0), BH_SLOT_DATA - head);
		s->seq = c->pos + i + 1;
	}
	c->pos += bh_slots(m.len);
}

static void
core_scribble(struct core *c, struct fuzz_in *in)
{
	uint32_t at = fuzz_u8(in) & 1 ? fuzz_u16(in) % sizeof(struct bh_channel_shared) :
		BH_CHANNEL_REP_OFF + fuzz_u16(in) % 4096;

	fuzz_take(in, c->map + at, fuzz_u8(in) % 32);
}

static void
on_reply(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)arg;
	FUZZ_CHECK(len == msg->len - sizeof(*msg) && len <= BH_MSG_MAX);
	read_all(body, body != NULL ? len : 0);
}

static void
call(struct bh_handle *h, struct fuzz_in *in)
{
	uint8_t what = fuzz_u8(in);
	uint16_t table = fuzz_u8(in) % (BH_T_MAX + 1);
	static uint8_t key[BH_KEY_MAX];
	uint8_t val[BH_VAL_MAX], out[BH_KEY_MAX];
	size_t len = sizeof(val);
	uint32_t id;
	bool end;

	switch (what % 7) {
	case 0:
		bh_submit(h, BH_V_GET, table, 0, key, 16, on_reply, NULL);
		break;
	case 1:
		bh_poll(h, 0);
		break;
	case 2:
		bh_watch(h, table, on_change, NULL);
		break;
	case 3:
		bh_get(h, table, key, val, &len);
		break;
	case 4:
		bh_lookup(h, table, key, out, val, &len);
		break;
	case 5:
		bh_dump(h, BH_V_DUMP, table, on_change, NULL);
		break;
	default:
		if (what & 0x80)
			bh_next(h, table, key, what & 0x40, 1 + (what >> 3 & 7), on_change, NULL, &end);
		else
			bh_add(h, table, key, val, what >> 3, &id);
		break;
	}
}

static void
fuzz_client(struct fuzz_in *in)
{
	struct bh_open_args args = {.client = "fuzz", .service = BH_SERVICE_INFOBASE};
	struct bh_handle *h;
	struct core c;

	core_open(&c);
	for (unsigned int n = fuzz_u8(in) % 16; n > 0; n--)
		core_reply(&c, in);
	for (unsigned int n = fuzz_u8(in) % 4; n > 0; n--)
		core_scribble(&c, in);
	core_welcome(&c, in);
	core_close(&c);
	args.role_fd = c.sock[1];
	h = bh_open(&args);
	FUZZ_CHECK(h != NULL);
	h->spin = false;
	for (unsigned int n = 0; n < 8 && in->left > 0; n++)
		call(h, in);
	for (unsigned int n = 0; bh_poll(h, 0) > 0; n++)
		FUZZ_CHECK(n < POLLS);
	if (bh_connection(h) != NULL)
		read_all(bh_stats_map(h, NULL), 1);
	bh_close(h);
	close(c.sock[1]);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = {data, size};

	if (fuzz_u8(&in) & 1)
		fuzz_client(&in);
	else
		fuzz_body(&in);
	return 0;
}
