/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests and replies. Before each request the connection is checked: none, or one
 * that ended without anything under way, means first contact (contact.c); else it goes
 * straight into the channel. A connection that ended with requests or watches under way is
 * told once, by bh_poll(); until then nothing new is taken, so that no caller goes on with a
 * replay whose beginning was lost.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "lib/client/client_priv.h"
#include "lib/life/life.h"

#define SPIN_NS 20000
#define SPIN_MANY_NS 200000 /* with requests pipelined: their work takes longer than a wake-up */
#define TAKE_MAX 1024 /* messages of one bh_poll() */
#define WAKE_MS 1000  /* a wait may last longer by so much, on a machine with much to do */
#define GATHER 32     /* replies that are worth a flush */
#define GATHER_PAUSES 8
#define EOF_LOOKS 1024 /* empty looks of who never waits, for one look at the pipe's end */

/* ---- requests under way ---- */

static struct bh_call_slot *
call_new(struct bh_handle *h, const struct bh_msg *msg, bh_reply_fn cb, void *arg)
{
	for (unsigned int i = 0; i < BH_CALLS_MAX; i++) {
		uint32_t tag = h->count++;
		struct bh_call_slot *c = &h->calls[tag % BH_CALLS_MAX];

		if (c->state != BH_CALL_FREE)
			continue;
		*c = (struct bh_call_slot){cb, arg, tag, msg->table, msg->verb, BH_CALL_USED};
		h->n_calls++;
		return c;
	}
	return NULL;
}

static void
call_free(struct bh_handle *h, struct bh_call_slot *c)
{
	c->state = BH_CALL_FREE;
	h->n_calls--;
}

static struct bh_call_slot *
call_find(struct bh_handle *h, uint32_t tag)
{
	struct bh_call_slot *c = &h->calls[tag % BH_CALLS_MAX];

	return c->state != BH_CALL_FREE && c->tag == tag ? c : NULL;
}

static void
answer(struct bh_handle *h, struct bh_call_slot *c, const struct bh_msg *msg, const void *body)
{
	bh_reply_fn cb = c->cb;
	void *arg = c->arg;

	call_free(h, c);
	if (cb != NULL)
		cb(arg, msg, body, msg->len - sizeof(*msg));
}

/* ---- submitting ---- */

static void
ring_core(struct bh_handle *h, uint32_t reasons)
{
	if (bh_ring_due(&h->ringer, reasons))
		bh_ring_nosignal(h->ring_fd); /* a closed end is seen by who waits */
}

int
bh_flush(struct bh_handle *h)
{
	if (h->map == NULL || h->unflushed == 0)
		return 0;
	h->unflushed = 0;
	bh_fence_flush();
	ring_core(h, BH_SLEEP_WORK | (h->unfenced ? BH_SLEEP_SPACE : 0));
	h->unfenced = false;
	return 0;
}

static inline int
put(struct bh_handle *h, const struct bh_msg *msg, const void *body)
{
	int rc = bh_producer_put(&h->req, msg, body);

	if (rc == -EAGAIN) {
		bh_flush(h);
		h->want_slots = BH_MSG_SLOTS;
	}
	if (rc < 0)
		return rc;
	h->unflushed += bh_slots(msg->len);
	if (h->unflushed >= h->w.req_slots / 2)
		bh_flush(h);
	return 0;
}

/* The first request. What cannot go with a first contact is preceded by a NOP; what the
 * service did not take, or could not answer there, is repeated through the channel. */
static int
put_first(struct bh_handle *h, const struct bh_msg *msg, const void *body)
{
	struct bh_msg nop = {.len = sizeof(nop), .verb = BH_V_NOP, .tag = msg->tag};
	const struct bh_msg *reply = (const struct bh_msg *)h->first;
	int rc;

	if (msg->len > BH_FIRST_MAX)
		rc = bh_contact(h, &nop, NULL);
	else
		rc = bh_contact(h, msg, body);
	if (rc < 0)
		return rc;
	if (msg->len <= BH_FIRST_MAX && reply->status != -EAGAIN && reply->status != -EMSGSIZE)
		return 0;
	h->has_first = false;
	return put(h, msg, body);
}

