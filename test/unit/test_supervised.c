/* SPDX-License-Identifier: BSD-3-Clause */
/* A module's link to its supervisor, and its handle's new role socket, on a whole small core. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "app/supervisor/roles.h"
#include "lib/client/bulkhead.h"
#include "test/unit/mini_core.h"

static int sup; /* the supervisor's end */

static void
begin(const char *heir)
{
	char num[16];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	sup = fds[0];
	snprintf(num, sizeof(num), "%d", fds[1]);
	setenv("BH_SUPERVISOR_FD", num, 1);
	setenv("BH_HEIR", heir, 1);
	ck_assert_int_eq(bh_supervised_begin(), 0);
	ck_assert_int_eq(bh_supervised_fd(), fds[1]);
}

static void
say(const char *text)
{
	ck_assert_int_eq(send(sup, text, strlen(text), 0), (int)strlen(text));
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(words)
{
	struct bh_word w;
	char text[16] = {0};
	int fds[2];

	begin("1");
	ck_assert(bh_supervised_heir());
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_NONE);
	ck_assert_int_eq(bh_ready(), 0);
	ck_assert_int_eq(recv(sup, text, sizeof(text), MSG_DONTWAIT), 5);
	ck_assert_str_eq(text, "READY");
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(bh_fd_pass(sup, "ROLE", fds[0]), 0);
	say("ROLE"); /* without a socket it is no role */
	say("TAKE");
	say("TAKE"); /* who is no heir any more cannot take over */
	ck_assert_int_eq(bh_fd_pass(sup, "TAP eth0", fds[0]), 0);
	say("LEAVE");
	say("REPLAY");
	say("RENEW");
	say("a text that is longer than any that a supervisor of this version ever sends");
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_ROLE);
	ck_assert(is_open(w.fd) && (fcntl(w.fd, F_GETFD) & FD_CLOEXEC));
	close(w.fd);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_OTHER);
	ck_assert_int_eq(w.fd, -1);
	ck_assert(bh_supervised_heir());
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_TAKE);
	ck_assert(!bh_supervised_heir());
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_OTHER);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_OTHER);
	ck_assert_str_eq(w.text, "TAP eth0");
	ck_assert(is_open(w.fd));
	close(w.fd);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_LEAVE);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_REPLAY);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_RENEW);
	ck_assert_int_eq(bh_word_done(BH_WORD_REPLAY), 0);
	ck_assert_int_eq(bh_word_done(BH_WORD_LEAVE), -EINVAL);
	memset(text, 0, sizeof(text));
	ck_assert_int_eq(recv(sup, text, sizeof(text), MSG_DONTWAIT), 8);
	ck_assert_str_eq(text, "REPLAYED");
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_OTHER);
	ck_assert_uint_eq(strlen(w.text), sizeof(w.text) - 1);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_NONE);
	close(fds[0]);
	close(fds[1]);
	close(sup);
}
END_TEST

/* The supervisor's end is told once, and is nobody's end but its own; another one adopts. */
START_TEST(supervisor_gone)
{
	struct bh_word w;
	int fds[2], old;

	begin("0");
	ck_assert(!bh_supervised_heir());
	say("LEAVE");
	close(sup);
	old = bh_supervised_fd();
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_LEAVE);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_GONE);
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_NONE);
	ck_assert_int_eq(bh_supervised_fd(), -1);
	ck_assert(!is_open(old));
	ck_assert_int_eq(bh_ready(), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	sup = fds[0];
	ck_assert_int_eq(bh_supervised_link(fds[1]), 0);
	say("LEAVE");
	ck_assert_int_eq(bh_supervised_take(&w), BH_WORD_LEAVE);
	close(sup);
}
END_TEST

static int
role_socket(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	ck_assert_int_eq(bh_proxy_give_role(mini.proxy[0], fds[0], BH_ROLE_CONFIG, 1), 0);
	return fds[1];
}

static void
note(void *arg, const struct bh_msg *msg, const void *body, size_t len)
{
	(void)body;
	(void)len;
	*(int *)arg = msg->status;
}

static void
note_change(void *arg, const struct bh_change *c)
{
	*(int *)arg = c->op == BH_OP_RESYNC && c->flags == BH_CHANGE_ENDED;
}

/* What is under way is told during the call; the next request goes by the new socket. */
START_TEST(reopened)
{
	int first = role_socket(), second, status = 1, ended = 0;
	struct bh_open_args args = {"module", MINI_SERVICE_SLOW, first, NULL};
	struct bh_handle *h = bh_open(&args), *reader = mini_open("reader", MINI_SERVICE_SLOW);

	mini.slow.release = false;
	ck_assert_int_eq(bh_call(h, BH_V_NOP, 0, NULL, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(bh_watch(h, BH_T_INTERFACE, note_change, &ended), 0);
	ck_assert_int_eq(bh_submit(h, BH_V_GET, 0, 0, NULL, 0, note, &status), 0);
	ck_assert_int_eq(bh_flush(h), 0);
	second = role_socket();
	ck_assert_int_eq(bh_reopen_role(h, second), 0);
	ck_assert_int_eq(status, -ECONNRESET);
	ck_assert_int_eq(ended, 1);
	ck_assert_ptr_null(bh_connection(h));
	ck_assert_int_eq(bh_call(h, BH_V_NOP, 0, NULL, NULL, 0, NULL, NULL), 0);
	ck_assert_uint_eq(bh_connection(h)->role, BH_ROLE_CONFIG);
	ck_assert_int_eq(bh_poll(h, 0), 0);
	ck_assert_int_eq(bh_reopen_role(h, -1), -EINVAL);
	ck_assert_int_eq(bh_reopen_role(reader, second), -EINVAL);
	bh_close(h);
	bh_close(reader);
	__atomic_store_n(&mini.slow.release, true, __ATOMIC_RELEASE);
	close(first);
	close(second);
}
END_TEST

/* The core has closed the first socket and the connection; the module had not looked yet. */
START_TEST(reopened_after_end)
{
	int first = role_socket(), second = role_socket();
	struct bh_open_args args = {"module", BH_SERVICE_ECHO, first, NULL};
	struct bh_handle *h = bh_open(&args);

	ck_assert_int_eq(bh_call(h, BH_V_NOP, 0, NULL, NULL, 0, NULL, NULL), -ECONNRESET);
	ck_assert_int_eq(bh_reopen_role(h, second), 0);
	ck_assert_int_eq(bh_call(h, BH_V_NOP, 0, NULL, NULL, 0, NULL, NULL), 0);
	bh_close(h);
	close(first);
	close(second);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("supervised");
	TCase *tc = tcase_create("supervised");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, words);
	tcase_add_test(tc, supervisor_gone);
	tcase_add_test(tc, reopened);
	tcase_add_test(tc, reopened_after_end);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	mini_up(1000);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	mini_down();
	return failed != 0;
}
