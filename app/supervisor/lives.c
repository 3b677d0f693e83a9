/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/lives.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/supervisor/child.h"
#include "lib/log/log.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define WAKES_MAX 64 /* of one page; an honest one wakes us twice */

_Static_assert(offsetof(struct bh_life, mutex.__data.__lock) == 0, "the futex word comes first");
_Static_assert(BH_LIVES_MAX < FUTEX_WAITV_MAX, "one word is ours");

enum slot_state {
	SLOT_FREE,
	SLOT_WATCHED,
	SLOT_ENDED,   /* seen by the thread, to be told */
	SLOT_DEAF,    /* it cried wolf: to be told, then nothing */
	SLOT_TOLD,
	SLOT_LEFT,    /* forgotten: unmapped by the thread, if there still is one */
};

struct slot {
	enum slot_state state;
	struct bh_life *page;
	uint32_t last; /* word as waited for; the thread's */
	unsigned int wakes;
	uint64_t seen_ns;
	bh_lives_fn fn;
	void *arg;
};

struct bh_lives {
	pthread_t thread;
	pthread_mutex_t lock; /* of slots and failed; not held while the thread waits */
	struct slot slot[BH_LIVES_MAX];
	int failed;	      /* the thread has ended with this errno */
	uint32_t ring;	      /* the thread's own futex word; odd: stop */
	int fd;		      /* eventfd: something is to be told */
	struct event *ev;
};

/* ---- the thread ---- */

static uint32_t *
word_of(const struct slot *s)
{
	return (uint32_t *)&s->page->mutex;
}

static void
clear(struct slot *s)
{
	munmap(s->page, BH_LIFE_SIZE);
	s->state = SLOT_FREE;
}

/* The word to wait for. False: the owner has ended. */
static bool
look(struct slot *s)
{
	uint32_t *word = word_of(s), was = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	if ((was & FUTEX_TID_MASK) != 0 && !(was & (FUTEX_WAITERS | FUTEX_OWNER_DIED)))
		was = __atomic_fetch_or(word, FUTEX_WAITERS, __ATOMIC_ACQ_REL) | FUTEX_WAITERS;
	if (was & FUTEX_OWNER_DIED)
		return false;
	if (was != s->last)
		s->wakes++;
	s->last = was;
	return true;
}

/* Fills w with the words to wait for, and of[] with the slots they are of. How many. */
static unsigned int
gather(struct bh_lives *l, struct futex_waitv *w, struct slot **of, bool *news)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BH_LIVES_MAX; i++) {
		struct slot *s = &l->slot[i];

		if (s->state == SLOT_LEFT)
			clear(s);
		if (s->state != SLOT_WATCHED)
			continue;
		if (!look(s)) {
			s->state = SLOT_ENDED;
			s->seen_ns = bh_now_ns();
		} else if (s->wakes > WAKES_MAX) {
			s->state = SLOT_DEAF;
		}
		if (s->state != SLOT_WATCHED) {
			*news = true;
			continue;
		}
		of[n] = s;
		w[n++] = (struct futex_waitv){.val = s->last, .uaddr = (uintptr_t)word_of(s),
			.flags = FUTEX_32};
	}
	return n;
}

