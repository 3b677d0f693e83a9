/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The module `--run` against a libbulkhead that is played here: queues that are full, records
 * that are refused, a core that goes away, SIGHUP with a good and a bad file, SIGTERM.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/client/bulkhead.h"

#define ROOM 3 /* requests under way */

/* What the core saw; shared with the process that plays the module. */
struct seen {
	unsigned int begins, adds, ends, ready, waits;
	unsigned int adds_at_end[8]; /* adds of each replay that ended */
	unsigned int replays;
	unsigned int full;	     /* times the queue had no room */
};

static struct seen *seen;
static unsigned int pending;
static bh_reply_fn reply_fn;
static void *reply_arg;
static int16_t reply_status; /* of the next replies */
static int pipe_fd[2];
static char file[] = "/tmp/bh-run-XXXXXX";

struct bh_handle *
bh_open(const struct bh_open_args *args)
{
	ck_assert_uint_eq(args->service, BH_SERVICE_INFOBASE);
	return (struct bh_handle *)seen;
}

void
bh_close(struct bh_handle *h)
{
	ck_assert_ptr_eq(h, (struct bh_handle *)seen);
}

void
bh_open_args_env(struct bh_open_args *args, const char *client)
{
	*args = (struct bh_open_args){.client = client, .role_fd = -1};
}

int
bh_submit(struct bh_handle *h, uint8_t verb, uint16_t table, uint32_t aux, const void *body,
	size_t len, bh_reply_fn cb, void *arg)
{
	(void)h, (void)aux, (void)body;
	ck_assert_uint_eq(verb, BH_V_ADD);
	ck_assert((table >= BH_T_CFG_INTERFACE && table <= BH_T_CFG_ROUTE6) ||
		table == BH_T_CFG_SOURCE);
	ck_assert_uint_gt(len, 0);
	if (pending == ROOM) {
		seen->full++;
		return -EAGAIN;
	}
	pending++;
	seen->adds += table != BH_T_CFG_SOURCE;
	reply_fn = cb;
	reply_arg = arg;
	return 0;
}

int
bh_poll(struct bh_handle *h, int wait_ms)
{
	struct bh_msg msg = {.status = reply_status};

	(void)h;
	if (wait_ms == 0)
		return seen->waits == 3 ? -ECONNRESET : 0;
	ck_assert_uint_gt(pending, 0); /* nothing would ever come */
	for (; pending > 0; pending--)
		reply_fn(reply_arg, &msg, NULL, 0);
	return 1;
}

unsigned int
bh_pending(const struct bh_handle *h)
{
	(void)h;
	return pending;
}

int
bh_fd(const struct bh_handle *h)
{
	(void)h;
	return pipe_fd[0];
}

int
bh_replay_begin(struct bh_handle *h, uint16_t table, uint32_t *epoch)
{
	(void)h;
	*epoch = ++seen->begins;
	if (table == BH_T_CFG_INTERFACE) /* the first one */
		seen->adds = 0;
	return 0;
}

int
bh_replay_end(struct bh_handle *h, uint16_t table)
{
	(void)h;
	seen->ends++;
	if (table == BH_T_CFG_INTERFACE) /* the last one */
		seen->adds_at_end[seen->replays++] = seen->adds;
	return 0;
}

int
bh_delete(struct bh_handle *h, uint16_t table, const void *key)
{
	(void)h, (void)key;
	ck_assert_uint_eq(table, BH_T_CFG_SOURCE);
	return -ENOENT;
}

int
bh_get(struct bh_handle *h, uint16_t table, const void *key, void *val, size_t *len)
{
	(void)h, (void)table, (void)key, (void)val, (void)len;
	ck_abort_msg("there is nothing to recover without a descriptor");
}

int
bh_dump(struct bh_handle *h, uint8_t verb, uint16_t table, bh_change_fn fn, void *arg)
{
	(void)h, (void)verb, (void)table, (void)fn, (void)arg;
	ck_abort();
}

const void *
bh_stats_map(const struct bh_handle *h, size_t *size)
{
	(void)h, (void)size;
	return NULL;
}

