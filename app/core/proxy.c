/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A control proxy.
 *
 * One lcore, one epoll set: the listening socket (EPOLLEXCLUSIVE: each newcomer wakes one
 * proxy), client sockets (one-shot: a socket is armed again when the proxy wants to hear of
 * it), the bell. Whatever comes is bounded: sockets in number, one contact at a time each,
 * slots of relay memory per service. What finds no room waits in the client's socket. When
 * all places are taken a newcomer takes the place of one that has said nothing for a second,
 * else it is refused; some places are for admins only.
 *
 * A socket's end is told to every service that it had a contact with, which closes the peer;
 * only then its entry is used again, so that proxy and entry name a client unambiguously.
 */
#include "app/core/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>

#include "app/core/fdroom.h"
#include "app/core/lcore_stats.h"
#include "app/core/proxy_priv.h"
#include "lib/log/log.h"

#define EVENTS 64
#define ACCEPT_MAX 16	    /* of one event */
#define DEAF_MS 100	    /* out of descriptors: when to try again */
#define BUSY_MS 5	    /* too many sockets wait to be closed */
#define ADMIN_SOCKETS 32    /* places that are left to admins */

static int
listen_to(struct bh_proxy *p)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = BH_PROXY_LISTEN_EVENT};

	p->deaf = false;
	return epoll_ctl(p->ep, EPOLL_CTL_ADD, p->conf.listen_fd, &ev) < 0 ? -errno : 0;
}

static int
make_epoll(struct bh_proxy *p)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = BH_PROXY_BELL_EVENT};

	p->ep = epoll_create1(EPOLL_CLOEXEC);
	if (p->ep < 0 || epoll_ctl(p->ep, EPOLL_CTL_ADD, p->bell.fd, &ev) < 0)
		return -errno;
	return listen_to(p);
}

static int
make_rings(struct bh_proxy *p)
{
	const unsigned int flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "bh.proxy.%u.roles", p->conf.index);
	p->roles = rte_ring_create(name, 32, p->conf.socket, flags);
	snprintf(name, sizeof(name), "bh.proxy.%u.known", p->conf.index);
	p->announcements = rte_ring_create_elem(name, sizeof(struct bh_announcement), 64,
		p->conf.socket, flags);
	snprintf(name, sizeof(name), "bh.proxy.%u.heirs", p->conf.index);
	p->promotions = rte_ring_create_elem(name, sizeof(struct bh_promotion), 32,
		p->conf.socket, flags);
	if (p->roles == NULL || p->announcements == NULL || p->promotions == NULL)
		return -rte_errno;
	return 0;
}

struct bh_proxy *
bh_proxy_create(const struct bh_proxy_conf *conf)
{
	struct bh_proxy *p;
	int rc = -EINVAL;

	p = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*p), 64));
	if (p == NULL)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->conf = *conf;
	p->ep = -1;
	p->reaper.in = -1;
	p->bell.fd = -1;
	p->core_uid = geteuid();
	for (unsigned int i = 0; i < BH_PROXY_ALL; i++)
		p->socks[i].fd = -1;
	if (conf->index < BH_PROXIES_MAX)
		rc = bh_bell_init(&p->bell);
	if (rc == 0)
		rc = make_epoll(p);
	if (rc == 0)
		rc = make_rings(p);
	if (rc == 0)
		rc = bh_reaper_start(&p->reaper);
	if (rc < 0) {
		bh_proxy_destroy(p);
		errno = -rc;
		return NULL;
	}
	return p;
}

void
bh_proxy_stop(struct bh_proxy *p)
{
	__atomic_store_n(&p->stop, true, __ATOMIC_RELEASE);
	bh_bell_ring(&p->bell);
}

static void take_announcements(struct bh_proxy *p);

void
bh_proxy_destroy(struct bh_proxy *p)
{
	if (p == NULL)
		return;
	if (p->announcements != NULL)
		take_announcements(p);
	for (uint16_t i = 1; i < BH_SERVICE_MAX; i++)
		bh_known_set(p, &(struct bh_announcement){.service = i});
	for (unsigned int i = 0; i < BH_PROXY_ALL; i++)
		if (p->socks[i].fd >= 0)
			bh_reap(&p->reaper, p->socks[i].fd);
	bh_reaper_stop(&p->reaper);
	bh_roles_drop(p);
	rte_ring_free(p->roles);
	rte_ring_free(p->announcements);
	rte_ring_free(p->promotions);
	if (p->ep >= 0)
		close(p->ep);
	bh_bell_close(&p->bell);
	free(p);
}

