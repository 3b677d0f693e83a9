/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory given to other processes: seals, separation, and a heap that stays whole. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include <rte_eal.h>
#include <rte_malloc.h>

#include "app/core/chanmem.h"
#include "lib/channel/queue.h"
#include "lib/stats/stats.h"

#define ZONES 80

static void
alloc(struct bh_chanmem *cm, const char *name, size_t size, int *fd)
{
	ck_assert_int_eq(bh_chanmem_alloc(cm, name, size, fd), 0);
	ck_assert_uint_eq(cm->size, RTE_ALIGN_CEIL(size, (size_t)BH_CHANMEM_PAGE));
	ck_assert_uint_eq((uintptr_t)cm->addr % BH_CHANMEM_PAGE, 0);
}

static bool
all_are(const uint8_t *p, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

START_TEST(seals_hold)
{
	struct bh_chanmem cm;
	struct stat st;
	int fd, seals;

	alloc(&cm, "bh.test.seals", 5000, &fd);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 8192);
	seals = fcntl(fd, F_GET_SEALS);
	ck_assert_int_eq(seals, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	bh_chanmem_free(&cm);
	close(fd);
}
END_TEST

/* A hole reads as zeros, on which a queue says that it is corrupt: no signal. */
START_TEST(hole_is_harmless)
{
	uint8_t buf[BH_MSG_MAX + BH_SLOT_DATA] __attribute__((aligned(8)));
	struct bh_chanmem cm;
	struct bh_consumer c;
	uint32_t tail = 0;
	int fd;

	alloc(&cm, "bh.test.hole", BH_CHANNEL_SIZE, &fd);
	bh_queue_format(cm.addr, 64);
	bh_consumer_init(&c, cm.addr, 64, &tail);
	ck_assert_int_eq(bh_consumer_peek(&c, buf), 0);
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
	ck_assert_int_eq(bh_consumer_peek(&c, buf), -EBADMSG);
	bh_chanmem_free(&cm);
	close(fd);
}
END_TEST

/* Both sides see each other's writes, until the zone is freed; then nothing of ours. */
START_TEST(shared_until_freed)
{
	struct bh_chanmem cm;
	uint8_t *other, *ours;
	int fd;

	alloc(&cm, "bh.test.shared", 65536, &fd);
	ours = cm.addr;
	other = mmap(NULL, cm.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(other, MAP_FAILED);
	ck_assert(all_are(ours, 65536, 0));
	memset(other, 0xaa, 65536);
	ck_assert(all_are(ours, 65536, 0xaa));
	bh_chanmem_free(&cm);
	ck_assert(all_are(other, 65536, 0xaa)); /* free zeroes ours only */
	memset(other, 0xbb, 65536);
	alloc(&cm, "bh.test.shared", 65536, &fd); /* the same pages, another file */
	ck_assert(all_are(cm.addr, 65536, 0));
	memset(cm.addr, 0xcc, 65536);
	ck_assert(all_are(other, 65536, 0xbb));
	munmap(other, 65536);
	bh_chanmem_free(&cm);
}
END_TEST

/* Many zones come and go in several orders; none overlaps another, and the heap forgets none. */
START_TEST(heap_stays_whole)
{
	static struct bh_chanmem cm[ZONES];
	char name[BH_ZONE_LEN];
	int fd;

	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < ZONES; i++) {
			snprintf(name, sizeof(name), "bh.test.%u", i);
			alloc(&cm[i], name, 4096 * (1 + i * 7 % 31), &fd);
			close(fd);
			memset(cm[i].addr, i + 1, cm[i].size);
		}
		for (unsigned int i = 0; i < ZONES; i++)
			ck_assert(all_are(cm[i].addr, cm[i].size, i + 1));
		for (unsigned int i = 0; i < ZONES; i++) {
			unsigned int k = (i * 37 + round) % ZONES;

			ck_assert_ptr_nonnull(rte_memzone_lookup(cm[k].mz->name));
			bh_chanmem_free(&cm[k]);
			ck_assert_ptr_null(cm[k].mz);
		}
	}
	ck_assert_int_eq(rte_malloc_validate(rte_malloc("", 64, 0), NULL), 0);
}
END_TEST

