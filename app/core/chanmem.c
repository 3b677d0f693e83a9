/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channel memory.
 *
 * What a client maps must be a memzone of its own, must not be cut short under the core's
 * feet, and must hold nothing else. So the zones come from an external heap of 4 KiB pages
 * (anonymous address space, whatever the hugepage size), and over the pages of each zone lies
 * a fresh memfd of exactly its size with F_SEAL_SHRINK|GROW|SEAL: only that descriptor is
 * passed on. A client may still punch holes into it; the core then reads zeros, which no
 * queue takes for a message. The fd of rte_memseg_get_fd() is never passed: its holder could
 * truncate it, and it may be the core's whole memory.
 *
 * The heap's own headers lie in the page before a zone, never in its pages. On close anonymous
 * memory is mapped over the zone before rte_memzone_free() writes to it, so that a process
 * that kept the memfd shares nothing with us, and no memory ever serves two clients.
 */
#include "app/core/chanmem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include "lib/log/log.h"
#include "lib/stats/stats.h"

#define HEAP_NAME "bh.channels"
#define ZONE_MAX (128u * 1024)
#define ALIAS (2u << 20)
#define PAGES(base) ((uint8_t *)(base) + BH_CHANMEM_PAGE) /* behind the first header */

static struct {
	void *base;
	size_t size;
	int socket;
	struct bh_chanmem stats;
	pthread_mutex_t lock; /* of the heap: EAL's own is not held while pages are given back */
	unsigned int zones;
	uint64_t bytes, made;
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t
whole_pages(size_t size)
{
	return RTE_ALIGN_CEIL(size, (size_t)BH_CHANMEM_PAGE);
}

/*
 * EAL fills a new heap with zeros, and to fault in all of it would be a good part of the core's
 * start. So for that moment its pages are a few that are mapped again and again.
 */
static int
alias_pages(uint8_t *at, size_t size)
{
	int rc = 0, fd = memfd_create("bh.alias", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, ALIAS) < 0)
		rc = -errno;
	for (size_t off = 0; rc == 0 && off < size; off += ALIAS)
		if (mmap(at + off, RTE_MIN(size - off, (size_t)ALIAS), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Pages of its own, zero and not there yet. */
static int
own_pages(uint8_t *at, size_t size)
{
	return mmap(at, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED ?
		-errno : 0;
}

int
bh_chanmem_init(unsigned int zones)
{
	size_t size = zones * (size_t)(ZONE_MAX + 2 * BH_CHANMEM_PAGE) +
		whole_pages(sizeof(struct bh_stats)) + 16 * BH_CHANMEM_PAGE;
	int rc;

	heap.base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (heap.base == MAP_FAILED)
		return -errno;
	heap.size = size;
	/* The first and last page hold headers. */
	rc = alias_pages(PAGES(heap.base), size - 2 * BH_CHANMEM_PAGE);
	if (rc < 0)
		goto unmap;
	if (rte_malloc_heap_create(HEAP_NAME) < 0) {
		rc = -rte_errno;
		goto unmap;
	}
	/* The number of pages must be given although there are no IO addresses: no device
	 * ever sees this memory. */
	if (rte_malloc_heap_memory_add(HEAP_NAME, heap.base, size, NULL, size / BH_CHANMEM_PAGE,
		    BH_CHANMEM_PAGE) < 0) {
		rc = -rte_errno;
		goto destroy;
	}
	heap.socket = rte_malloc_heap_get_socket(HEAP_NAME);
	rc = own_pages(PAGES(heap.base), size - 2 * BH_CHANMEM_PAGE);
	if (rc == 0)
		return 0;
	rte_malloc_heap_memory_remove(HEAP_NAME, heap.base, size);
destroy:
	rte_malloc_heap_destroy(HEAP_NAME);
unmap:
	munmap(heap.base, size);
	heap.base = NULL;
	return rc;
}

void
bh_chanmem_fini(void)
{
	if (heap.base == NULL)
		return;
	if (rte_malloc_heap_memory_remove(HEAP_NAME, heap.base, heap.size) < 0 ||
		rte_malloc_heap_destroy(HEAP_NAME) < 0) {
		bh_warn("chanmem", "a zone is still in use: %s", rte_strerror(rte_errno));
		return;
	}
	munmap(heap.base, heap.size);
	heap.base = NULL;
}

/* A memfd of size bytes that cannot change its size. fd or -errno. */
static int
sealed_memfd(const char *name, size_t size)
{
	int rc, fd = memfd_create(name, MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int
map_anonymous(void *addr, size_t size)
{
	void *p = mmap(addr, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? -errno : 0;
}

/* Lays a fresh memfd over the zone's pages and seals it (besides its size) by `seals`. */
static int
back_zone(struct bh_chanmem *cm, const char *name, int seals, int *fd)
{
	int rc, mfd = sealed_memfd(name, cm->size);

	if (mfd < 0)
		return mfd;
	if (mmap(cm->addr, cm->size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_POPULATE, mfd, 0) == MAP_FAILED) {
		rc = -errno;
		goto fail;
	}
	if (fcntl(mfd, F_ADD_SEALS, seals | F_SEAL_SEAL) < 0) {
		rc = -errno;
		goto fail;
	}
	*fd = mfd;
	return 0;
fail:
	map_anonymous(cm->addr, cm->size);
	close(mfd);
	return rc;
}

/* Channels in bh.stats, which itself is one of the zones. Under the lock. */
static void
publish(void)
{
	struct bh_stats *s = heap.stats.addr;

	if (s == NULL)
		return;
	__atomic_store_n(&s->channels, heap.zones - 1, __ATOMIC_RELAXED);
	__atomic_store_n(&s->channel_bytes, heap.bytes - heap.stats.size, __ATOMIC_RELAXED);
	__atomic_store_n(&s->channels_made, heap.made - 1, __ATOMIC_RELAXED);
}

static int
take_zone(struct bh_chanmem *cm, const char *name)
{
	int rc = 0;

	pthread_mutex_lock(&heap.lock);
	cm->mz = rte_memzone_reserve_aligned(name, cm->size, heap.socket, 0, BH_CHANMEM_PAGE);
	if (cm->mz == NULL) {
		rc = -rte_errno;
	} else {
		cm->addr = cm->mz->addr;
		heap.zones++;
		heap.bytes += cm->size;
		heap.made++;
		if (cm != &heap.stats)
			publish();
	}
	pthread_mutex_unlock(&heap.lock);
	return rc;
}

/* rte_memzone_free() fills the pages with zeros, so that each would stay in memory though nobody
 * uses it: they go back to the system. Free pages of the heap read as zeros either way, and hold
 * no header of its own; the lock keeps others from taking them meanwhile. */
static void
give_zone(struct bh_chanmem *cm)
{
	pthread_mutex_lock(&heap.lock);
	rte_memzone_free(cm->mz);
	madvise(cm->addr, cm->size, MADV_DONTNEED);
	heap.zones--;
	heap.bytes -= cm->size;
	if (cm != &heap.stats)
		publish();
	pthread_mutex_unlock(&heap.lock);
	memset(cm, 0, sizeof(*cm));
}

static int
alloc(struct bh_chanmem *cm, const char *name, size_t size, int seals, int *fd)
{
	int rc;

	memset(cm, 0, sizeof(*cm));
	if (heap.base == NULL)
		return -ENOMEM;
	cm->size = whole_pages(size);
	rc = take_zone(cm, name);
	if (rc < 0)
		return rc;
	rc = back_zone(cm, name, seals, fd);
	if (rc < 0)
		give_zone(cm);
	return rc;
}

int
bh_chanmem_alloc(struct bh_chanmem *cm, const char *name, size_t size, int *fd)
{
	return alloc(cm, name, size, 0, fd);
}

void
bh_chanmem_free(struct bh_chanmem *cm)
{
	int rc;

	if (cm->mz == NULL)
		return;
	rc = map_anonymous(cm->addr, cm->size);
	if (rc == 0) {
		give_zone(cm);
		return;
	}
	/* The zone is lost, which is better than shared. */
	bh_err("chanmem", "%s: cannot take its pages back: %s", cm->mz->name, strerror(-rc));
	memset(cm, 0, sizeof(*cm));
}

int
bh_stats_create(struct bh_stats **stats, int *fd)
{
	int rc = alloc(&heap.stats, "bh.stats", sizeof(struct bh_stats), F_SEAL_FUTURE_WRITE, fd);
	struct bh_stats *s = heap.stats.addr;

	if (rc < 0)
		return rc;
	s->magic = BH_STATS_MAGIC;
	s->version = BH_STATS_VERSION;
	s->size = sizeof(*s);
	s->started = time(NULL);
	s->tsc_hz = rte_get_tsc_hz();
	s->core_pid = getpid();
	*stats = s;
	return 0;
}

void
bh_stats_destroy(void)
{
	bh_chanmem_free(&heap.stats);
}
