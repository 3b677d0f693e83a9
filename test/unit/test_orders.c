/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders about modules: what is refused, and what an order that needs no process does; the file of
 * who runs. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "app/supervisor/adopt.h"
#include "app/supervisor/orders.h"
#include "app/supervisor/procfs.h"

static struct bh_supervisor s;
static struct bh_options opt;
static char dir[64];
static int done; /* -1: no outcome yet */
static char said[256];

static void
on_outcome(void *arg, bool ok, const char *text)
{
	ck_assert_ptr_eq(arg, &said);
	ck_assert_int_eq(done, -1); /* once */
	done = ok;
	snprintf(said, sizeof(said), "%s", text);
}

static void
nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* A core and a module `m` that is held. */
static void
setup(void)
{
	memset(&s, 0, sizeof(s));
	strcpy(dir, "/tmp/bh.test.XXXXXX");
	opt.rundir = mkdtemp(dir);
	s.opt = &opt;
	s.base = event_base_new();
	s.announced = true;
	s.n_children = 2;
	for (int i = 0; i < 2; i++) {
		s.child[i].sup_fd = s.child[i].pidfd = s.child[i].life = -1;
		s.child[i].owner = &s;
		s.child[i].ev_again = evtimer_new(s.base, nothing, NULL);
	}
	strcpy(s.child[0].name, "core");
	s.child[0].is_core = true;
	s.child[0].state = BH_PROC_READY;
	strcpy(s.child[1].name, "m");
	s.child[1].state = BH_PROC_HELD;
	s.child[1].recent = 6;
}