/* The connection has ended: -ECONNRESET if that is still to be told, else 0. */
static int
lose(struct bh_handle *h)
{
	bh_disconnect(h);
	h->lost = h->n_calls > 0 || h->watches != NULL;
	return h->lost ? -ECONNRESET : 0;
}

static bool
closed(const struct bh_handle *h)
{
	return __atomic_load_n(&h->sh->closed, __ATOMIC_ACQUIRE) != 0;
}

static inline int
submit(struct bh_handle *h, struct bh_msg *msg, const void *body, bh_reply_fn cb, void *arg)
{
	struct bh_call_slot *c;
	int rc;

	if (h->lost || (h->map != NULL && closed(h) && lose(h) < 0) || (h->once && h->map == NULL))
		return -ECONNRESET;
	c = call_new(h, msg, cb, arg);
	if (c == NULL) {
		bh_flush(h);
		return -EAGAIN;
	}
	msg->tag = c->tag;
	rc = h->map != NULL ? put(h, msg, body) : put_first(h, msg, body);
	if (rc < 0)
		call_free(h, c);
	if (rc == -EBADMSG)
		rc = lose(h) < 0 ? -ECONNRESET : -EBADMSG;
	return rc;
}

int
bh_submit_tag(struct bh_handle *h, struct bh_msg *msg, const void *body, bh_reply_fn cb, void *arg)
{
	return submit(h, msg, body, cb, arg);
}

int
bh_submit(struct bh_handle *h, uint8_t verb, uint16_t table, uint32_t aux, const void *body,
	size_t len, bh_reply_fn cb, void *arg)
{
	struct bh_msg msg = {.verb = verb, .table = table, .aux = aux};

	if (len > BH_MSG_MAX - sizeof(msg))
		return -EMSGSIZE;
	if (verb == BH_V_EVENT || verb == BH_V_PUNT)
		return -EINVAL; /* its answer could not be told from an event */
	msg.len = sizeof(msg) + len;
	return submit(h, &msg, body, cb, arg);
}

/* ---- what comes ---- */

int
bh_lost_tell(struct bh_handle *h)
{
	struct bh_msg msg = {.len = sizeof(msg), .status = -ECONNRESET};

	h->lost = false;
	/* Callbacks may submit anew: only what is under way now is dead. */
	for (unsigned int i = 0; i < BH_CALLS_MAX; i++)
		if (h->calls[i].state == BH_CALL_USED)
			h->calls[i].state = BH_CALL_DEAD;
	bh_watches_end(h);
	for (unsigned int i = 0; i < BH_CALLS_MAX; i++) {
		struct bh_call_slot *c = &h->calls[i];

		if (c->state != BH_CALL_DEAD)
			continue;
		msg.verb = c->verb;
		msg.table = c->table;
		msg.tag = c->tag;
		answer(h, c, &msg, NULL);
	}
	return -ECONNRESET;
}

/* 0, or -EBADMSG when an event makes no sense. */
static inline int
deliver(struct bh_handle *h, const struct bh_msg *msg)
{
	struct bh_call_slot *c;

	if (msg->verb == BH_V_EVENT)
		return bh_watch_event(h, msg, msg + 1);
	if (msg->verb == BH_V_PUNT)
		return h->frame != NULL ? h->frame(h->frame_arg, msg) : -EBADMSG;
	c = call_find(h, msg->tag);
	if (c != NULL)
		answer(h, c, msg, msg + 1);
	return 0;
}

