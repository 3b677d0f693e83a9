/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/life/life.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

static struct bh_life *life; /* of this process; NULL: none */

static int
life_fd(void)
{
	const char *text = getenv("BH_LIFE_FD");
	char *end;
	long fd;

	if (text == NULL || *text == '\0')
		return -1;
	fd = strtol(text, &end, 10);
	return *end == '\0' && fd >= 0 && fd < 1 << 20 ? (int)fd : -1;
}

static struct bh_life *
map_page(int fd)
{
	struct bh_life *l;
	struct stat st;

	if (fstat(fd, &st) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return NULL;
	if (st.st_size != BH_LIFE_SIZE) {
		errno = EINVAL;
		return NULL;
	}
	l = mmap(NULL, BH_LIFE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (l == MAP_FAILED)
		return NULL;
	if (l->magic == BH_LIFE_MAGIC && l->version == BH_LIFE_VERSION)
		return l;
	munmap(l, BH_LIFE_SIZE);
	errno = EPROTONOSUPPORT;
	return NULL;
}

int
bh_life_begin(void)
{
	int fd = life_fd(), rc;
	struct bh_life *l;

	if (fd < 0 || life != NULL)
		return 0;
	l = map_page(fd);
	if (l == NULL)
		return -errno;
	rc = pthread_mutex_lock(&l->mutex);
	if (rc != 0) {
		munmap(l, BH_LIFE_SIZE);
		return -rc;
	}
	/* Whoever waits is woken by the kernel, and may have begun to wait before we locked. */
	__atomic_fetch_or((uint32_t *)&l->mutex, FUTEX_WAITERS, __ATOMIC_RELEASE);
	__atomic_store_n(&l->begun, 1, __ATOMIC_RELEASE);
	life = l;
	bh_life_beat();
	return 0;
}

void
bh_life_beat(void)
{
	if (life == NULL)
		return;
	__atomic_store_n(&life->busy_until, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&life->beats, life->beats + 1, __ATOMIC_RELEASE);
}

void
bh_life_busy(unsigned int ms)
{
	struct timespec ts;

	if (life == NULL)
		return;
	if (ms > BH_LIFE_BUSY_MS)
		ms = BH_LIFE_BUSY_MS;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	__atomic_store_n(&life->busy_until,
		ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec + ms * UINT64_C(1000000),
		__ATOMIC_RELEASE);
}