bool
bh_proxy_knows(const struct bh_proxy *p, uint16_t service)
{
	return service < BH_SERVICE_MAX &&
		__atomic_load_n(&p->known[service].relay, __ATOMIC_ACQUIRE) != NULL;
}

/* ---- from other lcores ---- */

int
bh_proxy_announce(struct bh_proxy *p, const struct bh_announcement *a)
{
	if (rte_ring_sp_enqueue_elem(p->announcements, (void *)(uintptr_t)a, sizeof(*a)) < 0)
		return -ENOBUFS;
	bh_bell_ring(&p->bell);
	return 0;
}

static void
take_announcements(struct bh_proxy *p)
{
	struct bh_announcement a;

	while (rte_ring_sc_dequeue_elem(p->announcements, &a, sizeof(a)) == 0)
		bh_known_set(p, &a);
}

/* ---- sockets ---- */

void
bh_sock_arm(struct bh_proxy *p, struct bh_psock *s)
{
	struct epoll_event ev = {.events = EPOLLONESHOT, .data.u64 = s - p->socks};

	if (s->fd < 0)
		return;
	ev.events |= s->state == BH_SOCK_IDLE ? EPOLLIN : EPOLLRDHUP;
	epoll_ctl(p->ep, EPOLL_CTL_MOD, s->fd, &ev);
}

/* Out of epoll at once; closed by the reaper. */
static void
hand_off(struct bh_proxy *p, int fd)
{
	epoll_ctl(p->ep, EPOLL_CTL_DEL, fd, NULL);
	__atomic_fetch_sub(&p->conf.stats->sockets, 1, __ATOMIC_RELAXED);
	bh_reap(&p->reaper, fd);
}

void
bh_sock_close(struct bh_proxy *p, struct bh_psock *s)
{
	if (s->fd < 0)
		return;
	hand_off(p, s->fd);
	s->fd = -1;
	if (s->state == BH_SOCK_HELD)
		p->n_held--;
	s->state = BH_SOCK_CLOSING;
	s->to_tell = s->served;
	s->served = 0;
	p->n_closing++;
}