static void
teardown(void)
{
	bh_order_fini(&s);
	for (int i = 0; i < 2; i++)
		event_free(s.child[i].ev_again);
	event_base_free(s.base);
	bh_adopt_clear(dir);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct bh_order *
order(const char *words)
{
	done = -1;
	return bh_order_take(&s, words, on_outcome, &said);
}

static void
refused(const char *words, const char *why)
{
	ck_assert_ptr_null(order(words));
	ck_assert_int_eq(done, 0);
	ck_assert_msg(strstr(said, why) != NULL, "%s: %s", words, said);
}

START_TEST(bad_orders_are_refused)
{
	static char longest[600];

	memset(longest, 'x', sizeof(longest) - 1);
	refused("", "unknown order");
	refused("\n\n", "unknown order");
	refused("explode m", "unknown order");
	refused(longest, "unknown order");
	refused("restart", "no such module");
	refused("restart mm", "no such module");
	refused("stop core", "core is no module");
	refused("upgrade m", "not ready");
	s.child[1].state = BH_PROC_READY;
	refused("upgrade m bin/sh", "absolute");
	s.child[0].state = BH_PROC_EXITED;
	refused("start m", "core is not ready");
	s.stopping = true;
	refused("start m", "being stopped");
}
END_TEST

START_TEST(held_module_is_put_down_and_started)
{
	struct bh_child *c = &s.child[1];

	ck_assert_ptr_null(order("stop m"));
	ck_assert_int_eq(done, 1);
	ck_assert_int_eq(c->state, BH_PROC_STOPPED);
	ck_assert(c->put_down && !event_pending(c->ev_again, EV_TIMEOUT, NULL));
	ck_assert_ptr_nonnull(order("start m"));
	ck_assert_int_eq(done, -1);
	ck_assert(!c->put_down && c->recent == 0 && event_pending(c->ev_again, EV_TIMEOUT, NULL));
	/* One at a time. */
	ck_assert_ptr_null(bh_order_take(&s, "stop m", on_outcome, &said));
	ck_assert_msg(strstr(said, "another order") != NULL, "%s", said);
	done = -1;
	c->pid = 77;
	bh_order_ready(&s, c);
	ck_assert_int_eq(done, 1);
	ck_assert_ptr_nonnull(strstr(said, "pid 77"));
	ck_assert_ptr_null(c->order);
	c->pid = 0;
}
END_TEST

START_TEST(outcome_is_told_to_who_listens)
{
	bh_order_forget(order("start m"));
	bh_order_stop(&s);
	ck_assert_int_eq(done, -1);
	ck_assert_ptr_null(s.child[1].order);
	order("start m");
	bh_order_stop(&s);
	ck_assert_int_eq(done, 0);
}
END_TEST

/* A word to routing, and its answer; nobody else knows it, and what nobody asked for ends nothing. */
START_TEST(words_are_spoken_and_answered)
{
	struct bh_child *c = &s.child[1];
	char text[16] = {0};
	int fds[2];

	refused("replay m", "not ready");
	c->state = BH_PROC_READY;
	refused("renew m", "only routing");
	strcpy(c->name, "routing");
	refused("replay routing", "cannot be told");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	c->sup_fd = fds[0];
	for (int i = 0; i < 2; i++) {
		memset(text, 0, sizeof(text));
		ck_assert_ptr_nonnull(order(i == 0 ? "replay routing" : "renew routing"));
		ck_assert_int_gt(recv(fds[1], text, sizeof(text) - 1, MSG_DONTWAIT), 0);
		ck_assert_str_eq(text, i == 0 ? "REPLAY" : "RENEW");
		ck_assert(!bh_order_module_said(c, "REPLAYEDx"));
		ck_assert(bh_order_module_said(c, i == 0 ? "RENEWED" : "REPLAYED"));
		ck_assert_int_eq(done, -1);
		ck_assert(bh_order_module_said(c, i == 0 ? "REPLAYED" : "RENEWED"));
		ck_assert_int_eq(done, 1);
		ck_assert_ptr_null(c->order);
		ck_assert(bh_order_module_said(c, "REPLAYED")); /* to nobody */
	}
	order("replay routing");
	ck_assert(!bh_order_ended(&s, c)); /* its death goes its way */
	ck_assert_int_eq(done, 0);
	ck_assert_ptr_null(c->order);
	close(fds[0]);
	close(fds[1]);
	c->sup_fd = -1;
}
END_TEST

/* Only words about promotions are taken, and those of nobody's heir do nothing. */
START_TEST(core_words_are_checked)
{
	ck_assert(!bh_order_core_said(&s, ""));
	ck_assert(!bh_order_core_said(&s, "PROMOTED"));
	ck_assert(!bh_order_core_said(&s, "PROMOTED m"));
	ck_assert(!bh_order_core_said(&s, "DEMOTED m 5"));
	ck_assert(bh_order_core_said(&s, "PROMOTED m 5"));
	ck_assert(bh_order_core_said(&s, "REFUSED m -5"));
}
END_TEST

static pid_t
sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* What is left of a router without core is killed; a process that only has the pid is not. */
START_TEST(leftovers_are_ended)
{
	struct bh_child *c = &s.child[1];
	pid_t pid = sleeper();
	char path[128];
	int status;

	c->pid = pid;
	c->start_ticks = bh_procfs_start(pid) + _i;
	bh_adopt_remember(&s);
	snprintf(path, sizeof(path), "%s/processes", dir);
	ck_assert_int_eq(access(path, R_OK), 0);
	bh_adopt_clear(dir);
	ck_assert_int_ne(access(path, R_OK), 0);
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), _i == 0 ? pid : 0);
	if (_i != 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	c->pid = 0;
}
END_TEST

START_TEST(nonsense_in_the_file_ends_nobody)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/processes", dir);
	f = fopen(path, "w");
	fprintf(f, "-1 0 a\n0 0 b\n1 0 c\n%d 0 d\nx", getpid());
	fclose(f);
	bh_adopt_clear(dir);
	ck_assert_int_ne(access(path, R_OK), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("orders");
	TCase *tc = tcase_create("orders");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bad_orders_are_refused);
	tcase_add_test(tc, held_module_is_put_down_and_started);
	tcase_add_test(tc, outcome_is_told_to_who_listens);
	tcase_add_test(tc, words_are_spoken_and_answered);
	tcase_add_test(tc, core_words_are_checked);
	tcase_add_loop_test(tc, leftovers_are_ended, 0, 2);
	tcase_add_test(tc, nonsense_in_the_file_ends_nobody);
	suite_add_tcase(suite, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
