/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A round: four dumps (TCP, UDP; IPv4, IPv6), one after the other, into lists; then each list is
 * sorted and told as the difference to the sorted list of the round before. A round that broke
 * tells nothing: a socket that was not seen in it may well be there.
 */
#include "modules/v6stack/sockdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#define BUF 32768
#define TABLES 2
#define DUMPS 4

static const struct {
	uint8_t family, proto;
	uint8_t table; /* index of struct bh_sockdiag's */
} dumps[DUMPS] = {
	{AF_INET, IPPROTO_TCP, 0}, {AF_INET6, IPPROTO_TCP, 0},
	{AF_INET, IPPROTO_UDP, 1}, {AF_INET6, IPPROTO_UDP, 1},
};

static const uint16_t table_ids[TABLES] = {BH_T_TCP, BH_T_UDP};

struct list {
	struct bh_sock_row *row;
	size_t n, cap;
};

struct table {
	struct list old, now; /* old: sorted, told */
	size_t old_at, now_at; /* how far the difference was told */
};

enum phase { IDLE, READING, TELLING };

struct bh_sockdiag {
	const struct bh_sockdiag_ops *ops;
	void *arg;
	struct mnl_socket *nl;
	enum phase phase;
	unsigned int at; /* dump or table */
	uint32_t seq;
	bool no_memory;	 /* in this round */
	struct table table[TABLES];
	struct bh_sockdiag_stats stats;
	char buf[BUF] __attribute__((aligned(8)));
};

struct bh_sockdiag *
bh_sockdiag_open(const struct bh_sockdiag_ops *ops, void *arg)
{
	struct bh_sockdiag *sd = calloc(1, sizeof(*sd));

	if (sd == NULL)
		return NULL;
	sd->ops = ops;
	sd->arg = arg;
	sd->nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (sd->nl != NULL && mnl_socket_bind(sd->nl, 0, MNL_SOCKET_AUTOPID) == 0)
		return sd;
	bh_sockdiag_close(sd);
	return NULL;
}

void
bh_sockdiag_close(struct bh_sockdiag *sd)
{
	int err = errno;

	if (sd == NULL)
		return;
	for (unsigned int i = 0; i < TABLES; i++) {
		free(sd->table[i].old.row);
		free(sd->table[i].now.row);
	}
	if (sd->nl != NULL)
		mnl_socket_close(sd->nl);
	free(sd);
	errno = err;
}

int
bh_sockdiag_fd(const struct bh_sockdiag *sd)
{
	return mnl_socket_get_fd(sd->nl);
}

const struct bh_sockdiag_stats *
bh_sockdiag_stats(const struct bh_sockdiag *sd)
{
	return &sd->stats;
}

void
bh_sockdiag_forget(struct bh_sockdiag *sd)
{
	for (unsigned int i = 0; i < TABLES; i++)
		sd->table[i].old.n = sd->table[i].now.n = 0;
	sd->phase = IDLE;
}

static void
give_up(struct bh_sockdiag *sd)
{
	sd->stats.broken++;
	for (unsigned int i = 0; i < TABLES; i++)
		sd->table[i].now.n = 0;
	sd->phase = IDLE;
}

/* ---- reading ---- */

static int
ask(struct bh_sockdiag *sd)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(sd->buf);
	struct inet_diag_req_v2 *r;

	m->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m->nlmsg_seq = ++sd->seq;
	r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->sdiag_family = dumps[sd->at].family;
	r->sdiag_protocol = dumps[sd->at].proto;
	r->idiag_states = UINT32_MAX;
	return mnl_socket_sendto(sd->nl, m, m->nlmsg_len) < 0 ? -errno : 0;
}

/* The rest of an answer that was given up: while there is some, the kernel takes no new request. */
static void
drain(struct bh_sockdiag *sd)
{
	for (unsigned int i = 0; i < 64; i++)
		if (recv(bh_sockdiag_fd(sd), sd->buf, sizeof(sd->buf), MSG_DONTWAIT) < 0)
			return;
}

int
bh_sockdiag_start(struct bh_sockdiag *sd)
{
	int rc;

	if (sd->phase != IDLE)
		return -EBUSY;
	drain(sd);
	sd->at = 0;
	sd->no_memory = false;
	rc = ask(sd);
	if (rc == 0)
		sd->phase = READING;
	return rc;
}

static int
grow(struct list *l)
{
	size_t cap = l->cap > 0 ? l->cap * 2 : 64;
	void *row = realloc(l->row, cap * sizeof(*l->row));

	if (row == NULL)
		return -ENOMEM;
	l->row = row;
	l->cap = cap;
	return 0;
}

