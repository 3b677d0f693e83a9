/* SPDX-License-Identifier: BSD-3-Clause */
/* The info base as a client sees it: records, dumps, watches. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client/client_priv.h"

/* ---- records ---- */

/* Bytes to the next record, or -EBADMSG. Reads the header to rec. */
static int
record_check(const struct bh_schema *sc, const uint8_t *at, size_t left, struct bh_rec *rec)
{
	size_t key_end = sizeof(*rec) + sc->key_len;

	if (left < sizeof(*rec))
		return -EBADMSG;
	memcpy(rec, at, sizeof(*rec));
	if (rec->len > left)
		return -EBADMSG;
	switch (rec->op) {
	case BH_OP_PUT:
		if (rec->len < key_end + sc->val_min || rec->len > key_end + sc->val_max)
			return -EBADMSG;
		break;
	case BH_OP_DELETE:
		if (rec->len != key_end)
			return -EBADMSG;
		break;
	case BH_OP_SYNCED:
	case BH_OP_COMPLETE:
	case BH_OP_RESYNC:
		if (rec->len != sizeof(*rec))
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	return (rec->len + 3) & ~3;
}

static void
record_give(uint16_t table, const struct bh_schema *sc, const uint8_t *at, const struct bh_rec *rec,
	bh_change_fn fn, void *arg)
{
	uint8_t key[BH_KEY_MAX] __attribute__((aligned(8)));
	uint8_t val[BH_VAL_MAX] __attribute__((aligned(8)));
	struct bh_change c = {
		.table = table,
		.op = rec->op,
		.flags = rec->flags,
		.gen = rec->gen,
		.epoch = rec->epoch,
	};

	if (rec->op == BH_OP_PUT || rec->op == BH_OP_DELETE) {
		memcpy(key, at + sizeof(*rec), sc->key_len);
		c.key = key;
	}
	if (rec->op == BH_OP_PUT) {
		c.val_len = rec->len - sizeof(*rec) - sc->key_len;
		memcpy(val, at + sizeof(*rec) + sc->key_len, c.val_len);
		memset(val + c.val_len, 0, sc->val_max - c.val_len);
		c.val = val;
	}
	fn(arg, &c);
}

int
bh_changes(uint16_t table, const void *body, size_t len, bh_change_fn fn, void *arg)
{
	const struct bh_schema *sc = bh_schema(table);
	struct bh_rec rec;
	int n;

	if (sc == NULL || sc->key_len > BH_KEY_MAX || sc->val_max > BH_VAL_MAX)
		return -EINVAL;
	for (size_t at = 0; at < len; at += n) {
		n = record_check(sc, (const uint8_t *)body + at, len - at, &rec);
		if (n < 0)
			return n;
	}
	for (size_t at = 0; at < len; at += n) {
		n = record_check(sc, (const uint8_t *)body + at, len - at, &rec);
		record_give(table, sc, (const uint8_t *)body + at, &rec, fn, arg);
	}
	return 0;
}

/* ---- one record ---- */

int
bh_add(struct bh_handle *h, uint16_t table, const void *key, const void *val, size_t val_len,
	uint32_t *id)
{
	uint8_t req[BH_KEY_MAX + BH_VAL_MAX], rep[64] __attribute__((aligned(8)));
	const struct bh_schema *sc = bh_schema(table);
	size_t rep_len = sizeof(rep);
	int rc;

	if (sc == NULL || val_len > BH_VAL_MAX)
		return -EINVAL;
	memcpy(req, key, sc->key_len);
	memcpy(req + sc->key_len, val, val_len);
	rc = bh_call(h, BH_V_ADD, table, NULL, req, sc->key_len + val_len, rep, &rep_len);
	if (rc == 0 && id != NULL) {
		if (rep_len < sizeof(*id))
			return -EBADMSG;
		memcpy(id, rep, sizeof(*id));
	}
	return rc;
}

int
bh_delete(struct bh_handle *h, uint16_t table, const void *key)
{
	const struct bh_schema *sc = bh_schema(table);

	if (sc == NULL)
		return -EINVAL;
	return bh_call(h, BH_V_DELETE, table, NULL, key, sc->key_len, NULL, NULL);
}

struct one_record {
	size_t key_len;
	void *key, *val; /* where to; may be NULL */
	size_t room, len;
	unsigned int n;
};

static void
take_record(void *arg, const struct bh_change *c)
{
	struct one_record *one = arg;

	if (c->op != BH_OP_PUT)
		return;
	one->n++;
	one->len = c->val_len;
	if (one->key != NULL)
		memcpy(one->key, c->key, one->key_len);
	if (one->val != NULL)
		memcpy(one->val, c->val, c->val_len < one->room ? c->val_len : one->room);
}

static int
fetch(struct bh_handle *h, uint8_t verb, uint16_t table, const void *key, void *key_out, void *val,
	size_t *val_len)
{
	uint8_t rep[BH_MSG_MAX] __attribute__((aligned(8)));
	const struct bh_schema *sc = bh_schema(table);
	struct one_record one = {.key = key_out, .val = val};
	size_t len = sizeof(rep);
	int rc;

	if (sc == NULL)
		return -EINVAL;
	one.key_len = sc->key_len;
	one.room = val_len != NULL ? *val_len : 0;
	rc = bh_call(h, verb, table, NULL, key, sc->key_len, rep, &len);
	if (rc == 0)
		rc = bh_changes(table, rep, len, take_record, &one);
	if (rc < 0)
		return rc;
	if (one.n != 1)
		return -EBADMSG;
	if (val_len != NULL)
		*val_len = one.len;
	return val != NULL && one.len > one.room ? -EMSGSIZE : 0;
}

int
bh_get(struct bh_handle *h, uint16_t table, const void *key, void *val, size_t *val_len)
{
	return fetch(h, BH_V_GET, table, key, NULL, val, val_len);
}

int
bh_lookup(struct bh_handle *h, uint16_t table, const void *key, void *key_out, void *val,
	size_t *val_len)
{
	return fetch(h, BH_V_LOOKUP, table, key, key_out, val, val_len);
}

int
bh_replay_begin(struct bh_handle *h, uint16_t table, uint32_t *epoch)
{
	uint32_t aux = 0;
	int rc = bh_call(h, BH_V_REPLAY_BEGIN, table, &aux, NULL, 0, NULL, NULL);

	if (rc == 0 && epoch != NULL)
		*epoch = aux;
	return rc;
}

int
bh_replay_end(struct bh_handle *h, uint16_t table)
{
	return bh_call(h, BH_V_REPLAY_END, table, NULL, NULL, 0, NULL, NULL);
}

/* ---- all records ---- */

int
bh_dump(struct bh_handle *h, uint8_t verb, uint16_t table, bh_change_fn fn, void *arg)
{
	uint8_t rep[BH_MSG_MAX] __attribute__((aligned(8)));
	uint32_t cursor = 0, next;

	do {
		size_t len = sizeof(rep);
		int rc;

		next = cursor;
		rc = bh_call(h, verb, table, &next, NULL, 0, rep, &len);
		if (rc == 0)
			rc = bh_changes(table, rep, len, fn, arg);
		if (rc < 0)
			return rc;
		if (next == cursor)
			return -EBADMSG; /* it would never end */
		cursor = next;
	} while (cursor != BH_DUMP_END);
	return 0;
}

int
bh_next(struct bh_handle *h, uint16_t table, const void *key, bool self, uint16_t max,
	bh_change_fn fn, void *arg, bool *end)
{
	uint8_t rep[BH_MSG_MAX] __attribute__((aligned(8)));
	const struct bh_schema *sc = bh_schema(table);
	uint32_t aux = max | (self ? BH_NEXT_SELF : 0);
	size_t len = sizeof(rep);
	int rc;

	if (sc == NULL || max == 0)
		return -EINVAL;
	rc = bh_call(h, BH_V_NEXT, table, &aux, key, sc->key_len, rep, &len);
	if (rc == 0)
		rc = bh_changes(table, rep, len, fn, arg);
	if (rc == 0 && len == 0 && aux != BH_DUMP_END)
		rc = -EBADMSG; /* it would never end */
	if (rc == 0 && end != NULL)
		*end = aux == BH_DUMP_END;
	return rc;
}

/* ---- watches ---- */

int
bh_watch_event(struct bh_handle *h, const struct bh_msg *msg, const void *body)
{
	for (struct bh_watch_entry *w = h->watches; w != NULL; w = w->next)
		if (w->tag == msg->tag)
			return bh_changes(w->table, body, msg->len - sizeof(*msg), w->fn, w->arg);
	return 0;
}

void
bh_watches_end(struct bh_handle *h)
{
	struct bh_watch_entry *w = h->watches;

	h->watches = NULL;
	while (w != NULL) {
		struct bh_watch_entry *next = w->next;
		struct bh_change c = {
			.table = w->table,
			.op = BH_OP_RESYNC,
			.flags = BH_CHANGE_ENDED,
		};

		w->fn(w->arg, &c);
		free(w);
		w = next;
	}
}

void
bh_watches_free(struct bh_handle *h)
{
	while (h->watches != NULL) {
		struct bh_watch_entry *w = h->watches;

		h->watches = w->next;
		free(w);
	}
}

/* Takes the entry out, if it is still there (the end of the connection takes out all). */
static void
unlink_watch(struct bh_handle *h, uint32_t tag)
{
	for (struct bh_watch_entry **w = &h->watches; *w != NULL; w = &(*w)->next) {
		struct bh_watch_entry *found = *w;

		if (found->tag != tag)
			continue;
		*w = found->next;
		free(found);
		return;
	}
}

struct begun {
	bool done;
	int status;
};

static void
watch_begun(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	struct begun *b = arg;

	(void)body;
	(void)len;
	b->done = true;
	b->status = msg->status;
}

int
bh_watch(struct bh_handle *h, uint16_t table, bh_change_fn fn, void *arg)
{
	struct bh_msg msg = {.len = sizeof(msg), .verb = BH_V_WATCH, .table = table};
	struct begun b = {0};
	struct bh_watch_entry *w;
	int rc;

	if (bh_schema(table) == NULL)
		return -EINVAL;
	w = malloc(sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	while ((rc = bh_submit_tag(h, &msg, NULL, watch_begun, &b)) == -EAGAIN) {
		rc = bh_poll(h, -1);
		if (rc < 0)
			break;
	}
	if (rc < 0) {
		free(w);
		return rc;
	}
	*w = (struct bh_watch_entry){h->watches, msg.tag, table, fn, arg};
	h->watches = w;
	while (!b.done)
		bh_poll(h, -1);
	if (b.status < 0)
		unlink_watch(h, msg.tag);
	return b.status;
}