/* The first contact's reply, kept until now. */
static int
deliver_first(struct bh_handle *h)
{
	uint8_t buf[BH_FIRST_MAX] __attribute__((aligned(8)));

	h->has_first = false;
	memcpy(buf, h->first, ((const struct bh_msg *)h->first)->len);
	return deliver(h, (const struct bh_msg *)buf);
}

static void
ring_for_space(struct bh_handle *h)
{
	bh_fence_flush();
	h->unfenced = false;
	ring_core(h, BH_SLEEP_SPACE);
}

/* Tells the core how far we are; rings if it is seen to wait for that. What makes sure of it is
 * the next fence: of a flush, of a wait, of a look that finds nothing. */
static void
release(struct bh_handle *h)
{
	if (h->map == NULL || h->rep.released == h->rep.pos)
		return;
	bh_consumer_release(&h->rep);
	h->unfenced = true;
	if (__atomic_load_n(h->ringer.word, __ATOMIC_RELAXED) & BH_SLEEP_SPACE)
		ring_for_space(h);
}

/* The same once it is worth the line that moves, or the core waits for it; the rest is released
 * before the process sleeps. */
static inline void
release_some(struct bh_handle *h)
{
	if (h->map == NULL || h->rep.pos == h->rep.released)
		return;
	if (h->rep.pos - h->rep.released >= h->w.rep_slots / 8 ||
		(__atomic_load_n(h->ringer.word, __ATOMIC_RELAXED) & BH_SLEEP_SPACE))
		release(h);
}

/* One message. 1, 0: none, -EBADMSG. The connection may be another afterwards. */
static inline int
take_one(struct bh_handle *h)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
	int n;

	if (h->map == NULL)
		return 0;
	if (h->has_first)
		return deliver_first(h) < 0 ? -EBADMSG : 1;
	n = bh_consumer_peek(&h->rep, buf);
	if (n <= 0)
		return n;
	bh_consumer_skip(&h->rep, n);
	bh_life_beat(); /* of a thousand, each is a sign of life */
	return deliver(h, (const struct bh_msg *)buf) < 0 ? -EBADMSG : 1;
}

/* Whether to look a moment longer: where requests are pipelined, few replies at a time would mean
 * that both sides mostly wait for fences. */
static bool
gather(const struct bh_handle *h, int n, unsigned int *left)
{
	if (n == 0 || n >= GATHER || *left == 0 || !h->spin || h->n_calls < GATHER)
		return false;
	--*left;
	__builtin_ia32_pause();
	return true;
}

/* Whether anything may come. A look at a slot that is not written yet fetches its line from the
 * core, and the next request's stores would wait behind that load. */
static inline bool
expects(const struct bh_handle *h)
{
	return h->n_calls > 0 || h->watches != NULL;
}

/* All that is there. How many, or -ECONNRESET. */
static int
take_all(struct bh_handle *h)
{
	unsigned int left = GATHER_PAUSES;
	int n = 0, rc;

	if (h->map != NULL)
		bh_consumer_batch_begin(&h->rep);
	do {
		rc = take_one(h);
		if (rc > 0)
			bh_consumer_batch_next(&h->rep, n++);
		release_some(h);
	} while ((rc > 0 && n < TAKE_MAX && expects(h)) || (rc == 0 && gather(h, n, &left)));
	bh_consumer_batch_end(&h->rep, n);
	release_some(h);
	if (h->map != NULL && (rc < 0 || (n == 0 && closed(h))))
		lose(h);
	else if (rc == 0 || !h->lost)
		return n;
	return bh_lost_tell(h);
}

/* ---- waiting ---- */

/* A whole message, or nonsense that ends the connection, is there. Of one whose later slots are
 * missing neither is true: a core that leaves it so would keep us awake for ever. */
static bool
arrived(const struct bh_handle *h)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));

	return bh_consumer_peek(&h->rep, buf) != 0;
}

/* A submit that found no room would find some now. */
static bool
space_came(struct bh_handle *h)
{
	if (h->want_slots == 0 ||
		bh_producer_room(&h->req, h->want_slots) < (int)h->want_slots)
		return false;
	h->want_slots = 0;
	return true;
}