/* Waits until a word changes or is woken. 0, or -errno: the kernel cannot do it. */
static int
wait_for(struct bh_lives *l, uint32_t ring, struct futex_waitv *w, struct slot **of,
	unsigned int n)
{
	long rc;

	w[n] = (struct futex_waitv){.val = ring, .uaddr = (uintptr_t)&l->ring,
		.flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
	rc = syscall(SYS_futex_waitv, w, n + 1, 0, NULL, 0);
	if (rc < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (rc < (long)n)
		of[rc]->wakes++;
	return 0;
}

static void
tell(const struct bh_lives *l)
{
	uint64_t one = 1;

	while (write(l->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *
watch(void *arg)
{
	struct bh_lives *l = arg;
	struct futex_waitv w[BH_LIVES_MAX + 1];
	struct slot *of[BH_LIVES_MAX];
	uint32_t ring;
	int rc = 0;

	for (;;) {
		bool news = false;
		unsigned int n;

		ring = __atomic_load_n(&l->ring, __ATOMIC_ACQUIRE);
		if (ring & 1)
			break;
		pthread_mutex_lock(&l->lock);
		n = gather(l, w, of, &news);
		l->failed = -rc;
		pthread_mutex_unlock(&l->lock);
		if (news || rc < 0)
			tell(l);
		if (rc < 0)
			break;
		rc = wait_for(l, ring, w, of, n);
	}
	return NULL;
}

/* ---- the event loop's side ---- */

/* by: 2, or 1 to stop. */
static void
ring(struct bh_lives *l, uint32_t by)
{
	__atomic_fetch_add(&l->ring, by, __ATOMIC_RELEASE);
	syscall(SYS_futex, &l->ring, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The next slot with news; what it was. */
static struct slot *
next_news(struct bh_lives *l, enum slot_state *was)
{
	struct slot *found = NULL;

	pthread_mutex_lock(&l->lock);
	for (unsigned int i = 0; i < BH_LIVES_MAX && found == NULL; i++) {
		struct slot *s = &l->slot[i];

		if (s->state != SLOT_ENDED && s->state != SLOT_DEAF)
			continue;
		*was = s->state;
		s->state = SLOT_TOLD;
		found = s;
	}
	pthread_mutex_unlock(&l->lock);
	return found;
}

static void
on_news(evutil_socket_t fd, short what, void *arg)
{
	struct bh_lives *l = arg;
	enum slot_state was;
	struct slot *s;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	while ((s = next_news(l, &was)) != NULL) {
		if (was == SLOT_ENDED)
			s->fn(s->arg, s->seen_ns);
		else
			bh_warn("life", "a life page changes too often: its process's end is "
				"left to the pidfd");
	}
	pthread_mutex_lock(&l->lock);
	if (l->failed != 0)
		bh_warn("life", "robust mutexes cannot be waited for: %s: ends are left to the "
			"pidfds", strerror(l->failed));
	pthread_mutex_unlock(&l->lock);
}

static int
start(struct bh_lives *l, struct event_base *base)
{
	sigset_t all, old;
	int rc;

	l->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->fd < 0)
		return -errno;
	l->ev = event_new(base, l->fd, EV_READ | EV_PERSIST, on_news, l);
	if (l->ev == NULL || event_add(l->ev, NULL) < 0)
		return -ENOMEM;
	sigfillset(&all); /* signals are the event loop's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = -pthread_create(&l->thread, NULL, watch, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static void
lives_free(struct bh_lives *l)
{
	if (l->ev != NULL)
		event_free(l->ev);
	if (l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

struct bh_lives *
bh_lives_open(struct event_base *base)
{
	struct bh_lives *l;
	int rc;

	if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno == ENOSYS)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	rc = start(l, base);
	if (rc == 0)
		return l;
	lives_free(l);
	errno = -rc;
	return NULL;
}

void
bh_lives_close(struct bh_lives *l)
{
	if (l == NULL)
		return;
	ring(l, 1);
	pthread_join(l->thread, NULL);
	for (unsigned int i = 0; i < BH_LIVES_MAX; i++)
		if (l->slot[i].state != SLOT_FREE)
			munmap(l->slot[i].page, BH_LIFE_SIZE);
	lives_free(l);
}

static int
make_mutex(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if (rc != 0)
		return -rc;
	rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (rc == 0)
		rc = pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
	return -rc;
}

static int
fill(int fd)
{
	struct bh_life *page;
	int rc;

	if (ftruncate(fd, BH_LIFE_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	page = mmap(NULL, BH_LIFE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	rc = make_mutex(&page->mutex);
	page->magic = BH_LIFE_MAGIC;
	page->version = BH_LIFE_VERSION;
	munmap(page, BH_LIFE_SIZE);
	return rc;
}

int
bh_lives_page(void)
{
	int fd = memfd_create("bh.life", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (fd < 0)
		return -errno;
	rc = fill(fd);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static struct bh_life *
map_page(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *page;

	/* Without these seals, reading it could end us. */
	if (fstat(fd, &st) < 0 || st.st_size != BH_LIFE_SIZE || seals < 0 ||
		(seals & SEALS) != SEALS) {
		errno = EINVAL;
		return NULL;
	}
	page = mmap(NULL, BH_LIFE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	return page == MAP_FAILED ? NULL : page;
}

int
bh_lives_watch(struct bh_lives *l, int fd, bh_lives_fn fn, void *arg)
{
	struct bh_life *page = map_page(fd);
	int at = -ENOSPC;

	if (page == NULL)
		return -errno;
	pthread_mutex_lock(&l->lock);
	for (int i = 0; i < BH_LIVES_MAX && at < 0; i++) {
		if (l->slot[i].state != SLOT_FREE)
			continue;
		l->slot[i] = (struct slot){.state = SLOT_WATCHED, .page = page, .fn = fn,
			.arg = arg};
		at = i;
	}
	pthread_mutex_unlock(&l->lock);
	if (at < 0)
		munmap(page, BH_LIFE_SIZE);
	else
		ring(l, 2);
	return at;
}

const struct bh_life *
bh_lives_at(const struct bh_lives *l, int slot)
{
	return l->slot[slot].page;
}

void
bh_lives_forget(struct bh_lives *l, int slot)
{
	if (slot < 0)
		return;
	pthread_mutex_lock(&l->lock);
	l->slot[slot].state = SLOT_LEFT;
	if (l->failed != 0)
		clear(&l->slot[slot]);
	pthread_mutex_unlock(&l->lock);
	ring(l, 2);
}
