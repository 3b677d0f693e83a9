/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames over a channel: parts are put together here, and frames cut into parts. A core that sends
 * nonsense ends the connection, like any other that it could send.
 */
#include "lib/client/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client/client_priv.h"

#define BODY_MAX (BH_MSG_MAX - sizeof(struct bh_msg))

struct bh_packets {
	struct bh_handle *h;
	bh_punt_fn fn;
	void *arg;
	uint64_t refused;
	struct bh_punt punt; /* of the frame under way */
	uint16_t whole;
	uint16_t have; /* bytes of it; 0: none is under way */
	uint8_t frame[BH_FRAME_MAX] __attribute__((aligned(8)));
};

static bool
punt_is_valid(const struct bh_punt *p, uint16_t whole)
{
	return p->reason < BH_PUNT_REASONS && whole >= BH_FRAME_MIN && whole <= BH_FRAME_MAX &&
		(p->family == 0 || p->family == 4 || p->family == 6);
}

/* A part of a frame has come. */
static int
take_part(void *arg, const struct bh_msg *msg)
{
	struct bh_packets *p = arg;
	const uint8_t *data = (const uint8_t *)(msg + 1);
	size_t len = msg->len - sizeof(*msg);
	uint16_t offset = bh_part_offset(msg->aux), whole = bh_part_whole(msg->aux);

	if (offset == 0) {
		if (len < sizeof(p->punt))
			return -EBADMSG;
		memcpy(&p->punt, data, sizeof(p->punt));
		data += sizeof(p->punt);
		len -= sizeof(p->punt);
		if (p->have != 0 || !punt_is_valid(&p->punt, whole))
			return -EBADMSG;
		p->whole = whole;
	}
	if (offset != p->have || whole != p->whole || len == 0 || len > (size_t)(whole - offset))
		return -EBADMSG;
	memcpy(p->frame + offset, data, len);
	p->have += len;
	if (p->have < whole)
		return 0;
	p->have = 0;
	p->fn(p->arg, &p->punt, p->frame, whole);
	return 0;
}

struct bh_packets *
bh_packets_open(const struct bh_open_args *args, bh_punt_fn fn, void *arg)
{
	struct bh_open_args a = *args;
	struct bh_packets *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return NULL;
	p->fn = fn;
	p->arg = arg;
	a.service = BH_SERVICE_PACKET;
	p->h = bh_open(&a);
	if (p->h == NULL) {
		free(p);
		return NULL;
	}
	p->h->frame = take_part;
	p->h->frame_arg = p;
	rc = bh_call(p->h, BH_V_PACKET_BEGIN, 0, NULL, NULL, 0, NULL, NULL);
	if (rc < 0) {
		bh_packets_close(p);
		errno = -rc;
		return NULL;
	}
	p->h->once = true;
	return p;
}

void
bh_packets_close(struct bh_packets *p)
{
	if (p == NULL)
		return;
	bh_close(p->h);
	free(p);
}

int
bh_packets_poll(struct bh_packets *p, int wait_ms)
{
	int rc;

	if (bh_connection(p->h) == NULL)
		return -ECONNRESET;
	rc = bh_poll(p->h, wait_ms);
	return rc == 0 && bh_connection(p->h) == NULL ? -ECONNRESET : rc;
}

int
bh_packets_fd(const struct bh_packets *p)
{
	return bh_fd(p->h);
}

bool
bh_packets_prepare_wait(struct bh_packets *p)
{
	return bh_connection(p->h) != NULL && bh_prepare_wait(p->h);
}

static void
answered(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct bh_packets *p = arg;

	(void)body;
	(void)len;
	p->refused += msg->status != 0;
}

/* Is there room for all parts of a frame of len bytes? */
static bool
has_room(struct bh_handle *h, size_t len)
{
	size_t bytes = sizeof(struct bh_inject_to) + len;
	unsigned int parts = (bytes + BODY_MAX - 1) / BODY_MAX;
	unsigned int slots = bh_slots(bytes + parts * sizeof(struct bh_msg)) + parts;

	if (h->n_calls + parts <= BH_CALLS_MAX && bh_producer_room(&h->req, slots) >= (int)slots)
		return true;
	bh_flush(h);
	h->want_slots = slots > BH_MSG_SLOTS ? slots : BH_MSG_SLOTS;
	return false;
}

static int
inject_part(struct bh_packets *p, const struct bh_inject_to *to, const uint8_t *frame, size_t len,
	size_t *offset)
{
	size_t head = *offset == 0 ? sizeof(*to) : 0, n = len - *offset;
	uint8_t body[BODY_MAX];
	int rc;

	if (n > sizeof(body) - head)
		n = sizeof(body) - head;
	memcpy(body, to, head);
	memcpy(body + head, frame + *offset, n);
	rc = bh_submit(p->h, BH_V_INJECT, 0, bh_part(*offset, len), body, head + n, answered, p);
	if (rc == 0)
		*offset += n;
	return rc;
}

int
bh_packets_inject(struct bh_packets *p, enum bh_inject how, uint32_t ifindex, const void *frame,
	size_t len)
{
	const struct bh_inject_to to = {.ifindex = ifindex, .how = how};
	size_t offset = 0;
	int rc = 0;

	if (len < BH_FRAME_MIN || len > BH_FRAME_MAX)
		return -EMSGSIZE;
	if ((unsigned int)how >= BH_INJECT_MODES)
		return -EINVAL;
	if (bh_connection(p->h) == NULL)
		return -ECONNRESET;
	if (!has_room(p->h, len))
		return -EAGAIN;
	while (rc == 0 && offset < len)
		rc = inject_part(p, &to, frame, len, &offset);
	return rc;
}

unsigned int
bh_packets_pending(const struct bh_packets *p)
{
	return bh_pending(p->h);
}

uint64_t
bh_packets_refused(const struct bh_packets *p)
{
	return p->refused;
}