static bool
something(struct bh_handle *h)
{
	return h->has_first || arrived(h) || closed(h) || space_came(h);
}

bool
bh_prepare_wait(struct bh_handle *h)
{
	if (h->map == NULL)
		return !h->lost;
	bh_flush(h);
	if (h->rep.pos != h->rep.released)
		bh_consumer_release(&h->rep);
	bh_sleep_announce(&h->sleeper, BH_SLEEP_WORK | (h->want_slots > 0 ? BH_SLEEP_SPACE : 0));
	h->announced = true;
	h->unfenced = false;
	ring_core(h, BH_SLEEP_SPACE);
	if (!something(h))
		return true;
	bh_sleep_end(&h->sleeper);
	return false;
}

/* Empties the pipe. -ECONNRESET: the core has closed its end and nothing is left to take. */
static int
drain(struct bh_handle *h)
{
	if (bh_ring_drain(h->wake_fd) != -EPIPE || arrived(h))
		return 0;
	lose(h);
	return bh_lost_tell(h);
}

/* Ends an announced sleep. 0 or -ECONNRESET. */
static int
awake(struct bh_handle *h)
{
	if (h->map == NULL || !h->announced)
		return 0;
	h->announced = false;
	bh_sleep_end(&h->sleeper);
	return drain(h);
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* Looks for a short while. True when something came. */
static bool
spin(struct bh_handle *h)
{
	uint64_t end;

	if (!h->spin)
		return false;
	end = now_ns() + (h->n_calls < GATHER ? SPIN_NS : SPIN_MANY_NS);
	do {
		for (int i = 0; i < 32; i++) {
			if (bh_consumer_ready(&h->rep))
				return true;
			__builtin_ia32_pause();
		}
	} while (now_ns() < end);
	return false;
}

/* Blocks until the core rings, or timeout. 1: look again, 0: time is over, -ECONNRESET. */
static int
block(struct bh_handle *h, int timeout)
{
	struct pollfd p = {.fd = h->wake_fd, .events = POLLIN};
	int n = 1;

	if (bh_prepare_wait(h)) {
		bh_life_busy(timeout < 0 ? BH_LIFE_BUSY_MS : timeout + WAKE_MS);
		n = poll(&p, 1, timeout);
		bh_life_beat();
	}
	return awake(h) < 0 ? -ECONNRESET : n != 0;
}

/* ms until end (ns), rounded up; -1 for no end. */
static int
left_ms(uint64_t end)
{
	uint64_t now = now_ns();

	if (end == 0)
		return -1;
	return now >= end ? 0 : (end - now + 999999) / 1000000;
}

/* A look found nothing, and its caller does not wait: it must miss neither that the core waits
 * for space nor that it is gone without a word. */
static int
idle(struct bh_handle *h)
{
	if (h->unfenced)
		ring_for_space(h);
	return ++h->looks % EOF_LOOKS == 0 ? drain(h) : 0;
}

int
bh_poll(struct bh_handle *h, int wait_ms)
{
	uint64_t end = wait_ms > 0 ? now_ns() + wait_ms * UINT64_C(1000000) : 0;
	bool seen = false;
	int rc;

	if (h->lost)
		return bh_lost_tell(h);
	if (awake(h) < 0)
		return -ECONNRESET;
	for (;;) {
		rc = take_all(h);
		/* After it, as the fence then finds the requests' lines moved already. */
		bh_flush(h);
		if (rc != 0 || h->map == NULL || space_came(h))
			return rc;
		if (wait_ms == 0)
			return idle(h);
		/* Seen twice and not taken: part of a message, which may never be whole. */
		seen = !seen && spin(h);
		if (seen)
			continue;
		rc = block(h, left_ms(end));
		if (rc <= 0)
			return rc;
	}
}
