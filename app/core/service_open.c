/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a service's peers come and go: the channel's memory, pipes and names. One channel's memory is
 * made ahead, at an idle moment, so that a first contact need not wait for its pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/core/fdroom.h"
#include "app/core/service_priv.h"

/* New memory with two empty queues. */
static int
make_memory(struct bh_service *svc, struct bh_chanmem *mem, uint32_t *channel, int *fd)
{
	char name[BH_ZONE_LEN];
	uint8_t *base;
	int rc;

	*channel = svc->channels++;
	snprintf(name, sizeof(name), "bh.%s.%u", svc->name, *channel);
	rc = bh_chanmem_alloc(mem, name, BH_CHANNEL_SIZE, fd);
	if (rc < 0)
		return rc;
	base = mem->addr;
	bh_queue_format((struct bh_slot *)(base + BH_CHANNEL_REQ_OFF), BH_CHANNEL_REQ_SLOTS);
	bh_queue_format((struct bh_slot *)(base + BH_CHANNEL_REP_OFF), BH_CHANNEL_REP_SLOTS);
	return 0;
}

void
bh_spare_make(struct bh_service *svc)
{
	struct bh_spare *s = &svc->spare;

	if (!s->wanted)
		return;
	s->wanted = false;
	s->ready = make_memory(svc, &s->mem, &s->channel, &s->fd) == 0;
}

void
bh_spare_free(struct bh_service *svc)
{
	if (!svc->spare.ready)
		return;
	svc->spare.ready = false;
	close(svc->spare.fd);
	bh_chanmem_free(&svc->spare.mem);
}

/* Memory, queues and sleep words. */
static int
make_queues(struct bh_service *svc, struct bh_peer *p)
{
	struct bh_spare *s = &svc->spare;
	uint8_t *base;
	int rc = 0;

	s->wanted = true;
	if (s->ready) {
		s->ready = false;
		p->mem = s->mem;
		p->channel = s->channel;
		p->passed[BH_FD_CHANNEL] = s->fd;
	} else {
		rc = make_memory(svc, &p->mem, &p->channel, &p->passed[BH_FD_CHANNEL]);
	}
	if (rc < 0)
		return rc;
	base = p->mem.addr;
	p->sh = p->mem.addr;
	bh_consumer_init(&p->req, (struct bh_slot *)(base + BH_CHANNEL_REQ_OFF),
		BH_CHANNEL_REQ_SLOTS, &p->sh->req_tail);
	bh_producer_init(&p->rep, (struct bh_slot *)(base + BH_CHANNEL_REP_OFF),
		BH_CHANNEL_REP_SLOTS, &p->sh->rep_tail);
	p->sleeper = (struct bh_sleeper){.word = &p->sh->core_sleep};
	p->ringer = (struct bh_ringer){.word = &p->sh->client_sleep};
	return 0;
}

static int
make_pipes(struct bh_service *svc, struct bh_peer *p)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = p->info.ref.index};
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	p->ring_fd = fds[0];
	p->passed[BH_FD_RING_CORE] = fds[1];
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	p->passed[BH_FD_WAKE_ME] = fds[0];
	p->wake_fd = fds[1];
	return epoll_ctl(svc->ep, EPOLL_CTL_ADD, p->ring_fd, &ev) < 0 ? -errno : 0;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
unmake(struct bh_service *svc, struct bh_peer *p)
{
	if (p->ring_fd >= 0 && !p->timed)
		epoll_ctl(svc->ep, EPOLL_CTL_DEL, p->ring_fd, NULL);
	close_fd(&p->ring_fd);
	close_fd(&p->wake_fd);
	for (unsigned int i = 0; i < BH_FD_STATS; i++)
		close_fd(&p->passed[i]);
	bh_chanmem_free(&p->mem);
	p->sh = NULL;
	p->used = false;
}

/* A free entry, made blank but for its generation. */
static struct bh_peer *
blank(struct bh_service *svc)
{
	for (unsigned int i = 0; i < BH_PEERS_MAX; i++) {
		struct bh_peer *p = &svc->peers[i];
		uint32_t gen = p->info.ref.gen + 1;

		if (p->used || p->touched)
			continue;
		memset(p, 0, sizeof(*p));
		p->info.ref = (struct bh_peer_ref){.index = i, .gen = gen != 0 ? gen : 1};
		p->ring_fd = p->wake_fd = -1;
		for (unsigned int j = 0; j < BH_FD_STATS; j++)
			p->passed[j] = -1;
		p->conn = &p->no_conn;
		return p;
	}
	return NULL;
}

/* 0 when there is room for one more peer of this role and user. */
static int
check_room(const struct bh_service *svc, uint16_t role, uint32_t uid)
{
	unsigned int n = 0;

	if (role == BH_ROLE_ADMIN && svc->n_peers >= BH_PEERS_MAX - BH_PEERS_FOR_ROLES)
		return -ENOSPC;
	if (role != BH_ROLE_READER)
		return 0;
	if (svc->n_peers >= BH_PEERS_MAX - BH_PEERS_FOR_ADMINS)
		return -ENOSPC;
	for (unsigned int i = 0; i < BH_PEERS_MAX; i++) {
		const struct bh_peer *p = &svc->peers[i];

		n += p->used && p->info.role == BH_ROLE_READER && p->info.uid == uid;
	}
	return n < BH_PEERS_USER ? 0 : -EDQUOT;
}

int
bh_peer_open(struct bh_service *svc, unsigned int proxy, uint16_t slot, struct bh_peer **out)
{
	const struct bh_relay_slot *s = bh_relay_slot(svc->relay, proxy, slot);
	struct bh_peer *p;
	int rc;

	rc = check_room(svc, s->role, s->uid);
	if (rc < 0)
		return rc;
	p = blank(svc);
	if (p == NULL)
		return -ENOSPC;
	p->used = true;
	p->info.role = s->role;
	p->info.heir = s->heir;
	p->info.pid = s->pid;
	p->info.uid = s->uid;
	memcpy(p->info.client, s->client, sizeof(p->info.client));
	p->proxy = proxy;
	p->sock = s->sock;
	p->slot = slot;
	p->role_epoch = s->role_epoch;
	rc = make_queues(svc, p);
	if (rc == 0)
		rc = make_pipes(svc, p);
	if (rc == 0 && s->role <= BH_ROLE_ADMIN && bh_fd_scarce(p->wake_fd, BH_FDS_CHANNELS))
		rc = -EMFILE;
	if (rc < 0) {
		unmake(svc, p);
		return rc;
	}
	p->contact = true;
	svc->n_peers++;
	bh_conn_open(svc, p);
	*out = p;
	return 0;
}

void
bh_peer_close(struct bh_service *svc, struct bh_peer *p, const char *why)
{
	if (why != NULL)
		bh_log_limited(&svc->log_cut, BH_LOG_WARNING, svc->name,
			"%s (pid %u) is cut off: %s", p->info.client, p->info.pid, why);
	bh_peer_unpoll(svc, p);
	if (p->corrupt)
		svc->n_corrupt--;
	if (p->timed)
		svc->n_timed--;
	if (p->contact)
		bh_contact_refuse(svc, p, -ECONNRESET);
	__atomic_store_n(&p->sh->closed, 1, __ATOMIC_RELEASE);
	bh_count(&p->conn->replies, p->n_replies);
	bh_conn_state(p, BH_CONN_CLOSED);
	unmake(svc, p);
	p->corrupt = false;
	svc->n_peers--;
	if (svc->conf.ops->gone != NULL)
		svc->conf.ops->gone(svc->conf.ctx, p->info.ref);
}