static void
on_row(void *arg, const struct bh_sock_row *row)
{
	struct bh_sockdiag *sd = arg;
	struct list *l = &sd->table[dumps[sd->at].table].now;

	if (l->n == BH_SOCKDIAG_ROWS)
		sd->stats.beyond++;
	else if (l->n == l->cap && grow(l) < 0)
		sd->no_memory = true;
	else
		l->row[l->n++] = *row;
}

static void begin_telling(struct bh_sockdiag *sd);

static int
next_dump(struct bh_sockdiag *sd)
{
	int rc = 0;

	if (++sd->at < DUMPS)
		rc = ask(sd);
	else
		begin_telling(sd);
	if (rc < 0)
		give_up(sd);
	return rc < 0 ? rc : 1;
}

/* One datagram. 1: go on; 0: there is none; -errno. */
static int
read_one(struct bh_sockdiag *sd)
{
	ssize_t n = recv(bh_sockdiag_fd(sd), sd->buf, sizeof(sd->buf), MSG_DONTWAIT | MSG_TRUNC);
	enum bh_sockdiag_end end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ENOBUFS) {
		give_up(sd);
		return -errno;
	}
	end = n < 0 || n > (ssize_t)sizeof(sd->buf) ? BH_SOCKDIAG_BROKEN :
		bh_sockdiag_parse(sd->buf, n, sd->seq, on_row, sd, &sd->stats.odd);
	if (end == BH_SOCKDIAG_BROKEN || sd->no_memory) {
		give_up(sd);
		return 0;
	}
	return end == BH_SOCKDIAG_DONE ? next_dump(sd) : 1;
}

/* ---- telling ---- */

/* Sockets of one key (SO_REUSEPORT) by inode, so that the same one stands for them each time. */
static int
by_key(const void *a, const void *b)
{
	const struct bh_sock_row *x = a, *y = b;
	int c = memcmp(&x->key, &y->key, sizeof(x->key));

	return c != 0 ? c : (x->val.inode > y->val.inode) - (x->val.inode < y->val.inode);
}

static void
sort(struct list *l)
{
	size_t kept = 0;

	if (l->n > 0)
		qsort(l->row, l->n, sizeof(*l->row), by_key);
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || memcmp(&l->row[kept - 1].key, &l->row[i].key,
			sizeof(l->row[i].key)) != 0)
			l->row[kept++] = l->row[i];
	l->n = kept;
}

static void
begin_telling(struct bh_sockdiag *sd)
{
	for (unsigned int i = 0; i < TABLES; i++) {
		sort(&sd->table[i].now);
		sd->table[i].old_at = sd->table[i].now_at = 0;
	}
	sd->phase = TELLING;
	sd->at = 0;
}

/* Tells the next difference. 0 or an op's error, with which nothing has moved. */
static int
tell_one(struct bh_sockdiag *sd, struct table *t, uint16_t id)
{
	const struct bh_sock_row *old = t->old_at < t->old.n ? &t->old.row[t->old_at] : NULL;
	const struct bh_sock_row *now = t->now_at < t->now.n ? &t->now.row[t->now_at] : NULL;
	int order = old == NULL ? 1 : now == NULL ? -1 :
		memcmp(&old->key, &now->key, sizeof(old->key));
	int rc = 0;

	if (order < 0)
		rc = sd->ops->del(sd->arg, id, &old->key);
	else if (order > 0 || memcmp(&old->val, &now->val, sizeof(old->val)) != 0)
		rc = sd->ops->add(sd->arg, id, now);
	if (rc < 0)
		return rc;
	t->old_at += order <= 0;
	t->now_at += order >= 0;
	return 0;
}

static void
end_round(struct bh_sockdiag *sd)
{
	for (unsigned int i = 0; i < TABLES; i++) {
		struct list spare = sd->table[i].old;

		sd->table[i].old = sd->table[i].now;
		sd->table[i].now = spare;
		sd->table[i].now.n = 0;
	}
	sd->phase = IDLE;
	sd->stats.rounds++;
	sd->ops->done(sd->arg);
}

/* One row. 1: go on; 0: done, or no room; -errno. */
static int
tell(struct bh_sockdiag *sd)
{
	struct table *t = &sd->table[sd->at];
	int rc;

	if (t->old_at < t->old.n || t->now_at < t->now.n) {
		rc = tell_one(sd, t, table_ids[sd->at]);
		if (rc < 0 && rc != -EAGAIN)
			bh_sockdiag_forget(sd); /* what was told is not known any more */
		return rc == 0 ? 1 : rc == -EAGAIN ? 0 : rc;
	}
	if (++sd->at < TABLES)
		return 1;
	end_round(sd);
	return 0;
}

int
bh_sockdiag_poll(struct bh_sockdiag *sd, unsigned int budget)
{
	int rc = 1;

	while (budget-- > 0 && rc > 0)
		rc = sd->phase == READING ? read_one(sd) : sd->phase == TELLING ? tell(sd) : 0;
	return rc;
}
