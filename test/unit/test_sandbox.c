/* SPDX-License-Identifier: BSD-3-Clause */
/* What a process in the sandbox still can do, and what ends it. Each case in a child. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sandbox/sandbox.h"

static int pair[2];

/* Runs fn in a sandbox; the wait status of its process, which exits with fn's result. */
static int
inside(enum bh_sandbox_profile profile, int (*fn)(void))
{
	int status = -1;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(bh_sandbox_enter(profile) < 0 ? 99 : fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(pair[0]);
	close(pair[1]);
	return status;
}

static bool
runs(enum bh_sandbox_profile profile, int (*fn)(void))
{
	int status = inside(profile, fn);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- what is tried ---- */

static int
compute(void)
{
	char *small = malloc(100), *big = malloc(64 << 20);

	if (small == NULL || big == NULL)
		return 1;
	memset(big, 1, 64 << 20);
	big = realloc(big, 128 << 20);
	free(big);
	free(small);
	return write(STDERR_FILENO, "", 0) != 0;
}

static int
hold_nothing(void)
{
	cap_t caps = cap_get_proc(), none = cap_init();
	int rc = cap_compare(caps, none) != 0;

	cap_free(caps);
	cap_free(none);
	return rc || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static int
talk(void)
{
	struct pollfd p = {.fd = pair[1], .events = POLLIN};
	struct epoll_event ev = {.events = EPOLLIN};
	char text[8];

	if (send(pair[0], "hello", 5, MSG_NOSIGNAL) != 5 || poll(&p, 1, 1000) != 1)
		return 1;
	epoll_wait(pair[0], &ev, 1, 0); /* not an epoll set: an error, but allowed */
	return recv(pair[1], text, sizeof(text), 0) != 5;
}

static int
read_file(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC) < 0;
}

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET, 0) < 0;
}

static int
connect_streams(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/nonexistent"};
	int a = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), ends[2];
	int b = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET6, SOCK_STREAM, 0);
	struct timeval zero = {0};

	if (a < 0 || b < 0 || c < 0 || pipe(ends) < 0)
		return 1;
	if (select(0, NULL, NULL, NULL, &zero) != 0)
		return 2;
	return connect(a, (struct sockaddr *)&un, sizeof(un)) == 0 || errno != ENOENT;
}

static int
die_by_abort(void)
{
	abort();
}

/* ---- tests ---- */

START_TEST(nothing_is_held)
{
	/* Asking takes calls that a filter would not let through. */
	setenv("BH_SANDBOX", "log", 1);
	ck_assert(runs(BH_SANDBOX_ONE_SHOT, hold_nothing));
	unsetenv("BH_SANDBOX");
}
END_TEST

START_TEST(work_goes_on)
{
	ck_assert(runs(BH_SANDBOX_ONE_SHOT, compute));
	ck_assert(runs(BH_SANDBOX_MODULE, compute));
	ck_assert(runs(BH_SANDBOX_MODULE, talk));
	ck_assert(runs(BH_SANDBOX_ALONE, talk));
	ck_assert(runs(BH_SANDBOX_ALONE, read_file));
	ck_assert(runs(BH_SANDBOX_ALONE, make_socket));
	ck_assert(runs(BH_SANDBOX_AGENT, compute));
	ck_assert(runs(BH_SANDBOX_AGENT, talk));
	ck_assert(runs(BH_SANDBOX_AGENT, connect_streams));
	ck_assert(runs(BH_SANDBOX_AGENT_ALONE, connect_streams));
	ck_assert(runs(BH_SANDBOX_AGENT_ALONE, read_file));
}
END_TEST

START_TEST(abort_is_told_as_abort)
{
	int status = inside(BH_SANDBOX_MODULE, die_by_abort);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

#ifndef BH_SANITIZED

static bool
is_killed(enum bh_sandbox_profile profile, int (*fn)(void))
{
	int status = inside(profile, fn);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static int
write_file(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC) < 0;
}

static int
make_tcp_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int
make_internet_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0;
}

static int
execute(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int
start_process(void)
{
	return fork() < 0;
}

static int
make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED;
}

static int
turn_into_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int
kill_parent(void)
{
	return kill(getppid(), 0);
}

