/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First contacts through a control proxy: a hello is read and checked, laid into a slot of
 * the service's relay memory, and the result is sent back as a welcome with descriptors.
 *
 * Hellos are read without a control buffer, and looked at before they are taken: a socket by
 * which descriptors come is closed unread, elsewhere (reaper.h). A socket has one contact at a time; what it sends meanwhile stays in the
 * socket.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/core/lcore_stats.h"
#include "app/core/proxy_priv.h"

#define RESULTS_MAX 16 /* of one service in one turn */

/* ---- replies ---- */

void
bh_refuse(struct bh_proxy *p, int fd, uint16_t service, uint16_t role, int status)
{
	struct bh_welcome w = {
		.magic = BH_HELLO_MAGIC,
		.version = BH_PROTO_VERSION,
		.status = status,
		.service = service,
		.role = role,
	};

	__atomic_fetch_add(&p->conf.stats->refused_contacts, 1, __ATOMIC_RELAXED);
	send(fd, &w, sizeof(w), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends welcome, reply and descriptors. 0 or -errno. */
static int
send_welcome(struct bh_proxy *p, const struct bh_psock *s, const struct bh_relay_slot *slot)
{
	const struct bh_msg *reply = (const struct bh_msg *)slot->msg;
	struct iovec iov[2] = {
		{(void *)&slot->welcome, sizeof(slot->welcome)},
		{(void *)slot->msg, reply->len},
	};
	int fds[BH_WELCOME_FDS];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	struct msghdr m = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	memcpy(fds, slot->fds, sizeof(slot->fds));
	fds[BH_FD_STATS] = p->conf.stats_fd;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- hellos ---- */

/* Lays the held hello into a relay slot. False: no slot is free. */
static bool
post_contact(struct bh_proxy *p, struct bh_psock *s)
{
	const struct bh_hello *hello = (const struct bh_hello *)s->hello;
	struct bh_known *k = &p->known[s->service];
	struct bh_relay_slot *slot;
	uint16_t index;

	if (k->n_free == 0)
		return false;
	index = k->free[--k->n_free];
	slot = bh_relay_slot(k->relay, p->conf.index, index);
	slot->kind = BH_RELAY_CONTACT;
	slot->sock = s - p->socks;
	slot->role = s->role;
	slot->role_epoch = s->role_epoch;
	slot->heir = s->heir;
	slot->pid = s->pid;
	slot->uid = s->uid;
	slot->lcore = p->lcore;
	memcpy(slot->client, hello->client, sizeof(slot->client));
	memcpy(slot->msg, hello + 1, s->hello_len - sizeof(*hello));
	s->state = BH_SOCK_CONTACT;
	s->contacted = true;
	s->served |= 1u << s->service;
	/* The ring holds more than there are slots. */
	rte_ring_sp_enqueue(bh_relay_to_service(k->relay, p->conf.index), (void *)(uintptr_t)index);
	bh_bell_ring(k->relay->service_bell);
	bh_count(&p->stats->handled, 1);
	return true;
}

static void
begin_contact(struct bh_proxy *p, struct bh_psock *s)
{
	s->service = ((const struct bh_hello *)s->hello)->service;
	if (p->known[s->service].relay == NULL) {
		bh_refuse(p, s->fd, s->service, s->role, -ENOENT);
		s->state = BH_SOCK_IDLE;
	} else if (!post_contact(p, s) && s->state != BH_SOCK_HELD) {
		s->state = BH_SOCK_HELD;
		p->n_held++;
	}
}

/* Takes a datagram: bytes that were sent, 0: the end, -errno; -EPERM: there are descriptors with
 * it, and it was left in the socket, whose closing disposes of them. */
static ssize_t
read_hello(struct bh_psock *s)
{
	struct iovec iov = {s->hello, sizeof(s->hello)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	memset(s->hello, 0, sizeof(struct bh_hello));
	n = recvmsg(s->fd, &m, MSG_DONTWAIT | MSG_TRUNC | MSG_PEEK);
	if (n < 0)
		return -errno;
	if (m.msg_flags & MSG_CTRUNC)
		return -EPERM;
	recv(s->fd, NULL, 0, MSG_DONTWAIT);
	return n;
}

void
bh_sock_read(struct bh_proxy *p, struct bh_psock *s)
{
	ssize_t n;
	int rc;

	if (s->state == BH_SOCK_HELD || s->state == BH_SOCK_CONTACT) {
		/* Only its end is waited for. */
		bh_sock_close(p, s);
		return;
	}
	n = read_hello(s);
	if (n == -EPERM) {
		bh_refuse(p, s->fd, 0, s->role, n);
		bh_sock_close(p, s);
		return;
	}
	if (n == -EAGAIN || n == -EINTR) {
		bh_sock_arm(p, s);
		return;
	}
	if (n <= 0) {
		bh_sock_close(p, s);
		return;
	}
	rc = bh_hello_check(s->hello, n);
	if (rc < 0) {
		bh_refuse(p, s->fd, ((struct bh_hello *)s->hello)->service, s->role, rc);
	} else {
		s->hello_len = n;
		begin_contact(p, s);
	}
	bh_sock_arm(p, s);
}

/* ---- results ---- */

static void
close_fds(struct bh_relay_slot *slot)
{
	for (unsigned int i = 0; i < BH_FD_STATS; i++)
		close(slot->fds[i]);
}

static void
finish_contact(struct bh_proxy *p, struct bh_psock *s, struct bh_known *k,
	struct bh_relay_slot *slot)
{
	int rc = slot->status;

	if (s->state == BH_SOCK_CONTACT) {
		s->state = BH_SOCK_IDLE;
		if (rc < 0) {
			bh_refuse(p, s->fd, s->service, s->role, rc);
		} else {
			slot->welcome.magic = BH_HELLO_MAGIC;
			slot->welcome.version = BH_PROTO_VERSION;
			slot->welcome.generation = k->generation;
			slot->welcome.stats_size = sizeof(struct bh_stats);
			rc = send_welcome(p, s, slot);
		}
		/* Who does not read its welcomes cannot have more of them. */
		if (slot->status == 0 && rc < 0)
			bh_sock_close(p, s);
		else
			bh_sock_arm(p, s);
	}
	if (slot->status == 0)
		close_fds(slot);
}

/* A CLOSING socket's entry is free once its contact came back and all services were told. */
static void
free_if_told(struct bh_proxy *p, struct bh_psock *s)
{
	if (s->state != BH_SOCK_CLOSING || s->to_tell != 0 || s->telling != 0 || s->promoted)
		return;
	s->state = BH_SOCK_FREE;
	p->n_closing--;
	if (s < &p->socks[BH_PROXY_SOCKETS])
		p->n_accepted--;
}

static unsigned int
take_results(struct bh_proxy *p, uint16_t service, struct bh_known *k)
{
	struct rte_ring *ring = bh_relay_to_proxy(k->relay, p->conf.index);
	void *obj[RESULTS_MAX];
	unsigned int n = rte_ring_sc_dequeue_burst(ring, obj, RESULTS_MAX, NULL);

	for (unsigned int i = 0; i < n; i++) {
		uint16_t index = (uintptr_t)obj[i];
		struct bh_relay_slot *slot = bh_relay_slot(k->relay, p->conf.index, index);
		struct bh_psock *s = &p->socks[slot->sock];

		if (slot->kind == BH_RELAY_CONTACT)
			finish_contact(p, s, k, slot);
		else if (slot->kind == BH_RELAY_PROMOTE)
			bh_promotion_told(p, s, service, slot->status);
		else
			s->telling &= ~(1u << service);
		k->free[k->n_free++] = index;
		free_if_told(p, s);
	}
	return n;
}

bool
bh_results_take(struct bh_proxy *p)
{
	unsigned int n = 0;

	for (uint16_t i = 1; i < BH_SERVICE_MAX; i++)
		if (p->known[i].relay != NULL)
			n += take_results(p, i, &p->known[i]);
	return n > 0;
}

bool
bh_results_ready(struct bh_proxy *p)
{
	for (uint16_t i = 1; i < BH_SERVICE_MAX; i++) {
		struct bh_relay *r = p->known[i].relay;

		if (r != NULL && !rte_ring_empty(bh_relay_to_proxy(r, p->conf.index)))
			return true;
	}
	return false;
}

/* ---- departures and promotions ---- */

/* Tells a service something of the socket. False: no slot is free. */
static bool
tell(struct bh_proxy *p, const struct bh_psock *s, struct bh_known *k, enum bh_relay_kind kind)
{
	struct bh_relay_slot *slot;
	uint16_t index;

	if (k->n_free == 0)
		return false;
	index = k->free[--k->n_free];
	slot = bh_relay_slot(k->relay, p->conf.index, index);
	slot->kind = kind;
	slot->sock = s - p->socks;
	slot->role = s->role;
	slot->role_epoch = s->role_epoch;
	slot->heir = false;
	rte_ring_sp_enqueue(bh_relay_to_service(k->relay, p->conf.index), (void *)(uintptr_t)index);
	bh_bell_ring(k->relay->service_bell);
	return true;
}

/* What is to be told, and is being told, moves on. A service that is not there need not hear it. */
static void
tell_all(struct bh_proxy *p, struct bh_psock *s, uint16_t *to_tell, uint16_t *telling,
	enum bh_relay_kind kind)
{
	for (uint16_t i = 1; i < BH_SERVICE_MAX && *to_tell != 0; i++) {
		uint16_t bit = 1u << i;

		if (!(*to_tell & bit))
			continue;
		if (p->known[i].relay == NULL)
			*to_tell &= ~bit;
		else if (tell(p, s, &p->known[i], kind)) {
			*to_tell &= ~bit;
			*telling |= bit;
		}
	}
}

static void
retry(struct bh_proxy *p, struct bh_psock *s)
{
	if (s->state == BH_SOCK_HELD) {
		begin_contact(p, s);
		if (s->state == BH_SOCK_HELD)
			return;
		p->n_held--;
		bh_sock_arm(p, s);
	}
	if (s->promoted) {
		tell_all(p, s, &s->to_promote, &s->promoting, BH_RELAY_PROMOTE);
		bh_promotion_told(p, s, 0, 0);
	}
	if (s->state != BH_SOCK_CLOSING)
		return;
	tell_all(p, s, &s->to_tell, &s->telling, BH_RELAY_GONE);
	free_if_told(p, s);
}

/* Modules first; of the others another one begins each time, so that none is always too late. */
void
bh_waiting_retry(struct bh_proxy *p)
{
	if (p->n_held == 0 && p->n_closing == 0 && p->n_promoting == 0)
		return;
	for (unsigned int i = BH_PROXY_SOCKETS; i < BH_PROXY_ALL; i++)
		retry(p, &p->socks[i]);
	p->first_retry++;
	for (unsigned int i = 0; i < BH_PROXY_SOCKETS; i++)
		retry(p, &p->socks[(p->first_retry + i) % BH_PROXY_SOCKETS]);
}

/* ---- services ---- */

/* Lets go of a service's relay memory: what was under way there is lost. */
static void
forget(struct bh_proxy *p, uint16_t service, struct bh_known *k)
{
	while (take_results(p, service, k) > 0)
		;
	for (unsigned int i = 0; i < BH_PROXY_ALL; i++) {
		struct bh_psock *s = &p->socks[i];

		if (s->state == BH_SOCK_CONTACT && s->service == service) {
			s->state = BH_SOCK_IDLE;
			bh_refuse(p, s->fd, service, s->role, -ECONNRESET);
			bh_sock_arm(p, s);
		}
		s->served &= ~(1u << service);
		s->to_tell &= ~(1u << service);
		s->telling &= ~(1u << service);
		s->to_promote &= ~(1u << service);
		bh_promotion_told(p, s, service, 0);
		free_if_told(p, s);
	}
	bh_relay_put(k->relay);
	__atomic_store_n(&k->relay, NULL, __ATOMIC_RELEASE);
}

void
bh_known_set(struct bh_proxy *p, const struct bh_announcement *a)
{
	struct bh_known *k = &p->known[a->service];

	if (k->relay != NULL)
		forget(p, a->service, k);
	if (a->relay == NULL)
		return;
	k->generation = a->generation;
	k->n_free = BH_RELAY_SLOTS;
	for (uint16_t i = 0; i < BH_RELAY_SLOTS; i++)
		k->free[i] = i;
	a->relay->proxy_bell[p->conf.index] = &p->bell;
	__atomic_store_n(&k->relay, a->relay, __ATOMIC_RELEASE);
}