/* kB of memory that this process has in RAM, files and all. */
static long
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%*d %ld", &pages), 1);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What was given to clients that are gone is given back to the system. */
START_TEST(memory_goes_back)
{
	static struct bh_chanmem cm[ZONES];
	char name[BH_ZONE_LEN];
	struct bh_stats *st;
	int fd, stats_fd;
	long kb;

	ck_assert_int_eq(bh_stats_create(&st, &stats_fd), 0);
	kb = resident();
	for (unsigned int i = 0; i < ZONES; i++) {
		snprintf(name, sizeof(name), "bh.test.back.%u", i);
		alloc(&cm[i], name, BH_CHANNEL_SIZE, &fd);
		close(fd);
		memset(cm[i].addr, 1, cm[i].size);
	}
	ck_assert_uint_eq(bh_read(&st->channels), ZONES);
	ck_assert_uint_eq(bh_read(&st->channel_bytes), ZONES * BH_CHANNEL_SIZE);
	ck_assert_uint_eq(bh_read(&st->channels_made), ZONES);
	ck_assert_int_ge(resident() - kb, ZONES * BH_CHANNEL_SIZE / 1024 / 2);
	for (unsigned int i = 0; i < ZONES; i++)
		bh_chanmem_free(&cm[i]);
	ck_assert_uint_eq(bh_read(&st->channels), 0);
	ck_assert_uint_eq(bh_read(&st->channel_bytes), 0);
	ck_assert_uint_eq(bh_read(&st->channels_made), ZONES);
	ck_assert_int_lt(resident() - kb, ZONES * BH_CHANNEL_SIZE / 1024 / 8);
	close(stats_fd);
	bh_stats_destroy();
}
END_TEST

START_TEST(name_and_room)
{
	static struct bh_chanmem cm[3 * ZONES];
	unsigned int n = 0, again;
	char name[BH_ZONE_LEN];
	struct bh_chanmem twice;
	int fd, rc;

	alloc(&cm[0], "bh.test.name", 4096, &fd);
	close(fd);
	ck_assert_int_eq(bh_chanmem_alloc(&twice, "bh.test.name", 4096, &fd), -EEXIST);
	bh_chanmem_free(&cm[0]);
	do {
		snprintf(name, sizeof(name), "bh.test.full.%u", n);
		rc = bh_chanmem_alloc(&cm[n], name, 128 * 1024, &fd);
		if (rc == 0)
			close(fd);
	} while (rc == 0 && ++n < 3 * ZONES);
	ck_assert_int_eq(rc, -ENOMEM);
	ck_assert_uint_ge(n, ZONES);
	bh_chanmem_free(&cm[5]);
	ck_assert_int_eq(bh_chanmem_alloc(&cm[5], "bh.test.full.5", 128 * 1024, &fd), 0);
	close(fd);
	for (again = 0; again < n; again++)
		bh_chanmem_free(&cm[again]);
}
END_TEST

START_TEST(stats_are_read_only)
{
	struct bh_stats *stats;
	const struct bh_stats *seen;
	int fd;

	ck_assert_int_eq(bh_stats_create(&stats, &fd), 0);
	ck_assert_uint_eq(stats->magic, BH_STATS_MAGIC);
	ck_assert_uint_eq(stats->size, sizeof(*stats));
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	seen = mmap(NULL, sizeof(*seen), PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
	ck_assert_int_eq(mprotect((void *)seen, 4096, PROT_READ | PROT_WRITE), -1);
	bh_count(&stats->relays, 3);
	ck_assert_uint_eq(bh_read(&seen->relays), 3);
	munmap((void *)seen, sizeof(*seen));
	close(fd);
	bh_stats_destroy();
}
END_TEST

int
main(void)
{
	char *argv[] = {"chanmem", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
		"64", "--lcores", "0@0", "--log-level=4", NULL};
	Suite *s = suite_create("chanmem");
	TCase *tc = tcase_create("chanmem");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, memory_goes_back);
	tcase_add_test(tc, seals_hold);
	tcase_add_test(tc, hole_is_harmless);
	tcase_add_test(tc, shared_until_freed);
	tcase_add_test(tc, heap_stays_whole);
	tcase_add_test(tc, name_and_room);
	tcase_add_test(tc, stats_are_read_only);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	if (rte_eal_init(10, argv) < 0 || bh_chanmem_init(ZONES) < 0)
		return 2;
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	bh_chanmem_fini();
	rte_eal_cleanup();
	return failed != 0;
}