static int
trace_parent(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), 0, 0) < 0;
}

/* Waits for TCP connections, and takes one. */
static int
be_called(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return six < 0 || fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
		bind(fd, (void *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0 ||
		accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0 || errno != EAGAIN;
}

static int
call_somebody(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (void *)&a, sizeof(a));
}

/* TCP Fast Open: sending connects. */
static int
call_by_sending(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&a, sizeof(a)) < 0;
}

static int
call_by_message(void)
{
	struct msghdr m = {0};

	return sendmsg(pair[0], &m, MSG_FASTOPEN) < 0;
}

static int
make_local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int
set_tcp_option(void)
{
	int on = 1;

	return setsockopt(pair[0], IPPROTO_TCP, 1, &on, sizeof(on));
}

START_TEST(a_listener_is_called_and_calls_nobody)
{
	static int (*const never[])(void) = {call_somebody, call_by_sending, call_by_message,
		make_local_socket, make_internet_socket, set_tcp_option, read_file, write_file, execute,
		start_process, make_code, turn_into_code, kill_parent, trace_parent};

	ck_assert(runs(BH_SANDBOX_LISTENER, be_called));
	ck_assert(runs(BH_SANDBOX_LISTENER, compute));
	ck_assert(runs(BH_SANDBOX_LISTENER, talk));
	for (unsigned int i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		ck_assert_msg(is_killed(BH_SANDBOX_LISTENER, never[i]), "case %u", i);
	ck_assert(is_killed(BH_SANDBOX_MODULE, make_tcp_socket));
	ck_assert(is_killed(BH_SANDBOX_ALONE, make_tcp_socket));
	ck_assert(is_killed(BH_SANDBOX_MODULE, call_by_message));
}
END_TEST

START_TEST(all_else_is_fatal)
{
	static int (*const always[])(void) = {write_file, make_internet_socket, execute,
		start_process, make_code, turn_into_code, kill_parent, trace_parent};

	for (unsigned int i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		ck_assert_msg(is_killed(BH_SANDBOX_ONE_SHOT, always[i]), "case %u", i);
		ck_assert_msg(is_killed(BH_SANDBOX_MODULE, always[i]), "case %u", i);
		ck_assert_msg(is_killed(BH_SANDBOX_ALONE, always[i]), "case %u", i);
		ck_assert_msg(is_killed(BH_SANDBOX_AGENT, always[i]), "case %u", i);
		ck_assert_msg(is_killed(BH_SANDBOX_AGENT_ALONE, always[i]), "case %u", i);
	}
	ck_assert(is_killed(BH_SANDBOX_ONE_SHOT, talk));
	ck_assert(is_killed(BH_SANDBOX_ONE_SHOT, read_file));
	ck_assert(is_killed(BH_SANDBOX_MODULE, read_file));
	ck_assert(is_killed(BH_SANDBOX_MODULE, make_socket));
	ck_assert(is_killed(BH_SANDBOX_MODULE, connect_streams));
	ck_assert(is_killed(BH_SANDBOX_AGENT, make_socket));
	ck_assert(is_killed(BH_SANDBOX_AGENT, read_file));
}
END_TEST

static int
be_closed(void)
{
	struct rlimit lim;

	return getrlimit(RLIMIT_NPROC, &lim) < 0 || lim.rlim_max != 0 ||
		prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

START_TEST(a_violation_can_be_told)
{
	setenv("BH_SANDBOX", "log", 1);
	ck_assert(runs(BH_SANDBOX_MODULE, read_file));
	ck_assert(runs(BH_SANDBOX_MODULE, be_closed));
	setenv("BH_SANDBOX", "trap", 1);
	ck_assert(is_killed(BH_SANDBOX_MODULE, read_file));
	unsetenv("BH_SANDBOX");
}
END_TEST

#endif

int
main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(tc, nothing_is_held);
	tcase_add_test(tc, work_goes_on);
	tcase_add_test(tc, abort_is_told_as_abort);
#ifndef BH_SANITIZED
	tcase_add_test(tc, all_else_is_fatal);
	tcase_add_test(tc, a_listener_is_called_and_calls_nobody);
	tcase_add_test(tc, a_violation_can_be_told);
#endif
	tcase_set_timeout(tc, 30);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