int
bh_sock_open(struct bh_proxy *p, struct bh_psock *s, int fd, uint16_t role, uint32_t epoch)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = s - p->socks};
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	if (epoll_ctl(p->ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->fd = fd;
	s->state = BH_SOCK_IDLE;
	s->pid = cred.pid;
	s->uid = cred.uid;
	s->role = role;
	if (role == BH_ROLE_READER && (s->uid == 0 || s->uid == p->core_uid))
		s->role = BH_ROLE_ADMIN;
	s->role_epoch = epoch;
	s->since = p->now;
	return 0;
}

/* Of accepted sockets: the one that has said nothing for longest and at least a second, or NULL;
 * of: of the reader with the same uid only. */
static struct bh_psock *
silent_sock(struct bh_proxy *p, const struct bh_psock *of)
{
	struct bh_psock *silent = NULL;

	for (unsigned int i = 0; i < BH_PROXY_SOCKETS; i++) {
		struct bh_psock *s = &p->socks[i];

		if (s->state == BH_SOCK_IDLE && !s->contacted &&
			(of == NULL || (s->role == of->role && s->uid == of->uid)) &&
			(silent == NULL || s->since < silent->since))
			silent = s;
	}
	return silent != NULL && p->now - silent->since >= rte_get_tsc_hz() ? silent : NULL;
}

/* The silent one's entry is at once free: no service knows it. */
static void
put_out(struct bh_proxy *p, struct bh_psock *silent)
{
	hand_off(p, silent->fd);
	silent->fd = -1;
	silent->state = BH_SOCK_FREE;
	p->n_accepted--;
}

/* A free entry for an accepted socket, made by putting out a silent one if there is none; or
 * NULL. */
static struct bh_psock *
free_sock(struct bh_proxy *p)
{
	struct bh_psock *silent;

	for (unsigned int i = 0; i < BH_PROXY_SOCKETS; i++)
		if (p->socks[i].state == BH_SOCK_FREE)
			return &p->socks[i];
	silent = silent_sock(p, NULL);
	if (silent != NULL)
		put_out(p, silent);
	return silent;
}

/* May the socket just placed stay? 0; -EMFILE: readers leave the rest to admins, or both leave the
 * last descriptors to modules; -EDQUOT: its user has too many. */
static int
check_room(struct bh_proxy *p, const struct bh_psock *s)
{
	struct bh_psock *silent;
	unsigned int n = 0;

	if (bh_fd_scarce(s->fd, BH_FDS_SOCKETS))
		return -EMFILE;
	if (s->role == BH_ROLE_ADMIN)
		return 0;
	for (unsigned int i = 0; i < BH_PROXY_SOCKETS; i++)
		n += p->socks[i].state != BH_SOCK_FREE && p->socks[i].role == s->role &&
			p->socks[i].uid == s->uid;
	if (n > BH_PROXY_USER) {
		silent = silent_sock(p, s);
		if (silent == NULL)
			return -EDQUOT;
		put_out(p, silent);
	}
	return p->n_accepted <= BH_PROXY_SOCKETS - ADMIN_SOCKETS ? 0 : -EMFILE;
}

static void
place_sock(struct bh_proxy *p, int fd)
{
	struct bh_psock *s = free_sock(p);
	int rc = -EMFILE;

	if (s != NULL)
		rc = bh_sock_open(p, s, fd, BH_ROLE_READER, 0);
	if (rc == 0) {
		p->n_accepted++;
		rc = check_room(p, s);
		if (rc == 0)
			return;
		s->state = BH_SOCK_FREE;
		s->fd = -1;
		p->n_accepted--;
	}
	bh_refuse(p, fd, 0, BH_ROLE_READER, rc);
	hand_off(p, fd);
}

/* Takes no newcomers for a time: who waits in the queue would wake us for ever. */
static void
be_deaf(struct bh_proxy *p, unsigned int ms)
{
	epoll_ctl(p->ep, EPOLL_CTL_DEL, p->conf.listen_fd, NULL);
	p->deaf = true;
	p->deaf_until = p->now + rte_get_tsc_hz() / 1000 * ms;
}

static void
accept_some(struct bh_proxy *p)
{
	for (unsigned int i = 0; i < ACCEPT_MAX; i++) {
		int fd;

		if (bh_reaper_waiting(&p->reaper) >= BH_REAPER_BUSY) {
			be_deaf(p, BUSY_MS);
			return;
		}
		fd = accept4(p->conf.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			__atomic_fetch_add(&p->conf.stats->sockets, 1, __ATOMIC_RELAXED);
			place_sock(p, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			be_deaf(p, DEAF_MS); /* out of descriptors or memory */
		return;
	}
}

/* ---- the loop ---- */

static void
look(struct bh_proxy *p, int timeout)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(p->ep, ev, EVENTS, timeout);

	if (timeout != 0 && n > 0)
		bh_count(&p->stats->wakes, 1);
	p->now = rte_get_tsc_cycles();
	for (int i = 0; i < n; i++) {
		uint64_t what = ev[i].data.u64;

		if (what == BH_PROXY_LISTEN_EVENT)
			accept_some(p);
		else if (what != BH_PROXY_BELL_EVENT && p->socks[what].fd >= 0)
			bh_sock_read(p, &p->socks[what]);
	}
}

static bool
idle(struct bh_proxy *p)
{
	return rte_ring_empty(p->roles) && rte_ring_empty(p->announcements) &&
		!bh_results_ready(p) && !__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE);
}

static void
turn(struct bh_proxy *p)
{
	bool busy;

	p->now = rte_get_tsc_cycles();
	take_announcements(p);
	busy = bh_roles_take(p);
	busy |= bh_results_take(p);
	bh_waiting_retry(p);
	if (p->deaf && p->now >= p->deaf_until)
		listen_to(p);
	bh_lcore_turn(p->stats, busy, p->now);
	bh_bell_announce(&p->bell);
	if (idle(p)) {
		bh_count(&p->stats->sleeps, 1);
		look(p, p->deaf ? BUSY_MS : BH_NAP_MS);
	}
	bh_bell_awake(&p->bell);
}

int
bh_proxy_main(void *arg)
{
	struct bh_proxy *p = arg;

	p->stats = bh_lcore_stats(p->conf.stats, "control-proxy");
	p->lcore = rte_lcore_id();
	while (!__atomic_load_n(&p->stop, __ATOMIC_ACQUIRE))
		turn(p);
	return 0;
}
