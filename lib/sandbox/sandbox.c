/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter is an allow-list of what glibc, libevent, libyang and libbulkhead call once
 * everything is open. Rules that look at arguments: memory is never executable, sockets are
 * local ones (in one profile TCP ones, that nobody is called by), a signal goes to the process
 * itself, files are opened to read (and in one profile only). What a filter cannot see, the path behind a pointer, is left to the user's rights.
 */
#include "lib/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/log/log.h"

#define AREA "sandbox"

static int
drop_capabilities(void)
{
	cap_t none = cap_init();
	int rc = none == NULL || cap_set_proc(none) < 0 ? -errno : 0;

	cap_free(none);
	if (rc == 0 && cap_reset_ambient() < 0)
		rc = -errno;
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	return rc;
}

#ifdef BH_SANITIZED

/* At exit the leak checker starts a thread that traces the process. */
static int
close_process(enum bh_sandbox_profile profile)
{
	if (profile != BH_SANDBOX_ONE_SHOT)
		bh_notice(AREA, "built with sanitizers: no system call filter");
	return 0;
}

#else


/* Memory, time, open descriptors, the end. */
static const int basic[] = {
	SCMP_SYS(brk), SCMP_SYS(clock_getres), SCMP_SYS(clock_gettime), SCMP_SYS(close),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fstat), SCMP_SYS(futex), SCMP_SYS(getpid),
	SCMP_SYS(getrandom), SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(lseek),
	SCMP_SYS(madvise), SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(newfstatat), SCMP_SYS(pwritev2),
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(time), SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Waiting and talking. */
static const int talking[] = {
	SCMP_SYS(clock_nanosleep), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_wait),
	SCMP_SYS(getsockopt), SCMP_SYS(nanosleep), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
};

static int
allow_all(scmp_filter_ctx f, const int *calls, unsigned int n)
{
	int rc = 0;

	for (unsigned int i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

/* A call whose argument `arg`, masked, has the given value. */
static int
allow_if(scmp_filter_ctx f, int call, unsigned int arg, uint64_t mask, uint64_t value)
{
	struct scmp_arg_cmp cmp = SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value);

	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &cmp);
}

#define INT_MASK 0xffffffffu

static int
allow_basic(scmp_filter_ctx f)
{
	static const int fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
	int rc = allow_all(f, basic, sizeof(basic) / sizeof(basic[0]));

	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	if (rc == 0) /* abort() */
		rc = allow_if(f, SCMP_SYS(tgkill), 0, INT_MASK, (uint32_t)getpid());
	if (rc == 0) /* stdio asks whether it writes to a terminal */
		rc = allow_if(f, SCMP_SYS(ioctl), 1, INT_MASK, TCGETS);
	for (unsigned int i = 0; i < sizeof(fcntls) / sizeof(fcntls[0]) && rc == 0; i++)
		rc = allow_if(f, SCMP_SYS(fcntl), 1, INT_MASK, fcntls[i]);
	return rc;
}

/* Sending must not connect. */
static int
allow_talking(scmp_filter_ctx f)
{
	int rc = allow_all(f, talking, sizeof(talking) / sizeof(talking[0]));

	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(sendmsg), 2, MSG_FASTOPEN, 0);
	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(sendto), 3, MSG_FASTOPEN, 0);
	return rc;
}

static int
allow_alone(scmp_filter_ctx f)
{
	int rc = allow_if(f, SCMP_SYS(socket), 0, INT_MASK, AF_UNIX);

	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);
	return rc;
}

/* Of a socket of that family and type, whatever its other flags. */
static int
allow_socket(scmp_filter_ctx f, int family, int type)
{
	struct scmp_arg_cmp cmp[] = {SCMP_CMP(0, SCMP_CMP_MASKED_EQ, INT_MASK, (uint32_t)family),
		SCMP_CMP(1, SCMP_CMP_MASKED_EQ, INT_MASK & ~(SOCK_NONBLOCK | SOCK_CLOEXEC),
			(uint32_t)type)};

	return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, cmp);
}

/* Of connect() nothing is allowed: who takes the process over can call nobody. */
static int
allow_listener(scmp_filter_ctx f)
{
	static const int families[] = {AF_INET, AF_INET6};
	static const int calls[] = {SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept4)};
	int rc = allow_all(f, calls, sizeof(calls) / sizeof(calls[0]));

	if (rc == 0)
		rc = allow_if(f, SCMP_SYS(setsockopt), 1, INT_MASK, SOL_SOCKET);
	for (unsigned int i = 0; i < 2 && rc == 0; i++)
		rc = allow_socket(f, families[i], SOCK_STREAM);
	return rc;
}

static int
allow_agent(scmp_filter_ctx f)
{
	static const int calls[] = {SCMP_SYS(connect), SCMP_SYS(select), SCMP_SYS(pselect6),
		SCMP_SYS(pipe), SCMP_SYS(pipe2)};
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
	int rc = allow_all(f, calls, sizeof(calls) / sizeof(calls[0]));

	for (unsigned int i = 0; i < sizeof(families) / sizeof(families[0]) && rc == 0; i++)
		rc = allow_socket(f, families[i], SOCK_STREAM);
	return rc;
}

static void
on_trap(int sig, siginfo_t *info, void *context)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "sandbox: system call %d is not allowed\n",
		info->si_syscall);

	(void)context;
	if (write(STDERR_FILENO, text, n) < 0)
		_exit(1);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* What happens on a call that is not allowed. */
static uint32_t
violation(void)
{
	struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	const char *wish = getenv("BH_SANDBOX");

	if (wish != NULL && strcmp(wish, "log") == 0)
		return SCMP_ACT_LOG;
	if (wish == NULL || strcmp(wish, "trap") != 0 || sigaction(SIGSYS, &trap, NULL) < 0)
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_TRAP;
}

static int
install_filter(enum bh_sandbox_profile profile)
{
	scmp_filter_ctx f = seccomp_init(violation());
	int rc = f == NULL ? -ENOMEM : allow_basic(f);

	if (rc == 0 && profile != BH_SANDBOX_ONE_SHOT)
		rc = allow_talking(f);
	if (rc == 0 && profile == BH_SANDBOX_LISTENER)
		rc = allow_listener(f);
	if (rc == 0 && (profile == BH_SANDBOX_ALONE || profile == BH_SANDBOX_AGENT_ALONE))
		rc = allow_alone(f);
	if (rc == 0 && (profile == BH_SANDBOX_AGENT || profile == BH_SANDBOX_AGENT_ALONE))
		rc = allow_agent(f);
	if (rc == 0)
		rc = seccomp_load(f);
	if (f != NULL)
		seccomp_release(f);
	return rc;
}

/* Others of our user may not trace us; nothing is started; the filter. */
static int
close_process(enum bh_sandbox_profile profile)
{
	static const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_NPROC, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return install_filter(profile);
}

#endif

int
bh_sandbox_enter(enum bh_sandbox_profile profile)
{
	int rc = drop_capabilities();

	tzset(); /* reads the time zone's file, which localtime() then only looks at */
	if (rc == 0)
		rc = close_process(profile);
	if (rc < 0)
		bh_err(AREA, "cannot be entered: %s", strerror(-rc));
	return rc;
}