int
bh_reopen_role(struct bh_handle *h, int fd)
{
	(void)h, (void)fd;
	return -EINVAL;
}

enum bh_word_kind
bh_supervised_take(struct bh_word *w)
{
	(void)w;
	return BH_WORD_NONE;
}

int
bh_supervised_fd(void)
{
	return -1;
}

bool
bh_supervised_heir(void)
{
	return false;
}

int
bh_ready(void)
{
	seen->ready = seen->replays;
	return 0;
}

static void
write_file(unsigned int interfaces, const char *end)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	fputs("{\"ietf-interfaces:interfaces\":{\"interface\":[", f);
	for (unsigned int i = 0; i < interfaces; i++)
		fprintf(f, "%s{\"name\":\"eth%u\",\"type\":\"iana-if-type:ethernetCsmacd\"}",
			i > 0 ? "," : "", i);
	fprintf(f, "]}}%s", end);
	fclose(f);
}

/* What happens each time that the module waits. */
bool
bh_prepare_wait(struct bh_handle *h)
{
	(void)h;
	switch (++seen->waits) {
	case 1: /* a file that is not valid */
		write_file(7, "}");
		raise(SIGHUP);
		return true;
	case 2: /* one that is */
		write_file(9, "");
		raise(SIGHUP);
		return true;
	case 3: /* the core is gone; the file by now is another, which nobody asked to read */
		write_file(2, "");
		return false;
	default:
		raise(SIGTERM);
		return true;
	}
}

static void
setup(void)
{
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
	setenv("BULKHEAD_YANG_PATH", BH_SOURCE_ROOT "/config/yang", 1);
}

static void
teardown(void)
{
	unlink(file);
	strcpy(file + strlen(file) - 6, "XXXXXX");
}

static int
run_module(void)
{
	static const uint32_t cpu = 0;
	struct bh_config_args args = {.file = file, .fd = -1, .cpus = &cpu, .n_cpus = 1};
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(bh_config_open(&args) == BH_EXIT_OK ? bh_run(&args) : BH_EXIT_NO_YANG);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

START_TEST(test_life)
{
	write_file(8, "");
	ck_assert_int_eq(run_module(), BH_EXIT_OK);
	ck_assert_uint_eq(seen->ready, 1); /* after the first replay, once */
	ck_assert_uint_eq(seen->replays, 3);
	ck_assert_uint_eq(seen->adds_at_end[0], 8);
	ck_assert_uint_eq(seen->adds_at_end[1], 9); /* the bad file was not replayed */
	ck_assert_uint_eq(seen->adds_at_end[2], 9); /* from memory, not from the file */
	ck_assert_uint_eq(seen->begins, 3 * (BH_CONFIG_TABLES + 1));
	ck_assert_uint_eq(seen->ends, 3 * (BH_CONFIG_TABLES + 1));
	ck_assert_uint_gt(seen->full, 0);
}
END_TEST

START_TEST(test_invalid_at_start)
{
	write_file(1, "x");
	ck_assert_int_eq(run_module(), BH_EXIT_INVALID);
	ck_assert_uint_eq(seen->begins + seen->ready, 0);
}
END_TEST

/* Refused records are logged, the others count. */
START_TEST(test_refused)
{
	reply_status = -ENOSPC;
	write_file(8, "");
	ck_assert_int_eq(run_module(), BH_EXIT_OK);
	ck_assert_uint_eq(seen->replays, 3);
}
END_TEST

/* A core that is lost again and again: the module gives up, without being ready. */
START_TEST(test_lost)
{
	reply_status = -ECONNRESET;
	write_file(8, "");
	ck_assert_int_eq(run_module(), BH_EXIT_INTERNAL);
	ck_assert_uint_eq(seen->replays + seen->ready, 0);
	ck_assert_uint_ge(seen->begins, 10);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config run");
	TCase *tc = tcase_create("run");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_life);
	tcase_add_test(tc, test_invalid_at_start);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_lost);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
